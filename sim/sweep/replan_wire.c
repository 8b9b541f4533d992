/*
 * Plans over time as bytes, from a child process to its parent.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "plugin/book_wire.h"
#include "sweep/replan.h"

struct head {
    uint64_t n_changes;
    uint32_t n_asked;
    uint32_t n_unable;
    uint64_t n;
    uint64_t moves_jobs;
};

void ew_replan_put(struct ew_str *out, const struct ew_plan_context *context,
                   const struct ew_replan *replan, const struct ew_book *book)
{
    const struct ew_plan_schedule *schedule = &replan->schedule;
    const struct head head = {replan->n_changes, replan->n_asked, replan->n_unable, schedule->n,
                              schedule->moves_jobs};
    ew_str_append_n(out, (const char *)&head, sizeof head);
    ew_str_append_n(out, (const char *)schedule->times_s, schedule->n * sizeof *schedule->times_s);
    ew_str_append_n(out, (const char *)schedule->plans, schedule->n * sizeof *schedule->plans);
    ew_str_append_n(out, (const char *)schedule->moves, schedule->n * sizeof *schedule->moves);
    ew_book_wire_put(out, context, book);
}

static bool is_schedule(const struct ew_plan_schedule *schedule, uint32_t n_plans)
{
    bool is_good = schedule->n > 0;
    for (uint32_t i = 0; is_good && i < schedule->n; i++) {
        const double time_s = schedule->times_s[i];
        is_good = isfinite(time_s) && schedule->plans[i] < n_plans &&
                  (i ? time_s >= schedule->times_s[i - 1] : time_s >= 0 && time_s <= 0);
    }
    return is_good;
}

enum ew_status ew_replan_get(struct ew_replan **out, struct ew_book **book_out, const char *bytes,
                             size_t size, const struct ew_plan_context *context,
                             struct ew_error *err)
{
    static const char damaged[] = "planning over time: what came back is damaged";
    enum { ENTRY_BYTES = sizeof(double) + sizeof(uint32_t) + sizeof(uint8_t) };
    struct head head = {0};
    if (size < sizeof head) {
        return ew_fail(err, EW_EPLUGIN, "%s", damaged);
    }
    memcpy(&head, bytes, sizeof head);
    if (head.n > (size - sizeof head) / ENTRY_BYTES || head.n > UINT32_MAX) {
        return ew_fail(err, EW_EPLUGIN, "%s", damaged);
    }
    const size_t n = (size_t)head.n;
    struct ew_book *book = NULL;
    double *times_s = calloc(n + 1, sizeof *times_s);
    uint32_t *plans = calloc(n + 1, sizeof *plans);
    uint8_t *moves = calloc(n + 1, sizeof *moves);
    enum ew_status status = times_s && plans && moves ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK) {
        const char *at = bytes + sizeof head;
        memcpy(times_s, at, n * sizeof *times_s);
        memcpy(plans, at + n * sizeof *times_s, n * sizeof *plans);
        memcpy(moves, at + n * (sizeof *times_s + sizeof *plans), n * sizeof *moves);
        at += n * ENTRY_BYTES;
        status = ew_book_wire_get(&book, at, size - (size_t)(at - bytes), context, err);
    }
    if (status == EW_OK) {
        status = ew_book_check(context, book, err);
    }
    const struct ew_replan given = {
        .schedule = {.n = (uint32_t)n,
                     .times_s = times_s,
                     .plans = plans,
                     .moves = moves,
                     .moves_jobs = head.moves_jobs != 0},
        .n_changes = head.n_changes,
        .n_asked = head.n_asked,
        .n_unable = head.n_unable,
    };
    if (status == EW_OK && !is_schedule(&given.schedule, book->n_plans)) {
        status = ew_fail(err, EW_EPLUGIN, "%s", damaged);
    }
    if (status == EW_OK) {
        status = ew_replan_copy(out, &given, err);
    }
    free(times_s);
    free(plans);
    free(moves);
    if (status != EW_OK) {
        ew_book_free(book);
        return status;
    }
    *book_out = book;
    return EW_OK;
}
