/*
 * edgent: the latest exit, and its best partition point between the source and one server, that
 * meet the deadline (static bandwidth). As in the paper the server computes the first layers.
 *
 * Li, Zhou, Chen: "Edge Intelligence: On-Demand Deep Learning Model Co-Inference with Device-Edge
 * Synergy", MECOMM 2018, arXiv:1806.07840v2.
 */
#include "edgent/edgent_view.h"

/* ------------------------------------------------------------------ descriptor */

static const char *const SELECTIONS[] = {"argmin", "first_feasible", NULL};
static const struct ew_param_info PARAM_SELECTION = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "selection",
    .unit = "",
    .default_text = "argmin",
    .choices = SELECTIONS,
    .doc =
        "Partition point of an exit: the fastest, or the first from p = 1 that meets the deadline.",
};
static const struct ew_param_info PARAM_FALLBACK = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_BOOL,
    .name = "fallback",
    .unit = "",
    .default_text = "true",
    .doc = "When nothing meets the deadline: the first exit at its fastest point, flagged; false: "
           "refuse.",
};
static const struct ew_param_info PARAM_EXIT1 = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_REAL,
    .name = "device_only_exit1_s",
    .unit = "s",
    .default_text = "0",
    .min_value = 0.0,
    .max_value = 1e6,
    .doc =
        "Latency that the prediction takes for the first exit on the device alone; 0: the sum of "
        "its layers. Figure 6 needs 2.25 to 2.45.",
};
static const struct ew_param_info *const PARAMS[] = {
    &edgent_param_regression, &PARAM_SELECTION,      &edgent_param_unit,
    &edgent_param_input,      &edgent_param_loading, &edgent_param_direction,
    &PARAM_FALLBACK,          &edgent_param_device,  &PARAM_EXIT1};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "edgent",
    .version = "1.1.0",
    .summary = "early exit and partition point for one device and one server, static bandwidth",
    .citation = "Li, Zhou, Chen, Edgent, MECOMM 2018, doi:10.1145/3229556.3229562",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ decision */

static struct edgent_choice decide(struct edgent_view *view, uint32_t server)
{
    const struct ew_host *host = view->host;
    struct edgent_problem problem = edgent_view_problem(view, server);
    problem.selection =
        kit_param_is(host, "selection", "first_feasible") ? EDGENT_FIRST_FEASIBLE : EDGENT_ARGMIN;
    problem.device_only_exit1_s = host->param_real(host, "device_only_exit1_s");
    return edgent_choose(&problem);
}

/* In time first, then the later exit, then the faster. */
static bool is_better(const struct edgent_choice *a, const struct edgent_choice *b)
{
    if (a->meets_deadline != b->meets_deadline) {
        return a->meets_deadline;
    }
    if (a->meets_deadline && a->exit != b->exit) {
        return a->exit > b->exit;
    }
    return a->latency_s < b->latency_s;
}

static int32_t choose(struct edgent_choice *choice, uint32_t *server, struct edgent_view *view)
{
    const struct ew_host *host = view->host;
    uint32_t wanted;
    int32_t rc = edgent_wanted_server(&wanted, view);
    if (rc < 0) {
        return rc;
    }
    *server = EW_ID_NONE;
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        bool is_asked = d != view->source && (wanted == EW_ID_NONE || d == wanted);
        if (!is_asked || !edgent_can_serve(view, d)) {
            continue;
        }
        struct edgent_choice decision = decide(view, d);
        if (*server == EW_ID_NONE || is_better(&decision, choice)) {
            *choice = decision;
            *server = d;
        }
    }
    if (*server == EW_ID_NONE && edgent_can_go_alone(view, wanted)) {
        *choice = decide(view, EW_ID_NONE);
        return EW_STRATEGY_OK;
    }
    return *server != EW_ID_NONE ? EW_STRATEGY_OK : edgent_fail_server(view, wanted);
}

static int32_t write_plan(struct ew_plan_builder *builder, const struct edgent_view *view,
                          const struct edgent_choice *choice, uint32_t server)
{
    const struct ew_host *host = view->host;
    if (!choice->meets_deadline && host->param_int(host, "fallback") == 0) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "no exit meets the deadline of %g s; the first exit needs %g s at best",
                        host->requirements(host)->deadline_s, choice->latency_s);
    }
    int32_t rc = edgent_write_plan(builder, view, choice, server);
    if (rc >= 0 && !choice->meets_deadline) {
        rc = kit_note(builder, "fallback",
                      "no exit meets the deadline: the first one at its fastest point");
    }
    return rc;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct edgent_view view = {0};
    struct edgent_choice choice = {0};
    uint32_t server;
    int32_t rc = edgent_view_init(&view, host);
    rc = rc < 0 ? rc : choose(&choice, &server, &view);
    rc = rc < 0 ? rc : write_plan(builder, &view, &choice, server);
    edgent_view_fini(&view);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
