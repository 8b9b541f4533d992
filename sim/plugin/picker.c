#include "plugin/picker.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/guard.h"

static const double default_limit_s = 60;

struct ew_pick_session {
    const struct ew_book_request *request; /* during open only */
    const struct ew_book *book;            /* during open only */
    struct ew_problem problem;
    struct ew_strategy_ref strategy;
    const struct ew_host_services *given;
    struct ew_host_services services; /* as given, but silent while planning */
    bool is_open;
    struct ew_instance *instance; /* here or in the child */
    struct ew_online online;
    struct ew_guard_talk *talk; /* NULL: the strategy is here */
    struct ew_str messages;     /* in the child: logged during a decision */
};

/* --- here, or in the child -------------------------------------------------------------------- */

static enum ew_status pass_evaluate(void *ctx, const struct ew_problem *problem,
                                    const struct ew_plan *plan, struct ew_evaluation *result,
                                    struct ew_error *err)
{
    const struct ew_host_services *given = ((struct ew_pick_session *)ctx)->given;
    return given->evaluate(given->ctx, problem, plan, result, err);
}

static const void *pass_extension(void *ctx, const char *id)
{
    const struct ew_host_services *given = ((struct ew_pick_session *)ctx)->given;
    return given->extension(given->ctx, id);
}

static void hear_log(void *ctx, const char *strategy, uint32_t level, const char *message)
{
    struct ew_pick_session *s = ctx;
    if (!s->is_open) {
        return;
    }
    if (s->strategy.plugin->is_trusted) {
        s->given->log(s->given->ctx, strategy, level, message);
    } else {
        ew_str_append_n(&s->messages, (const char *)&level, sizeof level);
        ew_str_append_n(&s->messages, message, strlen(message) + 1);
    }
}

static bool is_same_book(const struct ew_book *a, const struct ew_book *b,
                         const struct ew_graph *graph)
{
    bool is_same = a->n_plans == b->n_plans && a->pick == b->pick;
    for (uint32_t i = 0; is_same && i < a->n_plans; i++) {
        is_same = ew_plan_equal(a->plans[i], b->plans[i], graph);
    }
    return is_same;
}

static enum ew_status begin(struct ew_pick_session *s, struct ew_error *err)
{
    struct ew_book *book = NULL;
    const char *id = s->strategy.info->id;
    enum ew_status status =
        ew_instance_new(&s->instance, s->strategy.plugin->entry, s->strategy.info,
                        s->request->params, &s->problem, &s->services, err);
    if (status == EW_OK) {
        status = ew_instance_online(&s->online, s->instance, err);
    }
    if (status == EW_OK && !s->online.pick) {
        status = ew_fail(err, EW_ENOTSUP,
                         "strategy '%s': its book is picked online, but it has no pick", id);
    }
    if (status == EW_OK) {
        status = ew_instance_plan(&book, s->instance, err);
    }
    if (status == EW_OK && !is_same_book(book, s->book, s->problem.context.graph)) {
        status = ew_fail(err, EW_EPLUGIN,
                         "strategy '%s': it plans something else when it is asked again", id);
    }
    ew_book_free(book);
    s->is_open = status == EW_OK;
    return status;
}

/* --- the way between the processes -------------------------------------------------------------
 */

/* An observation, its arrays behind it: plan_requests, task_ratio, queued, is_up, bandwidths. */

static void put_observation(struct ew_str *out, const struct ew_job_observation *job)
{
    const size_t n = job->n_devices;
    ew_str_append_n(out, (const char *)job, sizeof *job);
    ew_str_append_n(out, (const char *)job->task_ratio, n * sizeof *job->task_ratio);
    ew_str_append_n(out, (const char *)job->measured_bytes_per_s,
                    n * n * sizeof *job->measured_bytes_per_s);
    ew_str_append_n(out, (const char *)job->plan_requests,
                    job->n_plans * sizeof *job->plan_requests);
    ew_str_append_n(out, (const char *)job->queued, n * sizeof *job->queued);
    ew_str_append_n(out, (const char *)job->is_up, n * sizeof *job->is_up);
}

/* From bytes that the program itself has sent. Aligned, since they come from malloc and doubles
 * come first. */
static void get_observation(struct ew_job_observation *job, const char *bytes)
{
    memcpy(job, bytes, sizeof *job);
    const size_t n = job->n_devices;
    const char *at = bytes + sizeof *job;
    job->task_ratio = (const void *)at;
    at += n * sizeof *job->task_ratio;
    job->measured_bytes_per_s = (const void *)at;
    at += n * n * sizeof *job->measured_bytes_per_s;
    job->plan_requests = (const void *)at;
    at += job->n_plans * sizeof *job->plan_requests;
    job->queued = (const void *)at;
    at += n * sizeof *job->queued;
    job->is_up = (const void *)at;
}

static enum ew_status answer_in_child(void *ctx, const char *question, size_t size,
                                      struct ew_str *answer, struct ew_error *err)
{
    struct ew_pick_session *s = ctx;
    if (size == 0) {
        return begin(s, err);
    }
    struct ew_job_observation job;
    struct ew_job_decision decision;
    get_observation(&job, question);
    s->messages.length = 0;
    const enum ew_status status = ew_instance_pick(&decision, s->instance, &s->online, &job, err);
    ew_str_append_n(answer, (const char *)&decision, sizeof decision);
    ew_str_append_n(answer, ew_str_text(&s->messages), s->messages.length);
    return status;
}

/* --- the parent ------------------------------------------------------------------------------- */

/* Nothing in the bytes is believed. */
static void deliver_messages(const struct ew_pick_session *s, const char *bytes, size_t size)
{
    uint32_t level;
    while (size > sizeof level) {
        const char *text = bytes + sizeof level;
        const char *end = memchr(text, '\0', size - sizeof level);
        if (!end) {
            return;
        }
        memcpy(&level, bytes, sizeof level);
        if (s->given->log) {
            s->given->log(s->given->ctx, s->strategy.info->id, level, text);
        }
        size -= (size_t)(end + 1 - bytes);
        bytes = end + 1;
    }
}

enum ew_status ew_pick_ask(void *ctx, struct ew_job_decision *decision,
                           const struct ew_job_observation *job, struct ew_error *err)
{
    struct ew_pick_session *s = ctx;
    if (!s->talk) {
        return ew_instance_pick(decision, s->instance, &s->online, job, err);
    }
    struct ew_str question = {0}, answer = {0};
    put_observation(&question, job);
    enum ew_status status = question.failed ? ew_fail_memory(err) : EW_OK;
    if (status == EW_OK) {
        status = ew_guard_talk_ask(s->talk, &answer, question.text, question.length, err);
    }
    if (answer.length >= sizeof *decision) {
        memcpy(decision, answer.text, sizeof *decision);
        deliver_messages(s, answer.text + sizeof *decision, answer.length - sizeof *decision);
    }
    if (status == EW_OK && answer.length < sizeof *decision) {
        status = ew_fail(err, EW_EPLUGIN, "strategy '%s': what pick sent back is damaged",
                         s->strategy.info->id);
    }
    if (status == EW_OK) {
        status = ew_job_decision_check(decision, job, s->strategy.info->id, err);
    }
    ew_str_fini(&question);
    ew_str_fini(&answer);
    return status;
}

static enum ew_status begin_child(struct ew_pick_session *s, struct ew_error *err)
{
    const double limit_s =
        s->request->plan_limit_s > 0 ? s->request->plan_limit_s : default_limit_s;
    struct ew_str what = {0};
    ew_str_printf(&what, "%s: strategy '%s': while picking", s->strategy.plugin->path,
                  s->strategy.info->id);
    const enum ew_status status =
        what.failed
            ? ew_fail_memory(err)
            : ew_guard_talk_begin(&s->talk, answer_in_child, s, limit_s, ew_str_text(&what), err);
    ew_str_fini(&what);
    return status;
}

enum ew_status ew_pick_open(struct ew_pick_session **out, const struct ew_book_request *request,
                            const struct ew_book *book, struct ew_error *err)
{
    struct ew_pick_session *s = calloc(1, sizeof *s);
    if (!s) {
        return ew_fail_memory(err);
    }
    s->request = request;
    s->book = book;
    s->problem = *request->problem;
    s->strategy = request->strategy;
    s->given = request->services;
    s->services = (struct ew_host_services){
        .ctx = s,
        .evaluate = s->given->evaluate ? pass_evaluate : NULL,
        .extension = s->given->extension ? pass_extension : NULL,
        .log = s->given->log ? hear_log : NULL,
        .has_drawn = s->strategy.plugin->is_trusted ? s->given->has_drawn : NULL,
    };
    const enum ew_status status =
        s->strategy.plugin->is_trusted ? begin(s, err) : begin_child(s, err);
    if (status != EW_OK) {
        (void)ew_pick_close(s, NULL);
        return status;
    }
    s->request = NULL;
    s->book = NULL;
    *out = s;
    return EW_OK;
}

enum ew_status ew_pick_close(struct ew_pick_session *session, struct ew_error *err)
{
    if (!session) {
        return EW_OK;
    }
    const enum ew_status status = ew_guard_talk_end(session->talk, err);
    ew_instance_free(session->instance);
    ew_str_fini(&session->messages);
    free(session);
    return status;
}
