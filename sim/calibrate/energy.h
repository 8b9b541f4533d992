/*
 * Calibration of power: rows of watts in a known state, samples of a power log with markers, or
 * joules per inference -> idle, epsilon, computing and radio power, per DVFS state.
 *
 * Every row is a sum: watts = idle + (share computing) * busy + (epsilon?) * epsilon + tx + rx, or
 * the same times seconds for joules. That makes one fit of non-negative figures of all of them, and
 * says which figure each row speaks about.
 */
#ifndef EW_CALIBRATE_ENERGY_H
#define EW_CALIBRATE_ENERGY_H

#include "base/arena.h"
#include "base/text.h"
#include "calibrate/fit.h"

/** Figures in watts; all but idle are above idle. */
enum ew_watts_column {
    EW_WATTS_IDLE,
    EW_WATTS_EPSILON, /**< awake, but hardly computing */
    EW_WATTS_BUSY,    /**< all cores computing */
    EW_WATTS_TX,
    EW_WATTS_RX,
    EW_WATTS_COLUMNS
};

struct ew_energy_row {
    size_t line;
    const char *label; /**< state or network, as in the file */
    const char *dvfs;  /**< DVFS state, "" when the file has none */
    double measured;   /**< W or J */
    double amounts[EW_WATTS_COLUMNS];
    double weight;
};

struct ew_energy_data {
    struct ew_arena arena;
    const char *path;
    size_t n_rows;
    struct ew_energy_row *rows;
    size_t n_dvfs;
    const char **dvfs; /**< in the order of the file */
};

/** Read and check rows of one device. Columns: `w` or `mw` with `state` or `load`, optionally
 *  `time_s` (a log: each sample counts until the next one); or `j`, `latency_s` or `latency_ms`,
 *  optionally `j_net_of_idle`, `model`. `dvfs` or `freq_mhz` tells DVFS states apart. EW_EINPUT
 * with the line. Free with _fini. */
enum ew_status ew_energy_data_load(struct ew_energy_data *out, const char *path, const char *device,
                                   struct ew_error *err);
void ew_energy_data_fini(struct ew_energy_data *data);

/** The fit of one DVFS state. */
struct ew_energy_fit {
    double x[EW_WATTS_COLUMNS];
    double x_error[EW_WATTS_COLUMNS];
    struct ew_fit_rank rank;
    size_t n_rows;
    size_t n_rows_of[EW_WATTS_COLUMNS]; /**< how many rows speak about each figure */
    double in_sample_error;             /**< mean |predicted/measured - 1| */
};

/** Fit the rows of a DVFS state. EW_EINPUT when no row has it. */
enum ew_status ew_energy_fit(struct ew_energy_fit *out, const struct ew_energy_data *data,
                             const char *dvfs, const struct ew_lapack *lapack,
                             struct ew_error *err);

/** How many rows of a DVFS state the fit misses by more than `ratio`; *worst: index of the one it
 *  misses most. Such rows contradict each other, as when computing draws less than idle. */
size_t ew_energy_count_misfits(size_t *worst, const struct ew_energy_data *data,
                               const struct ew_energy_fit *fit, const char *dvfs, double ratio);

/** Watts of a column, "" when it is determined, else why not. */
const char *ew_energy_verdict(const struct ew_energy_fit *fit, size_t column);
const char *ew_energy_column_name(size_t column);

/** Report as a table; properties of a `<host>` ready to paste, for one DVFS state. */
void ew_energy_put_report(struct ew_str *out, const struct ew_energy_data *data,
                          const struct ew_energy_fit *fits);
void ew_energy_put_props(struct ew_str *out, const struct ew_energy_data *data,
                         const struct ew_energy_fit *fits);

#endif
