/*
 * Inside of a point, shared by point.c, point_online.c and point_loss.c. Nobody else includes this.
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

/* point_online.c */

/* A book that is picked online, but not along a schedule, needs its strategy during the run: fill
 * `picker`, which is zeroed, and let `run` use it. `services` must stay until it is closed. */
enum ew_status point_open_picker(struct ew_picker *picker, struct ew_run_workload *run,
                                 const struct ew_point *point, uint32_t workload,
                                 const struct ew_host_services *services, struct ew_error *err);
/* Close n pickers, which may be NULL or zeroed, and free them. Returns `status`; when a plugin has
 * failed, what its process died of is the better reason. */
enum ew_status point_close_pickers(struct ew_picker *pickers, uint32_t n, enum ew_status status,
                                   struct ew_error *err);
/* If jobs may go on in the middle, give `run` the longer book and graphs that it takes. */
enum ew_status point_continue(struct ew_continuations **out, struct ew_run_workload *run,
                              const struct ew_dynamics *dynamics, struct ew_error *err);

#endif
