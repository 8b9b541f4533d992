#include "results/regret.h"

#include <math.h>

struct ew_regret ew_regret_of(const struct ew_result *run)
{
    const struct ew_clairvoyant_result *best = &run->clairvoyant;
    if (best->n_regimes == 0) {
        return (struct ew_regret){NAN, NAN, NAN, NAN, NAN};
    }
    const double latency_s = run->service.latency.mean_s - best->latency_mean_s;
    return (struct ew_regret){
        .latency_s = latency_s,
        .latency_ratio = best->latency_mean_s > 0 ? latency_s / best->latency_mean_s : NAN,
        .energy_j = run->energy_per_request_j - best->energy_per_request_j,
        .missed_ratio = best->deadline_met_ratio - run->service.deadline_met_ratio,
        .accuracy = best->accuracy - run->service.accuracy,
    };
}

void ew_regret_note(struct ew_result *run, const struct ew_result *clairvoyant, uint64_t n_changes,
                    uint32_t n_regimes, uint32_t n_failed)
{
    run->clairvoyant = (struct ew_clairvoyant_result){
        .n_changes = n_changes,
        .n_regimes = n_regimes,
        .n_failed = n_failed,
        .latency_mean_s = clairvoyant->service.latency.mean_s,
        .energy_per_request_j = clairvoyant->energy_per_request_j,
        .deadline_met_ratio = clairvoyant->service.deadline_met_ratio,
        .accuracy = clairvoyant->service.accuracy,
    };
}

static void put_cell(struct ew_str *out, double value)
{
    if (isfinite(value)) {
        ew_str_printf(out, ",%.17g", value);
    } else {
        ew_str_append(out, ",");
    }
}

void ew_regret_print_csv(struct ew_str *out, const struct ew_report *report)
{
    ew_str_append(out, "run,strategy,changes,regimes,failed_regimes,latency_mean_s,"
                       "clairvoyant_latency_mean_s,latency_regret_s,latency_regret_ratio,"
                       "energy_per_request_j,clairvoyant_energy_per_request_j,energy_regret_j,"
                       "missed_regret_ratio,accuracy_regret\n");
    for (uint32_t r = 0; r < report->n_runs; r++) {
        const struct ew_result *run = report->runs[r];
        const struct ew_clairvoyant_result *best = &run->clairvoyant;
        const struct ew_regret regret = ew_regret_of(run);
        if (best->n_regimes == 0) {
            continue;
        }
        ew_str_printf(out, "%u,%s,%llu,%u,%u", (unsigned)r, run->strategy,
                      (unsigned long long)best->n_changes, (unsigned)best->n_regimes,
                      (unsigned)best->n_failed);
        put_cell(out, run->service.latency.mean_s);
        put_cell(out, best->latency_mean_s);
        put_cell(out, regret.latency_s);
        put_cell(out, regret.latency_ratio);
        put_cell(out, run->energy_per_request_j);
        put_cell(out, best->energy_per_request_j);
        put_cell(out, regret.energy_j);
        put_cell(out, regret.missed_ratio);
        put_cell(out, regret.accuracy);
        ew_str_append(out, "\n");
    }
}

static void put_signed(struct ew_str *out, double value, double scale, const char *unit)
{
    if (fabs(value * scale) < 1e-9) { /* rounding */
        ew_str_printf(out, "0%s", unit);
    } else if (isfinite(value)) {
        ew_str_printf(out, "%+.3g%s", value * scale, unit);
    } else {
        ew_str_append(out, "-");
    }
}

void ew_regret_print_table(struct ew_str *out, const struct ew_report *report)
{
    bool has_any = false;
    for (uint32_t r = 0; r < report->n_runs; r++) {
        const struct ew_result *run = report->runs[r];
        if (run->clairvoyant.n_regimes == 0) {
            continue;
        }
        if (!has_any) {
            ew_str_append(out, "\nregret (against planning anew at every change, for nothing):\n");
            has_any = true;
        }
        const struct ew_regret regret = ew_regret_of(run);
        ew_str_printf(out, "  %-16s latency ", run->strategy);
        put_signed(out, regret.latency_s, 1e3, " ms");
        ew_str_append(out, " (");
        put_signed(out, regret.latency_ratio, 100, " %");
        ew_str_append(out, "), energy ");
        put_signed(out, regret.energy_j, 1, " J");
        ew_str_append(out, ", not in time ");
        put_signed(out, regret.missed_ratio, 100, " %");
        ew_str_append(out, ", accuracy ");
        put_signed(out, regret.accuracy, -100, " %");
        ew_str_printf(out, "; planned for %u worlds, %llu changes",
                      (unsigned)run->clairvoyant.n_regimes,
                      (unsigned long long)run->clairvoyant.n_changes);
        if (run->clairvoyant.n_failed) {
            ew_str_printf(out, ", %u without a plan", (unsigned)run->clairvoyant.n_failed);
        }
        ew_str_append(out, "\n");
    }
}
