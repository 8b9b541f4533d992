/*
 * From records to what a reproduction says: values, ratios, verdicts, checks.
 *
 * Verdicts, per row with a published value:
 *     pass     |ours / paper - 1| <= the figure's tolerance; for "<X": ours < X; for a band: inside
 *     trend    farther off, but ordered like the paper: compared with every other series of the
 *              same case (or every other case of the same series and group, as the figure says)
 *              whose published value differs by more than 10 %, ours lies on the same side; for a
 *              band: on the same side of zero
 *     differs  neither
 */
#ifndef EW_SWEEP_REPRODUCE_JUDGE_H
#define EW_SWEEP_REPRODUCE_JUDGE_H

#include "io/reproduction_json.h"
#include "sweep/reproduce_record.h"

enum ew_repro_verdict {
    EW_REPRO_NONE, /**< nothing published */
    EW_REPRO_PASS,
    EW_REPRO_TREND,
    EW_REPRO_DIFFERS,
    EW_REPRO_FAILED, /**< no value of ours */
};

extern const char *const ew_repro_verdict_names[5];

/** One row: a case (or the mean) and a shown series. */
struct ew_repro_row {
    double ours;  /**< NAN: none */
    double ratio; /**< ours / published value; NAN for bands and unpublished ones */
    enum ew_repro_verdict verdict;
    const char *error; /**< why there is no value; borrowed from the record */
};

struct ew_repro_check_result {
    uint32_t n_tested;
    uint32_t n_held;
    uint32_t n_exempt;    /**< where the paper's own values do not hold */
    const char *failures; /**< the first few, "" for none */
};

/** One figure, judged. */
struct ew_repro_figure_result {
    struct ew_arena arena;
    const struct ew_repro_figure *figure;
    uint32_t n_averaged;       /**< cases in a mean */
    struct ew_repro_row *rows; /**< per row case, per shown series */
    struct ew_repro_check_result *checks;
};

/** `records`: per case, per series; borrowed and to outlive the result. EW_ENOMEM. */
enum ew_status ew_repro_judge(struct ew_repro_figure_result *out,
                              const struct ew_repro_figure *figure,
                              const struct ew_repro_record *records, struct ew_error *err);
void ew_repro_figure_result_fini(struct ew_repro_figure_result *result);

/** Is the series a row? The subject of a derivation is not. */
bool ew_repro_is_row(const struct ew_repro_figure *figure, uint32_t shown);
/** Name of a shown series. */
const char *ew_repro_shown_name(const struct ew_repro_figure *figure, uint32_t shown);

#endif
