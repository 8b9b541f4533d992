#include "engine/exec/graph_weights.h"

enum ew_status ew_graph_weights_open(struct ew_graph_weights *out, const struct ew_graph *graph,
                                     bool is_random, const char *path, uint64_t seed,
                                     struct ew_error *err)
{
    *out = (struct ew_graph_weights){.random = {seed}};
    if (is_random || (!path && !ew_graph_has_weights(graph))) {
        return EW_OK;
    }
    const enum ew_status status = ew_weight_table_make(&out->table, &out->arena, graph, path, err);
    return status ? status : ew_model_weights_open(&out->model, &out->table, err);
}

struct ew_weight_source ew_graph_weights_source(const struct ew_graph_weights *weights)
{
    return weights->model ? ew_model_weights_source(weights->model)
                          : ew_random_weights_source(&weights->random);
}

void ew_graph_weights_close(struct ew_graph_weights *weights)
{
    ew_model_weights_close(weights->model);
    ew_arena_fini(&weights->arena);
    *weights = (struct ew_graph_weights){0};
}
