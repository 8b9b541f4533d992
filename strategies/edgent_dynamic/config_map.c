#include "edgent_dynamic/config_map.h"

#include <math.h>

/* Decisions of ours, since the paper does not say: one change a minute of samples, a prior around
 * the first sample that is worth one sample. */
static const double HAZARD_RATIO = 1.0 / 60;
static const double PRIOR_DEVIATION_RATIO = 0.25;

double edgent_reward(double accuracy, double latency_s, double deadline_s)
{
    return latency_s <= deadline_s ? exp(accuracy) + 1 / latency_s : 0;
}

struct edgent_state edgent_best_state(const struct edgent_problem *problem,
                                      const double *accuracies, double bandwidth_bytes_per_s)
{
    struct edgent_state best = {.bandwidth_bytes_per_s = bandwidth_bytes_per_s, .reward = -1};
    for (uint32_t e = 0; e < problem->n_exits; e++) {
        for (uint32_t p = 1; p <= problem->exits[e].n_layers + 1; p++) {
            const double latency_s = edgent_latency_s(problem, e, p);
            if (!isfinite(latency_s)) {
                continue;
            }
            const double reward = edgent_reward(accuracies[e], latency_s, problem->deadline_s);
            const bool is_better =
                reward > 0
                    ? reward >= best.reward
                    : !(best.reward > 0) && (best.reward < 0 || latency_s < best.choice.latency_s);
            if (is_better) {
                best.reward = reward;
                best.choice = (struct edgent_choice){
                    .exit = e, .p = p, .latency_s = latency_s, .meets_deadline = reward > 0};
            }
        }
    }
    return best;
}

uint32_t edgent_nearest_state(const struct edgent_state *states, uint32_t n,
                              double bandwidth_bytes_per_s)
{
    uint32_t low = 0, high = n - 1;
    while (low < high) { /* the first that is not below */
        const uint32_t middle = low + (high - low) / 2;
        if (states[middle].bandwidth_bytes_per_s < bandwidth_bytes_per_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool is_below_nearer =
        low > 0 && bandwidth_bytes_per_s - states[low - 1].bandwidth_bytes_per_s <
                       states[low].bandwidth_bytes_per_s - bandwidth_bytes_per_s;
    return is_below_nearer ? low - 1 : low;
}

uint32_t edgent_detect(struct edgent_detector *detector, const struct edgent_state *states,
                       uint32_t n, double bandwidth_bytes_per_s)
{
    struct change_point *change = &detector->change;
    if (!detector->has_begun) {
        const double deviation = PRIOR_DEVIATION_RATIO * fmax(bandwidth_bytes_per_s, 1);
        change_point_begin(change, HAZARD_RATIO,
                           (struct change_belief){.mu = bandwidth_bytes_per_s,
                                                  .kappa = 1,
                                                  .alpha = 1,
                                                  .beta = deviation * deviation});
        detector->has_begun = true;
    }
    change_point_observe(change, bandwidth_bytes_per_s);
    const double mean = change_point_mean(change);
    detector->state = edgent_nearest_state(states, n, isnan(mean) ? bandwidth_bytes_per_s : mean);
    return detector->state;
}
