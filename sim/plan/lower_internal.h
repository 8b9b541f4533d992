/*
 * Inside of lowering, shared by lower.c (the walk over pieces), lower_validate.c, lower_read.c (who
 * holds what), lower_message.c (nodes and messages), lower_pool.c (chains in pools), lower_finish.c
 * (edges, bytes, merging) and lower_stats.c. Nobody else includes this.
 */
#ifndef EW_PLAN_LOWER_INTERNAL_H
#define EW_PLAN_LOWER_INTERNAL_H

#include "base/text.h"
#include "base/vec.h"
#include "plan/lower.h"

/** All pieces of one layer in one segment. */
struct lw_bucket {
    uint32_t first; /**< into lower->order (by number) and lower->sorted (by position) */
    uint32_t count;
    uint32_t barrier_node; /**< EW_NONE until made */
    int32_t max_extent;    /**< of a piece along `dim` */
    uint8_t dim;           /**< dimension in which `sorted` is ordered */
    bool is_sorted;
    bool is_gathered; /**< hop-1 messages to the hub exist */
};

/** What resolving a read gives: `piece` supplies `box`. */
struct lw_part {
    uint32_t piece;
    struct ew_box box;
};

/** A message, found by (producing piece or gathered bucket, receiver). */
struct lw_message {
    uint32_t node;
    uint32_t ready_node; /**< what readers wait for: the message, or the conversion behind it */
    uint32_t send_node;  /**< what its producers release: the message, or the conversion before */
    double bytes_per_element; /**< on the wire */
    uint64_t elements;        /**< filled in at the end */
};

struct lw_message_box {
    uint32_t node;
    struct ew_box box;
};

struct lw_edge {
    uint32_t from;
    uint32_t to;
};

/** Conversion nodes get their work when the message's elements are known. */
struct lw_conversion {
    uint32_t node;
    uint32_t message; /**< its node */
};

/** Open-addressing map from 64-bit key to index; cleared by raising the mark. */
struct lw_map {
    uint64_t *keys;
    uint32_t *values;
    uint32_t *marks;
    uint32_t capacity; /**< power of two */
    uint32_t count;
    uint32_t mark;
};

/** Who reads. */
struct lw_reader {
    uint32_t device;
    uint32_t chain;
    uint32_t layer_id;            /**< EW_NONE: the result */
    const struct ew_layer *layer; /**< NULL: the result */
    uint32_t piece;               /**< EW_NONE: the result */
    uint32_t position;            /**< in lower->walk */
};

struct ew_lower {
    const struct ew_plan_context *context;
    const struct ew_plan *plan;
    struct ew_error *err;

    EW_VEC(struct ew_piece) pieces; /**< the plan's, then one virtual piece per network input */
    EW_VEC(uint32_t) piece_node;    /**< node that finishes the piece */
    EW_VEC(uint32_t) gathered_node; /**< node by which the hub has the piece */
    EW_VEC(uint32_t) last_use;      /**< order position of the last local reader */
    EW_VEC(uint64_t) remote_bytes;  /**< input bytes from other devices */
    EW_VEC(uint32_t) first_bucket;  /**< per segment */
    EW_VEC(struct lw_bucket) buckets;
    EW_VEC(uint32_t) order;
    EW_VEC(uint32_t) sorted;
    EW_VEC(uint32_t) walk; /**< piece numbers in the order their nodes were made */
    EW_VEC(struct lw_part) parts;
    EW_VEC(uint32_t) candidates;
    struct ew_box_set rest;
    EW_VEC(uint32_t) deps; /**< of the node being made */
    EW_VEC(struct lw_message) messages;
    EW_VEC(struct lw_message_box) boxes;
    EW_VEC(struct lw_conversion) conversions;
    EW_VEC(struct lw_edge) edges;
    EW_VEC(struct lw_edge) edges_scratch;
    EW_VEC(uint32_t) counts;
    struct lw_map map;

    EW_VEC(struct ew_task_unit) units; /**< unit u stands for device n_devices + u */
    EW_VEC(double) work_s;             /**< of tasks in units, by member */
    struct lw_map unit_map;            /**< (segment, chain) to unit */

    EW_VEC(struct ew_task_node) nodes;
    EW_VEC(struct ew_task_info) info;
    EW_VEC(uint32_t) successors;
    EW_VEC(struct ew_device_load) devices;
    EW_VEC(uint32_t) scratch_a;
    EW_VEC(uint32_t) scratch_b;
    EW_VEC(uint64_t) live_bytes;
    EW_VEC(uint32_t) box_begin; /**< keep_boxes: per node, into kept_boxes */
    EW_VEC(struct ew_box) kept_boxes;
    struct ew_box_set set;
    EW_VEC(uint32_t) load_node; /**< per device; EW_NONE until made */
    uint32_t input_node;
    struct ew_task_graph graph; /**< result of the scratch call; arena unused */
};

/** Check ids, boxes, segments and sum references of the plan. EW_EINPUT names the first problem. */
enum ew_status lw_validate(struct ew_lower *lower);

/** Bytes per element of a layer's output in memory. */
double lw_element_bytes(const struct ew_lower *lower, const struct ew_layer *layer);

/** Layer of a bucket's pieces. */
const struct ew_layer *lw_layer(const struct ew_lower *lower, const struct ew_piece *piece);

/** Number of the bucket of a layer. */
static inline uint32_t lw_bucket_of(const struct ew_lower *lower, uint32_t segment, uint32_t layer)
{
    return lower->first_bucket.items[segment] + layer;
}

/** Nothing is known of a node. */
extern const struct ew_task_info lw_no_info;

enum ew_status lw_add_node(struct ew_lower *lower, const struct ew_task_node *node,
                           const struct ew_task_info *info, uint32_t *out);
enum ew_status lw_add_edge(struct ew_lower *lower, uint32_t from, uint32_t to);
/** Note that the node being made waits for `node`. */
enum ew_status lw_add_dep(struct ew_lower *lower, uint32_t node);
/** Edges from all noted deps to `to`. */
enum ew_status lw_connect_deps(struct ew_lower *lower, uint32_t to);

/** Book `reader`'s use of a box of piece `source`, for memory. */
void lw_note_use(struct ew_lower *lower, const struct lw_reader *reader, uint32_t source,
                 const struct ew_box *box);
/** Box of a piece to a device in one hop; `ready` receives the node to wait for. */
enum ew_status lw_send_direct(struct ew_lower *lower, uint32_t number, uint32_t to,
                              uint32_t reader_layer, const struct ew_box *box, uint8_t hop,
                              uint32_t *ready);
/** Note as deps what must have happened before `reader` has `need` of a layer's output. */
enum ew_status lw_read_box(struct ew_lower *lower, const struct lw_reader *reader, uint32_t segment,
                           uint32_t layer_id, const struct ew_box *need);

/** Fill lower->parts with who supplies `need` of bucket `b` to a reader. EW_EINPUT when an element
 *  is held by nobody; `reader_layer` NULL stands for the result. */
enum ew_status lw_resolve(struct ew_lower *lower, uint32_t b, const struct ew_box *need,
                          uint32_t reader_device, uint32_t reader_chain,
                          const struct ew_layer *reader_layer);

/** Sort a bucket's pieces by position, once. */
enum ew_status lw_sort_bucket(struct ew_lower *lower, uint32_t b);

/** Union volume of a bucket's full and sum pieces. */
enum ew_status lw_bucket_union(uint64_t *out, struct ew_lower *lower, uint32_t b);

/* lower_pool.c: pieces of a chain in a pool stand on a place of their own, device n_devices + unit;
 * everything else in lowering takes places for devices. */

/** Check the plan's pools and that chains are in one of them or in none. */
enum ew_status lw_check_pools(struct ew_lower *lower);
/** Find units and put their pieces on them. After the pieces have been copied. */
enum ew_status lw_find_units(struct ew_lower *lower);
/** Number of places: devices and units. */
static inline uint32_t lw_place_count(const struct ew_lower *lower)
{
    return lower->context->platform->n_devices + (uint32_t)lower->units.count;
}
static inline bool lw_is_unit(const struct ew_lower *lower, uint32_t place)
{
    return place != EW_NONE && place >= lower->context->platform->n_devices;
}
/** Pool of a place that is a unit. */
const struct ew_pool *lw_pool_of(const struct ew_lower *lower, uint32_t place);
/** A device that can speak for the place: itself, or the holder. */
uint32_t lw_place_device(const struct ew_lower *lower, uint32_t place);
/** Name for messages to people: of the device, or of the pool. */
const char *lw_place_name(const struct ew_lower *lower, uint32_t place);
/** Make the steal message of a unit unless it is there. */
enum ew_status lw_begin_unit(struct ew_lower *lower, uint32_t place, uint32_t segment,
                             uint32_t layer);
/** A message with a unit at one end: it may be, and all members have routes. */
enum ew_status lw_check_unit_message(struct ew_lower *lower, const struct ew_layer *layer,
                                     uint32_t from, uint32_t to, bool converts);
/** After the walk: what units read waits for the steal message, which waits for all that they read;
 *  nodes in topological order again. EW_EINPUT when a unit needs its own output. */
enum ew_status lw_bind_units(struct ew_lower *lower);
/** Room for a task's work per member; fill it through lower->work_s. */
enum ew_status lw_add_work(struct ew_lower *lower, uint32_t place, uint32_t *row);

/** Message bytes, successor lists, chain merging; then the graph is complete but for stats. */
enum ew_status lw_finish(struct ew_lower *lower, const struct ew_lower_options *options);

/** Device loads and plan stats. */
enum ew_status lw_stats(struct ew_lower *lower);

/** Value under `key`, or EW_NONE. */
uint32_t lw_map_find(const struct lw_map *map, uint64_t key);
/** Insert a new key; false when memory runs out. */
bool lw_map_add(struct lw_map *map, uint64_t key, uint32_t value);
void lw_map_clear(struct lw_map *map);
void lw_map_fini(struct lw_map *map);

#endif
