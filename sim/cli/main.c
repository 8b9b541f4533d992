/*
 * EdgeWeave: how should one DNN inference be spread over several devices, and what does it cost?
 *
 * The map
 *
 *     graph  *.json ──┐
 *     platform *.xml ─┼─> setup   ─> strategy ─> BOOK of plans ─> check ─> lower ─> TASK GRAPHS
 *     scenario *.json ┘   (sweep)    (plugin)                                          │
 *                                                                                      v
 *     table, JSON, CSV <── report <── RESULT <── metrics <── EVENTS <── engine: fast, simgrid, exec
 *
 * Three plain-data hand-overs carry everything; each can be printed, saved, loaded and compared:
 *
 *     book of plans  plan/plan.h        which device computes which box of every layer's output
 *     task graph     plan/task_graph.h  the tasks and messages that a plan comes to
 *     events         engine/event.h     what happened when
 *
 * Folders, from the ground up; includes only go down:
 *
 *     base/     status and errors, arena, vectors, texts, random numbers, JSON writer, files
 *     model/    pure data and arithmetic: graph and ops, boxes, platform, profiles, scenario
 *     plan/     plan, builder, check, lower
 *     io/       files -> model: graphs, ONNX, profiles, scenarios, plans. The only home of
 *               cJSON, nanopb and libyaml
 *     plugin/   opens strategies (include/edgeweave/strategy.h), serves as their host
 *     engine/   core.c: the job machine that all engines share
 *               fast/: our own event heap; simgrid/: SimGrid, in a module of its own; exec/: real
 *               worker processes (edgeweave-worker) and the kernels that they compute with
 *     results/  metrics and energy as folds over events; table, JSON, CSV, the store
 *     sweep/    opens a scenario's files (setup.h) and runs one point of it (point.h), or all
 *               of a sweep in worker processes (sweep_run.h)
 *     cli/      this folder. Only here is anything printed and the environment read
 *
 * How a command runs: main parses options (args.h), finds the data directories (paths.h), and calls
 * one cmd_*.c. That fills a scenario from a file and from options (options.h), has sweep/ open and
 * run it, and prints. Failures come back as status and message; main prints the message and turns
 * the status into an exit code.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help.h"

enum {
    ASK = EW_GROUP_PROBLEM | EW_GROUP_STRATEGY | EW_GROUP_WORKLOAD | EW_GROUP_ENGINE |
          EW_GROUP_SEARCH | EW_GROUP_CACHE | EW_GROUP_COMMON | EW_GROUP_JSON,
};

const struct ew_command ew_commands[] = {
    {
        .name = "run",
        .arguments = "[SCENARIO.json]",
        .summary = "Plan with one strategy, simulate, and report time, energy and accuracy",
        .details = "Options replace what the scenario file says; those of a workload do so in "
                   "every workload.\nExits with 1 when a requirement is not met.\n",
        .examples = "run --graph vgg16 --platform coedge --strategy coedge --requests 100\n"
                    "run --graph alexnet --platform demo --strategy local --engine fast --json\n"
                    "run my_scenario.json --seed 7 --out results/ --trace trace.json\n",
        .groups = ASK | EW_GROUP_OUT | EW_GROUP_TRACE | EW_GROUP_PLAN_IN | EW_GROUP_PLAN_OUT |
                  EW_GROUP_DRAWS,
        .run = ew_cmd_run,
    },
    {
        .name = "compare",
        .arguments = "[SCENARIO.json]",
        .summary = "Run several strategies (default: all) on the same problem, side by side",
        .details = "A strategy that cannot serve the problem is a row with its reason.\n"
                   "Exits with 0 when at least one strategy serves and meets every requirement, "
                   "and none failed.\n",
        .examples = "compare --graph vgg16 --platform demo\n"
                    "compare --graph vgg16 --platform coedge --strategy coedge,modnn "
                    "--deadline-s 3\n",
        .groups = ASK | EW_GROUP_OUT | EW_GROUP_DRAWS | EW_GROUP_REGRET,
        .run = ew_cmd_compare,
    },
    {
        .name = "explain",
        .arguments = "[SCENARIO.json]",
        .summary = "Tell what a request waited for, and what each device and link is worth",
        .details =
            "The critical path of a request; then, simulated again, 10 % more of every device "
            "and link, and the\nplatform without each device. With two strategies also the "
            "bandwidths at which the faster one\nbecomes the slower one.\n",
        .examples = "explain --graph vgg16 --platform coedge --strategy coedge\n"
                    "explain my_scenario.json --strategy modnn --request 7 --path-only\n"
                    "explain --graph vgg16 --platform demo --strategy modnn,local "
                    "--range 1e5:1e9 --json\n",
        .groups = ASK | EW_GROUP_EXPLAIN,
        .run = ew_cmd_explain,
    },
    {
        .name = "validate",
        .arguments = "[SCENARIO.json]",
        .summary = "Lay simulation and real execution of the same plans side by side",
        .details = "Every strategy's plan (default: all) runs on simgrid, fast and exec. Answers "
                   "are compared with one\ndevice's; 'fast', 'exec' and 'exec energy' are "
                   "differences from simgrid, 'task' those of single\ntasks and messages. Exits "
                   "with 1 when an answer is wrong or a plan could not be executed;\ndifferences "
                   "in time are not failures. See docs/validation.md.\n",
        .examples = "validate --graph alexnet --platform demo --strategy modnn,coedge\n"
                    "validate my_scenario.json --json\n"
                    "validate --graph vgg16 --platform coedge --out results/\n",
        .groups =
            (ASK & ~(unsigned)EW_GROUP_ENGINE) | EW_GROUP_EXEC | EW_GROUP_OUT | EW_GROUP_PLAN_IN,
        .run = ew_cmd_validate,
    },
    {
        .name = "plan",
        .arguments = "[SCENARIO.json]",
        .summary = "Show or save the plan that a strategy makes, without simulating it",
        .details = "",
        .examples = "plan --graph vgg16 --platform coedge --strategy coedge\n"
                    "plan --graph vgg16 --platform coedge --strategy modnn --save-plan modnn.json\n"
                    "plan --graph alexnet --platform demo --strategy local --print dot\n",
        .groups = (ASK & ~(unsigned)EW_GROUP_ENGINE) | EW_GROUP_PLAN_IN | EW_GROUP_PLAN_OUT |
                  EW_GROUP_PRINT,
        .run = ew_cmd_plan,
    },
    {
        .name = "import",
        .arguments = "MODEL.onnx",
        .summary = "Turn an ONNX model into a graph file",
        .details = "Every command takes an ONNX file where it takes a graph; a graph file can be "
                   "edited, and says\nwhere the weights lie.\n",
        .examples = "import resnet18.onnx -o resnet18.json\n"
                    "import detector.onnx --input-shape image=1x3x320x320 -o detector.json\n"
                    "import resnet18.onnx --fold-batchnorm --name resnet18_folded\n",
        .groups = EW_GROUP_IMPORT | EW_GROUP_COMMON,
        .run = ew_cmd_import,
    },
    {
        .name = "convert",
        .arguments = "FROM TO [FILE|DIR]",
        .summary = "Turn plans and profiles of other tools into ours, and ours into theirs",
        .details =
            "FROM and TO: plan autodice, autodice plan (layer-to-device mapping, JSON); plan "
            "pipeedge,\npipeedge plan (schedule of stages, YAML); platform pipeedge, pipeedge "
            "platform (models.yml,\ndevice_types.yml and devices.yml in a folder; --name "
            "says which model).\n",
        .examples =
            "convert plan autodice plan.json --graph vgg16 --platform demo -o mapping.json\n"
            "convert autodice plan mapping.json --graph vgg16 --platform demo -o plan.json\n"
            "convert platform pipeedge --graph vgg16 --platform demo -o profiles/\n"
            "convert pipeedge platform profiles/ -o imported/\n",
        .groups = EW_GROUP_PROBLEM | EW_GROUP_SEARCH | EW_GROUP_CACHE | EW_GROUP_CONVERT |
                  EW_GROUP_OUTPUT | EW_GROUP_COMMON,
        .run = ew_cmd_convert,
    },
    {
        .name = "list",
        .arguments = "strategies|graphs|platforms|profiles|engines|layers",
        .summary = "List what there is",
        .details = "'list graphs -v' also tells sizes. 'list layers' tells shapes, work, bytes "
                   "and halo of every layer.\n",
        .examples = "list strategies\nlist graphs --json\nlist layers --graph vgg16\n"
                    "list layers --graph model.onnx --csv\n",
        .groups = EW_GROUP_GRAPH | EW_GROUP_SEARCH | EW_GROUP_COMMON | EW_GROUP_JSON | EW_GROUP_CSV,
        .run = ew_cmd_list,
    },
    {
        .name = "describe",
        .arguments = "strategy|graph|platform|profile NAME",
        .summary = "Tell all about one strategy, graph, platform or profile",
        .details = "",
        .examples = "describe strategy coedge\ndescribe graph vgg16\ndescribe platform coedge\n",
        .groups = EW_GROUP_SEARCH | EW_GROUP_CACHE | EW_GROUP_COMMON | EW_GROUP_JSON,
        .run = ew_cmd_describe,
    },
    {
        .name = "check",
        .arguments = "FILE...",
        .summary = "Check graph, platform, profile, scenario or plan files",
        .details = "What a file is follows from its content. A plan is checked against --platform "
                   "and, if given, --graph.\n",
        .examples = "check my_graph.json my_platform.xml\ncheck plan.json --platform coedge\n",
        .groups = EW_GROUP_PROBLEM | EW_GROUP_SEARCH | EW_GROUP_CACHE | EW_GROUP_COMMON,
        .run = ew_cmd_check,
    },
    {
        .name = "plugin-check",
        .arguments = "PLUGIN.so...",
        .summary = "Try a strategy plugin hard: descriptors, parameters, plans, determinism",
        .details = "",
        .examples = "plugin-check build/my_strategy.so\n"
                    "plugin-check build/my_strategy.so --param episodes=20\n",
        .groups = EW_GROUP_COMMON | EW_GROUP_JSON | EW_GROUP_PARAM,
        .run = ew_cmd_plugin_check,
    },
    {
        .name = "reproduce",
        .arguments = "PAPER [FIGURE]",
        .summary = "Run a paper's experiments; its values beside ours, row by row",
        .details = "PAPER: accuracy, coedge, distredge, edgent or a file "
                   "(docs/inputs-reproduction.md). Without FIGURE all of its "
                   "figures.\nWhat is known from earlier runs is taken from the cache. Exits with "
                   "1 when a row has no value of ours; differences from the paper are not "
                   "failures.\n",
        .examples = "reproduce coedge\nreproduce distredge fig6b --out figures/\n"
                    "reproduce edgent --json\n",
        .groups = EW_GROUP_QUICK | EW_GROUP_JOBS | EW_GROUP_OUT | EW_GROUP_JSON | EW_GROUP_SEARCH |
                  EW_GROUP_CACHE | EW_GROUP_COMMON,
        .run = ew_cmd_reproduce,
    },
    {
        .name = "probe",
        .arguments = "",
        .summary = "Measure this machine: a device profile and a host element",
        .details = "Times convolutions and fc layers by class and rows with the kernels of real "
                   "execution on one thread.\nWrites NAME.KERNELS.json (or -o FILE) and prints a "
                   "<host> to paste into a platform.\n",
        .examples = "probe --name my_board\n",
        .groups = EW_GROUP_PROBE | EW_GROUP_SEARCH | EW_GROUP_COMMON,
        .run = ew_cmd_probe,
    },
    {
        .name = "calibrate",
        .arguments = "compute|energy|network DATA.csv",
        .summary = "Fit time, power or network figures to measurements",
        .details =
            "compute: columns model and seconds, latency_s, min_ms, ms or us; optional layer, "
            "rows. Writes a profile.\n"
            "energy: columns w or mw with state or load, optional time_s; or j and latency_s, "
            "optional j_net_of_idle. Writes host properties.\n"
            "network: columns bytes and seconds or ms; optional messages. Writes a link.\n"
            "All: column key or device with --device. See docs/calibration.md.\n",
        .examples = "calibrate compute my_board.csv -o my_board.my_runtime.json\n"
                    "calibrate energy my_power.csv\n"
                    "calibrate network my_pings.csv --nominal-latency-s 1e-4\n",
        .groups = EW_GROUP_CALIBRATE | EW_GROUP_SEARCH | EW_GROUP_COMMON,
        .run = ew_cmd_calibrate,
    },
    {
        .name = "sweep",
        .arguments = "SWEEP.json",
        .summary = "Run a scenario for every combination of values, into a store of results",
        .details = "Points that the store has already are not run again; a point counts as known "
                   "if nothing\nthat determines its result has changed. Ctrl-C keeps what is done. "
                   "Exits with 1 when a point\nfailed.\n",
        .examples = "sweep sweep.json --dry-run\nsweep sweep.json -o results.db --keep-going\n"
                    "sweep sweep.json -o part2.db --shard 2/8\n",
        .groups = EW_GROUP_SWEEP | EW_GROUP_OUTPUT | EW_GROUP_JOBS | EW_GROUP_SEARCH |
                  EW_GROUP_CACHE | EW_GROUP_COMMON,
        .run = ew_cmd_sweep,
    },
    {
        .name = "export",
        .arguments = "RESULTS.db",
        .summary = "Write the results of a sweep as CSV or JSON lines",
        .details = "Without --output to standard output. The columns are the keys that the sweep "
                   "varies, then\nthose of docs/sweeps.md.\n",
        .examples =
            "export results.db -o results.csv\n"
            "export results.db --columns strategy,latency_mean_s --where \"status = 'ok'\"\n"
            "export results.db --table devices --format jsonl\n",
        .groups = EW_GROUP_EXPORT | EW_GROUP_OUTPUT | EW_GROUP_COMMON,
        .run = ew_cmd_export,
    },
    {
        .name = "merge",
        .arguments = "PART.db...",
        .summary = "Put the stores of several shards or machines into one",
        .details = "The store given with --output is made if it is missing. A result wins over a "
                   "failure.\n",
        .examples = "merge part1.db part2.db -o results.db\n",
        .groups = EW_GROUP_OUTPUT | EW_GROUP_COMMON,
        .run = ew_cmd_merge,
    },
    {
        .name = "plot",
        .arguments = "KIND RESULTS.db|DIR|FILE.csv",
        .summary =
            "Draw results: bars, lines, Pareto fronts, heat maps, distributions, Gantt charts",
        .details =
            "Kinds: bars, lines, pareto, heatmap, cdf, energy (of a sweep's store, its export, or "
            "a "
            "directory of\nrun or compare --out); gantt (of such a directory); paper (of a CSV "
            "file of reproduce --out).\nWrites PNG, SVG or PDF, or CSV: the data that the kind's "
            "script in plots/ draws. Points that share\na place are drawn as their mean, with "
            "their range. See docs/gallery.md.\n",
        .examples = "plot bars results.db -o bars.svg\n"
                    "plot lines results.db --x bandwidth_bytes_per_s --y energy_per_request_j -o "
                    "lines.png\n"
                    "plot pareto results.db --x energy_per_request_j --y accuracy -o front.pdf\n"
                    "plot heatmap results.db --where \"seed = 1\" -o winners.png\n"
                    "plot gantt results/ --run 2 -o gantt.svg\n",
        .groups = EW_GROUP_PLOT | EW_GROUP_SEARCH | EW_GROUP_COMMON,
        .run = ew_cmd_plot,
    },
    {
        .name = "report",
        .arguments = "RESULTS.db|DIR|FILE.csv",
        .summary = "Write results as one page: figures, and a table that sorts and filters",
        .details =
            "The page is one file that fetches nothing. Figures that the results do not allow "
            "are left out;\n-v says why.\n",
        .examples = "report results.db -o report.html\n"
                    "report results/ --title \"AlexNet on four devices\" -o report.html\n",
        .groups = EW_GROUP_REPORT | EW_GROUP_SEARCH | EW_GROUP_COMMON,
        .run = ew_cmd_report,
    },
    {
        .name = "version",
        .arguments = "",
        .summary = "Print the version of the program and of its strategy ABI",
        .details = "",
        .examples = "",
        .groups = EW_GROUP_COMMON | EW_GROUP_JSON,
        .run = ew_cmd_version,
    },
    {
        .name = "help",
        .arguments = "[COMMAND]",
        .summary = "Explain the program or one command",
        .details = "",
        .examples = "help run\n",
        .groups = EW_GROUP_COMMON,
        .run = ew_cmd_help,
    },
    {.name = NULL},
};

/* The one mutable global: a signal handler can reach nothing else. */
static volatile int is_interrupted;

static void on_signal(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

/* The first Ctrl-C asks to stop and lets files be cleaned up, the second one kills. */
static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* The command that the words ask for; `first` receives where its arguments begin. */
static enum ew_status find_command(struct ew_cli *cli, int *first, struct ew_error *err)
{
    const char *word = cli->argc > 1 ? cli->argv[1] : "";
    *first = 2;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        word = "help";
    } else if (strcmp(word, "--version") == 0) {
        word = "version";
    }
    if (!*word) {
        return ew_fail(err, EW_EUSAGE, "expected a command; see 'edgeweave help'");
    }
    cli->command = ew_command_find(word);
    if (!cli->command) {
        cli->blame = 1;
        return ew_command_unknown(word, err);
    }
    return EW_OK;
}

static enum ew_status run_command(struct ew_cli *cli, int first, struct ew_error *err)
{
    enum ew_status status = ew_args_parse(&cli->args, cli->argc, cli->argv, first,
                                          cli->command->groups, &cli->blame, err);
    if (status != EW_OK) {
        return status;
    }
    cli->wants_json = ew_args_last(&cli->args, EW_OPTION_JSON) != NULL;
    for (size_t i = 0; i < cli->args.n_options; i++) { /* the last of -v and -q wins */
        const enum ew_option_id id = cli->args.options[i].option;
        cli->verbosity = id == EW_OPTION_VERBOSE ? EW_VERBOSE
                         : id == EW_OPTION_QUIET ? EW_QUIET
                                                 : cli->verbosity;
    }
    if (ew_args_last(&cli->args, EW_OPTION_HELP)) {
        struct ew_str text = {0};
        ew_help_command(&text, cli->command);
        status = ew_cli_put(&text, err);
        ew_str_fini(&text);
        return status;
    }
    status = ew_paths_init(&cli->paths, &cli->args, err);
    return status == EW_OK ? cli->command->run(cli, err) : status;
}

int main(int argc, char **argv)
{
    struct ew_cli cli = {
        .argc = argc,
        .argv = argv,
        .verbosity = EW_NORMAL,
        .blame = -1,
        .interrupted = &is_interrupted,
    };
    struct ew_error err = {0};
    int first;
    catch_interrupts();
    enum ew_status status = find_command(&cli, &first, &err);
    if (status == EW_OK) {
        status = run_command(&cli, first, &err);
    }
    if (status != EW_OK) {
        ew_cli_print_error(&cli, &err);
    } else if (cli.is_unmet) {
        status = EW_EUNMET;
    }
    ew_paths_fini(&cli.paths);
    ew_args_fini(&cli.args);
    return ew_status_exit_code(status);
}
