/*
 * Report: the results of one command together with every constant they depend on. What --json
 * prints and what the CSV manifest repeats.
 */
#ifndef EW_RESULTS_REPORT_H
#define EW_RESULTS_REPORT_H

#include "base/text.h"
#include "engine/engine.h"
#include "results/result.h"

/** Version of the layout of the JSON report and the CSV files. */
enum { EW_REPORT_SCHEMA = 1 };

/** One workload as asked for; borrowed. */
struct ew_report_workload {
    const char *name;
    const struct ew_plan_context *context; /**< graph, platform, element sizes */
    uint64_t graph_hash;                   /**< FNV-1a of the graph's file; 0: not known */
    const char *source_device;
    const char *sink_device;
    const char *arrival; /**< as on the command line: "closed:1", "poisson:20" */
    uint64_t n_requests;
    uint32_t requests_per_job;
    int32_t batch;               /**< images per job */
    double deadline_s;           /**< INFINITY: none */
    double min_accuracy;         /**< 0: none */
    double min_throughput_per_s; /**< 0: none */
};

/** What no plan can undercut (docs/bounds.md), per request. NAN where not known. */
struct ew_report_bound {
    double latency_s;
    double work_s;   /**< part of it: work over the capacity of all devices */
    double period_s; /**< mean time between answers */
    double energy_j;
    double dynamic_energy_j;
    uint32_t wire_bits; /**< holds for messages of at least so many bits per element; 0: as in
                             memory */
};

/** A file that was read; borrowed. */
struct ew_report_input {
    const char *role; /**< "graph", "platform", "profile", "plugin", "scenario", … */
    const char *path;
    uint64_t size_bytes;
    uint64_t hash; /**< FNV-1a of its content */
};

/** Borrowed. */
struct ew_report {
    const char *command; /**< "run", "compare" */
    uint32_t n_args;
    const char *const *args;     /**< command line after the program's name */
    const char *version;         /**< of EdgeWeave */
    const char *simgrid_version; /**< NULL: SimGrid was not used */
    const char *engine;          /**< id */
    uint64_t seed;
    const struct ew_net_model *net;
    enum ew_energy_rule energy_rule;
    const struct ew_platform *platform;
    uint32_t n_workloads;
    const struct ew_report_workload *workloads;
    uint32_t n_inputs;
    const struct ew_report_input *inputs;
    const struct ew_report_bound *bound; /**< NULL: not known */
    uint32_t n_runs;
    const struct ew_result *const *runs;
};

/** Fill an input record by reading the file. EW_EINPUT when it cannot be read. */
enum ew_status ew_report_input_read(struct ew_report_input *out, const char *role, const char *path,
                                    struct ew_error *err);

/** FNV-1a, 64 bits, of `size` bytes; continue with the hash so far (EW_HASH_BEGIN at first). */
#define EW_HASH_BEGIN UINT64_C(0xcbf29ce484222325)
uint64_t ew_hash_bytes(uint64_t hash, const void *bytes, size_t size);

/** The whole report as one JSON object and a newline (docs/outputs.md). Check out->failed. */
void ew_report_print_json(struct ew_str *out, const struct ew_report *report);

/** Fields whose values are wall-clock and differ between equal runs; NULL-terminated. */
extern const char *const ew_report_wall_clock_fields[];

#endif
