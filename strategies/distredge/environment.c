#include "distredge/environment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/emit.h"
#include "common/plugin.h"

/* ------------------------------------------------------------------ writing */

uint32_t environment_head_device(const struct environment *environment)
{
    const struct kit_net *net = environment->net;
    uint32_t part = model_head_part(&environment->state);
    return part < environment->data->model.n_parts
               ? environment->devices[part]
               : net->host->requirements(net->host)->source_device;
}

/* The pieces of the split decided last. */
static int32_t make_draft(struct environment *environment)
{
    const struct kit_net *net = environment->net;
    const struct model *model = &environment->data->model;
    struct kit_draft *draft = &environment->draft;
    uint32_t n_inputs = model->blocks[0].first;
    int32_t rc = EW_STRATEGY_OK;
    kit_draft_begin(draft, net);
    for (uint32_t l = n_inputs; l < model->n_layers; l++) {
        const struct model_rows *made = environment->state.made + (size_t)l * model->n_parts;
        for (uint32_t i = 0; i < model->n_parts && rc >= 0; i++) {
            rc = kit_draft_band(draft, environment->data->layer_id[l], environment->devices[i],
                                made[i].lo, made[i].hi);
        }
    }
    uint32_t head = environment_head_device(environment);
    for (uint32_t p = model->n_layers - n_inputs; p < net->n_order && rc >= 0; p++) {
        rc = kit_draft_whole(draft, net->order[p], head);
    }
    return rc;
}

int32_t environment_emit(struct environment *environment)
{
    int32_t rc = make_draft(environment);
    if (rc >= 0) {
        rc = kit_begin_plan(environment->builder, environment->net, "distredge");
    }
    return rc < 0 ? rc : kit_draft_emit(&environment->draft, environment->builder);
}

/* Could several parts that share a node's memory, each with the whole network, overfill it? */
static bool may_overfill(const struct environment *environment)
{
    const struct ew_host *host = environment->net->host;
    uint32_t n_parts = environment->data->model.n_parts;
    uint64_t network_bytes = kit_net_memory_bytes(environment->net);
    for (uint32_t i = 0; i < n_parts; i++) {
        const struct ew_device_info *device = host->device(host, environment->devices[i]);
        uint64_t n_sharing = 0;
        for (uint32_t k = 0; k < n_parts; k++) {
            n_sharing += host->device(host, environment->devices[k])->node == device->node;
        }
        if (device->memory_bytes > 0 && device->memory_bytes / n_sharing < network_bytes) {
            return true;
        }
    }
    return false;
}

static int32_t fits(bool *out, struct environment *environment)
{
    struct kit_overfull overfull;
    *out = true;
    if (!environment->checks_memory) {
        return EW_STRATEGY_OK;
    }
    int32_t rc = make_draft(environment);
    if (rc >= 0) {
        rc = kit_draft_overfull(&overfull, &environment->draft);
        *out = rc >= 0 && overfull.device == EW_ID_NONE;
    }
    return rc;
}

/* ------------------------------------------------------------------ latencies */

static void decide(void *ctx, uint32_t volume, const int32_t *cuts, double *finish_s)
{
    struct environment *environment = ctx;
    model_decide(&environment->state, volume, cuts);
    memcpy(finish_s, environment->state.finish_s, environment->problem.n_parts * sizeof *finish_s);
}

static double latency_s(void *ctx)
{
    struct environment *environment = ctx;
    const struct ew_host *host = environment->net->host;
    struct ew_evaluation result = {.struct_size = sizeof result};
    bool is_possible = true;
    int32_t rc = fits(&is_possible, environment);
    if (rc >= 0 && is_possible && environment->is_recursion) {
        return model_latency_s(&environment->state);
    }
    if (rc >= 0 && is_possible) {
        rc = environment->builder->reset(environment->builder);
    }
    if (rc >= 0 && is_possible) {
        rc = environment_emit(environment);
    }
    if (rc >= 0 && is_possible) {
        rc = host->evaluate(host, environment->builder, &result);
        environment->n_evaluated++;
    }
    environment->status = rc < 0 ? rc : EW_STRATEGY_OK;
    return rc < 0 ? -1.0 : is_possible ? result.latency_s : INFINITY;
}

double environment_latency_s(struct environment *environment, const int32_t *cuts)
{
    for (uint32_t v = 0; v < environment->problem.n_volumes; v++) {
        model_decide(&environment->state, v, cuts + (size_t)v * (environment->problem.n_parts + 1));
    }
    return latency_s(environment);
}

double environment_single_s(uint32_t *out, struct environment *environment)
{
    const struct osds_problem *problem = &environment->problem;
    size_t width = problem->n_parts + 1u;
    int32_t *cuts = calloc(problem->n_volumes * width, sizeof *cuts);
    double best_s = INFINITY;
    if (!cuts) {
        environment->status = kit_fail_memory(environment->net->host);
        return -1.0;
    }
    *out = 0;
    for (uint32_t part = 0; part < problem->n_parts && best_s >= 0.0; part++) {
        for (uint32_t v = 0; v < problem->n_volumes; v++) {
            for (uint32_t k = 0; k < width; k++) {
                cuts[v * width + k] = k > part ? problem->volumes[v].rows : 0;
            }
        }
        double single_s = environment_latency_s(environment, cuts);
        if (single_s < best_s) { /* negative, too: an error */
            best_s = single_s;
            *out = part;
        }
    }
    free(cuts);
    return best_s;
}

/* ------------------------------------------------------------------ life */

int32_t environment_init(struct environment *environment, const struct chain *chain,
                         const uint32_t *starts, uint32_t n_volumes)
{
    const struct kit_net *net = environment->net;
    const struct model *model = &environment->data->model;
    environment->volumes = calloc(n_volumes, sizeof *environment->volumes);
    if (!environment->volumes || !model_state_init(&environment->state, model, starts, n_volumes)) {
        return kit_fail_memory(net->host);
    }
    for (uint32_t v = 0; v < n_volumes; v++) {
        uint32_t block = environment->state.starts[v + 1] - 1;
        uint32_t layer = environment->data->layer_id[model_reference(&environment->state, v)];
        environment->volumes[v] = (struct osds_volume){
            .rows = kit_layer_extent(net, layer),
            .channels = net->layers[layer]->shape[1],
            .kernel = chain->units[block].kernel,
            .stride = chain->units[block].stride,
        };
    }
    environment->checks_memory = may_overfill(environment);
    environment->problem = (struct osds_problem){
        .n_volumes = n_volumes,
        .n_parts = model->n_parts,
        .volumes = environment->volumes,
        .ctx = environment,
        .decide = decide,
        .latency_s = latency_s,
    };
    return EW_STRATEGY_OK;
}

void environment_fini(struct environment *environment)
{
    model_state_fini(&environment->state);
    kit_draft_fini(&environment->draft);
    free(environment->volumes);
    memset(environment, 0, sizeof *environment);
}
