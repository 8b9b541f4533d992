#include "io/graph_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/graph_json.h"
#include "io/onnx.h"

enum { MAX_JSON_BYTES = 64 << 20 };

bool ew_graph_is_onnx(const char *path)
{
    const size_t n = strlen(path), m = strlen(EW_ONNX_SUFFIX);
    return n > m && strcmp(path + n - m, EW_ONNX_SUFFIX) == 0;
}

static enum ew_status load_onnx(struct ew_graph **out, struct ew_str *text, const char *path,
                                struct ew_error *err)
{
    struct ew_graph *graph = NULL;
    enum ew_status status = ew_graph_load_onnx(&graph, path, NULL, err);
    if (status == EW_OK && text) {
        ew_graph_print_json(text, graph, NULL);
        status = text->failed ? ew_fail_memory(err) : EW_OK;
    }
    if (status == EW_OK) {
        *out = graph;
    } else {
        ew_graph_free(graph);
    }
    return status;
}

enum ew_status ew_graph_load_file(struct ew_graph **out, struct ew_str *text, const char *path,
                                  struct ew_error *err)
{
    char *json = NULL;
    size_t size = 0;
    if (ew_graph_is_onnx(path)) {
        return load_onnx(out, text, path, err);
    }
    enum ew_status status = ew_file_read(&json, &size, path, MAX_JSON_BYTES, err);
    if (status == EW_OK && text) {
        ew_str_append_n(text, json, size);
        status = text->failed ? ew_fail_memory(err) : EW_OK;
    }
    status = status ? status : ew_graph_parse_json(out, json, size, path, err);
    free(json);
    return status;
}
