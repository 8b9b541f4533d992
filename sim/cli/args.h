/*
 * Command line syntax: options and positional arguments, the same for every command. What a value
 * means is not known here (see options.h); unknown names are.
 */
#ifndef EW_CLI_ARGS_H
#define EW_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Groups of options. A command accepts the groups it names. */
#define EW_GROUP_MAP(X)                                                                            \
    X(PROBLEM)   /* graph, platform, who asks */                                                   \
    X(STRATEGY)  /* strategies and their parameters */                                             \
    X(WORKLOAD)  /* requests and requirements */                                                   \
    X(ENGINE)    /* engine, network model, seed */                                                 \
    X(OUT)       /* --out */                                                                       \
    X(PLAN_IN)   /* --plan */                                                                      \
    X(PLAN_OUT)  /* --save-plan */                                                                 \
    X(PRINT)     /* --print */                                                                     \
    X(JSON)      /* --json */                                                                      \
    X(GRAPH)     /* --graph alone */                                                               \
    X(SEARCH)    /* where to look for files */                                                     \
    X(CACHE)     /* --no-cache */                                                                  \
    X(COMMON)    /* every command */                                                               \
    X(DRAWS)     /* --draws, --breakdown */                                                        \
    X(PROBE)     /* of probe */                                                                    \
    X(CALIBRATE) /* data and labels of a calibration */                                            \
    X(JOBS)      /* --jobs */                                                                      \
    X(SWEEP)     /* how a sweep is run */                                                          \
    X(EXPORT)    /* what is exported */                                                            \
    X(OUTPUT)    /* --output */                                                                    \
    X(QUICK)     /* --quick */                                                                     \
    X(PARAM)     /* --param, --plan-limit-s */                                                     \
    X(CSV)       /* --csv */                                                                       \
    X(CONVERT)   /* --name of a model */                                                           \
    X(IMPORT)    /* how an import goes */                                                          \
    X(REGRET)    /* --regimes */                                                                   \
    X(EXEC)      /* of real execution, and all of ENGINE but --engine */                           \
    X(PLOT)      /* what is drawn */                                                               \
    X(TRACE)     /* what is kept of a single run: --trace, --save-outputs */                       \
    X(EXPLAIN)   /* what is explained */                                                           \
    X(REPORT)    /* what is reported */

enum ew_group_number {
#define X(name) EW_GROUP_NUMBER_##name,
    EW_GROUP_MAP(X)
#undef X
        EW_GROUP_COUNT
};

/** A command takes a set of them. At most 31: C17 enumerators are ints. */
enum ew_group {
#define X(name) EW_GROUP_##name = 1u << EW_GROUP_NUMBER_##name,
    EW_GROUP_MAP(X)
#undef X
};

/* id, name, short letter or 0, value in help or NULL for a switch, groups, text */
#define EW_OPTION_MAP(X)                                                                           \
    X(GRAPH, "graph", 0, "NAME|FILE", EW_GROUP_PROBLEM | EW_GROUP_GRAPH,                           \
      "the DNN: a name from 'list graphs', a graph file or an ONNX file")                          \
    X(PLATFORM, "platform", 0, "NAME|FILE", EW_GROUP_PROBLEM,                                      \
      "the devices and their network: a name from 'list platforms' or a SimGrid platform file")    \
    X(SET, "set", 0, "PATH=VALUE", EW_GROUP_PROBLEM,                                               \
      "replace a figure of the platform: link.NAME.FIELD or device.NAME.FIELD, '*' for every "     \
      "name, e.g. link.wlan.bandwidth_bytes_per_s=1e6; repeatable")                                \
    X(DEVICES, "devices", 0, "N", EW_GROUP_PROBLEM,                                                \
      "only the platform's first N devices take part (default: all)")                              \
    X(SOURCE, "source", 0, "DEVICE", EW_GROUP_PROBLEM,                                             \
      "where the input appears (default: the platform's first device)")                            \
    X(SINK, "sink", 0, "DEVICE", EW_GROUP_PROBLEM,                                                 \
      "where the answer must arrive (default: the source)")                                        \
    X(BATCH, "batch", 0, "N", EW_GROUP_PROBLEM, "images per job (default: 1)")                     \
    X(INPUT_BYTES, "input-bytes-per-element", 0, "B", EW_GROUP_PROBLEM,                            \
      "size of one element of the network's input (default: the graph's dtype)")                   \
    X(ACTIVATION_BYTES, "activation-bytes-per-element", 0, "B", EW_GROUP_PROBLEM,                  \
      "size of one element of every other tensor (default: the graph's dtype)")                    \
    X(STRATEGY, "strategy", 0, "ID[,ID...]", EW_GROUP_STRATEGY,                                    \
      "a strategy from 'list strategies'; repeatable")                                             \
    X(PARAM, "param", 0, "[STRATEGY.]NAME=VALUE", EW_GROUP_STRATEGY | EW_GROUP_PARAM,              \
      "a parameter, for one strategy or for all that have it; see 'describe strategy ID'; "        \
      "repeatable")                                                                                \
    X(PLAN, "plan", 0, "FILE", EW_GROUP_PLAN_IN, "run a saved plan instead of a strategy")         \
    X(REQUESTS, "requests", 0, "N", EW_GROUP_WORKLOAD,                                             \
      "number of requests (default: 1, or all of a trace)")                                        \
    X(REQUESTS_PER_JOB, "requests-per-job", 0, "N", EW_GROUP_WORKLOAD,                             \
      "requests that share one job of --batch images (default: 1)")                                \
    X(ARRIVAL, "arrival", 0, "HOW", EW_GROUP_WORKLOAD,                                             \
      "closed:K (K outstanding) or closed:K:THINK_S, poisson:RATE, periodic:RATE (requests per "   \
      "second), burst:N:RATE[:poisson] (N at a time, RATE bursts per second), trace:FILE; as in "  \
      "MLPerf: single_stream, multi_stream:N, server:RATE, offline (default: closed:1)")           \
    X(DEADLINE, "deadline-s", 0, "S", EW_GROUP_WORKLOAD,                                           \
      "every request must be answered within S seconds")                                           \
    X(MIN_ACCURACY, "min-accuracy", 0, "A", EW_GROUP_WORKLOAD,                                     \
      "least mean accuracy, a ratio in 0..1")                                                      \
    X(MIN_THROUGHPUT, "min-throughput-per-s", 0, "R", EW_GROUP_WORKLOAD,                           \
      "least answered requests per second")                                                        \
    X(REPLAN, "replan", 0, "WHEN", EW_GROUP_WORKLOAD,                                              \
      "plan anew in a changing world: on-change:PERCENT (of a bandwidth, latency or speed), "      \
      "period:SECONDS, "                                                                           \
      "on-failure or never (default: never)")                                                      \
    X(CHARGE_PLANNING, "charge-planning", 0, "SECONDS|evaluations:SECONDS", EW_GROUP_WORKLOAD,     \
      "a new plan is in force so long after its cause, or so long per plan it evaluated "          \
      "(default: 0)")                                                                              \
    X(IN_FLIGHT, "in-flight", 0, "keep|move", EW_GROUP_WORKLOAD,                                   \
      "jobs under way when a plan comes into force: they keep theirs, or take it for their "       \
      "remaining layers (default: keep)")                                                          \
    X(ON_FAILURE, "on-failure", 0, "wait|retry|replan|fail", EW_GROUP_WORKLOAD,                    \
      "when a device or link breaks a request's attempt: start anew when all is up, start anew "   \
      "after --retry-delay-s, or give up (default: wait)")                                         \
    X(RETRY_DELAY, "retry-delay-s", 0, "S", EW_GROUP_WORKLOAD,                                     \
      "pause before the next attempt with --on-failure retry (default: 0.1)")                      \
    X(MAX_ATTEMPTS, "max-attempts", 0, "N", EW_GROUP_WORKLOAD,                                     \
      "attempts per request; then it has failed (default: 10)")                                    \
    X(NEXT_ATTEMPT, "next-attempt", 0, "anew|resume", EW_GROUP_WORKLOAD,                           \
      "it begins anew, or goes on behind the last layer whose output is left (default: anew)")     \
    X(DROP_AT_DEADLINE, "drop-at-deadline", 0, NULL, EW_GROUP_WORKLOAD,                            \
      "drop requests that have no answer at their deadline")                                       \
    X(ENGINE, "engine", 0, "simgrid|fast|exec", EW_GROUP_ENGINE,                                   \
      "who simulates, or exec: really run it with worker processes (default: simgrid)")            \
    X(KERNELS, "kernels", 0, "ID", EW_GROUP_ENGINE | EW_GROUP_EXEC,                                \
      "exec: kernels that compute the layers: reference (its bits do not depend on the plan), or " \
      "where they were built in xnnpack (default: reference)")                                     \
    X(WEIGHTS, "weights", 0, "random|FILE", EW_GROUP_ENGINE | EW_GROUP_EXEC,                       \
      "exec: weights made from the seed, or read from FILE where the graph says they lie "         \
      "(default: from the graph's own file if it names one, else random)")                         \
    X(INPUT, "input", 0, "[NAME=]FILE.npy", EW_GROUP_ENGINE | EW_GROUP_EXEC,                       \
      "exec: compute with these images, one or Nx..., float32, which requests take in turn; for "  \
      "networks with several inputs repeated, with names (default: random ones, from the seed)")   \
    X(DILATION, "dilation", 0, "X", EW_GROUP_ENGINE | EW_GROUP_EXEC,                               \
      "exec: real seconds per emulated second; 0 stretches time when this machine cannot keep "    \
      "up (default: 0)")                                                                           \
    X(MEASURED, "measured", 0, NULL, EW_GROUP_ENGINE | EW_GROUP_EXEC,                              \
      "exec: do not emulate: durations of tasks and messages are measured on this machine")        \
    X(NETWORK, "network", 0, "emulated|netns", EW_GROUP_ENGINE | EW_GROUP_EXEC,                    \
      "exec: links paced by the workers, or made by the kernel between network namespaces "        \
      "(default: emulated)")                                                                       \
    X(WORKERS, "workers", 0, "FILE", EW_GROUP_ENGINE | EW_GROUP_EXEC,                              \
      "exec: the workers of a real cluster, JSON (docs/real-execution.md); implies --measured")    \
    X(PIN, "pin", 0, "auto|none", EW_GROUP_ENGINE | EW_GROUP_EXEC,                                 \
      "exec: every worker started here computes on one processor, in turn, or on any "             \
      "(default: auto)")                                                                           \
    X(STALL_LIMIT, "stall-limit-s", 0, "S", EW_GROUP_ENGINE | EW_GROUP_EXEC,                       \
      "exec: fail when a worker gives no sign of life for so long (default: 60)")                  \
    X(NET, "net", 0, "ideal|tcp", EW_GROUP_ENGINE | EW_GROUP_EXEC,                                 \
      "network model: ideal is max-min fair sharing, tcp adds SimGrid's LV08 protocol factors "    \
      "(default: ideal)")                                                                          \
    X(SEED, "seed", 0, "N", EW_GROUP_ENGINE | EW_GROUP_STRATEGY | EW_GROUP_EXEC,                   \
      "random seed (default: 1)")                                                                  \
    X(ENERGY_RULE, "energy-rule", 0, "both|receiver", EW_GROUP_ENGINE | EW_GROUP_EXEC,             \
      "who pays for a transfer's radio energy (default: both)")                                    \
    X(REGIMES, "regimes", 0, "N", EW_GROUP_REGRET,                                                 \
      "when the scenario has dynamics, compare each strategy with itself planning anew for "       \
      "nothing at about N moments of change; 0: do not (default: 100)")                            \
    X(OUT, "out", 0, "DIR", EW_GROUP_OUT, "write the results as files into DIR (made if missing)") \
    X(SAVE_PLAN, "save-plan", 0, "FILE", EW_GROUP_PLAN_OUT, "save the plan that is run")           \
    X(PRINT, "print", 0, "WHAT", EW_GROUP_PRINT,                                                   \
      "summary, plan (JSON), task-graph (JSON) or dot (Graphviz) (default: summary)")              \
    X(JSON, "json", 0, NULL, EW_GROUP_JSON, "JSON on standard output instead of a table")          \
    X(CSV, "csv", 0, NULL, EW_GROUP_CSV, "CSV on standard output instead of a table (layers)")     \
    X(INPUT_SHAPE, "input-shape", 0, "[NAME=]SHAPE", EW_GROUP_IMPORT,                              \
      "shape of an input that the file leaves open, e.g. 1x3x224x224; repeatable")                 \
    X(FOLD_BATCHNORM, "fold-batchnorm", 0, NULL, EW_GROUP_IMPORT,                                  \
      "turn batch normalisations behind convolutions into biases")                                 \
    X(ALLOW_OPAQUE, "allow-opaque", 0, NULL, EW_GROUP_IMPORT,                                      \
      "keep operators that cannot be placed as layers that one device computes")                   \
    X(STRATEGY_PATH, "strategy-path", 0, "DIR|FILE", EW_GROUP_SEARCH,                              \
      "also look for strategy plugins here; repeatable")                                           \
    X(PLAN_LIMIT, "plan-limit-s", 0, "S", EW_GROUP_STRATEGY | EW_GROUP_PARAM,                      \
      "most seconds that a plugin from --strategy-path may plan (default: 600; plugin-check: "     \
      "any plugin, 60)")                                                                           \
    X(DATA_PATH, "data-path", 0, "DIR", EW_GROUP_SEARCH,                                           \
      "look here first for graphs/ and platforms/; repeatable")                                    \
    X(QUICK, "quick", 0, NULL, EW_GROUP_QUICK,                                                     \
      "a small version that takes seconds; not the numbers to look at")                            \
    X(JOBS, "jobs", 0, "N", EW_GROUP_JOBS, "processes at once (default: one per processor)")       \
    X(DRAWS, "draws", 0, "N", EW_GROUP_DRAWS,                                                      \
      "error bars from N runs with errors of the device profiles, on the fast engine (default: "   \
      "0)")                                                                                        \
    X(BREAKDOWN, "breakdown", 0, "WHAT", EW_GROUP_DRAWS,                                           \
      "CSV of where time and energy went instead of the table: by device, layer, state or "        \
      "request")                                                                                   \
    X(OUTPUT, "output", 'o', "FILE",                                                               \
      EW_GROUP_CALIBRATE | EW_GROUP_IMPORT | EW_GROUP_PROBE | EW_GROUP_OUTPUT | EW_GROUP_PLOT |    \
          EW_GROUP_REPORT,                                                                         \
      "write the result here, and what there is to say of it to standard output (default, or -: "  \
      "the result to standard output)")                                                            \
    X(PROBE_LIMIT, "limit-s", 0, "S", EW_GROUP_PROBE, "measure for about this long (default: 30)") \
    X(DEVICE, "device", 0, "KEY", EW_GROUP_CALIBRATE,                                              \
      "only rows with this value in column 'key', or else 'device'")                               \
    X(LAYERS, "layers", 0, "FILE", EW_GROUP_CALIBRATE,                                             \
      "layer lists of networks that are no graphs (CSV)")                                          \
    X(NAME, "name", 0, "NAME",                                                                     \
      EW_GROUP_CALIBRATE | EW_GROUP_IMPORT | EW_GROUP_PROBE | EW_GROUP_CONVERT,                    \
      "name of what is made (default: that of the file)")                                          \
    X(FROM, "from", 0, "TEXT", EW_GROUP_CALIBRATE,                                                 \
      "where the data come from, for the profile's 'source' (default: the file)")                  \
    X(WEIGHT_RATE, "weight-bytes-per-s", 0, "B", EW_GROUP_CALIBRATE,                               \
      "compute: how fast weights arrive, known from elsewhere (default: fitted)")                  \
    X(NOMINAL_LATENCY, "nominal-latency-s", 0, "S", EW_GROUP_CALIBRATE,                            \
      "network: the link's latency on paper, for SimGrid's latency factor")                        \
    X(NOMINAL_BANDWIDTH, "nominal-bandwidth-bytes-per-s", 0, "B", EW_GROUP_CALIBRATE,              \
      "network: the link's bandwidth on paper, for SimGrid's bandwidth factor")                    \
    X(RESIDUALS, "residuals", 0, "FILE", EW_GROUP_CALIBRATE,                                       \
      "write measured and predicted values here (CSV), for plots/residuals.gp")                    \
    X(NO_CACHE, "no-cache", 0, NULL, EW_GROUP_CACHE, "do not use or fill the caches")              \
    X(DRY_RUN, "dry-run", 0, NULL, EW_GROUP_SWEEP,                                                 \
      "tell how many points there are, how long they may take, and show the first ones")           \
    X(RESUME, "resume", 0, NULL, EW_GROUP_SWEEP,                                                   \
      "go on with the results that are there (the default when the file exists); fail if there "   \
      "are none")                                                                                  \
    X(KEEP_GOING, "keep-going", 0, NULL, EW_GROUP_SWEEP,                                           \
      "do the other points after one has failed (a strategy that cannot serve is no failure)")     \
    X(TIME_LIMIT, "time-limit-s", 0, "S", EW_GROUP_SWEEP,                                          \
      "most seconds for one point (default: as the sweep file says, else none)")                   \
    X(SHARD, "shard", 0, "I/N", EW_GROUP_SWEEP,                                                    \
      "do only the I-th of N parts, 1 <= I <= N; see 'help merge'")                                \
    X(TABLE, "table", 0, "NAME", EW_GROUP_EXPORT, "runs, devices or failures (default: runs)")     \
    X(WHERE, "where", 0, "CONDITION", EW_GROUP_EXPORT | EW_GROUP_PLOT | EW_GROUP_REPORT,           \
      "rows to take, an SQL condition over the columns, e.g. \"strategy = 'modnn' AND "            \
      "latency_mean_s < 1\"")                                                                      \
    X(COLUMNS, "columns", 0, "A,B,...", EW_GROUP_EXPORT, "columns to export, in this order")       \
    X(FORMAT, "format", 0, "csv|jsonl", EW_GROUP_EXPORT,                                           \
      "CSV or a JSON object per line (default: csv)")                                              \
    X(ALL, "all", 0, NULL, EW_GROUP_EXPORT, "also points that the sweep file has no more")         \
    X(TRACE_FILE, "trace", 0, "FILE", EW_GROUP_TRACE,                                              \
      "write the run in the Chrome trace event format, for ui.perfetto.dev (the first 1000 jobs)") \
    X(SAVE_OUTPUTS, "save-outputs", 0, "DIR", EW_GROUP_TRACE,                                      \
      "exec: write what the network's last layers gave into DIR/LAYER.npy, a row per image")       \
    X(PLOT_X, "x", 0, "COLUMN", EW_GROUP_PLOT, "column along the x axis")                          \
    X(PLOT_Y, "y", 0, "COLUMN", EW_GROUP_PLOT,                                                     \
      "column along the y axis; for bars one or more, A,B,...")                                    \
    X(PLOT_BY, "by", 0, "COLUMN", EW_GROUP_PLOT,                                                   \
      "a bar, line or colour for each value of this column (default: strategy)")                   \
    X(PLOT_METRIC, "metric", 0, "COLUMN", EW_GROUP_PLOT,                                           \
      "heatmap: what the winner is best in (default: latency_mean_s)")                             \
    X(PLOT_TITLE, "title", 0, "TEXT", EW_GROUP_PLOT | EW_GROUP_REPORT,                             \
      "title (default: of plots none, of reports the name of the results)")                        \
    X(PLOT_LOG, "log", 0, "AXES", EW_GROUP_PLOT,                                                   \
      "logarithmic axes: x, y, xy or none (default: those whose values span a factor of 50)")      \
    X(PLOT_RUN, "run", 0, "N", EW_GROUP_PLOT, "gantt: number of the run (default: 0)")             \
    X(PATH_ONLY, "path-only", 0, NULL, EW_GROUP_EXPLAIN,                                           \
      "only the critical path: do not simulate what each resource is worth")                       \
    X(RANGE, "range", 0, "FROM:TO", EW_GROUP_EXPLAIN,                                              \
      "bandwidths in which to look for break-even, in bytes/s (default: 1e4:1e10)")                \
    X(LINK, "link", 0, "NAME", EW_GROUP_EXPLAIN,                                                   \
      "the link whose bandwidth is varied for break-even (default: '*', all)")                     \
    X(PLOT_REQUEST, "request", 0, "N", EW_GROUP_PLOT | EW_GROUP_EXPLAIN,                           \
      "number of the request; of plots, for gantt (default: 0)")                                   \
    X(VERBOSE, "verbose", 'v', NULL, EW_GROUP_COMMON, "more messages")                             \
    X(QUIET, "quiet", 'q', NULL, EW_GROUP_COMMON, "errors only")                                   \
    X(HELP, "help", 'h', NULL, EW_GROUP_COMMON, "help on this command")

enum ew_option_id {
#define X(id, name, letter, value, groups, doc) EW_OPTION_##id,
    EW_OPTION_MAP(X)
#undef X
        EW_OPTION_COUNT
};

/** An option as the parser and help know it. */
struct ew_option {
    const char *name;
    char letter;
    const char *value; /**< NULL: a switch */
    unsigned groups;
    const char *doc;
};

/** All options, by enum ew_option_id. */
extern const struct ew_option ew_options[EW_OPTION_COUNT];

/** One option or positional argument as given. */
struct ew_arg {
    enum ew_option_id option; /**< not for positional arguments */
    const char *value;        /**< NULL for a switch */
    int at;                   /**< index in argv, for messages */
};

/** A parsed command line; texts are borrowed from argv. Zero-initialise. */
struct ew_args {
    struct ew_arg *options; /**< in the order given */
    size_t n_options;
    struct ew_arg *positionals;
    size_t n_positionals;
};

/** Parse argv[first..]. `groups` says which options the command has. EW_EUSAGE with a suggestion;
 *  `*blame` is then the index of the offending word. */
enum ew_status ew_args_parse(struct ew_args *out, int argc, char *const *argv, int first,
                             unsigned groups, int *blame, struct ew_error *err);
void ew_args_fini(struct ew_args *args);

/** Last value of an option; NULL when it was not given. */
const struct ew_arg *ew_args_last(const struct ew_args *args, enum ew_option_id option);

#endif
