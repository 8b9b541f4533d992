/*
 * Reproductions: reading, overlays, verdicts, checks, records, cache.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/json_overlay.h"
#include "io/reproduction_json.h"
#include "support/suite.h"
#include "sweep/reproduce_cache.h"
#include "sweep/reproduce_judge.h"

/* --- overlays ----------------------------------------------------------------------------------
 */

static void overlay(struct ew_str *out, const char *layers)
{
    struct ew_error err = {0};
    struct ew_json_doc *doc = NULL;
    struct ew_json json = {.out = out};
    ck_assert_msg(ew_json_doc_parse(&doc, layers, strlen(layers), "test", &err) == EW_OK, "%s",
                  err.message);
    const struct ew_json_value root = ew_json_root(doc);
    struct ew_json_value items[4] = {0}, item = {0};
    size_t n = 0;
    while (ew_json_next(&item, &root)) {
        items[n++] = item;
    }
    ck_assert_msg(ew_json_overlay(&json, items, n, 2, &err) == EW_OK, "%s", err.message);
    ew_json_doc_free(doc);
}

START_TEST(later_layers_win_member_by_member)
{
    struct ew_str text = {0};
    overlay(&text,
            "[{\"a\": 1, \"param\": {\"x\": 1, \"y\": 2}}, {\"b\": true, \"param\": {\"y\": 3}},"
            " {\"a\": \"z\", \"param\": {\"w\": 4}}]");
    ck_assert_str_eq(ew_str_text(&text), "{\n"
                                         "  \"a\": \"z\",\n"
                                         "  \"param\": {\n"
                                         "    \"x\": 1,\n"
                                         "    \"y\": 3,\n"
                                         "    \"w\": 4\n"
                                         "  },\n"
                                         "  \"b\": true\n"
                                         "}");
    ew_str_fini(&text);
}
END_TEST

START_TEST(an_object_gives_way_to_a_plain_value)
{
    struct ew_str text = {0};
    overlay(&text, "[{\"a\": {\"x\": 1}}, {\"a\": 2}]");
    ck_assert_str_eq(ew_str_text(&text), "{\n  \"a\": 2\n}");
    ew_str_fini(&text);
}
END_TEST

/* --- a small reproduction ----------------------------------------------------------------------
 */

/* Two series over three cases of one group; `figure` adds members to the figure. */
static enum ew_status parse(struct ew_reproduction *out, const char *figure, bool is_quick,
                            struct ew_error *err)
{
    struct ew_str text = {0};
    ew_str_printf(
        &text,
        "{\"schema\": \"edgeweave.reproduction/1\", \"paper\": \"p\", \"title\": \"t\","
        " \"settings\": [], \"base\": {\"seed\": 1}, \"quick\": {\"requests\": 2},"
        " \"figures\": [{\"id\": \"f\", \"title\": \"t\", \"metric\": \"m\","
        " \"axes\": [[{\"id\": \"g\"}], [{\"id\": \"a\", \"x\": 1}, {\"id\": \"b\", \"x\": 2},"
        " {\"id\": \"c\", \"x\": 3, \"scenario\": {\"seed\": 3}}]],"
        " \"quick_items\": [1, 2],"
        " \"series\": [{\"id\": \"S\", \"quick\": {\"batch\": 5}}, {\"id\": \"T\"}]%s%s}]}",
        *figure ? ", " : "", figure);
    const enum ew_status status =
        ew_reproduction_parse_json(out, ew_str_text(&text), text.length, "r.json", is_quick, err);
    ew_str_fini(&text);
    return status;
}

static void open_figure(struct ew_reproduction *out, const char *figure)
{
    struct ew_error err = {0};
    ck_assert_msg(parse(out, figure, false, &err) == EW_OK, "%s", err.message);
}

/* A record with m and whatever else, from "m=1 requirements_met=0". */
static void make_record(struct ew_repro_record *out, double m, double met)
{
    struct ew_str text = {0};
    struct ew_error err = {0};
    ew_str_printf(&text, "{\"m\": %.17g, \"requirements_met\": %g}", m, met);
    ck_assert_msg(ew_repro_record_parse(out, ew_str_text(&text), text.length, &err) == EW_OK, "%s",
                  err.message);
    ew_str_fini(&text);
}

/* Judge the figure with values S T per case. */
static void judge(struct ew_repro_figure_result *out, const struct ew_reproduction *r,
                  struct ew_repro_record records[6], const double values[6])
{
    struct ew_error err = {0};
    for (int i = 0; i < 6; i++) {
        make_record(&records[i], values[i], i % 2);
    }
    ck_assert_msg(ew_repro_judge(out, &r->figures[0], records, &err) == EW_OK, "%s", err.message);
}

static void done(struct ew_repro_figure_result *result, struct ew_reproduction *r,
                 struct ew_repro_record records[6])
{
    for (int i = 0; i < 6; i++) {
        ew_repro_record_fini(&records[i]);
    }
    ew_repro_figure_result_fini(result);
    ew_reproduction_fini(r);
}

START_TEST(cases_are_the_product_of_the_axes)
{
    struct ew_reproduction r = {0};
    open_figure(&r, "");
    const struct ew_repro_figure *f = &r.figures[0];
    ck_assert_uint_eq(f->n_cases, 3);
    ck_assert_str_eq(f->cases[2].id, "g/c");
    ck_assert_str_eq(f->cases[2].group, "g");
    ck_assert_double_eq(f->cases[2].x, 3);
    ck_assert_ptr_nonnull(strstr(f->scenarios[0], "\"seed\": 1"));
    ck_assert_ptr_nonnull(strstr(f->scenarios[4], "\"seed\": 3"));
    ck_assert_ptr_null(strstr(f->scenarios[0], "requests"));
    ew_reproduction_fini(&r);
}
END_TEST

START_TEST(quick_keeps_the_first_items_and_their_values)
{
    struct ew_reproduction r = {0};
    struct ew_error err = {0};
    ck_assert_msg(parse(&r, "\"published\": {\"T\": [7, 8, 9]}", true, &err) == EW_OK, "%s",
                  err.message);
    const struct ew_repro_figure *f = &r.figures[0];
    ck_assert_uint_eq(f->n_cases, 2);
    ck_assert_double_eq(f->published[3].value, 8);
    ck_assert_ptr_nonnull(strstr(f->scenarios[0], "\"requests\": 2"));
    ck_assert_ptr_nonnull(strstr(f->scenarios[0], "\"batch\": 5"));
    ck_assert_ptr_null(strstr(f->scenarios[1], "batch"));
    ew_reproduction_fini(&r);
}
END_TEST

static const struct {
    const char *figure;
    const char *message;
} BAD_FIGURES[] = {
    {"\"published\": {\"T\": [1, 2]}", "expected a value for each of 3 cases, found 2"},
    {"\"published\": {\"U\": [1, 2, 3]}", "the figure has no series 'U'"},
    {"\"published\": {\"T\": [1, \"2\", 3]}",
     "expected a number, null, \"<NUMBER\" or [LOW, HIGH]"},
    {"\"published\": {\"T\": [1, [3, 2], 3]}", "/figures/0/published/T/1/1"},
    {"\"checks\": [{\"kind\": \"odd\", \"text\": \"\", \"series\": [\"S\"]}]", "found 'odd'"},
    {"\"checks\": [{\"kind\": \"order\", \"text\": \"\", \"series\": [\"S\"]}]",
     "expected at least 2 series"},
    {"\"checks\": [{\"kind\": \"at_most\", \"text\": \"\", \"series\": [\"S\"]}]", "value"},
    {"\"derive\": {\"kind\": \"loss\", \"subject\": \"S\"}", "found 'loss'"},
    {"\"scenario\": {\"a\": {\"b\": {\"c\": {\"d\": 1}}}}", "expected a text, a number"},
    {"\"trend\": \"both\"", "found 'both'"},
    {"\"when_both_met\": true", "when_both_met: expected mean and derive"},
    {"\"surprise\": 1", "surprise"},
};

START_TEST(bad_figures_are_told_with_their_place)
{
    struct ew_reproduction r = {0};
    struct ew_error err = {0};
    ck_assert_int_eq(parse(&r, BAD_FIGURES[_i].figure, false, &err), EW_EINPUT);
    ck_assert_msg(strstr(err.message, BAD_FIGURES[_i].message), "%s", err.message);
    ck_assert_ptr_nonnull(strstr(err.message, "r.json: /figures/0"));
}
END_TEST

/* --- verdicts ----------------------------------------------------------------------------------
 */

START_TEST(near_values_pass_and_far_ones_need_the_right_order)
{
    /* case a: S 10 (paper 8, +25 %: pass), T 5 (paper 4, pass)
     * case b: S 30 (paper 10) over T 20 (paper 5): both far, same order
     * case c: S 10 (paper 40) below T 20 (paper 8): both far, other order */
    const double values[6] = {10, 5, 30, 20, 10, 20};
    struct ew_reproduction r = {0};
    struct ew_repro_record records[6] = {0};
    struct ew_repro_figure_result result = {0};
    open_figure(&r, "\"published\": {\"S\": [8, 10, 40], \"T\": [4, 5, 8]}");
    judge(&result, &r, records, values);
    const enum ew_repro_verdict expected[6] = {EW_REPRO_PASS,  EW_REPRO_PASS,    EW_REPRO_TREND,
                                               EW_REPRO_TREND, EW_REPRO_DIFFERS, EW_REPRO_DIFFERS};
    for (int i = 0; i < 6; i++) {
        ck_assert_msg(result.rows[i].verdict == expected[i], "row %d: %s", i,
                      ew_repro_verdict_names[result.rows[i].verdict]);
    }
    ck_assert_double_eq(result.rows[2].ratio, 3);
    done(&result, &r, records);
}
END_TEST

START_TEST(bands_and_bounds_have_verdicts_of_their_own)
{
    const double values[6] = {30, 0.5, 70, 2, -1, 2};
    struct ew_reproduction r = {0};
    struct ew_repro_record records[6] = {0};
    struct ew_repro_figure_result result = {0};
    open_figure(&r, "\"published\": {\"S\": [[25, 66], [25, 66], [25, 66]],"
                    " \"T\": [\"<1\", \"<1\", null]}");
    judge(&result, &r, records, values);
    ck_assert_int_eq(result.rows[0].verdict, EW_REPRO_PASS);
    ck_assert_int_eq(result.rows[1].verdict, EW_REPRO_PASS);
    ck_assert_int_eq(result.rows[2].verdict, EW_REPRO_TREND);
    ck_assert_int_eq(result.rows[3].verdict, EW_REPRO_DIFFERS); /* nothing to compare with */
    ck_assert_int_eq(result.rows[4].verdict, EW_REPRO_DIFFERS);
    ck_assert_int_eq(result.rows[5].verdict, EW_REPRO_NONE);
    done(&result, &r, records);
}
END_TEST

START_TEST(trend_may_follow_the_cases)
{
    /* paper 1, 2, 1.05; ours 3, 9, 8: a < b and b > c hold, a and c are too near to say */
    const double values[6] = {3, 0, 9, 0, 8, 0};
    struct ew_reproduction r = {0};
    struct ew_repro_record records[6] = {0};
    struct ew_repro_figure_result result = {0};
    open_figure(&r, "\"trend\": \"cases\", \"published\": {\"S\": [1, 2, 1.05]}");
    judge(&result, &r, records, values);
    for (int c = 0; c < 3; c++) {
        ck_assert_int_eq(result.rows[c * 2].verdict, EW_REPRO_TREND);
    }
    done(&result, &r, records);
}
END_TEST

START_TEST(savings_are_of_the_subject_over_each_other)
{
    /* 100 (1 - 2/8), 100 (1 - 6/4), 100 (1 - 1/1) */
    const double values[6] = {2, 8, 6, 4, 1, 1};
    struct ew_reproduction r = {0};
    struct ew_repro_record records[6] = {0};
    struct ew_repro_figure_result result = {0};
    open_figure(&r, "\"derive\": {\"kind\": \"saving_pct\", \"subject\": \"S\"}");
    judge(&result, &r, records, values);
    ck_assert_double_eq(result.rows[1].ours, 75);
    ck_assert_double_eq(result.rows[3].ours, -50);
    ck_assert_double_eq(result.rows[5].ours, 0);
    ck_assert(!ew_repro_is_row(&r.figures[0], 0));
    done(&result, &r, records);
}
END_TEST

START_TEST(means_are_over_the_cases_and_gains_of_means)
{
    /* S: (2+6+1)/3 = 3; T: (8+4+3)/3 = 5; gain of S over the mean of the others (T): -40 % */
    const double values[6] = {2, 8, 6, 4, 1, 3};
    struct ew_reproduction r = {0};
    struct ew_repro_record records[6] = {0};
    struct ew_repro_figure_result result = {0};
    open_figure(&r,
                "\"mean\": true, \"feasible_only\": true, \"mean_series\": \"M\","
                " \"derive\": {\"kind\": \"gain_pct\", \"subject\": \"S\"},"
                " \"published\": {\"M\": [-38]}, \"checks\": ["
                "{\"kind\": \"at_least\", \"text\": \"x\", \"series\": [\"M\"], \"value\": -41},"
                "{\"kind\": \"met_when_feasible\", \"text\": \"y\", \"series\": [\"S\", \"T\"]}]");
    judge(&result, &r, records, values);
    ck_assert_uint_eq(result.n_averaged, 3); /* T meets everything */
    ck_assert_double_eq_tol(result.rows[1].ours, -40, 1e-9);
    ck_assert_double_eq_tol(result.rows[2].ours, -40, 1e-9);
    ck_assert_int_eq(result.rows[2].verdict, EW_REPRO_PASS);
    ck_assert_uint_eq(result.checks[0].n_held, 1);
    ck_assert_uint_eq(result.checks[1].n_tested, 6);
    ck_assert_uint_eq(result.checks[1].n_held, 3);
    done(&result, &r, records);
}
END_TEST

START_TEST(pairs_are_compared_where_both_serve_as_asked)
{
    /* T meets everything, S nothing but in the case that make_record is told otherwise: below, the
     * subject is T, which S meets in no case, so there is nothing to compare */
    const double values[6] = {2, 8, 6, 4, 1, 3};
    struct ew_reproduction r = {0};
    struct ew_repro_record records[6] = {0};
    struct ew_repro_figure_result result = {0};
    open_figure(&r, "\"mean\": true, \"when_both_met\": true,"
                    " \"derive\": {\"kind\": \"difference\", \"subject\": \"T\"}");
    judge(&result, &r, records, values);
    ck_assert_int_eq(result.rows[0].verdict, EW_REPRO_FAILED);
    ck_assert_uint_eq(result.n_averaged, 3);
    ew_repro_figure_result_fini(&result);

    /* S serves the second case, too: 4 - 6 */
    ew_repro_record_fini(&records[2]);
    make_record(&records[2], 6, 1);
    ck_assert_int_eq(ew_repro_judge(&result, &r.figures[0], records, NULL), EW_OK);
    ck_assert_double_eq(result.rows[0].ours, -2);
    done(&result, &r, records);
}
END_TEST

/* --- checks ------------------------------------------------------------------------------------
 */

static const struct {
    const char *check;
    uint32_t n_tested, n_held, n_exempt;
} CHECKS[] = {
    /* S 10, 20, 30 and T 10.1, 5, 40; the paper has S below T in the last case */
    {"\"kind\": \"order\", \"series\": [[\"S\"], [\"T\"]]", 2, 2, 1},
    {"\"kind\": \"order\", \"series\": [[\"S\"], [\"T\"]], \"factor\": 3", 2, 1, 1},
    {"\"kind\": \"order\", \"series\": [[\"S\"], [\"T\"]], \"slack_ratio\": 0", 2, 1, 1},
    {"\"kind\": \"at_most\", \"series\": [\"S\"], \"value\": 20", 3, 2, 0},
    {"\"kind\": \"at_least\", \"series\": [\"S\", \"T\"], \"value\": 10, \"cases\": [\"g/b\"]", 2,
     1, 0},
    {"\"kind\": \"rising\", \"series\": [\"S\", \"T\"]", 4, 3, 0},
    {"\"kind\": \"falling\", \"series\": [\"T\"]", 2, 1, 0},
    {"\"kind\": \"peak\", \"series\": [\"S\", \"T\"], \"x\": 3", 2, 2, 0},
    {"\"kind\": \"peak\", \"series\": [\"S\"], \"x\": 2", 1, 0, 0},
    {"\"kind\": \"met\", \"series\": [\"S\", \"T\"]", 6, 3, 0},
    {"\"kind\": \"at_most\", \"series\": [\"T\"], \"metric\": \"requirements_met\", \"value\": 0",
     3, 0, 0},
    /* paper: 2, 4, 0.5; ours: 0.99, 4, 0.75: a against b and b against c agree, a against c too */
    {"\"kind\": \"ratio_order\", \"series\": [\"S\", \"T\"]", 3, 3, 0},
};

START_TEST(checks_count_what_holds)
{
    const double values[6] = {10, 10.1, 20, 5, 30, 40};
    struct ew_reproduction r = {0};
    struct ew_repro_record records[6] = {0};
    struct ew_repro_figure_result result = {0};
    struct ew_str figure = {0};
    ew_str_printf(&figure,
                  "\"published\": {\"S\": [20, 40, 20], \"T\": [10, 10, 40]},"
                  " \"checks\": [{\"text\": \"t\", %s}]",
                  CHECKS[_i].check);
    open_figure(&r, ew_str_text(&figure));
    ew_str_fini(&figure);
    judge(&result, &r, records, values);
    ck_assert_uint_eq(result.checks[0].n_tested, CHECKS[_i].n_tested);
    ck_assert_uint_eq(result.checks[0].n_held, CHECKS[_i].n_held);
    ck_assert_uint_eq(result.checks[0].n_exempt, CHECKS[_i].n_exempt);
    ck_assert_int_eq(*result.checks[0].failures != '\0', CHECKS[_i].n_held < CHECKS[_i].n_tested);
    done(&result, &r, records);
}
END_TEST

/* --- records and cache -------------------------------------------------------------------------
 */

START_TEST(records_refuse_what_is_cut_or_foreign)
{
    static const char *const bad[] = {"", "{\"m\": 1", "[1]", "{\"m\": \"x\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ew_repro_record record = {0};
        ck_assert_int_eq(ew_repro_record_parse(&record, bad[i], strlen(bad[i]), NULL), EW_EINPUT);
    }
}
END_TEST

START_TEST(errors_travel_as_records)
{
    struct ew_str text = {0};
    struct ew_repro_record record = {0};
    ew_repro_record_print_error(&text, "no \"route\"");
    ck_assert_int_eq(ew_repro_record_parse(&record, ew_str_text(&text), text.length, NULL), EW_OK);
    ck_assert_str_eq(record.error, "no \"route\"");
    ck_assert(isnan(ew_repro_record_get(&record, "latency_s")));
    ew_repro_record_fini(&record);
    ew_str_fini(&text);
}
END_TEST

START_TEST(the_cache_gives_back_what_was_put)
{
    char dir[] = "/tmp/ew_cache_XXXXXX";
    struct ew_str text = {0};
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert(!ew_repro_cache_get(&text, dir, "key one\n"));
    ew_repro_cache_put(dir, "key one\n", "{}\n");
    ew_repro_cache_put(dir, "key two\n", "{\"a\": 1}\n");
    ck_assert(ew_repro_cache_get(&text, dir, "key two\n"));
    ck_assert_str_eq(ew_str_text(&text), "{\"a\": 1}\n");
    ck_assert(!ew_repro_cache_get(&text, dir, "key three\n"));
    ew_repro_cache_trim(dir, 0);
    ck_assert(!ew_repro_cache_get(&text, dir, "key two\n"));
    ck_assert_int_eq(rmdir(dir), 0);
    ew_str_fini(&text);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("reproduction");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, later_layers_win_member_by_member);
    tcase_add_test(tcase, an_object_gives_way_to_a_plain_value);
    tcase_add_test(tcase, cases_are_the_product_of_the_axes);
    tcase_add_test(tcase, quick_keeps_the_first_items_and_their_values);
    tcase_add_loop_test(tcase, bad_figures_are_told_with_their_place, 0,
                        sizeof BAD_FIGURES / sizeof *BAD_FIGURES);
    tcase_add_test(tcase, near_values_pass_and_far_ones_need_the_right_order);
    tcase_add_test(tcase, bands_and_bounds_have_verdicts_of_their_own);
    tcase_add_test(tcase, trend_may_follow_the_cases);
    tcase_add_test(tcase, savings_are_of_the_subject_over_each_other);
    tcase_add_test(tcase, means_are_over_the_cases_and_gains_of_means);
    tcase_add_test(tcase, pairs_are_compared_where_both_serve_as_asked);
    tcase_add_loop_test(tcase, checks_count_what_holds, 0, sizeof CHECKS / sizeof *CHECKS);
    tcase_add_test(tcase, records_refuse_what_is_cut_or_foreign);
    tcase_add_test(tcase, errors_travel_as_records);
    tcase_add_test(tcase, the_cache_gives_back_what_was_put);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
