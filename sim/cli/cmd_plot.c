#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/plot_draw.h"

/* Where the data come from and where the figure goes. */
struct plot {
    struct ew_cli *cli;
    const char *input;
    const char *output;
    const char *format; /* png, svg, pdf, csv */
    bool is_paper;
    struct ew_plot_request request;
    const char *script; /* without suffix */
    struct ew_str data;
};

static const char *option_text(const struct ew_cli *cli, enum ew_option_id option)
{
    const struct ew_arg *arg = ew_args_last(&cli->args, option);
    return arg ? arg->value : NULL;
}

/* --- what is asked -----------------------------------------------------------------------------
 */

static enum ew_status read_format(struct plot *p, struct ew_error *err)
{
    static const char *const formats[] = {"png", "svg", "pdf", "csv"};
    const struct ew_arg *output = ew_args_last(&p->cli->args, EW_OPTION_OUTPUT);
    if (!output) {
        return ew_fail(err, EW_EUSAGE, "expected --output FILE.png, .svg, .pdf or .csv");
    }
    const char *dot = strrchr(output->value, '.');
    p->output = output->value;
    for (size_t i = 0; dot && i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(dot + 1, formats[i]) == 0) {
            p->format = formats[i];
            return EW_OK;
        }
    }
    p->cli->blame = output->at;
    return ew_fail(err, EW_EUSAGE,
                   "option '--output': expected a name in .png, .svg, .pdf or "
                   ".csv, found '%s'",
                   output->value);
}

static enum ew_status read_log(const struct plot *p, struct ew_error *err)
{
    static const char *const axes[] = {"x", "y", "xy", "none"};
    const char *log = option_text(p->cli, EW_OPTION_PLOT_LOG);
    for (size_t i = 0; log && i < sizeof axes / sizeof *axes; i++) {
        if (strcmp(log, axes[i]) == 0) {
            return EW_OK;
        }
    }
    if (!log) {
        return EW_OK;
    }
    ew_options_blame(p->cli, EW_OPTION_PLOT_LOG);
    return ew_fail(err, EW_EUSAGE, "option '--log': expected x, y, xy or none, found '%s'", log);
}

static enum ew_status read_request(struct plot *p, struct ew_error *err)
{
    struct ew_plot_request *r = &p->request;
    double run = 0, request = 0;
    const struct ew_arg *kind = &p->cli->args.positionals[0];
    r->x = option_text(p->cli, EW_OPTION_PLOT_X);
    r->y = option_text(p->cli, EW_OPTION_PLOT_Y);
    r->by = option_text(p->cli, EW_OPTION_PLOT_BY);
    r->metric = option_text(p->cli, EW_OPTION_PLOT_METRIC);
    enum ew_status status = ew_options_number(&run, p->cli, EW_OPTION_PLOT_RUN, 0, 1e15, 0, err);
    if (status == EW_OK) {
        status = ew_options_number(&request, p->cli, EW_OPTION_PLOT_REQUEST, 0, 1e15, 0, err);
    }
    r->run = (uint64_t)run;
    r->request = (uint64_t)request;
    if (status == EW_OK) {
        status = read_format(p, err);
    }
    if (status == EW_OK) {
        status = read_log(p, err);
    }
    p->is_paper = strcmp(kind->value, "paper") == 0;
    if (status == EW_OK && !p->is_paper) {
        p->cli->blame = kind->at;
        status = ew_plot_kind_find(&r->kind, kind->value, err);
        p->script = status == EW_OK ? r->kind->script : NULL;
    }
    p->cli->blame = status == EW_OK ? -1 : p->cli->blame;
    return status;
}

/* --- data --------------------------------------------------------------------------------------
 */

/* A figure of a paper is data already; lines if it has an x. */
static enum ew_status read_paper(struct plot *p, struct ew_error *err)
{
    static const char *const needed[] = {"paper", "figure", "series_index", "case_index",
                                         "ours",  "x",      "published",    "group_index"};
    struct ew_csv_table *table = NULL;
    size_t size = 0, x = 0;
    char *text = NULL;
    enum ew_status status = ew_csv_table_load(&table, p->input, err);
    for (size_t i = 0; status == EW_OK && i < sizeof needed / sizeof *needed; i++) {
        size_t ignored;
        if (!ew_csv_table_find(&ignored, table, needed[i])) {
            status =
                ew_fail(err, EW_EINPUT,
                        "%s: no column '%s'; expected a figure's CSV file of 'reproduce --out'",
                        p->input, needed[i]);
        }
    }
    if (status == EW_OK && table->n_rows == 0) {
        status = ew_fail(err, EW_EINPUT, "%s: no results to draw", p->input);
    }
    if (status == EW_OK) {
        (void)ew_csv_table_find(&x, table, "x");
        p->script = *table->rows[0].cells[x] ? "reproduce_lines" : "reproduce_bars";
        status = ew_file_read(&text, &size, p->input, EW_PLOT_MAX_BYTES, err);
    }
    if (status == EW_OK) {
        ew_str_append_n(&p->data, text, size);
    }
    free(text);
    ew_csv_table_free(table);
    return status;
}

static enum ew_status make_data(struct plot *p, struct ew_error *err)
{
    struct ew_csv_table *table = NULL;
    if (p->is_paper) {
        return read_paper(p, err);
    }
    enum ew_status status = ew_plot_load(&table, p->cli, p->input, p->request.kind->table,
                                         p->request.kind->is_directory, err);
    if (status == EW_OK) {
        status = ew_plot_make(&p->data, table, &p->request, err);
    }
    ew_csv_table_free(table);
    return status;
}

/* --- figure ------------------------------------------------------------------------------------
 */

/* The output is whole or as it was. */
static enum ew_status draw(const struct plot *p, struct ew_error *err)
{
    const struct ew_plot_look look = {.script = p->script,
                                      .format = p->format,
                                      .title = option_text(p->cli, EW_OPTION_PLOT_TITLE),
                                      .log = option_text(p->cli, EW_OPTION_PLOT_LOG)};
    char *figure = NULL;
    size_t size = 0;
    enum ew_status status = ew_plot_draw(&figure, &size, p->cli, &look, &p->data, err);
    if (status == EW_OK) {
        ew_options_blame(p->cli, EW_OPTION_OUTPUT);
        status = ew_file_write(p->output, figure, size, err);
    }
    free(figure);
    return status;
}

enum ew_status ew_cmd_plot(struct ew_cli *cli, struct ew_error *err)
{
    struct plot p = {.cli = cli};
    enum ew_status status = ew_cli_expect_positionals(cli, 2, 2, "a kind of plot and results", err);
    if (status == EW_OK) {
        status = read_request(&p, err);
    }
    if (status == EW_OK) {
        p.input = cli->args.positionals[1].value;
        status = make_data(&p, err);
    }
    if (status == EW_OK && strcmp(p.format, "csv") == 0) {
        ew_options_blame(cli, EW_OPTION_OUTPUT);
        status = ew_file_write(p.output, ew_str_text(&p.data), p.data.length, err);
    } else if (status == EW_OK) {
        status = draw(&p, err);
    }
    ew_str_fini(&p.data);
    return status;
}
