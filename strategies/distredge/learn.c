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

enum { PATH_SIZE = 4096, REASON_SIZE = 512 };

/* Actors that the program's cache keeps, of up to 1.5 MB each. */
enum { MAX_CACHED = 256 };

/* A search on its way. */
struct learning {
    const struct ew_host *host;
    struct environment *environment;
    struct osds_options options;
    struct blas blas;
    struct mlp start; /* actor to start from; memory NULL: none */
    struct mlp actor; /* of the best split */
    uint64_t key;
    char path[PATH_SIZE]; /* of the cached actor; "" for none */
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

static struct osds_options read_options(const struct environment *environment, double single_s)
{
    const struct ew_host *host = environment->net->host;
    double sigma_2 = host->param_real(host, "sigma_squared");
    uint64_t episodes = (uint64_t)host->param_int(host, "episodes");
    uint64_t n_steps = episodes * environment->problem.n_volumes;
    uint64_t buffer = (uint64_t)host->param_int(host, "replay_buffer");
    uint64_t batch = (uint64_t)host->param_int(host, "replay_batch");
    buffer = buffer < n_steps ? buffer : n_steps;
    return (struct osds_options){
        .max_episodes = (uint32_t)episodes,
        .patience = (uint32_t)host->param_int(host, "patience"),
        .explore_episodes = host->param_real(host, "explore_episodes"),
        .sigma_2 = sigma_2 > 0.0                                            ? sigma_2
                   : environment->problem.n_parts >= (uint32_t)MANY_DEVICES ? 1.0
                                                                            : 0.1,
        .batch = (uint32_t)batch,
        .buffer = (uint32_t)(buffer < batch ? batch : buffer),
        .gamma = host->param_real(host, "gamma"),
        .actor_rate = host->param_real(host, "actor_rate"),
        .critic_rate = host->param_real(host, "critic_rate"),
        .tau = host->param_real(host, "tau"),
        .scale_s = isfinite(single_s) && single_s > 0.0 ? single_s : 1.0,
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
static int32_t find_key(struct learning *learning)
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
    const struct ew_host *host = learning->host;
    uint64_t seed = host->rand_u64(host);
    hash = hash_bytes(hash, &seed, sizeof seed);
    int32_t rc = hash_probes(&hash, learning->environment);
    learning->key = hash;
    return rc;
}

/* ------------------------------------------------------------------ files */

static bool init_actor(struct learning *learning, struct mlp *actor)
{
    struct mlp_shape shape = osds_actor_shape(learning->environment->problem.n_parts);
    return mlp_init(actor, &shape, &learning->blas, 1, false);
}

static int32_t read_start(struct learning *learning)
{
    const struct ew_host *host = learning->host;
    const char *path = host->param_text(host, "start_actor");
    struct actor_record record = {0};
    char reason[REASON_SIZE] = "";
    if (path[0] == '\0') {
        return EW_STRATEGY_OK;
    }
    if (actor_load(&record, path, reason, sizeof reason) != ACTOR_OK) {
        return kit_fail(host, EW_STRATEGY_ECANNOT, "start_actor: %s", reason);
    }
    int32_t rc = EW_STRATEGY_OK;
    if (record.n_parts != learning->environment->problem.n_parts) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT,
                      "start_actor: %s was trained for %" PRIu32 " devices, here are %" PRIu32,
                      path, record.n_parts, learning->environment->problem.n_parts);
    } else if (!init_actor(learning, &learning->start)) {
        rc = kit_fail_memory(host);
    } else {
        memcpy(learning->start.params, record.params, record.n_params * sizeof(float));
        learning->options.start = &learning->start;
    }
    actor_record_fini(&record);
    return rc;
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
                        struct learned *learned)
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
    }
    actor_record_fini(&record);
    return learned->is_cached;
}

static void write_cached(const struct learning *learning, const struct osds_split *best,
                         const struct learned *learned)
{
    char reason[REASON_SIZE] = "";
    const struct actor_record record = {
        .key = learning->key,
        .n_volumes = learning->environment->problem.n_volumes,
        .n_parts = learning->environment->problem.n_parts,
        .latency_s = best->latency_s,
        .history = learned->history,
        .cuts = best->cuts,
        .n_params = learning->actor.n_params,
        .params = learning->actor.params,
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

static int32_t train(struct learning *learning, struct osds_split *best, struct learned *learned)
{
    const struct ew_host *host = learning->host;
    const struct draw draw = learn_draw(host);
    if (!init_actor(learning, &learning->actor)) {
        return kit_fail_memory(host);
    }
    enum osds_outcome outcome =
        osds_search(best, &learned->history, &learning->actor, &learning->environment->problem,
                    &learning->options, &learning->blas, &draw);
    if (outcome == OSDS_FOUND) {
        write_cached(learning, best, learned);
        return EW_STRATEGY_OK;
    }
    return outcome == OSDS_NO_MEMORY ? kit_fail_memory(host) : learning->environment->status;
}

static int32_t run(struct learning *learning, struct osds_split *best, struct learned *learned)
{
    const struct ew_host *host = learning->host;
    char reason[REASON_SIZE] = "";
    if (blas_open(&learning->blas, reason, sizeof reason) != 0) {
        return kit_fail(host, EW_STRATEGY_ECANNOT, "a BLAS library is missing: %s", reason);
    }
    int32_t rc = read_start(learning);
    if (rc >= 0) {
        learned->is_resumed = learning->options.start != NULL;
        rc = find_key(learning);
    }
    if (rc < 0) {
        return rc;
    }
    choose_path(learning);
    return read_cached(learning, best, learned) ? EW_STRATEGY_OK : train(learning, best, learned);
}

int32_t learn_split(struct osds_split *best, struct learned *learned,
                    struct environment *environment, double single_s)
{
    struct learning *learning = calloc(1, sizeof *learning);
    if (!learning) {
        return kit_fail_memory(environment->net->host);
    }
    learning->host = environment->net->host;
    learning->environment = environment;
    learning->options = read_options(environment, single_s);
    int32_t rc = run(learning, best, learned);
    mlp_fini(&learning->start);
    mlp_fini(&learning->actor);
    free(learning);
    return rc;
}
