/*
 * How far float32 answers of whole networks are from the exact ones, and what splitting every sum
 * over input channels adds to that:
 *
 *   bench_rounding PARTS GRAPH...
 *
 * Random weights and inputs, three seeds. Three answers: evaluated in double precision; by the
 * reference kernels, unsplit; by them with the sums of every layer in PARTS parts, which are added
 * as by workers. Printed are largest differences as part of the largest exact value plus 1.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exec/forward.h"
#include "engine/exec/graph_weights.h"
#include "io/graph_file.h"

static void die(const char *why)
{
    (void)fprintf(stderr, "bench_rounding: %s\n", why);
    exit(EXIT_FAILURE);
}

static void *get_memory(size_t n, size_t size)
{
    void *memory = calloc(n + 1, size);
    if (!memory) {
        die("out of memory");
    }
    return memory;
}

/* ---- kernels whose sums are split ---- */

enum { MAX_PARTS = 16 };

struct split_weights {
    uint32_t n; /* 1: the whole layer */
    struct ew_reduction reductions[MAX_PARTS];
    struct ew_kernel_weights *parts[MAX_PARTS];
    float *bias;
};

static const struct ew_kernels *whole(const struct ew_kernels *split)
{
    (void)split;
    return ew_kernels_at(0);
}

/* Length of the sum that can be split; 1 when none can. */
static int32_t sum_length(const struct ew_op_view *layer)
{
    const int32_t *in = layer->in_shape[0];
    const bool is_conv = layer->op == EW_OP_CONV && layer->attrs->groups == 1;
    return is_conv ? in[EW_C] : layer->op == EW_OP_FC ? in[EW_C] * in[EW_H] * in[EW_W] : 1;
}

static enum ew_status prepare(struct ew_kernel_weights **out, const struct ew_kernels *kernels,
                              const struct ew_kernel_task *task,
                              const struct ew_weight_source *source, struct ew_error *err)
{
    struct split_weights *w = get_memory(1, sizeof *w);
    const int32_t length = sum_length(&task->layer);
    const int32_t wanted = *(const int32_t *)kernels->self;
    const size_t n_channels = (size_t)task->channels[1];
    enum ew_status status = EW_OK;
    w->n = (uint32_t)(length < wanted ? 1 : wanted);
    for (uint32_t p = 0; p < w->n && status == EW_OK; p++) {
        struct ew_kernel_task part = *task;
        w->reductions[p] = (struct ew_reduction){length * (int32_t)p / (int32_t)w->n,
                                                 length * (int32_t)(p + 1) / (int32_t)w->n};
        part.reduction = w->n > 1 ? &w->reductions[p] : NULL;
        status = whole(kernels)->prepare(&w->parts[p], whole(kernels), &part, source, err);
    }
    if (status == EW_OK && w->n > 1 && task->layer.attrs->has_bias) {
        w->bias = get_memory(n_channels, sizeof *w->bias);
        status = source->read(w->bias, source->self, task, EW_WEIGHT_BIAS, 0, n_channels, err);
    }
    *out = (struct ew_kernel_weights *)(void *)w;
    return status;
}

static enum ew_status run(struct ew_tensor *out, const struct ew_kernels *kernels,
                          const struct ew_kernel_task *task,
                          const struct ew_kernel_weights *weights, const struct ew_tensor *inputs,
                          struct ew_kernel_scratch *scratch, struct ew_error *err)
{
    const struct split_weights *w = (const void *)weights;
    if (w->n == 1) {
        return whole(kernels)->run(out, whole(kernels), task, w->parts[0], inputs, scratch, err);
    }
    struct ew_tensor partials[MAX_PARTS];
    enum ew_status status = EW_OK;
    for (uint32_t p = 0; p < w->n; p++) {
        struct ew_kernel_task part = *task;
        part.reduction = &w->reductions[p];
        partials[p] =
            (struct ew_tensor){get_memory(ew_tensor_floats(&out->box), sizeof(float)), out->box};
        if (status == EW_OK) {
            status = whole(kernels)->run(&partials[p], whole(kernels), &part, w->parts[p], inputs,
                                         scratch, err);
        }
    }
    if (status == EW_OK) {
        ew_kernels_sum(out, w->n, partials, w->bias);
    }
    for (uint32_t p = 0; p < w->n; p++) {
        free(partials[p].values);
    }
    return status;
}

static void release(struct ew_kernel_weights *weights)
{
    struct split_weights *w = (void *)weights;
    for (uint32_t p = 0; w && p < w->n; p++) {
        ew_kernels_at(0)->release(w->parts[p]);
    }
    if (w) {
        free(w->bias);
        free(w);
    }
}

/* ---- in double precision ---- */

struct exact {
    const struct ew_graph *graph;
    const struct ew_weight_source *source;
    double **values; /* per layer */
};

static float *read_part(const struct exact *e, uint32_t i, enum ew_weight_part part, uint64_t n)
{
    struct ew_error err = {0};
    const struct ew_layer *layer = &e->graph->layers[i];
    const struct ew_kernel_task task = {
        .layer = ew_layer_view(layer), .layer_id = i, .channels = {0, layer->shape[EW_C]}};
    float *out = get_memory(n, sizeof *out);
    if (e->source->read(out, e->source->self, &task, part, 0, n, &err) != EW_OK) {
        die(err.message);
    }
    return out;
}

/* One output of a convolution; an fc is one whose window is the whole input. */
static double convolve(const struct ew_layer *l, const int32_t *in, const double *x,
                       const float *filter, int32_t c, int32_t y, int32_t column)
{
    const bool is_fc = l->op == EW_OP_FC;
    const struct ew_op_attrs *a = &l->attrs;
    const int32_t kernel[2] = {is_fc ? in[EW_H] : a->kernel[0], is_fc ? in[EW_W] : a->kernel[1]};
    const int32_t groups = is_fc ? 1 : a->groups;
    const int32_t per_group = in[EW_C] / groups;
    const int32_t first = c / (l->shape[EW_C] / groups) * per_group;
    const float *w = filter + (size_t)c * (size_t)(per_group * kernel[0] * kernel[1]);
    double sum = 0;
    for (int32_t i = 0; i < per_group; i++) {
        for (int32_t u = 0; u < kernel[0]; u++) {
            for (int32_t v = 0; v < kernel[1]; v++, w++) {
                const int32_t row = is_fc ? u : y * a->stride[0] - a->pads[0] + u * a->dilation[0];
                const int32_t col =
                    is_fc ? v : column * a->stride[1] - a->pads[1] + v * a->dilation[1];
                if (row >= 0 && row < in[EW_H] && col >= 0 && col < in[EW_W]) {
                    sum += (double)*w * x[((first + i) * in[EW_H] + row) * in[EW_W] + col];
                }
            }
        }
    }
    return sum;
}

static void multiply(struct exact *e, uint32_t i)
{
    const struct ew_layer *l = &e->graph->layers[i];
    const int32_t *in = e->graph->layers[l->inputs[0]].shape;
    const uint64_t n_rows = (uint64_t)l->shape[EW_C];
    const uint64_t row = l->op == EW_OP_FC
                             ? (uint64_t)in[EW_C] * (uint64_t)in[EW_H] * (uint64_t)in[EW_W]
                             : (uint64_t)(in[EW_C] / l->attrs.groups) *
                                   (uint64_t)l->attrs.kernel[0] * (uint64_t)l->attrs.kernel[1];
    float *filter = read_part(e, i, EW_WEIGHT_FILTER, n_rows * row);
    float *bias = l->attrs.has_bias ? read_part(e, i, EW_WEIGHT_BIAS, n_rows) : NULL;
    double *to = e->values[i];
    for (int32_t c = 0; c < l->shape[EW_C]; c++) {
        for (int32_t y = 0; y < l->shape[EW_H]; y++) {
            for (int32_t x = 0; x < l->shape[EW_W]; x++) {
                *to++ = convolve(l, in, e->values[l->inputs[0]], filter, c, y, x) +
                        (bias ? (double)bias[c] : 0);
            }
        }
    }
    free(filter);
    free(bias);
}

static void pool(struct exact *e, uint32_t i)
{
    const struct ew_layer *l = &e->graph->layers[i];
    const int32_t plane =
        e->graph->layers[l->inputs[0]].shape[EW_H] * e->graph->layers[l->inputs[0]].shape[EW_W];
    for (int32_t c = 0; c < l->shape[EW_C]; c++) {
        double sum = 0;
        for (int32_t k = 0; k < plane; k++) {
            sum += e->values[l->inputs[0]][c * plane + k];
        }
        e->values[i][c] = sum / plane;
    }
}

static void map(struct exact *e, uint32_t i, size_t n)
{
    const struct ew_layer *l = &e->graph->layers[i];
    const size_t plane = (size_t)l->shape[EW_H] * (size_t)l->shape[EW_W];
    const bool is_norm = l->op == EW_OP_BATCHNORM;
    float *scale = is_norm ? read_part(e, i, EW_WEIGHT_SCALE, n / plane) : NULL;
    float *shift = is_norm ? read_part(e, i, EW_WEIGHT_SHIFT, n / plane) : NULL;
    for (size_t k = 0; k < n; k++) {
        const double x = e->values[l->inputs[0]][k];
        e->values[i][k] = is_norm ? x * (double)scale[k / plane] + (double)shift[k / plane]
                          : l->op == EW_OP_ADD   ? x + e->values[l->inputs[1]][k]
                          : l->op == EW_OP_RELU  ? fmax(x, 0)
                          : l->op == EW_OP_RELU6 ? fmin(fmax(x, 0), 6)
                                                 : x;
    }
    free(scale);
    free(shift);
}

static void evaluate(struct exact *e, const struct ew_tensor *input)
{
    for (uint32_t i = 0; i < e->graph->n_layers; i++) {
        const struct ew_layer *l = &e->graph->layers[i];
        const struct ew_box box = ew_box_full(l->shape);
        const size_t n = (size_t)ew_box_volume(&box);
        e->values[i] = get_memory(n, sizeof(double));
        switch (l->op) {
        case EW_OP_INPUT:
            for (size_t k = 0; k < n; k++) {
                e->values[i][k] = (double)input->values[k];
            }
            break;
        case EW_OP_CONV:
        case EW_OP_FC:
            multiply(e, i);
            break;
        case EW_OP_GLOBAL_AVG_POOL:
            pool(e, i);
            break;
        case EW_OP_BATCHNORM:
        case EW_OP_ADD:
        case EW_OP_RELU:
        case EW_OP_RELU6:
        case EW_OP_FLATTEN:
        case EW_OP_DROPOUT:
            map(e, i, n);
            break;
        default:
            die("a layer of this network is none of those that this program knows");
        }
    }
}

/* ---- comparing ---- */

static float *answer(const struct ew_graph *graph, const struct ew_kernels *kernels,
                     const struct ew_weight_source *source, const struct ew_tensor *input, size_t n)
{
    struct ew_error err = {0};
    struct ew_forward *forward = NULL;
    struct ew_tensor output;
    if (ew_forward_new(&forward, graph, graph->n_exits - 1, kernels, source, &err) != EW_OK ||
        ew_forward_run(&output, forward, input, NULL, &err) != EW_OK) {
        die(err.message);
    }
    float *values = get_memory(n, sizeof *values);
    memcpy(values, output.values, n * sizeof *values);
    ew_forward_put(forward, &output);
    ew_forward_free(forward);
    return values;
}

static void compare(const struct ew_graph *graph, const struct ew_kernels *split, uint64_t seed)
{
    struct ew_error err = {0};
    struct ew_graph_weights weights;
    if (graph->exits[graph->n_exits - 1].n_layers != 1 ||
        ew_graph_weights_open(&weights, graph, true, NULL, seed, &err) != EW_OK) {
        die("a network with one output is needed");
    }
    const struct ew_weight_source source = ew_graph_weights_source(&weights);
    const struct ew_box box = ew_box_full(graph->layers[graph->inputs[0]].shape);
    struct ew_tensor input = {get_memory(ew_tensor_floats(&box), sizeof(float)), box};
    for (uint64_t k = 0; k < ew_box_volume(&box); k++) {
        input.values[k] = ew_random_value(seed, 0, k);
    }
    const uint32_t last = graph->exits[graph->n_exits - 1].layers[0];
    const struct ew_box out = ew_box_full(graph->layers[last].shape);
    const size_t n = (size_t)ew_box_volume(&out);
    struct exact e = {graph, &source, get_memory(graph->n_layers, sizeof(double *))};
    evaluate(&e, &input);
    float *one = answer(graph, ew_kernels_at(0), &source, &input, n);
    float *parts = answer(graph, split, &source, &input, n);
    double largest = 0, of_one = 0, of_parts = 0, between = 0;
    for (size_t k = 0; k < n; k++) {
        const double exact = e.values[last][k];
        largest = fmax(largest, fabs(exact));
        of_one = fmax(of_one, fabs((double)one[k] - exact));
        of_parts = fmax(of_parts, fabs((double)parts[k] - exact));
        between = fmax(between, fabs((double)parts[k] - (double)one[k]));
    }
    printf("%-14s seed %llu: unsplit %.2g off, split %.2g off, %.2g between them\n", graph->name,
           (unsigned long long)seed, of_one / (largest + 1), of_parts / (largest + 1),
           between / (largest + 1));
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        free(e.values[i]);
    }
    free(e.values);
    free(one);
    free(parts);
    free(input.values);
    ew_graph_weights_close(&weights);
}

int main(int argc, char **argv)
{
    const int32_t n_parts = argc > 2 ? (int32_t)strtol(argv[1], NULL, 10) : 0;
    if (n_parts < 1 || n_parts > MAX_PARTS) {
        die("usage: bench_rounding PARTS GRAPH... (at most 16 parts)");
    }
    struct ew_kernels split = *ew_kernels_at(0);
    split.self = &n_parts;
    split.prepare = prepare;
    split.run = run;
    split.release = release;
    for (int i = 2; i < argc; i++) {
        struct ew_error err = {0};
        struct ew_graph *graph = NULL;
        if (ew_graph_load_file(&graph, NULL, argv[i], &err) != EW_OK) {
            die(err.message);
        }
        for (uint64_t seed = 1; seed <= 3; seed++) {
            compare(graph, &split, seed);
        }
        ew_graph_free(graph);
    }
    return EXIT_SUCCESS;
}
