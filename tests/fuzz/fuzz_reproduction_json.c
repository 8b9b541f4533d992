/*
 * Fuzz target: reproduction files, in full and quick. Whatever parses is whole: every cell has a
 * scenario, and every index points somewhere.
 */
#include <stdlib.h>

#include "io/reproduction_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

static void check_figure(const struct ew_repro_figure *f)
{
    require(f->n_series >= 1 && f->n_shown >= f->n_series && f->n_shown <= f->n_series + 1);
    require(f->subject < f->n_series);
    require(f->n_rows == f->n_cases || (f->is_mean && f->n_rows <= 1));
    for (size_t i = 0; i < (size_t)f->n_cases * f->n_series; i++) {
        require(f->scenarios[i] != NULL);
    }
    for (size_t i = 0; i < (size_t)f->n_rows * f->n_shown; i++) {
        require(f->published[i].kind <= EW_PUBLISHED_BAND);
    }
    for (uint32_t k = 0; k < f->n_checks; k++) {
        const struct ew_repro_check *check = &f->checks[k];
        require(check->n_series >= 1 && check->has_case != NULL);
        for (uint32_t i = 0; i < check->n_series; i++) {
            require(check->series[i] < f->n_shown);
            require(i == 0 || check->group[i] >= check->group[i - 1]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int is_quick = 0; is_quick < 2; is_quick++) {
        struct ew_reproduction r;
        struct ew_error err = {0};
        const enum ew_status status = ew_reproduction_parse_json(
            &r, (const char *)data, size, "dir/reproduction.json", is_quick, &err);
        if (status != EW_OK) {
            require(err.message[0] != '\0');
            continue;
        }
        for (uint32_t i = 0; i < r.n_figures; i++) {
            check_figure(&r.figures[i]);
        }
        ew_reproduction_fini(&r);
    }
    return 0;
}
