/*
 * accuracy_aware: a batch of images shared out among the nodes of a cluster, with the variant of
 * the model that each node runs chosen together with its share, under a performance and an accuracy
 * target. And the four rules it is compared with: uniform, proportional, uniform_approx,
 * proportional_approx.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy_aware/cluster.h"
#include "common/plugin.h"

/* Targets that are met exactly must not fail by rounding. */
static const double TOLERANCE = 1e-9;

#define CITATION                                                                                   \
    "Taufique, Miele, Liljeberg, Kanduri: Exploiting Approximation for Accuracy-Aware Workload "   \
    "Distribution (ASP-DAC 2024, arXiv:2310.10157); formulation of ours"

static const char *const SHARING_CHOICES[] = {"equal_finish", "accurate_first", NULL};

static const struct ew_param_info PARAM_SHARING = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "sharing",
    .unit = "",
    .default_text = "equal_finish",
    .choices = SHARING_CHOICES,
    .doc = "Shares for given variants: nodes finish together, or accurate nodes take all they can "
           "within the time limit.",
};
static const struct ew_param_info PARAM_EXHAUSTIVE_LIMIT = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "exhaustive_limit",
    .unit = "",
    .default_text = "20000",
    .min_value = 0,
    .max_value = 1e6,
    .doc =
        "Most combinations of variants, (variants + 1)^nodes, that are enumerated; greedy beyond.",
};
static const struct ew_param_info PARAM_MAX_NODES = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "max_nodes",
    .unit = "",
    .default_text = "64",
    .min_value = 1,
    .max_value = 256,
    .doc = "Of more usable devices than this only the fastest take part.",
};
static const struct ew_param_info PARAM_CORRECTIONS = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_INT,
    .name = "corrections",
    .unit = "",
    .default_text = "8",
    .min_value = 0,
    .max_value = 100,
    .doc = "Rounds in which the decision is tried out, the nodes' times are corrected and the "
           "search is repeated; 0: trust the model.",
};
static const struct ew_param_info *const PARAMS[] = {&PARAM_SHARING, &PARAM_EXHAUSTIVE_LIMIT,
                                                     &PARAM_MAX_NODES, &PARAM_CORRECTIONS};

static const struct ew_strategy_info INFO_AWARE = {
    .struct_size = sizeof INFO_AWARE,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "accuracy_aware",
    .version = "1.0.0",
    .summary = "shares of a batch and a model variant per node, under performance and accuracy "
               "targets",
    .citation = CITATION,
    .params = PARAMS,
};

#define RULE_INFO(name, strategy_id, text)                                                         \
    static const struct ew_strategy_info name = {                                                  \
        .struct_size = sizeof name,                                                                \
        .id = strategy_id,                                                                         \
        .version = "1.0.0",                                                                        \
        .summary = text,                                                                           \
        .citation = "baseline of accuracy_aware; definition of ours",                              \
    }

RULE_INFO(INFO_UNIFORM, "uniform", "equal shares of a batch on all nodes, base model");
RULE_INFO(INFO_PROPORTIONAL, "proportional",
          "shares of a batch that follow the nodes' speed, base model");
RULE_INFO(INFO_UNIFORM_APPROX, "uniform_approx",
          "equal shares of a batch, one model variant for all nodes");
RULE_INFO(INFO_PROPORTIONAL_APPROX, "proportional_approx",
          "shares of a batch that follow the nodes' speed, one model variant for all");

/* ------------------------------------------------------------------ decisions */

static bool plan_alloc(struct dispatch_plan *plan, uint32_t n_nodes)
{
    plan->variant = calloc((size_t)n_nodes + 1, sizeof *plan->variant);
    plan->images = calloc((size_t)n_nodes + 1, sizeof *plan->images);
    return plan->variant && plan->images;
}

static void plan_free(struct dispatch_plan *plan)
{
    free(plan->variant);
    free(plan->images);
}

static void plan_copy(struct dispatch_plan *to, const struct dispatch_plan *from, uint32_t n_nodes)
{
    uint32_t *variant = to->variant;
    int32_t *images = to->images;
    *to = *from;
    to->variant = variant;
    to->images = images;
    memcpy(variant, from->variant, n_nodes * sizeof *variant);
    memcpy(images, from->images, n_nodes * sizeof *images);
}

/* NULL rule: search. */
static int32_t decide(struct dispatch_plan *plan, const struct cluster *cluster,
                      const struct dispatch_problem *problem, const enum dispatch_rule *rule)
{
    bool is_ok = rule ? dispatch_by_rule(plan, problem, *rule) : dispatch_search(plan, problem);
    if (!is_ok) {
        return kit_fail_memory(cluster->host);
    }
    return plan->outcome == DISPATCH_NONE ? cluster_fail_capacity(cluster) : EW_STRATEGY_OK;
}

/* A first decision that fits into memory. */
static int32_t decide_within_memory(struct dispatch_plan *plan, struct cluster *cluster,
                                    const enum dispatch_rule *rule)
{
    int32_t rc = decide(plan, cluster, &cluster->problem, rule);
    if (rc >= 0 && cluster_is_overfull(cluster, plan)) {
        cluster_divide_memory(cluster);
        rc = decide(plan, cluster, &cluster->problem, rule);
    }
    return rc;
}

/* ------------------------------------------------------------------ trying decisions out */

/* Decisions tried on the host's engine. Arrays are owned. */
struct trials {
    struct cluster *cluster;
    struct dispatch_problem problem; /* with corrected rates, and a limit that may be tightened */
    struct dispatch_rate *rates;
    double *finish_s; /* by device */
    struct dispatch_plan plan;
    struct dispatch_plan best;
    double best_latency_s;
    uint32_t n_tried;
};

/* The outcome if the plan takes `latency_s`. */
static enum dispatch_outcome outcome_at(const struct dispatch_plan *plan, double limit_s,
                                        double latency_s)
{
    if (plan->outcome == DISPATCH_INACCURATE) {
        return DISPATCH_INACCURATE;
    }
    return latency_s <= limit_s * (1.0 + TOLERANCE) ? DISPATCH_MEETS : DISPATCH_LATE;
}

static void keep_best(struct trials *trials, double latency_s)
{
    const struct dispatch_problem *asked = &trials->cluster->problem;
    struct dispatch_plan *plan = &trials->plan;
    struct dispatch_plan *best = &trials->best;
    plan->outcome = outcome_at(plan, asked->limit_s, latency_s);
    bool is_earlier = latency_s < trials->best_latency_s;
    bool is_better = plan->outcome > best->outcome;
    if (plan->outcome == best->outcome) {
        bool is_as_accurate = fabs(plan->accuracy - best->accuracy) <= TOLERANCE;
        is_better = plan->outcome == DISPATCH_LATE || is_as_accurate
                        ? is_earlier
                        : plan->accuracy > best->accuracy;
    }
    if (trials->n_tried++ == 0 || is_better) {
        plan_copy(best, plan, asked->n_nodes);
        trials->best_latency_s = latency_s;
    }
}

/* What a node took beyond its model becomes part of its fixed time. The source and the sink are
 * busy with the others' messages, too: their finish says nothing about their share. */
static void correct(struct trials *trials, double latency_s)
{
    const struct cluster *cluster = trials->cluster;
    const struct ew_requirements_info *asked = cluster->host->requirements(cluster->host);
    uint32_t n_variants = cluster->problem.n_variants;
    for (uint32_t d = 0; d < cluster->problem.n_nodes; d++) {
        uint32_t device = cluster->device[d];
        if (trials->plan.images[d] == 0 || device == asked->source_device ||
            device == asked->sink_device) {
            continue;
        }
        const struct dispatch_rate *model =
            &cluster->rates[(size_t)d * n_variants + trials->plan.variant[d]];
        double late_s =
            trials->finish_s[device] - (model->fixed_s + trials->plan.images[d] * model->image_s);
        for (uint32_t v = 0; v < n_variants; v++) {
            size_t at = (size_t)d * n_variants + v;
            trials->rates[at].fixed_s = fmax(cluster->rates[at].fixed_s + late_s, 0.0);
        }
    }
    double limit_s = cluster->problem.limit_s;
    if (latency_s > limit_s && trials->plan.finish_s <= trials->problem.limit_s) {
        trials->problem.limit_s *= fmax(limit_s / latency_s, 0.5);
    } else if (latency_s < limit_s) {
        trials->problem.limit_s = limit_s;
    }
}

/* Seconds of the decision on the host's engine; NAN when the host does not evaluate. */
static int32_t try_out(double *latency_s, struct trials *trials, struct ew_plan_builder *builder)
{
    const struct ew_host *host = trials->cluster->host;
    struct ew_evaluation evaluation = {
        .struct_size = sizeof evaluation,
        .requests = 1,
        .device_finish_s = trials->finish_s,
    };
    int32_t rc = builder->reset(builder);
    if (rc >= 0) {
        rc = cluster_emit(builder, trials->cluster, &trials->plan, "accuracy_aware");
    }
    if (rc >= 0) {
        bool is_done = host->evaluate(host, builder, &evaluation) >= 0;
        *latency_s = is_done ? evaluation.latency_s : NAN;
    }
    return rc;
}

static int32_t run_trials(struct trials *trials, struct ew_plan_builder *builder, int64_t rounds)
{
    struct cluster *cluster = trials->cluster;
    int32_t rc = EW_STRATEGY_OK;
    for (int64_t i = 0; i < rounds && rc >= 0; i++) {
        double latency_s = NAN;
        rc = try_out(&latency_s, trials, builder);
        if (rc < 0 || isnan(latency_s)) {
            break;
        }
        double predicted_s = trials->plan.finish_s;
        keep_best(trials, latency_s);
        if (fabs(latency_s - predicted_s) <= 1e-6 * latency_s) {
            break; /* the model is right: another search finds the same */
        }
        correct(trials, latency_s);
        rc = decide(&trials->plan, cluster, &trials->problem, NULL);
        if (rc >= 0 && cluster_is_overfull(cluster, &trials->plan)) {
            break;
        }
    }
    return rc;
}

static bool trials_init(struct trials *trials, struct cluster *cluster)
{
    const struct ew_host *host = cluster->host;
    size_t n_rates = (size_t)cluster->problem.n_nodes * cluster->problem.n_variants;
    trials->cluster = cluster;
    trials->rates = calloc(n_rates, sizeof *trials->rates);
    trials->finish_s = calloc((size_t)host->device_count(host) + 1, sizeof *trials->finish_s);
    return plan_alloc(&trials->plan, cluster->problem.n_nodes) &&
           plan_alloc(&trials->best, cluster->problem.n_nodes) && trials->rates && trials->finish_s;
}

static void trials_fini(struct trials *trials)
{
    free(trials->rates);
    free(trials->finish_s);
    plan_free(&trials->plan);
    plan_free(&trials->best);
}

static int32_t search(struct trials *trials, struct ew_plan_builder *builder)
{
    struct cluster *cluster = trials->cluster;
    const struct ew_host *host = cluster->host;
    struct dispatch_problem *problem = &cluster->problem;
    problem->sharing = kit_param_is(host, "sharing", "accurate_first") ? DISPATCH_ACCURATE_FIRST
                                                                       : DISPATCH_EQUAL_FINISH;
    problem->exhaustive_limit = (uint64_t)host->param_int(host, "exhaustive_limit");
    int32_t rc = decide_within_memory(&trials->plan, cluster, NULL);
    if (rc < 0) {
        return rc;
    }
    size_t n_rates = (size_t)problem->n_nodes * problem->n_variants;
    memcpy(trials->rates, cluster->rates, n_rates * sizeof *trials->rates);
    trials->problem = *problem;
    trials->problem.rates = trials->rates;
    plan_copy(&trials->best, &trials->plan, problem->n_nodes);
    trials->best_latency_s = trials->plan.finish_s;
    return run_trials(trials, builder, host->param_int(host, "corrections"));
}

/* ------------------------------------------------------------------ planning */

static int32_t note_search(struct ew_plan_builder *builder, const struct trials *trials)
{
    static const char *const OUTCOMES[] = {
        [DISPATCH_NONE] = "nothing",
        [DISPATCH_INACCURATE] = "fallback: the accuracy cannot be reached, the most accurate plan",
        [DISPATCH_LATE] = "fallback: the time limit cannot be met, the fastest accurate plan",
        [DISPATCH_MEETS] = "targets met",
    };
    int32_t rc = kit_note(builder, "outcome", "%s", OUTCOMES[trials->best.outcome]);
    return rc < 0 ? rc
                  : kit_note(builder, "search", "%s, tried out %u times",
                             trials->best.is_exhaustive ? "exhaustive" : "greedy", trials->n_tried);
}

static int32_t plan_aware(struct ew_strategy *strategy, const struct ew_host *host,
                          struct ew_plan_builder *builder)
{
    (void)strategy;
    struct cluster cluster = {0};
    struct trials trials = {0};
    int32_t rc = cluster_init(&cluster, host, (uint32_t)host->param_int(host, "max_nodes"));
    if (rc >= 0 && !trials_init(&trials, &cluster)) {
        rc = kit_fail_memory(host);
    }
    if (rc >= 0) {
        rc = search(&trials, builder);
    }
    if (rc >= 0) {
        rc = builder->reset(builder);
    }
    if (rc >= 0) {
        rc = cluster_emit(builder, &cluster, &trials.best, "accuracy_aware");
    }
    if (rc >= 0) {
        rc = note_search(builder, &trials);
    }
    if (rc >= 0) {
        rc = cluster_describe(builder, &cluster, &trials.best, trials.best_latency_s);
    }
    trials_fini(&trials);
    cluster_fini(&cluster);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static int32_t plan_rule(const struct ew_host *host, struct ew_plan_builder *builder,
                         enum dispatch_rule rule, const char *name)
{
    struct cluster cluster = {0};
    struct dispatch_plan plan = {0};
    int32_t rc = cluster_init(&cluster, host, UINT32_MAX);
    if (rc >= 0 && !plan_alloc(&plan, cluster.problem.n_nodes)) {
        rc = kit_fail_memory(host);
    }
    if (rc >= 0) {
        rc = decide_within_memory(&plan, &cluster, &rule);
    }
    if (rc >= 0) {
        rc = cluster_emit(builder, &cluster, &plan, name);
    }
    if (rc >= 0) {
        rc = cluster_describe(builder, &cluster, &plan, plan.finish_s);
    }
    plan_free(&plan);
    cluster_fini(&cluster);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static int32_t plan_uniform(struct ew_strategy *strategy, const struct ew_host *host,
                            struct ew_plan_builder *builder)
{
    (void)strategy;
    return plan_rule(host, builder, DISPATCH_UNIFORM, "uniform");
}

static int32_t plan_proportional(struct ew_strategy *strategy, const struct ew_host *host,
                                 struct ew_plan_builder *builder)
{
    (void)strategy;
    return plan_rule(host, builder, DISPATCH_PROPORTIONAL, "proportional");
}

static int32_t plan_uniform_approx(struct ew_strategy *strategy, const struct ew_host *host,
                                   struct ew_plan_builder *builder)
{
    (void)strategy;
    return plan_rule(host, builder, DISPATCH_UNIFORM_APPROX, "uniform_approx");
}

static int32_t plan_proportional_approx(struct ew_strategy *strategy, const struct ew_host *host,
                                        struct ew_plan_builder *builder)
{
    (void)strategy;
    return plan_rule(host, builder, DISPATCH_PROPORTIONAL_APPROX, "proportional_approx");
}

/* ------------------------------------------------------------------ entry */

static const struct {
    const struct ew_strategy_info *info;
    kit_plan_fn plan;
} STRATEGIES[] = {
    {&INFO_AWARE, plan_aware},
    {&INFO_UNIFORM, plan_uniform},
    {&INFO_PROPORTIONAL, plan_proportional},
    {&INFO_UNIFORM_APPROX, plan_uniform_approx},
    {&INFO_PROPORTIONAL_APPROX, plan_proportional_approx},
};
enum { N_STRATEGIES = sizeof STRATEGIES / sizeof STRATEGIES[0] };

static uint32_t entry_count(void)
{
    return N_STRATEGIES;
}

static const struct ew_strategy_info *entry_describe(uint32_t index)
{
    return index < N_STRATEGIES ? STRATEGIES[index].info : NULL;
}

static struct ew_strategy *entry_create(const struct ew_host *host, const char *id)
{
    uint32_t i = 0;
    while (i + 1 < N_STRATEGIES && strcmp(STRATEGIES[i].info->id, id) != 0) {
        i++;
    }
    return kit_strategy_new(host, STRATEGIES[i].info, id, STRATEGIES[i].plan);
}

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = entry_count,
    .describe = entry_describe,
    .create = entry_create,
};
