#include "io/graph_json.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"
#include "io/graph_layer_json.h"
#include "io/json_read.h"

enum {
    MAX_FILE_BYTES = 64 << 20,
    MAX_EXITS = 256,
    MAX_HEADS = 256,
    MAX_VARIANTS = 256,
};

/* State of one file being read. `arena` holds descriptions and dies with it. */
struct reader {
    struct ew_arena arena;
    struct ew_json_value root;
    const char *path;      /* NULL: open no further file */
    bool follows_variants; /* false in a variant's own file */
    struct ew_layer_desc *layers;
    uint32_t n_inputs; /* the first layers are the network's inputs */
    struct ew_graph_desc desc;
};

/* ---- header ---- */

static enum ew_status read_dtype(double *bytes_per_element, const struct ew_json_value *root,
                                 struct ew_error *err)
{
    static const struct {
        const char *name;
        double bytes;
    } dtypes[] = {{"float32", 4}, {"float16", 2}, {"int8", 1}};
    *bytes_per_element = 4;
    struct ew_json_value v;
    if (!ew_json_find(&v, root, "dtype")) {
        return EW_OK;
    }
    const char *name = "";
    const enum ew_status status = ew_json_as_string(&name, &v, err);
    if (status != EW_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *bytes_per_element = dtypes[i].bytes;
            return EW_OK;
        }
    }
    return ew_json_expected(&v, "\"float32\", \"float16\" or \"int8\"", err);
}

/* Beside the graph file; not opened here. */
static enum ew_status read_weights_file(struct reader *r, struct ew_error *err)
{
    const char *name = NULL;
    const enum ew_status status = ew_json_get_string(&name, &r->root, "weights_file", err);
    if (status != EW_OK || !name) {
        return status;
    }
    char *path = ew_path_beside(r->path ? r->path : "", name);
    r->desc.weights_path = path ? ew_arena_strdup(&r->arena, path) : NULL;
    free(path);
    return r->desc.weights_path ? EW_OK : ew_fail_memory(err);
}

static enum ew_status read_header(struct reader *r, struct ew_error *err)
{
    static const char *const keys[] = {"schema",          "name",         "source",  "dtype",
                                       "accuracy",        "inputs",       "layers",  "exits",
                                       "accuracy_metric", "weights_file", "variants"};
    const struct ew_json_value *root = &r->root;
    struct ew_graph_desc *d = &r->desc;
    d->source = d->accuracy_metric = "";
    d->accuracy = NAN;
    d->path = r->path ? r->path : "";
    enum ew_status status = ew_json_check_schema(root, "edgeweave.graph/1", err);
    status = status ? status : ew_json_check_keys(root, keys, sizeof keys / sizeof *keys, err);
    status = status ? status : ew_json_need_label(&d->name, root, "name", err);
    status = status ? status : ew_json_get_string(&d->source, root, "source", err);
    status =
        status ? status : ew_json_get_string(&d->accuracy_metric, root, "accuracy_metric", err);
    status = status ? status : ew_json_get_double(&d->accuracy, root, "accuracy", 0, 1, err);
    status = status ? status : read_weights_file(r, err);
    return status ? status : read_dtype(&d->bytes_per_element, root, err);
}

/* ---- layers ---- */

static enum ew_status read_input(struct reader *r, struct ew_layer_desc *out,
                                 const struct ew_json_value *input, struct ew_error *err)
{
    static const char *const keys[] = {"name", "shape"};
    struct ew_json_value shape = {0};
    enum ew_status status = ew_json_check_keys(input, keys, 2, err);
    status = status ? status : ew_json_need_label(&out->name, input, "name", err);
    status = status ? status : ew_json_need_array(&shape, input, "shape", err);
    if (status != EW_OK) {
        return status;
    }
    const size_t n = ew_json_count(&shape);
    if (n != 2 && n != 4) {
        return ew_json_fail(&shape, err, "expected [1, C] or [1, C, H, W], found %zu numbers", n);
    }
    out->op = EW_OP_INPUT;
    out->shape[EW_H] = out->shape[EW_W] = 1;
    struct ew_json_value item = {0};
    while (status == EW_OK && ew_json_next(&item, &shape)) {
        const int64_t max = item.index == EW_N ? 1 : EW_GRAPH_MAX_DIM;
        int64_t size = 0;
        status = ew_json_as_i64(&size, &item, 1, max, err);
        out->shape[item.index] = (int32_t)size;
    }
    out->place = ew_json_place(&r->arena, input);
    return status ? status : out->place ? EW_OK : ew_fail_memory(err);
}

static enum ew_status read_layers(struct reader *r, struct ew_error *err)
{
    struct ew_json_value inputs = {0}, layers = {0}, item = {0};
    enum ew_status status = ew_json_need_array(&inputs, &r->root, "inputs", err);
    status = status ? status : ew_json_need_array(&layers, &r->root, "layers", err);
    if (status != EW_OK) {
        return status;
    }
    const size_t n_inputs = ew_json_count(&inputs), n_layers = ew_json_count(&layers);
    if (n_inputs == 0 || n_layers == 0) {
        return ew_json_fail(n_inputs == 0 ? &inputs : &layers, err,
                            "expected at least one item, found none");
    }
    if (n_inputs > EW_GRAPH_MAX_LAYERS || n_layers > EW_GRAPH_MAX_LAYERS - n_inputs) {
        return ew_json_fail(&r->root, err, "expected at most %d inputs and layers, found %zu",
                            (int)EW_GRAPH_MAX_LAYERS, n_inputs + n_layers);
    }
    r->layers = ew_arena_calloc(&r->arena, n_inputs + n_layers, sizeof *r->layers);
    if (!r->layers) {
        return ew_fail_memory(err);
    }
    r->n_inputs = (uint32_t)n_inputs;
    r->desc.layers = r->layers;
    struct ew_layer_desc *next = r->layers;
    while (status == EW_OK && ew_json_next(&item, &inputs)) {
        status = read_input(r, next++, &item, err);
    }
    item = (struct ew_json_value){0};
    while (status == EW_OK && ew_json_next(&item, &layers)) {
        const bool is_after_inputs = item.index == 0 && n_inputs > 1;
        const char *previous = is_after_inputs ? NULL : next[-1].name;
        status = ew_layer_json_read(next++, &r->arena, &item, previous, err);
    }
    r->desc.n_layers = (uint32_t)(next - r->layers);
    return status;
}

/* ---- exits ---- */

static enum ew_status read_exit_layers(struct reader *r, struct ew_exit_desc *out,
                                       const struct ew_json_value *exit, struct ew_error *err)
{
    struct ew_json_value one = {0}, several = {0};
    const bool has_one = ew_json_find(&one, exit, "layer");
    if (has_one == ew_json_find(&several, exit, "layers")) {
        return ew_json_fail(exit, err, "expected either 'layer' or 'layers', found %s",
                            has_one ? "both" : "neither");
    }
    if (!has_one) {
        return ew_json_read_labels(&out->layers, &out->n_layers, &r->arena, &several, MAX_HEADS,
                                   err);
    }
    const char **name = ew_arena_calloc(&r->arena, 1, sizeof *name);
    if (!name) {
        return ew_fail_memory(err);
    }
    out->layers = name;
    out->n_layers = 1;
    return ew_json_as_string(name, &one, err);
}

static enum ew_status read_exits(struct reader *r, struct ew_error *err)
{
    static const char *const keys[] = {"name", "layer", "layers", "accuracy"};
    struct ew_json_value exits = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&exits, &r->root, "exits", err);
    if (status != EW_OK || !ew_json_is_present(&exits)) {
        return status;
    }
    const size_t n = ew_json_count(&exits);
    if (n == 0 || n > MAX_EXITS) {
        return ew_json_fail(&exits, err, "expected 1..%d exits, found %zu", (int)MAX_EXITS, n);
    }
    struct ew_exit_desc *all = ew_arena_calloc(&r->arena, n, sizeof *all);
    if (!all) {
        return ew_fail_memory(err);
    }
    r->desc.exits = all;
    r->desc.n_exits = (uint32_t)n;
    while (status == EW_OK && ew_json_next(&item, &exits)) {
        struct ew_exit_desc *exit = &all[item.index];
        exit->accuracy = NAN;
        status = ew_json_check_keys(&item, keys, sizeof keys / sizeof *keys, err);
        status = status ? status : ew_json_need_label(&exit->name, &item, "name", err);
        status =
            status ? status : ew_json_get_double(&exit->accuracy, &item, "accuracy", 0, 1, err);
        status = status ? status : read_exit_layers(r, exit, &item, err);
    }
    return status;
}

/* ---- variants ---- */

static enum ew_status load_file(struct ew_graph **out, const char *path, bool follows_variants,
                                struct ew_error *err);

static enum ew_status load_variant_file(struct ew_graph **out, const struct reader *r,
                                        const struct ew_json_value *file, struct ew_error *err)
{
    const char *name = NULL;
    enum ew_status status = ew_json_as_string(&name, file, err);
    if (status != EW_OK) {
        return status;
    }
    if (!r->path) {
        return ew_json_fail(file, err, "a variant in a file needs a graph in a file");
    }
    char *path = ew_path_beside(r->path, name);
    if (!path) {
        return ew_fail_memory(err);
    }
    status = load_file(out, path, false, err);
    if (status != EW_OK) {
        (void)ew_json_prefix(file, err);
    }
    free(path);
    return status;
}

static int compare_desc_names(const void *a, const void *b)
{
    const struct ew_layer_desc *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int compare_name_with_desc(const void *name, const void *element)
{
    const struct ew_layer_desc *const *desc = element;
    return strcmp(name, (*desc)->name);
}

static const char *desc_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_layer_desc *)ctx)[i].name;
}

/* Apply one variant's overrides to a copy of the layers. */
static enum ew_status override_layers(struct reader *r, struct ew_layer_desc *layers,
                                      const struct ew_json_value *overrides, struct ew_error *err)
{
    const uint32_t n = r->desc.n_layers;
    struct ew_layer_desc **by_name = ew_arena_calloc(&r->arena, n, sizeof *by_name);
    if (!by_name) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < n; i++) {
        by_name[i] = &layers[i];
    }
    qsort(by_name, n, sizeof *by_name, compare_desc_names);
    enum ew_status status = EW_OK;
    struct ew_json_value item = {0};
    while (status == EW_OK && ew_json_next(&item, overrides)) {
        const char *name = ew_json_name(&item);
        struct ew_layer_desc **found =
            bsearch(name, by_name, n, sizeof *by_name, compare_name_with_desc);
        if (!found) {
            const char *near = ew_nearest_name(name, n, desc_name_at, layers);
            return ew_json_fail(overrides, err, "there is no layer '%.64s'%s%s%s", name,
                                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        if ((*found)->op == EW_OP_INPUT) {
            return ew_json_fail(overrides, err, "'%.64s' is a network input: it has no attributes",
                                name);
        }
        status = ew_layer_json_override(*found, &item, err);
    }
    return status;
}

static enum ew_status make_override(struct ew_graph **out, struct reader *r,
                                    const struct ew_json_value *overrides, struct ew_error *err)
{
    enum ew_status status = ew_json_as_object(overrides, err);
    if (status != EW_OK) {
        return status;
    }
    struct ew_layer_desc *layers =
        ew_arena_copy(&r->arena, r->layers, r->desc.n_layers, sizeof *layers);
    if (!layers) {
        return ew_fail_memory(err);
    }
    status = override_layers(r, layers, overrides, err);
    if (status != EW_OK) {
        return status;
    }
    struct ew_graph_desc desc = r->desc;
    desc.layers = layers;
    desc.accuracy = NAN; /* the overridden network is not the one that was measured */
    status = ew_graph_make(out, &desc, err);
    if (status != EW_OK) {
        (void)ew_json_prefix(overrides, err);
    }
    return status;
}

static enum ew_status read_variant(const char **name, double *accuracy, struct ew_graph **graph,
                                   struct reader *r, const struct ew_json_value *item,
                                   struct ew_error *err)
{
    static const char *const keys[] = {"name", "accuracy", "graph", "overrides"};
    struct ew_json_value file = {0}, overrides = {0};
    *accuracy = NAN;
    enum ew_status status = ew_json_check_keys(item, keys, sizeof keys / sizeof *keys, err);
    status = status ? status : ew_json_need_label(name, item, "name", err);
    status = status ? status : ew_json_get_double(accuracy, item, "accuracy", 0, 1, err);
    if (status != EW_OK) {
        return status;
    }
    const bool has_file = ew_json_find(&file, item, "graph");
    if (has_file == ew_json_find(&overrides, item, "overrides")) {
        return ew_json_fail(item, err, "expected either 'graph' or 'overrides', found %s",
                            has_file ? "both" : "neither");
    }
    return has_file ? load_variant_file(graph, r, &file, err)
                    : make_override(graph, r, &overrides, err);
}

static enum ew_status read_variants(struct reader *r, struct ew_graph *base, struct ew_error *err)
{
    struct ew_json_value variants = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&variants, &r->root, "variants", err);
    if (status != EW_OK || !ew_json_is_present(&variants) || !r->follows_variants) {
        return status;
    }
    const size_t n = ew_json_count(&variants);
    if (n > MAX_VARIANTS) {
        return ew_json_fail(&variants, err, "expected at most %d variants, found %zu",
                            (int)MAX_VARIANTS, n);
    }
    const char **names = ew_arena_calloc(&r->arena, n, sizeof *names);
    double *accuracy = ew_arena_calloc(&r->arena, n, sizeof *accuracy);
    struct ew_graph **graphs = ew_arena_calloc(&r->arena, n, sizeof(struct ew_graph *));
    if (!names || !accuracy || !graphs) {
        return ew_fail_memory(err);
    }
    while (status == EW_OK && ew_json_next(&item, &variants)) {
        const size_t i = item.index;
        status = read_variant(&names[i], &accuracy[i], &graphs[i], r, &item, err);
    }
    if (status != EW_OK) {
        for (size_t i = 0; i < n; i++) {
            ew_graph_free(graphs[i]);
        }
        return status;
    }
    status = ew_graph_attach_variants_take(base, (uint32_t)n, names, accuracy, graphs, err);
    if (status != EW_OK) {
        (void)ew_json_prefix(&variants, err);
    }
    return status;
}

/* ---- the whole file ---- */

static enum ew_status read_graph(struct ew_graph **out, const struct ew_json_doc *doc,
                                 const char *path, bool follows_variants, struct ew_error *err)
{
    struct reader r = {
        .root = ew_json_root(doc), .path = path, .follows_variants = follows_variants};
    struct ew_graph *graph = NULL;
    enum ew_status status = read_header(&r, err);
    status = status ? status : read_layers(&r, err);
    status = status ? status : read_exits(&r, err);
    if (status == EW_OK && (status = ew_graph_make(&graph, &r.desc, err)) != EW_OK) {
        (void)ew_json_prefix(&r.root, err);
    }
    status = status ? status : read_variants(&r, graph, err);
    if (status == EW_OK) {
        *out = graph;
        graph = NULL;
    }
    ew_graph_free(graph);
    ew_arena_fini(&r.arena);
    return status;
}

static enum ew_status load_file(struct ew_graph **out, const char *path, bool follows_variants,
                                struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_load(&doc, path, MAX_FILE_BYTES, err);
    status = status ? status : read_graph(out, doc, path, follows_variants, err);
    ew_json_doc_free(doc);
    return status;
}

enum ew_status ew_graph_load_json(struct ew_graph **out, const char *path, struct ew_error *err)
{
    return load_file(out, path, true, err);
}

enum ew_status ew_graph_parse_json(struct ew_graph **out, const char *text, size_t size,
                                   const char *path, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_parse(&doc, text, size, path ? path : "graph", err);
    status = status ? status : read_graph(out, doc, path, true, err);
    ew_json_doc_free(doc);
    return status;
}

/* ---- by name ---- */

static bool has_suffix(const char *text, const char *suffix)
{
    const size_t n = strlen(text), m = strlen(suffix);
    return n > m && strcmp(text + n - m, suffix) == 0;
}

struct name_list {
    EW_VEC(char *) names;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *name_at(const void *ctx, size_t i)
{
    return ((const struct name_list *)ctx)->names.items[i];
}

/* Names of the graphs in a directory; nothing for one that cannot be read. */
static void list_names(struct name_list *list, const char *dir)
{
    DIR *d = opendir(dir);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        if (!has_suffix(e->d_name, ".json")) {
            continue;
        }
        char *name = strndup(e->d_name, strlen(e->d_name) - strlen(".json"));
        if (!name || !ew_vec_push(&list->names, name)) {
            free(name);
            break;
        }
    }
    if (d) {
        (void)closedir(d);
    }
}

static enum ew_status fail_unknown_graph(const char *name, const char *const *dirs, size_t n_dirs,
                                         struct ew_error *err)
{
    struct name_list list = {0};
    struct ew_str searched = {0};
    for (size_t i = 0; i < n_dirs; i++) {
        list_names(&list, dirs[i]);
        ew_str_printf(&searched, "%s%s", i ? ", " : "", dirs[i]);
    }
    if (list.names.count > 1) { /* directory order differs between machines */
        qsort(list.names.items, list.names.count, sizeof *list.names.items, compare_names);
    }
    const char *near = ew_nearest_name(name, list.names.count, name_at, &list);
    const enum ew_status status =
        ew_fail(err, EW_EINPUT, "there is no graph '%s' in %s%s%s%s", name,
                n_dirs ? ew_str_text(&searched) : "any directory", near ? "; did you mean '" : "",
                near ? near : "", near ? "'?" : "");
    for (size_t i = 0; i < list.names.count; i++) {
        free(list.names.items[i]);
    }
    ew_vec_fini(&list.names);
    ew_str_fini(&searched);
    return status;
}

enum ew_status ew_graph_load(struct ew_graph **out, const char *name_or_path,
                             const char *const *search_dirs, size_t n_dirs, struct ew_error *err)
{
    if (strchr(name_or_path, '/') || has_suffix(name_or_path, ".json")) {
        return ew_graph_load_json(out, name_or_path, err);
    }
    for (size_t i = 0; i < n_dirs; i++) {
        struct ew_str path = {0};
        ew_str_printf(&path, "%s/%s.json", search_dirs[i], name_or_path);
        if (path.failed) {
            ew_str_fini(&path);
            return ew_fail_memory(err);
        }
        if (ew_file_exists(ew_str_text(&path))) {
            const enum ew_status status = ew_graph_load_json(out, ew_str_text(&path), err);
            ew_str_fini(&path);
            return status;
        }
        ew_str_fini(&path);
    }
    return fail_unknown_graph(name_or_path, search_dirs, n_dirs, err);
}
