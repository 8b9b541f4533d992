/*
 * Graph construction: names to ids, topological order, shapes, counts. Everything the result holds
 * is copied into its own arena.
 */
#include "model/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    MAX_INPUTS = 65536, /* of one layer */
};

#define NO_LAYER UINT32_MAX

/* ---- lookups ---- */

bool ew_graph_find_layer(uint32_t *out, const struct ew_graph *graph, const char *name)
{
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        if (strcmp(graph->layers[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool ew_graph_find_exit(uint32_t *out, const struct ew_graph *graph, const char *name)
{
    for (uint32_t i = 0; i < graph->n_exits; i++) {
        if (strcmp(graph->exits[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

uint32_t ew_graph_exit_layers(bool *needed, const struct ew_graph *graph, uint32_t exit)
{
    memset(needed, 0, graph->n_layers * sizeof *needed);
    const struct ew_exit *e = &graph->exits[exit];
    for (uint32_t i = 0; i < e->n_layers; i++) {
        needed[e->layers[i]] = true;
    }
    uint32_t n = 0;
    for (uint32_t i = graph->n_layers; i-- > 0;) { /* inputs have smaller ids */
        if (!needed[i]) {
            continue;
        }
        n++;
        const struct ew_layer *layer = &graph->layers[i];
        for (uint32_t k = 0; k < layer->n_inputs; k++) {
            needed[layer->inputs[k]] = true;
        }
    }
    return n;
}

/* ---- construction ---- */

/* Work space of one ew_graph_make; `arena` dies with it. */
struct builder {
    const struct ew_graph_desc *desc;
    struct ew_graph *graph;
    struct ew_arena arena;
    const struct ew_layer_desc **by_name; /* sorted by name, then by place in the file */
    uint32_t **inputs;                    /* per layer of the description: its inputs there */
    uint32_t *order;                      /* id -> index in the description */
    uint32_t *id_of;                      /* index in the description -> id */
    struct ew_layer *layers;
};

static int compare_layer_names(const void *a, const void *b)
{
    const struct ew_layer_desc *x = *(const struct ew_layer_desc *const *)a;
    const struct ew_layer_desc *y = *(const struct ew_layer_desc *const *)b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y); /* same array: address is file order */
}

static int compare_with_layer_name(const void *key, const void *element)
{
    const struct ew_layer_desc *layer = *(const struct ew_layer_desc *const *)element;
    return strcmp(key, layer->name);
}

static const char *layer_name_at(const void *ctx, size_t i)
{
    const struct ew_graph_desc *desc = ctx;
    return desc->layers[i].name;
}

/* Index in the description, NO_LAYER when there is no such layer. */
static uint32_t find_desc(const struct builder *b, const char *name)
{
    const struct ew_layer_desc *const *found =
        bsearch(name, b->by_name, b->desc->n_layers, sizeof *b->by_name, compare_with_layer_name);
    return found ? (uint32_t)(*found - b->desc->layers) : NO_LAYER;
}

/* Put place and name of a layer in front of a message. */
static enum ew_status prefix_layer(struct ew_error *err, const struct ew_layer_desc *layer)
{
    const char *place = layer->place ? layer->place : "";
    return ew_prefix(err, "%s%slayer '%s': ", place, *place ? ": " : "", layer->name);
}

static enum ew_status fail_unknown_layer(const struct builder *b, const char *wanted,
                                         struct ew_error *err)
{
    const char *near = ew_nearest_name(wanted, b->desc->n_layers, layer_name_at, b->desc);
    if (near) {
        return ew_fail(err, EW_EINPUT, "there is no layer '%s'; did you mean '%s'?", wanted, near);
    }
    return ew_fail(err, EW_EINPUT, "there is no layer '%s'", wanted);
}

static enum ew_status index_names(struct builder *b, struct ew_error *err)
{
    const uint32_t n = b->desc->n_layers;
    b->by_name = ew_arena_calloc(&b->arena, n, sizeof *b->by_name);
    if (!b->by_name) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < n; i++) {
        b->by_name[i] = &b->desc->layers[i];
    }
    qsort(b->by_name, n, sizeof *b->by_name, compare_layer_names);
    for (uint32_t i = 1; i < n; i++) {
        if (strcmp(b->by_name[i - 1]->name, b->by_name[i]->name) == 0) {
            (void)ew_fail(err, EW_EINPUT,
                          "expected a unique name, found another layer of that name"
                          "%s%s",
                          b->by_name[i - 1]->place ? " at " : "",
                          b->by_name[i - 1]->place ? b->by_name[i - 1]->place : "");
            return prefix_layer(err, b->by_name[i]);
        }
    }
    return EW_OK;
}

static enum ew_status resolve_inputs(struct builder *b, struct ew_error *err)
{
    b->inputs = ew_arena_calloc(&b->arena, b->desc->n_layers, sizeof *b->inputs);
    if (!b->inputs) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < b->desc->n_layers; i++) {
        const struct ew_layer_desc *layer = &b->desc->layers[i];
        const bool is_input = layer->op == EW_OP_INPUT;
        if (is_input ? layer->n_inputs != 0
                     : layer->n_inputs == 0 || layer->n_inputs > MAX_INPUTS) {
            (void)ew_fail(err, EW_EINPUT, "expected %s, found %u",
                          is_input ? "no inputs" : "1..65536 inputs", (unsigned)layer->n_inputs);
            return prefix_layer(err, layer);
        }
        b->inputs[i] = ew_arena_calloc(&b->arena, layer->n_inputs, sizeof *b->inputs[i]);
        if (!b->inputs[i]) {
            return ew_fail_memory(err);
        }
        for (uint32_t k = 0; k < layer->n_inputs; k++) {
            b->inputs[i][k] = find_desc(b, layer->inputs[k]);
            if (b->inputs[i][k] == NO_LAYER) {
                (void)fail_unknown_layer(b, layer->inputs[k], err);
                (void)ew_prefix(err, "input %u: ", (unsigned)k);
                return prefix_layer(err, layer);
            }
        }
    }
    return EW_OK;
}

static enum ew_status fail_cycle(const struct builder *b, uint32_t layer, uint32_t reader,
                                 struct ew_error *err)
{
    const struct ew_layer_desc *l = &b->desc->layers[layer];
    if (layer == reader) {
        (void)ew_fail(err, EW_EINPUT, "reads its own output: the graph has a cycle");
    } else {
        (void)ew_fail(err, EW_EINPUT, "depends on itself through '%s': the graph has a cycle",
                      b->desc->layers[reader].name);
    }
    return prefix_layer(err, l);
}

/* Depth first in file order, inputs before readers: a file that is in order already stays so. */
static enum ew_status sort_layers(struct builder *b, struct ew_error *err)
{
    enum { NEW, OPEN, DONE };
    const uint32_t n = b->desc->n_layers;
    unsigned char *state = ew_arena_calloc(&b->arena, n, sizeof *state);
    uint32_t *stack = ew_arena_calloc(&b->arena, n, sizeof *stack);
    uint32_t *next_input = ew_arena_calloc(&b->arena, n, sizeof *next_input);
    b->order = ew_arena_calloc(&b->arena, n, sizeof *b->order);
    b->id_of = ew_arena_calloc(&b->arena, n, sizeof *b->id_of);
    if (!state || !stack || !next_input || !b->order || !b->id_of) {
        return ew_fail_memory(err);
    }
    uint32_t n_done = 0;
    for (uint32_t root = 0; root < n; root++) {
        uint32_t depth = 0;
        if (state[root] == NEW) {
            state[root] = OPEN;
            stack[depth++] = root;
        }
        while (depth > 0) {
            const uint32_t layer = stack[depth - 1];
            if (next_input[layer] == b->desc->layers[layer].n_inputs) {
                state[layer] = DONE;
                b->id_of[layer] = n_done;
                b->order[n_done++] = layer;
                depth--;
                continue;
            }
            const uint32_t input = b->inputs[layer][next_input[layer]++];
            if (state[input] == OPEN) {
                return fail_cycle(b, input, layer, err);
            }
            if (state[input] == NEW) {
                state[input] = OPEN;
                stack[depth++] = input;
            }
        }
    }
    return EW_OK;
}

static enum ew_status check_input_shape(const int32_t shape[EW_DIMS], struct ew_error *err)
{
    if (shape[EW_N] != 1) {
        return ew_fail(err, EW_EINPUT, "shape: expected batch 1, found %d", (int)shape[EW_N]);
    }
    uint64_t elements = 1;
    for (int d = EW_C; d < EW_DIMS; d++) {
        if (shape[d] < 1) {
            return ew_fail(err, EW_EINPUT, "shape: expected dimensions of at least 1, found %d",
                           (int)shape[d]);
        }
        elements *= (uint64_t)shape[d] <= EW_GRAPH_MAX_DIM ? (uint64_t)shape[d] : 1;
        if (elements > INT32_MAX) {
            return ew_fail(err, EW_EINPUT,
                           "shape: expected at most 2147483647 elements, found %dx%dx%d",
                           (int)shape[EW_C], (int)shape[EW_H], (int)shape[EW_W]);
        }
    }
    return EW_OK;
}

static enum ew_status check_dims(const int32_t shape[EW_DIMS], struct ew_error *err)
{
    for (int d = EW_C; d < EW_DIMS; d++) {
        if (shape[d] > EW_GRAPH_MAX_DIM) {
            return ew_fail(
                err, EW_EINPUT, "shape: expected dimensions of at most %d, found %dx%dx%d",
                (int)EW_GRAPH_MAX_DIM, (int)shape[EW_C], (int)shape[EW_H], (int)shape[EW_W]);
        }
    }
    return EW_OK;
}

/* A conv with groups 0 is depthwise: see struct ew_layer_desc. */
static enum ew_status complete_depthwise(struct ew_op_attrs *attrs, int32_t in_channels,
                                         struct ew_error *err)
{
    const int32_t multiplier = attrs->out_channels;
    if (multiplier < 1 || multiplier > EW_GRAPH_MAX_DIM / in_channels) {
        return ew_fail(err, EW_EINPUT, "multiplier: expected 1..%d for %d input channels, found %d",
                       (int)(EW_GRAPH_MAX_DIM / in_channels), (int)in_channels, (int)multiplier);
    }
    attrs->groups = in_channels;
    attrs->out_channels = multiplier * in_channels;
    return EW_OK;
}

static enum ew_status infer_layer(struct ew_layer *layer, const struct ew_layer_desc *desc,
                                  struct ew_error *err)
{
    enum ew_status status = EW_OK;
    if (layer->op == EW_OP_INPUT) {
        memcpy(layer->shape, desc->shape, sizeof layer->shape);
        status = check_input_shape(layer->shape, err);
    } else {
        if (layer->op == EW_OP_CONV && layer->attrs.groups == 0) {
            status = complete_depthwise(&layer->attrs, layer->in_shape[0][EW_C], err);
        }
        const struct ew_op_view view = ew_layer_view(layer);
        status = status ? status : ew_op_infer_shape(layer->shape, &view, err);
    }
    return status ? status : check_dims(layer->shape, err);
}

static enum ew_status copy_weights(struct ew_layer *layer, const struct ew_layer_desc *desc,
                                   struct ew_arena *arena, struct ew_error *err)
{
    struct ew_weight_ref *all =
        ew_arena_copy(arena, desc->weights, desc->n_weights, sizeof *desc->weights);
    if (!all) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < desc->n_weights; i++) {
        struct ew_weight_ref *w = &all[i];
        w->role = ew_arena_strdup(arena, w->role);
        w->name = ew_arena_strdup(arena, w->name);
        w->dtype = ew_arena_strdup(arena, w->dtype);
        w->dims = ew_arena_copy(arena, w->dims, w->n_dims, sizeof *w->dims);
        if (!w->role || !w->name || !w->dtype || !w->dims) {
            return ew_fail_memory(err);
        }
    }
    layer->n_weights = desc->n_weights;
    layer->weights = all;
    return EW_OK;
}

static enum ew_status make_layer(struct builder *b, uint32_t id, struct ew_error *err)
{
    struct ew_arena *arena = &b->graph->arena;
    const struct ew_layer_desc *desc = &b->desc->layers[b->order[id]];
    struct ew_layer *layer = &b->layers[id];
    uint32_t *inputs = ew_arena_calloc(arena, desc->n_inputs, sizeof *inputs);
    int32_t(*in_shape)[EW_DIMS] = ew_arena_calloc(arena, desc->n_inputs, sizeof *in_shape);
    layer->name = ew_arena_strdup(arena, desc->name);
    if (!inputs || !in_shape || !layer->name) {
        return ew_fail_memory(err);
    }
    for (uint32_t k = 0; k < desc->n_inputs; k++) {
        inputs[k] = b->id_of[b->inputs[b->order[id]][k]];
        memcpy(in_shape[k], b->layers[inputs[k]].shape, sizeof in_shape[k]);
    }
    layer->op = desc->op;
    layer->attrs = desc->attrs;
    layer->n_inputs = desc->n_inputs;
    layer->inputs = inputs;
    layer->in_shape = (const int32_t(*)[EW_DIMS])in_shape;
    if (infer_layer(layer, desc, err) != EW_OK) {
        return prefix_layer(err, desc);
    }
    const struct ew_op_view view = ew_layer_view(layer);
    const struct ew_box full = ew_box_full(layer->shape);
    layer->elements = ew_box_volume(&full);
    layer->params = ew_op_params(&view);
    layer->macs = ew_op_macs(&view, &full, NULL);
    return desc->n_weights ? copy_weights(layer, desc, arena, err) : EW_OK;
}

static enum ew_status link_consumers(struct builder *b, struct ew_error *err)
{
    const uint32_t n = b->desc->n_layers;
    uint32_t *last_reader = ew_arena_calloc(&b->arena, n, sizeof *last_reader);
    uint32_t **lists = ew_arena_calloc(&b->arena, n, sizeof *lists);
    if (!last_reader || !lists) {
        return ew_fail_memory(err);
    }
    for (int pass = 0; pass < 2; pass++) { /* count, then fill */
        memset(last_reader, 0xff, n * sizeof *last_reader);
        for (uint32_t id = 0; id < n; id++) {
            const struct ew_layer *reader = &b->layers[id];
            for (uint32_t k = 0; k < reader->n_inputs; k++) {
                const uint32_t input = reader->inputs[k];
                if (last_reader[input] == id) {
                    continue; /* an input named twice is one consumer */
                }
                last_reader[input] = id;
                if (pass == 1) {
                    lists[input][b->layers[input].n_consumers] = id;
                }
                b->layers[input].n_consumers++;
            }
        }
        for (uint32_t id = 0; id < n && pass == 0; id++) {
            struct ew_layer *layer = &b->layers[id];
            lists[id] = ew_arena_calloc(&b->graph->arena, layer->n_consumers, sizeof *lists[id]);
            if (!lists[id]) {
                return ew_fail_memory(err);
            }
            layer->consumers = lists[id];
            layer->n_consumers = 0;
        }
    }
    return EW_OK;
}

static enum ew_status collect_inputs(struct builder *b, struct ew_error *err)
{
    struct ew_graph *g = b->graph;
    uint32_t *inputs = ew_arena_calloc(&g->arena, g->n_layers, sizeof *inputs);
    if (!inputs) {
        return ew_fail_memory(err);
    }
    for (uint32_t id = 0; id < g->n_layers; id++) {
        if (g->layers[id].op == EW_OP_INPUT) {
            inputs[g->n_inputs++] = id;
        }
    }
    g->inputs = inputs;
    if (g->n_inputs == 0) {
        return ew_fail(err, EW_EINPUT, "expected at least one network input, found none");
    }
    if (g->n_inputs == g->n_layers) {
        return ew_fail(err, EW_EINPUT, "expected at least one layer besides the network's inputs");
    }
    return EW_OK;
}

/* ---- exits ---- */

static enum ew_status make_default_exit(struct builder *b, struct ew_exit *exit,
                                        struct ew_error *err)
{
    struct ew_graph *g = b->graph;
    uint32_t *layers = ew_arena_calloc(&g->arena, g->n_layers, sizeof *layers);
    if (!layers) {
        return ew_fail_memory(err);
    }
    exit->name = "full";
    exit->accuracy = b->desc->accuracy;
    exit->layers = layers;
    for (uint32_t id = 0; id < g->n_layers; id++) {
        if (g->layers[id].n_consumers == 0) {
            layers[exit->n_layers++] = id;
        }
    }
    return EW_OK;
}

static enum ew_status make_exit(struct builder *b, struct ew_exit *exit,
                                const struct ew_exit_desc *desc, struct ew_error *err)
{
    struct ew_graph *g = b->graph;
    uint32_t *layers = ew_arena_calloc(&g->arena, desc->n_layers, sizeof *layers);
    exit->name = ew_arena_strdup(&g->arena, desc->name);
    if (!layers || !exit->name) {
        return ew_fail_memory(err);
    }
    exit->accuracy = desc->accuracy;
    exit->n_layers = desc->n_layers;
    exit->layers = layers;
    if (desc->n_layers == 0) {
        return ew_fail(err, EW_EINPUT, "exit '%s': expected at least one layer", desc->name);
    }
    for (uint32_t i = 0; i < desc->n_layers; i++) {
        const uint32_t found = find_desc(b, desc->layers[i]);
        if (found == NO_LAYER) {
            (void)fail_unknown_layer(b, desc->layers[i], err);
            return ew_prefix(err, "exit '%s': ", desc->name);
        }
        layers[i] = b->id_of[found];
        for (uint32_t k = 0; k < i; k++) {
            if (layers[k] == layers[i]) {
                return ew_fail(err, EW_EINPUT, "exit '%s': layer '%s' is named twice", desc->name,
                               desc->layers[i]);
            }
        }
    }
    return EW_OK;
}

static bool is_accuracy(double x)
{
    return isnan(x) || (x >= 0 && x <= 1);
}

static enum ew_status make_exits(struct builder *b, struct ew_error *err)
{
    const uint32_t n = b->desc->n_exits;
    struct ew_exit *exits = ew_arena_calloc(&b->graph->arena, n ? n : 1, sizeof *exits);
    if (!exits) {
        return ew_fail_memory(err);
    }
    b->graph->exits = exits;
    b->graph->n_exits = n ? n : 1;
    if (n == 0) {
        return make_default_exit(b, &exits[0], err);
    }
    for (uint32_t i = 0; i < n; i++) {
        const enum ew_status status = make_exit(b, &exits[i], &b->desc->exits[i], err);
        if (status != EW_OK) {
            return status;
        }
        if (!is_accuracy(exits[i].accuracy)) {
            return ew_fail(err, EW_EINPUT, "exit '%s': accuracy: expected 0..1, found %g",
                           exits[i].name, exits[i].accuracy);
        }
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(exits[k].name, exits[i].name) == 0) {
                return ew_fail(err, EW_EINPUT, "exit '%s': expected a unique name, found it twice",
                               exits[i].name);
            }
        }
    }
    if (isnan(exits[n - 1].accuracy)) {
        exits[n - 1].accuracy = b->desc->accuracy;
    }
    return EW_OK;
}

/* Sums over what the last exit needs. Each layer's counts are bounded by ew_op_infer_shape. */
static enum ew_status sum_counts(struct builder *b, struct ew_error *err)
{
    struct ew_graph *g = b->graph;
    bool *needed = ew_arena_calloc(&b->arena, g->n_layers, sizeof *needed);
    if (!needed) {
        return ew_fail_memory(err);
    }
    (void)ew_graph_exit_layers(needed, g, g->n_exits - 1);
    for (uint32_t id = 0; id < g->n_layers; id++) {
        if (needed[id]) {
            g->params += g->layers[id].params;
            g->macs += g->layers[id].macs;
        }
    }
    return EW_OK;
}

/* ---- the whole graph ---- */

static enum ew_status copy_texts(struct ew_graph *g, const struct ew_graph_desc *desc,
                                 struct ew_error *err)
{
    g->name = ew_arena_strdup(&g->arena, desc->name ? desc->name : "");
    g->source = ew_arena_strdup(&g->arena, desc->source ? desc->source : "");
    g->accuracy_metric =
        ew_arena_strdup(&g->arena, desc->accuracy_metric ? desc->accuracy_metric : "");
    g->path = ew_arena_strdup(&g->arena, desc->path ? desc->path : "");
    g->weights_path = ew_arena_strdup(&g->arena, desc->weights_path ? desc->weights_path : "");
    return g->name && g->source && g->accuracy_metric && g->path && g->weights_path
               ? EW_OK
               : ew_fail_memory(err);
}

static enum ew_status check_desc(const struct ew_graph_desc *desc, struct ew_error *err)
{
    if (desc->n_layers > EW_GRAPH_MAX_LAYERS) {
        return ew_fail(err, EW_EINPUT, "expected at most %d layers, found %u",
                       (int)EW_GRAPH_MAX_LAYERS, (unsigned)desc->n_layers);
    }
    if (!(desc->bytes_per_element > 0) || !isfinite(desc->bytes_per_element)) {
        return ew_fail(err, EW_EINPUT, "bytes per element: expected a positive number, found %g",
                       desc->bytes_per_element);
    }
    if (!is_accuracy(desc->accuracy)) {
        return ew_fail(err, EW_EINPUT, "accuracy: expected 0..1, found %g", desc->accuracy);
    }
    return EW_OK;
}

static enum ew_status make_layers(struct builder *b, struct ew_error *err)
{
    struct ew_graph *g = b->graph;
    const uint32_t n = b->desc->n_layers;
    enum ew_status status = index_names(b, err);
    status = status ? status : resolve_inputs(b, err);
    status = status ? status : sort_layers(b, err);
    b->layers = ew_arena_calloc(&g->arena, n, sizeof *b->layers);
    if (status == EW_OK && !b->layers) {
        return ew_fail_memory(err);
    }
    for (uint32_t id = 0; id < n && status == EW_OK; id++) {
        status = make_layer(b, id, err);
    }
    g->layers = b->layers;
    g->n_layers = n;
    status = status ? status : link_consumers(b, err);
    return status ? status : collect_inputs(b, err);
}

static enum ew_status make_base_variant(struct ew_graph *g, struct ew_error *err)
{
    struct ew_variant *base = ew_arena_calloc(&g->arena, 1, sizeof *base);
    if (!base) {
        return ew_fail_memory(err);
    }
    *base = (struct ew_variant){"base", g->exits[g->n_exits - 1].accuracy, g};
    g->variants = base;
    g->n_variants = 1;
    return EW_OK;
}

enum ew_status ew_graph_make(struct ew_graph **out, const struct ew_graph_desc *desc,
                             struct ew_error *err)
{
    struct builder b = {.desc = desc, .graph = calloc(1, sizeof(struct ew_graph))};
    if (!b.graph) {
        return ew_fail_memory(err);
    }
    b.graph->bytes_per_element = desc->bytes_per_element;
    enum ew_status status = check_desc(desc, err);
    status = status ? status : copy_texts(b.graph, desc, err);
    status = status ? status : make_layers(&b, err);
    status = status ? status : make_exits(&b, err);
    status = status ? status : sum_counts(&b, err);
    status = status ? status : make_base_variant(b.graph, err);
    if (status == EW_OK) {
        *out = b.graph;
        b.graph = NULL;
    }
    ew_graph_free(b.graph);
    ew_arena_fini(&b.arena);
    return status;
}

static enum ew_status check_variant(const struct ew_graph *graph, const struct ew_variant *earlier,
                                    uint32_t n_earlier, const char *name, double accuracy,
                                    const struct ew_graph *variant, struct ew_error *err)
{
    for (uint32_t i = 0; i < n_earlier; i++) {
        if (strcmp(earlier[i].name, name) == 0) {
            return ew_fail(err, EW_EINPUT, "variant '%s': expected a unique name, found it twice%s",
                           name, i == 0 ? " ('base' is the graph itself)" : "");
        }
    }
    if (!is_accuracy(accuracy)) {
        return ew_fail(err, EW_EINPUT, "variant '%s': accuracy: expected 0..1, found %g", name,
                       accuracy);
    }
    if (variant->n_inputs != graph->n_inputs) {
        return ew_fail(err, EW_EINPUT, "variant '%s': expected %u network inputs, found %u", name,
                       (unsigned)graph->n_inputs, (unsigned)variant->n_inputs);
    }
    return EW_OK;
}

enum ew_status ew_graph_attach_variants_take(struct ew_graph *graph, uint32_t n,
                                             const char *const *names, const double *accuracy,
                                             struct ew_graph **graphs, struct ew_error *err)
{
    struct ew_variant *all = ew_arena_calloc(&graph->arena, (size_t)n + 1, sizeof *all);
    if (!all) {
        for (uint32_t i = 0; i < n; i++) {
            ew_graph_free(graphs[i]);
        }
        return ew_fail_memory(err);
    }
    all[0] = graph->variants[0];
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < n; i++) {
        struct ew_variant *v = &all[i + 1];
        v->graph = graphs[i];
        v->accuracy = isnan(accuracy[i]) ? graphs[i]->variants[0].accuracy : accuracy[i];
        v->name = ew_arena_strdup(&graph->arena, names[i]);
        if (status == EW_OK) {
            status = v->name
                         ? check_variant(graph, all, i + 1, names[i], accuracy[i], graphs[i], err)
                         : ew_fail_memory(err);
        }
    }
    graph->variants = all; /* also on failure, so that ew_graph_free finds them */
    graph->n_variants = n + 1;
    return status;
}

void ew_graph_free(struct ew_graph *graph)
{
    if (!graph) {
        return;
    }
    for (uint32_t i = 1; i < graph->n_variants; i++) {
        ew_graph_free((struct ew_graph *)graph->variants[i].graph);
    }
    ew_arena_fini(&graph->arena);
    free(graph);
}
