#include "sweep/dynamics_open.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "io/series_csv.h"

/* Everything a struct ew_dynamics owns; `dynamics` comes first. */
struct opened {
    struct ew_dynamics dynamics;
    struct ew_arena arena;
};

/* While opening. */
struct opening {
    const struct ew_platform *platform;
    struct ew_arena *arena;
    uint32_t *number; /* per quantity and target: signal + 1, 0: none */
    uint32_t stride;
    struct ew_signal *signals;
    uint32_t n_signals;
};

static const char *device_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_platform *)ctx)->devices[i].name;
}

static const char *link_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_platform *)ctx)->links[i].name;
}

/* First and one past the last target of a name; "*" is all. */
static enum ew_status find_targets(uint32_t *begin, uint32_t *end, bool is_link,
                                   const struct ew_platform *platform, const char *name,
                                   const char *what, uint32_t item, struct ew_error *err)
{
    const uint32_t n = is_link ? platform->n_links : platform->n_devices;
    const char *(*name_at)(const void *, size_t) = is_link ? link_name_at : device_name_at;
    *begin = 0;
    *end = n;
    if (strcmp(name, "*") == 0) {
        return EW_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(name_at(platform, i), name) == 0) {
            *begin = i;
            *end = i + 1;
            return EW_OK;
        }
    }
    const char *near = ew_nearest_name(name, n, name_at, platform);
    return ew_fail(err, EW_EINPUT, "dynamics: /%s/%u: expected a %s of %s, found '%s'%s%s%s", what,
                   item, is_link ? "link" : "device", platform->path, name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* --- series ---------------------------------------------------------------------------------- */

static uint32_t *number_of(const struct opening *o, enum ew_quantity quantity, uint32_t target)
{
    return &o->number[(size_t)quantity * o->stride + target];
}

/* A signal, in place of an earlier one for the same quantity and target. */
static void put_signal(struct opening *o, const struct ew_signal *signal)
{
    uint32_t *number = number_of(o, signal->quantity, signal->target);
    if (*number == 0) {
        *number = ++o->n_signals;
    }
    o->signals[*number - 1] = *signal;
}

static enum ew_status scale(double *values, uint32_t n, double ratio, enum ew_quantity quantity,
                            struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < n; i++) {
        values[i] *= ratio;
        status = ew_quantity_check(quantity, values[i], err);
    }
    return status;
}

static enum ew_status set_loop(struct ew_signal *signal, const struct ew_series_spec *spec,
                               struct ew_error *err)
{
    const uint32_t n = signal->n_steps;
    const double last_s = signal->times_s[n - 1];
    if (!spec->loops) {
        return EW_OK;
    }
    if (spec->loop_s > 0) {
        signal->loop_s = spec->loop_s;
        return spec->loop_s > last_s
                   ? EW_OK
                   : ew_fail(err, EW_EINPUT,
                             "expected loop_s beyond the last step at %g s, found %g s", last_s,
                             spec->loop_s);
    }
    if (n < 2) {
        return ew_fail(err, EW_EINPUT,
                       "expected two steps or more, or loop_s, in a series that loops; found one "
                       "step");
    }
    signal->loop_s = last_s + (last_s - signal->times_s[n - 2]);
    return EW_OK;
}

static enum ew_status read_steps(struct ew_signal *signal, const struct opening *o,
                                 const struct ew_series_spec *spec, struct ew_error *err)
{
    struct ew_series series = {0};
    double *values = NULL;
    enum ew_status status = EW_OK;
    if (spec->trace_path) {
        status = ew_series_load_csv(&series, spec->is_link, spec->trace_path, err);
        if (status != EW_OK) {
            return status;
        }
        signal->quantity = series.quantity;
        signal->n_steps = series.n_steps;
        signal->times_s =
            ew_arena_copy(o->arena, series.times_s, series.n_steps, sizeof *series.times_s);
        values = ew_arena_copy(o->arena, series.values, series.n_steps, sizeof *series.values);
        ew_series_fini(&series);
    } else {
        signal->quantity = spec->quantity;
        signal->n_steps = spec->n_points;
        signal->times_s =
            ew_arena_copy(o->arena, spec->times_s, spec->n_points, sizeof *spec->times_s);
        values = ew_arena_copy(o->arena, spec->values, spec->n_points, sizeof *spec->values);
    }
    if (!signal->times_s || !values) {
        return ew_fail_memory(err);
    }
    signal->values = values;
    if (spec->scale_ratio != 1) {
        status = scale(values, signal->n_steps, spec->scale_ratio, signal->quantity, err);
    }
    return status == EW_OK ? set_loop(signal, spec, err) : status;
}

static enum ew_status open_series(struct opening *o, const struct ew_series_spec *spec,
                                  uint32_t item, struct ew_error *err)
{
    struct ew_signal signal = {.offset_s = spec->offset_s};
    uint32_t begin, end;
    enum ew_status status =
        find_targets(&begin, &end, spec->is_link, o->platform, spec->target, "series", item, err);
    if (status != EW_OK) {
        return status;
    }
    status = read_steps(&signal, o, spec, err);
    if (status == EW_EINPUT) {
        (void)ew_prefix(err, "dynamics: /series/%u: ", item);
    }
    for (uint32_t i = begin; status == EW_OK && i < end; i++) {
        signal.target = i;
        put_signal(o, &signal);
    }
    return status;
}

/* --- events ---------------------------------------------------------------------------------- */

struct change {
    uint32_t target;
    uint32_t item;
    bool is_link;
    bool is_up;
    double time_s;
};

static int compare_changes(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    if (x->is_link != y->is_link) {
        return x->is_link ? -1 : 1;
    }
    if (x->target != y->target) {
        return x->target < y->target ? -1 : 1;
    }
    if (x->time_s != y->time_s) {
        return x->time_s < y->time_s ? -1 : 1;
    }
    return x->item < y->item ? -1 : x->item > y->item;
}

/* All changes of one target as one signal; of several at one time the last counts. */
static enum ew_status open_target_changes(struct opening *o, const struct change *changes, size_t n,
                                          struct ew_error *err)
{
    const enum ew_quantity quantity =
        changes->is_link ? EW_QUANTITY_LINK_UP : EW_QUANTITY_DEVICE_UP;
    if (*number_of(o, quantity, changes->target)) {
        return ew_fail(
            err, EW_EINPUT,
            "dynamics: /events/%u: expected either events or an 'up' series for %s '%s', "
            "found both",
            changes->item, changes->is_link ? "link" : "device",
            changes->is_link ? o->platform->links[changes->target].name
                             : o->platform->devices[changes->target].name);
    }
    double *times_s = ew_arena_calloc(o->arena, n, sizeof *times_s);
    double *values = ew_arena_calloc(o->arena, n, sizeof *values);
    if (!times_s || !values) {
        return ew_fail_memory(err);
    }
    uint32_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (k && times_s[k - 1] == changes[i].time_s) {
            k--;
        }
        times_s[k] = changes[i].time_s;
        values[k++] = changes[i].is_up;
    }
    put_signal(o, &(struct ew_signal){.quantity = quantity,
                                      .target = changes->target,
                                      .n_steps = k,
                                      .times_s = times_s,
                                      .values = values});
    return EW_OK;
}

static enum ew_status open_changes(struct opening *o, const struct ew_dynamics_spec *spec,
                                   struct ew_error *err)
{
    const size_t most = o->platform->n_links > o->platform->n_devices ? o->platform->n_links
                                                                      : o->platform->n_devices;
    struct change *changes = calloc(spec->n_changes * most + 1, sizeof *changes);
    enum ew_status status = changes ? EW_OK : ew_fail_memory(err);
    size_t n = 0;
    for (uint32_t i = 0; status == EW_OK && i < spec->n_changes; i++) {
        const struct ew_change_spec *change = &spec->changes[i];
        uint32_t begin, end;
        status = find_targets(&begin, &end, change->is_link, o->platform, change->target, "events",
                              i, err);
        for (uint32_t t = begin; status == EW_OK && t < end; t++) {
            changes[n++] = (struct change){t, i, change->is_link, change->is_up, change->time_s};
        }
    }
    if (status == EW_OK && n) {
        qsort(changes, n, sizeof *changes, compare_changes);
    }
    for (size_t i = 0, end; status == EW_OK && i < n; i = end) {
        end = i + 1;
        while (end < n && changes[end].is_link == changes[i].is_link &&
               changes[end].target == changes[i].target) {
            end++;
        }
        status = open_target_changes(o, &changes[i], end - i, err);
    }
    free(changes);
    return status;
}

/* --- noise ----------------------------------------------------------------------------------- */

static enum ew_status open_stragglers(struct ew_dynamics *dynamics, struct opening *o,
                                      const struct ew_dynamics_spec *spec, struct ew_error *err)
{
    struct ew_straggler *list = ew_arena_calloc(o->arena, o->platform->n_devices, sizeof *list);
    if (!list) {
        return ew_fail_memory(err);
    }
    for (uint32_t d = 0; d < o->platform->n_devices; d++) {
        list[d].slowdown_ratio = 1;
    }
    for (uint32_t i = 0; i < spec->n_stragglers; i++) {
        uint32_t begin, end;
        const enum ew_status status = find_targets(
            &begin, &end, false, o->platform, spec->stragglers[i].device, "stragglers", i, err);
        if (status != EW_OK) {
            return status;
        }
        for (uint32_t d = begin; d < end; d++) {
            list[d] = spec->stragglers[i].noise;
        }
    }
    dynamics->stragglers = list;
    return EW_OK;
}

static enum ew_status open_losses(struct ew_dynamics *dynamics, struct opening *o,
                                  const struct ew_dynamics_spec *spec, struct ew_error *err)
{
    struct ew_loss *list = ew_arena_calloc(o->arena, o->platform->n_links, sizeof *list);
    if (!list) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < spec->n_losses; i++) {
        uint32_t begin, end;
        const enum ew_status status =
            find_targets(&begin, &end, true, o->platform, spec->losses[i].link, "losses", i, err);
        if (status != EW_OK) {
            return status;
        }
        for (uint32_t l = begin; l < end; l++) {
            list[l] = spec->losses[i].loss;
        }
    }
    dynamics->losses = list;
    return EW_OK;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static enum ew_status fill(struct ew_dynamics *dynamics, struct opening *o,
                           const struct ew_dynamics_spec *spec, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    o->stride = (o->platform->n_links > o->platform->n_devices ? o->platform->n_links
                                                               : o->platform->n_devices) +
                1;
    o->number = ew_arena_calloc(o->arena, (size_t)EW_QUANTITY_COUNT * o->stride, sizeof(uint32_t));
    o->signals =
        ew_arena_calloc(o->arena, (size_t)EW_QUANTITY_COUNT * o->stride, sizeof *o->signals);
    if (!o->number || !o->signals) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; status == EW_OK && i < spec->n_series; i++) {
        status = open_series(o, &spec->series[i], i, err);
    }
    if (status == EW_OK && spec->n_changes) {
        status = open_changes(o, spec, err);
    }
    if (status == EW_OK && spec->n_stragglers) {
        status = open_stragglers(dynamics, o, spec, err);
    }
    if (status == EW_OK && spec->n_losses) {
        status = open_losses(dynamics, o, spec, err);
    }
    dynamics->n_signals = o->n_signals;
    dynamics->signals = o->signals;
    dynamics->policy = spec->policy;
    return status;
}

enum ew_status ew_dynamics_open(struct ew_dynamics **out, const struct ew_dynamics_spec *spec,
                                const struct ew_platform *platform, struct ew_error *err)
{
    *out = NULL;
    if (!spec->n_series && !spec->n_changes && !spec->n_stragglers && !spec->n_losses &&
        !spec->policy.drop_at_deadline) {
        return EW_OK;
    }
    struct opened *opened = calloc(1, sizeof *opened);
    if (!opened) {
        return ew_fail_memory(err);
    }
    struct opening o = {.platform = platform, .arena = &opened->arena};
    const enum ew_status status = fill(&opened->dynamics, &o, spec, err);
    if (status != EW_OK) {
        ew_dynamics_free(&opened->dynamics);
        return status;
    }
    *out = &opened->dynamics;
    return EW_OK;
}

void ew_dynamics_free(struct ew_dynamics *dynamics)
{
    if (dynamics) {
        struct opened *opened = (struct opened *)dynamics;
        ew_arena_fini(&opened->arena);
        free(opened);
    }
}
