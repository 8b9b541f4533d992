/*
 * Inputs at the source: made out of the run's seed, or given by the coordinator before the run
 * begins.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/exec/worker.h"

enum ew_status wk_input_bytes(uint64_t *out, const struct wk_worker *worker,
                              const struct ew_frame *head, struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[head->program].program;
    if (p->source_device != worker->setup.device) {
        return ew_fail(err, EW_EENGINE, "sent an input to a device that is not the source");
    }
    const size_t input = worker->inputs.count % p->n_graph_inputs;
    const size_t image = worker->inputs.count / p->n_graph_inputs;
    if (head->node != input || head->job != image || image >= EW_NONE) {
        return ew_fail(err, EW_EENGINE, "sent input %u of image %llu, expected %zu of %zu",
                       head->node, (unsigned long long)head->job, input, image);
    }
    *out = ew_exec_input_elements(p, head->node) * sizeof(float);
    return head->n_bytes == *out
               ? EW_OK
               : ew_fail(err, EW_EENGINE, "sent an input of %llu bytes, expected %llu",
                         (unsigned long long)head->n_bytes, (unsigned long long)*out);
}

enum ew_status wk_input_keep(struct wk_worker *worker, const struct ew_frame *frame,
                             struct ew_error *err)
{
    float *values = malloc(frame->n_bytes);
    if (!values || !ew_vec_push(&worker->inputs, values)) {
        free(values);
        return ew_fail_memory(err);
    }
    memcpy(values, frame->payload, frame->n_bytes);
    return EW_OK;
}

enum ew_status wk_input_fill(struct ew_tensor *tensor, const struct wk_worker *worker,
                             const struct wk_job *job, uint32_t slot, uint64_t n_made,
                             struct ew_error *err)
{
    const struct ew_exec_program *p = worker->plans.items[job->program].program;
    const struct ew_box *box = &p->input_boxes[slot];
    if (job->image == EW_NONE) {
        ew_random_values(tensor->values, worker->setup.input_seed, job->id, n_made,
                         ew_box_volume(box));
        return EW_OK;
    }
    const uint32_t input = slot % p->n_graph_inputs;
    const uint64_t n = ew_exec_input_elements(p, slot);
    const size_t n_images = worker->inputs.count / p->n_graph_inputs;
    if (n_images == 0 || n != ew_exec_input_elements(p, input) ||
        ew_box_volume(box) != n * (uint64_t)ew_box_extent(box, EW_N)) {
        return ew_fail(err, EW_EENGINE, "job %llu: no images of the size of its inputs were given",
                       (unsigned long long)job->id);
    }
    for (int32_t i = box->lo[EW_N]; i < box->hi[EW_N]; i++) {
        const size_t image = ((size_t)job->image + (size_t)i) % n_images;
        memcpy(tensor->values + (uint64_t)(i - box->lo[EW_N]) * n,
               worker->inputs.items[image * p->n_graph_inputs + input], n * sizeof(float));
    }
    return EW_OK;
}

void wk_inputs_fini(struct wk_worker *worker)
{
    for (size_t i = 0; i < worker->inputs.count; i++) {
        free(worker->inputs.items[i]);
    }
    ew_vec_fini(&worker->inputs);
}
