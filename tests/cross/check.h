/* The few assertions that test support uses, for builds without libcheck. */
#ifndef EW_TESTS_CROSS_CHECK_H
#define EW_TESTS_CROSS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define ck_assert_msg(condition, ...)                                                              \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, __VA_ARGS__);                                                    \
            (void)fprintf(stderr, "\n");                                                           \
            exit(EXIT_FAILURE);                                                                    \
        }                                                                                          \
    } while (0)
#define ck_assert(condition) ck_assert_msg(condition, "%s", #condition)
#define ck_assert_ptr_nonnull(pointer) ck_assert((pointer) != NULL)

#endif
