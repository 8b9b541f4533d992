#include "sweep/point_loss.h"

#include <stdlib.h>
#include <string.h>

#include "model/world.h"
#include "plan/lower.h"
#include "sweep/point_internal.h"

/* One workload's plans. */
struct late_plans {
    struct replanning asking;
    struct ew_host_services services; /* of the session; borrowed by it */
    struct ew_plan *const *given;     /* the book's own */
    uint32_t n_given;
    struct ew_plan **plans; /* what the book shows, owned */
    EW_VEC(struct ew_book *) books;
    uint64_t n_told;
};

struct ew_point_losses {
    const struct ew_point *point;
    struct ew_run_workload *workloads;
    struct ew_task_graph ***graphs;
    struct late_plans *late; /* per workload */
    struct ew_run_replanner replanner;
};

static bool stays(const struct late_plans *late)
{
    return late->asking.maker->ref.plugin->is_trusted;
}

/* Who has an online extension learns what the world was before; its first plan is in force. */
static enum ew_status open_session(struct late_plans *late, const struct ew_problem *problem,
                                   struct ew_error *err)
{
    uint64_t n_evaluations = 0;
    struct ew_book *first = NULL;
    late->asking.in_world = *late->asking.config;
    late->services = point_services_of(&late->asking.in_world);
    const struct ew_book_request request = {
        .strategy = late->asking.maker->ref,
        .params = &late->asking.maker->params,
        .problem = problem,
        .services = &late->services,
    };
    enum ew_status status = ew_online_open(&late->asking.session, &request, err);
    if (status == EW_OK && late->asking.session) {
        status = point_plan_in_world(&late->asking, &first, problem, &n_evaluations, err);
        ew_book_free(first);
    }
    return status;
}

/* Tell who stays, and ask whoever has no answer. */
static enum ew_status ask(struct ew_book **out, struct late_plans *late,
                          const struct ew_problem *whole, const struct ew_problem *left,
                          double time_s, uint64_t *n_evaluations, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    if (stays(late) && !late->n_told++) {
        status = open_session(late, whole, err);
    }
    if (status == EW_OK && late->asking.session) {
        const struct ew_observation now = {.struct_size = sizeof now,
                                           .causes = EW_ONLINE_CAUSE_SWITCH,
                                           .time_s = time_s,
                                           .number = late->n_told};
        status = point_observe_world(&late->asking, out, left, &now, n_evaluations, err);
    }
    struct ew_online_session *session = late->asking.session;
    if (status == EW_OK && !*out) { /* keeping the plan is no answer to the loss of its device */
        late->asking.session = NULL;
        status = point_plan_in_world(&late->asking, out, left, n_evaluations, err);
        late->asking.session = session;
    }
    return status;
}

/* The platform without what is lost. */
static enum ew_status ask_in_world(struct ew_book **out, struct late_plans *late,
                                   const struct ew_problem *problem, const bool *is_lost,
                                   double time_s, uint64_t *n_evaluations, struct ew_error *err)
{
    const struct ew_platform *platform = problem->context.platform;
    static const double at_once_s = 0, down = 0;
    struct ew_signal *signals = calloc(platform->n_devices + 1u, sizeof *signals);
    struct ew_dynamics dynamics = {.signals = signals};
    struct ew_world *world = NULL;
    if (!signals) {
        return ew_fail_memory(err);
    }
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        if (is_lost[d]) {
            signals[dynamics.n_signals++] = (struct ew_signal){.quantity = EW_QUANTITY_DEVICE_UP,
                                                               .target = d,
                                                               .n_steps = 1,
                                                               .times_s = &at_once_s,
                                                               .values = &down};
        }
    }
    struct ew_problem left = *problem;
    enum ew_status status = ew_world_new(&world, platform, &dynamics, err);
    status = status ? status : ew_world_platform(&left.context.platform, world, err);
    status = status ? status : ask(out, late, problem, &left, time_s, n_evaluations, err);
    if (status == EW_OK && (*out)->n_plans != 1) {
        status = ew_fail(err, EW_ENOTSUP, "the strategy made a book of %u plans", (*out)->n_plans);
        ew_book_free(*out);
    }
    ew_world_free(world);
    free(signals);
    return status;
}

/* Behind the others, in the book and among the graphs. Takes the book. */
static enum ew_status keep(struct ew_point_losses *l, uint32_t w, struct ew_book *made,
                           struct ew_error *err)
{
    struct late_plans *late = &l->late[w];
    struct ew_book *book = l->point->books[w];
    const uint32_t n = book->n_plans;
    if (!ew_vec_push(&late->books, made)) {
        ew_book_free(made);
        return ew_fail_memory(err);
    }
    if (made->plans[0]->weights == EW_WEIGHTS_RESIDENT) { /* they must get there */
        made->plans[0]->weights = EW_WEIGHTS_ON_CHANGE;
    }
    struct ew_plan **plans = malloc((n + 1u) * sizeof *plans);
    struct ew_task_graph **graphs = realloc(l->graphs[w], (n + 1u) * sizeof *graphs);
    if (graphs) {
        l->graphs[w] = graphs;
        l->workloads[w].task_graphs = (const struct ew_task_graph *const *)graphs;
    }
    if (!plans || !graphs) {
        free(plans);
        return ew_fail_memory(err);
    }
    const struct ew_lower_options options = {.keep_boxes = true};
    struct ew_lower *lower = ew_lower_new();
    const enum ew_status status = lower ? ew_lower_plan(&graphs[n], lower, l->workloads[w].context,
                                                        made->plans[0], &options, err)
                                        : ew_fail_memory(err);
    ew_lower_free(lower);
    if (status != EW_OK) {
        free(plans);
        return status;
    }
    memcpy(plans, book->plans, n * sizeof *plans);
    plans[n] = made->plans[0];
    free(late->plans);
    late->plans = plans;
    book->plans = plans;
    book->n_plans = n + 1;
    return EW_OK;
}

static enum ew_status plan_without(void *ctx, uint32_t *plan, double *charge_s, uint32_t w,
                                   const bool *is_lost, double time_s, struct ew_error *err)
{
    struct ew_point_losses *l = ctx;
    const struct ew_setup *setup = l->point->config->setup;
    const struct ew_replan_spec *spec = &setup->scenario->replan;
    uint64_t n_evaluations = 0;
    struct ew_book *made = NULL;
    if (!l->late[w].asking.maker) {
        return ew_fail(err, EW_ENOTSUP, "the plan comes from a file");
    }
    enum ew_status status = ask_in_world(&made, &l->late[w], &setup->workloads[w].problem, is_lost,
                                         time_s, &n_evaluations, err);
    status = status ? status : keep(l, w, made, err);
    *plan = l->point->books[w]->n_plans - 1;
    *charge_s = spec->charge_s + spec->charge_per_evaluation_s * (double)n_evaluations;
    return status;
}

enum ew_status ew_point_losses_new(struct ew_point_losses **out, const struct ew_point *point,
                                   struct ew_run_workload *workloads,
                                   struct ew_task_graph ***graphs, struct ew_error *err)
{
    const uint32_t n = point->config->setup->n_workloads;
    struct ew_point_losses *l = calloc(1, sizeof *l);
    struct late_plans *late = calloc(n + 1u, sizeof *late);
    if (!l || !late) {
        free(l);
        free(late);
        return ew_fail_memory(err);
    }
    *l = (struct ew_point_losses){point, workloads, graphs, late, {l, plan_without}};
    enum ew_status status = EW_OK;
    for (uint32_t w = 0; w < n; w++) {
        late[w].asking.config = point->config;
        late[w].asking.maker = point->makers[w];
        late[w].given = point->books[w]->plans;
        late[w].n_given = point->books[w]->n_plans;
        if (late[w].n_given != 1 && status == EW_OK) {
            status = ew_fail(err, EW_ENOTSUP,
                             "--replan needs a strategy that makes one plan at a time; this one "
                             "made a book of %u",
                             late[w].n_given);
        }
    }
    if (status != EW_OK) {
        ew_point_losses_free(l);
        return status;
    }
    *out = l;
    return EW_OK;
}

const struct ew_run_replanner *ew_point_losses_replanner(const struct ew_point_losses *losses)
{
    return &losses->replanner;
}

void ew_point_losses_free(struct ew_point_losses *l)
{
    for (uint32_t w = 0; l && w < l->point->config->setup->n_workloads; w++) {
        struct late_plans *late = &l->late[w];
        struct ew_book *book = l->point->books[w];
        for (uint32_t i = late->n_given; i < book->n_plans; i++) {
            ew_task_graph_free(l->graphs[w][i]);
        }
        book->plans = late->given;
        book->n_plans = late->n_given;
        ew_online_close(late->asking.session);
        for (size_t i = 0; i < late->books.count; i++) {
            ew_book_free(late->books.items[i]);
        }
        ew_vec_fini(&late->books);
        free(late->plans);
    }
    if (l) {
        free(l->late);
        free(l);
    }
}
