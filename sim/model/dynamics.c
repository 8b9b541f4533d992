#include "model/dynamics.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* --- quantities ------------------------------------------------------------------------------ */

struct quantity_info {
    bool is_link;
    bool zero_allowed;
    const char *name;
    double least;
    double most;
};

enum { LINK = 1, DEVICE = 0 };

static const struct quantity_info QUANTITIES[] = {
#define X(target, quantity, name, least, zero_allowed, most)                                       \
    {(target) == LINK, zero_allowed, name, least, most},
    EW_QUANTITY_MAP(X)
#undef X
};

bool ew_quantity_is_link(enum ew_quantity quantity)
{
    return QUANTITIES[quantity].is_link;
}

const char *ew_quantity_name(enum ew_quantity quantity)
{
    return QUANTITIES[quantity].name;
}

enum ew_status ew_quantity_check(enum ew_quantity quantity, double value, struct ew_error *err)
{
    const struct quantity_info *info = &QUANTITIES[quantity];
    const bool is_switch = quantity == EW_QUANTITY_LINK_UP || quantity == EW_QUANTITY_DEVICE_UP;
    if (is_switch && value != 0 && value != 1) {
        return ew_fail(err, EW_EINPUT, "up: expected 0 or 1, found %g", value);
    }
    const bool is_zero = info->zero_allowed && value == 0;
    if (!is_zero && !(value >= info->least && value <= info->most)) { /* also NaN */
        return ew_fail(err, EW_EINPUT,
                       "%s: expected %sa number of at least %g and at most %g, found %g",
                       info->name, info->zero_allowed && info->least > 0 ? "0 or " : "",
                       info->least, info->most, value);
    }
    return EW_OK;
}

/* --- signals --------------------------------------------------------------------------------- */

/* Number of steps at or before `at_s` in the series. */
static uint32_t steps_until(const struct ew_signal *signal, double at_s)
{
    uint32_t lo = 0, hi = signal->n_steps;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (signal->times_s[mid] <= at_s) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void wrap(struct ew_signal_cursor *cursor, const struct ew_signal *signal)
{
    if (cursor->next == signal->n_steps && signal->loop_s > 0) {
        cursor->next = 0;
        cursor->cycle++;
    }
}

double ew_signal_begin(struct ew_signal_cursor *cursor, const struct ew_signal *signal,
                       double nominal)
{
    double at_s = signal->offset_s;
    *cursor = (struct ew_signal_cursor){0};
    if (signal->loop_s > 0) {
        const double cycles = floor(at_s / signal->loop_s);
        cursor->cycle = (uint64_t)cycles;
        at_s -= cycles * signal->loop_s;
    }
    cursor->next = steps_until(signal, at_s);
    double value = nominal;
    if (cursor->next > 0) {
        value = signal->values[cursor->next - 1];
    } else if (cursor->cycle > 0) {
        value = signal->values[signal->n_steps - 1];
    }
    wrap(cursor, signal);
    return value;
}

double ew_signal_next_s(const struct ew_signal_cursor *cursor, const struct ew_signal *signal)
{
    if (cursor->next == signal->n_steps) {
        return INFINITY;
    }
    return (double)cursor->cycle * signal->loop_s + signal->times_s[cursor->next] -
           signal->offset_s;
}

double ew_signal_step(struct ew_signal_cursor *cursor, const struct ew_signal *signal)
{
    const double value = signal->values[cursor->next++];
    wrap(cursor, signal);
    return value;
}

/* --- policy ---------------------------------------------------------------------------------- */

static const char *const ON_FAILURE[] = {
#define X(name, text) text,
    EW_ON_FAILURE_MAP(X)
#undef X
};

const char *ew_on_failure_name(enum ew_on_failure on_failure)
{
    return ON_FAILURE[on_failure];
}

bool ew_on_failure_find(enum ew_on_failure *out, const char *name)
{
    for (size_t i = 0; i < EW_ON_FAILURE_COUNT; i++) {
        if (strcmp(ON_FAILURE[i], name) == 0) {
            *out = (enum ew_on_failure)i;
            return true;
        }
    }
    return false;
}

struct ew_failure_policy ew_failure_policy_default(void)
{
    return (struct ew_failure_policy){
        .on_failure = EW_ON_FAILURE_WAIT, .retry_delay_s = 0.1, .max_attempts = 10};
}

/* --- planning anew --------------------------------------------------------------------------- */

bool ew_next_attempt_find(bool *resumes, const char *text)
{
    *resumes = strcmp(text, "resume") == 0;
    return *resumes || strcmp(text, "anew") == 0;
}

bool ew_in_flight_find(bool *moves_jobs, const char *text)
{
    *moves_jobs = strcmp(text, "move") == 0;
    return *moves_jobs || strcmp(text, "keep") == 0;
}

enum ew_status ew_replan_parse(struct ew_replan_spec *out, const char *text, struct ew_error *err)
{
    double x = 0;
    out->when = EW_REPLAN_NEVER;
    if (strcmp(text, "never") == 0) {
        return EW_OK;
    }
    if (strcmp(text, "on-failure") == 0) {
        out->when = EW_REPLAN_ON_FAILURE;
        return EW_OK;
    }
    if (strncmp(text, "on-change:", 10) == 0 && ew_parse_double(text + 10, &x) && x >= 0 &&
        x <= 1e6) {
        out->when = EW_REPLAN_ON_CHANGE;
        out->change_ratio = x / 100;
        return EW_OK;
    }
    if (strncmp(text, "period:", 7) == 0 && ew_parse_double(text + 7, &x) && x >= 1e-6 &&
        x <= 1e9) {
        out->when = EW_REPLAN_PERIOD;
        out->period_s = x;
        return EW_OK;
    }
    return ew_fail(err, EW_EINPUT,
                   "expected on-change:PERCENT, period:SECONDS, on-failure or never, found '%s'",
                   text);
}

enum ew_status ew_replan_parse_charge(struct ew_replan_spec *out, const char *text,
                                      struct ew_error *err)
{
    const bool is_model = strncmp(text, "evaluations:", 12) == 0;
    double x = 0;
    if (!ew_parse_double(is_model ? text + 12 : text, &x) || x < 0 || x > 1e9) {
        return ew_fail(err, EW_EINPUT, "expected SECONDS or evaluations:SECONDS, found '%s'", text);
    }
    out->charge_s = is_model ? 0 : x;
    out->charge_per_evaluation_s = is_model ? x : 0;
    return EW_OK;
}
