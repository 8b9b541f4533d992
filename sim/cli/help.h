/*
 * Help texts, generated from the tables of commands and options, so that help and parser cannot
 * disagree.
 */
#ifndef EW_CLI_HELP_H
#define EW_CLI_HELP_H

#include "base/text.h"
#include "cli/cli.h"

/** Append `text` wrapped at 100 columns, every line indented. */
void ew_help_wrap(struct ew_str *out, const char *text, size_t indent);

/** The program in general: all commands, one line each. */
void ew_help_program(struct ew_str *out);

/** One command: usage, what it does, its options, examples. */
void ew_help_command(struct ew_str *out, const struct ew_command *command);

#endif
