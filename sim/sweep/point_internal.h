/*
 * Inside of a point, shared by point.c and point_loss.c. Nobody else includes this.
 */
#ifndef EW_SWEEP_POINT_INTERNAL_H
#define EW_SWEEP_POINT_INTERNAL_H

#include "plugin/online.h"
#include "sweep/point.h"

struct replanning {
    const struct ew_point_config *config;
    const struct ew_contender *maker;
    struct ew_online_session *session; /* NULL: the strategy is asked anew each time */
    struct ew_point_config in_world;   /* what the session's services see; changes with the world */
};

/* Ask, or tell who stays for the run. See struct ew_replan_maker. */
enum ew_status point_plan_in_world(void *replanning, struct ew_book **out,
                                   const struct ew_problem *problem, uint64_t *n_evaluations,
                                   struct ew_error *err);
enum ew_status point_observe_world(void *replanning, struct ew_book **out,
                                   const struct ew_problem *problem,
                                   const struct ew_observation *now, uint64_t *n_evaluations,
                                   struct ew_error *err);
struct ew_host_services point_services_of(const struct ew_point_config *config);

#endif
