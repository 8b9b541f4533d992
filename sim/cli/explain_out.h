/*
 * What `explain` prints: words and tables, or JSON.
 */
#ifndef EW_CLI_EXPLAIN_OUT_H
#define EW_CLI_EXPLAIN_OUT_H

#include "results/critical.h"
#include "sweep/suppose.h"

/** What one resource is worth. */
struct ew_worth {
    bool is_link;
    uint32_t id;
    struct ew_supposed more;    /**< with 10 % more of it, same plan */
    struct ew_supposed replan;  /**< with 10 % more of it, planned anew */
    bool is_needed;             /**< device: source or sink of a workload */
    struct ew_supposed without; /**< device: planned anew without it */
};

/** Everything there is to say; borrowed. */
struct ew_explanation {
    const char *strategy;
    const char *engine;
    const char *workload;
    const struct ew_graph *graph;
    const struct ew_plan *plan;
    const struct ew_task_graph *tasks;
    const struct ew_platform *platform;
    const struct ew_result *result;
    const struct ew_critical *critical;
    size_t n_worths;
    const struct ew_worth *worths;
    const char *rival; /**< NULL: no break-even asked for */
    const char *rival_link;
    const struct ew_break_even *break_even;
};

void ew_explain_print_text(struct ew_str *out, const struct ew_explanation *e);
void ew_explain_print_json(struct ew_str *out, const struct ew_explanation *e);

#endif
