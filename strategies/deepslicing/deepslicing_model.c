#include "deepslicing/deepslicing_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/chain.h"
#include "common/plugin.h"
#include "common/share.h"

/* ------------------------------------------------------------------ life */

static void read_speeds(struct deepslicing_model *model)
{
    const struct kit_net *net = model->net;
    for (uint32_t w = 0; w < model->n; w++) {
        for (uint32_t i = 0; i < net->n_order; i++) {
            uint32_t layer = net->order[i];
            if (net->place[layer] == KIT_BANDED) {
                model->compute[(size_t)w * net->n_layers + layer] =
                    kit_fit_layer(net, layer, model->device[w]);
            }
        }
    }
}

int32_t deepslicing_model_init(struct deepslicing_model *model, const struct kit_net *net,
                               const struct kit_blocks *blocks, const uint32_t *device, uint32_t n)
{
    uint32_t n_all = net->host->device_count(net->host);
    model->net = net;
    model->blocks = blocks;
    model->n = n;
    model->n_all = n_all;
    model->device = device;
    model->cuts = calloc(n + 1u, sizeof *model->cuts);
    model->layer_cuts = calloc(n + 1u, sizeof *model->layer_cuts);
    model->wires = calloc((size_t)n_all * n_all, sizeof *model->wires);
    model->compute = calloc((size_t)n * net->n_layers + 1u, sizeof *model->compute);
    model->spans = calloc(net->n_layers, sizeof *model->spans);
    if (!model->cuts || !model->layer_cuts || !model->wires || !model->compute || !model->spans) {
        return kit_fail_memory(net->host);
    }
    for (uint32_t a = 0; a < n_all; a++) {
        for (uint32_t b = 0; b < n_all; b++) {
            model->wires[(size_t)a * n_all + b] = kit_wire_between(net->host, a, b);
        }
    }
    read_speeds(model);
    return kit_reach_init(&model->reach, net, blocks);
}

void deepslicing_model_fini(struct deepslicing_model *model)
{
    kit_reach_fini(&model->reach);
    free(model->cuts);
    free(model->layer_cuts);
    free(model->wires);
    free(model->compute);
    free(model->spans);
    memset(model, 0, sizeof *model);
}

/* ------------------------------------------------------------------ shares and costs */

void deepslicing_share(struct deepslicing_model *model, const double *weights)
{
    kit_round_shares(model->layer_cuts, weights, model->n, model->net->extent);
    kit_cuts_from_counts(model->cuts, model->layer_cuts, model->n);
}

struct kit_span deepslicing_own(const struct deepslicing_model *model, uint32_t w, int32_t extent)
{
    return (struct kit_span){kit_map_cut(model->cuts[w], model->net->extent, extent),
                             kit_map_cut(model->cuts[w + 1], model->net->extent, extent)};
}

static double message_s(const struct deepslicing_model *model, uint32_t from, uint32_t to,
                        double bytes)
{
    struct kit_wire wire = model->wires[(size_t)from * model->n_all + to];
    return from == to || bytes <= 0.0 ? 0.0 : wire.message_s + wire.byte_s * bytes;
}

/* One message from every device that holds lines of `need`; they arrive one after the other. */
static double fetch_s(struct deepslicing_model *model, uint32_t layer, uint32_t w,
                      struct kit_span need)
{
    const struct kit_net *net = model->net;
    uint32_t block = model->blocks->block_of[layer];
    int32_t extent = kit_layer_extent(net, layer);
    double line_bytes = (double)kit_layer_bytes(net, layer) / extent;
    double seconds = 0.0;
    if (block == EW_ID_NONE || !model->blocks->items[block].is_banded) {
        uint32_t holder =
            block == EW_ID_NONE ? net->host->requirements(net->host)->source_device : model->home;
        return message_s(model, holder, model->device[w], line_bytes * kit_span_lines(need));
    }
    kit_map_cuts(model->layer_cuts, model->cuts, model->n, net->extent, extent);
    int32_t lines = 0;
    for (uint32_t h = 0;
         (h = kit_next_holder(&lines, model->layer_cuts, model->n, h, need.lo, need.hi)) < model->n;
         h++) {
        seconds += message_s(model, model->device[h], model->device[w], line_bytes * lines);
    }
    return seconds;
}

static double worker_s(struct deepslicing_model *model, uint32_t first, uint32_t last, uint32_t w)
{
    const struct kit_net *net = model->net;
    const struct kit_block *entry = &model->blocks->items[first];
    struct kit_span own = deepslicing_own(model, w, model->blocks->items[last].extent);
    double seconds = 0.0;
    if (own.lo >= own.hi) {
        return 0.0;
    }
    kit_reach_spans(model->spans, &model->reach, first, last, own.lo, own.hi);
    for (uint32_t i = 0; i < entry->n_entering; i++) {
        seconds += fetch_s(model, entry->entering[i], w, model->spans[entry->entering[i]]);
    }
    for (uint32_t i = entry->begin; i < model->blocks->items[last].end; i++) {
        uint32_t layer = net->order[i];
        seconds += kit_line_at(model->compute[(size_t)w * net->n_layers + layer],
                               kit_span_lines(model->spans[layer]));
    }
    return seconds;
}

double deepslicing_stage_s(struct deepslicing_model *model, uint32_t first, uint32_t last)
{
    double slowest_s = 0.0;
    for (uint32_t w = 0; w < model->n; w++) {
        slowest_s = fmax(slowest_s, worker_s(model, first, last, w));
    }
    return slowest_s;
}
