/*
 * Where time and energy of runs went, as one CSV: by device, layer, power state or request.
 */
#ifndef EW_RESULTS_BREAKDOWN_H
#define EW_RESULTS_BREAKDOWN_H

#include "base/text.h"
#include "results/result.h"

enum ew_breakdown {
    EW_BREAKDOWN_DEVICE,
    EW_BREAKDOWN_LAYER,
    EW_BREAKDOWN_STATE,
    EW_BREAKDOWN_REQUEST
};

/** EW_EUSAGE with the nearest word. */
enum ew_status ew_breakdown_parse(enum ew_breakdown *out, const char *word, struct ew_error *err);

/** Columns strategy, name, part, time_s, energy_j; a figure that does not exist is empty. Parts of
 * one strategy add up to its energy, save by layer, where idle energy belongs to nobody. */
void ew_breakdown_print(struct ew_str *out, enum ew_breakdown by,
                        const struct ew_result *const *results, uint32_t n);

#endif
