#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "io/graph_file.h"
#include "io/graph_json.h"
#include "io/onnx.h"

/* What the options say. */
struct wishes {
    struct ew_arena arena;
    struct ew_onnx_options onnx;
    EW_VEC(struct ew_onnx_shape) shapes;
    const char *output; /* NULL: standard output */
};

static enum ew_status read_wishes(struct wishes *w, struct ew_cli *cli, struct ew_error *err)
{
    const struct ew_arg *output = ew_cli_output(cli),
                        *name = ew_args_last(&cli->args, EW_OPTION_NAME);
    w->output = output ? output->value : NULL;
    w->onnx.name = name ? name->value : NULL;
    w->onnx.folds_batchnorm = ew_args_last(&cli->args, EW_OPTION_FOLD_BATCHNORM) != NULL;
    w->onnx.allows_opaque = ew_args_last(&cli->args, EW_OPTION_ALLOW_OPAQUE) != NULL;
    enum ew_status status = EW_OK;
    for (size_t i = 0; i < cli->args.n_options && status == EW_OK; i++) {
        const struct ew_arg *arg = &cli->args.options[i];
        struct ew_onnx_shape shape;
        if (arg->option != EW_OPTION_INPUT_SHAPE) {
            continue;
        }
        cli->blame = arg->at;
        status = ew_onnx_shape_parse(&shape, &w->arena, arg->value, err);
        if (status == EW_OK && !ew_vec_push(&w->shapes, shape)) {
            status = ew_fail_memory(err);
        } else if (status != EW_OK) {
            (void)ew_prefix(err, "option '--input-shape': ");
        }
    }
    w->onnx.shapes = w->shapes.items;
    w->onnx.n_shapes = (uint32_t)w->shapes.count;
    return status;
}

enum { MAX_PATH_BYTES = 4096 };

/* `path` from the root, without ".", ".." and doubled slashes. False when it is too long. */
static bool clean_path(char out[MAX_PATH_BYTES], const char *path)
{
    char whole[2 * MAX_PATH_BYTES] = "";
    if (*path != '/' && !getcwd(whole, MAX_PATH_BYTES)) {
        return false;
    }
    const size_t used = strlen(whole), n = strlen(path);
    if (n >= MAX_PATH_BYTES - 2) {
        return false;
    }
    whole[used] = '/';
    memcpy(whole + used + 1, path, n + 1);
    size_t length = 0;
    for (const char *part = whole; *part;) {
        part += strspn(part, "/");
        const size_t size = strcspn(part, "/");
        if (size == 2 && memcmp(part, "..", 2) == 0) {
            while (length > 0 && out[--length] != '/') {
            }
        } else if (size > 0 && !(size == 1 && *part == '.')) {
            if (length + size + 2 > MAX_PATH_BYTES) {
                return false;
            }
            out[length++] = '/';
            memcpy(out + length, part, size);
            length += size;
        }
        part += size;
    }
    out[length] = '\0';
    return true;
}

/* The model as a graph file in the folder of `output` names it: from there, so that both can be
 * moved together; as given when there is no file. malloc'ed, NULL when memory runs out. */
static char *path_from(const char *output, const char *model)
{
    char from[MAX_PATH_BYTES], to[MAX_PATH_BYTES];
    if (!output || !clean_path(from, output) || !clean_path(to, model)) {
        return strdup(model);
    }
    size_t common = 0; /* behind the last slash that both share */
    for (size_t i = 0; from[i] && from[i] == to[i]; i++) {
        common = to[i] == '/' ? i + 1 : common;
    }
    struct ew_str path = {0};
    for (const char *rest = from + common; (rest = strchr(rest, '/')); rest++) {
        ew_str_append(&path, "../");
    }
    ew_str_append(&path, to + common);
    char *copy = path.failed ? NULL : strdup(ew_str_text(&path));
    ew_str_fini(&path);
    return copy;
}

static enum ew_status put_graph(struct ew_cli *cli, const struct wishes *w,
                                const struct ew_graph *graph, struct ew_error *err)
{
    struct ew_str text = {0};
    char *weights = NULL;
    enum ew_status status = EW_OK;
    if (*graph->weights_path) {
        weights = path_from(w->output, graph->weights_path);
        status = weights ? EW_OK : ew_fail_memory(err);
    }
    if (status == EW_OK) {
        ew_graph_print_json(&text, graph, weights);
        status = text.failed ? ew_fail_memory(err)
                 : w->output ? ew_file_write(w->output, ew_str_text(&text), text.length, err)
                             : ew_cli_put(&text, err);
    }
    if (status == EW_OK && w->output && cli->verbosity > EW_QUIET) {
        struct ew_str said = {0};
        ew_str_printf(&said, "%s: graph '%s', %u layers, %.4g GMACs, %.4g million parameters\n",
                      w->output, graph->name, graph->n_layers, (double)graph->macs / 1e9,
                      (double)graph->params / 1e6);
        status = ew_cli_put(&said, err);
        ew_str_fini(&said);
    }
    ew_str_fini(&text);
    free(weights);
    return status;
}

enum ew_status ew_cmd_import(struct ew_cli *cli, struct ew_error *err)
{
    struct wishes w = {0};
    struct ew_graph *graph = NULL;
    enum ew_status status = ew_cli_expect_positionals(cli, 1, 1, "an ONNX file", err);
    status = status ? status : read_wishes(&w, cli, err);
    if (status == EW_OK) {
        cli->blame = cli->args.positionals[0].at;
        status = ew_graph_load_onnx(&graph, cli->args.positionals[0].value, &w.onnx, err);
    }
    if (status == EW_OK) {
        cli->blame = -1;
        status = put_graph(cli, &w, graph, err);
    }
    ew_graph_free(graph);
    ew_vec_fini(&w.shapes);
    ew_arena_fini(&w.arena);
    return status;
}
