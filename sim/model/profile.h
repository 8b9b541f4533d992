/*
 * Device cost profiles: how long a device needs for a piece of a layer.
 *
 * A profile belongs to a device *and* its software ("jetson_nano.tensorrt_fp16"). All kinds sit
 * behind ew_cost_compute_s. Times are at nominal device speed; a device that is slowed down scales
 * them outside. Reads no files (see io/profile_json.h).
 */
#ifndef EW_MODEL_PROFILE_H
#define EW_MODEL_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/graph.h"

/** How a profile computes time. */
enum ew_profile_kind {
    EW_PROFILE_RATE,        /**< FLOPs / one rate */
    EW_PROFILE_CLASS_RATES, /**< rate per class, bytes/s for weights and activations, overhead */
    EW_PROFILE_REGRESSION,  /**< linear regressions per op (Edgent, AOFL) */
    EW_PROFILE_STAIRCASE,   /**< class rates with output rows rounded up to a granularity */
    EW_PROFILE_TABLE,       /**< measured seconds per layer and rows */
    EW_PROFILE_ADDITIVE,    /**< conv and fc: arithmetic, weights, activations, patches, overhead */
    EW_PROFILE_KIND_COUNT
};

/** Classes that have a rate of their own. */
enum ew_rate_class {
    EW_RATE_CONV_3X3_S1,
    EW_RATE_CONV_1X1,
    EW_RATE_CONV_OTHER,
    EW_RATE_DEPTHWISE,
    EW_RATE_FC,
    EW_RATE_COUNT
};

/** What a regression may depend on; all for the piece asked about, not the whole layer. */
enum ew_feature {
    EW_FEATURE_ONE,
    EW_FEATURE_INPUT_ELEMENTS,
    EW_FEATURE_INPUT_BYTES, /**< elements times the graph's bytes_per_element */
    EW_FEATURE_INPUT_CHANNELS,
    EW_FEATURE_OUTPUT_ELEMENTS,
    EW_FEATURE_OUTPUT_BYTES,
    EW_FEATURE_FILTER, /**< (kernel rows/stride)*(kernel columns/stride)*number of filters */
    EW_FEATURE_WEIGHT_BYTES,
    EW_FEATURE_MACS,
    EW_FEATURE_INPUT_PIXELS,  /**< input rows times columns */
    EW_FEATURE_OUTPUT_PIXELS, /**< output rows times columns */
    EW_FEATURE_COUNT
};

/** One term of a regression: coefficient times feature, in seconds. */
struct ew_term {
    enum ew_feature feature;
    double coefficient_s;
};

/** Regression for one op; a negative sum counts as 0. */
struct ew_regression {
    uint32_t n_terms;
    const struct ew_term *terms;
};

/** Measured rows of one layer. Seconds are interpolated linearly over rows, scaled by the share of
 *  columns and channels; outside the measured rows the nearest segment is extended (never below
 *  the smallest measured time times rows/smallest rows). */
struct ew_table_layer {
    const char *graph; /**< graph name */
    const char *layer; /**< layer name */
    uint32_t n;
    const double *rows;    /**< ascending whole numbers >= 1 */
    const double *seconds; /**< per entry */
};

/** A device profile. Immutable once made; lives in its arena. */
struct ew_profile {
    struct ew_arena arena;
    const char *name;
    const char *path;
    const char *source;
    const char *confidence; /**< mark of the figures, e.g. "measured" */
    enum ew_profile_kind kind;
    double flops_per_s;                      /**< rate; 2 FLOPs per multiply-accumulate */
    double class_flops_per_s[EW_RATE_COUNT]; /**< class_rates, staircase: > 0; additive: 0 = free */
    double simple_ops_per_s;                 /**< pools, activations, norms; 0 = free */
    double weight_bytes_per_s;               /**< fc (additive: conv, too) weights read; 0 = free */
    double activation_bytes_per_s;           /**< input read + output written; 0 = free */
    double patch_bytes_per_s;                /**< additive: see layer_work.h; 0 = free */
    double layer_overhead_s;                 /**< per piece that computes anything */
    int32_t row_granularity;                 /**< staircase, additive: >= 1; else 1 */
    struct ew_regression regression[EW_OP_COUNT];
    uint32_t n_table_layers;
    const struct ew_table_layer *table_layers; /**< sorted by (graph, layer) */
    const struct ew_profile *fallback; /**< table: for layers not measured; or NULL. Owned */
    double load_overhead_s;            /**< loading weights: fixed part */
    double load_bytes_per_s;           /**< loading weights; 0 = free */
    double time_ratio;     /**< what all times are multiplied by: 1, but for draws of errors */
    double residual_ratio; /**< mean absolute relative error of the fit; NAN */
    uint32_t n_residuals;
    const double *residuals; /**< measured / predicted of rows left out of the fit; each > 0 */
    double range_macs[2];    /**< least and most MACs of a layer in the data; 0, 0: unknown */
};

/** What is asked: compute the box `out` of `layer` (batch in the box), optionally only a part of
 *  the reduction. */
struct ew_cost_query {
    const struct ew_graph *graph;
    const struct ew_layer *layer;
    struct ew_box out;
    const struct ew_reduction *reduction; /**< NULL: all */
};

/** Seconds at nominal speed; finite and >= 0. Views cost 0 unless a regression or table says
 *  otherwise. */
double ew_cost_compute_s(const struct ew_profile *profile, const struct ew_cost_query *query);

/** Seconds to add `n_terms` partial sums of `elements` elements each. */
double ew_cost_sum_s(const struct ew_profile *profile, uint64_t elements, uint32_t n_terms,
                     double bytes_per_element);

/** Seconds to load `bytes` of weights; 0 for 0 bytes. */
double ew_cost_load_s(const struct ew_profile *profile, uint64_t bytes);

/** Seconds to convert `elements` elements to or from another wire format. */
double ew_cost_convert_s(const struct ew_profile *profile, uint64_t elements);

/** Check ranges and consistency after filling in; EW_EINPUT names the field. */
enum ew_status ew_profile_check(const struct ew_profile *profile, struct ew_error *err);

/** Name of a kind in files, e.g. "class_rates". */
const char *ew_profile_kind_name(enum ew_profile_kind kind);

/** Rate class of a conv or fc layer. */
enum ew_rate_class ew_rate_class_of(const struct ew_layer *layer);

/** A profile of kind `rate`. NULL when memory runs out. Free with ew_profile_free. */
struct ew_profile *ew_profile_make_rate(const char *name, double flops_per_s);

void ew_profile_free(struct ew_profile *profile);

#endif
