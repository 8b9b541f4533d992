/*
 * Error bars of a run: the same plans again on the fast engine, with the time of every device
 * multiplied by a ratio measured / predicted drawn from its profile's residuals. One ratio per
 * profile and draw, since a profile's error is the same on all its devices; the draws of all
 * strategies are the same, so that differences can be told from noise.
 */
#ifndef EW_SWEEP_DRAWS_H
#define EW_SWEEP_DRAWS_H

#include "sweep/point.h"

enum { EW_DRAWS_MAX = 100000 };

/** Run the point `n_draws` times and put the bars into `result`. Profiles are changed meanwhile and
 *  put back. A result with an error is left alone. EW_EINTR, EW_ENOMEM. */
enum ew_status ew_draws_run(struct ew_result *result, const struct ew_point *point,
                            uint32_t n_draws, struct ew_error *err);

#endif
