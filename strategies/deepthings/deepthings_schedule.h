/*
 * DeepThings' grid of tiles and its work stealing, decided in advance: idle workers take the next
 * tile. Plain arithmetic; knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_DEEPTHINGS_SCHEDULE_H
#define EDGEWEAVE_STRATEGIES_DEEPTHINGS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/** No neighbour. */
#define DEEPTHINGS_NONE UINT32_MAX

/** One tile of the grid. */
struct deepthings_tile {
    int32_t lo[2]; /**< rows, columns of the output */
    int32_t hi[2];
    uint32_t level;         /**< 0: rows and columns add up to an even number; 1: odd */
    uint32_t neighbours[4]; /**< up, down, left, right */
};

/** Tiles that a grid of at most n[0] x n[1] over an output of size[0] x size[1] has: strides of
 *  ceil(size / n), the last tile takes the rest. */
uint32_t deepthings_grid_count(const int32_t size[2], const int32_t n[2]);

/** Fill that many tiles, row by row. */
void deepthings_grid(struct deepthings_tile *tiles, const int32_t size[2], const int32_t n[2]);

/** Bands of equal height, one per worker, as a grid of n x 1; the first ones take the rest. Returns
 *  how many are not empty. */
uint32_t deepthings_bands(struct deepthings_tile *tiles, const int32_t size[2], uint32_t n);

/** Who does a tile, and when. */
struct deepthings_turn {
    uint32_t worker;
    bool reuses; /**< the neighbours' overlap is fetched instead of computed again */
    double start_s;
    double finish_s;
};

/** How tiles find workers. */
enum deepthings_rule {
    DEEPTHINGS_STEAL, /**< whoever is idle first takes the next; the lowest worker on a tie */
    DEEPTHINGS_DEAL,  /**< tile i goes to worker i mod n */
};

/** What is scheduled. */
struct deepthings_problem {
    uint32_t n_tiles;
    uint32_t n_workers;
    const struct deepthings_tile *tiles;
    enum deepthings_rule rule;
    bool has_reuse; /**< level 0 first; a tile of level 1 reuses when all its neighbours are done by
                         the time it starts */
    /** Seconds for fetching and computing; asked when turns of all neighbours are known if it
     *  reuses. */
    double (*tile_s)(void *ctx, uint32_t worker, uint32_t tile, bool reuses);
    void *ctx;
};

/** Fill turns (by tile) and order (tiles in the order in which they are taken). `free_s` is scratch
 *  for n_workers values. */
void deepthings_schedule(struct deepthings_turn *turns, uint32_t *order, double *free_s,
                         const struct deepthings_problem *problem);

#endif
