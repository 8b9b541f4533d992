/*
 * Gnuplot, a separate program: settings for a script, and running it.
 */
#ifndef EW_CLI_GNUPLOT_H
#define EW_CLI_GNUPLOT_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"

/** Append `name='value'; ` with the value quoted; line ends become blanks. */
void ew_gnuplot_put(struct ew_str *settings, const char *name, const char *value);

/** Run `script` with these settings. `*is_missing`: there is no gnuplot. EW_EIO, with what gnuplot
 *  says, when it fails; its warnings are not shown. */
enum ew_status ew_gnuplot_run(bool *is_missing, const struct ew_str *settings, const char *script,
                              struct ew_error *err);

#endif
