/*
 * Suppositions: what a run would have been on another platform. With the plan that it had, or
 * planned anew by the same strategy.
 */
#ifndef EW_SWEEP_SUPPOSE_H
#define EW_SWEEP_SUPPOSE_H

#include "sweep/override.h"
#include "sweep/point.h"

/** What all suppositions of one command share; borrowed. */
struct ew_suppose {
    const struct ew_point_config *config; /**< of the real run */
    const struct ew_scenario *scenario;
    struct ew_platform_source source;
    const struct ew_engine *engine;
};

/** Latency and energy of one; NAN where there are none, and then why. */
struct ew_supposed {
    double latency_mean_s;
    double energy_per_request_j;
    char why[256];
};

/** Run `point`'s plans (`makers` NULL), or what `makers` plan. What cannot serve is an answer, not
 *  a failure. */
enum ew_status ew_suppose_run(struct ew_supposed *out, const struct ew_suppose *suppose,
                              const struct ew_what_if *what_if, const struct ew_point *point,
                              const struct ew_contender *const *makers, struct ew_error *err);

/** The same on a platform where the link (or "*", all) has this bandwidth. Plans anew. */
enum ew_status ew_suppose_bandwidth(struct ew_supposed *out, const struct ew_suppose *suppose,
                                    const char *link, double bandwidth_bytes_per_s,
                                    const struct ew_contender *const *makers, struct ew_error *err);

/** A bandwidth at which the better of two strategies becomes the worse one. */
struct ew_crossing {
    double bandwidth_bytes_per_s;
    bool is_jump; /**< the difference changes its sign without passing zero: a plan changes there */
    bool first_wins; /**< above it the first one is better */
};

enum { EW_BREAK_EVEN_SAMPLES = 33, EW_BREAK_EVEN_MAX = EW_BREAK_EVEN_SAMPLES - 1 };

struct ew_break_even {
    double from_bytes_per_s;
    double to_bytes_per_s;
    uint32_t n_samples;
    uint32_t n_equal;  /**< samples at which both are the same to 1e-9 */
    uint32_t n_failed; /**< samples at which one of the two cannot serve */
    int first_sign;    /**< at the least sample with a difference: -1 the first is better, 1 the
                            second, 0: no difference anywhere */
    uint32_t n_crossings;
    struct ew_crossing crossings[EW_BREAK_EVEN_MAX];
};

/** Difference first - second at a bandwidth, and what counts as none; NAN: unknown. */
typedef enum ew_status (*ew_difference_fn)(void *ctx, double bandwidth, double *difference,
                                           double *tolerance, struct ew_error *err);

/** Sample the range evenly in its logarithm, then bisect between neighbours of opposite sign, to
 *  1e-9 relative. Crossings that come in pairs between two samples are not seen. */
enum ew_status ew_break_even_find(struct ew_break_even *out, double from_bytes_per_s,
                                  double to_bytes_per_s, ew_difference_fn difference, void *ctx,
                                  struct ew_error *err);

#endif
