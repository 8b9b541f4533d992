/*
 * Calibration of compute time: measured seconds of whole networks, of single layers, or of some
 * rows of them -> a profile of kind `additive`, with its errors on what was left out of the fit.
 */
#ifndef EW_CALIBRATE_COMPUTE_H
#define EW_CALIBRATE_COMPUTE_H

#include "base/arena.h"
#include "base/text.h"
#include "calibrate/fit.h"
#include "model/graph.h"
#include "model/layer_work.h"

/** What time is made of; the columns of the fit. */
enum ew_compute_column {
    EW_COMPUTE_CLASS_FIRST,             /**< one per enum ew_rate_class, FLOPs */
    EW_COMPUTE_WEIGHTS = EW_RATE_COUNT, /**< bytes */
    EW_COMPUTE_ACTIVATIONS,
    EW_COMPUTE_PATCHES,
    EW_COMPUTE_LAYERS,
    EW_COMPUTE_COLUMNS
};

/** Where data come from; borrowed. */
struct ew_compute_source {
    const char *data_path;
    const char *layers_path; /**< layer lists of networks (CSV) that are no graphs; NULL: none */
    const char *device;      /**< rows of this device only; NULL: there is only one */
    /** Path of the graph of that name in `arena`, NULL when there is none. */
    const char *(*find_graph)(void *ctx, const char *name, struct ew_arena *arena);
    void (*warn)(void *ctx, const char *message);
    void *ctx;
};

/** One usable row. */
struct ew_compute_row {
    size_t line;
    const char *model;
    const char *layer; /**< NULL: the whole network */
    double n_rows;     /**< of the layer's output; 0: all */
    double measured_s;
    size_t group; /**< rows of one network are left out together */
};

struct ew_compute_data {
    struct ew_arena arena;
    const char *path;
    size_t n_rows;
    struct ew_compute_row *rows;
    size_t n_flagged; /**< rows left out with a warning */
    size_t n_groups;
    bool has_layers; /**< some row is a single layer: all classes have columns of their own */
    bool has_parts;  /**< some row is a part of a layer's rows */
    struct ew_layer_work *work; /**< of all rows, [first_work[i], first_work[i + 1]) */
    size_t *first_work;
    double range_macs[2];
    double weight_s_per_byte; /**< known, not fitted; 0: fitted */
};

/** Read and check. A row that cannot be used (unknown network or layer) gives a warning; one that
 * is no measurement (negative, NaN, no number) is EW_EINPUT with its line. Free with _fini. */
enum ew_status ew_compute_data_load(struct ew_compute_data *out,
                                    const struct ew_compute_source *source, struct ew_error *err);
void ew_compute_data_fini(struct ew_compute_data *data);

/** A fit and what it says about rows it has not seen. Arrays are per row. */
struct ew_compute_fit {
    double x[EW_COMPUTE_COLUMNS]; /**< seconds per FLOP, byte, layer */
    int32_t row_granularity;
    const char *model; /**< which of the candidate models */
    double *in_sample; /**< predicted / measured - 1 */
    double *left_out;  /**< the same, with the row's group left out; NULL with one group */
    double in_sample_error, left_out_error; /**< means of absolute values; NAN */
    double coverage; /**< share of left-out rows inside the 80 % bar of the others; NAN */
    struct ew_fit_rank rank;
    double x_error[EW_COMPUTE_COLUMNS]; /**< standard errors of x; 0: unknown */
    bool is_used[EW_COMPUTE_COLUMNS];
    bool is_pooled; /**< one rate for all classes: the rows do not tell them apart */
};

/** Fit. EW_EINPUT when the data cannot carry one: fewer than two rows, or all equal. */
enum ew_status ew_compute_fit(struct ew_compute_fit *out, const struct ew_compute_data *data,
                              const struct ew_lapack *lapack, struct ew_error *err);
void ew_compute_fit_fini(struct ew_compute_fit *fit);

/** Amounts of one row: columns, with rows rounded up. */
void ew_compute_amounts(double amounts[EW_COMPUTE_COLUMNS], const struct ew_compute_data *data,
                        size_t row, int32_t granularity);

/** Name of a column with unit of its figure, for reports. */
const char *ew_compute_column_name(size_t column);

/** Texts of a profile. */
struct ew_compute_labels {
    const char *name, *source, *confidence;
};

/** The profile as JSON, and the report as a table. */
void ew_compute_put_profile(struct ew_str *out, const struct ew_compute_data *data,
                            const struct ew_compute_fit *fit,
                            const struct ew_compute_labels *labels);
void ew_compute_put_report(struct ew_str *out, const struct ew_compute_data *data,
                           const struct ew_compute_fit *fit);
/** Residuals as CSV: model, layer, rows, measured_s, predicted_s, left_out_s. */
void ew_compute_put_csv(struct ew_str *out, const struct ew_compute_data *data,
                        const struct ew_compute_fit *fit);

#endif
