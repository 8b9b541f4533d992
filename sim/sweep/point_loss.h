/*
 * Plans made while a point runs, when a device is lost for good: the strategy is asked for the
 * platform as it is then. A strategy with an online extension is told of the loss, in this process,
 * unless it comes from outside the installation.
 */
#ifndef EW_SWEEP_POINT_LOSS_H
#define EW_SWEEP_POINT_LOSS_H

#include "sweep/point.h"

struct ew_point_losses;

/** For a run of the point with these workloads and graphs, whose books and graphs grow with every
 *  plan. Everything is borrowed and must outlive the result. EW_ENOTSUP: its strategy makes several
 *  plans at a time. */
enum ew_status ew_point_losses_new(struct ew_point_losses **out, const struct ew_point *point,
                                   struct ew_run_workload *workloads,
                                   struct ew_task_graph ***graphs, struct ew_error *err);

/** What the engine asks. */
const struct ew_run_replanner *ew_point_losses_replanner(const struct ew_point_losses *losses);

/** Take the plans out of the books again, and free their graphs; accepts NULL. */
void ew_point_losses_free(struct ew_point_losses *losses);

#endif
