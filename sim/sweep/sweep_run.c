#include "sweep/sweep_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/json_writer.h"
#include "base/system.h"
#include "results/cells.h"
#include "results/report.h"
#include "results/store.h"
#include "sweep/mpi_hub.h"
#include "sweep/pool.h"
#include "sweep/sweep_id.h"
#include "sweep/sweep_worker.h"

enum { ATTEND_MS = 50, QUEUE_ITEMS = 4096, N_SAMPLES = 256, BLOCK = 16 };

static const double COMMIT_S = 0.1, ESTIMATE_S = 5, ENOUGH_S = 1, SHOW_S = 0.1;

/* One point of the sweep. */
struct entry {
    uint64_t raw;
    uint64_t position;
    uint64_t platform; /* hashes: neighbours share what is equal */
    uint64_t question;
    uint64_t problem;
    int64_t number; /* in the store */
};

struct sweeping {
    const struct ew_sweep_context *context;
    const struct ew_sweep_options *options;
    struct ew_store *store;
    struct ew_pool *pool;
    struct ew_mpi_hub *hub; /* in the pool's place, when there are several ranks */
    EW_VEC(struct entry) entries;
    size_t n_added; /* entries handed to the pool */
    double committed_s;
    double shown_s;
    struct ew_sweep_progress progress;
};

/* Asked often, also where nothing else happens for a while. */
static bool is_interrupted(const struct sweeping *s)
{
    if (s->hub) {
        ew_mpi_hub_beat(s->hub);
    }
    return s->options->interrupted && *s->options->interrupted;
}

/* --- the list of points ------------------------------------------------------------------------
 */

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = compare_u64(x->platform, y->platform);
    if (!order) {
        order = compare_u64(x->question, y->question);
    }
    if (!order) {
        order = compare_u64(x->problem, y->problem);
    }
    return order ? order : compare_u64(x->raw, y->raw);
}

static int compare_positions(const void *a, const void *b)
{
    return compare_u64(((const struct entry *)a)->position, ((const struct entry *)b)->position);
}

static enum ew_status list_points(struct sweeping *s, struct ew_error *err)
{
    const struct ew_sweep_points *points = s->context->points;
    uint64_t position = 0;
    for (uint64_t raw = 0; raw < points->n_raw; raw++) {
        if (!ew_sweep_points_has(points, raw)) {
            continue;
        }
        const struct entry entry = {
            .raw = raw,
            .position = position++,
            .platform = ew_sweep_points_hash(points, raw, EW_SWEEP_PART_PLATFORM, EW_HASH_BEGIN),
            .question = ew_sweep_points_hash(points, raw, EW_SWEEP_PART_QUESTION, EW_HASH_BEGIN),
            .problem = ew_sweep_points_hash(points, raw, EW_SWEEP_PART_PROBLEM, EW_HASH_BEGIN),
        };
        if (!ew_vec_push(&s->entries, entry)) {
            return ew_fail_memory(err);
        }
        if (is_interrupted(s)) {
            return ew_fail(err, EW_EINTR, "interrupted");
        }
    }
    return EW_OK;
}

static void sort_by_problem(struct sweeping *s)
{
    if (s->entries.count > 1) {
        qsort(s->entries.items, s->entries.count, sizeof *s->entries.items, compare_entries);
    }
}

/* Problems are dealt out like cards: every shard plans its own. */
static void keep_shard(struct sweeping *s)
{
    const struct ew_sweep_options *o = s->options;
    size_t kept = 0;
    uint64_t group = 0, last_problem = 0;
    if (o->n_shards <= 1) {
        return;
    }
    sort_by_problem(s);
    for (size_t i = 0; i < s->entries.count; i++) {
        const struct entry entry = s->entries.items[i];
        group += i > 0 && entry.problem != last_problem;
        last_problem = entry.problem;
        if (group % o->n_shards == o->shard) {
            s->entries.items[kept++] = entry;
        }
    }
    s->entries.count = kept;
    if (kept > 1) {
        qsort(s->entries.items, kept, sizeof *s->entries.items, compare_positions);
    }
}

static void show(struct sweeping *s, double time_s)
{
    if (s->options->show && time_s - s->shown_s >= SHOW_S) {
        s->options->show(s->options->show_ctx, &s->progress);
        s->shown_s = time_s;
    }
}

/* --- registering -------------------------------------------------------------------------------
 */

static void print_axes(struct ew_str *out, const struct ew_sweep_spec *spec)
{
    struct ew_json json = {.out = out};
    ew_json_array_begin_inline(&json);
    for (uint32_t k = 0; k < spec->n_keys; k++) {
        ew_json_string(&json, spec->keys[k].name);
    }
    ew_json_array_end(&json);
}

static enum ew_status register_entry(struct sweeping *s, struct entry *entry, bool *is_todo,
                                     struct ew_sweep_ids *ids, struct ew_error *err)
{
    char id[EW_SWEEP_ID_SIZE];
    struct ew_str values = {0}, scenario = {0};
    enum ew_store_state state = EW_STORE_NEW;
    enum ew_status status = ew_sweep_id(id, ids, s->context, entry->raw, err);
    ew_sweep_points_values(&values, s->context->points, entry->raw);
    ew_sweep_points_scenario(&scenario, s->context->points, entry->raw);
    if (status == EW_OK && (values.failed || scenario.failed)) {
        status = ew_fail_memory(err);
    }
    if (status == EW_OK) {
        const struct ew_store_point point = {entry->position, id, values.text, scenario.text};
        status = ew_store_register(&entry->number, &state, s->store, &point, err);
    }
    s->progress.n_points += state != EW_STORE_REPEATED;
    s->progress.n_known += state == EW_STORE_RUN || state == EW_STORE_CANNOT;
    *is_todo = state == EW_STORE_NEW || state == EW_STORE_FAILED;
    ew_str_fini(&values);
    ew_str_fini(&scenario);
    return status;
}

/* Keeps the entries that are still to be done. */
static enum ew_status register_points(struct sweeping *s, struct ew_error *err)
{
    struct ew_sweep_ids ids = {0};
    struct ew_str axes = {0};
    size_t kept = 0;
    print_axes(&axes, s->context->points->spec);
    enum ew_status status = axes.failed ? ew_fail_memory(err) : EW_OK;
    if (status == EW_OK) {
        status = ew_store_register_begin(s->store, axes.text, s->options->sweep_text, err);
    }
    for (size_t i = 0; status == EW_OK && i < s->entries.count; i++) {
        struct entry entry = s->entries.items[i];
        bool is_todo = false;
        status = register_entry(s, &entry, &is_todo, &ids, err);
        if (is_todo) {
            s->entries.items[kept++] = entry;
        }
        show(s, ew_now_s());
        if (status == EW_OK && is_interrupted(s)) {
            status = ew_fail(err, EW_EINTR, "interrupted");
        }
    }
    if (status == EW_OK) {
        status = ew_store_register_end(s->store, err);
    }
    s->entries.count = kept;
    s->progress.n_todo = kept;
    ew_str_fini(&axes);
    ew_sweep_ids_fini(&ids);
    sort_by_problem(s);
    return status;
}

/* --- answers -----------------------------------------------------------------------------------
 */

/* An answer that begins with EW_SWEEP_ANSWER_FAILURE. */
static void note_failure(struct sweeping *s, const char *answer, size_t size)
{
    struct ew_sweep_progress *p = &s->progress;
    struct ew_cell_cursor cells = {answer + 1, size - 1};
    struct ew_cell kind = {0}, message = {0};
    (void)ew_cell_next(&kind, &cells);
    (void)ew_cell_next(&message, &cells);
    const char *cannot = ew_status_text(EW_ENOTSUP);
    if (kind.size == strlen(cannot) && memcmp(kind.text, cannot, kind.size) == 0) {
        p->n_cannot++;
        return;
    }
    if (p->n_failed++ == 0) {
        (void)snprintf(p->first_failure, sizeof p->first_failure, "%.*s: %.*s", (int)kind.size,
                       kind.text, (int)(message.size < 400 ? message.size : 400), message.text);
    }
}

/* What a worker that died could not say. */
static void print_death(struct ew_str *answer, const struct sweeping *s,
                        const struct ew_pool_answer *dead)
{
    char text[128];
    if (dead->end == EW_POOL_TIME_LIMIT) {
        (void)snprintf(text, sizeof text, "not finished within %g s", s->options->time_limit_s);
        ew_sweep_answer_failure(answer, "time limit", text);
        return;
    }
    (void)snprintf(text, sizeof text, "the worker process ended with %s %d",
                   WIFSIGNALED(dead->wait_status) ? "signal" : "exit code",
                   WIFSIGNALED(dead->wait_status) ? WTERMSIG(dead->wait_status)
                                                  : WEXITSTATUS(dead->wait_status));
    ew_sweep_answer_failure(answer, "crash", text);
}

static enum ew_status take_answer(void *ctx, const struct ew_pool_answer *a, struct ew_error *err)
{
    struct sweeping *s = ctx;
    struct ew_str answer = {0};
    if (a->end == EW_POOL_DONE) {
        ew_str_append_n(&answer, a->bytes, a->size);
    } else {
        print_death(&answer, s, a);
    }
    enum ew_status status = answer.failed ? ew_fail_memory(err) : EW_OK;
    if (status == EW_OK && answer.length == 0) {
        status = ew_fail(err, EW_EIO, "a worker process gave an empty answer");
    }
    if (status == EW_OK) {
        const bool is_failure = answer.text[0] == EW_SWEEP_ANSWER_FAILURE;
        if (is_failure) {
            note_failure(s, answer.text, answer.length);
        }
        s->progress.n_done++;
        status = ew_store_add(s->store, s->entries.items[a->tag].number, is_failure,
                              answer.text + 1, answer.length - 1, err);
    }
    ew_str_fini(&answer);
    return status;
}

/* --- whoever works -----------------------------------------------------------------------------
 */

static uint64_t count_open(const struct sweeping *s)
{
    return s->hub ? ew_mpi_hub_open_items(s->hub) : ew_pool_open_items(s->pool);
}

static uint64_t count_waiting(const struct sweeping *s)
{
    return s->hub ? ew_mpi_hub_waiting_items(s->hub) : ew_pool_waiting_items(s->pool);
}

static void forget_waiting(struct sweeping *s)
{
    (void)(s->hub ? ew_mpi_hub_forget(s->hub) : ew_pool_forget(s->pool));
}

static enum ew_status add_entry(struct sweeping *s, size_t index, struct ew_error *err)
{
    const struct entry *e = &s->entries.items[index];
    return s->hub ? ew_mpi_hub_add(s->hub, e->raw, e->problem, index, err)
                  : ew_pool_add(s->pool, e->raw, e->problem, index, err);
}

static enum ew_status attend(struct sweeping *s, struct ew_error *err)
{
    return s->hub ? ew_mpi_hub_attend(s->hub, ATTEND_MS, take_answer, s, err)
                  : ew_pool_attend(s->pool, ATTEND_MS, take_answer, s, err);
}

/* --- running -----------------------------------------------------------------------------------
 */

static enum ew_status feed(struct sweeping *s, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    while (status == EW_OK && s->n_added < s->entries.count && count_waiting(s) < QUEUE_ITEMS) {
        status = add_entry(s, s->n_added++, err);
    }
    return status;
}

static enum ew_status tick(struct sweeping *s, struct ew_error *err)
{
    const double time_s = ew_now_s();
    enum ew_status status = EW_OK;
    if (time_s - s->committed_s >= COMMIT_S) {
        status = ew_store_commit(s->store, err);
        s->committed_s = time_s;
    }
    show(s, time_s);
    return status;
}

static enum ew_status run_points(struct sweeping *s, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    s->progress.begin_s = s->committed_s = ew_now_s();
    while (status == EW_OK) {
        if (is_interrupted(s)) {
            status = ew_fail(err, EW_EINTR, "interrupted");
            break;
        }
        if (s->progress.n_failed > 0 && !s->options->keeps_going) {
            s->n_added = s->entries.count;
            forget_waiting(s);
        }
        status = feed(s, err);
        if (status == EW_OK && count_open(s) == 0) {
            break;
        }
        if (status == EW_OK) {
            status = attend(s, err);
        }
        if (status == EW_OK) {
            status = tick(s, err);
        }
    }
    /* what came before an interruption counts */
    const enum ew_status kept = ew_store_commit(s->store, status == EW_OK ? err : NULL);
    return status == EW_OK ? kept : status;
}

/* --- what workers work on ----------------------------------------------------------------------
 */

static void *begin_work(void *ctx)
{
    const struct sweeping *s = ctx;
    return ew_sweep_worker_new(s->context);
}

/* Workers are forked before the entries are listed: they know points by their numbers among all
 * combinations. */
static void do_work(void *state, uint64_t item, struct ew_str *answer)
{
    if (state) {
        ew_sweep_worker_run(state, item, answer);
    } else {
        ew_sweep_answer_failure(answer, ew_status_text(EW_ENOMEM), "out of memory");
    }
}

static void end_work(void *state)
{
    ew_sweep_worker_free(state);
}

/* All that the store sees. */
static enum ew_status sweep(struct sweeping *s, struct ew_error *err)
{
    enum ew_status status = ew_store_open(&s->store, s->options->store_path, err);
    if (status == EW_OK) {
        status = list_points(s, err);
    }
    if (status == EW_OK) {
        keep_shard(s);
        status = register_points(s, err);
    }
    if (status == EW_OK) {
        status = run_points(s, err);
    }
    const enum ew_status closed = ew_store_close(s->store, status == EW_OK ? err : NULL);
    return status == EW_OK ? closed : status;
}

/* One of several ranks: the first has the store, the others work for it until the end. */
static enum ew_status sweep_together(struct sweeping *s, const struct ew_pool_job *job,
                                     struct ew_error *err)
{
    const struct ew_sweep_options *o = s->options;
    struct ew_foreman *foreman = NULL;
    int rank = 0;
    enum ew_status status = ew_foreman_start(&foreman, job, o->n_jobs, err);
    if (status == EW_OK) {
        status = ew_mpi_hub_open(&s->hub, &rank, o->mpi_module, foreman, o->n_jobs, err);
    }
    s->progress.is_helper = rank > 0;
    if (status == EW_OK) {
        status = rank > 0 ? ew_mpi_hub_serve(s->hub, o->interrupted, err) : sweep(s, err);
        s->progress.n_lost_ranks = ew_mpi_hub_lost(s->hub);
    }
    ew_mpi_hub_close(s->hub);
    ew_foreman_stop(foreman);
    return status;
}

enum ew_status ew_sweep_run(struct ew_sweep_progress *out, const struct ew_sweep_context *context,
                            const struct ew_sweep_options *options, struct ew_error *err)
{
    struct sweeping s = {.context = context, .options = options, .shown_s = ew_now_s()};
    const struct ew_pool_job job = {begin_work, do_work, end_work, &s, options->time_limit_s};
    enum ew_status status;
    if (options->is_distributed) {
        status = sweep_together(&s, &job, err);
    } else {
        status = ew_pool_start(&s.pool, &job, options->n_jobs, err);
        if (status == EW_OK) {
            status = sweep(&s, err);
        }
        ew_pool_stop(s.pool);
    }
    ew_vec_fini(&s.entries);
    *out = s.progress;
    return status;
}

/* --- estimate ----------------------------------------------------------------------------------
 */

/* Answers so far. The first ones of every worker pay for what it opens. */
struct trial {
    struct sweeping *s;
    uint32_t n_done, n_cold;
    double cold_s; /* when the last of the first came */
};

static enum ew_status count_answer(void *ctx, const struct ew_pool_answer *answer,
                                   struct ew_error *err)
{
    struct trial *t = ctx;
    (void)err;
    if (answer->size > 0 && answer->bytes[0] == EW_SWEEP_ANSWER_FAILURE) {
        note_failure(t->s, answer->bytes, answer->size);
    }
    if (++t->n_done == t->n_cold) {
        t->cold_s = ew_now_s();
    }
    return EW_OK;
}

/* Blocks of neighbours, which share what they share in the sweep, spread over it. */
static enum ew_status add_samples(struct sweeping *s, size_t n_samples, struct ew_error *err)
{
    const size_t n = s->entries.count, n_blocks = (n_samples + BLOCK - 1) / BLOCK;
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < n_samples; i++) {
        const size_t block = i / BLOCK;
        const size_t first = n_samples < n ? block * (n - BLOCK) / n_blocks : block * BLOCK;
        status = ew_pool_add(s->pool, s->entries.items[first + i % BLOCK].raw, block, i, err);
    }
    return status;
}

/* Long enough to say something, or too long. */
static bool is_tried(const struct trial *t, size_t n_samples, double elapsed_s)
{
    return t->n_done >= n_samples || elapsed_s > ESTIMATE_S ||
           (elapsed_s > ENOUGH_S && t->n_done >= t->n_cold + BLOCK);
}

static double extrapolate(const struct trial *t, size_t n, double begin_s, double end_s)
{
    if (t->n_done == n || t->n_done == 0) {
        return n ? (t->n_done ? end_s - begin_s : NAN) : 0;
    }
    return t->n_done > t->n_cold
               ? t->cold_s - begin_s +
                     (end_s - t->cold_s) / (t->n_done - t->n_cold) * (double)(n - t->n_cold)
               : (end_s - begin_s) / t->n_done * (double)n;
}

enum ew_status ew_sweep_estimate(struct ew_sweep_estimate *out,
                                 const struct ew_sweep_context *context,
                                 const struct ew_sweep_options *options, struct ew_error *err)
{
    struct sweeping s = {.context = context, .options = options};
    const struct ew_pool_job job = {begin_work, do_work, end_work, &s, options->time_limit_s};
    struct trial trial = {.s = &s, .n_cold = options->n_jobs};
    enum ew_status status = ew_pool_start(&s.pool, &job, options->n_jobs, err);
    if (status == EW_OK) {
        status = list_points(&s, err);
    }
    keep_shard(&s);
    sort_by_problem(&s);
    const size_t n = s.entries.count, n_samples = n < N_SAMPLES ? n : N_SAMPLES;
    if (status == EW_OK) {
        status = add_samples(&s, n_samples, err);
    }
    const double begin_s = ew_now_s();
    while (status == EW_OK && !is_tried(&trial, n_samples, ew_now_s() - begin_s)) {
        status = is_interrupted(&s) ? ew_fail(err, EW_EINTR, "interrupted")
                                    : ew_pool_attend(s.pool, ATTEND_MS, count_answer, &trial, err);
    }
    *out = (struct ew_sweep_estimate){
        .n_points = n,
        .n_samples = trial.n_done,
        .n_failed = s.progress.n_failed,
        .seconds = extrapolate(&trial, n, begin_s, ew_now_s()),
    };
    memcpy(out->first_failure, s.progress.first_failure, sizeof out->first_failure);
    ew_pool_stop(s.pool);
    ew_vec_fini(&s.entries);
    return status;
}
