#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/system.h"

/* An event takes less than a microsecond, an evaluation about a hundred of them. */
enum {
    BAR_WIDTH = 30,
    SHORT_BAR_WIDTH = 10,
    LINE_WIDTH = 80,
    TICKS_PER_LOOK = 4096,
    TICKS_PER_EVALUATION = 64
};

static const double FIRST_S = 1.0, STEP_S = 0.1;

struct ew_progress ew_progress_begin(const struct ew_cli *cli, size_t n_points)
{
    return (struct ew_progress){
        .is_on = cli->verbosity != EW_QUIET && isatty(STDERR_FILENO),
        .begin_s = ew_now_s(),
        .n_points = n_points,
        .label = "",
    };
}

/* One line, cut off where a narrow terminal would wrap it. */
static void draw(struct ew_progress *p, double time_s)
{
    const double part = p->total ? (double)p->done / (double)p->total : 0;
    const double share = ((double)p->point + part) / (double)(p->n_points ? p->n_points : 1);
    const int width = p->note[0] ? SHORT_BAR_WIDTH : BAR_WIDTH;
    const int filled = (int)(share * width);
    char bar[BAR_WIDTH + 1];
    char line[4 * LINE_WIDTH];
    for (int i = 0; i < width; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[width] = '\0';
    (void)snprintf(line, sizeof line, "[%s] %3.0f %%  %zu/%zu %s  %.0f s%s%s", bar, share * 100,
                   p->point + 1, p->n_points, p->label, time_s - p->begin_s, p->note[0] ? "  " : "",
                   p->note);
    fprintf(stderr, "\r\033[K%.*s", LINE_WIDTH - 1, line);
    fflush(stderr);
    p->is_shown = true;
    p->drawn_s = time_s;
}

static void look(struct ew_progress *p)
{
    const double time_s = ew_now_s();
    if (time_s - p->begin_s >= FIRST_S && time_s - p->drawn_s >= STEP_S) {
        draw(p, time_s);
    }
}

void ew_progress_point(struct ew_progress *progress, size_t point, const char *label,
                       uint64_t n_requests)
{
    progress->point = point;
    progress->label = label;
    progress->note[0] = '\0';
    progress->done = 0;
    progress->total = n_requests;
    if (progress->is_on) {
        look(progress);
    }
}

static void add_ticks(struct ew_progress *p, uint32_t n)
{
    p->ticks += n;
    if (p->ticks >= TICKS_PER_LOOK) {
        p->ticks = 0;
        look(p);
    }
}

/* Time has passed, nothing is done yet: a strategy is planning. */
static void tick(void *ctx)
{
    struct ew_progress *p = ctx;
    if (p->is_on) {
        add_ticks(p, TICKS_PER_EVALUATION);
    }
}

static void take_note(void *ctx, const char *strategy, uint32_t level, const char *message)
{
    struct ew_progress *p = ctx;
    (void)snprintf(p->note, sizeof p->note, "%s", message);
    if (p->log) {
        p->log(p->log_ctx, strategy, level, message);
    }
}

void ew_progress_watch(struct ew_progress *progress, struct ew_point_config *config)
{
    progress->config = config;
    progress->log = config->log;
    progress->log_ctx = config->log_ctx;
    config->log = take_note;
    config->log_ctx = progress;
    config->tick = tick;
    config->tick_ctx = progress;
}

static void observe(void *ctx, const struct ew_event *event, const struct ew_joules *joules)
{
    struct ew_progress *p = ctx;
    (void)joules;
    p->done += event->kind >= EW_EVENT_REQUEST_DONE && event->kind <= EW_EVENT_REQUEST_FAILED;
    add_ticks(p, 1);
}

struct ew_event_observer ew_progress_observer(struct ew_progress *progress)
{
    return progress->is_on ? (struct ew_event_observer){progress, observe}
                           : (struct ew_event_observer){0};
}

void ew_progress_end(struct ew_progress *progress)
{
    if (progress->is_shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->is_shown = false;
    }
    if (progress->config) {
        progress->config->log = progress->log;
        progress->config->log_ctx = progress->log_ctx;
        progress->config->tick = NULL;
        progress->config = NULL;
    }
}
