#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { LINE_WIDTH = 96 };

/* --- the command line, underlined --------------------------------------------------------------
 */

/* Characters, not bytes, of UTF-8. */
static size_t width(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return n;
}

/* A word as it could be typed again in a shell. Control characters are shown as '?'. */
static void append_word(struct ew_str *out, const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "-_./:=,+@%";
    const bool is_plain = *word && word[strspn(word, plain)] == '\0';
    ew_str_append(out, is_plain ? "" : "'");
    for (const char *c = word; *c; c++) {
        if (*c == '\'') {
            ew_str_append(out, "'\\''");
        } else {
            ew_str_append_n(out, (unsigned char)*c < 0x20 || *c == 0x7f ? "?" : c, 1);
        }
    }
    ew_str_append(out, is_plain ? "" : "'");
}

/* Append the words from..to, shortened at the end when the line gets long; where the blamed word
 * begins and ends goes to `begin` and `end`. */
static void append_words(struct ew_str *line, const struct ew_cli *cli, int from, size_t *begin,
                         size_t *end)
{
    for (int i = from; i < cli->argc; i++) {
        ew_str_append(line, line->length ? " " : "");
        *begin = i == cli->blame ? width(ew_str_text(line)) : *begin;
        append_word(line, cli->argv[i]);
        *end = i == cli->blame ? width(ew_str_text(line)) : *end;
        if (i > cli->blame && i + 1 < cli->argc && width(ew_str_text(line)) > LINE_WIDTH) {
            ew_str_append(line, " ...");
            break;
        }
    }
}

static void print_blame(const struct ew_cli *cli)
{
    struct ew_str line = {0}, marks = {0};
    size_t begin = 0, end = 0;
    ew_str_append(&line, "edgeweave");
    append_words(&line, cli, 1, &begin, &end);
    if (end > LINE_WIDTH) { /* far to the right: begin just before the word */
        line.length = 0;
        ew_str_append(&line, "...");
        append_words(&line, cli, cli->blame > 1 ? cli->blame - 1 : 1, &begin, &end);
    }
    for (size_t i = 0; i < end; i++) {
        ew_str_append(&marks, i < begin ? " " : "^");
    }
    fprintf(stderr, "    %s\n    %s\n", ew_str_text(&line), ew_str_text(&marks));
    ew_str_fini(&marks);
    ew_str_fini(&line);
}

void ew_cli_print_error(const struct ew_cli *cli, const struct ew_error *err)
{
    fprintf(stderr, "edgeweave: error: %s\n", err->message);
    if (cli->blame > 0 && cli->blame < cli->argc) {
        print_blame(cli);
    }
}

/* --- other messages ----------------------------------------------------------------------------
 */

static void print_message(const char *kind, const char *fmt, va_list args) EW_PRINTF(2, 0);

static void print_message(const char *kind, const char *fmt, va_list args)
{
    fprintf(stderr, "edgeweave: %s", kind);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

void ew_cli_warn(const struct ew_cli *cli, const char *fmt, ...)
{
    if (cli->verbosity != EW_QUIET) {
        va_list args;
        va_start(args, fmt);
        print_message("warning: ", fmt, args);
        va_end(args);
    }
}

void ew_cli_detail(const struct ew_cli *cli, const char *fmt, ...)
{
    if (cli->verbosity == EW_VERBOSE) {
        va_list args;
        va_start(args, fmt);
        print_message("", fmt, args);
        va_end(args);
    }
}

const struct ew_arg *ew_cli_output(const struct ew_cli *cli)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, EW_OPTION_OUTPUT);
    return arg && strcmp(arg->value, "-") != 0 ? arg : NULL;
}

enum ew_status ew_cli_put(const struct ew_str *text, struct ew_error *err)
{
    if (text->failed) {
        return ew_fail_memory(err);
    }
    if (fwrite(ew_str_text(text), 1, text->length, stdout) != text->length || fflush(stdout) != 0) {
        return ew_fail(err, EW_EIO, "cannot write to standard output");
    }
    return EW_OK;
}

enum ew_status ew_cli_expect_positionals(struct ew_cli *cli, size_t min, size_t max,
                                         const char *what, struct ew_error *err)
{
    const size_t n = cli->args.n_positionals;
    if (n > max) {
        cli->blame = cli->args.positionals[max].at;
        return ew_fail(err, EW_EUSAGE, "expected %s%s, found one word too many", max ? "only " : "",
                       max ? what : "no further words");
    }
    if (n < min) {
        return ew_fail(err, EW_EUSAGE, "expected %s; see 'edgeweave help %s'", what,
                       cli->command->name);
    }
    return EW_OK;
}

/* --- commands ----------------------------------------------------------------------------------
 */

const struct ew_command *ew_command_find(const char *name)
{
    for (const struct ew_command *c = ew_commands; c->name; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

static const char *command_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_command *)ctx)[i].name;
}

enum ew_status ew_command_unknown(const char *name, struct ew_error *err)
{
    size_t count = 0;
    while (ew_commands[count].name) {
        count++;
    }
    const char *near = ew_nearest_name(name, count, command_name_at, ew_commands);
    if (near) {
        return ew_fail(err, EW_EUSAGE, "unknown command '%s'; did you mean '%s'?", name, near);
    }
    return ew_fail(err, EW_EUSAGE, "unknown command '%s'; see 'edgeweave help'", name);
}
