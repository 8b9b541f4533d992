/*
 * Books as bytes, for the way from a child process to its parent on one machine. Not a file format:
 * byte order and number sizes are the machine's (plans are saved with io/plan_json.h).
 */
#ifndef EW_PLUGIN_BOOK_WIRE_H
#define EW_PLUGIN_BOOK_WIRE_H

#include <stddef.h>

#include "base/text.h"
#include "plan/plan.h"

/** Append the book. Check out->failed. */
void ew_book_wire_put(struct ew_str *out, const struct ew_plan_context *context,
                      const struct ew_book *book);

/** Make a book from bytes that nobody vouches for: every id and box in it is checked against the
 *  context, coverage is left to ew_book_check. EW_EPLUGIN when they are not a book. Free with
 *  ew_book_free. */
enum ew_status ew_book_wire_get(struct ew_book **out, const char *bytes, size_t size,
                                const struct ew_plan_context *context, struct ew_error *err);

#endif
