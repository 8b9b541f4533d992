/*
 * neurosurgeon: the source computes the first layers, one other device the rest; the split point
 * with the least latency or the least energy of the source.
 *
 * Kang et al., "Neurosurgeon: Collaborative Intelligence Between the Cloud and Mobile Edge",
 * ASPLOS 2017.
 */
#include <math.h>
#include <stdlib.h>

#include "common/devices.h"
#include "common/emit.h"
#include "common/net.h"
#include "common/plugin.h"

static const char *const OBJECTIVES[] = {"latency", "energy", NULL};
static const struct ew_param_info PARAM_OBJECTIVE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_CHOICE,
    .name = "objective",
    .unit = "",
    .default_text = "latency",
    .choices = OBJECTIVES,
    .doc = "What the split point minimises: end-to-end latency, or the energy of the source.",
};
static const struct ew_param_info PARAM_DEVICE = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_STRING,
    .name = "device",
    .unit = "",
    .default_text = "auto",
    .doc = "Name of the second device; auto: the one with the best objective.",
};
static const struct ew_param_info PARAM_LOAD = {
    .struct_size = sizeof(struct ew_param_info),
    .kind = EW_PARAM_REAL,
    .name = "server_load_factor",
    .unit = "ratio",
    .default_text = "1",
    .min_value = 1.0,
    .max_value = 1e6,
    .doc = "K: how many times longer the second device needs because of its other load.",
};
static const struct ew_param_info *const PARAMS[] = {&PARAM_OBJECTIVE, &PARAM_DEVICE, &PARAM_LOAD};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "neurosurgeon",
    .version = "1.1.0",
    .summary = "one split point: first layers on the source, the rest on the best other device",
    .citation = "Kang et al., Neurosurgeon, ASPLOS 2017, doi:10.1145/3037697.3037698",
    .params = PARAMS,
};

/* A split: layers with ids up to `last` run on the source; EW_ID_NONE: none do. */
struct split {
    uint32_t last;
    uint32_t server;
    double latency_s;
    double energy_j; /* of the source, above idle */
};

/* Everything a search needs. Times by layer id, for layers that are computed. */
struct search {
    const struct kit_net *net;
    uint32_t source;
    bool minimises_energy;
    double load_factor;
    uint32_t *cuts;
    uint32_t n_cuts;
    double *source_s; /* the source's time for this layer and all before it */
    double *server_s; /* the server's time for all layers behind this one, load factor included */
};

static uint32_t last_layer(const struct kit_net *net)
{
    return net->order[net->n_order - 1];
}

/* Fill server_s for one server; returns its time for the whole network. */
static double time_server(const struct search *search, uint32_t server)
{
    double behind_s = 0.0;
    for (uint32_t i = search->net->n_order; i-- > 0;) {
        uint32_t layer = search->net->order[i];
        search->server_s[layer] = behind_s;
        behind_s += search->load_factor * kit_layer_compute_s(search->net, layer, server);
    }
    return behind_s;
}

/* sum TM + D/B + sum K*TC for latency, sum TM*PM + TU*PU for energy. */
static struct split price_split(const struct search *search, uint32_t last, uint32_t server,
                                double server_s)
{
    const struct kit_net *net = search->net;
    const struct ew_host *host = net->host;
    const struct ew_requirements_info *asked = host->requirements(host);
    struct split split = {.last = last, .server = server};
    bool is_all_local = last == last_layer(net);
    double source_s = last == EW_ID_NONE ? 0.0 : search->source_s[last];
    uint64_t cut_bytes = last == EW_ID_NONE ? kit_net_input_bytes(net) : kit_layer_bytes(net, last);
    double upload_s =
        is_all_local ? 0.0 : host->transfer_s(host, search->source, server, cut_bytes);
    uint32_t answering = is_all_local ? search->source : server;
    double answer_s =
        answering == asked->sink_device
            ? 0.0
            : host->transfer_s(host, answering, asked->sink_device, kit_net_result_bytes(net));
    split.latency_s = source_s + upload_s + server_s + answer_s;
    split.energy_j = host->energy_j(host, search->source, source_s, upload_s, 0.0);
    return split;
}

static bool is_better(const struct search *search, const struct split *a, const struct split *b)
{
    return search->minimises_energy ? a->energy_j < b->energy_j : a->latency_s < b->latency_s;
}

/* The best split with this server; of equals the earliest. */
static struct split best_split(const struct search *search, uint32_t server)
{
    struct split best = price_split(search, EW_ID_NONE, server, time_server(search, server));
    for (uint32_t i = 0; i <= search->n_cuts; i++) {
        /* Everything on the source is always possible, also when no single tensor ends the net. */
        uint32_t last = i < search->n_cuts ? search->cuts[i] : last_layer(search->net);
        struct split split = price_split(search, last, server, search->server_s[last]);
        if (is_better(search, &split, &best)) {
            best = split;
        }
    }
    return best;
}

static bool can_serve(const struct kit_net *net, uint32_t source, uint32_t device)
{
    return device != source && kit_has_route(net->host, source, device) &&
           kit_fits(net->host, device, kit_net_memory_bytes(net));
}

/* The source can do without a second device. */
static bool can_stay(const struct search *search)
{
    const struct kit_net *net = search->net;
    const uint32_t sink = net->host->requirements(net->host)->sink_device;
    return kit_has_route(net->host, search->source, sink) &&
           kit_fits(net->host, search->source, kit_net_memory_bytes(net));
}

static int32_t choose(struct split *out, const struct search *search)
{
    const struct ew_host *host = search->net->host;
    uint32_t wanted;
    bool has_split = false;
    int32_t rc = kit_param_device(&wanted, host, "device");
    if (rc < 0) {
        return rc;
    }
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        if ((wanted != EW_ID_NONE && d != wanted) || !can_serve(search->net, search->source, d)) {
            continue;
        }
        struct split split = best_split(search, d);
        if (!has_split || is_better(search, &split, out)) {
            *out = split;
            has_split = true;
        }
    }
    if (!has_split && wanted == EW_ID_NONE && can_stay(search)) {
        const uint32_t last = last_layer(search->net);
        *out = price_split(search, last, search->source, 0.0);
        has_split = true;
    }
    if (has_split) {
        return EW_STRATEGY_OK;
    }
    if (wanted == search->source) {
        return kit_fail(host, EW_STRATEGY_ECANNOT,
                        "parameter device: %s is the source, a second device is needed",
                        host->device(host, wanted)->name);
    }
    return kit_fail(host, EW_STRATEGY_ECANNOT,
                    "%s: no route both ways from the source %s, or not enough memory",
                    wanted == EW_ID_NONE ? "no second device" : host->device(host, wanted)->name,
                    host->device(host, search->source)->name);
}

static int32_t write_plan(struct ew_plan_builder *builder, const struct search *search,
                          const struct split *split)
{
    const struct kit_net *net = search->net;
    const struct ew_host *host = net->host;
    int32_t rc = kit_begin_plan(builder, net, "neurosurgeon");
    if (rc >= 0 && split->last != EW_ID_NONE) {
        rc = kit_emit_layers(builder, net, 0, split->last, search->source);
    }
    if (rc >= 0) {
        uint32_t first = split->last == EW_ID_NONE ? 0 : split->last + 1;
        rc = kit_emit_layers(builder, net, first, net->n_layers, split->server);
    }
    bool is_all_local = split->last == last_layer(net);
    if (rc >= 0) {
        rc = kit_note(builder, "split", "%s",
                      split->last == EW_ID_NONE ? "all on the second device"
                      : is_all_local            ? "all on the source"
                                                : net->layers[split->last]->name);
    }
    if (rc >= 0 && split->server == search->source) {
        rc = kit_note(builder, "second_device",
                      "none: no device with a route both ways and the memory");
    } else if (rc >= 0 && !is_all_local) {
        rc = kit_note(builder, "second_device", "%s", host->device(host, split->server)->name);
    }
    return rc < 0 ? rc : kit_predict(builder, net, split->latency_s, NAN);
}

static int32_t search_and_write(struct search *search, struct ew_plan_builder *builder)
{
    const struct kit_net *net = search->net;
    const struct ew_host *host = net->host;
    search->minimises_energy = kit_param_is(host, "objective", "energy");
    search->load_factor = host->param_real(host, "server_load_factor");
    if (search->minimises_energy && !host->device(host, search->source)->has_power) {
        return kit_fail(host, EW_STRATEGY_ECANNOT, "objective=energy: %s has no power figures",
                        host->device(host, search->source)->name);
    }
    search->cuts = calloc(net->n_layers, sizeof *search->cuts);
    search->source_s = calloc(net->n_layers, sizeof *search->source_s);
    search->server_s = calloc(net->n_layers, sizeof *search->server_s);
    if (!search->cuts || !search->source_s || !search->server_s) {
        return kit_fail_memory(host);
    }
    search->n_cuts = kit_net_cut_layers(net, search->cuts);
    double source_s = 0.0;
    for (uint32_t i = 0; i < net->n_order; i++) {
        source_s += kit_layer_compute_s(net, net->order[i], search->source);
        search->source_s[net->order[i]] = source_s;
    }
    struct split split = {0};
    int32_t rc = choose(&split, search);
    return rc < 0 ? rc : write_plan(builder, search, &split);
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct kit_net net = {0};
    struct search search = {.net = &net, .source = host->requirements(host)->source_device};
    int32_t rc = kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc >= 0) {
        rc = search_and_write(&search, builder);
    }
    free(search.cuts);
    free(search.source_s);
    free(search.server_s);
    kit_net_fini(&net);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
