/*
 * Asking strategies in tests: one problem, the plugins of the build tree, the fast engine as judge.
 * Running out of memory and missing plugins fail the test.
 */
#ifndef EW_TESTS_PLANNING_H
#define EW_TESTS_PLANNING_H

#include <stdbool.h>

#include "edgeweave/strategy.h"
#include "model/dynamics.h"
#include "plugin/host.h"

struct planning;

/** A problem over a graph and a platform, both taken: one image, from and to device 0, no deadline.
 *  Free with planning_free. */
struct planning *planning_new(struct ew_graph *graph, struct ew_platform *platform);
void planning_free(struct planning *planning);

/** The problem, to be changed before planning_run. */
struct ew_problem *planning_problem(struct planning *planning);

/** What the host offers beside views: evaluation on the fast engine, preset ideal. To be changed
 *  before planning_run; all zero for a host that cannot evaluate. */
struct ew_host_services *planning_services(struct planning *planning);

/** Let a strategy plan; `settings` is "name=value name=value", may be "". The first plan of its
 *  book, valid until the next call; NULL when it did not plan, see planning_error. */
const struct ew_plan *planning_run(struct planning *planning, const char *strategy,
                                   const char *settings);

/** As planning_run, for the world of time 0, with a strategy that stays for planning_observe. The
 *  world changes as `dynamics` (borrowed) say; what the problem's platform is, is then that of the
 *  moment. The services are those of planning_new, whatever has become of them. */
const struct ew_plan *planning_begin(struct planning *planning, const char *strategy,
                                     const char *settings, const struct ew_dynamics *dynamics);

/** The world becomes that of `time_s`; times in order. */
void planning_advance(struct planning *planning, double time_s);

/** Let the strategy observe the world. The plan that replaces the one in force; NULL when that
 *  stays, or when the strategy failed, see planning_error. */
const struct ew_plan *planning_observe(struct planning *planning, uint32_t causes);

/** Whether there are routes between all devices of the last plan and the source, both ways. */
bool planning_can_run(const struct planning *planning);

/** How often a strategy has evaluated since planning_begin. */
uint64_t planning_evaluations(const struct planning *planning);

/** Why the last planning_run, planning_begin or planning_observe gave nothing; status EW_OK when
 *  it did not fail. */
const struct ew_error *planning_error(const struct planning *planning);

/** What the fast engine says of the last plan, one request, preset ideal, on the problem's
 *  platform. */
double planning_latency_s(struct planning *planning);

/** A note of the last plan; "" when there is none. */
const char *planning_note(const struct planning *planning, const char *key);

/** Devices with a piece of some conv or pool layer in the last plan. */
uint32_t planning_active_devices(const struct planning *planning);

/** Call `question` as a strategy's plan would be called, with the host and the builder. */
void planning_ask(struct planning *planning,
                  void (*question)(const struct ew_host *host, struct ew_plan_builder *builder));

#endif
