/*
 * Validation: one plan simulated (simgrid, fast) and really executed (exec), side by side. Says how
 * far times, energy and answers are apart, and which layers and links make the difference.
 */
#ifndef EW_RESULTS_VALIDATION_H
#define EW_RESULTS_VALIDATION_H

#include "results/report.h"
#include "results/spans.h"

/** In this order everywhere. SimGrid is what the others are compared with. */
enum ew_validation_engine {
    EW_VALIDATE_SIMGRID,
    EW_VALIDATE_FAST,
    EW_VALIDATE_EXEC,
    EW_VALIDATE_COUNT
};

/** "simgrid", … */
const char *ew_validation_engine_name(enum ew_validation_engine engine);

/** What the same plan's answers are, compared with one device's. */
struct ew_validation_answers {
    uint64_t n;              /**< compared */
    uint64_t n_equal;        /**< with equal bits */
    double max_difference;   /**< largest |difference| / (largest |value| + 1) */
    double tolerance;        /**< what the plan allows of that; 0: equal bits; INFINITY: anything */
    uint64_t n_out_of_range; /**< answers beyond their plan's tolerance */
};

/** How the execution went. */
struct ew_validation_run {
    double wall_s;
    double dilation;
    uint64_t n_overruns;
    double slipped_s; /**< real seconds by which the clock was set back */
    double compute_s;
    double link_lag_ratio; /**< see struct ew_exec_facts */
    bool is_late;          /**< the machine did not keep up */
    uint32_t n_pinned;     /**< workers bound to one processor */
};

/** A layer or a link: seconds in all tasks of the layer, or in all messages whose slowest link it
 *  is. */
struct ew_validation_part {
    bool is_link;
    const char *name;     /**< borrowed from platform or result */
    const char *workload; /**< layers, when there are several workloads; else NULL */
    uint64_t n;           /**< messages or tasks */
    double simgrid_s;
    double exec_s;
};

/** One strategy. Zero-initialise; the caller fills the first block and frees all with
 *  ew_validation_fini. */
struct ew_validation {
    const char *strategy;
    const char *error; /**< why there is nothing to compare; or NULL */
    enum ew_status error_status;
    struct ew_result *results[EW_VALIDATE_COUNT]; /**< owned */
    struct ew_spans spans[EW_VALIDATE_COUNT];     /**< owned */
    struct ew_validation_answers answers;
    struct ew_validation_run run;
    /* by ew_validation_compare: */
    uint64_t n_tasks;     /**< tasks and messages that simgrid and exec both have */
    uint64_t n_unmatched; /**< that only one of them has */
    double median_late_s; /**< |end in exec - end in simgrid| */
    double p95_late_s;
    double max_late_s;
    double fast_max_late_s;                  /**< the same largest of fast */
    EW_VEC(struct ew_validation_part) parts; /**< largest difference first */
};

/** Compare what the caller has put in. EW_ENOMEM. */
enum ew_status ew_validation_compare(struct ew_validation *v, const struct ew_platform *platform,
                                     struct ew_error *err);

void ew_validation_fini(struct ew_validation *v);

/** Figure of an engine relative to SimGrid's, less 1; NAN where either does not exist. */
double ew_validation_latency_error(const struct ew_validation *v, enum ew_validation_engine e);
double ew_validation_energy_error(const struct ew_validation *v, enum ew_validation_engine e);

/** Answers as they should be, and everything ran. */
bool ew_validation_is_good(const struct ew_validation *v);

/** What all rows share, for the JSON report; borrowed. */
struct ew_validation_header {
    const char *version;
    uint32_t n_args;
    const char *const *args;
    const struct ew_platform *platform;
    uint32_t n_workloads;
    const char *const *graphs; /**< per workload, names */
    const char *net;
    const char *kernels;
    const char *network; /**< how links are made: "emulated", "measured", … */
    uint64_t seed;
};

void ew_validation_print_table(struct ew_str *out, const struct ew_validation *rows, size_t n);
void ew_validation_print_json(struct ew_str *out, const struct ew_validation_header *header,
                              const struct ew_validation *rows, size_t n);

/** Name of a span's layer. */
typedef const char *(*ew_span_namer)(void *ctx, size_t row, const struct ew_span *span);

/** validation.csv, validation_parts.csv and validation_tasks.csv in `dir`, which is made. */
enum ew_status ew_validation_write_csv(const struct ew_validation *rows, size_t n,
                                       const struct ew_platform *platform, ew_span_namer namer,
                                       void *namer_ctx, const char *dir, struct ew_error *err);

#endif
