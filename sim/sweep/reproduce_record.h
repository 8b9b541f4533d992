/*
 * Record: what reproductions keep of a run, as a flat list of named numbers. The text form goes
 * through pipes and into the cache; it reads back to exactly the same numbers, and holds no
 * wall-clock time, so a kept record equals a fresh one.
 *
 * Names (of one request unless said otherwise; missing when unknown):
 *     latency_s, latency_p99_s, throughput_per_s, images_per_s, energy_j, dynamic_energy_j,
 *     accuracy (ratio), accuracy_when_met (0 when a requirement is not met),
 *     requirements_met (0 or 1), predicted_latency_s, devices_used,
 *     exit (1 is the first; 0 when requests left at several), redundant_macs_ratio,
 *     max_device_busy_s, max_device_link_s (of the busiest device; the longer of both directions),
 *     device.NAME.rows_share, device.NAME.busy_s, device.NAME.dynamic_energy_j,
 *     note.KEY (a note of the first plan that begins with a number)
 */
#ifndef EW_SWEEP_REPRODUCE_RECORD_H
#define EW_SWEEP_REPRODUCE_RECORD_H

#include "base/arena.h"
#include "base/text.h"
#include "results/result.h"
#include "sweep/setup.h"

struct ew_repro_number {
    const char *name;
    double value;
};

/** One run, or why there is none. Zero-initialise. */
struct ew_repro_record {
    struct ew_arena arena;
    const char *error; /**< NULL: it ran */
    uint32_t n;
    struct ew_repro_number *numbers; /**< by name */
};

/** Text form of a result of a setup with one workload. */
void ew_repro_record_print(struct ew_str *out, const struct ew_setup *setup,
                           const struct ew_result *result);
/** Text form of a failure. */
void ew_repro_record_print_error(struct ew_str *out, const char *message);

/** Read the text form. EW_EINPUT when it is not one. */
enum ew_status ew_repro_record_parse(struct ew_repro_record *out, const char *text, size_t size,
                                     struct ew_error *err);

/** A number by name; NAN when there is none. */
double ew_repro_record_get(const struct ew_repro_record *record, const char *name);

void ew_repro_record_fini(struct ew_repro_record *record);

#endif
