#include <stdlib.h>
#include <string.h>

#include "io/arrival_trace.h"
#include "support/suite.h"

static struct ew_error err;

START_TEST(times_are_read_around_comments_and_blanks)
{
    const char *text = "# header\n0\n\n  1.5\t# a remark\r\n1.5\n2e1";
    double *times_s = NULL;
    uint64_t n = 0;
    ck_assert_int_eq(ew_arrival_trace_parse(&times_s, &n, text, strlen(text), "t", &err), EW_OK);
    ck_assert_uint_eq(n, 4);
    ck_assert_double_eq(times_s[0], 0);
    ck_assert_double_eq(times_s[1], 1.5);
    ck_assert_double_eq(times_s[2], 1.5);
    ck_assert_double_eq(times_s[3], 20);
    free(times_s);
}
END_TEST

static void refuses(const char *text, size_t size, const char *message)
{
    double *times_s = NULL;
    uint64_t n = 0;
    ck_assert_int_eq(ew_arrival_trace_parse(&times_s, &n, text, size, "t", &err), EW_EINPUT);
    ck_assert_str_eq(err.message, message);
    ck_assert_ptr_null(times_s);
}

START_TEST(bad_lines_are_named)
{
    refuses("0\nx\n", 4, "t:2: expected an arrival time in 0..1e+12 s, found 'x'");
    refuses("1 2\n", 4, "t:1: expected an arrival time in 0..1e+12 s, found '1 2'");
    refuses("2\n1\n", 4, "t:2: expected ascending times, found 1 after 2");
    refuses("1e13", 4, "t:1: expected an arrival time in 0..1e+12 s, found '1e13'");
    refuses("1\0"
            "2",
            3, "t:1: expected an arrival time in 0..1e+12 s, found '1'");
    refuses("", 0, "t: expected at least one arrival time, found none");
    char digits[101];
    memset(digits, '1', 100);
    digits[100] = '\0';
    refuses(digits, 100, "t:1: expected an arrival time in 0..1e+12 s, found '(a long text)'");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {times_are_read_around_comments_and_blanks, bad_lines_are_named};
    return run_suite("arrival_trace", tests, sizeof tests / sizeof *tests);
}
