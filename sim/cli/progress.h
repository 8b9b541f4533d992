/*
 * Progress bar on standard error, for commands that take longer than a second, on a terminal only.
 */
#ifndef EW_CLI_PROGRESS_H
#define EW_CLI_PROGRESS_H

#include "cli/cli.h"
#include "results/metrics.h"
#include "sweep/point.h"

/** State of the bar. */
struct ew_progress {
    bool is_on;
    bool is_shown;
    double begin_s;
    double drawn_s;
    uint32_t ticks;
    size_t point;
    size_t n_points;
    const char *label; /**< of the current point; borrowed */
    uint64_t done;     /**< requests of the current point */
    uint64_t total;
    char note[80];                  /**< last message of the strategy that is planning */
    struct ew_point_config *config; /**< watched; borrowed */
    /** What messages went to before. */
    void (*log)(void *ctx, const char *strategy, uint32_t level, const char *message);
    void *log_ctx;
};

/** Off when quiet or when standard error is no terminal. */
struct ew_progress ew_progress_begin(const struct ew_cli *cli, size_t n_points);

/** The next of n_points begins. */
void ew_progress_point(struct ew_progress *progress, size_t point, const char *label,
                       uint64_t n_requests);

/** From now on the bar moves while strategies plan, and shows what they report; until
 *  ew_progress_end. Their messages go on to where they went. Both are borrowed. */
void ew_progress_watch(struct ew_progress *progress, struct ew_point_config *config);

/** Counts requests; observe is NULL when the bar is off. */
struct ew_event_observer ew_progress_observer(struct ew_progress *progress);

/** Wipe the bar and stop watching. */
void ew_progress_end(struct ew_progress *progress);

#endif
