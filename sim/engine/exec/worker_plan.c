/*
 * One device's view of a program: what waits for what here, who reads what here, and the weights.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exec/worker.h"

/* Whether a node's end is seen on a device: computed there, arrived there, or without data. */
static bool ends_here(const struct ew_exec_node *node, uint32_t device)
{
    switch (node->kind) {
    case EW_EXEC_MESSAGE:
        return node->peer == device;
    case EW_EXEC_COMPUTE:
    case EW_EXEC_SUM:
        return node->device == device;
    default:
        return true;
    }
}

/* Every device keeps its own copy of the nodes without data: a barrier there means that what it
 * waits for on this device is done. */
static void count_waits(struct wk_plan *plan, uint32_t device)
{
    const struct ew_exec_program *p = plan->program;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        if (!ends_here(&p->nodes[i], device)) {
            continue;
        }
        for (uint32_t k = p->nodes[i].successors_begin; k < p->nodes[i].successors_end; k++) {
            plan->waits[p->successors[k]]++;
        }
    }
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        if (p->nodes[i].kind == EW_EXEC_INPUT) {
            plan->waits[i]++; /* the input itself, or the job's beginning elsewhere */
        } else if (p->nodes[i].kind == EW_EXEC_MESSAGE && p->nodes[i].device == device) {
            plan->waits[i]++; /* the coordinator's word */
        }
    }
}

static void count_compute_readers(struct wk_plan *plan, const struct ew_exec_node *node,
                                  int32_t (*in_shape)[EW_DIMS])
{
    const struct ew_exec_program *p = plan->program;
    const struct ew_exec_slot *slot = &p->slots[node->slot];
    const struct ew_op_view view = ew_exec_slot_view(p, node->slot, in_shape);
    for (uint32_t i = 0; i < slot->n_inputs; i++) {
        const struct ew_box need =
            ew_op_input_box(&view, i, &node->box, node->has_reduction ? &node->reduction : NULL);
        if (!ew_box_is_empty(&need)) {
            plan->n_readers[p->inputs[slot->first_input + i]]++;
        }
    }
}

static void count_readers(struct wk_plan *plan, uint32_t device, int32_t (*in_shape)[EW_DIMS])
{
    const struct ew_exec_program *p = plan->program;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        const struct ew_exec_node *node = &p->nodes[i];
        if (node->device != device) {
            continue;
        }
        if (node->kind == EW_EXEC_COMPUTE) {
            count_compute_readers(plan, node, in_shape);
        } else if (node->kind == EW_EXEC_MESSAGE) {
            plan->n_readers[node->slot]++;
        } else if (node->kind == EW_EXEC_SUM) {
            for (uint32_t k = 0; k < node->count; k++) {
                plan->n_readers[p->terms[node->first + k]]++;
            }
        }
    }
    for (uint32_t i = 0; p->sink_device == device && i < p->n_outputs; i++) {
        plan->n_readers[p->outputs[i]]++;
    }
}

/* ---- weights ---- */

/* What makes two nodes need the same weights. */
struct weight_key {
    uint32_t variant, layer;
    int32_t channels[2];
    int32_t reduction[2];
    uint32_t node;
};

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, offsetof(struct weight_key, node)); /* any order will do */
}

static bool has_weights(const struct ew_exec_program *p, const struct ew_exec_node *node)
{
    const uint32_t op = node->kind == EW_EXEC_COMPUTE ? p->slots[node->slot].op : EW_OP_INPUT;
    return op != EW_OP_INPUT &&
           ew_kernels_read_weights(&p->slots[node->slot].attrs, (enum ew_op)op);
}

static enum ew_status open_weights(struct wk_plan *plan, const struct wk_worker *worker,
                                   struct ew_error *err)
{
    plan->source = worker->weight_source;
    if (plan->program->weights.n_files == 0) {
        return EW_OK;
    }
    const enum ew_status status = ew_model_weights_open(&plan->model, &plan->program->weights, err);
    if (status == EW_OK) {
        plan->source = ew_model_weights_source(plan->model);
    }
    return status;
}

static enum ew_status prepare(struct ew_kernel_weights **out, struct wk_worker *worker,
                              const struct wk_plan *plan, const struct ew_exec_program *p,
                              const struct ew_exec_node *node, int32_t (*in_shape)[EW_DIMS],
                              struct ew_error *err)
{
    const struct ew_kernel_task task = {
        .layer = ew_exec_slot_view(p, node->slot, in_shape),
        .variant = p->slots[node->slot].variant,
        .layer_id = p->slots[node->slot].layer,
        .channels = {node->box.lo[EW_C], node->box.hi[EW_C]},
        .reduction = node->has_reduction ? &node->reduction : NULL,
    };
    return worker->kernels->prepare(out, worker->kernels, &task, &plan->source, err);
}

static enum ew_status prepare_all(struct wk_plan *plan, struct wk_worker *worker,
                                  struct weight_key *keys, int32_t (*in_shape)[EW_DIMS],
                                  struct ew_error *err)
{
    const struct ew_exec_program *p = plan->program;
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        const struct ew_exec_node *node = &p->nodes[i];
        if (node->device == worker->setup.device && has_weights(p, node)) {
            memset(&keys[n], 0, sizeof keys[n]);
            keys[n].variant = p->slots[node->slot].variant;
            keys[n].layer = p->slots[node->slot].layer;
            keys[n].channels[0] = node->box.lo[EW_C];
            keys[n].channels[1] = node->box.hi[EW_C];
            keys[n].reduction[0] = node->reduction.lo;
            keys[n].reduction[1] = node->reduction.hi;
            keys[n++].node = i;
        }
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || compare_keys(&keys[i - 1], &keys[i]) != 0) {
            const enum ew_status status = prepare(&plan->owned[plan->n_owned], worker, plan, p,
                                                  &p->nodes[keys[i].node], in_shape, err);
            if (status != EW_OK) {
                return status;
            }
            plan->n_owned++;
        }
        plan->weights[keys[i].node] = plan->owned[plan->n_owned - 1];
    }
    return EW_OK;
}

enum ew_status wk_plan_make(struct wk_plan *out, struct wk_worker *worker,
                            struct ew_exec_program *program_take, struct ew_error *err)
{
    struct ew_exec_program *p = program_take;
    struct wk_plan plan = {.program = p};
    struct weight_key *keys = calloc(p->n_nodes + 1u, sizeof *keys);
    plan.waits = calloc(p->n_nodes + 1u, sizeof *plan.waits);
    plan.n_readers = calloc(p->n_slots + 1u, sizeof *plan.n_readers);
    plan.weights = calloc(p->n_nodes + 1u, sizeof *plan.weights);
    plan.owned = calloc(p->n_nodes + 1u, sizeof *plan.owned);
    for (uint32_t i = 0; i < p->n_slots; i++) {
        plan.most_inputs =
            p->slots[i].n_inputs > plan.most_inputs ? p->slots[i].n_inputs : plan.most_inputs;
    }
    int32_t(*in_shape)[EW_DIMS] = malloc((plan.most_inputs + 1u) * sizeof *in_shape);
    enum ew_status status = EW_OK;
    if (!keys || !plan.waits || !plan.n_readers || !plan.weights || !plan.owned || !in_shape) {
        status = ew_fail_memory(err);
    } else {
        count_waits(&plan, worker->setup.device);
        count_readers(&plan, worker->setup.device, in_shape);
        status = open_weights(&plan, worker, err);
        status = status ? status : prepare_all(&plan, worker, keys, in_shape, err);
    }
    free(keys);
    free(in_shape);
    if (status != EW_OK) {
        wk_plan_fini(&plan, worker->kernels);
        return status;
    }
    *out = plan;
    return EW_OK;
}

void wk_plan_fini(struct wk_plan *plan, const struct ew_kernels *kernels)
{
    for (uint32_t i = 0; i < plan->n_owned; i++) {
        kernels->release(plan->owned[i]);
    }
    ew_model_weights_close(plan->model);
    free(plan->owned);
    free(plan->weights);
    free(plan->n_readers);
    free(plan->waits);
    ew_exec_program_free(plan->program);
    *plan = (struct wk_plan){0};
}
