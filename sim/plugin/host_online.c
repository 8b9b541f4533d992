/*
 * Calls of the online extension: checked, and their outcome explained, like plan.
 */
#include <stddef.h>
#include <string.h>

#include "plugin/host_internal.h"

enum { ONLINE_MIN_SIZE = offsetof(struct ew_online, pick) }; /* of the first version */

enum ew_status ew_instance_online(struct ew_online *out, const struct ew_instance *instance,
                                  struct ew_error *err)
{
    struct ew_strategy *strategy = instance->strategy;
    *out = (struct ew_online){0};
    if (!EW_HAS(struct ew_strategy, strategy, extension) || !strategy->extension) {
        return EW_OK;
    }
    const struct ew_online *online = strategy->extension(strategy, EW_ONLINE_ID);
    if (!online) {
        return EW_OK;
    }
    if (online->struct_size < ONLINE_MIN_SIZE || online->struct_size > HOST_MAX_STRUCT_BYTES) {
        return ew_fail(err, EW_EPLUGIN,
                       "strategy '%s': its %s has struct_size %u, expected at least %d",
                       instance->info->id, EW_ONLINE_ID, online->struct_size, ONLINE_MIN_SIZE);
    }
    out->struct_size = online->struct_size;
    out->observe = online->observe;
    out->pick = EW_HAS(struct ew_online, online, pick) ? online->pick : NULL;
    if (!out->observe && !out->pick) {
        return ew_fail(err, EW_EPLUGIN, "strategy '%s': its %s has neither observe nor pick",
                       instance->info->id, EW_ONLINE_ID);
    }
    return EW_OK;
}

enum ew_status ew_instance_observe(struct ew_book **out, struct ew_instance *instance,
                                   const struct ew_online *online, const struct ew_observation *now,
                                   struct ew_error *err)
{
    const struct ew_observation given = *now; /* the plugin's to look at, not to change */
    *out = NULL;
    host_forget_failures(instance);
    host_views_refresh(instance);
    ew_builder_reset(instance->builder);
    memset(instance->n_calls, 0, sizeof instance->n_calls);
    instance->is_planning = true;
    const int32_t code =
        online->observe(instance->strategy, &instance->host, &given, &instance->abi_builder);
    instance->is_planning = false;
    if (code == EW_ONLINE_KEEP) {
        return EW_OK;
    }
    if (code < 0) {
        return host_explain_failure(instance, "observe", code, err);
    }
    if (code != EW_ONLINE_REPLACE && code != EW_ONLINE_MOVE) {
        return ew_fail(err, EW_EPLUGIN,
                       "strategy '%s': observe returned %d; expected EW_ONLINE_KEEP, "
                       "EW_ONLINE_REPLACE, EW_ONLINE_MOVE, or a negative code after host->fail",
                       instance->info->id, code);
    }
    struct ew_book *book = NULL;
    const enum ew_status status = host_take_book(&book, instance, err);
    if (status == EW_OK && book->n_plans != 1) {
        (void)ew_fail(err, EW_EPLUGIN,
                      "strategy '%s': observe made a book of %u plans; expected one",
                      instance->info->id, book->n_plans);
        ew_book_free(book);
        return EW_EPLUGIN;
    }
    if (status == EW_OK) {
        book->moves_jobs = code == EW_ONLINE_MOVE;
    }
    *out = book;
    return status;
}

/* ------------------------------------------------------------------------------------- picking */

enum ew_status ew_job_decision_check(const struct ew_job_decision *decision,
                                     const struct ew_job_observation *job, const char *strategy,
                                     struct ew_error *err)
{
    const uint32_t n = decision->n_requests;
    if (decision->plan >= job->n_plans) {
        return ew_fail(err, EW_EPLUGIN, "strategy '%s': pick chose plan %u; the book has %u",
                       strategy, decision->plan, job->n_plans);
    }
    const uint32_t most = job->plan_requests[decision->plan];
    if (n == EW_TAKE_ALL || (n > 0 && n <= job->n_waiting && n <= most)) {
        return EW_OK;
    }
    if (n == 0) {
        return job->can_wait ? EW_OK
                             : ew_fail(err, EW_EPLUGIN,
                                       "strategy '%s': at %g s pick keeps %u requests waiting, but "
                                       "nothing will happen that could let them begin",
                                       strategy, job->time_s, job->n_waiting);
    }
    return ew_fail(err, EW_EPLUGIN,
                   "strategy '%s': pick took %u requests; %u wait, and plan %u takes at most %u",
                   strategy, n, job->n_waiting, decision->plan, most);
}

enum ew_status ew_instance_pick(struct ew_job_decision *decision, struct ew_instance *instance,
                                const struct ew_online *online,
                                const struct ew_job_observation *job, struct ew_error *err)
{
    *decision =
        (struct ew_job_decision){.struct_size = sizeof *decision, .n_requests = EW_TAKE_ALL};
    host_forget_failures(instance);
    const int32_t code = online->pick(instance->strategy, &instance->host, job, decision);
    if (code < 0) {
        const enum ew_status status = host_explain_failure(instance, "pick", code, err);
        err->status = status == EW_ENOTSUP ? EW_EPLUGIN : status; /* too late to be unable */
        return err->status;
    }
    if (code > 0) {
        return ew_fail(err, EW_EPLUGIN,
                       "strategy '%s': pick returned %d; expected 0, or a negative code after "
                       "host->fail",
                       instance->info->id, code);
    }
    return ew_job_decision_check(decision, job, instance->info->id, err);
}
