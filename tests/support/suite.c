#include "support/suite.h"

#include <stdlib.h>

Suite *begin_suite(const char *name)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "240", 0);
    return suite_create(name);
}

int run_suite(const char *name, const TTest *const *tests, size_t n)
{
    Suite *suite = begin_suite(name);
    TCase *tcase = tcase_create(name);
    for (size_t i = 0; i < n; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

uint64_t test_count(uint64_t usual, uint64_t full, uint64_t sanitized)
{
#ifdef EW_SANITIZED
    (void)usual;
    (void)full;
    return sanitized;
#else
    (void)sanitized;
    return getenv("EW_FULL") ? full : usual;
#endif
}
