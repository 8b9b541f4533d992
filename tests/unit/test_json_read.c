/*
 * Typed reading of JSON values: types, ranges, absence, places in messages.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/json_read.h"
#include "support/suite.h"

static const char text[] =
    "{\"s\": \"hi\", \"t\": true, \"x\": 2.5, \"i\": -7, \"big\": 9007199254740991, "
    "\"bigger\": 9007199254740992, \"n\": null, \"o\": {\"a/b~\": [10, 20]}, \"l\": [1, \"two\"]}";

struct fixture {
    struct ew_json_doc *doc;
    struct ew_json_value root;
    struct ew_error err;
};

static void open_doc(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    ck_assert_msg(ew_json_doc_parse(&f->doc, text, strlen(text), "f.json", &f->err) == EW_OK, "%s",
                  f->err.message);
    f->root = ew_json_root(f->doc);
}

static void expect_message(const struct fixture *f, enum ew_status status, const char *message)
{
    ck_assert_int_eq(status, EW_EINPUT);
    ck_assert_str_eq(f->err.message, message);
}

START_TEST(need_reads_each_type)
{
    struct fixture f;
    open_doc(&f);
    const char *s = NULL;
    bool t = false;
    double x = 0;
    int64_t i = 0;
    struct ew_json_value o = {0}, l = {0};
    ck_assert_int_eq(ew_json_need_string(&s, &f.root, "s", &f.err), EW_OK);
    ck_assert_int_eq(ew_json_need_bool(&t, &f.root, "t", &f.err), EW_OK);
    ck_assert_int_eq(ew_json_need_double(&x, &f.root, "x", -INFINITY, INFINITY, &f.err), EW_OK);
    ck_assert_int_eq(ew_json_need_i64(&i, &f.root, "i", -7, 0, &f.err), EW_OK);
    ck_assert_int_eq(ew_json_need_object(&o, &f.root, "o", &f.err), EW_OK);
    ck_assert_int_eq(ew_json_need_array(&l, &f.root, "l", &f.err), EW_OK);
    ck_assert_str_eq(s, "hi");
    ck_assert(t);
    ck_assert_double_eq(x, 2.5);
    ck_assert_int_eq(i, -7);
    ck_assert_uint_eq(ew_json_count(&l), 2);
    ck_assert(ew_json_is_object(&o) && ew_json_is_array(&l) && ew_json_is_object(&f.root));
    ck_assert_ptr_null(ew_json_name(&f.root));
    ck_assert_str_eq(ew_json_name(&o), "o");
    ew_json_doc_free(f.doc);
}
END_TEST

START_TEST(need_fails_when_absent_get_does_not)
{
    struct fixture f;
    open_doc(&f);
    double x = 42;
    int64_t i = 42;
    bool b = true;
    const char *s = "default";
    struct ew_json_value v = f.root;
    expect_message(&f, ew_json_need_double(&x, &f.root, "y", 0, 1, &f.err),
                   "f.json: expected a member 'y', found none");
    ck_assert_int_eq(ew_json_get_double(&x, &f.root, "y", 0, 1, &f.err), EW_OK);
    ck_assert_int_eq(ew_json_get_i64(&i, &f.root, "y", 0, 1, &f.err), EW_OK);
    ck_assert_int_eq(ew_json_get_bool(&b, &f.root, "y", &f.err), EW_OK);
    ck_assert_int_eq(ew_json_get_string(&s, &f.root, "y", &f.err), EW_OK);
    ck_assert_int_eq(ew_json_get_object(&v, &f.root, "y", &f.err), EW_OK);
    ck_assert(!ew_json_is_present(&v));
    v = f.root;
    ck_assert_int_eq(ew_json_get_array(&v, &f.root, "y", &f.err), EW_OK);
    ck_assert(!ew_json_is_present(&v));
    ck_assert(x == 42 && i == 42 && b);
    ck_assert_str_eq(s, "default");
    ew_json_doc_free(f.doc);
}
END_TEST

START_TEST(wrong_types_are_named)
{
    struct fixture f;
    open_doc(&f);
    const char *s = NULL;
    bool b = false;
    double x = 0;
    int64_t i = 0;
    struct ew_json_value v;
    expect_message(&f, ew_json_need_string(&s, &f.root, "x", &f.err),
                   "f.json: /x: expected a string, found 2.5");
    expect_message(&f, ew_json_get_bool(&b, &f.root, "n", &f.err),
                   "f.json: /n: expected true or false, found null");
    expect_message(&f, ew_json_get_double(&x, &f.root, "s", 0, 1, &f.err),
                   "f.json: /s: expected a number in 0..1, found \"hi\"");
    expect_message(&f, ew_json_need_i64(&i, &f.root, "t", 0, 5, &f.err),
                   "f.json: /t: expected an integer in 0..5, found true");
    expect_message(&f, ew_json_need_object(&v, &f.root, "l", &f.err),
                   "f.json: /l: expected an object, found an array");
    expect_message(&f, ew_json_need_array(&v, &f.root, "o", &f.err),
                   "f.json: /o: expected an array, found an object");
    ew_json_doc_free(f.doc);
}
END_TEST

START_TEST(ranges_are_closed)
{
    struct fixture f;
    open_doc(&f);
    double x = 0;
    int64_t i = 0;
    ck_assert_int_eq(ew_json_need_double(&x, &f.root, "x", 2.5, 2.5, &f.err), EW_OK);
    expect_message(&f, ew_json_need_double(&x, &f.root, "x", 3, INFINITY, &f.err),
                   "f.json: /x: expected a number >= 3, found 2.5");
    expect_message(&f, ew_json_need_double(&x, &f.root, "x", -INFINITY, 2, &f.err),
                   "f.json: /x: expected a number <= 2, found 2.5");
    expect_message(&f, ew_json_need_i64(&i, &f.root, "x", 0, INT64_MAX, &f.err),
                   "f.json: /x: expected an integer >= 0, found 2.5");
    expect_message(&f, ew_json_need_i64(&i, &f.root, "i", -6, 9, &f.err),
                   "f.json: /i: expected an integer in -6..9, found -7");
    ew_json_doc_free(f.doc);
}
END_TEST

START_TEST(integers_end_where_doubles_get_inexact)
{
    struct fixture f;
    open_doc(&f);
    int64_t i = 0;
    ck_assert_int_eq(ew_json_need_i64(&i, &f.root, "big", INT64_MIN, INT64_MAX, &f.err), EW_OK);
    ck_assert_int_eq(i, EW_JSON_MAX_INT);
    ck_assert_int_eq(ew_json_need_i64(&i, &f.root, "bigger", INT64_MIN, INT64_MAX, &f.err),
                     EW_EINPUT);
    ew_json_doc_free(f.doc);
}
END_TEST

START_TEST(pointers_escape_and_count)
{
    struct fixture f;
    open_doc(&f);
    struct ew_json_value o, a, item = {0};
    char pointer[64], cut[6];
    ck_assert(ew_json_find(&o, &f.root, "o") && ew_json_find(&a, &o, "a/b~"));
    int n = 0;
    while (ew_json_next(&item, &a)) {
        ck_assert_uint_eq(item.index, (size_t)n++);
        ck_assert(ew_json_is_number(&item) && !ew_json_is_string(&item));
    }
    ck_assert_int_eq(n, 2);
    ew_json_pointer(pointer, sizeof pointer, &item);
    ck_assert_str_eq(pointer, "/o/a~1b~0/1");
    ew_json_pointer(cut, sizeof cut, &item);
    ck_assert_str_eq(cut, "/o/a~");
    ew_json_pointer(pointer, sizeof pointer, &f.root);
    ck_assert_str_eq(pointer, "");
    expect_message(&f, ew_json_fail(&item, &f.err, "too %s", "many"),
                   "f.json: /o/a~1b~0/1: too many");
    ew_json_doc_free(f.doc);
}
END_TEST

START_TEST(check_keys_suggests_the_nearest)
{
    struct fixture f;
    open_doc(&f);
    static const char *const keys[] = {"s", "t", "x", "i", "big", "bigger", "nn", "o", "l"};
    expect_message(&f, ew_json_check_keys(&f.root, keys, 9, &f.err),
                   "f.json: unknown key 'n'; did you mean 's'?");
    static const char *const all[] = {"s", "t", "x", "i", "big", "bigger", "n", "o", "l", "more"};
    ck_assert_int_eq(ew_json_check_keys(&f.root, all, 10, &f.err), EW_OK);
    expect_message(&f, ew_json_check_schema(&f.root, "edgeweave.x/1", &f.err),
                   "f.json: expected a member 'schema', found none");
    ew_json_doc_free(f.doc);
}
END_TEST

START_TEST(long_values_are_shortened)
{
    static const char long_text[] =
        "[\"0123456789012345678901234567890123456789012345678901234567890123456789\"]";
    struct ew_json_doc *doc = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_json_doc_parse(&doc, long_text, strlen(long_text), "f", &err), EW_OK);
    const struct ew_json_value root = ew_json_root(doc);
    struct ew_json_value item = {0};
    double x = 0;
    ck_assert(ew_json_next(&item, &root));
    ck_assert_int_eq(ew_json_as_double(&x, &item, -INFINITY, INFINITY, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "f: /0: expected a number, found "
                                  "\"0123456789012345678901234567890123456789...\"");
    ew_json_doc_free(doc);
}
END_TEST

START_TEST(load_bounds_the_file_size)
{
    char path[] = "/tmp/ew_json_read.XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "[1, 2, 3]", 9), 9);
    (void)close(fd);
    struct ew_json_doc *doc = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_json_doc_load(&doc, path, 9, &err), EW_OK);
    ew_json_doc_free(doc);
    char want[128];
    (void)snprintf(want, sizeof want, "%s: expected at most 8 bytes, found 9", path);
    ck_assert_int_eq(ew_json_doc_load(&doc, path, 8, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, want);
    (void)unlink(path);
    ew_json_doc_free(NULL);
}
END_TEST

static Suite *json_read_suite(void)
{
    Suite *suite = begin_suite("json_read");
    TCase *values = tcase_create("values");
    tcase_add_test(values, need_reads_each_type);
    tcase_add_test(values, need_fails_when_absent_get_does_not);
    tcase_add_test(values, wrong_types_are_named);
    tcase_add_test(values, ranges_are_closed);
    tcase_add_test(values, integers_end_where_doubles_get_inexact);
    tcase_add_test(values, check_keys_suggests_the_nearest);
    suite_add_tcase(suite, values);
    TCase *places = tcase_create("places");
    tcase_add_test(places, pointers_escape_and_count);
    tcase_add_test(places, long_values_are_shortened);
    suite_add_tcase(suite, places);
    TCase *files = tcase_create("load");
    tcase_add_test(files, load_bounds_the_file_size);
    suite_add_tcase(suite, files);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(json_read_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
