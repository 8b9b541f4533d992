/*
 * What Check programs share: a one-line main for one suite with one test case, and how much to try.
 */
#ifndef EW_TESTS_SUITE_H
#define EW_TESTS_SUITE_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

/** A suite; tests of cases made from then on may take four minutes instead of Check's four seconds,
 * unless CK_DEFAULT_TIMEOUT says otherwise: it is for what hangs. */
Suite *begin_suite(const char *name);

/** Run the tests as suite `name`, one case; returns the process exit code. */
int run_suite(const char *name, const TTest *const *tests, size_t n);

/** How many random cases to try: `usual`; with EW_FULL=1 in the environment `full`; in a build with
 * sanitizers, which is an order of magnitude slower, always `sanitized`. */
uint64_t test_count(uint64_t usual, uint64_t full, uint64_t sanitized);

#endif
