#include "plugin/make_book.h"

#include <stdint.h>
#include <string.h>

#include "plan/check.h"
#include "plugin/book_wire.h"
#include "plugin/guard.h"

static const double default_plan_limit_s = 60;

static enum ew_status make_here(struct ew_book **out, const struct ew_book_request *request,
                                const struct ew_host_services *services, struct ew_error *err)
{
    struct ew_instance *instance = NULL;
    const struct ew_strategy_ref *strategy = &request->strategy;
    enum ew_status status = ew_instance_new(&instance, strategy->plugin->entry, strategy->info,
                                            request->params, request->problem, services, err);
    if (status == EW_OK) {
        status = ew_instance_plan(out, instance, err);
    }
    ew_instance_free(instance);
    return status;
}

/* ------------------------------------------------------------------------------------- the child
 */

/* In the child, messages are collected. They come first in the answer: a count, then level and text
 * of each; the book follows. */
struct errand {
    const struct ew_book_request *request;
    struct ew_str messages;
    uint32_t n_messages;
};

static void put_u32(struct ew_str *out, uint32_t value)
{
    ew_str_append_n(out, (const char *)&value, sizeof value);
}

static void collect_message(void *ctx, const char *strategy, uint32_t level, const char *message)
{
    (void)strategy;
    struct errand *errand = ctx;
    put_u32(&errand->messages, level);
    ew_str_append_n(&errand->messages, message, strlen(message) + 1);
    errand->n_messages++;
}

/* The services of a child: those of the parent, but messages wait. */
struct child_ctx {
    const struct ew_host_services *services;
    struct errand *errand;
};

static enum ew_status pass_evaluate(void *ctx, const struct ew_problem *problem,
                                    const struct ew_plan *plan, struct ew_evaluation *result,
                                    struct ew_error *err)
{
    const struct ew_host_services *services = ((struct child_ctx *)ctx)->services;
    return services->evaluate(services->ctx, problem, plan, result, err);
}

static const void *pass_extension(void *ctx, const char *id)
{
    const struct ew_host_services *services = ((struct child_ctx *)ctx)->services;
    return services->extension(services->ctx, id);
}

static void keep_message(void *ctx, const char *strategy, uint32_t level, const char *message)
{
    collect_message(((struct child_ctx *)ctx)->errand, strategy, level, message);
}

static enum ew_status plan_in_child(void *ctx, struct ew_str *answer, struct ew_error *err)
{
    struct errand *errand = ctx;
    const struct ew_host_services *given = errand->request->services;
    struct child_ctx child = {given, errand};
    const struct ew_host_services services = {
        .ctx = &child,
        .evaluate = given->evaluate ? pass_evaluate : NULL,
        .extension = given->extension ? pass_extension : NULL,
        .log = keep_message,
    };
    struct ew_book *book = NULL;
    const enum ew_status status = make_here(&book, errand->request, &services, err);
    put_u32(answer, errand->n_messages);
    ew_str_append_n(answer, ew_str_text(&errand->messages), errand->messages.length);
    if (status == EW_OK) {
        ew_book_wire_put(answer, &errand->request->problem->context, book);
    }
    ew_book_free(book);
    ew_str_fini(&errand->messages);
    return status;
}

/* ------------------------------------------------------------------------------------ the parent
 */

/* Hand the messages on; returns how many bytes of the answer they took. The bytes come from a child
 * that a plugin may have broken: nothing in them is believed. */
static size_t deliver_messages(const struct ew_book_request *request, const struct ew_str *answer)
{
    const char *bytes = ew_str_text(answer);
    uint32_t n = 0;
    size_t at = sizeof n;
    if (answer->length < at) {
        return answer->length;
    }
    memcpy(&n, bytes, sizeof n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t level;
        if (answer->length - at < sizeof level + 1) {
            return answer->length;
        }
        memcpy(&level, bytes + at, sizeof level);
        const char *text = bytes + at + sizeof level;
        const char *end = memchr(text, '\0', answer->length - at - sizeof level);
        if (!end) {
            return answer->length;
        }
        if (request->services->log) {
            request->services->log(request->services->ctx, request->strategy.info->id, level, text);
        }
        at = (size_t)(end + 1 - bytes);
    }
    return at;
}

static enum ew_status take_book(struct ew_book **out, const struct ew_book_request *request,
                                const char *bytes, size_t size, struct ew_error *err)
{
    const struct ew_plan_context *context = &request->problem->context;
    struct ew_book *book = NULL;
    enum ew_status status = ew_book_wire_get(&book, bytes, size, context, err);
    if (status == EW_OK) {
        status = ew_book_check(context, book, err);
    }
    if (status) {
        ew_book_free(book);
        return status;
    }
    *out = book;
    return EW_OK;
}

static enum ew_status make_in_child(struct ew_book **out, const struct ew_book_request *request,
                                    struct ew_error *err)
{
    const double limit_s = request->plan_limit_s > 0 ? request->plan_limit_s : default_plan_limit_s;
    struct errand errand = {.request = request};
    struct ew_str what = {0}, answer = {0};
    if (request->services->has_drawn) { /* who knows what it does there */
        *request->services->has_drawn = true;
    }
    ew_str_printf(&what, "%s: strategy '%s': while planning", request->strategy.plugin->path,
                  request->strategy.info->id);
    enum ew_status status =
        ew_guard_run(&answer, plan_in_child, &errand, limit_s, ew_str_text(&what), err);
    const size_t used = deliver_messages(request, &answer);
    if (status == EW_OK) {
        status = take_book(out, request, ew_str_text(&answer) + used, answer.length - used, err);
    }
    ew_str_fini(&what);
    ew_str_fini(&answer);
    return status;
}

enum ew_status ew_book_make(struct ew_book **out, const struct ew_book_request *request,
                            struct ew_error *err)
{
    return request->strategy.plugin->is_trusted ? make_here(out, request, request->services, err)
                                                : make_in_child(out, request, err);
}
