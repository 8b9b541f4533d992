/*
 * A network as DistrEdge sees it: a chain of blocks that can be cut into bands of rows, and a head
 * that one device computes whole.
 *
 * A block is one convolution or pooling with the light layers behind it, or a residual or inception
 * block: layers between two places where only one tensor crosses. Where such a stretch is deep, it
 * is cut where the fewest tensors cross.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_CHAIN_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net.h"
#include "distredge/vsl.h"

/** Stretches with more convolutions and poolings on a path than this are cut although several
 *  tensors cross. Inception's blocks have up to 5, residual ones 3. */
enum { CHAIN_MAX_DEPTH = 6 };

/** Blocks as intervals of positions in net->order. Arrays are owned. */
struct chain {
    uint32_t n_body;   /**< positions [0, n_body) can be banded, the rest is the head */
    uint32_t n_blocks; /**< 0 when nothing can be split */
    uint32_t *starts;  /**< n_blocks + 1; starts[n_blocks] = n_body */
    struct vsl_unit *units;
};

/** Find the blocks. False when memory runs out. Zero-initialise first; free with chain_fini in any
 *  case. */
bool chain_init(struct chain *chain, const struct kit_net *net);
void chain_fini(struct chain *chain);

#endif
