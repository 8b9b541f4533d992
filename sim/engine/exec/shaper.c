#include "engine/exec/shaper.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FLOWS = 16, MAX_GAPS = 16, TURNS_PER_LOCK = 1024 };

/* A chunk is what the slowest flow on the way moves in this time, */
static const double grain_s = 10e-6;
/* but not smaller than this for the sake of slower or heavier flows. */
static const double least_slowest_ratio = 1.0 / 8;
static const double least_weight_ratio = 1.0 / 64;

/* When a link was idle, between reservations. */
struct gap {
    double begin_s, end_s;
};

struct link_clock {
    double free_s;  /* nothing is reserved from here on */
    double asked_s; /* the latest time from which somebody has asked for a turn */
    uint32_t n_flows;
    uint32_t n_gaps;
    struct gap gaps[MAX_GAPS];            /* before free_s, in order; the oldest are forgotten */
    struct ew_exec_flow flows[MAX_FLOWS]; /* under way, in any order; not more are noticed */
};

struct flow {
    struct ew_exec_flow kind;
    double bytes;
    double n_reserved;
    double n_through;
    double at_s; /* when what is reserved is through */
    uint32_t n_route;
    uint32_t is_under_way;
};

/* Followed by links, flows, who is under way, and the routes of flows. */
struct clocks {
    atomic_uint lock;
    uint32_t n_links, n_flows, n_route;
    uint32_t n_under_way;
    uint32_t reserved;
    struct link_clock links[];
};

struct ew_shaper {
    struct clocks *clocks;
    size_t n_bytes;
    struct flow *flows;
    uint32_t *under_way; /* flows, in any order */
    uint32_t *routes;    /* [flow * n_route] */
};

static size_t clock_bytes(uint32_t n_links, uint32_t n_flows, uint32_t n_route)
{
    return sizeof(struct clocks) + n_links * sizeof(struct link_clock) +
           n_flows * (sizeof(struct flow) + (1 + (size_t)n_route) * sizeof(uint32_t));
}

static enum ew_status map_clocks(struct ew_shaper **out, int fd, size_t n_bytes,
                                 struct ew_error *err)
{
    struct ew_shaper *shaper = calloc(1, sizeof *shaper);
    if (!shaper) {
        return ew_fail_memory(err);
    }
    shaper->n_bytes = n_bytes;
    void *memory = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        free(shaper);
        return ew_fail(err, EW_EIO, "shared memory of the links: %s", strerror(errno));
    }
    shaper->clocks = memory;
    *out = shaper;
    return EW_OK;
}

static void find_parts(struct ew_shaper *shaper)
{
    struct clocks *clocks = shaper->clocks;
    shaper->flows = (struct flow *)(void *)(clocks->links + clocks->n_links);
    shaper->under_way = (uint32_t *)(void *)(shaper->flows + clocks->n_flows);
    shaper->routes = shaper->under_way + clocks->n_flows;
}

enum ew_status ew_shaper_new(struct ew_shaper **out, char name[EW_SHAPER_NAME_BYTES],
                             uint32_t n_links, uint32_t n_flows, uint32_t n_route,
                             struct ew_error *err)
{
    const size_t n_bytes = clock_bytes(n_links, n_flows, n_route);
    int fd = -1;
    for (unsigned i = 0; fd < 0 && i < 1000; i++) {
        (void)snprintf(name, EW_SHAPER_NAME_BYTES, "/edgeweave-%ld-%u", (long)getpid(), i);
        fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd < 0 && errno != EEXIST) {
            break;
        }
    }
    if (fd < 0 || ftruncate(fd, (off_t)n_bytes) != 0) {
        const enum ew_status status =
            ew_fail(err, EW_EIO, "shared memory of the links: %s", strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
            (void)shm_unlink(name);
        }
        return status;
    }
    const enum ew_status status = map_clocks(out, fd, n_bytes, err);
    (void)close(fd);
    if (status == EW_OK) {
        (*out)->clocks->n_links = n_links; /* the rest is zero: new memory */
        (*out)->clocks->n_flows = n_flows;
        (*out)->clocks->n_route = n_route;
        find_parts(*out);
    } else {
        (void)shm_unlink(name);
    }
    return status;
}

enum ew_status ew_shaper_open(struct ew_shaper **out, const char *name, uint32_t n_links,
                              uint32_t n_flows, struct ew_error *err)
{
    struct stat facts;
    const int fd = shm_open(name, O_RDWR, 0);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        const enum ew_status status =
            ew_fail(err, EW_EIO, "shared memory of the links: %s", strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return status;
    }
    const size_t n_bytes = (size_t)facts.st_size;
    enum ew_status status = n_bytes >= sizeof(struct clocks)
                                ? map_clocks(out, fd, n_bytes, err)
                                : ew_fail(err, EW_EIO, "shared memory of the links: cut short");
    (void)close(fd);
    if (status != EW_OK) {
        return status;
    }
    const struct clocks *clocks = (*out)->clocks;
    if (clocks->n_links != n_links || clocks->n_flows != n_flows ||
        clock_bytes(n_links, n_flows, clocks->n_route) != n_bytes) {
        ew_shaper_close(*out);
        *out = NULL;
        return ew_fail(err, EW_EIO, "shared memory of the links: made for another platform");
    }
    find_parts(*out);
    return EW_OK;
}

void ew_shaper_unlink(const char *name)
{
    (void)shm_unlink(name);
}

void ew_shaper_close(struct ew_shaper *shaper)
{
    if (shaper) {
        (void)munmap(shaper->clocks, shaper->n_bytes);
        free(shaper);
    }
}

/* Held for some hundred microseconds at most; one that is held for a million yields belongs to a
 * worker that was killed with it, and is taken over. */
static void lock_clocks(struct clocks *clocks)
{
    unsigned expected = 0;
    for (uint32_t i = 0; !atomic_compare_exchange_weak(&clocks->lock, &expected, 1); i++) {
        if (i > 1000000) {
            return;
        }
        expected = 0;
        (void)sched_yield();
    }
}

static void unlock_clocks(struct clocks *clocks)
{
    atomic_store(&clocks->lock, 0);
}

/* --- clocks ---------------------------------------------------------------------------------- */

static void insert_gap(struct link_clock *clock, uint32_t at, struct gap gap)
{
    if (!(gap.end_s > gap.begin_s)) {
        return;
    }
    if (clock->n_gaps == MAX_GAPS) {
        memmove(clock->gaps, clock->gaps + 1, (MAX_GAPS - 1) * sizeof *clock->gaps);
        clock->n_gaps--;
        at -= at > 0;
    }
    memmove(clock->gaps + at + 1, clock->gaps + at, (clock->n_gaps - at) * sizeof *clock->gaps);
    clock->gaps[at] = gap;
    clock->n_gaps++;
}

static void remove_gap(struct link_clock *clock, uint32_t at)
{
    clock->n_gaps--;
    memmove(clock->gaps + at, clock->gaps + at + 1, (clock->n_gaps - at) * sizeof *clock->gaps);
}

/* Take `seconds` of a link from time_s on. A flow that begins late, after others have taken later
 * times, still gets what was idle. */
static double take_time(struct link_clock *clock, double time_s, double seconds)
{
    double through_s = time_s;
    const bool has_gaps = clock->n_gaps && clock->gaps[clock->n_gaps - 1].end_s > time_s;
    for (uint32_t i = 0; has_gaps && i < clock->n_gaps && seconds > 0;) {
        const struct gap gap = clock->gaps[i];
        const double begin_s = fmax(gap.begin_s, time_s);
        if (begin_s >= gap.end_s) {
            i++;
            continue;
        }
        through_s = begin_s + fmin(seconds, gap.end_s - begin_s);
        if (!(through_s > begin_s)) {
            return begin_s; /* less than times can tell apart */
        }
        seconds -= through_s - begin_s;
        remove_gap(clock, i);
        insert_gap(clock, i, (struct gap){through_s, gap.end_s});
        insert_gap(clock, i, (struct gap){gap.begin_s, begin_s});
        i = 0; /* places have moved; what has been used up does not match again */
    }
    if (seconds > 0) {
        if (time_s > clock->free_s) {
            insert_gap(clock, clock->n_gaps, (struct gap){clock->free_s, time_s});
            clock->free_s = time_s;
        }
        clock->free_s += seconds;
        through_s = clock->free_s;
    }
    return through_s;
}

/* Returns when the last of `bytes` is through. */
static double reserve(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t n_route,
                      const uint32_t *route, double time_s, double bytes)
{
    double end_s = time_s;
    for (uint32_t i = 0; i < n_route; i++) {
        const struct ew_exec_link *link = &links[route[i]];
        struct link_clock *clock = &shaper->clocks->links[route[i]];
        const double seconds = bytes / link->bandwidth_bytes_per_s;
        const double through_s =
            link->is_shared ? take_time(clock, time_s, seconds) : time_s + seconds;
        clock->asked_s = fmax(clock->asked_s, time_s);
        end_s = fmax(end_s, through_s);
    }
    return end_s;
}

/* --- flows ----------------------------------------------------------------------------------- */

static void join(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t id)
{
    const struct flow *flow = &shaper->flows[id];
    const uint32_t *route = shaper->routes + (size_t)id * shaper->clocks->n_route;
    for (uint32_t i = 0; i < flow->n_route; i++) {
        struct link_clock *clock = &shaper->clocks->links[route[i]];
        if (links[route[i]].is_shared && clock->n_flows < MAX_FLOWS) {
            clock->flows[clock->n_flows++] = flow->kind;
        }
    }
}

static void leave(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t id)
{
    const struct flow *flow = &shaper->flows[id];
    const uint32_t *route = shaper->routes + (size_t)id * shaper->clocks->n_route;
    for (uint32_t i = 0; i < flow->n_route; i++) {
        struct link_clock *clock = &shaper->clocks->links[route[i]];
        for (uint32_t k = 0; links[route[i]].is_shared && k < clock->n_flows; k++) {
            if (memcmp(&clock->flows[k], &flow->kind, sizeof flow->kind) == 0) { /* or its like */
                clock->flows[k] = clock->flows[--clock->n_flows];
                break;
            }
        }
    }
}

/* Flows that meet on a link must agree on the unit of their chunks, so it follows from what all of
 * them can see: as much as the slowest of them moves in the grain alone, less in proportion when
 * there is one of more weight. */
static double chunk_bytes(const struct ew_shaper *shaper, const struct ew_exec_link *links,
                          uint32_t id)
{
    const struct flow *flow = &shaper->flows[id];
    const uint32_t *route = shaper->routes + (size_t)id * shaper->clocks->n_route;
    double slowest = flow->kind.slowest_bytes_per_s;
    double heaviest = flow->kind.weight;
    for (uint32_t i = 0; i < flow->n_route; i++) {
        const struct link_clock *clock = &shaper->clocks->links[route[i]];
        for (uint32_t k = 0; links[route[i]].is_shared && k < clock->n_flows; k++) {
            slowest = fmin(slowest, clock->flows[k].slowest_bytes_per_s);
            heaviest = fmax(heaviest, clock->flows[k].weight);
        }
    }
    slowest = fmax(slowest, least_slowest_ratio * flow->kind.slowest_bytes_per_s);
    const double share = fmax(flow->kind.weight / heaviest, least_weight_ratio);
    return slowest * grain_s * share;
}

/* What this flow has reserved is through: it takes its next turn, or is over. */
static void take_turn(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t id)
{
    struct flow *flow = &shaper->flows[id];
    const uint32_t *route = shaper->routes + (size_t)id * shaper->clocks->n_route;
    flow->n_through = flow->n_reserved;
    if (flow->n_reserved >= flow->bytes) {
        leave(shaper, links, id);
        flow->is_under_way = 0;
        return;
    }
    if (flow->n_reserved <= 0) {
        join(shaper, links, id);
    }
    const double left = flow->bytes - flow->n_reserved;
    const double bytes = fmin(left, chunk_bytes(shaper, links, id));
    flow->at_s = reserve(shaper, links, flow->n_route, route, flow->at_s, bytes);
    flow->n_reserved = bytes >= left ? flow->bytes : flow->n_reserved + bytes;
}

/* Let flows take turns in the order of time; false when nothing is due any more. */
static bool take_turns(struct ew_shaper *shaper, const struct ew_exec_link *links, double now_s)
{
    struct clocks *clocks = shaper->clocks;
    for (uint32_t turn = 0; turn < TURNS_PER_LOCK; turn++) {
        uint32_t first = EW_NONE;
        for (uint32_t i = 0; i < clocks->n_under_way && i < clocks->n_flows; i++) {
            const uint32_t id = shaper->under_way[i];
            const double at_s = shaper->flows[id].at_s;
            const double first_s =
                first == EW_NONE ? now_s : shaper->flows[shaper->under_way[first]].at_s;
            if (at_s < first_s ||
                (at_s == first_s && (first == EW_NONE || id < shaper->under_way[first]))) {
                first = i;
            }
        }
        if (first == EW_NONE) {
            return false;
        }
        const uint32_t id = shaper->under_way[first];
        take_turn(shaper, links, id);
        if (!shaper->flows[id].is_under_way) {
            shaper->under_way[first] = shaper->under_way[--clocks->n_under_way];
        }
    }
    return true;
}

double ew_shaper_begin(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t id,
                       const struct ew_exec_flow_begin *begin)
{
    struct clocks *clocks = shaper->clocks;
    const uint32_t n_route = begin->n_route < clocks->n_route ? begin->n_route : clocks->n_route;
    double late_s = 0;
    lock_clocks(clocks);
    struct flow *flow = &shaper->flows[id];
    if (!flow->is_under_way && clocks->n_under_way < clocks->n_flows) {
        shaper->under_way[clocks->n_under_way++] = id;
    }
    *flow = (struct flow){.kind = begin->flow,
                          .bytes = begin->bytes,
                          .at_s = begin->start_s,
                          .n_route = n_route,
                          .is_under_way = 1};
    for (uint32_t i = 0; i < n_route; i++) {
        const uint32_t link = begin->route[i];
        shaper->routes[(size_t)id * clocks->n_route + i] = link;
        if (links[link].is_shared) {
            late_s = fmax(late_s, clocks->links[link].asked_s - begin->start_s);
        }
    }
    unlock_clocks(clocks);
    return late_s;
}

struct ew_exec_progress ew_shaper_progress(struct ew_shaper *shaper,
                                           const struct ew_exec_link *links, uint32_t id,
                                           double now_s)
{
    bool has_more = true;
    while (has_more) { /* others get at the clocks between */
        lock_clocks(shaper->clocks);
        has_more = take_turns(shaper, links, now_s);
        unlock_clocks(shaper->clocks);
    }
    const struct flow *flow = &shaper->flows[id]; /* ended by others at any time */
    lock_clocks(shaper->clocks);
    const struct ew_exec_progress progress = {
        .bytes = flow->n_through,
        .end_s = flow->at_s,
        .soon_s = flow->at_s + (flow->bytes - flow->n_reserved) / flow->kind.slowest_bytes_per_s,
        .is_over = !flow->is_under_way};
    unlock_clocks(shaper->clocks);
    return progress;
}
