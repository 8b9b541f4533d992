/*
 * The answer of one device to a job of a plan: what the executed plan's answer is compared with.
 */
#ifndef EW_ENGINE_EXEC_UNSPLIT_H
#define EW_ENGINE_EXEC_UNSPLIT_H

#include "engine/exec/inputs.h"
#include "engine/exec/kernel/kernel.h"
#include "plan/plan.h"

struct ew_unsplit;

/** For plans of `graph`. Weights are prepared when first needed and kept; all borrowed. */
enum ew_status ew_unsplit_new(struct ew_unsplit **out, const struct ew_graph *graph,
                              const struct ew_kernels *kernels, struct ew_weight_source source,
                              struct ew_error *err);

/** What a job computes with, see exec.h. */
struct ew_unsplit_job {
    uint64_t job;
    uint64_t input_seed;
    const struct ew_exec_inputs *inputs; /**< NULL: stream `job` of `input_seed` */
    uint64_t first_image;                /**< of the job, of those inputs */
};

/** Answer a job of `plan`: the exit's layers, segment by segment, as ew_exec_options.answer gets
 *  them. Free `*values`. */
enum ew_status ew_unsplit_run(float **values, uint64_t *n_values, struct ew_unsplit *unsplit,
                              const struct ew_plan *plan, const struct ew_unsplit_job *job,
                              struct ew_error *err);

/** How far an executed plan's answer may be from that, as a part of the largest value + 1: 0 (equal
 *  bits) when nothing reorders sums; rounding when sums are split or the kernels are not exact; the
 *  steps of the coarsest number format on the way, which a deep network may amplify (INFINITY: no
 *  promise). */
double ew_unsplit_tolerance(const struct ew_graph *graph, const struct ew_plan *plan,
                            const struct ew_kernels *kernels);

/** Accepts NULL. */
void ew_unsplit_free(struct ew_unsplit *unsplit);

#endif
