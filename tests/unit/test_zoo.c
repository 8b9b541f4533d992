/*
 * The shipped graphs against published counts and, for torchvision's networks, against the shapes
 * and counts of every module (tests/data). EW_SOURCE_DIR is the root of the source tree.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "io/graph_json.h"
#include "support/suite.h"

enum { MAX_FIELDS = 8, MAX_CSV_BYTES = 1 << 20 };

static struct ew_graph *load(const char *name)
{
    const char *const dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, name, dirs, 1, &err) == EW_OK, "%s", err.message);
    ck_assert_str_eq(graph->name, name);
    return graph;
}

/* ---- a small reader for our own CSV files: no quotes, '#' comments, one header line ---- */

struct csv {
    char *text;
    char *next;
    char *fields[MAX_FIELDS];
};

static bool next_row(struct csv *csv)
{
    while (*csv->next) {
        char *line = csv->next;
        char *end = line + strcspn(line, "\n");
        csv->next = *end ? end + 1 : end;
        *end = '\0';
        if (*line == '#' || *line == '\0') {
            continue;
        }
        for (size_t i = 0; i < MAX_FIELDS; i++) {
            csv->fields[i] = line;
            line += strcspn(line, ",");
            if (*line) {
                *line++ = '\0';
            }
        }
        return true;
    }
    return false;
}

static void open_csv(struct csv *csv, const char *path)
{
    size_t size = 0;
    struct ew_error err = {0};
    ck_assert_msg(ew_file_read(&csv->text, &size, path, MAX_CSV_BYTES, &err) == EW_OK, "%s",
                  err.message);
    csv->next = csv->text;
    ck_assert(next_row(csv)); /* the header */
}

static uint64_t count_of(const char *text)
{
    uint64_t x = 0;
    ck_assert_msg(ew_parse_u64(text, &x), "not a count: '%s'", text);
    return x;
}

/* ---- totals ---- */

/* Inception v3's published parameters include the auxiliary head, which evaluation does not run:
 * conv 768->128 1x1, conv 128->768 5x5 (both without bias, with batchnorm), fc 768->1000. */
static const uint64_t inception_aux_params =
    768 * 128 + 2 * 128 + 128 * 768 * 25 + 2 * 768 + 768 * 1000 + 1000;

START_TEST(totals_equal_model_facts)
{
    struct csv csv;
    open_csv(&csv, EW_SOURCE_DIR "/tests/data/model_facts.csv");
    int n = 0;
    while (next_row(&csv)) { /* model, input, params, macs, acc1_pct, note */
        const char *model = csv.fields[0];
        struct ew_graph *g = load(model);
        const struct ew_layer *data = &g->layers[g->inputs[0]];
        ck_assert_int_eq(data->shape[EW_H], (int)count_of(csv.fields[1]));
        const uint64_t aux = strcmp(model, "inception_v3") == 0 ? inception_aux_params : 0;
        ck_assert_msg(g->params + aux == count_of(csv.fields[2]), "%s: params %llu", model,
                      (unsigned long long)g->params);
        if (*csv.fields[3]) {
            ck_assert_msg(g->macs == count_of(csv.fields[3]), "%s: macs %llu", model,
                          (unsigned long long)g->macs);
        }
        double accuracy_pct = 0;
        if (ew_parse_double(csv.fields[4], &accuracy_pct)) {
            ck_assert_double_eq_tol(g->exits[0].accuracy, accuracy_pct / 100, 1e-12);
        }
        ew_graph_free(g);
        n++;
    }
    ck_assert_int_eq(n, 11);
    free(csv.text);
}
END_TEST

/* ---- torchvision, module by module ---- */

static void parse_shape(int32_t shape[EW_DIMS], const char *text)
{
    int d = 0;
    for (; d < EW_DIMS; d++) {
        shape[d] = 1;
    }
    for (d = 0; *text; d++) {
        ck_assert_int_lt(d, EW_DIMS);
        char *end = NULL;
        shape[d] = (int32_t)strtol(text, &end, 10);
        ck_assert_ptr_ne(end, text);
        text = *end == 'x' ? end + 1 : end;
    }
}

static bool is_op_of_type(enum ew_op op, const char *type)
{
    static const struct {
        const char *type;
        enum ew_op op, alternative;
    } types[] = {
        {"Conv2d", EW_OP_CONV, EW_OP_CONV},
        {"BatchNorm2d", EW_OP_BATCHNORM, EW_OP_BATCHNORM},
        {"ReLU", EW_OP_RELU, EW_OP_RELU},
        {"ReLU6", EW_OP_RELU6, EW_OP_RELU6},
        {"MaxPool2d", EW_OP_MAX_POOL, EW_OP_MAX_POOL},
        {"AdaptiveAvgPool2d", EW_OP_GLOBAL_AVG_POOL, EW_OP_IDENTITY},
        {"Dropout", EW_OP_DROPOUT, EW_OP_DROPOUT},
        {"Linear", EW_OP_FC, EW_OP_FC},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i].type) == 0) {
            return op == types[i].op || op == types[i].alternative;
        }
    }
    return false;
}

/* Layer of the k-th run of a module: "relu", "relu_2", … */
static uint32_t find_run(const struct ew_graph *g, const char *module, unsigned run)
{
    char name[128];
    if (run == 1) {
        (void)snprintf(name, sizeof name, "%s", module);
    } else {
        (void)snprintf(name, sizeof name, "%s_%u", module, run);
    }
    uint32_t id = 0;
    ck_assert_msg(ew_graph_find_layer(&id, g, name), "%s: no layer %s", g->name, name);
    return id;
}

static void check_shape(const struct ew_layer *layer, const int32_t got[EW_DIMS], const char *text)
{
    int32_t want[EW_DIMS];
    parse_shape(want, text);
    ck_assert_msg(memcmp(got, want, sizeof want) == 0, "%s: got %dx%dx%d, want %s", layer->name,
                  (int)got[EW_C], (int)got[EW_H], (int)got[EW_W], text);
}

static bool has_rows(enum ew_op op)
{
    return op == EW_OP_CONV || op == EW_OP_FC || op == EW_OP_BATCHNORM || op == EW_OP_DROPOUT;
}

/* Every conv, fc, batchnorm and dropout of the graph had a row. */
static void check_complete(const struct ew_graph *g, uint32_t n_rows)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n_layers; i++) {
        n += has_rows(g->layers[i].op);
    }
    ck_assert_msg(n == n_rows, "%s: %u layers, %u rows", g->name, (unsigned)n, (unsigned)n_rows);
}

START_TEST(modules_equal_torchvision)
{
    struct csv csv;
    open_csv(&csv, EW_SOURCE_DIR "/tests/data/torchvision_layers.csv");
    struct ew_graph *g = NULL;
    unsigned runs[1024] = {0}; /* per layer of the current graph */
    uint32_t last = 0, n_rows = 0, n_models = 0;
    while (next_row(&csv)) { /* model, layer, type, in_shape, out_shape, macs, params */
        char **f = csv.fields;
        if (!g || strcmp(g->name, f[0]) != 0) {
            if (g) {
                check_complete(g, n_rows);
            }
            ew_graph_free(g);
            g = load(f[0]);
            memset(runs, 0, sizeof runs);
            last = n_rows = 0;
            n_models++;
        }
        const uint32_t first = find_run(g, f[1], 1);
        ck_assert_uint_lt(first, sizeof runs / sizeof *runs);
        const uint32_t id = find_run(g, f[1], ++runs[first]);
        const struct ew_layer *layer = &g->layers[id];
        ck_assert_msg(id > last, "%s: %s out of order", f[0], layer->name);
        last = id;
        n_rows += has_rows(layer->op);
        ck_assert_msg(is_op_of_type(layer->op, f[2]), "%s: %s is %s", f[0], layer->name, f[2]);
        check_shape(layer, layer->in_shape[0], f[3]);
        check_shape(layer, layer->shape, f[4]);
        ck_assert_uint_eq(layer->macs, count_of(f[5]));
        ck_assert_uint_eq(layer->params, count_of(f[6]));
    }
    ck_assert_ptr_nonnull(g);
    check_complete(g, n_rows);
    ew_graph_free(g);
    ck_assert_uint_eq(n_models, 10);
    free(csv.text);
}
END_TEST

/* ---- the others ---- */

static void expect_output(const struct ew_graph *g, const char *name, int32_t c, int32_t h,
                          int32_t w)
{
    uint32_t id = 0;
    ck_assert_msg(ew_graph_find_layer(&id, g, name), "no layer %s", name);
    const int32_t *s = g->layers[id].shape;
    ck_assert_msg(s[EW_C] == c && s[EW_H] == h && s[EW_W] == w, "%s: got %dx%dx%d", name,
                  (int)s[EW_C], (int)s[EW_H], (int)s[EW_W]);
}

START_TEST(mobilenet_v1_matches_its_paper)
{
    /* MMACs and Mparams as published with the TensorFlow models; 0.75 has 325 MMACs in the paper.
     * ncnn's file of the same network, batchnorm folded into biases: 568740352 MACs. */
    static const struct {
        const char *name;
        uint64_t macs;
        double mparams, accuracy;
    } nets[] = {{"mobilenet_v1", 568740352, 4.24, 0.709},
                {"mobilenet_v1_0.75", 325400448, 2.59, 0.684},
                {"mobilenet_v1_0.5", 149497088, 1.34, 0.633},
                {"mobilenet_v1_0.25", 41030272, 0.47, 0.498}};
    struct ew_graph *base = load(nets[0].name);
    ck_assert_uint_eq(base->n_variants, 4);
    for (uint32_t i = 0; i < 4; i++) {
        struct ew_graph *g = load(nets[i].name);
        ck_assert_uint_eq(g->macs, nets[i].macs);
        ck_assert_double_eq_tol((double)g->params / 1e6, nets[i].mparams, 0.01);
        expect_output(g, "conv13.pw.relu6", 32 * g->layers[1].shape[EW_C], 7, 7); /* 1024 to 32 */
        const struct ew_variant *v = &base->variants[i];
        ck_assert_double_eq(v->accuracy, nets[i].accuracy);
        ck_assert_uint_eq(v->graph->macs, g->macs);
        ck_assert_uint_eq(v->graph->n_layers, base->n_layers);
        ew_graph_free(g);
    }
    ew_graph_free(base);
}
END_TEST

START_TEST(vgg_f_has_the_paper_shapes)
{
    struct ew_graph *g = load("vgg_f");
    expect_output(g, "conv1", 64, 54, 54); /* (224 - 11) / 4 + 1 */
    expect_output(g, "pool1", 64, 27, 27);
    expect_output(g, "pool2", 256, 13, 13);
    expect_output(g, "pool5", 256, 6, 6); /* fc6: 6 x 6 x 256 */
    /* conv1 64x3x11x11, conv2 256x64x5x5, conv3..5 256x256x3x3, fc 9216-4096-4096-1000, biases */
    const uint64_t weights =
        64 * 363 + 256 * 1600 + 3 * 256 * 2304 + UINT64_C(4096) * (9216 + 4096 + 1000);
    ck_assert_uint_eq(g->params, weights + 64 + 4 * 256 + 2 * 4096 + 1000);
    ck_assert(isnan(g->exits[0].accuracy));
    ew_graph_free(g);
}
END_TEST

START_TEST(yolov2_matches_darknet)
{
    struct ew_graph *g = load("yolov2");
    expect_output(g, "16.conv.leaky", 512, 26, 26);
    expect_output(g, "27.reorg", 256, 13, 13);
    expect_output(g, "28.route", 1280, 13, 13);
    expect_output(g, "30.conv", 425, 13, 13);
    /* darknet says 62.94 BFLOP (2 per multiply-accumulate) at 608: (416/608)^2 of it */
    ck_assert_double_eq_tol(2e-9 * (double)g->macs, 62.94 * 416 * 416 / (608.0 * 608), 0.01);
    uint32_t reorg = 0, quarter = 0;
    ck_assert(ew_graph_find_layer(&reorg, g, "27.reorg"));
    ck_assert(ew_graph_find_layer(&quarter, g, "27.reorg.2"));
    /* Space to depth by 2: rows [r0, r1) read rows [2 r0, 2 r1). */
    const struct ew_op_view view = ew_layer_view(&g->layers[quarter]);
    const struct ew_box rows = {{0, 0, 4, 0}, {1, 64, 7, 13}};
    const struct ew_box need = ew_op_input_box(&view, 0, &rows, NULL);
    ck_assert_int_eq(need.lo[EW_H], 8);
    ck_assert_int_eq(need.hi[EW_H], 14);
    ew_graph_free(g);
}
END_TEST

START_TEST(edgent_alexnet_matches_figure_3)
{
    struct ew_graph *g = load("edgent_alexnet");
    /* Output bytes of the 22 layers of the main branch, digitised. */
    static const struct {
        const char *layer;
        uint32_t bytes;
    } outputs[] = {{"conv_1", 262144},  {"relu_1", 262144},  {"pool_1", 65536}, {"lrn_1", 65536},
                   {"conv_2", 131072},  {"relu_2", 131072},  {"pool_2", 32768}, {"lrn_2", 32768},
                   {"conv_3", 49152},   {"relu_3", 49152},   {"conv_4", 49152}, {"relu_4", 49152},
                   {"conv_5", 32768},   {"relu_5", 32768},   {"pool_3", 8192},  {"fc_1", 2048},
                   {"relu_6", 2048},    {"dropout_1", 2048}, {"fc_2", 1024},    {"relu_7", 1024},
                   {"dropout_2", 1024}, {"fc_3", 40}};
    for (uint32_t i = 0; i < 22; i++) {
        ck_assert_str_eq(g->layers[i + 1].name, outputs[i].layer); /* main branch first */
        ck_assert_uint_eq(4 * g->layers[i + 1].elements, outputs[i].bytes);
    }
    /* Layers of the sub-models, the input not counted; weights of the full one. */
    static const uint32_t counts[] = {12, 16, 19, 20, 22};
    bool *needed = calloc(g->n_layers, sizeof *needed);
    ck_assert_ptr_nonnull(needed);
    ck_assert_uint_eq(g->n_exits, 5);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(ew_graph_exit_layers(needed, g, i), counts[i] + 1);
        ck_assert(i == 0 || g->exits[i].accuracy > g->exits[i - 1].accuracy);
    }
    free(needed);
    ck_assert_uint_eq(g->params, 2165952);
    ck_assert_double_eq(g->exits[0].accuracy, 0.747);
    ck_assert_double_eq(g->exits[4].accuracy, 0.782);
    ew_graph_free(g);
}
END_TEST

/* Published parameters: torchvision's ssd300_vgg16 35 641 826, with a scale of 512 that the graph
 * leaves out; OpenPose's body model 52 311 446. Shapes: SSD's six maps, OpenPose's eighth of 368,
 * VoxelNet's half of 400x352. */
START_TEST(detectors_match_published_counts)
{
    static const struct {
        const char *name;
        uint64_t params;
        const char *layer;
        int32_t shape[3];
    } nets[] = {
        {"ssd_vgg16", 35641826 - 512, "conv8_2", {512, 10, 10}},
        {"ssd_vgg16", 35641826 - 512, "conv11_2", {256, 1, 1}},
        {"ssd_resnet50", 0, "layer3.5.add", {1024, 38, 38}},
        {"ssd_resnet50", 0, "additional.4.3", {256, 1, 1}},
        {"openpose", 52311446, "concat_stage2", {185, 46, 46}},
        {"voxelnet", 0, "concat", {768, 200, 176}},
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        struct ew_graph *g = load(nets[i].name);
        uint32_t id = 0;
        ck_assert(ew_graph_find_layer(&id, g, nets[i].layer));
        ck_assert_int_eq(g->layers[id].shape[EW_C], nets[i].shape[0]);
        ck_assert_int_eq(g->layers[id].shape[EW_H], nets[i].shape[1]);
        ck_assert_int_eq(g->layers[id].shape[EW_W], nets[i].shape[2]);
        ck_assert_msg(!nets[i].params || g->params == nets[i].params, "%s: params %llu",
                      nets[i].name, (unsigned long long)g->params);
        ew_graph_free(g);
    }
}
END_TEST

static Suite *zoo_suite(void)
{
    Suite *suite = begin_suite("zoo");
    TCase *facts = tcase_create("facts");
    tcase_set_timeout(facts, 30);
    tcase_add_test(facts, totals_equal_model_facts);
    tcase_add_test(facts, modules_equal_torchvision);
    suite_add_tcase(suite, facts);
    TCase *others = tcase_create("others");
    tcase_add_test(others, mobilenet_v1_matches_its_paper);
    tcase_add_test(others, vgg_f_has_the_paper_shapes);
    tcase_add_test(others, yolov2_matches_darknet);
    tcase_add_test(others, edgent_alexnet_matches_figure_3);
    tcase_add_test(others, detectors_match_published_counts);
    suite_add_tcase(suite, others);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(zoo_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
