/*
 * What a strategy gets from host->evaluate: its current plan, lowered and run on the fast engine.
 *
 * One evaluator serves all plans of one platform and keeps its memory between calls. It books no
 * results; it adds up only what struct ew_evaluation asks for.
 */
#ifndef EW_SWEEP_EVALUATE_H
#define EW_SWEEP_EVALUATE_H

#include "engine/engine.h"
#include "plugin/host.h"
#include "results/energy.h"

struct ew_evaluator;

/** New evaluator; all borrowed. */
enum ew_status ew_evaluator_new(struct ew_evaluator **out, const struct ew_platform *platform,
                                const struct ew_net_model *net, enum ew_energy_rule energy_rule,
                                struct ew_error *err);
void ew_evaluator_free(struct ew_evaluator *evaluator);

/** For struct ew_host_services: ctx is the evaluator. The problem's platform must be the
 *  evaluator's. EW_EINPUT when the plan is incomplete. */
enum ew_status ew_evaluate(void *ctx, const struct ew_problem *problem, const struct ew_plan *plan,
                           struct ew_evaluation *result, struct ew_error *err);

#endif
