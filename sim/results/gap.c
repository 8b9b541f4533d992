#include "results/gap.h"

#include <math.h>

static bool is_finished(const struct ew_result *run)
{
    return !run->error && run->service.counts.completed > 0;
}

static double gap(double value, double reference)
{
    return reference > 0 && isfinite(value) ? value / reference - 1 : NAN;
}

static struct ew_gap gap_to(const struct ew_result *run, double latency_s, double energy_j,
                            double dynamic_j)
{
    if (!is_finished(run)) {
        return (struct ew_gap){NAN, NAN, NAN};
    }
    return (struct ew_gap){
        .latency_ratio = gap(run->service.latency.mean_s, latency_s),
        .energy_ratio = gap(run->energy_per_request_j, energy_j),
        .dynamic_energy_ratio = gap(run->dynamic_energy_per_request_j, dynamic_j),
    };
}

struct ew_gap ew_gap_to_bound(const struct ew_report *report, const struct ew_result *run)
{
    const struct ew_report_bound *bound = report->bound;
    return bound ? gap_to(run, bound->latency_s, bound->energy_j, bound->dynamic_energy_j)
                 : (struct ew_gap){NAN, NAN, NAN};
}

struct ew_gap ew_gap_to_best(const struct ew_report *report, const struct ew_result *run)
{
    double latency_s = NAN, energy_j = NAN, dynamic_j = NAN;
    for (uint32_t r = 0; r < report->n_runs; r++) {
        const struct ew_result *other = report->runs[r];
        if (is_finished(other)) {
            latency_s = fmin(latency_s, other->service.latency.mean_s);
            energy_j = fmin(energy_j, other->energy_per_request_j);
            dynamic_j = fmin(dynamic_j, other->dynamic_energy_per_request_j);
        }
    }
    return gap_to(run, latency_s, energy_j, dynamic_j);
}

static void put_cell(struct ew_str *out, double value)
{
    if (isfinite(value)) {
        ew_str_printf(out, ",%.17g", value);
    } else {
        ew_str_append(out, ",");
    }
}

static void put_gap(struct ew_str *out, const struct ew_gap *gap)
{
    put_cell(out, gap->latency_ratio);
    put_cell(out, gap->energy_ratio);
    put_cell(out, gap->dynamic_energy_ratio);
}

void ew_gap_print_csv(struct ew_str *out, const struct ew_report *report)
{
    const struct ew_report_bound *bound = report->bound;
    ew_str_append(out, "run,strategy,latency_s,latency_bound_s,energy_j,energy_bound_j,"
                       "dynamic_energy_j,dynamic_energy_bound_j,"
                       "latency_gap_to_bound_ratio,energy_gap_to_bound_ratio,"
                       "dynamic_energy_gap_to_bound_ratio,latency_gap_to_best_ratio,"
                       "energy_gap_to_best_ratio,dynamic_energy_gap_to_best_ratio\n");
    for (uint32_t r = 0; r < report->n_runs; r++) {
        const struct ew_result *run = report->runs[r];
        const struct ew_gap to_bound = ew_gap_to_bound(report, run);
        const struct ew_gap to_best = ew_gap_to_best(report, run);
        ew_str_printf(out, "%u,%s", (unsigned)r, run->strategy);
        put_cell(out, run->service.latency.mean_s);
        put_cell(out, bound ? bound->latency_s : NAN);
        put_cell(out, run->energy_per_request_j);
        put_cell(out, bound ? bound->energy_j : NAN);
        put_cell(out, run->dynamic_energy_per_request_j);
        put_cell(out, bound ? bound->dynamic_energy_j : NAN);
        put_gap(out, &to_bound);
        put_gap(out, &to_best);
        ew_str_append(out, "\n");
    }
}

void ew_gap_print_line(struct ew_str *out, const struct ew_report *report)
{
    const struct ew_result *best = NULL;
    for (uint32_t r = 0; r < report->n_runs; r++) {
        const struct ew_result *run = report->runs[r];
        if (is_finished(run) &&
            (!best || run->service.latency.mean_s < best->service.latency.mean_s)) {
            best = run;
        }
    }
    if (!report->bound || !best) {
        return;
    }
    char bound_text[32], best_text[32];
    const double ratio = ew_gap_to_bound(report, best).latency_ratio;
    ew_human_seconds(bound_text, report->bound->latency_s);
    ew_human_seconds(best_text, best->service.latency.mean_s);
    ew_str_printf(out, "lower bound on latency: %s (docs/bounds.md); best found: %s %s", bound_text,
                  best->strategy, best_text);
    if (isfinite(ratio)) {
        ew_str_printf(out, ", %.1f %% above it", ratio > 0 ? ratio * 100 : 0);
    }
    ew_str_append(out, "\n");
}
