#include "plan/bound_cost.h"

#include <math.h>
#include <string.h>

/* Rows and columns marked in one graph, at most. */
static const uint64_t MAX_MARKS = UINT64_C(1) << 26;

/* Everything while one cost is made. */
struct maker {
    struct ew_bound_cost *cost;
    const struct ew_plan_context *context;
    const struct ew_bound_shape *shape;
    uint8_t *rows; /* scratch, as long as the longest dimension */
    uint8_t *columns;
};

/* ------------------------------------------------------------------------ what cannot be avoided
 */

static uint8_t *marks_of(struct ew_bound_layer *layer, int dim)
{
    return dim == EW_H ? layer->rows : layer->columns;
}

static uint32_t count_of(const struct ew_bound_layer *layer, int dim)
{
    return dim == EW_H ? layer->n_rows : layer->n_columns;
}

/* What one row (or column) of a layer's output reads of input `i`, as an interval. */
static struct ew_box window(const struct ew_layer *layer, uint32_t i, int dim, int32_t at)
{
    const struct ew_op_view view = ew_layer_view(layer);
    struct ew_box line = ew_box_full(layer->shape);
    line.lo[dim] = at;
    line.hi[dim] = at + 1;
    return ew_op_input_box(&view, i, &line, NULL);
}

static uint32_t mark_reads(uint8_t *out, const struct ew_layer *layer, uint32_t i, int dim,
                           const uint8_t *lines)
{
    const int32_t size = layer->in_shape[i][dim];
    uint32_t n = 0;
    int32_t reached = 0;
    memset(out, 0, (size_t)size);
    for (int32_t at = 0; at < layer->shape[dim]; at++) {
        if (!lines[at]) {
            continue;
        }
        const struct ew_box in = window(layer, i, dim, at);
        const int32_t lo = in.lo[dim] > reached ? in.lo[dim] : reached;
        for (int32_t k = lo; !ew_box_is_empty(&in) && k < in.hi[dim]; k++) {
            out[k] = 1;
            n++;
            reached = k + 1;
        }
    }
    return n;
}

/* Rows of a pad that are nothing but padding have no origin: leave them out. */
static void drop_padding(const struct ew_layer *layer, struct ew_bound_layer *part, int dim)
{
    uint8_t *lines = marks_of(part, dim);
    uint32_t n = 0;
    for (int32_t at = 0; at < layer->shape[dim]; at++) {
        const struct ew_box in = window(layer, 0, dim, at);
        lines[at] = lines[at] && !ew_box_is_empty(&in);
        n += lines[at];
    }
    *(dim == EW_H ? &part->n_rows : &part->n_columns) = n;
}

static void need_whole(struct ew_bound_layer *part, const struct ew_layer *layer)
{
    part->is_needed = true;
    memset(part->rows, 1, (size_t)layer->shape[EW_H]);
    memset(part->columns, 1, (size_t)layer->shape[EW_W]);
    part->n_rows = (uint32_t)layer->shape[EW_H];
    part->n_columns = (uint32_t)layer->shape[EW_W];
}

/* The part that layer `id` reads of its input `i`; of several readers' parts the largest stays. */
static void need_input(struct maker *m, uint32_t id, uint32_t i)
{
    const struct ew_layer *layer = &m->cost->graph->layers[id];
    const struct ew_bound_layer *part = &m->cost->layers[id];
    struct ew_bound_layer *input = &m->cost->layers[layer->inputs[i]];
    const uint32_t n_rows = mark_reads(m->rows, layer, i, EW_H, part->rows);
    const uint32_t n_columns = mark_reads(m->columns, layer, i, EW_W, part->columns);
    if ((uint64_t)n_rows * n_columns > (uint64_t)input->n_rows * input->n_columns) {
        input->is_needed = true;
        input->n_rows = n_rows;
        input->n_columns = n_columns;
        memcpy(input->rows, m->rows, (size_t)layer->in_shape[i][EW_H]);
        memcpy(input->columns, m->columns, (size_t)layer->in_shape[i][EW_W]);
    }
}

static void find_parts(struct maker *m)
{
    const struct ew_graph *graph = m->cost->graph;
    for (uint32_t i = 0; i < m->cost->exit->n_layers; i++) {
        const uint32_t id = m->cost->exit->layers[i];
        need_whole(&m->cost->layers[id], &graph->layers[id]);
    }
    for (uint32_t id = graph->n_layers; id-- > 0;) {
        const struct ew_layer *layer = &graph->layers[id];
        struct ew_bound_layer *part = &m->cost->layers[id];
        if (!part->is_needed) {
            continue;
        }
        if (layer->op == EW_OP_PAD) {
            drop_padding(layer, part, EW_H);
            drop_padding(layer, part, EW_W);
        }
        for (uint32_t i = 0; i < layer->n_inputs; i++) {
            need_input(m, id, i);
        }
        const double n_lines = (double)part->n_rows * part->n_columns;
        const double n_all = (double)layer->shape[EW_H] * layer->shape[EW_W];
        const struct ew_element_bytes *memory = &m->context->element_bytes;
        double bytes = layer->op == EW_OP_INPUT ? memory->input : memory->activation;
        if (m->shape->wire_bits && m->shape->wire_bits / 8.0 < bytes) {
            bytes = m->shape->wire_bits / 8.0;
        }
        part->share = n_lines / n_all;
        part->bytes = part->share * (double)layer->elements * bytes * m->shape->batch;
    }
}

/* ------------------------------------------------------------------------------------ who reads */

/* Hall's condition for intervals: do any k marked lines of the reader read at least
 * k * marked(input) / marked(reader) marked lines of the input? Windows move monotonically, so runs
 * of neighbours decide; with the differences below, one pass. */
static bool spreads(const struct ew_layer *layer, uint32_t i, int dim,
                    const struct ew_bound_layer *reader, const struct ew_bound_layer *input)
{
    const uint8_t *lines = dim == EW_H ? reader->rows : reader->columns;
    const uint8_t *held = dim == EW_H ? input->rows : input->columns;
    const int64_t n_lines = count_of(reader, dim), n_held = count_of(input, dim);
    int64_t k = 0, least = INT64_MAX, below_lo = 0, below_hi = 0;
    int32_t lo = 0, hi = 0;
    for (int32_t at = 0; at < layer->shape[dim]; at++) {
        if (!lines[at]) {
            continue;
        }
        const struct ew_box in = window(layer, i, dim, at);
        if (ew_box_is_empty(&in) || in.lo[dim] < lo || in.hi[dim] < hi) {
            return false; /* reads nothing, or windows do not move monotonically */
        }
        for (; lo < in.lo[dim]; lo++) {
            below_lo += held[lo];
        }
        for (; hi < in.hi[dim]; hi++) {
            below_hi += held[hi];
        }
        const int64_t begin = k * n_held - below_lo * n_lines;
        least = begin < least ? begin : least;
        k++;
        /* for every a: do lines a..k-1 read (k - a) * n_held / n_lines, or more? */
        if (below_hi * n_lines - k * n_held + least < 0) {
            return false;
        }
    }
    return true;
}

static bool is_whole(const struct ew_bound_layer *part, const struct ew_layer *layer)
{
    return part->n_rows == (uint32_t)layer->shape[EW_H] &&
           part->n_columns == (uint32_t)layer->shape[EW_W];
}

/* Does a share of the reader's work always read that share of its input? */
static bool reads_its_share(const struct maker *m, uint32_t id, uint32_t i)
{
    const struct ew_graph *graph = m->cost->graph;
    const struct ew_layer *layer = &graph->layers[id];
    const struct ew_bound_layer *reader = &m->cost->layers[id];
    const struct ew_bound_layer *input = &m->cost->layers[layer->inputs[i]];
    switch (layer->op) {
    case EW_OP_CONCAT:
        return layer->n_inputs == 1 && spreads(layer, i, EW_H, reader, input) &&
               spreads(layer, i, EW_W, reader, input);
    case EW_OP_FC:
    case EW_OP_FLATTEN:
    case EW_OP_RESHAPE:
        return is_whole(reader, layer) && is_whole(input, &graph->layers[layer->inputs[i]]);
    case EW_OP_CONV:
        break;
    default:
        if (layer->in_shape[i][EW_C] != layer->shape[EW_C]) {
            return false;
        }
        break;
    }
    return spreads(layer, i, EW_H, reader, input) && spreads(layer, i, EW_W, reader, input);
}

static bool reads_only_padding(const struct ew_layer *layer, const struct ew_bound_layer *part)
{
    for (int dim = EW_H; dim <= EW_W; dim++) {
        const uint8_t *lines = dim == EW_H ? part->rows : part->columns;
        for (int32_t at = 0; at < layer->shape[dim]; at++) {
            const struct ew_box in = window(layer, 0, dim, at);
            if (lines[at] && ew_box_is_empty(&in)) {
                return true;
            }
        }
    }
    return false;
}

static enum ew_status find_reads(struct maker *m, struct ew_error *err)
{
    struct ew_bound_cost *cost = m->cost;
    const struct ew_graph *graph = cost->graph;
    size_t n = 0;
    for (uint32_t id = 0; id < graph->n_layers; id++) {
        n += graph->layers[id].n_inputs;
    }
    cost->reads = ew_arena_calloc(&cost->arena, n ? n : 1, sizeof *cost->reads);
    if (!cost->reads) {
        return ew_fail_memory(err);
    }
    for (uint32_t id = 0; id < graph->n_layers; id++) {
        const struct ew_layer *layer = &graph->layers[id];
        cost->layers[id].first_read = cost->n_reads;
        for (uint32_t i = 0; cost->layers[id].is_needed && i < layer->n_inputs; i++) {
            if (reads_its_share(m, id, i)) {
                cost->reads[cost->n_reads++] = (struct ew_bound_read){id, layer->inputs[i]};
            }
        }
        /* a pad makes elements from nothing, and who reads them may start at once */
        if (cost->layers[id].is_needed && layer->op != EW_OP_INPUT &&
            (layer->op == EW_OP_PAD || reads_only_padding(layer, &cost->layers[id]))) {
            cost->may_start_early = true;
        }
    }
    return EW_OK;
}

/* ----------------------------------------------------------------------------------------- time */

/* Least figures of the whole part, such that pieces with the share x of its work have at least x of
 * each, summed up. */
struct amounts {
    double macs;
    double simple_ops;
    double weights; /* conv and fc, without biases */
    double outputs; /* elements */
    double inputs;  /* elements; only of inputs that are read in proportion */
    double input_pixels;
    double input_channels;
    double output_pixels;
};

static struct amounts amounts_of(const struct maker *m, uint32_t id)
{
    const struct ew_bound_cost *cost = m->cost;
    const struct ew_layer *layer = &cost->graph->layers[id];
    const struct ew_bound_layer *part = &cost->layers[id];
    const struct ew_op_view view = ew_layer_view(layer);
    const struct ew_box whole = ew_box_full(layer->shape);
    const double scale = part->share * m->shape->batch;
    struct amounts a = {
        /* A line of a conv_transpose may have fewer taps than another, even none. */
        .macs = layer->op == EW_OP_CONV_TRANSPOSE ? 0 : (double)layer->macs * scale,
        .simple_ops = (double)ew_op_simple_ops(&view, &whole) * scale,
        .outputs = (double)layer->elements * scale,
        .output_pixels = (double)part->n_rows * part->n_columns,
    };
    if (layer->op == EW_OP_CONV || layer->op == EW_OP_FC) {
        const uint64_t biases = layer->attrs.has_bias ? (uint64_t)layer->shape[EW_C] : 0;
        a.weights = layer->params > biases ? (double)(layer->params - biases) : 0;
    }
    for (uint32_t r = part->first_read; r < cost->n_reads && cost->reads[r].reader == id; r++) {
        const struct ew_layer *from = &cost->graph->layers[cost->reads[r].layer];
        const struct ew_bound_layer *input = &cost->layers[cost->reads[r].layer];
        const double pixels = (double)input->n_rows * input->n_columns;
        a.inputs += (double)from->shape[EW_C] * pixels * m->shape->batch;
        a.input_pixels += layer->op == EW_OP_FC ? 0 : pixels;
        a.input_channels += layer->op == EW_OP_FC ? 0 : (double)from->shape[EW_C];
    }
    return a;
}

static double rate_of(const struct ew_profile *profile, const struct ew_layer *layer)
{
    const bool has_classes =
        profile->kind == EW_PROFILE_CLASS_RATES || profile->kind == EW_PROFILE_STAIRCASE;
    return has_classes ? profile->class_flops_per_s[ew_rate_class_of(layer)] : profile->flops_per_s;
}

static double over(double amount, double rate_per_s)
{
    return rate_per_s > 0 ? amount / rate_per_s : 0;
}

/* As ew_cost_compute_s without rounding rows up. A patch serves at most all filters of its group.
 */
static double additive_s(const struct ew_profile *profile, const struct ew_graph *graph,
                         const struct ew_layer *layer, const struct amounts *a)
{
    const enum ew_op_class op_class = ew_op_class(layer->op);
    if (op_class == EW_CLASS_VIEW) {
        return 0;
    }
    if (op_class != EW_CLASS_CONV && op_class != EW_CLASS_FC) {
        const double sum_s = over(a->simple_ops, profile->simple_ops_per_s);
        return sum_s > 0 ? sum_s + profile->layer_overhead_s : 0;
    }
    enum ew_rate_class rate_class = ew_rate_class_of(layer);
    if (rate_class == EW_RATE_CONV_1X1 && layer->attrs.groups > 1) {
        rate_class = EW_RATE_CONV_OTHER;
    }
    const double bytes = graph->bytes_per_element;
    double sum_s = over(2 * a->macs, profile->class_flops_per_s[rate_class]) +
                   over(a->weights * bytes, profile->weight_bytes_per_s);
    if (op_class == EW_CLASS_CONV) {
        sum_s += over((a->inputs + a->outputs) * bytes, profile->activation_bytes_per_s);
        if (rate_class != EW_RATE_DEPTHWISE &&
            (layer->attrs.kernel[0] > 1 || layer->attrs.kernel[1] > 1)) {
            sum_s += over(a->macs / layer->shape[EW_C] * bytes, profile->patch_bytes_per_s);
        }
    }
    return sum_s + profile->layer_overhead_s;
}

/* As ew_cost_compute_s without the staircase's rounding up. */
static double rated_s(const struct ew_profile *profile, const struct ew_graph *graph,
                      const struct ew_layer *layer, const struct amounts *a)
{
    const enum ew_op_class op_class = ew_op_class(layer->op);
    double sum_s = 0;
    if (profile->kind == EW_PROFILE_ADDITIVE) {
        return additive_s(profile, graph, layer, a);
    }
    if (op_class == EW_CLASS_VIEW) {
        return 0;
    }
    if (op_class == EW_CLASS_CONV || op_class == EW_CLASS_FC) {
        sum_s = over(2 * a->macs, rate_of(profile, layer));
        if (op_class == EW_CLASS_FC) {
            sum_s = fmax(sum_s,
                         over(a->weights * graph->bytes_per_element, profile->weight_bytes_per_s));
        }
    } else {
        sum_s = over(a->simple_ops, profile->simple_ops_per_s);
    }
    sum_s +=
        over((a->inputs + a->outputs) * graph->bytes_per_element, profile->activation_bytes_per_s);
    return sum_s > 0 ? sum_s + profile->layer_overhead_s : 0;
}

static double feature_of(enum ew_feature feature, const struct ew_graph *graph,
                         const struct ew_layer *layer, const struct amounts *a)
{
    const struct ew_op_attrs *attrs = &layer->attrs;
    switch (feature) {
    case EW_FEATURE_ONE:
        return 1;
    case EW_FEATURE_INPUT_ELEMENTS:
        return a->inputs;
    case EW_FEATURE_INPUT_BYTES:
        return a->inputs * graph->bytes_per_element;
    case EW_FEATURE_INPUT_CHANNELS:
        return ew_op_class(layer->op) == EW_CLASS_VIEW ? 0 : a->input_channels;
    case EW_FEATURE_OUTPUT_ELEMENTS:
        return a->outputs;
    case EW_FEATURE_OUTPUT_BYTES:
        return a->outputs * graph->bytes_per_element;
    case EW_FEATURE_FILTER:
        return layer->op != EW_OP_CONV
                   ? 0
                   : (double)attrs->kernel[0] / attrs->stride[0] *
                         ((double)attrs->kernel[1] / attrs->stride[1]) * layer->shape[EW_C];
    case EW_FEATURE_WEIGHT_BYTES:
        return a->weights * graph->bytes_per_element;
    case EW_FEATURE_MACS:
        return a->macs;
    case EW_FEATURE_INPUT_PIXELS:
        return ew_op_class(layer->op) == EW_CLASS_VIEW ? 0 : a->input_pixels;
    case EW_FEATURE_OUTPUT_PIXELS:
        return a->output_pixels;
    case EW_FEATURE_COUNT:
        break;
    }
    return 0;
}

/* A term below zero lets small pieces cost nothing: then 0 is all that holds for every plan. */
static double regression_s(const struct ew_regression *regression, const struct ew_graph *graph,
                           const struct ew_layer *layer, const struct amounts *a)
{
    double sum_s = 0;
    for (uint32_t t = 0; t < regression->n_terms; t++) {
        const struct ew_term *term = &regression->terms[t];
        if (term->coefficient_s < 0) {
            return 0;
        }
        sum_s += term->coefficient_s * feature_of(term->feature, graph, layer, a);
    }
    return sum_s;
}

static const struct ew_table_layer *find_table(const struct ew_profile *profile,
                                               const struct ew_graph *graph,
                                               const struct ew_layer *layer)
{
    for (uint32_t i = 0; i < profile->n_table_layers; i++) {
        const struct ew_table_layer *entry = &profile->table_layers[i];
        if (strcmp(entry->graph, graph->name) == 0 && strcmp(entry->layer, layer->name) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* Least seconds per row. Between measured points time is linear in rows, so time per row is
 * monotone there and least at a point, at one row or at all of them. */
static double table_s(const struct maker *m, const struct ew_profile *profile,
                      const struct ew_table_layer *entry, uint32_t id)
{
    const struct ew_layer *layer = &m->cost->graph->layers[id];
    const struct ew_bound_layer *part = &m->cost->layers[id];
    const int32_t height = layer->shape[EW_H];
    double least_s = INFINITY;
    for (uint32_t k = 0; k < entry->n + 2; k++) {
        const double rows = k < entry->n ? entry->rows[k] : k == entry->n ? 1 : height;
        if (rows > height) {
            continue;
        }
        struct ew_cost_query query = {m->cost->graph, layer, ew_box_full(layer->shape), NULL};
        query.out.hi[EW_H] = (int32_t)rows;
        least_s = fmin(least_s, ew_cost_compute_s(profile, &query) / rows);
    }
    return least_s * part->n_rows * ((double)part->n_columns / layer->shape[EW_W]) *
           m->shape->batch;
}

static double time_of(const struct maker *m, const struct ew_profile *profile, uint32_t id,
                      const struct amounts *a)
{
    const struct ew_graph *graph = m->cost->graph;
    const struct ew_layer *layer = &graph->layers[id];
    if (profile->kind == EW_PROFILE_REGRESSION && profile->regression[layer->op].n_terms) {
        return regression_s(&profile->regression[layer->op], graph, layer, a);
    }
    if (profile->kind == EW_PROFILE_TABLE) {
        const struct ew_table_layer *entry = find_table(profile, graph, layer);
        if (entry) {
            return table_s(m, profile, entry, id);
        }
        if (profile->fallback) {
            return time_of(m, profile->fallback, id, a);
        }
    }
    return rated_s(profile, graph, layer, a);
}

static enum ew_status find_times(struct maker *m, struct ew_error *err)
{
    struct ew_bound_cost *cost = m->cost;
    const struct ew_platform *platform = m->context->platform;
    const size_t n = (size_t)cost->graph->n_layers * platform->n_devices;
    cost->time_s = ew_arena_calloc(&cost->arena, n, sizeof *cost->time_s);
    if (!cost->time_s) {
        return ew_fail_memory(err);
    }
    for (uint32_t id = 0; id < cost->graph->n_layers; id++) {
        if (!cost->layers[id].is_needed || cost->graph->layers[id].op == EW_OP_INPUT) {
            continue;
        }
        const struct amounts a = amounts_of(m, id);
        double *time_s = &cost->time_s[(size_t)id * platform->n_devices];
        for (uint32_t d = 0; d < platform->n_devices; d++) {
            uint32_t same = 0;
            while (platform->devices[same].profile != platform->devices[d].profile) {
                same++;
            }
            time_s[d] = same < d ? time_s[same] : time_of(m, platform->devices[d].profile, id, &a);
        }
    }
    return EW_OK;
}

/* -------------------------------------------------------------------------------------- the whole
 */

static enum ew_status make_room(struct maker *m, struct ew_error *err)
{
    struct ew_bound_cost *cost = m->cost;
    const struct ew_graph *graph = cost->graph;
    uint64_t n = 0;
    size_t longest = 1;
    for (uint32_t id = 0; id < graph->n_layers; id++) {
        const int32_t *shape = graph->layers[id].shape;
        n += (uint64_t)shape[EW_H] + (uint64_t)shape[EW_W];
        longest = (size_t)shape[EW_H] > longest ? (size_t)shape[EW_H] : longest;
        longest = (size_t)shape[EW_W] > longest ? (size_t)shape[EW_W] : longest;
    }
    if (n > MAX_MARKS) {
        return ew_fail(err, EW_ENOTSUP,
                       "lower bound: expected at most %llu rows and columns in "
                       "all layers, found %llu",
                       (unsigned long long)MAX_MARKS, (unsigned long long)n);
    }
    cost->layers = ew_arena_calloc(&cost->arena, graph->n_layers, sizeof *cost->layers);
    m->rows = ew_arena_calloc(&cost->arena, longest, 1);
    m->columns = ew_arena_calloc(&cost->arena, longest, 1);
    if (!cost->layers || !m->rows || !m->columns) {
        return ew_fail_memory(err);
    }
    for (uint32_t id = 0; id < graph->n_layers; id++) {
        const int32_t *shape = graph->layers[id].shape;
        struct ew_bound_layer *part = &cost->layers[id];
        part->rows = ew_arena_calloc(&cost->arena, (size_t)shape[EW_H], 1);
        part->columns = ew_arena_calloc(&cost->arena, (size_t)shape[EW_W], 1);
        if (!part->rows || !part->columns) {
            return ew_fail_memory(err);
        }
    }
    return EW_OK;
}

enum ew_status ew_bound_cost_make(struct ew_bound_cost *out, const struct ew_plan_context *context,
                                  const struct ew_graph *graph, uint32_t exit,
                                  const struct ew_bound_shape *shape, struct ew_error *err)
{
    *out = (struct ew_bound_cost){.graph = graph, .exit = &graph->exits[exit]};
    struct maker m = {.cost = out, .context = context, .shape = shape};
    enum ew_status status = make_room(&m, err);
    if (status == EW_OK) {
        find_parts(&m);
        status = find_reads(&m, err);
    }
    if (status == EW_OK) {
        status = find_times(&m, err);
    }
    return status;
}

void ew_bound_cost_fini(struct ew_bound_cost *cost)
{
    ew_arena_fini(&cost->arena);
    *cost = (struct ew_bound_cost){0};
}
