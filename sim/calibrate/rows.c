#include "calibrate/rows.h"

#include <string.h>

#include "base/text.h"

bool ew_rows_device_column(size_t *out, const struct ew_csv_table *table)
{
    return ew_csv_table_find(out, table, "key") || ew_csv_table_find(out, table, "device");
}

enum ew_status ew_rows_unit_column(bool *is_found, size_t *column, double *unit,
                                   const struct ew_csv_table *table, const char *what,
                                   const struct ew_rows_unit *units, size_t n, struct ew_error *err)
{
    const char *found = NULL;
    *is_found = false;
    for (size_t i = 0; i < n; i++) {
        size_t here = 0;
        if (!ew_csv_table_find(&here, table, units[i].column)) {
            continue;
        }
        if (found) {
            return ew_fail(err, EW_EINPUT,
                           "%s: expected one column of %s, found '%s' and '%s': take out the one "
                           "that is not meant",
                           table->path, what, found, units[i].column);
        }
        found = units[i].column;
        *column = here;
        *unit = units[i].unit;
    }
    *is_found = found != NULL;
    return EW_OK;
}

enum ew_status ew_rows_check_device(const struct ew_csv_table *table, const char *device,
                                    struct ew_error *err)
{
    struct ew_str found = {0};
    size_t n = 0, column = 0;
    const bool has_column = ew_rows_device_column(&column, table);
    for (size_t i = 0; has_column && i < table->n_rows; i++) {
        const char *here = table->rows[i].cells[column];
        bool is_new = true;
        for (size_t j = i; is_new && j > 0; j--) { /* rows of one device mostly stand together */
            is_new = strcmp(here, table->rows[j - 1].cells[column]) != 0;
        }
        if (is_new) {
            ew_str_printf(&found, "%s%.60s", n++ ? ", " : "", here);
        }
        if (device && strcmp(here, device) == 0) {
            ew_str_fini(&found);
            return EW_OK;
        }
    }
    enum ew_status status = EW_OK;
    if (device) {
        status = ew_fail(err, EW_EINPUT, "%s: no rows of device '%.60s'; there are: %.600s",
                         table->path, device, n ? ew_str_text(&found) : "no devices");
    } else if (n > 1) {
        status =
            ew_fail(err, EW_EINPUT, "%s: rows of %zu devices; choose one with --device: %.600s",
                    table->path, n, ew_str_text(&found));
    }
    ew_str_fini(&found);
    return status;
}
