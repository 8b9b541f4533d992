/*
 * Plans on their way out: --save-plan, and what `plan` prints.
 */
#ifndef EW_CLI_PLAN_OUT_H
#define EW_CLI_PLAN_OUT_H

#include "cli/cli.h"
#include "sweep/point.h"

/** Save the plans of a point where --save-plan says; nothing without the option. With several
 *  workloads, FILE.json becomes FILE.WORKLOAD.json. */
enum ew_status ew_plan_out_save(struct ew_cli *cli, const struct ew_point *point,
                                struct ew_error *err);

/** For people: who computes how much of what, and what travels. */
enum ew_status ew_plan_out_summary(struct ew_str *out, const struct ew_point *point,
                                   uint32_t workload, struct ew_error *err);

/** The task graphs of a workload's plans, one after the other, as JSON or as Graphviz DOT. */
enum ew_status ew_plan_out_graphs(struct ew_str *out, const struct ew_point *point,
                                  uint32_t workload, bool as_dot, struct ew_error *err);

#endif
