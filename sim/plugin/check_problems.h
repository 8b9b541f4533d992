/*
 * Small problems that plugin-check lets strategies plan. Built in code, so that a check needs no
 * files and gives the same report everywhere.
 */
#ifndef EW_PLUGIN_CHECK_PROBLEMS_H
#define EW_PLUGIN_CHECK_PROBLEMS_H

#include "plugin/host.h"

enum { EW_CHECK_PROBLEMS = 5 };

/** One problem with its graph and platform; owns both. */
struct ew_check_problem {
    const char *name;
    struct ew_graph *graph;
    struct ew_platform *platform;
    struct ew_problem problem;
};

/** Make problem `index` (< EW_CHECK_PROBLEMS). Free with ew_check_problem_fini. */
enum ew_status ew_check_problem_init(struct ew_check_problem *out, uint32_t index,
                                     struct ew_error *err);

/** Accepts a zeroed one. */
void ew_check_problem_fini(struct ew_check_problem *problem);

#endif
