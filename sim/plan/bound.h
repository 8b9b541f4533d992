/*
 * Lower bounds on what any plan of a problem can reach: latency, energy, time per job. Proofs are
 * in docs/bounds.md. Pure arithmetic on model and platform; no plan is looked at.
 */
#ifndef EW_PLAN_BOUND_H
#define EW_PLAN_BOUND_H

#include "plan/plan.h"

/** What the bound is for. */
struct ew_bound_problem {
    const struct ew_plan_context *context;
    int32_t batch; /**< images per job */
    uint32_t source_device;
    uint32_t sink_device;
    double min_accuracy;   /**< mean over images; 0: none */
    double latency_factor; /**< of the network model */
    double bandwidth_factor;
    uint32_t wire_bits;      /**< fewest bits per element of any message; 0: as in memory */
    bool is_receiver_paying; /**< energy rule `receiver`: sending draws nothing */
};

/** All per job. They hold for every valid plan whose tasks last 1 ns or more or are views; each
 *  shorter task may lower a time by up to 1 ns. */
struct ew_bound {
    double latency_s;        /**< from arrival to answer */
    double work_s;           /**< what work over capacity alone gives; <= latency_s */
    double period_s;         /**< makespan of n jobs over n, any number in flight; <= latency_s */
    double dynamic_energy_j; /**< above idle; NAN unless all devices have power figures */
    double energy_j;         /**< horizon's energy per job, any number in flight; NAN likewise */
};

/** Compute all bounds. Exits and variants: the cheapest mix whose mean accuracy reaches
 *  min_accuracy; when none does, the cheapest of all. EW_ENOTSUP: the graph is too large;
 *  EW_ENOMEM. */
enum ew_status ew_bound_compute(struct ew_bound *out, const struct ew_bound_problem *problem,
                                struct ew_error *err);

#endif
