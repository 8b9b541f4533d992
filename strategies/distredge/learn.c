#include "distredge/learn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"
#include "distredge/actor_file.h"
#include "distredge/blas.h"
#include "distredge/hash.h"
#include "distredge/params.h"

/* From so many devices on the paper's noise is wider. */
enum { MANY_DEVICES = 16 };

/* Splits whose latencies tell platforms apart that look alike in the model's tables. */
enum { N_PROBES = 16 };

/* Of the episodes of a fine-tuning, so many until nothing is explored any more. */
static const double EXPLORED_RATIO = 0.5;

enum { PATH_SIZE = 4096, REASON_SIZE = 512 };

/* Agents that the program's cache keeps, of up to 3 MB each. */
enum { MAX_CACHED = 128 };

/* A search on its way. */
struct learning {
    const struct ew_host *host;
    struct environment *environment;
    const struct learn_how *how;
    struct osds_options options;
    struct blas blas;
    struct osds_networks start;    /* to start from; memory NULL: none */
    struct osds_networks networks; /* of the best split */
    uint64_t key;
    char path[PATH_SIZE]; /* of the cached actor; "" for none */
    uint64_t n_before;    /* evaluations before the search */
};

/* ------------------------------------------------------------------ random numbers */

static uint64_t next_bits(void *ctx)
{
    const struct ew_host *host = ctx;
    return host->rand_u64(host);
}

struct draw learn_draw(const struct ew_host *host)
{
    /* The callbacks take the host as const; the context of a draw is not. */
    return (struct draw){next_bits, (void *)(uintptr_t)host};
}

/* ------------------------------------------------------------------ options */

static void show_progress(void *ctx, uint32_t episode, double best_s)
{
    const struct ew_host *host = ctx;
    char text[128];
    snprintf(text, sizeof text, "episode %" PRIu32 " of %" PRId64 ": best %.4g s", episode,
             host->param_int(host, "episodes"), best_s);
    host->log(host, EW_LOG_INFO, text);
}

static struct osds_options read_options(const struct environment *environment,
                                        const struct learn_how *how)
{
    const struct ew_host *host = environment->net->host;
    const double scale_s = how->agent ? how->agent->scale_s : how->scale_s;
    double sigma_2 = host->param_real(host, "sigma_squared");
    uint64_t episodes =
        (uint64_t)host->param_int(host, how->agent ? "finetune_episodes" : "episodes");
    uint64_t n_steps = episodes * environment->problem.n_volumes;
    uint64_t buffer = (uint64_t)host->param_int(host, "replay_buffer");
    uint64_t batch = (uint64_t)host->param_int(host, "replay_batch");
    buffer = buffer < n_steps ? buffer : n_steps;
    return (struct osds_options){
        .max_episodes = (uint32_t)episodes,
        .patience = (uint32_t)host->param_int(host, "patience"),
        .explore_episodes = how->agent ? EXPLORED_RATIO * (double)episodes
                                       : host->param_real(host, "explore_episodes"),
        .sigma_2 = sigma_2 > 0.0                                            ? sigma_2
                   : environment->problem.n_parts >= (uint32_t)MANY_DEVICES ? 1.0
                                                                            : 0.1,
        .batch = (uint32_t)batch,
        .buffer = (uint32_t)(buffer < batch ? batch : buffer),
        .gamma = host->param_real(host, "gamma"),
        .actor_rate = host->param_real(host, "actor_rate"),
        .critic_rate = host->param_real(host, "critic_rate"),
        .tau = host->param_real(host, "tau"),
        .scale_s = isfinite(scale_s) && scale_s > 0.0 ? scale_s : 1.0,
        .starts_unknowing = kit_param_is(host, "first_value", "zero"),
        .rewards_inverse = kit_param_is(host, "reward", "inverse"),
        .inverts_gradients = kit_param_is(host, "bounds", "inverting"),
        .progress = show_progress,
        .progress_ctx = (void *)(uintptr_t)host,
    };
}

/* ------------------------------------------------------------------ the key */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_real(uint64_t hash, double value)
{
    return hash_bytes(hash, &value, sizeof value);
}

/* Latencies of a few fixed splits: part k of the first, k + 1 of the second volume, … */
static int32_t hash_probes(uint64_t *hash, struct environment *environment)
{
    const struct osds_problem *problem = &environment->problem;
    size_t width = problem->n_parts + 1u;
    int32_t *cuts = calloc(problem->n_volumes * width, sizeof *cuts);
    if (!cuts) {
        return kit_fail_memory(environment->net->host);
    }
    uint64_t state = 1;
    int32_t rc = EW_STRATEGY_OK;
    for (int probe = 0; probe < N_PROBES && rc >= 0; probe++) {
        for (uint32_t v = 0; v < problem->n_volumes; v++) {
            int32_t rows = problem->volumes[v].rows;
            for (size_t k = 1; k < width; k++) {
                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                int32_t *cut = &cuts[v * width + k];
                int32_t least = cut[-1];
                *cut = k + 1 == width
                           ? rows
                           : least + (int32_t)((state >> 33) % (uint64_t)(rows - least + 1));
            }
        }
        double latency_s = environment_latency_s(environment, cuts);
        rc = latency_s < 0.0 ? environment->status : EW_STRATEGY_OK;
        *hash = hash_real(*hash, latency_s);
    }
    free(cuts);
    return rc;
}

/* Everything that the outcome depends on: version (new whenever the search changes), volumes,
 * tables, options, the seed, the first actor. */
static int32_t find_key(struct learning *learning, uint64_t seed)
{
    const struct environment *environment = learning->environment;
    const struct osds_options *o = &learning->options;
    const struct osds_problem *problem = &environment->problem;
    uint64_t hash = HASH_START;
    const uint32_t counts[] = {problem->n_volumes,
                               problem->n_parts,
                               o->max_episodes,
                               o->patience,
                               o->batch,
                               o->buffer,
                               (uint32_t)o->rewards_inverse,
                               (uint32_t)o->starts_unknowing,
                               (uint32_t)o->inverts_gradients,
                               (uint32_t)environment->is_recursion};
    const double rates[] = {o->explore_episodes, o->sigma_2, o->gamma,  o->actor_rate,
                            o->critic_rate,      o->tau,     o->scale_s};
    hash = hash_text(hash, DISTREDGE_INFO.version);
    hash = hash_text(hash, learning->blas.library);
    hash = hash_text(hash, learning->blas.kernels);
    hash = hash_bytes(hash, counts, sizeof counts);
    hash = hash_bytes(hash, rates, sizeof rates);
    hash = hash_bytes(hash, problem->volumes, problem->n_volumes * sizeof *problem->volumes);
    hash = hash_bytes(hash, environment->state.starts,
                      problem->n_volumes * sizeof *environment->state.starts);
    hash = model_hash(hash, &environment->data->model);
    if (o->start) {
        hash = hash_bytes(hash, o->start->params, o->start->n_params * sizeof(float));
    }
    hash = hash_bytes(hash, &seed, sizeof seed);
    int32_t rc = hash_probes(&hash, learning->environment);
    learning->key = hash;
    return rc;
}

/* ------------------------------------------------------------------ files */

static bool init_networks(struct osds_networks *networks, uint32_t n_parts, const struct blas *blas)
{
    const struct mlp_shape actor = osds_actor_shape(n_parts);
    const struct mlp_shape critic = osds_critic_shape(n_parts);
    return mlp_init(&networks->actor, &actor, blas, 1, false) &&
           mlp_init(&networks->critic, &critic, blas, 1, false);
}

static void networks_fini(struct osds_networks *networks)
{
    mlp_fini(&networks->actor);
    mlp_fini(&networks->critic);
}

void agent_fini(struct agent *agent)
{
    free(agent->actor);
    free(agent->critic);
    *agent = (struct agent){0};
}

static float *copy_floats(const float *from, uint32_t n)
{
    float *copy = malloc(n * sizeof *copy);
    if (copy) {
        memcpy(copy, from, n * sizeof *copy);
    }
    return copy;
}

/* The actor of a file. Its critic stays behind: it was asked for as an actor, and the caller may
 * not have one. */
static int32_t read_start(struct learning *learning, const char *path)
{
    const struct ew_host *host = learning->host;
    const uint32_t n_parts = learning->environment->problem.n_parts;
    struct actor_record record = {0};
    char reason[REASON_SIZE] = "";
    if (actor_load(&record, path, reason, sizeof reason) != ACTOR_OK) {
        return kit_fail(host, EW_STRATEGY_ECANNOT, "start_actor: %s", reason);
    }
    int32_t rc = EW_STRATEGY_OK;
    if (record.n_parts != n_parts) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT,
                      "start_actor: %s was trained for %" PRIu32 " devices, here are %" PRIu32,
                      path, record.n_parts, n_parts);
    } else if (!init_networks(&learning->start, n_parts, &learning->blas)) {
        rc = kit_fail_memory(host);
    } else {
        memcpy(learning->start.actor.params, record.actor, record.n_actor * sizeof(float));
        learning->options.start = &learning->start.actor;
    }
    actor_record_fini(&record);
    return rc;
}

/* Whom to start from, if anybody. */
static int32_t choose_start(struct learning *learning)
{
    const struct ew_host *host = learning->host;
    const struct agent *agent = learning->how->agent;
    const char *path = host->param_text(host, "start_actor");
    if (!agent) {
        return path[0] == '\0' ? EW_STRATEGY_OK : read_start(learning, path);
    }
    if (!init_networks(&learning->start, agent->n_parts, &learning->blas)) {
        return kit_fail_memory(host);
    }
    memcpy(learning->start.actor.params, agent->actor, agent->n_actor * sizeof(float));
    memcpy(learning->start.critic.params, agent->critic, agent->n_critic * sizeof(float));
    learning->options.start = &learning->start.actor;
    learning->options.start_critic = &learning->start.critic;
    return EW_STRATEGY_OK;
}

/* The folder that the parameter names, or else the host's; NULL: none. */
static const char *find_cache(const struct ew_host *host)
{
    if (kit_param_is(host, "cache_dir", "none")) {
        return NULL;
    }
    if (!kit_param_is(host, "cache_dir", "auto")) {
        return host->param_text(host, "cache_dir");
    }
    const struct ew_cache_info *cache = host->extension(host, EW_CACHE_ID);
    return cache ? cache->dir : NULL;
}

static void choose_path(struct learning *learning)
{
    const char *dir = find_cache(learning->host);
    int n = !dir || dir[0] == '\0'
                ? 0
                : snprintf(learning->path, sizeof learning->path,
                           "%s/distredge-%016" PRIx64 ".actor", dir, learning->key);
    if (n < 0 || (size_t)n >= sizeof learning->path) {
        learning->path[0] = '\0';
    }
}

/* Takes the networks out of the record. */
static void keep_agent(struct learned *learned, const struct learning *learning,
                       struct actor_record *record)
{
    learned->agent = (struct agent){
        .n_parts = record->n_parts,
        .scale_s = learning->options.scale_s,
        .n_actor = record->n_actor,
        .n_critic = record->n_critic,
        .actor = record->actor,
        .critic = record->critic,
    };
    record->actor = record->critic = NULL;
}

static bool fits_problem(const struct actor_record *record, const struct learning *learning)
{
    const struct osds_problem *problem = &learning->environment->problem;
    bool fits = record->key == learning->key && record->n_parts == problem->n_parts &&
                record->n_volumes == problem->n_volumes;
    for (uint32_t v = 0; fits && v < problem->n_volumes; v++) {
        fits =
            record->cuts[(size_t)(v + 1) * (problem->n_parts + 1) - 1] == problem->volumes[v].rows;
    }
    return fits;
}

/* A cached split for just this search. What is wrong with a file is logged, then it is as if it
 * were not there. */
static bool read_cached(const struct learning *learning, struct osds_split *best,
                        struct learned *learned, uint32_t *n_evaluated)
{
    struct actor_record record = {0};
    char reason[REASON_SIZE] = "";
    enum actor_outcome outcome = learning->path[0] == '\0'
                                     ? ACTOR_MISSING
                                     : actor_load(&record, learning->path, reason, sizeof reason);
    if (outcome == ACTOR_FAILED) {
        learning->host->log(learning->host, EW_LOG_WARNING, reason);
    }
    if (outcome != ACTOR_OK) {
        return false;
    }
    learned->is_cached = fits_problem(&record, learning);
    if (learned->is_cached) {
        char text[PATH_SIZE + 64];
        snprintf(text, sizeof text, "trained before: %s", learning->path);
        learning->host->log(learning->host, EW_LOG_INFO, text);
        memcpy(best->cuts, record.cuts,
               (size_t)record.n_volumes * (record.n_parts + 1) * sizeof *best->cuts);
        best->latency_s = record.latency_s;
        learned->history = record.history;
        keep_agent(learned, learning, &record);
        *n_evaluated = record.n_evaluated;
    }
    actor_record_fini(&record);
    return learned->is_cached;
}

static void write_cached(const struct learning *learning, const struct osds_split *best,
                         const struct learned *learned)
{
    char reason[REASON_SIZE] = "";
    const struct agent *agent = &learned->agent;
    const struct actor_record record = {
        .key = learning->key,
        .n_volumes = learning->environment->problem.n_volumes,
        .n_parts = agent->n_parts,
        .latency_s = best->latency_s,
        .history = learned->history,
        .n_evaluated = (uint32_t)(learning->environment->n_evaluated - learning->n_before),
        .cuts = best->cuts,
        .n_actor = agent->n_actor,
        .actor = agent->actor,
        .n_critic = agent->n_critic,
        .critic = agent->critic,
    };
    if (learning->path[0] == '\0') {
        return;
    }
    if (actor_save(learning->path, &record, reason, sizeof reason) != ACTOR_OK) {
        learning->host->log(learning->host, EW_LOG_WARNING, reason);
    } else if (kit_param_is(learning->host, "cache_dir", "auto")) {
        actor_prune(find_cache(learning->host), MAX_CACHED);
    }
}

/* ------------------------------------------------------------------ the whole */

static int32_t take_agent(struct learned *learned, const struct learning *learning)
{
    const struct mlp *actor = &learning->networks.actor;
    const struct mlp *critic = &learning->networks.critic;
    learned->agent = (struct agent){
        .n_parts = learning->environment->problem.n_parts,
        .scale_s = learning->options.scale_s,
        .n_actor = actor->n_params,
        .n_critic = critic->n_params,
        .actor = copy_floats(actor->params, actor->n_params),
        .critic = copy_floats(critic->params, critic->n_params),
    };
    return learned->agent.actor && learned->agent.critic ? EW_STRATEGY_OK
                                                         : kit_fail_memory(learning->host);
}

static int32_t train(struct learning *learning, struct osds_split *best, struct learned *learned)
{
    const struct osds_problem *problem = &learning->environment->problem;
    if (!init_networks(&learning->networks, problem->n_parts, &learning->blas)) {
        return kit_fail_memory(learning->host);
    }
    enum osds_outcome outcome =
        osds_search(best, &learned->history, &learning->networks, problem, &learning->options,
                    &learning->blas, &learning->how->draw);
    if (outcome != OSDS_FOUND) {
        return outcome == OSDS_NO_MEMORY ? kit_fail_memory(learning->host)
                                         : learning->environment->status;
    }
    const int32_t rc = take_agent(learned, learning);
    if (rc >= 0) {
        write_cached(learning, best, learned);
    }
    return rc;
}

static int32_t open_blas(struct blas *blas, const struct ew_host *host)
{
    char reason[REASON_SIZE] = "";
    return blas_open(blas, reason, sizeof reason) == 0
               ? EW_STRATEGY_OK
               : kit_fail(host, EW_STRATEGY_ECANNOT, "a BLAS library is missing: %s", reason);
}

/* Evaluations may be charged, and limit how often is planned anew: what was found before costs as
 * many as finding it. */
static int32_t evaluate_again(struct environment *environment, const struct osds_split *best,
                              uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (environment_latency_s(environment, best->cuts) < 0.0) {
            return environment->status;
        }
    }
    return EW_STRATEGY_OK;
}

static int32_t run(struct learning *learning, struct osds_split *best, struct learned *learned)
{
    const struct draw *draw = &learning->how->draw;
    int32_t rc = open_blas(&learning->blas, learning->host);
    if (rc >= 0) {
        rc = choose_start(learning);
    }
    learned->is_resumed = learning->options.start && !learning->how->agent;
    if (rc >= 0 && learning->how->keeps_files) {
        learned->seed = draw->next(draw->ctx);
        rc = find_key(learning, learned->seed);
        choose_path(learning);
    }
    uint32_t n_evaluated = 0;
    if (rc < 0) {
        return rc;
    }
    learning->n_before = learning->environment->n_evaluated;
    return read_cached(learning, best, learned, &n_evaluated)
               ? evaluate_again(learning->environment, best, n_evaluated)
               : train(learning, best, learned);
}

int32_t learn_split(struct osds_split *best, struct learned *learned,
                    struct environment *environment, const struct learn_how *how)
{
    struct learning *learning = calloc(1, sizeof *learning);
    if (!learning) {
        return kit_fail_memory(environment->net->host);
    }
    learning->host = environment->net->host;
    learning->environment = environment;
    learning->how = how;
    learning->options = read_options(environment, how);
    int32_t rc = run(learning, best, learned);
    networks_fini(&learning->start);
    networks_fini(&learning->networks);
    free(learning);
    return rc;
}

int32_t learn_follow(struct osds_split *out, struct environment *environment,
                     const struct agent *agent, const struct draw *draw)
{
    const struct ew_host *host = environment->net->host;
    const struct mlp_shape shape = osds_actor_shape(agent->n_parts);
    struct mlp actor = {0};
    struct blas blas;
    int32_t rc = open_blas(&blas, host);
    if (rc >= 0 && !mlp_init(&actor, &shape, &blas, 1, false)) {
        rc = kit_fail_memory(host);
    }
    if (rc >= 0) {
        const struct osds_tries tries = {
            .scale_s = agent->scale_s,
            .n = (uint32_t)host->param_int(host, "online_tries"),
            .sigma_2 = host->param_real(host, "online_sigma_squared"),
            .draw = *draw,
        };
        memcpy(actor.params, agent->actor, agent->n_actor * sizeof(float));
        const enum osds_outcome outcome = osds_follow(out, &actor, &environment->problem, &tries);
        rc = outcome == OSDS_FOUND       ? EW_STRATEGY_OK
             : outcome == OSDS_NO_MEMORY ? kit_fail_memory(host)
                                         : environment->status;
    }
    mlp_fini(&actor);
    return rc;
}
