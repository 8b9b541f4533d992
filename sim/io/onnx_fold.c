/*
 * Constants of an ONNX import: nodes whose inputs are all known beforehand, such as the chains of
 * Shape, Gather, Slice and Concat that exporters leave, and rearranged weights. Elements are
 * computed when they are few and in the file; otherwise only the shape is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_import.h"
#include "io/onnx_slice.h"

/* ---- helpers ---- */

static bool is_op(const struct ox_import *im, const char *op)
{
    return ox_text_is(im->node->op, op);
}

static enum ew_status put(struct ox_import *im, const struct ox_value *like,
                          const struct ox_dims *dims, const double *numbers)
{
    struct ox_value out;
    const enum ew_status status = ox_make_constant(&out, im, dims, numbers);
    if (status != EW_OK) {
        return status;
    }
    out.is_learned = like && like->is_learned;
    out.is_integer = like && like->is_integer;
    return ox_set_output(im, 0, &out);
}

/* The same elements in the same order: where they lie stays true. */
static enum ew_status put_view(struct ox_import *im, const struct ox_value *in,
                               const struct ox_dims *dims)
{
    struct ox_value out = *in;
    out.dims = *dims;
    return ox_set_output(im, 0, &out);
}

/* ---- elements ---- */

/* Elements of the output of a rearrangement, in `arena`; NULL when they are not known or too many.
 */
static enum ew_status pick(const double **out, struct ox_import *im, const struct ox_value *in,
                           const struct ox_dims *dims, const struct ox_pick *picks)
{
    const uint64_t n = ox_count(dims);
    *out = NULL;
    if (!in->known || n > OX_MAX_VALUES) {
        return EW_OK;
    }
    double *numbers = ew_arena_calloc(im->arena, (size_t)n, sizeof *numbers);
    if (!numbers) {
        return ew_fail_memory(im->err);
    }
    int64_t strides[OX_MAX_RANK] = {0}, stride = 1;
    for (uint32_t d = in->dims.n; d-- > 0;) {
        strides[d] = stride;
        stride *= in->dims.at[d];
    }
    for (uint64_t i = 0; i < n; i++) {
        int64_t rest = (int64_t)i, from = 0;
        for (uint32_t d = dims->n; d-- > 0;) {
            const int64_t at = rest % dims->at[d];
            rest /= dims->at[d];
            if (picks[d].from >= 0) {
                from += (picks[d].begin + at * picks[d].step) * strides[picks[d].from];
            }
        }
        numbers[i] = in->known[from];
    }
    *out = numbers;
    return EW_OK;
}

static enum ew_status put_picked(struct ox_import *im, uint32_t output, const struct ox_value *in,
                                 const struct ox_dims *dims, const struct ox_pick *picks)
{
    struct ox_value out = {.dims = *dims,
                           .layer = OX_NO_LAYER,
                           .is_learned = in->is_learned,
                           .is_integer = in->is_integer};
    const enum ew_status status = pick(&out.known, im, in, dims, picks);
    return status ? status : ox_set_output(im, output, &out);
}

/* ---- sources ---- */

static enum ew_status fold_constant(struct ox_import *im)
{
    const struct ox_attribute *a = ox_attribute(im, "value");
    struct ox_value out;
    struct ox_dims dims = {0};
    if (a && a->t) {
        const enum ew_status status = ox_tensor_value(&out, im, a->t);
        return status ? status : ox_set_output(im, 0, &out);
    }
    static const char *const names[] = {"value_float", "value_int", "value_floats", "value_ints"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        a = ox_attribute(im, names[i]);
        if (!a) {
            continue;
        }
        const double single = i == 0 ? (double)a->f : (double)a->i;
        if (i >= 2) {
            dims = (struct ox_dims){1, {(int64_t)a->n_numbers}};
        }
        const enum ew_status status =
            ox_make_constant(&out, im, &dims, i < 2 ? &single : a->numbers);
        out.is_integer = i % 2 == 1;
        return status ? status : ox_set_output(im, 0, &out);
    }
    return ox_fail(im, "expected an attribute 'value', found none that is a number or a tensor");
}

static enum ew_status fold_shape(struct ox_import *im)
{
    const struct ox_value *in = ox_input(im, 0);
    if (!in) {
        return im->err->status;
    }
    const int64_t rank = in->dims.n;
    int64_t start = ox_attribute_int(im, "start", 0), end = ox_attribute_int(im, "end", rank);
    start = start < 0 ? start + rank : start;
    end = end < 0 ? end + rank : end;
    start = start < 0 ? 0 : start > rank ? rank : start;
    end = end < start ? start : end > rank ? rank : end;
    double numbers[OX_MAX_RANK] = {0};
    for (int64_t i = start; i < end; i++) {
        numbers[i - start] = (double)in->dims.at[i];
    }
    const struct ox_dims dims = {1, {end - start}};
    const struct ox_value like = {.is_integer = true};
    return put(im, &like, &dims, numbers);
}

static enum ew_status fold_size(struct ox_import *im)
{
    const struct ox_value *in = ox_input(im, 0);
    if (!in) {
        return im->err->status;
    }
    const double n = (double)ox_count(&in->dims);
    const struct ox_value like = {.is_integer = true};
    return put(im, &like, &(struct ox_dims){0}, &n);
}

/* All elements alike; for ConstantOfShape and Expand of a single element. */
static enum ew_status put_filled(struct ox_import *im, const struct ox_value *like,
                                 const struct ox_dims *dims, double x)
{
    double *numbers = NULL;
    const uint64_t n = ox_count(dims);
    if (n <= OX_MAX_VALUES) {
        numbers = calloc((size_t)n + 1, sizeof *numbers);
        if (!numbers) {
            return ew_fail_memory(im->err);
        }
        for (uint64_t i = 0; i < n; i++) {
            numbers[i] = x;
        }
    }
    const enum ew_status status = put(im, like, dims, numbers);
    free(numbers);
    return status;
}

static enum ew_status read_shape_input(struct ox_dims *out, struct ox_import *im, uint32_t input)
{
    const enum ew_status status = ox_integers(out->at, &out->n, OX_MAX_RANK, im, "shape", input);
    for (uint32_t i = 0; status == EW_OK && i < out->n; i++) {
        if (out->at[i] < 0) {
            return ox_fail(im, "shape: expected dimensions of at least 0, found %s",
                           ox_dims_text(im, out));
        }
    }
    return status;
}

static enum ew_status fold_constant_of_shape(struct ox_import *im)
{
    struct ox_dims dims = {0};
    const struct ox_attribute *a = ox_attribute(im, "value");
    struct ox_value value = {.layer = OX_NO_LAYER};
    /* Its input is the shape. */
    const struct ox_value *shape = ox_input(im, 0);
    if (!shape) {
        return im->err->status;
    }
    if (!shape->known || ox_count(&shape->dims) > OX_MAX_RANK) {
        return ox_fail(im, "expected a shape that is known in the file");
    }
    dims.n = (uint32_t)ox_count(&shape->dims);
    for (uint32_t i = 0; i < dims.n; i++) {
        dims.at[i] = ox_to_i64(shape->known[i]);
        if (dims.at[i] < 0) {
            return ox_fail(im, "shape: expected dimensions of at least 0, found %s",
                           ox_dims_text(im, &dims));
        }
    }
    enum ew_status status = a && a->t ? ox_tensor_value(&value, im, a->t) : EW_OK;
    return status ? status
                  : put_filled(im, &value, &dims,
                               value.known && ox_count(&value.dims) ? value.known[0] : 0);
}

static enum ew_status fold_expand(struct ox_import *im, const struct ox_value *in)
{
    struct ox_dims target = {0};
    enum ew_status status = read_shape_input(&target, im, 1);
    if (status != EW_OK) {
        return status;
    }
    const uint32_t rank = target.n > in->dims.n ? target.n : in->dims.n;
    const struct ox_dims from = ox_align(&in->dims, rank), to = ox_align(&target, rank);
    struct ox_dims dims = {.n = rank};
    struct ox_pick picks[OX_MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) {
        if (from.at[i] != to.at[i] && from.at[i] != 1 && to.at[i] != 1) {
            return ox_fail(im, "expected a shape that %s can be repeated to, found %s",
                           ox_dims_text(im, &in->dims), ox_dims_text(im, &target));
        }
        dims.at[i] = from.at[i] > to.at[i] ? from.at[i] : to.at[i];
        const bool is_repeated = from.at[i] == 1 || i + in->dims.n < rank;
        picks[i] = (struct ox_pick){is_repeated ? -1 : (int)(i + in->dims.n - rank), 0, 1};
    }
    if (ox_count(&dims) == ox_count(&in->dims)) {
        return put_view(im, in, &dims);
    }
    return put_picked(im, 0, in, &dims, picks);
}

static enum ew_status fold_range(struct ox_import *im)
{
    double numbers[OX_MAX_VALUES];
    const struct ox_value *v[3];
    for (uint32_t i = 0; i < 3; i++) {
        v[i] = ox_input(im, i);
        if (!v[i]) {
            return im->err->status;
        }
        if (!v[i]->known || ox_count(&v[i]->dims) != 1) {
            return ox_fail(im, "expected start, end and step that are known in the file");
        }
    }
    const double start = v[0]->known[0], end = v[1]->known[0], step = v[2]->known[0];
    const double n = step != 0 ? ceil((end - start) / step) : -1;
    if (!(n >= 0 && n <= OX_MAX_VALUES)) {
        return ox_fail(im, "expected 0..%d elements, found %g", (int)OX_MAX_VALUES, n);
    }
    for (int i = 0; i < (int)n; i++) {
        numbers[i] = start + i * step;
    }
    return put(im, v[0], &(struct ox_dims){1, {(int64_t)n}}, numbers);
}

/* ---- arithmetic ---- */

static double truncate_if(bool is_integer, double x)
{
    return is_integer ? trunc(x) : x;
}

/* One element of an operator of two or three; NAN when the operator is not known here. */
static double combine(const struct ox_import *im, double a, double b, bool is_integer)
{
    static const struct {
        const char *op;
        int code;
    } codes[] = {{"Add", 0}, {"Sub", 1},  {"Mul", 2},     {"Div", 3},  {"Pow", 4},
                 {"Max", 5}, {"Min", 6},  {"Equal", 7},   {"Less", 8}, {"And", 9},
                 {"Or", 10}, {"Mod", 11}, {"Greater", 12}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (!is_op(im, codes[i].op)) {
            continue;
        }
        switch (codes[i].code) {
        case 0:
            return a + b;
        case 1:
            return a - b;
        case 2:
            return a * b;
        case 3:
            return truncate_if(is_integer, b != 0 ? a / b : 0);
        case 4:
            return pow(a, b);
        case 5:
            return a > b ? a : b;
        case 6:
            return a < b ? a : b;
        case 7:
            return a == b;
        case 8:
            return a < b;
        case 9:
            return a != 0 && b != 0;
        case 10:
            return a != 0 || b != 0;
        case 11:
            return b != 0 ? a - floor(a / b) * b : 0;
        default:
            return a > b;
        }
    }
    return NAN;
}

static bool is_arithmetic(const struct ox_import *im)
{
    return !isnan(combine(im, 1, 1, false));
}

enum ew_status ox_broadcast_dims(struct ox_dims *out, struct ox_import *im, const struct ox_dims *a,
                                 const struct ox_dims *b)
{
    const uint32_t rank = a->n > b->n ? a->n : b->n;
    const struct ox_dims x = ox_align(a, rank), y = ox_align(b, rank);
    *out = (struct ox_dims){.n = rank};
    for (uint32_t i = 0; i < rank; i++) {
        if (x.at[i] != y.at[i] && x.at[i] != 1 && y.at[i] != 1) {
            return ox_fail(im,
                           "expected inputs of the same size or 1 in every dimension, found %s "
                           "and %s",
                           ox_dims_text(im, a), ox_dims_text(im, b));
        }
        out->at[i] = x.at[i] == 1 ? y.at[i] : x.at[i];
    }
    return EW_OK;
}

/* Elements of `in` repeated to `dims`, which broadcasting gave; NULL when not known. */
static enum ew_status spread(const double **out, struct ox_import *im, const struct ox_value *in,
                             const struct ox_dims *dims)
{
    struct ox_pick picks[OX_MAX_RANK];
    for (uint32_t i = 0; i < dims->n; i++) {
        const bool is_missing = i + in->dims.n < dims->n;
        const int from = is_missing ? -1 : (int)(i + in->dims.n - dims->n);
        picks[i] = (struct ox_pick){from >= 0 && in->dims.at[from] == 1 ? -1 : from, 0, 1};
    }
    return pick(out, im, in, dims, picks);
}

static enum ew_status fold_arithmetic(struct ox_import *im, const struct ox_value *a)
{
    const struct ox_value *b = ox_input(im, 1);
    struct ox_dims dims;
    const double *x = NULL, *y = NULL;
    double *numbers = NULL;
    enum ew_status status = b ? ox_broadcast_dims(&dims, im, &a->dims, &b->dims) : im->err->status;
    status = status ? status : spread(&x, im, a, &dims);
    status = status ? status : spread(&y, im, b, &dims);
    if (status != EW_OK) {
        return status;
    }
    const bool is_integer = a->is_integer && b->is_integer;
    if (x && y) {
        const size_t n = (size_t)ox_count(&dims);
        numbers = calloc(n + 1, sizeof *numbers);
        if (!numbers) {
            return ew_fail_memory(im->err);
        }
        for (size_t i = 0; i < n; i++) {
            numbers[i] = combine(im, x[i], y[i], is_integer);
        }
    }
    const struct ox_value like = {.is_integer = is_integer,
                                  .is_learned = a->is_learned || b->is_learned};
    status = put(im, &like, &dims, numbers);
    free(numbers);
    return status;
}

static enum ew_status fold_where(struct ox_import *im, const struct ox_value *condition)
{
    const struct ox_value *a = ox_input(im, 1), *b = a ? ox_input(im, 2) : NULL;
    struct ox_dims both, dims;
    const double *c = NULL, *x = NULL, *y = NULL;
    double numbers[OX_MAX_VALUES];
    enum ew_status status = b ? ox_broadcast_dims(&both, im, &a->dims, &b->dims) : im->err->status;
    status = status ? status : ox_broadcast_dims(&dims, im, &both, &condition->dims);
    status = status ? status : spread(&c, im, condition, &dims);
    status = status ? status : spread(&x, im, a, &dims);
    status = status ? status : spread(&y, im, b, &dims);
    if (status != EW_OK) {
        return status;
    }
    const bool is_known = c && x && y;
    for (uint64_t i = 0; is_known && i < ox_count(&dims); i++) {
        numbers[i] = c[i] != 0 ? x[i] : y[i];
    }
    return put(im, a, &dims, is_known ? numbers : NULL);
}

/* One element of an operator of one; false when it is not computed here. */
static bool apply(double *out, const struct ox_import *im, double x)
{
    *out = is_op(im, "Neg")          ? -x
           : is_op(im, "Sqrt")       ? sqrt(x)
           : is_op(im, "Floor")      ? floor(x)
           : is_op(im, "Ceil")       ? ceil(x)
           : is_op(im, "Abs")        ? fabs(x)
           : is_op(im, "Not")        ? (x == 0 ? 1 : 0)
           : is_op(im, "Reciprocal") ? (x != 0 ? 1 / x : 0)
                                     : NAN;
    return !isnan(*out);
}

/* Functions of one element. Of those not computed here only the shape is known. */
static enum ew_status fold_unary(struct ox_import *im, const struct ox_value *in)
{
    static const char *const others[] = {"Neg",  "Sqrt",       "Floor", "Ceil",   "Abs",  "Not",
                                         "Exp",  "Sigmoid",    "Tanh",  "Erf",    "Relu", "Log",
                                         "Clip", "Reciprocal", "Round", "Softmax"};
    double numbers[OX_MAX_VALUES];
    bool is_known = in->known != NULL, is_listed = false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        is_listed = is_listed || is_op(im, others[i]);
    }
    if (!is_listed) {
        return EW_ENOTSUP;
    }
    for (uint64_t i = 0; is_known && i < ox_count(&in->dims); i++) {
        is_known = apply(&numbers[i], im, in->known[i]);
    }
    return put(im, in, &in->dims, is_known ? numbers : NULL);
}

/* ---- rearrangements ---- */

static enum ew_status fold_concat(struct ox_import *im, const struct ox_value *first)
{
    uint32_t axis = 0;
    const uint32_t rank = first->dims.n;
    struct ox_dims dims = first->dims;
    enum ew_status status = ox_axis(&axis, im, ox_attribute_int(im, "axis", 0), rank);
    if (status != EW_OK) {
        return status;
    }
    bool is_known = true, is_learned = false;
    dims.at[axis] = 0;
    for (uint32_t i = 0; i < im->node->n_inputs; i++) {
        const struct ox_value *in = ox_input(im, i);
        if (!in) {
            return im->err->status;
        }
        struct ox_dims other = in->dims;
        if (in->dims.n == rank) {
            other.at[axis] = dims.at[axis];
        }
        if (!ox_same_dims(&other, &dims) || in->dims.at[axis] > INT32_MAX ||
            dims.at[axis] > INT32_MAX) {
            return ox_fail(im, "input %u: expected %s save in dimension %u, found %s", (unsigned)i,
                           ox_dims_text(im, &first->dims), (unsigned)axis,
                           ox_dims_text(im, &in->dims));
        }
        dims.at[axis] += in->dims.at[axis];
        is_known = is_known && in->known;
        is_learned = is_learned || in->is_learned;
    }
    const struct ox_value like = {.is_learned = is_learned, .is_integer = first->is_integer};
    is_known = is_known && ox_count(&dims) <= OX_MAX_VALUES;
    double numbers[OX_MAX_VALUES];
    uint64_t outer = 1, inner = 1, used = 0;
    for (uint32_t i = 0; i < rank && is_known; i++) {
        outer *= i < axis ? (uint64_t)dims.at[i] : 1;
        inner *= i > axis ? (uint64_t)dims.at[i] : 1;
    }
    for (uint64_t o = 0; is_known && o < outer; o++) {
        for (uint32_t i = 0; i < im->node->n_inputs; i++) {
            const struct ox_value *in = ox_input(im, i);
            const uint64_t n = (uint64_t)in->dims.at[axis] * inner;
            memcpy(&numbers[used], &in->known[o * n], (size_t)n * sizeof *numbers);
            used += n;
        }
    }
    return put(im, &like, &dims, is_known ? numbers : NULL);
}

static enum ew_status fold_transpose(struct ox_import *im, const struct ox_value *in)
{
    uint32_t perm[OX_MAX_RANK];
    struct ox_dims dims = in->dims;
    struct ox_pick picks[OX_MAX_RANK];
    enum ew_status status = ox_permutation(perm, im, in->dims.n);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < dims.n; i++) {
        dims.at[i] = in->dims.at[perm[i]];
        picks[i] = (struct ox_pick){(int)perm[i], 0, 1};
    }
    struct ox_value out = *in;
    out.dims = dims;
    status = pick(&out.known, im, in, &dims, picks);
    if (dims.n == 2 && perm[0] == 1) { /* still the same matrix, for whoever maps it */
        out.is_transposed = !in->is_transposed;
    } else if (dims.n > 2) {
        out.has_place = false;
    }
    return status ? status : ox_set_output(im, 0, &out);
}

static enum ew_status fold_gather(struct ox_import *im, const struct ox_value *in)
{
    const struct ox_value *index = ox_input(im, 1);
    uint32_t axis = 0;
    enum ew_status status =
        index ? ox_axis(&axis, im, ox_attribute_int(im, "axis", 0), in->dims.n) : im->err->status;
    if (status != EW_OK) {
        return status;
    }
    struct ox_dims dims = {0};
    status = ox_gather_dims(&dims, im, &in->dims, axis, &index->dims);
    if (status != EW_OK) {
        return status;
    }
    double numbers[OX_MAX_VALUES];
    const uint64_t n = ox_count(&dims);
    const bool is_known = in->known && index->known && n <= OX_MAX_VALUES;
    uint64_t inner = 1;
    for (uint32_t i = axis + 1; i < in->dims.n && is_known; i++) {
        inner *= (uint64_t)in->dims.at[i];
    }
    const uint64_t n_indices = is_known ? ox_count(&index->dims) : 1;
    for (uint64_t i = 0; is_known && i < n; i++) {
        const int64_t size = in->dims.at[axis];
        int64_t at = ox_to_i64(index->known[i / inner % n_indices]);
        at = at < 0 ? at + size : at;
        if (at < 0 || at >= size) {
            return ox_fail(im, "expected indices in 0..%lld, found %lld", (long long)size - 1,
                           (long long)at);
        }
        const uint64_t outer = i / inner / n_indices;
        numbers[i] = in->known[(outer * (uint64_t)size + (uint64_t)at) * inner + i % inner];
    }
    return put(im, in, &dims, is_known ? numbers : NULL);
}

static enum ew_status fold_slice(struct ox_import *im, const struct ox_value *in)
{
    struct ox_pick picks[OX_MAX_RANK];
    struct ox_dims dims;
    const enum ew_status status = ox_slice_dims(&dims, picks, im, &in->dims);
    return status ? status : put_picked(im, 0, in, &dims, picks);
}

static enum ew_status fold_split(struct ox_import *im, const struct ox_value *in)
{
    struct ox_split split;
    enum ew_status status = ox_split_sizes(&split, im, &in->dims);
    int64_t begin = 0;
    for (uint32_t i = 0; i < im->node->n_outputs && status == EW_OK; i++) {
        struct ox_pick picks[OX_MAX_RANK];
        struct ox_dims dims = in->dims;
        for (uint32_t d = 0; d < dims.n; d++) {
            picks[d] = (struct ox_pick){(int)d, d == split.axis ? begin : 0, 1};
        }
        dims.at[split.axis] = split.sizes[i];
        begin += split.sizes[i];
        status = put_picked(im, i, in, &dims, picks);
    }
    return status;
}

static enum ew_status fold_cast(struct ox_import *im, const struct ox_value *in)
{
    const int64_t to = ox_attribute_int(im, "to", OX_FLOAT);
    struct ox_value out = *in;
    out.is_integer = to != OX_FLOAT && to != OX_FLOAT16 && to != OX_DOUBLE && to != OX_BFLOAT16;
    out.has_place = in->has_place && out.is_integer == in->is_integer;
    return ox_set_output(im, 0, &out);
}

static enum ew_status fold_known_op(struct ox_import *im, const struct ox_value *in)
{
    struct ox_dims dims;
    static const char *const same[] = {"Identity", "Dropout"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (is_op(im, same[i])) {
            return put_view(im, in, &in->dims);
        }
    }
    const enum ew_status status = ox_reshape_dims(&dims, im, &in->dims);
    return status == EW_ENOTSUP ? is_op(im, "Cast")        ? fold_cast(im, in)
                                  : is_op(im, "Transpose") ? fold_transpose(im, in)
                                  : is_op(im, "Gather")    ? fold_gather(im, in)
                                  : is_op(im, "Slice")     ? fold_slice(im, in)
                                  : is_op(im, "Split")     ? fold_split(im, in)
                                  : is_op(im, "Concat")    ? fold_concat(im, in)
                                  : is_op(im, "Expand")    ? fold_expand(im, in)
                                  : is_op(im, "Where")     ? fold_where(im, in)
                                  : is_arithmetic(im)      ? fold_arithmetic(im, in)
                                                           : fold_unary(im, in)
           : status == EW_OK ? put_view(im, in, &dims)
                                : status;
}

enum ew_status ox_read_fold(struct ox_import *im)
{
    if (is_op(im, "Constant")) {
        return fold_constant(im);
    }
    if (is_op(im, "Shape")) {
        return fold_shape(im);
    }
    if (is_op(im, "Size")) {
        return fold_size(im);
    }
    for (uint32_t i = 0; i < im->node->n_inputs; i++) {
        const struct ox_value *in = ox_has_input(im, i) ? ox_input(im, i) : NULL;
        if (in && in->layer != OX_NO_LAYER) {
            return EW_ENOTSUP;
        }
    }
    if (im->node->n_inputs == 0 || !ox_has_input(im, 0)) {
        return EW_ENOTSUP;
    }
    const struct ox_value *in = ox_input(im, 0);
    return is_op(im, "ConstantOfShape") ? fold_constant_of_shape(im)
           : is_op(im, "Range")         ? fold_range(im)
                                        : fold_known_op(im, in);
}
