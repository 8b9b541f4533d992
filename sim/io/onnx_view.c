/*
 * Operators of an ONNX import that rearrange elements: reshapes, transpositions, slices,
 * concatenations, paddings, changes of size.
 */
#include <math.h>
#include <string.h>

#include "io/onnx_import.h"
#include "io/onnx_slice.h"

static bool is_op(const struct ox_import *im, const char *op)
{
    return ox_text_is(im->node->op, op);
}

/* ---- nothing but a shape ---- */

static enum ew_status view_same(struct ox_import *im, const struct ox_value *in)
{
    return ox_output_layer(im, in->layer, &in->dims);
}

static enum ew_status view_reshape(struct ox_import *im, const struct ox_value *in,
                                   const struct ox_dims *dims)
{
    const int32_t *shape = im->layers.items[in->layer].shape;
    int32_t layer = in->layer;
    enum ew_status status = ox_check_dims(im, "output", dims);
    if (status == EW_OK && is_op(im, "Flatten") && dims->at[0] == 1 &&
        (shape[EW_H] != 1 || shape[EW_W] != 1)) { /* a layer that people expect to see */
        const int32_t chw[] = {(int32_t)dims->at[1], 1, 1};
        status = ox_arrange(&layer, im, in, chw);
    }
    return status ? status : ox_output_layer(im, layer, dims);
}

static enum ew_status view_expand(struct ox_import *im, const struct ox_value *in)
{
    struct ox_dims target = {0}, dims;
    enum ew_status status = ox_integers(target.at, &target.n, OX_MAX_RANK, im, "shape", 1);
    status = status ? status : ox_broadcast_dims(&dims, im, &in->dims, &target);
    if (status == EW_OK && ox_count(&dims) != ox_count(&in->dims)) {
        return EW_ENOTSUP;
    }
    return status ? status : ox_output_layer(im, in->layer, &dims);
}

/* ---- transpositions ---- */

/* Dimensions that are not 1, and how they are permuted; neighbours that stay neighbours are one
 * when there would be more than three. */
struct groups {
    uint32_t n;
    int64_t size[OX_MAX_RANK];
    uint32_t perm[OX_MAX_RANK];
};

static struct groups drop_ones(const struct ox_dims *dims, const uint32_t perm[OX_MAX_RANK])
{
    struct groups g = {0};
    uint32_t rank_of[OX_MAX_RANK] = {0};
    for (uint32_t i = 0; i < dims->n; i++) {
        rank_of[i] = g.n;
        if (dims->at[i] != 1) {
            g.size[g.n++] = dims->at[i];
        }
    }
    uint32_t k = 0;
    for (uint32_t i = 0; i < dims->n; i++) {
        if (dims->at[perm[i]] != 1) {
            g.perm[k++] = rank_of[perm[i]];
        }
    }
    return g;
}

static struct groups join_neighbours(const struct groups *g)
{
    struct groups out = {0};
    uint32_t head_of[OX_MAX_RANK] = {0}; /* group of each dimension */
    bool follows[OX_MAX_RANK] = {false}; /* dimension i comes right behind i - 1 in the output */
    for (uint32_t i = 1; i < g->n; i++) {
        follows[g->perm[i]] = g->perm[i] == g->perm[i - 1] + 1;
    }
    for (uint32_t i = 0; i < g->n; i++) {
        if (i > 0 && follows[i]) {
            out.size[out.n - 1] *= g->size[i];
        } else {
            out.size[out.n++] = g->size[i];
        }
        head_of[i] = out.n - 1;
    }
    uint32_t k = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        if (!follows[g->perm[i]]) {
            out.perm[k++] = head_of[g->perm[i]];
        }
    }
    return out;
}

static bool is_in_order(const struct groups *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->perm[i] != i) {
            return false;
        }
    }
    return true;
}

/* Groups x width x rows x columns with the first two swapped, of a layer of groups * width
 * channels: ShuffleNet's channel shuffle, which leaves rows and columns alone. */
static bool is_shuffle(const struct ox_import *im, const struct ox_value *in,
                       const struct groups *g)
{
    const int32_t *shape = im->layers.items[in->layer].shape;
    const bool swaps = g->n >= 2 && g->perm[0] == 1 && g->perm[1] == 0;
    int64_t rest = 1;
    for (uint32_t i = 2; i < g->n; i++) {
        if (g->perm[i] != i) {
            return false;
        }
        rest *= g->size[i];
    }
    return swaps && g->n > 2 && g->size[0] * g->size[1] == shape[EW_C] &&
           rest == (int64_t)shape[EW_H] * shape[EW_W];
}

static enum ew_status view_transpose(struct ox_import *im, const struct ox_value *in)
{
    uint32_t perm[OX_MAX_RANK];
    struct ox_dims dims = in->dims;
    enum ew_status status = ox_permutation(perm, im, dims.n);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < dims.n; i++) {
        dims.at[i] = in->dims.at[perm[i]];
    }
    struct groups g = drop_ones(&in->dims, perm);
    struct ew_op_attrs attrs = {0};
    int32_t layer = in->layer;
    if (is_in_order(&g)) {
        return ox_output_layer(im, layer, &dims);
    }
    if (is_shuffle(im, in, &g)) {
        attrs.groups = (int32_t)g.size[0];
        status = ox_add_layer(&layer, im, EW_OP_SHUFFLE, &attrs, 1, &in->layer);
        return status ? status : ox_output_layer(im, layer, &dims);
    }
    g = g.n > 3 ? join_neighbours(&g) : g;
    if (g.n > 3) {
        return EW_ENOTSUP;
    }
    const int shift = 3 - (int)g.n; /* leading 1s */
    int32_t chw[3] = {1, 1, 1};
    for (int i = 0; i < 3; i++) {
        attrs.perm[i] = EW_C + i;
        if (i >= shift) {
            chw[i] = (int32_t)g.size[i - shift];
            attrs.perm[i] = EW_C + shift + (int32_t)g.perm[i - shift];
        }
    }
    int32_t from = 0;
    status = ox_arrange(&from, im, in, chw);
    status = status ? status : ox_add_layer(&layer, im, EW_OP_TRANSPOSE, &attrs, 1, &from);
    return status ? status : ox_output_layer(im, layer, &dims);
}

/* ---- slices ---- */

/* Part of a value, as a layer; dimensions as in `picks`, all of them of the input in order. */
static enum ew_status add_slice(int32_t *out, struct ox_import *im, const struct ox_value *in,
                                const struct ox_dims *dims, const struct ox_pick *picks)
{
    int slots[OX_MAX_RANK];
    int32_t from = 0;
    struct ew_op_attrs attrs = {.reshape = {1, 1, 1}, .step = {1, 1, 1}};
    bool is_whole = true;
    for (uint32_t i = 0; i < dims->n; i++) {
        if (picks[i].step < 1) {
            return EW_ENOTSUP;
        }
        is_whole = is_whole && dims->at[i] == in->dims.at[i];
    }
    *out = in->layer;
    enum ew_status status = ox_check_dims(im, "output", dims);
    if (status != EW_OK || is_whole) {
        return status;
    }
    status = ox_arrange_own(&from, slots, im, in);
    for (uint32_t i = 0; i < dims->n && status == EW_OK; i++) {
        if (slots[i]) {
            const int slot = slots[i] - EW_C;
            attrs.reshape[slot] = (int32_t)dims->at[i];
            attrs.begin[slot] = (int32_t)picks[i].begin;
            attrs.step[slot] = (int32_t)picks[i].step;
        }
    }
    return status ? status : ox_add_layer(out, im, EW_OP_SLICE, &attrs, 1, &from);
}

static enum ew_status view_slice(struct ox_import *im, const struct ox_value *in)
{
    struct ox_dims dims;
    struct ox_pick picks[OX_MAX_RANK];
    int32_t layer = 0;
    enum ew_status status = ox_slice_dims(&dims, picks, im, &in->dims);
    status = status ? status : add_slice(&layer, im, in, &dims, picks);
    return status ? status : ox_output_layer(im, layer, &dims);
}

/* Elements [begin, begin + size) along an axis as output `output`. */
static enum ew_status view_part(struct ox_import *im, const struct ox_value *in, uint32_t output,
                                uint32_t axis, int64_t begin, int64_t size)
{
    struct ox_value out = {.dims = in->dims};
    struct ox_pick picks[OX_MAX_RANK];
    for (uint32_t d = 0; d < in->dims.n; d++) {
        picks[d] = (struct ox_pick){(int)d, d == axis ? begin : 0, 1};
    }
    out.dims.at[axis] = size;
    const enum ew_status status = add_slice(&out.layer, im, in, &out.dims, picks);
    return status ? status : ox_set_output(im, output, &out);
}

static enum ew_status view_split(struct ox_import *im, const struct ox_value *in)
{
    struct ox_split split;
    enum ew_status status = ox_split_sizes(&split, im, &in->dims);
    int64_t begin = 0;
    for (uint32_t i = 0; i < im->node->n_outputs && status == EW_OK; i++) {
        status = view_part(im, in, i, split.axis, begin, split.sizes[i]);
        begin += split.sizes[i];
    }
    return status;
}

/* One index, known: a slice whose dimension is dropped. */
static enum ew_status view_gather(struct ox_import *im, const struct ox_value *in)
{
    const struct ox_value *index = ox_input(im, 1);
    uint32_t axis = 0;
    enum ew_status status =
        index ? ox_axis(&axis, im, ox_attribute_int(im, "axis", 0), in->dims.n) : im->err->status;
    if (status != EW_OK) {
        return status;
    }
    if (index->layer != OX_NO_LAYER || !index->known || ox_count(&index->dims) != 1) {
        return EW_ENOTSUP;
    }
    const int64_t size = in->dims.at[axis];
    int64_t at = ox_to_i64(index->known[0]);
    at = at < 0 && at >= -size ? at + size : at;
    if (at < 0 || at >= size) {
        return ox_fail(im, "expected an index in 0..%lld, found %lld", (long long)size - 1,
                       (long long)at);
    }
    struct ox_dims sliced = in->dims, dims;
    struct ox_pick picks[OX_MAX_RANK];
    for (uint32_t d = 0; d < sliced.n; d++) {
        picks[d] = (struct ox_pick){(int)d, d == axis ? at : 0, 1};
    }
    sliced.at[axis] = 1;
    int32_t layer = 0;
    status = ox_gather_dims(&dims, im, &in->dims, axis, &index->dims);
    status = status ? status : add_slice(&layer, im, in, &sliced, picks);
    return status ? status : ox_output_layer(im, layer, &dims);
}

/* ---- concatenations ---- */

/* A constant before or behind a value: a pad whose elements are parameters (class tokens). */
static enum ew_status concat_constant(struct ox_import *im, const struct ox_dims *dims,
                                      uint32_t axis, uint32_t data)
{
    const struct ox_value *in = ox_input(im, data);
    int slots[OX_MAX_RANK];
    int32_t from = 0, layer = 0, chw[3];
    struct ew_op_attrs attrs = {0};
    if (!ox_layout(slots, dims) || slots[axis] < EW_H) {
        return EW_ENOTSUP;
    }
    const int side = slots[axis] - EW_H;
    for (uint32_t i = 0; i < im->node->n_inputs; i++) {
        const struct ox_value *part = ox_input(im, i);
        if (i != data) {
            attrs.pads[i < data ? side : side + 2] += (int32_t)part->dims.at[axis];
            attrs.is_learned = attrs.is_learned || part->is_learned;
        }
    }
    ox_arrange_dims(chw, &in->dims, slots);
    enum ew_status status = ox_arrange(&from, im, in, chw);
    status = status ? status : ox_add_layer(&layer, im, EW_OP_PAD, &attrs, 1, &from);
    for (uint32_t i = 0; i < im->node->n_inputs && status == EW_OK; i++) {
        if (i != data) {
            status = ox_add_weight(im, layer, "value", ox_input(im, i));
        }
    }
    return status ? status : ox_output_layer(im, layer, dims);
}

/* Shape of the result, how many inputs are layers, and which is the last of these. */
static enum ew_status concat_dims(struct ox_dims *dims, uint32_t *n_layers, uint32_t *last,
                                  struct ox_import *im, uint32_t axis)
{
    for (uint32_t i = 0; i < im->node->n_inputs; i++) {
        const struct ox_value *in = ox_input(im, i);
        if (!in) {
            return im->err->status;
        }
        struct ox_dims other = in->dims;
        if (i == 0) {
            *dims = in->dims;
        }
        other.at[axis] = dims->at[axis];
        if (!ox_same_dims(&other, dims)) {
            return ox_fail(im, "input %u: expected %s save in dimension %u, found %s", (unsigned)i,
                           ox_dims_text(im, dims), (unsigned)axis, ox_dims_text(im, &in->dims));
        }
        dims->at[axis] += i == 0 ? 0 : in->dims.at[axis];
        if (dims->at[axis] > INT32_MAX) {
            return ox_fail(im, "expected at most 2147483647 elements in dimension %u",
                           (unsigned)axis);
        }
        *last = in->layer != OX_NO_LAYER ? i : *last;
        *n_layers += in->layer != OX_NO_LAYER;
    }
    return ox_check_dims(im, "output", dims);
}

static enum ew_status view_concat(struct ox_import *im)
{
    const uint32_t n = im->node->n_inputs;
    const struct ox_value *first = ox_input(im, 0);
    uint32_t axis = 0, n_layers = 0, data = 0;
    struct ox_dims dims = {0};
    int slots[OX_MAX_RANK];
    enum ew_status status = first
                                ? ox_axis(&axis, im, ox_attribute_int(im, "axis", 1), first->dims.n)
                                : im->err->status;
    status = status ? status : concat_dims(&dims, &n_layers, &data, im, axis);
    if (status != EW_OK) {
        return status;
    }
    if (n_layers == 1 && n > 1) {
        return concat_constant(im, &dims, axis, data);
    }
    if (n_layers != n || n > OX_MAX_INPUTS || !ox_layout(slots, &dims) || !slots[axis]) {
        return EW_ENOTSUP;
    }
    int32_t *inputs = ew_arena_calloc(im->arena, n, sizeof *inputs), layer = 0, chw[3];
    if (!inputs) {
        return ew_fail_memory(im->err);
    }
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        const struct ox_value *in = ox_input(im, i);
        ox_arrange_dims(chw, &in->dims, slots);
        status = ox_arrange(&inputs[i], im, in, chw);
    }
    const struct ew_op_attrs attrs = {.axis = slots[axis]};
    status = status ? status : ox_add_layer(&layer, im, EW_OP_CONCAT, &attrs, n, inputs);
    return status ? status : ox_output_layer(im, layer, &dims);
}

/* ---- paddings and sizes ---- */

static enum ew_status view_pad(struct ox_import *im, const struct ox_value *in)
{
    int64_t pads[2 * OX_MAX_RANK];
    uint32_t n = 0;
    int slots[OX_MAX_RANK];
    int32_t from = 0, layer = 0;
    struct ew_op_attrs attrs = {0};
    struct ox_dims dims = in->dims;
    const char *name = ox_attribute(im, "paddings") ? "paddings" : "pads"; /* opset 1 */
    enum ew_status status = ox_integers(pads, &n, 2 * OX_MAX_RANK, im, name, 1);
    if (status != EW_OK) {
        return status;
    }
    if (n != 2 * dims.n) {
        return ox_fail(im, "pads: expected %u numbers, found %u", (unsigned)(2 * dims.n),
                       (unsigned)n);
    }
    status = ox_arrange_own(&from, slots, im, in);
    bool is_empty = true;
    for (uint32_t i = 0; i < dims.n && status == EW_OK; i++) {
        const int64_t before = pads[i], after = pads[i + dims.n];
        is_empty = is_empty && before == 0 && after == 0;
        if (before == 0 && after == 0) {
            continue;
        }
        if (before < 0 || after < 0 || before > EW_GRAPH_MAX_DIM || after > EW_GRAPH_MAX_DIM ||
            slots[i] < EW_H) {
            return EW_ENOTSUP; /* cropping, or channels */
        }
        dims.at[i] += before + after;
        attrs.pads[slots[i] - EW_H] = (int32_t)before;
        attrs.pads[slots[i] - EW_H + 2] = (int32_t)after;
    }
    if (status != EW_OK || is_empty) {
        return status ? status : view_same(im, in);
    }
    status = ox_add_layer(&layer, im, EW_OP_PAD, &attrs, 1, &from);
    const struct ox_value *fill = ox_has_input(im, 2) ? ox_input(im, 2) : NULL;
    const bool is_constant = !ox_attribute(im, "mode") || ox_attribute_is(im, "mode", "constant");
    if (status == EW_OK && is_constant) {
        im->layers.items[layer].constant = fill && fill->known && ox_count(&fill->dims) > 0
                                               ? fill->known[0]
                                           : fill ? NAN
                                                  : ox_attribute_float(im, "value", 0);
    }
    return status ? status : ox_output_layer(im, layer, &dims);
}

/* Rows and columns after a Resize, from sizes or scales. */
static enum ew_status resize_dims(struct ox_dims *dims, struct ox_import *im)
{
    const bool is_upsample = is_op(im, "Upsample") || (im->node->n_inputs == 2);
    const uint32_t scales_at = is_upsample ? 1 : 2;
    if (ox_has_input(im, 3)) {
        struct ox_dims sizes = {0};
        const enum ew_status status = ox_integers(sizes.at, &sizes.n, OX_MAX_RANK, im, "sizes", 3);
        if (status == EW_OK && sizes.n != dims->n) {
            return ox_fail(im, "sizes: expected %u numbers, found %u", (unsigned)dims->n,
                           (unsigned)sizes.n);
        }
        *dims = sizes;
        return status;
    }
    const struct ox_attribute *a = ox_attribute(im, "scales");
    const struct ox_value *scales = a ? NULL : ox_input(im, scales_at);
    const double *factors = a ? a->numbers : scales ? scales->known : NULL;
    if (!a && !scales) {
        return im->err->status;
    }
    const uint64_t n = a ? a->n_numbers : ox_count(&scales->dims);
    if (!factors || n != dims->n) {
        return ox_fail(im, "scales: expected %u numbers known in the file", (unsigned)dims->n);
    }
    for (uint32_t i = 0; i < dims->n; i++) {
        dims->at[i] = ox_to_i64(floor((double)dims->at[i] * factors[i] + 1e-9));
    }
    return EW_OK;
}

/* How output positions map to inputs. Nearest neighbours other than floor(i * in / out) are within
 * the two inputs of linear interpolation; whole factors always are what nearest is here. */
static int32_t resize_mode(const struct ox_import *im, const struct ox_dims *in,
                           const struct ox_dims *out)
{
    const bool is_cubic = ox_attribute_is(im, "mode", "cubic"),
               is_linear = ox_attribute_is(im, "mode", "linear");
    const char *transform = "coordinate_transformation_mode";
    if (is_cubic || is_linear) {
        const bool is_aligned = ox_attribute_is(im, transform, "align_corners");
        return is_cubic ? EW_RESIZE_CUBIC : is_aligned ? EW_RESIZE_ALIGNED : EW_RESIZE_LINEAR;
    }
    bool is_floor = is_op(im, "Upsample") || (ox_attribute_is(im, transform, "asymmetric") &&
                                              ox_attribute_is(im, "nearest_mode", "floor"));
    bool is_whole = !ox_attribute_is(im, transform, "align_corners");
    for (uint32_t i = 0; i < in->n; i++) {
        is_whole = is_whole && out->at[i] % in->at[i] == 0;
    }
    return is_floor || is_whole ? EW_RESIZE_NEAREST : EW_RESIZE_LINEAR;
}

/* Whether a resize of that mode has the node's values, not only its reads: half-pixel coordinates
 * (or aligned corners, or PyTorch's, the same unless a dimension becomes 1), cubics of -3/4, scales
 * that are the ratio of sizes. */
static bool is_resize_exact(const struct ox_import *im, int32_t mode, const struct ox_dims *in,
                            const struct ox_dims *out)
{
    const char *transform = "coordinate_transformation_mode";
    const bool is_half = !ox_attribute(im, transform) ||
                         ox_attribute_is(im, transform, "half_pixel") ||
                         ox_attribute_is(im, transform, "pytorch_half_pixel");
    const bool is_asymmetric =
        is_op(im, "Upsample") || ox_attribute_is(im, transform, "asymmetric");
    const bool is_nearest =
        !ox_attribute_is(im, "mode", "cubic") && !ox_attribute_is(im, "mode", "linear");
    const double cubic = ox_attribute_float(im, "cubic_coeff_a", -0.75);
    bool is_whole = true;
    for (uint32_t i = 0; i < in->n; i++) {
        is_whole = is_whole && out->at[i] % in->at[i] == 0;
    }
    if (ox_attribute_int(im, "exclude_outside", 0) || ox_attribute_int(im, "antialias", 0)) {
        return false;
    }
    switch (mode) {
    case EW_RESIZE_NEAREST:
        return is_whole || (is_asymmetric && (is_op(im, "Upsample") ||
                                              ox_attribute_is(im, "nearest_mode", "floor")));
    case EW_RESIZE_LINEAR:
        return is_half && !is_nearest;
    case EW_RESIZE_CUBIC:
        return is_half && cubic == -0.75;
    default:
        return !is_nearest;
    }
}

static enum ew_status view_resize(struct ox_import *im, const struct ox_value *in)
{
    struct ox_dims dims = in->dims;
    int slots[OX_MAX_RANK];
    int32_t from = 0, layer = 0, chw[3];
    enum ew_status status = resize_dims(&dims, im);
    status = status ? status : ox_check_dims(im, "output", &dims);
    status = status ? status : ox_arrange_own(&from, slots, im, in);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < dims.n; i++) {
        if (dims.at[i] != in->dims.at[i] && slots[i] < EW_H) {
            return EW_ENOTSUP;
        }
    }
    ox_arrange_dims(chw, &dims, slots);
    struct ew_op_attrs attrs = {.reshape = {chw[0], chw[1], chw[2]},
                                .mode = resize_mode(im, &in->dims, &dims)};
    status = ox_add_layer(&layer, im, EW_OP_RESIZE, &attrs, 1, &from);
    if (status == EW_OK) {
        im->layers.items[layer].is_values_unknown =
            !is_resize_exact(im, attrs.mode, &in->dims, &dims);
    }
    return status ? status : ox_output_layer(im, layer, &dims);
}

/* ---- all of them ---- */

enum ew_status ox_read_view(struct ox_import *im)
{
    static const char *const same[] = {"Identity", "Dropout", "Cast"};
    static const struct {
        const char *op;
        enum ew_status (*read)(struct ox_import *im, const struct ox_value *in);
    } readers[] = {{"Transpose", view_transpose}, {"Slice", view_slice},  {"Split", view_split},
                   {"Gather", view_gather},       {"Pad", view_pad},      {"Resize", view_resize},
                   {"Upsample", view_resize},     {"Expand", view_expand}};
    if (is_op(im, "Concat") && im->node->n_inputs > 0) {
        return view_concat(im);
    }
    const struct ox_value *in = ox_has_input(im, 0) ? ox_input(im, 0) : NULL;
    if (!in || in->layer == OX_NO_LAYER) {
        return EW_ENOTSUP;
    }
    struct ox_dims dims;
    const enum ew_status status = ox_reshape_dims(&dims, im, &in->dims);
    if (status != EW_ENOTSUP) {
        return status ? status : view_reshape(im, in, &dims);
    }
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (is_op(im, same[i])) {
            return view_same(im, in);
        }
    }
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (is_op(im, readers[i].op)) {
            return readers[i].read(im, in);
        }
    }
    return EW_ENOTSUP;
}
