#include "sweep/pool.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>

#include "base/system.h"
#endif

enum {
    MAX_AHEAD = 64,        /* items in hand of one worker */
    FLUSH_BYTES = 1 << 16, /* of answers gathered in a worker */
    MAX_IDLE_DEATHS = 5,
};

static const double FLUSH_S = 0.02, END_S = 0.5;

/* In front of every answer. */
struct frame {
    uint64_t item;
    uint64_t size;
};

struct worker {
    pid_t pid; /* 0: none */
    int to, from;
    EW_VEC(struct ew_item)
    in_hand; /* in the order sent; answered ones are removed from the front */
    size_t n_answered;
    struct ew_item_taker taker;
    uint32_t n_idle_deaths; /* without anything in hand, one after the other */
    struct ew_str received;
};

struct ew_pool {
    struct ew_pool_job job;
    uint32_t n_workers;
    struct worker workers[EW_POOL_MAX_WORKERS];
    const struct ew_item_taker *takers[EW_POOL_MAX_WORKERS]; /* of the workers */
    struct ew_item_queue queue;
    EW_VEC(struct ew_item) again; /* to be done one by one */
    uint64_t n_open;
};

static size_t count_in_hand(const struct worker *w)
{
    return w->in_hand.count - w->n_answered;
}

/* --- in the worker -----------------------------------------------------------------------------
 */

static void set_alarm(timer_t timer, double limit_s)
{
    struct itimerspec when = {0};
    if (isfinite(limit_s)) {
        when.it_value.tv_sec = (time_t)limit_s;
        when.it_value.tv_nsec = (long)((limit_s - floor(limit_s)) * 1e9);
    }
    (void)timer_settime(timer, 0, &when, NULL);
}

static bool is_idle(int fd)
{
    struct pollfd in = {.fd = fd, .events = POLLIN};
    return poll(&in, 1, 0) == 0;
}

/* Until the parent closes the pipe. The alarm kills: a plugin may be stuck in its own code. */
static _Noreturn void live(const struct ew_pool_job *job, int from_parent, int to_parent)
{
    struct ew_str answers = {0};
    void *state = job->begin(job->ctx);
    double flushed_s = ew_now_s();
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_t timer;
    const bool has_limit =
        isfinite(job->time_limit_s) && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    uint64_t item;
    while (read(from_parent, &item, sizeof item) == (ssize_t)sizeof item) {
        const size_t at = answers.length;
        struct frame frame = {.item = item};
        ew_str_append_n(&answers, (const char *)&frame, sizeof frame);
        if (has_limit) {
            set_alarm(timer, job->time_limit_s);
        }
        job->work(state, item, &answers);
        if (has_limit) {
            set_alarm(timer, INFINITY);
        }
        if (answers.failed) {
            _exit(2);
        }
        frame.size = answers.length - at - sizeof frame;
        memcpy(answers.text + at, &frame, sizeof frame);
        const double time_s = ew_now_s();
        if (answers.length > FLUSH_BYTES || time_s - flushed_s > FLUSH_S || is_idle(from_parent)) {
            if (!ew_write_all(to_parent, answers.text, answers.length)) {
                _exit(1);
            }
            answers.length = 0;
            flushed_s = time_s;
        }
    }
    if (job->end) {
        job->end(state);
    }
    _exit(0);
}

void ew_pool_become_worker(pid_t parent)
{
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGINT, SIG_IGN); /* the parent decides */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGALRM, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL);
#endif
    if (getppid() != parent) {
        _exit(1);
    }
}

/* --- starting ----------------------------------------------------------------------------------
 */

static void close_others(const struct ew_pool *pool)
{
    for (uint32_t i = 0; i < pool->n_workers; i++) {
        if (pool->workers[i].pid) {
            (void)close(pool->workers[i].to);
            (void)close(pool->workers[i].from);
        }
    }
}

static enum ew_status start_worker(struct ew_pool *pool, struct worker *w, struct ew_error *err)
{
    int down[2] = {-1, -1}, up[2] = {-1, -1};
    const pid_t parent = getpid();
    if (pipe(down) != 0 || pipe(up) != 0) {
        return ew_fail(err, EW_EIO, "cannot make a pipe: %s", strerror(errno));
    }
    const pid_t pid = fork();
    if (pid < 0) {
        return ew_fail(err, EW_EIO, "cannot start a worker process: %s", strerror(errno));
    }
    if (pid == 0) {
        ew_pool_become_worker(parent);
        close_others(pool);
        (void)close(down[1]);
        (void)close(up[0]);
        live(&pool->job, down[0], up[1]);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    w->pid = pid;
    w->to = down[1];
    w->from = up[0];
    return EW_OK;
}

enum ew_status ew_pool_start(struct ew_pool **out, const struct ew_pool_job *job, uint32_t n,
                             struct ew_error *err)
{
    struct ew_pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        return ew_fail_memory(err);
    }
    pool->job = *job;
    pool->n_workers = n < EW_POOL_MAX_WORKERS ? n : EW_POOL_MAX_WORKERS;
    (void)signal(SIGPIPE, SIG_IGN); /* a dead worker is seen when its answers end */
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < pool->n_workers; i++) {
        pool->takers[i] = &pool->workers[i].taker;
        status = start_worker(pool, &pool->workers[i], err);
    }
    if (status == EW_OK) {
        *out = pool;
    } else {
        ew_pool_stop(pool);
    }
    return status;
}

/* Busy workers are killed, idle ones end by themselves, soon. */
static void stop_worker(struct worker *w)
{
    const double until_s = ew_now_s() + END_S;
    const struct timespec pause = {0, 500000};
    (void)close(w->to);
    pid_t gone = 0;
    while (gone != w->pid && count_in_hand(w) == 0 && ew_now_s() < until_s) {
        gone = waitpid(w->pid, NULL, WNOHANG);
        if (gone == 0) {
            (void)nanosleep(&pause, NULL);
        }
    }
    (void)close(w->from);
    if (gone != w->pid) {
        (void)kill(w->pid, SIGKILL);
        ew_wait_child(w->pid, NULL);
    }
}

void ew_pool_stop(struct ew_pool *pool)
{
    if (!pool) {
        return;
    }
    for (uint32_t i = 0; i < pool->n_workers; i++) {
        struct worker *w = &pool->workers[i];
        if (w->pid) {
            stop_worker(w);
        }
        ew_vec_fini(&w->in_hand);
        ew_str_fini(&w->received);
    }
    ew_item_queue_fini(&pool->queue);
    ew_vec_fini(&pool->again);
    free(pool);
}

/* --- handing out -------------------------------------------------------------------------------
 */

enum ew_status ew_pool_add(struct ew_pool *pool, uint64_t item, uint64_t group, uint64_t tag,
                           struct ew_error *err)
{
    const struct ew_item added = {item, group, tag};
    if (!ew_item_queue_add(&pool->queue, added)) {
        return ew_fail_memory(err);
    }
    pool->n_open++;
    return EW_OK;
}

uint64_t ew_pool_open_items(const struct ew_pool *pool)
{
    return pool->n_open;
}

uint64_t ew_pool_waiting_items(const struct ew_pool *pool)
{
    return ew_item_queue_count(&pool->queue) + pool->again.count;
}

uint64_t ew_pool_forget(struct ew_pool *pool)
{
    const uint64_t n = ew_pool_waiting_items(pool);
    (void)ew_item_queue_clear(&pool->queue);
    pool->again.count = 0;
    pool->n_open -= n;
    return n;
}

static bool send_item(struct worker *w, struct ew_item item)
{
    if (w->n_answered > 1024) {
        w->in_hand.count -= w->n_answered;
        memmove(w->in_hand.items, w->in_hand.items + w->n_answered,
                w->in_hand.count * sizeof *w->in_hand.items);
        w->n_answered = 0;
    }
    return ew_vec_push(&w->in_hand, item) && ew_write_all(w->to, &item.number, sizeof item.number);
}

/* Whole groups as long as they are small, and no more than the worker's share of what is left. */
static void send_some(struct ew_pool *pool, struct worker *w)
{
    const size_t share = ew_item_queue_count(&pool->queue) / (2 * (size_t)pool->n_workers) + 1;
    const struct ew_item_wish wish = {share < MAX_AHEAD / 2 ? share : MAX_AHEAD / 2, MAX_AHEAD};
    struct ew_item items[MAX_AHEAD];
    const size_t n =
        ew_item_queue_take(items, &pool->queue, &w->taker, wish, pool->takers, pool->n_workers);
    for (size_t i = 0; i < n; i++) {
        (void)send_item(w, items[i]); /* a dead worker is seen when its answers end */
    }
}

static void feed(struct ew_pool *pool, struct worker *w)
{
    const size_t n = count_in_hand(w);
    if (pool->again.count > 0) {
        if (n == 0) {
            (void)send_item(w, pool->again.items[--pool->again.count]);
        }
    } else if (n < MAX_AHEAD / 4) {
        send_some(pool, w);
    }
}

/* --- answers -----------------------------------------------------------------------------------
 */

typedef enum ew_status (*take_fn)(void *ctx, const struct ew_pool_answer *answer,
                                  struct ew_error *err);

static void drop_first(struct worker *w)
{
    if (++w->n_answered == w->in_hand.count) {
        w->n_answered = w->in_hand.count = 0;
    }
}

/* Pass on the whole answers among the bytes received. */
static enum ew_status pass_on(struct ew_pool *pool, struct worker *w, take_fn take, void *ctx,
                              struct ew_error *err)
{
    size_t at = 0;
    enum ew_status status = EW_OK;
    struct frame frame;
    while (status == EW_OK && w->received.length - at >= sizeof frame) {
        memcpy(&frame, w->received.text + at, sizeof frame);
        if (w->received.length - at - sizeof frame < frame.size) {
            break;
        }
        if (count_in_hand(w) == 0 || w->in_hand.items[w->n_answered].number != frame.item) {
            return ew_fail(err, EW_EIO, "a worker process answers what it was not asked");
        }
        const struct ew_pool_answer answer = {
            .item = frame.item,
            .tag = w->in_hand.items[w->n_answered].tag,
            .bytes = w->received.text + at + sizeof frame,
            .size = frame.size,
        };
        drop_first(w);
        pool->n_open--;
        status = take(ctx, &answer, err);
        at += sizeof frame + frame.size;
    }
    if (at > 0) {
        w->received.length -= at;
        memmove(w->received.text, w->received.text + at, w->received.length);
    }
    return status;
}

/* The worker is gone: blame its item if there is only one, else try them one by one. */
static enum ew_status bury(struct ew_pool *pool, struct worker *w, take_fn take, void *ctx,
                           struct ew_error *err)
{
    int state = 0;
    enum ew_status status = EW_OK;
    (void)close(w->to);
    (void)close(w->from);
    ew_wait_child(w->pid, &state);
    w->pid = 0;
    w->received.length = 0;
    w->taker.has_group = false;
    w->n_idle_deaths = count_in_hand(w) ? 0 : w->n_idle_deaths + 1;
    if (w->n_idle_deaths >= MAX_IDLE_DEATHS) {
        return ew_fail(err, EW_EIO, "worker processes die before they begin");
    }
    if (count_in_hand(w) == 1) {
        const bool is_late = WIFSIGNALED(state) && WTERMSIG(state) == SIGALRM;
        const struct ew_pool_answer answer = {
            .item = w->in_hand.items[w->n_answered].number,
            .tag = w->in_hand.items[w->n_answered].tag,
            .end = is_late ? EW_POOL_TIME_LIMIT : EW_POOL_DIED,
            .wait_status = state,
        };
        pool->n_open--;
        status = take(ctx, &answer, err);
    } else {
        for (size_t i = w->in_hand.count; status == EW_OK && i-- > w->n_answered;) {
            status = ew_vec_push(&pool->again, w->in_hand.items[i]) ? EW_OK : ew_fail_memory(err);
        }
    }
    w->in_hand.count = w->n_answered = 0;
    return status == EW_OK ? start_worker(pool, w, err) : status;
}

static enum ew_status receive(struct ew_pool *pool, struct worker *w, take_fn take, void *ctx,
                              struct ew_error *err)
{
    char bytes[1 << 16];
    const ssize_t n = read(w->from, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) {
        return EW_OK;
    }
    if (n <= 0) {
        return bury(pool, w, take, ctx, err);
    }
    ew_str_append_n(&w->received, bytes, (size_t)n);
    return w->received.failed ? ew_fail_memory(err) : pass_on(pool, w, take, ctx, err);
}

enum ew_status ew_pool_attend(struct ew_pool *pool, int timeout_ms, take_fn take, void *ctx,
                              struct ew_error *err)
{
    struct pollfd fds[EW_POOL_MAX_WORKERS];
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < pool->n_workers; i++) {
        feed(pool, &pool->workers[i]);
        fds[i] = (struct pollfd){.fd = pool->workers[i].from, .events = POLLIN};
    }
    if (poll(fds, pool->n_workers, timeout_ms) <= 0) {
        return EW_OK;
    }
    for (uint32_t i = 0; status == EW_OK && i < pool->n_workers; i++) {
        if (fds[i].revents) {
            status = receive(pool, &pool->workers[i], take, ctx, err);
        }
    }
    return status;
}
