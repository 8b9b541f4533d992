/*
 * From a strategy and a problem to a checked book of plans: the one call for everybody above.
 *
 * A strategy from the install directory plans in this process. Any other plans in a child process
 * with a time limit, and its book comes back as bytes that are checked again.
 */
#ifndef EW_PLUGIN_MAKE_BOOK_H
#define EW_PLUGIN_MAKE_BOOK_H

#include <stdbool.h>

#include "plugin/host.h"
#include "plugin/loader.h"

/** What making a book takes; all borrowed. */
struct ew_book_request {
    struct ew_strategy_ref strategy;
    const struct ew_params *params;
    const struct ew_problem *problem;
    const struct ew_host_services *services;
    double plan_limit_s; /**< for a strategy in a child; 0: 60 */
};

/** Create the strategy, let it plan, destroy it. The book has passed ew_book_check. EW_ENOTSUP: the
 *  strategy cannot serve the problem, the message is its reason. EW_EPLUGIN: it misbehaved. What it
 *  logs goes to services->log in either case. Free with ew_book_free. */
enum ew_status ew_book_make(struct ew_book **out, const struct ew_book_request *request,
                            struct ew_error *err);

#endif
