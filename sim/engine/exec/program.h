/*
 * Program: what workers must know of one plan to compute it for real. Derived from the plan and its
 * task graph by the coordinator, sent to every worker as bytes. Slots are tensors (a layer's output
 * within a segment, or one partial sum); nodes are those of the task graph, same numbers.
 */
#ifndef EW_ENGINE_EXEC_PROGRAM_H
#define EW_ENGINE_EXEC_PROGRAM_H

#include "base/arena.h"
#include "base/text.h"
#include "engine/exec/model_weights.h"
#include "plan/task_graph.h"

/** A tensor. */
struct ew_exec_slot {
    uint32_t op; /**< enum ew_op; a partial sum has its layer's */
    uint32_t variant;
    uint32_t layer;       /**< in the variant's graph: names the weights */
    uint32_t is_partial;  /**< 0 or 1 */
    uint32_t first_input; /**< into ew_exec_program.inputs */
    uint32_t n_inputs;
    int32_t shape[EW_DIMS]; /**< whole tensor, batch 1 */
    struct ew_op_attrs attrs;
};

enum ew_exec_kind {
    EW_EXEC_NOTHING, /**< takes no data: joins, loads, conversions */
    EW_EXEC_COMPUTE,
    EW_EXEC_SUM,
    EW_EXEC_MESSAGE,
    EW_EXEC_INPUT,
    EW_EXEC_RESULT,
};

struct ew_exec_node {
    uint32_t kind; /**< enum ew_exec_kind */
    uint32_t device;
    uint32_t peer; /**< message: receiver; else == device */
    uint32_t slot; /**< compute, sum: written; message: moved */
    struct ew_box box;
    struct ew_reduction reduction;
    uint32_t has_reduction;
    uint32_t first; /**< sum: its terms, in terms; message: its boxes, in boxes */
    uint32_t count;
    uint32_t wire_bits; /**< message: 32, or 16 (half precision), 8 and fewer (linear) */
    uint32_t successors_begin;
    uint32_t successors_end;
    uint64_t bytes; /**< message: as modelled, for pacing */
};

/** Everything lives in the arena. */
struct ew_exec_program {
    struct ew_arena arena;
    uint32_t n_devices;
    uint32_t source_device;
    uint32_t sink_device;
    uint32_t n_slots;
    uint32_t n_inputs;
    uint32_t n_nodes;
    uint32_t n_successors;
    uint32_t n_terms;
    uint32_t n_boxes;
    uint32_t n_input_slots;
    uint32_t n_graph_inputs; /**< of the network: input slot i is input i modulo this */
    uint32_t n_outputs;
    uint32_t result; /**< node */
    const struct ew_exec_slot *slots;
    const uint32_t *inputs; /**< slots that slots are computed from */
    const struct ew_exec_node *nodes;
    const uint32_t *successors;
    const uint32_t *terms; /**< slots of partial sums, in the order of their reductions */
    const struct ew_box *boxes;
    const uint32_t *input_slots;       /**< the network's inputs, appear at the source */
    const struct ew_box *input_boxes;  /**< of each, the segment's images */
    const uint32_t *outputs;           /**< slots that are the answer, needed at the sink */
    const struct ew_box *output_boxes; /**< of each, the segment's images */
    struct ew_weight_table weights;    /**< no files: seeded random weights */
};

/** Derive. `graph` must have been lowered with keep_boxes. `weights` is copied; NULL: random. */
enum ew_status ew_exec_program_make(struct ew_exec_program **out,
                                    const struct ew_plan_context *context,
                                    const struct ew_plan *plan, const struct ew_task_graph *graph,
                                    const struct ew_weight_table *weights, struct ew_error *err);

void ew_exec_program_free(struct ew_exec_program *program);

/** Append as bytes; layout and byte order are those of 64-bit little-endian machines. Check
 *  out->failed. */
void ew_exec_program_put(struct ew_str *out, const struct ew_exec_program *program);

/** From bytes nobody vouches for: every index, box and shape is checked. EW_EINPUT. */
enum ew_status ew_exec_program_get(struct ew_exec_program **out, const char *bytes, size_t size,
                                   struct ew_error *err);

/** View for kernels; `in_shape` receives up to `max` input shapes. */
struct ew_op_view ew_exec_slot_view(const struct ew_exec_program *program, uint32_t slot,
                                    int32_t (*in_shape)[EW_DIMS]);

/** Floats of one image of a network's input. */
uint64_t ew_exec_input_elements(const struct ew_exec_program *program, uint32_t input);

/** Bytes of an answer: its outputs one after another. */
uint64_t ew_exec_answer_bytes(const struct ew_exec_program *program);

/** Floats that a message carries. */
uint64_t ew_exec_message_elements(const struct ew_exec_program *program, uint32_t node);

#endif
