/*
 * optimal: the best plan that a search over fused volumes and their shares finds within a budget,
 * judged by the simulator itself. A yardstick for the other strategies, not a published one.
 */
#include <math.h>

#include "common/emit.h"
#include "common/plugin.h"
#include "search.h"

static const char *const OBJECTIVES[] = {"latency", "energy", "period", "energy_under_deadline",
                                         NULL};
static const struct ew_param_info PARAM_OBJECTIVE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "objective",
    .unit = "",
    .default_text = "latency",
    .choices = OBJECTIVES,
    .doc = "What to minimise; energy_under_deadline: energy among plans within the deadline.",
};
static const struct ew_param_info PARAM_BUDGET = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "evaluations",
    .unit = "",
    .default_text = "10000",
    .min_value = 1,
    .max_value = 100000000,
    .doc = "Most plans to simulate.",
};
static const struct ew_param_info PARAM_CANDIDATES = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_BOOL,
    .name = "candidates",
    .unit = "",
    .default_text = "true",
    .doc = "In compare: take another strategy's plan when it is better than all found.",
};
static const struct ew_param_info *const PARAMS[] = {&PARAM_OBJECTIVE, &PARAM_BUDGET,
                                                     &PARAM_CANDIDATES};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "optimal",
    .version = "1.0.0",
    .summary = "best plan found by searching volumes and shares with the simulator",
    .citation = "",
    .params = PARAMS,
};

static const char *const STARTS[N_STARTS] = {
    [START_SINGLE] = "single device",           [START_CUT] = "two devices",
    [START_PREFIX] = "first blocks shared out", [START_SHARED] = "all shared out",
    [START_FASTEST] = "fastest plan",
};

static int32_t read_objective(struct search *s, const struct ew_host *host)
{
    const struct ew_requirements_info *asked = host->requirements(host);
    for (int i = 0; OBJECTIVES[i]; i++) {
        if (kit_param_is(host, "objective", OBJECTIVES[i])) {
            s->objective = (enum objective)i;
        }
    }
    s->deadline_s = asked->deadline_s;
    const bool needs_energy =
        s->objective == OBJECTIVE_ENERGY || s->objective == OBJECTIVE_ENERGY_UNDER_DEADLINE;
    if (needs_energy && !asked->has_energy) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "objective %s needs power figures for every device",
                        OBJECTIVES[s->objective]);
    }
    return EW_STRATEGY_OK;
}

/* What others have found counts when it is better by more than rounding. */
static int32_t look_at_candidates(struct search *s, const struct ew_candidates *candidates)
{
    int32_t rc = EW_STRATEGY_OK;
    s->candidate = EW_ID_NONE;
    for (uint32_t i = 0; i < candidates->count(candidates) && rc >= 0; i++) {
        rc = search_try_candidate(s, candidates, i);
    }
    return rc;
}

static int32_t write_candidate(struct search *s, const struct ew_candidates *candidates)
{
    const char *maker = candidates->maker(candidates, s->candidate);
    int32_t rc = candidates->load(candidates, s->candidate, s->builder);
    rc = rc < 0 ? rc : kit_note(s->builder, "objective", "%s", OBJECTIVES[s->objective]);
    rc = rc < 0 ? rc
                : kit_note(s->builder, "search", "the plan of %s is better than all of %u found",
                           maker ? maker : "another strategy", (unsigned)s->spent);
    return rc < 0
               ? rc
               : kit_predict(s->builder, s->space.net, s->found[0].latency_s, s->found[0].energy_j);
}

static int32_t write_plan(struct search *s)
{
    const struct kit_net *net = s->space.net;
    int32_t rc = s->builder->reset(s->builder);
    rc = rc < 0 ? rc : kit_begin_plan(s->builder, net, "optimal");
    rc = rc < 0 ? rc : scheme_draft(&s->draft, &s->best[0], &s->space);
    rc = rc < 0 ? rc : kit_draft_emit(&s->draft, s->builder);
    rc = rc < 0 ? rc : kit_note(s->builder, "objective", "%s", OBJECTIVES[s->objective]);
    rc = rc < 0 ? rc
                : kit_note(s->builder, "search", "%u evaluations of %u, %s, %u restarts",
                           (unsigned)s->spent, (unsigned)s->budget,
                           s->is_local_optimum ? "no move improves the plan" : "budget spent",
                           (unsigned)s->n_kicks);
    rc = rc < 0 ? rc
                : kit_note(s->builder, "start", "%s, %u volumes at the end", STARTS[s->kind[0]],
                           (unsigned)s->best[0].n);
    return rc < 0 ? rc : kit_predict(s->builder, net, s->found[0].latency_s, s->found[0].energy_j);
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct kit_net net = {0};
    struct kit_blocks blocks = {0};
    struct search search = {.builder = builder};
    int32_t rc = kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS);
    rc = rc < 0 ? rc : kit_blocks_init(&blocks, &net);
    search.space = (struct scheme_space){&net, &blocks, host->device_count(host)};
    search.budget = (uint32_t)host->param_int(host, "evaluations");
    rc = rc < 0 ? rc : read_objective(&search, host);
    rc = rc < 0 ? rc : search_init(&search);
    const struct ew_candidates *candidates = rc >= 0 && host->param_int(host, "candidates")
                                                 ? host->extension(host, EW_CANDIDATES_ID)
                                                 : NULL;
    search.candidate = EW_ID_NONE;
    rc = rc < 0 ? rc : search_run(&search);
    if (rc >= 0 && candidates) {
        rc = look_at_candidates(&search, candidates);
    }
    if (rc >= 0) {
        rc = search.candidate == EW_ID_NONE ? write_plan(&search)
                                            : write_candidate(&search, candidates);
    }
    search_fini(&search);
    kit_blocks_fini(&blocks);
    kit_net_fini(&net);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
