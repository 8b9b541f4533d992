/*
 * Plans as JSON files (schema edgeweave.plan/1; docs/plan-format.md has every field). One file
 * holds the book of one workload. Devices, layers, variants and exits stand by name, so a file
 * stays readable and survives a platform that gains devices.
 *
 * Print, read and print again gives the same text.
 */
#ifndef EW_IO_PLAN_JSON_H
#define EW_IO_PLAN_JSON_H

#include <stddef.h>

#include "base/text.h"
#include "plan/plan.h"

/** The book as one JSON object and a newline. Every id in it must be valid for the context (a
 *  checked book's are). Check out->failed. */
void ew_book_print_json(struct ew_str *out, const struct ew_plan_context *context,
                        const struct ew_book *book);

/** Load a plan file. Free with ew_book_free. EW_EINPUT with file and JSON pointer: wrong form,
 *  another graph, unknown names, boxes outside their layer. Coverage and memory are left to
 *  ew_book_check. */
enum ew_status ew_book_load_json(struct ew_book **out, const char *path,
                                 const struct ew_plan_context *context, struct ew_error *err);

/** As above from memory; the text need not be terminated. `path` is for messages. */
enum ew_status ew_book_parse_json(struct ew_book **out, const char *text, size_t size,
                                  const char *path, const struct ew_plan_context *context,
                                  struct ew_error *err);

/** Names of the graph a plan file is for, malloc'ed; for finding it before loading the plan. */
enum ew_status ew_plan_file_graph(char **out, const char *path, struct ew_error *err);

/* enumerators, names in files */
extern const char *const ew_pick_names[5];
extern const char *const ew_weights_names[3];
extern const char *const ew_exchange_names[3];
extern const char *const ew_role_names[3];

#endif
