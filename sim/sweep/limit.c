#include "sweep/limit.h"

#include "plan/bound.h"

struct ew_limit ew_limit_begin(const struct ew_setup *setup)
{
    return (struct ew_limit){.is_applicable = setup->n_workloads == 1};
}

static void add_plan(struct ew_limit *limit, const struct ew_problem *problem,
                     const struct ew_plan *plan)
{
    if (plan->source_device != problem->source_device ||
        plan->sink_device != problem->sink_device || plan->batch != problem->batch) {
        limit->is_applicable = false;
    }
    for (uint32_t v = 0; v < plan->n_boundary_variants; v++) {
        const uint32_t n_layers = problem->context.graph->variants[v].graph->n_layers;
        for (uint32_t l = 0; plan->boundaries[v] && l < n_layers; l++) {
            const uint32_t bits = plan->boundaries[v][l].wire_bits;
            if (bits && (!limit->wire_bits || bits < limit->wire_bits)) {
                limit->wire_bits = bits;
            }
        }
    }
}

void ew_limit_add_book(struct ew_limit *limit, const struct ew_setup *setup,
                       const struct ew_book *book)
{
    for (uint32_t p = 0; limit->is_applicable && p < book->n_plans; p++) {
        add_plan(limit, &setup->workloads[0].problem, book->plans[p]);
    }
}

enum ew_status ew_limit_compute(struct ew_report_bound *out, bool *is_known,
                                const struct ew_limit *limit, const struct ew_setup *setup,
                                struct ew_error *err)
{
    *is_known = false;
    if (!limit->is_applicable) {
        return EW_OK;
    }
    const struct ew_setup_workload *w = &setup->workloads[0];
    const struct ew_bound_problem problem = {
        .context = &w->problem.context,
        .batch = w->problem.batch,
        .source_device = w->problem.source_device,
        .sink_device = w->problem.sink_device,
        .min_accuracy = w->problem.min_accuracy,
        .latency_factor = setup->net->latency_factor,
        .bandwidth_factor = setup->net->bandwidth_factor,
        .wire_bits = limit->wire_bits,
        .is_receiver_paying = setup->energy_rule == EW_ENERGY_RECEIVER,
    };
    struct ew_bound bound;
    const enum ew_status status = ew_bound_compute(&bound, &problem, err);
    if (status == EW_ENOTSUP) {
        return EW_OK; /* a report without a bound is still a report */
    }
    if (status != EW_OK) {
        return status;
    }
    const double n = w->spec->requests_per_job;
    *out = (struct ew_report_bound){
        .latency_s = bound.latency_s,
        .work_s = bound.work_s,
        .period_s = bound.period_s / n,
        .energy_j = bound.energy_j / n,
        .dynamic_energy_j = bound.dynamic_energy_j / n,
        .wire_bits = limit->wire_bits,
    };
    *is_known = true;
    return EW_OK;
}
