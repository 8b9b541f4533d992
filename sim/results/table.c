#include "results/table.h"

#include <inttypes.h>
#include <math.h>

#include "results/grid.h"

enum { DEFAULT_WIDTH = 100 };

/* ------------------------------------------------------------------ cells */

static const char *cell_seconds(struct ew_grid *grid, double seconds, const char *mark)
{
    char text[32] = "-";
    if (seconds == 0) {
        return ew_grid_format(grid, "0 s%s", mark);
    }
    if (isfinite(seconds)) {
        ew_human_seconds(text, seconds);
    }
    return ew_grid_format(grid, "%s%s", text, mark);
}

static const char *cell_joules(struct ew_grid *grid, double joules, const char *mark)
{
    char text[32] = "-";
    if (joules == 0) {
        return ew_grid_format(grid, "0 J%s", mark);
    }
    if (isfinite(joules)) {
        ew_human_joules(text, joules);
    }
    return ew_grid_format(grid, "%s%s", text, mark);
}

static const char *cell_bytes(struct ew_grid *grid, uint64_t bytes)
{
    char text[32];
    ew_human_bytes(text, (double)bytes);
    return ew_grid_format(grid, "%s", text);
}

static const char *cell_number(struct ew_grid *grid, double x)
{
    return isfinite(x) ? ew_grid_format(grid, "%.4g", x) : "-";
}

/* At most two decimals; "100 %" only for all, "99.99 %" at most for less. */
static const char *cell_percent(struct ew_grid *grid, double ratio)
{
    if (!isfinite(ratio)) {
        return "-";
    }
    const double percent = ratio < 1 ? fmin(ratio * 100, 99.99) : ratio * 100;
    return ew_grid_format(grid, "%.4g %%", percent);
}

static void set_cells(struct ew_grid_row *row, const char *const *cells, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        row->cells[i] = cells[i];
    }
}

static void print_and_free(struct ew_str *out, struct ew_grid *grid, uint32_t width)
{
    if (grid->ran_out_of_memory) {
        out->failed = true;
    } else {
        ew_grid_print(out, grid, width);
    }
    ew_grid_fini(grid);
}

/* ------------------------------------------------------------------ runs */

/* What the marks are given for. */
struct best {
    bool only_met; /* somebody meets the requirements: only such compete */
    uint32_t n_rivals;
    double latency_s;
    double energy_j;
};

static bool is_rival(const struct best *best, const struct ew_result *result)
{
    return !result->error && result->service.counts.completed > 0 &&
           (!best->only_met || result->service.is_met);
}

static struct best find_best(uint32_t n, const struct ew_result *const *results)
{
    struct best best = {.latency_s = NAN, .energy_j = NAN};
    for (uint32_t i = 0; i < n; i++) {
        best.only_met = best.only_met || (!results[i]->error && results[i]->service.is_met);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (is_rival(&best, results[i])) {
            best.n_rivals++;
            best.latency_s = fmin(best.latency_s, results[i]->service.latency.mean_s);
            best.energy_j = fmin(best.energy_j, results[i]->energy_per_request_j);
        }
    }
    return best;
}

/* Equal to within rounding counts as equally good. */
static const char *mark_of(const struct best *best, const struct ew_result *result, double value,
                           double best_value)
{
    const bool is_best =
        best->n_rivals > 1 && is_rival(best, result) && value <= best_value * (1 + 1e-9);
    return is_best ? "*" : " ";
}

/* First plan that says it does not meet the requirements, with its reason. */
static const char *infeasible_reason(const struct ew_result *result)
{
    for (uint32_t w = 0; w < result->n_workloads; w++) {
        for (uint32_t p = 0; p < result->workloads[w].n_plans; p++) {
            const struct ew_plan_result *plan = &result->workloads[w].plans[p];
            if (!plan->claims_feasible && plan->infeasible_reason) {
                return plan->infeasible_reason;
            }
        }
    }
    return NULL;
}

static const char *note_of(struct ew_grid *grid, const struct ew_result *result)
{
    const struct ew_counts *counts = &result->service.counts;
    const char *reason = infeasible_reason(result);
    struct ew_str note = {0};
    if (!result->service.is_met) {
        const uint64_t in_time = counts->completed - counts->late;
        ew_str_append(&note, "requirements not met: ");
        if (in_time < counts->requests) {
            ew_str_printf(&note, "%" PRIu64 " of %" PRIu64 " in time", in_time, counts->requests);
        }
        if (result->service.lacks_accuracy) {
            ew_str_printf(&note, "%saccuracy too low", in_time < counts->requests ? ", " : "");
        }
        if (result->service.lacks_throughput) {
            ew_str_printf(&note, "%stoo few requests per second",
                          in_time < counts->requests || result->service.lacks_accuracy ? ", " : "");
        }
        if (counts->dropped) {
            ew_str_printf(&note, ", %" PRIu64 " dropped", counts->dropped);
        }
        if (counts->failed) {
            ew_str_printf(&note, ", %" PRIu64 " failed", counts->failed);
        }
        if (counts->open) {
            ew_str_printf(&note, ", %" PRIu64 " without an end", counts->open);
        }
    }
    if (result->service.has_model_mismatch) {
        ew_str_append(&note, "; its own model calls the plan feasible");
        if (isfinite(result->service.predicted_latency_s)) {
            char text[32];
            ew_human_seconds(text, result->service.predicted_latency_s);
            ew_str_printf(&note, " (%s)", text);
        }
    }
    if (reason) {
        ew_str_printf(&note, "%sthe strategy says: %s", note.length ? "; " : "", reason);
    }
    const char *text = note.length ? ew_grid_format(grid, "%s", ew_str_text(&note)) : NULL;
    grid->ran_out_of_memory |= note.failed;
    ew_str_fini(&note);
    return text;
}

static void add_run(struct ew_grid *grid, const struct ew_result *result, const struct best *best)
{
    struct ew_grid_row *row = ew_grid_add(grid);
    if (!row) {
        return;
    }
    row->cells[0] = result->strategy;
    if (result->error) {
        row->text = ew_grid_format(grid, "%s: %s",
                                   result->error_status == EW_ENOTSUP ? "cannot serve" : "failed",
                                   result->error);
        return;
    }
    const struct ew_service *service = &result->service;
    const char *cells[] = {
        result->strategy,
        cell_seconds(grid, service->latency.mean_s,
                     mark_of(best, result, service->latency.mean_s, best->latency_s)),
        cell_seconds(grid, service->latency.p99_s, ""),
        cell_number(grid, service->throughput_per_s),
        cell_joules(grid, result->energy_per_request_j,
                    mark_of(best, result, result->energy_per_request_j, best->energy_j)),
        cell_joules(grid, result->dynamic_energy_per_request_j, ""),
        cell_percent(grid, service->accuracy),
        cell_percent(grid, service->deadline_met_ratio),
        ew_grid_format(grid, "%" PRIu32, result->n_devices_used),
        cell_seconds(grid, result->plan_time_s, ""),
    };
    set_cells(row, cells, grid->n_columns);
    row->note = note_of(grid, result);
}

void ew_table_print_runs(struct ew_str *out, uint32_t n, const struct ew_result *const *results,
                         const struct ew_table_options *options)
{
    static const char *const heads[] = {"strategy",    "latency ",    "p99",      "rate/s",
                                        "energy/req ", "dynamic/req", "accuracy", "in time",
                                        "devices",     "planning"};
    const uint32_t n_heads = sizeof heads / sizeof *heads;
    struct ew_grid grid = {.n_columns = options->without_wall_clock ? n_heads - 1 : n_heads};
    const struct best best = find_best(n, results);
    struct ew_grid_row *head = ew_grid_add(&grid);
    if (head) {
        set_cells(head, heads, grid.n_columns);
    }
    for (uint32_t i = 0; i < n; i++) {
        add_run(&grid, results[i], &best);
    }
    print_and_free(out, &grid, options->width ? options->width : DEFAULT_WIDTH);
    if (best.n_rivals > 1) {
        ew_str_append(out, best.only_met ? "* best of those that meet the requirements\n"
                                         : "* best; none meets the requirements\n");
    }
}

/* ------------------------------------------------------------------ devices, workloads */

void ew_table_print_devices(struct ew_str *out, const struct ew_result *result)
{
    static const char *const heads[] = {"device", "busy",    "use",    "sent", "received",
                                        "energy", "dynamic", "memory", "rows"};
    struct ew_grid grid = {.n_columns = sizeof heads / sizeof *heads};
    if (result->error) {
        return;
    }
    struct ew_grid_row *head = ew_grid_add(&grid);
    if (head) {
        set_cells(head, heads, grid.n_columns);
    }
    for (uint32_t d = 0; d < result->n_devices; d++) {
        const struct ew_device_result *device = &result->devices[d];
        const char *cells[] = {
            device->name,
            cell_seconds(&grid, device->busy_s, ""),
            cell_percent(&grid, device->utilisation_ratio),
            cell_bytes(&grid, device->tx_bytes),
            cell_bytes(&grid, device->rx_bytes),
            cell_joules(&grid, device->energy_j, ""),
            cell_joules(&grid, device->dynamic_energy_j, ""),
            cell_bytes(&grid, device->peak_memory_bytes),
            cell_percent(&grid, device->rows_share),
        };
        struct ew_grid_row *row = ew_grid_add(&grid);
        if (row) {
            set_cells(row, cells, grid.n_columns);
        }
    }
    print_and_free(out, &grid, DEFAULT_WIDTH);
}

void ew_table_print_workloads(struct ew_str *out, const struct ew_result *result)
{
    static const char *const heads[] = {"workload", "graph",   "requests", "completed", "late",
                                        "lost",     "latency", "p99",      "accuracy",  "dynamic"};
    struct ew_grid grid = {.n_columns = sizeof heads / sizeof *heads};
    if (result->error) {
        return;
    }
    struct ew_grid_row *head = ew_grid_add(&grid);
    if (head) {
        set_cells(head, heads, grid.n_columns);
    }
    for (uint32_t w = 0; w < result->n_workloads; w++) {
        const struct ew_workload_result *workload = &result->workloads[w];
        const struct ew_counts *counts = &workload->service.counts;
        const char *cells[] = {
            workload->name,
            workload->graph,
            ew_grid_format(&grid, "%" PRIu64, counts->requests),
            ew_grid_format(&grid, "%" PRIu64, counts->completed),
            ew_grid_format(&grid, "%" PRIu64, counts->late),
            ew_grid_format(&grid, "%" PRIu64, counts->dropped + counts->failed + counts->open),
            cell_seconds(&grid, workload->service.latency.mean_s, ""),
            cell_seconds(&grid, workload->service.latency.p99_s, ""),
            cell_percent(&grid, workload->service.accuracy),
            cell_joules(&grid, workload->dynamic_energy_j, ""),
        };
        struct ew_grid_row *row = ew_grid_add(&grid);
        if (row) {
            set_cells(row, cells, grid.n_columns);
        }
    }
    print_and_free(out, &grid, DEFAULT_WIDTH);
}
