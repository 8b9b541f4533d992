/*
 * The relaxed problem P2 of CoEdge as a linear program over a set of active devices.
 *
 *     min   sum_i lambda_i e_i              or   sum_l T_l
 *     s.t.  lambda_i alpha_li + beta_li(S) <= T_l     all layers l, devices i in S
 *           sum_l T_l <= D,  sum_i lambda_i = 1,  0 or p/H <= lambda_i <= max_i
 *
 * Loaded once over all devices; a set S only changes bounds, so every further solve starts from the
 * last basis. A small cost that grows along the chain makes the optimum unique.
 */
#ifndef EDGEWEAVE_STRATEGIES_COEDGE_PROGRAM_H
#define EDGEWEAVE_STRATEGIES_COEDGE_PROGRAM_H

#include "coedge/clp.h"
#include "coedge/coedge_cost.h"

struct coedge_program;

/** Load the program; NULL when memory runs out. `problem` and `clp` are borrowed. */
struct coedge_program *coedge_program_new(const struct coedge_problem *problem,
                                          const struct clp *clp);
void coedge_program_free(struct coedge_program *program);

/** What to solve it for. */
struct coedge_relaxation {
    bool minimises_latency;
    bool has_deadline;
    const bool *is_active; /**< per device: in S */
    const bool *is_raised; /**< per device: share at least the threshold */
};

/** Solve; `shares` receives n_devices values and `cost` the seconds and joules of them. */
enum clp_outcome coedge_program_relax(struct coedge_program *program,
                                      const struct coedge_relaxation *relaxation, double *shares,
                                      struct coedge_cost *cost);

#endif
