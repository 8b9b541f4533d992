#include "cli/reproduce_out.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json_writer.h"
#include "results/csv_file.h"
#include "results/grid.h"

enum { WIDTH = 110 };

/* --- counting ----------------------------------------------------------------------------------
 */

struct tally {
    uint32_t verdicts[5];
    uint32_t n_ratios; /* rows with a plain published value */
    uint32_t n_within_25;
    uint32_t n_checks, n_checks_held; /* checks without a failure */
};

/* Call `visit` for every row that is shown. */
static void each_row(const struct ew_repro_report *report,
                     void (*visit)(void *ctx, const struct ew_repro_figure_result *r, uint32_t c,
                                   uint32_t s),
                     void *ctx)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct ew_repro_figure *f = report->figures[i].figure;
        for (uint32_t c = 0; c < f->n_rows; c++) {
            for (uint32_t s = 0; s < f->n_shown; s++) {
                if (ew_repro_is_row(f, s)) {
                    visit(ctx, &report->figures[i], c, s);
                }
            }
        }
    }
}

static const struct ew_repro_row *row_at(const struct ew_repro_figure_result *r, uint32_t c,
                                         uint32_t s)
{
    return &r->rows[(size_t)c * r->figure->n_shown + s];
}

static const struct ew_published *published_at(const struct ew_repro_figure_result *r, uint32_t c,
                                               uint32_t s)
{
    return &r->figure->published[(size_t)c * r->figure->n_shown + s];
}

static void tally_row(void *ctx, const struct ew_repro_figure_result *r, uint32_t c, uint32_t s)
{
    struct tally *t = ctx;
    const struct ew_repro_row *row = row_at(r, c, s);
    t->verdicts[row->verdict]++;
    if (isfinite(row->ratio) && published_at(r, c, s)->kind == EW_PUBLISHED_VALUE) {
        t->n_ratios++;
        t->n_within_25 += fabs(row->ratio - 1) <= 0.25;
    }
}

static struct tally count_all(const struct ew_repro_report *report)
{
    struct tally t = {0};
    each_row(report, tally_row, &t);
    for (size_t i = 0; i < report->n; i++) {
        for (uint32_t k = 0; k < report->figures[i].figure->n_checks; k++) {
            const struct ew_repro_check_result *check = &report->figures[i].checks[k];
            t.n_checks += check->n_tested > 0;
            t.n_checks_held += check->n_tested > 0 && check->n_held == check->n_tested;
        }
    }
    return t;
}

bool ew_repro_has_failures(const struct ew_repro_report *report)
{
    return count_all(report).verdicts[EW_REPRO_FAILED] > 0;
}

static bool is_named(uint32_t n, const char *const *names, const char *name)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Was every figure run that the share is about? */
static bool is_whole(const struct ew_repro_report *report, const struct ew_repro_share *wanted)
{
    uint32_t n = 0;
    for (size_t i = 0; i < report->n; i++) {
        const struct ew_repro_figure *f = report->figures[i].figure;
        n += f->n_rows > 0 && is_named(wanted->n_figures, wanted->figures, f->id);
    }
    return n == wanted->n_figures;
}

struct share {
    const struct ew_repro_share *wanted;
    uint32_t n;
    uint32_t n_within;
};

static void share_row(void *ctx, const struct ew_repro_figure_result *r, uint32_t c, uint32_t s)
{
    struct share *share = ctx;
    const struct ew_repro_share *w = share->wanted;
    if (published_at(r, c, s)->kind == EW_PUBLISHED_VALUE &&
        is_named(w->n_figures, w->figures, r->figure->id) &&
        is_named(w->n_series, w->series, ew_repro_shown_name(r->figure, s))) {
        share->n++;
        share->n_within += fabs(row_at(r, c, s)->ratio - 1) <= w->within_ratio;
    }
}

static struct share count_share(const struct ew_repro_report *report,
                                const struct ew_repro_share *wanted)
{
    struct share share = {.wanted = wanted};
    each_row(report, share_row, &share);
    return share;
}

static bool share_holds(const struct share *share)
{
    return share->n_within >= share->wanted->at_least_ratio * share->n;
}

/* --- tables ------------------------------------------------------------------------------------
 */

static const char *number(struct ew_grid *grid, double x)
{
    const double size = fabs(x);
    const int decimals = size < 0.9995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
    return isnan(x) ? "-" : ew_grid_format(grid, "%.*f", decimals, x);
}

static const char *published_cell(struct ew_grid *grid, const struct ew_published *p)
{
    switch (p->kind) {
    case EW_PUBLISHED_VALUE:
        return ew_grid_format(grid, "%.6g", p->value);
    case EW_PUBLISHED_BELOW:
        return ew_grid_format(grid, "<%.6g", p->value);
    case EW_PUBLISHED_BAND:
        return ew_grid_format(grid, "%.6g..%.6g", p->value, p->high);
    case EW_PUBLISHED_NONE:
        break;
    }
    return "-";
}

static const char *case_name(const struct ew_repro_figure_result *r, uint32_t c,
                             struct ew_grid *grid)
{
    return r->figure->is_pairwise ? "mean"
           : r->figure->is_mean   ? ew_grid_format(grid, "mean of %u", r->n_averaged)
                                  : r->figure->cases[c].id;
}

static void add_row(struct ew_grid *grid, const struct ew_repro_figure_result *r, uint32_t c,
                    uint32_t s)
{
    const struct ew_repro_row *row = row_at(r, c, s);
    struct ew_grid_row *cells = ew_grid_add(grid);
    if (!cells) {
        return;
    }
    cells->cells[0] =
        ew_grid_format(grid, "%s  %s", case_name(r, c, grid), ew_repro_shown_name(r->figure, s));
    cells->cells[1] = published_cell(grid, published_at(r, c, s));
    cells->cells[2] = number(grid, row->ours);
    cells->cells[3] = number(grid, row->ratio);
    cells->cells[4] = ew_repro_verdict_names[row->verdict];
    cells->note = row->verdict == EW_REPRO_FAILED && row->error ? row->error : NULL;
}

static void print_rows(struct ew_str *out, const struct ew_repro_figure_result *r)
{
    const struct ew_repro_figure *f = r->figure;
    struct ew_grid grid = {.n_columns = 5};
    struct ew_grid_row *head = ew_grid_add(&grid);
    if (head) {
        head->cells[0] = *f->unit ? ew_grid_format(&grid, "%s", f->unit) : "";
        head->cells[1] = "paper";
        head->cells[2] = "ours";
        head->cells[3] = "ratio";
        head->cells[4] = "verdict";
    }
    for (uint32_t c = 0; c < f->n_rows; c++) {
        for (uint32_t s = 0; s < f->n_shown; s++) {
            if (ew_repro_is_row(f, s)) {
                add_row(&grid, r, c, s);
            }
        }
    }
    out->failed = out->failed || grid.ran_out_of_memory;
    if (!out->failed) {
        ew_grid_print(out, &grid, WIDTH);
    }
    ew_grid_fini(&grid);
}

/* A line of text, wrapped, behind a short word. */
static void print_wrapped(struct ew_str *out, const char *word, const char *text)
{
    struct ew_grid grid = {.n_columns = 2};
    struct ew_grid_row *row = ew_grid_add(&grid);
    if (row) {
        row->cells[0] = word;
        row->text = text;
        ew_grid_print(out, &grid, WIDTH);
    }
    out->failed = out->failed || !row;
    ew_grid_fini(&grid);
}

static void print_checks(struct ew_str *out, const struct ew_repro_figure_result *r)
{
    for (uint32_t k = 0; k < r->figure->n_checks; k++) {
        const struct ew_repro_check_result *check = &r->checks[k];
        struct ew_str text = {0};
        if (check->n_tested == 0 && check->n_exempt == 0) {
            continue;
        }
        ew_str_printf(&text, "%s: %u of %u", r->figure->checks[k].text, check->n_held,
                      check->n_tested);
        if (check->n_exempt) {
            ew_str_printf(&text, " (and %u where the paper's own values do not)", check->n_exempt);
        }
        if (*check->failures) {
            ew_str_printf(&text, "; not: %s", check->failures);
        }
        print_wrapped(out, check->n_held == check->n_tested ? "  holds" : "  FAILS",
                      ew_str_text(&text));
        out->failed = out->failed || text.failed;
        ew_str_fini(&text);
    }
}

static void print_figure(struct ew_str *out, const struct ew_repro_figure_result *r)
{
    const struct ew_repro_figure *f = r->figure;
    ew_str_printf(out, "\n%s: %s\n", f->id, f->title);
    if (*f->source) {
        ew_str_printf(out, "(%s%s%s; pass: within %.3g %%; trend: order among the %s)\n", f->source,
                      *f->mark ? ", " : "", f->mark, f->tolerance_ratio * 100,
                      f->trend_across_cases ? "cases of one series" : "series of one case");
    }
    if (*f->note) {
        print_wrapped(out, "note:", f->note);
    }
    print_rows(out, r);
    print_checks(out, r);
}

static void print_summary(struct ew_str *out, const struct ew_repro_report *report)
{
    const struct tally t = count_all(report);
    const uint32_t n =
        t.verdicts[EW_REPRO_PASS] + t.verdicts[EW_REPRO_TREND] + t.verdicts[EW_REPRO_DIFFERS];
    ew_str_printf(out,
                  "\nsummary: %u rows with a published value: %u pass, %u trend, %u differ; %u "
                  "without one; %u failed\n",
                  n, t.verdicts[EW_REPRO_PASS], t.verdicts[EW_REPRO_TREND],
                  t.verdicts[EW_REPRO_DIFFERS], t.verdicts[EW_REPRO_NONE],
                  t.verdicts[EW_REPRO_FAILED]);
    if (t.n_ratios) {
        ew_str_printf(out, "within 25 %% of the paper: %u of %u (%.0f %%)\n", t.n_within_25,
                      t.n_ratios, 100.0 * t.n_within_25 / t.n_ratios);
    }
    for (uint32_t i = 0; i < report->reproduction->n_shares; i++) {
        const struct share share = count_share(report, &report->reproduction->shares[i]);
        if (is_whole(report, share.wanted) && share.n) {
            ew_str_printf(out, "%s: %u of %u (%.0f %%), at least %.0f %% asked: %s\n",
                          share.wanted->text, share.n_within, share.n,
                          100.0 * share.n_within / share.n, 100 * share.wanted->at_least_ratio,
                          share_holds(&share) ? "holds" : "FAILS");
        }
    }
    if (t.n_checks) {
        ew_str_printf(out, "checks that hold everywhere: %u of %u\n", t.n_checks_held, t.n_checks);
    }
}

void ew_repro_print_text(struct ew_str *out, const struct ew_repro_report *report)
{
    const struct ew_reproduction *r = report->reproduction;
    ew_str_printf(out, "%s\n", r->title);
    for (uint32_t i = 0; i < r->n_settings; i++) {
        print_wrapped(out, "-", r->settings[i]);
    }
    print_wrapped(out, "-",
                  "verdicts: pass = near the paper's value, as stated per figure; trend = farther "
                  "off, but on the same side of every other value that the paper shows at least "
                  "10 % apart; differs = neither. Nothing is tuned per row.");
    if (report->is_quick) {
        ew_str_append(out,
                      "- --quick: fewer cases and smaller searches; not the numbers to look at\n");
    }
    for (size_t i = 0; i < report->n; i++) {
        if (report->figures[i].figure->n_rows) {
            print_figure(out, &report->figures[i]);
        }
    }
    print_summary(out, report);
}

/* --- JSON --------------------------------------------------------------------------------------
 */

static void json_row(struct ew_json *j, const struct ew_repro_figure_result *r, uint32_t c,
                     uint32_t s)
{
    static const char *const kinds[] = {NULL, "value", "below", "band"};
    const struct ew_repro_row *row = row_at(r, c, s);
    const struct ew_published *p = published_at(r, c, s);
    ew_json_object_begin_inline(j);
    ew_json_kv_string(j, "case", r->figure->is_mean ? "mean" : r->figure->cases[c].id);
    ew_json_kv_string(j, "series", ew_repro_shown_name(r->figure, s));
    ew_json_kv_string(j, "published_kind", kinds[p->kind]);
    ew_json_kv_double(j, "published", p->kind == EW_PUBLISHED_NONE ? NAN : p->value);
    ew_json_kv_double(j, "published_high", p->kind == EW_PUBLISHED_BAND ? p->high : NAN);
    ew_json_kv_double(j, "ours", row->ours);
    ew_json_kv_double(j, "ratio", row->ratio);
    ew_json_kv_string(j, "verdict",
                      row->verdict == EW_REPRO_NONE ? NULL : ew_repro_verdict_names[row->verdict]);
    if (row->error) {
        ew_json_kv_string(j, "error", row->error);
    }
    ew_json_object_end(j);
}

static void json_checks(struct ew_json *j, const struct ew_repro_figure_result *r)
{
    ew_json_key(j, "checks");
    ew_json_array_begin(j);
    for (uint32_t k = 0; k < r->figure->n_checks; k++) {
        const struct ew_repro_check_result *check = &r->checks[k];
        ew_json_object_begin(j);
        ew_json_kv_string(j, "text", r->figure->checks[k].text);
        ew_json_kv_u64(j, "tested", check->n_tested);
        ew_json_kv_u64(j, "held", check->n_held);
        ew_json_kv_u64(j, "exempt", check->n_exempt);
        ew_json_kv_string(j, "failures", check->failures);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
}

static void json_figure(struct ew_json *j, const struct ew_repro_figure_result *r)
{
    const struct ew_repro_figure *f = r->figure;
    ew_json_object_begin(j);
    ew_json_kv_string(j, "id", f->id);
    ew_json_kv_string(j, "title", f->title);
    ew_json_kv_string(j, "source", f->source);
    ew_json_kv_string(j, "mark", f->mark);
    ew_json_kv_string(j, "unit", f->unit);
    ew_json_kv_double(j, "tolerance_ratio", f->tolerance_ratio);
    ew_json_key(j, "rows");
    ew_json_array_begin(j);
    for (uint32_t c = 0; c < f->n_rows; c++) {
        for (uint32_t s = 0; s < f->n_shown; s++) {
            if (ew_repro_is_row(f, s)) {
                json_row(j, r, c, s);
            }
        }
    }
    ew_json_array_end(j);
    json_checks(j, r);
    ew_json_object_end(j);
}

static void json_summary(struct ew_json *j, const struct ew_repro_report *report)
{
    const struct tally t = count_all(report);
    ew_json_key(j, "summary");
    ew_json_object_begin(j);
    ew_json_kv_u64(j, "pass", t.verdicts[EW_REPRO_PASS]);
    ew_json_kv_u64(j, "trend", t.verdicts[EW_REPRO_TREND]);
    ew_json_kv_u64(j, "differs", t.verdicts[EW_REPRO_DIFFERS]);
    ew_json_kv_u64(j, "unpublished", t.verdicts[EW_REPRO_NONE]);
    ew_json_kv_u64(j, "failed", t.verdicts[EW_REPRO_FAILED]);
    ew_json_kv_u64(j, "values", t.n_ratios);
    ew_json_kv_u64(j, "within_25_pct", t.n_within_25);
    ew_json_kv_u64(j, "checks", t.n_checks);
    ew_json_kv_u64(j, "checks_held", t.n_checks_held);
    ew_json_key(j, "shares");
    ew_json_array_begin(j);
    for (uint32_t i = 0; i < report->reproduction->n_shares; i++) {
        const struct share share = count_share(report, &report->reproduction->shares[i]);
        if (!is_whole(report, share.wanted)) {
            continue;
        }
        ew_json_object_begin(j);
        ew_json_kv_string(j, "text", share.wanted->text);
        ew_json_kv_u64(j, "values", share.n);
        ew_json_kv_u64(j, "within", share.n_within);
        ew_json_kv_double(j, "at_least_ratio", share.wanted->at_least_ratio);
        ew_json_object_end(j);
    }
    ew_json_array_end(j);
    ew_json_object_end(j);
}

void ew_repro_print_json(struct ew_str *out, const struct ew_repro_report *report)
{
    const struct ew_reproduction *r = report->reproduction;
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_i64(&j, "schema", 1);
    ew_json_kv_string(&j, "version", ew_version);
    ew_json_kv_string(&j, "paper", r->paper);
    ew_json_kv_string(&j, "title", r->title);
    ew_json_kv_bool(&j, "quick", report->is_quick);
    ew_json_key(&j, "settings");
    ew_json_array_begin(&j);
    for (uint32_t i = 0; i < r->n_settings; i++) {
        ew_json_string(&j, r->settings[i]);
    }
    ew_json_array_end(&j);
    ew_json_key(&j, "figures");
    ew_json_array_begin(&j);
    for (size_t i = 0; i < report->n; i++) {
        json_figure(&j, &report->figures[i]);
    }
    ew_json_array_end(&j);
    json_summary(&j, report);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
}

/* --- CSV ---------------------------------------------------------------------------------------
 */

static const char ROW_HEADER[] =
    "paper,figure,case,group,x,series,case_index,group_index,series_index,unit,published_kind,"
    "published,published_high,ours,ratio,verdict,mark,error";
static const char CHECK_HEADER[] = "paper,figure,check,tested,held,exempt,failures";

static void csv_row(struct ew_csv_file *file, const char *paper,
                    const struct ew_repro_figure_result *r, uint32_t c, uint32_t s, uint64_t group)
{
    static const char *const kinds[] = {"", "value", "below", "band"};
    const struct ew_repro_figure *f = r->figure;
    const struct ew_repro_row *row = row_at(r, c, s);
    const struct ew_published *p = published_at(r, c, s);
    ew_csv_text(file, paper);
    ew_csv_text(file, f->id);
    ew_csv_text(file, f->is_mean ? "mean" : f->cases[c].id);
    ew_csv_text(file, f->is_mean ? "" : f->cases[c].group);
    ew_csv_double(file, f->is_mean ? NAN : f->cases[c].x);
    ew_csv_text(file, ew_repro_shown_name(f, s));
    ew_csv_u64(file, c);
    ew_csv_u64(file, group);
    ew_csv_u64(file, f->derivation != EW_DERIVE_NONE && s > f->subject ? s - 1 : s);
    ew_csv_text(file, f->unit);
    ew_csv_text(file, kinds[p->kind]);
    ew_csv_double(file, p->kind == EW_PUBLISHED_NONE ? NAN : p->value);
    ew_csv_double(file, p->kind == EW_PUBLISHED_BAND ? p->high : NAN);
    ew_csv_double(file, row->ours);
    ew_csv_double(file, row->ratio);
    ew_csv_text(file, row->verdict == EW_REPRO_NONE ? "" : ew_repro_verdict_names[row->verdict]);
    ew_csv_text(file, f->mark);
    ew_csv_text(file, row->error);
    ew_csv_row_end(file);
}

static enum ew_status open_csv(struct ew_csv_file *file, const struct ew_repro_report *report,
                               const char *dir, const char *stem, const char *header,
                               struct ew_error *err)
{
    struct ew_str name = {0};
    ew_str_printf(&name, "%s_%s.csv", report->reproduction->paper, stem);
    const enum ew_status status =
        name.failed ? ew_fail_memory(err)
                    : ew_csv_file_open(file, dir, ew_str_text(&name), header, err);
    ew_str_fini(&name);
    return status;
}

static enum ew_status write_figure(const struct ew_repro_report *report,
                                   const struct ew_repro_figure_result *r, const char *dir,
                                   struct ew_error *err)
{
    const struct ew_repro_figure *f = r->figure;
    struct ew_csv_file file = {0};
    uint64_t group = 0;
    enum ew_status status = open_csv(&file, report, dir, f->id, ROW_HEADER, err);
    for (uint32_t c = 0; status == EW_OK && c < f->n_rows; c++) {
        group += c > 0 && strcmp(f->cases[c].group, f->cases[c - 1].group) != 0;
        for (uint32_t s = 0; s < f->n_shown; s++) {
            if (ew_repro_is_row(f, s)) {
                csv_row(&file, report->reproduction->paper, r, c, s, group);
            }
        }
    }
    if (status == EW_OK) {
        status = ew_csv_file_publish(&file, err);
    }
    ew_csv_file_fini(&file);
    return status;
}

static enum ew_status write_checks(const struct ew_repro_report *report, const char *dir,
                                   struct ew_error *err)
{
    struct ew_csv_file file = {0};
    enum ew_status status = open_csv(&file, report, dir, "checks", CHECK_HEADER, err);
    for (size_t i = 0; status == EW_OK && i < report->n; i++) {
        const struct ew_repro_figure_result *r = &report->figures[i];
        for (uint32_t k = 0; k < r->figure->n_checks; k++) {
            ew_csv_text(&file, report->reproduction->paper);
            ew_csv_text(&file, r->figure->id);
            ew_csv_text(&file, r->figure->checks[k].text);
            ew_csv_u64(&file, r->checks[k].n_tested);
            ew_csv_u64(&file, r->checks[k].n_held);
            ew_csv_u64(&file, r->checks[k].n_exempt);
            ew_csv_text(&file, r->checks[k].failures);
            ew_csv_row_end(&file);
        }
    }
    if (status == EW_OK) {
        status = ew_csv_file_publish(&file, err);
    }
    ew_csv_file_fini(&file);
    return status;
}

enum ew_status ew_repro_write_csv(const struct ew_repro_report *report, const char *dir,
                                  struct ew_error *err)
{
    enum ew_status status = ew_dir_make(dir, err);
    for (size_t i = 0; status == EW_OK && i < report->n; i++) {
        status = write_figure(report, &report->figures[i], dir, err);
    }
    return status == EW_OK ? write_checks(report, dir, err) : status;
}
