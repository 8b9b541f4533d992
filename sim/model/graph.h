/*
 * DNN graph: layers in topological order, shapes inferred, counts known. Immutable once made.
 *
 * Layer ids are indices; inputs of the network are layers of op `input`. Knows no device, no plan
 * and no file format (see io/graph_json.h).
 */
#ifndef EW_MODEL_GRAPH_H
#define EW_MODEL_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/box.h"
#include "model/op.h"

enum {
    EW_GRAPH_MAX_LAYERS = 65536,
    EW_GRAPH_MAX_DIM = 1 << 24, /**< any one dimension of a tensor, before batch */
};

/** Where one tensor of a layer's weights lies in the graph's weights file: row-major,
 * little-endian, ready to be mapped. */
struct ew_weight_ref {
    const char *role;  /**< weight, bias, scale, shift, mean, variance, slope or value */
    const char *name;  /**< in the weights file */
    const char *dtype; /**< "float32", "float16", "bfloat16", "float64", "int8", "uint8", … */
    uint64_t offset_bytes;
    uint64_t size_bytes;
    uint32_t n_dims;
    const uint64_t *dims;
    bool is_transposed; /**< fc, linear: inputs x outputs instead of outputs x inputs */
};

/** One layer. */
struct ew_layer {
    const char *name;
    enum ew_op op;
    struct ew_op_attrs attrs;
    uint32_t n_inputs;
    const uint32_t *inputs;             /**< layer ids, all smaller than this layer's */
    const int32_t (*in_shape)[EW_DIMS]; /**< per input */
    uint32_t n_consumers;
    const uint32_t *consumers; /**< layer ids, ascending, each once */
    int32_t shape[EW_DIMS];    /**< output, batch 1 */
    uint64_t elements;         /**< output elements, batch 1 */
    uint64_t params;
    uint64_t macs;      /**< whole output, batch 1 */
    uint32_t n_weights; /**< 0 when the weights are nowhere: most graphs have none */
    const struct ew_weight_ref *weights;
};

/** A place where the network may stop. */
struct ew_exit {
    const char *name;
    uint32_t n_layers;
    const uint32_t *layers; /**< layers whose output is the answer (one, or several heads) */
    double accuracy;        /**< ratio 0..1; NAN when unknown */
};

struct ew_graph;

/** Another network that answers the same question, e.g. a narrower one. */
struct ew_variant {
    const char *name;
    double accuracy;              /**< of its last exit; NAN when unknown */
    const struct ew_graph *graph; /**< owned by the base graph */
};

/** A DNN. Everything inside lives in the arena and is const. */
struct ew_graph {
    struct ew_arena arena;
    const char *name;
    const char *source;          /**< where the description comes from, "" when not said */
    const char *accuracy_metric; /**< e.g. "ImageNet-1k top-1", "" when not said */
    const char *path;            /**< file it was read from, "" for none */
    const char *weights_path;    /**< file that the layers' weights lie in, "" for none */
    uint32_t n_layers;
    const struct ew_layer *layers;
    uint32_t n_inputs;
    const uint32_t *inputs; /**< layers of op input */
    uint32_t n_exits;       /**< at least 1; the last one is the full network */
    const struct ew_exit *exits;
    uint32_t n_variants; /**< at least 1; variant 0 is the graph itself */
    const struct ew_variant *variants;
    double bytes_per_element; /**< of activations and weights, from the graph's dtype */
    uint64_t params;          /**< of the ancestors of the last exit */
    uint64_t macs;            /**< likewise */
};

/** View for the op arithmetic. */
static inline struct ew_op_view ew_layer_view(const struct ew_layer *layer)
{
    struct ew_op_view view = {layer->op, &layer->attrs, layer->n_inputs, layer->in_shape,
                              layer->shape};
    return view;
}

/** Layer id by name; false when there is none. */
bool ew_graph_find_layer(uint32_t *out, const struct ew_graph *graph, const char *name);

/** Exit index by name; false when there is none. */
bool ew_graph_find_exit(uint32_t *out, const struct ew_graph *graph, const char *name);

/** Mark (needed[layer] = true) the ancestors of an exit's layers, themselves included; returns how
 *  many. `needed` has n_layers entries. */
uint32_t ew_graph_exit_layers(bool *needed, const struct ew_graph *graph, uint32_t exit);

/** Description of one layer for ew_graph_make, inputs by name. All borrowed. */
struct ew_layer_desc {
    const char *name;
    enum ew_op op;
    /** A conv with groups 0 is depthwise: groups becomes the number of input channels, and
     *  out_channels is taken per input channel. */
    struct ew_op_attrs attrs;
    uint32_t n_inputs;
    const char *const *inputs;
    int32_t shape[EW_DIMS]; /**< op input only: its shape, batch 1 */
    const char *place;      /**< for messages, e.g. "/layers/12" */
    uint32_t n_weights;
    const struct ew_weight_ref *weights;
};

/** Description of an exit, layers by name. */
struct ew_exit_desc {
    const char *name;
    uint32_t n_layers;
    const char *const *layers;
    double accuracy;
};

/** Everything needed to make a graph; all borrowed and copied. Layers in any order. Without exits,
 *  one exit "full" over all layers that nobody reads is made. */
struct ew_graph_desc {
    const char *name;
    const char *source;
    const char *accuracy_metric;
    const char *path;
    const char *weights_path; /**< NULL for none */
    double accuracy;          /**< of the full network; NAN when unknown */
    double bytes_per_element;
    uint32_t n_layers;
    const struct ew_layer_desc *layers;
    uint32_t n_exits;
    const struct ew_exit_desc *exits;
};

/** Build a graph: resolve names, order topologically (stable: file order where free), infer shapes,
 *  count. Variants: only itself. EW_EINPUT for unknown or duplicate names, cycles (naming one
 *  layer on it), shape errors, overflow, no input, no output. Free with ew_graph_free. */
enum ew_status ew_graph_make(struct ew_graph **out, const struct ew_graph_desc *desc,
                             struct ew_error *err);

/** Attach further variants (taken: freed with `graph`, also on failure). Every variant must have
 *  the same number of inputs. Call at most once, right after ew_graph_make. */
enum ew_status ew_graph_attach_variants_take(struct ew_graph *graph, uint32_t n,
                                             const char *const *names, const double *accuracy,
                                             struct ew_graph **graphs, struct ew_error *err);

/** Free; accepts NULL. */
void ew_graph_free(struct ew_graph *graph);

#endif
