/*
 * Task graph: what running a plan once means. Compute tasks, weight loads, messages and joins, with
 * their dependencies. Derived from a plan by receptive-field arithmetic alone (plan/lower.h); one
 * task graph serves all jobs of a plan.
 */
#ifndef EW_PLAN_TASK_GRAPH_H
#define EW_PLAN_TASK_GRAPH_H

#include "plan/plan.h"

enum ew_node_kind {
    EW_NODE_COMPUTE, /**< occupies `device` for work_s at nominal speed */
    EW_NODE_LOAD,    /**< as compute: loads weights */
    EW_NODE_MESSAGE, /**< moves `bytes` from `device` to `peer` */
    EW_NODE_JOIN,    /**< takes no time and no resource: barrier, input, result */
};

/** What engines touch. Nodes are in topological order. */
struct ew_task_node {
    uint8_t kind;              /**< enum ew_node_kind */
    bool is_input;             /**< join: released when the job starts */
    uint32_t device;           /**< compute, load, join: where; message: sender. From n_devices on:
                                    the device that takes unit device - n_devices */
    uint32_t peer;             /**< message: receiver, likewise; else == device */
    uint32_t n_deps;           /**< nodes that must finish first */
    uint32_t successors_begin; /**< into ew_task_graph.successors */
    uint32_t successors_end;
    double work_s; /**< compute, load: seconds at nominal speed; in a unit: on the fastest member */
    uint64_t bytes; /**< message: integer bytes, >= 1 */
};

/** What people and accounting want to know of a node. */
struct ew_task_info {
    uint32_t layer;        /**< first layer; message: the layer whose output moves; EW_NONE */
    uint32_t reader_layer; /**< message: first layer that reads it (its energy goes there) */
    uint32_t last_layer;   /**< merged chain: last layer; else == layer */
    uint32_t segment;
    uint32_t piece;    /**< first piece; message: producing piece; EW_NONE for joins */
    struct ew_box box; /**< output box of the piece; message: hull of the boxes */
    uint64_t macs;
    uint64_t touched_bytes; /**< compute: input read + output written + weights */
    uint32_t n_merged;      /**< pieces in this task, >= 1 */
    uint8_t hop;            /**< message: 0 direct, 1 to the hub, 2 from the hub */
    bool is_conversion;     /**< compute: changes the number format before or behind a message */
    bool is_steal;          /**< message: asks the holder of a pool for a unit */
    uint32_t work_row;      /**< compute, load in a unit: into ew_task_graph.work_s */
};

/** A chain that waits in a pool: its tasks and messages go to one device, once a member takes it.
 */
struct ew_task_unit {
    uint32_t pool;    /**< of the plan */
    uint32_t steal;   /**< node that begins it; ready when all it reads is at the holder */
    uint32_t n_tasks; /**< compute and load nodes: with the last of them its device is idle again */
};

/** Static facts about a plan, from lowering. */
struct ew_plan_stats {
    uint64_t computed_elements; /**< sum over pieces of box volumes (full and sum pieces) */
    uint64_t needed_elements;   /**< union over pieces per layer */
    uint64_t macs;              /**< all pieces */
    uint64_t redundant_macs;    /**< macs minus what one device would need */
    uint64_t message_bytes;     /**< as if no unit of a pool stayed at its holder */
    uint64_t n_messages;        /**< likewise */
    double expected_accuracy;   /**< mean over images; NAN when unknown */
};

/** One per device: what the plan keeps there. Members of a pool keep what any of its units needs;
 * of work and rows they have the part that they would take if all were equally long busy. */
struct ew_device_load {
    uint64_t weight_bytes;
    uint64_t peak_working_bytes; /**< largest input + output of one piece, plus what later pieces
                                      on the device still read */
    double work_s;
    uint64_t macs;
    double rows_share; /**< share of all conv and pool output elements it computes, 0..1 */
};

struct ew_task_graph {
    struct ew_arena arena;
    uint32_t n_nodes;
    const struct ew_task_node *nodes;
    const struct ew_task_info *info; /**< per node */
    uint32_t n_successors;
    const uint32_t *successors; /**< ascending per node */
    uint32_t n_inputs;
    const uint32_t *inputs; /**< joins with is_input: released when a job starts */
    uint32_t result;        /**< join that finishes the job's answer at the sink */
    uint32_t n_devices;
    const struct ew_device_load *devices; /**< per platform device */
    /** Lowered with keep_boxes, else NULL: the disjoint boxes that message i moves are
     *  boxes[box_begin[i]] .. boxes[box_begin[i + 1] - 1]; n_nodes + 1 entries. */
    const uint32_t *box_begin;
    const struct ew_box *boxes;
    uint32_t n_pools;
    const struct ew_pool *pools; /**< of the plan */
    uint32_t n_units;
    const struct ew_task_unit *units;
    uint32_t n_work;
    const double *work_s; /**< [work_row + index of the member in its pool] */
    struct ew_plan_stats stats;
    bool is_merged; /**< chains of private tasks were merged */
};

/** A device for a node's device or peer: itself, or the first member of the unit's pool. */
static inline uint32_t ew_task_device(const struct ew_task_graph *graph, uint32_t device)
{
    return device < graph->n_devices
               ? device
               : graph->pools[graph->units[device - graph->n_devices].pool].members[0];
}

/** Seconds at nominal speed of a compute or load node when member `member` of its pool takes it; of
 *  one that is in no pool, whatever `member` says. */
static inline double ew_task_work_s(const struct ew_task_graph *graph, uint32_t node,
                                    uint32_t member)
{
    return graph->nodes[node].device < graph->n_devices
               ? graph->nodes[node].work_s
               : graph->work_s[graph->info[node].work_row + member];
}

void ew_task_graph_free(struct ew_task_graph *graph);

/** JSON object (docs/outputs.md) and Graphviz DOT. `context` and `plan` give names. */
struct ew_str;
void ew_task_graph_print_json(struct ew_str *out, const struct ew_task_graph *graph,
                              const struct ew_plan_context *context, const struct ew_plan *plan);
void ew_task_graph_print_dot(struct ew_str *out, const struct ew_task_graph *graph,
                             const struct ew_plan_context *context, const struct ew_plan *plan);

#endif
