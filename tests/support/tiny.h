/*
 * Small graphs and platforms for tests with hand-computable results.
 */
#ifndef EW_TESTS_TINY_H
#define EW_TESTS_TINY_H

#include "model/graph.h"
#include "model/platform.h"
#include "plan/plan.h"

/** A layer of a tiny graph. `inputs` NULL: the previous layer. */
struct tiny_layer {
    const char *name;
    enum ew_op op;
    int32_t out_channels; /**< conv, fc */
    int32_t kernel;       /**< square; conv and pools */
    int32_t stride;       /**< 0: 1 */
    int32_t pad;          /**< all sides */
    const char *inputs[3];
};

/** Graph "tiny" with one input "x" of 1 x c x h x w; fails the test on error. */
struct ew_graph *tiny_graph(int32_t c, int32_t h, int32_t w, uint32_t n,
                            const struct tiny_layer *layers);

/** `n` devices d0, d1, … of 1 GFLOP/s (profile kind rate), idle 1 W, compute 3 W, tx 0.5 W,
 *  rx 0.25 W, a pair of links each (up and down, 1 MB/s, 0.5 ms), every route up then down. */
struct ew_platform *tiny_star(uint32_t n);

/** A piece of `layer` on `device`: rows [lo, hi), everything else whole, one image. */
struct ew_piece tiny_rows(const struct ew_graph *graph, const char *layer, uint32_t device,
                          int32_t lo, int32_t hi);

/** A piece of the whole layer. */
struct ew_piece tiny_whole(const struct ew_graph *graph, const char *layer, uint32_t device);

/** Plan of one image on the last exit over the given pieces, from and to device 0. `segment` is
 *  filled and must live as long as the plan. */
struct ew_plan tiny_plan(const struct ew_graph *graph, struct ew_segment *segment,
                         const struct ew_piece *pieces, uint32_t n);

#endif
