/*
 * The plan builder as plugins see it: translates, checks sizes, hands on to plan/builder.
 */
#include "plugin/host_internal.h"

#include <inttypes.h>

enum {
    MIN_PIECE_SIZE = offsetof(struct ew_piece_desc, box) + sizeof(struct ew_tensor_box),
    MIN_POOL_SIZE = offsetof(struct ew_pool_desc, n_members) + sizeof(uint32_t),
    TEXT_ROOM = HOST_MAX_TEXT + 2, /* one byte more than the builder takes, so that it refuses */
};

/* The instance, when the builder may be used now. */
static struct ew_instance *building(struct ew_plan_builder *builder)
{
    struct ew_instance *instance = builder ? builder->ctx : NULL;
    if (instance && !instance->is_planning) {
        (void)host_refuse(instance, "the builder was used outside of plan");
        return NULL;
    }
    if (instance && host_is_faulty(instance, EW_FAULT_BUILDER)) {
        (void)host_refuse(instance, "refused, to see what the strategy does");
        return NULL;
    }
    return instance;
}

/* Record a builder failure. A strategy may choose to go on after it, but should that end in a bad
 * plan, the first failure is what its author wants to read. */
static int32_t failed(struct ew_instance *instance, const struct ew_error *error)
{
    if (instance->ignored.status == EW_OK) {
        instance->ignored = *error;
    }
    return host_record(instance, error);
}

static int32_t result(struct ew_instance *instance, enum ew_status status,
                      const struct ew_error *error)
{
    return status == EW_OK ? EW_STRATEGY_OK : failed(instance, error);
}

static int32_t refuse(struct ew_instance *instance, const char *call, const char *what,
                      uint32_t value)
{
    struct ew_error err = {0};
    (void)ew_fail(&err, EW_EINPUT, "%s: unknown %s %" PRIu32, call, what, value);
    return failed(instance, &err);
}

static int32_t begin_plan(struct ew_plan_builder *builder, const char *name)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    char room[TEXT_ROOM];
    const struct ew_problem *problem = instance->problem;
    return result(instance,
                  ew_builder_begin_plan(instance->builder, host_clean_text(room, sizeof room, name),
                                        problem->batch, problem->source_device,
                                        problem->sink_device, &err),
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
    return status == EW_OK ? (int32_t)segment : failed(instance, &err);
}

static int32_t add_piece(struct ew_plan_builder *builder, const struct ew_piece_desc *desc)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    if (!desc || desc->struct_size < MIN_PIECE_SIZE || desc->struct_size > HOST_MAX_STRUCT_BYTES) {
        (void)ew_fail(&err, EW_EINPUT,
                      "add_piece: expected a piece with struct_size %zu, found %s"
                      "%" PRIu32,
                      sizeof *desc, desc ? "" : "NULL and ", desc ? desc->struct_size : 0);
        return failed(instance, &err);
    }
    if (desc->role > EW_ROLE_SUM) {
        return refuse(instance, "add_piece", "role", desc->role);
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
    if (EW_HAS(struct ew_piece_desc, desc, pool)) {
        if (desc->pool > EW_MAX_POOLS) {
            return refuse(instance, "add_piece", "pool", desc->pool);
        }
        piece.pool = (uint16_t)desc->pool;
    }
    for (int d = 0; d < EW_DIMS; d++) {
        piece.box.lo[d] = desc->box.lo[d];
        piece.box.hi[d] = desc->box.hi[d];
    }
    uint32_t number = 0;
    const enum ew_status status = ew_builder_add_piece(instance->builder, &piece, &number, &err);
    return status == EW_OK ? (int32_t)number : failed(instance, &err);
}

static int32_t add_pool(struct ew_plan_builder *builder, const struct ew_pool_desc *desc)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    if (!desc || desc->struct_size < MIN_POOL_SIZE || desc->struct_size > HOST_MAX_STRUCT_BYTES ||
        !desc->members) {
        (void)ew_fail(
            &err, EW_EINPUT,
            "add_pool: expected a pool with struct_size %zu and members, found %s%" PRIu32,
            sizeof *desc, desc ? "" : "NULL and ", desc ? desc->struct_size : 0);
        return failed(instance, &err);
    }
    const struct ew_pool pool = {
        .holder = desc->holder,
        .steal_bytes = desc->steal_bytes,
        .n_members = desc->n_members,
        .members = desc->members,
    };
    uint16_t id = 0;
    const enum ew_status status = ew_builder_add_pool(instance->builder, &pool, &id, &err);
    return status == EW_OK ? id : failed(instance, &err);
}

/* What to change of the boundary behind a layer of variant 0. */
enum part { PART_EXCHANGE, PART_SYNC, PART_WIRE_BITS };

static int32_t set_part(struct ew_instance *instance, uint32_t layer, enum part part,
                        uint32_t value, uint32_t hub)
{
    struct ew_error err = {0};
    struct ew_boundary boundary = {0};
    enum ew_status status = ew_builder_boundary(&boundary, instance->builder, 0, layer, &err);
    if (status) {
        return failed(instance, &err);
    }
    switch (part) {
    case PART_EXCHANGE:
        boundary.exchange = (uint8_t)value;
        boundary.hub = value == EW_EXCHANGE_MODE_DIRECT ? 0 : hub;
        break;
    case PART_SYNC:
        boundary.has_barrier = value == EW_SYNC_BARRIER;
        break;
    case PART_WIRE_BITS:
        boundary.wire_bits = value < UINT8_MAX ? (uint8_t)value : UINT8_MAX;
        break;
    }
    status = ew_builder_set_boundary(instance->builder, 0, layer, boundary, &err);
    return result(instance, status, &err);
}

static int32_t set_exchange(struct ew_plan_builder *builder, uint32_t layer, uint32_t mode,
                            uint32_t hub)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    return mode > EW_EXCHANGE_MODE_GATHER ? refuse(instance, "set_exchange", "mode", mode)
                                          : set_part(instance, layer, PART_EXCHANGE, mode, hub);
}

static int32_t set_sync(struct ew_plan_builder *builder, uint32_t layer, uint32_t sync)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    return sync > EW_SYNC_BARRIER ? refuse(instance, "set_sync", "mode", sync)
                                  : set_part(instance, layer, PART_SYNC, sync, 0);
}

static int32_t set_wire_bits(struct ew_plan_builder *builder, uint32_t layer, uint32_t bits)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    return set_part(instance, layer, PART_WIRE_BITS, bits, 0);
}

static int32_t set_weights(struct ew_plan_builder *builder, uint32_t mode)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    if (mode > EW_WEIGHTS_MODE_ON_CHANGE) {
        return refuse(instance, "set_weights", "mode", mode);
    }
    struct ew_error err = {0};
    return result(instance, ew_builder_set_weights(instance->builder, (enum ew_weights)mode, &err),
                  &err);
}

static int32_t set_prediction(struct ew_plan_builder *builder, double latency_s, double energy_j,
                              const char *infeasible_reason)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    char room[TEXT_ROOM];
    const char *reason = host_clean_text(room, sizeof room, infeasible_reason);
    return result(instance,
                  ew_builder_set_prediction(instance->builder, latency_s, energy_j, reason, &err),
                  &err);
}

static int32_t set_note(struct ew_plan_builder *builder, const char *key, const char *value)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    char key_room[TEXT_ROOM], value_room[TEXT_ROOM];
    return result(instance,
                  ew_builder_set_note(instance->builder,
                                      host_clean_text(key_room, sizeof key_room, key),
                                      host_clean_text(value_room, sizeof value_room, value), &err),
                  &err);
}

static int32_t set_share(struct ew_plan_builder *builder, uint32_t weight, double probability,
                         const char *class_name)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    char room[TEXT_ROOM];
    const char *class_text = host_clean_text(room, sizeof room, class_name);
    return result(instance,
                  ew_builder_set_share(instance->builder, weight, probability, class_text, &err),
                  &err);
}

static int32_t set_pick(struct ew_plan_builder *builder, uint32_t pick)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    if (pick > EW_PICK_MODE_ONLINE) {
        return refuse(instance, "set_pick", "rule", pick);
    }
    struct ew_error err = {0};
    return result(instance, ew_builder_set_pick(instance->builder, (enum ew_pick)pick, &err), &err);
}

static int32_t reset(struct ew_plan_builder *builder)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    ew_builder_reset(instance->builder);
    instance->ignored = (struct ew_error){0};
    return EW_STRATEGY_OK;
}

static int32_t set_batch(struct ew_plan_builder *builder, int32_t images)
{
    struct ew_instance *instance = building(builder);
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    enum ew_status status = EW_OK;
    const struct ew_problem *problem = instance->problem;
    const int32_t per_request = problem->images_per_request ? problem->images_per_request : 1;
    if (images < 1 || images > problem->batch || images % per_request != 0) {
        status =
            ew_fail(&err, EW_EINPUT, "set_batch: expected a multiple of %d images up to %d, got %d",
                    per_request, problem->batch, images);
    } else {
        status = ew_builder_set_batch(instance->builder, images, &err);
    }
    return result(instance, status, &err);
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
        .set_batch = set_batch,
        .add_pool = add_pool,
    };
}
