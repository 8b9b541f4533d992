#include "io/plan_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/json_read.h"
#include "plan/builder.h"

enum { MAX_FILE_BYTES = 256 << 20, MAX_PLANS = 4096 };

/* Everything alive while one file is read. */
struct reader {
    const struct ew_plan_context *context;
    struct ew_builder *builder;
    uint32_t last_device; /* where the previous names were found: the next is often near */
    uint32_t last_layer;
    struct ew_segment *segments; /* of the current plan */
    uint32_t n_segments;
};

static const char *const FILE_KEYS[] = {"schema", "strategy", "graph", "pick", "plans"};
static const char *const PLAN_KEYS[] = {"name",   "batch", "source",      "sink",     "weights",
                                        "weight", "class", "probability", "segments", "boundaries",
                                        "pools",  "notes", "prediction",  "pieces"};
static const char *const SEGMENT_KEYS[] = {"images", "variant", "exit"};
static const char *const BOUNDARY_KEYS[] = {"variant", "layer",   "exchange",
                                            "hub",     "barrier", "wire_bits"};
static const char *const PIECE_KEYS[] = {"layer", "device", "pool", "box",      "segment",
                                         "chain", "role",   "sum",  "reduction"};
static const char *const POOL_KEYS[] = {"members", "holder", "steal_bytes"};
static const char *const PREDICTION_KEYS[] = {"latency_s", "energy_j", "infeasible_reason"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* --- names ----------------------------------------------------------------------------------- */

static const char *device_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_platform *)ctx)->devices[i].name;
}

static const char *layer_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_graph *)ctx)->layers[i].name;
}

static const char *variant_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_graph *)ctx)->variants[i].name;
}

static const char *exit_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_graph *)ctx)->exits[i].name;
}

static const char *text_at(const void *ctx, size_t i)
{
    return ((const char *const *)ctx)[i];
}

/* A list of names that a value may choose from. */
struct names {
    const char *what; /* "device", … */
    const char *(*name_at)(const void *ctx, size_t i);
    const void *ctx;
    uint32_t count;
    uint32_t first; /* where to begin looking */
};

/* Index of the name that `value` holds. */
static enum ew_status as_name(uint32_t *out, const struct names *names,
                              const struct ew_json_value *value, struct ew_error *err)
{
    const char *name;
    const enum ew_status status = ew_json_as_string(&name, value, err);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t k = 0; k < names->count; k++) {
        const uint32_t i = (names->first + k) % names->count;
        if (strcmp(names->name_at(names->ctx, i), name) == 0) {
            *out = i;
            return EW_OK;
        }
    }
    const char *near = ew_nearest_name(name, names->count, names->name_at, names->ctx);
    return ew_json_fail(value, err, "unknown %s '%.64s'%s%s%s", names->what, name,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum ew_status need_name(uint32_t *out, const struct names *names,
                                const struct ew_json_value *object, const char *key,
                                struct ew_error *err)
{
    struct ew_json_value value;
    const enum ew_status status = ew_json_need(&value, object, key, err);
    return status == EW_OK ? as_name(out, names, &value, err) : status;
}

/* As need_name; leaves `out` alone when the key is absent. */
static enum ew_status get_name(uint32_t *out, const struct names *names,
                               const struct ew_json_value *object, const char *key,
                               struct ew_error *err)
{
    struct ew_json_value value;
    return ew_json_find(&value, object, key) ? as_name(out, names, &value, err) : EW_OK;
}

static enum ew_status need_device(uint32_t *out, struct reader *r,
                                  const struct ew_json_value *object, const char *key,
                                  struct ew_error *err)
{
    const struct ew_platform *platform = r->context->platform;
    const struct names names = {"device", device_name_at, platform, platform->n_devices,
                                r->last_device};
    const enum ew_status status = need_name(out, &names, object, key, err);
    if (status == EW_OK) {
        r->last_device = *out;
    }
    return status;
}

static enum ew_status as_device(uint32_t *out, const struct reader *r,
                                const struct ew_json_value *value, struct ew_error *err)
{
    const struct ew_platform *platform = r->context->platform;
    const struct names names = {"device", device_name_at, platform, platform->n_devices,
                                r->last_device};
    return as_name(out, &names, value, err);
}

static enum ew_status need_layer(uint32_t *out, struct reader *r, const struct ew_graph *graph,
                                 const struct ew_json_value *object, struct ew_error *err)
{
    const struct names names = {"layer", layer_name_at, graph, graph->n_layers,
                                r->last_layer % graph->n_layers};
    const enum ew_status status = need_name(out, &names, object, "layer", err);
    if (status == EW_OK) {
        r->last_layer = *out;
    }
    return status;
}

static enum ew_status get_variant(uint32_t *out, const struct reader *r,
                                  const struct ew_json_value *object, struct ew_error *err)
{
    const struct ew_graph *graph = r->context->graph;
    const struct names names = {"variant", variant_name_at, graph, graph->n_variants, 0};
    *out = 0;
    return get_name(out, &names, object, "variant", err);
}

static enum ew_status get_choice(uint32_t *out, const char *what, const char *const *choices,
                                 uint32_t n, const struct ew_json_value *object, const char *key,
                                 struct ew_error *err)
{
    const struct names names = {what, text_at, choices, n, 0};
    return get_name(out, &names, object, key, err);
}

/* --- numbers --------------------------------------------------------------------------------- */

static enum ew_status as_interval(int32_t *lo, int32_t *hi, const struct ew_json_value *value,
                                  struct ew_error *err)
{
    enum ew_status status = ew_json_as_array(value, err);
    if (status == EW_OK && ew_json_count(value) != 2) {
        status = ew_json_expected(value, "an interval [low, high]", err);
    }
    struct ew_json_value item = {0};
    int64_t bound[2] = {0, 0};
    for (int i = 0; status == EW_OK && ew_json_next(&item, value); i++) {
        status = ew_json_as_i64(&bound[i], &item, 0, INT32_MAX, err);
    }
    *lo = (int32_t)bound[0];
    *hi = (int32_t)bound[1];
    return status;
}

static enum ew_status need_interval(int32_t *lo, int32_t *hi, const struct ew_json_value *object,
                                    const char *key, struct ew_error *err)
{
    struct ew_json_value value;
    const enum ew_status status = ew_json_need(&value, object, key, err);
    return status == EW_OK ? as_interval(lo, hi, &value, err) : status;
}

static enum ew_status need_box(struct ew_box *out, const struct ew_json_value *object,
                               struct ew_error *err)
{
    struct ew_json_value value, item = {0};
    enum ew_status status = ew_json_need_array(&value, object, "box", err);
    if (status == EW_OK && ew_json_count(&value) != EW_DIMS) {
        status =
            ew_json_expected(&value, "four intervals: images, channels, rows and columns", err);
    }
    for (int d = 0; status == EW_OK && ew_json_next(&item, &value); d++) {
        status = as_interval(&out->lo[d], &out->hi[d], &item, err);
    }
    return status;
}

static enum ew_status get_u32(uint32_t *out, const struct ew_json_value *object, const char *key,
                              int64_t max, struct ew_error *err)
{
    int64_t number = *out;
    const enum ew_status status = ew_json_get_i64(&number, object, key, 0, max, err);
    *out = (uint32_t)number;
    return status;
}

/* Put the place in front of what the builder had to say. */
static enum ew_status at(const struct ew_json_value *value, enum ew_status status,
                         struct ew_error *err)
{
    return status == EW_EINPUT ? ew_json_prefix(value, err) : status;
}

/* --- parts of a plan ---------------------------------------------------------------------------
 */

static enum ew_status read_segment(struct reader *r, const struct ew_json_value *item,
                                   struct ew_error *err)
{
    struct ew_segment segment = {0};
    enum ew_status status = ew_json_check_keys(item, SEGMENT_KEYS, COUNT(SEGMENT_KEYS), err);
    if (status == EW_OK) {
        status = need_interval(&segment.image_lo, &segment.image_hi, item, "images", err);
    }
    if (status == EW_OK) {
        status = get_variant(&segment.variant, r, item, err);
    }
    if (status != EW_OK) {
        return status;
    }
    const struct ew_graph *graph = ew_segment_graph(r->context->graph, &segment);
    const struct names exits = {"exit", exit_name_at, graph, graph->n_exits, 0};
    segment.exit = graph->n_exits - 1;
    status = get_name(&segment.exit, &exits, item, "exit", err);
    if (status == EW_OK) {
        uint32_t index;
        status = at(item,
                    ew_builder_assign(r->builder, segment.image_lo, segment.image_hi,
                                      segment.variant, segment.exit, &index, err),
                    err);
    }
    r->segments[r->n_segments++] = segment;
    return status;
}

static enum ew_status read_segments(struct reader *r, const struct ew_json_value *plan,
                                    int32_t batch, struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&list, plan, "segments", err);
    if (status != EW_OK) {
        return status;
    }
    const size_t n = ew_json_is_present(&list) ? ew_json_count(&list) : 0;
    free(r->segments);
    r->n_segments = 0;
    r->segments = calloc(n + 1, sizeof *r->segments);
    if (!r->segments) {
        return ew_fail_memory(err);
    }
    if (n == 0) {
        r->segments[r->n_segments++] =
            (struct ew_segment){.image_hi = batch, .exit = r->context->graph->n_exits - 1};
        return EW_OK;
    }
    while (status == EW_OK && ew_json_next(&item, &list)) {
        status = read_segment(r, &item, err);
    }
    return status;
}

static enum ew_status read_boundary(struct reader *r, const struct ew_json_value *item,
                                    struct ew_error *err)
{
    uint32_t variant = 0, layer = 0, exchange = EW_EXCHANGE_DIRECT, bits = 0;
    struct ew_boundary boundary = {0};
    enum ew_status status = ew_json_check_keys(item, BOUNDARY_KEYS, COUNT(BOUNDARY_KEYS), err);
    if (status == EW_OK) {
        status = get_variant(&variant, r, item, err);
    }
    if (status == EW_OK) {
        status = need_layer(&layer, r, r->context->graph->variants[variant].graph, item, err);
    }
    if (status == EW_OK) {
        status = get_choice(&exchange, "exchange", ew_exchange_names, 3, item, "exchange", err);
    }
    if (status == EW_OK && exchange != EW_EXCHANGE_DIRECT) {
        status = need_device(&boundary.hub, r, item, "hub", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_bool(&boundary.has_barrier, item, "barrier", err);
    }
    if (status == EW_OK) {
        status = get_u32(&bits, item, "wire_bits", 64, err);
    }
    if (status == EW_OK) {
        boundary.exchange = (uint8_t)exchange;
        boundary.wire_bits = (uint8_t)bits;
        status = at(item, ew_builder_set_boundary(r->builder, variant, layer, boundary, err), err);
    }
    return status;
}

static enum ew_status read_members(uint32_t **out, uint32_t *n, const struct reader *r,
                                   const struct ew_json_value *item, struct ew_error *err)
{
    struct ew_json_value list, member = {0};
    enum ew_status status = ew_json_need_array(&list, item, "members", err);
    const uint32_t n_devices = r->context->platform->n_devices;
    if (status == EW_OK && (ew_json_count(&list) < 1 || ew_json_count(&list) > n_devices)) {
        status = ew_json_fail(&list, err, "expected 1..%u members, found %zu", n_devices,
                              ew_json_count(&list));
    }
    if (status == EW_OK) {
        *out = calloc(ew_json_count(&list), sizeof **out);
        status = *out ? EW_OK : ew_fail_memory(err);
    }
    while (status == EW_OK && ew_json_next(&member, &list)) {
        status = as_device(&(*out)[(*n)++], r, &member, err);
    }
    return status;
}

static enum ew_status read_pool(struct reader *r, const struct ew_json_value *item,
                                struct ew_error *err)
{
    struct ew_pool pool = {0};
    uint32_t *members = NULL;
    int64_t bytes = 0;
    enum ew_status status = ew_json_check_keys(item, POOL_KEYS, COUNT(POOL_KEYS), err);
    if (status == EW_OK) {
        status = read_members(&members, &pool.n_members, r, item, err);
    }
    if (status == EW_OK) {
        status = need_device(&pool.holder, r, item, "holder", err);
    }
    if (status == EW_OK) {
        status = ew_json_need_i64(&bytes, item, "steal_bytes", 1, INT32_MAX, err);
    }
    if (status == EW_OK) {
        pool.members = members;
        pool.steal_bytes = (uint64_t)bytes;
        status = at(item, ew_builder_add_pool(r->builder, &pool, NULL, err), err);
    }
    free(members);
    return status;
}

/* A piece stands either on a device or in a pool. */
static enum ew_status read_place(struct ew_piece *piece, struct reader *r,
                                 const struct ew_json_value *item, struct ew_error *err)
{
    struct ew_json_value pool;
    if (!ew_json_find(&pool, item, "pool")) {
        return need_device(&piece->device, r, item, "device", err);
    }
    struct ew_json_value device;
    int64_t number = 0;
    if (ew_json_find(&device, item, "device")) {
        return ew_json_fail(&device, err, "a piece has a device or a pool, not both");
    }
    const enum ew_status status = ew_json_as_i64(&number, &pool, 0, EW_MAX_POOLS - 1, err);
    piece->pool = (uint16_t)(number + 1);
    return status;
}

static enum ew_status read_partial(struct ew_piece *piece, const struct ew_json_value *item,
                                   struct ew_error *err)
{
    int64_t sum = 0;
    enum ew_status status = ew_json_need_i64(&sum, item, "sum", 0, EW_NONE - 1, err);
    piece->sum = (uint32_t)sum;
    if (status == EW_OK) {
        status = need_interval(&piece->reduction.lo, &piece->reduction.hi, item, "reduction", err);
    }
    return status;
}

static enum ew_status read_piece(struct reader *r, const struct ew_json_value *item,
                                 struct ew_error *err)
{
    struct ew_piece piece = {.chain = EW_NONE, .sum = EW_NONE};
    uint32_t role = EW_PIECE_FULL;
    enum ew_status status = ew_json_check_keys(item, PIECE_KEYS, COUNT(PIECE_KEYS), err);
    if (status == EW_OK) {
        status = get_u32(&piece.segment, item, "segment", r->n_segments - 1, err);
    }
    if (status == EW_OK) {
        const struct ew_graph *graph =
            ew_segment_graph(r->context->graph, &r->segments[piece.segment]);
        status = need_layer(&piece.layer, r, graph, item, err);
    }
    if (status == EW_OK) {
        status = read_place(&piece, r, item, err);
    }
    if (status == EW_OK) {
        status = need_box(&piece.box, item, err);
    }
    if (status == EW_OK) {
        status = get_u32(&piece.chain, item, "chain", EW_NONE - 1, err);
    }
    if (status == EW_OK) {
        status = get_choice(&role, "role", ew_role_names, 3, item, "role", err);
    }
    if (status == EW_OK && role == EW_PIECE_PARTIAL) {
        status = read_partial(&piece, item, err);
    }
    if (status == EW_OK) {
        piece.role = (uint8_t)role;
        status = at(item, ew_builder_add_piece(r->builder, &piece, NULL, err), err);
    }
    return status;
}

static enum ew_status read_prediction(struct reader *r, const struct ew_json_value *plan,
                                      struct ew_error *err)
{
    struct ew_json_value object = {0};
    double latency_s = NAN, energy_j = NAN;
    const char *reason = NULL;
    enum ew_status status = ew_json_get_object(&object, plan, "prediction", err);
    if (status != EW_OK || !ew_json_is_present(&object)) {
        return status;
    }
    status = ew_json_check_keys(&object, PREDICTION_KEYS, COUNT(PREDICTION_KEYS), err);
    if (status == EW_OK) {
        status = ew_json_get_double(&latency_s, &object, "latency_s", 0, 1e18, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&energy_j, &object, "energy_j", 0, 1e18, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_string(&reason, &object, "infeasible_reason", err);
    }
    if (status == EW_OK) {
        status = at(&object,
                    ew_builder_set_prediction(r->builder, latency_s, energy_j, reason, err), err);
    }
    return status;
}

static enum ew_status read_notes(struct reader *r, const struct ew_json_value *plan,
                                 struct ew_error *err)
{
    struct ew_json_value object = {0}, item = {0};
    enum ew_status status = ew_json_get_object(&object, plan, "notes", err);
    while (status == EW_OK && ew_json_is_present(&object) && ew_json_next(&item, &object)) {
        const char *text;
        status = ew_json_as_string(&text, &item, err);
        if (status == EW_OK) {
            status =
                at(&item, ew_builder_set_note(r->builder, ew_json_name(&item), text, err), err);
        }
    }
    return status;
}

static enum ew_status read_share(struct reader *r, const struct ew_json_value *plan,
                                 struct ew_error *err)
{
    uint32_t weight = 1;
    double probability = 0;
    const char *class_name = NULL;
    enum ew_status status = get_u32(&weight, plan, "weight", EW_NONE - 1, err);
    if (status == EW_OK) {
        status = ew_json_get_double(&probability, plan, "probability", 0, 1, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_string(&class_name, plan, "class", err);
    }
    return status == EW_OK
               ? at(plan, ew_builder_set_share(r->builder, weight, probability, class_name, err),
                    err)
               : status;
}

/* Read every item of the optional array `key`. */
static enum ew_status
read_items(struct reader *r, const struct ew_json_value *plan, const char *key,
           enum ew_status (*read)(struct reader *r, const struct ew_json_value *item,
                                  struct ew_error *err),
           struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&list, plan, key, err);
    while (status == EW_OK && ew_json_is_present(&list) && ew_json_next(&item, &list)) {
        status = read(r, &item, err);
    }
    return status;
}

/* --- plans and book ----------------------------------------------------------------------------
 */

static enum ew_status begin_plan(struct reader *r, const struct ew_json_value *item, int32_t *batch,
                                 struct ew_error *err)
{
    const char *name = "";
    int64_t images = 1;
    uint32_t source = 0, sink = 0, weights = EW_WEIGHTS_RESIDENT;
    enum ew_status status = ew_json_check_keys(item, PLAN_KEYS, COUNT(PLAN_KEYS), err);
    if (status == EW_OK) {
        status = ew_json_get_string(&name, item, "name", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_i64(&images, item, "batch", 1, INT32_MAX, err);
    }
    if (status == EW_OK) {
        status = need_device(&source, r, item, "source", err);
    }
    if (status == EW_OK) {
        status = need_device(&sink, r, item, "sink", err);
    }
    if (status == EW_OK) {
        status = get_choice(&weights, "weights rule", ew_weights_names, 3, item, "weights", err);
    }
    if (status == EW_OK) {
        *batch = (int32_t)images;
        status = at(
            item, ew_builder_begin_plan(r->builder, name, (int32_t)images, source, sink, err), err);
    }
    if (status == EW_OK) {
        status = at(item, ew_builder_set_weights(r->builder, (enum ew_weights)weights, err), err);
    }
    return status;
}

static enum ew_status read_plan(struct reader *r, const struct ew_json_value *item,
                                struct ew_error *err)
{
    struct ew_json_value pieces;
    int32_t batch = 1;
    enum ew_status status = begin_plan(r, item, &batch, err);
    if (status == EW_OK) {
        status = read_segments(r, item, batch, err);
    }
    if (status == EW_OK) {
        status = read_items(r, item, "boundaries", read_boundary, err);
    }
    if (status == EW_OK) {
        status = read_items(r, item, "pools", read_pool, err);
    }
    if (status == EW_OK) {
        status = ew_json_need_array(&pieces, item, "pieces", err);
    }
    if (status == EW_OK) {
        status = read_items(r, item, "pieces", read_piece, err);
    }
    if (status == EW_OK) {
        status = read_prediction(r, item, err);
    }
    if (status == EW_OK) {
        status = read_notes(r, item, err);
    }
    return status == EW_OK ? read_share(r, item, err) : status;
}

static enum ew_status check_graph_name(const struct reader *r, const struct ew_json_value *root,
                                       struct ew_error *err)
{
    struct ew_json_value value;
    const char *name;
    enum ew_status status = ew_json_need_string(&name, root, "graph", err);
    if (status == EW_OK && strcmp(name, r->context->graph->name) != 0) {
        (void)ew_json_find(&value, root, "graph");
        status = ew_json_fail(&value, err, "expected a plan for graph '%s', found one for '%.64s'",
                              r->context->graph->name, name);
    }
    return status;
}

static enum ew_status read_book(struct ew_book **out, struct reader *r,
                                const struct ew_json_value *root, struct ew_error *err)
{
    const char *strategy = "";
    uint32_t pick = EW_PICK_ONLY;
    struct ew_json_value plans;
    enum ew_status status = ew_json_check_schema(root, "edgeweave.plan/1", err);
    if (status == EW_OK) {
        status = ew_json_check_keys(root, FILE_KEYS, COUNT(FILE_KEYS), err);
    }
    if (status == EW_OK) {
        status = check_graph_name(r, root, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_string(&strategy, root, "strategy", err);
    }
    if (status == EW_OK) {
        status = get_choice(&pick, "pick rule", ew_pick_names, 5, root, "pick", err);
    }
    if (status == EW_OK) {
        status = ew_json_need_array(&plans, root, "plans", err);
    }
    if (status == EW_OK && (ew_json_count(&plans) < 1 || ew_json_count(&plans) > MAX_PLANS)) {
        status = ew_json_fail(&plans, err, "expected 1..%d plans, found %zu", MAX_PLANS,
                              ew_json_count(&plans));
    }
    if (status == EW_OK) {
        status = read_items(r, root, "plans", read_plan, err);
    }
    if (status == EW_OK) {
        status = at(root, ew_builder_set_pick(r->builder, (enum ew_pick)pick, err), err);
    }
    return status == EW_OK ? at(root, ew_builder_finish(out, r->builder, strategy, err), err)
                           : status;
}

static enum ew_status from_doc(struct ew_book **out, const struct ew_json_doc *doc,
                               const struct ew_plan_context *context, struct ew_error *err)
{
    struct reader r = {.context = context, .builder = ew_builder_new(context)};
    const struct ew_json_value root = ew_json_root(doc);
    const enum ew_status status = r.builder ? read_book(out, &r, &root, err) : ew_fail_memory(err);
    free(r.segments);
    ew_builder_free(r.builder);
    return status;
}

enum ew_status ew_book_load_json(struct ew_book **out, const char *path,
                                 const struct ew_plan_context *context, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_load(&doc, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        status = from_doc(out, doc, context, err);
    }
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_book_parse_json(struct ew_book **out, const char *text, size_t size,
                                  const char *path, const struct ew_plan_context *context,
                                  struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_parse(&doc, text, size, path, err);
    if (status == EW_OK) {
        status = from_doc(out, doc, context, err);
    }
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_plan_file_graph(char **out, const char *path, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    const char *name;
    enum ew_status status = ew_json_doc_load(&doc, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        const struct ew_json_value root = ew_json_root(doc);
        status = ew_json_check_schema(&root, "edgeweave.plan/1", err);
        if (status == EW_OK) {
            status = ew_json_need_string(&name, &root, "graph", err);
        }
        if (status == EW_OK) {
            *out = strdup(name);
            status = *out ? EW_OK : ew_fail_memory(err);
        }
    }
    ew_json_doc_free(doc);
    return status;
}
