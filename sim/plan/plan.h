/*
 * Plan: which device computes which box of every layer's output.
 *
 * The one hand-over between strategies and everything behind them. Plain data: it can be printed,
 * saved, loaded and diffed; it knows nothing of who made it or who runs it. plan/check.h says
 * whether it is valid, plan/lower.h turns it into tasks and messages.
 */
#ifndef EW_PLAN_PLAN_H
#define EW_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/graph.h"
#include "model/platform.h"

/** What a piece contributes. */
enum ew_piece_role {
    EW_PIECE_FULL,    /**< computes its box */
    EW_PIECE_PARTIAL, /**< computes its box over a part of the reduction; a sum piece adds it up */
    EW_PIECE_SUM,     /**< adds the partial pieces that name it */
};

/** One share of one layer. */
struct ew_piece {
    uint32_t layer;  /**< in the graph of its segment's variant */
    uint32_t device; /**< in the platform; of a piece in a pool: the pool's holder */
    uint32_t segment;
    uint32_t chain;                /**< pieces of one tile share a chain; EW_NONE: none */
    uint32_t sum;                  /**< partial: index of its sum piece; else EW_NONE */
    uint8_t role;                  /**< enum ew_piece_role */
    uint16_t pool;                 /**< 1 + the pool that its chain waits in; 0: none */
    struct ew_box box;             /**< batch x channels x rows x columns of the layer's output */
    struct ew_reduction reduction; /**< partial only; see model/op.h */
};

/** An interval of the batch with its own variant and exit. Segments tile the batch. */
struct ew_segment {
    int32_t image_lo, image_hi;
    uint32_t variant;
    uint32_t exit;
};

/** How missing parts of a layer's output travel to those who read it. */
enum ew_exchange {
    EW_EXCHANGE_DIRECT, /**< from whoever has them, one hop */
    EW_EXCHANGE_RELAY,  /**< missing parts through the hub, two hops (MoDNN, MeDNN) */
    EW_EXCHANGE_GATHER, /**< everything to the hub, every needed box back from it (AOFL, EdgeLD) */
};

/** What happens at the boundary behind a layer, i.e. with its output. One per (variant, layer). */
struct ew_boundary {
    uint8_t exchange;  /**< enum ew_exchange */
    bool has_barrier;  /**< nothing of this output moves or is read before all of it is computed */
    uint8_t wire_bits; /**< bits per element on the wire; 0: as in memory */
    uint32_t hub;      /**< device, for relay and gather */
};

/** Devices that take chains as they become idle: late binding. A chain whose pieces name the pool
 *  waits at the holder, where all that it reads from others is, until a member takes it: with a
 *  message of steal_bytes from the member to the holder, and back whatever it reads. */
struct ew_pool {
    uint32_t holder;      /**< device; may be a member, to which its own chains cost no message */
    uint64_t steal_bytes; /**< >= 1 */
    uint32_t n_members;
    const uint32_t *members; /**< devices; of several that are idle the first one takes a chain */
};

enum { EW_MAX_POOLS = 1024 };

/** When weights are in memory. */
enum ew_weights {
    EW_WEIGHTS_RESIDENT,    /**< always */
    EW_WEIGHTS_PER_REQUEST, /**< loaded before a device's first piece, in every job (Edgent) */
    EW_WEIGHTS_ON_CHANGE,   /**< loaded when the device last ran another plan */
};

/** A free-form remark of the strategy, shown with the plan. */
struct ew_note {
    const char *key;
    const char *value;
};

/** One plan. Lives in its book's arena. */
struct ew_plan {
    const char *name;
    int32_t batch;          /**< images per job, >= 1 */
    uint32_t source_device; /**< where the input appears */
    uint32_t sink_device;   /**< where the result must arrive */
    uint8_t weights;        /**< enum ew_weights */
    uint32_t n_segments;
    const struct ew_segment *segments;
    uint32_t n_pieces;
    const struct ew_piece *pieces; /**< any order; the index is the piece's number */
    uint32_t n_pools;
    const struct ew_pool *pools;
    uint32_t n_boundary_variants;
    /** [variant][layer]; a NULL row means all direct, no barrier. */
    const struct ew_boundary *const *boundaries;
    uint32_t n_notes;
    const struct ew_note *notes;
    double probability;     /**< pick rule by_exit_draw: chance of this plan; else 0 */
    uint32_t weight;        /**< pick rule cycle: how often in a round; else 1 */
    const char *class_name; /**< pick rule by_class: requests of this class; else NULL */
    /** What the strategy's own model says, NAN when it does not. */
    double predicted_latency_s;
    double predicted_energy_j;
    bool claims_feasible;          /**< the strategy says the requirements are met */
    const char *infeasible_reason; /**< why not, or NULL */
};

/** How a book picks the plan of the next job. */
enum ew_pick {
    EW_PICK_ONLY,         /**< there is one plan */
    EW_PICK_CYCLE,        /**< round robin by weight */
    EW_PICK_BY_CLASS,     /**< by the request's class */
    EW_PICK_BY_EXIT_DRAW, /**< at random with the plans' probabilities, seeded */
    EW_PICK_ONLINE,       /**< the strategy decides per job */
};

/** Plans of one strategy for one workload. Immutable once finished; owns its plans. */
struct ew_book {
    struct ew_arena arena;
    const char *strategy; /**< id of the maker, "" when not known */
    uint8_t pick;         /**< enum ew_pick */
    bool moves_jobs;      /**< of a plan made during a run: jobs under way should take it */
    uint32_t n_plans;
    struct ew_plan *const *plans;
};

void ew_book_free(struct ew_book *book);

/** Bytes per element of everything a plan moves or keeps. */
struct ew_element_bytes {
    double input;      /**< of the network's input */
    double activation; /**< of every other tensor */
    double weight;
};

/** The graph's own element size for all three. */
struct ew_element_bytes ew_element_bytes_of(const struct ew_graph *graph);

/** What a plan is about: borrowed by check, lower and stats. */
struct ew_plan_context {
    const struct ew_graph *graph;
    const struct ew_platform *platform;
    struct ew_element_bytes element_bytes;
};

/** Graph that a segment's pieces speak about. The variant must be valid. */
static inline const struct ew_graph *ew_segment_graph(const struct ew_graph *graph,
                                                      const struct ew_segment *segment)
{
    return graph->variants[segment->variant].graph;
}

/** The boundary behind a layer; all zero (direct) when the plan does not say. */
static inline struct ew_boundary ew_plan_boundary(const struct ew_plan *plan, uint32_t variant,
                                                  uint32_t layer)
{
    if (variant < plan->n_boundary_variants && plan->boundaries[variant]) {
        return plan->boundaries[variant][layer];
    }
    return (struct ew_boundary){0};
}

/** Pools and their members, copied into the arena; NULL when memory runs out. */
struct ew_pool *ew_pools_copy(struct ew_arena *arena, const struct ew_pool *pools,
                              uint32_t n_pools);

/** The same work in the same places for the same requests: two plans of one graph that differ in
 *  nothing but their names, notes and claims. */
bool ew_plan_equal(const struct ew_plan *a, const struct ew_plan *b, const struct ew_graph *graph);

#endif
