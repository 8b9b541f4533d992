#include "io/dynamics_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static const double MAX_TIME_S = 1e12;

struct context {
    struct ew_arena *arena;
    const char *path;
};

/* --- parts of items -------------------------------------------------------------------------- */

static enum ew_status copy_text(const char **out, const struct context *c, const char *text,
                                struct ew_error *err)
{
    *out = ew_arena_strdup(c->arena, text);
    return *out ? EW_OK : ew_fail_memory(err);
}

static enum ew_status need_name(const char **out, const struct context *c,
                                const struct ew_json_value *item, const char *key,
                                struct ew_error *err)
{
    const char *text;
    const enum ew_status status = ew_json_need_string(&text, item, key, err);
    return status == EW_OK ? copy_text(out, c, text, err) : status;
}

/* "link": NAME or "device": NAME. */
static enum ew_status read_target(const char **out, bool *is_link, const struct context *c,
                                  const struct ew_json_value *item, struct ew_error *err)
{
    struct ew_json_value link, device;
    const bool has_link = ew_json_find(&link, item, "link");
    const bool has_device = ew_json_find(&device, item, "device");
    if (has_link == has_device) {
        return ew_json_fail(item, err, "expected either \"link\" or \"device\", found %s",
                            has_link ? "both" : "neither");
    }
    *is_link = has_link;
    return need_name(out, c, item, has_link ? "link" : "device", err);
}

/* --- series ---------------------------------------------------------------------------------- */

static enum ew_status read_point(double *time_s, double *value, enum ew_quantity quantity,
                                 double after_s, const struct ew_json_value *point,
                                 struct ew_error *err)
{
    if (!ew_json_is_array(point) || ew_json_count(point) != 2) {
        return ew_json_expected(point, "a pair [time in s, value]", err);
    }
    struct ew_json_value part = {0};
    (void)ew_json_next(&part, point);
    enum ew_status status = ew_json_as_double(time_s, &part, 0, MAX_TIME_S, err);
    if (status == EW_OK && *time_s <= after_s) {
        return ew_json_fail(&part, err, "expected ascending times, found %.17g after %.17g",
                            *time_s, after_s);
    }
    if (status == EW_OK) {
        (void)ew_json_next(&part, point);
        status = ew_json_as_double(value, &part, -HUGE_VAL, HUGE_VAL, err);
    }
    if (status == EW_OK && ew_quantity_check(quantity, *value, err) != EW_OK) {
        return ew_json_prefix(&part, err);
    }
    return status;
}

static enum ew_status read_points(struct ew_series_spec *series, const struct context *c,
                                  const struct ew_json_value *list, struct ew_error *err)
{
    enum ew_status status = ew_json_as_array(list, err);
    const size_t n = status == EW_OK ? ew_json_count(list) : 0;
    if (status == EW_OK && (n < 1 || n > EW_DYNAMICS_MAX_STEPS)) {
        return ew_json_fail(list, err, "expected 1..%d pairs [time in s, value], found %zu",
                            EW_DYNAMICS_MAX_STEPS, n);
    }
    double *times_s = ew_arena_calloc(c->arena, n, sizeof *times_s);
    double *values = ew_arena_calloc(c->arena, n, sizeof *values);
    if (!times_s || !values) {
        return ew_fail_memory(err);
    }
    struct ew_json_value point = {0};
    double after_s = -1;
    for (size_t i = 0; status == EW_OK && ew_json_next(&point, list); i++) {
        status = read_point(&times_s[i], &values[i], series->quantity, after_s, &point, err);
        after_s = times_s[i];
    }
    series->n_points = (uint32_t)n;
    series->times_s = times_s;
    series->values = values;
    return status;
}

static enum ew_status read_trace(struct ew_series_spec *series, const struct context *c,
                                 const struct ew_json_value *value, struct ew_error *err)
{
    const char *name;
    const enum ew_status status = ew_json_as_string(&name, value, err);
    if (status != EW_OK) {
        return status;
    }
    if (!*name) {
        return ew_json_expected(value, "the name of a CSV file", err);
    }
    char *beside = ew_path_beside(c->path, name);
    series->trace_path = beside ? ew_arena_strdup(c->arena, beside) : NULL;
    free(beside);
    series->quantity = EW_QUANTITY_COUNT;
    return series->trace_path ? EW_OK : ew_fail_memory(err);
}

/* Exactly one of "trace" and the quantities of the target. */
static enum ew_status read_steps(struct ew_series_spec *series, const struct context *c,
                                 const struct ew_json_value *item, struct ew_error *err)
{
    struct ew_json_value value;
    uint32_t n_found = 0;
    enum ew_status status = EW_OK;
    if (ew_json_find(&value, item, "trace")) {
        n_found++;
        status = read_trace(series, c, &value, err);
    }
    for (int q = 0; status == EW_OK && q < EW_QUANTITY_COUNT; q++) {
        const enum ew_quantity quantity = (enum ew_quantity)q;
        if (ew_quantity_is_link(quantity) == series->is_link &&
            ew_json_find(&value, item, ew_quantity_name(quantity))) {
            n_found++;
            series->quantity = quantity;
            status = read_points(series, c, &value, err);
        }
    }
    if (status == EW_OK && n_found != 1) {
        return ew_json_fail(item, err, "expected one of \"trace\", %s; found %u of them",
                            series->is_link ? "\"bandwidth_bytes_per_s\", \"latency_s\", \"up\""
                                            : "\"speed_ratio\", \"up\"",
                            n_found);
    }
    return status;
}

static enum ew_status read_loop(struct ew_series_spec *series, const struct ew_json_value *item,
                                struct ew_error *err)
{
    enum ew_status status = ew_json_get_bool(&series->loops, item, "loop", err);
    struct ew_json_value value;
    if (status == EW_OK && ew_json_find(&value, item, "loop_s")) {
        series->loops = true;
        status = ew_json_as_double(&series->loop_s, &value, 1e-6, MAX_TIME_S, err);
    }
    return status;
}

static enum ew_status read_series(void *at, const struct context *c,
                                  const struct ew_json_value *item, struct ew_error *err)
{
    static const char *const link_keys[] = {"link", "trace",     "bandwidth_bytes_per_s",
                                            "up",   "latency_s", "scale_ratio",
                                            "loop", "loop_s",    "offset_s"};
    static const char *const device_keys[] = {"device", "trace",  "speed_ratio", "up",
                                              "loop",   "loop_s", "offset_s",    "scale_ratio"};
    struct ew_series_spec *series = at;
    series->scale_ratio = 1;
    enum ew_status status = read_target(&series->target, &series->is_link, c, item, err);
    if (status == EW_OK) {
        status = series->is_link ? ew_json_check_keys(item, link_keys, 9, err)
                                 : ew_json_check_keys(item, device_keys, 8, err);
    }
    if (status == EW_OK) {
        status = read_steps(series, c, item, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&series->scale_ratio, item, "scale_ratio", 1e-12, 1e12, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&series->offset_s, item, "offset_s", 0, MAX_TIME_S, err);
    }
    return status == EW_OK ? read_loop(series, item, err) : status;
}

/* --- the other items ------------------------------------------------------------------------- */

static enum ew_status read_change(void *at, const struct context *c,
                                  const struct ew_json_value *item, struct ew_error *err)
{
    static const char *const keys[] = {"time_s", "link", "device", "event"};
    struct ew_change_spec *change = at;
    const char *event;
    enum ew_status status = ew_json_check_keys(item, keys, 4, err);
    if (status == EW_OK) {
        status = read_target(&change->target, &change->is_link, c, item, err);
    }
    if (status == EW_OK) {
        status = ew_json_need_double(&change->time_s, item, "time_s", 0, MAX_TIME_S, err);
    }
    if (status == EW_OK) {
        status = ew_json_need_string(&event, item, "event", err);
    }
    if (status != EW_OK) {
        return status;
    }
    change->is_up = strcmp(event, "up") == 0;
    if (!change->is_up && strcmp(event, "down") != 0) {
        struct ew_json_value value;
        (void)ew_json_find(&value, item, "event");
        return ew_json_expected(&value, "\"down\" or \"up\"", err);
    }
    return EW_OK;
}

static enum ew_status read_straggler(void *at, const struct context *c,
                                     const struct ew_json_value *item, struct ew_error *err)
{
    static const char *const keys[] = {"device", "sigma", "probability_ratio", "slowdown_ratio"};
    struct ew_straggler_spec *spec = at;
    spec->noise.slowdown_ratio = 1;
    enum ew_status status = ew_json_check_keys(item, keys, 4, err);
    if (status == EW_OK) {
        status = need_name(&spec->device, c, item, "device", err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&spec->noise.sigma, item, "sigma", 0, 5, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_double(&spec->noise.probability_ratio, item, "probability_ratio", 0, 1,
                                    err);
    }
    if (status == EW_OK) {
        status =
            ew_json_get_double(&spec->noise.slowdown_ratio, item, "slowdown_ratio", 1, 1e6, err);
    }
    return status;
}

static enum ew_status read_loss(void *at, const struct context *c, const struct ew_json_value *item,
                                struct ew_error *err)
{
    static const char *const keys[] = {"link", "loss_ratio", "retransmit_s"};
    struct ew_loss_spec *spec = at;
    enum ew_status status = ew_json_check_keys(item, keys, 3, err);
    if (status == EW_OK) {
        status = need_name(&spec->link, c, item, "link", err);
    }
    if (status == EW_OK) {
        status = ew_json_need_double(&spec->loss.loss_ratio, item, "loss_ratio", 0, 0.99, err);
    }
    if (status == EW_OK) {
        status = ew_json_need_double(&spec->loss.retransmit_s, item, "retransmit_s", 0, 1e6, err);
    }
    return status;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

typedef enum ew_status (*item_reader)(void *at, const struct context *c,
                                      const struct ew_json_value *item, struct ew_error *err);

/* A list of objects into an array of items of `size` bytes. */
static enum ew_status read_list(void **out, uint32_t *n_out, size_t size, item_reader read,
                                const struct context *c, const struct ew_json_value *object,
                                const char *key, struct ew_error *err)
{
    struct ew_json_value list = {0}, item = {0};
    enum ew_status status = ew_json_get_array(&list, object, key, err);
    if (status != EW_OK || !ew_json_is_present(&list)) {
        return status;
    }
    const size_t n = ew_json_count(&list);
    if (n > EW_DYNAMICS_MAX_ITEMS) {
        return ew_json_fail(&list, err, "expected at most %d items, found %zu",
                            EW_DYNAMICS_MAX_ITEMS, n);
    }
    unsigned char *items = ew_arena_calloc(c->arena, n, size);
    if (!items) {
        return ew_fail_memory(err);
    }
    for (size_t i = 0; status == EW_OK && ew_json_next(&item, &list); i++) {
        status = ew_json_as_object(&item, err);
        if (status == EW_OK) {
            status = read(items + i * size, c, &item, err);
        }
    }
    *out = items;
    *n_out = (uint32_t)n;
    return status;
}

static enum ew_status read_policy(struct ew_failure_policy *policy,
                                  const struct ew_json_value *object, struct ew_error *err)
{
    struct ew_json_value value;
    const char *text;
    enum ew_status status = EW_OK;
    if (ew_json_find(&value, object, "on_failure")) {
        status = ew_json_as_string(&text, &value, err);
        if (status == EW_OK && !ew_on_failure_find(&policy->on_failure, text)) {
            return ew_json_expected(&value, "\"wait\", \"retry\", \"replan\" or \"fail\"", err);
        }
    }
    int64_t attempts = policy->max_attempts;
    if (status == EW_OK) {
        status = ew_json_get_double(&policy->retry_delay_s, object, "retry_delay_s", 0, 1e9, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_i64(&attempts, object, "max_attempts", 1, 1000000, err);
    }
    if (status == EW_OK) {
        status = ew_json_get_bool(&policy->drop_at_deadline, object, "drop_at_deadline", err);
    }
    if (status == EW_OK && ew_json_find(&value, object, "next_attempt")) {
        status = ew_json_as_string(&text, &value, err);
        if (status == EW_OK && !ew_next_attempt_find(&policy->resumes, text)) {
            return ew_json_expected(&value, "\"anew\" or \"resume\"", err);
        }
    }
    policy->max_attempts = (uint32_t)attempts;
    return status;
}

enum ew_status ew_dynamics_read_json(struct ew_dynamics_spec *out, struct ew_arena *arena,
                                     const char *path, const struct ew_json_value *root,
                                     struct ew_error *err)
{
    static const char *const keys[] = {"series",       "events",           "stragglers",
                                       "losses",       "on_failure",       "retry_delay_s",
                                       "max_attempts", "drop_at_deadline", "next_attempt"};
    const struct context c = {arena, path};
    struct ew_json_value object = {0};
    enum ew_status status = ew_json_get_object(&object, root, "dynamics", err);
    if (status != EW_OK || !ew_json_is_present(&object)) {
        return status;
    }
    void *series = NULL, *changes = NULL, *stragglers = NULL, *losses = NULL;
    status = ew_json_check_keys(&object, keys, sizeof keys / sizeof *keys, err);
    if (status == EW_OK) {
        status = read_list(&series, &out->n_series, sizeof *out->series, read_series, &c, &object,
                           "series", err);
    }
    if (status == EW_OK) {
        status = read_list(&changes, &out->n_changes, sizeof *out->changes, read_change, &c,
                           &object, "events", err);
    }
    if (status == EW_OK) {
        status = read_list(&stragglers, &out->n_stragglers, sizeof *out->stragglers, read_straggler,
                           &c, &object, "stragglers", err);
    }
    if (status == EW_OK) {
        status = read_list(&losses, &out->n_losses, sizeof *out->losses, read_loss, &c, &object,
                           "losses", err);
    }
    if (status == EW_OK) {
        status = read_policy(&out->policy, &object, err);
    }
    out->series = series;
    out->changes = changes;
    out->stragglers = stragglers;
    out->losses = losses;
    return status;
}
