/*
 * CoEdge's partitioning algorithm: the relaxed linear program, elimination of devices whose share
 * is below the threshold, repairs, rounding to rows.
 *
 * Follows the paper's outline (ToN 29(2), 2021); where it is silent the choice is an option or is
 * named in README.md. Plain numbers in, rows out; the linear programs go to Clp.
 */
#ifndef EDGEWEAVE_STRATEGIES_COEDGE_SOLVER_H
#define EDGEWEAVE_STRATEGIES_COEDGE_SOLVER_H

#include "coedge/clp.h"
#include "coedge/coedge_cost.h"

enum coedge_objective {
    COEDGE_MIN_ENERGY, /**< subject to the deadline */
    COEDGE_MIN_LATENCY,
};

struct coedge_options {
    enum coedge_objective objective;
    bool has_repair;   /**< also try to raise a small share to the threshold before dropping it */
    bool has_fallback; /**< when infeasible: try smaller sets, then the fastest plan */
    bool has_wide_search; /**< always try the smaller sets too and keep the cheapest plan */
    bool keeps_all;       /**< drop nobody: every device has at least the threshold */
};

enum coedge_outcome {
    COEDGE_SOLVED,
    COEDGE_LATE,       /**< no plan meets the deadline; `rows` is the fastest found */
    COEDGE_INFEASIBLE, /**< without fallback: no plan found */
    COEDGE_NO_MEMORY,
    COEDGE_SOLVER_FAILED, /**< Clp gave neither a solution nor a proof */
};

/** A split. `rows` and `shares` are the caller's, n_devices values each. */
struct coedge_solution {
    int32_t *rows;
    double *first_shares; /**< the relaxed optimum over all devices; NAN when infeasible; or NULL */
    struct coedge_cost cost;
    double first_cost;   /**< of first_shares: joules or seconds, by objective */
    uint32_t n_programs; /**< linear programs solved */
    bool used_fallback;  /**< the algorithm's own loop found nothing, or something dearer */
};

/** Find a split. */
enum coedge_outcome coedge_solve(struct coedge_solution *solution,
                                 const struct coedge_problem *problem, const struct clp *clp,
                                 const struct coedge_options *options);

#endif
