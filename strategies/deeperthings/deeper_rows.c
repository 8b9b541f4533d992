#include "deeperthings/deeper_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/chain.h"
#include "common/home.h"
#include "common/plugin.h"
#include "common/share.h"

/* One question of the dynamic program. */
struct question {
    const struct deeper_rows_problem *problem;
    struct kit_star *star;
    int32_t *cuts;   /* of the volume's last block */
    int32_t *before; /* of the block before the volume */
};

/* ------------------------------------------------------------------ the mean device */

static void take_mean(struct kit_star *star)
{
    const uint32_t n = star->n, n_layers = star->net->n_layers;
    struct kit_wire out = {0, 0};
    uint32_t n_wires = 0;
    for (uint32_t l = 0; l < n_layers; l++) {
        struct kit_line mean = {0, 0};
        for (uint32_t i = 0; i < n; i++) {
            mean.base += star->compute[(size_t)i * n_layers + l].base / n;
            mean.slope += star->compute[(size_t)i * n_layers + l].slope / n;
        }
        for (uint32_t i = 0; i < n; i++) {
            star->compute[(size_t)i * n_layers + l] = mean;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (star->device[i] != star->hub) {
            out.message_s += star->out[i].message_s;
            out.byte_s += star->out[i].byte_s;
            n_wires++;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (star->device[i] != star->hub) {
            star->out[i] = (struct kit_wire){out.message_s / n_wires, out.byte_s / n_wires};
        }
    }
}

/* ------------------------------------------------------------------ costs */

/* Equal shares of the lines of block `b`, the first ones take the rest. */
static void cut_block(int32_t *cuts, const struct kit_star *star, uint32_t b)
{
    const int32_t lines = star->blocks->items[b].extent, n = (int32_t)star->n;
    for (int32_t i = 0; i <= n; i++) {
        cuts[i] = lines / n * i + (i < lines % n ? i : lines % n);
    }
}

/* Bytes that worker i reads of the volume's input and did not make itself; star->spans is what it
 * reads. */
static double missing_bytes(const struct question *q, uint32_t first, uint32_t i)
{
    const struct kit_star *star = q->star;
    const struct kit_block *entry = &star->blocks->items[first];
    double bytes = 0.0;
    for (uint32_t k = 0; k < entry->n_entering; k++) {
        const uint32_t layer = entry->entering[k];
        const struct kit_span need = star->spans[layer];
        const uint32_t maker = star->blocks->block_of[layer];
        int32_t held = 0;
        if (maker != EW_ID_NONE && star->blocks->items[maker].is_banded) {
            const int32_t of = star->blocks->items[maker].extent;
            const int32_t extent = kit_layer_extent(star->net, layer);
            const int32_t lo = kit_map_cut(q->before[i], of, extent);
            const int32_t hi = kit_map_cut(q->before[i + 1], of, extent);
            const struct kit_span common = {need.lo > lo ? need.lo : lo,
                                            need.hi < hi ? need.hi : hi};
            held = kit_span_lines(common);
        }
        bytes += star->line_bytes[layer] * (kit_span_lines(need) - held);
    }
    return bytes;
}

static bool is_last_of_run(const struct kit_blocks *blocks, uint32_t last)
{
    return last + 1 < blocks->n && !blocks->items[last + 1].is_banded;
}

/* The slowest device: what it misses, and its part; and all parts to the home where the run of
 * blocks that can be cut ends. */
static double shared_s(struct question *q, uint32_t first, uint32_t last)
{
    struct kit_star *star = q->star;
    double slowest_s = 0.0;
    cut_block(q->cuts, star, last);
    if (first > 0) {
        cut_block(q->before, star, first - 1);
    }
    for (uint32_t i = 0; i < star->n; i++) {
        if (q->cuts[i] >= q->cuts[i + 1]) {
            continue;
        }
        const struct kit_part part =
            kit_star_part(star, first, last, i, q->cuts[i], q->cuts[i + 1]);
        double seconds = kit_wire_s(star->out[i], missing_bytes(q, first, i)) + part.compute_s;
        if (is_last_of_run(star->blocks, last) && star->device[i] != q->problem->home) {
            seconds += kit_wire_s(star->out[i], part.out_bytes);
        }
        slowest_s = fmax(slowest_s, seconds);
    }
    return slowest_s;
}

/* The last blocks that can be cut, on the home. */
static double home_run_s(const struct question *q, uint32_t first, uint32_t last)
{
    const struct kit_star *star = q->star;
    const struct kit_block *entry = &star->blocks->items[first];
    const bool is_end = last + 1 == star->blocks->n || is_last_of_run(star->blocks, last);
    if (!q->problem->may_stay_home || !is_end) {
        return INFINITY;
    }
    double bytes = 0.0, held = 0.0, seconds = 0.0;
    for (uint32_t k = 0; k < entry->n_entering; k++) {
        bytes += (double)kit_layer_bytes(star->net, entry->entering[k]);
    }
    for (uint32_t i = 0; i < star->n && first > 0; i++) {
        held = star->device[i] == q->problem->home ? bytes / star->n : held;
    }
    seconds =
        kit_wire_s(kit_wire_between(star->net->host, star->hub, q->problem->home), bytes - held);
    for (uint32_t i = entry->begin; i < star->blocks->items[last].end; i++) {
        const uint32_t layer = star->net->order[i];
        seconds += q->problem->assumes_equal
                       ? kit_line_at(star->compute[layer], kit_layer_extent(star->net, layer))
                       : kit_layer_compute_s(star->net, layer, q->problem->home);
    }
    return seconds;
}

static double volume_s(void *ctx, uint32_t first, uint32_t last)
{
    struct question *q = ctx;
    if (kit_blocks_banded_run(q->problem->blocks, first) <= last - first) {
        const bool is_whole = !q->problem->blocks->items[first].is_banded;
        return is_whole && first == last ? 0.0 : INFINITY;
    }
    return fmin(shared_s(q, first, last), home_run_s(q, first, last));
}

/* ------------------------------------------------------------------ the plan */

static int32_t cut_network(struct deeper_rows *rows, struct question *q)
{
    const uint32_t n = q->problem->blocks->n;
    uint32_t *ends = calloc(n + 1u, sizeof *ends);
    double *best_s = calloc(n + 1u, sizeof *best_s);
    int32_t rc = ends && best_s ? EW_STRATEGY_OK : kit_fail_memory(q->problem->net->host);
    if (rc >= 0) {
        rows->latency_s = kit_chain_cut(ends, best_s, n, volume_s, q);
    }
    for (uint32_t first = 0; first < n && rc >= 0; first = ends[first] + 1) {
        struct kit_volume *volume = &rows->volumes[rows->n_volumes];
        int32_t *cuts = rows->cuts + (size_t)rows->n_volumes++ * (rows->star.n + 1u);
        *volume = (struct kit_volume){.first = first, .last = ends[first]};
        if (q->problem->blocks->items[first].is_banded &&
            shared_s(q, first, ends[first]) <= home_run_s(q, first, ends[first])) {
            cut_block(cuts, &rows->star, ends[first]);
            volume->cuts = cuts;
        }
    }
    free(ends);
    free(best_s);
    return rc;
}

int32_t deeper_rows_plan(struct deeper_rows *rows, const struct deeper_rows_problem *problem)
{
    const struct kit_net *net = problem->net;
    const uint32_t source = net->host->requirements(net->host)->source_device;
    const size_t n = problem->group->n + 1u;
    struct question q = {.problem = problem, .star = &rows->star};
    q.cuts = calloc(n, sizeof *q.cuts);
    q.before = calloc(n, sizeof *q.before);
    rows->volumes = calloc(problem->blocks->n + 1u, sizeof *rows->volumes);
    rows->cuts = calloc(n * (problem->blocks->n + 1u), sizeof *rows->cuts);
    int32_t rc = q.cuts && q.before && rows->volumes && rows->cuts ? EW_STRATEGY_OK
                                                                   : kit_fail_memory(net->host);
    if (rc >= 0) {
        rc = kit_star_init(&rows->star, net, problem->blocks, source, problem->group->device,
                           problem->group->n);
    }
    if (rc >= 0) {
        kit_star_fit(&rows->star);
        if (problem->assumes_equal) {
            take_mean(&rows->star);
        }
        rc = cut_network(rows, &q);
    }
    if (rc >= 0) {
        rows->latency_s += kit_home_s(net, problem->blocks, problem->home, problem->home);
    }
    free(q.cuts);
    free(q.before);
    return rc;
}

void deeper_rows_fini(struct deeper_rows *rows)
{
    kit_star_fini(&rows->star);
    free(rows->volumes);
    free(rows->cuts);
    memset(rows, 0, sizeof *rows);
}
