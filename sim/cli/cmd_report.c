#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_writer.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/plot_draw.h"
#include "cli/report_page.h"

/* Figures of a report, in order. Those that the results do not allow are left out. */
static const struct figure {
    const char *kind;
    const char *x;
    const char *y;
    const char *caption;
} FIGURES[] = {
    {"bars", NULL, NULL, "Latency, energy and accuracy: means, from the least to the greatest"},
    {"lines", NULL, "latency_mean_s", "Mean latency"},
    {"lines", NULL, "energy_per_request_j", "Energy per request"},
    {"pareto", "latency_mean_s", "energy_per_request_j", "Energy against latency"},
    {"pareto", "energy_per_request_j", "accuracy", "Accuracy against energy"},
    {"heatmap", NULL, NULL, "The fastest"},
    {"cdf", NULL, NULL, "Distribution of latency"},
    {"energy", NULL, NULL, "Where energy goes"},
};

/* Columns of the table behind the varied keys, if they are there. */
static const char *const SHOWN[] = {
    "status",       "latency_mean_s",     "latency_p99_s", "throughput_per_s",
    "deadline_s",   "deadline_met_ratio", "accuracy",      "energy_per_request_j",
    "devices_used", "transfer_bytes",     "error",
};

struct report {
    struct ew_cli *cli;
    const char *input;
    struct ew_csv_table *table;
    struct ew_str page;
};

/* --- text into markup --------------------------------------------------------------------------
 */

static void put_html(struct ew_str *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        switch (*c) {
        case '<':
            ew_str_append(out, "&lt;");
            break;
        case '>':
            ew_str_append(out, "&gt;");
            break;
        case '&':
            ew_str_append(out, "&amp;");
            break;
        case '"':
            ew_str_append(out, "&quot;");
            break;
        default:
            ew_str_append_n(out, c, 1);
            break;
        }
    }
}

/* JSON within a script element: "</script" and "<!--" must not stand in it. */
static void put_script_json(struct ew_str *out, const struct ew_str *json)
{
    for (size_t i = 0; i < json->length; i++) {
        if (json->text[i] == '<') {
            ew_str_append(out, "\\u003c");
        } else {
            ew_str_append_n(out, &json->text[i], 1);
        }
    }
    out->failed = out->failed || json->failed;
}

/* --- figures -----------------------------------------------------------------------------------
 */

/* The svg element alone: without the prologue before it. */
static void put_svg(struct report *r, const char *svg, const char *caption)
{
    const char *begin = strstr(svg, "<svg");
    if (begin) {
        ew_str_append(&r->page, "<figure><h2>");
        put_html(&r->page, caption);
        ew_str_append(&r->page, "</h2><div class=\"wide\">\n");
        ew_str_append(&r->page, begin);
        ew_str_append(&r->page, "</div></figure>\n");
    }
}

static enum ew_status put_figure(struct report *r, const struct figure *f, struct ew_error *err)
{
    struct ew_plot_request request = {.x = f->x, .y = f->y};
    struct ew_csv_table *table = NULL;
    struct ew_str data = {0};
    struct ew_error why = {0}; /* a figure that cannot be made is left out */
    char *svg = NULL;
    size_t size = 0;
    enum ew_status status = ew_plot_kind_find(&request.kind, f->kind, &why);
    if (status == EW_OK) {
        status = ew_plot_load(&table, r->cli, r->input, request.kind->table,
                              request.kind->is_directory, &why);
    }
    if (status == EW_OK) {
        status = ew_plot_make(&data, table, &request, &why);
    }
    const bool is_possible = status == EW_OK;
    if (is_possible) {
        const struct ew_plot_look look = {.script = request.kind->script, .format = "svg"};
        status = ew_plot_draw(&svg, &size, r->cli, &look, &data, &why);
    }
    if (status == EW_OK) {
        put_svg(r, svg, f->caption);
    } else if (is_possible || status == EW_ENOMEM) {
        status = ew_fail(err, status, "%s", why.message);
    } else {
        ew_cli_detail(r->cli, "no figure '%s': %s", f->caption, why.message);
        status = EW_OK;
    }
    free(svg);
    ew_str_fini(&data);
    ew_csv_table_free(table);
    return status;
}

/* --- table -------------------------------------------------------------------------------------
 */

static bool is_empty(const struct ew_csv_table *table, size_t column)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        if (*table->rows[i].cells[column]) {
            return false;
        }
    }
    return true;
}

/* Is the column one of the keys that the sweep varies (or the strategy)? */
static bool is_key(const struct ew_csv_table *table, size_t column)
{
    size_t status;
    const bool is_sweep =
        strcmp(table->columns[0], "point") == 0 && ew_csv_table_find(&status, table, "status");
    return strcmp(table->columns[column], "strategy") == 0 ||
           (is_sweep && column > 0 && column < status);
}

static void put_cell(struct ew_json *j, const char *cell)
{
    double x;
    if (!*cell) {
        ew_json_null(j);
    } else if (ew_parse_double(cell, &x)) {
        ew_json_double(j, x);
    } else {
        ew_json_string(j, cell);
    }
}

static void put_columns(struct ew_json *j, const char *key, const struct ew_csv_table *table,
                        const size_t *columns, size_t n)
{
    ew_json_key(j, key);
    ew_json_array_begin_inline(j);
    for (size_t i = 0; i < n; i++) {
        ew_json_string(j, table->columns[columns[i]]);
    }
    ew_json_array_end(j);
}

/* Columns of the table: the number of the point, keys, then what is shown of the results. */
static size_t choose_columns(size_t *columns, size_t *n_keys, const struct ew_csv_table *table)
{
    size_t n = 0;
    if (strcmp(table->columns[0], "point") == 0 || strcmp(table->columns[0], "run") == 0) {
        columns[n++] = 0;
    }
    const size_t first = n;
    for (size_t c = 0; c < table->n_columns; c++) {
        if (is_key(table, c)) {
            columns[n++] = c;
        }
    }
    *n_keys = n - first;
    for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN; i++) {
        size_t c;
        bool is_there = ew_csv_table_find(&c, table, SHOWN[i]) && !is_empty(table, c);
        for (size_t k = 0; k < n && is_there; k++) {
            is_there = columns[k] != c;
        }
        if (is_there) {
            columns[n++] = c;
        }
    }
    return n;
}

static enum ew_status put_data(struct report *r, struct ew_error *err)
{
    const struct ew_csv_table *table = r->table;
    struct ew_str text = {0};
    struct ew_json j = {.out = &text};
    size_t n_keys = 0;
    size_t *columns = calloc(table->n_columns + sizeof SHOWN / sizeof *SHOWN, sizeof *columns);
    if (!columns) {
        return ew_fail_memory(err);
    }
    const size_t n = choose_columns(columns, &n_keys, table);
    const size_t first = n && (strcmp(table->columns[columns[0]], "point") == 0 ||
                               strcmp(table->columns[columns[0]], "run") == 0);
    ew_json_object_begin(&j);
    put_columns(&j, "columns", table, columns, n);
    put_columns(&j, "filters", table, columns + first,
                n_keys + (first + n_keys < n && /* and status */
                          strcmp(table->columns[columns[first + n_keys]], "status") == 0));
    ew_json_key(&j, "rows");
    ew_json_array_begin(&j);
    for (size_t i = 0; i < table->n_rows; i++) {
        ew_json_array_begin_inline(&j);
        for (size_t k = 0; k < n; k++) {
            put_cell(&j, table->rows[i].cells[columns[k]]);
        }
        ew_json_array_end(&j);
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(&r->page, "<script type=\"application/json\" id=\"data\">");
    put_script_json(&r->page, &text);
    ew_str_append(&r->page, "</script>\n");
    ew_str_fini(&text);
    free(columns);
    return EW_OK;
}

/* --- page --------------------------------------------------------------------------------------
 */

static void put_head(struct report *r, const char *title)
{
    size_t status, n_ok = 0;
    const bool has_status = ew_csv_table_find(&status, r->table, "status");
    for (size_t i = 0; i < r->table->n_rows; i++) {
        n_ok += !has_status || strcmp(r->table->rows[i].cells[status], "ok") == 0;
    }
    ew_str_append(&r->page,
                  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, "
                  "initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n<title>");
    put_html(&r->page, title);
    ew_str_append(&r->page, "</title>\n");
    ew_str_append(&r->page, ew_report_style);
    ew_str_append(&r->page, "</head>\n<body>\n<h1>");
    put_html(&r->page, title);
    ew_str_printf(
        &r->page,
        "</h1>\n<p>%zu points, %zu with a result.</p>\n<p class=\"note\">EdgeWeave %s</p>\n",
        r->table->n_rows, n_ok, ew_version);
}

static void put_table(struct report *r)
{
    ew_str_append(
        &r->page,
        "<h2>All points</h2>\n<p class=\"note\">Column heads sort.</p>\n"
        "<div class=\"filters\" id=\"filters\"></div>\n<p class=\"note\" id=\"count\"></p>\n"
        "<div class=\"wide\"><table><thead><tr id=\"head\"></tr></thead>"
        "<tbody id=\"body\"></tbody></table></div>\n"
        "<p><button class=\"more\" id=\"more\" hidden>show more</button></p>\n"
        "<pre id=\"self\"></pre>\n");
}

static enum ew_status make_page(struct report *r, struct ew_error *err)
{
    const struct ew_arg *title = ew_args_last(&r->cli->args, EW_OPTION_PLOT_TITLE);
    enum ew_status status = ew_plot_load(&r->table, r->cli, r->input, "runs.csv", false, err);
    if (status == EW_OK && r->table->n_rows == 0) {
        status = ew_fail(err, EW_EINPUT, "%s: no results to report", r->input);
    }
    if (status != EW_OK) {
        return status;
    }
    put_head(r, title ? title->value : r->input);
    for (size_t i = 0; status == EW_OK && i < sizeof FIGURES / sizeof *FIGURES; i++) {
        status = put_figure(r, &FIGURES[i], err);
    }
    if (status == EW_OK) {
        put_table(r);
        status = put_data(r, err);
    }
    if (status == EW_OK) {
        ew_str_append(&r->page, "<script>\n");
        for (const char *const *line = ew_report_script; *line; line++) {
            ew_str_append(&r->page, *line);
        }
        ew_str_append(&r->page, "</script>\n</body>\n</html>\n");
    }
    return status == EW_OK && r->page.failed ? ew_fail_memory(err) : status;
}

enum ew_status ew_cmd_report(struct ew_cli *cli, struct ew_error *err)
{
    struct report r = {.cli = cli};
    const struct ew_arg *output = ew_cli_output(cli);
    enum ew_status status = ew_cli_expect_positionals(cli, 1, 1, "results to report", err);
    if (status == EW_OK && !output) {
        status = ew_fail(err, EW_EUSAGE, "expected --output FILE.html");
    }
    if (status == EW_OK) {
        r.input = cli->args.positionals[0].value;
        status = make_page(&r, err);
    }
    if (status == EW_OK) {
        cli->blame = output->at;
        status = ew_file_write(output->value, ew_str_text(&r.page), r.page.length, err);
    }
    ew_csv_table_free(r.table);
    ew_str_fini(&r.page);
    return status;
}
