#include "model/layer_work.h"

#include <math.h>

static double over_rate(double work, double rate_per_s)
{
    return rate_per_s > 0 ? work / rate_per_s : 0;
}

/* Grouped convolutions count as `conv_other` whatever their kernel: runtimes have no fast path. */
static enum ew_rate_class class_of(const struct ew_layer *layer)
{
    const enum ew_rate_class rate_class = ew_rate_class_of(layer);
    return rate_class == EW_RATE_CONV_1X1 && layer->attrs.groups > 1 ? EW_RATE_CONV_OTHER
                                                                     : rate_class;
}

bool ew_layer_work_of(struct ew_layer_work *out, const struct ew_cost_query *query)
{
    const struct ew_layer *layer = query->layer;
    if ((layer->op != EW_OP_CONV && layer->op != EW_OP_FC) || ew_box_is_empty(&query->out)) {
        return false;
    }
    const struct ew_op_view view = ew_layer_view(layer);
    const double bytes = query->graph->bytes_per_element;
    struct ew_layer_work work = {
        .rate_class = class_of(layer),
        .macs = (double)ew_op_macs(&view, &query->out, query->reduction),
        .weight_bytes = (double)ew_op_params_for(&view, &query->out, query->reduction) * bytes,
        .rows = 1,
    };
    if (layer->op == EW_OP_CONV) {
        const struct ew_box in = ew_op_input_box(&view, 0, &query->out, query->reduction);
        const double read = ew_box_is_empty(&in) ? 0 : (double)ew_box_volume(&in);
        const double written = (double)ew_box_volume(&query->out);
        const double channels = (double)query->out.hi[EW_C] - query->out.lo[EW_C];
        work.activation_bytes = (read + written) * bytes;
        work.rows = (double)query->out.hi[EW_H] - query->out.lo[EW_H];
        const struct ew_op_attrs *a = &layer->attrs;
        if (work.rate_class != EW_RATE_DEPTHWISE && (a->kernel[0] > 1 || a->kernel[1] > 1)) {
            work.patch_bytes = work.macs / channels * bytes;
        }
    }
    *out = work;
    return true;
}

double ew_layer_work_padding(double rows, int32_t granularity)
{
    return granularity > 1 && rows > 0 ? ceil(rows / granularity) * granularity / rows : 1;
}

double ew_layer_work_s(const struct ew_profile *profile, const struct ew_layer_work *work)
{
    const bool is_fc = work->rate_class == EW_RATE_FC;
    const double padding = is_fc ? 1 : ew_layer_work_padding(work->rows, profile->row_granularity);
    return over_rate(2 * work->macs, profile->class_flops_per_s[work->rate_class]) * padding +
           over_rate(work->weight_bytes, profile->weight_bytes_per_s) +
           over_rate(work->activation_bytes, profile->activation_bytes_per_s) +
           over_rate(work->patch_bytes, profile->patch_bytes_per_s) + profile->layer_overhead_s;
}
