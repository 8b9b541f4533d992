#include "sweep/foreman.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/system.h"

enum { ATTEND_MS = 5, MAX_READ = 1 << 16 };

struct ew_foreman {
    pid_t pid;
    int to, from;
    struct ew_str received;
};

/* --- in the foreman ----------------------------------------------------------------------------
 */

struct duty {
    struct ew_pool *pool;
    int from_master, to_master;
    struct ew_str orders;  /* bytes not yet a whole item */
    struct ew_str answers; /* not yet written */
};

static enum ew_status keep_answer(void *ctx, const struct ew_pool_answer *a, struct ew_error *err)
{
    struct duty *d = ctx;
    const struct ew_foreman_head head = {a->item, a->size, (int32_t)a->end, a->wait_status};
    ew_str_append_n(&d->answers, (const char *)&head, sizeof head);
    ew_str_append_n(&d->answers, a->bytes ? a->bytes : "", a->size);
    return d->answers.failed ? ew_fail_memory(err) : EW_OK;
}

/* Take what has come; false when the master is gone. */
static bool read_orders(struct duty *d, int timeout_ms)
{
    char bytes[4096];
    struct pollfd in = {.fd = d->from_master, .events = POLLIN};
    struct ew_foreman_item item;
    size_t at = 0;
    if (poll(&in, 1, timeout_ms) <= 0) {
        return true;
    }
    const ssize_t n = read(d->from_master, bytes, sizeof bytes);
    if (n <= 0) {
        return n < 0 && errno == EINTR;
    }
    ew_str_append_n(&d->orders, bytes, (size_t)n);
    for (; d->orders.length - at >= sizeof item; at += sizeof item) {
        memcpy(&item, d->orders.text + at, sizeof item);
        if (ew_pool_add(d->pool, item.number, item.group, 0, NULL) != EW_OK) {
            return false;
        }
    }
    d->orders.length -= at;
    memmove(d->orders.text, d->orders.text + at, d->orders.length);
    return !d->orders.failed;
}

static _Noreturn void serve(struct duty *d)
{
    enum ew_status status = EW_OK;
    bool is_wanted = true;
    while (is_wanted && status == EW_OK) {
        const bool is_idle = ew_pool_open_items(d->pool) == 0;
        is_wanted = read_orders(d, is_idle ? -1 : 0);
        status = ew_pool_attend(d->pool, is_idle ? 0 : ATTEND_MS, keep_answer, d, NULL);
        if (status == EW_OK && d->answers.length > 0) {
            is_wanted = is_wanted && ew_write_all(d->to_master, d->answers.text, d->answers.length);
            d->answers.length = 0;
        }
    }
    ew_pool_stop(d->pool);
    _exit(is_wanted);
}

/* --- in its master -----------------------------------------------------------------------------
 */

static enum ew_status fork_one(struct ew_foreman *f, const struct ew_pool_job *job, uint32_t n,
                               struct ew_error *err)
{
    int down[2] = {-1, -1}, up[2] = {-1, -1};
    const pid_t parent = getpid();
    if (pipe(down) != 0 || pipe(up) != 0) {
        return ew_fail(err, EW_EIO, "cannot make a pipe: %s", strerror(errno));
    }
    f->pid = fork();
    if (f->pid < 0) {
        return ew_fail(err, EW_EIO, "cannot start a process: %s", strerror(errno));
    }
    if (f->pid == 0) {
        struct duty duty = {.from_master = down[0], .to_master = up[1]};
        ew_pool_become_worker(parent);
        (void)close(down[1]);
        (void)close(up[0]);
        if (ew_pool_start(&duty.pool, job, n, NULL) != EW_OK) {
            _exit(1);
        }
        serve(&duty);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    f->to = down[1];
    f->from = up[0];
    return EW_OK;
}

enum ew_status ew_foreman_start(struct ew_foreman **out, const struct ew_pool_job *job, uint32_t n,
                                struct ew_error *err)
{
    struct ew_foreman *f = calloc(1, sizeof *f);
    enum ew_status status = f ? fork_one(f, job, n, err) : ew_fail_memory(err);
    if (status == EW_OK) {
        (void)signal(SIGPIPE, SIG_IGN);
        *out = f;
    } else {
        free(f);
    }
    return status;
}

void ew_foreman_stop(struct ew_foreman *foreman)
{
    if (foreman) {
        (void)kill(foreman->pid, SIGKILL);
        (void)close(foreman->to);
        (void)close(foreman->from);
        ew_wait_child(foreman->pid, NULL);
        ew_str_fini(&foreman->received);
        free(foreman);
    }
}

enum ew_status ew_foreman_give(struct ew_foreman *foreman, const struct ew_foreman_item *items,
                               size_t n, struct ew_error *err)
{
    return ew_write_all(foreman->to, items, n * sizeof *items)
               ? EW_OK
               : ew_fail(err, EW_EIO, "the process that runs the workers is gone");
}

/* Length of the whole answers at the beginning. */
static size_t whole_length(const struct ew_str *received)
{
    struct ew_foreman_head head;
    size_t at = 0;
    while (received->length - at >= sizeof head) {
        memcpy(&head, received->text + at, sizeof head);
        if (received->length - at - sizeof head < head.size) {
            break;
        }
        at += sizeof head + head.size;
    }
    return at;
}

enum ew_status ew_foreman_take(struct ew_str *out, struct ew_foreman *foreman, int timeout_ms,
                               struct ew_error *err)
{
    char bytes[MAX_READ];
    struct ew_str *received = &foreman->received;
    struct pollfd in = {.fd = foreman->from, .events = POLLIN};
    if (poll(&in, 1, timeout_ms) <= 0) {
        return EW_OK;
    }
    const ssize_t n = read(foreman->from, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) {
        return EW_OK;
    }
    if (n <= 0) {
        return ew_fail(err, EW_EIO, "the process that runs the workers is gone");
    }
    ew_str_append_n(received, bytes, (size_t)n);
    const size_t whole = whole_length(received);
    ew_str_append_n(out, received->text, whole);
    if (received->failed || out->failed) {
        return ew_fail_memory(err);
    }
    received->length -= whole;
    memmove(received->text, received->text + whole, received->length);
    return EW_OK;
}
