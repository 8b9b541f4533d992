/*
 * Life of a strategy object: create, plan, destroy; parameters and services.
 */
#include "plugin/host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "plugin/host_internal.h"

enum { MAX_LOG_BYTES = 4096, EVALUATION_MIN_SIZE = offsetof(struct ew_evaluation, device_busy_s) };

struct ew_instance *host_instance(const struct ew_host *host)
{
    return host ? host->ctx : NULL;
}

int32_t host_record(struct ew_instance *instance, const struct ew_error *error)
{
    if (instance->error.status == EW_OK) {
        instance->error = *error;
    }
    return error->status == EW_ENOMEM ? EW_STRATEGY_ENOMEM : EW_STRATEGY_EINVALID;
}

int32_t host_refuse(struct ew_instance *instance, const char *message)
{
    if (!instance) {
        return EW_STRATEGY_EINVALID;
    }
    struct ew_error err = {0};
    (void)ew_fail(&err, EW_EPLUGIN, "%s", message);
    return host_record(instance, &err);
}

/* ------------------------------------------------------------------------------------ parameters */

static const struct ew_param_value *find_param(const struct ew_host *host, const char *name)
{
    const struct ew_instance *instance = host_instance(host);
    const struct ew_param_value *value =
        instance && name ? ew_params_find(instance->params, name) : NULL;
    if (!value && instance && instance->services->log) {
        char text[128];
        (void)snprintf(text, sizeof text, "asked for a parameter it did not declare: '%.60s'",
                       name ? name : "(null)");
        instance->services->log(instance->services->ctx, instance->info->id, EW_LOG_WARNING, text);
    }
    return value;
}

static int64_t param_int(const struct ew_host *host, const char *name)
{
    const struct ew_param_value *value = find_param(host, name);
    return value ? value->integer : 0;
}

static double param_real(const struct ew_host *host, const char *name)
{
    const struct ew_param_value *value = find_param(host, name);
    return value ? value->real : NAN;
}

static const char *param_text(const struct ew_host *host, const char *name)
{
    const struct ew_param_value *value = find_param(host, name);
    return value ? value->text : NULL;
}

/* -------------------------------------------------------------------------------------- services */

static void *service_alloc(const struct ew_host *host, uint64_t bytes)
{
    struct ew_instance *instance = host_instance(host);
    return instance && bytes <= SIZE_MAX / 2
               ? ew_arena_calloc(&instance->arena, 1, (size_t)bytes)
               : NULL;
}

static uint64_t service_rand_u64(const struct ew_host *host)
{
    struct ew_instance *instance = host_instance(host);
    return instance ? ew_rng_u64(&instance->rng) : 0;
}

static void service_log(const struct ew_host *host, uint32_t level, const char *message)
{
    const struct ew_instance *instance = host_instance(host);
    if (instance && message && instance->services->log) {
        char text[MAX_LOG_BYTES];
        (void)snprintf(text, sizeof text, "%s", message);
        instance->services->log(instance->services->ctx, instance->info->id, level, text);
    }
}

static int32_t service_fail(const struct ew_host *host, int32_t code, const char *message)
{
    struct ew_instance *instance = host_instance(host);
    if (!instance) {
        return code;
    }
    struct ew_error err = {0};
    (void)ew_fail(&err, code == EW_STRATEGY_ECANNOT ? EW_ENOTSUP : EW_EPLUGIN, "%s",
                  message ? message : "no reason given");
    instance->error = err; /* the strategy knows best: overrides what the host recorded */
    instance->fail_code = code;
    return code < 0 ? code : EW_STRATEGY_EINTERNAL;
}

static const void *service_extension(const struct ew_host *host, const char *id)
{
    const struct ew_instance *instance = host_instance(host);
    return instance && id && instance->services->extension
               ? instance->services->extension(instance->services->ctx, id)
               : NULL;
}

static int32_t evaluate(const struct ew_host *host, struct ew_plan_builder *builder,
                        struct ew_evaluation *out)
{
    struct ew_instance *instance = host_instance(host);
    if (!instance || !instance->is_planning || builder != &instance->abi_builder || !out ||
        out->struct_size < EVALUATION_MIN_SIZE) {
        return host_refuse(instance, "evaluate: expected the builder of this call and a result "
                                     "with struct_size set");
    }
    struct ew_error err = {0};
    if (!instance->services->evaluate) {
        (void)ew_fail(&err, EW_ENOTSUP, "evaluate: this host cannot evaluate plans");
        return host_record(instance, &err);
    }
    const struct ew_plan *plan = ew_builder_peek(instance->builder, &err);
    if (!plan) {
        return host_record(instance, &err);
    }
    /* The plugin may know a shorter struct: work on a full one. */
    struct ew_evaluation full = {.struct_size = sizeof full, .requests = out->requests};
    if (EW_HAS(struct ew_evaluation, out, layer_finish_s)) {
        full.device_busy_s = out->device_busy_s;
        full.device_finish_s = out->device_finish_s;
        full.layer_finish_s = out->layer_finish_s;
    }
    instance->n_evaluations++;
    const enum ew_status status = instance->services->evaluate(
        instance->services->ctx, instance->problem, plan, &full, &err);
    if (status) {
        return host_record(instance, &err);
    }
    full.struct_size = out->struct_size;
    const size_t known = out->struct_size < sizeof full ? out->struct_size : sizeof full;
    memcpy(out, &full, known);
    return EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------------------------ life cycle */

static void bind_host(struct ew_instance *instance)
{
    instance->host = (struct ew_host){
        .struct_size = sizeof(struct ew_host),
        .abi_minor = EW_ABI_MINOR,
        .ctx = instance,
        .evaluate = evaluate,
        .param_int = param_int,
        .param_real = param_real,
        .param_text = param_text,
        .alloc = service_alloc,
        .rand_u64 = service_rand_u64,
        .log = service_log,
        .fail = service_fail,
        .extension = service_extension,
    };
    host_views_bind(&instance->host);
    host_builder_bind(instance);
}

static enum ew_status create_strategy(struct ew_instance *instance,
                                      const struct ew_strategy_entry *entry, struct ew_error *err)
{
    const char *id = instance->info->id;
    instance->strategy = entry->create(&instance->host, id);
    struct ew_strategy *strategy = instance->strategy;
    if (!strategy) {
        if (instance->error.status) {
            *err = instance->error;
            return ew_prefix(err, "strategy '%s': ", id);
        }
        return ew_fail(err, EW_EPLUGIN, "strategy '%s': create returned nothing and gave no "
                       "reason", id);
    }
    const uint32_t least = offsetof(struct ew_strategy, extension);
    if (strategy->struct_size < least || !strategy->plan || !strategy->destroy) {
        const uint32_t size = strategy->struct_size;
        instance->strategy = NULL; /* cannot be trusted to be destroyed either */
        return ew_fail(err, EW_EPLUGIN, "strategy '%s': create returned an object with struct_size "
                       "%u (expected at least %u) or without plan or destroy", id, size, least);
    }
    return EW_OK;
}

enum ew_status ew_instance_new(struct ew_instance **out, const struct ew_strategy_entry *entry,
                               const struct ew_strategy_info *info,
                               const struct ew_params *params, const struct ew_problem *problem,
                               const struct ew_host_services *services, struct ew_error *err)
{
    struct ew_instance *instance = calloc(1, sizeof *instance);
    if (!instance) {
        return ew_fail_memory(err);
    }
    instance->info = info;
    instance->params = params;
    instance->problem = problem;
    instance->services = services;
    char purpose[160];
    (void)snprintf(purpose, sizeof purpose, "strategy/%.100s", info->id);
    instance->rng = ew_rng_make(problem->seed, purpose);
    bind_host(instance);
    instance->builder = ew_builder_new(&problem->context);
    enum ew_status status =
        instance->builder ? host_views_init(instance, err) : ew_fail_memory(err);
    if (status == EW_OK) {
        status = create_strategy(instance, entry, err);
    }
    if (status) {
        ew_instance_free(instance);
        return status;
    }
    *out = instance;
    return EW_OK;
}

static enum ew_status explain_failure(const struct ew_instance *instance, int32_t code,
                                      struct ew_error *err)
{
    const char *id = instance->info->id;
    if (instance->fail_code == EW_STRATEGY_ECANNOT) {
        return ew_fail(err, EW_ENOTSUP, "%s", instance->error.message);
    }
    if (instance->error.status == EW_ENOMEM || code == EW_STRATEGY_ENOMEM) {
        return ew_fail_memory(err);
    }
    if (instance->error.status) {
        return ew_fail(err, EW_EPLUGIN, "strategy '%s': %s", id, instance->error.message);
    }
    return ew_fail(err, EW_EPLUGIN, "strategy '%s': plan returned %d and gave no reason", id, code);
}

enum ew_status ew_instance_plan(struct ew_book **out, struct ew_instance *instance,
                                struct ew_error *err)
{
    instance->error = (struct ew_error){0};
    instance->fail_code = 0;
    ew_builder_reset(instance->builder);
    instance->is_planning = true;
    const int32_t code =
        instance->strategy->plan(instance->strategy, &instance->host, &instance->abi_builder);
    instance->is_planning = false;
    if (code != EW_STRATEGY_OK) {
        return explain_failure(instance, code, err);
    }
    struct ew_book *book = NULL;
    enum ew_status status = ew_builder_finish(&book, instance->builder, instance->info->id, err);
    if (status == EW_OK) {
        status = ew_book_check(&instance->problem->context, book, err);
    }
    if (status == EW_EINPUT) {
        err->status = EW_EPLUGIN;
        (void)ew_prefix(err, "strategy '%s' made an invalid plan: ", instance->info->id);
        status = EW_EPLUGIN;
    }
    if (status) {
        ew_book_free(book);
        return status;
    }
    *out = book;
    return EW_OK;
}

uint64_t ew_instance_evaluations(const struct ew_instance *instance)
{
    return instance->n_evaluations;
}

void ew_instance_free(struct ew_instance *instance)
{
    if (!instance) {
        return;
    }
    if (instance->strategy) {
        instance->strategy->destroy(instance->strategy);
    }
    ew_builder_free(instance->builder);
    ew_arena_fini(&instance->arena);
    free(instance);
}
