/*
 * The bound as a game: put a price on every second of every device and of the two sides of the
 * source's network, prices summing to 1. Whatever a plan does, its latency is at least what it
 * pays. The least any plan can pay for given prices is a minimum cut; any prices give a valid
 * bound, and a few hundred steps of multiplicative weights look for good ones.
 */
#include "plan/bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/bound_cost.h"
#include "plan/min_cut.h"

enum { STEPS = 600, LEAST_STEPS = 24, STEP_LAYERS = 40000 };

/* Rounding of sums may not lift a bound above a plan that attains it. */
static const double SLACK = 1 - 1e-9;

/* One exit of one variant. */
struct option {
    struct ew_bound_cost cost;
    double accuracy;
    struct ew_cut cut;
    uint32_t *edge_home; /* per layer: price of computing at the source */
    uint32_t *edge_away; /* price of computing elsewhere */
    uint32_t *edge_out;  /* price of leaving the source */
    uint32_t *edge_in;   /* price of coming back */
};

/* Rates and delays between the source and everybody else. */
struct gate {
    double out_bytes_per_s; /* all routes together, at most; 0: no route */
    double in_bytes_per_s;
    double both_bytes_per_s; /* of a link that every route passes, out and in; 0: there is none */
    double out_delay_s;      /* least overhead and latency */
    double in_delay_s;
    double out_j_per_byte; /* radio, at least */
    double in_j_per_byte;
};

/* Prices behind those of the devices. */
enum { PRICE_OUT, PRICE_IN, PRICE_BOTH, N_GATE_PRICES };

struct search {
    const struct ew_bound_problem *problem;
    const struct ew_platform *platform;
    struct gate gate;
    uint32_t n_options;
    struct option *options;
    double *value;     /* per option */
    double *portion;   /* per option: of the images, in the cheapest mix */
    uint32_t n_prices; /* devices, then the gate's */
    double *price;     /* per second */
    double *joules;    /* per second, NULL-like zeros when only time counts */
    double *busy;      /* seconds per priced thing, of the cheapest behaviour */
    double *trial;
    double out_joules; /* per byte */
    double in_joules;
};

/* ------------------------------------------------------------------------------------ the gate */

enum pick { PICK_FIRST, PICK_LAST, PICK_NARROWEST, N_PICKS };

static uint32_t times_named(const struct ew_route *route, uint32_t link)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < route->n_links; i++) {
        n += route->links[i] == link;
    }
    return n;
}

static uint32_t pick_link(const struct ew_platform *p, const struct ew_route *route, enum pick pick)
{
    uint32_t best = route->links[pick == PICK_LAST ? route->n_links - 1 : 0];
    for (uint32_t i = 0; i < route->n_links && pick == PICK_NARROWEST; i++) {
        if (p->links[route->links[i]].bandwidth_bytes_per_s <
            p->links[best].bandwidth_bytes_per_s) {
            best = route->links[i];
        }
    }
    return best;
}

static const struct ew_route *gate_route(const struct search *s, uint32_t other, bool is_out)
{
    const uint32_t source = s->problem->source_device;
    return ew_platform_route(s->platform, is_out ? source : other, is_out ? other : source);
}

/* All bytes of a route pass the link picked for it, and a connection carries one message at a time:
 * no more than the picked links' bandwidths, nor than the routes' bottlenecks, together. */
static double rate_over(const struct search *s, bool is_out, enum pick pick, double *link_rate)
{
    double sum = 0;
    memset(link_rate, 0, (s->platform->n_links + 1u) * sizeof *link_rate);
    for (uint32_t d = 0; d < s->platform->n_devices; d++) {
        const struct ew_route *route = gate_route(s, d, is_out);
        if (d == s->problem->source_device || route->n_links == 0) {
            continue;
        }
        const uint32_t link = pick_link(s->platform, route, pick);
        if (s->platform->links[link].sharing != EW_LINK_SHARED) {
            sum += route->bottleneck_bytes_per_s;
            continue;
        }
        const double rate =
            s->platform->links[link].bandwidth_bytes_per_s / times_named(route, link);
        link_rate[link] = fmax(link_rate[link], rate);
    }
    for (uint32_t l = 0; l < s->platform->n_links; l++) {
        sum += link_rate[l];
    }
    return sum;
}

static double total_bottleneck(const struct search *s, bool is_out)
{
    double sum = 0;
    for (uint32_t d = 0; d < s->platform->n_devices; d++) {
        if (d != s->problem->source_device) {
            sum += gate_route(s, d, is_out)->bottleneck_bytes_per_s;
        }
    }
    return sum;
}

/* Bandwidth of the narrowest shared link that all routes from and to the source pass. */
static double rate_of_common_link(const struct search *s)
{
    double rate = 0;
    for (uint32_t l = 0; l < s->platform->n_links; l++) {
        uint32_t least = s->platform->links[l].sharing == EW_LINK_SHARED ? UINT32_MAX : 0;
        for (uint32_t d = 0; d < s->platform->n_devices && least > 0; d++) {
            for (int is_out = 0; is_out < 2 && d != s->problem->source_device; is_out++) {
                const struct ew_route *route = gate_route(s, d, is_out);
                const uint32_t n = route->n_links ? times_named(route, l) : least;
                least = n < least ? n : least;
            }
        }
        if (least > 0 && least < UINT32_MAX) {
            const double here = s->platform->links[l].bandwidth_bytes_per_s / least;
            rate = rate > 0 ? fmin(rate, here) : here;
        }
    }
    return rate;
}

static double delay_of(const struct search *s, bool is_out)
{
    double least_s = INFINITY;
    for (uint32_t d = 0; d < s->platform->n_devices; d++) {
        const struct ew_route *route = gate_route(s, d, is_out);
        if (d != s->problem->source_device && route->n_links) {
            const uint32_t sender = is_out ? s->problem->source_device : d;
            const double overhead_s = s->platform->devices[sender].message_overhead_s;
            least_s = fmin(least_s, overhead_s + route->latency_s * s->problem->latency_factor);
        }
    }
    return isfinite(least_s) ? least_s : 0;
}

static const struct ew_device *board_of(const struct ew_platform *p, uint32_t node)
{
    return &p->devices[p->nodes[node].devices[0]];
}

/* Least radio energy per byte between the source and others: the source's radio is on for
 * bytes / all routes' rate or longer, a board's for bytes / its routes' rate. Devices on the
 * source's own board need no radio. */
static double joules_per_byte(const struct search *s, bool is_out, double gate_rate)
{
    const struct ew_platform *p = s->platform;
    const uint32_t home = p->devices[s->problem->source_device].node;
    const bool pays_tx = !s->problem->is_receiver_paying;
    double least = INFINITY;
    for (uint32_t n = 0; n < p->n_nodes; n++) {
        double rate = 0;
        for (uint32_t i = 0; i < p->nodes[n].n_devices; i++) {
            const uint32_t d = p->nodes[n].devices[i];
            rate += d == s->problem->source_device
                        ? 0
                        : gate_route(s, d, is_out)->bottleneck_bytes_per_s;
        }
        if (rate > 0 && n == home) {
            return 0;
        }
        if (rate > 0) {
            const double other_w = is_out    ? board_of(p, n)->rx_w
                                   : pays_tx ? board_of(p, n)->tx_w
                                             : 0;
            least = fmin(least, other_w / (rate * s->problem->bandwidth_factor));
        }
    }
    const double own_w = is_out ? (pays_tx ? board_of(p, home)->tx_w : 0) : board_of(p, home)->rx_w;
    return isfinite(least) ? least + own_w / gate_rate : 0;
}

static enum ew_status measure_gate(struct search *s, struct ew_error *err)
{
    double *link_rate = calloc(s->platform->n_links + 1u, sizeof *link_rate);
    if (!link_rate) {
        return ew_fail_memory(err);
    }
    for (int is_out = 0; is_out < 2; is_out++) {
        double rate = total_bottleneck(s, is_out);
        for (int pick = 0; pick < N_PICKS; pick++) {
            rate = fmin(rate, rate_over(s, is_out, (enum pick)pick, link_rate));
        }
        rate *= s->problem->bandwidth_factor;
        *(is_out ? &s->gate.out_bytes_per_s : &s->gate.in_bytes_per_s) = rate;
        *(is_out ? &s->gate.out_delay_s : &s->gate.in_delay_s) = delay_of(s, is_out);
        *(is_out ? &s->gate.out_j_per_byte : &s->gate.in_j_per_byte) =
            rate > 0 ? joules_per_byte(s, is_out, rate) : 0;
    }
    s->gate.both_bytes_per_s = rate_of_common_link(s) * s->problem->bandwidth_factor;
    free(link_rate);
    return EW_OK;
}

/* ------------------------------------------------------------------------------------- the cut */

/* Four facts per layer, each a node on the source's side of the cut when true. The two about home
 * are negated, so that every rule below has the form "if this then that". */
enum fact {
    AWAY_COMPUTED,   /* its part is computed elsewhere */
    AWAY_HELD,       /* ... is held elsewhere */
    HOME_UNCOMPUTED, /* is not computed at the source */
    HOME_UNHELD,     /* is not held there */
    N_FACTS
};

static uint32_t node_of(uint32_t layer, enum fact fact)
{
    return EW_CUT_FIRST + layer * N_FACTS + (uint32_t)fact;
}

static void add_layer(struct option *o, uint32_t id)
{
    struct ew_cut *cut = &o->cut;
    const uint32_t away = node_of(id, AWAY_COMPUTED), unhome = node_of(id, HOME_UNCOMPUTED);
    o->edge_home[id] = ew_cut_add(cut, EW_CUT_SOURCE, unhome, 0);
    o->edge_away[id] = ew_cut_add(cut, away, EW_CUT_SINK, 0);
    o->edge_out[id] = ew_cut_add(cut, node_of(id, AWAY_HELD), away, 0);
    o->edge_in[id] = ew_cut_add(cut, unhome, node_of(id, HOME_UNHELD), 0);
    if (o->cost.graph->layers[id].op == EW_OP_INPUT) {
        (void)ew_cut_add(cut, unhome, EW_CUT_SINK, INFINITY); /* it is there */
    } else {
        (void)ew_cut_add(cut, unhome, away, INFINITY); /* somebody computes it */
    }
}

static enum ew_status build_cut(struct option *o, const struct ew_bound_problem *problem,
                                struct ew_error *err)
{
    const uint32_t n = o->cost.graph->n_layers;
    struct ew_arena *arena = &o->cost.arena;
    o->edge_home = ew_arena_calloc(arena, n, sizeof *o->edge_home);
    o->edge_away = ew_arena_calloc(arena, n, sizeof *o->edge_away);
    o->edge_out = ew_arena_calloc(arena, n, sizeof *o->edge_out);
    o->edge_in = ew_arena_calloc(arena, n, sizeof *o->edge_in);
    if (!o->edge_home || !o->edge_away || !o->edge_out || !o->edge_in ||
        !ew_cut_init(&o->cut, EW_CUT_FIRST + n * N_FACTS,
                     5 * n + 2 * o->cost.n_reads + o->cost.exit->n_layers)) {
        return ew_fail_memory(err);
    }
    for (uint32_t id = 0; id < n; id++) {
        add_layer(o, id);
    }
    for (uint32_t r = 0; r < o->cost.n_reads; r++) {
        const struct ew_bound_read *read = &o->cost.reads[r];
        (void)ew_cut_add(&o->cut, node_of(read->reader, AWAY_COMPUTED),
                         node_of(read->layer, AWAY_HELD), INFINITY);
        (void)ew_cut_add(&o->cut, node_of(read->layer, HOME_UNHELD),
                         node_of(read->reader, HOME_UNCOMPUTED), INFINITY);
    }
    for (uint32_t i = 0; i < o->cost.exit->n_layers; i++) {
        const uint32_t id = o->cost.exit->layers[i];
        if (problem->sink_device == problem->source_device) {
            (void)ew_cut_add(&o->cut, node_of(id, HOME_UNHELD), EW_CUT_SINK, INFINITY);
        } else {
            (void)ew_cut_add(&o->cut, EW_CUT_SOURCE, node_of(id, AWAY_HELD), INFINITY);
        }
    }
    return EW_OK;
}

static double least_s(const struct search *s, const struct option *o, uint32_t id, double *total)
{
    const double *time_s = &o->cost.time_s[(size_t)id * s->platform->n_devices];
    double least = INFINITY;
    for (uint32_t d = 0; d < s->platform->n_devices; d++) {
        const double pay = (s->price[d] + s->joules[d]) * time_s[d];
        if (d != s->problem->source_device && pay < least) {
            least = pay;
        }
    }
    /* how many share the cheapest price, weighed by speed */
    *total = 0;
    for (uint32_t d = 0; d < s->platform->n_devices; d++) {
        const double pay = (s->price[d] + s->joules[d]) * time_s[d];
        if (d != s->problem->source_device && time_s[d] > 0 && pay <= least * (1 + 1e-9)) {
            *total += 1 / time_s[d];
        }
    }
    return least;
}

/* Pay per byte that leaves the source or returns; INFINITY without a route. */
static double byte_pay(const struct search *s, bool is_out)
{
    const double *price = s->price + s->platform->n_devices;
    const double rate = is_out ? s->gate.out_bytes_per_s : s->gate.in_bytes_per_s;
    const double both = s->gate.both_bytes_per_s;
    if (rate <= 0) {
        return INFINITY;
    }
    return price[is_out ? PRICE_OUT : PRICE_IN] / rate + (both > 0 ? price[PRICE_BOTH] / both : 0) +
           (is_out ? s->out_joules : s->in_joules);
}

/* Least pay of any behaviour for this exit. */
static double solve_option(struct search *s, struct option *o)
{
    const uint32_t n_devices = s->platform->n_devices, source = s->problem->source_device;
    const double out_pay = byte_pay(s, true), in_pay = byte_pay(s, false);
    for (uint32_t id = 0; id < o->cost.graph->n_layers; id++) {
        const struct ew_bound_layer *part = &o->cost.layers[id];
        const double *time_s = &o->cost.time_s[(size_t)id * n_devices];
        const bool is_input = o->cost.graph->layers[id].op == EW_OP_INPUT;
        double total;
        ew_cut_set(&o->cut, o->edge_home[id],
                   part->is_needed ? (s->price[source] + s->joules[source]) * time_s[source] : 0);
        ew_cut_set(&o->cut, o->edge_away[id],
                   is_input          ? INFINITY
                   : part->is_needed ? least_s(s, o, id, &total)
                                     : 0);
        ew_cut_set(&o->cut, o->edge_out[id], part->bytes > 0 ? part->bytes * out_pay : 0);
        ew_cut_set(&o->cut, o->edge_in[id], part->bytes > 0 ? part->bytes * in_pay : 0);
    }
    return ew_cut_solve(&o->cut);
}

static void add_bytes(struct search *s, bool is_out, double bytes)
{
    double *busy = s->busy + s->platform->n_devices;
    busy[is_out ? PRICE_OUT : PRICE_IN] +=
        bytes / (is_out ? s->gate.out_bytes_per_s : s->gate.in_bytes_per_s);
    if (s->gate.both_bytes_per_s > 0) {
        busy[PRICE_BOTH] += bytes / s->gate.both_bytes_per_s;
    }
}

/* Seconds by which the cheapest behaviour uses each priced thing, times `portion`. */
static void add_busy(struct search *s, const struct option *o, double portion)
{
    const uint32_t n_devices = s->platform->n_devices, source = s->problem->source_device;
    for (uint32_t id = 0; id < o->cost.graph->n_layers; id++) {
        const struct ew_bound_layer *part = &o->cost.layers[id];
        const double *time_s = &o->cost.time_s[(size_t)id * n_devices];
        const bool is_away = ew_cut_is_source_side(&o->cut, node_of(id, AWAY_COMPUTED));
        const bool is_home = !ew_cut_is_source_side(&o->cut, node_of(id, HOME_UNCOMPUTED));
        if (!part->is_needed) {
            continue;
        }
        if (is_home) {
            s->busy[source] += portion * time_s[source];
        }
        if (is_away) {
            double total;
            const double least = least_s(s, o, id, &total);
            for (uint32_t d = 0; d < n_devices; d++) {
                const double pay = (s->price[d] + s->joules[d]) * time_s[d];
                if (d != source && time_s[d] > 0 && pay <= least * (1 + 1e-9)) {
                    s->busy[d] += portion / total;
                }
            }
        }
        if (!is_away && ew_cut_is_source_side(&o->cut, node_of(id, AWAY_HELD))) {
            add_bytes(s, true, portion * part->bytes);
        }
        if (!is_home && !ew_cut_is_source_side(&o->cut, node_of(id, HOME_UNHELD))) {
            add_bytes(s, false, portion * part->bytes);
        }
    }
}

/* --------------------------------------------------------------------------------------- mixes */

/* Cheapest mix of options whose mean accuracy reaches the target: at most two take part. */
static double mix_options(struct search *s)
{
    const double wanted = s->problem->min_accuracy;
    uint32_t first = 0, second = 0;
    double best = INFINITY, share = 1;
    for (uint32_t a = 0; a < s->n_options; a++) {
        const struct option *x = &s->options[a];
        if (wanted <= 0 || x->accuracy >= wanted) {
            if (s->value[a] < best) {
                best = s->value[a];
                first = second = a;
                share = 1;
            }
        }
        for (uint32_t b = 0; b < s->n_options && wanted > 0; b++) {
            const struct option *y = &s->options[b];
            if (!(x->accuracy > wanted) || !(y->accuracy < wanted)) {
                continue;
            }
            const double portion = (wanted - y->accuracy) / (x->accuracy - y->accuracy);
            const double value = portion * s->value[a] + (1 - portion) * s->value[b];
            if (value < best) {
                best = value;
                first = a;
                second = b;
                share = portion;
            }
        }
    }
    memset(s->portion, 0, s->n_options * sizeof *s->portion);
    s->portion[first] += share;
    s->portion[second] += second == first ? 0 : 1 - share;
    return best;
}

/* When nothing reaches the target, the cheapest of all counts. */
static bool is_reachable(const struct search *s)
{
    for (uint32_t i = 0; i < s->n_options; i++) {
        if (s->options[i].accuracy >= s->problem->min_accuracy) {
            return true;
        }
    }
    return false;
}

/* Least pay for the prices at hand. */
static double solve(struct search *s)
{
    for (uint32_t i = 0; i < s->n_options; i++) {
        s->value[i] = solve_option(s, &s->options[i]);
    }
    return mix_options(s);
}

/* Everything at the source. */
static double home_s(struct search *s)
{
    for (uint32_t i = 0; i < s->n_options; i++) {
        const struct ew_bound_cost *cost = &s->options[i].cost;
        s->value[i] = 0;
        for (uint32_t id = 0; id < cost->graph->n_layers; id++) {
            s->value[i] +=
                cost->time_s[(size_t)id * s->platform->n_devices + s->problem->source_device];
        }
    }
    return mix_options(s);
}

/* Pay for work alone, wherever it is cheapest. */
static double work_pay(struct search *s)
{
    const uint32_t n_devices = s->platform->n_devices;
    for (uint32_t i = 0; i < s->n_options; i++) {
        const struct ew_bound_cost *cost = &s->options[i].cost;
        s->value[i] = 0;
        for (uint32_t id = 0; id < cost->graph->n_layers; id++) {
            double least = INFINITY;
            for (uint32_t d = 0; d < n_devices; d++) {
                least = fmin(least, s->price[d] * cost->time_s[(size_t)id * n_devices + d]);
            }
            s->value[i] += least;
        }
    }
    return mix_options(s);
}

/* -------------------------------------------------------------------------------------- search */

static void normalise(double *price, uint32_t n)
{
    double sum = 0;
    for (uint32_t k = 0; k < n; k++) {
        sum += price[k];
    }
    for (uint32_t k = 0; k < n && sum > 0; k++) {
        price[k] /= sum;
    }
}

/* Devices by speed over the whole of the first option, the network with the share `network`. */
static void price_by_speed(struct search *s, double network)
{
    const uint32_t n_devices = s->platform->n_devices;
    const struct ew_bound_cost *cost = &s->options[0].cost;
    double least = INFINITY;
    memset(s->price, 0, s->n_prices * sizeof *s->price);
    for (uint32_t id = 0; id < cost->graph->n_layers; id++) {
        for (uint32_t d = 0; d < n_devices; d++) {
            s->price[d] += cost->time_s[(size_t)id * n_devices + d];
        }
    }
    for (uint32_t d = 0; d < n_devices; d++) {
        least = s->price[d] > 0 ? fmin(least, s->price[d]) : least;
    }
    for (uint32_t d = 0; d < n_devices; d++) {
        s->price[d] = s->price[d] > 0 ? least / s->price[d] : 1;
    }
    normalise(s->price, n_devices);
    for (uint32_t d = 0; d < n_devices; d++) {
        s->price[d] *= 1 - network;
    }
    double *gate = s->price + n_devices;
    const bool has_both = s->gate.both_bytes_per_s > 0;
    gate[PRICE_BOTH] = has_both ? network / 2 : 0;
    gate[PRICE_OUT] = gate[PRICE_IN] = has_both ? network / 4 : network / 2;
}

/* What the prices gain from delays: a device elsewhere, and the network, cannot be busy before the
 * first message has arrived nor, when the answer is wanted at the source, while the last returns.
 */
static void add_delays(const struct search *s, double *busy)
{
    const bool returns = s->problem->sink_device == s->problem->source_device;
    for (uint32_t i = 0; i < s->n_options; i++) {
        if (s->options[i].cost.may_start_early) {
            return;
        }
    }
    const double delay_s = s->gate.out_delay_s + (returns ? s->gate.in_delay_s : 0);
    for (uint32_t k = 0; k < s->n_prices; k++) {
        if (k == s->platform->n_devices + PRICE_BOTH) {
            busy[k] += s->gate.out_delay_s; /* may be busy with the answer to the very end */
        } else if (k != s->problem->source_device) {
            busy[k] += delay_s;
        }
    }
}

static void step_prices(struct search *s, double rate)
{
    double most = 0;
    for (uint32_t k = 0; k < s->n_prices; k++) {
        most = fmax(most, s->busy[k]);
    }
    for (uint32_t k = 0; k < s->n_prices && most > 0; k++) {
        /* a rational step instead of exp(): the same on every machine */
        s->price[k] = fmax(s->price[k], 1e-9) / (1 + rate * (1 - s->busy[k] / most));
    }
    normalise(s->price, s->n_prices);
}

/* Best bound over the prices tried; best prices stay in s->price. With delays it is one for plans
 * that use more than the source. */
static double search_prices(struct search *s, bool has_delays, uint32_t n_steps)
{
    double best = 0;
    memcpy(s->trial, s->price, s->n_prices * sizeof *s->trial);
    for (uint32_t step = 0; step < n_steps; step++) {
        double value = solve(s);
        if (!isfinite(value)) {
            break; /* nothing can leave the source; see ew_bound_compute */
        }
        memset(s->busy, 0, s->n_prices * sizeof *s->busy);
        for (uint32_t i = 0; i < s->n_options; i++) {
            if (s->portion[i] > 0) {
                add_busy(s, &s->options[i], s->portion[i]);
            }
        }
        if (has_delays) {
            double delays = 0;
            for (uint32_t k = 0; k < s->n_prices; k++) {
                delays -= s->price[k] * s->busy[k];
            }
            add_delays(s, s->busy);
            for (uint32_t k = 0; k < s->n_prices; k++) {
                delays += s->price[k] * s->busy[k];
            }
            value += delays;
        }
        if (value > best) {
            best = value;
            memcpy(s->trial, s->price, s->n_prices * sizeof *s->trial);
        }
        step_prices(s, 2.0 / (1 + step / 12.0));
    }
    memcpy(s->price, s->trial, s->n_prices * sizeof *s->price);
    return best;
}

static double search_both(struct search *s, bool has_delays, uint32_t n_steps)
{
    double *best_price = s->joules + s->n_prices; /* spare half of the array */
    price_by_speed(s, 0.1);
    const double few = search_prices(s, has_delays, n_steps / 2);
    memcpy(best_price, s->price, s->n_prices * sizeof *best_price);
    price_by_speed(s, 0.7);
    const double much = search_prices(s, has_delays, n_steps / 2);
    if (few > much) {
        memcpy(s->price, best_price, s->n_prices * sizeof *best_price);
    }
    return fmax(few, much);
}

static void set_energy_prices(struct search *s, bool is_on)
{
    for (uint32_t d = 0; d < s->platform->n_devices; d++) {
        const struct ew_device *device = &s->platform->devices[d];
        s->joules[d] = is_on ? device->compute_w - device->idle_w : 0;
    }
    s->out_joules = is_on ? s->gate.out_j_per_byte : 0;
    s->in_joules = is_on ? s->gate.in_j_per_byte : 0;
}

static bool is_power_known(const struct ew_platform *p)
{
    for (uint32_t d = 0; d < p->n_devices; d++) {
        if (!p->devices[d].has_power) {
            return false;
        }
    }
    return true;
}

/* Dynamic energy: the cut with joules for prices. Total: the idle power of all boards buys the
 * horizon, split over devices and network by the best prices of the period. */
static void bound_energy(struct ew_bound *out, struct search *s)
{
    out->dynamic_energy_j = out->energy_j = NAN;
    if (!is_power_known(s->platform)) {
        return;
    }
    double idle_w = 0;
    for (uint32_t n = 0; n < s->platform->n_nodes; n++) {
        idle_w += board_of(s->platform, n)->idle_w;
    }
    set_energy_prices(s, true);
    memcpy(s->trial, s->price, s->n_prices * sizeof *s->trial);
    for (uint32_t k = 0; k < s->n_prices; k++) {
        s->price[k] = s->trial[k] * idle_w;
    }
    const double joint_j = solve(s);
    memset(s->price, 0, s->n_prices * sizeof *s->price);
    out->dynamic_energy_j = solve(s) * SLACK;
    out->energy_j = fmax(joint_j * SLACK, out->dynamic_energy_j + idle_w * out->period_s);
    set_energy_prices(s, false);
}

static void bound_all(struct ew_bound *out, struct search *s)
{
    const struct ew_bound_problem *problem = s->problem;
    const bool is_alone = s->gate.out_bytes_per_s <= 0;
    const double home = home_s(s);
    uint32_t n_layers = 1;
    for (uint32_t i = 0; i < s->n_options; i++) {
        n_layers += s->options[i].cost.graph->n_layers;
    }
    uint32_t n_steps = STEP_LAYERS / n_layers;
    n_steps = n_steps > STEPS ? STEPS : n_steps < LEAST_STEPS ? LEAST_STEPS : n_steps;
    price_by_speed(s, 0);
    out->work_s = is_alone ? home : work_pay(s);
    double latency_s = is_alone ? home : search_both(s, true, n_steps);
    if (problem->sink_device == problem->source_device) {
        latency_s = fmin(latency_s, home);
    }
    out->latency_s = fmax(latency_s, out->work_s) * SLACK;
    out->work_s *= SLACK;
    out->period_s = is_alone ? home * SLACK : search_both(s, false, n_steps) * SLACK;
    out->period_s = fmax(out->period_s, out->work_s);
    bound_energy(out, s);
    out->latency_s = fmax(out->latency_s, out->period_s);
}

/* --------------------------------------------------------------------------------------- the whole
 */

static enum ew_status make_options(struct search *s, struct ew_error *err)
{
    const struct ew_graph *base = s->problem->context->graph;
    const struct ew_bound_shape shape = {s->problem->batch, s->problem->wire_bits};
    uint32_t n = 0;
    for (uint32_t v = 0; v < base->n_variants; v++) {
        n += base->variants[v].graph->n_exits;
    }
    s->options = calloc(n, sizeof *s->options);
    s->value = calloc(n, sizeof *s->value);
    s->portion = calloc(n, sizeof *s->portion);
    enum ew_status status = s->options && s->value && s->portion ? EW_OK : ew_fail_memory(err);
    for (uint32_t v = 0; v < base->n_variants && status == EW_OK; v++) {
        const struct ew_graph *graph = base->variants[v].graph;
        for (uint32_t e = 0; e < graph->n_exits && status == EW_OK; e++) {
            struct option *o = &s->options[s->n_options++];
            o->accuracy = graph->exits[e].accuracy;
            status = ew_bound_cost_make(&o->cost, s->problem->context, graph, e, &shape, err);
            if (status == EW_OK) {
                status = build_cut(o, s->problem, err);
            }
        }
    }
    return status;
}

enum ew_status ew_bound_compute(struct ew_bound *out, const struct ew_bound_problem *problem,
                                struct ew_error *err)
{
    struct ew_bound_problem asked = *problem;
    struct search s = {.problem = &asked, .platform = problem->context->platform};
    s.n_prices = s.platform->n_devices + N_GATE_PRICES;
    s.price = calloc(s.n_prices, sizeof *s.price);
    s.joules = calloc(2 * (size_t)s.n_prices, sizeof *s.joules);
    s.busy = calloc(s.n_prices, sizeof *s.busy);
    s.trial = calloc(s.n_prices, sizeof *s.trial);
    enum ew_status status =
        s.price && s.joules && s.busy && s.trial ? measure_gate(&s, err) : ew_fail_memory(err);
    if (status == EW_OK) {
        status = make_options(&s, err);
    }
    if (status == EW_OK) {
        if (!is_reachable(&s)) {
            asked.min_accuracy = 0;
        }
        bound_all(out, &s);
    }
    for (uint32_t i = 0; i < s.n_options; i++) {
        ew_cut_fini(&s.options[i].cut);
        ew_bound_cost_fini(&s.options[i].cost);
    }
    free(s.options);
    free(s.value);
    free(s.portion);
    free(s.price);
    free(s.joules);
    free(s.busy);
    free(s.trial);
    return status;
}
