/* Profile files: every kind is read, every shipped file is good, every bad one has one message. */
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "io/graph_json.h"
#include "io/profile_json.h"
#include "io/profile_pool.h"
#include "support/suite.h"

static const char *const profile_dirs[] = {EW_SOURCE_DIR "/platforms/profiles"};

static struct ew_profile *parse(const char *text)
{
    struct ew_profile *profile = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_profile_parse_json(&profile, text, strlen(text), "p.json", &err) == EW_OK,
                  "%s", err.message);
    return profile;
}

static void expect_error(const char *text, const char *message)
{
    struct ew_profile *profile = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_profile_parse_json(&profile, text, strlen(text), "p.json", &err),
                     EW_EINPUT);
    ck_assert_ptr_null(profile);
    ck_assert_str_eq(err.message, message);
}

#define HEAD "{\"schema\": \"edgeweave.profile/1\", \"name\": \"x\", "
#define RATES                                                                                      \
    "\"class_flops_per_s\": {\"conv_3x3_s1\": 5e9, \"conv_1x1\": 4e9, \"conv_other\": 3e9, "       \
    "\"depthwise\": 2e9, \"fc\": 1e9}"

START_TEST(rate_is_read)
{
    struct ew_profile *p = parse(HEAD "\"kind\": \"rate\", \"flops_per_s\": 2e9}");
    ck_assert_str_eq(p->name, "x");
    ck_assert_str_eq(p->path, "p.json");
    ck_assert_str_eq(p->source, "");
    ck_assert_int_eq(p->kind, EW_PROFILE_RATE);
    ck_assert_double_eq(p->flops_per_s, 2e9);
    ck_assert(isnan(p->residual_ratio));
    ck_assert_int_eq(p->row_granularity, 1);
    ew_profile_free(p);
}
END_TEST

START_TEST(class_rates_and_common_members_are_read)
{
    struct ew_profile *p =
        parse(HEAD "\"kind\": \"class_rates\", " RATES ", \"simple_ops_per_s\": 1e8, "
                   "\"weight_bytes_per_s\": 2e9, \"activation_bytes_per_s\": 3e9, "
                   "\"layer_overhead_s\": 1e-4, \"residual_ratio\": 0.12, \"source\": \"here\", "
                   "\"confidence\": \"measured\", \"notes\": {\"load\": \"guess\"}, "
                   "\"load\": {\"overhead_s\": 0.5, \"bytes_per_s\": 1e6}}");
    ck_assert_double_eq(p->class_flops_per_s[EW_RATE_CONV_3X3_S1], 5e9);
    ck_assert_double_eq(p->class_flops_per_s[EW_RATE_CONV_1X1], 4e9);
    ck_assert_double_eq(p->class_flops_per_s[EW_RATE_CONV_OTHER], 3e9);
    ck_assert_double_eq(p->class_flops_per_s[EW_RATE_DEPTHWISE], 2e9);
    ck_assert_double_eq(p->class_flops_per_s[EW_RATE_FC], 1e9);
    ck_assert_double_eq(p->simple_ops_per_s, 1e8);
    ck_assert_double_eq(p->weight_bytes_per_s, 2e9);
    ck_assert_double_eq(p->activation_bytes_per_s, 3e9);
    ck_assert_double_eq(p->layer_overhead_s, 1e-4);
    ck_assert_double_eq(p->residual_ratio, 0.12);
    ck_assert_double_eq(p->load_overhead_s, 0.5);
    ck_assert_double_eq(p->load_bytes_per_s, 1e6);
    ck_assert_str_eq(p->source, "here");
    ck_assert_str_eq(p->confidence, "measured");
    ew_profile_free(p);
}
END_TEST

START_TEST(staircase_is_read)
{
    struct ew_profile *p =
        parse(HEAD "\"kind\": \"staircase\", \"row_granularity\": 8, " RATES "}");
    ck_assert_int_eq(p->kind, EW_PROFILE_STAIRCASE);
    ck_assert_int_eq(p->row_granularity, 8);
    ew_profile_free(p);
}
END_TEST

START_TEST(regression_is_read_per_op)
{
    struct ew_profile *p =
        parse(HEAD "\"kind\": \"regression\", \"flops_per_s\": 1e9, \"regression\": {\"conv\": "
                   "[{\"feature\": \"input_bytes\", \"coefficient_s\": 6.13e-6}, "
                   "{\"feature\": \"one\", \"coefficient_s\": -0.009909}]}}");
    ck_assert_uint_eq(p->regression[EW_OP_CONV].n_terms, 2);
    ck_assert_int_eq(p->regression[EW_OP_CONV].terms[0].feature, EW_FEATURE_INPUT_BYTES);
    ck_assert_double_eq(p->regression[EW_OP_CONV].terms[1].coefficient_s, -0.009909);
    ck_assert_uint_eq(p->regression[EW_OP_FC].n_terms, 0);
    ew_profile_free(p);
}
END_TEST

START_TEST(table_is_sorted_and_keeps_its_fallback)
{
    struct ew_profile *p = parse(
        HEAD "\"kind\": \"table\", \"table\": ["
             "{\"graph\": \"vgg16\", \"layer\": \"b\", \"rows\": [1, 2], \"seconds\": [0.5, 1]}, "
             "{\"graph\": \"alexnet\", \"layer\": \"c\", \"rows\": [7], \"seconds\": [2]}, "
             "{\"graph\": \"vgg16\", \"layer\": \"a\", \"rows\": [3], \"seconds\": [4]}], "
             "\"fallback\": {\"kind\": \"rate\", \"flops_per_s\": 1e9}}");
    ck_assert_uint_eq(p->n_table_layers, 3);
    ck_assert_str_eq(p->table_layers[0].graph, "alexnet");
    ck_assert_str_eq(p->table_layers[1].layer, "a");
    ck_assert_uint_eq(p->table_layers[2].n, 2);
    ck_assert_double_eq(p->table_layers[2].seconds[1], 1);
    ck_assert_ptr_nonnull(p->fallback);
    ck_assert_str_eq(p->fallback->name, "x"); /* its owner's, unless it has one */
    ew_profile_free(p);
}
END_TEST

START_TEST(wrong_documents_are_refused)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[]", "p.json: expected an object, found an array"},
        {"{\"schema\": \"edgeweave.graph/1\", \"name\": \"x\", \"kind\": \"rate\"}",
         "p.json: /schema: expected \"edgeweave.profile/1\", found \"edgeweave.graph/1\""},
        {HEAD "\"kind\": \"rates\", \"flops_per_s\": 1e9}",
         "p.json: /kind: unknown kind 'rates'; did you mean 'rate'?"},
        {HEAD "\"kind\": \"rate\", \"flop_per_s\": 1e9}",
         "p.json: unknown key 'flop_per_s'; did you mean 'flops_per_s'?"},
        {HEAD "\"kind\": \"rate\", \"flops_per_s\": 1e9, \"row_granularity\": 4}",
         "p.json: /row_granularity: a profile of kind 'rate' has no 'row_granularity'"},
        {HEAD "\"kind\": \"rate\"}",
         "p.json: profile 'x': flops_per_s: expected 1 .. 1e+24, found 0"},
        {HEAD "\"kind\": \"rate\", \"flops_per_s\": \"fast\"}",
         "p.json: /flops_per_s: expected a number, found \"fast\""},
        {HEAD "\"kind\": \"rate\", \"flops_per_s\": -1}",
         "p.json: profile 'x': flops_per_s: expected 1 .. 1e+24, found -1"},
        {HEAD "\"kind\": \"class_rates\"}",
         "p.json: expected a member 'class_flops_per_s', found none"},
        {HEAD "\"kind\": \"class_rates\", \"class_flops_per_s\": {\"conv\": 1e9}}",
         "p.json: /class_flops_per_s: unknown key 'conv'"},
        {HEAD "\"kind\": \"staircase\", " RATES "}",
         "p.json: expected a member 'row_granularity', found none"},
        {HEAD "\"kind\": \"regression\", \"regression\": {\"conv2d\": []}}",
         "p.json: /regression: unknown key 'conv2d'; did you mean 'conv'?"},
        {HEAD "\"kind\": \"regression\", \"regression\": {\"conv\": []}}",
         "p.json: /regression/conv: expected 1 .. 11 terms, found 0"},
        {HEAD "\"kind\": \"regression\", \"regression\": {\"conv\": [{\"feature\": "
              "\"input_byte\", \"coefficient_s\": 1}]}}",
         "p.json: /regression/conv/0/feature: unknown feature 'input_byte'; did you mean "
         "'input_bytes'?"},
        {HEAD "\"kind\": \"table\", \"flops_per_s\": 1e9, \"table\": [{\"graph\": \"g\", "
              "\"layer\": \"l\", \"rows\": [1, 2], \"seconds\": [1]}]}",
         "p.json: /table/0: expected as many rows as seconds, at least one, found 2 and 1"},
        {HEAD "\"kind\": \"table\", \"flops_per_s\": 1e9, \"table\": [{\"graph\": \"g\", "
              "\"layer\": \"l\", \"rows\": [2, 1], \"seconds\": [1, 2]}]}",
         "p.json: profile 'x': table g/l rows[1]: expected ascending whole numbers up to "
         "16777216, found 1 after 2"},
        {HEAD "\"kind\": \"table\", \"table\": [{\"graph\": \"g\", \"layer\": \"l\", "
              "\"rows\": [1], \"seconds\": [1]}]}",
         "p.json: profile 'x': flops_per_s (or a fallback): expected 1 .. 1e+24, found 0"},
        {HEAD "\"kind\": \"rate\", \"flops_per_s\": 1e9, \"notes\": {\"loud\": \"x\"}}",
         "p.json: /notes: unknown key 'loud'; did you mean 'load'?"},
        {HEAD "\"kind\": \"rate\", \"flops_per_s\": 1e9, \"load\": {\"overhead_s\": -1}}",
         "p.json: profile 'x': load.overhead_s: expected 0 .. 1e+09, found -1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_error(cases[i].text, cases[i].message);
    }
}
END_TEST

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

START_TEST(shipped_profiles_load_and_name_their_source)
{
    DIR *directory = opendir(profile_dirs[0]);
    ck_assert_ptr_nonnull(directory);
    const struct dirent *entry;
    int n = 0;
    while ((entry = readdir(directory))) {
        if (!ends_with(entry->d_name, ".json")) {
            continue;
        }
        char *path = ew_path_join(profile_dirs[0], entry->d_name);
        struct ew_profile *p = NULL;
        struct ew_error err = {0};
        ck_assert_msg(ew_profile_load_json(&p, path, &err) == EW_OK, "%s", err.message);
        ck_assert_msg(p->source[0] && p->confidence[0], "%s: no source or confidence", path);
        ew_profile_free(p);
        free(path);
        n++;
    }
    (void)closedir(directory);
    ck_assert_int_ge(n, 15);
}
END_TEST

/* Sum over the layers of one exit of Edgent's AlexNet. */
static double edgent_exit_s(const char *profile_name, const char *exit_name)
{
    struct ew_graph *g = NULL;
    struct ew_profile_pool pool = {.dirs = profile_dirs, .n_dirs = 1};
    struct ew_profile *p = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load_json(&g, EW_SOURCE_DIR "/dnn_graphs/edgent_alexnet.json", &err) ==
                      EW_OK,
                  "%s", err.message);
    ck_assert_msg(ew_profile_pool_get(&p, &pool, profile_name, &err) == EW_OK, "%s", err.message);
    bool *needed = calloc(g->n_layers, sizeof *needed);
    uint32_t exit = 0;
    ck_assert(needed && ew_graph_find_exit(&exit, g, exit_name));
    (void)ew_graph_exit_layers(needed, g, exit);
    double sum_s = 0;
    for (uint32_t i = 0; i < g->n_layers; i++) {
        const struct ew_cost_query query = {
            .graph = g, .layer = &g->layers[i], .out = ew_box_full(g->layers[i].shape)};
        sum_s += needed[i] ? ew_cost_compute_s(p, &query) : 0;
    }
    free(needed);
    ew_profile_pool_fini(&pool);
    ew_graph_free(g);
    return sum_s;
}

START_TEST(edgent_regressions_sum_to_the_known_totals)
{
    /* computed by hand from Table II for exit 5 (22 layers): bytes 1637 and 33.9 ms, elements 570
     * and 11.3 ms; the paper measured 1542 ms on the device and says about 10 ms for the server */
    ck_assert_double_eq_tol(edgent_exit_s("raspberry_pi_3.chainer_edgent_regression", "exit5"),
                            1.637, 0.0005);
    ck_assert_double_eq_tol(edgent_exit_s("desktop_pc.chainer_edgent_regression", "exit5"), 0.0339,
                            0.00005);
    ck_assert_double_eq_tol(
        edgent_exit_s("raspberry_pi_3.chainer_edgent_regression_elements", "exit5"), 0.570, 0.0005);
    ck_assert_double_eq_tol(edgent_exit_s("desktop_pc.chainer_edgent_regression_elements", "exit5"),
                            0.0113, 0.00005);
}
END_TEST

START_TEST(tensorrt_profiles_give_the_times_they_were_made_from)
{
    static const struct {
        const char *name;
        double vgg16_s;
    } cases[] = {{"jetson_nano.tensorrt_fp16", 0.120},
                 {"jetson_tx2.tensorrt_fp16", 0.055},
                 {"jetson_agx_xavier.tensorrt_fp16", 0.022},
                 {"raspberry_pi_3.distredge_cpu", 4.0}};
    struct ew_graph *g = NULL;
    struct ew_profile_pool pool = {.dirs = profile_dirs, .n_dirs = 1};
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load_json(&g, EW_SOURCE_DIR "/dnn_graphs/vgg16.json", &err) == EW_OK,
                  "%s", err.message);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct ew_profile *p = NULL;
        ck_assert_msg(ew_profile_pool_get(&p, &pool, cases[k].name, &err) == EW_OK, "%s",
                      err.message);
        double sum_s = 0;
        for (uint32_t i = 0; i < g->n_layers; i++) {
            const struct ew_cost_query query = {
                .graph = g, .layer = &g->layers[i], .out = ew_box_full(g->layers[i].shape)};
            sum_s += ew_cost_compute_s(p, &query);
        }
        /* rates are rounded to four digits */
        ck_assert_double_eq_tol(sum_s, cases[k].vgg16_s, 1e-3 * cases[k].vgg16_s);
    }
    ew_profile_pool_fini(&pool);
    ew_graph_free(g);
}
END_TEST

START_TEST(pool_loads_once_and_suggests_names)
{
    struct ew_profile_pool pool = {.dirs = profile_dirs, .n_dirs = 1};
    struct ew_profile *a = NULL, *b = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_profile_pool_get(&a, &pool, "jetson_nano.tensorrt_fp16", &err), EW_OK);
    ck_assert_int_eq(ew_profile_pool_get(&b, &pool, "jetson_nano.tensorrt_fp16", &err), EW_OK);
    ck_assert_ptr_eq(a, b);
    ck_assert_int_eq(ew_profile_pool_get(&b, &pool, "jetson_nano.tensorrt_fp61", &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "no profile 'jetson_nano.tensorrt_fp61' in " EW_SOURCE_DIR
                                  "/platforms/profiles; did you mean 'jetson_nano.tensorrt_fp16'?");
    ck_assert_int_eq(ew_profile_pool_get(&b, &pool, "../secret", &err), EW_EINPUT);
    ck_assert_str_eq(err.message,
                     "profile: expected a name like 'jetson_nano.tensorrt_fp16', found "
                     "'../secret'");
    ew_profile_pool_fini(&pool);
}
END_TEST

START_TEST(examples_of_the_manual_are_good)
{
    char *text = NULL;
    size_t size = 0;
    struct ew_error err = {0};
    ck_assert_msg(ew_file_read(&text, &size, EW_SOURCE_DIR "/docs/inputs-platforms.md", 1 << 20,
                               &err) == EW_OK,
                  "%s", err.message);
    static const char begin[] = "```json\n";
    int n = 0;
    for (const char *at = strstr(text, begin); at; at = strstr(at, begin)) {
        at += sizeof begin - 1;
        const char *end = strstr(at, "```");
        ck_assert_ptr_nonnull(end);
        struct ew_profile *p = NULL;
        ck_assert_msg(ew_profile_parse_json(&p, at, (size_t)(end - at), "manual", &err) == EW_OK,
                      "%s", err.message);
        ew_profile_free(p);
        n++;
    }
    ck_assert_int_eq(n, 3);
    free(text);
}
END_TEST

START_TEST(file_and_profile_have_the_same_name)
{
    char directory[] = "/tmp/ew_profile_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    char *path = ew_path_join(directory, "other.json");
    static const char text[] = HEAD "\"kind\": \"rate\", \"flops_per_s\": 1e9}";
    struct ew_profile *p = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_file_write(path, text, sizeof text - 1, &err), EW_OK);
    ck_assert_int_eq(ew_profile_load_json(&p, path, &err), EW_EINPUT);
    ck_assert_ptr_nonnull(
        strstr(err.message, "/name: expected the file's name without '.json', found 'x'"));
    (void)unlink(path);
    (void)rmdir(directory);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("profile_json");
    TCase *good = tcase_create("good"), *bad = tcase_create("bad"), *files = tcase_create("files");
    tcase_add_test(good, rate_is_read);
    tcase_add_test(good, class_rates_and_common_members_are_read);
    tcase_add_test(good, staircase_is_read);
    tcase_add_test(good, regression_is_read_per_op);
    tcase_add_test(good, table_is_sorted_and_keeps_its_fallback);
    tcase_add_test(bad, wrong_documents_are_refused);
    tcase_add_test(bad, file_and_profile_have_the_same_name);
    tcase_add_test(files, shipped_profiles_load_and_name_their_source);
    tcase_add_test(files, edgent_regressions_sum_to_the_known_totals);
    tcase_add_test(files, tensorrt_profiles_give_the_times_they_were_made_from);
    tcase_add_test(files, examples_of_the_manual_are_good);
    tcase_add_test(files, pool_loads_once_and_suggests_names);
    suite_add_tcase(suite, good);
    suite_add_tcase(suite, bad);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
