#include "engine/exec/model_weights.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAMPLE_BYTES = 4096, N_SAMPLES = 64 };

struct mapping {
    const unsigned char *bytes; /* NULL: an empty file, or none */
    size_t size;
};

struct ew_model_weights {
    const struct ew_weight_table *table;
    struct mapping files[]; /* n_files */
};

static const size_t dtype_bytes[EW_DTYPE_COUNT] = {4, 2, 2, 8};

/* ---- files ---- */

static enum ew_status map_file(struct mapping *out, const char *path, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        status = ew_fail(err, EW_EIO, "weights file '%s': %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        status = ew_fail(err, EW_EINPUT, "weights file '%s': expected a regular file", path);
    } else if (info.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) {
            status = ew_fail(err, EW_EIO, "weights file '%s': %s", path, strerror(errno));
        } else {
            *out = (struct mapping){bytes, (size_t)info.st_size};
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return status;
}

static void unmap_file(struct mapping *m)
{
    if (m->bytes) {
        (void)munmap((void *)(uintptr_t)m->bytes, m->size);
    }
    *m = (struct mapping){0};
}

/* FNV-1a of the size and of blocks spread over the file. */
static uint64_t fingerprint_of(const struct mapping *m)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const uint64_t size = m->size;
    for (size_t i = 0; i < sizeof size; i++) {
        hash = (hash ^ (size >> 8 * i & 0xff)) * UINT64_C(0x100000001b3);
    }
    for (uint64_t k = 0; k < N_SAMPLES; k++) {
        const size_t room = m->size > SAMPLE_BYTES ? m->size - SAMPLE_BYTES : 0;
        const size_t at = (size_t)(room / (N_SAMPLES - 1) * k);
        const size_t end = m->size - at < SAMPLE_BYTES ? m->size : at + SAMPLE_BYTES;
        for (size_t i = at; i < end; i++) {
            hash = (hash ^ m->bytes[i]) * UINT64_C(0x100000001b3);
        }
    }
    return hash;
}

/* ---- the table ---- */

static const char *const role_names[] = {
    "weight", "bias",         "scale",        "shift",       "mean",           "variance",
    "value",  "folded_scale", "folded_shift", "folded_mean", "folded_variance"};

static bool find_role(uint32_t *out, const char *name)
{
    for (uint32_t i = 0; i < EW_ROLE_COUNT; i++) {
        if (strcmp(name, role_names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    *out = EW_ROLE_VALUE;
    return strcmp(name, "slope") == 0;
}

static bool find_dtype(uint32_t *out, const char *name)
{
    static const char *const names[] = {"float32", "float16", "bfloat16", "float64"};
    for (uint32_t i = 0; i < EW_DTYPE_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* Elements that a layer has of a role; 0: none. */
static uint64_t expected_elements(const struct ew_layer *layer, uint32_t role)
{
    const struct ew_op_attrs *a = &layer->attrs;
    const int32_t *in = layer->in_shape[0], *out = layer->shape;
    uint64_t n = 1;
    switch (layer->op) {
    case EW_OP_CONV:
    case EW_OP_CONV_TRANSPOSE:
    case EW_OP_FC:
    case EW_OP_LINEAR: {
        const uint64_t n_bias = (uint64_t)a->out_channels;
        return role == EW_ROLE_WEIGHT ? layer->params - (a->has_bias ? n_bias : 0)
               : role == EW_ROLE_BIAS || role >= EW_ROLE_FOLDED_SCALE ? n_bias
                                                                      : 0;
    }
    case EW_OP_BATCHNORM:
        return role >= EW_ROLE_SCALE && role <= EW_ROLE_VARIANCE ? (uint64_t)out[EW_C] : 0;
    case EW_OP_LAYERNORM:
        for (int d = a->axis; d < EW_DIMS; d++) {
            n *= (uint64_t)out[d];
        }
        return role == EW_ROLE_SCALE || role == EW_ROLE_SHIFT ? n : 0;
    case EW_OP_SHIFT:
    case EW_OP_SCALE:
        for (int d = EW_C; d < EW_DIMS; d++) {
            n *= a->spans[d - EW_C] ? (uint64_t)out[d] : 1;
        }
        return role == EW_ROLE_VALUE ? n : 0;
    case EW_OP_PAD:
        n = layer->elements - (uint64_t)in[EW_C] * (uint64_t)in[EW_H] * (uint64_t)in[EW_W];
        return role == EW_ROLE_VALUE ? n : 0;
    default:
        return 0;
    }
}

/* What kernels will ask for. */
static bool needs_role(const struct ew_layer *layer, uint32_t role)
{
    const struct ew_op_attrs *a = &layer->attrs;
    switch (layer->op) {
    case EW_OP_CONV:
    case EW_OP_CONV_TRANSPOSE:
    case EW_OP_FC:
    case EW_OP_LINEAR:
        return role == EW_ROLE_WEIGHT;
    case EW_OP_LAYERNORM:
    case EW_OP_BATCHNORM:
        return a->is_affine && (role == EW_ROLE_SCALE || role == EW_ROLE_SHIFT);
    case EW_OP_SHIFT:
    case EW_OP_SCALE:
        return role == EW_ROLE_VALUE &&
               (a->is_learned || a->spans[0] || a->spans[1] || a->spans[2]);
    case EW_OP_PAD:
        return role == EW_ROLE_VALUE && a->is_learned;
    default:
        return false;
    }
}

/* Being made. */
struct maker {
    struct ew_arena *arena;
    const char *path;                  /* for variant 0, or NULL */
    char folder[EW_WEIGHT_PATH_BYTES]; /* workers may run in another one */
    const char **names;                /* per file, as asked for */
    struct ew_weight_file *files;
    struct mapping *mappings;
    uint32_t n_files;
    struct ew_weight_place *places;
    uint32_t n_places;
};

static enum ew_status add_file(uint32_t *out, struct maker *m, const char *path,
                               struct ew_error *err)
{
    for (uint32_t i = 0; i < m->n_files; i++) {
        if (strcmp(m->names[i], path) == 0) {
            *out = i;
            return EW_OK;
        }
    }
    struct ew_weight_file *file = &m->files[m->n_files];
    const int n = *path == '/' ? snprintf(file->path, sizeof file->path, "%s", path)
                               : snprintf(file->path, sizeof file->path, "%s/%s", m->folder, path);
    enum ew_status status = EW_OK;
    if (n < 0 || (size_t)n >= sizeof file->path) {
        status = ew_fail(err, EW_EINPUT, "weights file '%s': expected a path of less than %d bytes",
                         path, (int)EW_WEIGHT_PATH_BYTES);
    } else {
        status = map_file(&m->mappings[m->n_files], file->path, err);
    }
    if (status == EW_OK) {
        file->size_bytes = m->mappings[m->n_files].size;
        file->fingerprint = fingerprint_of(&m->mappings[m->n_files]);
        m->names[m->n_files] = path;
        *out = m->n_files++;
    }
    return status;
}

static enum ew_status add_place(struct maker *m, const struct ew_layer *layer,
                                const struct ew_weight_ref *ref,
                                const struct ew_weight_place *where, struct ew_error *err)
{
    struct ew_weight_place place = *where;
    const struct ew_weight_file *file = &m->files[place.file];
    place.offset_bytes = ref->offset_bytes;
    place.is_transposed = ref->is_transposed;
    place.n_elements = 1;
    for (uint32_t d = 0; d < ref->n_dims; d++) {
        const uint64_t dim = ref->dims[d];
        if (dim != 0 && place.n_elements > (UINT64_C(1) << 48) / dim) {
            return ew_fail(err, EW_EINPUT, "weights '%s': too many elements", ref->name);
        }
        place.n_elements *= dim;
    }
    if (!find_role(&place.role, ref->role)) {
        return ew_fail(err, EW_EINPUT, "weights '%s': unknown role '%s'", ref->name, ref->role);
    }
    if (!find_dtype(&place.dtype, ref->dtype)) {
        return ew_fail(err, EW_ENOTSUP,
                       "weights '%s': expected float32, float16, bfloat16 or float64, found %s",
                       ref->name, ref->dtype);
    }
    const uint64_t expected = expected_elements(layer, place.role);
    const bool is_strip = layer->op == EW_OP_PAD && place.n_elements < expected;
    if (place.n_elements != expected && !is_strip) {
        return ew_fail(err, EW_EINPUT, "weights '%s': expected %llu elements as %s, found %llu",
                       ref->name, (unsigned long long)expected, ref->role,
                       (unsigned long long)place.n_elements);
    }
    const uint64_t size = place.n_elements * dtype_bytes[place.dtype];
    if (ref->size_bytes != size) {
        return ew_fail(err, EW_EINPUT, "weights '%s': expected %llu bytes, found %llu", ref->name,
                       (unsigned long long)size, (unsigned long long)ref->size_bytes);
    }
    if (place.offset_bytes > file->size_bytes || size > file->size_bytes - place.offset_bytes) {
        return ew_fail(err, EW_EINPUT,
                       "weights '%s': expected %llu bytes from byte %llu on, but the file has %llu "
                       "in all",
                       ref->name, (unsigned long long)size, (unsigned long long)place.offset_bytes,
                       (unsigned long long)file->size_bytes);
    }
    m->places[m->n_places++] = place;
    return EW_OK;
}

static enum ew_status add_layer(struct maker *m, const struct ew_layer *layer,
                                const struct ew_weight_place *where, struct ew_error *err)
{
    uint32_t has = 0;
    for (uint32_t i = 0; i < layer->n_weights; i++) {
        const enum ew_status status = add_place(m, layer, &layer->weights[i], where, err);
        if (status != EW_OK) {
            return status;
        }
        has |= UINT32_C(1) << m->places[m->n_places - 1].role;
    }
    const bool has_bias_part =
        (has & (UINT32_C(1) << EW_ROLE_BIAS | UINT32_C(1) << EW_ROLE_FOLDED_SHIFT)) != 0;
    const bool is_dense = layer->op == EW_OP_CONV || layer->op == EW_OP_CONV_TRANSPOSE ||
                          layer->op == EW_OP_FC || layer->op == EW_OP_LINEAR;
    for (uint32_t role = 0; role < EW_ROLE_COUNT; role++) {
        const bool lacks_bias =
            role == EW_ROLE_BIAS && is_dense && layer->attrs.has_bias && !has_bias_part;
        if ((needs_role(layer, role) && !(has & UINT32_C(1) << role)) || lacks_bias) {
            return ew_fail(err, EW_EINPUT, "the graph does not say where its %s lies",
                           role_names[role]);
        }
    }
    return EW_OK;
}

static enum ew_status add_variant(struct maker *m, const struct ew_graph *graph, uint32_t variant,
                                  struct ew_error *err)
{
    const char *path = m->path && variant == 0 ? m->path : graph->weights_path;
    struct ew_weight_place where = {.variant = variant};
    if (!*path) {
        return ew_fail(err, EW_EINPUT, "graph '%s': it names no weights file", graph->name);
    }
    enum ew_status status = add_file(&where.file, m, path, err);
    for (uint32_t i = 0; i < graph->n_layers && status == EW_OK; i++) {
        where.layer = i;
        status = add_layer(m, &graph->layers[i], &where, err);
        if (status != EW_OK) {
            ew_prefix(err, "weights file '%s': layer '%s': ", path, graph->layers[i].name);
        }
    }
    return status;
}

bool ew_graph_has_weights(const struct ew_graph *graph)
{
    return *graph->weights_path != '\0';
}

enum ew_status ew_weight_table_make(struct ew_weight_table *out, struct ew_arena *arena,
                                    const struct ew_graph *graph, const char *path,
                                    struct ew_error *err)
{
    uint64_t n = 0;
    for (uint32_t v = 0; v < graph->n_variants; v++) {
        for (uint32_t i = 0; i < graph->variants[v].graph->n_layers; i++) {
            n += graph->variants[v].graph->layers[i].n_weights;
        }
    }
    struct maker m = {.arena = arena, .path = path};
    m.places = ew_arena_calloc(arena, n + 1, sizeof *m.places);
    m.files = ew_arena_calloc(arena, graph->n_variants, sizeof *m.files);
    m.mappings = ew_arena_calloc(arena, graph->n_variants, sizeof *m.mappings);
    m.names = ew_arena_calloc(arena, graph->n_variants, sizeof *m.names);
    enum ew_status status =
        m.places && m.files && m.mappings && m.names ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK && !getcwd(m.folder, sizeof m.folder)) {
        status = ew_fail(err, EW_EIO, "current folder: %s", strerror(errno));
    }
    for (uint32_t v = 0; v < graph->n_variants && status == EW_OK; v++) {
        status = add_variant(&m, graph->variants[v].graph, v, err);
    }
    for (uint32_t i = 0; i < m.n_files; i++) {
        unmap_file(&m.mappings[i]);
    }
    if (status == EW_OK) {
        *out = (struct ew_weight_table){m.n_files, m.n_places, m.files, m.places};
    }
    return status;
}

static int compare_places(const struct ew_weight_place *a, uint32_t variant, uint32_t layer)
{
    return a->variant != variant ? (a->variant < variant ? -1 : 1)
           : a->layer != layer   ? (a->layer < layer ? -1 : 1)
                                 : 0;
}

bool ew_weight_table_is_valid(const struct ew_weight_table *table)
{
    for (uint32_t i = 0; i < table->n_files; i++) {
        if (!memchr(table->files[i].path, '\0', EW_WEIGHT_PATH_BYTES)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < table->n_places; i++) {
        const struct ew_weight_place *p = &table->places[i];
        if (p->file >= table->n_files || p->role >= EW_ROLE_COUNT || p->dtype >= EW_DTYPE_COUNT ||
            p->is_transposed > 1 || p->n_elements > UINT64_C(1) << 48) {
            return false;
        }
        const uint64_t size = table->files[p->file].size_bytes;
        if (p->offset_bytes > size ||
            p->n_elements > (size - p->offset_bytes) / dtype_bytes[p->dtype] ||
            (i > 0 && compare_places(p - 1, p->variant, p->layer) > 0)) {
            return false;
        }
    }
    return true;
}

/* ---- reading ---- */

static float half_value(uint16_t bits)
{
    const int exponent = bits >> 10 & 31;
    const int mantissa = bits & 1023;
    const float size = exponent == 31  ? (mantissa ? NAN : INFINITY)
                       : exponent == 0 ? ldexpf((float)mantissa, -24)
                                       : ldexpf((float)(mantissa + 1024), exponent - 25);
    return bits & 0x8000 ? -size : size;
}

static double value_at(const unsigned char *at, uint32_t dtype)
{
    uint16_t half;
    uint32_t bits;
    float value;
    double wide;
    switch (dtype) {
    case EW_DTYPE_FLOAT16:
        memcpy(&half, at, sizeof half);
        return (double)half_value(half);
    case EW_DTYPE_BFLOAT16:
        memcpy(&half, at, sizeof half);
        bits = (uint32_t)half << 16;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    case EW_DTYPE_FLOAT64:
        memcpy(&wide, at, sizeof wide);
        return wide;
    default:
        memcpy(&value, at, sizeof value);
        return (double)value;
    }
}

/* A tensor found, ready to be read. */
struct tensor {
    const unsigned char *bytes;
    const struct ew_weight_place *place;
};

/* Places of a layer: [begin, end). */
static void find_places(uint32_t range[2], const struct ew_weight_table *table, uint32_t variant,
                        uint32_t layer)
{
    uint32_t lo = 0, hi = table->n_places;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (compare_places(&table->places[mid], variant, layer) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    range[0] = lo;
    while (hi < table->n_places && compare_places(&table->places[hi], variant, layer) == 0) {
        hi++;
    }
    range[1] = hi;
}

/* The i-th tensor of that role of the task's layer; false when there is none. */
static bool find_tensor(struct tensor *out, const struct ew_model_weights *w,
                        const struct ew_kernel_task *task, uint32_t role, uint32_t i)
{
    uint32_t range[2];
    find_places(range, w->table, task->variant, task->layer_id);
    for (uint32_t k = range[0]; k < range[1]; k++) {
        const struct ew_weight_place *place = &w->table->places[k];
        if (place->role == role && i-- == 0) {
            *out = (struct tensor){w->files[place->file].bytes + place->offset_bytes, place};
            return true;
        }
    }
    return false;
}

static double element(const struct tensor *t, uint64_t i)
{
    return value_at(t->bytes + i * dtype_bytes[t->place->dtype], t->place->dtype);
}

static enum ew_status fail_range(const struct ew_kernel_task *task, const char *what,
                                 struct ew_error *err)
{
    return ew_fail(err, EW_EINPUT, "weights of layer %u (%s): its %s is missing or too short",
                   (unsigned)task->layer_id, ew_op_name(task->layer.op), what);
}

static enum ew_status need_tensor(struct tensor *out, const struct ew_model_weights *w,
                                  const struct ew_kernel_task *task, uint32_t role, uint64_t first,
                                  uint64_t count, struct ew_error *err)
{
    if (!find_tensor(out, w, task, role, 0) || first > out->place->n_elements ||
        count > out->place->n_elements - first) {
        return fail_range(task, role_names[role], err);
    }
    return EW_OK;
}

/* scale / sqrt(variance + epsilon) of channel c, or of what was folded. Missing parts are those of
 * a normalisation that does nothing. */
static double norm_factor(const struct ew_model_weights *w, const struct ew_kernel_task *task,
                          uint32_t first_role, uint64_t c)
{
    struct tensor scale, variance;
    double factor = 1;
    if (find_tensor(&scale, w, task, first_role, 0) && c < scale.place->n_elements) {
        factor = element(&scale, c);
    }
    if (find_tensor(&variance, w, task, first_role + 3, 0) && c < variance.place->n_elements) {
        factor /= sqrt(element(&variance, c) + (double)task->layer.attrs->epsilon);
    }
    return factor;
}

/* x -> (x - mean) * factor + shift of x = `before`. */
static double normalise(const struct ew_model_weights *w, const struct ew_kernel_task *task,
                        uint32_t first_role, uint64_t c, double before)
{
    struct tensor shift, mean;
    double value = before;
    if (find_tensor(&mean, w, task, first_role + 2, 0) && c < mean.place->n_elements) {
        value -= element(&mean, c);
    }
    value *= norm_factor(w, task, first_role, c);
    if (find_tensor(&shift, w, task, first_role + 1, 0) && c < shift.place->n_elements) {
        value += element(&shift, c);
    }
    return value;
}

/* Filters: [out][...] as kernels want them; matrices may lie the other way round. */
static enum ew_status read_filter(float *out, const struct ew_model_weights *w,
                                  const struct ew_kernel_task *task, uint64_t first, uint64_t count,
                                  struct ew_error *err)
{
    struct tensor t, folded;
    const enum ew_status status = need_tensor(&t, w, task, EW_ROLE_WEIGHT, first, count, err);
    if (status != EW_OK) {
        return status;
    }
    const uint64_t n_out = (uint64_t)task->layer.attrs->out_channels;
    const uint64_t n_row =
        n_out && t.place->n_elements % n_out == 0 ? t.place->n_elements / n_out : 1;
    const bool is_folded = find_tensor(&folded, w, task, EW_ROLE_FOLDED_SCALE, 0) ||
                           find_tensor(&folded, w, task, EW_ROLE_FOLDED_VARIANCE, 0);
    if (!is_folded && !t.place->is_transposed && t.place->dtype == EW_DTYPE_FLOAT32) {
        memcpy(out, t.bytes + first * sizeof *out, count * sizeof *out);
        return EW_OK;
    }
    const bool is_backwards = task->layer.op == EW_OP_CONV_TRANSPOSE; /* [in][out / groups][...] */
    const uint64_t area =
        (uint64_t)task->layer.attrs->kernel[0] * (uint64_t)task->layer.attrs->kernel[1];
    const uint64_t groups = is_backwards ? (uint64_t)task->layer.attrs->groups : 1;
    const uint64_t in_per_group =
        is_backwards ? (uint64_t)task->layer.in_shape[0][EW_C] / groups : 1;
    double factor = 1;
    uint64_t factor_of = UINT64_MAX;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t at = first + i;
        uint64_t c = at / n_row;
        if (is_backwards) {
            const uint64_t per_group = n_out / groups;
            c = at / (per_group * area) / in_per_group * per_group + at / area % per_group;
        }
        if (is_folded && c != factor_of) {
            factor = norm_factor(w, task, EW_ROLE_FOLDED_SCALE, c);
            factor_of = c;
        }
        const uint64_t from = t.place->is_transposed ? at % n_row * n_out + c : at;
        out[i] = (float)(element(&t, from) * factor);
    }
    return EW_OK;
}

static enum ew_status read_bias(float *out, const struct ew_model_weights *w,
                                const struct ew_kernel_task *task, uint64_t first, uint64_t count,
                                struct ew_error *err)
{
    struct tensor t;
    const bool has_bias = find_tensor(&t, w, task, EW_ROLE_BIAS, 0);
    const uint64_t n_out = (uint64_t)task->layer.attrs->out_channels;
    if (first > n_out || count > n_out - first || (has_bias && t.place->n_elements < n_out)) {
        return fail_range(task, "bias", err);
    }
    for (uint64_t i = 0; i < count; i++) {
        const double own = has_bias ? element(&t, first + i) : 0;
        out[i] = (float)normalise(w, task, EW_ROLE_FOLDED_SCALE, first + i, own);
    }
    return EW_OK;
}

/* Scale and shift of a batchnorm, its statistics folded in; of a layernorm as they are. */
static enum ew_status read_norm(float *out, const struct ew_model_weights *w,
                                const struct ew_kernel_task *task, enum ew_weight_part part,
                                uint64_t first, uint64_t count, struct ew_error *err)
{
    const bool is_scale = part == EW_WEIGHT_SCALE;
    struct tensor t;
    const enum ew_status status =
        task->layer.attrs->is_affine
            ? need_tensor(&t, w, task, is_scale ? EW_ROLE_SCALE : EW_ROLE_SHIFT, first, count, err)
            : EW_OK;
    const bool is_batch = task->layer.op == EW_OP_BATCHNORM;
    for (uint64_t i = 0; i < count && status == EW_OK; i++) {
        out[i] = (float)(!is_batch  ? element(&t, first + i)
                         : is_scale ? norm_factor(w, task, EW_ROLE_SCALE, first + i)
                                    : normalise(w, task, EW_ROLE_SCALE, first + i, 0));
    }
    return status;
}

/* Values of a constant; several tensors follow each other. */
static enum ew_status read_value(float *out, const struct ew_model_weights *w,
                                 const struct ew_kernel_task *task, uint64_t first, uint64_t count,
                                 struct ew_error *err)
{
    struct tensor t;
    uint64_t begin = 0, done = 0;
    for (uint32_t k = 0; done < count && find_tensor(&t, w, task, EW_ROLE_VALUE, k); k++) {
        const uint64_t end = begin + t.place->n_elements;
        for (; done < count && first + done >= begin && first + done < end; done++) {
            out[done] = (float)element(&t, first + done - begin);
        }
        begin = end;
    }
    return done == count ? EW_OK : fail_range(task, "value", err);
}

static enum ew_status read_part(float *out, const void *self, const struct ew_kernel_task *task,
                                enum ew_weight_part part, uint64_t first, uint64_t count,
                                struct ew_error *err)
{
    switch (part) {
    case EW_WEIGHT_FILTER:
        return read_filter(out, self, task, first, count, err);
    case EW_WEIGHT_BIAS:
        return read_bias(out, self, task, first, count, err);
    case EW_WEIGHT_VALUE:
        return read_value(out, self, task, first, count, err);
    default:
        return read_norm(out, self, task, part, first, count, err);
    }
}

struct ew_weight_source ew_model_weights_source(const struct ew_model_weights *weights)
{
    return (struct ew_weight_source){weights, read_part};
}

void ew_model_weights_close(struct ew_model_weights *weights)
{
    if (weights) {
        for (uint32_t i = 0; i < weights->table->n_files; i++) {
            unmap_file(&weights->files[i]);
        }
        free(weights);
    }
}

enum ew_status ew_model_weights_open(struct ew_model_weights **out,
                                     const struct ew_weight_table *table, struct ew_error *err)
{
    struct ew_model_weights *w = calloc(1, sizeof *w + table->n_files * sizeof(struct mapping));
    if (!w) {
        return ew_fail_memory(err);
    }
    w->table = table;
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < table->n_files && status == EW_OK; i++) {
        const struct ew_weight_file *file = &table->files[i];
        status = map_file(&w->files[i], file->path, err);
        if (status != EW_OK) {
            break;
        }
        if (w->files[i].size != file->size_bytes) {
            status = ew_fail(err, EW_EINPUT,
                             "weights file '%s': expected %llu bytes as the coordinator has, found "
                             "%llu",
                             file->path, (unsigned long long)file->size_bytes,
                             (unsigned long long)w->files[i].size);
        } else if (fingerprint_of(&w->files[i]) != file->fingerprint) {
            status = ew_fail(err, EW_EINPUT,
                             "weights file '%s': its contents differ from the coordinator's",
                             file->path);
        }
    }
    if (status != EW_OK) {
        ew_model_weights_close(w);
        return status;
    }
    *out = w;
    return EW_OK;
}
