/*
 * Plan checking. Coverage, sums, ids and routes are proved by lowering the plan; what lowering does
 * not need to know is checked here: double work inside a tile, memory, the pick rule.
 */
#include "plan/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/lower.h"

/* Order that puts pieces that must not overlap next to each other: by segment, layer, device,
 * chain, then position. */
static int compare_pieces(const void *a, const void *b)
{
    const struct ew_piece *x = *(const struct ew_piece *const *)a;
    const struct ew_piece *y = *(const struct ew_piece *const *)b;
    const uint32_t kx[] = {x->segment, x->layer, x->device, x->chain};
    const uint32_t ky[] = {y->segment, y->layer, y->device, y->chain};
    for (size_t i = 0; i < sizeof kx / sizeof *kx; i++) {
        if (kx[i] != ky[i]) {
            return kx[i] < ky[i] ? -1 : 1;
        }
    }
    for (int d = 0; d < EW_DIMS; d++) {
        if (x->box.lo[d] != y->box.lo[d]) {
            return x->box.lo[d] < y->box.lo[d] ? -1 : 1;
        }
    }
    return x < y ? -1 : x > y;
}

static bool is_same_tile(const struct ew_piece *a, const struct ew_piece *b)
{
    return a->segment == b->segment && a->layer == b->layer && a->device == b->device &&
           a->chain == b->chain;
}

static enum ew_status fail_double(const struct ew_plan_context *context, const struct ew_plan *plan,
                                  const struct ew_piece *a, const struct ew_piece *b,
                                  struct ew_error *err)
{
    const struct ew_graph *graph = ew_segment_graph(context->graph, &plan->segments[a->segment]);
    return ew_fail(err, EW_EINPUT,
                   "layer %s: pieces %td and %td on %s overlap and share a chain: "
                   "the same elements would be computed twice by one tile",
                   graph->layers[a->layer].name, a - plan->pieces, b - plan->pieces,
                   context->platform->devices[a->device].name);
}

/* True when the pieces of a tile differ in position along at most one dimension. */
static bool is_striped(const struct ew_piece *const *tile, uint32_t n)
{
    int varying = 0;
    for (int d = 0; d < EW_DIMS; d++) {
        for (uint32_t i = 1; i < n; i++) {
            if (tile[i]->box.lo[d] != tile[0]->box.lo[d]) {
                varying++;
                break;
            }
        }
    }
    return varying <= 1;
}

/* Pieces are sorted by position. Stripes overlap only if neighbours do; for grids look at all
 * pairs. */
static enum ew_status check_tile(const struct ew_plan_context *context, const struct ew_plan *plan,
                                 const struct ew_piece *const *tile, uint32_t n,
                                 struct ew_error *err)
{
    const bool only_neighbours = is_striped(tile, n);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t end = only_neighbours && i + 2 < n ? i + 2 : n;
        for (uint32_t k = i + 1; k < end; k++) {
            struct ew_box common;
            if (ew_box_intersect(&common, &tile[i]->box, &tile[k]->box)) {
                return fail_double(context, plan, tile[i], tile[k], err);
            }
        }
    }
    return EW_OK;
}

static enum ew_status check_double_work(const struct ew_plan_context *context,
                                        const struct ew_plan *plan, struct ew_error *err)
{
    const struct ew_piece **list = malloc((plan->n_pieces + 1u) * sizeof *list);
    if (!list) {
        return ew_fail_memory(err);
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_pieces; i++) {
        if (plan->pieces[i].role != EW_PIECE_PARTIAL) {
            list[n++] = &plan->pieces[i];
        }
    }
    qsort(list, n, sizeof *list, compare_pieces);
    enum ew_status status = EW_OK;
    for (uint32_t i = 0, end; i < n && status == EW_OK; i = end) {
        for (end = i + 1; end < n && is_same_tile(list[i], list[end]);) {
            end++;
        }
        status = check_tile(context, plan, list + i, end - i, err);
    }
    free(list);
    return status;
}

/* Devices of one node share its memory: the limit is the first device's. */
static enum ew_status check_memory(const struct ew_plan_context *context,
                                   const struct ew_task_graph *graph, struct ew_error *err)
{
    const struct ew_platform *platform = context->platform;
    for (uint32_t n = 0; n < platform->n_nodes; n++) {
        const struct ew_node *node = &platform->nodes[n];
        uint64_t needed = 0;
        for (uint32_t i = 0; i < node->n_devices; i++) {
            const struct ew_device_load *load = &graph->devices[node->devices[i]];
            needed += load->weight_bytes + load->peak_working_bytes;
        }
        const uint64_t limit = platform->devices[node->devices[0]].memory_bytes;
        if (limit && needed > limit) {
            return ew_fail(err, EW_ENOTSUP,
                           "device %s: the plan needs %" PRIu64 " bytes of memory "
                           "(weights and largest working set), it has %" PRIu64,
                           platform->devices[node->devices[0]].name, needed, limit);
        }
    }
    return EW_OK;
}

static enum ew_status check_with(struct ew_lower *lower, const struct ew_plan_context *context,
                                 const struct ew_plan *plan, struct ew_error *err)
{
    const struct ew_task_graph *graph;
    enum ew_status status = ew_lower_plan_scratch(&graph, lower, context, plan, NULL, err);
    if (status == EW_OK) {
        status = check_double_work(context, plan, err);
    }
    return status == EW_OK ? check_memory(context, graph, err) : status;
}

enum ew_status ew_plan_check(const struct ew_plan_context *context, const struct ew_plan *plan,
                             struct ew_error *err)
{
    struct ew_lower *lower = ew_lower_new();
    if (!lower) {
        return ew_fail_memory(err);
    }
    const enum ew_status status = check_with(lower, context, plan, err);
    ew_lower_free(lower);
    return status;
}

static enum ew_status check_pick(const struct ew_book *book, struct ew_error *err)
{
    if (book->n_plans == 0) {
        return ew_fail(err, EW_EINPUT, "the book holds no plan");
    }
    if (book->pick == EW_PICK_ONLY && book->n_plans != 1) {
        return ew_fail(err, EW_EINPUT, "pick rule 'only' needs one plan, the book holds %u",
                       book->n_plans);
    }
    double probability = 0;
    uint64_t weight = 0;
    for (uint32_t i = 0; i < book->n_plans; i++) {
        const struct ew_plan *plan = book->plans[i];
        if (plan->batch != book->plans[0]->batch && book->pick != EW_PICK_ONLINE) {
            return ew_fail(err, EW_EINPUT,
                           "plans of one book must have one batch size, unless they are picked "
                           "online: found %d and %d",
                           book->plans[0]->batch, plan->batch);
        }
        if (book->pick == EW_PICK_BY_CLASS && !plan->class_name) {
            return ew_fail(err, EW_EINPUT, "pick rule 'by_class': plan '%s' names no class",
                           plan->name);
        }
        probability += plan->probability;
        weight += plan->weight;
    }
    if (book->pick == EW_PICK_BY_EXIT_DRAW && !(fabs(probability - 1) <= 1e-9)) {
        return ew_fail(err, EW_EINPUT,
                       "pick rule 'by_exit_draw': the probabilities add up to %g "
                       "instead of 1",
                       probability);
    }
    if (book->pick == EW_PICK_CYCLE && weight == 0) {
        return ew_fail(err, EW_EINPUT, "pick rule 'cycle': all weights are 0");
    }
    return EW_OK;
}

enum ew_status ew_book_check(const struct ew_plan_context *context, const struct ew_book *book,
                             struct ew_error *err)
{
    enum ew_status status = check_pick(book, err);
    struct ew_lower *lower = ew_lower_new();
    if (!lower) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < book->n_plans && status == EW_OK; i++) {
        status = check_with(lower, context, book->plans[i], err);
        if (status && book->n_plans > 1) {
            (void)ew_prefix(err, "plan '%s': ", book->plans[i]->name);
        }
    }
    ew_lower_free(lower);
    return status;
}
