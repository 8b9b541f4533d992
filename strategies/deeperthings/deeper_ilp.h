/*
 * DeeperThings' two integer programs on plain numbers: which way every layer's weights are
 * partitioned, and where tiles end and weight partition begins. Knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_DEEPERTHINGS_ILP_H
#define EDGEWEAVE_STRATEGIES_DEEPERTHINGS_ILP_H

#include <stdbool.h>
#include <stdint.h>

#include "deeperthings/cbc.h"

/** How a layer is computed. */
enum deeper_way {
    DEEPER_WHOLE,   /**< no weights: on the gateway */
    DEEPER_OUTPUTS, /**< LOP: every node needs all of the input and makes a part of the output */
    DEEPER_INPUTS,  /**< LIP: every node needs a part of the input and makes a partial sum */
    DEEPER_FIRST,   /**< FUSE1: as LOP, its output stays where it is */
    DEEPER_SECOND,  /**< FUSE2: as LIP, its input is there already */
};

/** A layer, in elements. */
struct deeper_layer {
    double input; /**< M */
    double parts; /**< K of what LOP leaves: the output, behind what follows channel by channel */
    double sum;   /**< K of a partial sum: the output itself */
    bool has_weights;
    bool can_sum;   /**< partial sums are possible: no groups */
    bool is_linked; /**< reads the layer before and nothing else, and nobody else reads that */
};

/** The way with the fewest elements exchanged among n_nodes >= 2. way[l], and is_reused[l]: the
 *  output of a LOP that the next layer takes from wherever it is. `elements` receives the sum. */
enum cbc_outcome deeper_choose_ways(enum deeper_way *way, bool *is_reused, double *elements,
                                    const struct deeper_layer *layers, uint32_t n, uint32_t n_nodes,
                                    const struct cbc *cbc);

/** Elements exchanged for given ways; INFINITY when they break a rule. is_reused as above. */
double deeper_elements(bool *is_reused, const enum deeper_way *way,
                       const struct deeper_layer *layers, uint32_t n, uint32_t n_nodes);

/** A layer that may be tiled. */
struct deeper_part {
    double maps;    /**< M + K of a layer with weights; 0 without */
    double weights; /**< W */
    bool can_tile;
};

/** How many of the first layers are tiled, with the least memory per node: min max_l a_l + sum_l
 *  [(1 - b_l) W_l + b_l W_l / N], a_l = b_l maps + (1 - b_l) maps / N, b_l not falling. */
enum cbc_outcome deeper_choose_break(uint32_t *n_tiled, const struct deeper_part *parts, uint32_t n,
                                     uint32_t n_nodes, const struct cbc *cbc);

/** That memory for given n_tiled, in elements. */
double deeper_memory(const struct deeper_part *parts, uint32_t n, uint32_t n_nodes,
                     uint32_t n_tiled);

#endif
