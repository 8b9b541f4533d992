/*
 * ONNX import, operator by operator, on files of a few nodes: what they become, and one clear
 * message for each way in which a file can be wrong.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx.h"
#include "support/onnx_text.h"
#include "support/suite.h"

static struct ew_graph *import_with(struct onnx_file *f, const struct ew_onnx_options *options)
{
    struct ew_str bytes = {0};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    onnx_finish(&bytes, f);
    ck_assert_msg(ew_graph_parse_onnx(&graph, ew_str_text(&bytes), bytes.length, "m.onnx", options,
                                      &err) == EW_OK,
                  "%s", err.message);
    ew_str_fini(&bytes);
    return graph;
}

static struct ew_graph *import(struct onnx_file *f)
{
    return import_with(f, NULL);
}

static void expect_error_with(struct onnx_file *f, const struct ew_onnx_options *options,
                              const char *message)
{
    struct ew_str bytes = {0};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    onnx_finish(&bytes, f);
    ck_assert_int_ne(
        ew_graph_parse_onnx(&graph, ew_str_text(&bytes), bytes.length, "m.onnx", options, &err),
        EW_OK);
    ck_assert_ptr_null(graph);
    ck_assert_str_eq(err.message, message);
    ew_str_fini(&bytes);
}

static void expect_error(struct onnx_file *f, const char *message)
{
    expect_error_with(f, NULL, message);
}

/* The ops of a graph, without its inputs: "conv relu add". */
static void expect_ops(const struct ew_graph *g, const char *ops)
{
    struct ew_str found = {0};
    for (uint32_t i = 0; i < g->n_layers; i++) {
        if (g->layers[i].op != EW_OP_INPUT) {
            ew_str_printf(&found, "%s%s", found.length ? " " : "", ew_op_name(g->layers[i].op));
        }
    }
    ck_assert_str_eq(ew_str_text(&found), ops);
    ew_str_fini(&found);
}

static const struct ew_layer *last(const struct ew_graph *g)
{
    return &g->layers[g->exits[0].layers[0]];
}

static void expect_shape(const struct ew_layer *l, int32_t c, int32_t h, int32_t w)
{
    ck_assert_msg(l->shape[EW_C] == c && l->shape[EW_H] == h && l->shape[EW_W] == w,
                  "%s: %dx%dx%d, expected %dx%dx%d", l->name, l->shape[EW_C], l->shape[EW_H],
                  l->shape[EW_W], c, h, w);
}

/* A file with an input x and an output y, ready for nodes. */
static struct onnx_file begin(const char *dims)
{
    struct onnx_file f = {0};
    onnx_input(&f, "x", dims);
    onnx_output(&f, "y", NULL);
    return f;
}

/* ---- operators ---- */

START_TEST(conv_reads_weights_from_the_file)
{
    struct onnx_file f = begin("1x4x9x9");
    onnx_weight(&f, "c.weight", "8x2x3x3");
    onnx_weight(&f, "c.bias", "8");
    onnx_node(&f, "Conv", "x c.weight c.bias", "y");
    onnx_int(&f, "group", 2);
    onnx_ints(&f, "strides", "2 2");
    onnx_ints(&f, "pads", "1 0 1 2");
    struct ew_str bytes = {0};
    struct ew_graph *g = NULL;
    struct ew_error err = {0};
    onnx_finish(&bytes, &f);
    ck_assert_int_eq(
        ew_graph_parse_onnx(&g, ew_str_text(&bytes), bytes.length, "dir/m.onnx", NULL, &err),
        EW_OK);
    ck_assert_str_eq(g->name, "m");
    ck_assert_str_eq(g->weights_path, "dir/m.onnx");
    const struct ew_layer *c = last(g);
    ck_assert_str_eq(c->name, "c");
    expect_shape(c, 8, 5, 5);
    ck_assert_uint_eq(c->params, 8 * 2 * 9 + 8);
    ck_assert_int_eq(c->attrs.pads[3], 2);
    ck_assert_uint_eq(c->n_weights, 2);
    ck_assert_str_eq(c->weights[0].role, "weight");
    ck_assert_str_eq(c->weights[0].dtype, "float32");
    ck_assert_uint_eq(c->weights[0].size_bytes, 8 * 2 * 9 * 4);
    ck_assert_uint_eq(c->weights[0].dims[1], 2);
    ck_assert_str_eq(c->weights[1].role, "bias");
    for (uint32_t i = 0; i < 2; i++) { /* where the file says, there are the ones */
        float first, end;
        const struct ew_weight_ref *w = &c->weights[i];
        memcpy(&first, ew_str_text(&bytes) + w->offset_bytes, sizeof first);
        memcpy(&end, ew_str_text(&bytes) + w->offset_bytes + w->size_bytes - sizeof end,
               sizeof end);
        ck_assert_float_eq(first, 1);
        ck_assert_float_eq(end, 1);
    }
    ew_graph_free(g);
    ew_str_fini(&bytes);
}
END_TEST

/* 9 inputs, stride 2: 5 outputs, which reach over 2 * 4 + 3 = 11: one more on either side. */
START_TEST(auto_pad_gives_same_sizes)
{
    static const char *const modes[] = {"SAME_UPPER", "SAME_LOWER"};
    for (int i = 0; i < 2; i++) {
        struct onnx_file f = begin("1x4x9x8");
        onnx_weight(&f, "w", "4x4x3x3");
        onnx_node(&f, "Conv", "x w", "y");
        onnx_text(&f, "auto_pad", modes[i]);
        onnx_ints(&f, "strides", "2 2");
        struct ew_graph *g = import(&f);
        expect_shape(last(g), 4, 5, 4);
        ck_assert_int_eq(last(g)->attrs.pads[0], 1);
        ck_assert_int_eq(last(g)->attrs.pads[1], i); /* of one column, the lower one */
        ck_assert_int_eq(last(g)->attrs.pads[3], 1 - i);
        ew_graph_free(g);
    }
}
END_TEST

START_TEST(activations_are_recognised)
{
    struct onnx_file f = begin("1x4x8x8");
    onnx_scalar(&f, "zero", 0);
    onnx_scalar(&f, "six", 6);
    onnx_node(&f, "Clip", "x zero six", "a");
    onnx_node(&f, "Clip", "a zero", "b");
    onnx_node(&f, "Sigmoid", "b", "s");
    onnx_node(&f, "Mul", "b s", "c");
    onnx_node(&f, "HardSigmoid", "c", "h");
    onnx_float(&f, "alpha", 1.0f / 6.0f);
    onnx_node(&f, "Mul", "h c", "d");
    onnx_node(&f, "Erf", "d", "y");
    struct ew_graph *g = import(&f);
    expect_ops(g, "relu6 relu silu hardswish unary");
    ew_graph_free(g);
}
END_TEST

/* ONNX's own default is 1/5; a hardswish is x times the one of 1/6. */
START_TEST(a_gate_of_another_slope_is_no_hardswish)
{
    struct onnx_file f = begin("1x4x8x8");
    onnx_node(&f, "HardSigmoid", "x", "h");
    onnx_node(&f, "Mul", "h x", "y");
    struct ew_graph *g = import(&f);
    expect_ops(g, "hardsigmoid mul");
    ck_assert_float_eq(g->layers[1].attrs.alpha, 0.2f);
    ck_assert_float_eq(g->layers[1].attrs.beta, 0.5f);
    ew_graph_free(g);
}
END_TEST

/* What only values depend on, from attributes, constants and defaults. */
START_TEST(numbers_of_functions_are_kept)
{
    struct onnx_file f = begin("1x4x8x8");
    onnx_scalar(&f, "lo", -2);
    onnx_scalar(&f, "c", 3);
    onnx_node(&f, "LRN", "x", "a");
    onnx_int(&f, "size", 3);
    onnx_float(&f, "alpha", 0.5f);
    onnx_float(&f, "bias", 2);
    onnx_node(&f, "LeakyRelu", "a", "b");
    onnx_node(&f, "Clip", "b lo c", "d");
    onnx_node(&f, "Sub", "c d", "e");
    onnx_node(&f, "Div", "e c", "g");
    onnx_node(&f, "Sin", "g", "y");
    struct ew_graph *g = import(&f);
    expect_ops(g, "lrn leaky_relu unary shift scale unary");
    const struct ew_layer *l = g->layers + 1;
    ck_assert(l[0].attrs.alpha == 0.5f && l[0].attrs.beta == 0.75f && l[0].attrs.k == 2);
    ck_assert_float_eq(l[1].attrs.alpha, 0.01f);
    ck_assert_int_eq(l[2].attrs.function, EW_FUNCTION_CLIP);
    ck_assert(l[2].attrs.alpha == -2 && l[2].attrs.beta == 3);
    ck_assert_int_eq(l[3].attrs.function, EW_FUNCTION_SUBTRACT_FROM);
    ck_assert_float_eq(l[3].attrs.alpha, 3);
    ck_assert_int_eq(l[4].attrs.function, EW_FUNCTION_DIVIDE);
    ck_assert_int_eq(l[5].attrs.function, EW_FUNCTION_UNKNOWN);
    ew_graph_free(g);
}
END_TEST

/* A sigmoid that somebody else reads stays, and so does the product. */
START_TEST(shared_parts_are_not_fused)
{
    struct onnx_file f = begin("1x4x8x8");
    onnx_output(&f, "s", NULL);
    onnx_node(&f, "Sigmoid", "x", "s");
    onnx_node(&f, "Mul", "x s", "y");
    struct ew_graph *g = import(&f);
    expect_ops(g, "sigmoid mul");
    ck_assert_uint_eq(g->exits[0].n_layers, 2);
    ew_graph_free(g);
}
END_TEST

START_TEST(pads_become_those_of_the_next_window)
{
    struct onnx_file f = begin("1x4x8x8");
    onnx_numbers(&f, "pads", "0 0 1 1 0 0 1 1");
    onnx_node(&f, "Pad", "x pads", "p");
    onnx_node(&f, "AveragePool", "p", "a");
    onnx_ints(&f, "kernel_shape", "3 3");
    onnx_node(&f, "Pad", "a pads", "q"); /* zeros are no padding of a maximum */
    onnx_node(&f, "MaxPool", "q", "y");
    onnx_ints(&f, "kernel_shape", "2 2");
    struct ew_graph *g = import(&f);
    expect_ops(g, "avg_pool pad max_pool");
    ck_assert(g->layers[1].attrs.count_include_pad);
    expect_shape(&g->layers[1], 4, 8, 8);
    expect_shape(last(g), 4, 9, 9);
    ew_graph_free(g);
}
END_TEST

START_TEST(means_over_rows_and_columns_are_pools)
{
    struct onnx_file f = begin("1x4x8x6");
    onnx_node(&f, "ReduceMean", "x", "m");
    onnx_ints(&f, "axes", "2 3");
    onnx_int(&f, "keepdims", 0);
    onnx_weight(&f, "w", "4x10");
    onnx_weight(&f, "b", "10");
    onnx_node(&f, "Gemm", "m w b", "y");
    struct ew_graph *g = import(&f);
    expect_ops(g, "global_avg_pool fc");
    ck_assert_uint_eq(last(g)->params, 50);
    ck_assert(last(g)->weights[0].is_transposed); /* 4 inputs x 10 outputs */
    ew_graph_free(g);
}
END_TEST

START_TEST(batchnorm_is_kept_or_folded)
{
    for (int folds = 0; folds < 2; folds++) {
        struct onnx_file f = begin("1x3x8x8");
        onnx_weight(&f, "w", "4x3x1x1");
        onnx_weight(&f, "s", "4");
        onnx_node(&f, "Conv", "x w", "c");
        onnx_node(&f, "BatchNormalization", "c s s s s", "n");
        onnx_node(&f, "Relu", "n", "y");
        const struct ew_onnx_options options = {.folds_batchnorm = folds == 1};
        struct ew_graph *g = import_with(&f, &options);
        expect_ops(g, folds ? "conv relu" : "conv batchnorm relu");
        ck_assert_uint_eq(g->params, 12 + (folds ? 4 : 8));
        if (folds) {
            ck_assert_uint_eq(g->layers[1].n_weights, 5);
            ck_assert_str_eq(g->layers[1].weights[4].role, "folded_variance");
        }
        ew_graph_free(g);
    }
}
END_TEST

/* The chain that PyTorch writes for x.view(x.size(0), 2, -1, 8, 8). */
START_TEST(shape_chains_are_folded)
{
    struct onnx_file f = begin("1x6x8x8");
    onnx_numbers(&f, "zero", "0");
    onnx_numbers(&f, "one", "1");
    onnx_numbers(&f, "two", "2");
    onnx_numbers(&f, "rest", "8 8");
    onnx_node(&f, "Shape", "x", "shape");
    onnx_node(&f, "Slice", "shape zero one", "batch");
    onnx_node(&f, "Slice", "shape one two", "channels");
    onnx_node(&f, "Div", "channels two", "half");
    onnx_node(&f, "Concat", "batch two half rest", "split");
    onnx_int(&f, "axis", 0);
    onnx_node(&f, "Reshape", "x split", "r");
    onnx_node(&f, "Transpose", "r", "t");
    onnx_ints(&f, "perm", "0 2 1 3 4");
    onnx_node(&f, "Reshape", "t shape", "u");
    onnx_node(&f, "Relu", "u", "y");
    struct ew_graph *g = import(&f);
    expect_ops(g, "shuffle relu");
    ck_assert_int_eq(g->layers[1].attrs.groups, 2);
    ew_graph_free(g);
}
END_TEST

START_TEST(constants_are_parameters_of_their_layers)
{
    struct onnx_file f = begin("1x3x8x6");
    onnx_weight(&f, "per_channel", "3x1x1");
    onnx_weight(&f, "per_place", "1x3x8x6");
    onnx_scalar(&f, "two", 2);
    onnx_node(&f, "Mul", "x per_channel", "a");
    onnx_node(&f, "Add", "per_place a", "b");
    onnx_node(&f, "Div", "b two", "y");
    struct ew_graph *g = import(&f);
    expect_ops(g, "scale shift scale");
    ck_assert_uint_eq(g->layers[1].params, 3);
    ck_assert_uint_eq(g->layers[2].params, 3 * 8 * 6);
    ck_assert_uint_eq(g->layers[3].params, 0); /* a number, not a parameter */
    ew_graph_free(g);
}
END_TEST

START_TEST(slices_splits_and_sizes)
{
    struct onnx_file f = begin("1x6x8x8");
    onnx_numbers(&f, "first", "1");
    onnx_numbers(&f, "end", "-1");
    onnx_numbers(&f, "axis", "2");
    onnx_numbers(&f, "sizes", "1 2 14 12");
    onnx_numbers(&f, "chunks", "2 4");
    onnx_node(&f, "Split", "x chunks", "s t");
    onnx_int(&f, "axis", 1);
    onnx_node(&f, "Slice", "s first end axis", "u");
    onnx_node(&f, "Resize", "u - - sizes", "r");
    onnx_text(&f, "mode", "linear");
    onnx_weight(&f, "w", "2x3x4x4");
    onnx_node(&f, "ConvTranspose", "r w", "y");
    onnx_ints(&f, "strides", "2 2");
    onnx_ints(&f, "pads", "1 1 1 1");
    onnx_output(&f, "t", NULL);
    struct ew_graph *g = import(&f);
    expect_ops(g, "slice slice slice resize conv_transpose");
    expect_shape(last(g), 3, 28, 24);
    expect_shape(&g->layers[g->exits[0].layers[1]], 4, 8, 8);
    ew_graph_free(g);
}
END_TEST

/* (x - mean) / sqrt(var + eps) * scale + shift, and 0.5 x (1 + erf(x / sqrt 2)), in pieces. */
START_TEST(patterns_of_transformers_are_recognised)
{
    struct onnx_file f = begin("1x10x16");
    onnx_scalar(&f, "two", 2);
    onnx_scalar(&f, "eps", 1e-5F);
    onnx_scalar(&f, "root", 1.41421356F);
    onnx_scalar(&f, "one", 1);
    onnx_scalar(&f, "half", 0.5F);
    onnx_weight(&f, "n.weight", "16");
    onnx_weight(&f, "n.bias", "16");
    onnx_weight(&f, "w", "16x32");
    onnx_weight(&f, "b", "32");
    onnx_node(&f, "ReduceMean", "x", "mean");
    onnx_ints(&f, "axes", "-1");
    onnx_node(&f, "Sub", "x mean", "c");
    onnx_node(&f, "Pow", "c two", "c2");
    onnx_node(&f, "ReduceMean", "c2", "var");
    onnx_ints(&f, "axes", "-1");
    onnx_node(&f, "Add", "var eps", "ve");
    onnx_node(&f, "Sqrt", "ve", "sd");
    onnx_node(&f, "Div", "c sd", "n0");
    onnx_node(&f, "Mul", "n0 n.weight", "n1");
    onnx_node(&f, "Add", "n1 n.bias", "n2");
    onnx_node(&f, "MatMul", "n2 w", "m");
    onnx_node(&f, "Add", "b m", "h");
    onnx_node(&f, "Div", "h root", "g0");
    onnx_node(&f, "Erf", "g0", "g1");
    onnx_node(&f, "Add", "g1 one", "g2");
    onnx_node(&f, "Mul", "h g2", "g3");
    onnx_node(&f, "Mul", "g3 half", "y");
    struct ew_graph *g = import(&f);
    expect_ops(g, "layernorm linear gelu");
    ck_assert_uint_eq(g->layers[1].params, 32);
    ck_assert_uint_eq(g->layers[1].n_weights, 2);
    ck_assert_uint_eq(g->layers[2].params, 16 * 32 + 32);
    ck_assert_uint_eq(g->macs, 10 * 16 * 32);
    expect_shape(last(g), 1, 10, 32);
    ew_graph_free(g);
}
END_TEST

/* Weights outside the file: inputs behind the first. With --input-shape another one is data. */
START_TEST(graph_only_files_have_weights_as_inputs)
{
    for (int i = 0; i < 2; i++) {
        struct onnx_file f = begin("1x3x8x8");
        onnx_input(&f, "w", "4x3x1x1");
        onnx_input(&f, "z", "1x4x1x1");
        onnx_node(&f, "Conv", "x w", "c");
        onnx_node(&f, "Add", "c z", "y");
        const struct ew_onnx_shape shape = {"z", 4, {1, 4, 8, 8}};
        const struct ew_onnx_options options = {.n_shapes = (uint32_t)i, .shapes = &shape};
        struct ew_graph *g = import_with(&f, &options);
        expect_ops(g, i ? "conv add" : "conv shift");
        ck_assert_uint_eq(g->n_inputs, (uint32_t)i + 1);
        ck_assert_uint_eq(g->params, 12 + (i ? 0 : 4));
        ck_assert_str_eq(g->weights_path, "");
        ew_graph_free(g);
    }
}
END_TEST

START_TEST(names_are_unique_and_printable)
{
    struct onnx_file f = begin("1x3x8x8");
    onnx_node(&f, "Relu", "x", "a\n");
    onnx_node(&f, "Relu", "a\n", "a_");
    onnx_node(&f, "Relu", "a_", "a__2");
    onnx_node(&f, "Relu", "a__2", "y");
    struct ew_graph *g = import(&f);
    ck_assert_str_eq(g->layers[1].name, "a_");
    ck_assert_str_eq(g->layers[2].name, "a__3");
    ck_assert_str_eq(g->layers[3].name, "a__2");
    ew_graph_free(g);
}
END_TEST

/* ---- operators that are not known ---- */

static struct onnx_file with_unknown_node(void)
{
    struct onnx_file f = begin("1x3x8x8");
    onnx_weight(&f, "w", "5");
    onnx_node(&f, "Relu", "x", "a");
    onnx_node(&f, "NonMaxSuppression", "a w", "b");
    onnx_node(&f, "Relu", "b", "y");
    return f;
}

START_TEST(unknown_operators_say_what_to_do)
{
    struct onnx_file f = with_unknown_node();
    expect_error(&f, "m.onnx: node 'b' (NonMaxSuppression): operator NonMaxSuppression with these "
                     "inputs and attributes cannot be placed; export the model without it, or "
                     "keep it with 'edgeweave import --allow-opaque' as a layer that one device "
                     "computes");
    const struct ew_onnx_options options = {.allows_opaque = true};
    f = with_unknown_node();
    expect_error_with(&f, &options,
                      "m.onnx: node 'b' (NonMaxSuppression): the shape of 'b' is not in the file; "
                      "let onnx.shape_inference write it there, so that the node can be kept as "
                      "an opaque layer");
    f = with_unknown_node();
    onnx_info(&f, "b", "1x2x4x4");
    struct ew_graph *g = import_with(&f, &options);
    expect_ops(g, "relu opaque relu");
    expect_shape(last(g), 2, 4, 4);
    ck_assert_uint_eq(g->params, 5);
    ew_graph_free(g);
}
END_TEST

/* ---- wrong files ---- */

START_TEST(open_shapes_name_the_input)
{
    struct onnx_file f = begin("batchx3x8x8");
    onnx_node(&f, "Relu", "x", "y");
    expect_error(&f, "m.onnx: input 'x': dimension 0 is not fixed ('batch'); say which shape is "
                     "meant, for example 'edgeweave import --input-shape x=1x3x8x8'");
    f = begin("batchxtokensx64");
    onnx_node(&f, "Relu", "x", "y");
    expect_error(&f, "m.onnx: input 'x': dimension 0 is not fixed ('batch'); say which shape is "
                     "meant, for example 'edgeweave import --input-shape x=1x128x64'");
    f = begin(NULL);
    onnx_node(&f, "Relu", "x", "y");
    expect_error(&f, "m.onnx: input 'x': the file gives no shape; say which shape is meant, for "
                     "example 'edgeweave import --input-shape x=1x3x224x224'");
    f = begin("8x3x8x8");
    onnx_node(&f, "Relu", "x", "y");
    expect_error(&f, "m.onnx: input 'x': expected a batch of 1, found 8; say which shape is meant, "
                     "for example 'edgeweave import --input-shape x=1x3x8x8'");
    const struct ew_onnx_shape shape = {NULL, 4, {1, 3, 10, 12}};
    const struct ew_onnx_options options = {.n_shapes = 1, .shapes = &shape};
    f = begin("batchx3x8x8");
    onnx_node(&f, "Relu", "x", "y");
    struct ew_graph *g = import_with(&f, &options);
    expect_shape(last(g), 3, 10, 12);
    ew_graph_free(g);
    const struct ew_onnx_shape other = {"image", 4, {1, 3, 10, 12}};
    const struct ew_onnx_options wrong = {.n_shapes = 1, .shapes = &other};
    f = begin("1x3x8x8");
    onnx_node(&f, "Relu", "x", "y");
    expect_error_with(&f, &wrong, "m.onnx: there is no input 'image'");
    f = begin("batchx3x8x8");
    onnx_node(&f, "Relu", "x", "y");
    expect_error_with(&f, &wrong, "m.onnx: there is no input 'image'");
    const struct ew_onnx_shape flat = {NULL, 3, {1, 3, 8}};
    const struct ew_onnx_options short_of_one = {.n_shapes = 1, .shapes = &flat};
    f = begin("batchx3x8x8");
    onnx_node(&f, "Relu", "x", "y");
    expect_error_with(&f, &short_of_one,
                      "m.onnx: input 'x': the file says 4 dimensions, --input-shape says 3");
}
END_TEST

START_TEST(enormous_dimensions_are_refused)
{
    struct onnx_file f = begin("1x3x99999999999x8");
    onnx_node(&f, "Relu", "x", "y");
    expect_error(&f, "m.onnx: input 'x': expected dimensions of 1..16777216, found "
                     "1x3x99999999999x8");
    f = begin("1x16777216x16777216x8");
    onnx_node(&f, "Relu", "x", "y");
    expect_error(&f, "m.onnx: input 'x': expected at most three dimensions besides the batch and "
                     "2147483647 elements, found 1x16777216x16777216x8");
    f = begin("1x3x8x8");
    onnx_tensor(&f, "w", "1073741824 1073741824 1073741824 4", 1, 4, NULL);
    onnx_node(&f, "Conv", "x w", "y");
    expect_error(&f, "m.onnx: tensor 'w' (1073741824x1073741824x1073741824x4): expected at most "
                     "2^40 elements");
    f = begin("1x3x8x8");
    onnx_numbers(&f, "sizes", "1 3 2000000 2000000");
    onnx_node(&f, "Resize", "x - - sizes", "y");
    expect_error(&f, "m.onnx: node 'y' (Resize): output: expected at most 2147483647 elements, "
                     "found 1x3x2000000x2000000");
}
END_TEST

START_TEST(names_made_twice_are_errors)
{
    static const char *const outputs[][2] = {{"y", "y"}, {"y", "x"}};
    for (int i = 0; i < 2; i++) {
        struct onnx_file f = begin("1x3x8x8");
        onnx_node(&f, "Relu", "x", outputs[i][0]);
        onnx_node(&f, "Sigmoid", "x", outputs[i][1]);
        expect_error(&f, i == 0
                             ? "m.onnx: 'y' is made more than once: expected names that no other "
                               "input, initializer or output has"
                             : "m.onnx: 'x' is made more than once: expected names that no other "
                               "input, initializer or output has");
    }
}
END_TEST

START_TEST(cycles_and_missing_tensors_name_the_node)
{
    struct onnx_file f = begin("1x3x8x8");
    onnx_node(&f, "Add", "x b", "a");
    onnx_node(&f, "Relu", "a", "b");
    onnx_node(&f, "Relu", "b", "y");
    expect_error(&f, "m.onnx: node 'a' (Add): input 'b' is made by a later node: the graph has a "
                     "cycle, or its nodes are not in order");
    f = begin("1x3x8x8");
    onnx_node(&f, "Conv", "x w", "y");
    expect_error(&f, "m.onnx: node 'y' (Conv): input 'w' is neither an input of the graph, an "
                     "initializer nor made by a node");
    f = begin("1x3x8x8");
    onnx_node(&f, "Relu", "x", "z");
    expect_error(&f, "m.onnx: output 'y' is made by no node");
    f = begin("1x3x8x8");
    onnx_node(&f, "Relu", "x", "z");
    onnx_node(&f, "Relu", "y", "y");
    expect_error(&f, "m.onnx: node 'y' (Relu): input 'y' is made by a later node: the graph has a "
                     "cycle, or its nodes are not in order");
}
END_TEST

START_TEST(weights_elsewhere_or_too_short_are_refused)
{
    struct onnx_file f = begin("1x3x8x8");
    onnx_tensor(&f, "w", "4 3 1 1", 1, 0, "weights.bin");
    onnx_node(&f, "Conv", "x w", "y");
    expect_error(&f, "m.onnx: tensor 'w': its elements are in another file ('weights.bin'); save "
                     "the model with its weights inside, or without weights (see "
                     "tools/export_onnx.py)");
    f = begin("1x3x8x8");
    onnx_tensor(&f, "w", "4 3 1 1", 1, 47, NULL);
    onnx_node(&f, "Conv", "x w", "y");
    expect_error(&f, "m.onnx: tensor 'w' of float32: expected 48 bytes, found 47");
}
END_TEST

START_TEST(mismatching_operators_name_the_node)
{
    struct onnx_file f = begin("1x3x8x8");
    onnx_weight(&f, "w", "4x5x1x1");
    onnx_node(&f, "Conv", "x w", "y");
    expect_error(&f, "m.onnx: node 'y' (Conv): weight: expected one for 3 input channels, found "
                     "4x5x1x1 in 1 groups");
    f = begin("1x3x8x8");
    onnx_numbers(&f, "shape", "1 -1 7");
    onnx_node(&f, "Reshape", "x shape", "y");
    expect_error(&f, "m.onnx: node 'y' (Reshape): expected a shape with as many elements as "
                     "1x3x8x8, found 1x1x7");
    f = begin("1x3x8x8");
    onnx_weight(&f, "w", "2x2");
    onnx_node(&f, "Add", "x w", "y");
    expect_error(&f, "m.onnx: node 'y' (Add): expected inputs of the same size or 1 in every "
                     "dimension, found 1x3x8x8 and 2x2");
    f = begin("1x3x8x8");
    onnx_node(&f, "MaxPool", "x", "y");
    onnx_ints(&f, "kernel_shape", "9 9");
    expect_error(&f, "m.onnx: node 'y' (MaxPool): expected an input of at least 9 padded rows, "
                     "found 8");
}
END_TEST

/* Every prefix of a file is an error with a message, never a crash, and so is every flipped bit, or
 * it is a model. */
START_TEST(damaged_files_are_errors)
{
    struct onnx_file f = begin("1x3x8x8");
    onnx_numbers(&f, "shape", "1 192");
    onnx_weight(&f, "w", "4x192");
    onnx_node(&f, "Relu", "x", "a");
    onnx_node(&f, "Reshape", "a shape", "b");
    onnx_node(&f, "Gemm", "b w", "y");
    onnx_int(&f, "transB", 1);
    struct ew_str bytes = {0};
    onnx_finish(&bytes, &f);
    size_t n_errors = 0;
    for (size_t i = 0; i < bytes.length + 200; i++) {
        const size_t size = i < bytes.length ? i : bytes.length;
        char *copy = malloc(size ? size : 1); /* no byte more, so that sanitizers see overreads */
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, ew_str_text(&bytes), size);
        if (i >= bytes.length) {
            copy[(i - bytes.length) % size] ^= (char)(1 << i % 8);
        }
        struct ew_graph *graph = NULL;
        struct ew_error err = {0};
        const enum ew_status status = ew_graph_parse_onnx(&graph, copy, size, "m.onnx", NULL, &err);
        ck_assert_int_eq(status == EW_OK, graph != NULL);
        ck_assert(status == EW_OK || err.message[0] != '\0');
        n_errors += status != EW_OK;
        ew_graph_free(graph);
        free(copy);
    }
    ck_assert_uint_ge(n_errors,
                      bytes.length - 20); /* the tail is the opset, which may be missing */
    ew_str_fini(&bytes);
}
END_TEST

START_TEST(other_files_are_refused)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_graph_load_onnx(&graph, "/nonexistent/m.onnx", NULL, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "/nonexistent/m.onnx: cannot open: not a readable file");
    ck_assert_int_eq(ew_graph_parse_onnx(&graph, "{\"schema\": 1}", 13, "m.onnx", NULL, &err),
                     EW_EINPUT);
    ck_assert_str_eq(err.message,
                     "m.onnx: not an ONNX file: it looks like JSON; graph files need no "
                     "import");
    ck_assert_int_eq(ew_graph_parse_onnx(&graph, "no model", 8, "m.onnx", NULL, &err), EW_EINPUT);
    ck_assert_msg(strncmp(err.message, "m.onnx: not an ONNX file, or a damaged one: byte ", 49) ==
                      0,
                  "%s", err.message);
    ck_assert_int_eq(ew_graph_parse_onnx(&graph, "\x08\x08", 2, "m.onnx", NULL, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "m.onnx: not an ONNX file: it has no graph");
}
END_TEST

START_TEST(shapes_are_parsed)
{
    struct ew_arena arena = {0};
    struct ew_onnx_shape shape;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_onnx_shape_parse(&shape, &arena, "a=b=1x3x224x200", &err), EW_OK);
    ck_assert_str_eq(shape.input, "a=b");
    ck_assert_uint_eq(shape.n_dims, 4);
    ck_assert_int_eq(shape.dims[3], 200);
    ck_assert_int_eq(ew_onnx_shape_parse(&shape, &arena, "1x10", &err), EW_OK);
    ck_assert_ptr_null(shape.input);
    static const char *const bad[] = {"",
                                      "a=",
                                      "1x",
                                      "x1",
                                      "1x0",
                                      "1x-3",
                                      "1x3x2.5",
                                      "1 x 3",
                                      "1x1x1x1x1x1x1x1x1",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(ew_onnx_shape_parse(&shape, &arena, bad[i], &err), EW_EUSAGE);
    }
    ew_arena_fini(&arena);
}
END_TEST

static Suite *onnx_suite(void)
{
    Suite *suite = begin_suite("onnx");
    TCase *ops = tcase_create("operators");
    tcase_add_test(ops, conv_reads_weights_from_the_file);
    tcase_add_test(ops, auto_pad_gives_same_sizes);
    tcase_add_test(ops, activations_are_recognised);
    tcase_add_test(ops, a_gate_of_another_slope_is_no_hardswish);
    tcase_add_test(ops, numbers_of_functions_are_kept);
    tcase_add_test(ops, shared_parts_are_not_fused);
    tcase_add_test(ops, pads_become_those_of_the_next_window);
    tcase_add_test(ops, means_over_rows_and_columns_are_pools);
    tcase_add_test(ops, batchnorm_is_kept_or_folded);
    tcase_add_test(ops, shape_chains_are_folded);
    tcase_add_test(ops, constants_are_parameters_of_their_layers);
    tcase_add_test(ops, slices_splits_and_sizes);
    tcase_add_test(ops, patterns_of_transformers_are_recognised);
    tcase_add_test(ops, graph_only_files_have_weights_as_inputs);
    tcase_add_test(ops, names_are_unique_and_printable);
    tcase_add_test(ops, unknown_operators_say_what_to_do);
    suite_add_tcase(suite, ops);
    TCase *wrong = tcase_create("wrong files");
    tcase_add_test(wrong, open_shapes_name_the_input);
    tcase_add_test(wrong, enormous_dimensions_are_refused);
    tcase_add_test(wrong, names_made_twice_are_errors);
    tcase_add_test(wrong, cycles_and_missing_tensors_name_the_node);
    tcase_add_test(wrong, weights_elsewhere_or_too_short_are_refused);
    tcase_add_test(wrong, mismatching_operators_name_the_node);
    tcase_add_test(wrong, damaged_files_are_errors);
    tcase_add_test(wrong, other_files_are_refused);
    tcase_add_test(wrong, shapes_are_parsed);
    suite_add_tcase(suite, wrong);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(onnx_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
