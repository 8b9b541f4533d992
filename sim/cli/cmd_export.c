#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "results/store.h"

/* Where rows go: a file that appears when it is whole, or standard output. */
struct sink {
    struct ew_str *whole; /* NULL: standard output */
};

static enum ew_status put(void *ctx, const struct ew_str *text, struct ew_error *err)
{
    const struct sink *sink = ctx;
    if (text->failed) {
        return ew_fail_memory(err);
    }
    if (!sink->whole) {
        return ew_cli_put(text, err);
    }
    ew_str_append_n(sink->whole, ew_str_text(text), text->length);
    return sink->whole->failed ? ew_fail_memory(err) : EW_OK;
}

static const char *option_text(const struct ew_cli *cli, enum ew_option_id option,
                               const char *fallback)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, option);
    return arg ? arg->value : fallback;
}

static enum ew_status read_query(struct ew_store_query *query, struct ew_cli *cli,
                                 struct ew_error *err)
{
    const char *format = option_text(cli, EW_OPTION_FORMAT, "csv");
    *query = (struct ew_store_query){
        .table = option_text(cli, EW_OPTION_TABLE, "runs"),
        .where = option_text(cli, EW_OPTION_WHERE, NULL),
        .columns = option_text(cli, EW_OPTION_COLUMNS, NULL),
        .is_json = strcmp(format, "jsonl") == 0,
        .with_old = ew_args_last(&cli->args, EW_OPTION_ALL) != NULL,
        .interrupted = cli->interrupted,
    };
    if (!query->is_json && strcmp(format, "csv") != 0) {
        ew_options_blame(cli, EW_OPTION_FORMAT);
        return ew_fail(err, EW_EUSAGE, "option '--format': expected 'csv' or 'jsonl', found '%s'",
                       format);
    }
    return EW_OK;
}

enum ew_status ew_cmd_export(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_store_query query;
    struct ew_store *store = NULL;
    struct ew_str whole = {0};
    const struct ew_arg *output = ew_cli_output(cli);
    struct sink sink = {output ? &whole : NULL};
    enum ew_status status = ew_cli_expect_positionals(cli, 1, 1, "one store", err);
    if (status == EW_OK) {
        status = read_query(&query, cli, err);
    }
    if (status == EW_OK) {
        cli->blame = cli->args.positionals[0].at;
        status = ew_store_open_read(&store, cli->args.positionals[0].value, err);
    }
    if (status == EW_OK) {
        cli->blame = -1;
        status = ew_store_export(store, &query, put, &sink, err);
    }
    if (status == EW_OK && output) {
        cli->blame = output->at;
        status = ew_file_write(output->value, ew_str_text(&whole), whole.length, err);
    }
    (void)ew_store_close(store, NULL);
    ew_str_fini(&whole);
    return status;
}
