#include "engine/exec/forward.h"

#include <stdlib.h>

#include "base/system.h"

struct ew_forward {
    const struct ew_graph *graph;
    const struct ew_kernels *kernels;
    const struct ew_exit *exit;
    bool *is_needed;                    /* per layer */
    struct ew_kernel_task *tasks;       /* per layer */
    struct ew_kernel_weights **weights; /* per layer */
    struct ew_tensor *tensors;          /* per layer */
    uint32_t *n_readers;                /* per layer: needed layers that read it, and the exit */
    uint32_t *n_left;                   /* of them, in the current run */
    struct ew_tensor_pool pool;
    struct ew_kernel_scratch scratch;
};

static bool allocate(struct ew_forward *f, uint32_t n)
{
    f->is_needed = calloc(n, sizeof *f->is_needed);
    f->tasks = calloc(n, sizeof *f->tasks);
    f->weights = calloc(n, sizeof *f->weights);
    f->tensors = calloc(n, sizeof *f->tensors);
    f->n_readers = calloc(n, sizeof *f->n_readers);
    f->n_left = calloc(n, sizeof *f->n_left);
    return f->is_needed && f->tasks && f->weights && f->tensors && f->n_readers && f->n_left;
}

static enum ew_status prepare_layers(struct ew_forward *f, const struct ew_weight_source *source,
                                     struct ew_error *err)
{
    for (uint32_t i = 0; i < f->graph->n_layers; i++) {
        const struct ew_layer *layer = &f->graph->layers[i];
        if (!f->is_needed[i] || layer->op == EW_OP_INPUT) {
            continue;
        }
        f->tasks[i] = (struct ew_kernel_task){
            .layer = ew_layer_view(layer), .layer_id = i, .channels = {0, layer->shape[EW_C]}};
        const enum ew_status status =
            f->kernels->prepare(&f->weights[i], f->kernels, &f->tasks[i], source, err);
        if (status != EW_OK) {
            return ew_prefix(err, "layer '%s': ", layer->name), status;
        }
        for (uint32_t k = 0; k < layer->n_inputs; k++) {
            f->n_readers[layer->inputs[k]]++;
        }
    }
    for (uint32_t i = 0; i < f->exit->n_layers; i++) {
        f->n_readers[f->exit->layers[i]]++;
    }
    return EW_OK;
}

enum ew_status ew_forward_new(struct ew_forward **out, const struct ew_graph *graph, uint32_t exit,
                              const struct ew_kernels *kernels,
                              const struct ew_weight_source *source, struct ew_error *err)
{
    struct ew_forward *f = calloc(1, sizeof *f);
    if (!f) {
        return ew_fail(err, EW_ENOMEM, "out of memory");
    }
    f->graph = graph;
    f->kernels = kernels;
    f->exit = &graph->exits[exit];
    enum ew_status status = EW_OK;
    if (!allocate(f, graph->n_layers)) {
        status = ew_fail(err, EW_ENOMEM, "out of memory");
    } else {
        ew_graph_exit_layers(f->is_needed, graph, exit);
        status = prepare_layers(f, source, err);
    }
    if (status != EW_OK) {
        ew_forward_free(f);
        return status;
    }
    *out = f;
    return EW_OK;
}

/* A reader is done with a layer's tensor: the last one gives it back. Inputs are the caller's. */
static void drop_reader(struct ew_forward *f, uint32_t layer)
{
    if (--f->n_left[layer] == 0 && f->graph->layers[layer].op != EW_OP_INPUT) {
        ew_tensor_put(&f->pool, &f->tensors[layer]);
    }
}

static enum ew_status run_layer(struct ew_forward *f, uint32_t i, struct ew_tensor *inputs,
                                struct ew_error *err)
{
    const struct ew_layer *layer = &f->graph->layers[i];
    for (uint32_t k = 0; k < layer->n_inputs; k++) {
        inputs[k] = f->tensors[layer->inputs[k]];
    }
    struct ew_box box = ew_box_full(layer->shape);
    box.hi[EW_N] = ew_box_extent(&inputs[0].box, EW_N);
    enum ew_status status = ew_tensor_get(&f->tensors[i], &f->pool, &box, err);
    if (status == EW_OK) {
        status = f->kernels->run(&f->tensors[i], f->kernels, &f->tasks[i], f->weights[i], inputs,
                                 &f->scratch, err);
    }
    for (uint32_t k = 0; status == EW_OK && k < layer->n_inputs; k++) {
        drop_reader(f, layer->inputs[k]);
    }
    return status;
}

static uint32_t most_inputs(const struct ew_graph *graph)
{
    uint32_t most = 1;
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        most = graph->layers[i].n_inputs > most ? graph->layers[i].n_inputs : most;
    }
    return most;
}

static void begin_run(struct ew_forward *f, const struct ew_tensor *inputs)
{
    for (uint32_t i = 0; i < f->graph->n_layers; i++) {
        f->n_left[i] = f->n_readers[i];
    }
    for (uint32_t i = 0; i < f->graph->n_inputs; i++) {
        f->tensors[f->graph->inputs[i]] = inputs[i];
    }
}

static void end_run(struct ew_forward *f)
{
    for (uint32_t i = 0; i < f->graph->n_layers; i++) {
        if (f->graph->layers[i].op == EW_OP_INPUT) {
            f->tensors[i].values = NULL;
        }
        ew_tensor_put(&f->pool, &f->tensors[i]);
    }
}

enum ew_status ew_forward_run(struct ew_tensor *outputs, struct ew_forward *f,
                              const struct ew_tensor *inputs, double *layer_s, struct ew_error *err)
{
    struct ew_tensor *operands = calloc(most_inputs(f->graph), sizeof *operands);
    if (!operands) {
        return ew_fail(err, EW_ENOMEM, "out of memory");
    }
    begin_run(f, inputs);
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < f->graph->n_layers && status == EW_OK; i++) {
        const double start_s = layer_s ? ew_now_s() : 0.0;
        if (f->is_needed[i] && f->graph->layers[i].op != EW_OP_INPUT) {
            status = run_layer(f, i, operands, err);
        }
        if (layer_s) {
            layer_s[i] = ew_now_s() - start_s;
        }
    }
    for (uint32_t i = 0; status == EW_OK && i < f->exit->n_layers; i++) {
        outputs[i] = f->tensors[f->exit->layers[i]];
        f->tensors[f->exit->layers[i]].values = NULL;
    }
    end_run(f);
    free(operands);
    return status;
}

void ew_forward_put(struct ew_forward *f, struct ew_tensor *outputs)
{
    for (uint32_t i = 0; i < f->exit->n_layers; i++) {
        ew_tensor_put(&f->pool, &outputs[i]);
    }
}

void ew_forward_free(struct ew_forward *f)
{
    if (!f) {
        return;
    }
    for (uint32_t i = 0; f->weights && i < f->graph->n_layers; i++) {
        f->kernels->release(f->weights[i]);
    }
    ew_tensor_pool_fini(&f->pool);
    ew_kernel_scratch_fini(&f->scratch);
    free(f->is_needed);
    free(f->tasks);
    free(f->weights);
    free(f->tensors);
    free(f->n_readers);
    free(f->n_left);
    free(f);
}
