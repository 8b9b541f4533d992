#include "distredge/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/share.h"
#include "distredge/hash.h"

/* ------------------------------------------------------------------ life */

bool model_state_init(struct model_state *state, const struct model *model, const uint32_t *starts,
                      uint32_t n_volumes)
{
    size_t n = (size_t)model->n_layers * model->n_parts;
    state->model = model;
    state->n_volumes = n_volumes;
    state->starts = calloc(n_volumes + 1u, sizeof *state->starts);
    state->owned = calloc(n, sizeof *state->owned);
    state->made = calloc(n, sizeof *state->made);
    state->finish_s = calloc(model->n_parts, sizeof *state->finish_s);
    state->before_s = calloc(model->n_parts, sizeof *state->before_s);
    state->needed = calloc(model->n_layers, sizeof *state->needed);
    if (!state->starts || !state->owned || !state->made || !state->finish_s || !state->before_s ||
        !state->needed) {
        return false;
    }
    memcpy(state->starts, starts, n_volumes * sizeof *starts);
    state->starts[n_volumes] = model->n_blocks;
    return true;
}

void model_state_fini(struct model_state *state)
{
    free(state->starts);
    free(state->owned);
    free(state->made);
    free(state->finish_s);
    free(state->before_s);
    free(state->needed);
    memset(state, 0, sizeof *state);
}

/* ------------------------------------------------------------------ rows */

uint32_t model_reference(const struct model_state *state, uint32_t v)
{
    return state->model->blocks[state->starts[v + 1] - 1].end - 1;
}

static bool is_empty(struct model_rows rows)
{
    return rows.lo >= rows.hi;
}

static int32_t count(struct model_rows rows)
{
    return is_empty(rows) ? 0 : rows.hi - rows.lo;
}

static struct model_rows common(struct model_rows a, struct model_rows b)
{
    return (struct model_rows){a.lo > b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
}

/* The smallest interval that holds both. */
static struct model_rows hull(struct model_rows a, struct model_rows b)
{
    if (is_empty(a) || is_empty(b)) {
        return is_empty(a) ? b : a;
    }
    return (struct model_rows){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

static struct model_rows rows_read(const struct model_read *read, struct model_rows out)
{
    return (struct model_rows){read->lo[out.lo], read->hi[out.hi - 1]};
}

/* Does anybody outside of the volume read the layer, or wait for it as an answer? */
static bool is_boundary(const struct model_state *state, uint32_t v, uint32_t layer)
{
    const struct model_layer *info = &state->model->layers[layer];
    return info->is_answer || info->last_reader >= (int32_t)state->starts[v + 1] ||
           layer == model_reference(state, v);
}

/* What part `i` makes of the volume's layers, from the last to the first, and what it needs of
 * layers before: in state->needed. */
static void walk_back(struct model_state *state, uint32_t v, uint32_t i)
{
    const struct model *model = state->model;
    uint32_t first = model->blocks[state->starts[v]].first;
    uint32_t last = model_reference(state, v);
    memset(state->needed, 0, (last + 1u) * sizeof *state->needed);
    for (uint32_t l = last + 1; l-- > first;) {
        const struct model_layer *layer = &model->layers[l];
        size_t at = (size_t)l * model->n_parts + i;
        struct model_rows made = hull(state->owned[at], state->needed[l]);
        state->made[at] = made;
        if (is_empty(made)) {
            continue;
        }
        for (uint32_t r = 0; r < layer->n_reads; r++) {
            struct model_rows *needed = &state->needed[layer->reads[r].layer];
            *needed = hull(*needed, rows_read(&layer->reads[r], made));
        }
    }
}

static void set_owners(struct model_state *state, uint32_t v, const int32_t *cuts)
{
    const struct model *model = state->model;
    uint32_t reference = model_reference(state, v);
    int32_t rows = model->layers[reference].rows;
    for (uint32_t l = model->blocks[state->starts[v]].first; l <= reference; l++) {
        struct model_rows *owned = state->owned + (size_t)l * model->n_parts;
        if (!is_boundary(state, v, l)) {
            memset(owned, 0, model->n_parts * sizeof *owned);
            continue;
        }
        int32_t extent = model->layers[l].rows;
        for (uint32_t i = 0; i < model->n_parts; i++) {
            owned[i] = (struct model_rows){kit_map_cut(cuts[i], rows, extent),
                                           kit_map_cut(cuts[i + 1], rows, extent)};
        }
    }
}

/* ------------------------------------------------------------------ times */

/* A receiver that waits for the latest sender, then takes one message after the other. */
struct arrival {
    double start_s;
    double receive_s;
};

static const struct model_wire *wire(const struct model *model, uint32_t from, uint32_t to)
{
    return &model->wires[(size_t)from * (model->n_parts + 2) + to];
}

static void add_message(struct arrival *arrival, const struct model_wire *wire, double ready_s,
                        double bytes)
{
    arrival->start_s = fmax(arrival->start_s, ready_s);
    arrival->receive_s += wire->message_s + bytes * wire->byte_s;
}

/* Rows `need` of a layer, fetched by `to` from those who own them. */
static void fetch(struct arrival *arrival, const struct model_state *state, uint32_t l,
                  struct model_rows need, uint32_t to, const double *ready_s)
{
    const struct model *model = state->model;
    const struct model_layer *layer = &model->layers[l];
    if (layer->is_input) {
        if (to != model->n_parts && !is_empty(need)) {
            add_message(arrival, wire(model, model->n_parts, to), 0.0,
                        count(need) * layer->row_bytes);
        }
        return;
    }
    for (uint32_t j = 0; j < model->n_parts; j++) {
        struct model_rows missing = common(need, state->owned[(size_t)l * model->n_parts + j]);
        if (j != to && !is_empty(missing)) {
            add_message(arrival, wire(model, j, to), ready_s[j], count(missing) * layer->row_bytes);
        }
    }
}

static double compute_s(const struct model_state *state, uint32_t v, uint32_t i)
{
    const struct model *model = state->model;
    double sum_s = 0.0;
    for (uint32_t l = model->blocks[state->starts[v]].first; l <= model_reference(state, v); l++) {
        const struct model_layer *layer = &model->layers[l];
        int32_t rows = count(state->made[(size_t)l * model->n_parts + i]);
        sum_s +=
            layer->seconds[(size_t)model->part_class[i] * ((size_t)layer->rows + 1) + (size_t)rows];
    }
    return sum_s;
}

void model_decide(struct model_state *state, uint32_t v, const int32_t *cuts)
{
    const struct model *model = state->model;
    uint32_t first = model->blocks[state->starts[v]].first;
    if (v == 0) {
        memset(state->finish_s, 0, model->n_parts * sizeof *state->finish_s);
    }
    memcpy(state->before_s, state->finish_s, model->n_parts * sizeof *state->before_s);
    set_owners(state, v, cuts);
    for (uint32_t i = 0; i < model->n_parts; i++) {
        struct arrival arrival = {.start_s = state->before_s[i]};
        walk_back(state, v, i);
        for (uint32_t l = 0; l < first; l++) {
            if (!is_empty(state->needed[l])) {
                fetch(&arrival, state, l, state->needed[l], i, state->before_s);
            }
        }
        state->finish_s[i] = arrival.start_s + arrival.receive_s + compute_s(state, v, i);
    }
}

/* ------------------------------------------------------------------ the end */

uint32_t model_head_part(const struct model_state *state)
{
    const struct model *model = state->model;
    uint32_t reference = model_reference(state, state->n_volumes - 1);
    uint32_t largest = model->n_parts;
    int32_t most = -1;
    if (model->head_part != MODEL_NONE) {
        return (uint32_t)model->head_part;
    }
    for (uint32_t i = 0; i < model->n_parts; i++) {
        int32_t rows = count(state->owned[(size_t)reference * model->n_parts + i]);
        if (model->can_head[i] && rows > most) {
            most = rows;
            largest = i;
        }
    }
    return largest;
}

/* When everything that the head reads is at `head` and computed on. */
static double head_finish_s(const struct model_state *state, uint32_t head)
{
    const struct model *model = state->model;
    struct arrival arrival = {.start_s = head < model->n_parts ? state->finish_s[head] : 0.0};
    for (uint32_t l = 0; l < model->n_layers; l++) {
        const struct model_layer *layer = &model->layers[l];
        if (layer->last_reader == (int32_t)model->n_blocks) {
            fetch(&arrival, state, l, (struct model_rows){0, layer->rows}, head, state->finish_s);
        }
    }
    return arrival.start_s + arrival.receive_s + model->head_s[head];
}

double model_latency_s(const struct model_state *state)
{
    const struct model *model = state->model;
    uint32_t sink = model->n_parts + 1;
    struct arrival arrival = {0};
    double latency_s = 0.0;
    if (model->has_head) {
        uint32_t head = model_head_part(state);
        latency_s = head_finish_s(state, head);
        if (model->head_answer_bytes > 0.0) {
            add_message(&arrival, wire(model, head, sink), latency_s, model->head_answer_bytes);
        }
    }
    for (uint32_t l = 0; l < model->n_layers; l++) {
        const struct model_layer *layer = &model->layers[l];
        if (layer->is_answer) {
            fetch(&arrival, state, l, (struct model_rows){0, layer->rows}, sink, state->finish_s);
        }
    }
    return fmax(latency_s, arrival.start_s + arrival.receive_s);
}

/* ------------------------------------------------------------------ the key */

static uint64_t hash_layer(uint64_t hash, const struct model_layer *layer, uint32_t n_classes)
{
    const double row_bytes = layer->row_bytes;
    const int32_t facts[] = {layer->rows, layer->is_input, layer->last_reader, layer->is_answer};
    size_t rows = (size_t)layer->rows;
    hash = hash_bytes(hash, &row_bytes, sizeof row_bytes);
    hash = hash_bytes(hash, facts, sizeof facts);
    for (uint32_t r = 0; r < layer->n_reads; r++) {
        const struct model_read *read = &layer->reads[r];
        hash = hash_bytes(hash, &read->layer, sizeof read->layer);
        hash = hash_bytes(hash, read->lo, rows * sizeof *read->lo);
        hash = hash_bytes(hash, read->hi, rows * sizeof *read->hi);
    }
    return layer->seconds
               ? hash_bytes(hash, layer->seconds, n_classes * (rows + 1) * sizeof(double))
               : hash;
}

uint64_t model_hash(uint64_t hash, const struct model *model)
{
    size_t n_positions = model->n_parts + 2u;
    uint32_t n_classes = 0;
    for (uint32_t i = 0; i < model->n_parts; i++) {
        n_classes = model->part_class[i] >= n_classes ? model->part_class[i] + 1 : n_classes;
    }
    for (uint32_t l = 0; l < model->n_layers; l++) {
        hash = hash_layer(hash, &model->layers[l], n_classes);
    }
    const int32_t head[] = {model->has_head, model->head_part};
    hash = hash_bytes(hash, model->blocks, model->n_blocks * sizeof *model->blocks);
    hash = hash_bytes(hash, model->part_class, model->n_parts * sizeof *model->part_class);
    hash = hash_bytes(hash, model->wires, n_positions * n_positions * sizeof *model->wires);
    hash = hash_bytes(hash, head, sizeof head);
    hash = hash_bytes(hash, model->head_s, (model->n_parts + 1u) * sizeof *model->head_s);
    hash = hash_bytes(hash, model->can_head, model->n_parts * sizeof *model->can_head);
    return hash_bytes(hash, &model->head_answer_bytes, sizeof model->head_answer_bytes);
}
