/*
 * What every command shares: the parsed command line, where files are, and how to speak to people.
 * Data goes to standard output, everything else to standard error.
 */
#ifndef EW_CLI_CLI_H
#define EW_CLI_CLI_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/paths.h"

struct ew_cli;

/** A subcommand. */
struct ew_command {
    const char *name;
    const char *arguments; /**< positional arguments in help, "" for none */
    const char *summary;   /**< one line */
    const char *details;   /**< paragraphs for `help COMMAND`, newline at the end of each line */
    const char *examples;  /**< one command line per line */
    unsigned groups;       /**< options, enum ew_group */
    /** Do it. The exit code is that of the status; on failure the message is printed by main. */
    enum ew_status (*run)(struct ew_cli *cli, struct ew_error *err);
};

/** All commands, ended by one without a name (main.c). */
extern const struct ew_command ew_commands[];

enum ew_verbosity { EW_QUIET, EW_NORMAL, EW_VERBOSE };

/** One run of the program. */
struct ew_cli {
    int argc;
    char *const *argv;
    const struct ew_command *command;
    struct ew_args args;
    struct ew_paths paths;
    enum ew_verbosity verbosity;
    bool wants_json;
    bool is_unmet; /**< all went well, but the answer is no: exit code 1 without a message */
    int blame;     /**< index in argv that the next error is about; -1: none */
    const volatile int *interrupted;
};

/** Print an error, and the command line with the blamed word underlined. */
void ew_cli_print_error(const struct ew_cli *cli, const struct ew_error *err);

/** Messages for people on standard error; not when quiet. */
void ew_cli_warn(const struct ew_cli *cli, const char *fmt, ...) EW_PRINTF(2, 3);
/** Only when verbose. */
void ew_cli_detail(const struct ew_cli *cli, const char *fmt, ...) EW_PRINTF(2, 3);

/** Where --output says the result goes; NULL: to standard output, since it is absent or `-`. */
const struct ew_arg *ew_cli_output(const struct ew_cli *cli);

/** Write data to standard output. EW_ENOMEM when the text is not whole, EW_EIO when it cannot be
 *  written. */
enum ew_status ew_cli_put(const struct ew_str *text, struct ew_error *err);

/** Fail unless there are min..max positional arguments; `what` names them for messages. */
enum ew_status ew_cli_expect_positionals(struct ew_cli *cli, size_t min, size_t max,
                                         const char *what, struct ew_error *err);

/** The command of that name, or NULL. */
const struct ew_command *ew_command_find(const char *name);
/** Fail with the nearest command's name. */
enum ew_status ew_command_unknown(const char *name, struct ew_error *err);

/** Version of EdgeWeave, e.g. "0.1.0". */
extern const char ew_version[];

/* The commands, one file each. */
enum ew_status ew_cmd_run(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_compare(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_plan(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_list(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_describe(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_check(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_plugin_check(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_reproduce(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_probe(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_calibrate(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_convert(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_import(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_sweep(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_export(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_report(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_explain(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_plot(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_merge(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_validate(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_version(struct ew_cli *cli, struct ew_error *err);
enum ew_status ew_cmd_help(struct ew_cli *cli, struct ew_error *err);

#endif
