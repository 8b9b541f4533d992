#include "plugin/check_trial.h"

#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/book_wire.h"
#include "plugin/check_problems.h"
#include "plugin/guard.h"

#if defined(EW_SANITIZED)
#include <sanitizer/lsan_interface.h>
#endif

enum { LEAK_WARM_UP = 8, LEAK_LIVES = 24, LEAK_EXCEPTIONS = 3, LEAST_CHUNK_BYTES = 16 };

/* What a trial works with. */
struct bench {
    const struct ew_trial *trial;
    struct ew_check_problem problem;
    struct ew_params params;
    struct ew_trial_result *result;
};

static void say(struct ew_trial_result *result, enum ew_verdict verdict, const char *fmt, ...)
    EW_PRINTF(3, 4);

static void say(struct ew_trial_result *result, enum ew_verdict verdict, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    result->verdict = verdict;
    (void)vsnprintf(result->detail, sizeof result->detail, fmt, args);
    va_end(args);
}

/* The verdict on a status of making or planning. */
static void judge(struct ew_trial_result *result, enum ew_status status, const struct ew_error *err)
{
    if (status == EW_OK) {
        say(result, EW_VERDICT_PASS, "%s", "");
    } else if (status == EW_ENOTSUP) {
        say(result, EW_VERDICT_SKIP, "cannot serve: %s", err->message);
    } else {
        say(result, EW_VERDICT_FAIL, "%s", err->message);
    }
}

/* ---------------------------------------------------------------------------------------- printing
 */

/* Standard output goes into a pipe nobody waits for; returns where to look, -1 when there is none.
 */
static int catch_output(void)
{
    int ends[2];
    (void)fflush(stdout); /* what the parent had pending goes where the guard sent it: nowhere */
    if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0 ||
        dup2(ends[1], STDOUT_FILENO) < 0) {
        return -1;
    }
    return ends[0];
}

static bool has_output(int fd)
{
    (void)fflush(stdout);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&waiting, 1, 0) > 0;
}

/* -------------------------------------------------------------------------------------- the trials
 */

static enum ew_status new_instance(struct ew_instance **out, const struct bench *bench,
                                   struct ew_error *err)
{
    const struct ew_strategy_ref *ref = &bench->trial->strategy;
    return ew_instance_new(out, ref->plugin->entry, ref->info, &bench->params,
                           &bench->problem.problem, bench->trial->services, err);
}

/* Plan and append the book's bytes. */
static enum ew_status plan_bytes(struct ew_str *bytes, struct ew_instance *instance,
                                 const struct bench *bench, struct ew_error *err)
{
    struct ew_book *book = NULL;
    const enum ew_status status = ew_instance_plan(&book, instance, err);
    if (status == EW_OK) {
        ew_book_wire_put(bytes, &bench->problem.problem.context, book);
    }
    ew_book_free(book);
    return status == EW_OK && bytes->failed ? ew_fail_memory(err) : status;
}

/* "7 pieces on 3 devices", for people. */
static void describe_book(struct ew_trial_result *result, const struct ew_str *bytes,
                          const struct bench *bench)
{
    struct ew_book *book = NULL;
    struct ew_error err = {0};
    if (ew_book_wire_get(&book, bytes->text, bytes->length, &bench->problem.problem.context,
                         &err)) {
        say(result, EW_VERDICT_FAIL, "%s", err.message);
        return;
    }
    const struct ew_plan *plan = book->plans[0];
    bool used[32] = {false};
    uint32_t n_devices = 0;
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        bool *is_used = &used[plan->pieces[i].device % (sizeof used / sizeof *used)];
        n_devices += !*is_used;
        *is_used = true;
    }
    say(result, EW_VERDICT_PASS, "%u piece%s on %u device%s", plan->n_pieces,
        plan->n_pieces == 1 ? "" : "s", n_devices, n_devices == 1 ? "" : "s");
    ew_book_free(book);
}

static bool is_same(const struct ew_str *a, const struct ew_str *b)
{
    return a->length == b->length && memcmp(ew_str_text(a), ew_str_text(b), a->length) == 0;
}

static void try_plan(struct bench *bench)
{
    struct ew_instance *objects[2] = {NULL, NULL};
    struct ew_str bytes[3] = {{0}, {0}, {0}}; /* the first object plans twice */
    struct ew_error err = {0};
    enum ew_status status = EW_OK;
    for (int i = 0; i < 2 && status == EW_OK; i++) {
        status = new_instance(&objects[i], bench, &err);
    }
    for (int i = 0; i < 3 && status == EW_OK; i++) {
        status = plan_bytes(&bytes[i], objects[i / 2], bench, &err);
    }
    judge(bench->result, status, &err);
    if (status == EW_OK) {
        bench->result->is_same = is_same(&bytes[0], &bytes[1]) && is_same(&bytes[0], &bytes[2]);
        describe_book(bench->result, &bytes[0], bench);
    }
    for (int i = 0; i < 3; i++) {
        ew_str_fini(&bytes[i]);
    }
    ew_instance_free(objects[0]);
    ew_instance_free(objects[1]);
}

/* Tell it each cause; the bytes say what was decided. */
static enum ew_status observe_bytes(struct ew_str *bytes, struct ew_instance *instance,
                                    const struct ew_online *online, const struct bench *bench,
                                    struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < 3 && status == EW_OK; i++) {
        const struct ew_observation now = {
            .struct_size = sizeof now, .causes = 1u << i, .time_s = i + 1, .number = i + 1};
        struct ew_book *book = NULL;
        status = ew_instance_observe(&book, instance, online, &now, err);
        const char decision = book ? 'r' : 'k';
        ew_str_append_n(bytes, &decision, 1);
        if (book) {
            ew_book_wire_put(bytes, &bench->problem.problem.context, book);
        }
        ew_book_free(book);
        status = status == EW_ENOTSUP ? EW_OK : status; /* the plan in force stays */
    }
    return status;
}

/* Jobs of a made-up run: nothing measured yet; something measured, several wait; one device is
 * gone, and an attempt has failed. */
static enum ew_status pick_bytes(struct ew_str *bytes, struct ew_instance *instance,
                                 const struct ew_online *online, const struct ew_book *book,
                                 const struct bench *bench, struct ew_error *err)
{
    const uint32_t n = bench->problem.problem.context.platform->n_devices, n_plans = book->n_plans;
    double *task_ratio = calloc(n, sizeof *task_ratio);
    double *bytes_per_s = calloc((size_t)n * n, sizeof *bytes_per_s);
    uint32_t *queued = calloc(n, sizeof *queued), *is_up = calloc(n, sizeof *is_up);
    uint32_t *plan_requests = calloc(n_plans, sizeof *plan_requests);
    enum ew_status status =
        task_ratio && bytes_per_s && queued && is_up && plan_requests ? EW_OK : ew_fail_memory(err);
    for (uint32_t i = 0; i < 3 && status == EW_OK; i++) {
        for (uint32_t k = 0; k < n_plans; k++) {
            plan_requests[k] = (uint32_t)book->plans[k]->batch;
        }
        for (uint32_t d = 0; d < n; d++) {
            task_ratio[d] = i == 0 ? NAN : 1.0 + 0.25 * i;
            queued[d] = i * d;
            is_up[d] = i < 2 || d + 1 < n;
            for (uint32_t e = 0; e < n; e++) {
                bytes_per_s[(size_t)d * n + e] = i == 0 ? NAN : 1e6 / i;
            }
        }
        const struct ew_job_observation job = {
            .struct_size = sizeof job,
            .n_plans = n_plans,
            .time_s = i,
            .first_request = i,
            .waited_s = 0.5 * i,
            .deadline_s = bench->problem.problem.deadline_s,
            .n_attempts = i == 2,
            .n_waiting = i == 1 ? 3 : 1,
            .n_running = i == 1,
            .can_wait = i == 1,
            .last_plan = i == 0 ? EW_ID_NONE : 0,
            .n_devices = n,
            .last_latency_s = i == 0 ? NAN : 0.25,
            .plan_requests = plan_requests,
            .task_ratio = task_ratio,
            .queued = queued,
            .is_up = is_up,
            .measured_bytes_per_s = bytes_per_s,
        };
        struct ew_job_decision decision;
        status = ew_instance_pick(&decision, instance, online, &job, err);
        ew_str_append_n(bytes, (const char *)&decision, sizeof decision);
    }
    free(task_ratio);
    free(bytes_per_s);
    free(queued);
    free(is_up);
    free(plan_requests);
    return status;
}

/* Plan, then all decisions; the bytes say what they were. */
static enum ew_status decide_bytes(struct ew_str *bytes, struct ew_instance *instance,
                                   const struct ew_online *online, const struct bench *bench,
                                   struct ew_error *err)
{
    struct ew_book *book = NULL;
    enum ew_status status = ew_instance_plan(&book, instance, err);
    if (status == EW_OK) {
        ew_book_wire_put(bytes, &bench->problem.problem.context, book);
    }
    if (status == EW_OK && online->pick && book->pick == EW_PICK_ONLINE) {
        status = pick_bytes(bytes, instance, online, book, bench, err);
    } else if (status == EW_OK && online->observe) {
        status = observe_bytes(bytes, instance, online, bench, err);
    }
    ew_book_free(book);
    return status == EW_OK && bytes->failed ? ew_fail_memory(err) : status;
}

/* Another object, and the same one after another plan, must decide the same. */
static void try_observe(struct bench *bench)
{
    struct ew_instance *objects[2] = {NULL, NULL};
    struct ew_online online[2] = {{0}, {0}};
    struct ew_str bytes[3] = {{0}, {0}, {0}};
    struct ew_error err = {0};
    enum ew_status status = EW_OK;
    for (int i = 0; i < 2 && status == EW_OK; i++) {
        status = new_instance(&objects[i], bench, &err);
        if (status == EW_OK) {
            status = ew_instance_online(&online[i], objects[i], &err);
        }
    }
    const bool has_online = online[0].struct_size && online[1].struct_size;
    for (int i = 0; has_online && i < 3 && status == EW_OK; i++) {
        status = decide_bytes(&bytes[i], objects[i / 2], &online[i / 2], bench, &err);
    }
    judge(bench->result, status, &err);
    if (status == EW_OK && !has_online) {
        say(bench->result, EW_VERDICT_SKIP, "%s", "");
    } else if (status == EW_OK &&
               !(is_same(&bytes[0], &bytes[1]) && is_same(&bytes[0], &bytes[2]))) {
        say(bench->result, EW_VERDICT_FAIL, "decides otherwise when it is told the same again");
    }
    for (int i = 0; i < 3; i++) {
        ew_str_fini(&bytes[i]);
    }
    ew_instance_free(objects[0]);
    ew_instance_free(objects[1]);
}

static void try_create(struct bench *bench)
{
    struct ew_error err = {0};
    enum ew_status status = EW_OK;
    for (int i = 0; i < 2 && status == EW_OK; i++) {
        struct ew_instance *instance = NULL;
        status = new_instance(&instance, bench, &err);
        ew_instance_free(instance);
    }
    judge(bench->result, status, &err);
}

static void try_setting(struct bench *bench)
{
    struct ew_instance *instance = NULL;
    struct ew_str bytes = {0};
    struct ew_error err = {0};
    enum ew_status status = new_instance(&instance, bench, &err);
    if (status == EW_OK) {
        status = plan_bytes(&bytes, instance, bench, &err);
    }
    judge(bench->result, status, &err);
    ew_str_fini(&bytes);
    ew_instance_free(instance);
}

/* A strategy may fail with the host, or find a way around. It must not return 0 with a bad plan. */
static void try_fault(struct bench *bench)
{
    const struct ew_trial *trial = bench->trial;
    struct ew_instance *instance = NULL;
    struct ew_str bytes = {0};
    struct ew_error err = {0};
    enum ew_status status = new_instance(&instance, bench, &err);
    if (status == EW_OK) {
        ew_instance_inject(instance, trial->fault_at ? trial->fault : EW_FAULT_NONE,
                           trial->fault_at);
        status = plan_bytes(&bytes, instance, bench, &err);
        bench->result->n_calls = ew_instance_calls(instance, trial->fault);
        const bool gave_up = status == EW_EPLUGIN || status == EW_ENOMEM;
        if (gave_up && ew_instance_plan_code(instance) < 0) {
            status = EW_OK; /* it looked at what it got */
        }
    }
    judge(bench->result, status, &err);
    ew_str_fini(&bytes);
    ew_instance_free(instance);
}

static void try_describe(struct bench *bench)
{
    const struct ew_plugin *plugin = bench->trial->strategy.plugin;
    for (int round = 0; round < 2; round++) {
        if (plugin->entry->count() != plugin->count) {
            say(bench->result, EW_VERDICT_FAIL, "count gives another number than before");
            return;
        }
        for (uint32_t i = 0; i < plugin->count; i++) {
            const struct ew_strategy_info *info = plugin->entry->describe(i);
            if (info != plugin->infos[i]) {
                say(bench->result, EW_VERDICT_FAIL,
                    "describe(%u) gives another descriptor than before", i);
                return;
            }
        }
    }
    say(bench->result, EW_VERDICT_PASS, "%s", "");
}

/* Make, plan, destroy; the book is freed. */
static enum ew_status live_once(const struct bench *bench, struct ew_error *err)
{
    struct ew_instance *instance = NULL;
    struct ew_book *book = NULL;
    enum ew_status status = new_instance(&instance, bench, err);
    if (status == EW_OK) {
        status = ew_instance_plan(&book, instance, err);
    }
    ew_book_free(book);
    ew_instance_free(instance);
    return status;
}

/* One life in a thread of its own: what malloc keeps at hand for a thread counts as handed out
 * until the thread ends. */
struct life {
    const struct bench *bench;
    enum ew_status status;
    struct ew_error *err;
};

static void *live(void *arg)
{
    struct life *life = arg;
    life->status = live_once(life->bench, life->err);
    return NULL;
}

static enum ew_status live_apart(const struct bench *bench, struct ew_error *err)
{
    struct life life = {.bench = bench, .err = err};
    pthread_t thread;
    if (pthread_create(&thread, NULL, live, &life) == 0) {
        (void)pthread_join(thread, NULL);
    } else {
        (void)live(&life);
    }
    return life.status;
}

/* Bytes that malloc has handed out; 0 when it does not tell. */
static size_t heap_bytes(void)
{
#if defined(__GLIBC__) && !defined(EW_SANITIZED)
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

static bool has_leaks(void)
{
#if defined(EW_SANITIZED)
    return __lsan_do_recoverable_leak_check() != 0;
#else
    return false;
#endif
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* A leak takes memory in every life. What malloc keeps for itself comes and goes, so that in many
 * lives nothing is taken. */
static void try_leak(struct bench *bench)
{
    struct ew_error err = {0};
    enum ew_status status = EW_OK;
    size_t taken_bytes[LEAK_LIVES] = {0};
    for (int i = -LEAK_WARM_UP; i < LEAK_LIVES && status == EW_OK; i++) {
        const size_t before = heap_bytes();
        status = live_apart(bench, &err);
        const size_t after = heap_bytes();
        if (i >= 0) {
            taken_bytes[i] = after > before ? after - before : 0;
        }
    }
    judge(bench->result, status, &err);
    if (status) {
        return;
    }
    qsort(taken_bytes, LEAK_LIVES, sizeof *taken_bytes, compare_sizes);
    if (taken_bytes[LEAK_EXCEPTIONS] >= LEAST_CHUNK_BYTES) {
        say(bench->result, EW_VERDICT_FAIL, "about %zu bytes per plan are never freed",
            taken_bytes[LEAK_LIVES / 2]);
    } else if (has_leaks()) {
        say(bench->result, EW_VERDICT_FAIL, "LeakSanitizer found leaks, see standard error");
    }
}

/* --------------------------------------------------------------------------------------- the child
 */

static enum ew_status prepare(struct bench *bench, struct ew_error *err)
{
    const struct ew_trial *trial = bench->trial;
    enum ew_status status = ew_check_problem_init(&bench->problem, trial->problem, err);
    if (status != EW_OK || !trial->strategy.info) { /* a trial of the file has none */
        return status;
    }
    struct ew_param_setting *settings = calloc(trial->n_base + 1, sizeof *settings);
    if (!settings) {
        return ew_fail_memory(err);
    }
    size_t n = 0;
    for (; n < trial->n_base; n++) {
        settings[n] = trial->base[n];
    }
    if (trial->setting.name) {
        settings[n++] = trial->setting;
    }
    status = ew_params_make(&bench->params, trial->strategy.info, settings, n, err);
    free(settings);
    return status;
}

static void run_trial(struct bench *bench)
{
    switch (bench->trial->kind) {
    case EW_TRIAL_DESCRIBE:
        try_describe(bench);
        break;
    case EW_TRIAL_CREATE:
        try_create(bench);
        break;
    case EW_TRIAL_PLAN:
        try_plan(bench);
        break;
    case EW_TRIAL_SETTING:
        try_setting(bench);
        break;
    case EW_TRIAL_FAULT:
        try_fault(bench);
        break;
    case EW_TRIAL_LEAK:
        try_leak(bench);
        break;
    case EW_TRIAL_OBSERVE:
        try_observe(bench);
        break;
    }
}

static enum ew_status run_in_child(void *ctx, struct ew_str *answer, struct ew_error *err)
{
    struct ew_trial_result result = {0};
    struct bench bench = {.trial = ctx, .result = &result};
    const int output = catch_output();
    const enum ew_status status = prepare(&bench, err);
    if (status == EW_OK) {
        run_trial(&bench);
        result.has_printed = has_output(output);
        ew_str_append_n(answer, (const char *)&result, sizeof result);
    }
    ew_params_fini(&bench.params);
    ew_check_problem_fini(&bench.problem);
    return status;
}

enum ew_status ew_trial_run(struct ew_trial_result *out, const struct ew_trial *trial,
                            double limit_s, struct ew_error *err)
{
    static const char *const names[] = {
        [EW_TRIAL_DESCRIBE] = "describe", [EW_TRIAL_CREATE] = "create", [EW_TRIAL_PLAN] = "plan",
        [EW_TRIAL_SETTING] = "plan",      [EW_TRIAL_FAULT] = "plan",    [EW_TRIAL_LEAK] = "plan",
        [EW_TRIAL_OBSERVE] = "observe",
    };
    struct ew_str answer = {0};
    enum ew_status status = ew_guard_run(&answer, run_in_child, (void *)(uintptr_t)trial, limit_s,
                                         names[trial->kind], err);
    if (status == EW_OK && answer.length != sizeof *out) {
        status = ew_fail(err, EW_EPLUGIN, "%s: what it sent back is damaged", names[trial->kind]);
    }
    if (status == EW_OK) {
        memcpy(out, answer.text, sizeof *out);
        out->verdict = out->verdict <= EW_VERDICT_SKIP ? out->verdict : EW_VERDICT_FAIL;
        out->detail[sizeof out->detail - 1] = '\0';
    }
    ew_str_fini(&answer);
    return status;
}
