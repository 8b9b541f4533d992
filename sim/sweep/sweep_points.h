/*
 * The points of a sweep: every combination of its axes' values, less those left out, as scenario
 * texts. A point is named by its number among all combinations ("raw"), so that processes need only
 * pass numbers around.
 *
 * The scenario text is canonical: plain keys sorted, then parameters and overrides in the order
 * given (later ones win there), so that equal problems have equal texts however a sweep file is
 * arranged.
 */
#ifndef EW_SWEEP_SWEEP_POINTS_H
#define EW_SWEEP_SWEEP_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "model/sweep_spec.h"

/** A member of every point's scenario. */
struct ew_sweep_member {
    const struct ew_sweep_key *key;
    const char *value; /**< NULL: varied */
    uint32_t varied;   /**< index of the varied key */
};

/** Zero-initialise; free with ew_sweep_points_fini. */
struct ew_sweep_points {
    const struct ew_sweep_spec *spec; /**< borrowed */
    uint64_t n_raw;
    uint32_t n_workloads; /**< of the scenario's list; 0: there is none */
    uint32_t n_members;
    struct ew_sweep_member *members;
};

/** Which parts of a scenario a hash covers. */
enum ew_sweep_part {
    EW_SWEEP_PART_PLATFORM, /**< what SimGrid loads: platform, overrides, network model */
    EW_SWEEP_PART_PROBLEM,  /**< what strategies are asked */
    EW_SWEEP_PART_QUESTION, /**< the same without the seed: for strategies that do not draw */
    EW_SWEEP_PART_FILES,    /**< what may name a file or a strategy */
    EW_SWEEP_PART_ALL,
};

enum ew_status ew_sweep_points_init(struct ew_sweep_points *out, const struct ew_sweep_spec *spec,
                                    struct ew_error *err);
void ew_sweep_points_fini(struct ew_sweep_points *points);

/** False when an exclusion leaves it out. */
bool ew_sweep_points_has(const struct ew_sweep_points *points, uint64_t raw);

/** Append the scenario (schema edgeweave.scenario/1). */
void ew_sweep_points_scenario(struct ew_str *out, const struct ew_sweep_points *points,
                              uint64_t raw);

/** Append {"name": value, …} of the varied keys, on one line where values are plain. */
void ew_sweep_points_values(struct ew_str *out, const struct ew_sweep_points *points, uint64_t raw);

/** Hash of a part of the scenario, beginning with `hash`. */
uint64_t ew_sweep_points_hash(const struct ew_sweep_points *points, uint64_t raw,
                              enum ew_sweep_part part, uint64_t hash);

/** How many combinations share a platform, about. */
uint64_t ew_sweep_points_per_platform(const struct ew_sweep_points *points);

/** True when the scenario has the plain key, varied or not. */
bool ew_sweep_points_has_key(const struct ew_sweep_points *points, const char *key);

/** True when the point's engine is SimGrid (the default). */
bool ew_sweep_points_is_simgrid(const struct ew_sweep_points *points, uint64_t raw);

#endif
