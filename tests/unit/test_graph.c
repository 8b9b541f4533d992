/*
 * Graph construction from descriptions: order, names, shapes, consumers, exits, counts, variants.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/graph.h"
#include "support/suite.h"

enum { MAX_LAYERS = 16 };

/* A description under construction, with storage of its own. */
struct draft {
    struct ew_layer_desc layers[MAX_LAYERS];
    const char *inputs[MAX_LAYERS][4];
    struct ew_graph_desc desc;
};

static void init_draft(struct draft *d)
{
    memset(d, 0, sizeof *d);
    d->desc.name = "net";
    d->desc.accuracy = 0.75;
    d->desc.bytes_per_element = 4;
    d->desc.layers = d->layers;
}

static struct ew_layer_desc *add_layer(struct draft *d, const char *name, enum ew_op op,
                                       const char *a, const char *b)
{
    const uint32_t i = d->desc.n_layers++;
    ck_assert_uint_lt(i, MAX_LAYERS);
    struct ew_layer_desc *layer = &d->layers[i];
    d->inputs[i][0] = a;
    d->inputs[i][1] = b;
    layer->name = name;
    layer->op = op;
    layer->inputs = d->inputs[i];
    layer->n_inputs = b ? 2 : a ? 1 : 0;
    return layer;
}

static struct ew_layer_desc *add_input(struct draft *d, const char *name, int32_t c, int32_t h,
                                       int32_t w)
{
    struct ew_layer_desc *layer = add_layer(d, name, EW_OP_INPUT, NULL, NULL);
    const int32_t shape[EW_DIMS] = {1, c, h, w};
    memcpy(layer->shape, shape, sizeof shape);
    return layer;
}

static struct ew_layer_desc *add_conv(struct draft *d, const char *name, const char *input,
                                      int32_t out_channels)
{
    struct ew_layer_desc *layer = add_layer(d, name, EW_OP_CONV, input, NULL);
    layer->attrs = (struct ew_op_attrs){.out_channels = out_channels,
                                        .kernel = {3, 3},
                                        .stride = {1, 1},
                                        .pads = {1, 1, 1, 1},
                                        .dilation = {1, 1},
                                        .groups = 1,
                                        .has_bias = true};
    return layer;
}

static struct ew_layer_desc *add_fc(struct draft *d, const char *name, const char *input,
                                    int32_t out_channels)
{
    struct ew_layer_desc *layer = add_layer(d, name, EW_OP_FC, input, NULL);
    layer->attrs.out_channels = out_channels;
    return layer;
}

static struct ew_graph *make(const struct draft *d)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_make(&graph, &d->desc, &err) == EW_OK, "%s", err.message);
    return graph;
}

static void expect_error(const struct draft *d, const char *message)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_graph_make(&graph, &d->desc, &err), EW_EINPUT);
    ck_assert_ptr_null(graph);
    ck_assert_str_eq(err.message, message);
}

static void expect_order(const struct ew_graph *g, const char *names)
{
    char got[256] = "";
    for (uint32_t i = 0; i < g->n_layers; i++) {
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "",
                       g->layers[i].name);
    }
    ck_assert_str_eq(got, names);
}

/* data -> a -> {b, c} -> sum -> fc */
static void draft_diamond(struct draft *d)
{
    init_draft(d);
    add_input(d, "data", 3, 8, 8);
    add_conv(d, "a", "data", 4);
    add_conv(d, "b", "a", 4);
    add_conv(d, "c", "a", 4);
    add_layer(d, "sum", EW_OP_ADD, "b", "c");
    add_fc(d, "fc", "sum", 10);
}

START_TEST(make_keeps_file_order_when_it_is_topological)
{
    struct draft d;
    draft_diamond(&d);
    struct ew_graph *g = make(&d);
    expect_order(g, "data a b c sum fc");
    ck_assert_uint_eq(g->n_inputs, 1);
    ck_assert_uint_eq(g->inputs[0], 0);
    ew_graph_free(g);
}
END_TEST

START_TEST(make_moves_inputs_before_readers)
{
    struct draft d;
    init_draft(&d);
    add_fc(&d, "fc", "sum", 10);
    add_layer(&d, "sum", EW_OP_ADD, "b", "c");
    add_conv(&d, "free", "data", 4);
    add_conv(&d, "c", "a", 4);
    add_conv(&d, "b", "a", 4);
    add_conv(&d, "a", "data", 4);
    add_input(&d, "data", 3, 8, 8);
    struct ew_graph *g = make(&d);
    expect_order(g, "data a b c sum fc free");
    for (uint32_t i = 0; i < g->n_layers; i++) {
        for (uint32_t k = 0; k < g->layers[i].n_inputs; k++) {
            ck_assert_uint_lt(g->layers[i].inputs[k], i);
        }
    }
    ew_graph_free(g);
}
END_TEST

START_TEST(make_infers_shapes_and_counts)
{
    struct draft d;
    draft_diamond(&d);
    struct ew_graph *g = make(&d);
    const struct ew_layer *fc = &g->layers[5];
    ck_assert_int_eq(fc->in_shape[0][EW_C], 4);
    ck_assert_int_eq(fc->in_shape[0][EW_W], 8);
    ck_assert_int_eq(fc->shape[EW_C], 10);
    ck_assert_uint_eq(fc->elements, 10);
    /* a: 4 x 27 + 4; b, c: 4 x 36 + 4; fc: 10 x 256, no bias */
    ck_assert_uint_eq(g->params, 112 + 2 * 148 + 2560);
    ck_assert_uint_eq(g->macs, 64 * (108 + 2 * 144) + 2560);
    ew_graph_free(g);
}
END_TEST

START_TEST(make_lists_consumers_once_ascending)
{
    struct draft d;
    draft_diamond(&d);
    add_layer(&d, "twice", EW_OP_ADD, "a", "a");
    struct ew_graph *g = make(&d);
    const struct ew_layer *a = &g->layers[1];
    ck_assert_uint_eq(a->n_consumers, 3);
    ck_assert_uint_eq(a->consumers[0], 2);
    ck_assert_uint_eq(a->consumers[1], 3);
    ck_assert_uint_eq(a->consumers[2], 6);
    ck_assert_uint_eq(g->layers[5].n_consumers, 0);
    ck_assert_uint_eq(g->layers[6].n_inputs, 2);
    ew_graph_free(g);
}
END_TEST

START_TEST(make_copies_everything)
{
    struct draft d;
    draft_diamond(&d);
    char name[8] = "a";
    d.layers[1].name = name;
    struct ew_graph *g = make(&d);
    name[0] = 'z';
    memset(&d, 0, sizeof d);
    uint32_t id = 99;
    ck_assert(ew_graph_find_layer(&id, g, "a"));
    ck_assert_uint_eq(id, 1);
    ck_assert(!ew_graph_find_layer(&id, g, "z"));
    ck_assert_str_eq(g->name, "net");
    ck_assert_str_eq(g->source, "");
    ck_assert_str_eq(g->path, "");
    ew_graph_free(g);
}
END_TEST

START_TEST(make_completes_depthwise)
{
    struct draft d;
    init_draft(&d);
    add_input(&d, "data", 6, 8, 8);
    struct ew_layer_desc *layer = add_conv(&d, "dw", "data", 2);
    layer->attrs.groups = 0;
    struct ew_graph *g = make(&d);
    ck_assert_int_eq(g->layers[1].attrs.groups, 6);
    ck_assert_int_eq(g->layers[1].shape[EW_C], 12);
    ck_assert_uint_eq(g->macs, 12 * 9 * 64);
    ew_graph_free(g);
    layer->attrs.out_channels = 0;
    expect_error(&d, "layer 'dw': multiplier: expected 1..2796202 for 6 input channels, found 0");
}
END_TEST

/* ---- what is refused ---- */

START_TEST(make_refuses_unknown_input)
{
    struct draft d;
    draft_diamond(&d);
    d.layers[4].place = "/layers/3";
    d.inputs[4][1] = "cc";
    expect_error(&d, "/layers/3: layer 'sum': input 1: there is no layer 'cc'; did you mean 'c'?");
    d.inputs[4][1] = "backbone";
    expect_error(&d, "/layers/3: layer 'sum': input 1: there is no layer 'backbone'");
}
END_TEST

START_TEST(make_refuses_duplicate_names)
{
    struct draft d;
    draft_diamond(&d);
    d.layers[2].place = "/layers/1";
    d.layers[3].place = "/layers/2";
    d.layers[3].name = "b";
    expect_error(&d, "/layers/2: layer 'b': expected a unique name, found another layer of that "
                     "name at /layers/1");
}
END_TEST

START_TEST(make_names_a_layer_on_a_cycle)
{
    struct draft d;
    draft_diamond(&d);
    d.inputs[2][0] = "sum"; /* sum -> b -> sum */
    expect_error(&d, "layer 'b': depends on itself through 'sum': the graph has a cycle");
    draft_diamond(&d);
    d.inputs[2][0] = "b";
    expect_error(&d, "layer 'b': reads its own output: the graph has a cycle");
}
END_TEST

START_TEST(make_refuses_no_input_and_no_layer)
{
    struct draft d;
    init_draft(&d);
    expect_error(&d, "expected at least one network input, found none");
    add_input(&d, "data", 3, 8, 8);
    expect_error(&d, "expected at least one layer besides the network's inputs");
    init_draft(&d);
    add_layer(&d, "r", EW_OP_RELU, NULL, NULL);
    expect_error(&d, "layer 'r': expected 1..65536 inputs, found 0");
}
END_TEST

START_TEST(make_refuses_bad_input_shapes)
{
    struct draft d;
    draft_diamond(&d);
    d.layers[0].shape[EW_N] = 2;
    expect_error(&d, "layer 'data': shape: expected batch 1, found 2");
    draft_diamond(&d);
    d.layers[0].shape[EW_H] = -8;
    expect_error(&d, "layer 'data': shape: expected dimensions of at least 1, found -8");
    draft_diamond(&d);
    d.layers[0].shape[EW_H] = INT32_MAX;
    expect_error(&d, "layer 'data': shape: expected dimensions of at most 16777216, found "
                     "3x2147483647x8");
    draft_diamond(&d);
    d.layers[0].shape[EW_C] = d.layers[0].shape[EW_H] = 1 << 20;
    expect_error(&d, "layer 'data': shape: expected at most 2147483647 elements, found "
                     "1048576x1048576x8");
}
END_TEST

START_TEST(make_refuses_dimensions_out_of_range_inside)
{
    struct draft d;
    init_draft(&d);
    add_input(&d, "data", 64, 1024, 1024);
    add_layer(&d, "flat", EW_OP_FLATTEN, "data", NULL);
    expect_error(&d, "layer 'flat': shape: expected dimensions of at most 16777216, found "
                     "67108864x1x1");
}
END_TEST

START_TEST(make_prefixes_shape_errors_with_the_layer)
{
    struct draft d;
    draft_diamond(&d);
    d.layers[3].attrs.out_channels = 5;
    d.layers[4].place = "/layers/3";
    expect_error(&d, "/layers/3: layer 'sum': op add: input 1: expected 4x8x8, or 1 in place of a dimension, found "
                     "5x8x8");
}
END_TEST

START_TEST(make_refuses_bad_numbers)
{
    struct draft d;
    draft_diamond(&d);
    d.desc.bytes_per_element = (double)NAN;
    expect_error(&d, "bytes per element: expected a positive number, found nan");
    draft_diamond(&d);
    d.desc.accuracy = 1.5;
    expect_error(&d, "accuracy: expected 0..1, found 1.5");
}
END_TEST

START_TEST(make_orders_a_long_chain)
{
    enum { N = 60000 };
    struct ew_layer_desc *layers = calloc(N, sizeof *layers);
    char(*names)[8] = calloc(N, sizeof *names);
    const char **inputs = calloc(N, sizeof *inputs);
    ck_assert(layers && names && inputs);
    for (uint32_t i = 0; i < N; i++) { /* backwards: the first layer reads the second, … */
        (void)snprintf(names[i], sizeof names[i], "l%u", (unsigned)i);
        layers[i].name = names[i];
        layers[i].op = i + 1 == N ? EW_OP_INPUT : EW_OP_RELU;
        layers[i].n_inputs = i + 1 == N ? 0 : 1;
        inputs[i] = i + 1 == N ? NULL : names[i + 1];
        layers[i].inputs = &inputs[i];
        for (int k = 0; k < EW_DIMS; k++) {
            layers[i].shape[k] = 1;
        }
    }
    const struct ew_graph_desc desc = {.name = "chain",
                                       .accuracy = (double)NAN,
                                       .bytes_per_element = 4,
                                       .n_layers = N,
                                       .layers = layers};
    struct ew_graph *g = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_make(&g, &desc, &err) == EW_OK, "%s", err.message);
    ck_assert_str_eq(g->layers[0].name, "l59999");
    ck_assert_str_eq(g->layers[N - 1].name, "l0");
    ew_graph_free(g);
    free(layers);
    free(names);
    free(inputs);
}
END_TEST

/* ---- exits ---- */

START_TEST(default_exit_is_all_layers_nobody_reads)
{
    struct draft d;
    draft_diamond(&d);
    add_conv(&d, "head", "b", 2);
    struct ew_graph *g = make(&d);
    ck_assert_uint_eq(g->n_exits, 1);
    ck_assert_str_eq(g->exits[0].name, "full");
    ck_assert_uint_eq(g->exits[0].n_layers, 2);
    ck_assert_uint_eq(g->exits[0].layers[0], 5);
    ck_assert_uint_eq(g->exits[0].layers[1], 6);
    ck_assert_double_eq(g->exits[0].accuracy, 0.75);
    ew_graph_free(g);
}
END_TEST

START_TEST(exits_know_their_ancestors)
{
    struct draft d;
    draft_diamond(&d);
    static const char *const early[] = {"b"}, *const last[] = {"fc"};
    const struct ew_exit_desc exits[] = {{"early", 1, early, 0.5}, {"late", 1, last, (double)NAN}};
    d.desc.exits = exits;
    d.desc.n_exits = 2;
    struct ew_graph *g = make(&d);
    bool needed[MAX_LAYERS];
    ck_assert_uint_eq(ew_graph_exit_layers(needed, g, 0), 3);
    ck_assert(needed[0] && needed[1] && needed[2] && !needed[3] && !needed[4] && !needed[5]);
    ck_assert_uint_eq(ew_graph_exit_layers(needed, g, 1), 6);
    uint32_t exit = 9;
    ck_assert(ew_graph_find_exit(&exit, g, "late"));
    ck_assert_uint_eq(exit, 1);
    ck_assert(!ew_graph_find_exit(&exit, g, "full"));
    ck_assert_double_eq(g->exits[0].accuracy, 0.5);
    ck_assert_double_eq(g->exits[1].accuracy, 0.75); /* the graph's own */
    ew_graph_free(g);
}
END_TEST

START_TEST(counts_are_those_of_the_last_exit)
{
    struct draft d;
    draft_diamond(&d);
    static const char *const first[] = {"a"}, *const last[] = {"b"};
    const struct ew_exit_desc exits[] = {{"early", 1, first, 0.4}, {"late", 1, last, 0.5}};
    d.desc.exits = exits;
    d.desc.n_exits = 2;
    struct ew_graph *g = make(&d);
    ck_assert_uint_eq(g->macs, 64 * (108 + 144)); /* a and b */
    ck_assert_uint_eq(g->params, 112 + 148);
    ew_graph_free(g);
}
END_TEST

START_TEST(exits_are_checked)
{
    struct draft d;
    draft_diamond(&d);
    static const char *const wrong[] = {"fcc"}, *const twice[] = {"b", "b"}, *const fine[] = {"fc"};
    struct ew_exit_desc exits[] = {{"e", 1, wrong, 0.5}, {"e", 1, fine, 0.5}};
    d.desc.exits = exits;
    d.desc.n_exits = 2;
    expect_error(&d, "exit 'e': there is no layer 'fcc'; did you mean 'fc'?");
    exits[0].layers = twice;
    exits[0].n_layers = 2;
    expect_error(&d, "exit 'e': layer 'b' is named twice");
    exits[0].n_layers = 0;
    expect_error(&d, "exit 'e': expected at least one layer");
    exits[0] = exits[1];
    expect_error(&d, "exit 'e': expected a unique name, found it twice");
    exits[0].accuracy = -0.1;
    expect_error(&d, "exit 'e': accuracy: expected 0..1, found -0.1");
}
END_TEST

/* ---- variants ---- */

START_TEST(variant_zero_is_the_graph_itself)
{
    struct draft d;
    draft_diamond(&d);
    struct ew_graph *g = make(&d);
    ck_assert_uint_eq(g->n_variants, 1);
    ck_assert_str_eq(g->variants[0].name, "base");
    ck_assert_double_eq(g->variants[0].accuracy, 0.75);
    ck_assert_ptr_eq(g->variants[0].graph, g);
    ew_graph_free(g);
}
END_TEST

START_TEST(variants_belong_to_the_graph)
{
    struct draft d;
    draft_diamond(&d);
    struct ew_graph *g = make(&d);
    struct ew_graph *others[] = {make(&d), make(&d)};
    const char *const names[] = {"slim", "tiny"};
    const double accuracy[] = {0.6, (double)NAN};
    struct ew_error err = {0};
    ck_assert_int_eq(ew_graph_attach_variants_take(g, 2, names, accuracy, others, &err), EW_OK);
    ck_assert_uint_eq(g->n_variants, 3);
    ck_assert_str_eq(g->variants[1].name, "slim");
    ck_assert_double_eq(g->variants[1].accuracy, 0.6);
    ck_assert_double_eq(g->variants[2].accuracy, 0.75); /* of its own last exit */
    ew_graph_free(g); /* LeakSanitizer sees the others if they are not freed */
}
END_TEST

static void expect_variant_error(const char *name, double accuracy, bool has_two_inputs,
                                 const char *message)
{
    struct draft d;
    draft_diamond(&d);
    struct ew_graph *g = make(&d);
    if (has_two_inputs) {
        add_input(&d, "more", 1, 1, 1);
        add_layer(&d, "use", EW_OP_RELU, "more", NULL);
    }
    struct ew_graph *others[] = {make(&d)};
    struct ew_error err = {0};
    ck_assert_int_eq(ew_graph_attach_variants_take(g, 1, &name, &accuracy, others, &err),
                     EW_EINPUT);
    ck_assert_str_eq(err.message, message);
    ew_graph_free(g);
}

START_TEST(variants_are_checked)
{
    expect_variant_error("base", 0.5, false,
                         "variant 'base': expected a unique name, found it twice ('base' is the "
                         "graph itself)");
    expect_variant_error("v", 7, false, "variant 'v': accuracy: expected 0..1, found 7");
    expect_variant_error("v", 0.5, true, "variant 'v': expected 1 network inputs, found 2");
}
END_TEST

START_TEST(free_accepts_null)
{
    ew_graph_free(NULL);
}
END_TEST

static Suite *graph_suite(void)
{
    Suite *suite = begin_suite("graph");
    TCase *making = tcase_create("make");
    tcase_set_timeout(making, 30);
    tcase_add_test(making, make_keeps_file_order_when_it_is_topological);
    tcase_add_test(making, make_moves_inputs_before_readers);
    tcase_add_test(making, make_infers_shapes_and_counts);
    tcase_add_test(making, make_lists_consumers_once_ascending);
    tcase_add_test(making, make_copies_everything);
    tcase_add_test(making, make_completes_depthwise);
    tcase_add_test(making, make_refuses_unknown_input);
    tcase_add_test(making, make_refuses_duplicate_names);
    tcase_add_test(making, make_names_a_layer_on_a_cycle);
    tcase_add_test(making, make_refuses_no_input_and_no_layer);
    tcase_add_test(making, make_refuses_bad_input_shapes);
    tcase_add_test(making, make_refuses_dimensions_out_of_range_inside);
    tcase_add_test(making, make_prefixes_shape_errors_with_the_layer);
    tcase_add_test(making, make_refuses_bad_numbers);
    tcase_add_test(making, make_orders_a_long_chain);
    tcase_add_test(making, free_accepts_null);
    suite_add_tcase(suite, making);
    TCase *exits = tcase_create("exits");
    tcase_add_test(exits, default_exit_is_all_layers_nobody_reads);
    tcase_add_test(exits, exits_know_their_ancestors);
    tcase_add_test(exits, counts_are_those_of_the_last_exit);
    tcase_add_test(exits, exits_are_checked);
    suite_add_tcase(suite, exits);
    TCase *variants = tcase_create("variants");
    tcase_add_test(variants, variant_zero_is_the_graph_itself);
    tcase_add_test(variants, variants_belong_to_the_graph);
    tcase_add_test(variants, variants_are_checked);
    suite_add_tcase(suite, variants);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(graph_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
