/*
 * A strategy's view of the network: the layers one exit needs, which of them can be split into
 * bands of rows (or columns), which must be whole on one device, how they group into units, and
 * where the network can be cut in two with a single tensor crossing.
 *
 * Built from host views alone. Knows devices only as arguments of cost questions.
 */
#ifndef EDGEWEAVE_STRATEGIES_COMMON_NET_H
#define EDGEWEAVE_STRATEGIES_COMMON_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "edgeweave/strategy.h"

/** Dimension along which bands are cut: index into boxes and shapes. */
enum kit_dim { KIT_ROWS = 2, KIT_COLUMNS = 3 };

/** Where a layer can live. */
enum kit_place {
    KIT_ABSENT, /**< not needed for the exit */
    KIT_INPUT,  /**< the network's input, computed by nobody */
    KIT_BANDED, /**< can be split into bands of lines */
    KIT_WHOLE,  /**< needs all of its input for every output line: fc, global pool, flatten, … */
};

/** A layer that does the work, and the elementwise and view layers that follow it alone. */
struct kit_unit {
    uint32_t first; /**< layer ids */
    uint32_t last;
    uint32_t n_layers;
    uint32_t place; /**< KIT_BANDED or KIT_WHOLE */
};

/** The network up to one exit. Arrays are owned; layer views are the host's. */
struct kit_net {
    const struct ew_host *host;
    const struct ew_graph_info *graph;
    uint32_t variant;
    uint32_t exit;
    int32_t batch;
    int dim;        /**< enum kit_dim */
    int32_t extent; /**< lines of the first network input along dim */
    uint32_t n_layers;
    const struct ew_layer_info **layers; /**< by layer id */
    uint8_t *place;                      /**< enum kit_place, by layer id */
    uint32_t *unit_of; /**< by layer id; EW_ID_NONE for inputs and absent layers */
    uint32_t n_order;
    uint32_t *order; /**< layers that are computed, in topological order */
    uint32_t n_banded;
    uint32_t n_units;
    struct kit_unit *units; /**< ordered by their first layer */
};

/** Read the network of `variant` up to `exit` (EW_ID_NONE: the last). Zero-initialise `net` first;
 *  release with kit_net_fini whatever this returns. */
int32_t kit_net_init(struct kit_net *net, const struct ew_host *host, uint32_t variant,
                     uint32_t exit, enum kit_dim dim);

/** What the parameter `edge` says of the network's first input: "rows", "columns", or "longer", its
 *  longer edge, rows when it is square. */
enum kit_dim kit_edge_dim(const struct ew_host *host);
void kit_net_fini(struct kit_net *net);

/** The layer's whole output for the whole batch. */
struct ew_tensor_box kit_full_box(const struct kit_net *net, uint32_t layer);

/** Lines [lo, hi) of the layer's output for the whole batch. */
struct ew_tensor_box kit_band_box(const struct kit_net *net, uint32_t layer, int32_t lo,
                                  int32_t hi);

/** Lines of the layer's output along net->dim. */
int32_t kit_layer_extent(const struct kit_net *net, uint32_t layer);

/** Bytes of the layer's output, whole batch. */
uint64_t kit_layer_bytes(const struct kit_net *net, uint32_t layer);

/** Seconds `device` needs for the whole layer, whole batch. */
double kit_layer_compute_s(const struct kit_net *net, uint32_t layer, uint32_t device);

/** Seconds `device` needs for every computed layer up to the exit. */
double kit_net_compute_s(const struct kit_net *net, uint32_t device);

/** Bytes of all network inputs the exit needs, whole batch. */
uint64_t kit_net_input_bytes(const struct kit_net *net);

/** Bytes of the answer: outputs of the exit's layers, whole batch. */
uint64_t kit_net_result_bytes(const struct kit_net *net);

/** Weights of the layers that have `place` (all computed layers: KIT_ABSENT). */
uint64_t kit_net_weight_bytes(const struct kit_net *net, enum kit_place place);

/** Memory one device needs to compute everything up to the exit: all weights, and the most bytes of
 *  tensors that are alive at once. */
uint64_t kit_net_memory_bytes(const struct kit_net *net);

/** True when the layer is one of the exit's. */
bool kit_is_exit_layer(const struct kit_net *net, uint32_t layer);

/** True when some layer of the exit's network reads `layer`. */
bool kit_is_read(const struct kit_net *net, uint32_t layer);

/** How many layers of the exit's network read `layer`. */
uint32_t kit_count_readers(const struct kit_net *net, uint32_t layer);

/** Input lines beyond its own aligned band that a band of `layer` reads of its `input`-th input, at
 *  most, over all places where a cut may fall: above (towards line 0) and below. */
void kit_halo(const struct kit_net *net, uint32_t layer, uint32_t input, int32_t *above,
              int32_t *below);

/** Layers behind which the network falls in two with only their output crossing, ascending, at most
 *  net->n_order of them; returns how many. The last computed layer of a single-output network is
 * one of them. Network inputs are not. */
uint32_t kit_net_cut_layers(const struct kit_net *net, uint32_t *out);

#endif
