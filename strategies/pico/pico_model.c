#include "pico/pico_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Most pipelines kept per number of blocks and devices; that many never occurred. */
enum { MOST_KEPT = 256 };

double pico_mean_latency_s(double period_s, double latency_s, double rate_per_s)
{
    double load = period_s * rate_per_s;
    if (load >= 1.0) {
        return INFINITY;
    }
    return period_s * (2.0 - load) / (2.0 * (1.0 - load)) + latency_s;
}

double pico_value(enum pico_objective objective, double period_s, double latency_s,
                  double rate_per_s)
{
    switch (objective) {
    case PICO_LATENCY:
        return latency_s;
    case PICO_MEAN_LATENCY:
        return pico_mean_latency_s(period_s, latency_s, rate_per_s);
    case PICO_PERIOD:
        break;
    }
    return period_s;
}

/* ------------------------------------------------------------------ dynamic program */

/* The first blocks on some devices: the last stage, and what comes before it. */
struct entry {
    double period_s;
    double latency_s;
    uint32_t before;    /* entry; UINT32_MAX: none */
    uint32_t n_blocks;  /* done, last stage included */
    uint32_t n_devices; /* of the last stage */
};

/* Entries of a state lie next to each other, by rising period and falling latency. */
struct table {
    const struct pico_problem *problem;
    struct entry *entries;
    size_t n;
    size_t capacity;
    size_t *begin; /* by state; one more than states */
    struct entry *fresh;
    size_t n_fresh;
    size_t fresh_capacity;
};

static bool push(struct entry **items, size_t *n, size_t *capacity, const struct entry *entry)
{
    if (*n == *capacity) {
        size_t wanted = *capacity ? *capacity * 2 : 256;
        struct entry *grown = realloc(*items, wanted * sizeof *grown);
        if (!grown) {
            return false;
        }
        *items = grown;
        *capacity = wanted;
    }
    (*items)[(*n)++] = *entry;
    return true;
}

static int compare_double(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int order = compare_double(x->period_s, y->period_s);
    order = order ? order : compare_double(x->latency_s, y->latency_s);
    order = order ? order : (x->before > y->before) - (x->before < y->before);
    return order ? order : (x->n_devices > y->n_devices) - (x->n_devices < y->n_devices);
}

static double stage_s(const struct pico_problem *problem, uint32_t first, uint32_t last, uint32_t p)
{
    return problem->time_s[((size_t)first * problem->n_blocks + last) * problem->most + p - 1];
}

/* One more stage of `p` devices behind every pipeline of the state that ends at block `first`. */
static bool extend(struct table *table, size_t state, uint32_t first, uint32_t end, uint32_t p)
{
    double seconds = stage_s(table->problem, first, end - 1, p);
    if (!isfinite(seconds)) {
        return true;
    }
    for (size_t e = table->begin[state]; e < table->begin[state + 1]; e++) {
        struct entry entry = {
            .period_s = fmax(table->entries[e].period_s, seconds),
            .latency_s = table->entries[e].latency_s + seconds,
            .before = (uint32_t)e,
            .n_blocks = end,
            .n_devices = p,
        };
        if (entry.latency_s <= table->problem->limit_s &&
            !push(&table->fresh, &table->n_fresh, &table->fresh_capacity, &entry)) {
            return false;
        }
    }
    return true;
}

/* Keep what no other beats in both period and latency. */
static bool settle(struct table *table)
{
    double least_s = INFINITY;
    size_t n_kept = 0;
    if (table->n_fresh > 0) {
        qsort(table->fresh, table->n_fresh, sizeof *table->fresh, compare_entries);
    }
    for (size_t i = 0; i < table->n_fresh && n_kept < MOST_KEPT; i++) {
        if (table->fresh[i].latency_s < least_s) {
            least_s = table->fresh[i].latency_s;
            n_kept++;
            if (!push(&table->entries, &table->n, &table->capacity, &table->fresh[i])) {
                return false;
            }
        }
    }
    table->n_fresh = 0;
    return true;
}

/* State (blocks done, devices used) is blocks * (n_devices + 1) + devices. */
static bool fill_state(struct table *table, uint32_t end, uint32_t used)
{
    const struct pico_problem *problem = table->problem;
    for (uint32_t first = 0; first < end; first++) {
        for (uint32_t p = 1; p <= problem->most && p <= used; p++) {
            size_t state = (size_t)first * (problem->n_devices + 1) + (used - p);
            if (!extend(table, state, first, end, p)) {
                return false;
            }
        }
    }
    return settle(table);
}

static bool fill_table(struct table *table)
{
    const struct pico_problem *problem = table->problem;
    const struct entry nothing = {.before = UINT32_MAX};
    size_t state = 0;
    for (uint32_t end = 0; end <= problem->n_blocks; end++) {
        for (uint32_t used = 0; used <= problem->n_devices; used++, state++) {
            table->begin[state] = table->n;
            bool is_ok =
                end > 0 ? fill_state(table, end, used)
                        : used > 0 || push(&table->entries, &table->n, &table->capacity, &nothing);
            if (!is_ok) {
                return false;
            }
            table->begin[state + 1] = table->n;
        }
    }
    return true;
}

static double value_of(const struct pico_problem *problem, const struct entry *entry)
{
    return pico_value(problem->objective, entry->period_s, entry->latency_s, problem->rate_per_s);
}

/* Among complete pipelines, states with fewer devices first. SIZE_MAX: none. An overloaded stream
 * is served best by the smallest period. */
static size_t find_best(const struct table *table)
{
    const struct pico_problem *problem = table->problem;
    size_t first = (size_t)problem->n_blocks * (problem->n_devices + 1);
    size_t best = SIZE_MAX;
    for (size_t e = table->begin[first]; e < table->n; e++) {
        const struct entry *entry = &table->entries[e];
        int order = 1;
        if (best != SIZE_MAX) {
            const struct entry *other = &table->entries[best];
            order = compare_double(value_of(problem, other), value_of(problem, entry));
            order = order ? order : compare_double(other->period_s, entry->period_s);
            order = order ? order : compare_double(other->latency_s, entry->latency_s);
        }
        best = order > 0 ? e : best;
    }
    return best;
}

static void read_stages(struct pico_pipeline *out, const struct table *table, size_t best)
{
    out->n_stages = 0;
    if (best == SIZE_MAX) {
        return;
    }
    out->period_s = table->entries[best].period_s;
    out->latency_s = table->entries[best].latency_s;
    for (size_t e = best; table->entries[e].n_blocks > 0; e = table->entries[e].before) {
        out->n_stages++;
    }
    uint32_t at = out->n_stages;
    for (size_t e = best; table->entries[e].n_blocks > 0; e = table->entries[e].before) {
        const struct entry *entry = &table->entries[e];
        uint32_t first = table->entries[entry->before].n_blocks;
        out->stages[--at] = (struct pico_stage){
            .first = first,
            .last = entry->n_blocks - 1,
            .n_devices = entry->n_devices,
            .time_s = stage_s(table->problem, first, entry->n_blocks - 1, entry->n_devices),
        };
    }
}

/* ------------------------------------------------------------------ the period alone */

/* Best sums or maxima of the first blocks on some devices, and the last stage of each. */
struct chain {
    const struct pico_problem *problem;
    double *value;  /* by state */
    uint32_t *from; /* by state: first block * (n_devices + 1) + devices of the last stage */
};

/* The least maximum of stage times, or, with a bound on each, their least sum. */
static void fill_chain(struct chain *chain, bool is_sum, double bound_s)
{
    const struct pico_problem *problem = chain->problem;
    const uint32_t width = problem->n_devices + 1;
    for (uint32_t used = 0; used < width; used++) {
        chain->value[used] = used > 0 ? INFINITY : 0.0;
    }
    for (uint32_t end = 1; end <= problem->n_blocks; end++) {
        for (uint32_t used = 0; used < width; used++) {
            const size_t state = (size_t)end * width + used;
            chain->value[state] = INFINITY;
            for (uint32_t first = 0; first < end; first++) {
                for (uint32_t p = 1; p <= problem->most && p <= used; p++) {
                    const double before = chain->value[(size_t)first * width + used - p];
                    const double seconds = stage_s(problem, first, end - 1, p);
                    const double value = is_sum ? before + seconds : fmax(before, seconds);
                    if (seconds <= bound_s && value < chain->value[state]) {
                        chain->value[state] = value;
                        chain->from[state] = first * width + p;
                    }
                }
            }
        }
    }
}

/* Devices used by the best complete pipeline, fewer on a tie; UINT32_MAX: none. */
static uint32_t best_end(const struct chain *chain)
{
    const uint32_t width = chain->problem->n_devices + 1;
    const double *last = chain->value + (size_t)chain->problem->n_blocks * width;
    uint32_t best = UINT32_MAX;
    for (uint32_t used = 0; used < width; used++) {
        if (isfinite(last[used]) && (best == UINT32_MAX || last[used] < last[best])) {
            best = used;
        }
    }
    return best;
}

static void read_chain(struct pico_pipeline *out, const struct chain *chain, uint32_t used)
{
    const uint32_t width = chain->problem->n_devices + 1;
    out->n_stages = 0;
    for (uint32_t end = chain->problem->n_blocks, u = used; end > 0;) {
        const uint32_t from = chain->from[(size_t)end * width + u];
        const uint32_t first = from / width, p = from % width;
        out->stages[out->n_stages++] = (struct pico_stage){
            .first = first,
            .last = end - 1,
            .n_devices = p,
            .time_s = stage_s(chain->problem, first, end - 1, p),
        };
        end = first;
        u -= p;
    }
    for (uint32_t i = 0; i < out->n_stages / 2; i++) {
        const struct pico_stage stage = out->stages[i];
        out->stages[i] = out->stages[out->n_stages - 1 - i];
        out->stages[out->n_stages - 1 - i] = stage;
    }
}

/* The least period, then the least latency with it. False when that latency is beyond the limit,
 * so that a greater period has to be looked for: then the whole front is needed. */
static bool cut_by_period(struct pico_pipeline *out, struct chain *chain)
{
    const size_t last = (size_t)chain->problem->n_blocks * (chain->problem->n_devices + 1);
    fill_chain(chain, false, INFINITY);
    uint32_t used = best_end(chain);
    if (used == UINT32_MAX) {
        return false;
    }
    const double period_s = chain->value[last + used];
    fill_chain(chain, true, period_s);
    used = best_end(chain);
    if (chain->value[last + used] > chain->problem->limit_s) {
        return false;
    }
    read_chain(out, chain, used);
    out->period_s = period_s;
    out->latency_s = chain->value[last + used];
    return true;
}

/* ------------------------------------------------------------------ all */

static bool cut_by_front(struct pico_pipeline *out, const struct pico_problem *problem,
                         size_t n_states)
{
    struct table table = {.problem = problem};
    table.begin = calloc(n_states + 1, sizeof *table.begin);
    bool is_ok = table.begin && fill_table(&table);
    if (is_ok) {
        read_stages(out, &table, find_best(&table));
    }
    free(table.begin);
    free(table.entries);
    free(table.fresh);
    return is_ok;
}

bool pico_cut(struct pico_pipeline *out, const struct pico_problem *problem)
{
    size_t n_states = ((size_t)problem->n_blocks + 1) * (problem->n_devices + 1);
    struct chain chain = {.problem = problem};
    chain.value = calloc(n_states, sizeof *chain.value);
    chain.from = calloc(n_states, sizeof *chain.from);
    bool is_ok = chain.value && chain.from;
    bool is_done = is_ok && problem->objective == PICO_PERIOD && cut_by_period(out, &chain);
    free(chain.value);
    free(chain.from);
    return is_done || (is_ok && cut_by_front(out, problem, n_states));
}

/* ------------------------------------------------------------------ real devices */

void pico_assign(uint32_t *stage_of, double *need, uint32_t *free_places,
                 const struct pico_pipeline *pipeline, const double *capability, uint32_t n_devices)
{
    for (uint32_t s = 0; s < pipeline->n_stages; s++) {
        need[s] = pipeline->stages[s].time_s * pipeline->stages[s].n_devices;
        free_places[s] = pipeline->stages[s].n_devices;
    }
    for (uint32_t d = 0; d < n_devices; d++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t s = 0; s < pipeline->n_stages; s++) {
            bool is_free = free_places[s] > 0;
            if (is_free &&
                (best == UINT32_MAX || need[s] / free_places[s] > need[best] / free_places[best])) {
                best = s;
            }
        }
        stage_of[d] = best;
        if (best != UINT32_MAX) {
            need[best] = fmax(0.0, need[best] - capability[d] * pipeline->period_s);
            free_places[best]--;
        }
    }
}
