/*
 * edgent_dynamic: Edgent in a changing network. Before the run a configuration map: for every
 * bandwidth state the exit and partition point with the greatest reward. In the run a change-point
 * detector turns bandwidth samples into a state, and the map's entry is the plan.
 *
 * Li, Zeng, Zhou, Chen: "Edge AI: On-Demand Accelerating Deep Neural Network Inference via Edge
 * Computing", IEEE TWC 19(1), 2020, arXiv:1910.05316: Algorithms 2 and 3 (recalled, high).
 */
#include <math.h>
#include <stdlib.h>

#include "edgent/edgent_view.h"
#include "edgent_dynamic/config_map.h"

static const struct ew_param_info *const PARAMS[] = {
    &edgent_param_regression, &edgent_param_unit,      &edgent_param_input,
    &edgent_param_loading,    &edgent_param_direction, &edgent_param_device};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "edgent_dynamic",
    .version = "1.1.0",
    .summary = "edgent with a configuration map and change-point detection; see --replan period:S",
    .citation = "Li, Zeng, Zhou, Chen, Edge AI, IEEE TWC 19(1) 2020, doi:10.1109/TWC.2019.2946140",
    .params = PARAMS,
};

/* What stays from plan to the observations of its run. */
struct dynamic {
    struct edgent_view view;
    double *accuracies;         /* per candidate */
    uint32_t server;            /* EW_ID_NONE: none so far */
    struct edgent_choice alone; /* what to do while the server cannot be reached */
    bool is_alone;
    struct edgent_state *states; /* edgent_n_oboe, ascending */
    struct edgent_detector detector;
    struct edgent_choice choice; /* in force */
};

static void forget(struct dynamic *dynamic)
{
    edgent_view_fini(&dynamic->view);
    free(dynamic->accuracies);
    free(dynamic->states);
    *dynamic = (struct dynamic){0};
}

/* The problem with another bandwidth, the same both ways. */
static struct edgent_problem at_bandwidth(struct edgent_problem problem, double bytes_per_s)
{
    problem.up.byte_s = 1 / bytes_per_s;
    problem.down.byte_s = 1 / bytes_per_s;
    return problem;
}

static double bandwidth_to(const struct ew_host *host, uint32_t source, uint32_t server)
{
    const struct ew_link_info *link = host->link(host, source, server);
    return link && link->has_route ? link->bandwidth_bytes_per_s : 0;
}

static int32_t read_accuracies(struct dynamic *dynamic)
{
    const struct ew_host *host = dynamic->view.host;
    dynamic->accuracies = calloc(dynamic->view.n, sizeof *dynamic->accuracies);
    if (!dynamic->accuracies) {
        return kit_fail_memory(host);
    }
    for (uint32_t e = 0; e < dynamic->view.n; e++) {
        const struct ew_exit_info *exit = host->exit(host, 0, dynamic->view.candidates[e].net.exit);
        dynamic->accuracies[e] = exit->accuracy;
        if (isnan(exit->accuracy)) {
            return kit_fail(host, EW_STRATEGY_ECANNOT,
                            "the reward needs accuracies; that of exit %s is unknown", exit->name);
        }
    }
    return EW_STRATEGY_OK;
}

static bool is_better(const struct edgent_state *a, const struct edgent_state *b)
{
    return a->reward > b->reward ||
           (!(a->reward > 0) && !(b->reward > 0) && a->choice.latency_s < b->choice.latency_s);
}

/* The server with the greatest reward at the bandwidths of now. */
static int32_t choose_server(struct dynamic *dynamic)
{
    struct edgent_view *view = &dynamic->view;
    const struct ew_host *host = view->host;
    struct edgent_state best = {0};
    uint32_t wanted;
    int32_t rc = edgent_wanted_server(&wanted, view);
    dynamic->server = EW_ID_NONE;
    for (uint32_t d = 0; rc >= 0 && d < host->device_count(host); d++) {
        const bool is_asked = d != view->source && (wanted == EW_ID_NONE || d == wanted);
        const double bytes_per_s = bandwidth_to(host, view->source, d);
        if (!is_asked || !(bytes_per_s > 0) || !edgent_can_serve(view, d)) {
            continue;
        }
        const struct edgent_problem problem = edgent_view_problem(view, d);
        const struct edgent_state state =
            edgent_best_state(&problem, dynamic->accuracies, bytes_per_s);
        if (dynamic->server == EW_ID_NONE || is_better(&state, &best)) {
            best = state;
            dynamic->server = d;
        }
    }
    if (rc < 0) {
        return rc;
    }
    return dynamic->server != EW_ID_NONE || edgent_can_go_alone(view, wanted)
               ? EW_STRATEGY_OK
               : edgent_fail_server(view, wanted);
}

/* Algorithm 2. */
static int32_t make_map(struct dynamic *dynamic)
{
    const struct edgent_problem none = edgent_view_problem(&dynamic->view, EW_ID_NONE);
    dynamic->alone = edgent_best_state(&none, dynamic->accuracies, 0).choice;
    const struct edgent_problem problem = edgent_view_problem(&dynamic->view, dynamic->server);
    free(dynamic->states);
    dynamic->states = calloc(edgent_n_oboe, sizeof *dynamic->states);
    if (!dynamic->states) {
        return kit_fail_memory(dynamic->view.host);
    }
    for (uint32_t i = 0; i < edgent_n_oboe; i++) {
        const double bytes_per_s = edgent_oboe_mbit_per_s[i] * 125000;
        const struct edgent_problem state = at_bandwidth(problem, bytes_per_s);
        dynamic->states[i] = edgent_best_state(&state, dynamic->accuracies, bytes_per_s);
    }
    return EW_STRATEGY_OK;
}

/* Algorithm 3: a sample; the strategy of the state that holds by now. Without a connection there is
 * nothing to measure, and nothing to be had from the server. */
static struct edgent_choice sample(struct dynamic *dynamic)
{
    const double bytes_per_s =
        dynamic->server == EW_ID_NONE
            ? 0
            : bandwidth_to(dynamic->view.host, dynamic->view.source, dynamic->server);
    dynamic->is_alone = !(bytes_per_s > 0);
    if (dynamic->is_alone) {
        return dynamic->alone;
    }
    const uint32_t state =
        edgent_detect(&dynamic->detector, dynamic->states, edgent_n_oboe, bytes_per_s);
    return dynamic->states[state].choice;
}

static int32_t write(struct dynamic *dynamic, struct ew_plan_builder *builder)
{
    const struct edgent_state *state = &dynamic->states[dynamic->detector.state];
    int32_t rc = edgent_write_plan(builder, &dynamic->view, &dynamic->choice, dynamic->server);
    if (rc >= 0) {
        rc = dynamic->is_alone ? kit_note(builder, "state", "no connection")
                               : kit_note(builder, "state", "%.4g Mbit/s, reward %.3g",
                                          state->bandwidth_bytes_per_s / 125000, state->reward);
    }
    if (rc >= 0 && !dynamic->choice.meets_deadline) {
        rc = kit_note(builder, "fallback", "no exit meets the deadline: the fastest there is");
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    struct dynamic *dynamic = strategy->self;
    forget(dynamic);
    int32_t rc = edgent_view_init(&dynamic->view, host);
    rc = rc < 0 ? rc : read_accuracies(dynamic);
    rc = rc < 0 ? rc : choose_server(dynamic);
    rc = rc < 0 ? rc : make_map(dynamic);
    if (rc < 0) {
        return rc;
    }
    dynamic->choice = sample(dynamic);
    return write(dynamic, builder);
}

static int32_t observe(struct ew_strategy *strategy, const struct ew_host *host,
                       const struct ew_observation *now, struct ew_plan_builder *builder)
{
    (void)now;
    struct dynamic *dynamic = strategy->self;
    if (!dynamic->states) {
        return host->fail(host, EW_STRATEGY_ECANNOT, "there is no map: nothing was planned");
    }
    int32_t rc = EW_STRATEGY_OK;
    if (dynamic->server == EW_ID_NONE) { /* maybe there is one by now */
        rc = choose_server(dynamic);
        rc = rc < 0 || dynamic->server == EW_ID_NONE ? rc : make_map(dynamic);
    }
    if (rc < 0) {
        return rc;
    }
    const struct edgent_choice choice = sample(dynamic);
    if (choice.exit == dynamic->choice.exit && choice.p == dynamic->choice.p) {
        return EW_ONLINE_KEEP;
    }
    dynamic->choice = choice;
    rc = write(dynamic, builder);
    return rc < 0 ? rc : EW_ONLINE_REPLACE;
}

/* ------------------------------------------------------------------ entry */

static const struct ew_online ONLINE = {.struct_size = sizeof ONLINE, .observe = observe};

KIT_DEFINE_ONLINE_ENTRY(INFO, struct dynamic, plan, forget, ONLINE);
