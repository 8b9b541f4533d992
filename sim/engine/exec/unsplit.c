#include "engine/exec/unsplit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "engine/exec/forward.h"
#include "engine/exec/random_weights.h"

/* A forward pass asks for weights without a variant; this adds it. */
struct variant_source {
    const struct ew_weight_source *source;
    uint32_t variant;
};

/* One graph and exit that has been needed. */
struct pass {
    struct variant_source weights;
    uint32_t exit;
    struct ew_forward *forward;
};

struct ew_unsplit {
    const struct ew_graph *graph;
    const struct ew_kernels *kernels;
    struct ew_weight_source source;
    EW_VEC(struct pass *) passes;
};

static enum ew_status read_of_variant(float *out, const void *self,
                                      const struct ew_kernel_task *task, enum ew_weight_part part,
                                      uint64_t first, uint64_t count, struct ew_error *err)
{
    const struct variant_source *v = self;
    struct ew_kernel_task of_variant = *task;
    of_variant.variant = v->variant;
    return v->source->read(out, v->source->self, &of_variant, part, first, count, err);
}

enum ew_status ew_unsplit_new(struct ew_unsplit **out, const struct ew_graph *graph,
                              const struct ew_kernels *kernels, struct ew_weight_source source,
                              struct ew_error *err)
{
    struct ew_unsplit *u = calloc(1, sizeof *u);
    if (!u) {
        return ew_fail_memory(err);
    }
    u->graph = graph;
    u->kernels = kernels;
    u->source = source;
    *out = u;
    return EW_OK;
}

static enum ew_status find_pass(struct ew_forward **out, struct ew_unsplit *u,
                                const struct ew_segment *segment, struct ew_error *err)
{
    for (size_t i = 0; i < u->passes.count; i++) {
        const struct pass *p = u->passes.items[i];
        if (p->weights.variant == segment->variant && p->exit == segment->exit) {
            *out = p->forward;
            return EW_OK;
        }
    }
    struct pass *pass = calloc(1, sizeof *pass);
    if (!pass || !ew_vec_push(&u->passes, pass)) {
        free(pass);
        return ew_fail_memory(err);
    }
    *pass = (struct pass){{&u->source, segment->variant}, segment->exit, NULL};
    const struct ew_weight_source source = {&pass->weights, read_of_variant};
    const enum ew_status status =
        ew_forward_new(&pass->forward, ew_segment_graph(u->graph, segment), segment->exit,
                       u->kernels, &source, err);
    if (status != EW_OK) { /* it is the last one */
        u->passes.count--;
        free(pass);
        return status;
    }
    *out = pass->forward;
    return EW_OK;
}

static struct ew_box input_box(const struct ew_graph *graph, uint32_t i,
                               const struct ew_segment *segment)
{
    struct ew_box box = ew_box_full(graph->layers[graph->inputs[i]].shape);
    box.hi[EW_N] = segment->image_hi - segment->image_lo;
    return box;
}

/* Values of an answer so far, and of the input that have been used. */
struct progress {
    float *values;
    uint64_t n;
    uint64_t capacity;
    uint64_t n_input;
};

static enum ew_status append(struct progress *p, const struct ew_tensor *tensor,
                             struct ew_error *err)
{
    const uint64_t n = ew_box_volume(&tensor->box);
    size_t capacity = p->capacity;
    if (!ew_vec_grow((void **)&p->values, &capacity, p->n + n, sizeof *p->values)) {
        return ew_fail_memory(err);
    }
    p->capacity = capacity;
    memcpy(p->values + p->n, tensor->values, n * sizeof *p->values);
    p->n += n;
    return EW_OK;
}

static void fill_input(struct ew_tensor *out, const struct ew_unsplit_job *job, uint32_t input,
                       const struct ew_segment *segment, uint64_t n_made)
{
    const uint64_t n = ew_box_volume(&out->box);
    if (!job->inputs) {
        ew_random_values(out->values, job->input_seed, job->job, n_made, n);
        return;
    }
    const uint64_t n_images = (uint64_t)ew_box_extent(&out->box, EW_N);
    for (uint64_t k = 0; k < n_images; k++) {
        const uint64_t image = job->first_image + (uint64_t)segment->image_lo + k;
        memcpy(out->values + k * (n / n_images), ew_exec_input_values(job->inputs, input, image),
               n / n_images * sizeof(float));
    }
}

static enum ew_status make_inputs(struct ew_tensor *inputs, struct ew_tensor_pool *pool,
                                  struct progress *p, const struct ew_graph *graph,
                                  const struct ew_segment *segment,
                                  const struct ew_unsplit_job *job, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < graph->n_inputs && status == EW_OK; i++) {
        const struct ew_box box = input_box(graph, i, segment);
        status = ew_tensor_get(&inputs[i], pool, &box, err);
        if (status == EW_OK) {
            fill_input(&inputs[i], job, i, segment, p->n_input);
            p->n_input += ew_box_volume(&box);
        }
    }
    return status;
}

static enum ew_status run_segment(struct progress *p, struct ew_unsplit *u,
                                  const struct ew_segment *segment,
                                  const struct ew_unsplit_job *job, struct ew_error *err)
{
    const struct ew_graph *graph = ew_segment_graph(u->graph, segment);
    const uint32_t n_outputs = graph->exits[segment->exit].n_layers;
    struct ew_forward *forward = NULL;
    struct ew_tensor_pool pool = {0};
    struct ew_tensor *inputs = calloc(graph->n_inputs + 1u, sizeof *inputs);
    struct ew_tensor *outputs = calloc(n_outputs + 1u, sizeof *outputs);
    enum ew_status status = inputs && outputs ? EW_OK : ew_fail_memory(err);
    status = status ? status : find_pass(&forward, u, segment, err);
    status = status ? status : make_inputs(inputs, &pool, p, graph, segment, job, err);
    status = status ? status : ew_forward_run(outputs, forward, inputs, NULL, err);
    if (status == EW_OK) {
        for (uint32_t i = 0; i < n_outputs && status == EW_OK; i++) {
            status = append(p, &outputs[i], err);
        }
        ew_forward_put(forward, outputs);
    }
    for (uint32_t i = 0; inputs && i < graph->n_inputs; i++) {
        ew_tensor_put(&pool, &inputs[i]);
    }
    ew_tensor_pool_fini(&pool);
    free(inputs);
    free(outputs);
    return status;
}

enum ew_status ew_unsplit_run(float **values, uint64_t *n_values, struct ew_unsplit *unsplit,
                              const struct ew_plan *plan, const struct ew_unsplit_job *job,
                              struct ew_error *err)
{
    struct progress p = {0};
    enum ew_status status = EW_OK;
    for (uint32_t s = 0; s < plan->n_segments && status == EW_OK; s++) {
        status = run_segment(&p, unsplit, &plan->segments[s], job, err);
    }
    if (status != EW_OK) {
        free(p.values);
        return status;
    }
    *values = p.values;
    *n_values = p.n;
    return EW_OK;
}

static bool has_partial_sums(const struct ew_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        if (plan->pieces[i].role == EW_PIECE_PARTIAL) {
            return true;
        }
    }
    return false;
}

static uint32_t fewest_bits(const struct ew_graph *graph, const struct ew_plan *plan)
{
    uint32_t bits = 32;
    for (uint32_t v = 0; v < plan->n_boundary_variants; v++) {
        for (uint32_t l = 0; plan->boundaries[v] && l < graph->variants[v].graph->n_layers; l++) {
            const uint32_t own = plan->boundaries[v][l].wire_bits;
            bits = own && own < bits ? own : bits;
        }
    }
    return bits;
}

double ew_unsplit_tolerance(const struct ew_graph *graph, const struct ew_plan *plan,
                            const struct ew_kernels *kernels)
{
    const uint32_t bits = fewest_bits(graph, plan);
    const bool is_reordered = has_partial_sums(plan) || !kernels->is_exact;
    return bits <= 8 ? INFINITY : bits <= 16 ? 0.05 : is_reordered ? 1e-4 : 0;
}

void ew_unsplit_free(struct ew_unsplit *unsplit)
{
    if (!unsplit) {
        return;
    }
    for (size_t i = 0; i < unsplit->passes.count; i++) {
        ew_forward_free(unsplit->passes.items[i]->forward);
        free(unsplit->passes.items[i]);
    }
    ew_vec_fini(&unsplit->passes);
    free(unsplit);
}
