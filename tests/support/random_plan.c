#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "support/random_scenario.h"

enum { MAX_PARTS = 8, MAX_LAYERS = 64, MAX_BATCH = 4 };

/* The plan being made, one segment at a time. */
struct sketch {
    struct ew_rng *rng;
    const struct ew_plan_context *context;
    struct ew_builder *builder;
    struct ew_error err;
    uint32_t segment;
    uint32_t next_chain;
    int32_t image_lo, image_hi;
    const struct ew_graph *graph;
    bool needed[MAX_LAYERS];
};

/* Devices and the fractions at which their shares end; a share may be empty. */
struct shares {
    uint32_t n;
    uint32_t devices[MAX_PARTS];
    double ends[MAX_PARTS];
};

static void check(struct sketch *s, enum ew_status status)
{
    random_insist(status == EW_OK, s->err.message);
}

static uint32_t random_device(struct sketch *s)
{
    return (uint32_t)ew_rng_below(s->rng, s->context->platform->n_devices);
}

/* --- boxes and shares ------------------------------------------------------------------------- */

static struct ew_box whole_box(const struct sketch *s, uint32_t layer)
{
    struct ew_box box = ew_box_full(s->graph->layers[layer].shape);
    box.lo[EW_N] = s->image_lo;
    box.hi[EW_N] = s->image_hi;
    return box;
}

/* Different devices in random order; equal shares or random ones. */
static struct shares random_shares(struct sketch *s, bool is_equal)
{
    const uint32_t n_devices = s->context->platform->n_devices;
    struct shares shares = {.n = (uint32_t)random_int(s->rng, 2, (int32_t)n_devices)};
    uint32_t order[MAX_PARTS];
    for (uint32_t i = 0; i < n_devices; i++) {
        order[i] = i;
    }
    double sum = 0;
    for (uint32_t i = 0; i < shares.n; i++) {
        const uint32_t k = i + (uint32_t)ew_rng_below(s->rng, n_devices - i);
        const uint32_t device = order[k];
        order[k] = order[i];
        shares.devices[i] = device;
        sum += is_equal ? 1 : random_chance(s->rng, 0.1) ? 0 : ew_rng_unit(s->rng);
        shares.ends[i] = sum;
    }
    for (uint32_t i = 0; i < shares.n; i++) {
        shares.ends[i] = sum > 0 ? shares.ends[i] / sum : 1;
    }
    shares.ends[shares.n - 1] = 1;
    return shares;
}

/* Part `i` of a box along a dimension. */
static struct ew_box share_of(const struct shares *shares, uint32_t i, struct ew_box box,
                              enum ew_dim dim)
{
    const int32_t lo = box.lo[dim];
    const double extent = box.hi[dim] - lo;
    if (i > 0) {
        box.lo[dim] = lo + (int32_t)(shares->ends[i - 1] * extent + 0.5);
    }
    box.hi[dim] = lo + (int32_t)(shares->ends[i] * extent + 0.5);
    return box;
}

static void add_piece(struct sketch *s, uint32_t layer, uint32_t device, uint32_t chain,
                      const struct ew_box *box)
{
    struct ew_piece piece = {
        .layer = layer,
        .device = device,
        .segment = s->segment,
        .chain = chain,
        .sum = EW_NONE,
        .role = EW_PIECE_FULL,
        .box = *box,
    };
    const struct ew_layer *l = &s->graph->layers[layer];
    if (ew_op_is_indivisible(l->op) && !ew_box_is_whole_image(box, l->shape)) {
        if (box->lo[EW_C] || box->lo[EW_H] || box->lo[EW_W]) {
            return; /* whoever has the first part has it all */
        }
        memcpy(&piece.box.hi[EW_C], &l->shape[EW_C], 3 * sizeof *l->shape);
    }
    if (!ew_box_is_empty(box)) {
        check(s, ew_builder_add_piece(s->builder, &piece, NULL, &s->err));
    }
}

static void split_layer(struct sketch *s, uint32_t layer, const struct shares *shares,
                        enum ew_dim dim)
{
    for (uint32_t i = 0; i < shares->n; i++) {
        const struct ew_box box = share_of(shares, i, whole_box(s, layer), dim);
        add_piece(s, layer, shares->devices[i], EW_NONE, &box);
    }
}

static bool is_computed(const struct sketch *s, uint32_t layer)
{
    return s->needed[layer] && s->graph->layers[layer].op != EW_OP_INPUT;
}

/* --- styles: each places the pieces of layers [first, n_layers)
 * ----------------------------------- */

static void place_single(struct sketch *s, uint32_t first)
{
    const uint32_t device = random_device(s);
    for (uint32_t l = first; l < s->graph->n_layers; l++) {
        if (is_computed(s, l)) {
            const struct ew_box box = whole_box(s, l);
            add_piece(s, l, device, EW_NONE, &box);
        }
    }
}

static void place_split(struct sketch *s, uint32_t first, enum ew_dim dim)
{
    const struct shares shares = random_shares(s, random_chance(s->rng, 0.4));
    for (uint32_t l = first; l < s->graph->n_layers; l++) {
        if (is_computed(s, l)) {
            split_layer(s, l, &shares, dim);
        }
    }
}

static void place_pipeline(struct sketch *s, uint32_t first)
{
    uint32_t device = random_device(s);
    for (uint32_t l = first; l < s->graph->n_layers; l++) {
        if (random_chance(s->rng, 0.25)) {
            device = random_device(s);
        }
        if (is_computed(s, l)) {
            const struct ew_box box = whole_box(s, l);
            add_piece(s, l, device, EW_NONE, &box);
        }
    }
}

static void place_tiles(struct sketch *s, uint32_t first)
{
    const struct shares rows = random_shares(s, random_chance(s->rng, 0.5));
    const struct shares columns = random_shares(s, random_chance(s->rng, 0.5));
    const uint32_t n_devices = s->context->platform->n_devices;
    for (uint32_t l = first; l < s->graph->n_layers; l++) {
        for (uint32_t i = 0; i < rows.n && is_computed(s, l); i++) {
            for (uint32_t k = 0; k < columns.n; k++) {
                struct ew_box box = share_of(&rows, i, whole_box(s, l), EW_H);
                box = share_of(&columns, k, box, EW_W);
                add_piece(s, l, (rows.devices[i] + k) % n_devices, EW_NONE, &box);
            }
        }
    }
}

/* A sum piece, and a partial piece per share of the reduction. */
static void split_reduction(struct sketch *s, uint32_t layer, const struct shares *shares,
                            int32_t length)
{
    struct ew_piece piece = {
        .layer = layer,
        .device = random_device(s),
        .segment = s->segment,
        .chain = EW_NONE,
        .sum = EW_NONE,
        .role = EW_PIECE_SUM,
        .box = whole_box(s, layer),
    };
    uint32_t sum = 0;
    check(s, ew_builder_add_piece(s->builder, &piece, &sum, &s->err));
    piece.role = EW_PIECE_PARTIAL;
    piece.sum = sum;
    for (uint32_t i = 0; i < shares->n; i++) {
        const struct ew_box line = {{0, 0, 0, 0}, {1, length, 1, 1}};
        const struct ew_box part = share_of(shares, i, line, EW_C);
        piece.device = shares->devices[i];
        piece.reduction = (struct ew_reduction){part.lo[EW_C], part.hi[EW_C]};
        if (part.lo[EW_C] < part.hi[EW_C]) {
            check(s, ew_builder_add_piece(s->builder, &piece, NULL, &s->err));
        }
    }
}

static void place_partial_sums(struct sketch *s, uint32_t first)
{
    const struct shares shares = random_shares(s, random_chance(s->rng, 0.5));
    for (uint32_t l = first; l < s->graph->n_layers; l++) {
        const struct ew_layer *layer = &s->graph->layers[l];
        const struct ew_op_view view = ew_layer_view(layer);
        const int32_t length = layer->attrs.groups > 1 ? 0 : ew_op_reduction_length(&view);
        if (is_computed(s, l) && length > 1 && random_chance(s->rng, 0.8)) {
            split_reduction(s, l, &shares, length);
        } else if (is_computed(s, l)) {
            split_layer(s, l, &shares, EW_C);
        }
    }
}

static void place_mixture(struct sketch *s, uint32_t first)
{
    for (uint32_t l = first; l < s->graph->n_layers; l++) {
        if (is_computed(s, l)) {
            const struct shares shares = random_shares(s, random_chance(s->rng, 0.3));
            split_layer(s, l, &shares, (enum ew_dim)random_int(s->rng, EW_N, EW_W));
        }
    }
}

/* Boxes of one tile of a fused volume over layers [0, end): its share of every layer that is read
 * from outside the volume, and whatever that needs. */
static void grow_tile(const struct sketch *s, struct ew_box *boxes, uint32_t end,
                      const struct shares *shares, uint32_t tile)
{
    bool is_read_outside[MAX_LAYERS] = {false};
    for (uint32_t l = 0; l < s->graph->n_layers; l++) {
        const struct ew_layer *layer = &s->graph->layers[l];
        bool is_read = false; /* by a needed layer at all */
        for (uint32_t i = 0; i < layer->n_consumers; i++) {
            const uint32_t reader = layer->consumers[i];
            is_read = is_read || s->needed[reader];
            is_read_outside[l] = is_read_outside[l] || (s->needed[reader] && reader >= end);
        }
        is_read_outside[l] = is_read_outside[l] || !is_read;
    }
    for (uint32_t l = 0; l < end; l++) {
        boxes[l] = (struct ew_box){{0}, {0}};
    }
    for (uint32_t l = end; l-- > 0;) {
        if (!is_computed(s, l)) {
            continue;
        }
        if (is_read_outside[l]) {
            const struct ew_box share = share_of(shares, tile, whole_box(s, l), EW_H);
            boxes[l] = ew_box_hull(&boxes[l], &share);
        }
        if (ew_op_is_indivisible(s->graph->layers[l].op) && !ew_box_is_empty(&boxes[l])) {
            boxes[l] = whole_box(s, l); /* in every tile: none need begin with the first row */
        }
        const struct ew_op_view view = ew_layer_view(&s->graph->layers[l]);
        for (uint32_t i = 0; i < view.n_inputs && !ew_box_is_empty(&boxes[l]); i++) {
            const uint32_t input = s->graph->layers[l].inputs[i];
            const struct ew_box read = ew_op_input_box(&view, i, &boxes[l], NULL);
            boxes[input] = ew_box_hull(&boxes[input], &read);
        }
    }
}

/* Tiles that recompute their halos, each a chain; then something else. Returns where that begins.
 */
static uint32_t place_fused(struct sketch *s)
{
    const uint32_t end = (uint32_t)random_int(s->rng, 2, (int32_t)s->graph->n_layers);
    const struct shares shares = random_shares(s, random_chance(s->rng, 0.5));
    struct ew_box boxes[MAX_LAYERS];
    for (uint32_t tile = 0; tile < shares.n; tile++) {
        grow_tile(s, boxes, end, &shares, tile);
        const uint32_t device = shares.devices[random_chance(s->rng, 0.2) ? 0 : tile];
        for (uint32_t l = 0; l < end; l++) {
            if (is_computed(s, l)) {
                add_piece(s, l, device, s->next_chain, &boxes[l]);
            }
        }
        s->next_chain++;
    }
    return end;
}

static void place_pieces(struct sketch *s)
{
    const uint32_t first = random_chance(s->rng, 0.15) ? place_fused(s) : 0;
    switch (random_int(s->rng, 0, 11)) {
    case 0:
        place_single(s, first);
        break;
    case 1:
    case 2:
    case 3:
        place_split(s, first, EW_H);
        break;
    case 4:
        place_split(s, first, EW_W);
        break;
    case 5:
        place_split(s, first, EW_C);
        break;
    case 6:
        place_split(s, first, EW_N);
        break;
    case 7:
    case 8:
        place_pipeline(s, first);
        break;
    case 9:
        place_tiles(s, first);
        break;
    case 10:
        place_partial_sums(s, first);
        break;
    default:
        place_mixture(s, first);
        break;
    }
}

/* --- plans and books
 * ------------------------------------------------------------------------------ */

static void set_boundaries(struct sketch *s)
{
    const enum ew_exchange common = (enum ew_exchange)random_int(s->rng, 0, 2);
    const bool is_direct = random_chance(s->rng, 0.5);
    const bool is_mixed = random_chance(s->rng, 0.3);
    const uint32_t hub = random_device(s);
    const double barriers = random_chance(s->rng, 0.7) ? 0 : random_chance(s->rng, 0.5) ? 1 : 0.3;
    const double formats = random_chance(s->rng, 0.85) ? 0 : 0.3;
    const struct ew_graph *graph = s->context->graph;
    for (uint32_t l = 0; l < graph->n_layers; l++) {
        struct ew_boundary boundary = {.exchange = EW_EXCHANGE_DIRECT, .hub = hub};
        if (!is_direct) {
            boundary.exchange = (uint8_t)(is_mixed ? random_int(s->rng, 0, 2) : (int32_t)common);
        }
        boundary.has_barrier = random_chance(s->rng, barriers);
        if (random_chance(s->rng, formats)) {
            boundary.wire_bits = random_chance(s->rng, 0.5) ? 8 : 16;
        }
        check(s, ew_builder_set_boundary(s->builder, 0, l, boundary, &s->err));
    }
}

static void make_segment(struct sketch *s, int32_t image_lo, int32_t image_hi)
{
    const struct ew_graph *graph = s->context->graph;
    const uint32_t exit = random_chance(s->rng, 0.8)
                              ? graph->n_exits - 1
                              : (uint32_t)ew_rng_below(s->rng, graph->n_exits);
    check(s, ew_builder_assign(s->builder, image_lo, image_hi, 0, exit, &s->segment, &s->err));
    s->image_lo = image_lo;
    s->image_hi = image_hi;
    s->graph = graph;
    memset(s->needed, 0, sizeof s->needed);
    random_insist(graph->n_layers <= MAX_LAYERS, "plan: too many layers");
    (void)ew_graph_exit_layers(s->needed, graph, exit);
}

static void make_plan(struct sketch *s, int32_t batch)
{
    const uint32_t source = random_device(s);
    const uint32_t sink = random_chance(s->rng, 0.6) ? source : random_device(s);
    check(s, ew_builder_begin_plan(s->builder, "random", batch, source, sink, &s->err));
    const int32_t cut =
        batch > 1 && random_chance(s->rng, 0.5) ? random_int(s->rng, 1, batch - 1) : batch;
    s->next_chain = 0;
    /* all segments before the first piece */
    struct sketch halves[2] = {*s, *s};
    make_segment(&halves[0], 0, cut);
    if (cut < batch) {
        make_segment(&halves[1], cut, batch);
    }
    place_pieces(&halves[0]);
    if (cut < batch) {
        halves[1].next_chain = halves[0].next_chain;
        place_pieces(&halves[1]);
    }
    set_boundaries(s);
    const enum ew_weights modes[] = {EW_WEIGHTS_RESIDENT, EW_WEIGHTS_RESIDENT, EW_WEIGHTS_RESIDENT,
                                     EW_WEIGHTS_PER_REQUEST, EW_WEIGHTS_ON_CHANGE};
    check(s, ew_builder_set_weights(s->builder, modes[random_int(s->rng, 0, 4)], &s->err));
}

struct ew_book *random_book(struct ew_rng *rng, const struct ew_plan_context *context)
{
    struct sketch s = {.rng = rng, .context = context, .builder = ew_builder_new(context)};
    random_insist(s.builder != NULL, "out of memory");
    const int32_t n = random_chance(rng, 0.7) ? 1 : random_int(rng, 2, 3);
    const int32_t batch = random_chance(rng, 0.7) ? 1 : random_int(rng, 2, MAX_BATCH);
    const bool draws = random_chance(rng, 0.3);
    for (int32_t i = 0; i < n; i++) {
        make_plan(&s, batch);
        const double probability = i + 1 < n ? 0.25 : 1 - 0.25 * (n - 1);
        check(&s, ew_builder_set_share(s.builder, (uint32_t)random_int(rng, 1, 3), probability,
                                       NULL, &s.err));
    }
    if (n > 1) {
        check(&s,
              ew_builder_set_pick(s.builder, draws ? EW_PICK_BY_EXIT_DRAW : EW_PICK_CYCLE, &s.err));
    }
    struct ew_book *book = NULL;
    check(&s, ew_builder_finish(&book, s.builder, "random", &s.err));
    check(&s, ew_book_check(context, book, &s.err));
    ew_builder_free(s.builder);
    return book;
}
