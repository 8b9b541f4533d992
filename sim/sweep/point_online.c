/*
 * What a point needs for decisions during a run: strategies that pick the plan of every job, and
 * ways for jobs to go on in the middle.
 */
#include <stdlib.h>

#include "plugin/picker.h"
#include "sweep/point_internal.h"

enum ew_status point_open_picker(struct ew_picker *picker, struct ew_run_workload *run,
                                 const struct ew_point *point, uint32_t workload,
                                 const struct ew_host_services *services, struct ew_error *err)
{
    const struct ew_problem *problem = &point->config->setup->workloads[workload].problem;
    const struct ew_book *book = point->books[workload];
    const struct ew_contender *maker = point->makers ? point->makers[workload] : NULL;
    struct ew_pick_session *session = NULL;
    if (book->pick != EW_PICK_ONLINE || point->replans[workload] || !maker) {
        return EW_OK;
    }
    const struct ew_book_request request = {
        .strategy = maker->ref,
        .params = &maker->params,
        .problem = problem,
        .services = services,
        .plan_limit_s = point->config->plan_limit_s,
    };
    const enum ew_status status = ew_pick_open(&session, &request, book, err);
    if (status == EW_OK) {
        *picker = (struct ew_picker){session, ew_pick_ask, problem->images_per_request};
        run->picker = picker;
    }
    return status;
}

enum ew_status point_close_pickers(struct ew_picker *pickers, uint32_t n, enum ew_status status,
                                   struct ew_error *err)
{
    for (uint32_t i = 0; pickers && i < n; i++) {
        struct ew_error death = {0};
        const enum ew_status ended = ew_pick_close(pickers[i].ctx, &death);
        if (ended != EW_OK && status == EW_EPLUGIN) {
            *err = death;
        }
    }
    free(pickers);
    return status;
}

/* Each change from one plan of the schedule to the next, once. Returns how many. */
static uint32_t list_changes(struct ew_plan_change *changes,
                             const struct ew_plan_schedule *schedule)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k + 1 < schedule->n && n < EW_MAX_CONTINUATIONS; k++) {
        const struct ew_plan_change change = {schedule->plans[k], schedule->plans[k + 1]};
        bool is_new = change.from != change.to;
        for (uint32_t i = 0; is_new && i < n; i++) {
            is_new = changes[i].from != change.from || changes[i].to != change.to;
        }
        if (is_new) {
            changes[n++] = change;
        }
    }
    return n;
}

enum ew_status point_continue(struct ew_continuations **out, struct ew_run_workload *run,
                              const struct ew_dynamics *dynamics, struct ew_error *err)
{
    const struct ew_plan_schedule *schedule = run->schedule;
    if (!dynamics->policy.resumes && !(schedule && schedule->moves_jobs)) {
        return EW_OK;
    }
    struct ew_plan_change *changes = calloc(schedule ? schedule->n : 1, sizeof *changes);
    if (!changes) {
        return ew_fail_memory(err);
    }
    const uint32_t n = schedule ? list_changes(changes, schedule) : 0;
    const enum ew_status status =
        ew_continuations_new(out, run->context, run->book, run->task_graphs, n, changes, err);
    free(changes);
    if (status == EW_OK) {
        run->continuations = *out;
        run->book = &(*out)->book;
        run->task_graphs = (*out)->graphs;
    }
    return status;
}
