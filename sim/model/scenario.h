/*
 * Scenario: what is asked, before any file it names has been opened. Workloads, platform,
 * strategies, parameters, engine. Filled from a scenario file (io/scenario_json.h), from command
 * line options, or both; sweep/setup.h opens the files.
 *
 * Plain data in one arena. Knows no file format and no engine.
 */
#ifndef EW_MODEL_SCENARIO_H
#define EW_MODEL_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/dynamics.h"

enum {
    EW_SCENARIO_MAX_WORKLOADS = 256,
    EW_SCENARIO_MAX_BATCH = 65536,
    EW_SCENARIO_MAX_OUTSTANDING = 1000000,
    EW_SCENARIO_MAX_REGIMES = 100000,
    EW_SCENARIO_LOADGEN_SAMPLES = 8, /**< per query of multi_stream, when not said */
};

/** Most requests of one workload: ids and counts stay exact in every file format. */
#define EW_SCENARIO_MAX_REQUESTS UINT64_C(1000000000000)

/** When requests arrive. */
enum ew_arrival_form {
    EW_ARRIVE_CLOSED,   /**< closed:K, closed:K:THINK_S, single_stream, multi_stream:N */
    EW_ARRIVE_POISSON,  /**< poisson:RATE_PER_S, burst:N:RATE_PER_S:poisson, server:RATE_PER_S */
    EW_ARRIVE_PERIODIC, /**< periodic:RATE_PER_S, burst:N:RATE_PER_S, offline */
    EW_ARRIVE_TRACE,    /**< trace:FILE */
};

/** MLPerf LoadGen's scenarios: arrivals of the forms above whose runs have a metric of their own.
 */
enum ew_loadgen {
    EW_LOADGEN_NONE,
    EW_LOADGEN_SINGLE_STREAM, /**< one at a time; 90th percentile of the latency */
    EW_LOADGEN_MULTI_STREAM, /**< queries of N at a time; 99th percentile of the queries' latency */
    EW_LOADGEN_SERVER,       /**< Poisson; 99th percentile of the latency */
    EW_LOADGEN_OFFLINE,      /**< all at once; throughput */
};

/** "single_stream", …; "" for none. */
const char *ew_loadgen_name(enum ew_loadgen scenario);

/** An arrival as written by a user. */
struct ew_arrival_spec {
    enum ew_arrival_form form;
    const char *text;     /**< as written */
    uint32_t outstanding; /**< closed */
    double rate_per_s;    /**< poisson, periodic: groups per second */
    double think_s;       /**< closed: from an answer to the next request */
    uint64_t group_size;  /**< requests that arrive together: 1 but for bursts and queries */
    enum ew_loadgen loadgen;
    const char *trace_path; /**< trace; borrowed from the text or set by the reader */
};

/** Parse one of the forms above. The text is borrowed. EW_EINPUT says what was expected. */
enum ew_status ew_arrival_spec_parse(struct ew_arrival_spec *out, const char *text,
                                     struct ew_error *err);

/** `name` = `value` for the strategy `strategy`, or for all that have such a parameter. */
struct ew_scenario_param {
    const char *strategy; /**< NULL: all */
    const char *name;
    const char *value;
    int arg; /**< position on the command line, -1 when from a file */
};

/** Parse "NAME=VALUE" or "STRATEGY.NAME=VALUE" (strategy ids may contain dots). Copies into
 *  `arena`. EW_EINPUT when there is no name or no '='. */
enum ew_status ew_scenario_param_parse(struct ew_scenario_param *out, struct ew_arena *arena,
                                       const char *text, struct ew_error *err);

/* target, field, unit-bearing name, least value */
#define EW_OVERRIDE_MAP(X)                                                                         \
    X(LINK, BANDWIDTH, "bandwidth_bytes_per_s", 1e-3)                                              \
    X(LINK, LATENCY, "latency_s", 0)                                                               \
    X(DEVICE, SPEED, "speed_flops_per_s", 1)                                                       \
    X(DEVICE, MEMORY, "memory_bytes", 0)                                                           \
    X(DEVICE, OVERHEAD, "message_overhead_s", 0)                                                   \
    X(DEVICE, OFF_W, "off_w", 0)                                                                   \
    X(DEVICE, IDLE_W, "idle_w", 0)                                                                 \
    X(DEVICE, COMPUTE_W, "compute_w", 0)                                                           \
    X(DEVICE, TX_W, "tx_w", 0)                                                                     \
    X(DEVICE, RX_W, "rx_w", 0)

/** Which figure of a platform an override replaces. */
enum ew_override_field {
#define X(target, field, name, least) EW_OVERRIDE_##target##_##field,
    EW_OVERRIDE_MAP(X)
#undef X
        EW_OVERRIDE_COUNT
};

/** A figure of the platform that this scenario replaces. */
struct ew_override {
    enum ew_override_field field;
    const char *name; /**< of the link or device; "*": every one */
    double value;
    int arg; /**< position on the command line, -1 when from a file */
};

/** Parse a path "link.NAME.FIELD" or "device.NAME.FIELD" (names may contain dots) with its value.
 *  Copies into `arena`. EW_EINPUT names the part that is wrong and suggests the nearest field. */
enum ew_status ew_override_parse(struct ew_override *out, struct ew_arena *arena, const char *path,
                                 double value, struct ew_error *err);

bool ew_override_is_link(enum ew_override_field field);
/** "bandwidth_bytes_per_s", … */
const char *ew_override_field_name(enum ew_override_field field);

/** One stream of requests. Texts NULL: not said. */
struct ew_workload_spec {
    const char *name;
    const char *graph;         /**< a name, or a path already resolved against its file */
    const char *source_device; /**< NULL: the platform's first device */
    const char *sink_device;   /**< NULL: the source */
    struct ew_arrival_spec arrival;
    uint64_t n_requests; /**< 0: not said: 1, or all of a trace */
    uint32_t requests_per_job;
    int32_t batch;                       /**< images per job */
    double deadline_s;                   /**< INFINITY: none */
    double min_accuracy;                 /**< 0: none */
    double min_throughput_per_s;         /**< 0: none */
    double input_bytes_per_element;      /**< NAN: the graph's own */
    double activation_bytes_per_element; /**< NAN: the graph's own */
    const char *strategy; /**< this workload always uses it; NULL: the strategy being run */
    const char *plan;     /**< a saved plan to use instead of a strategy; NULL: none */
};

/** A workload with every default in place: closed:1, jobs of one request of one image, no
 *  requirements. */
struct ew_workload_spec ew_workload_spec_default(void);

/** EW_EINPUT when figures do not fit each other: requests_per_job must divide batch. */
enum ew_status ew_workload_spec_check(const struct ew_workload_spec *workload,
                                      struct ew_error *err);

/** Everything asked for. */
struct ew_scenario {
    struct ew_arena arena;
    const char *path;     /**< file it came from, NULL for none */
    const char *platform; /**< a name, or a path already resolved against its file */
    uint32_t n_strategies;
    const char **strategies;
    uint32_t n_params;
    struct ew_scenario_param *params; /**< later ones win */
    uint32_t n_devices;               /**< only the platform's first so many take part; 0: all */
    uint32_t n_overrides;
    struct ew_override *overrides; /**< in the order given; later ones win */
    const char *engine;            /**< id */
    const char *net;               /**< id of a network model */
    const char *energy_rule;       /**< "both" or "receiver" */
    uint64_t seed;
    uint32_t regimes;                 /**< most plans of the clairvoyant (sweep/clairvoyant.h) */
    struct ew_dynamics_spec dynamics; /**< how the world changes meanwhile */
    struct ew_replan_spec replan;     /**< when strategies plan anew */
    uint32_t n_workloads;
    struct ew_workload_spec *workloads;
};

/** A scenario with one default workload and nothing else said. EW_ENOMEM. */
enum ew_status ew_scenario_init(struct ew_scenario *scenario, struct ew_error *err);

/** Accepts a zeroed one. */
void ew_scenario_fini(struct ew_scenario *scenario);

/** Append to the lists; texts inside are borrowed or already in the arena. EW_ENOMEM. */
enum ew_status ew_scenario_add_strategy(struct ew_scenario *scenario, const char *id,
                                        struct ew_error *err);
enum ew_status ew_scenario_add_param(struct ew_scenario *scenario, struct ew_scenario_param setting,
                                     struct ew_error *err);
enum ew_status ew_scenario_add_override(struct ew_scenario *scenario, struct ew_override override,
                                        struct ew_error *err);

#endif
