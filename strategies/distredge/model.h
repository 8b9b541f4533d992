/*
 * What a split costs, in tables: rows that layers read of each other, seconds per rows and device,
 * affine transfers. From these a complete split decision gets its latency by DistrEdge's recursion
 * over layer-volumes, and every device its rows of every layer.
 *
 * Plain data and arithmetic; filled in from the host by model_build.c.
 */
#ifndef EDGEWEAVE_STRATEGIES_DISTREDGE_MODEL_H
#define EDGEWEAVE_STRATEGIES_DISTREDGE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_NONE = -1 };

/** Half-open rows; empty when lo >= hi. */
struct model_rows {
    int32_t lo;
    int32_t hi;
};

/** One input of a layer. */
struct model_read {
    uint32_t layer;    /**< index of the layer read */
    const int32_t *lo; /**< by output row: first row it needs */
    const int32_t *hi; /**< by output row: behind the last row it needs */
};

/** A layer, or a network input. */
struct model_layer {
    int32_t rows;
    double row_bytes;
    uint32_t n_reads; /**< 0 for inputs */
    const struct model_read *reads;
    bool is_input;
    int32_t last_reader;   /**< last block that reads it; n_blocks: the head; MODEL_NONE: nobody */
    bool is_answer;        /**< must reach the sink */
    const double *seconds; /**< [class][rows + 1] for that many rows; body layers only */
};

/** Consecutive layers [first, end) that volumes never cut: DistrEdge's "layer". */
struct model_block {
    uint32_t first;
    uint32_t end;
};

/** A transfer: message_s + bytes * byte_s. */
struct model_wire {
    double message_s;
    double byte_s;
};

/** Everything that does not depend on the split. Layers are in topological order: network inputs,
 *  then the body's blocks; the head, which one device computes whole, appears only as a time.
 *  Devices are positions; source and sink are two more: n_parts and n_parts + 1. */
struct model {
    uint32_t n_layers;
    const struct model_layer *layers;
    uint32_t n_blocks;
    const struct model_block *blocks;
    uint32_t n_parts;
    const uint32_t *part_class;     /**< by part: which seconds are its */
    const struct model_wire *wires; /**< [(from) * (n_parts + 2) + to] */
    bool has_head;
    const double *head_s;     /**< by part, then the source: seconds for the head */
    const bool *can_head;     /**< by part: its memory holds the head as well */
    int32_t head_part;        /**< given one, or MODEL_NONE: largest share */
    double head_answer_bytes; /**< from the head to the sink; 0: none */
};

/** Volumes, and the rows of a split as far as it is decided. Arrays are owned. */
struct model_state {
    const struct model *model;
    uint32_t n_volumes;
    uint32_t *starts;          /**< first blocks, n_volumes + 1 with the end */
    struct model_rows *owned;  /**< [layer][part]: rows whose owner the part is */
    struct model_rows *made;   /**< [layer][part]: rows that the part computes */
    double *finish_s;          /**< by part, behind the last volume decided */
    double *before_s;          /**< scratch */
    struct model_rows *needed; /**< scratch by layer */
};

/** Take memory for `n_volumes` volumes starting at blocks `starts`. False when it runs out. Free
 *  with model_state_fini in any case; zero-initialise first. */
bool model_state_init(struct model_state *state, const struct model *model, const uint32_t *starts,
                      uint32_t n_volumes);
void model_state_fini(struct model_state *state);

/** Cut the last layer of volume `v` at `cuts` (n_parts + 1); volumes in order from 0, which starts
 *  anew. Fills owned, made and finish_s of its layers. */
void model_decide(struct model_state *state, uint32_t v, const int32_t *cuts);

/** Latency once all volumes are decided: the head, and the answers at the sink. */
double model_latency_s(const struct model_state *state);

/** Part that computes the head: the given one, or the one with the most rows of the last volume
 *  that has the memory; n_parts (the source) when none has. */
uint32_t model_head_part(const struct model_state *state);

/** Chain an FNV-1a hash over all tables: equal models have equal hashes. */
uint64_t model_hash(uint64_t hash, const struct model *model);

/** The volume's last layer, whose rows are cut. */
uint32_t model_reference(const struct model_state *state, uint32_t v);

#endif
