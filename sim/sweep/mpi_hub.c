#include "sweep/mpi_hub.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/system.h"
#include "sweep/mpi_link.h"

enum { MAX_AHEAD = 16, MAX_MESSAGE_ITEMS = 64, SERVE_MS = 1 };

static const double PAUSE_S = 0.0002, GOODBYE_S = 5;

/* Whoever works, seen from rank 0; the first is rank 0's own foreman, who only works when no other
 * rank is left. */
struct crew {
    struct ew_mpi_peer peer;
    bool is_present; /* has said hello */
    bool is_lost;    /* dead, or nobody knows */
    bool is_unable;  /* has no workers any more */
    bool has_left;   /* has read that all is done */
    uint32_t n_jobs;
    EW_VEC(struct ew_item) in_hand; /* in any order */
    struct ew_item_taker taker;
};

struct ew_mpi_hub {
    struct ew_mpi_link link;
    struct ew_foreman *foreman;
    struct crew *crews;                  /* per rank */
    const struct ew_item_taker **takers; /* of the crews */
    struct ew_item_queue queue;
    uint64_t n_open;
    uint32_t n_lost;
    double beat_s;
    struct ew_str answers; /* of the foreman */
    bool is_over;          /* not on rank 0: has been told to end */
    bool is_broken;        /* some rank is lost: MPI cannot be ended in order */
};

typedef enum ew_status (*take_fn)(void *ctx, const struct ew_pool_answer *answer,
                                  struct ew_error *err);

static void pause_a_little(void)
{
    const struct timespec t = {0, (long)(PAUSE_S * 1e9)};
    (void)nanosleep(&t, NULL);
}

/* --- joining and leaving -----------------------------------------------------------------------
 */

enum ew_status ew_mpi_hub_open(struct ew_mpi_hub **out, int *rank, const char *path,
                               struct ew_foreman *foreman, uint32_t n_jobs, struct ew_error *err)
{
    struct ew_mpi_hub *hub = calloc(1, sizeof *hub);
    enum ew_status status = hub ? ew_mpi_link_open(&hub->link, path, err) : ew_fail_memory(err);
    if (status == EW_OK) {
        hub->foreman = foreman;
        hub->crews = calloc((size_t)hub->link.size, sizeof *hub->crews);
        hub->takers = calloc((size_t)hub->link.size, sizeof *hub->takers);
        status = hub->crews && hub->takers ? EW_OK : ew_fail_memory(err);
    }
    if (status != EW_OK) {
        if (hub) {
            free(hub->crews);
            free(hub->takers);
        }
        free(hub);
        return status;
    }
    for (int i = 0; i < hub->link.size; i++) {
        hub->crews[i].peer.heard_s = ew_now_s();
        hub->crews[i].n_jobs = n_jobs;
        hub->takers[i] = &hub->crews[i].taker;
    }
    if (hub->link.rank > 0) {
        ew_mpi_link_greet(&hub->link, 0, n_jobs);
    }
    for (int i = 1; hub->link.rank == 0 && i < hub->link.size; i++) {
        ew_mpi_link_greet(&hub->link, i, n_jobs);
    }
    *rank = hub->link.rank;
    *out = hub;
    return EW_OK;
}

/* Rank 0: the others shall go. Waits a little until they have heard it. */
static void dismiss(struct ew_mpi_hub *hub)
{
    const double until_s = ew_now_s() + GOODBYE_S;
    const char is_broken = hub->n_lost > 0;
    int n_left = 0, from;
    for (int i = 1; i < hub->link.size; i++) {
        ew_mpi_link_send(&hub->link, i, EW_MPI_STOP, &is_broken, 1);
        n_left += !hub->crews[i].is_lost;
    }
    while (n_left > 0 && ew_now_s() < until_s) {
        if (!ew_mpi_link_receive(&hub->link, &from)) {
            pause_a_little();
        } else if (hub->link.message.text[0] == EW_MPI_BYE && !hub->crews[from].has_left) {
            hub->crews[from].has_left = true;
            n_left -= !hub->crews[from].is_lost;
        }
    }
    hub->is_broken = hub->n_lost > 0 || n_left > 0;
}

void ew_mpi_hub_close(struct ew_mpi_hub *hub)
{
    if (!hub) {
        return;
    }
    if (hub->link.rank == 0) {
        dismiss(hub);
    }
    for (int i = 0; i < hub->link.size; i++) {
        ew_vec_fini(&hub->crews[i].in_hand);
    }
    ew_mpi_link_close(&hub->link, !hub->is_broken);
    ew_item_queue_fini(&hub->queue);
    ew_str_fini(&hub->answers);
    free(hub->takers);
    free(hub->crews);
    free(hub);
}

uint32_t ew_mpi_hub_lost(const struct ew_mpi_hub *hub)
{
    return hub->n_lost;
}

/* --- serving -----------------------------------------------------------------------------------
 */

static bool is_time_to_beat(struct ew_mpi_hub *hub)
{
    const double time_s = ew_now_s();
    if (time_s - hub->beat_s < EW_MPI_BEAT_S) {
        return false;
    }
    hub->beat_s = time_s;
    return true;
}

static enum ew_status take_order(struct ew_mpi_hub *hub, struct ew_error *err)
{
    const struct ew_str *m = &hub->link.message;
    struct ew_foreman_item items[MAX_MESSAGE_ITEMS];
    struct ew_mpi_hello hello;
    const size_t n = (m->length - 1) / sizeof *items;
    hub->crews[0].peer.heard_s = ew_now_s();
    switch ((enum ew_mpi_message)m->text[0]) {
    case EW_MPI_HELLO:
        ew_mpi_link_meet(&hub->crews[0].peer, &hello, &hub->link);
        break;
    case EW_MPI_STOP:
        hub->is_over = true;
        hub->is_broken = m->length > 1 && m->text[1];
        break;
    case EW_MPI_WORK:
        if (n <= MAX_MESSAGE_ITEMS && !hub->crews[0].is_unable) {
            memcpy(items, m->text + 1, n * sizeof *items);
            return ew_foreman_give(hub->foreman, items, n, err);
        }
        break;
    default:
        break;
    }
    return EW_OK;
}

static void send_answers(struct ew_mpi_hub *hub)
{
    if (hub->answers.length > 0) {
        ew_mpi_link_send(&hub->link, 0, EW_MPI_ANSWERS, hub->answers.text, hub->answers.length);
        hub->answers.length = 0;
    } else if (is_time_to_beat(hub)) {
        ew_mpi_link_send(&hub->link, 0, EW_MPI_BEAT, NULL, 0);
    }
}

/* One round. The foreman's end is not this rank's: it says so, and stays until all is done. */
static enum ew_status serve_once(struct ew_mpi_hub *hub, struct ew_error *err)
{
    struct crew *me = &hub->crews[0];
    struct ew_error ignored = {0};
    enum ew_status status = EW_OK;
    int from;
    while (status == EW_OK && !hub->is_over && ew_mpi_link_receive(&hub->link, &from)) {
        status = take_order(hub, &ignored);
    }
    if (status == EW_OK && !me->is_unable) {
        status = ew_foreman_take(&hub->answers, hub->foreman, SERVE_MS, &ignored);
    } else if (me->is_unable) {
        pause_a_little();
    }
    if (status == EW_EIO && !me->is_unable) {
        me->is_unable = true;
        ew_mpi_link_send(&hub->link, 0, EW_MPI_GIVE_UP, NULL, 0);
        status = EW_OK;
    }
    if (status == EW_OK) {
        send_answers(hub);
    }
    if (status == EW_OK && ew_mpi_peer_is_lost(&me->peer, ew_now_s())) {
        return ew_fail(err, EW_EIO, "rank 0 is gone");
    }
    return status == EW_OK ? EW_OK : ew_fail(err, status, "%s", ignored.message);
}

enum ew_status ew_mpi_hub_serve(struct ew_mpi_hub *hub, const volatile int *interrupted,
                                struct ew_error *err)
{
    enum ew_status status = EW_OK;
    while (status == EW_OK && !hub->is_over) {
        status = interrupted && *interrupted ? ew_fail(err, EW_EINTR, "interrupted")
                                             : serve_once(hub, err);
    }
    if (hub->is_over) {
        ew_mpi_link_send(&hub->link, 0, EW_MPI_BYE, NULL, 0);
    } else {
        hub->is_broken = true;
    }
    return status;
}

/* --- rank 0 ------------------------------------------------------------------------------------
 */

void ew_mpi_hub_beat(struct ew_mpi_hub *hub)
{
    if (is_time_to_beat(hub)) {
        for (int i = 1; i < hub->link.size; i++) {
            if (!hub->crews[i].is_lost) {
                ew_mpi_link_send(&hub->link, i, EW_MPI_BEAT, NULL, 0);
            }
        }
    }
}

enum ew_status ew_mpi_hub_add(struct ew_mpi_hub *hub, uint64_t item, uint64_t group, uint64_t tag,
                              struct ew_error *err)
{
    if (!ew_item_queue_add(&hub->queue, (struct ew_item){item, group, tag})) {
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
    return ew_item_queue_count(&hub->queue);
}

uint64_t ew_mpi_hub_forget(struct ew_mpi_hub *hub)
{
    const uint64_t n = ew_item_queue_clear(&hub->queue);
    hub->n_open -= n;
    return n;
}

static enum ew_status send_work(struct ew_mpi_hub *hub, int rank,
                                const struct ew_foreman_item *items, size_t n, struct ew_error *err)
{
    if (rank == 0) {
        return ew_foreman_give(hub->foreman, items, n, err);
    }
    ew_mpi_link_send(&hub->link, rank, EW_MPI_WORK, items, n * sizeof *items);
    return EW_OK;
}

static enum ew_status hand_out(struct ew_mpi_hub *hub, int rank, size_t enough,
                               struct ew_error *err)
{
    struct crew *crew = &hub->crews[rank];
    const struct ew_item_wish wish = {enough, MAX_MESSAGE_ITEMS};
    struct ew_item items[MAX_MESSAGE_ITEMS];
    struct ew_foreman_item orders[MAX_MESSAGE_ITEMS];
    const size_t n = ew_item_queue_take(items, &hub->queue, &crew->taker, wish, hub->takers,
                                        (size_t)hub->link.size);
    for (size_t i = 0; i < n; i++) {
        orders[i] = (struct ew_foreman_item){items[i].number, items[i].group};
        if (!ew_vec_push(&crew->in_hand, items[i])) {
            return ew_fail_memory(err);
        }
    }
    return n ? send_work(hub, rank, orders, n, err) : EW_OK;
}

static bool can_work(const struct crew *crew)
{
    return crew->is_present && !crew->is_lost && !crew->is_unable;
}

/* Others than rank 0 that work, or will. */
static uint32_t count_others(const struct ew_mpi_hub *hub)
{
    uint32_t n = 0;
    for (int i = 1; i < hub->link.size; i++) {
        n += !hub->crews[i].is_lost && !hub->crews[i].is_unable;
    }
    return n;
}

/* What it had in hand is to be done by others. */
static enum ew_status take_away(struct ew_mpi_hub *hub, struct crew *crew, struct ew_error *err)
{
    for (size_t i = 0; i < crew->in_hand.count; i++) {
        if (!ew_item_queue_add(&hub->queue, crew->in_hand.items[i])) {
            return ew_fail_memory(err);
        }
    }
    crew->in_hand.count = 0;
    crew->taker.has_group = false;
    hub->crews[0].is_present = count_others(hub) == 0;
    return EW_OK;
}

/* Enough in hand to be busy, but not what others could begin at once. */
static enum ew_status feed(struct ew_mpi_hub *hub, int rank, uint32_t n_crews, struct ew_error *err)
{
    const struct crew *crew = &hub->crews[rank];
    const size_t left = ew_item_queue_count(&hub->queue);
    const size_t share = left / (2 * (size_t)n_crews);
    const size_t ahead = (size_t)MAX_AHEAD * crew->n_jobs;
    const size_t wanted = crew->n_jobs + (share < ahead ? share : ahead);
    return left > 0 && crew->in_hand.count < wanted
               ? hand_out(hub, rank, wanted - crew->in_hand.count, err)
               : EW_OK;
}

static enum ew_status look_after(struct ew_mpi_hub *hub, struct ew_error *err)
{
    const double time_s = ew_now_s();
    const uint32_t n_others = count_others(hub);
    enum ew_status status = EW_OK;
    ew_mpi_hub_beat(hub);
    for (int i = 0; status == EW_OK && i < hub->link.size; i++) {
        struct crew *crew = &hub->crews[i];
        if (i > 0 && !crew->is_lost && ew_mpi_peer_is_lost(&crew->peer, time_s)) {
            crew->is_lost = true;
            hub->n_lost++;
            status = take_away(hub, crew, err);
        } else if (can_work(crew)) {
            status = feed(hub, i, n_others ? n_others : 1, err);
        }
    }
    return status;
}

/* Remove an item from what a crew has in hand; false when it was not there (it had been given up
 * for dead). */
static bool take_back(struct crew *crew, uint64_t number, uint64_t *tag)
{
    for (size_t i = 0; i < crew->in_hand.count; i++) {
        if (crew->in_hand.items[i].number == number) {
            *tag = crew->in_hand.items[i].tag;
            crew->in_hand.items[i] = crew->in_hand.items[--crew->in_hand.count];
            return true;
        }
    }
    return false;
}

static enum ew_status take_answers(struct ew_mpi_hub *hub, struct crew *crew, const char *at,
                                   size_t left, take_fn take, void *ctx, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    struct ew_foreman_head head;
    while (status == EW_OK && left >= sizeof head) {
        memcpy(&head, at, sizeof head);
        at += sizeof head;
        left -= sizeof head;
        if (head.size > left) {
            return ew_fail(err, EW_EIO, "a message from another rank is cut short");
        }
        struct ew_pool_answer answer = {
            .item = head.item,
            .end = (enum ew_pool_end)head.end,
            .wait_status = head.wait_status,
            .bytes = at,
            .size = head.size,
        };
        if (take_back(crew, head.item, &answer.tag)) {
            hub->n_open--;
            status = take(ctx, &answer, err);
        }
        at += head.size;
        left -= head.size;
    }
    return status;
}

static enum ew_status handle(struct ew_mpi_hub *hub, int from, take_fn take, void *ctx,
                             struct ew_error *err)
{
    struct crew *crew = &hub->crews[from];
    const struct ew_str *m = &hub->link.message;
    struct ew_mpi_hello hello;
    crew->peer.heard_s = ew_now_s();
    switch ((enum ew_mpi_message)m->text[0]) {
    case EW_MPI_HELLO:
        ew_mpi_link_meet(&crew->peer, &hello, &hub->link);
        crew->n_jobs = hello.n_jobs;
        crew->is_present = true;
        break;
    case EW_MPI_GIVE_UP:
        crew->is_unable = true;
        return take_away(hub, crew, err);
    case EW_MPI_ANSWERS:
        return take_answers(hub, crew, m->text + 1, m->length - 1, take, ctx, err);
    default:
        break;
    }
    return EW_OK;
}

/* Rank 0's own workers, when nobody else is left. */
static enum ew_status attend_own(struct ew_mpi_hub *hub, take_fn take, void *ctx,
                                 struct ew_error *err)
{
    hub->answers.length = 0;
    const enum ew_status status = ew_foreman_take(&hub->answers, hub->foreman, SERVE_MS, err);
    return status == EW_OK ? take_answers(hub, &hub->crews[0], ew_str_text(&hub->answers),
                                          hub->answers.length, take, ctx, err)
                           : status;
}

enum ew_status ew_mpi_hub_attend(struct ew_mpi_hub *hub, int timeout_ms, take_fn take, void *ctx,
                                 struct ew_error *err)
{
    const double until_s = ew_now_s() + timeout_ms * 1e-3;
    enum ew_status status = EW_OK;
    do {
        const uint64_t n_before = hub->n_open;
        int from;
        while (status == EW_OK && ew_mpi_link_receive(&hub->link, &from)) {
            status = handle(hub, from, take, ctx, err);
        }
        if (status == EW_OK) { /* only now is silence really silence */
            status = look_after(hub, err);
        }
        if (status == EW_OK && hub->crews[0].is_present) {
            status = attend_own(hub, take, ctx, err);
        } else if (status == EW_OK && hub->n_open == n_before) {
            pause_a_little();
        }
    } while (status == EW_OK && hub->n_open > 0 && ew_now_s() < until_s);
    return status;
}
