/*
 * Is a plan valid? Proves that every needed element is computed by somebody, sums are complete,
 * devices can reach each other, and memory fits.
 */
#ifndef EW_PLAN_CHECK_H
#define EW_PLAN_CHECK_H

#include "plan/plan.h"

/** EW_OK, or EW_EINPUT with the first problem in words, e.g. "layer conv3_1: rows 55..57 of pi2's
 *  input (relu2_2) are held by nobody". Checks, in this order: ids and boxes, segments tile the
 *  batch, partial sums tile their reduction, everything the outputs and the pieces read is
 *  computed, no two full pieces of one chain and device compute the same element twice,
 *  routes exist, memory fits (weights of the pieces + largest working set, per node; EW_ENOTSUP
 *  when it does not: the plan is sound, the platform is too small).
 *  The graph is acyclic by construction, since pieces only read earlier layers. */
enum ew_status ew_plan_check(const struct ew_plan_context *context, const struct ew_plan *plan,
                             struct ew_error *err);

/** Check all plans of a book and the pick rule. */
enum ew_status ew_book_check(const struct ew_plan_context *context, const struct ew_book *book,
                             struct ew_error *err);

#endif
