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
enum ew_option_group {
    EW_GROUP_PROBLEM = 1 << 0,    /**< graph, platform, who asks */
    EW_GROUP_STRATEGY = 1 << 1,   /**< strategies and their parameters */
    EW_GROUP_WORKLOAD = 1 << 2,   /**< requests and requirements */
    EW_GROUP_ENGINE = 1 << 3,     /**< engine, network model, seed */
    EW_GROUP_OUT = 1 << 4,        /**< --out */
    EW_GROUP_PLAN_IN = 1 << 5,    /**< --plan */
    EW_GROUP_PLAN_OUT = 1 << 6,   /**< --save-plan */
    EW_GROUP_PRINT = 1 << 7,      /**< --print */
    EW_GROUP_JSON = 1 << 8,       /**< --json */
    EW_GROUP_GRAPH = 1 << 9,      /**< --graph alone */
    EW_GROUP_SEARCH = 1 << 10,    /**< where to look for files */
    EW_GROUP_CACHE = 1 << 11,     /**< --no-cache */
    EW_GROUP_COMMON = 1 << 12,    /**< every command */
    EW_GROUP_CALIBRATE = 1 << 20, /**< data and labels of a calibration */
    EW_GROUP_JOBS = 1 << 13,      /**< --jobs */
    EW_GROUP_SWEEP = 1 << 16,     /**< how a sweep is run */
    EW_GROUP_EXPORT = 1 << 17,    /**< what is exported */
    EW_GROUP_OUTPUT = 1 << 18,    /**< --output */
    EW_GROUP_QUICK = 1 << 14,     /**< --quick */
    EW_GROUP_PARAM = 1 << 15,     /**< --param alone */
};

/* id, name, short letter or 0, value in help or NULL for a switch, groups, text */
#define EW_OPTION_MAP(X)                                                                           \
    X(GRAPH, "graph", 0, "NAME|FILE", EW_GROUP_PROBLEM | EW_GROUP_GRAPH,                           \
      "the DNN: a name from 'list graphs' or a graph file")                                        \
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
    X(ENGINE, "engine", 0, "simgrid|fast", EW_GROUP_ENGINE, "who simulates (default: simgrid)")    \
    X(NET, "net", 0, "ideal|tcp", EW_GROUP_ENGINE,                                                 \
      "network model: ideal is max-min fair sharing, tcp adds SimGrid's LV08 protocol factors "    \
      "(default: ideal)")                                                                          \
    X(SEED, "seed", 0, "N", EW_GROUP_ENGINE | EW_GROUP_STRATEGY, "random seed (default: 1)")       \
    X(ENERGY_RULE, "energy-rule", 0, "both|receiver", EW_GROUP_ENGINE,                             \
      "who pays for a transfer's radio energy (default: both)")                                    \
    X(OUT, "out", 0, "DIR", EW_GROUP_OUT, "write the results as files into DIR (made if missing)") \
    X(SAVE_PLAN, "save-plan", 0, "FILE", EW_GROUP_PLAN_OUT, "save the plan that is run")           \
    X(PRINT, "print", 0, "WHAT", EW_GROUP_PRINT,                                                   \
      "summary, plan (JSON), task-graph (JSON) or dot (Graphviz) (default: summary)")              \
    X(JSON, "json", 0, NULL, EW_GROUP_JSON, "JSON on standard output instead of a table")          \
    X(STRATEGY_PATH, "strategy-path", 0, "DIR|FILE", EW_GROUP_SEARCH,                              \
      "also look for strategy plugins here; repeatable")                                           \
    X(PLAN_LIMIT, "plan-limit-s", 0, "S", EW_GROUP_STRATEGY,                                       \
      "most seconds that a plugin from --strategy-path may plan (default: 600)")                   \
    X(DATA_PATH, "data-path", 0, "DIR", EW_GROUP_SEARCH,                                           \
      "look here first for graphs/ and platforms/; repeatable")                                    \
    X(QUICK, "quick", 0, NULL, EW_GROUP_QUICK,                                                     \
      "a small version that takes seconds; not the numbers to look at")                            \
    X(JOBS, "jobs", 0, "N", EW_GROUP_JOBS, "processes at once (default: one per processor)")       \
    X(OUTPUT, "output", 'o', "FILE", EW_GROUP_CALIBRATE | EW_GROUP_OUTPUT,                         \
      "write the result into this file (calibrate and export: default standard output)")           \
    X(DEVICE, "device", 0, "KEY", EW_GROUP_CALIBRATE,                                              \
      "only rows with this value in column 'key', or else 'device'")                               \
    X(LAYERS, "layers", 0, "FILE", EW_GROUP_CALIBRATE,                                             \
      "layer lists of networks that are no graphs (CSV)")                                          \
    X(NAME, "name", 0, "NAME", EW_GROUP_CALIBRATE,                                                 \
      "name of what is made (default: the output file's)")                                         \
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
    X(WHERE, "where", 0, "CONDITION", EW_GROUP_EXPORT,                                             \
      "rows to export, an SQL condition over the columns, e.g. \"strategy = 'modnn' AND "          \
      "latency_mean_s < 1\"")                                                                      \
    X(COLUMNS, "columns", 0, "A,B,...", EW_GROUP_EXPORT, "columns to export, in this order")       \
    X(FORMAT, "format", 0, "csv|jsonl", EW_GROUP_EXPORT,                                           \
      "CSV or a JSON object per line (default: csv)")                                              \
    X(ALL, "all", 0, NULL, EW_GROUP_EXPORT, "also points that the sweep file has no more")         \
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
