#include "cli/plot_draw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/gnuplot.h"
#include "cli/options.h"
#include "results/store.h"

static const char *option_text(const struct ew_cli *cli, enum ew_option_id option)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, option);
    return arg ? arg->value : NULL;
}

static enum ew_status put_rows(void *ctx, const struct ew_str *text, struct ew_error *err)
{
    struct ew_str *whole = ctx;
    ew_str_append_n(whole, ew_str_text(text), text->length);
    return text->failed || whole->failed ? ew_fail_memory(err) : EW_OK;
}

static enum ew_status load_store(struct ew_csv_table **out, const struct ew_cli *cli,
                                 const char *input, struct ew_error *err)
{
    struct ew_store *store = NULL;
    struct ew_str text = {0};
    const struct ew_store_query query = {.table = "runs",
                                         .where = option_text(cli, EW_OPTION_WHERE),
                                         .interrupted = cli->interrupted};
    enum ew_status status = ew_store_open_read(&store, input, err);
    if (status == EW_OK) {
        status = ew_store_export(store, &query, put_rows, &text, err);
    }
    if (status == EW_OK) {
        status = ew_csv_table_parse(out, ew_str_text(&text), text.length, input, err);
    }
    (void)ew_store_close(store, NULL);
    ew_str_fini(&text);
    return status;
}

static bool is_store(const char *path)
{
    static const char magic[] = "SQLite format 3";
    char begin[sizeof magic] = {0};
    FILE *file = fopen(path, "rb");
    const bool is_whole = file && fread(begin, 1, sizeof begin, file) == sizeof begin;
    if (file) {
        (void)fclose(file);
    }
    return is_whole && memcmp(begin, magic, sizeof magic) == 0;
}

enum ew_status ew_plot_load(struct ew_csv_table **out, struct ew_cli *cli, const char *input,
                            const char *file, bool is_directory, struct ew_error *err)
{
    struct stat facts;
    const bool is_given_directory = stat(input, &facts) == 0 && S_ISDIR(facts.st_mode);
    if (!is_given_directory && is_store(input)) {
        return is_directory ? ew_fail(err, EW_EINPUT,
                                      "%s: a store keeps no single tasks; expected a directory of "
                                      "'run --out' or 'compare --out'",
                                      input)
                            : load_store(out, cli, input, err);
    }
    if (option_text(cli, EW_OPTION_WHERE)) {
        ew_options_blame(cli, EW_OPTION_WHERE);
        return ew_fail(err, EW_EUSAGE, "option '--where' needs a store, which %s is not", input);
    }
    if (!is_given_directory) {
        return ew_csv_table_load(out, input, err);
    }
    char *path = ew_path_join(input, file);
    const enum ew_status status = path ? ew_csv_table_load(out, path, err) : ew_fail_memory(err);
    free(path);
    return status;
}

static enum ew_status run_script(const struct ew_cli *cli, const struct ew_plot_look *look,
                                 const char *data, const char *figure, struct ew_error *err)
{
    struct ew_arena arena = {0};
    struct ew_str settings = {0};
    const char *script = NULL;
    bool is_missing = false;
    enum ew_status status =
        ew_paths_find(&script, &cli->paths, EW_PATH_PLOT, look->script, &arena, err);
    ew_gnuplot_put(&settings, "input", data);
    ew_gnuplot_put(&settings, "output", figure);
    ew_gnuplot_put(&settings, "format", look->format);
    if (look->title) {
        ew_gnuplot_put(&settings, "title", look->title);
    }
    if (look->log) {
        ew_gnuplot_put(&settings, "log", look->log);
    }
    if (status == EW_OK) {
        status = ew_gnuplot_run(&is_missing, &settings, script, err);
    }
    if (status == EW_OK && is_missing) {
        status = ew_fail(err, EW_EIO,
                         "gnuplot not found; install it, or give --output FILE.csv for the data");
    }
    ew_str_fini(&settings);
    ew_arena_fini(&arena);
    return status;
}

/* In a directory of our own, which is gone afterwards. */
enum ew_status ew_plot_draw(char **out, size_t *size, const struct ew_cli *cli,
                            const struct ew_plot_look *look, const struct ew_str *data,
                            struct ew_error *err)
{
    char directory[] = "/tmp/edgeweave-plot-XXXXXX";
    if (!mkdtemp(directory)) {
        return ew_fail(err, EW_EIO, "cannot make a directory in /tmp: %s", strerror(errno));
    }
    char *csv = ew_path_join(directory, "data.csv");
    char *figure = ew_path_join(directory, "figure");
    enum ew_status status = csv && figure ? ew_file_write(csv, ew_str_text(data), data->length, err)
                                          : ew_fail_memory(err);
    if (status == EW_OK) {
        status = run_script(cli, look, csv, figure, err);
    }
    if (status == EW_OK) {
        status = ew_file_read(out, size, figure, EW_PLOT_MAX_BYTES, NULL);
        if (status != EW_OK) {
            status = ew_fail(err, EW_EIO, "gnuplot has drawn nothing");
        }
    }
    if (csv && figure) {
        (void)unlink(csv);
        (void)unlink(figure);
    }
    (void)rmdir(directory);
    free(csv);
    free(figure);
    return status;
}
