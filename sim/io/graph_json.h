/*
 * DNN graphs as JSON files (schema edgeweave.graph/1; docs/inputs-graphs.md has every field).
 */
#ifndef EW_IO_GRAPH_JSON_H
#define EW_IO_GRAPH_JSON_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "model/graph.h"

/** Load a graph file and the variants it names. Free with ew_graph_free. EW_EINPUT with file and
 *  JSON pointer, or line and column, of what is wrong. */
enum ew_status ew_graph_load_json(struct ew_graph **out, const char *path, struct ew_error *err);

/** As above from memory; the text need not be terminated. Variant files are looked for beside
 *  `path`, which also stands in messages. With `path` NULL no file is opened: a variant in a file
 *  of its own is then an error. */
enum ew_status ew_graph_parse_json(struct ew_graph **out, const char *text, size_t size,
                                   const char *path, struct ew_error *err);

/** Write a graph in the same format, without its variants. With `weights_file` (a path relative to
 *  the file that the text goes to) also where the weights lie, with NULL not. */
void ew_graph_print_json(struct ew_str *out, const struct ew_graph *graph,
                         const char *weights_file);

/** Load by name or path: a name without '/' that does not end in .json is DIR/NAME.json in the
 *  first of `search_dirs` that has it. An unknown name is EW_EINPUT and suggests the nearest. */
enum ew_status ew_graph_load(struct ew_graph **out, const char *name_or_path,
                             const char *const *search_dirs, size_t n_dirs, struct ew_error *err);

#endif
