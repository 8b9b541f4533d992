/*
 * The checks of a figure, for io/reproduction_json.c only.
 */
#ifndef EW_IO_REPRODUCTION_CHECK_JSON_H
#define EW_IO_REPRODUCTION_CHECK_JSON_H

#include "io/json_read.h"
#include "io/reproduction_json.h"

/** Index of a series of the figure; n_series for the mean's. EW_EINPUT with the nearest name. */
enum ew_status ew_repro_find_series(uint32_t *out, const struct ew_repro_figure *figure,
                                    const struct ew_json_value *at, const char *name,
                                    struct ew_error *err);

/** Read "checks"; cases and series must be there already. */
enum ew_status ew_repro_read_checks(struct ew_repro_figure *figure, struct ew_arena *arena,
                                    const struct ew_json_value *object, struct ew_error *err);

#endif
