/*
 * One-line main for Check programs with one suite and one test case.
 */
#ifndef EW_TESTS_SUITE_H
#define EW_TESTS_SUITE_H

#include <check.h>
#include <stddef.h>

/** Run the tests as suite `name`, one case; returns the process exit code. */
int run_suite(const char *name, const TTest *const *tests, size_t n);

#endif
