#include "cli/plan_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/describe.h"
#include "io/plan_json.h"
#include "results/grid.h"

/* --- saving ---------------------------------------------------------------------------------- */

/* FILE, or FILE with ".WORKLOAD" before its ".json". */
static void print_file_name(struct ew_str *out, const char *file, const struct ew_setup *setup,
                            uint32_t workload)
{
    const size_t n = strlen(file);
    const bool has_suffix = n > 5 && strcmp(file + n - 5, ".json") == 0;
    if (setup->n_workloads == 1) {
        ew_str_append(out, file);
        return;
    }
    ew_str_append_n(out, file, has_suffix ? n - 5 : n);
    ew_str_printf(out, ".%s%s", setup->workloads[workload].name, has_suffix ? ".json" : "");
}

enum ew_status ew_plan_out_save(struct ew_cli *cli, const struct ew_point *point,
                                struct ew_error *err)
{
    const struct ew_arg *file = ew_args_last(&cli->args, EW_OPTION_SAVE_PLAN);
    const struct ew_setup *setup = point->config->setup;
    enum ew_status status = EW_OK;
    if (!file) {
        return EW_OK;
    }
    cli->blame = file->at;
    for (uint32_t i = 0; status == EW_OK && i < setup->n_workloads; i++) {
        struct ew_str name = {0}, text = {0};
        print_file_name(&name, file->value, setup, i);
        ew_book_print_json(&text, &setup->workloads[i].problem.context, point->books[i]);
        status = name.failed || text.failed
                     ? ew_fail_memory(err)
                     : ew_file_write(ew_str_text(&name), text.text, text.length, err);
        ew_str_fini(&name);
        ew_str_fini(&text);
    }
    if (status == EW_OK) {
        cli->blame = -1;
    }
    return status;
}

/* --- summary --------------------------------------------------------------------------------- */

static void print_facts(struct ew_str *out, const struct ew_plan_context *context,
                        const struct ew_plan *plan, const struct ew_task_graph *graph)
{
    const struct ew_device *devices = context->platform->devices;
    const struct ew_plan_stats *stats = &graph->stats;
    char text[32];
    ew_str_printf(out, "plan '%s': %d image%s, from %s to %s, weights %s\n", plan->name,
                  plan->batch, plan->batch == 1 ? "" : "s", devices[plan->source_device].name,
                  devices[plan->sink_device].name, ew_weights_names[plan->weights]);
    ew_str_printf(out, "  %u pieces, %.4g GMACs, of which %.2f %% redundant; ", plan->n_pieces,
                  (double)stats->macs / 1e9,
                  stats->macs ? 100.0 * (double)stats->redundant_macs / (double)stats->macs : 0.0);
    ew_human_bytes(text, (double)stats->message_bytes);
    ew_str_printf(out, "%llu message%s, %s\n", (unsigned long long)stats->n_messages,
                  stats->n_messages == 1 ? "" : "s", text);
    if (!isnan(stats->expected_accuracy)) {
        ew_str_printf(out, "  expected accuracy %.4g\n", stats->expected_accuracy);
    }
    if (isfinite(plan->predicted_latency_s)) {
        ew_human_seconds(text, plan->predicted_latency_s);
        ew_str_printf(out, "  the strategy predicts %s", text);
        if (isfinite(plan->predicted_energy_j)) {
            ew_human_joules(text, plan->predicted_energy_j);
            ew_str_printf(out, " and %s", text);
        }
        ew_str_append(out, "\n");
    }
    if (plan->infeasible_reason) {
        ew_str_printf(out, "  not feasible, says the strategy: %s\n", plan->infeasible_reason);
    }
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        ew_str_printf(out, "  %s: %s\n", plan->notes[i].key, plan->notes[i].value);
    }
}

static void print_pools(struct ew_str *out, const struct ew_plan_context *context,
                        const struct ew_task_graph *graph)
{
    const struct ew_device *devices = context->platform->devices;
    for (uint32_t i = 0; i < graph->n_pools; i++) {
        const struct ew_pool *pool = &graph->pools[i];
        uint32_t n_units = 0;
        for (uint32_t u = 0; u < graph->n_units; u++) {
            n_units += graph->units[u].pool == i;
        }
        ew_str_printf(out,
                      "  pool %u: %u chain%s at %s, taken with a message of %llu B by whoever of",
                      i, n_units, n_units == 1 ? "" : "s", devices[pool->holder].name,
                      (unsigned long long)pool->steal_bytes);
        for (uint32_t m = 0; m < pool->n_members; m++) {
            ew_str_printf(out, "%s %s", m ? "," : "", devices[pool->members[m]].name);
        }
        ew_str_append(out, " is idle\n");
    }
    if (graph->n_units) {
        ew_str_append(out, "  what members compute is shown as if all were equally long busy\n");
    }
}

static void print_devices(struct ew_str *out, const struct ew_plan_context *context,
                          const struct ew_task_graph *graph)
{
    struct ew_grid grid = {.n_columns = 6};
    struct ew_grid_row *row = ew_grid_add(&grid);
    if (row) {
        *row = (struct ew_grid_row){
            .cells = {"device", "compute", "GMACs", "weights", "working", "rows"}};
    }
    for (uint32_t i = 0; i < graph->n_devices; i++) {
        const struct ew_device_load *load = &graph->devices[i];
        char work[32], weights[32], working[32];
        if (load->macs == 0 && load->work_s == 0) {
            row = ew_grid_add(&grid);
            if (row) {
                *row = (struct ew_grid_row){
                    .cells = {context->platform->devices[i].name, "-", "-", "-", "-", "-"}};
            }
            continue;
        }
        ew_human_seconds(work, load->work_s);
        ew_human_bytes(weights, (double)load->weight_bytes);
        ew_human_bytes(working, (double)load->peak_working_bytes);
        row = ew_grid_add(&grid);
        if (row) {
            *row = (struct ew_grid_row){
                .cells = {context->platform->devices[i].name, ew_grid_format(&grid, "%s", work),
                          ew_grid_format(&grid, "%.4g", (double)load->macs / 1e9),
                          ew_grid_format(&grid, "%s", weights),
                          ew_grid_format(&grid, "%s", working),
                          ew_grid_format(&grid, "%.1f %%", 100 * load->rows_share)}};
        }
    }
    ew_describe_grid_end(out, &grid);
}

/* "pi1 rows 0..55": the device and the dimensions in which the box is not whole. */
static void print_piece(struct ew_str *out, const struct ew_plan_context *context,
                        const struct ew_plan *plan, const struct ew_piece *piece)
{
    static const char *const words[EW_DIMS] = {"images", "channels", "rows", "columns"};
    const struct ew_graph *graph =
        ew_segment_graph(context->graph, &plan->segments[piece->segment]);
    if (piece->pool) {
        ew_str_printf(out, "pool %u", piece->pool - 1u);
    } else {
        ew_str_append(out, context->platform->devices[piece->device].name);
    }
    for (int d = 0; d < EW_DIMS; d++) {
        const int32_t size = d == EW_N ? plan->batch : graph->layers[piece->layer].shape[d];
        if (piece->box.lo[d] != 0 || piece->box.hi[d] != size) {
            ew_str_printf(out, " %s %d..%d", words[d], piece->box.lo[d], piece->box.hi[d] - 1);
        }
    }
    if (piece->role == EW_PIECE_PARTIAL) {
        ew_str_printf(out, " inputs %d..%d", piece->reduction.lo, piece->reduction.hi - 1);
    } else if (piece->role == EW_PIECE_SUM) {
        ew_str_append(out, " sum");
    }
}

static void print_boundary(struct ew_str *out, const struct ew_plan_context *context,
                           const struct ew_boundary *b)
{
    if (b->exchange != EW_EXCHANGE_DIRECT) {
        ew_str_printf(out, "; %s through %s", ew_exchange_names[b->exchange],
                      context->platform->devices[b->hub].name);
    }
    if (b->has_barrier) {
        ew_str_append(out, "; barrier");
    }
    if (b->wire_bits) {
        ew_str_printf(out, "; %u bits on the wire", b->wire_bits);
    }
}

/* What happens to one layer of one variant: who computes it, and how it travels on. */
static void print_layer(struct ew_str *out, const struct ew_plan_context *context,
                        const struct ew_plan *plan, uint32_t variant, uint32_t layer)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        const struct ew_piece *piece = &plan->pieces[i];
        if (piece->layer == layer && plan->segments[piece->segment].variant == variant) {
            ew_str_append(out, n++ ? ", " : "");
            print_piece(out, context, plan, piece);
        }
    }
    const struct ew_boundary boundary = ew_plan_boundary(plan, variant, layer);
    if (n == 0 && (boundary.exchange != EW_EXCHANGE_DIRECT || boundary.wire_bits)) {
        ew_str_append(out, "(the input)");
    }
    if (out->length) {
        print_boundary(out, context, &boundary);
    }
}

/* Layers in a row that are dealt with alike. */
struct alike {
    const char *first;
    const char *last;
    const char *text;
    uint32_t count;
};

static void end_alike(struct ew_grid *grid, const struct alike *a)
{
    struct ew_grid_row *row = a->count ? ew_grid_add(grid) : NULL;
    if (row && a->count == 1) {
        row->cells[0] = a->first;
        row->text = a->text;
    } else if (row) {
        row->cells[0] = ew_grid_format(grid, "%s .. %s", a->first, a->last);
        row->text = ew_grid_format(grid, "(%u layers) %s", a->count, a->text);
    }
}

static void print_layers(struct ew_str *out, const struct ew_plan_context *context,
                         const struct ew_plan *plan)
{
    struct ew_grid grid = {.n_columns = 2};
    for (uint32_t v = 0; v < context->graph->n_variants; v++) {
        const struct ew_graph *graph = context->graph->variants[v].graph;
        struct alike alike = {0};
        for (uint32_t i = 0; i < graph->n_layers; i++) {
            struct ew_str text = {0};
            const char *name = graph->layers[i].name;
            print_layer(&text, context, plan, v, i);
            if (text.length && alike.count && strcmp(alike.text, ew_str_text(&text)) == 0) {
                alike.last = name;
                alike.count++;
            } else if (text.length) {
                end_alike(&grid, &alike);
                alike = (struct alike){name, name, ew_grid_format(&grid, "%s", text.text), 1};
            }
            out->failed = out->failed || text.failed;
            ew_str_fini(&text);
        }
        end_alike(&grid, &alike);
    }
    ew_describe_grid_end(out, &grid);
}

static void free_graphs(struct ew_task_graph **graphs, uint32_t n)
{
    for (uint32_t i = 0; graphs && i < n; i++) {
        ew_task_graph_free(graphs[i]);
    }
    free(graphs);
}

enum ew_status ew_plan_out_summary(struct ew_str *out, const struct ew_point *point,
                                   uint32_t workload, struct ew_error *err)
{
    const struct ew_setup_workload *w = &point->config->setup->workloads[workload];
    const struct ew_book *book = point->books[workload];
    struct ew_task_graph **graphs = NULL;
    const enum ew_status status = ew_point_lower(&graphs, point, workload, err);
    if (status != EW_OK) {
        return status;
    }
    if (point->config->setup->n_workloads > 1) {
        ew_str_printf(out, "workload '%s'\n", w->name);
    }
    if (book->n_plans > 1) {
        ew_str_printf(out, "%u plans, picked by rule '%s'\n", book->n_plans,
                      ew_pick_names[book->pick]);
    }
    for (uint32_t i = 0; i < book->n_plans; i++) {
        print_facts(out, &w->problem.context, book->plans[i], graphs[i]);
        ew_str_append(out, "\n");
        print_pools(out, &w->problem.context, graphs[i]);
        print_devices(out, &w->problem.context, graphs[i]);
        ew_str_append(out, "\n");
        print_layers(out, &w->problem.context, book->plans[i]);
    }
    free_graphs(graphs, book->n_plans);
    return EW_OK;
}

enum ew_status ew_plan_out_graphs(struct ew_str *out, const struct ew_point *point,
                                  uint32_t workload, bool as_dot, struct ew_error *err)
{
    const struct ew_setup_workload *w = &point->config->setup->workloads[workload];
    const struct ew_book *book = point->books[workload];
    struct ew_task_graph **graphs = NULL;
    const enum ew_status status = ew_point_lower(&graphs, point, workload, err);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < book->n_plans; i++) {
        if (as_dot) {
            ew_task_graph_print_dot(out, graphs[i], &w->problem.context, book->plans[i]);
        } else {
            ew_task_graph_print_json(out, graphs[i], &w->problem.context, book->plans[i]);
        }
    }
    free_graphs(graphs, book->n_plans);
    return EW_OK;
}
