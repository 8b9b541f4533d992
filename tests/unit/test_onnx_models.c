/*
 * torchvision's models in ONNX (tests/data/onnx, made by tools/export_onnx.py): counts equal those
 * that PyTorch's hooks make, every tensor has the shape that ONNX's own inference gives it, and
 * models that are in dnn_graphs, too, are the same networks.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"
#include "io/graph_json.h"
#include "io/onnx.h"
#include "support/suite.h"

enum { MAX_CSV_BYTES = 4 << 20, NAME_SIZE = 256 };

#define DATA EW_SOURCE_DIR "/tests/data/onnx"

/* ---- tensors as the import tells them ---- */

struct tensor {
    char name[NAME_SIZE];
    char shape[64];
};

struct tensors {
    EW_VEC(struct tensor) items;
};

static void note_tensor(void *ctx, const char *name, size_t name_size, uint32_t n_dims,
                        const int64_t *dims)
{
    struct tensors *list = ctx;
    struct tensor t = {.name = ""};
    size_t used = 0;
    ck_assert_uint_lt(name_size, NAME_SIZE);
    memcpy(t.name, name, name_size);
    for (uint32_t i = 0; i < n_dims; i++) {
        used += (size_t)snprintf(t.shape + used, sizeof t.shape - used, "%s%lld", i ? "x" : "",
                                 (long long)dims[i]);
    }
    if (n_dims == 0) {
        strncpy(t.shape, "scalar", sizeof t.shape - 1);
    }
    ck_assert(ew_vec_push(&list->items, t));
}

static int compare_tensors(const void *a, const void *b)
{
    return strcmp(((const struct tensor *)a)->name, ((const struct tensor *)b)->name);
}

static struct ew_graph *import(const char *model, struct tensors *tensors)
{
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    const struct ew_onnx_options options = {.on_tensor = tensors ? note_tensor : NULL,
                                            .ctx = tensors};
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.onnx", DATA, model);
    ck_assert_msg(ew_graph_load_onnx(&graph, path, &options, &err) == EW_OK, "%s", err.message);
    ck_assert_str_eq(graph->name, model);
    return graph;
}

/* ---- rows of our own CSV files: no quotes, '#' comments, one header line ---- */

static char *read_csv(const char *name)
{
    char path[512], *text = NULL;
    size_t size = 0;
    struct ew_error err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", DATA, name);
    ck_assert_msg(ew_file_read(&text, &size, path, MAX_CSV_BYTES, &err) == EW_OK, "%s",
                  err.message);
    return text;
}

/* The next row's fields; false at the end. */
static bool next_row(char **at, char *fields[], size_t n)
{
    while (**at) {
        char *line = *at, *end = line + strcspn(line, "\n");
        *at = *end ? end + 1 : end;
        *end = '\0';
        if (*line == '#' || strncmp(line, "model,", 6) == 0) {
            continue;
        }
        for (size_t i = n; i-- > 1;) {
            char *comma = strrchr(line, ',');
            ck_assert_ptr_nonnull(comma);
            *comma = '\0';
            fields[i] = comma + 1;
        }
        fields[0] = line;
        return true;
    }
    return false;
}

/* ---- tests ---- */

START_TEST(counts_equal_hooks)
{
    char *text = read_csv("models.csv"), *at = text, *row[4];
    int n = 0;
    while (next_row(&at, row, 4)) {
        struct ew_graph *g = import(row[0], NULL);
        uint64_t macs = 0, params = 0;
        ck_assert(ew_parse_u64(row[2], &macs) && ew_parse_u64(row[3], &params));
        ck_assert_msg(g->macs == macs, "%s: %llu MACs", row[0], (unsigned long long)g->macs);
        ck_assert_msg(g->params == params, "%s: %llu parameters", row[0],
                      (unsigned long long)g->params);
        ew_graph_free(g);
        n++;
    }
    ck_assert_int_ge(n, 20);
    free(text);
}
END_TEST

START_TEST(shapes_equal_onnx_inference)
{
    char *text = read_csv("shapes.csv"), *at = text, *row[3], model[64] = "";
    struct tensors tensors = {0};
    struct ew_graph *graph = NULL;
    int n = 0;
    while (next_row(&at, row, 3)) {
        const char *tensor = row[1];
        if (strcmp(model, row[0]) != 0) {
            (void)snprintf(model, sizeof model, "%s", row[0]);
            tensors.items.count = 0;
            ew_graph_free(graph);
            graph = import(model, &tensors);
            qsort(tensors.items.items, tensors.items.count, sizeof *tensors.items.items,
                  compare_tensors);
        }
        struct tensor key = {.name = ""};
        (void)snprintf(key.name, sizeof key.name, "%s", tensor);
        const struct tensor *found =
            bsearch(&key, tensors.items.items, tensors.items.count, sizeof key, compare_tensors);
        ck_assert_msg(found != NULL, "%s: no tensor %s", model, tensor);
        ck_assert_msg(strcmp(found->shape, row[2]) == 0, "%s: %s is %s, expected %s", model, tensor,
                      found->shape, row[2]);
        n++;
    }
    ck_assert_int_ge(n, 5000);
    ew_graph_free(graph);
    ew_vec_fini(&tensors.items);
    free(text);
}
END_TEST

/* Of both forms, the layers that compute, in an order that does not depend on that of the file. */
struct summary {
    enum ew_op op;
    int32_t shape[EW_DIMS];
    uint64_t macs, params;
};

static int compare_summaries(const void *a, const void *b)
{
    const struct summary *x = a, *y = b;
    const int order = memcmp(x->shape, y->shape, sizeof x->shape);
    return x->op != y->op           ? (int)x->op - (int)y->op
           : order                  ? order
           : x->params != y->params ? (x->params < y->params ? -1 : 1)
                                    : (x->macs > y->macs) - (x->macs < y->macs);
}

static size_t summarise(struct summary *out, const struct ew_graph *g)
{
    size_t n = 0;
    for (uint32_t i = 0; i < g->n_layers; i++) {
        const struct ew_layer *layer = &g->layers[i];
        if (ew_op_class(layer->op) == EW_CLASS_VIEW) {
            continue; /* dropout, flatten; the exporter joins concatenations of concatenations */
        }
        out[n] = (struct summary){.op = layer->op, .macs = layer->macs, .params = layer->params};
        memcpy(out[n++].shape, layer->shape, sizeof layer->shape);
    }
    qsort(out, n, sizeof *out, compare_summaries);
    return n;
}

START_TEST(ready_graphs_are_the_same_networks)
{
    static const char *const models[] = {"alexnet",      "vgg11",        "vgg16",    "vgg19",
                                         "googlenet",    "inception_v3", "resnet18", "resnet50",
                                         "mobilenet_v2", "squeezenet1_1"};
    const char *const dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *ours = NULL, *theirs = import(models[_i], NULL);
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&ours, models[_i], dirs, 1, &err) == EW_OK, "%s", err.message);
    struct summary a[512], b[512];
    ck_assert_uint_le(ours->n_layers, 512);
    ck_assert_uint_le(theirs->n_layers, 512);
    const size_t n = summarise(a, ours);
    ck_assert_uint_eq(summarise(b, theirs), n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(compare_summaries(&a[i], &b[i]) == 0, "%s: %s %dx%dx%d, found %s %dx%dx%d",
                      models[_i], ew_op_name(a[i].op), a[i].shape[1], a[i].shape[2], a[i].shape[3],
                      ew_op_name(b[i].op), b[i].shape[1], b[i].shape[2], b[i].shape[3]);
    }
    ck_assert_uint_eq(ours->macs, theirs->macs);
    ck_assert_uint_eq(ours->params, theirs->params);
    ew_graph_free(ours);
    ew_graph_free(theirs);
}
END_TEST

/* What is imported can be saved: the graph file gives the same counts. */
START_TEST(imported_graphs_survive_writing)
{
    static const char *const models[] = {"vit_b_16", "convnext_tiny", "shufflenet_v2_x1_0",
                                         "densenet121"};
    struct ew_graph *graph = import(models[_i], NULL), *back = NULL;
    struct ew_str text = {0};
    struct ew_error err = {0};
    ew_graph_print_json(&text, graph, NULL);
    ck_assert_msg(ew_graph_parse_json(&back, ew_str_text(&text), text.length, NULL, &err) == EW_OK,
                  "%s", err.message);
    ck_assert_uint_eq(back->n_layers, graph->n_layers);
    ck_assert_uint_eq(back->macs, graph->macs);
    ck_assert_uint_eq(back->params, graph->params);
    ew_graph_free(back);
    ew_graph_free(graph);
    ew_str_fini(&text);
}
END_TEST

static uint32_t count_ops(const struct ew_graph *g, enum ew_op op)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n_layers; i++) {
        n += g->layers[i].op == op;
    }
    return n;
}

/* Small operators become what they are: 12 blocks of attention and two-layer perceptrons. */
START_TEST(vit_is_recognised)
{
    struct ew_graph *g = import("vit_b_16", NULL);
    ck_assert_uint_eq(count_ops(g, EW_OP_LAYERNORM), 25);
    ck_assert_uint_eq(count_ops(g, EW_OP_GELU), 12);
    ck_assert_uint_eq(count_ops(g, EW_OP_SOFTMAX), 12);
    ck_assert_uint_eq(count_ops(g, EW_OP_MATMUL), 24);
    ck_assert_uint_eq(count_ops(g, EW_OP_LINEAR), 48);
    ck_assert_uint_eq(count_ops(g, EW_OP_UNARY), 0);
    uint32_t id = 0;
    ck_assert(ew_graph_find_layer(&id, g, "encoder.layers.encoder_layer_7.mlp.0"));
    ck_assert_int_eq(g->layers[id].op, EW_OP_LINEAR);
    ck_assert(g->layers[id].attrs.has_bias);
    ck_assert(ew_graph_find_layer(&id, g, "encoder.layers.encoder_layer_7.ln_2"));
    ew_graph_free(g);
    g = import("shufflenet_v2_x1_0", NULL);
    ck_assert_uint_eq(count_ops(g, EW_OP_SHUFFLE), 16);
    ck_assert_uint_eq(count_ops(g, EW_OP_TRANSPOSE) + count_ops(g, EW_OP_RESHAPE), 0);
    ew_graph_free(g);
    g = import("efficientnet_b0", NULL);
    ck_assert_uint_eq(count_ops(g, EW_OP_SILU), 49);
    ck_assert_uint_eq(count_ops(g, EW_OP_SIGMOID), 16); /* gates of squeeze-excite */
    ew_graph_free(g);
}
END_TEST

static Suite *onnx_models_suite(void)
{
    Suite *suite = begin_suite("onnx_models");
    TCase *facts = tcase_create("facts");
    tcase_set_timeout(facts, 60);
    tcase_add_test(facts, counts_equal_hooks);
    tcase_add_test(facts, shapes_equal_onnx_inference);
    tcase_add_loop_test(facts, ready_graphs_are_the_same_networks, 0, 10);
    tcase_add_loop_test(facts, imported_graphs_survive_writing, 0, 4);
    tcase_add_test(facts, vit_is_recognised);
    suite_add_tcase(suite, facts);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(onnx_models_suite());
    srunner_run_all(runner, CK_ENV);
    const int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
