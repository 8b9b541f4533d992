/*
 * Traces of one quantity over time as CSV: a header `time_s,QUANTITY`, then one step per line,
 * times strictly ascending. Empty lines and everything behind a '#' do not count. QUANTITY carries
 * the unit: bandwidth_bytes_per_s, bandwidth_mbit_per_s, latency_s, latency_ms, speed_ratio or up.
 */
#ifndef EW_IO_SERIES_CSV_H
#define EW_IO_SERIES_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "model/dynamics.h"

/** A trace in SI units. Free with ew_series_fini. */
struct ew_series {
    enum ew_quantity quantity;
    uint32_t n_steps;
    double *times_s;
    double *values;
};

/** Load a trace for a link (is_link) or a device. EW_EINPUT with file and line. */
enum ew_status ew_series_load_csv(struct ew_series *out, bool is_link, const char *path,
                                  struct ew_error *err);

/** As above from `size` bytes of text. */
enum ew_status ew_series_parse_csv(struct ew_series *out, bool is_link, const char *text,
                                   size_t size, const char *path, struct ew_error *err);

void ew_series_fini(struct ew_series *series);

#endif
