#include "common/star.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"

/* ------------------------------------------------------------------ life */

int32_t kit_star_init(struct kit_star *star, const struct kit_net *net,
                      const struct kit_blocks *blocks, uint32_t hub, const uint32_t *device,
                      uint32_t n)
{
    star->net = net;
    star->blocks = blocks;
    star->hub = hub;
    star->n = n;
    star->device = device;
    star->out = calloc(n + 1u, sizeof *star->out);
    star->back = calloc(n + 1u, sizeof *star->back);
    star->compute = calloc((size_t)n * net->n_layers + 1u, sizeof *star->compute);
    star->line_bytes = calloc(net->n_layers, sizeof *star->line_bytes);
    star->spans = calloc(net->n_layers, sizeof *star->spans);
    if (!star->out || !star->back || !star->compute || !star->line_bytes || !star->spans) {
        return kit_fail_memory(net->host);
    }
    for (uint32_t i = 0; i < n; i++) {
        star->out[i] = kit_wire_between(net->host, hub, device[i]);
        star->back[i] = kit_wire_between(net->host, device[i], hub);
    }
    for (uint32_t l = 0; l < net->n_layers; l++) {
        star->line_bytes[l] = (double)kit_layer_bytes(net, l) / kit_layer_extent(net, l);
    }
    return kit_reach_init(&star->reach, net, blocks);
}

void kit_star_fini(struct kit_star *star)
{
    kit_reach_fini(&star->reach);
    free(star->out);
    free(star->back);
    free(star->compute);
    free(star->line_bytes);
    free(star->spans);
    memset(star, 0, sizeof *star);
}

void kit_star_fit(struct kit_star *star)
{
    const struct kit_net *net = star->net;
    for (uint32_t i = 0; i < star->n; i++) {
        for (uint32_t l = 0; l < net->n_layers; l++) {
            if (net->place[l] == KIT_BANDED) {
                star->compute[(size_t)i * net->n_layers + l] =
                    kit_fit_layer(net, l, star->device[i]);
            }
        }
    }
}

/* ------------------------------------------------------------------ costs */

static double sum_bytes(const struct kit_star *star, const uint32_t *layers, uint32_t n)
{
    double bytes = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        bytes += star->line_bytes[layers[i]] * kit_span_lines(star->spans[layers[i]]);
    }
    return bytes;
}

static double sum_bytes_till(const struct kit_star *star, const uint32_t *layers, uint32_t n)
{
    double bytes = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        bytes += star->line_bytes[layers[i]] * star->spans[layers[i]].hi;
    }
    return bytes;
}

struct kit_part kit_star_part(struct kit_star *star, uint32_t first, uint32_t last, uint32_t worker,
                              int32_t lo, int32_t hi)
{
    const struct kit_net *net = star->net;
    const struct kit_line *lines = star->compute + (size_t)worker * net->n_layers;
    const struct kit_block *entry = &star->blocks->items[first];
    const struct kit_block *end = &star->blocks->items[last];
    kit_reach_spans(star->spans, &star->reach, first, last, lo, hi);
    struct kit_part part = {
        .in_bytes = sum_bytes(star, entry->entering, entry->n_entering),
        .till_bytes = sum_bytes_till(star, entry->entering, entry->n_entering),
        .out_bytes = sum_bytes(star, end->outputs, end->n_outputs),
    };
    for (uint32_t i = entry->begin; i < end->end; i++) {
        uint32_t layer = net->order[i];
        part.compute_s += kit_line_at(lines[layer], kit_span_lines(star->spans[layer]));
    }
    return part;
}

/* ------------------------------------------------------------------ the plan */

static int32_t draft_volume(struct kit_draft *draft, const struct kit_star *star,
                            const struct kit_volume *volume, struct ew_tensor_box *boxes)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < star->n && rc >= 0; i++) {
        if (volume->cuts[i] >= volume->cuts[i + 1]) {
            continue;
        }
        struct kit_tile tile = kit_band_tile(star->net, volume->cuts[i], volume->cuts[i + 1],
                                             star->blocks->items[volume->last].extent);
        rc = kit_volume_boxes(boxes, star->net, star->blocks, volume->first, volume->last, &tile);
        if (rc >= 0) {
            rc = kit_draft_volume(draft, star->blocks, volume->first, volume->last, boxes,
                                  star->device[i], EW_ID_NONE);
        }
    }
    return rc;
}

int32_t kit_star_draft(struct kit_draft *draft, const struct kit_star *star, uint32_t home,
                       const struct kit_volume *volumes, uint32_t n_volumes)
{
    struct ew_tensor_box *boxes = calloc(star->net->n_layers, sizeof *boxes);
    int32_t rc = boxes ? EW_STRATEGY_OK : kit_fail_memory(star->net->host);
    kit_draft_begin(draft, star->net);
    for (uint32_t v = 0; v < n_volumes && rc >= 0; v++) {
        rc = volumes[v].cuts
                 ? draft_volume(draft, star, &volumes[v], boxes)
                 : kit_draft_blocks(draft, star->blocks, volumes[v].first, volumes[v].last, home);
    }
    free(boxes);
    return rc;
}

static int32_t gather(struct ew_plan_builder *builder, const struct kit_star *star,
                      const uint32_t *layers, uint32_t n)
{
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < n && rc >= 0; i++) {
        if (kit_is_read(star->net, layers[i])) {
            rc = builder->set_exchange(builder, layers[i], EW_EXCHANGE_MODE_GATHER, star->hub);
        }
    }
    return rc;
}

int32_t kit_star_gather(struct ew_plan_builder *builder, const struct kit_star *star,
                        const struct kit_volume *volumes, uint32_t n_volumes)
{
    const struct ew_requirements_info *asked = star->net->host->requirements(star->net->host);
    int32_t rc = EW_STRATEGY_OK;
    if (star->hub != asked->source_device && n_volumes > 0 && volumes[0].cuts) {
        const struct kit_block *entry = &star->blocks->items[0];
        rc = gather(builder, star, entry->entering, entry->n_entering);
    }
    for (uint32_t v = 0; v < n_volumes && rc >= 0; v++) {
        bool is_star = volumes[v].cuts || (v + 1 < n_volumes && volumes[v + 1].cuts);
        const struct kit_block *end = &star->blocks->items[volumes[v].last];
        if (is_star && !volumes[v].skips_hub) {
            rc = gather(builder, star, end->outputs, end->n_outputs);
        }
    }
    return rc;
}

/* ------------------------------------------------------------------ notes */

/* Append; what does not fit is cut off. */
static void append(char *text, size_t size, const char *a, const char *b)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", a, b);
}

int32_t kit_star_note(struct ew_plan_builder *builder, const struct kit_star *star, uint32_t home,
                      const struct kit_volume *volumes, uint32_t n_volumes)
{
    const struct ew_host *host = star->net->host;
    char text[480] = "";
    char word[160];
    for (uint32_t v = 0; v < n_volumes; v++) {
        kit_volume_name(word, sizeof word, star->net, star->blocks, volumes[v].first,
                        volumes[v].last);
        append(text, sizeof text, v ? "; " : "", word);
        if (!volumes[v].cuts) {
            append(text, sizeof text, " on ", host->device(host, home)->name);
            continue;
        }
        append(text, sizeof text, ":", "");
        for (uint32_t i = 0; i < star->n; i++) {
            int32_t lines = volumes[v].cuts[i + 1] - volumes[v].cuts[i];
            if (lines > 0) {
                snprintf(word, sizeof word, "%s %d", host->device(host, star->device[i])->name,
                         lines);
                append(text, sizeof text, " ", word);
            }
        }
    }
    return kit_note(builder, "volumes", "%s", text);
}
