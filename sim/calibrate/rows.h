/*
 * What all calibrations read alike: which rows of a file are of the device that is meant.
 */
#ifndef EW_CALIBRATE_ROWS_H
#define EW_CALIBRATE_ROWS_H

#include "io/csv_table.h"

/** Column `key`, or else `device`; false when the file has neither. */
bool ew_rows_device_column(size_t *out, const struct ew_csv_table *table);

/** A column that gives a quantity in that unit of it. */
struct ew_rows_unit {
    const char *column;
    double unit;
};

/** Which of these columns the file has: EW_EINPUT when it has two, for either might be meant;
 *  false in `is_found` when it has none. `what` names the quantity in messages. */
enum ew_status ew_rows_unit_column(bool *is_found, size_t *column, double *unit,
                                   const struct ew_csv_table *table, const char *what,
                                   const struct ew_rows_unit *units, size_t n,
                                   struct ew_error *err);

/** Fails when the device has no rows, or none is named and the file has several. */
enum ew_status ew_rows_check_device(const struct ew_csv_table *table, const char *device,
                                    struct ew_error *err);

#endif
