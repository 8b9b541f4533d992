/*
 * EdgeWeave strategy plugin ABI - the only public header.
 *
 * A strategy decides how one DNN inference is spread over devices. It is a shared object with one
 * exported data symbol, `ew_strategy_entry`, built with hidden visibility:
 *
 *     EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
 *         .struct_size = sizeof(struct ew_strategy_entry),
 *         .abi_major = EW_ABI_MAJOR, .abi_minor = EW_ABI_MINOR,
 *         .count = my_count, .describe = my_describe, .create = my_create,
 *     };
 *
 * (In C++ with `extern "C"` in front of it.)
 *
 * Ownership in one line: host data is borrowed, plugin data is copied, private data is yours until
 * destroy.
 *
 * Life of a strategy, in order: count and describe any number of times; create; plan once or more;
 * [online calls]; destroy. All calls come on one thread. Between create and destroy the host
 * pointer stays valid. Never: print, exit, install signal handlers, leave threads running after a
 * call returns, let a C++ exception out, keep more than 64 KiB on the stack.
 *
 * Versions: the major number must match exactly. A minor step only appends members at the end of
 * structs and new ids. Every struct that crosses starts with `struct_size`, set by whoever made the
 * struct; for a struct that the callee fills, the caller sets it. Read an optional member only if
 * EW_HAS says it is there. While the major number is 0 nothing is promised between releases.
 *
 * Units: seconds, joules, watts, bytes (8 bits), FLOPs (2 per multiply-accumulate), ratios 0..1.
 * Boxes are half-open, in the order batch, channels, rows, columns.
 *
 * Return values: 0 is success, anything negative one of EW_STRATEGY_E*. Host functions that fail
 * have already recorded a message, so a strategy may simply return their value.
 */
#ifndef EDGEWEAVE_STRATEGY_H
#define EDGEWEAVE_STRATEGY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EW_ABI_MAJOR 0
#define EW_ABI_MINOR 2

/** No device, exit, chain, piece: wherever an index is optional. */
#define EW_ID_NONE UINT32_MAX

/** True when `member` lies inside the struct its maker knew. */
#define EW_HAS(type, pointer, member)                                                              \
    ((pointer)->struct_size >= offsetof(type, member) + sizeof((pointer)->member))

#if defined(__GNUC__)
#define EW_STRATEGY_EXPORT __attribute__((visibility("default")))
#else
#define EW_STRATEGY_EXPORT
#endif

/* Status codes that cross the boundary. */
#define EW_STRATEGY_OK 0
#define EW_STRATEGY_ECANNOT                                                                        \
    (-1)                           /**< cannot serve this problem; the message is the row's reason \
                                    */
#define EW_STRATEGY_EINVALID (-2)  /**< an argument was wrong (host: message says which) */
#define EW_STRATEGY_ENOMEM (-3)    /**< out of memory */
#define EW_STRATEGY_EINTERNAL (-4) /**< the strategy met a state it does not understand */

/* ------------------------------------------------------------------ descriptors and parameters */

#define EW_PARAM_INT 0
#define EW_PARAM_REAL 1
#define EW_PARAM_BOOL 2   /**< default_text "true" or "false"; read with param_int (1 or 0) */
#define EW_PARAM_CHOICE 3 /**< one of `choices` */
#define EW_PARAM_STRING 4 /**< free text, e.g. a file name */

/** One parameter. The host parses, range-checks and completes defaults before create. */
struct ew_param_info {
    uint32_t struct_size;
    uint32_t kind;            /**< EW_PARAM_* */
    const char *name;         /**< lower case, words joined by '_', unit at the end */
    const char *unit;         /**< "s", "ratio", "" for none */
    const char *default_text; /**< as a user would write it */
    double min_value;         /**< int and real: inclusive range */
    double max_value;
    const char *const *choices; /**< choice: NULL-terminated list */
    const char *doc;            /**< one sentence */
};

/** What a strategy is. Static, owned by the plugin, valid for ever. */
struct ew_strategy_info {
    uint32_t struct_size;
    uint32_t param_count;
    const char *id;       /**< lower case letters, digits, '_' and '.', e.g. "mylab.greedy" */
    const char *version;  /**< of the strategy, e.g. "1.0.0" */
    const char *summary;  /**< one line */
    const char *citation; /**< paper or DOI; "" when there is none */
    const struct ew_param_info *const *params; /**< param_count pointers */
};

/* ------------------------------------------------------------------ problem views */

/** A half-open box: lo[d] <= x < hi[d]; d = 0 batch, 1 channels, 2 rows, 3 columns. */
struct ew_tensor_box {
    int32_t lo[4];
    int32_t hi[4];
};

/* Cost classes of layers, see ew_layer_info.op_class. */
#define EW_LAYER_CONV 0
#define EW_LAYER_FC 1
#define EW_LAYER_POOL 2
#define EW_LAYER_ELEMENTWISE 3
#define EW_LAYER_NORM 4
#define EW_LAYER_VIEW 5 /**< no arithmetic: input, concat, flatten, dropout, … */
#define EW_LAYER_PRODUCT                                                                           \
    6 /**< other matrix products: linear, matmul, conv_transpose; no reduction, ask input_box */

/** One layer of one variant. Layers are in topological order; inputs have smaller ids. */
struct ew_layer_info {
    uint32_t struct_size;
    uint32_t op_class; /**< EW_LAYER_* */
    const char *name;
    const char *op; /**< "conv", "max_pool", … */
    uint32_t n_inputs;
    uint32_t n_consumers;
    const uint32_t *inputs;    /**< layer ids */
    const uint32_t *consumers; /**< layer ids, ascending */
    int32_t shape[4];          /**< output for one image: 1, C, H, W */
    int32_t kernel[2];         /**< rows, columns; 1,1 where there is no window */
    int32_t stride[2];
    int32_t pads[4]; /**< top, left, bottom, right */
    int32_t dilation[2];
    int32_t groups;
    uint32_t is_input; /**< 1: the network's input, computed by nobody */
    uint64_t macs;     /**< whole output, one image */
    uint64_t params;
    uint64_t output_bytes; /**< one image, with the scenario's element sizes */
    uint64_t weight_bytes;
    uint64_t input_bytes; /**< sum over inputs, one image */
};

/** The network of one variant. */
struct ew_graph_info {
    uint32_t struct_size;
    uint32_t n_layers;
    const char *name;
    uint32_t n_inputs;      /**< network inputs */
    uint32_t n_exits;       /**< the last one is the full network */
    const uint32_t *inputs; /**< layer ids */
    uint32_t variant;       /**< index of this variant */
    uint32_t n_variants;
    const char *variant_name;
    double accuracy; /**< ratio; NAN unknown */
    double input_bytes_per_element;
    double activation_bytes_per_element;
    double weight_bytes_per_element;
};

/** An exit: the layers whose output is the answer. */
struct ew_exit_info {
    uint32_t struct_size;
    uint32_t n_layers;
    const char *name;
    const uint32_t *layers;
    double accuracy; /**< ratio; NAN unknown */
};

/** A device. */
struct ew_device_info {
    uint32_t struct_size;
    uint32_t node; /**< devices with equal node share power, radio and memory */
    const char *name;
    const char *profile; /**< name of its cost profile */
    double speed_flops_per_s;
    uint64_t memory_bytes; /**< 0: not limited */
    double message_overhead_s;
    uint32_t has_power; /**< 0: the watts below are 0 */
    uint32_t is_source; /**< 1: the input appears here */
    double idle_w;
    double compute_w;
    double tx_w;
    double rx_w;
};

/** From one device to another, alone on the network. */
struct ew_link_info {
    uint32_t struct_size;
    uint32_t has_route;           /**< 0: unreachable */
    double bandwidth_bytes_per_s; /**< bottleneck */
    double latency_s;
};

/** What is asked. */
struct ew_requirements_info {
    uint32_t struct_size;
    uint32_t source_device;
    uint32_t sink_device;
    int32_t batch;               /**< images per job */
    double deadline_s;           /**< INFINITY: none */
    double min_accuracy;         /**< 0: none */
    double min_throughput_per_s; /**< requests per second; 0: none */
    uint32_t has_energy;         /**< 1: every device has power figures */
    uint32_t reserved;
    const char *arrival;  /**< "closed:1", "poisson:20", … */
    const char *workload; /**< its name */
    int32_t
        images_per_request; /**< divides batch: a job carries batch / images_per_request requests */
    uint32_t reserved_end;
};

/* ------------------------------------------------------------------ evaluation */

/** What the fast engine says of the builder's current plan. The caller sets struct_size and, when
 *  wanted, the arrays. */
struct ew_evaluation {
    uint32_t struct_size;
    uint32_t requests;       /**< in: how many in a closed loop of one; 0 counts as 1 */
    double latency_s;        /**< mean */
    double period_s;         /**< time between completions when streamed, i.e. busiest resource */
    double energy_j;         /**< per request, whole platform; NAN without power figures */
    double dynamic_energy_j; /**< above idle; NAN without power figures */
    double accuracy;         /**< NAN unknown */
    uint64_t message_bytes;  /**< per job */
    double *device_busy_s;   /**< NULL or device_count values: compute time per request */
    double *device_finish_s; /**< NULL or device_count values: last activity in the first request */
    double
        *layer_finish_s; /**< NULL or layer count (variant 0) values: when the layer is complete */
};

/* ------------------------------------------------------------------ plan building */

#define EW_ROLE_FULL 0
#define EW_ROLE_PARTIAL 1 /**< part of a sum, see reduction and sum_piece */
#define EW_ROLE_SUM 2     /**< adds the partial pieces that name it; box must equal theirs */

/** One share of one layer: `device` computes `box` of `layer`'s output. */
struct ew_piece_desc {
    uint32_t struct_size;
    uint32_t segment; /**< from assign; 0 when assign was not called */
    uint32_t layer;   /**< in the segment's variant */
    uint32_t device;
    uint32_t role;        /**< EW_ROLE_* */
    uint32_t chain;       /**< pieces of one tile share a number; EW_ID_NONE: none */
    uint32_t sum_piece;   /**< partial: the sum piece's id; add the sum piece first */
    int32_t reduction_lo; /**< partial: input channels (conv) or flattened inputs (fc) */
    int32_t reduction_hi;
    struct ew_tensor_box box;
    uint32_t pool; /**< from add_pool: the chain waits there and `device` says nothing; 0: none */
};

/** Devices that take chains as they become idle (late binding), each when it runs nothing, nothing
 *  waits for it and it has no other chain. Pieces of a chain in a pool are full ones and all name
 *  the pool. Whatever the chain reads from outside itself must be at the holder: the network's
 * input at the source, a layer computed there or gathered there. */
struct ew_pool_desc {
    uint32_t struct_size;
    uint32_t
        holder; /**< device that hands chains out; as a member it takes them without messages */
    uint64_t steal_bytes;    /**< of the message from member to holder by which a chain is taken */
    const uint32_t *members; /**< devices; of several that are idle the first takes the chain */
    uint32_t n_members;
    uint32_t reserved;
};

#define EW_EXCHANGE_MODE_DIRECT 0
#define EW_EXCHANGE_MODE_RELAY 1
#define EW_EXCHANGE_MODE_GATHER 2

#define EW_SYNC_DATA 0    /**< start as soon as the data is there */
#define EW_SYNC_BARRIER 1 /**< the layer's output moves only when all of it is computed */

#define EW_WEIGHTS_MODE_RESIDENT 0
#define EW_WEIGHTS_MODE_PER_REQUEST 1
#define EW_WEIGHTS_MODE_ON_CHANGE 2

#define EW_PICK_MODE_ONLY 0
#define EW_PICK_MODE_CYCLE 1
#define EW_PICK_MODE_BY_CLASS 2
#define EW_PICK_MODE_BY_EXIT_DRAW 3
#define EW_PICK_MODE_ONLINE 4

/** Receives the plans. Every call copies and validates at once; on a negative return the message
 *  is recorded and the builder is unchanged. Valid during the call it was passed to. */
struct ew_plan_builder {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx; /**< the host's; pass the builder itself to every call */

    /** Start the next plan of the book. Usually called once. */
    int32_t (*begin_plan)(struct ew_plan_builder *builder, const char *name);
    /** Images [image_lo, image_hi) run `variant` to `exit`; optional, default all images, variant
     *  0, last exit. Returns the segment index (>= 0) for pieces. Segments follow each other. */
    int32_t (*assign)(struct ew_plan_builder *builder, int32_t image_lo, int32_t image_hi,
                      uint32_t variant, uint32_t exit);
    /** Add a piece; returns its id (>= 0). Layers that are network inputs take no piece. */
    int32_t (*add_piece)(struct ew_plan_builder *builder, const struct ew_piece_desc *piece);
    /** How `layer`'s output (variant 0) travels; layer may be an input layer. Default direct.
     *  hub: a device for relay and gather, EW_ID_NONE for direct. */
    int32_t (*set_exchange)(struct ew_plan_builder *builder, uint32_t layer, uint32_t mode,
                            uint32_t hub);
    /** EW_SYNC_* behind `layer` (variant 0). */
    int32_t (*set_sync)(struct ew_plan_builder *builder, uint32_t layer, uint32_t sync);
    /** Bits per element on the wire behind `layer` (variant 0); 0: as in memory. */
    int32_t (*set_wire_bits)(struct ew_plan_builder *builder, uint32_t layer, uint32_t bits);
    /** EW_WEIGHTS_MODE_* of the current plan. */
    int32_t (*set_weights)(struct ew_plan_builder *builder, uint32_t mode);
    /** What the strategy's own model predicts, NAN for unknown. `infeasible_reason` non-NULL: the
     *  strategy knows that this plan misses a requirement, and why. */
    int32_t (*set_prediction)(struct ew_plan_builder *builder, double latency_s, double energy_j,
                              const char *infeasible_reason);
    /** A remark shown with the plan. */
    int32_t (*set_note)(struct ew_plan_builder *builder, const char *key, const char *value);
    /** Share of the current plan in the pick rule: weight (cycle), probability (by_exit_draw),
     *  class_name (by_class). Unused ones: 1, 0, NULL. */
    int32_t (*set_share)(struct ew_plan_builder *builder, uint32_t weight, double probability,
                         const char *class_name);
    /** EW_PICK_MODE_* of the book. Default only. */
    int32_t (*set_pick)(struct ew_plan_builder *builder, uint32_t pick);
    /** Forget all plans begun so far (keeps memory: cheap to call in a search). */
    int32_t (*reset)(struct ew_plan_builder *builder);
    /** Images per job of the current plan, 1 to what requirements says (the default); a whole
     * number of requests. Before assign and the first piece. Only in books picked online, where
     * pick then says how many requests share a job. */
    int32_t (*set_batch)(struct ew_plan_builder *builder, int32_t images);
    /** Add a pool to the current plan, before the pieces that name it. Returns its id (>= 1) for
     *  them. */
    int32_t (*add_pool)(struct ew_plan_builder *builder, const struct ew_pool_desc *pool);
};

/* ------------------------------------------------------------------ host */

#define EW_LOG_DEBUG 0
#define EW_LOG_INFO 1
#define EW_LOG_WARNING 2

/** Services of the host. Valid from create to the end of destroy. Views are borrowed, stay valid
 *  as long as the host, and never change during a plan call. Index arguments out of range give
 *  NULL or NAN. `host` is always the pointer passed to create. */
struct ew_host {
    uint32_t struct_size;
    uint32_t abi_minor; /**< of the program */
    void *ctx;          /**< the host's */

    /* Views. variant 0 is the base model. Available in plan and online calls; in create they
     * return NULL or 0, since a strategy may be made without a problem. */
    const struct ew_graph_info *(*graph)(const struct ew_host *host, uint32_t variant);
    const struct ew_layer_info *(*layer)(const struct ew_host *host, uint32_t variant,
                                         uint32_t layer);
    const struct ew_exit_info *(*exit)(const struct ew_host *host, uint32_t variant, uint32_t exit);
    uint32_t (*device_count)(const struct ew_host *host);
    const struct ew_device_info *(*device)(const struct ew_host *host, uint32_t device);
    const struct ew_link_info *(*link)(const struct ew_host *host, uint32_t from, uint32_t to);
    const struct ew_requirements_info *(*requirements)(const struct ew_host *host);

    /* Estimates: one cost model for every strategy. */
    /** Seconds `device` needs for `box` of `layer`; 0 for an empty box, NAN on bad arguments. */
    double (*compute_s)(const struct ew_host *host, uint32_t variant, uint32_t layer,
                        const struct ew_tensor_box *box, uint32_t device);
    /** Seconds for one message alone on the network: overhead + latency + bytes/bandwidth; 0 on one
     *  device, INFINITY without a route. */
    double (*transfer_s)(const struct ew_host *host, uint32_t from, uint32_t to, uint64_t bytes);
    /** Joules above idle when `device` computes for compute_s, sends for tx_s, receives for rx_s;
     *  NAN without power figures. */
    double (*energy_j)(const struct ew_host *host, uint32_t device, double compute_s, double tx_s,
                       double rx_s);
    /** Seconds `device` needs to load `bytes` of weights. */
    double (*load_s)(const struct ew_host *host, uint32_t device, uint64_t bytes);
    /** What `out` of `layer` reads of its i-th input (clipped to the tensor; may be empty). */
    int32_t (*input_box)(const struct ew_host *host, uint32_t variant, uint32_t layer,
                         uint32_t input, const struct ew_tensor_box *out, struct ew_tensor_box *in);
    /** Run the builder's current plan on the fast engine. Any number of times before returning from
     *  plan; the plan must be complete. Set result->struct_size. */
    int32_t (*evaluate)(const struct ew_host *host, struct ew_plan_builder *builder,
                        struct ew_evaluation *result);

    /* Parameters, validated and completed. Unknown names give 0, NAN or NULL and a warning. */
    int64_t (*param_int)(const struct ew_host *host, const char *name);
    double (*param_real)(const struct ew_host *host, const char *name);
    const char *(*param_text)(const struct ew_host *host, const char *name);

    /* Services. */
    /** Zeroed memory that lives until after destroy; NULL when memory runs out. Optional to use. */
    void *(*alloc)(const struct ew_host *host, uint64_t bytes);
    /** Next 64 uniform bits, seeded by the run: same seed, same sequence. */
    uint64_t (*rand_u64)(const struct ew_host *host);
    /** EW_LOG_*; plain text, copied. */
    void (*log)(const struct ew_host *host, uint32_t level, const char *message);
    /** Record why, and return `code`: `return host->fail(host, EW_STRATEGY_ECANNOT, "…");` */
    int32_t (*fail)(const struct ew_host *host, int32_t code, const char *message);
    /** Optional features by id, e.g. "edgeweave.candidates/1"; NULL when not offered. */
    const void *(*extension)(const struct ew_host *host, const char *id);
};

/* ------------------------------------------------------------------ extension: candidates */

/** Plans that others have already made for the same problem: host->extension(host,
 *  EW_CANDIDATES_ID), NULL when there are none. `compare` offers them to strategies with a
 * parameter named `candidates`, which plan after all others. Valid during plan. */
#define EW_CANDIDATES_ID "edgeweave.candidates/1"

struct ew_candidates {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx; /**< the host's; pass the struct itself to every call */
    uint32_t (*count)(const struct ew_candidates *candidates);
    /** Id of the strategy that made it; NULL when there is no such index. */
    const char *(*maker)(const struct ew_candidates *candidates, uint32_t index);
    /** Replace what the builder holds by this plan, without its notes and prediction, ready for
     *  evaluate. Negative when the builder cannot take it; the builder is then reset. */
    int32_t (*load)(const struct ew_candidates *candidates, uint32_t index,
                    struct ew_plan_builder *builder);
};

/* ------------------------------------------------------------------ extension: cache */

/** A folder for what is costly to find again, from one run to the next: host->extension(host,
 *  EW_CACHE_ID), NULL when there is none or the user wants none. File names begin with the
 *  strategy's id. A plan made with the help of a file is byte for byte the plan made without it. */
#define EW_CACHE_ID "edgeweave.cache/1"

struct ew_cache_info {
    uint32_t struct_size;
    uint32_t reserved;
    const char *dir; /**< exists */
};

/* ------------------------------------------------------------------ extension: online */

struct ew_strategy;

/** For strategies that react to a changing world: strategy->extension(strategy, EW_ONLINE_ID)
 *  returns a struct ew_online. Without it, `--replan` calls plan again, on an equal footing for all
 *  strategies but without memory from call to call. */
#define EW_ONLINE_ID "edgeweave.online/1"

/* What observe may return, beside a negative code. */
#define EW_ONLINE_KEEP 0    /**< the plan in force stays; what the builder holds is dropped */
#define EW_ONLINE_REPLACE 1 /**< the builder holds one plan, for all jobs from now on */
#define EW_ONLINE_MOVE                                                                             \
    2 /**< likewise, and jobs under way take it for their remaining layers where they can: from    \
         the next layer on whose output is all that the layers behind it read */

/* Why observe is called; bits. */
#define EW_ONLINE_CAUSE_PERIOD 1u /**< time has passed (--replan period:S) */
#define EW_ONLINE_CAUSE_DEGREE                                                                     \
    2u /**< a bandwidth, latency or speed is off by the given percentage */
#define EW_ONLINE_CAUSE_SWITCH 4u /**< a device or link has gone or come back */

/** The moment of an observation. What is measured is in the views: host->link and transfer_s show
 *  bandwidths and latencies of now, host->device and compute_s speeds of now, has_route 0 what is
 *  down. Made by the host. */
struct ew_observation {
    uint32_t struct_size;
    uint32_t causes;  /**< EW_ONLINE_CAUSE_* */
    double time_s;    /**< since the run began */
    double planned_s; /**< when the plan in force was made; 0: before the run */
    uint64_t number;  /**< of this call, from 1; plan begins anew */
};

/** What a strategy sees of a job that is about to begin. Measured in the run, so it contains
 *  queueing, stragglers and losses; as it was a microsecond before. Times are whole microseconds,
 *  ratios and bandwidths have three digits: what is the same on paper is the same number in every
 *  engine. Made by the host. */
struct ew_job_observation {
    uint32_t struct_size;
    uint32_t n_plans;       /**< of the book that plan made */
    double time_s;          /**< since the run began */
    uint64_t first_request; /**< that the job is for */
    double waited_s;        /**< since this request arrived */
    double deadline_s;      /**< from its arrival; INFINITY: none */
    uint32_t n_attempts;    /**< of these requests before this job; > 0: something broke */
    uint32_t n_waiting;     /**< requests that have arrived and are in no job, this one included;
                                 after an attempt, what is left of its requests */
    uint32_t n_running;     /**< jobs begun and not answered */
    uint32_t can_wait;      /**< 1: a decision to take none yet is possible, since something will
                                 happen by itself: an arrival, the end of a job */
    uint32_t last_plan;     /**< of the job that was answered last; EW_ID_NONE: none yet */
    uint32_t n_devices;
    double last_latency_s; /**< of its first request, from arrival to answer; NAN: none yet */
    const uint32_t *plan_requests; /**< per plan: most requests in a job of it */
    const double *task_ratio; /**< per device: time of its last task of at least 100 us, of what
                                   compute_s said at nominal speed; NAN: none yet */
    const uint32_t *queued;   /**< per device: tasks ready and not finished, the running one too */
    const uint32_t *is_up;    /**< per device: 1 or 0 */
    const double *measured_bytes_per_s; /**< from device i to j at [i * n_devices + j]: bytes of the
                                   last message over the time they flowed, if that was at least
                                   100 us; NAN: none yet */
};

#define EW_TAKE_ALL UINT32_MAX

/** What pick decides; preset by the host. */
struct ew_job_decision {
    uint32_t struct_size;
    uint32_t plan;       /**< 0..n_plans-1; preset 0: an exit, a variant, a partition per job */
    uint32_t n_requests; /**< how many of those that wait the job takes, at most plan_requests of
                            the plan. Preset EW_TAKE_ALL: all that fit. 0, if can_wait: none until
                              something happens; then pick is called again */
    uint32_t reserved;
};

/** Call order in one run: create; plan, for the world of time 0; then observe at the moments that
 *  --replan names, in order of time, or, for a book that is picked online, pick; destroy. All on
 * one thread. What a call returns may depend on the problem, the parameters, host->rand_u64 and
 * earlier calls since the last plan, on nothing else: the same run gives the same decisions,
 * whichever engine carries them out. plan forgets everything. */
struct ew_online {
    uint32_t struct_size;
    uint32_t reserved;
    /** Something may have changed. May use everything that plan may: views, estimates, evaluate and
     *  the builder, which is empty. EW_ONLINE_KEEP, _REPLACE, _MOVE, or negative after
     * host->fail: ECANNOT keeps the plan in force, anything else ends the run with that message.
     * With _REPLACE jobs under way do as --in-flight says. Planning is charged as --charge-planning
     * says, whatever is returned. NULL: `--replan` calls plan again. */
    int32_t (*observe)(struct ew_strategy *strategy, const struct ew_host *host,
                       const struct ew_observation *now, struct ew_plan_builder *builder);
    /** A job is about to begin: which plan of the book, and for how many requests? Called for books
     *  with EW_PICK_MODE_ONLINE, 2 us after the arrival, answer or failure that makes it possible;
     * a job begins at the time of the call. Parameters, alloc, rand_u64, log and fail are
     * available, views, estimates and builder are not: what they said belongs into the strategy's
     * own data. 0, or negative after host->fail: the run ends with that message. NULL: no such
     * books. */
    int32_t (*pick)(struct ew_strategy *strategy, const struct ew_host *host,
                    const struct ew_job_observation *job, struct ew_job_decision *decision);
};

/* ------------------------------------------------------------------ strategy */

/** A strategy object, made by create, freed by its own destroy. */
struct ew_strategy {
    uint32_t struct_size;
    uint32_t reserved;
    void *self; /**< the plugin's private data */
    /** Make a plan, or several. A pure function of host views, parameters and host->rand_u64: the
     *  same problem and seed give the same plan. May be called again for another problem. */
    int32_t (*plan)(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder);
    /** Free self and the strategy object. */
    void (*destroy)(struct ew_strategy *strategy);
    /** Optional features by id, e.g. EW_ONLINE_ID; may be NULL or return NULL. Asked once, after
     *  create; what it returns stays valid until destroy. */
    const void *(*extension)(struct ew_strategy *strategy, const char *id);
};

/** The one exported symbol. All members are required. */
struct ew_strategy_entry {
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved;
    uint32_t (*count)(void);
    const struct ew_strategy_info *(*describe)(uint32_t index);
    /** Make the strategy with this id; NULL after host->fail. Does no heavy work. */
    struct ew_strategy *(*create)(const struct ew_host *host, const char *id);
};

EW_STRATEGY_EXPORT extern const struct ew_strategy_entry ew_strategy_entry;

#ifdef __cplusplus
}
#endif

#endif
