#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/reproduce_out.h"

/* Text as a gnuplot string in single quotes, where a quote is written twice. */
static void put_quoted(struct ew_str *out, const char *text)
{
    ew_str_append(out, "'");
    for (const char *p = text; *p; p++) {
        ew_str_append_n(out, p, 1);
        if (*p == '\'') {
            ew_str_append_n(out, p, 1);
        }
    }
    ew_str_append(out, "'");
}

static void put_setting(struct ew_str *out, const char *name, const char *value)
{
    ew_str_printf(out, "%s=", name);
    put_quoted(out, value);
    ew_str_append(out, "; ");
}

/* Run gnuplot; its messages go where ours go. `*is_missing`: there is none. */
static enum ew_status run_gnuplot(bool *is_missing, const char *settings, const char *script,
                                  struct ew_error *err)
{
    enum { NO_PROGRAM = 127 };
    int state = 0;
    const pid_t pid = fork();
    if (pid < 0) {
        return ew_fail(err, EW_EIO, "cannot start a process: %s", strerror(errno));
    }
    if (pid == 0) {
        char *const words[] = {(char *)(uintptr_t) "gnuplot", (char *)(uintptr_t) "-e",
                               (char *)(uintptr_t)settings, (char *)(uintptr_t)script, NULL};
        (void)setenv("LC_ALL", "C.UTF-8", 1); /* titles are UTF-8 */
        (void)execvp(words[0], words);
        _exit(NO_PROGRAM);
    }
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {
    }
    *is_missing = WIFEXITED(state) && WEXITSTATUS(state) == NO_PROGRAM;
    if (!*is_missing && !(WIFEXITED(state) && WEXITSTATUS(state) == 0)) {
        return ew_fail(err, EW_EIO, "gnuplot failed on %s", script);
    }
    return EW_OK;
}

static void put_settings(struct ew_str *out, const struct ew_repro_report *report,
                         const struct ew_repro_figure *f, const char *dir, const char *format)
{
    struct ew_str text = {0};
    ew_str_printf(&text, "%s/%s_%s.csv", dir, report->reproduction->paper, f->id);
    put_setting(out, "input", ew_str_text(&text));
    text.length = 0;
    ew_str_printf(&text, "%s/%s_%s.%s", dir, report->reproduction->paper, f->id, format);
    put_setting(out, "output", ew_str_text(&text));
    put_setting(out, "format", format);
    put_setting(out, "title", f->title);
    put_setting(out, "xlabel", f->x_label);
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
        status = settings.failed ? ew_fail_memory(err)
                                 : run_gnuplot(is_missing, ew_str_text(&settings), script, err);
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
