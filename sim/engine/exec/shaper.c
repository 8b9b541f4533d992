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
#include <unistd.h>

enum { MAX_FLOWS = 16, MAX_GAPS = 16, LEAST_CHUNK_BYTES = 16 };

/* Chunks are not made smaller than this for the sake of slower or heavier flows. */
static const double least_slowest_ratio = 1.0 / 8;
static const double least_weight_ratio = 1.0 / 64;

/* When a link was idle, between reservations. */
struct gap {
    double begin_s, end_s;
};

struct link_clock {
    double free_s; /* nothing is reserved from here on */
    uint32_t n_flows;
    uint32_t n_gaps;
    struct gap gaps[MAX_GAPS];            /* before free_s, in order; the oldest are forgotten */
    struct ew_exec_flow flows[MAX_FLOWS]; /* under way, in any order */
};

struct clocks {
    atomic_uint lock;
    uint32_t n_links;
    struct link_clock links[];
};

struct ew_shaper {
    struct clocks *clocks;
    size_t n_bytes;
};

static size_t clock_bytes(uint32_t n_links)
{
    return sizeof(struct clocks) + n_links * sizeof(struct link_clock);
}

static enum ew_status map_clocks(struct ew_shaper **out, int fd, uint32_t n_links,
                                 struct ew_error *err)
{
    struct ew_shaper *shaper = malloc(sizeof *shaper);
    if (!shaper) {
        return ew_fail_memory(err);
    }
    shaper->n_bytes = clock_bytes(n_links);
    void *memory = mmap(NULL, shaper->n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        free(shaper);
        return ew_fail(err, EW_EIO, "shared memory of the links: %s", strerror(errno));
    }
    shaper->clocks = memory;
    *out = shaper;
    return EW_OK;
}

enum ew_status ew_shaper_new(struct ew_shaper **out, char name[EW_SHAPER_NAME_BYTES],
                             uint32_t n_links, struct ew_error *err)
{
    int fd = -1;
    for (unsigned i = 0; fd < 0 && i < 1000; i++) {
        (void)snprintf(name, EW_SHAPER_NAME_BYTES, "/edgeweave-%ld-%u", (long)getpid(), i);
        fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd < 0 && errno != EEXIST) {
            break;
        }
    }
    if (fd < 0 || ftruncate(fd, (off_t)clock_bytes(n_links)) != 0) {
        const enum ew_status status =
            ew_fail(err, EW_EIO, "shared memory of the links: %s", strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
            (void)shm_unlink(name);
        }
        return status;
    }
    const enum ew_status status = map_clocks(out, fd, n_links, err);
    (void)close(fd);
    if (status == EW_OK) {
        (*out)->clocks->n_links = n_links; /* the rest is zero: new memory */
    } else {
        (void)shm_unlink(name);
    }
    return status;
}

enum ew_status ew_shaper_open(struct ew_shaper **out, const char *name, uint32_t n_links,
                              struct ew_error *err)
{
    const int fd = shm_open(name, O_RDWR, 0);
    if (fd < 0) {
        return ew_fail(err, EW_EIO, "shared memory of the links: %s", strerror(errno));
    }
    enum ew_status status = map_clocks(out, fd, n_links, err);
    (void)close(fd);
    if (status == EW_OK && (*out)->clocks->n_links != n_links) {
        ew_shaper_close(*out);
        *out = NULL;
        status = ew_fail(err, EW_EIO, "shared memory of the links: made for another platform");
    }
    return status;
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

/* Held for some hundred nanoseconds; one that is held for a million yields belongs to a worker that
 * was killed with it, and is taken over. */
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

void ew_shaper_reset(struct ew_shaper *shaper)
{
    lock_clocks(shaper->clocks);
    for (uint32_t i = 0; i < shaper->clocks->n_links; i++) {
        shaper->clocks->links[i].free_s = 0;
        shaper->clocks->links[i].n_flows = 0;
        shaper->clocks->links[i].n_gaps = 0;
    }
    unlock_clocks(shaper->clocks);
}

/* --- flows ----------------------------------------------------------------------------------- */

void ew_shaper_join(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t n_route,
                    const uint32_t *route, struct ew_exec_flow flow)
{
    lock_clocks(shaper->clocks);
    for (uint32_t i = 0; i < n_route; i++) {
        struct link_clock *clock = &shaper->clocks->links[route[i]];
        if (links[route[i]].is_shared && clock->n_flows < MAX_FLOWS) {
            clock->flows[clock->n_flows++] = flow;
        }
    }
    unlock_clocks(shaper->clocks);
}

void ew_shaper_leave(struct ew_shaper *shaper, const struct ew_exec_link *links, uint32_t n_route,
                     const uint32_t *route, struct ew_exec_flow flow)
{
    lock_clocks(shaper->clocks);
    for (uint32_t i = 0; i < n_route; i++) {
        struct link_clock *clock = &shaper->clocks->links[route[i]];
        for (uint32_t k = 0; links[route[i]].is_shared && k < clock->n_flows; k++) {
            if (memcmp(&clock->flows[k], &flow, sizeof flow) == 0) { /* or one just like it */
                clock->flows[k] = clock->flows[--clock->n_flows];
                break;
            }
        }
    }
    unlock_clocks(shaper->clocks);
}

/* Flows that meet on a link must agree on the unit of their chunks, so it follows from what all of
 * them can see: the slowest and the heaviest flow there. */
struct ew_exec_chunk ew_shaper_chunk(struct ew_shaper *shaper, const struct ew_exec_link *links,
                                     uint32_t n_route, const uint32_t *route,
                                     struct ew_exec_flow flow, double grain_s)
{
    double slowest = flow.slowest_bytes_per_s;
    double heaviest = flow.weight;
    struct ew_exec_chunk chunk = {0};
    lock_clocks(shaper->clocks);
    for (uint32_t i = 0; i < n_route; i++) {
        const struct link_clock *clock = &shaper->clocks->links[route[i]];
        uint32_t n_own = 0;
        for (uint32_t k = 0; k < n_route; k++) {
            n_own += route[k] == route[i];
        }
        chunk.is_contended = chunk.is_contended || clock->n_flows > n_own;
        for (uint32_t k = 0; links[route[i]].is_shared && k < clock->n_flows; k++) {
            slowest = fmin(slowest, clock->flows[k].slowest_bytes_per_s);
            heaviest = fmax(heaviest, clock->flows[k].weight);
        }
    }
    unlock_clocks(shaper->clocks);
    slowest = fmax(slowest, least_slowest_ratio * flow.slowest_bytes_per_s);
    const double share = fmax(flow.weight / heaviest, least_weight_ratio);
    chunk.bytes = fmax(LEAST_CHUNK_BYTES, slowest * grain_s * share);
    return chunk;
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

/* Take `seconds` of a link from time_s on. A worker that asks late, after others have taken later
 * times, still gets what was idle. */
static double take_time(struct link_clock *clock, double time_s, double seconds)
{
    double through_s = time_s;
    for (uint32_t i = 0; i < clock->n_gaps && seconds > 0;) {
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

double ew_shaper_reserve(struct ew_shaper *shaper, const struct ew_exec_link *links,
                         uint32_t n_route, const uint32_t *route, double time_s, double bytes)
{
    struct clocks *clocks = shaper->clocks;
    double end_s = time_s;
    lock_clocks(clocks);
    for (uint32_t i = 0; i < n_route; i++) {
        const struct ew_exec_link *link = &links[route[i]];
        const double seconds = bytes / link->bandwidth_bytes_per_s;
        const double through_s = link->is_shared
                                     ? take_time(&clocks->links[route[i]], time_s, seconds)
                                     : time_s + seconds;
        end_s = through_s > end_s ? through_s : end_s;
    }
    unlock_clocks(clocks);
    return end_s;
}
