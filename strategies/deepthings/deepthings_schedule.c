#include "deepthings/deepthings_schedule.h"

/* ------------------------------------------------------------------ grid */

static int32_t stride_of(int32_t size, int32_t n)
{
    return (size + n - 1) / n;
}

static int32_t count_along(int32_t size, int32_t n)
{
    int32_t stride = stride_of(size, n);
    return (size + stride - 1) / stride;
}

uint32_t deepthings_grid_count(const int32_t size[2], const int32_t n[2])
{
    return (uint32_t)count_along(size[0], n[0]) * (uint32_t)count_along(size[1], n[1]);
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Levels and neighbours of `rows` x `columns` tiles. */
static void link_tiles(struct deepthings_tile *tiles, uint32_t rows, uint32_t columns)
{
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = 0; j < columns; j++) {
            uint32_t at = i * columns + j;
            struct deepthings_tile *tile = &tiles[at];
            tile->level = (i + j) % 2;
            tile->neighbours[0] = i > 0 ? at - columns : DEEPTHINGS_NONE;
            tile->neighbours[1] = i + 1 < rows ? at + columns : DEEPTHINGS_NONE;
            tile->neighbours[2] = j > 0 ? at - 1 : DEEPTHINGS_NONE;
            tile->neighbours[3] = j + 1 < columns ? at + 1 : DEEPTHINGS_NONE;
        }
    }
}

void deepthings_grid(struct deepthings_tile *tiles, const int32_t size[2], const int32_t n[2])
{
    int32_t strides[2] = {stride_of(size[0], n[0]), stride_of(size[1], n[1])};
    int32_t counts[2] = {count_along(size[0], n[0]), count_along(size[1], n[1])};
    for (int32_t i = 0; i < counts[0]; i++) {
        for (int32_t j = 0; j < counts[1]; j++) {
            struct deepthings_tile *tile = &tiles[i * counts[1] + j];
            tile->lo[0] = i * strides[0];
            tile->lo[1] = j * strides[1];
            tile->hi[0] = smaller((i + 1) * strides[0], size[0]);
            tile->hi[1] = smaller((j + 1) * strides[1], size[1]);
        }
    }
    link_tiles(tiles, (uint32_t)counts[0], (uint32_t)counts[1]);
}

uint32_t deepthings_bands(struct deepthings_tile *tiles, const int32_t size[2], uint32_t n)
{
    int64_t base = size[0] / (int64_t)n;
    int64_t rest = size[0] % (int64_t)n;
    int32_t lo = 0;
    uint32_t n_tiles = 0;
    for (uint32_t i = 0; i < n && lo < size[0]; i++) {
        int32_t hi = lo + (int32_t)(base + (i < rest ? 1 : 0));
        tiles[n_tiles++] = (struct deepthings_tile){.lo = {lo, 0}, .hi = {hi, size[1]}};
        lo = hi;
    }
    link_tiles(tiles, n_tiles, 1);
    return n_tiles;
}

/* ------------------------------------------------------------------ schedule */

static uint32_t first_idle(const double *free_s, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++) {
        best = free_s[i] < free_s[best] ? i : best;
    }
    return best;
}

static bool are_neighbours_done(const struct deepthings_problem *problem,
                                const struct deepthings_turn *turns, uint32_t tile, double by_s)
{
    for (int k = 0; k < 4; k++) {
        uint32_t neighbour = problem->tiles[tile].neighbours[k];
        if (neighbour != DEEPTHINGS_NONE && turns[neighbour].finish_s > by_s) {
            return false;
        }
    }
    return true;
}

static void take(struct deepthings_turn *turns, double *free_s,
                 const struct deepthings_problem *problem, uint32_t tile, uint32_t place)
{
    uint32_t worker = problem->rule == DEEPTHINGS_STEAL ? first_idle(free_s, problem->n_workers)
                                                        : place % problem->n_workers;
    double start_s = free_s[worker];
    bool reuses = problem->has_reuse && problem->tiles[tile].level == 1 &&
                  are_neighbours_done(problem, turns, tile, start_s);
    double finish_s = start_s + problem->tile_s(problem->ctx, worker, tile, reuses);
    turns[tile] = (struct deepthings_turn){worker, reuses, start_s, finish_s};
    free_s[worker] = finish_s;
}

void deepthings_schedule(struct deepthings_turn *turns, uint32_t *order, double *free_s,
                         const struct deepthings_problem *problem)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < problem->n_workers; i++) {
        free_s[i] = 0.0;
    }
    for (uint32_t level = 0; level < 2; level++) {
        for (uint32_t tile = 0; tile < problem->n_tiles; tile++) {
            if (problem->has_reuse ? problem->tiles[tile].level == level : level == 0) {
                take(turns, free_s, problem, tile, place);
                order[place++] = tile;
            }
        }
    }
}
