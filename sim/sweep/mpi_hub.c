#include "sweep/mpi_hub.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RANKS = 4096, ITEMS_AHEAD = 16, SERVE_MS = 5, FLUSH_BYTES = 1 << 15, HOST_SIZE = 64 };

/* A rank that is not heard of for so long is dead; it speaks every BEAT_S. */
static const double SILENCE_S = 30, BEAT_S = 0.5, PAUSE_S = 0.0005;

/* First byte of a message. */
enum message { HELLO = 'h', ANSWERS = 'a', WORK = 'w', STOP = 's' };

struct hello {
    char type;
    char host[HOST_SIZE];
    int64_t pid;
};

struct item {
    uint64_t number, group, tag;
};

/* In front of every answer on its way to rank 0. */
struct frame {
    uint64_t item;
    uint64_t size;
    int32_t end;
    int32_t wait_status;
};

/* Seen from rank 0. */
struct peer {
    bool is_present; /* has said hello and is not dead */
    bool is_dead;
    bool is_here; /* on this host: its process can be looked at */
    pid_t pid;
    double heard_s;
    EW_VEC(struct item) in_hand; /* in any order */
};

struct ew_mpi_hub {
    const struct ew_mpi_module *mpi;
    int rank, size;
    char host[HOST_SIZE];
    struct peer *peers; /* per rank */
    EW_VEC(struct item) queue; /* from `next` on */
    size_t next;
    uint64_t n_open;
    bool lost_one;
    struct ew_str message; /* last one received */
    struct ew_str answers; /* waiting to be sent */
    double sent_s;
    bool is_over;
};

typedef enum ew_status (*take_fn)(void *ctx, const struct ew_pool_answer *answer,
                                  struct ew_error *err);

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pause_for(double seconds)
{
    const struct timespec t = {0, (long)(seconds * 1e9)};
    (void)nanosleep(&t, NULL);
}

/* --- joining and leaving -----------------------------------------------------------------------
 */

static enum ew_status open_module(const struct ew_mpi_module **out, const char *path,
                                  struct ew_error *err)
{
    if (!path) {
        return ew_fail(err, EW_EIO, "started by mpirun, but this edgeweave was built without MPI");
    }
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* MPI opens parts of its own */
    if (!handle) {
        const char *why = dlerror();
        return ew_fail(err, EW_EIO, "cannot open the MPI module: %s", why ? why : path);
    }
    const struct ew_mpi_module *module = dlsym(handle, EW_MPI_MODULE_SYMBOL);
    if (!module || module->struct_size != sizeof *module) {
        return ew_fail(err, EW_EIO, "%s: expected the MPI module of this very version", path);
    }
    *out = module;
    return EW_OK;
}

static enum ew_status say_hello(struct ew_mpi_hub *hub, struct ew_error *err)
{
    struct hello hello = {.type = HELLO, .pid = (int64_t)getpid()};
    memcpy(hello.host, hub->host, sizeof hello.host);
    return hub->mpi->send(0, &hello, sizeof hello) == 0
               ? EW_OK
               : ew_fail(err, EW_EIO, "cannot reach rank 0");
}

enum ew_status ew_mpi_hub_open(struct ew_mpi_hub **out, int *rank, const char *path,
                               struct ew_error *err)
{
    struct ew_mpi_hub *hub = calloc(1, sizeof *hub);
    enum ew_status status = hub ? open_module(&hub->mpi, path, err) : ew_fail_memory(err);
    if (status == EW_OK && hub->mpi->begin(&hub->rank, &hub->size) != 0) {
        status = ew_fail(err, EW_EIO, "MPI cannot be started");
    }
    if (status == EW_OK && (hub->size < 2 || hub->size > MAX_RANKS)) {
        status = ew_fail(err, EW_EUSAGE, "expected 2..%d ranks, found %d", MAX_RANKS, hub->size);
    }
    if (status == EW_OK) {
        (void)gethostname(hub->host, sizeof hub->host - 1);
        hub->peers = calloc((size_t)hub->size, sizeof *hub->peers);
        status = hub->peers ? EW_OK : ew_fail_memory(err);
    }
    for (int i = 1; status == EW_OK && i < hub->size; i++) {
        hub->peers[i].heard_s = now_s();
    }
    if (status == EW_OK && hub->rank > 0) {
        status = say_hello(hub, err);
    }
    if (status == EW_OK) {
        *rank = hub->rank;
        *out = hub;
    } else {
        free(hub);
    }
    return status;
}

void ew_mpi_hub_close(struct ew_mpi_hub *hub)
{
    if (!hub) {
        return;
    }
    for (int i = 1; i < hub->size; i++) {
        /* 'x': do not wait for the dead in MPI_Finalize */
        const char stop[2] = {STOP, hub->lost_one ? 'x' : 0};
        if (hub->rank == 0 && !hub->peers[i].is_dead) {
            (void)hub->mpi->send(i, stop, sizeof stop);
        }
        ew_vec_fini(&hub->peers[i].in_hand);
    }
    if (!hub->lost_one) {
        (void)hub->mpi->end();
    }
    ew_vec_fini(&hub->queue);
    ew_str_fini(&hub->message);
    ew_str_fini(&hub->answers);
    free(hub->peers);
    free(hub);
}

/* The next message into hub->message; false when there is none. */
static bool receive(struct ew_mpi_hub *hub, int *from)
{
    bool is_there = false;
    int size = 0;
    if (hub->mpi->probe(&is_there, from, &size) != 0 || !is_there) {
        return false;
    }
    hub->message.length = 0;
    while (hub->message.capacity < (size_t)size + 1 && !hub->message.failed) {
        static const char zeros[1024];
        ew_str_append_n(&hub->message, zeros, sizeof zeros);
    }
    if (hub->message.failed || hub->mpi->receive(*from, hub->message.text, size) != 0) {
        return false;
    }
    hub->message.length = (size_t)size;
    return size > 0;
}

/* --- serving -----------------------------------------------------------------------------------
 */

static enum ew_status send_answers(struct ew_mpi_hub *hub, struct ew_error *err)
{
    if (hub->answers.length == 0) { /* a sign of life */
        const char type = ANSWERS;
        ew_str_append_n(&hub->answers, &type, 1);
    }
    if (hub->answers.failed) {
        return ew_fail_memory(err);
    }
    const bool is_sent = hub->mpi->send(0, hub->answers.text, (int)hub->answers.length) == 0;
    hub->answers.length = 0;
    hub->sent_s = now_s();
    return is_sent ? EW_OK : ew_fail(err, EW_EIO, "cannot reach rank 0");
}

static enum ew_status keep_answer(void *ctx, const struct ew_pool_answer *a, struct ew_error *err)
{
    struct ew_mpi_hub *hub = ctx;
    const struct frame frame = {a->item, a->size, (int32_t)a->end, a->wait_status};
    if (hub->answers.length == 0) {
        const char type = ANSWERS;
        ew_str_append_n(&hub->answers, &type, 1);
    }
    ew_str_append_n(&hub->answers, (const char *)&frame, sizeof frame);
    ew_str_append_n(&hub->answers, a->bytes ? a->bytes : "", a->size);
    return hub->answers.length > FLUSH_BYTES ? send_answers(hub, err) : EW_OK;
}

static enum ew_status take_work(struct ew_mpi_hub *hub, struct ew_pool *pool, struct ew_error *err)
{
    const char *at = hub->message.text + 1;
    size_t left = hub->message.length - 1;
    enum ew_status status = EW_OK;
    if (hub->message.text[0] == STOP) {
        hub->is_over = true;
        hub->lost_one = left > 0 && *at == 'x';
        return EW_OK;
    }
    for (; status == EW_OK && left >= sizeof(struct item); left -= sizeof(struct item)) {
        struct item item;
        memcpy(&item, at, sizeof item);
        at += sizeof item;
        status = ew_pool_add(pool, item.number, item.group, item.tag, err);
    }
    return status;
}

enum ew_status ew_mpi_hub_serve(struct ew_mpi_hub *hub, struct ew_pool *pool,
                                const volatile int *interrupted, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    int from;
    while (status == EW_OK && !hub->is_over) {
        while (status == EW_OK && receive(hub, &from)) {
            status = take_work(hub, pool, err);
        }
        if (status == EW_OK && interrupted && *interrupted) {
            status = ew_fail(err, EW_EINTR, "interrupted");
        }
        if (status == EW_OK) {
            status = ew_pool_attend(pool, SERVE_MS, keep_answer, hub, err);
        }
        if (status == EW_OK && (hub->answers.length > 0 || now_s() - hub->sent_s > BEAT_S)) {
            status = send_answers(hub, err);
        }
    }
    return status;
}

/* --- rank 0 ------------------------------------------------------------------------------------
 */

enum ew_status ew_mpi_hub_add(struct ew_mpi_hub *hub, uint64_t item, uint64_t group, uint64_t tag,
                              struct ew_error *err)
{
    const struct item added = {item, group, tag};
    if (hub->next > 4096 && hub->next * 2 > hub->queue.count) {
        hub->queue.count -= hub->next;
        memmove(hub->queue.items, hub->queue.items + hub->next,
                hub->queue.count * sizeof *hub->queue.items);
        hub->next = 0;
    }
    if (!ew_vec_push(&hub->queue, added)) {
        return ew_fail_memory(err);
    }
    hub->n_open++;
    return EW_OK;
}

uint64_t ew_mpi_hub_open_items(const struct ew_mpi_hub *hub)
{
    return hub->n_open;
}

uint64_t ew_mpi_hub_waiting_items(const struct ew_mpi_hub *hub)
{
    return hub->queue.count - hub->next;
}

uint64_t ew_mpi_hub_forget(struct ew_mpi_hub *hub)
{
    const uint64_t n = ew_mpi_hub_waiting_items(hub);
    hub->queue.count = hub->next = 0;
    hub->n_open -= n;
    return n;
}

/* Whole groups where they are small. */
static enum ew_status hand_out(struct ew_mpi_hub *hub, int rank, struct ew_error *err)
{
    struct peer *peer = &hub->peers[rank];
    struct ew_str work = {0};
    const char type = WORK;
    ew_str_append_n(&work, &type, 1);
    enum ew_status status = EW_OK;
    for (size_t n = 0; status == EW_OK && hub->next < hub->queue.count; n++) {
        const struct item item = hub->queue.items[hub->next];
        const bool is_new = n == 0 || item.group != hub->queue.items[hub->next - 1].group;
        if ((n >= ITEMS_AHEAD && is_new) || n >= 4 * (size_t)ITEMS_AHEAD) {
            break;
        }
        ew_str_append_n(&work, (const char *)&item, sizeof item);
        status = ew_vec_push(&peer->in_hand, item) ? EW_OK : ew_fail_memory(err);
        hub->next++;
    }
    if (status == EW_OK && work.failed) {
        status = ew_fail_memory(err);
    }
    if (status == EW_OK && work.length > 1) {
        (void)hub->mpi->send(rank, work.text, (int)work.length); /* silence is noticed */
    }
    ew_str_fini(&work);
    return status;
}

/* What it had in hand is to be done by others. */
static enum ew_status bury(struct ew_mpi_hub *hub, int rank, struct ew_error *err)
{
    struct peer *peer = &hub->peers[rank];
    bool has_living = false;
    peer->is_dead = true;
    peer->is_present = false;
    hub->lost_one = true;
    for (size_t i = 0; i < peer->in_hand.count; i++) {
        if (!ew_vec_push(&hub->queue, peer->in_hand.items[i])) {
            return ew_fail_memory(err);
        }
    }
    peer->in_hand.count = 0;
    for (int i = 1; i < hub->size; i++) {
        has_living = has_living || !hub->peers[i].is_dead;
    }
    return has_living ? EW_OK : ew_fail(err, EW_EIO, "all other ranks have died");
}

static enum ew_status look_after(struct ew_mpi_hub *hub, struct ew_error *err)
{
    const double time_s = now_s();
    enum ew_status status = EW_OK;
    for (int i = 1; status == EW_OK && i < hub->size; i++) {
        const struct peer *peer = &hub->peers[i];
        if (peer->is_dead) {
            continue;
        }
        const bool is_gone = peer->is_here && kill(peer->pid, 0) != 0 && errno == ESRCH;
        if (is_gone || time_s - peer->heard_s > SILENCE_S) {
            status = bury(hub, i, err);
        } else if (peer->is_present && peer->in_hand.count < ITEMS_AHEAD &&
                   hub->next < hub->queue.count) {
            status = hand_out(hub, i, err);
        }
    }
    return status;
}

/* Remove an item from what a peer has in hand; false when it was not there (it had been given up
 * for dead). */
static bool take_back(struct peer *peer, uint64_t number, uint64_t *tag)
{
    for (size_t i = 0; i < peer->in_hand.count; i++) {
        if (peer->in_hand.items[i].number == number) {
            *tag = peer->in_hand.items[i].tag;
            peer->in_hand.items[i] = peer->in_hand.items[--peer->in_hand.count];
            return true;
        }
    }
    return false;
}

static enum ew_status take_answers(struct ew_mpi_hub *hub, struct peer *peer, take_fn take,
                                   void *ctx, struct ew_error *err)
{
    const char *at = hub->message.text + 1;
    size_t left = hub->message.length - 1;
    enum ew_status status = EW_OK;
    while (status == EW_OK && left >= sizeof(struct frame)) {
        struct frame frame;
        memcpy(&frame, at, sizeof frame);
        at += sizeof frame;
        left -= sizeof frame;
        if (frame.size > left) {
            return ew_fail(err, EW_EIO, "a message from another rank is cut short");
        }
        struct ew_pool_answer answer = {
            .item = frame.item,
            .end = (enum ew_pool_end)frame.end,
            .wait_status = frame.wait_status,
            .bytes = at,
            .size = frame.size,
        };
        if (take_back(peer, frame.item, &answer.tag)) {
            hub->n_open--;
            status = take(ctx, &answer, err);
        }
        at += frame.size;
        left -= frame.size;
    }
    return status;
}

static enum ew_status handle(struct ew_mpi_hub *hub, int from, take_fn take, void *ctx,
                             struct ew_error *err)
{
    struct peer *peer = &hub->peers[from];
    peer->heard_s = now_s();
    if (hub->message.text[0] == HELLO && hub->message.length == sizeof(struct hello)) {
        struct hello hello;
        memcpy(&hello, hub->message.text, sizeof hello);
        peer->pid = (pid_t)hello.pid;
        peer->is_here = memcmp(hello.host, hub->host, sizeof hello.host) == 0;
        peer->is_present = !peer->is_dead;
        return EW_OK;
    }
    return hub->message.text[0] == ANSWERS ? take_answers(hub, peer, take, ctx, err) : EW_OK;
}

enum ew_status ew_mpi_hub_attend(struct ew_mpi_hub *hub, int timeout_ms, take_fn take, void *ctx,
                                 struct ew_error *err)
{
    const double until_s = now_s() + timeout_ms * 1e-3;
    enum ew_status status = look_after(hub, err);
    int from;
    while (status == EW_OK && now_s() < until_s && hub->n_open > 0) {
        if (receive(hub, &from)) {
            status = handle(hub, from, take, ctx, err);
        } else {
            pause_for(PAUSE_S);
        }
        if (status == EW_OK) {
            status = look_after(hub, err);
        }
    }
    return status;
}
