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
    const struct ew_arg *output = ew_args_last(&cli->args, EW_OPTION_OUTPUT),
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

/* The model as a graph file beside it would name it: its file name in the same folder, else its
 * whole path. malloc'ed, NULL when memory runs out. */
static char *path_from(const char *output, const char *model)
{
    const char *slash = strrchr(model, '/');
    const size_t n = slash ? (size_t)(slash - model) + 1 : 0;
    const char *output_slash = output ? strrchr(output, '/') : NULL;
    const size_t n_output = output_slash ? (size_t)(output_slash - output) + 1 : 0;
    if (output && n == n_output && strncmp(output, model, n) == 0) {
        return strdup(slash ? slash + 1 : model);
    }
    char here[4096];
    return *model == '/' || !getcwd(here, sizeof here) ? strdup(model) : ew_path_join(here, model);
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
    if (status == EW_OK && w->output) {
        ew_cli_detail(cli, "%s: %u layers, %.4g GMACs, %.4g million parameters", w->output,
                      graph->n_layers, (double)graph->macs / 1e9, (double)graph->params / 1e6);
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
