#include "coedge/coedge_cost.h"

#include <stddef.h>
#include <string.h>

#include "common/share.h"

/* A message of `bytes` from one device to another; its energy goes to the receiver, or to both. */
static void add_transfer(struct coedge_cost *cost, const struct coedge_problem *problem,
                         uint32_t from, uint32_t to, bool has_message, double bytes)
{
    size_t pair = (size_t)from * problem->n_devices + to;
    double seconds = (has_message ? problem->message_s[pair] : 0.0) +
                     (bytes > 0.0 ? bytes * problem->byte_s[pair] : 0.0);
    double watts =
        problem->devices[to].rx_w + (problem->both_pay ? problem->devices[from].tx_w : 0.0);
    cost->s += seconds;
    cost->j += seconds * watts;
}

struct coedge_cost coedge_share_cost(const struct coedge_problem *problem, uint32_t layer,
                                     uint32_t device)
{
    const struct coedge_layer *step = &problem->layers[layer];
    struct coedge_cost cost = {0.0, 0.0};
    if (step->is_whole) {
        if (device != problem->target) {
            add_transfer(&cost, problem, device, problem->target, false, step->gather_bytes);
        }
        return cost;
    }
    cost.s = problem->compute_s[(size_t)layer * problem->n_devices + device];
    cost.j = cost.s * problem->devices[device].compute_w;
    if (layer == problem->scatter_layer && device != 0) {
        add_transfer(&cost, problem, 0, device, false, problem->scatter_bytes);
    }
    return cost;
}

/* Rows of the layer's input that a device owns. */
static int32_t owned_rows(const struct coedge_problem *problem, const int32_t *cuts, uint32_t layer,
                          uint32_t device)
{
    int32_t extent = problem->layers[layer].rows;
    return kit_map_cut(cuts[device + 1], problem->rows, extent) -
           kit_map_cut(cuts[device], problem->rows, extent);
}

/* Pull `rows` halo rows of `bytes` from the devices on one side (step -1 or +1), the nearest owner
 * first. */
static void add_halo(struct coedge_cost *cost, const struct coedge_problem *problem,
                     const bool *is_active, const int32_t *cuts, uint32_t layer, uint32_t device,
                     int step, int32_t rows, double bytes)
{
    double row_bytes = rows > 0 ? bytes / rows : 0.0;
    int64_t owner = (int64_t)device + step;
    for (; rows > 0 && owner >= 0 && owner < (int64_t)problem->n_devices; owner += step) {
        if (!is_active[owner]) {
            continue;
        }
        int32_t owned = cuts ? owned_rows(problem, cuts, layer, (uint32_t)owner) : rows;
        int32_t taken = owned < rows ? owned : rows;
        if (taken > 0) {
            add_transfer(cost, problem, (uint32_t)owner, device, true, taken * row_bytes);
            rows -= taken;
        }
    }
}

struct coedge_cost coedge_fixed_cost(const struct coedge_problem *problem, const bool *is_active,
                                     const int32_t *cuts, uint32_t layer, uint32_t device)
{
    const struct coedge_layer *step = &problem->layers[layer];
    struct coedge_cost cost = {0.0, 0.0};
    if (step->is_whole) {
        if (device != problem->target && step->gather_bytes > 0.0) {
            add_transfer(&cost, problem, device, problem->target, true, 0.0);
        }
        return cost;
    }
    if (problem->start_s) {
        cost.s = problem->start_s[(size_t)layer * problem->n_devices + device];
        cost.j = cost.s * problem->devices[device].compute_w;
    }
    if (layer == problem->scatter_layer && device != 0) {
        add_transfer(&cost, problem, 0, device, true, 0.0);
    }
    if (step->broadcast_bytes > 0.0 && device != problem->target) {
        add_transfer(&cost, problem, problem->target, device, true, step->broadcast_bytes);
    }
    if (cuts && owned_rows(problem, cuts, layer, device) == 0) {
        return cost;
    }
    add_halo(&cost, problem, is_active, cuts, layer, device, -1, step->halo_above,
             step->halo_above_bytes);
    add_halo(&cost, problem, is_active, cuts, layer, device, +1, step->halo_below,
             step->halo_below_bytes);
    return cost;
}

struct coedge_cost coedge_constant_cost(const struct coedge_problem *problem)
{
    struct coedge_cost cost = {problem->tail_s, problem->tail_j};
    for (uint32_t l = 0; l < problem->n_layers; l++) {
        if (problem->layers[l].is_whole) {
            double seconds = problem->compute_s[(size_t)l * problem->n_devices + problem->target];
            cost.s += seconds;
            cost.j += seconds * problem->devices[problem->target].compute_w;
        }
    }
    return cost;
}

double coedge_idle_w(const struct coedge_problem *problem)
{
    double watts = 0.0;
    for (uint32_t i = 0; i < problem->n_devices; i++) {
        watts += problem->devices[i].idle_w;
    }
    return watts;
}

/* One layer of the split: its duration; adds energy, counts the slowest. */
static double run_step(const struct coedge_problem *problem, const int32_t *rows,
                       struct coedge_scratch *scratch, uint32_t layer, double *energy_j)
{
    double longest_s = 0.0;
    uint32_t slowest = 0;
    for (uint32_t i = 0; i < problem->n_devices; i++) {
        if (!scratch->is_active[i]) {
            continue;
        }
        double share = (double)rows[i] / problem->rows;
        struct coedge_cost part = coedge_share_cost(problem, layer, i);
        struct coedge_cost fixed =
            coedge_fixed_cost(problem, scratch->is_active, scratch->cuts, layer, i);
        double seconds = share * part.s + fixed.s;
        *energy_j += share * part.j + fixed.j;
        scratch->slack_s[i] -= seconds;
        if (seconds > longest_s) {
            longest_s = seconds;
            slowest = i;
        }
    }
    if (longest_s > 0.0) {
        scratch->n_slowest[slowest]++;
    }
    for (uint32_t i = 0; i < problem->n_devices; i++) {
        scratch->slack_s[i] += scratch->is_active[i] ? longest_s : 0.0;
    }
    return longest_s;
}

struct coedge_cost coedge_evaluate(const struct coedge_problem *problem, const int32_t *rows,
                                   struct coedge_scratch *scratch)
{
    struct coedge_cost total = coedge_constant_cost(problem);
    for (uint32_t i = 0; i < problem->n_devices; i++) {
        scratch->is_active[i] = rows[i] > 0;
        scratch->slack_s[i] = 0.0;
        scratch->n_slowest[i] = 0;
    }
    kit_cuts_from_counts(scratch->cuts, rows, problem->n_devices);
    for (uint32_t l = 0; l < problem->n_layers; l++) {
        scratch->step_s[l] = run_step(problem, rows, scratch, l, &total.j);
        total.s += scratch->step_s[l];
    }
    total.j += coedge_idle_w(problem) * total.s;
    return total;
}
