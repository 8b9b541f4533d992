/*
 * Limit: the lower bound (plan/bound.h) that belongs to a setup and the plans run on it.
 */
#ifndef EW_SWEEP_LIMIT_H
#define EW_SWEEP_LIMIT_H

#include "results/report.h"
#include "sweep/setup.h"

/** What the plans of a command have in common. Begin with ew_limit_begin. */
struct ew_limit {
    bool is_applicable;
    uint32_t wire_bits; /**< fewest of any plan's boundaries; 0: none says */
};

/** A bound is known for setups with one workload. */
struct ew_limit ew_limit_begin(const struct ew_setup *setup);

/** Take the plans of the workload into account: a bound would not apply to plans with another
 *  source, sink or batch, and holds for wire formats no narrower than theirs. */
void ew_limit_add_book(struct ew_limit *limit, const struct ew_setup *setup,
                       const struct ew_book *book);

/** Compute, per request. `is_known` false: does not apply, or the graph is too large. */
enum ew_status ew_limit_compute(struct ew_report_bound *out, bool *is_known,
                                const struct ew_limit *limit, const struct ew_setup *setup,
                                struct ew_error *err);

#endif
