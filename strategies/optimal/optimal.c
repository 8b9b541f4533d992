/*
 * optimal: the best plan that a search over fused volumes and their shares finds within a budget,
 * judged by the simulator itself. A yardstick for the other strategies, not a published one.
 */
#include <math.h>
#include <stdlib.h>

#include "common/emit.h"
#include "common/plugin.h"
#include "search.h"

static const char *const OBJECTIVES[] = {"latency", "energy", "period", "energy_under_deadline",
                                         NULL};
static const struct ew_param_info PARAM_OBJECTIVE =
    KIT_CHOICE("objective", OBJECTIVES, "latency",
               "What to minimise; energy_under_deadline: energy among plans within the deadline.");
static const struct ew_param_info PARAM_BUDGET =
    KIT_INT("evaluations", "10000", 1, 100000000, "Most plans to simulate.");
static const struct ew_param_info PARAM_CANDIDATES =
    KIT_BOOL("candidates", "true",
             "In compare: take another strategy's plan when it is better than all found.");
static const struct ew_param_info PARAM_LIMIT =
    KIT_REAL("limit_s", "s", "600", 0, 1e9,
             "Safety stop; a search that it ends says so, and is not repeatable.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_OBJECTIVE, &PARAM_BUDGET,
                                                     &PARAM_CANDIDATES, &PARAM_LIMIT};

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
    [START_SINGLE] = "single device",  [START_SEQUENCE] = "devices one after the other",
    [START_CUT] = "two devices",       [START_PREFIX] = "first blocks shared out",
    [START_SHARED] = "all shared out", [START_IMAGES] = "batch shared out",
    [START_FASTEST] = "fastest plan",
};

/* One network to search: a variant of the model up to an exit. */
struct option {
    struct kit_net net;
    struct kit_blocks blocks;
    struct search search;
};

/* All of them. The array is owned. */
struct options {
    struct option *items;
    uint32_t n;
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

static const char *end_of(const struct search *s)
{
    return s->is_exact           ? "every plan of this form"
           : s->is_out_of_time   ? "stopped by limit_s"
           : s->is_local_optimum ? "no move improves the plan"
                                 : "budget spent";
}

static int32_t write_plan(struct search *s)
{
    const struct kit_net *net = s->space.net;
    int32_t rc = s->builder->reset(s->builder);
    rc = rc < 0 ? rc : kit_begin_plan(s->builder, net, "optimal");
    rc = rc < 0 ? rc : scheme_draft(&s->draft, &s->best[0], &s->space);
    rc = rc < 0 ? rc : kit_draft_emit(&s->draft, s->builder);
    rc = rc < 0 ? rc : kit_note(s->builder, "objective", "%s", OBJECTIVES[s->objective]);
    rc = rc < 0
             ? rc
             : kit_note(s->builder, "search", "%u evaluations of %u, %s, %u restarts",
                        (unsigned)s->spent, (unsigned)s->budget, end_of(s), (unsigned)s->n_kicks);
    if (!s->is_exact) {
        rc = rc < 0 ? rc
                    : kit_note(s->builder, "start", "%s, %u volumes at the end", STARTS[s->kind[0]],
                               (unsigned)s->best[0].n);
    }
    return rc < 0 ? rc : kit_predict(s->builder, net, s->found[0].latency_s, s->found[0].energy_j);
}

/* ------------------------------------------------------------------ options */

/* An accuracy is asked for: every exit of every variant that has it. Otherwise, or when none does,
 * the base model's last exit. */
static bool is_wanted(const struct ew_host *host, uint32_t variant, uint32_t exit)
{
    const double wanted = host->requirements(host)->min_accuracy;
    return wanted > 0 && host->exit(host, variant, exit)->accuracy >= wanted - 1e-9;
}

static int32_t add_option(struct options *options, const struct ew_host *host, uint32_t variant,
                          uint32_t exit)
{
    struct option *option = &options->items[options->n++];
    int32_t rc = kit_net_init(&option->net, host, variant, exit, KIT_ROWS);
    rc = rc < 0 ? rc : kit_blocks_init(&option->blocks, &option->net);
    return rc < 0 ? rc : scheme_space_init(&option->search.space, &option->net, &option->blocks);
}

static int32_t list_options(struct options *options, const struct ew_host *host)
{
    const uint32_t n_variants = host->graph(host, 0)->n_variants;
    size_t n = 1;
    for (uint32_t v = 0; v < n_variants; v++) {
        n += host->graph(host, v)->n_exits;
    }
    options->items = calloc(n, sizeof *options->items);
    int32_t rc = options->items ? EW_STRATEGY_OK : kit_fail_memory(host);
    for (uint32_t v = 0; v < n_variants && rc >= 0; v++) {
        for (uint32_t e = 0; e < host->graph(host, v)->n_exits && rc >= 0; e++) {
            rc = is_wanted(host, v, e) ? add_option(options, host, v, e) : rc;
        }
    }
    return rc < 0 || options->n > 0 ? rc : add_option(options, host, 0, EW_ID_NONE);
}

/* The budget is shared equally. The best option is returned; NULL when none can be run. */
static int32_t search_options(struct option **best, struct options *options,
                              const struct ew_host *host, struct ew_plan_builder *builder)
{
    const uint32_t budget = (uint32_t)host->param_int(host, "evaluations") / options->n;
    int32_t rc = EW_STRATEGY_OK;
    *best = NULL;
    for (uint32_t i = 0; i < options->n && rc >= 0; i++) {
        struct option *option = &options->items[i];
        struct search *s = &option->search;
        s->builder = builder;
        s->budget = budget > 0 ? budget : 1;
        s->limit_s = host->param_real(host, "limit_s") / options->n;
        s->candidate = EW_ID_NONE;
        rc = read_objective(s, host);
        rc = rc < 0 ? rc : search_init(s);
        const int32_t found = rc < 0 ? rc : search_run(s);
        rc = found == EW_STRATEGY_ECANNOT ? rc : found;
        if (found >= 0 && (!*best || s->value[0] < (*best)->search.value[0])) {
            *best = option;
        }
        if (found < 0 && !*best && i + 1 == options->n) {
            rc = found;
        }
    }
    return rc;
}

static void release(struct options *options)
{
    for (uint32_t i = 0; i < options->n; i++) {
        search_fini(&options->items[i].search);
        scheme_space_fini(&options->items[i].search.space);
        kit_blocks_fini(&options->items[i].blocks);
        kit_net_fini(&options->items[i].net);
    }
    free(options->items);
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct options options = {0};
    struct option *best = NULL;
    int32_t rc = list_options(&options, host);
    rc = rc < 0 ? rc : search_options(&best, &options, host, builder);
    const struct ew_candidates *candidates = rc >= 0 && host->param_int(host, "candidates")
                                                 ? host->extension(host, EW_CANDIDATES_ID)
                                                 : NULL;
    if (rc >= 0 && candidates) {
        rc = look_at_candidates(&best->search, candidates);
    }
    if (rc >= 0) {
        rc = best->search.candidate == EW_ID_NONE ? write_plan(&best->search)
                                                  : write_candidate(&best->search, candidates);
    }
    release(&options);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
