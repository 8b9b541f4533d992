#include "io/onnx_slice.h"

#include <string.h>

static bool is_op(const struct ox_import *im, const char *op)
{
    return ox_text_is(im->node->op, op);
}

/* ---- reshapes ---- */

static enum ew_status flatten_dims(struct ox_dims *out, struct ox_import *im,
                                   const struct ox_dims *in)
{
    const int64_t axis = ox_attribute_int(im, "axis", 1);
    const int64_t at = axis < 0 ? axis + (int64_t)in->n : axis;
    if (at < 0 || at > (int64_t)in->n) {
        return ox_fail(im, "axis: expected %d..%d, found %lld", -(int)in->n, (int)in->n,
                       (long long)axis);
    }
    struct ox_dims before = {.n = (uint32_t)at}, after = {.n = in->n - (uint32_t)at};
    memcpy(before.at, in->at, before.n * sizeof *in->at);
    memcpy(after.at, in->at + at, after.n * sizeof *in->at);
    *out = (struct ox_dims){2, {(int64_t)ox_count(&before), (int64_t)ox_count(&after)}};
    return EW_OK;
}

/* 0 keeps a dimension, one -1 takes what is left. */
static enum ew_status target_dims(struct ox_dims *out, struct ox_import *im,
                                  const struct ox_dims *in)
{
    const bool keeps_zero = ox_attribute_int(im, "allowzero", 0) == 0;
    enum ew_status status = ox_integers(out->at, &out->n, OX_MAX_RANK, im, "shape", 1);
    if (status != EW_OK) {
        return status;
    }
    int64_t *open = NULL;
    const uint64_t count = ox_count(in);
    for (uint32_t i = 0; i < out->n; i++) {
        if (out->at[i] == 0 && keeps_zero && i < in->n) {
            out->at[i] = in->at[i];
        } else if (out->at[i] == -1 && !open) {
            open = &out->at[i];
            *open = 1;
        } else if (out->at[i] < 0) {
            return ox_fail(im, "shape: expected dimensions of at least 0, one of them -1, found %s",
                           ox_dims_text(im, out));
        }
    }
    const uint64_t fixed = ox_count(out);
    if (open && fixed > 0 && count % fixed == 0) {
        *open = (int64_t)(count / fixed);
    }
    return EW_OK;
}

static bool is_listed(const int64_t *axes, uint32_t n, uint32_t axis, uint32_t rank)
{
    for (uint32_t i = 0; i < n; i++) {
        if (axes[i] == (int64_t)axis || axes[i] + (int64_t)rank == (int64_t)axis) {
            return true;
        }
    }
    return false;
}

static enum ew_status squeeze_dims(struct ox_dims *out, struct ox_import *im,
                                   const struct ox_dims *in)
{
    int64_t axes[OX_MAX_RANK];
    uint32_t n = 0;
    const enum ew_status status = ox_integers(axes, &n, OX_MAX_RANK, im, "axes", 1);
    *out = (struct ox_dims){0};
    for (uint32_t i = 0; status == EW_OK && i < in->n; i++) {
        const bool is_named = n ? is_listed(axes, n, i, in->n) : in->at[i] == 1;
        if (!is_named) {
            out->at[out->n++] = in->at[i];
        }
    }
    return status;
}

static enum ew_status unsqueeze_dims(struct ox_dims *out, struct ox_import *im,
                                     const struct ox_dims *in)
{
    int64_t axes[OX_MAX_RANK];
    uint32_t n = 0, next = 0;
    const enum ew_status status = ox_integers(axes, &n, OX_MAX_RANK, im, "axes", 1);
    const uint32_t rank = in->n + n;
    if (status != EW_OK) {
        return status;
    }
    if (rank > OX_MAX_RANK) {
        return ox_fail(im, "expected at most %d dimensions, found %u", (int)OX_MAX_RANK,
                       (unsigned)rank);
    }
    *out = (struct ox_dims){.n = rank};
    for (uint32_t i = 0; i < rank; i++) {
        const bool is_new = is_listed(axes, n, i, rank);
        if (!is_new && next == in->n) {
            return ox_fail(im, "axes: expected each of them once, within 0..%u",
                           (unsigned)rank - 1);
        }
        out->at[i] = is_new ? 1 : in->at[next++];
    }
    return EW_OK;
}

enum ew_status ox_reshape_dims(struct ox_dims *out, struct ox_import *im, const struct ox_dims *in)
{
    enum ew_status status = is_op(im, "Flatten")     ? flatten_dims(out, im, in)
                            : is_op(im, "Reshape")   ? target_dims(out, im, in)
                            : is_op(im, "Squeeze")   ? squeeze_dims(out, im, in)
                            : is_op(im, "Unsqueeze") ? unsqueeze_dims(out, im, in)
                                                     : EW_ENOTSUP;
    if (status == EW_OK && ox_count(out) != ox_count(in)) {
        status = ox_fail(im, "expected a shape with as many elements as %s, found %s",
                         ox_dims_text(im, in), ox_dims_text(im, out));
    }
    return status;
}

/* ---- slices ---- */

static int64_t clamp(int64_t x, int64_t lo, int64_t hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* Elements start, start + step, … before `end` (behind it when step < 0). */
static enum ew_status slice_dim(int64_t *size, struct ox_pick *pick, struct ox_import *im,
                                int64_t start, int64_t end, int64_t step)
{
    const int64_t n = *size;
    if (step == 0 || step < -INT32_MAX || step > INT32_MAX) {
        return ox_fail(im, "steps: expected a step that is not 0, found %lld", (long long)step);
    }
    start = start < 0 ? clamp(start, -n - 1, 0) + n : start;
    end = end < 0 ? clamp(end, -n - 1, 0) + n : end;
    start = step > 0 ? clamp(start, 0, n) : clamp(start, 0, n - 1);
    end = step > 0 ? clamp(end, 0, n) : clamp(end, -1, n);
    const int64_t length = step > 0 ? end - start : start - end;
    const int64_t stride = step > 0 ? step : -step;
    *size = length > 0 ? (length + stride - 1) / stride : 0;
    pick->begin = start;
    pick->step = step;
    return EW_OK;
}

enum ew_status ox_slice_dims(struct ox_dims *out, struct ox_pick picks[OX_MAX_RANK],
                             struct ox_import *im, const struct ox_dims *in)
{
    int64_t starts[OX_MAX_RANK], ends[OX_MAX_RANK], axes[OX_MAX_RANK], steps[OX_MAX_RANK];
    uint32_t n = 0, n_ends = 0, n_axes = 0, n_steps = 0;
    enum ew_status status = ox_integers(starts, &n, OX_MAX_RANK, im, "starts", 1);
    status = status ? status : ox_integers(ends, &n_ends, OX_MAX_RANK, im, "ends", 2);
    status = status ? status : ox_integers(axes, &n_axes, OX_MAX_RANK, im, "axes", 3);
    status = status ? status : ox_integers(steps, &n_steps, OX_MAX_RANK, im, "steps", 4);
    if (status != EW_OK) {
        return status;
    }
    if (n != n_ends || (n_axes && n_axes != n) || (n_steps && n_steps != n) || n > in->n) {
        return ox_fail(im, "expected as many starts, ends, axes and steps, found %u, %u, %u, %u",
                       (unsigned)n, (unsigned)n_ends, (unsigned)n_axes, (unsigned)n_steps);
    }
    *out = *in;
    for (uint32_t i = 0; i < in->n; i++) {
        picks[i] = (struct ox_pick){(int)i, 0, 1};
    }
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        uint32_t axis = 0;
        status = ox_axis(&axis, im, n_axes ? axes[i] : (int64_t)i, in->n);
        status = status ? status
                        : slice_dim(&out->at[axis], &picks[axis], im, starts[i], ends[i],
                                    n_steps ? steps[i] : 1);
    }
    return status;
}

enum ew_status ox_split_sizes(struct ox_split *out, struct ox_import *im, const struct ox_dims *in)
{
    uint32_t n = 0;
    const uint32_t n_outputs = im->node->n_outputs;
    enum ew_status status = ox_axis(&out->axis, im, ox_attribute_int(im, "axis", 0), in->n);
    status = status ? status : ox_integers(out->sizes, &n, OX_MAX_SPLITS, im, "split", 1);
    if (status != EW_OK) {
        return status;
    }
    const int64_t size = in->at[out->axis];
    if (n_outputs == 0 || n_outputs > OX_MAX_SPLITS || (n && n != n_outputs)) {
        return ox_fail(im, "expected 1..%d outputs, and a size for each, found %u and %u",
                       (int)OX_MAX_SPLITS, (unsigned)n_outputs, (unsigned)n);
    }
    int64_t left = size;
    const int64_t even = (size + n_outputs - 1) / n_outputs;
    for (uint32_t i = 0; i < n_outputs; i++) {
        if (!n) {
            out->sizes[i] = left < even ? left : even;
        }
        if (out->sizes[i] < 0 || out->sizes[i] > left) {
            return ox_fail(im, "split: expected sizes that add up to %lld", (long long)size);
        }
        left -= out->sizes[i];
    }
    return left == 0 ? EW_OK
                     : ox_fail(im, "split: expected sizes that add up to %lld", (long long)size);
}

enum ew_status ox_gather_dims(struct ox_dims *out, struct ox_import *im, const struct ox_dims *in,
                              uint32_t axis, const struct ox_dims *index)
{
    *out = (struct ox_dims){0};
    if (in->n - 1 + index->n > OX_MAX_RANK) {
        return ox_fail(im, "expected at most %d dimensions, found %u", (int)OX_MAX_RANK,
                       (unsigned)(in->n - 1 + index->n));
    }
    for (uint32_t i = 0; i < in->n; i++) {
        for (uint32_t k = 0; i == axis && k < index->n; k++) {
            out->at[out->n++] = index->at[k];
        }
        if (i != axis) {
            out->at[out->n++] = in->at[i];
        }
    }
    return EW_OK;
}

enum ew_status ox_permutation(uint32_t perm[OX_MAX_RANK], struct ox_import *im, uint32_t rank)
{
    int64_t given[OX_MAX_RANK];
    uint32_t n = 0;
    unsigned seen = 0;
    const enum ew_status status = ox_integers(given, &n, OX_MAX_RANK, im, "perm", 0);
    if (status != EW_OK) {
        return status;
    }
    for (uint32_t i = 0; i < rank; i++) {
        const int64_t from = n == 0 ? (int64_t)(rank - 1 - i) : i < n ? given[i] : -1;
        if (from < 0 || from >= (int64_t)rank || (n && n != rank) || (seen & 1U << from)) {
            return ox_fail(im, "perm: expected each of 0..%d once", (int)rank - 1);
        }
        seen |= 1U << from;
        perm[i] = (uint32_t)from;
    }
    return EW_OK;
}

/* ---- tensors of the file ---- */

/* Element `i` of raw bytes; false for types that are no constants of shapes. */
static bool raw_number(double *out, int32_t dtype, const char *at)
{
    union {
        float f;
        double d;
        int32_t i32;
        int64_t i64;
        int8_t i8;
        uint8_t u8;
    } x;
    memcpy(&x, at, ox_dtype_bytes(dtype));
    switch (dtype) {
    case OX_FLOAT:
        *out = (double)x.f;
        return true;
    case OX_DOUBLE:
        *out = x.d;
        return true;
    case OX_INT32:
        *out = x.i32;
        return true;
    case OX_INT64:
        *out = (double)x.i64;
        return true;
    case OX_INT8:
        *out = x.i8;
        return true;
    case OX_UINT8:
    case OX_BOOL:
        *out = x.u8;
        return true;
    default:
        return false;
    }
}

static enum ew_status fail_tensor(struct ox_import *im, const struct ox_tensor *t, const char *what)
{
    const struct ox_dims dims = {t->n_dims < OX_MAX_RANK ? t->n_dims : OX_MAX_RANK, {0}};
    struct ox_dims shown = dims;
    memcpy(shown.at, t->dims, shown.n * sizeof *shown.at);
    return ew_fail(im->err, EW_EINPUT, "tensor '%s' (%s): %s", ox_label(im, t->name),
                   ox_dims_text(im, &shown), what);
}

/* Elements must be there for the shape, or not at all. */
static enum ew_status check_size(struct ox_import *im, const struct ox_tensor *t, uint64_t count)
{
    const size_t bytes = ox_dtype_bytes(t->dtype);
    const bool is_raw = t->n_values == 0;
    const uint64_t have = is_raw ? t->data.size : t->n_values;
    const uint64_t want = is_raw ? count * bytes : count;
    if ((bytes == 0 && is_raw) || have == want || (is_raw && t->data.at == NULL)) {
        return EW_OK;
    }
    return ew_fail(im->err, EW_EINPUT, "tensor '%s' of %s: expected %llu %s, found %llu",
                   ox_label(im, t->name), ox_dtype_name(t->dtype), (unsigned long long)want,
                   is_raw ? "bytes" : "elements", (unsigned long long)have);
}

enum ew_status ox_tensor_value(struct ox_value *out, struct ox_import *im,
                               const struct ox_tensor *t)
{
    struct ox_dims dims = {.n = t->n_dims};
    if (t->n_dims > OX_MAX_RANK) {
        return fail_tensor(im, t, "expected at most 8 dimensions");
    }
    memcpy(dims.at, t->dims, dims.n * sizeof *dims.at);
    for (uint32_t i = 0; i < dims.n; i++) {
        if (dims.at[i] < 0) {
            return fail_tensor(im, t, "expected dimensions of at least 0");
        }
    }
    const uint64_t count = ox_count(&dims);
    if (count > UINT64_C(1) << 40) {
        return fail_tensor(im, t, "expected at most 2^40 elements");
    }
    if (t->is_external) {
        return ew_fail(im->err, EW_EINPUT,
                       "tensor '%s': its elements are in another file ('%s'); save the model with "
                       "its weights inside, or without weights (see tools/export_onnx.py)",
                       ox_label(im, t->name), ox_label(im, t->external_file));
    }
    enum ew_status status = check_size(im, t, count);
    if (status != EW_OK) {
        return status;
    }
    *out = (struct ox_value){.dims = dims, .layer = OX_NO_LAYER};
    out->is_integer = t->dtype != OX_FLOAT && t->dtype != OX_DOUBLE && t->dtype != OX_FLOAT16 &&
                      t->dtype != OX_BFLOAT16;
    out->place.name = ox_label(im, t->name);
    out->place.dtype = ox_dtype_name(t->dtype);
    uint64_t *shape = ew_arena_calloc(im->arena, dims.n, sizeof *shape);
    if (!shape) {
        return ew_fail_memory(im->err);
    }
    for (uint32_t i = 0; i < dims.n; i++) {
        shape[i] = (uint64_t)dims.at[i];
    }
    out->place.dims = shape;
    out->place.n_dims = dims.n;
    if (t->data.at && t->data.size == count * ox_dtype_bytes(t->dtype) && t->data.size > 0) {
        out->has_place = true;
        out->place.offset_bytes = (uint64_t)(t->data.at - im->data);
        out->place.size_bytes = t->data.size;
    }
    if (count > OX_MAX_VALUES) {
        return EW_OK;
    }
    if (t->n_values == count && count > 0) {
        out->known = t->values;
        return EW_OK;
    }
    double numbers[OX_MAX_VALUES];
    bool is_known = out->has_place || count == 0;
    for (uint64_t i = 0; i < count && is_known; i++) {
        is_known = raw_number(&numbers[i], t->dtype, t->data.at + i * ox_dtype_bytes(t->dtype));
    }
    if (is_known) {
        out->known = ew_arena_copy(im->arena, numbers, (size_t)count, sizeof *numbers);
        status = out->known ? EW_OK : ew_fail_memory(im->err);
    }
    return status;
}
