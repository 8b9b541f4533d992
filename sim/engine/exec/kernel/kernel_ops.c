/* What ops mean to kernels; without any arithmetic, so that planners may ask, too. */
#include "engine/exec/kernel/kernel.h"

enum ew_status ew_kernels_can_compute(const struct ew_op_view *layer, struct ew_error *err)
{
    const struct ew_op_attrs *a = layer->attrs;
    const bool is_unary = layer->op == EW_OP_UNARY;
    if (layer->op == EW_OP_OPAQUE || layer->op == EW_OP_INPUT) {
        return ew_fail(err, EW_ENOTSUP, "op %s has no kernel", ew_op_name(layer->op));
    }
    if (a->function == EW_FUNCTION_UNKNOWN || (is_unary && a->function == EW_FUNCTION_USUAL)) {
        return ew_fail(err, EW_ENOTSUP,
                       "op %s: its function is not known, so its values cannot be computed",
                       ew_op_name(layer->op));
    }
    if (layer->op == EW_OP_PAD && a->is_learned && (a->pads[0] || a->pads[2]) &&
        (a->pads[1] || a->pads[3])) {
        return ew_fail(err, EW_ENOTSUP, "op pad: learned values both in rows and in columns");
    }
    return EW_OK;
}

bool ew_kernels_read_weights(const struct ew_op_attrs *attrs, enum ew_op op)
{
    switch (op) {
    case EW_OP_CONV:
    case EW_OP_CONV_TRANSPOSE:
    case EW_OP_FC:
    case EW_OP_LINEAR:
    case EW_OP_BATCHNORM:
        return true;
    case EW_OP_LAYERNORM:
        return attrs->is_affine;
    case EW_OP_SHIFT:
    case EW_OP_SCALE:
        return attrs->is_learned || attrs->spans[0] || attrs->spans[1] || attrs->spans[2];
    case EW_OP_PAD:
        return attrs->is_learned;
    default:
        return false;
    }
}
