/*
 * musical_chair: whole layers on devices. For one request a row of devices that hand it on; for a
 * stream, devices take turns with the convolutional part (data parallelism), and the fully
 * connected part runs on devices of its own, split by channels when none can hold it (model
 * parallelism).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/emit.h"
#include "common/plugin.h"
#include "musical_chair/chair.h"

static const char *const MODES[] = {"auto", "latency", "throughput", NULL};

static const struct ew_param_info PARAM_MODE =
    KIT_CHOICE("mode", MODES, "auto",
               "One request as fast as possible, or as many as possible; auto: throughput unless "
               "requests come one by one (closed:1).");
static const struct ew_param_info *const PARAMS[] = {&PARAM_MODE};

static const struct ew_strategy_info INFO = {
    .struct_size = sizeof INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "musical_chair",
    .version = "1.0.0",
    .summary = "whole layers on devices: turns for the convolutions, fully connected layers split "
               "when too large",
    .citation = "Hadidi et al.: Musical Chair, arXiv:1802.02138; outline only",
    .params = PARAMS,
};

/* ------------------------------------------------------------------ turns */

/* One way to take turns: who has the front part, and who the tail. Arrays are owned. */
struct turns {
    double period_s;
    double tail_s;
    uint32_t n_front;
    uint32_t *front;          /**< devices with turns */
    int32_t *weights;         /**< of front */
    uint32_t n_tail;          /**< 0: whoever has the front goes on to the end */
    bool *is_tail;            /**< by device */
    uint32_t lead;            /**< of the tail */
    struct chair_seats seats; /**< the tail seated; the front on `lead` */
};

static bool turns_alloc(struct turns *turns, const struct chair *chair)
{
    size_t n = chair->group.n;
    turns->front = calloc(n, sizeof *turns->front);
    turns->weights = calloc(n, sizeof *turns->weights);
    turns->is_tail = calloc(n, sizeof *turns->is_tail);
    turns->period_s = INFINITY;
    return turns->front && turns->weights && turns->is_tail &&
           chair_seats_alloc(&turns->seats, chair);
}

static void turns_free(struct turns *turns)
{
    free(turns->front);
    free(turns->weights);
    free(turns->is_tail);
    chair_seats_free(&turns->seats);
}

/* The first block of the fully connected tail: behind the last banded one. */
static uint32_t tail_begin(const struct chair *chair)
{
    uint32_t b = chair->blocks.n;
    while (b > 0 && !chair->blocks.items[b - 1].is_banded) {
        b--;
    }
    return b;
}

static void seat_all(struct chair_seats *seats, const struct chair *chair, uint32_t begin,
                     uint32_t end, uint32_t k)
{
    for (uint32_t b = begin; b < end && b < chair->blocks.n; b++) {
        seats->device_of[b] = k;
    }
}

/* Seat blocks from `begin` on the tail's devices; false when they do not fit there. */
static bool seat_tail(struct turns *turns, const struct chair *chair, uint32_t begin)
{
    struct chair_seats *seats = &turns->seats;
    seat_all(seats, chair, 0, chair->blocks.n, turns->lead);
    for (uint32_t b = 0; b < chair->blocks.n; b++) {
        seats->is_split[b] =
            b >= begin && turns->n_tail > 1 && chair_fc_layer(chair, b) != EW_ID_NONE;
    }
    return chair_share_channels(seats, chair, turns->is_tail);
}

/* Seconds the tail's devices are busy with one request. */
static double tail_seconds(const struct turns *turns, const struct chair *chair, uint32_t begin)
{
    double seconds = 0.0;
    for (uint32_t b = begin; b < chair->blocks.n; b++) {
        seconds += chair_block_s(chair, &turns->seats, b);
    }
    return seconds;
}

static double front_seconds(const struct chair *chair, uint32_t end, uint32_t k)
{
    double seconds = 0.0;
    for (uint32_t b = 0; b < end; b++) {
        seconds += chair->own_s[(size_t)b * chair->group.n + k];
    }
    return seconds;
}

static bool has_route(const struct chair *chair, uint32_t from, uint32_t to)
{
    return isfinite(chair->wires[(size_t)from * (chair->group.n + 2) + to].byte_s);
}

/* The front on device k and the tail as it is seated: does it fit? */
static bool fits_with_front(struct turns *turns, const struct chair *chair, uint32_t end,
                            uint32_t k)
{
    uint32_t sink = chair->group.n + 1;
    uint32_t last = turns->n_tail > 0 && end < chair->blocks.n ? turns->lead : k;
    seat_all(&turns->seats, chair, 0, end, k);
    return has_route(chair, last, sink) && chair_overfull(chair, &turns->seats) == EW_ID_NONE;
}

/* Fill in who takes turns, for given tail devices; false when that is impossible. */
static bool arrange(struct turns *turns, const struct chair *chair, double *seconds,
                    double *scratch)
{
    uint32_t begin = tail_begin(chair);
    uint32_t end = turns->n_tail > 0 ? begin : chair->blocks.n;
    turns->n_front = 0;
    turns->tail_s = 0.0;
    if (turns->n_tail > 0) {
        seat_all(&turns->seats, chair, 0, chair->blocks.n, turns->lead);
        if (!seat_tail(turns, chair, begin)) {
            return false;
        }
        turns->tail_s = tail_seconds(turns, chair, begin);
    } else {
        memset(turns->seats.is_split, 0, chair->blocks.n * sizeof *turns->seats.is_split);
    }
    for (uint32_t k = 0; k < chair->group.n && turns->n_front < CHAIR_LONGEST; k++) {
        if (!turns->is_tail[k] && fits_with_front(turns, chair, end, k)) {
            seconds[turns->n_front] = front_seconds(chair, end, k);
            turns->front[turns->n_front++] = k;
        }
    }
    if (turns->n_front == 0) {
        return false;
    }
    double period_s = chair_turns(turns->weights, scratch, seconds, turns->n_front);
    turns->period_s = fmax(period_s, turns->tail_s);
    return true;
}

/* The group lists the source first, then the others by falling capability. `rank` 0 is the fastest
 * of all. */
static uint32_t device_of_rank(const struct chair *chair, uint32_t rank)
{
    uint32_t n = chair->group.n;
    uint32_t source_rank = 0;
    while (source_rank + 1 < n &&
           chair->group.capability[source_rank + 1] > chair->group.capability[0]) {
        source_rank++;
    }
    return rank == source_rank ? 0 : rank < source_rank ? rank + 1 : rank;
}

/* The tail on the n_tail slowest or fastest devices; its fastest member leads. */
static void choose_tail(struct turns *turns, const struct chair *chair, uint32_t n_tail,
                        bool is_slowest)
{
    uint32_t n = chair->group.n;
    uint32_t first = is_slowest ? n - n_tail : 0;
    memset(turns->is_tail, 0, n * sizeof *turns->is_tail);
    turns->n_tail = n_tail;
    turns->lead = n_tail > 0 ? device_of_rank(chair, first) : 0;
    for (uint32_t i = 0; i < n_tail; i++) {
        turns->is_tail[device_of_rank(chair, first + i)] = true;
    }
}

/* Try every size of the tail; the shortest period wins, the smaller tail on a tie. False in
 * *has_found when nothing fits. */
static int32_t find_turns(struct turns *best, bool *has_found, const struct chair *chair)
{
    uint32_t n = chair->group.n;
    uint32_t most = tail_begin(chair) < chair->blocks.n && tail_begin(chair) > 0 ? n - 1 : 0;
    struct turns trial = {0};
    double *seconds = calloc(n, sizeof *seconds);
    double *scratch = calloc(n, sizeof *scratch);
    bool is_ok = turns_alloc(&trial, chair) && seconds && scratch;
    *has_found = false;
    for (uint32_t i = 0; is_ok && i <= 2 * most; i++) {
        choose_tail(&trial, chair, (i + 1) / 2, i % 2 == 1);
        if (arrange(&trial, chair, seconds, scratch) &&
            (!*has_found || trial.period_s < best->period_s)) {
            struct turns swap = *best;
            *best = trial;
            trial = swap;
            *has_found = true;
        }
    }
    turns_free(&trial);
    free(seconds);
    free(scratch);
    return is_ok ? EW_STRATEGY_OK : kit_fail_memory(chair->net->host);
}

/* ------------------------------------------------------------------ plans */

static void append(char *text, size_t size, const char *a, const char *b)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", a, b);
}

static const char *name_of(const struct chair *chair, uint32_t k)
{
    return chair->net->host->device(chair->net->host, chair->group.device[k])->name;
}

/* "conv1..pool5: nano; fc6: nano 2048 tx2 2048; fc7..fc8: tx2", as far as it fits. */
static int32_t note_tasks(struct ew_plan_builder *builder, const struct chair *chair,
                          const struct chair_seats *seats)
{
    char text[480] = "";
    char word[192];
    uint32_t n = chair->group.n;
    uint32_t last;
    for (uint32_t b = 0; b < chair->blocks.n; b = last + 1) {
        for (last = b; !seats->is_split[b] && last + 1 < chair->blocks.n &&
                       !seats->is_split[last + 1] &&
                       seats->device_of[last + 1] == seats->device_of[b];) {
            last++;
        }
        kit_volume_name(word, sizeof word, chair->net, &chair->blocks, b, last);
        append(text, sizeof text, b ? "; " : "", word);
        append(text, sizeof text, ": ",
               seats->is_split[b] ? "" : name_of(chair, seats->device_of[b]));
        for (uint32_t k = 0; k < n && seats->is_split[b]; k++) {
            int32_t channels = seats->channels[(size_t)b * n + k];
            if (channels > 0) {
                snprintf(word, sizeof word, "%s %d ", name_of(chair, k), channels);
                append(text, sizeof text, word, "");
            }
        }
    }
    return kit_note(builder, "tasks", "%s", text);
}

/* One plan with the seats. */
static int32_t write_plan(struct ew_plan_builder *builder, const struct chair *chair,
                          const struct chair_seats *seats, const char *name)
{
    int32_t rc = kit_begin_plan(builder, chair->net, name);
    if (rc >= 0) {
        rc = chair_emit(builder, chair, seats);
    }
    if (rc >= 0) {
        rc = note_tasks(builder, chair, seats);
    }
    if (rc >= 0 && chair->group.excluded[0] != '\0') {
        rc = kit_note(builder, "left_out", "%s", chair->group.excluded);
    }
    return rc < 0 ? rc : kit_predict(builder, chair->net, chair_latency_s(chair, seats), NAN);
}

static int32_t plan_latency(struct ew_plan_builder *builder, const struct chair *chair)
{
    struct chair_seats seats = {0};
    int32_t rc = chair_seats_alloc(&seats, chair) ? chair_seat_for_latency(&seats, chair)
                                                  : kit_fail_memory(chair->net->host);
    if (rc >= 0) {
        rc = write_plan(builder, chair, &seats, "musical_chair");
    }
    chair_seats_free(&seats);
    return rc;
}

static int32_t write_turns(struct ew_plan_builder *builder, const struct chair *chair,
                           struct turns *turns)
{
    uint32_t end = turns->n_tail > 0 ? tail_begin(chair) : chair->blocks.n;
    uint32_t n_plans = 0;
    int32_t rc = EW_STRATEGY_OK;
    for (uint32_t i = 0; i < turns->n_front && rc >= 0; i++) {
        if (turns->weights[i] == 0) {
            continue;
        }
        seat_all(&turns->seats, chair, 0, end, turns->front[i]);
        rc = write_plan(builder, chair, &turns->seats, name_of(chair, turns->front[i]));
        if (rc >= 0) {
            rc = kit_note(builder, "period_s", "%.6g", turns->period_s);
        }
        if (rc >= 0) {
            rc = builder->set_share(builder, (uint32_t)turns->weights[i], 0.0, NULL);
        }
        n_plans++;
    }
    return rc >= 0 && n_plans > 1 ? builder->set_pick(builder, EW_PICK_MODE_CYCLE) : rc;
}

static int32_t plan_throughput(struct ew_plan_builder *builder, const struct chair *chair)
{
    struct turns turns = {0};
    bool has_found = false;
    int32_t rc = turns_alloc(&turns, chair) ? find_turns(&turns, &has_found, chair)
                                            : kit_fail_memory(chair->net->host);
    if (rc >= 0) {
        rc = has_found ? write_turns(builder, chair, &turns) : plan_latency(builder, chair);
    }
    turns_free(&turns);
    return rc;
}

static int32_t plan(struct ew_strategy *strategy, const struct ew_host *host,
                    struct ew_plan_builder *builder)
{
    (void)strategy;
    struct kit_net net = {0};
    struct chair chair = {0};
    const char *arrival = host->requirements(host)->arrival;
    bool is_alone = arrival && strcmp(arrival, "closed:1") == 0;
    bool is_stream = kit_param_is(host, "mode", "throughput") ||
                     (kit_param_is(host, "mode", "auto") && !is_alone);
    int32_t rc = kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS);
    if (rc >= 0) {
        rc = chair_init(&chair, &net);
    }
    if (rc >= 0) {
        rc = is_stream ? plan_throughput(builder, &chair) : plan_latency(builder, &chair);
    }
    chair_fini(&chair);
    kit_net_fini(&net);
    return rc < 0 ? rc : EW_STRATEGY_OK;
}

KIT_DEFINE_ENTRY(INFO, plan);
