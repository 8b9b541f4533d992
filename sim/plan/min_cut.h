/*
 * Minimum cut of a small directed network, by Dinic's maximum flow. Knows nothing of plans.
 *
 * Whatever flow it has found when it stops is at most every cut, so its value is a valid lower
 * bound even where rounding leaves a remainder unsent.
 */
#ifndef EW_PLAN_MIN_CUT_H
#define EW_PLAN_MIN_CUT_H

#include <stdbool.h>
#include <stdint.h>

struct ew_cut_edge {
    uint32_t to;
    uint32_t next;   /**< of the same node; EW_CUT_NONE ends */
    double capacity; /**< as set; 0 for the way back */
    double left;     /**< not used yet */
};

#define EW_CUT_NONE UINT32_MAX

/** Node 0 is the source, node 1 the sink. Zero-initialise; free with ew_cut_fini. */
struct ew_cut {
    uint32_t n_nodes;
    uint32_t n_edges; /**< pairs are 2k and 2k+1 */
    uint32_t max_edges;
    struct ew_cut_edge *edges;
    uint32_t *first; /**< per node */
    uint32_t *level; /**< EW_CUT_NONE: on the sink's side after ew_cut_solve */
    uint32_t *current;
    uint32_t *stack;
};

enum { EW_CUT_SOURCE, EW_CUT_SINK, EW_CUT_FIRST };

/** Room for `n_nodes` nodes and `n_edges` edges. false: out of memory. */
bool ew_cut_init(struct ew_cut *cut, uint32_t n_nodes, uint32_t n_edges);
void ew_cut_fini(struct ew_cut *cut);

/** Add an edge; gives its number, for ew_cut_set. Capacity >= 0, INFINITY allowed. */
uint32_t ew_cut_add(struct ew_cut *cut, uint32_t from, uint32_t to, double capacity);
void ew_cut_set(struct ew_cut *cut, uint32_t edge, double capacity);

/** Value of the minimum cut (INFINITY when every cut is infinite). */
double ew_cut_solve(struct ew_cut *cut);

/** After ew_cut_solve: is the node on the source's side? */
static inline bool ew_cut_is_source_side(const struct ew_cut *cut, uint32_t node)
{
    return cut->level[node] != EW_CUT_NONE;
}

#endif
