#include "engine/exec/shaper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct clocks {
    atomic_uint lock;
    uint32_t n_links;
    double free_s[];
};

struct ew_shaper {
    struct clocks *clocks;
    size_t n_bytes;
};

static size_t clock_bytes(uint32_t n_links)
{
    return sizeof(struct clocks) + n_links * sizeof(double);
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
        shaper->clocks->free_s[i] = 0;
    }
    unlock_clocks(shaper->clocks);
}

double ew_shaper_reserve(struct ew_shaper *shaper, const struct ew_exec_link *links,
                         uint32_t n_route, const uint32_t *route, double time_s, double bytes)
{
    struct clocks *clocks = shaper->clocks;
    double end_s = time_s;
    lock_clocks(clocks);
    for (uint32_t i = 0; i < n_route; i++) {
        const struct ew_exec_link *link = &links[route[i]];
        double *free_s = &clocks->free_s[route[i]];
        const double start_s = link->is_shared && *free_s > time_s ? *free_s : time_s;
        const double through_s = start_s + bytes / link->bandwidth_bytes_per_s;
        if (link->is_shared) {
            *free_s = through_s;
        }
        end_s = through_s > end_s ? through_s : end_s;
    }
    unlock_clocks(clocks);
    return end_s;
}
