#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/rng.h"
#include "support/suite.h"

START_TEST(doubles_read_back_exactly_in_their_shortest_form)
{
    char text[32];
    ew_format_double(text, 0.1);
    ck_assert_str_eq(text, "0.1");
    ew_format_double(text, 1.0 / 3);
    ck_assert_double_eq(strtod(text, NULL), 1.0 / 3);
    struct ew_rng rng = ew_rng_make(7, "doubles");
    for (int i = 0; i < 20000; i++) {
        const uint64_t bits = ew_rng_u64(&rng);
        double x;
        memcpy(&x, &bits, sizeof x);
        if (isfinite(x)) {
            ew_format_double(text, x);
            ck_assert_double_eq(strtod(text, NULL), x);
        }
    }
}
END_TEST

START_TEST(numbers_are_parsed_strictly)
{
    double x;
    int64_t i;
    uint64_t u;
    ck_assert(ew_parse_double("1.5e3", &x) && x == 1500);
    ck_assert(ew_parse_double("-.5", &x) && x == -0.5);
    const char *const bad[] = {"",      " 1", "1 ",  "nan", "inf", "-inf",
                               "1e999", "0x", "1,5", "abc", "-"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        ck_assert_msg(!ew_parse_double(bad[k], &x), "accepted '%s'", bad[k]);
    }
    ck_assert(ew_parse_i64("-42", &i) && i == -42);
    ck_assert(!ew_parse_i64("4.2", &i) && !ew_parse_i64("99999999999999999999", &i));
    ck_assert(ew_parse_u64("42", &u) && u == 42);
    ck_assert(!ew_parse_u64("-1", &u) && !ew_parse_u64("+1", &u));
}
END_TEST

static const char *name_at(const void *ctx, size_t i)
{
    return ((const char *const *)ctx)[i];
}

START_TEST(the_nearest_name_is_offered_only_when_it_is_near)
{
    const char *const names[] = {"coedge", "edgent", "local", "offload"};
    ck_assert_str_eq(ew_nearest_name("coegde", 4, name_at, names), "coedge");
    ck_assert_str_eq(ew_nearest_name("ofload", 4, name_at, names), "offload");
    const char *const commands[] = {"run", "plan"};
    ck_assert_str_eq(ew_nearest_name("rnu", 2, name_at, commands), "run"); /* swapped letters */
    ck_assert_ptr_null(ew_nearest_name("tensorflow", 4, name_at, names));
}
END_TEST

START_TEST(json_is_escaped_indented_and_never_holds_nan)
{
    struct ew_str out = {0};
    struct ew_json j = {.out = &out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "quote\"", "a\\b\n\x01");
    ew_json_kv_double(&j, "x", NAN);
    ew_json_key(&j, "list");
    ew_json_array_begin_inline(&j);
    ew_json_i64(&j, -1);
    ew_json_u64(&j, 2);
    ew_json_array_end(&j);
    ew_json_key(&j, "empty");
    ew_json_array_begin(&j);
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ck_assert_str_eq(ew_str_text(&out),
                     "{\n  \"quote\\\"\": \"a\\\\b\\n\\u0001\",\n  \"x\": null,\n"
                     "  \"list\": [-1, 2],\n  \"empty\": []\n}");
    ew_str_fini(&out);
}
END_TEST

START_TEST(human_units_switch_at_the_right_size)
{
    char text[32];
    ew_human_seconds(text, 0.001 - 1e-18);
    ck_assert_str_eq(text, "1 ms");
    ew_human_seconds(text, 0.0009994);
    ck_assert_str_eq(text, "999.4 us");
    ew_human_seconds(text, 0.0015);
    ck_assert_str_eq(text, "1.5 ms");
    ew_human_bytes(text, 12345678);
    ck_assert_str_eq(text, "12.35 MB");
    ew_human_joules(text, 0);
    ck_assert_str_eq(text, "0 uJ");
}
END_TEST

START_TEST(streams_of_different_purpose_differ_and_repeat)
{
    struct ew_rng a = ew_rng_make(1, "a"), again = ew_rng_make(1, "a"), b = ew_rng_make(1, "b");
    int equal = 0;
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        const uint64_t x = ew_rng_u64(&a);
        ck_assert_uint_eq(x, ew_rng_u64(&again));
        equal += x == ew_rng_u64(&b);
        sum += ew_rng_exponential(&b, 2);
    }
    ck_assert_int_eq(equal, 0);
    /* mean of 10000 exponentials of mean 2: standard error 0.02 */
    ck_assert_double_eq_tol(sum / 10000, 2, 0.1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        doubles_read_back_exactly_in_their_shortest_form,
        numbers_are_parsed_strictly,
        the_nearest_name_is_offered_only_when_it_is_near,
        json_is_escaped_indented_and_never_holds_nan,
        human_units_switch_at_the_right_size,
        streams_of_different_purpose_differ_and_repeat,
    };
    return run_suite("text", tests, sizeof tests / sizeof *tests);
}
