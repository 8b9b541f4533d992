/*
 * Reproductions as JSON files (schema edgeweave.reproduction/1; docs/inputs-reproduction.md has
 * every key): the figures of a paper as matrices of cases and series, the scenario behind every
 * cell, the values that the paper publishes, and what should hold between them.
 *
 * A cell's scenario is layered: base, figure, one item of every axis, series; later layers win.
 */
#ifndef EW_IO_REPRODUCTION_JSON_H
#define EW_IO_REPRODUCTION_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum ew_published_kind {
    EW_PUBLISHED_NONE,
    EW_PUBLISHED_VALUE,
    EW_PUBLISHED_BELOW, /**< less than `value` */
    EW_PUBLISHED_BAND,  /**< from `value` to `high` */
};

/** What the paper says about one cell. */
struct ew_published {
    enum ew_published_kind kind;
    double value;
    double high;
};

/** How a figure's values follow from the metric. `subject` is the series compared with the others,
 *  which are then the rows. */
enum ew_derivation {
    EW_DERIVE_NONE,
    EW_DERIVE_SAVING_PCT, /**< 100 (1 - subject / other) */
    EW_DERIVE_GAIN_PCT,   /**< 100 (subject / other - 1) */
    EW_DERIVE_DIFFERENCE, /**< subject - other */
};

enum ew_repro_check_kind {
    EW_CHECK_ORDER,       /**< every series of a group is >= factor * every one of later groups */
    EW_CHECK_AT_MOST,     /**< value */
    EW_CHECK_AT_LEAST,    /**< value */
    EW_CHECK_RATIO_ORDER, /**< cases are ordered by first / second series as in the paper */
    EW_CHECK_RISING,      /**< along the cases of a group */
    EW_CHECK_FALLING,
    EW_CHECK_PEAK,     /**< the case at x has the largest value of its group */
    EW_CHECK_MET,      /**< every requirement of the scenario is met */
    EW_CHECK_FEASIBLE, /**< where any series meets every requirement, these do */
};

/** One thing that should hold. */
struct ew_repro_check {
    enum ew_repro_check_kind kind;
    const char *text;
    const char *metric; /**< NULL: the figure's values */
    uint32_t n_series;
    const uint32_t *series; /**< indices, group after group */
    const uint32_t *group;  /**< of each of them */
    const bool *has_case;   /**< per case: is it looked at */
    double factor;
    double slack_ratio; /**< how much a comparison may fail by */
    double value;
    double x;
};

struct ew_repro_case {
    const char *id;    /**< ids of its axis items, joined by '/' */
    const char *group; /**< the same without the last one; "" for a single axis */
    double x;          /**< NAN when no item says */
};

/** One figure or table of a paper. */
struct ew_repro_figure {
    const char *id;
    const char *title;
    const char *source; /**< where in the paper */
    const char *mark;   /**< how the published values are known */
    const char *metric; /**< name of a figure of a run, see sweep/reproduce_record.h */
    const char *unit;
    const char *x_label;
    const char *note; /**< "" for none */
    const char *plot; /**< "bars", "lines" or "none" */
    double scale;     /**< value = scale * metric */
    double tolerance_ratio;
    bool trend_across_cases; /**< else across the series of a case */
    bool is_logarithmic;     /**< x of the plot */
    enum ew_derivation derivation;
    uint32_t subject;
    bool is_mean;          /**< one row per series: the mean over the cases */
    bool is_feasible_only; /**< mean over cases whose requirements somebody meets */
    bool is_pairwise; /**< for each other series, means over the cases that it and the subject serve
                         as asked */
    const char *mean_series; /**< name of one more series, the mean of all but the subject; NULL */
    uint32_t n_cases;
    const struct ew_repro_case *cases;
    uint32_t n_series;
    const char *const *series;
    const char *const *scenarios;         /**< per case, per series */
    uint32_t n_rows;                      /**< cases shown: n_cases, or 1 for a mean */
    uint32_t n_shown;                     /**< series shown: n_series, and the mean's */
    const struct ew_published *published; /**< per row, per shown series */
    uint32_t n_checks;
    const struct ew_repro_check *checks;
};

/** "so many of these series lie within the tolerance" */
struct ew_repro_share {
    const char *text;
    uint32_t n_figures;
    const char *const *figures;
    uint32_t n_series;
    const char *const *series;
    double within_ratio;
    double at_least_ratio;
};

struct ew_reproduction {
    struct ew_arena arena;
    const char *paper; /**< short name */
    const char *title;
    uint32_t n_settings;
    const char *const *settings; /**< stated before the results */
    uint32_t n_figures;
    const struct ew_repro_figure *figures;
    uint32_t n_shares;
    const struct ew_repro_share *shares;
};

/** Load; `is_quick` takes the small version of everything. EW_EINPUT with file and JSON pointer.
 *  Free with ew_reproduction_fini. */
enum ew_status ew_reproduction_load_json(struct ew_reproduction *out, const char *path,
                                         bool is_quick, struct ew_error *err);

/** As above from memory; `path` is for messages. */
enum ew_status ew_reproduction_parse_json(struct ew_reproduction *out, const char *text,
                                          size_t size, const char *path, bool is_quick,
                                          struct ew_error *err);

/** Accepts a zeroed one. */
void ew_reproduction_fini(struct ew_reproduction *reproduction);

#endif
