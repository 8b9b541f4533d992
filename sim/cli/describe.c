#include "cli/describe.h"

#include <math.h>
#include <string.h>

#include "base/json_writer.h"
#include "cli/help.h"
#include "results/grid.h"

enum { WIDTH = 100 };

void ew_describe_grid_end(struct ew_str *out, struct ew_grid *grid)
{
    out->failed = out->failed || grid->ran_out_of_memory;
    ew_grid_print(out, grid, WIDTH);
    ew_grid_fini(grid);
}

/* --- strategies ------------------------------------------------------------------------------ */

static const char *param_kind_name(uint32_t kind)
{
    static const char *const names[] = {"int", "real", "bool", "choice", "string"};
    return kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

static void print_param_json(struct ew_json *j, const struct ew_param_info *param)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "name", param->name);
    ew_json_kv_string(j, "kind", param_kind_name(param->kind));
    ew_json_kv_string(j, "unit", param->unit);
    ew_json_kv_string(j, "default", param->default_text);
    if (param->kind == EW_PARAM_INT || param->kind == EW_PARAM_REAL) {
        ew_json_kv_double(j, "min", param->min_value);
        ew_json_kv_double(j, "max", param->max_value);
    }
    if (param->kind == EW_PARAM_CHOICE) {
        ew_json_key(j, "choices");
        ew_json_array_begin_inline(j);
        for (size_t i = 0; param->choices[i]; i++) {
            ew_json_string(j, param->choices[i]);
        }
        ew_json_array_end(j);
    }
    ew_json_kv_string(j, "doc", param->doc);
    ew_json_object_end(j);
}

static void print_strategy_json(struct ew_str *out, const struct ew_strategy_info *info)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "id", info->id);
    ew_json_kv_string(&j, "version", info->version);
    ew_json_kv_string(&j, "summary", info->summary);
    ew_json_kv_string(&j, "citation", info->citation);
    ew_json_key(&j, "params");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < info->param_count; i++) {
        print_param_json(&j, info->params[i]);
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

/* "0..1, default 0.5": what a value may be. */
static void print_range(struct ew_str *out, const struct ew_param_info *param)
{
    if (param->kind == EW_PARAM_INT || param->kind == EW_PARAM_REAL) {
        char low[32], high[32];
        ew_format_double(low, param->min_value);
        ew_format_double(high, param->max_value);
        ew_str_printf(out, "%s in %s..%s%s%s", param_kind_name(param->kind), low, high,
                      *param->unit ? " " : "", param->unit);
    } else if (param->kind == EW_PARAM_CHOICE) {
        for (size_t i = 0; param->choices[i]; i++) {
            ew_str_printf(out, "%s%s", i ? "|" : "", param->choices[i]);
        }
    } else {
        ew_str_append(out, param->kind == EW_PARAM_BOOL ? "true|false" : "text");
    }
    if (*param->default_text) {
        ew_str_printf(out, ", default %s", param->default_text);
    }
}

void ew_describe_strategy(struct ew_str *out, const struct ew_strategy_info *info, bool as_json)
{
    if (as_json) {
        print_strategy_json(out, info);
        return;
    }
    ew_str_printf(out, "%s %s\n%s\n", info->id, info->version, info->summary);
    if (*info->citation) {
        ew_str_printf(out, "%s\n", info->citation);
    }
    ew_str_append(out, info->param_count ? "\nparameters:\n" : "\nno parameters\n");
    for (uint32_t i = 0; i < info->param_count; i++) {
        ew_str_printf(out, "  %s  (", info->params[i]->name);
        print_range(out, info->params[i]);
        ew_str_append(out, ")\n");
        ew_help_wrap(out, info->params[i]->doc, 6);
    }
}

/* --- graphs ---------------------------------------------------------------------------------- */

static void print_graph_json(struct ew_str *out, const struct ew_graph *graph)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "name", graph->name);
    ew_json_kv_string(&j, "source", graph->source);
    ew_json_kv_double(&j, "bytes_per_element", graph->bytes_per_element);
    ew_json_kv_u64(&j, "macs", graph->macs);
    ew_json_kv_u64(&j, "params", graph->params);
    ew_json_kv_string(&j, "accuracy_metric", graph->accuracy_metric);
    ew_json_key(&j, "exits");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < graph->n_exits; i++) {
        ew_json_object_begin_inline(&j);
        ew_json_kv_string(&j, "name", graph->exits[i].name);
        ew_json_kv_double(&j, "accuracy", graph->exits[i].accuracy);
        ew_json_object_end(&j);
    }
    ew_json_array_end(&j);
    ew_json_key(&j, "variants");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < graph->n_variants; i++) {
        ew_json_object_begin_inline(&j);
        ew_json_kv_string(&j, "name", graph->variants[i].name);
        ew_json_kv_double(&j, "accuracy", graph->variants[i].accuracy);
        ew_json_kv_u64(&j, "macs", graph->variants[i].graph->macs);
        ew_json_object_end(&j);
    }
    ew_json_array_end(&j);
    ew_json_key(&j, "layers");
    ew_describe_layers_json(&j, graph);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

static void print_accuracy(struct ew_str *out, double accuracy, const char *metric)
{
    if (!isnan(accuracy)) {
        ew_str_printf(out, ", accuracy %.4g%s%s", accuracy, *metric ? " " : "", metric);
    }
}

void ew_describe_graph(struct ew_str *out, const struct ew_graph *graph, bool as_json)
{
    if (as_json) {
        print_graph_json(out, graph);
        return;
    }
    ew_str_printf(out, "%s: %u layers, %.4g GMACs, %.4g million parameters, %g bytes per element\n",
                  graph->name, graph->n_layers, (double)graph->macs / 1e9,
                  (double)graph->params / 1e6, graph->bytes_per_element);
    if (*graph->source) {
        ew_str_printf(out, "source: %s\n", graph->source);
    }
    for (uint32_t i = 0; i < graph->n_exits; i++) {
        const struct ew_exit *exit = &graph->exits[i];
        ew_str_printf(out, "exit '%s'", exit->name);
        for (uint32_t k = 0; k < exit->n_layers; k++) {
            ew_str_printf(out, "%s%s", k ? ", " : " behind ", graph->layers[exit->layers[k]].name);
        }
        print_accuracy(out, exit->accuracy, graph->accuracy_metric);
        ew_str_append(out, "\n");
    }
    for (uint32_t i = 1; i < graph->n_variants; i++) {
        const struct ew_variant *variant = &graph->variants[i];
        ew_str_printf(out, "variant '%s': %.4g GMACs", variant->name,
                      (double)variant->graph->macs / 1e9);
        print_accuracy(out, variant->accuracy, graph->accuracy_metric);
        ew_str_append(out, "\n");
    }
    ew_str_append(out, "\n");
    ew_describe_layers(out, graph, EW_LAYERS_TABLE);
}
