/*
 * Edgent's configuration map: the strategy (exit, partition point) with the greatest reward for
 * every bandwidth state, built before the run, and the runtime that looks it up.
 *
 * Li, Zeng, Zhou, Chen: "Edge AI: On-Demand Accelerating Deep Neural Network Inference via Edge
 * Computing", IEEE TWC 19(1), 2020, arXiv:1910.05316: Algorithms 2 and 3 (recalled, high). Knows no
 * host.
 */
#ifndef EDGEWEAVE_STRATEGIES_EDGENT_CONFIG_MAP_H
#define EDGEWEAVE_STRATEGIES_EDGENT_CONFIG_MAP_H

#include "edgent/edgent_model.h"
#include "edgent_dynamic/change_point.h"

/** Mean throughput of the 428 Oboe traces, Mbit/s (platforms/traces/oboe_means.csv). */
extern const double edgent_oboe_mbit_per_s[];
extern const uint32_t edgent_n_oboe;

/** exp(accuracy) + images per second, or 0 when the deadline is missed. */
double edgent_reward(double accuracy, double latency_s, double deadline_s);

/** One state and its best strategy. */
struct edgent_state {
    double bandwidth_bytes_per_s;
    struct edgent_choice choice;
    double reward;
};

/** The best strategy of a state: greatest reward, among equals the later; when none meets the
 *  deadline, the fastest. Accuracies per exit, in the order of the problem; wires of the problem
 *  are those of the state. */
struct edgent_state edgent_best_state(const struct edgent_problem *problem,
                                      const double *accuracies, double bandwidth_bytes_per_s);

/** The state nearest to a bandwidth, of n ascending ones. */
uint32_t edgent_nearest_state(const struct edgent_state *states, uint32_t n,
                              double bandwidth_bytes_per_s);

/** The runtime: which state holds, from bandwidth samples. */
struct edgent_detector {
    struct change_point change;
    bool has_begun;
    uint32_t state;
};

/** What a sample brings: the detector's state afterwards. States ascend. */
uint32_t edgent_detect(struct edgent_detector *detector, const struct edgent_state *states,
                       uint32_t n, double bandwidth_bytes_per_s);

#endif
