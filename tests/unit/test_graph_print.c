/*
 * Graphs written as JSON read back as the same graph: the ready ones, random ones with every op,
 * and one with weights.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/graph_json.h"
#include "support/random_scenario.h"
#include "support/suite.h"

static struct ew_graph *reread(const char *text, const char *path)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_parse_json(&graph, text, strlen(text), path, &err) == EW_OK, "%s\n%s",
                  err.message, text);
    return graph;
}

static void expect_same_layer(const struct ew_layer *a, const struct ew_layer *b)
{
    const struct ew_op_view va = ew_layer_view(a), vb = ew_layer_view(b);
    const struct ew_box full = ew_box_full(a->shape);
    ck_assert_str_eq(a->name, b->name);
    ck_assert_int_eq(a->op, b->op);
    ck_assert_mem_eq(a->shape, b->shape, sizeof a->shape);
    ck_assert_uint_eq(a->params, b->params);
    ck_assert_uint_eq(a->macs, b->macs);
    ck_assert_uint_eq(ew_op_simple_ops(&va, &full), ew_op_simple_ops(&vb, &full));
    ck_assert_uint_eq(a->n_inputs, b->n_inputs);
    for (uint32_t i = 0; i < a->n_inputs; i++) {
        ck_assert_uint_eq(a->inputs[i], b->inputs[i]);
        struct ew_box corner = full;
        for (int d = EW_C; d < EW_DIMS; d++) {
            corner.lo[d] = corner.hi[d] / 2;
        }
        const struct ew_box ra = ew_op_input_box(&va, i, &corner, NULL),
                            rb = ew_op_input_box(&vb, i, &corner, NULL);
        ck_assert(ew_box_equal(&ra, &rb));
    }
}

static void expect_round_trip(const struct ew_graph *graph)
{
    struct ew_str text = {0}, again = {0};
    ew_graph_print_json(&text, graph, NULL);
    ck_assert(!text.failed);
    struct ew_graph *back = reread(ew_str_text(&text), NULL);
    ck_assert_uint_eq(back->n_layers, graph->n_layers);
    for (uint32_t i = 0; i < graph->n_layers; i++) {
        expect_same_layer(&graph->layers[i], &back->layers[i]);
    }
    ck_assert_uint_eq(back->macs, graph->macs);
    ck_assert_uint_eq(back->params, graph->params);
    ck_assert_uint_eq(back->n_exits, graph->n_exits);
    ew_graph_print_json(&again, back, NULL);
    ck_assert_str_eq(ew_str_text(&text), ew_str_text(&again));
    ew_graph_free(back);
    ew_str_fini(&text);
    ew_str_fini(&again);
}

START_TEST(ready_graphs_survive_writing)
{
    static const char *const names[] = {"alexnet",      "googlenet", "inception_v3",
                                        "mobilenet_v1", "resnet50",  "yolov2",
                                        "vgg_f",        "vgg16",     "edgent_alexnet"};
    const char *const dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, names[_i], dirs, 1, &err) == EW_OK, "%s", err.message);
    expect_round_trip(graph);
    ew_graph_free(graph);
}
END_TEST

START_TEST(random_graphs_survive_writing)
{
    bool was_seen[EW_OP_COUNT] = {false};
    struct ew_rng rng = ew_rng_make(11, "graph_print");
    for (int i = 0; i < 400; i++) {
        struct ew_graph *graph = random_graph(&rng);
        for (uint32_t l = 0; l < graph->n_layers; l++) {
            was_seen[graph->layers[l].op] = true;
        }
        expect_round_trip(graph);
        ew_graph_free(graph);
    }
    for (int op = EW_OP_CONV_TRANSPOSE; op < EW_OP_COUNT; op++) { /* ready graphs have the others */
        ck_assert_msg(was_seen[op], "no random graph has a %s", ew_op_name((enum ew_op)op));
    }
}
END_TEST

START_TEST(weights_survive_writing)
{
    struct ew_graph *graph = reread(
        "{\"schema\": \"edgeweave.graph/1\", \"name\": \"w\", \"weights_file\": \"w.onnx\","
        "\"inputs\": [{\"name\": \"x\", \"shape\": [1, 8]}], \"layers\": ["
        "{\"name\": \"f\", \"op\": \"fc\", \"out_channels\": 4, \"bias\": false, \"weights\": ["
        "{\"role\": \"weight\", \"name\": \"f.weight\", \"dtype\": \"float32\", \"shape\": [8, 4],"
        " \"offset_bytes\": 96, \"size_bytes\": 128, \"transposed\": true}]}]}",
        "/some/where/g.json");
    ck_assert_str_eq(graph->weights_path, "/some/where/w.onnx");
    struct ew_str text = {0};
    ew_graph_print_json(&text, graph, "../w.onnx");
    struct ew_graph *back = reread(ew_str_text(&text), "/some/other/g.json");
    ck_assert_str_eq(back->weights_path, "/some/other/../w.onnx");
    const struct ew_layer *layer = &back->layers[1];
    ck_assert_uint_eq(layer->n_weights, 1);
    ck_assert_str_eq(layer->weights[0].role, "weight");
    ck_assert_str_eq(layer->weights[0].name, "f.weight");
    ck_assert_str_eq(layer->weights[0].dtype, "float32");
    ck_assert_uint_eq(layer->weights[0].offset_bytes, 96);
    ck_assert_uint_eq(layer->weights[0].size_bytes, 128);
    ck_assert_uint_eq(layer->weights[0].n_dims, 2);
    ck_assert_uint_eq(layer->weights[0].dims[0], 8);
    ck_assert(layer->weights[0].is_transposed);
    ew_graph_free(back);
    ew_graph_free(graph);
    ew_str_fini(&text);
}
END_TEST

static Suite *graph_print_suite(void)
{
    Suite *suite = begin_suite("graph_print");
    TCase *writing = tcase_create("write");
    tcase_add_loop_test(writing, ready_graphs_survive_writing, 0, 9);
    tcase_add_test(writing, random_graphs_survive_writing);
    tcase_add_test(writing, weights_survive_writing);
    suite_add_tcase(suite, writing);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(graph_print_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
