/*
 * The plan builder as plugins see it: translates, checks sizes, hands on to plan/builder.
 */
#include "plugin/host_internal.h"

enum { MIN_PIECE_SIZE = offsetof(struct ew_piece_desc, box) + sizeof(struct ew_tensor_box) };

static struct ew_instance *building(struct ew_plan_builder *builder)
{
    struct ew_instance *instance = builder ? builder->ctx : NULL;
    return instance && instance->is_planning ? instance : NULL;
}

static int32_t result(struct ew_instance *instance, enum ew_status status,
                      const struct ew_error *error)
{
    return status == EW_OK ? EW_STRATEGY_OK : host_record(instance, error);
}

static int32_t begin_plan(struct ew_plan_builder *builder, const char *name)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    const struct ew_problem *problem = instance->problem;
    return result(instance,
                  ew_builder_begin_plan(instance->builder, name, problem->batch,
                                        problem->source_device, problem->sink_device, &err),
                  &err);
}

static int32_t assign(struct ew_plan_builder *builder, int32_t image_lo, int32_t image_hi,
                      uint32_t variant, uint32_t exit)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    uint32_t segment = 0;
    const enum ew_status status =
        ew_builder_assign(instance->builder, image_lo, image_hi, variant, exit, &segment, &err);
    return status == EW_OK ? (int32_t)segment : host_record(instance, &err);
}

static int32_t add_piece(struct ew_plan_builder *builder, const struct ew_piece_desc *desc)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    if (!desc || desc->struct_size < MIN_PIECE_SIZE) {
        return host_refuse(instance, "add_piece: the descriptor is NULL or its struct_size is too "
                                     "small");
    }
    if (desc->role > EW_ROLE_SUM) {
        return host_refuse(instance, "add_piece: unknown role");
    }
    struct ew_piece piece = {
        .layer = desc->layer,
        .device = desc->device,
        .segment = desc->segment,
        .chain = desc->chain,
        .sum = desc->role == EW_ROLE_PARTIAL ? desc->sum_piece : EW_NONE,
        .role = (uint8_t)desc->role,
        .reduction = {desc->reduction_lo, desc->reduction_hi},
    };
    for (int d = 0; d < EW_DIMS; d++) {
        piece.box.lo[d] = desc->box.lo[d];
        piece.box.hi[d] = desc->box.hi[d];
    }
    struct ew_error err = {0};
    uint32_t number = 0;
    const enum ew_status status = ew_builder_add_piece(instance->builder, &piece, &number, &err);
    return status == EW_OK ? (int32_t)number : host_record(instance, &err);
}

/* The boundary behind a layer of variant 0 as set so far. */
static struct ew_boundary boundary_now(struct ew_instance *instance, uint32_t layer)
{
    const struct ew_plan *plan = ew_builder_peek(instance->builder, NULL);
    if (!plan || layer >= instance->problem->context.graph->n_layers) {
        return (struct ew_boundary){0};
    }
    return ew_plan_boundary(plan, 0, layer);
}

static int32_t set_boundary(struct ew_instance *instance, uint32_t layer,
                            struct ew_boundary boundary)
{
    struct ew_error err = {0};
    return result(instance, ew_builder_set_boundary(instance->builder, 0, layer, boundary, &err),
                  &err);
}

static int32_t set_exchange(struct ew_plan_builder *builder, uint32_t layer, uint32_t mode,
                            uint32_t hub)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    if (mode > EW_EXCHANGE_MODE_GATHER) {
        return host_refuse(instance, "set_exchange: unknown mode");
    }
    struct ew_boundary boundary = boundary_now(instance, layer);
    boundary.exchange = (uint8_t)mode;
    boundary.hub = mode == EW_EXCHANGE_MODE_DIRECT ? 0 : hub;
    return set_boundary(instance, layer, boundary);
}

static int32_t set_sync(struct ew_plan_builder *builder, uint32_t layer, uint32_t sync)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    if (sync > EW_SYNC_BARRIER) {
        return host_refuse(instance, "set_sync: unknown mode");
    }
    struct ew_boundary boundary = boundary_now(instance, layer);
    boundary.has_barrier = sync == EW_SYNC_BARRIER;
    return set_boundary(instance, layer, boundary);
}

static int32_t set_wire_bits(struct ew_plan_builder *builder, uint32_t layer, uint32_t bits)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    if (bits > 64) {
        return host_refuse(instance, "set_wire_bits: expected 0 to 64 bits per element");
    }
    struct ew_boundary boundary = boundary_now(instance, layer);
    boundary.wire_bits = (uint8_t)bits;
    return set_boundary(instance, layer, boundary);
}

static int32_t set_weights(struct ew_plan_builder *builder, uint32_t mode)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    if (mode > EW_WEIGHTS_MODE_ON_CHANGE) {
        return host_refuse(instance, "set_weights: unknown mode");
    }
    struct ew_error err = {0};
    return result(instance,
                  ew_builder_set_weights(instance->builder, (enum ew_weights)mode, &err), &err);
}

static int32_t set_prediction(struct ew_plan_builder *builder, double latency_s, double energy_j,
                              const char *infeasible_reason)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    return result(instance,
                  ew_builder_set_prediction(instance->builder, latency_s, energy_j,
                                            infeasible_reason, &err),
                  &err);
}

static int32_t set_note(struct ew_plan_builder *builder, const char *key, const char *value)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    return result(instance, ew_builder_set_note(instance->builder, key, value, &err), &err);
}

static int32_t set_share(struct ew_plan_builder *builder, uint32_t weight, double probability,
                         const char *class_name)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    return result(
        instance,
        ew_builder_set_share(instance->builder, weight, probability, class_name, &err), &err);
}

static int32_t set_pick(struct ew_plan_builder *builder, uint32_t pick)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    if (pick > EW_PICK_MODE_ONLINE) {
        return host_refuse(instance, "set_pick: unknown rule");
    }
    struct ew_error err = {0};
    return result(instance, ew_builder_set_pick(instance->builder, (enum ew_pick)pick, &err),
                  &err);
}

static int32_t reset(struct ew_plan_builder *builder)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    ew_builder_reset(instance->builder);
    return EW_STRATEGY_OK;
}

void host_builder_bind(struct ew_instance *instance)
{
    instance->abi_builder = (struct ew_plan_builder){
        .struct_size = sizeof(struct ew_plan_builder),
        .ctx = instance,
        .begin_plan = begin_plan,
        .assign = assign,
        .add_piece = add_piece,
        .set_exchange = set_exchange,
        .set_sync = set_sync,
        .set_wire_bits = set_wire_bits,
        .set_weights = set_weights,
        .set_prediction = set_prediction,
        .set_note = set_note,
        .set_share = set_share,
        .set_pick = set_pick,
        .reset = reset,
    };
}
