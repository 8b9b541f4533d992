/* One device after the other: the network as a chain of blocks, each whole on one device, by
 * dynamic programming. For one request at a time nothing overlaps, so that seconds and joules add
 * up and the least sum is the best such plan, as far as the host's estimates see. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/plugin.h"
#include "search.h"

/* What a second and a joule above idle count. */
struct price {
    double second;
    double joule;
};

struct sequence {
    struct search *s;
    uint32_t n;         /* devices */
    double *work_s;     /* [block * n + device] */
    uint64_t *bytes;    /* by block: what enters; [blocks]: the answer */
    double *best;       /* [block * n + device]: least price of blocks up to it, it on device */
    uint32_t *previous; /* the device before on that way */
};

/* ------------------------------------------------------------------ costs */

static uint64_t entering_bytes(const struct scheme_space *space, uint32_t block)
{
    const struct kit_block *b = &space->blocks->items[block];
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < b->n_entering; i++) {
        bytes += kit_layer_bytes(space->net, b->entering[i]);
    }
    return bytes;
}

static int32_t read_costs(struct sequence *q)
{
    const struct scheme_space *space = &q->s->space;
    const uint32_t n_blocks = space->blocks->n;
    const size_t n_cells = (size_t)n_blocks * q->n + 1;
    q->work_s = calloc(n_cells, sizeof *q->work_s);
    q->bytes = calloc(n_blocks + 1u, sizeof *q->bytes);
    q->best = calloc(n_cells, sizeof *q->best);
    q->previous = calloc(n_cells, sizeof *q->previous);
    if (!q->work_s || !q->bytes || !q->best || !q->previous) {
        return kit_fail_memory(space->net->host);
    }
    for (uint32_t b = 0; b < n_blocks; b++) {
        const struct kit_block *block = &space->blocks->items[b];
        q->bytes[b] = entering_bytes(space, b);
        for (uint32_t d = 0; d < q->n; d++) {
            for (uint32_t i = block->begin; i < block->end; i++) {
                q->work_s[(size_t)b * q->n + d] +=
                    kit_layer_compute_s(space->net, space->net->order[i], d);
            }
        }
    }
    q->bytes[n_blocks] = kit_net_result_bytes(space->net);
    return EW_STRATEGY_OK;
}

static void release(struct sequence *q)
{
    free(q->work_s);
    free(q->bytes);
    free(q->best);
    free(q->previous);
}

static double joules(const struct ew_host *host, uint32_t device, double work_s, double tx_s,
                     double rx_s)
{
    const double j = host->energy_j(host, device, work_s, tx_s, rx_s);
    return isfinite(j) ? j : 0.0;
}

static double work_price(const struct sequence *q, uint32_t block, uint32_t device,
                         struct price price)
{
    const struct ew_host *host = q->s->space.net->host;
    const double work_s = q->work_s[(size_t)block * q->n + device];
    return price.second * work_s + price.joule * joules(host, device, work_s, 0, 0);
}

/* Radios are on while bytes flow. */
static double move_price(const struct sequence *q, uint32_t from, uint32_t to, uint64_t bytes,
                         struct price price)
{
    const struct ew_host *host = q->s->space.net->host;
    const struct ew_link_info *link = host->link(host, from, to);
    if (from == to || bytes == 0) {
        return 0.0;
    }
    if (!link || !link->has_route) {
        return INFINITY;
    }
    const double flow_s = (double)bytes / link->bandwidth_bytes_per_s;
    return price.second * host->transfer_s(host, from, to, bytes) +
           price.joule * (joules(host, from, 0, flow_s, 0) + joules(host, to, 0, 0, flow_s));
}

/* ------------------------------------------------------------------ the least sum */

/* The device of the last block on the cheapest way; EW_ID_NONE without any. */
static uint32_t find_cheapest(struct sequence *q, struct price price)
{
    const struct ew_host *host = q->s->space.net->host;
    const struct ew_requirements_info *asked = host->requirements(host);
    const uint32_t n_blocks = q->s->space.blocks->n, n = q->n;
    uint32_t end = EW_ID_NONE;
    double least = INFINITY;
    for (uint32_t b = 0; b < n_blocks; b++) {
        for (uint32_t d = 0; d < n; d++) {
            const size_t at = (size_t)b * n + d;
            q->best[at] = b ? INFINITY : move_price(q, asked->source_device, d, q->bytes[0], price);
            for (uint32_t p = 0; p < n && b > 0; p++) {
                const double sum =
                    q->best[at - d - n + p] + move_price(q, p, d, q->bytes[b], price);
                if (sum < q->best[at]) {
                    q->best[at] = sum;
                    q->previous[at] = p;
                }
            }
            q->best[at] += work_price(q, b, d, price);
        }
    }
    for (uint32_t d = 0; d < n; d++) {
        const double sum = q->best[(size_t)(n_blocks - 1) * n + d] +
                           move_price(q, d, asked->sink_device, q->bytes[n_blocks], price);
        if (sum < least) {
            least = sum;
            end = d;
        }
    }
    return end;
}

static int32_t try_price(struct sequence *q, struct price price)
{
    struct search *s = q->s;
    const uint32_t n_blocks = s->space.blocks->n;
    uint32_t device = find_cheapest(q, price);
    if (device == EW_ID_NONE) {
        return EW_STRATEGY_OK;
    }
    scheme_single(&s->trial, &s->space, device);
    for (uint32_t b = n_blocks; b-- > 0;) {
        int32_t *counts = scheme_counts(&s->trial, &s->space, b);
        const int32_t units = scheme_units(&s->trial, &s->space, b);
        memset(counts, 0, q->n * sizeof *counts);
        counts[device] = units;
        device = q->previous[(size_t)b * q->n + device];
    }
    return search_try_start(s, START_SEQUENCE);
}

/* Idle power of the platform: devices of one node share theirs. */
static double sum_idle_w(const struct ew_host *host)
{
    double watts = 0.0;
    for (uint32_t d = 0; d < host->device_count(host); d++) {
        bool is_counted = false;
        for (uint32_t i = 0; i < d; i++) {
            is_counted = is_counted || host->device(host, i)->node == host->device(host, d)->node;
        }
        watts += is_counted ? 0.0 : host->device(host, d)->idle_w;
    }
    return watts;
}

/* ------------------------------------------------------------------ pipelines */

/* State: blocks before `block` are placed on the devices of `mask`, the last of them on `device`.
 * A device has one stage. */
struct pipeline {
    struct sequence *q;
    uint32_t n_stations;
    uint32_t *station;  /* devices that may take part */
    double *bottleneck; /* [(block << n | mask) * n + station] */
    uint32_t *from;     /* the block and station before: block * n + station */
};

static size_t state_of(const struct pipeline *p, uint32_t block, uint32_t mask, uint32_t station)
{
    return (((size_t)block << p->n_stations) + mask) * p->n_stations + station;
}

/* Seconds that a transfer keeps its wire busy. */
static double wire_s(const struct pipeline *p, uint32_t from, uint32_t to, uint64_t bytes)
{
    return move_price(p->q, from, to, bytes, (struct price){1, 0});
}

static void improve(struct pipeline *p, size_t at, double value, uint32_t from)
{
    if (value < p->bottleneck[at]) {
        p->bottleneck[at] = value;
        p->from[at] = from;
    }
}

/* All stages that begin at `block` on station `k`, coming from `at` (station `last`). */
static void extend(struct pipeline *p, uint32_t block, uint32_t mask, uint32_t last, uint32_t k,
                   double value)
{
    const struct sequence *q = p->q;
    const struct ew_host *host = q->s->space.net->host;
    const uint32_t n_blocks = q->s->space.blocks->n;
    const uint32_t from = block ? p->station[last] : host->requirements(host)->source_device;
    double work_s = 0.0;
    value = fmax(value, wire_s(p, from, p->station[k], q->bytes[block]));
    for (uint32_t end = block; end < n_blocks && isfinite(value); end++) {
        work_s += q->work_s[(size_t)end * q->n + p->station[k]];
        const size_t at = state_of(p, end + 1, mask | 1u << k, k);
        improve(p, at, fmax(value, work_s), block * p->n_stations + last);
    }
}

static void fill_pipeline(struct pipeline *p)
{
    const uint32_t n = p->n_stations, n_blocks = p->q->s->space.blocks->n;
    for (uint32_t k = 0; k < n; k++) {
        extend(p, 0, 0, 0, k, 0.0);
    }
    for (uint32_t b = 1; b < n_blocks; b++) {
        for (uint32_t mask = 1; mask < 1u << n; mask++) {
            for (uint32_t last = 0; last < n; last++) {
                const double value = p->bottleneck[state_of(p, b, mask, last)];
                for (uint32_t k = 0; k < n && isfinite(value); k++) {
                    if (!(mask & 1u << k)) {
                        extend(p, b, mask, last, k, value);
                    }
                }
            }
        }
    }
}

/* Follow the best end back to the first stage. */
static int32_t try_pipeline(struct pipeline *p)
{
    struct search *s = p->q->s;
    const struct ew_host *host = s->space.net->host;
    const uint32_t n = p->n_stations, sink = host->requirements(host)->sink_device;
    uint32_t block = s->space.blocks->n, mask = 0, station = 0;
    double least = INFINITY;
    for (uint32_t m = 1; m < 1u << n; m++) {
        for (uint32_t k = 0; k < n; k++) {
            const double value = fmax(p->bottleneck[state_of(p, block, m, k)],
                                      wire_s(p, p->station[k], sink, p->q->bytes[block]));
            if (value < least) {
                least = value;
                mask = m;
                station = k;
            }
        }
    }
    if (!isfinite(least)) {
        return EW_STRATEGY_OK;
    }
    scheme_single(&s->trial, &s->space, p->station[station]);
    while (block > 0) {
        const uint32_t from = p->from[state_of(p, block, mask, station)];
        for (uint32_t b = from / n; b < block; b++) {
            int32_t *counts = scheme_counts(&s->trial, &s->space, b);
            const int32_t units = scheme_units(&s->trial, &s->space, b);
            memset(counts, 0, p->q->n * sizeof *counts);
            counts[p->station[station]] = units;
        }
        mask &= ~(1u << station);
        block = from / n;
        station = from % n;
    }
    return search_try_start(s, START_SEQUENCE);
}

/* The source and the fastest others. */
static uint32_t choose_stations(uint32_t *out, const struct sequence *q, uint32_t most)
{
    const struct ew_host *host = q->s->space.net->host;
    uint32_t n = 0;
    out[n++] = host->requirements(host)->source_device;
    while (n < most && n < q->n) {
        uint32_t best = EW_ID_NONE;
        double best_s = INFINITY;
        for (uint32_t d = 0; d < q->n; d++) {
            bool is_in = false;
            for (uint32_t i = 0; i < n; i++) {
                is_in = is_in || out[i] == d;
            }
            const double seconds = kit_net_compute_s(q->s->space.net, d);
            if (!is_in && (best == EW_ID_NONE || seconds < best_s)) {
                best = d;
                best_s = seconds;
            }
        }
        out[n++] = best;
    }
    return n;
}

static int32_t try_pipelines(struct sequence *q)
{
    enum { MOST_STATIONS = 6 };
    uint32_t stations[MOST_STATIONS];
    struct pipeline p = {.q = q, .station = stations};
    p.n_stations = choose_stations(stations, q, MOST_STATIONS);
    const size_t n_states = state_of(&p, q->s->space.blocks->n + 1, 0, 0);
    p.bottleneck = malloc(n_states * sizeof *p.bottleneck);
    p.from = calloc(n_states, sizeof *p.from);
    int32_t rc = p.bottleneck && p.from ? EW_STRATEGY_OK : kit_fail_memory(q->s->space.net->host);
    for (size_t i = 0; i < n_states && rc >= 0; i++) {
        p.bottleneck[i] = INFINITY;
    }
    if (rc >= 0) {
        fill_pipeline(&p);
        rc = try_pipeline(&p);
    }
    free(p.bottleneck);
    free(p.from);
    return rc;
}

/* ------------------------------------------------------------------ by objective */

int32_t search_try_sequences(struct search *s)
{
    struct sequence q = {.s = s, .n = s->space.n_devices};
    const double idle_w = sum_idle_w(s->space.net->host);
    int32_t rc = read_costs(&q);
    if (rc >= 0 && s->objective == OBJECTIVE_LATENCY) {
        rc = try_price(&q, (struct price){1, 0});
    } else if (rc >= 0 && s->objective == OBJECTIVE_PERIOD) {
        rc = try_pipelines(&q);
    } else if (rc >= 0) {
        rc = try_price(&q, (struct price){idle_w, 1});
    }
    /* Lagrange: the dearer a second, the sooner the deadline is met */
    const bool has_deadline =
        s->objective == OBJECTIVE_ENERGY_UNDER_DEADLINE && isfinite(s->deadline_s);
    for (double second = idle_w > 0 ? idle_w / 4 : 0.1; rc >= 0 && has_deadline && second < 1e5;
         second *= 2) {
        rc = try_price(&q, (struct price){idle_w + second, 1});
    }
    release(&q);
    return rc;
}
