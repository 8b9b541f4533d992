/*
 * accuracy_aware: a batch of images shared out among the nodes of a cluster, with the variant of
 * the model that each node runs chosen together with its share, under a performance and an accuracy
 * target. And the four rules it is compared with: uniform, proportional, uniform_approx,
 * proportional_approx.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy_aware/trials.h"
#include "common/plugin.h"

#define CITATION                                                                                   \
    "Taufique, Miele, Liljeberg, Kanduri: Adaptive Workload Distribution for Accuracy-aware DNN "  \
    "Inference on Collaborative Edge Platforms (ASP-DAC 2024, arXiv:2310.10157); formulation of "  \
    "ours"

static const char *const SHARING_CHOICES[] = {"accurate_first", "equal_finish", NULL};

static const struct ew_param_info PARAM_SHARING = KIT_CHOICE(
    "sharing", SHARING_CHOICES, "accurate_first",
    "Shares for given variants: accurate nodes take all they can within the time limit, or "
    "nodes finish together.");
static const struct ew_param_info PARAM_EXHAUSTIVE_LIMIT =
    KIT_INT("exhaustive_limit", "1000000", 0, 1e8,
            "Most vectors of variants, (variants + 1)^nodes, or dispatches that are enumerated.");
static const struct ew_param_info PARAM_EVALUATIONS =
    KIT_INT("evaluations", "1000", 0, 1e8, "Most decisions that are tried out.");
static const struct ew_param_info PARAM_MAX_NODES = KIT_INT(
    "max_nodes", "64", 1, 256, "Of more usable devices than this only the fastest take part.");
static const struct ew_param_info PARAM_CORRECTIONS =
    KIT_INT("corrections", "8", 0, 100,
            "Rounds in which the decision is tried out, the nodes' times are corrected and the "
            "search is repeated; 0: trust the model.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_SHARING, &PARAM_EXHAUSTIVE_LIMIT,
                                                     &PARAM_MAX_NODES, &PARAM_CORRECTIONS,
                                                     &PARAM_EVALUATIONS};

static const struct ew_strategy_info INFO_AWARE = {
    .struct_size = sizeof INFO_AWARE,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "accuracy_aware",
    .version = "1.1.0",
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

/* ------------------------------------------------------------------ the search */

static int32_t search(struct trials *trials)
{
    const struct ew_host *host = trials->cluster->host;
    struct dispatch_problem *problem = &trials->cluster->problem;
    const bool is_accurate_first = kit_param_is(host, "sharing", "accurate_first");
    const int64_t rounds = host->param_int(host, "corrections");
    problem->sharing = is_accurate_first ? DISPATCH_ACCURATE_FIRST : DISPATCH_EQUAL_FINISH;
    problem->exhaustive_limit = (uint64_t)host->param_int(host, "exhaustive_limit");
    trials->most_trials = (uint32_t)host->param_int(host, "evaluations");
    const int32_t rc = trials_decide(trials, rounds);
    const bool is_met = trials->best.outcome == DISPATCH_MEETS;
    return rc < 0 || (is_met && !is_accurate_first) ? rc : trials_refine(trials, rounds);
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
                             trials->is_complete          ? "every dispatch"
                             : trials->best.is_exhaustive ? "every vector of variants"
                                                          : "greedy",
                             trials->n_tried);
}

static int32_t write_decision(struct trials *trials)
{
    const struct cluster *cluster = trials->cluster;
    struct ew_plan_builder *builder = trials->builder;
    int32_t rc = builder->reset(builder);
    if (rc >= 0) {
        rc = cluster_emit(builder, cluster, &trials->best, "accuracy_aware");
    }
    if (rc >= 0) {
        rc = note_search(builder, trials);
    }
    return rc < 0 ? rc : cluster_describe(builder, cluster, &trials->best, trials->best_latency_s);
}

/* ------------------------------------------------------------------ the dispatch in force */

/* What a device does for every request. */
struct duty {
    uint32_t device;
    uint32_t variant; /* of the graph */
    int32_t images;
};

/* What stays from plan to the observations of its run. */
struct memory {
    struct duty *duties; /* owned; NULL: nothing was planned */
    uint32_t n;
};

static void forget(struct memory *memory)
{
    free(memory->duties);
    *memory = (struct memory){0};
}

static int32_t remember(struct memory *memory, const struct trials *trials)
{
    const struct cluster *cluster = trials->cluster;
    const uint32_t n_nodes = cluster->problem.n_nodes;
    forget(memory);
    memory->duties = calloc(n_nodes, sizeof *memory->duties);
    if (!memory->duties) {
        return kit_fail_memory(cluster->host);
    }
    for (uint32_t d = 0; d < n_nodes; d++) {
        if (trials->best.images[d] > 0) {
            memory->duties[memory->n++] =
                (struct duty){cluster->device[d], cluster->variant[trials->best.variant[d]],
                              trials->best.images[d]};
        }
    }
    return EW_STRATEGY_OK;
}

static uint32_t find(const uint32_t *ids, uint32_t n, uint32_t id)
{
    uint32_t at = 0;
    while (at < n && ids[at] != id) {
        at++;
    }
    return at;
}

/* The dispatch in force on the cluster as it is now; false when somebody is missing. */
static bool recall(struct dispatch_plan *out, const struct memory *memory,
                   const struct cluster *cluster)
{
    const struct dispatch_problem *problem = &cluster->problem;
    for (uint32_t d = 0; d < problem->n_nodes; d++) {
        out->variant[d] = DISPATCH_OFF;
        out->images[d] = 0;
    }
    for (uint32_t i = 0; i < memory->n; i++) {
        const struct duty *duty = &memory->duties[i];
        const uint32_t d = find(cluster->device, problem->n_nodes, duty->device);
        const uint32_t v = find(cluster->variant, problem->n_variants, duty->variant);
        if (d == problem->n_nodes || v == problem->n_variants) {
            return false;
        }
        out->variant[d] = v;
        out->images[d] = duty->images;
    }
    return true;
}

static bool is_in_force(const struct memory *memory, const struct trials *trials)
{
    const struct cluster *cluster = trials->cluster;
    const struct dispatch_plan *best = &trials->best;
    for (uint32_t i = 0; i < memory->n; i++) {
        const struct duty *duty = &memory->duties[i];
        const uint32_t d = find(cluster->device, cluster->problem.n_nodes, duty->device);
        if (d == cluster->problem.n_nodes || best->images[d] != duty->images ||
            cluster->variant[best->variant[d]] != duty->variant) {
            return false;
        }
    }
    return true; /* all images are given out: nobody else has any */
}

/* ------------------------------------------------------------------ planning and reacting */

/* `in_force`: a dispatch that stays unless the search finds a better one; NULL: none. */
static int32_t decide(struct trials *trials, struct cluster *cluster, const struct ew_host *host,
                      struct ew_plan_builder *builder, const struct memory *in_force)
{
    int32_t rc = cluster_init(cluster, host, (uint32_t)host->param_int(host, "max_nodes"));
    if (rc >= 0 && !trials_init(trials, cluster, builder)) {
        rc = kit_fail_memory(host);
    }
    if (rc >= 0 && in_force && host->param_int(host, "corrections") > 0 &&
        recall(&trials->plan, in_force, cluster)) {
        rc = trials_begin_with(trials);
    }
    return rc < 0 ? rc : search(trials);
}

static int32_t plan_aware(struct ew_strategy *strategy, const struct ew_host *host,
                          struct ew_plan_builder *builder)
{
    struct memory *memory = strategy->self;
    struct cluster cluster = {0};
    struct trials trials = {0};
    forget(memory);
    int32_t rc = decide(&trials, &cluster, host, builder, NULL);
    rc = rc < 0 ? rc : write_decision(&trials);
    rc = rc < 0 ? rc : remember(memory, &trials);
    trials_fini(&trials);
    cluster_fini(&cluster);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static int32_t observe(struct ew_strategy *strategy, const struct ew_host *host,
                       const struct ew_observation *now, struct ew_plan_builder *builder)
{
    (void)now;
    struct memory *memory = strategy->self;
    struct cluster cluster = {0};
    struct trials trials = {0};
    if (!memory->duties) {
        return host->fail(host, EW_STRATEGY_ECANNOT, "nothing was planned");
    }
    int32_t rc = decide(&trials, &cluster, host, builder, memory);
    if (rc >= 0 && is_in_force(memory, &trials)) {
        rc = EW_ONLINE_KEEP;
    } else if (rc >= 0) {
        rc = write_decision(&trials);
        rc = rc < 0 ? rc : remember(memory, &trials);
        rc = rc < 0 ? rc : EW_ONLINE_REPLACE;
    }
    trials_fini(&trials);
    cluster_fini(&cluster);
    return rc;
}

static const struct ew_online ONLINE = {.struct_size = sizeof ONLINE, .observe = observe};

static void destroy_aware(struct ew_strategy *strategy)
{
    forget(strategy->self);
    free(strategy->self);
    free(strategy);
}

static const void *extend_aware(struct ew_strategy *strategy, const char *id)
{
    (void)strategy;
    return strcmp(id, EW_ONLINE_ID) == 0 ? &ONLINE : NULL;
}

/* ------------------------------------------------------------------ the rules */

static int32_t plan_rule(const struct ew_host *host, struct ew_plan_builder *builder,
                         enum dispatch_rule rule, const char *name)
{
    struct cluster cluster = {0};
    struct dispatch_plan plan = {0};
    int32_t rc = cluster_init(&cluster, host, UINT32_MAX);
    if (rc >= 0 && !dispatch_plan_alloc(&plan, cluster.problem.n_nodes)) {
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
    dispatch_plan_free(&plan);
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
} RULES[] = {
    {&INFO_UNIFORM, plan_uniform},
    {&INFO_PROPORTIONAL, plan_proportional},
    {&INFO_UNIFORM_APPROX, plan_uniform_approx},
    {&INFO_PROPORTIONAL_APPROX, plan_proportional_approx},
};
enum { N_RULES = sizeof RULES / sizeof RULES[0] };

static uint32_t entry_count(void)
{
    return N_RULES + 1;
}

static const struct ew_strategy_info *entry_describe(uint32_t index)
{
    return index == 0 ? &INFO_AWARE : index <= N_RULES ? RULES[index - 1].info : NULL;
}

static struct ew_strategy *entry_create(const struct ew_host *host, const char *id)
{
    for (uint32_t i = 0; i < N_RULES; i++) {
        if (strcmp(RULES[i].info->id, id) == 0) {
            return kit_strategy_new(host, RULES[i].info, id, RULES[i].plan);
        }
    }
    return kit_stateful_new(host, &INFO_AWARE, id, plan_aware, sizeof(struct memory), destroy_aware,
                            extend_aware);
}

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = entry_count,
    .describe = entry_describe,
    .create = entry_create,
};
