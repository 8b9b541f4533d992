/*
 * Calls of the online extension: checked, and their outcome explained, like plan.
 */
#include <string.h>

#include "plugin/host_internal.h"

enum { ONLINE_MIN_SIZE = sizeof(struct ew_online) };

enum ew_status ew_instance_online(const struct ew_online **out, const struct ew_instance *instance,
                                  struct ew_error *err)
{
    struct ew_strategy *strategy = instance->strategy;
    *out = NULL;
    if (!EW_HAS(struct ew_strategy, strategy, extension) || !strategy->extension) {
        return EW_OK;
    }
    const struct ew_online *online = strategy->extension(strategy, EW_ONLINE_ID);
    if (!online) {
        return EW_OK;
    }
    if (online->struct_size < ONLINE_MIN_SIZE || online->struct_size > HOST_MAX_STRUCT_BYTES ||
        !online->observe) {
        return ew_fail(err, EW_EPLUGIN,
                       "strategy '%s': its %s has struct_size %u, expected at least %zu, or no "
                       "observe",
                       instance->info->id, EW_ONLINE_ID, online->struct_size,
                       sizeof(struct ew_online));
    }
    *out = online;
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
    if (code != EW_ONLINE_REPLACE) {
        return ew_fail(err, EW_EPLUGIN,
                       "strategy '%s': observe returned %d; expected EW_ONLINE_KEEP, "
                       "EW_ONLINE_REPLACE, or a negative code after host->fail",
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
    *out = book;
    return status;
}
