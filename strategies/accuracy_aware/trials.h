/*
 * Trying dispatches out: decisions go to the host's engine, what the model did not see corrects it,
 * and the best decision that was tried is kept.
 */
#ifndef EDGEWEAVE_STRATEGIES_ACCURACY_TRIALS_H
#define EDGEWEAVE_STRATEGIES_ACCURACY_TRIALS_H

#include "accuracy_aware/cluster.h"

/** Decisions tried on the host's engine. Arrays are owned. */
struct trials {
    struct cluster *cluster;
    struct ew_plan_builder *builder;
    struct dispatch_problem problem; /**< with corrected rates, and a limit that may be tightened */
    struct dispatch_rate *rates;
    double *finish_s;          /**< by device */
    struct dispatch_plan plan; /**< being tried */
    struct dispatch_plan best;
    double best_latency_s; /**< as the engine says; before the first trial, as the model says */
    uint32_t n_tried;
    uint32_t most_trials;
    bool cannot_try;  /**< the host does not evaluate */
    bool is_complete; /**< every dispatch that could be better was tried */
};

bool dispatch_plan_alloc(struct dispatch_plan *plan, uint32_t n_nodes);
void dispatch_plan_free(struct dispatch_plan *plan);

/** A first decision that fits into memory. NULL rule: search. */
int32_t decide_within_memory(struct dispatch_plan *plan, struct cluster *cluster,
                             const enum dispatch_rule *rule);

/** Zero-initialise first; release with trials_fini whatever this returns. False when memory runs
 *  out. */
bool trials_init(struct trials *trials, struct cluster *cluster, struct ew_plan_builder *builder);
void trials_fini(struct trials *trials);

/** Try trials->plan, whose variants and images are set, before anything else: what is decided later
 *  has to be better. Nothing when it does not fit, or the host does not evaluate. */
int32_t trials_begin_with(struct trials *trials);

/** Decide by the model, then up to `rounds` times: try, correct, decide again. */
int32_t trials_decide(struct trials *trials, int64_t rounds);

/** Look for better ones on the engine until most_trials: every dispatch where they are few;
 *  otherwise the best shares of every vector of variants that could be better, and small changes of
 *  the best. */
int32_t trials_refine(struct trials *trials, int64_t rounds);

#endif
