/*
 * Strategies with the online extension: one that does what it should, and one for each way to
 * misbehave while it observes. The id says which.
 */
#include <string.h>

#include "plugin_kit.h"

#define OBSERVE(name)                                                                              \
    static int32_t name(struct ew_strategy *strategy, const struct ew_host *host,                  \
                        const struct ew_observation *now, struct ew_plan_builder *builder)

#define UNUSED (void)strategy, (void)host, (void)now, (void)builder

/* To the last device while the link there has half of what it had at first, and back. Says what it
 * saw. */
struct memory {
    double first_bytes_per_s;
    uint64_t n_calls;
    uint32_t is_away;
};

static double bandwidth(const struct ew_host *host)
{
    const uint32_t source = host->requirements(host)->source_device;
    const struct ew_link_info *link = host->link(host, source, host->device_count(host) - 1);
    return link->has_route ? link->bandwidth_bytes_per_s : 0;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    struct memory *memory = strategy->self;
    *memory = (struct memory){.first_bytes_per_s = bandwidth(host), .is_away = 1};
    return kit_plan_on(host, builder, host->device_count(host) - 1);
}

OBSERVE(observe_good)
{
    struct memory *memory = strategy->self;
    const uint32_t should_be_away = bandwidth(host) >= memory->first_bytes_per_s / 2;
    if (now->number != ++memory->n_calls || now->time_s < now->planned_s || now->causes == 0) {
        return host->fail(host, EW_STRATEGY_EINTERNAL, "calls out of order");
    }
    if (should_be_away == memory->is_away) {
        return EW_ONLINE_KEEP;
    }
    memory->is_away = should_be_away;
    const uint32_t source = host->requirements(host)->source_device;
    const int32_t rc =
        kit_plan_on(host, builder, should_be_away ? host->device_count(host) - 1 : source);
    return rc < 0 ? rc : EW_ONLINE_REPLACE;
}

/* As good, but jobs under way go along. */
OBSERVE(observe_mover)
{
    const int32_t rc = observe_good(strategy, host, now, builder);
    return rc == EW_ONLINE_REPLACE ? EW_ONLINE_MOVE : rc;
}

OBSERVE(observe_abort)
{
    UNUSED;
    abort();
}

OBSERVE(observe_exit)
{
    UNUSED;
    exit(0);
}

OBSERVE(observe_segfault)
{
    UNUSED;
    volatile int *nowhere = NULL;
    return *nowhere;
}

OBSERVE(observe_loop)
{
    UNUSED;
    volatile int32_t forever = 1;
    while (forever) {
    }
    return forever;
}

OBSERVE(observe_positive)
{
    UNUSED;
    return 7;
}

OBSERVE(observe_nothing)
{
    UNUSED;
    return EW_ONLINE_REPLACE;
}

OBSERVE(observe_two)
{
    (void)strategy, (void)now;
    (void)kit_plan_on(host, builder, 0);
    (void)kit_plan_on(host, builder, 0);
    (void)builder->set_pick(builder, EW_PICK_MODE_CYCLE);
    return EW_ONLINE_REPLACE;
}

OBSERVE(observe_unknown_device)
{
    (void)strategy, (void)now;
    const int32_t rc = kit_plan_on(host, builder, 99);
    return rc < 0 ? rc : EW_ONLINE_REPLACE;
}

OBSERVE(observe_no_reason)
{
    UNUSED;
    return EW_STRATEGY_EINTERNAL;
}

OBSERVE(observe_cannot)
{
    (void)strategy, (void)now, (void)builder;
    return host->fail(host, EW_STRATEGY_ECANNOT, "not in this world");
}

#define ROWS(X)                                                                                    \
    X(good)                                                                                        \
    X(mover)                                                                                       \
    X(abort)                                                                                       \
    X(exit)                                                                                        \
    X(segfault)                                                                                    \
    X(loop)                                                                                        \
    X(positive)                                                                                    \
    X(nothing)                                                                                     \
    X(two)                                                                                         \
    X(unknown_device)                                                                              \
    X(no_reason)                                                                                   \
    X(cannot)

static const struct ew_online onlines[] = {
#define X(name) {.struct_size = sizeof(struct ew_online), .observe = observe_##name},
    ROWS(X)
#undef X
        {.struct_size = 8, .observe = observe_good}, /* too short */
    {.struct_size = sizeof(struct ew_online)},       /* nothing to call */
};

static const struct ew_strategy_info infos[] = {
#define X(name) KIT_INFO("online." #name),
    ROWS(X)
#undef X
        KIT_INFO("online.short"),
    KIT_INFO("online.null"),
};

struct object {
    struct ew_strategy strategy;
    struct memory memory;
    uint32_t index;
};

static const void *extension(struct ew_strategy *strategy, const char *id)
{
    return strcmp(id, EW_ONLINE_ID) == 0 ? &onlines[((struct object *)strategy)->index] : NULL;
}

static uint32_t count(void)
{
    return sizeof infos / sizeof infos[0];
}

static const struct ew_strategy_info *describe(uint32_t index)
{
    return index < count() ? &infos[index] : NULL;
}

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    struct object *object = calloc(1, sizeof *object);
    if (!object) {
        host->fail(host, EW_STRATEGY_ENOMEM, "out of memory");
        return NULL;
    }
    while (strcmp(infos[object->index].id, id) != 0) {
        object->index++;
    }
    object->strategy = (struct ew_strategy){
        .struct_size = sizeof object->strategy,
        .self = &object->memory,
        .plan = plan,
        .destroy = kit_destroy,
        .extension = extension,
    };
    return &object->strategy;
}

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = count,
    .describe = describe,
    .create = create,
};
