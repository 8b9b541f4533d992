/*
 * Life of a strategy object: create, plan, destroy; parameters and services.
 */
#include "plugin/host.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "plugin/host_internal.h"

enum {
    EVALUATION_MIN_SIZE = offsetof(struct ew_evaluation, device_busy_s),
    STRATEGY_MIN_SIZE = offsetof(struct ew_strategy, extension),
    MAX_MESSAGES = 1000,
};

/* What one strategy object may take through host->alloc. */
static const uint64_t max_alloc_bytes = (uint64_t)4 << 30;

struct ew_instance *host_instance(const struct ew_host *host)
{
    return host ? host->ctx : NULL;
}

int32_t host_record(struct ew_instance *instance, const struct ew_error *error)
{
    instance->error = *error;
    instance->reason = HOST_OWN_REASON;
    return error->status == EW_ENOMEM ? EW_STRATEGY_ENOMEM : EW_STRATEGY_EINVALID;
}

int32_t host_refuse(struct ew_instance *instance, const char *fmt, ...)
{
    if (instance) {
        struct ew_error err = {0};
        va_list args;
        va_start(args, fmt);
        (void)ew_vfail(&err, EW_EINPUT, fmt, args);
        va_end(args);
        (void)host_record(instance, &err);
    }
    return EW_STRATEGY_EINVALID;
}

bool host_is_faulty(struct ew_instance *instance, enum ew_fault kind)
{
    instance->n_calls[kind]++;
    return instance->fault == kind && instance->n_calls[kind] >= instance->fault_at;
}

static void pass_message(struct ew_instance *instance, uint32_t level, const char *message)
{
    const struct ew_host_services *services = instance->services;
    if (!services->log || instance->n_messages > MAX_MESSAGES) {
        return;
    }
    const bool is_last = instance->n_messages++ == MAX_MESSAGES;
    services->log(services->ctx, instance->info->id, is_last ? EW_LOG_WARNING : level,
                  is_last ? "too many messages; the rest is left out" : message);
}

static void pass_warning(struct ew_instance *instance, const char *fmt, ...) EW_PRINTF(2, 3);

static void pass_warning(struct ew_instance *instance, const char *fmt, ...)
{
    struct ew_error text = {0};
    va_list args;
    va_start(args, fmt);
    (void)ew_vfail(&text, EW_EPLUGIN, fmt, args);
    va_end(args);
    pass_message(instance, EW_LOG_WARNING, text.message);
}

/* ------------------------------------------------------------------------------------ parameters
 */

/* The value if it can be read as one of the kinds in the set, given as bits. */
static const struct ew_param_value *find_param(const struct ew_host *host, const char *name,
                                               unsigned kinds)
{
    struct ew_instance *instance = host_instance(host);
    if (!instance) {
        return NULL;
    }
    char room[80];
    const char *wanted = host_clean_text(room, sizeof room, name);
    const struct ew_param_value *value = wanted ? ew_params_find(instance->params, wanted) : NULL;
    if (!value) {
        pass_warning(instance, "asked for a parameter it does not have: '%s'",
                     wanted ? wanted : "(null)");
        return NULL;
    }
    if (!(kinds & 1u << value->info->kind)) {
        pass_warning(instance, "read parameter '%s' as a kind it is not", wanted);
        return NULL;
    }
    return value;
}

static int64_t param_int(const struct ew_host *host, const char *name)
{
    const struct ew_param_value *value =
        find_param(host, name, 1u << EW_PARAM_INT | 1u << EW_PARAM_BOOL | 1u << EW_PARAM_CHOICE);
    return value ? value->integer : 0;
}

static double param_real(const struct ew_host *host, const char *name)
{
    const struct ew_param_value *value =
        find_param(host, name, 1u << EW_PARAM_INT | 1u << EW_PARAM_REAL);
    return value ? value->real : NAN;
}

static const char *param_text(const struct ew_host *host, const char *name)
{
    const struct ew_param_value *value = find_param(host, name, ~0u);
    return value ? value->text : NULL;
}

/* -------------------------------------------------------------------------------------- services
 */

static void *service_alloc(const struct ew_host *host, uint64_t bytes)
{
    struct ew_instance *instance = host_instance(host);
    if (!instance || bytes > max_alloc_bytes - instance->alloc_bytes ||
        host_is_faulty(instance, EW_FAULT_ALLOC)) {
        return NULL;
    }
    void *memory = ew_arena_calloc(&instance->arena, 1, (size_t)bytes);
    instance->alloc_bytes += memory ? bytes : 0;
    return memory;
}

static uint64_t service_rand_u64(const struct ew_host *host)
{
    struct ew_instance *instance = host_instance(host);
    if (instance && instance->services->has_drawn) {
        *instance->services->has_drawn = true;
    }
    return instance ? ew_rng_u64(&instance->rng) : 0;
}

static void service_log(const struct ew_host *host, uint32_t level, const char *message)
{
    struct ew_instance *instance = host_instance(host);
    if (instance && message) {
        char room[HOST_MAX_TEXT + 1];
        pass_message(instance, level > EW_LOG_WARNING ? EW_LOG_WARNING : level,
                     host_clean_text(room, sizeof room, message));
    }
}

static int32_t service_fail(const struct ew_host *host, int32_t code, const char *message)
{
    struct ew_instance *instance = host_instance(host);
    const int32_t negative = code < 0 ? code : EW_STRATEGY_EINTERNAL;
    if (instance) {
        char room[EW_ERROR_SIZE];
        const char *reason = host_clean_text(room, sizeof room, message);
        (void)ew_fail(&instance->error, EW_EPLUGIN, "%s",
                      reason && *reason ? reason : "it gave no reason");
        instance->reason = HOST_STRATEGY_REASON;
        instance->fail_code = negative;
    }
    return negative;
}

static const void *service_extension(const struct ew_host *host, const char *id)
{
    const struct ew_instance *instance = host_instance(host);
    return instance && id && instance->services->extension
               ? instance->services->extension(instance->services->ctx, id)
               : NULL;
}

/* Copy back what the plugin's struct has room for. */
static void give_result(struct ew_evaluation *out, struct ew_evaluation *full)
{
    full->struct_size = out->struct_size;
    memcpy(out, full, out->struct_size < sizeof *full ? out->struct_size : sizeof *full);
}

static int32_t evaluate(const struct ew_host *host, struct ew_plan_builder *builder,
                        struct ew_evaluation *out)
{
    struct ew_instance *instance = host_instance(host);
    if (!instance || !instance->is_planning || builder != &instance->abi_builder) {
        return host_refuse(instance, "evaluate: expected the builder of this call to plan");
    }
    if (!out || out->struct_size < EVALUATION_MIN_SIZE ||
        out->struct_size > HOST_MAX_STRUCT_BYTES) {
        return host_refuse(instance, "evaluate: expected a result with struct_size %zu, found %s%u",
                           sizeof *out, out ? "" : "NULL and ", out ? out->struct_size : 0);
    }
    struct ew_error err = {0};
    if (host_is_faulty(instance, EW_FAULT_EVALUATE)) {
        return host_refuse(instance, "evaluate: refused, to see what the strategy does");
    }
    if (!instance->services->evaluate) {
        return host_refuse(instance, "evaluate: this host cannot evaluate plans");
    }
    const struct ew_plan *plan = ew_builder_peek(instance->builder, &err);
    if (!plan) {
        return host_record(instance, &err);
    }
    /* The plugin may know a shorter struct: work on a full one. */
    struct ew_evaluation full = {.struct_size = sizeof full, .requests = out->requests};
    full.device_busy_s =
        EW_HAS(struct ew_evaluation, out, device_busy_s) ? out->device_busy_s : NULL;
    full.device_finish_s =
        EW_HAS(struct ew_evaluation, out, device_finish_s) ? out->device_finish_s : NULL;
    full.layer_finish_s =
        EW_HAS(struct ew_evaluation, out, layer_finish_s) ? out->layer_finish_s : NULL;
    instance->n_evaluations++;
    if (instance->services->evaluate(instance->services->ctx, instance->problem, plan, &full,
                                     &err)) {
        return host_record(instance, &err);
    }
    give_result(out, &full);
    return EW_STRATEGY_OK;
}

/* ------------------------------------------------------------------------------------ life cycle
 */

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

/* Why a call of the plugin failed. Only the strategy itself can say that it cannot serve. */
enum ew_status host_explain_failure(const struct ew_instance *instance, const char *call,
                                    int32_t code, struct ew_error *err)
{
    const char *id = instance->info->id;
    const char *message = instance->error.message;
    if (code == EW_STRATEGY_ECANNOT && instance->reason == HOST_STRATEGY_REASON) {
        return ew_fail(err, EW_ENOTSUP, "%s", message);
    }
    if (code == EW_STRATEGY_ENOMEM || instance->error.status == EW_ENOMEM) {
        return ew_fail(err, EW_ENOMEM, "strategy '%s': out of memory", id);
    }
    switch (instance->reason) {
    case HOST_STRATEGY_REASON:
        return ew_fail(err, EW_EPLUGIN, "strategy '%s': %s failed: %s", id, call, message);
    case HOST_OWN_REASON:
        return ew_fail(err, EW_EPLUGIN, "strategy '%s': %s failed after the host refused: %s", id,
                       call, message);
    case HOST_NO_REASON:
        break;
    }
    return ew_fail(err, EW_EPLUGIN, "strategy '%s': %s failed with code %d and gave no reason", id,
                   call, code);
}

void host_forget_failures(struct ew_instance *instance)
{
    instance->reason = HOST_NO_REASON;
    instance->error = (struct ew_error){0};
    instance->ignored = (struct ew_error){0};
}

static enum ew_status create_strategy(struct ew_instance *instance,
                                      const struct ew_strategy_entry *entry, struct ew_error *err)
{
    const char *id = instance->info->id;
    host_forget_failures(instance);
    struct ew_strategy *strategy = entry->create(&instance->host, id);
    if (!strategy) {
        const bool has_code = instance->reason == HOST_STRATEGY_REASON;
        return host_explain_failure(instance, "create",
                                    has_code ? instance->fail_code : EW_STRATEGY_EINTERNAL, err);
    }
    /* An object that is not whole cannot be trusted to be destroyed either: it is left alone. */
    if (strategy->struct_size < STRATEGY_MIN_SIZE ||
        strategy->struct_size > HOST_MAX_STRUCT_BYTES) {
        return ew_fail(err, EW_EPLUGIN,
                       "strategy '%s': create returned an object with struct_size "
                       "%u, expected at least %d",
                       id, strategy->struct_size, STRATEGY_MIN_SIZE);
    }
    if (!strategy->plan || !strategy->destroy) {
        return ew_fail(err, EW_EPLUGIN,
                       "strategy '%s': create returned an object whose member "
                       "'%s' is NULL",
                       id, strategy->plan ? "destroy" : "plan");
    }
    instance->strategy = strategy;
    return EW_OK;
}

/* Every plan call draws the same numbers: the same problem and seed give the same plan. */
static void seed_stream(struct ew_instance *instance)
{
    char purpose[160];
    (void)snprintf(purpose, sizeof purpose, "strategy/%.100s", instance->info->id);
    instance->rng = ew_rng_make(instance->problem->seed, purpose);
}

static enum ew_status check_problem(const struct ew_problem *problem, struct ew_error *err)
{
    const uint32_t n_devices = problem->context.platform->n_devices;
    if (problem->batch < 1 || problem->source_device >= n_devices ||
        problem->sink_device >= n_devices) {
        return ew_fail(err, EW_EINPUT,
                       "problem: expected a batch of at least 1 and devices below "
                       "%u, found batch %d, source %u, sink %u",
                       n_devices, problem->batch, problem->source_device, problem->sink_device);
    }
    return EW_OK;
}

enum ew_status ew_instance_new(struct ew_instance **out, const struct ew_strategy_entry *entry,
                               const struct ew_strategy_info *info, const struct ew_params *params,
                               const struct ew_problem *problem,
                               const struct ew_host_services *services, struct ew_error *err)
{
    enum ew_status status = check_problem(problem, err);
    if (status) {
        return status;
    }
    struct ew_instance *instance = calloc(1, sizeof *instance);
    if (!instance) {
        return ew_fail_memory(err);
    }
    instance->info = info;
    instance->params = params;
    instance->problem = problem;
    instance->services = services;
    bind_host(instance);
    seed_stream(instance);
    instance->builder = ew_builder_new(&problem->context);
    status = instance->builder ? host_views_init(instance, err) : ew_fail_memory(err);
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

/* Turn what the builder holds into a checked book. */
enum ew_status host_take_book(struct ew_book **out, struct ew_instance *instance,
                              struct ew_error *err)
{
    struct ew_book *book = NULL;
    const char *id = instance->info->id;
    enum ew_status status = ew_builder_finish(&book, instance->builder, id, err);
    if (status == EW_OK) {
        status = ew_book_check(&instance->problem->context, book, err);
    }
    if (status == EW_OK) {
        *out = book;
        return EW_OK;
    }
    ew_book_free(book);
    if (status == EW_EINPUT && err) {
        const struct ew_error reason = *err;
        const bool had_refusal = instance->ignored.status != EW_OK;
        (void)ew_fail(err, EW_EPLUGIN, "strategy '%s' made an invalid plan: %s%s%s%s", id,
                      reason.message, had_refusal ? " (it went on after the host refused: " : "",
                      instance->ignored.message, had_refusal ? ")" : "");
    }
    return status == EW_EINPUT ? EW_EPLUGIN : status;
}

enum ew_status ew_instance_plan(struct ew_book **out, struct ew_instance *instance,
                                struct ew_error *err)
{
    host_forget_failures(instance);
    host_views_refresh(instance);
    seed_stream(instance);
    ew_builder_reset(instance->builder);
    memset(instance->n_calls, 0, sizeof instance->n_calls);
    instance->is_planning = true;
    const int32_t code =
        instance->strategy->plan(instance->strategy, &instance->host, &instance->abi_builder);
    instance->is_planning = false;
    instance->plan_code = code;
    if (code > 0) {
        return ew_fail(err, EW_EPLUGIN,
                       "strategy '%s': plan returned %d; expected 0, or a negative "
                       "code after host->fail",
                       instance->info->id, code);
    }
    if (code < 0) {
        return host_explain_failure(instance, "plan", code, err);
    }
    const struct ew_error ignored = instance->ignored;
    const enum ew_status status = host_take_book(out, instance, err);
    if (status == EW_OK && ignored.status) {
        pass_warning(instance, "the host refused a call and the strategy went on: %s",
                     ignored.message);
    }
    return status;
}

uint64_t ew_instance_evaluations(const struct ew_instance *instance)
{
    return instance->n_evaluations;
}

void ew_instance_inject(struct ew_instance *instance, enum ew_fault fault, uint64_t at)
{
    instance->fault = fault;
    instance->fault_at = at;
}

uint64_t ew_instance_calls(const struct ew_instance *instance, enum ew_fault kind)
{
    return instance->n_calls[kind];
}

int32_t ew_instance_plan_code(const struct ew_instance *instance)
{
    return instance->plan_code;
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
