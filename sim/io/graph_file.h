/*
 * Graphs from files of any format: ours (JSON) or ONNX, told apart by the file's suffix.
 */
#ifndef EW_IO_GRAPH_FILE_H
#define EW_IO_GRAPH_FILE_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"
#include "model/graph.h"

/** Suffix of ONNX files. */
#define EW_ONNX_SUFFIX ".onnx"

/** True for paths that end like ONNX files. */
bool ew_graph_is_onnx(const char *path);

/** Load; an ONNX file is imported with the default options. `text`, unless NULL, receives what
 * makes the graph what it is, to be hashed: the file, for ONNX (which may be large) the graph as
 * JSON without its weights. Free with ew_graph_free. */
enum ew_status ew_graph_load_file(struct ew_graph **out, struct ew_str *text, const char *path,
                                  struct ew_error *err);

#endif
