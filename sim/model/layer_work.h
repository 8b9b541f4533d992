/*
 * What a piece of a convolution or fc does, in the few amounts that profiles of kind `additive` and
 * their calibration speak about. Both use these functions, so that what was fitted is what is used.
 */
#ifndef EW_MODEL_LAYER_WORK_H
#define EW_MODEL_LAYER_WORK_H

#include "model/profile.h"

/** Amounts of one piece. Bytes are elements times the graph's bytes per element. */
struct ew_layer_work {
    enum ew_rate_class rate_class; /**< grouped but not depthwise: conv_other */
    double macs;
    double weight_bytes;     /**< of the parameters it needs */
    double activation_bytes; /**< conv: input read plus output written; fc: 0 */
    double patch_bytes;      /**< conv larger than 1x1, not depthwise: per output position, what one
                                  output channel is a dot product with: kernel area times input
                                  channels per group */
    double rows;             /**< conv: output rows; else 1 */
};

/** The work of a piece; false when its layer is neither conv nor fc, or the piece is empty. */
bool ew_layer_work_of(struct ew_layer_work *out, const struct ew_cost_query *query);

/** Rows rounded up to the granularity, as a factor >= 1 on arithmetic. */
double ew_layer_work_padding(double rows, int32_t granularity);

/** Seconds of that work by a profile of kind `additive`. */
double ew_layer_work_s(const struct ew_profile *profile, const struct ew_layer_work *work);

#endif
