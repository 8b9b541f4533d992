/*
 * Graph files: defaults and short forms, exits, variants, search by name, and one precise message
 * per kind of bad input.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "io/graph_json.h"
#include "support/suite.h"

static struct ew_graph *parse(const char *text)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_parse_json(&graph, text, strlen(text), "g.json", &err) == EW_OK, "%s",
                  err.message);
    return graph;
}

static void expect_error_n(const char *text, size_t size, const char *message)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_graph_parse_json(&graph, text, size, "g.json", &err), EW_EINPUT);
    ck_assert_ptr_null(graph);
    ck_assert_str_eq(err.message, message);
}

static void expect_error(const char *text, const char *message)
{
    expect_error_n(text, strlen(text), message);
}

#define HEAD "{\"schema\": \"edgeweave.graph/1\", \"name\": \"net\", "
#define INPUT "\"inputs\": [{\"name\": \"data\", \"shape\": [1, 3, 8, 8]}], "
#define LAYERS(list) HEAD INPUT "\"layers\": [" list "]}"
#define CONV "{\"name\": \"c\", \"op\": \"conv\", \"out_channels\": 4, \"kernel\": 3}"
#define AND(more) HEAD INPUT "\"layers\": [" CONV "], " more "}"

static const struct ew_layer *layer_of(const struct ew_graph *g, const char *name)
{
    uint32_t id = 0;
    ck_assert(ew_graph_find_layer(&id, g, name));
    return &g->layers[id];
}

/* ---- what is read ---- */

START_TEST(parse_fills_defaults)
{
    struct ew_graph *g =
        parse(LAYERS(CONV ", {\"name\": \"p\", \"op\": \"max_pool\", \"kernel\": 2}, "
                          "{\"name\": \"b\", \"op\": \"batchnorm\"}"));
    ck_assert_str_eq(g->name, "net");
    ck_assert_str_eq(g->source, "");
    ck_assert_str_eq(g->path, "g.json");
    ck_assert_double_eq(g->bytes_per_element, 4);
    ck_assert(isnan(g->exits[0].accuracy));
    const struct ew_layer *c = layer_of(g, "c"), *p = layer_of(g, "p");
    ck_assert_int_eq(c->attrs.kernel[1], 3);
    ck_assert_int_eq(c->attrs.stride[0], 1);
    ck_assert_int_eq(c->attrs.dilation[1], 1);
    ck_assert_int_eq(c->attrs.groups, 1);
    ck_assert(c->attrs.has_bias);
    ck_assert_int_eq(c->shape[EW_H], 6);
    ck_assert_int_eq(p->attrs.stride[1], 2); /* a pool's stride is its kernel */
    ck_assert_int_eq(p->shape[EW_W], 3);
    ck_assert_uint_eq(p->inputs[0], 1); /* the layer before it */
    ck_assert_uint_eq(layer_of(g, "b")->params, 8);
    ew_graph_free(g);
}
END_TEST

START_TEST(parse_reads_every_attribute)
{
    struct ew_graph *g = parse(
        HEAD
        "\"dtype\": \"float16\", \"accuracy\": 0.5, \"accuracy_metric\": \"m\", \"source\": \"s\", "
        "\"inputs\": [{\"name\": \"x\", \"shape\": [1, 8, 20, 30]}], \"layers\": ["
        "{\"name\": \"c\", \"op\": \"conv\", \"inputs\": [\"x\"], \"out_channels\": 6, "
        "\"kernel\": [3, 5], \"stride\": [1, 2], \"pads\": [0, 1, 2, 3], \"dilation\": [2, 1], "
        "\"groups\": 2, \"bias\": false}, "
        "{\"name\": \"a\", \"op\": \"avg_pool\", \"kernel\": [2, 3], \"stride\": 1, \"pads\": 1, "
        "\"ceil_mode\": true, \"count_include_pad\": false}, "
        "{\"name\": \"d\", \"op\": \"depthwise\", \"kernel\": 1, \"multiplier\": 2}, "
        "{\"name\": \"l\", \"op\": \"lrn\", \"size\": 5}, "
        "{\"name\": \"n\", \"op\": \"batchnorm\", \"affine\": false}, "
        "{\"name\": \"u\", \"op\": \"upsample\", \"scale\": [2, 3]}, "
        "{\"name\": \"q\", \"op\": \"pad\", \"pads\": [1, 2, 3, 4]}, "
        "{\"name\": \"r\", \"op\": \"reshape\", \"shape\": [51, 42, 12]}]}");
    const struct ew_op_attrs *c = &layer_of(g, "c")->attrs, *a = &layer_of(g, "a")->attrs;
    ck_assert_double_eq(g->bytes_per_element, 2);
    ck_assert_double_eq(g->exits[0].accuracy, 0.5);
    ck_assert_str_eq(g->accuracy_metric, "m");
    ck_assert_str_eq(g->source, "s");
    ck_assert(c->kernel[0] == 3 && c->kernel[1] == 5 && c->stride[0] == 1 && c->stride[1] == 2);
    ck_assert(c->pads[0] == 0 && c->pads[1] == 1 && c->pads[2] == 2 && c->pads[3] == 3);
    ck_assert(c->dilation[0] == 2 && c->dilation[1] == 1 && c->groups == 2 && !c->has_bias);
    ck_assert(a->stride[0] == 1 && a->pads[3] == 1 && a->ceil_mode && !a->count_include_pad);
    ck_assert_int_eq(layer_of(g, "d")->attrs.groups, 6);
    ck_assert_int_eq(layer_of(g, "d")->shape[EW_C], 12);
    ck_assert_int_eq(layer_of(g, "l")->attrs.size, 5);
    ck_assert_uint_eq(layer_of(g, "n")->params, 0);
    /* c: 20+2-5+1 = 18 x (30+4-5)/2+1 = 15; a: 19 x 15; u: 38 x 45; q: 42 x 51 */
    ck_assert_int_eq(layer_of(g, "c")->shape[EW_W], 15);
    ck_assert_int_eq(layer_of(g, "u")->shape[EW_W], 45);
    ck_assert_int_eq(layer_of(g, "q")->shape[EW_H], 42);
    ew_graph_free(g);
}
END_TEST

START_TEST(parse_reads_vectors_and_several_inputs)
{
    struct ew_graph *g = parse(
        HEAD
        "\"inputs\": [{\"name\": \"a\", \"shape\": [1, 7]}, {\"name\": \"b\", \"shape\": [1, 7]}], "
        "\"layers\": [{\"name\": \"s\", \"op\": \"add\", \"inputs\": [\"a\", \"b\"]}, "
        "{\"name\": \"f\", \"op\": \"fc\", \"out_channels\": 2}]}");
    ck_assert_uint_eq(g->n_inputs, 2);
    ck_assert_int_eq(layer_of(g, "s")->shape[EW_C], 7);
    ck_assert_uint_eq(g->params, 16);
    ew_graph_free(g);
}
END_TEST

START_TEST(parse_reads_exits)
{
    struct ew_graph *g = parse(AND("\"exits\": [{\"name\": \"e1\", \"layers\": [\"c\", \"data\"], "
                                   "\"accuracy\": 0.25}, {\"name\": \"e2\", \"layer\": \"c\"}]"));
    ck_assert_uint_eq(g->n_exits, 2);
    ck_assert_uint_eq(g->exits[0].n_layers, 2);
    ck_assert_uint_eq(g->exits[0].layers[1], 0);
    ck_assert_double_eq(g->exits[0].accuracy, 0.25);
    ck_assert(isnan(g->exits[1].accuracy));
    ew_graph_free(g);
}
END_TEST

/* ---- variants ---- */

START_TEST(parse_applies_overrides_to_a_copy)
{
    struct ew_graph *g =
        parse(HEAD INPUT
              "\"accuracy\": 0.9, \"layers\": [" CONV ", {\"name\": \"d\", \"op\": \"depthwise\", "
              "\"kernel\": 3}], \"variants\": [{\"name\": \"slim\", \"accuracy\": 0.7, "
              "\"overrides\": {\"c\": {\"out_channels\": 2}, \"d\": {\"multiplier\": 3}}}, "
              "{\"name\": \"same\", \"overrides\": {}}]}");
    ck_assert_uint_eq(g->n_variants, 3);
    ck_assert_int_eq(layer_of(g, "d")->shape[EW_C], 4);
    const struct ew_graph *slim = g->variants[1].graph;
    ck_assert_int_eq(layer_of(slim, "c")->shape[EW_C], 2);
    ck_assert_int_eq(layer_of(slim, "d")->shape[EW_C], 6);
    ck_assert_double_eq(g->variants[0].accuracy, 0.9);
    ck_assert_double_eq(g->variants[1].accuracy, 0.7);
    ck_assert(isnan(g->variants[2].accuracy)); /* nobody measured it */
    ew_graph_free(g);
}
END_TEST

/* A directory with files, removed by drop_dir. */
struct temporary {
    char dir[64];
    char *files[4];
    size_t count;
};

static void make_dir(struct temporary *t)
{
    memset(t, 0, sizeof *t);
    (void)snprintf(t->dir, sizeof t->dir, "/tmp/ew_graph_json.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(t->dir));
}

static const char *put_file(struct temporary *t, const char *name, const char *text)
{
    ck_assert_uint_lt(t->count, 4);
    char *path = ew_path_join(t->dir, name);
    ck_assert_ptr_nonnull(path);
    t->files[t->count++] = path;
    ck_assert_int_eq(ew_file_write(path, text, strlen(text), NULL), EW_OK);
    return path;
}

static void drop_dir(struct temporary *t)
{
    for (size_t i = 0; i < t->count; i++) {
        (void)unlink(t->files[i]);
        free(t->files[i]);
    }
    (void)rmdir(t->dir);
}

/* The file names itself as a variant: read once more, not for ever. */
START_TEST(load_follows_variant_files_once)
{
    struct temporary t;
    make_dir(&t);
    const char *path =
        put_file(&t, "loop.json",
                 HEAD INPUT "\"accuracy\": 0.4, \"layers\": [" CONV "], \"variants\": "
                            "[{\"name\": \"again\", \"graph\": \"loop.json\"}]}");
    struct ew_graph *g = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load_json(&g, path, &err) == EW_OK, "%s", err.message);
    ck_assert_uint_eq(g->n_variants, 2);
    ck_assert_double_eq(g->variants[1].accuracy, 0.4);
    ck_assert_uint_eq(g->variants[1].graph->n_variants, 1);
    ck_assert_str_eq(g->variants[1].graph->path, path);
    ew_graph_free(g);
    drop_dir(&t);
}
END_TEST

START_TEST(load_reports_the_variant_file)
{
    struct temporary t;
    make_dir(&t);
    const char *path = put_file(&t, "base.json",
                                AND("\"variants\": [{\"name\": \"v\", \"graph\": \"bad.json\"}]"));
    const char *bad = put_file(&t, "bad.json", "[]");
    struct ew_graph *g = NULL;
    struct ew_error err = {0};
    char want[400];
    ck_assert_int_eq(ew_graph_load_json(&g, path, &err), EW_EINPUT);
    (void)snprintf(want, sizeof want,
                   "%s: /variants/0/graph: %s: expected an object, found an array", path, bad);
    ck_assert_str_eq(err.message, want);
    drop_dir(&t);
}
END_TEST

START_TEST(load_finds_by_name_and_suggests)
{
    struct temporary t;
    make_dir(&t);
    const char *path = put_file(&t, "tinynet.json", LAYERS(CONV));
    (void)put_file(&t, "vgg16.json", LAYERS(CONV));
    const char *const dirs[] = {"/nonexistent", t.dir};
    struct ew_graph *g = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&g, "tinynet", dirs, 2, &err) == EW_OK, "%s", err.message);
    ck_assert_str_eq(g->path, path);
    ew_graph_free(g);
    ck_assert_int_eq(ew_graph_load(&g, path, dirs, 2, &err), EW_OK);
    ew_graph_free(g);
    char want[400];
    ck_assert_int_eq(ew_graph_load(&g, "tinyset", dirs, 2, &err), EW_EINPUT);
    (void)snprintf(want, sizeof want,
                   "there is no graph 'tinyset' in /nonexistent, %s; did you mean 'tinynet'?",
                   t.dir);
    ck_assert_str_eq(err.message, want);
    ck_assert_int_eq(ew_graph_load(&g, "x", NULL, 0, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "there is no graph 'x' in any directory");
    ck_assert_int_eq(ew_graph_load(&g, "missing.json", dirs, 2, &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "missing.json: cannot open: No such file or directory");
    drop_dir(&t);
}
END_TEST

START_TEST(parse_without_path_opens_no_file)
{
    const char *text = AND("\"variants\": [{\"name\": \"v\", \"graph\": \"x.json\"}]");
    struct ew_graph *g = NULL;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_graph_parse_json(&g, text, strlen(text), NULL, &err), EW_EINPUT);
    ck_assert_str_eq(err.message,
                     "graph: /variants/0/graph: a variant in a file needs a graph in a file");
}
END_TEST

/* ---- what is refused: syntax ---- */

START_TEST(syntax_errors_have_line_and_column)
{
    expect_error("", "g.json: expected a JSON document, found an empty file");
    expect_error(" \n ", "g.json: expected a JSON document, found an empty file");
    expect_error("{\n  \"a\": 1\n  \"b\": 2}", "g.json:3:3: not valid JSON at '\"'");
    expect_error("{\"a\": [1, 2", "g.json:1:12: expected more JSON, found the end of the file");
    expect_error("{\"a\": \"text",
                 "g.json:1:7: expected a closing quote, found the end of the file");
    expect_error("{} {}", "g.json:1:4: expected the end of the file, found '{'");
    expect_error("{\"\xc3\xa4\": nul}", "g.json:1:7: expected a JSON value, found 'nul'");
    expect_error("[1,]", "g.json:1:4: not valid JSON at ']'");
    expect_error("{\"a\": \"\\x\"}", "g.json:1:8: not valid JSON at '\\'");
    expect_error("{'a': 1}", "g.json:1:2: expected a JSON value, found '''");
}
END_TEST

START_TEST(syntax_refuses_what_cjson_lets_pass)
{
    expect_error("[01]", "g.json:1:2: expected a JSON value, found '01'");
    expect_error("[1.]", "g.json:1:2: expected a JSON value, found '1.'");
    expect_error("[NaN]", "g.json:1:2: expected a JSON value, found 'NaN'");
    expect_error("[-Infinity]", "g.json:1:2: expected a JSON value, found '-Infinity'");
    expect_error("[1e999]", "g.json: /0: expected a finite number, found one beyond any double");
    expect_error("[\"a\\u0000b\"]", "g.json:1:4: expected text without NUL, found \\u0000");
    expect_error("[\"a\tb\"]",
                 "g.json:1:4: expected control characters to be escaped, found byte 9");
    expect_error("[\"\xff\"]", "g.json:1:3: expected UTF-8, found byte 0xff");
    expect_error("[\"\xc0\x80\"]", "g.json:1:3: expected UTF-8, found byte 0xc0");
    expect_error("[\"\xed\xa0\x80\"]", "g.json:1:3: expected UTF-8, found byte 0xed");
    expect_error("[\"\xf4\x90\x80\x80\"]", "g.json:1:3: expected UTF-8, found byte 0xf4");
    expect_error_n("[1]\0", 4, "g.json:1:4: expected a JSON value, found byte 0x00");
    expect_error("{\"a\": 1, \"a\": 2}", "g.json: expected unique keys, found 'a' twice");
    expect_error("{\"k\": [{\"a\": 1, \"b\": 2, \"a\": 3}]}",
                 "g.json: /k/0: expected unique keys, found 'a' twice");
    expect_error("[1111111111222222222233333333334444444444555555555566666666667]",
                 "g.json:1:2: expected a number of at most 60 characters, found 61");
}
END_TEST

START_TEST(syntax_bounds_depth)
{
    char text[200];
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    text[130] = '\0';
    expect_error(text, "g.json:1:65: expected at most 64 nested values");
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';
    expect_error(text, "g.json: expected an object, found an array");
}
END_TEST

/* ---- what is refused: content ---- */

START_TEST(header_errors)
{
    expect_error("[]", "g.json: expected an object, found an array");
    expect_error("{}", "g.json: expected a member 'schema', found none");
    expect_error("{\"schema\": \"edgeweave.graph/2\"}",
                 "g.json: /schema: expected \"edgeweave.graph/1\", found \"edgeweave.graph/2\"");
    expect_error("{\"schema\": \"edgeweave.graph/1\"}",
                 "g.json: expected a member 'name', found none");
    expect_error(HEAD "\"layer\": []}", "g.json: unknown key 'layer'; did you mean 'layers'?");
    expect_error(
        HEAD "\"dtype\": \"float64\"}",
        "g.json: /dtype: expected \"float32\", \"float16\" or \"int8\", found \"float64\"");
    expect_error(HEAD "\"accuracy\": 71.5}",
                 "g.json: /accuracy: expected a number in 0..1, found 71.5");
    expect_error(HEAD "\"source\": null}", "g.json: /source: expected a string, found null");
    expect_error("{\"schema\": \"edgeweave.graph/1\", \"name\": \"\"}",
                 "g.json: /name: expected a name of 1..128 bytes, found 0");
    expect_error("{\"schema\": \"edgeweave.graph/1\", \"name\": \"a\\nb\"}",
                 "g.json: /name: expected a name without control characters");
}
END_TEST

START_TEST(input_errors)
{
    expect_error(HEAD "\"layers\": []}", "g.json: expected a member 'inputs', found none");
    expect_error(HEAD "\"inputs\": {}}", "g.json: /inputs: expected an array, found an object");
    expect_error(HEAD "\"inputs\": [], \"layers\": []}",
                 "g.json: /inputs: expected at least one item, found none");
    expect_error(LAYERS(""), "g.json: /layers: expected at least one item, found none");
#define SHAPE(shape)                                                                               \
    HEAD "\"inputs\": [{\"name\": \"x\", \"shape\": " shape "}], \"layers\": [" CONV "]}"
    expect_error(SHAPE("[1, 3, 8]"),
                 "g.json: /inputs/0/shape: expected [1, C] or [1, C, H, W], found 3 numbers");
    expect_error(SHAPE("[2, 3, 8, 8]"),
                 "g.json: /inputs/0/shape/0: expected an integer in 1..1, found 2");
    expect_error(SHAPE("[1, 3, -8, 8]"),
                 "g.json: /inputs/0/shape/2: expected an integer in 1..16777216, found -8");
    expect_error(SHAPE("[1, 3, 8.5, 8]"),
                 "g.json: /inputs/0/shape/2: expected an integer in 1..16777216, found 8.5");
    expect_error(SHAPE("[1, 3, 1e300, 8]"),
                 "g.json: /inputs/0/shape/2: expected an integer in 1..16777216, found 1e+300");
    expect_error(SHAPE("[1, 16777216, 16777216, 16777216]"),
                 "g.json: /inputs/0: layer 'x': shape: expected at most 2147483647 elements, found "
                 "16777216x16777216x16777216");
    expect_error(SHAPE("\"3x8x8\""), "g.json: /inputs/0/shape: expected an array, found \"3x8x8\"");
}
END_TEST

START_TEST(layer_errors)
{
    expect_error(LAYERS("3"), "g.json: /layers/0: expected an object, found 3");
    expect_error(LAYERS("{\"op\": \"relu\"}"),
                 "g.json: /layers/0: expected a member 'name', found none");
    expect_error(LAYERS("{\"name\": \"r\"}"),
                 "g.json: /layers/0: expected a member 'op', found none");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"rleu\"}"),
                 "g.json: /layers/0/op: unknown op 'rleu'; did you mean 'relu'?");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"convv\"}"),
                 "g.json: /layers/0/op: unknown op 'convv'; did you mean 'conv'?");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"input\"}"),
                 "g.json: /layers/0/op: unknown op 'input'");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"relu\", \"kernel\": 3}"),
                 "g.json: /layers/0: unknown key 'kernel' (op relu)");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"conv\", \"kernal\": 3}"),
                 "g.json: /layers/0: unknown key 'kernal'; did you mean 'kernel'? (op conv)");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"conv\", \"kernel\": 3}"),
                 "g.json: /layers/0: expected a member 'out_channels', found none");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"max_pool\", \"kernel\": \"3x3\"}"),
                 "g.json: /layers/0/kernel: expected 1 or 2 integers >= 1, found \"3x3\"");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"max_pool\", \"kernel\": [3, 3, 3]}"),
                 "g.json: /layers/0/kernel: expected 1 or 2 integers >= 1, found an array of 3");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"max_pool\", \"kernel\": [3, -3]}"),
                 "g.json: /layers/0/kernel/1: expected an integer in 1..16777216, found -3");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"max_pool\", \"kernel\": 3, \"ceil_mode\": 1}"),
                 "g.json: /layers/0/ceil_mode: expected true or false, found 1");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"reshape\", \"shape\": 8}"),
                 "g.json: /layers/0/shape: expected [C, H, W], found 8");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"relu\", \"inputs\": []}"),
                 "g.json: /layers/0/inputs: expected 1..65536 names, found 0");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"relu\", \"inputs\": [\"dat\"]}"),
                 "g.json: /layers/0: layer 'r': input 0: there is no layer 'dat'; did you mean "
                 "'data'?");
    expect_error(LAYERS("{\"name\": \"data\", \"op\": \"relu\"}"),
                 "g.json: /layers/0: layer 'data': expected a unique name, found another layer of "
                 "that name at /inputs/0");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"relu\", \"inputs\": [\"s\"]}, "
                        "{\"name\": \"s\", \"op\": \"relu\"}"),
                 "g.json: /layers/0: layer 'r': depends on itself through 's': the graph has a "
                 "cycle");
    expect_error(LAYERS("{\"name\": \"r\", \"op\": \"conv\", \"out_channels\": 4, \"kernel\": 9}"),
                 "g.json: /layers/0: layer 'r': expected an input of at least 9 padded rows, found "
                 "8");
    expect_error(HEAD "\"inputs\": [{\"name\": \"a\", \"shape\": [1, 2]}, {\"name\": \"b\", "
                      "\"shape\": [1, 2]}], \"layers\": [{\"name\": \"r\", \"op\": \"relu\"}]}",
                 "g.json: /layers/0: expected a member 'inputs': the graph has several network "
                 "inputs");
}
END_TEST

START_TEST(exit_errors)
{
    expect_error(AND("\"exits\": []"), "g.json: /exits: expected 1..256 exits, found 0");
    expect_error(AND("\"exits\": [{\"name\": \"e\"}]"),
                 "g.json: /exits/0: expected either 'layer' or 'layers', found neither");
    expect_error(AND("\"exits\": [{\"name\": \"e\", \"layer\": \"c\", \"layers\": [\"c\"]}]"),
                 "g.json: /exits/0: expected either 'layer' or 'layers', found both");
    expect_error(AND("\"exits\": [{\"name\": \"e\", \"layer\": \"cc\"}]"),
                 "g.json: exit 'e': there is no layer 'cc'; did you mean 'c'?");
    expect_error(AND("\"exits\": [{\"name\": \"e\", \"layer\": \"c\", \"acuracy\": 1}]"),
                 "g.json: /exits/0: unknown key 'acuracy'; did you mean 'accuracy'?");
}
END_TEST

START_TEST(variant_errors)
{
    expect_error(AND("\"variants\": [{\"name\": \"v\"}]"),
                 "g.json: /variants/0: expected either 'graph' or 'overrides', found neither");
    expect_error(AND("\"variants\": [{\"name\": \"v\", \"overrides\": {\"d\": {}}}]"),
                 "g.json: /variants/0/overrides: there is no layer 'd'; did you mean 'c'?");
    expect_error(AND("\"variants\": [{\"name\": \"v\", \"overrides\": {\"data\": {}}}]"),
                 "g.json: /variants/0/overrides: 'data' is a network input: it has no attributes");
    expect_error(AND("\"variants\": [{\"name\": \"v\", \"overrides\": {\"c\": {\"op\": \"fc\"}}}]"),
                 "g.json: /variants/0/overrides/c: unknown key 'op' (op conv)");
    expect_error(
        AND("\"variants\": [{\"name\": \"v\", \"overrides\": {\"c\": {\"kernel\": 30}}}]"),
        "g.json: /variants/0/overrides: /layers/0: layer 'c': expected an input of at least 30 "
        "padded rows, found 8");
    expect_error(AND("\"variants\": [{\"name\": \"base\", \"overrides\": {}}]"),
                 "g.json: /variants: variant 'base': expected a unique name, found it twice "
                 "('base' is the graph itself)");
    expect_error(AND("\"variants\": [{\"name\": \"v\", \"graph\": \"/nonexistent/v.json\"}]"),
                 "g.json: /variants/0/graph: /nonexistent/v.json: cannot open: No such file or "
                 "directory");
}
END_TEST

/* Every prefix of a valid file is an error, never a crash. */
START_TEST(truncated_files_are_errors)
{
    const char *text = AND("\"exits\": [{\"name\": \"e\", \"layer\": \"c\"}]");
    for (size_t n = 0; n < strlen(text); n++) {
        struct ew_graph *graph = NULL;
        struct ew_error err = {0};
        char *exact = malloc(n ? n : 1); /* no byte more, so that sanitizers see overreads */
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, text, n);
        ck_assert_int_eq(ew_graph_parse_json(&graph, exact, n, "g.json", &err), EW_EINPUT);
        ck_assert(err.message[0] != '\0');
        free(exact);
    }
}
END_TEST

static Suite *graph_json_suite(void)
{
    Suite *suite = begin_suite("graph_json");
    TCase *reading = tcase_create("read");
    tcase_add_test(reading, parse_fills_defaults);
    tcase_add_test(reading, parse_reads_every_attribute);
    tcase_add_test(reading, parse_reads_vectors_and_several_inputs);
    tcase_add_test(reading, parse_reads_exits);
    suite_add_tcase(suite, reading);
    TCase *variants = tcase_create("variants");
    tcase_add_test(variants, parse_applies_overrides_to_a_copy);
    tcase_add_test(variants, load_follows_variant_files_once);
    tcase_add_test(variants, load_reports_the_variant_file);
    tcase_add_test(variants, parse_without_path_opens_no_file);
    suite_add_tcase(suite, variants);
    TCase *names = tcase_create("load");
    tcase_add_test(names, load_finds_by_name_and_suggests);
    suite_add_tcase(suite, names);
    TCase *syntax = tcase_create("syntax");
    tcase_add_test(syntax, syntax_errors_have_line_and_column);
    tcase_add_test(syntax, syntax_refuses_what_cjson_lets_pass);
    tcase_add_test(syntax, syntax_bounds_depth);
    tcase_add_test(syntax, truncated_files_are_errors);
    suite_add_tcase(suite, syntax);
    TCase *content = tcase_create("content");
    tcase_add_test(content, header_errors);
    tcase_add_test(content, input_errors);
    tcase_add_test(content, layer_errors);
    tcase_add_test(content, exit_errors);
    tcase_add_test(content, variant_errors);
    suite_add_tcase(suite, content);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(graph_json_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
