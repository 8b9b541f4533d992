/*
 * Sweep specification: a base scenario, axes that vary it, and combinations to leave out. Plain
 * data; filled by io/sweep_json.h, enumerated by sweep/sweep_points.h. Values are kept as JSON
 * texts, since only the scenario's reader knows what they mean.
 */
#ifndef EW_MODEL_SWEEP_SPEC_H
#define EW_MODEL_SWEEP_SPEC_H

#include <stdint.h>

#include "base/arena.h"

enum { EW_SWEEP_MAX_AXES = 64, EW_SWEEP_MAX_KEYS = 256 };

/** Most combinations of one sweep. */
#define EW_SWEEP_MAX_POINTS UINT64_C(100000000)

/** Where a key stands in a scenario. */
enum ew_sweep_place { EW_SWEEP_PLAIN, EW_SWEEP_WORKLOAD, EW_SWEEP_PARAM, EW_SWEEP_SET };

/** One key of the scenario: "graph", "workload.cam.arrival", "param.alpha", "link.w.latency_s". */
struct ew_sweep_key {
    enum ew_sweep_place place;
    uint32_t workload;  /**< EW_SWEEP_WORKLOAD: of which one; else 0 */
    const char *member; /**< without "workload.NAME.", "param." and "set." */
    const char *name;   /**< of the column in the results */
};

/** A key and its JSON value. */
struct ew_sweep_leaf {
    struct ew_sweep_key key;
    const char *value;
};

/** Keys that vary together. */
struct ew_sweep_axis {
    uint32_t first_key; /**< among all varied keys */
    uint32_t n_keys;
    uint32_t n_values;
    const char **values; /**< [n_values][n_keys], JSON */
};

/** Leave out a combination in which every varied key named here has one of its values. */
struct ew_sweep_match {
    uint32_t key;
    uint32_t n_values;
    const char **values;
};
struct ew_sweep_rule {
    uint32_t n_matches;
    struct ew_sweep_match *matches;
};

struct ew_sweep_spec {
    struct ew_arena arena;
    const char *path;          /**< of the sweep file */
    const char *scenario_path; /**< files that values name are relative to it */
    const char *description;   /**< "" when there is none */
    uint32_t n_base;
    struct ew_sweep_leaf *base;
    uint32_t n_workloads;
    const char **workloads; /**< names of the base's; "" without one */
    uint32_t n_keys;
    struct ew_sweep_key *keys; /**< varied ones, in axis order */
    uint32_t n_axes;
    struct ew_sweep_axis *axes; /**< the last one varies fastest */
    uint32_t n_rules;
    struct ew_sweep_rule *rules;
    double time_limit_s; /**< per point; INFINITY: none */
};

#endif
