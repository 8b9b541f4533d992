/*
 * What all calibrations read alike: which rows of a file are of the device that is meant.
 */
#ifndef EW_CALIBRATE_ROWS_H
#define EW_CALIBRATE_ROWS_H

#include "io/csv_table.h"

/** Column `key`, or else `device`; false when the file has neither. */
bool ew_rows_device_column(size_t *out, const struct ew_csv_table *table);

/** Fails when the device has no rows, or none is named and the file has several. */
enum ew_status ew_rows_check_device(const struct ew_csv_table *table, const char *device,
                                    struct ew_error *err);

#endif
