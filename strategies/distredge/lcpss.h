/*
 * LC-PSS, DistrEdge's layer configuration-based partition scheme search: where to cut a chain of
 * units into layer-volumes so that, over random splits, a weighted sum of transmitted data and
 * operations is least. Knows neither devices nor network, only how many parts there are.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_LCPSS_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_LCPSS_H

#include <stdbool.h>
#include <stdint.h>

#include "distredge/draw.h"
#include "distredge/vsl.h"

/** What is asked. Borrowed. */
struct lcpss_problem {
    const struct vsl_unit *units; /**< n_units >= 1, each one's output the next one's input; where
                                     their heights differ, rows correspond in proportion */
    uint32_t n_units;
    uint32_t n_parts; /**< |D| >= 1 */
    uint32_t n_draws; /**< |R| >= 1 random split decisions */
    /** With how many of the decisions for the unit before it a volume's own decision is scored:
     *  at most n_draws; 0 counts as 1, the plain mean over the decisions. Units are cut
     *  independently, so any pairing is as random as any other, and more of them leave less noise.
     */
    uint32_t n_pairings;
    double alpha; /**< C = alpha T + (1 - alpha) O */
    enum vsl_law law;
};

/** Data moved and work done under one partition scheme and one split decision. */
struct lcpss_load {
    double ops;             /**< O, halo rows counted as often as they are computed */
    double input_elements;  /**< T: rows sent to the parts of the first volume */
    double halo_elements;   /**< T: rows a part needs of the previous volume and has not made */
    double gather_elements; /**< T: last rows that are not on the largest part */
};

/** Load of the scheme `starts` (n_volumes ascending first units, starts[0] = 0) when unit u's
 *  output is cut at fractions[u * (n_parts - 1)…]. False when memory runs out. */
bool lcpss_load(struct lcpss_load *out, const struct lcpss_problem *problem, const uint32_t *starts,
                uint32_t n_volumes, const double *fractions);

/** The scheme that the greedy passes end with: its first units, ascending, starts[0] = 0; room for
 *  n_units. Draws n_draws * n_units * (n_parts - 1) numbers. Returns the number of volumes, 0 when
 *  memory runs out. */
uint32_t lcpss_search(uint32_t *starts, const struct lcpss_problem *problem,
                      const struct draw *draw);

#endif
