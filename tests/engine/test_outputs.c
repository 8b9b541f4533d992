/*
 * Whole models with weights from their files: what the kernels compute against what PyTorch
 * computed (tools/make_outputs.py). EW_OUTPUTS=FOLDER in the environment checks the models there,
 * too.
 */
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/exec/forward.h"
#include "engine/exec/model_weights.h"
#include "io/graph_json.h"
#include "io/onnx.h"
#include "support/suite.h"

#define SMALL EW_SOURCE_DIR "/tests/data/outputs"

static float *read_floats(size_t *n, const char *stem, const char *suffix)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", stem, suffix);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s: cannot open", path);
    struct stat info;
    ck_assert_int_eq(fstat(fileno(file), &info), 0);
    *n = (size_t)info.st_size / sizeof(float);
    float *values = calloc(*n + EW_KERNEL_SLACK, sizeof *values);
    ck_assert_ptr_nonnull(values);
    ck_assert_uint_eq(fread(values, sizeof *values, *n, file), *n);
    (void)fclose(file);
    return values;
}

static struct ew_graph *load(const char *stem, bool folds)
{
    char path[512];
    struct ew_error err = {0};
    struct ew_graph *graph = NULL;
    const struct ew_onnx_options options = {.folds_batchnorm = folds};
    (void)snprintf(path, sizeof path, "%s.onnx", stem);
    ck_assert_msg(ew_graph_load_onnx(&graph, path, &options, &err) == EW_OK, "%s", err.message);
    return graph;
}

/* Forward pass of a graph with its own weights; returns the answer, to be freed. */
static float *compute(size_t *n, const struct ew_graph *graph, const char *id, float *image)
{
    struct ew_error err = {0};
    struct ew_arena arena = {0};
    struct ew_weight_table table;
    struct ew_model_weights *weights = NULL;
    struct ew_forward *forward = NULL;
    enum ew_status status = ew_weight_table_make(&table, &arena, graph, NULL, &err);
    status = status ? status : ew_model_weights_open(&weights, &table, &err);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    const struct ew_weight_source source = ew_model_weights_source(weights);
    status =
        ew_forward_new(&forward, graph, graph->n_exits - 1, ew_kernels_find(id), &source, &err);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    const struct ew_tensor input = {image, ew_box_full(graph->layers[graph->inputs[0]].shape)};
    struct ew_tensor output;
    status = ew_forward_run(&output, forward, &input, NULL, &err);
    ck_assert_msg(status == EW_OK, "%s", err.message);
    *n = (size_t)ew_box_volume(&output.box);
    float *values = malloc(*n * sizeof *values);
    ck_assert_ptr_nonnull(values);
    memcpy(values, output.values, *n * sizeof *values);
    ew_forward_put(forward, &output);
    ew_forward_free(forward);
    ew_model_weights_close(weights);
    ew_arena_fini(&arena);
    return values;
}

/* Largest difference, as a part of the largest value. */
static double difference(const float *found, const float *expected, size_t n)
{
    double worst = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)found[i] - (double)expected[i]);
        worst = d <= worst ? worst : d; /* a NaN stays */
        largest = fmax(largest, fabs((double)expected[i]));
    }
    return worst / largest;
}

static void check_model(const char *stem, bool folds)
{
    size_t n_input, n_expected, n;
    float *image = read_floats(&n_input, stem, ".input");
    float *expected = read_floats(&n_expected, stem, ".output");
    struct ew_graph *graph = load(stem, folds);
    ck_assert_uint_eq(n_input, graph->layers[graph->inputs[0]].elements);
    float *found = compute(&n, graph, "reference", image);
    ck_assert_uint_eq(n, n_expected);
    const double worst = difference(found, expected, n);
    if (getenv("EW_OUTPUTS")) {
        printf("%s%s: %.2g of the largest value\n", graph->name, folds ? " (folded)" : "", worst);
    }
    ck_assert_msg(worst <= 1e-5, "%s: differs by %.3g of the largest value", stem, worst);
    free(found);
    free(expected);
    free(image);
    ew_graph_free(graph);
}

static uint32_t check_folder(const char *folder)
{
    uint32_t n = 0;
    DIR *dir = opendir(folder);
    ck_assert_msg(dir != NULL, "%s: cannot open", folder);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        const size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".onnx") == 0) {
            char stem[512];
            (void)snprintf(stem, sizeof stem, "%s/%.*s", folder, (int)length - 5, entry->d_name);
            check_model(stem, false);
            check_model(stem, true);
            n++;
        }
    }
    (void)closedir(dir);
    return n;
}

START_TEST(models_compute_what_pytorch_computes)
{
    ck_assert_uint_eq(check_folder(SMALL), 3);
    if (getenv("EW_OUTPUTS")) {
        ck_assert_uint_gt(check_folder(getenv("EW_OUTPUTS")), 0);
    }
}
END_TEST

/* The graph file that an import writes names the same weights and numbers. */
START_TEST(a_graph_file_gives_the_same_bits_as_the_model)
{
    static const char *const stems[] = {SMALL "/convolutions", SMALL "/transformer",
                                        SMALL "/rearranged"};
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++) {
        size_t n_input, n, n_again;
        float *image = read_floats(&n_input, stems[i], ".input");
        struct ew_error err = {0};
        struct ew_str text = {0};
        struct ew_graph *graph = load(stems[i], i == 0), *again = NULL;
        ew_graph_print_json(&text, graph, graph->weights_path);
        ck_assert_msg(ew_graph_parse_json(&again, ew_str_text(&text), text.length,
                                          EW_BINARY_DIR "/m.json", &err) == EW_OK,
                      "%s", err.message);
        float *found = compute(&n, graph, "reference", image);
        float *found_again = compute(&n_again, again, "reference", image);
        ck_assert_uint_eq(n, n_again);
        ck_assert_mem_eq(found, found_again, n * sizeof *found);
        free(found);
        free(found_again);
        free(image);
        ew_str_fini(&text);
        ew_graph_free(again);
        ew_graph_free(graph);
    }
}
END_TEST

/* ---- files that are not what they were ---- */

static char *copy_path(void)
{
    static char path[] = EW_BINARY_DIR "/test_outputs.onnx";
    return path;
}

static void copy_model(size_t n_left_out, size_t changed_at)
{
    FILE *from = fopen(SMALL "/convolutions.onnx", "rb");
    FILE *to = fopen(copy_path(), "wb");
    ck_assert(from && to);
    struct stat info;
    ck_assert_int_eq(fstat(fileno(from), &info), 0);
    for (size_t i = 0; i + n_left_out < (size_t)info.st_size; i++) {
        const int byte = fgetc(from);
        (void)fputc(i == changed_at ? byte ^ 1 : byte, to);
    }
    (void)fclose(from);
    (void)fclose(to);
}

static void expect_message(const struct ew_error *err, const char *part)
{
    ck_assert_msg(strstr(err->message, part) && strstr(err->message, "test_outputs.onnx"),
                  "expected '%s', found '%s'", part, err->message);
}

START_TEST(a_weights_file_that_changed_is_refused)
{
    struct ew_error err = {0};
    struct ew_arena arena = {0};
    struct ew_weight_table table;
    struct ew_model_weights *weights = NULL;
    struct ew_graph *graph = load(SMALL "/convolutions", false);
    copy_model(0, SIZE_MAX);
    ck_assert(ew_weight_table_make(&table, &arena, graph, copy_path(), &err) == EW_OK);
    ck_assert(ew_model_weights_open(&weights, &table, &err) == EW_OK);
    ew_model_weights_close(weights);
    copy_model(0, 5000);
    ck_assert(ew_model_weights_open(&weights, &table, &err) == EW_EINPUT);
    expect_message(&err, "its contents differ");
    copy_model(1, SIZE_MAX);
    ck_assert(ew_model_weights_open(&weights, &table, &err) == EW_EINPUT);
    expect_message(&err, "bytes as the coordinator has");
    (void)unlink(copy_path());
    ck_assert(ew_model_weights_open(&weights, &table, &err) == EW_EIO);
    expect_message(&err, "No such file");
    ew_arena_fini(&arena);
    ew_graph_free(graph);
}
END_TEST

START_TEST(a_weights_file_that_is_too_short_names_the_tensor)
{
    struct ew_error err = {0};
    struct ew_arena arena = {0};
    struct ew_weight_table table;
    struct ew_graph *graph = load(SMALL "/convolutions", false);
    copy_model(20000, SIZE_MAX);
    ck_assert(ew_weight_table_make(&table, &arena, graph, copy_path(), &err) == EW_EINPUT);
    expect_message(&err, "but the file has");
    expect_message(&err, "layer '");
    ew_arena_fini(&arena);
    (void)unlink(copy_path());
    ck_assert(ew_weight_table_make(&table, &arena, graph, copy_path(), &err) == EW_EIO);
    expect_message(&err, "No such file");
    ew_arena_fini(&arena);
    ew_graph_free(graph);
}
END_TEST

/* float16 1.5, bfloat16 -2.5, float64 0.1, as an fc of one input each would read them. */
START_TEST(number_formats_are_converted)
{
    static const struct {
        const char *dtype;
        unsigned char bytes[8];
        uint64_t size;
        float value;
    } cases[] = {{"float16", {0x00, 0x3e}, 2, 1.5f},
                 {"float16", {0x01, 0x80}, 2, -0x1p-24f},
                 {"bfloat16", {0x20, 0xc0}, 2, -2.5f},
                 {"float64", {0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f}, 8, 0.1f},
                 {"float32", {0x00, 0x00, 0x80, 0x3f}, 4, 1.0f}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *file = fopen(copy_path(), "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(cases[i].bytes, 1, 8, file), 8);
        (void)fclose(file);
        char json[512];
        (void)snprintf(json, sizeof json,
                       "{\"schema\": \"edgeweave.graph/1\", \"name\": \"n\", \"weights_file\": "
                       "\"test_outputs.onnx\", "
                       "\"inputs\": [{\"name\": \"x\", \"shape\": [1, 1, 1, 1]}], \"layers\": "
                       "[{\"name\": \"y\", \"op\": \"fc\", \"out_channels\": 1, \"bias\": false, "
                       "\"weights\": [{\"role\": \"weight\", \"name\": \"w\", \"dtype\": \"%s\", "
                       "\"shape\": [1, 1], \"offset_bytes\": 0, \"size_bytes\": %d}]}]}",
                       cases[i].dtype, (int)cases[i].size);
        struct ew_error err = {0};
        struct ew_graph *graph = NULL;
        ck_assert_msg(
            ew_graph_parse_json(&graph, json, strlen(json), EW_BINARY_DIR "/n.json", &err) == EW_OK,
            "%s", err.message);
        float image[1 + EW_KERNEL_SLACK] = {1.0f};
        size_t n;
        float *found = compute(&n, graph, "reference", image);
        ck_assert_float_eq(found[0], cases[i].value);
        free(found);
        ew_graph_free(graph);
    }
    (void)unlink(copy_path());
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        models_compute_what_pytorch_computes,   a_graph_file_gives_the_same_bits_as_the_model,
        a_weights_file_that_changed_is_refused, a_weights_file_that_is_too_short_names_the_tensor,
        number_formats_are_converted,
    };
    return run_suite("outputs", tests, sizeof tests / sizeof *tests);
}
