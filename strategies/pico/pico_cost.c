#include "pico/pico_cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fill.h"
#include "common/plugin.h"
#include "common/share.h"

enum { LEFT_OUT_SIZE = 256 };

/* ------------------------------------------------------------------ devices */

static const char *obstacle(const struct pico_cost *cost, uint32_t device)
{
    const struct ew_host *host = cost->net->host;
    const struct ew_requirements_info *asked = host->requirements(host);
    if (!kit_has_route(host, asked->source_device, device) ||
        !kit_has_route(host, device, asked->sink_device)) {
        return "no route";
    }
    for (uint32_t i = 0; i < cost->n_devices; i++) {
        if (!kit_has_route(host, cost->device[i], device)) {
            return "no route to all others";
        }
    }
    return NULL;
}

static void note_left_out(struct pico_cost *cost, uint32_t device, const char *why)
{
    const struct ew_host *host = cost->net->host;
    size_t used = strlen(cost->left_out);
    snprintf(cost->left_out + used, LEFT_OUT_SIZE - used, "%s%s (%s)", used ? ", " : "",
             host->device(host, device)->name, why);
}

/* All devices by falling capability; of equals the lower id first. */
static void sort_devices(uint32_t *order, double *capability, const struct kit_net *net, uint32_t n)
{
    for (uint32_t d = 0; d < n; d++) {
        double able = 1.0 / fmax(kit_net_compute_s(net, d), 1e-12);
        uint32_t at = d;
        for (; at > 0 && capability[at - 1] < able; at--) {
            capability[at] = capability[at - 1];
            order[at] = order[at - 1];
        }
        capability[at] = able;
        order[at] = d;
    }
}

static int32_t choose_devices(struct pico_cost *cost, const bool *is_banned)
{
    const struct ew_host *host = cost->net->host;
    uint32_t n = host->device_count(host);
    uint32_t *order = calloc(n, sizeof *order);
    double *able = calloc(n, sizeof *able);
    int32_t rc = order && able ? EW_STRATEGY_OK : kit_fail_memory(host);
    if (rc >= 0) {
        sort_devices(order, able, cost->net, n);
    }
    for (uint32_t i = 0; i < n && rc >= 0; i++) {
        const char *why = is_banned[order[i]] ? "memory" : obstacle(cost, order[i]);
        if (why) {
            note_left_out(cost, order[i], why);
        } else {
            cost->capability[cost->n_devices] = able[i];
            cost->device[cost->n_devices++] = order[i];
        }
    }
    if (rc >= 0 && cost->n_devices == 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "no device can take part: %s", cost->left_out);
    }
    free(order);
    free(able);
    return rc;
}

/* ------------------------------------------------------------------ life */

static int32_t allocate(struct pico_cost *cost)
{
    const struct ew_host *host = cost->net->host;
    size_t n_layers = cost->net->n_layers;
    size_t n = host->device_count(host);
    cost->device = calloc(n, sizeof *cost->device);
    cost->capability = calloc(n, sizeof *cost->capability);
    cost->lines = calloc(n * n_layers, sizeof *cost->lines);
    cost->mean = calloc(n_layers, sizeof *cost->mean);
    cost->line_bytes = calloc(n_layers, sizeof *cost->line_bytes);
    cost->spans = calloc(n_layers, sizeof *cost->spans);
    cost->left_out = calloc(1, LEFT_OUT_SIZE);
    if (!cost->device || !cost->capability || !cost->lines || !cost->mean || !cost->line_bytes ||
        !cost->spans || !cost->left_out) {
        return kit_fail_memory(host);
    }
    return EW_STRATEGY_OK;
}

static void fit_lines(struct pico_cost *cost)
{
    const struct kit_net *net = cost->net;
    for (uint32_t d = 0; d < cost->n_devices; d++) {
        for (uint32_t i = 0; i < net->n_order; i++) {
            uint32_t layer = net->order[i];
            cost->lines[(size_t)d * net->n_layers + layer] =
                kit_fit_layer(net, layer, cost->device[d]);
        }
    }
    for (uint32_t l = 0; l < net->n_layers; l++) {
        int32_t extent = net->place[l] == KIT_ABSENT ? 0 : kit_layer_extent(net, l);
        cost->line_bytes[l] = extent > 0 ? (double)kit_layer_bytes(net, l) / extent : 0.0;
    }
}

int32_t pico_cost_init(struct pico_cost *cost, const struct kit_net *net, const bool *is_banned)
{
    cost->net = net;
    int32_t rc = allocate(cost);
    if (rc >= 0) {
        rc = choose_devices(cost, is_banned);
    }
    if (rc >= 0) {
        rc = kit_blocks_init(&cost->blocks, net);
    }
    cost->slowest_s = calloc(cost->blocks.n + 1u, sizeof *cost->slowest_s);
    cost->moved_s = calloc(cost->blocks.n + 1u, sizeof *cost->moved_s);
    if (rc >= 0 && (!cost->slowest_s || !cost->moved_s)) {
        rc = kit_fail_memory(net->host);
    }
    if (rc >= 0) {
        rc = kit_reach_init(&cost->reach, net, &cost->blocks);
    }
    if (rc >= 0) {
        fit_lines(cost);
    }
    return rc;
}

void pico_cost_fini(struct pico_cost *cost)
{
    kit_reach_fini(&cost->reach);
    kit_blocks_fini(&cost->blocks);
    free(cost->device);
    free(cost->capability);
    free(cost->lines);
    free(cost->mean);
    free(cost->line_bytes);
    free(cost->spans);
    free(cost->slowest_s);
    free(cost->moved_s);
    free(cost->left_out);
    memset(cost, 0, sizeof *cost);
}

/* ------------------------------------------------------------------ the mean device */

static double mean_slope(const struct pico_cost *cost, uint32_t layer, uint32_t n)
{
    double rates = 0.0;
    for (uint32_t d = 0; d < n; d++) {
        double slope = cost->lines[(size_t)d * cost->net->n_layers + layer].slope;
        if (slope <= 0.0) {
            return 0.0; /* as fast as one likes */
        }
        rates += 1.0 / slope;
    }
    return n / rates;
}

/* The k-th end of transfers: the first n devices, then the source, then the sink. */
static uint32_t transfer_end(const struct pico_cost *cost, uint32_t n, uint32_t k)
{
    const struct ew_requirements_info *asked = cost->net->host->requirements(cost->net->host);
    return k < n ? cost->device[k] : k == n ? asked->source_device : asked->sink_device;
}

static bool is_repeated(const struct pico_cost *cost, uint32_t n, uint32_t k)
{
    for (uint32_t i = 0; i < k; i++) {
        if (transfer_end(cost, n, i) == transfer_end(cost, n, k)) {
            return true;
        }
    }
    return false;
}

static void average_wires(struct pico_cost *cost, uint32_t n)
{
    const struct ew_host *host = cost->net->host;
    uint32_t n_pairs = 0;
    cost->wire = (struct kit_wire){0.0, 0.0};
    for (uint32_t a = 0; a < n + 2; a++) {
        for (uint32_t b = 0; b < n + 2 && !is_repeated(cost, n, a); b++) {
            struct kit_wire wire =
                kit_wire_between(host, transfer_end(cost, n, a), transfer_end(cost, n, b));
            bool is_pair = transfer_end(cost, n, a) != transfer_end(cost, n, b);
            if (is_pair && !is_repeated(cost, n, b) && isfinite(wire.byte_s)) {
                cost->wire.message_s += wire.message_s;
                cost->wire.byte_s += wire.byte_s;
                n_pairs++;
            }
        }
    }
    if (n_pairs > 0) {
        cost->wire.message_s /= n_pairs;
        cost->wire.byte_s /= n_pairs;
    }
}

void pico_cost_average(struct pico_cost *cost, uint32_t n)
{
    for (uint32_t i = 0; n > 0 && i < cost->net->n_order; i++) {
        uint32_t layer = cost->net->order[i];
        double base = 0.0;
        for (uint32_t d = 0; d < n; d++) {
            base += cost->lines[(size_t)d * cost->net->n_layers + layer].base / n;
        }
        cost->mean[layer] = (struct kit_line){base, mean_slope(cost, layer, n)};
    }
    average_wires(cost, n);
}

/* ------------------------------------------------------------------ tiles */

/* One tile of a stage on one device. */
struct tile_cost {
    double compute_s;
    double transfer_s;
};

static double bytes_of(const struct pico_cost *cost, const uint32_t *layers, uint32_t n)
{
    double bytes = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        bytes += cost->line_bytes[layers[i]] * kit_span_lines(cost->spans[layers[i]]);
    }
    return bytes;
}

static void span_all(struct pico_cost *cost, uint32_t first, uint32_t last)
{
    const struct kit_net *net = cost->net;
    const struct kit_block *entry = &cost->blocks.items[first];
    for (uint32_t i = entry->begin; i < cost->blocks.items[last].end; i++) {
        uint32_t layer = net->order[i];
        cost->spans[layer] = (struct kit_span){0, kit_layer_extent(net, layer)};
    }
    for (uint32_t i = 0; i < entry->n_entering; i++) {
        uint32_t layer = entry->entering[i];
        cost->spans[layer] = (struct kit_span){0, kit_layer_extent(net, layer)};
    }
}

/* Lines [lo, hi) of the stage's output; all of it when hi is 0. */
static struct tile_cost cost_tile(struct pico_cost *cost, const struct kit_line *lines,
                                  uint32_t first, uint32_t last, int32_t lo, int32_t hi)
{
    const struct kit_block *entry = &cost->blocks.items[first];
    const struct kit_block *end = &cost->blocks.items[last];
    struct tile_cost tile = {0.0, 0.0};
    if (hi > 0) {
        kit_reach_spans(cost->spans, &cost->reach, first, last, lo, hi);
    } else {
        span_all(cost, first, last);
    }
    for (uint32_t i = entry->begin; i < end->end; i++) {
        uint32_t layer = cost->net->order[i];
        tile.compute_s += kit_line_at(lines[layer], kit_span_lines(cost->spans[layer]));
    }
    double bytes = bytes_of(cost, entry->entering, entry->n_entering) +
                   bytes_of(cost, end->outputs, end->n_outputs);
    tile.transfer_s = 2.0 * cost->wire.message_s + bytes * cost->wire.byte_s;
    return tile;
}

/* Lines [lo, hi) on a mean device, for every first block from which banded blocks lead to `last`:
 * slowest_s[first] and moved_s[first] take them in. */
static void add_tile(struct pico_cost *cost, uint32_t last, int32_t lo, int32_t hi)
{
    const struct kit_block *end = &cost->blocks.items[last];
    double compute_s = 0.0, out_bytes = 0.0;
    for (uint32_t first = last + 1; first-- > 0 && cost->blocks.items[first].is_banded;) {
        const struct kit_block *entry = &cost->blocks.items[first];
        kit_reach_back(cost->spans, &cost->reach, first, last, lo, hi);
        for (uint32_t i = entry->begin; i < entry->end; i++) {
            uint32_t layer = cost->net->order[i];
            compute_s += kit_line_at(cost->mean[layer], kit_span_lines(cost->spans[layer]));
        }
        out_bytes = first == last ? bytes_of(cost, end->outputs, end->n_outputs) : out_bytes;
        double bytes = bytes_of(cost, entry->entering, entry->n_entering) + out_bytes;
        cost->slowest_s[first] = fmax(cost->slowest_s[first], compute_s);
        cost->moved_s[first] += 2.0 * cost->wire.message_s + bytes * cost->wire.byte_s;
    }
}

/* Equal tiles on p mean devices: the slowest compute, and all transfers one after another. */
static void cost_equal(double *time_s, struct pico_cost *cost, uint32_t most, uint32_t last,
                       uint32_t p)
{
    const uint32_t n = cost->blocks.n;
    const int32_t extent = cost->blocks.items[last].extent;
    memset(cost->slowest_s, 0, n * sizeof *cost->slowest_s);
    memset(cost->moved_s, 0, n * sizeof *cost->moved_s);
    for (uint32_t k = 0; k < p; k++) {
        add_tile(cost, last, (int32_t)((int64_t)extent * k / p),
                 (int32_t)((int64_t)extent * (k + 1) / p));
    }
    for (uint32_t first = last + 1; first-- > 0 && cost->blocks.items[first].is_banded;) {
        time_s[((size_t)first * n + last) * most + p - 1] =
            cost->slowest_s[first] + cost->moved_s[first];
    }
}

void pico_cost_table(double *time_s, struct pico_cost *cost, uint32_t most)
{
    uint32_t n = cost->blocks.n;
    for (uint32_t last = 0; last < n; last++) {
        for (uint32_t first = 0; first <= last; first++) {
            double *row = time_s + ((size_t)first * n + last) * most;
            struct tile_cost whole = cost_tile(cost, cost->mean, first, last, 0, 0);
            row[0] = whole.compute_s + whole.transfer_s;
            for (uint32_t p = 2; p <= most; p++) {
                row[p - 1] = INFINITY;
            }
        }
        for (uint32_t p = 2; p <= most && (int32_t)p <= cost->blocks.items[last].extent; p++) {
            cost_equal(time_s, cost, most, last, p);
        }
    }
}

/* ------------------------------------------------------------------ real devices */

bool pico_cost_is_banded(const struct pico_cost *cost, const struct pico_stage *stage)
{
    return kit_blocks_banded_run(&cost->blocks, stage->first) > stage->last - stage->first;
}

/* A stage being shared out. */
struct balance {
    struct pico_cost *cost;
    const struct pico_stage *stage;
    const uint32_t *device;
};

static const struct kit_line *lines_of(const struct pico_cost *cost, uint32_t device)
{
    return cost->lines + (size_t)device * cost->net->n_layers;
}

static double finish_s(void *ctx, uint32_t worker, int32_t lo, int32_t hi)
{
    struct balance *balance = ctx;
    struct tile_cost tile =
        cost_tile(balance->cost, lines_of(balance->cost, balance->device[worker]),
                  balance->stage->first, balance->stage->last, lo, hi);
    return tile.compute_s + tile.transfer_s;
}

void pico_cost_balance(struct pico_crew *crew, struct pico_cost *cost,
                       const struct pico_stage *stage, int32_t *scratch)
{
    int32_t extent = cost->blocks.items[stage->last].extent;
    struct balance balance = {cost, stage, crew->device};
    crew->cuts[0] = 0;
    crew->cuts[1] = extent;
    if (crew->n == 1 || !pico_cost_is_banded(cost, stage)) {
        struct tile_cost tile =
            cost_tile(cost, lines_of(cost, crew->device[0]), stage->first, stage->last, 0, 0);
        crew->time_s = tile.compute_s + tile.transfer_s;
        return;
    }
    const struct kit_fill fill = {
        .finish_s = finish_s, .ctx = &balance, .n = crew->n, .total = extent};
    (void)kit_fill_min_max(crew->cuts, scratch, &fill, INFINITY);
    double compute_s = 0.0;
    double transfer_s = 0.0;
    for (uint32_t i = 0; i < crew->n; i++) {
        if (crew->cuts[i] < crew->cuts[i + 1]) {
            struct tile_cost tile = cost_tile(cost, lines_of(cost, crew->device[i]), stage->first,
                                              stage->last, crew->cuts[i], crew->cuts[i + 1]);
            compute_s = fmax(compute_s, tile.compute_s);
            transfer_s += tile.transfer_s;
        }
    }
    crew->time_s = compute_s + transfer_s;
}
