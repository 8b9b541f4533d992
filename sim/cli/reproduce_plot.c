#include <string.h>

#include "base/arena.h"
#include "cli/gnuplot.h"
#include "cli/reproduce_out.h"

static void put_settings(struct ew_str *out, const struct ew_repro_report *report,
                         const struct ew_repro_figure *f, const char *dir, const char *format)
{
    struct ew_str text = {0};
    ew_str_printf(&text, "%s/%s_%s.csv", dir, report->reproduction->paper, f->id);
    ew_gnuplot_put(out, "input", ew_str_text(&text));
    text.length = 0;
    ew_str_printf(&text, "%s/%s_%s.%s", dir, report->reproduction->paper, f->id, format);
    ew_gnuplot_put(out, "output", ew_str_text(&text));
    ew_gnuplot_put(out, "format", format);
    ew_gnuplot_put(out, "title", f->title);
    ew_gnuplot_put(out, "xlabel", f->x_label);
    ew_str_printf(out, "logarithmic=%d", f->is_logarithmic ? 1 : 0);
    out->failed = out->failed || text.failed;
    ew_str_fini(&text);
}

static enum ew_status plot_figure(struct ew_cli *cli, bool *is_missing,
                                  const struct ew_repro_report *report,
                                  const struct ew_repro_figure *f, const char *dir,
                                  struct ew_error *err)
{
    static const char *const formats[] = {"png", "svg"};
    struct ew_arena arena = {0};
    struct ew_str name = {0};
    const char *script = NULL;
    ew_str_printf(&name, "reproduce_%s", f->plot);
    enum ew_status status =
        ew_paths_find(&script, &cli->paths, EW_PATH_PLOT, ew_str_text(&name), &arena, err);
    for (int i = 0; status == EW_OK && !*is_missing && i < 2; i++) {
        struct ew_str settings = {0};
        put_settings(&settings, report, f, dir, formats[i]);
        status = ew_gnuplot_run(is_missing, &settings, script, err);
        ew_str_fini(&settings);
    }
    ew_str_fini(&name);
    ew_arena_fini(&arena);
    return status;
}

enum ew_status ew_repro_plot(struct ew_cli *cli, const struct ew_repro_report *report,
                             const char *dir, struct ew_error *err)
{
    bool is_missing = false;
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && !is_missing && i < report->n; i++) {
        const struct ew_repro_figure *f = report->figures[i].figure;
        if (f->n_rows > 0 && strcmp(f->plot, "none") != 0) {
            status = plot_figure(cli, &is_missing, report, f, dir, err);
        }
    }
    if (is_missing) {
        ew_cli_warn(cli, "gnuplot not found: no figures drawn; the CSV files are whole");
    }
    return status;
}
