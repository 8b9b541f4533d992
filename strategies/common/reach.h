/*
 * Which lines of every layer a band of a volume's output needs, from tables: for planners that ask
 * this many thousand times. The plan itself is written with exact boxes (kit_volume_boxes); the
 * tables give the same lines or, for operators that jump about, a few more.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_REACH_H
#define EDGEWEAVE_STRATEGIES_COMMON_REACH_H

#include "common/blocks.h"

/** Lines [lo, hi); empty when lo >= hi. */
struct kit_span {
    int32_t lo;
    int32_t hi;
};

/** Tables over the layers of banded blocks; over all banded layers without blocks. Arrays are
 * owned.
 */
struct kit_reach {
    const struct kit_net *net;
    const struct kit_blocks *blocks;
    uint32_t *first_edge; /**< by layer id: its inputs are edges first_edge[layer] + k */
    size_t *at;           /**< by edge: where its table begins */
    int32_t *lo; /**< by line of the reader: first line read of the input, by it or later */
    int32_t *hi; /**< by line of the reader: end of the lines read, by it or earlier */
};

/** `blocks` may be NULL, then there are no volumes to ask about. Zero-initialise first; release
 * with kit_reach_fini whatever this returns. */
int32_t kit_reach_init(struct kit_reach *reach, const struct kit_net *net,
                       const struct kit_blocks *blocks);
void kit_reach_fini(struct kit_reach *reach);

/** Lines of every layer in blocks [first, last], and of those that enter, that lines [lo, hi) of
 *  the last block's output (in lines of its `extent`) need: spans[layer]. Others are left alone. */
void kit_reach_spans(struct kit_span *spans, const struct kit_reach *reach, uint32_t first,
                     uint32_t last, int32_t lo, int32_t hi);

/** The same one block at a time, from the back: after calls for block = last, last - 1, …, first,
 *  `spans` is what kit_reach_spans(first, last) gives. For planners that ask for every `first`. */
void kit_reach_back(struct kit_span *spans, const struct kit_reach *reach, uint32_t block,
                    uint32_t last, int32_t lo, int32_t hi);

/** Lines of its `input`-th input that lines [lo, hi), lo < hi, of the layer read. */
struct kit_span kit_reach_input(const struct kit_reach *reach, uint32_t layer, uint32_t input,
                                int32_t lo, int32_t hi);

static inline int32_t kit_span_lines(struct kit_span span)
{
    return span.hi > span.lo ? span.hi - span.lo : 0;
}

#endif
