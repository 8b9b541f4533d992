/*
 * Many strategies in one file, each with one way to misbehave while it plans. The id says which.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin_kit.h"

#define PLAN(name)                                                                                 \
    static int32_t name(struct ew_strategy *strategy, const struct ew_host *host,                  \
                        struct ew_plan_builder *builder)

#define UNUSED (void)strategy, (void)host, (void)builder

static struct ew_piece_desc piece_of(const struct ew_host *host, uint32_t layer, uint32_t device)
{
    const struct ew_layer_info *info = host->layer(host, 0, layer);
    return (struct ew_piece_desc){
        .struct_size = sizeof(struct ew_piece_desc),
        .layer = layer,
        .device = device,
        .chain = EW_ID_NONE,
        .sum_piece = EW_ID_NONE,
        .box.hi = {1, info->shape[1], info->shape[2], info->shape[3]},
    };
}

/* ------------------------------------------------------------------------ does not come back */

PLAN(plan_abort)
{
    UNUSED;
    abort();
}

PLAN(plan_exit)
{
    UNUSED;
    exit(0);
}

PLAN(plan_loop)
{
    UNUSED;
    volatile int32_t forever = 1;
    while (forever) {
    }
    return forever;
}

PLAN(plan_segfault)
{
    UNUSED;
    volatile int *nowhere = NULL;
    return *nowhere;
}

/* Shuts every door behind itself, so that waiting for the end of a pipe is not enough. */
PLAN(plan_close_and_loop)
{
    UNUSED;
    for (int fd = 0; fd < 256; fd++) {
        (void)close(fd);
    }
    volatile int32_t forever = 1;
    while (forever) {
    }
    return forever;
}

/* ------------------------------------------------------------------------ bad plans */

PLAN(plan_nothing)
{
    UNUSED;
    return EW_STRATEGY_OK;
}

PLAN(plan_incomplete)
{
    (void)strategy;
    int32_t rc = builder->begin_plan(builder, "half");
    struct ew_piece_desc piece = piece_of(host, host->graph(host, 0)->n_layers - 1, 0);
    piece.box.hi[1] /= 2; /* half of the channels */
    return rc < 0 ? rc : builder->add_piece(builder, &piece) < 0 ? -1 : 0;
}

PLAN(plan_overlap)
{
    int32_t rc = kit_plan(strategy, host, builder);
    struct ew_piece_desc piece = piece_of(host, 1, host->requirements(host)->source_device);
    return rc < 0 ? rc : builder->add_piece(builder, &piece) < 0 ? -1 : 0;
}

PLAN(plan_unknown_device)
{
    (void)strategy;
    return kit_plan_on(host, builder, host->device_count(host) + 7);
}

/* Does not look at what the builder says. */
PLAN(plan_ignores_refusal)
{
    (void)strategy;
    (void)kit_plan_on(host, builder, 99);
    return EW_STRATEGY_OK;
}

PLAN(plan_refused_note)
{
    int32_t rc = kit_plan(strategy, host, builder);
    (void)builder->set_note(builder, NULL, "a note without a key");
    return rc;
}

PLAN(plan_bad_segments)
{
    (void)strategy, (void)host;
    int32_t rc = builder->begin_plan(builder, "late");
    return rc < 0 ? rc : builder->assign(builder, 1, 2, 0, 0);
}

PLAN(plan_nan_prediction)
{
    int32_t rc = kit_plan(strategy, host, builder);
    return rc < 0 ? rc : builder->set_prediction(builder, NAN, NAN, NULL);
}

PLAN(plan_infinite_prediction)
{
    int32_t rc = kit_plan(strategy, host, builder);
    return rc < 0 ? rc : builder->set_prediction(builder, INFINITY, -1, NULL);
}

PLAN(plan_huge_note)
{
    int32_t rc = kit_plan(strategy, host, builder);
    const size_t size = (size_t)64 << 20;
    char *text = malloc(size);
    if (rc < 0 || !text) {
        return EW_STRATEGY_ENOMEM;
    }
    memset(text, 'x', size);
    text[size - 1] = '\0';
    rc = builder->set_note(builder, "long", text);
    free(text);
    return rc;
}

PLAN(plan_dirty_note)
{
    int32_t rc = kit_plan(strategy, host, builder);
    return rc < 0 ? rc
                  : builder->set_note(builder, "dirty",
                                      "a\033[31mb\nc\xff"
                                      "d \xc3\xa9");
}

PLAN(plan_endless_pieces)
{
    (void)strategy;
    int32_t rc = builder->begin_plan(builder, "endless");
    struct ew_piece_desc piece = piece_of(host, 1, 0);
    while (rc >= 0) {
        rc = builder->add_piece(builder, &piece);
    }
    return rc;
}

/* ------------------------------------------------------------------------ bad manners */

static struct ew_plan_builder *kept_builder;

/* Used by destroy, when the builder is not to be used any more. */
static void destroy_late(struct ew_strategy *strategy)
{
    if (kept_builder && kept_builder->begin_plan(kept_builder, "late") != EW_STRATEGY_EINVALID) {
        abort();
    }
    free(strategy);
}

PLAN(plan_builder_late)
{
    kept_builder = builder;
    strategy->destroy = destroy_late;
    return kit_plan(strategy, host, builder);
}

PLAN(plan_positive)
{
    (void)kit_plan(strategy, host, builder);
    return 3;
}

PLAN(plan_no_reason)
{
    UNUSED;
    return EW_STRATEGY_ECANNOT;
}

PLAN(plan_cannot)
{
    (void)strategy, (void)builder;
    return host->fail(host, EW_STRATEGY_ECANNOT, "needs\ta GPU\nand has none");
}

PLAN(plan_internal)
{
    (void)strategy, (void)builder;
    return host->fail(host, EW_STRATEGY_EINTERNAL, "lost count");
}

/* fail with a code that means success. */
PLAN(plan_fail_zero)
{
    (void)strategy, (void)builder;
    return host->fail(host, 0, NULL);
}

PLAN(plan_short_piece)
{
    (void)strategy;
    int32_t rc = builder->begin_plan(builder, "short");
    struct ew_piece_desc piece = piece_of(host, 1, 0);
    piece.struct_size = 8;
    return rc < 0 ? rc : builder->add_piece(builder, &piece);
}

PLAN(plan_prints)
{
    printf("a strategy does not print\n");
    fflush(stdout);
    return kit_plan(strategy, host, builder);
}

PLAN(plan_leaks)
{
    static char *volatile kept;
    kept = malloc(4321);
    if (!kept) {
        return EW_STRATEGY_ENOMEM;
    }
    kept = NULL;
    return kit_plan(strategy, host, builder);
}

/* Another plan every time it is asked: the name counts. */
PLAN(plan_random)
{
    static unsigned n_calls;
    char text[32];
    snprintf(text, sizeof text, "call %u", n_calls++);
    int32_t rc = kit_plan(strategy, host, builder);
    return rc < 0 ? rc : builder->set_note(builder, "call", text);
}

/* Takes memory from the host for as long as there is some. */
PLAN(plan_greedy)
{
    uint64_t n = 0;
    while (host->alloc(host, (uint64_t)1 << 40) || host->alloc(host, UINT64_MAX)) {
        n++;
    }
    char *text = host->alloc(host, 16);
    return n == 0 && text && text[15] == 0 ? kit_plan(strategy, host, builder) : -1;
}

/* A thousand messages and more. */
PLAN(plan_chatter)
{
    for (int i = 0; i < 5000; i++) {
        host->log(host, 99, "again");
    }
    return kit_plan(strategy, host, builder);
}

/* NULL and numbers out of range everywhere: the host has an answer to each. Returns the number of
 * the first wrong answer, which makes the host complain. */
static int32_t poke_views(const struct ew_host *host)
{
    const uint32_t n = host->device_count(host);
    struct ew_tensor_box box = {{0, 0, 0, 0}, {1, 1, 1, 1}};
    struct ew_tensor_box far = {{0, 0, 0, 0}, {1, 1, 1, INT32_MAX}};
    if (host->graph(host, 99) || host->layer(host, 0, 99999) || host->layer(host, 99, 0) ||
        host->exit(host, 0, 99) || host->device(host, n) || host->link(host, 0, n) ||
        host->link(host, n, 0) || host->graph(NULL, 0) || host->device_count(NULL) != 0) {
        return 1;
    }
    if (!isnan(host->compute_s(host, 0, 1, NULL, 0)) ||
        !isnan(host->compute_s(host, 0, 1, &far, 0)) ||
        !isnan(host->compute_s(host, 0, 1, &box, n)) ||
        !isnan(host->compute_s(host, 99, 1, &box, 0)) || !isnan(host->transfer_s(host, 0, n, 1)) ||
        !isnan(host->energy_j(host, n, 1, 1, 1)) || !isnan(host->load_s(host, n, 1))) {
        return 2;
    }
    if (host->input_box(host, 0, 1, 0, NULL, &box) >= 0 ||
        host->input_box(host, 0, 1, 99, &box, &box) >= 0 ||
        host->input_box(host, 0, 1, 0, &far, &box) >= 0) {
        return 3;
    }
    if (host->param_int(host, "none") != 0 || !isnan(host->param_real(host, NULL)) ||
        host->param_text(host, "none") || host->extension(host, NULL)) {
        return 4;
    }
    host->log(host, 0, NULL);
    return 0;
}

static int32_t poke_builder(const struct ew_host *host, struct ew_plan_builder *builder)
{
    struct ew_evaluation result = {.struct_size = 3};
    struct ew_piece_desc piece = piece_of(host, 1, 0);
    if (builder->add_piece(builder, &piece) >= 0 || builder->set_weights(builder, 0) >= 0 ||
        host->evaluate(host, builder, &result) >= 0 || host->evaluate(host, NULL, NULL) >= 0) {
        return 5; /* no plan has been begun */
    }
    if (builder->begin_plan(builder, NULL) < 0 || builder->begin_plan(NULL, NULL) >= 0 ||
        builder->add_piece(builder, NULL) >= 0 || builder->set_exchange(builder, 1, 9, 0) >= 0 ||
        builder->set_exchange(builder, 1, EW_EXCHANGE_MODE_RELAY, 77) >= 0 ||
        builder->set_exchange(builder, 9999, 0, 0) >= 0 || builder->set_sync(builder, 1, 9) >= 0 ||
        builder->set_wire_bits(builder, 1, 65) >= 0 ||
        builder->set_wire_bits(builder, 1, 300) >= 0 || builder->set_weights(builder, 9) >= 0 ||
        builder->set_pick(builder, 9) >= 0 || builder->set_share(builder, 1, 1.5, NULL) >= 0 ||
        builder->set_share(builder, 1, NAN, NULL) >= 0 ||
        builder->assign(builder, 0, 1, 99, 0) >= 0 || builder->assign(builder, 0, 1, 0, 99) >= 0) {
        return 6;
    }
    piece.role = 17;
    if (builder->add_piece(builder, &piece) >= 0) {
        return 7;
    }
    return builder->reset(builder);
}

PLAN(plan_pokes)
{
    int32_t wrong = poke_views(host);
    wrong = wrong ? wrong : poke_builder(host, builder);
    return wrong ? wrong : kit_plan(strategy, host, builder);
}

/* ------------------------------------------------------------------------ the table */

/* A row: strategy id and function. The id of plan_abort is "hostile.abort". */
#define ROWS(X)                                                                                    \
    X(abort)                                                                                       \
    X(exit)                                                                                        \
    X(loop)                                                                                        \
    X(segfault)                                                                                    \
    X(close_and_loop)                                                                              \
    X(nothing)                                                                                     \
    X(incomplete)                                                                                  \
    X(overlap)                                                                                     \
    X(unknown_device)                                                                              \
    X(ignores_refusal)                                                                             \
    X(refused_note)                                                                                \
    X(bad_segments)                                                                                \
    X(nan_prediction)                                                                              \
    X(infinite_prediction)                                                                         \
    X(huge_note)                                                                                   \
    X(dirty_note)                                                                                  \
    X(endless_pieces)                                                                              \
    X(builder_late)                                                                                \
    X(positive)                                                                                    \
    X(no_reason)                                                                                   \
    X(cannot)                                                                                      \
    X(internal)                                                                                    \
    X(fail_zero)                                                                                   \
    X(short_piece)                                                                                 \
    X(prints)                                                                                      \
    X(leaks)                                                                                       \
    X(random)                                                                                      \
    X(greedy)                                                                                      \
    X(chatter)                                                                                     \
    X(pokes)

static const struct {
    struct ew_strategy_info info;
    int32_t (*plan)(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder);
} rows[] = {
#define X(name) {KIT_INFO("hostile." #name), plan_##name},
    ROWS(X)
#undef X
};

static uint32_t count(void)
{
    return sizeof rows / sizeof rows[0];
}

static const struct ew_strategy_info *describe(uint32_t index)
{
    return index < count() ? &rows[index].info : NULL;
}

static struct ew_strategy *create(const struct ew_host *host, const char *id)
{
    for (uint32_t i = 0; i < count(); i++) {
        if (strcmp(rows[i].info.id, id) == 0) {
            return kit_create(rows[i].plan);
        }
    }
    host->fail(host, EW_STRATEGY_EINVALID, "no such strategy");
    return NULL;
}

EW_STRATEGY_EXPORT const struct ew_strategy_entry ew_strategy_entry = {
    .struct_size = sizeof(struct ew_strategy_entry),
    .abi_major = EW_ABI_MAJOR,
    .abi_minor = EW_ABI_MINOR,
    .count = count,
    .describe = describe,
    .create = create,
};
