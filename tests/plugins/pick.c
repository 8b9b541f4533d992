/*
 * Strategies that pick the plan of every job: good ones, and one for each way to misbehave while
 * picking. The id says which.
 */
#include <math.h>
#include <string.h>

#include "plugin_kit.h"

#define PICK(name)                                                                                 \
    static int32_t name(struct ew_strategy *strategy, const struct ew_host *host,                  \
                        const struct ew_job_observation *job, struct ew_job_decision *decision)

#define UNUSED (void)strategy, (void)host, (void)job, (void)decision

/* Plan 0 computes at the source, plan 1 at the last device; with batches, plan k is for 2^k
 * requests at the source. */
struct memory {
    uint64_t n_calls;
    uint32_t has_batches;
};

/* Everything on `device`, `images` per job. */
static int32_t plan_batch(const struct ew_host *host, struct ew_plan_builder *builder,
                          uint32_t device, int32_t images)
{
    int32_t rc = builder->begin_plan(builder, "all");
    rc = rc < 0 ? rc : builder->set_batch(builder, images);
    for (uint32_t l = 0; rc >= 0 && l < host->graph(host, 0)->n_layers; l++) {
        const struct ew_layer_info *layer = host->layer(host, 0, l);
        if (layer->is_input) {
            continue;
        }
        struct ew_piece_desc piece = {
            .struct_size = sizeof piece,
            .layer = l,
            .device = device,
            .chain = EW_ID_NONE,
            .sum_piece = EW_ID_NONE,
            .box.hi = {images, layer->shape[1], layer->shape[2], layer->shape[3]},
        };
        rc = builder->add_piece(builder, &piece);
    }
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    const struct ew_requirements_info *asked = host->requirements(host);
    struct memory *memory = strategy->self;
    *memory = (struct memory){.has_batches = asked->batch > asked->images_per_request};
    int32_t rc = EW_STRATEGY_OK;
    for (int32_t n = asked->images_per_request; memory->has_batches && rc >= 0 && n <= asked->batch;
         n *= 2) {
        rc = plan_batch(host, builder, asked->source_device, n);
    }
    if (!memory->has_batches) {
        rc = kit_plan_on(host, builder, asked->source_device);
        rc = rc < 0 ? rc : kit_plan_on(host, builder, host->device_count(host) - 1);
    }
    return rc < 0 ? rc : builder->set_pick(builder, EW_PICK_MODE_ONLINE);
}

/* Away when requests wait at the source, and not where tasks take twice as long as they should.
 * Batches: as many as wait, while at most one job runs. */
PICK(pick_good)
{
    struct memory *memory = strategy->self;
    const uint32_t last = job->n_devices - 1;
    if (memory->n_calls++ == 0 && (job->last_plan != EW_ID_NONE || !isnan(job->task_ratio[last]))) {
        return host->fail(host, EW_STRATEGY_EINTERNAL,
                          "something was measured before the first job");
    }
    if (memory->has_batches) {
        if (job->n_running > 1 && job->can_wait) {
            decision->n_requests = 0;
            return EW_STRATEGY_OK;
        }
        while (decision->plan + 1 < job->n_plans &&
               job->plan_requests[decision->plan + 1] <= job->n_waiting) {
            decision->plan++;
        }
        return EW_STRATEGY_OK;
    }
    const int is_slow = job->task_ratio[last] >= 2; /* NAN: not known to be */
    decision->plan = job->n_plans > 1 && job->queued[0] > 0 && job->is_up[last] && !is_slow;
    return EW_STRATEGY_OK;
}

PICK(pick_preset)
{
    UNUSED;
    return EW_STRATEGY_OK;
}

PICK(pick_random)
{
    (void)strategy;
    decision->plan = (uint32_t)(host->rand_u64(host) % job->n_plans);
    return EW_STRATEGY_OK;
}

PICK(pick_abort)
{
    UNUSED;
    abort();
}

PICK(pick_exit)
{
    UNUSED;
    exit(0);
}

PICK(pick_segfault)
{
    UNUSED;
    volatile int *nowhere = NULL;
    return *nowhere;
}

PICK(pick_loop)
{
    UNUSED;
    volatile int32_t forever = 1;
    while (forever) {
    }
    return forever;
}

PICK(pick_positive)
{
    UNUSED;
    return 7;
}

PICK(pick_unknown_plan)
{
    (void)strategy, (void)host;
    decision->plan = job->n_plans;
    return EW_STRATEGY_OK;
}

PICK(pick_too_many)
{
    (void)strategy, (void)host;
    decision->n_requests = job->n_waiting + 1;
    return EW_STRATEGY_OK;
}

PICK(pick_none)
{
    (void)strategy, (void)host, (void)job;
    decision->n_requests = 0;
    return EW_STRATEGY_OK;
}

PICK(pick_no_reason)
{
    UNUSED;
    return EW_STRATEGY_EINTERNAL;
}

PICK(pick_cannot)
{
    (void)strategy, (void)job, (void)decision;
    return host->fail(host, EW_STRATEGY_ECANNOT, "this job is not for me");
}

PICK(pick_looks)
{
    (void)strategy, (void)job, (void)decision;
    return host->graph(host, 0) ? EW_STRATEGY_OK
                                : host->fail(host, EW_STRATEGY_EINTERNAL, "there is no graph");
}

PICK(pick_forgets)
{
    struct memory *memory = strategy->self;
    (void)host, (void)job;
    static uint32_t n_lives = 0; /* state that plan does not forget */
    n_lives += memory->n_calls++ == 0;
    decision->n_requests = n_lives % 2 ? EW_TAKE_ALL : 1;
    return EW_STRATEGY_OK;
}

#define ROWS(X)                                                                                    \
    X(good)                                                                                        \
    X(preset)                                                                                      \
    X(random)                                                                                      \
    X(abort)                                                                                       \
    X(exit)                                                                                        \
    X(segfault)                                                                                    \
    X(loop)                                                                                        \
    X(positive)                                                                                    \
    X(unknown_plan)                                                                                \
    X(too_many)                                                                                    \
    X(none)                                                                                        \
    X(no_reason)                                                                                   \
    X(cannot)                                                                                      \
    X(looks)                                                                                       \
    X(forgets)

static const struct ew_online onlines[] = {
#define X(name) {.struct_size = sizeof(struct ew_online), .pick = pick_##name},
    ROWS(X)
#undef X
};

static const struct ew_strategy_info infos[] = {
#define X(name) KIT_INFO("pick." #name),
    ROWS(X)
#undef X
        KIT_INFO("pick.absent"),
};

struct object {
    struct ew_strategy strategy;
    struct memory memory;
    uint32_t index;
};

static const void *extension(struct ew_strategy *strategy, const char *id)
{
    const uint32_t index = ((struct object *)strategy)->index;
    const int has_pick = index < sizeof onlines / sizeof onlines[0];
    return has_pick && strcmp(id, EW_ONLINE_ID) == 0 ? &onlines[index] : NULL;
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
