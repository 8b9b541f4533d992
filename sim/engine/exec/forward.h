/*
 * One device runs the whole network: the plainest execution there is. What partitioned runs are
 * compared with, bit by bit, and what their overhead is measured against.
 */
#ifndef EW_ENGINE_EXEC_FORWARD_H
#define EW_ENGINE_EXEC_FORWARD_H

#include "engine/exec/tensor_pool.h"
#include "model/graph.h"

struct ew_forward;

/** Prepare the weights of all layers that exit `exit` needs. `graph` and `kernels` are borrowed,
 *  `source` is read here only. Free with ew_forward_free. */
enum ew_status ew_forward_new(struct ew_forward **out, const struct ew_graph *graph, uint32_t exit,
                              const struct ew_kernels *kernels,
                              const struct ew_weight_source *source, struct ew_error *err);

/** Run one inference. `inputs[i]` is the whole tensor of graph->inputs[i]. The outputs, one per
 *  layer of the exit, belong to the caller until ew_forward_put. When `layer_s` is not NULL, it
 *  gets the seconds each layer took (n_layers entries). */
enum ew_status ew_forward_run(struct ew_tensor *outputs, struct ew_forward *forward,
                              const struct ew_tensor *inputs, double *layer_s,
                              struct ew_error *err);

/** Give outputs back for reuse. */
void ew_forward_put(struct ew_forward *forward, struct ew_tensor *outputs);

/** Accepts NULL. */
void ew_forward_free(struct ew_forward *forward);

#endif
