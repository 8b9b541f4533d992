#include "results/bars.h"

#include <math.h>

#include "model/spread.h"
#include "results/grid.h"

enum { WIDTH = 100 };

static bool has_bars(const struct ew_result *result)
{
    return !result->error && result->bars.n_draws > 0;
}

static const char *cell_range(struct ew_grid *grid, double low, double high,
                              void (*human)(char out[32], double value))
{
    char from[32], to[32];
    human(from, low);
    human(to, high);
    return ew_grid_format(grid, "%s .. %s", from, to);
}

static const struct ew_result *fastest_of(const struct ew_result *const *results, uint32_t n)
{
    const struct ew_result *fastest = NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (has_bars(results[i]) &&
            (!fastest || results[i]->service.latency.mean_s < fastest->service.latency.mean_s)) {
            fastest = results[i];
        }
    }
    return fastest;
}

/* Share of the draws, common to both, in which `a` is no slower than `b`. */
static double share_in_order(const struct ew_result *a, const struct ew_result *b)
{
    const uint32_t n = a->bars.n_draws < b->bars.n_draws ? a->bars.n_draws : b->bars.n_draws;
    uint32_t in_order = 0;
    for (uint32_t i = 0; i < n; i++) {
        in_order += a->bars.latency_draws_s[i] <= b->bars.latency_draws_s[i];
    }
    return (double)in_order / n;
}

static void print_order(struct ew_str *out, const struct ew_result *const *results, uint32_t n)
{
    const struct ew_result *fastest = fastest_of(results, n);
    for (uint32_t i = 0; i < n; i++) {
        if (results[i] == fastest || !has_bars(results[i])) {
            continue;
        }
        const double share = share_in_order(fastest, results[i]);
        if (share < (1 + EW_SPREAD_SHARE) / 2 &&
            results[i]->service.latency.mean_s > fastest->service.latency.mean_s) {
            ew_str_printf(
                out,
                "%s and %s are within each other's error: their order holds in %.0f %% of "
                "the draws\n",
                fastest->strategy, results[i]->strategy, 100 * share);
        }
    }
}

static void print_doubts(struct ew_str *out, const struct ew_result *const *results, uint32_t n)
{
    const char *unknown = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const struct ew_bars *bars = &results[i]->bars;
        if (!has_bars(results[i])) {
            continue;
        }
        unknown = unknown ? unknown : bars->without_residuals;
        if (bars->n_outside) {
            ew_str_printf(out,
                          "%s extrapolates: %u of %u tasks are smaller or larger than any layer "
                          "that their profile was fitted to\n",
                          results[i]->strategy, (unsigned)bars->n_outside, (unsigned)bars->n_tasks);
        }
    }
    if (unknown) {
        ew_str_printf(out, "profile %s knows no errors: bars are too narrow where it is used\n",
                      unknown);
    }
}

void ew_bars_print(struct ew_str *out, const struct ew_result *const *results, uint32_t n)
{
    struct ew_grid grid = {.n_columns = 3};
    const struct ew_result *fastest = fastest_of(results, n);
    if (!fastest) {
        return;
    }
    ew_str_printf(out, "\n80 %% bars from %u draws of the profiles' errors\n",
                  (unsigned)fastest->bars.n_draws);
    for (uint32_t i = 0; i < n; i++) {
        struct ew_grid_row *row = has_bars(results[i]) ? ew_grid_add(&grid) : NULL;
        if (row) {
            const struct ew_latency *latency = &results[i]->service.latency;
            row->cells[0] = results[i]->strategy;
            row->cells[1] = cell_range(&grid, latency->low_s, latency->high_s, ew_human_seconds);
            row->cells[2] = results[i]->has_energy
                                ? cell_range(&grid, results[i]->bars.energy_low_j,
                                             results[i]->bars.energy_high_j, ew_human_joules)
                                : "-";
        }
    }
    ew_grid_print(out, &grid, WIDTH);
    ew_grid_fini(&grid);
    print_order(out, results, n);
    print_doubts(out, results, n);
}
