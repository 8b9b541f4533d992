#include <math.h>

#include "base/json_writer.h"
#include "cli/describe.h"
#include "results/grid.h"

static const char *sharing_name(enum ew_link_sharing sharing)
{
    return sharing == EW_LINK_FATPIPE ? "fatpipe" : "shared";
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void print_device_json(struct ew_json *j, const struct ew_platform *p,
                              const struct ew_device *d)
{
    ew_json_object_begin(j);
    ew_json_kv_string(j, "name", d->name);
    ew_json_kv_string(j, "node", p->nodes[d->node].name);
    ew_json_kv_string(j, "profile", d->profile->name);
    ew_json_kv_double(j, "speed_flops_per_s", d->speed_flops_per_s);
    ew_json_kv_u64(j, "memory_bytes", d->memory_bytes);
    ew_json_kv_double(j, "message_overhead_s", d->message_overhead_s);
    ew_json_kv_bool(j, "has_power", d->has_power);
    if (d->has_power) {
        ew_json_kv_double(j, "off_w", d->off_w);
        ew_json_kv_double(j, "idle_w", d->idle_w);
        ew_json_kv_double(j, "compute_w", d->compute_w);
        ew_json_kv_double(j, "tx_w", d->tx_w);
        ew_json_kv_double(j, "rx_w", d->rx_w);
    }
    ew_json_object_end(j);
}

static void print_route_json(struct ew_json *j, const struct ew_platform *p, uint32_t from,
                             uint32_t to)
{
    const struct ew_route *route = ew_platform_route(p, from, to);
    if (!route->n_links) {
        return;
    }
    ew_json_object_begin_inline(j);
    ew_json_kv_string(j, "from", p->devices[from].name);
    ew_json_kv_string(j, "to", p->devices[to].name);
    ew_json_kv_double(j, "latency_s", route->latency_s);
    ew_json_kv_double(j, "bottleneck_bytes_per_s", route->bottleneck_bytes_per_s);
    ew_json_key(j, "links");
    ew_json_array_begin_inline(j);
    for (uint32_t i = 0; i < route->n_links; i++) {
        ew_json_string(j, p->links[route->links[i]].name);
    }
    ew_json_array_end(j);
    ew_json_object_end(j);
}

static void print_links_json(struct ew_json *j, const struct ew_platform *p)
{
    ew_json_key(j, "links");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < p->n_links; i++) {
        ew_json_object_begin_inline(j);
        ew_json_kv_string(j, "name", p->links[i].name);
        ew_json_kv_double(j, "bandwidth_bytes_per_s", p->links[i].bandwidth_bytes_per_s);
        ew_json_kv_double(j, "latency_s", p->links[i].latency_s);
        ew_json_kv_string(j, "sharing", sharing_name(p->links[i].sharing));
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void print_platform_json(struct ew_str *out, const struct ew_platform *p)
{
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "path", p->path);
    ew_json_key(&j, "devices");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < p->n_devices; i++) {
        print_device_json(&j, p, &p->devices[i]);
    }
    ew_json_array_end(&j);
    print_links_json(&j, p);
    ew_json_key(&j, "routes");
    ew_json_array_begin(&j);
    for (uint32_t from = 0; from < p->n_devices; from++) {
        for (uint32_t to = 0; to < p->n_devices; to++) {
            print_route_json(&j, p, from, to);
        }
    }
    ew_json_array_end(&j);
    ew_json_key(&j, "warnings");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < p->n_warnings; i++) {
        ew_json_string(&j, p->warnings[i]);
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

/* --- for people ------------------------------------------------------------------------------ */

static void print_devices(struct ew_str *out, const struct ew_platform *p)
{
    struct ew_grid grid = {.n_columns = 8};
    struct ew_grid_row *row = ew_grid_add(&grid);
    if (row) {
        *row = (struct ew_grid_row){.cells = {"device", "GFLOP/s", "memory", "idle W", "busy W",
                                              "tx W", "rx W", "profile"}};
    }
    for (uint32_t i = 0; i < p->n_devices; i++) {
        const struct ew_device *d = &p->devices[i];
        const double watts[4] = {d->idle_w, d->compute_w, d->tx_w, d->rx_w};
        char memory[32];
        ew_human_bytes(memory, (double)d->memory_bytes);
        row = ew_grid_add(&grid);
        if (!row) {
            break;
        }
        *row = (struct ew_grid_row){
            .cells = {d->name, ew_grid_format(&grid, "%.4g", d->speed_flops_per_s / 1e9),
                      d->memory_bytes ? ew_grid_format(&grid, "%s", memory) : "-"}};
        for (int k = 0; k < 4; k++) {
            row->cells[3 + k] = d->has_power ? ew_grid_format(&grid, "%.4g", watts[k]) : "-";
        }
        row->cells[7] = d->profile->name;
    }
    ew_describe_grid_end(out, &grid);
}

static void print_links(struct ew_str *out, const struct ew_platform *p)
{
    struct ew_grid grid = {.n_columns = 4};
    struct ew_grid_row *row = ew_grid_add(&grid);
    if (row) {
        *row = (struct ew_grid_row){.cells = {"link", "MB/s", "latency", "sharing"}};
    }
    for (uint32_t i = 0; i < p->n_links; i++) {
        char latency[32];
        ew_human_seconds(latency, p->links[i].latency_s);
        row = ew_grid_add(&grid);
        if (row) {
            *row = (struct ew_grid_row){
                .cells = {p->links[i].name,
                          ew_grid_format(&grid, "%.4g", p->links[i].bandwidth_bytes_per_s / 1e6),
                          ew_grid_format(&grid, "%s", latency), sharing_name(p->links[i].sharing)}};
        }
    }
    ew_describe_grid_end(out, &grid);
}

void ew_describe_platform(struct ew_str *out, const struct ew_platform *platform, bool as_json)
{
    if (as_json) {
        print_platform_json(out, platform);
        return;
    }
    uint64_t n_missing = 0;
    for (uint32_t from = 0; from < platform->n_devices; from++) {
        for (uint32_t to = 0; to < platform->n_devices; to++) {
            n_missing += from != to && ew_platform_route(platform, from, to)->n_links == 0;
        }
    }
    ew_str_printf(out, "%s: %u devices on %u nodes, %u links\n", platform->path,
                  platform->n_devices, platform->n_nodes, platform->n_links);
    if (n_missing) {
        ew_str_printf(out, "%llu ordered pairs of devices have no route\n",
                      (unsigned long long)n_missing);
    }
    for (uint32_t i = 0; i < platform->n_warnings; i++) {
        ew_str_printf(out, "warning: %s\n", platform->warnings[i]);
    }
    ew_str_append(out, "\n");
    print_devices(out, platform);
    ew_str_append(out, "\n");
    print_links(out, platform);
}

/* --- profiles -------------------------------------------------------------------------------- */

/* The figures of a profile that are numbers, with their units. */
static void print_profile_numbers(struct ew_json *j, const struct ew_profile *p)
{
    static const char *const rates[EW_RATE_COUNT] = {
        [EW_RATE_CONV_3X3_S1] = "conv_3x3_s1_flops_per_s",
        [EW_RATE_CONV_1X1] = "conv_1x1_flops_per_s",
        [EW_RATE_CONV_OTHER] = "conv_other_flops_per_s",
        [EW_RATE_DEPTHWISE] = "depthwise_flops_per_s",
        [EW_RATE_FC] = "fc_flops_per_s",
    };
    if (p->kind == EW_PROFILE_RATE) {
        ew_json_kv_double(j, "flops_per_s", p->flops_per_s);
    }
    if (p->kind == EW_PROFILE_CLASS_RATES || p->kind == EW_PROFILE_STAIRCASE ||
        p->kind == EW_PROFILE_ADDITIVE) {
        for (int i = 0; i < EW_RATE_COUNT; i++) {
            ew_json_kv_double(j, rates[i], p->class_flops_per_s[i]);
        }
        ew_json_kv_i64(j, "row_granularity", p->row_granularity);
    }
    ew_json_kv_double(j, "simple_ops_per_s", p->simple_ops_per_s);
    ew_json_kv_double(j, "weight_bytes_per_s", p->weight_bytes_per_s);
    ew_json_kv_double(j, "activation_bytes_per_s", p->activation_bytes_per_s);
    if (p->kind == EW_PROFILE_ADDITIVE) {
        ew_json_kv_double(j, "patch_bytes_per_s", p->patch_bytes_per_s);
    }
    ew_json_kv_double(j, "layer_overhead_s", p->layer_overhead_s);
    ew_json_kv_double(j, "load_overhead_s", p->load_overhead_s);
    ew_json_kv_double(j, "load_bytes_per_s", p->load_bytes_per_s);
    ew_json_kv_double(j, "residual_ratio", p->residual_ratio);
}

void ew_describe_profile(struct ew_str *out, const struct ew_profile *profile, bool as_json)
{
    struct ew_json j = {.out = out};
    if (!as_json) {
        ew_str_printf(out, "%s: kind %s, %s\nsource: %s\n", profile->name,
                      ew_profile_kind_name(profile->kind), profile->confidence, profile->source);
        ew_str_append(out, "figures (0: free): ");
        ew_json_object_begin(&j);
        print_profile_numbers(&j, profile);
        ew_json_object_end(&j);
        ew_str_append(out, "\n");
        return;
    }
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "name", profile->name);
    ew_json_kv_string(&j, "kind", ew_profile_kind_name(profile->kind));
    ew_json_kv_string(&j, "source", profile->source);
    ew_json_kv_string(&j, "confidence", profile->confidence);
    print_profile_numbers(&j, profile);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}
