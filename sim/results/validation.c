#include "results/validation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *ew_validation_engine_name(enum ew_validation_engine engine)
{
    static const char *const names[] = {"simgrid", "fast", "exec"};
    return names[engine];
}

/* --- parts ----------------------------------------------------------------------------------- */

static struct ew_validation_part *find_part(struct ew_validation *v, bool is_link, const char *name,
                                            const char *workload)
{
    for (size_t i = 0; i < v->parts.count; i++) {
        struct ew_validation_part *p = &v->parts.items[i];
        if (p->is_link == is_link && p->name == name && p->workload == workload) {
            return p;
        }
    }
    const struct ew_validation_part part = {.is_link = is_link, .name = name, .workload = workload};
    return ew_vec_push(&v->parts, part) ? &v->parts.items[v->parts.count - 1] : NULL;
}

/* Rows of layers stand in the same order in both results, as they are runs of one plan. */
static enum ew_status add_layers(struct ew_validation *v, struct ew_error *err)
{
    const struct ew_result *a = v->results[EW_VALIDATE_SIMGRID];
    const struct ew_result *b = v->results[EW_VALIDATE_EXEC];
    for (uint32_t i = 0, k = 0; i < a->n_layers; i++) {
        const struct ew_layer_result *x = &a->layers[i];
        while (k < b->n_layers &&
               (b->layers[k].workload < x->workload ||
                (b->layers[k].workload == x->workload &&
                 (b->layers[k].variant < x->variant ||
                  (b->layers[k].variant == x->variant && b->layers[k].layer < x->layer))))) {
            k++;
        }
        const struct ew_layer_result *y = &b->layers[k];
        const bool is_same = k < b->n_layers && y->workload == x->workload &&
                             y->variant == x->variant && y->layer == x->layer;
        if (!is_same || (x->n_tasks == 0 && y->n_tasks == 0)) {
            continue;
        }
        const struct ew_validation_part part = {
            .name = x->name,
            .workload = a->n_workloads > 1 ? a->workloads[x->workload].name : NULL,
            .n = x->n_tasks,
            .simgrid_s = x->compute_s,
            .exec_s = y->compute_s,
        };
        if (!ew_vec_push(&v->parts, part)) {
            return ew_fail_memory(err);
        }
    }
    return EW_OK;
}

/* The slowest link of a route, the first of them when several are. */
static const struct ew_link *slowest_link(const struct ew_platform *platform, uint32_t from,
                                          uint32_t to)
{
    const struct ew_route *route = ew_platform_route(platform, from, to);
    const struct ew_link *slowest = &platform->links[route->links[0]];
    for (uint32_t i = 1; i < route->n_links; i++) {
        const struct ew_link *link = &platform->links[route->links[i]];
        slowest = link->bandwidth_bytes_per_s < slowest->bandwidth_bytes_per_s ? link : slowest;
    }
    return slowest;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Walk two ordered runs together. `late` receives |difference of ends| of what both have;
 * `has_links` books messages under their links. */
static enum ew_status match_spans(struct ew_validation *v, enum ew_validation_engine engine,
                                  const struct ew_platform *platform, double *late, uint64_t *n,
                                  struct ew_error *err)
{
    const struct ew_spans *a = &v->spans[EW_VALIDATE_SIMGRID];
    const struct ew_spans *b = &v->spans[engine];
    const bool is_exec = engine == EW_VALIDATE_EXEC;
    size_t i = 0, k = 0;
    *n = 0;
    while (i < a->items.count && k < b->items.count) {
        const struct ew_span *x = &a->items.items[i];
        const struct ew_span *y = &b->items.items[k];
        const int order = ew_span_compare(x, y);
        i += order <= 0;
        k += order >= 0;
        if (order != 0) {
            v->n_unmatched += is_exec;
            continue;
        }
        late[(*n)++] = fabs(y->end_s - x->end_s);
        if (is_exec && x->peer != EW_NONE) {
            struct ew_validation_part *link =
                find_part(v, true, slowest_link(platform, x->device, x->peer)->name, NULL);
            if (!link) {
                return ew_fail_memory(err);
            }
            link->n++;
            link->simgrid_s += x->end_s - x->start_s;
            link->exec_s += y->end_s - y->start_s;
        }
    }
    v->n_unmatched += is_exec ? a->items.count - i + b->items.count - k : 0;
    return EW_OK;
}

static int compare_parts(const void *a, const void *b)
{
    const struct ew_validation_part *x = a, *y = b;
    const double dx = fabs(x->exec_s - x->simgrid_s), dy = fabs(y->exec_s - y->simgrid_s);
    if (dx != dy) {
        return dx > dy ? -1 : 1;
    }
    const int order = strcmp(x->name, y->name);
    return order ? order : (int)x->is_link - (int)y->is_link;
}

enum ew_status ew_validation_compare(struct ew_validation *v, const struct ew_platform *platform,
                                     struct ew_error *err)
{
    const size_t n_most = v->spans[EW_VALIDATE_SIMGRID].items.count;
    double *late = malloc((n_most + 1) * sizeof *late);
    if (!late) {
        return ew_fail_memory(err);
    }
    uint64_t n = 0;
    enum ew_status status = match_spans(v, EW_VALIDATE_FAST, platform, late, &n, err);
    for (uint64_t i = 0; i < n; i++) {
        v->fast_max_late_s = fmax(v->fast_max_late_s, late[i]);
    }
    status = status ? status : match_spans(v, EW_VALIDATE_EXEC, platform, late, &n, err);
    v->n_tasks = n;
    if (status == EW_OK && n) {
        qsort(late, n, sizeof *late, compare_doubles);
        v->median_late_s = late[n / 2];
        v->p95_late_s = late[n * 95 / 100];
        v->max_late_s = late[n - 1];
    }
    free(late);
    status = status ? status : add_layers(v, err);
    if (status == EW_OK && v->parts.count) {
        qsort(v->parts.items, v->parts.count, sizeof *v->parts.items, compare_parts);
    }
    return status;
}

void ew_validation_fini(struct ew_validation *v)
{
    for (int e = 0; e < EW_VALIDATE_COUNT; e++) {
        ew_result_free(v->results[e]);
        ew_spans_fini(&v->spans[e]);
    }
    ew_vec_fini(&v->parts);
}

/* --- figures --------------------------------------------------------------------------------- */

double ew_validation_latency_error(const struct ew_validation *v, enum ew_validation_engine e)
{
    if (v->error) {
        return NAN;
    }
    return v->results[e]->service.latency.mean_s /
               v->results[EW_VALIDATE_SIMGRID]->service.latency.mean_s -
           1;
}

double ew_validation_energy_error(const struct ew_validation *v, enum ew_validation_engine e)
{
    if (v->error || !v->results[EW_VALIDATE_SIMGRID]->has_energy) {
        return NAN;
    }
    return v->results[e]->energy_j / v->results[EW_VALIDATE_SIMGRID]->energy_j - 1;
}

bool ew_validation_is_good(const struct ew_validation *v)
{
    return !v->error && v->answers.n > 0 && v->answers.n_out_of_range == 0 && v->n_unmatched == 0;
}
