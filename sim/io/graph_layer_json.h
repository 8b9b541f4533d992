/*
 * One layer of a graph file: which keys each op has, their defaults, and how they become a
 * struct ew_layer_desc. Used by graph_json.c only.
 */
#ifndef EW_IO_GRAPH_LAYER_JSON_H
#define EW_IO_GRAPH_LAYER_JSON_H

#include "base/arena.h"
#include "base/json_writer.h"
#include "base/status.h"
#include "io/json_read.h"
#include "model/graph.h"

/** Read one item of "layers". Texts are borrowed from the document, arrays live in `arena`.
 *  `previous` is the input of a layer that names none, NULL when that is not clear. */
enum ew_status ew_layer_json_read(struct ew_layer_desc *out, struct ew_arena *arena,
                                  const struct ew_json_value *layer, const char *previous,
                                  struct ew_error *err);

/** Change the attributes of a layer to those of an item of "overrides". */
enum ew_status ew_layer_json_override(struct ew_layer_desc *layer,
                                      const struct ew_json_value *overrides, struct ew_error *err);

/** Write one layer so that reading it gives the same. */
void ew_layer_json_print(struct ew_json *j, const struct ew_graph *graph,
                         const struct ew_layer *layer, bool with_weights);

/** Fetch a required name: a string of 1..128 bytes without control characters. */
enum ew_status ew_json_need_label(const char **out, const struct ew_json_value *object,
                                  const char *key, struct ew_error *err);

/** Read an array of 1..max strings into `arena`. */
enum ew_status ew_json_read_labels(const char *const **out, uint32_t *n, struct ew_arena *arena,
                                   const struct ew_json_value *array, size_t max,
                                   struct ew_error *err);

/** JSON pointer of a value, kept in `arena`; NULL when memory runs out. */
const char *ew_json_place(struct ew_arena *arena, const struct ew_json_value *at);

#endif
