/*
 * qpart: the source computes the first layers, one other device the rest, and the tensor between
 * them travels with as few bits as its loss allows: split point, bits and device with the least
 * latency within a budget of loss.
 *
 * After Li, Ghafouri, Ji, Vandierendonck, John, Nikolopoulos: "QPART: Adaptive Model Quantization
 * and Dynamic Workload Balancing for Accuracy-aware Edge Inference", arXiv:2506.23934 (abstract
 * only; the formulation is ours).
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/devices.h"
#include "common/emit.h"
#include "common/net.h"
#include "common/plugin.h"
#include "qpart/losses.h"

static const char *const METRICS[] = {"accuracy", "error", NULL};

static const struct ew_param_info PARAM_LOSSES = KIT_STRING(
    "losses", "",
    "CSV file layer,bits,loss_ratio: what it costs to send a layer's output with so many "
    "bits per element; empty: tensors travel as they are in memory.");
static const struct ew_param_info PARAM_METRIC =
    KIT_CHOICE("metric", METRICS, "accuracy",
               "What is lost: accuracy, then min_accuracy limits it, too; or something else, as an "
               "error of the output.");
static const struct ew_param_info PARAM_BUDGET =
    KIT_REAL("max_loss_ratio", "ratio", "0.01", 0, 1e6, "Most that may be lost.");
static const struct ew_param_info PARAM_DEVICE = KIT_STRING(
    "device", "auto", "Name of the second device; auto: the one with the least latency.");
static const struct ew_param_info PARAM_CUT = KIT_STRING(
    "cut", "auto", "Last layer on the source; input: none; auto: the one with the least latency.");
static const struct ew_param_info PARAM_BITS =
    KIT_INT("bits", "0", 0, 31,
            "Bits per element of the tensor at the cut, whatever is lost; 0: as losses say.");
static const struct ew_param_info *const PARAMS[] = {&PARAM_LOSSES, &PARAM_METRIC, &PARAM_BUDGET,
                                                     &PARAM_DEVICE, &PARAM_CUT,    &PARAM_BITS};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "qpart",
    .version = "1.0.0",
    .summary = "one split point and the bits of the tensor there, within a budget of loss",
    .citation = "Li et al., QPART, arXiv:2506.23934; formulation of ours",
    .params = PARAMS,
};

enum { REASON_SIZE = 512 };

/* A way to do it. */
struct option {
    uint32_t last;   /* last layer on the source; EW_ID_NONE: none */
    uint32_t server; /* EW_ID_NONE: everything on the source */
    uint32_t bits;   /* of the tensor at the cut; 0: as in memory */
    double loss_ratio;
    double bound_s; /* its tasks and messages one after another, without conversions */
};

/* A tensor that the cut may go through. */
struct place {
    uint32_t layer; /* whose output it is; EW_ID_NONE: the network's inputs, several of them */
    uint32_t last;
    double source_s;
};

struct search {
    struct kit_net net;
    const struct ew_host *host;
    struct losses losses;
    double budget_ratio;
    uint32_t source;
    uint32_t wanted; /* second device; EW_ID_NONE: any */
    struct place *places;
    uint32_t n_places;
    struct option *options;
    size_t n_options;
    size_t capacity;
    uint32_t n_tried;
};

/* ------------------------------------------------------------------ where to cut */

static bool is_place_wanted(const struct search *search, const char *name)
{
    return kit_param_is(search->host, "cut", "auto") || kit_param_is(search->host, "cut", name);
}

/* The inputs, and every layer with only its output crossing; then nothing crosses. */
static int32_t list_places(struct search *search)
{
    const struct kit_net *net = &search->net;
    uint32_t *cuts = calloc(net->n_layers, sizeof *cuts);
    search->places = calloc((size_t)net->n_layers + 1, sizeof *search->places);
    if (!cuts || !search->places) {
        free(cuts);
        return kit_fail_memory(search->host);
    }
    const uint32_t n_cuts = kit_net_cut_layers(net, cuts);
    const uint32_t end = net->order[net->n_order - 1];
    double source_s = 0.0;
    if (is_place_wanted(search, "input")) {
        const uint32_t input = net->graph->n_inputs == 1 ? net->graph->inputs[0] : EW_ID_NONE;
        search->places[search->n_places++] = (struct place){input, EW_ID_NONE, 0.0};
    }
    for (uint32_t i = 0, c = 0; i < net->n_order; i++) {
        const uint32_t layer = net->order[i];
        source_s += kit_layer_compute_s(net, layer, search->source);
        c += c < n_cuts && cuts[c] < layer;
        const bool is_cut = c < n_cuts && cuts[c] == layer;
        if ((is_cut || layer == end) && is_place_wanted(search, net->layers[layer]->name)) {
            search->places[search->n_places++] = (struct place){layer, layer, source_s};
        }
    }
    free(cuts);
    return search->n_places > 0
               ? EW_STRATEGY_OK
               : kit_fail(search->host, EW_STRATEGY_ECANNOT,
                          "parameter cut: %s is no layer with only its output crossing the cut",
                          search->host->param_text(search->host, "cut"));
}

/* ------------------------------------------------------------------ options */

static int32_t add_option(struct search *search, struct option option)
{
    if (search->n_options == search->capacity) {
        const size_t capacity = search->capacity ? 2 * search->capacity : 64;
        struct option *more = realloc(search->options, capacity * sizeof *more);
        if (!more) {
            return kit_fail_memory(search->host);
        }
        search->options = more;
        search->capacity = capacity;
    }
    search->options[search->n_options++] = option;
    return EW_STRATEGY_OK;
}

static uint64_t wire_bytes(const struct search *search, const struct place *place, uint32_t bits)
{
    const struct kit_net *net = &search->net;
    if (place->layer == EW_ID_NONE || bits == 0) {
        return place->last == EW_ID_NONE ? kit_net_input_bytes(net)
                                         : kit_layer_bytes(net, place->layer);
    }
    const int32_t *shape = net->layers[place->layer]->shape;
    const double n = (double)net->batch * shape[1] * shape[2] * shape[3];
    return (uint64_t)ceil(n * bits / 8.0);
}

/* The option's tasks and messages, one after another. */
static int32_t offer(struct search *search, const struct place *place, uint32_t server,
                     double server_s, uint32_t bits, double loss_ratio)
{
    const struct ew_host *host = search->host;
    const struct ew_requirements_info *asked = host->requirements(host);
    const bool is_local = server == EW_ID_NONE;
    const uint32_t answering = is_local ? search->source : server;
    struct option option = {place->last, server, bits, loss_ratio, place->source_s + server_s};
    if (!is_local) {
        option.bound_s +=
            host->transfer_s(host, search->source, server, wire_bytes(search, place, bits));
    }
    if (answering != asked->sink_device) {
        option.bound_s += host->transfer_s(host, answering, asked->sink_device,
                                           kit_net_result_bytes(&search->net));
    }
    return add_option(search, option);
}

/* As in memory, and with all bits that the losses allow. */
static int32_t offer_bits(struct search *search, const struct place *place, uint32_t server,
                          double server_s)
{
    const struct ew_host *host = search->host;
    const uint32_t forced = (uint32_t)host->param_int(host, "bits");
    const bool has_bits = place->layer != EW_ID_NONE;
    if (forced > 0) {
        return has_bits ? offer(search, place, server, server_s, forced, NAN) : EW_STRATEGY_OK;
    }
    int32_t rc = offer(search, place, server, server_s, 0, 0.0);
    const char *name = has_bits ? search->net.layers[place->layer]->name : "";
    for (size_t i = 0; i < search->losses.n && rc >= 0; i++) {
        const struct loss *loss = &search->losses.rows[i];
        if (loss->loss_ratio <= search->budget_ratio && strcmp(loss->layer, name) == 0) {
            rc = offer(search, place, server, server_s, loss->bits, loss->loss_ratio);
        }
    }
    return rc;
}

static bool can_serve(const struct search *search, uint32_t device)
{
    const struct ew_host *host = search->host;
    return device != search->source && (search->wanted == EW_ID_NONE || search->wanted == device) &&
           kit_has_route(host, search->source, device) &&
           kit_has_route(host, device, host->requirements(host)->sink_device) &&
           kit_fits(host, device, kit_net_memory_bytes(&search->net));
}

static int32_t offer_server(struct search *search, uint32_t server)
{
    const struct kit_net *net = &search->net;
    const double whole_s = kit_net_compute_s(net, server);
    const uint32_t end = net->order[net->n_order - 1];
    double done_s = 0.0;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t p = 0, i = 0; p < search->n_places && rc >= 0; p++) {
        const struct place *place = &search->places[p];
        while (place->last != EW_ID_NONE && i < net->n_order && net->order[i] <= place->last) {
            done_s += kit_layer_compute_s(net, net->order[i++], server);
        }
        if (place->last != end) {
            rc = offer_bits(search, place, server, fmax(whole_s - done_s, 0.0));
        }
    }
    return rc;
}

static int32_t list_options(struct search *search)
{
    const struct ew_host *host = search->host;
    const uint32_t end = search->net.order[search->net.n_order - 1];
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t d = 0; d < host->device_count(host) && rc >= 0; d++) {
        rc = can_serve(search, d) ? offer_server(search, d) : rc;
    }
    if (rc >= 0 && host->param_int(host, "bits") == 0 &&
        search->places[search->n_places - 1].last == end) {
        rc = offer(search, &search->places[search->n_places - 1], EW_ID_NONE, 0.0, 0, 0.0);
    }
    return rc;
}

/* ------------------------------------------------------------------ choosing */

static int32_t write_option(const struct search *search, struct ew_plan_builder *builder,
                            const struct option *option)
{
    const struct kit_net *net = &search->net;
    const uint32_t first = option->last == EW_ID_NONE ? 0 : option->last + 1;
    int32_t rc = kit_begin_plan(builder, net, "qpart");
    if (rc >= 0 && option->last != EW_ID_NONE) {
        rc = kit_emit_layers(builder, net, 0, option->last, search->source);
    }
    if (rc >= 0 && option->server != EW_ID_NONE) {
        rc = kit_emit_layers(builder, net, first, net->n_layers, option->server);
    }
    if (rc >= 0 && option->bits > 0) {
        const uint32_t layer = option->last == EW_ID_NONE ? net->graph->inputs[0] : option->last;
        rc = builder->set_wire_bits(builder, layer, option->bits);
    }
    return rc;
}

/* By bound; of equals the least loss, the earliest cut, the first device. */
static int compare_options(const void *a, const void *b)
{
    const struct option *x = a, *y = b;
    if (x->bound_s != y->bound_s) {
        return x->bound_s < y->bound_s ? -1 : 1;
    }
    if (x->loss_ratio != y->loss_ratio) {
        return x->loss_ratio < y->loss_ratio ? -1 : 1;
    }
    if (x->last + 1 != y->last + 1) {
        return x->last + 1 < y->last + 1 ? -1 : 1;
    }
    return (x->server > y->server) - (x->server < y->server);
}

/* Options in the order of their bounds, until the bound is no better than the best that was tried.
 * Where the host does not evaluate, the first. */
static int32_t choose(struct option *out, double *best_s, struct search *search,
                      struct ew_plan_builder *builder)
{
    const struct ew_host *host = search->host;
    if (search->n_options > 0) {
        qsort(search->options, search->n_options, sizeof *search->options, compare_options);
    }
    *best_s = INFINITY;
    for (size_t i = 0; i < search->n_options && search->options[i].bound_s < *best_s; i++) {
        struct ew_evaluation result = {.struct_size = sizeof result};
        int32_t rc = builder->reset(builder);
        rc = rc < 0 ? rc : write_option(search, builder, &search->options[i]);
        if (rc < 0) {
            return rc;
        }
        if (host->evaluate(host, builder, &result) < 0) {
            *out = search->options[i];
            *best_s = search->options[i].bound_s;
            return EW_STRATEGY_OK;
        }
        search->n_tried++;
        if (result.latency_s < *best_s) {
            *out = search->options[i];
            *best_s = result.latency_s;
        }
    }
    return isfinite(*best_s)
               ? EW_STRATEGY_OK
               : kit_fail(
                     host, EW_STRATEGY_ECANNOT,
                     "no second device%s: no route both ways from the source %s, or not enough "
                     "memory",
                     host->param_int(host, "bits") ? " for a cut with bits" : "",
                     host->device(host, search->source)->name);
}

/* ------------------------------------------------------------------ the plan */

static int32_t note_option(const struct search *search, struct ew_plan_builder *builder,
                           const struct option *option)
{
    const struct kit_net *net = &search->net;
    const bool is_local = option->server == EW_ID_NONE;
    int32_t rc = kit_note(builder, "cut", "%s",
                          is_local                     ? "none: all on the source"
                          : option->last == EW_ID_NONE ? "input"
                                                       : net->layers[option->last]->name);
    if (rc >= 0 && !is_local) {
        rc = kit_note(builder, "second_device", "%s",
                      search->host->device(search->host, option->server)->name);
    }
    if (rc >= 0 && option->bits > 0) {
        rc = kit_note(builder, "bits", "%" PRIu32, option->bits);
    }
    if (rc >= 0 && option->bits > 0 && isfinite(option->loss_ratio)) {
        rc = kit_note(builder, "loss", "%.4g of at most %.4g, %s", option->loss_ratio,
                      search->budget_ratio, search->host->param_text(search->host, "metric"));
    }
    return rc < 0 ? rc
                  : kit_note(builder, "search", "%zu options, %" PRIu32 " tried out",
                             search->n_options, search->n_tried);
}

/* What may be lost: by accuracy no more than leaves the accuracy asked for. */
static double find_budget(const struct search *search)
{
    const struct ew_host *host = search->host;
    const double budget_ratio = host->param_real(host, "max_loss_ratio");
    const double accuracy = host->exit(host, search->net.variant, search->net.exit)->accuracy;
    const double least = host->requirements(host)->min_accuracy;
    if (!kit_param_is(host, "metric", "accuracy") || isnan(accuracy) || !(least > 0.0)) {
        return budget_ratio;
    }
    return fmax(fmin(budget_ratio, accuracy - least), 0.0);
}

static int32_t prepare(struct search *search)
{
    const struct ew_host *host = search->host;
    const char *path = host->param_text(host, "losses");
    char reason[REASON_SIZE] = "";
    int32_t rc = kit_net_init(&search->net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc >= 0) {
        rc = kit_param_device(&search->wanted, host, "device");
    }
    if (rc >= 0 && path[0] != '\0' &&
        losses_read(&search->losses, path, reason, sizeof reason) != 0) {
        rc = kit_fail(host, EW_STRATEGY_ECANNOT, "losses: %s", reason);
    }
    if (rc < 0) {
        return rc;
    }
    search->budget_ratio = find_budget(search);
    rc = list_places(search);
    return rc < 0 ? rc : list_options(search);
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct search search = {.host = host, .source = host->requirements(host)->source_device};
    struct option option = {0};
    double latency_s = INFINITY;
    int32_t rc = prepare(&search);
    rc = rc < 0 ? rc : choose(&option, &latency_s, &search, builder);
    rc = rc < 0 ? rc : builder->reset(builder);
    rc = rc < 0 ? rc : write_option(&search, builder, &option);
    rc = rc < 0 ? rc : note_option(&search, builder, &option);
    rc = rc < 0 ? rc : kit_predict(builder, &search.net, latency_s, NAN);
    free(search.options);
    free(search.places);
    losses_fini(&search.losses);
    kit_net_fini(&search.net);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
