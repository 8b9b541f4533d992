#include "results/store_row.h"

#include <strings.h>

bool ew_store_has_column(const char *name)
{
#define X(name, type, put) #name,
    static const char *const names[] = {"point", "status", "error", "id",
                                        EW_STORE_RUN_COLUMNS(X) EW_STORE_DEVICE_COLUMNS(X)};
#undef X
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i], name) == 0) { /* as SQLite compares them */
            return true;
        }
    }
    return false;
}

static void put_device(struct ew_str *out, uint32_t device_id, const struct ew_device_result *d)
{
#define X(name, type, put) put;
    EW_STORE_DEVICE_COLUMNS(X)
#undef X
}

void ew_store_put_run(struct ew_str *out, const struct ew_store_labels *labels,
                      const struct ew_result *result)
{
    const struct ew_store_labels *l = labels;
    const struct ew_result *r = result;
#define X(name, type, put) put;
    EW_STORE_RUN_COLUMNS(X)
#undef X
    for (uint32_t i = 0; i < result->n_devices; i++) {
        put_device(out, i, &result->devices[i]);
    }
}

void ew_store_put_failure(struct ew_str *out, const char *kind, const char *message)
{
    ew_cell_put_text(out, kind);
    ew_cell_put_text(out, message);
}
