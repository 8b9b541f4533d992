#include "sweep/suppose.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void answer(struct ew_supposed *out, const struct ew_result *result)
{
    *out = (struct ew_supposed){.latency_mean_s = NAN, .energy_per_request_j = NAN};
    if (result->error) {
        (void)snprintf(out->why, sizeof out->why, "%s", result->error);
        return;
    }
    out->latency_mean_s = result->service.latency.mean_s;
    out->energy_per_request_j = result->energy_per_request_j;
    if (!isfinite(out->latency_mean_s)) {
        (void)snprintf(out->why, sizeof out->why, "no request was answered");
    }
}

/* Run on a setup that is open. */
static enum ew_status run_on(struct ew_supposed *out, const struct ew_suppose *suppose,
                             const struct ew_setup *setup, const struct ew_point *point,
                             const struct ew_contender *const *makers, struct ew_error *err)
{
    const struct ew_point_run how = {.engine = suppose->engine};
    struct ew_point_config config = *suppose->config;
    struct ew_point planned = {0};
    struct ew_result *result = NULL;
    struct ew_evaluator *evaluator = NULL;
    config.setup = setup;
    enum ew_status status =
        ew_evaluator_new(&evaluator, setup->platform, setup->net, setup->energy_rule, err);
    config.evaluator = evaluator;
    if (status == EW_OK && makers) {
        status = ew_point_plan(&planned, &config, makers, err);
        if (status != EW_OK) {
            status = ew_point_fail(&result, &planned, &how, status, err);
        } else {
            status = ew_point_run(&result, &planned, &how, err);
        }
    } else if (status == EW_OK) {
        struct ew_point same = *point; /* borrows its books */
        same.config = &config;
        status = ew_point_run(&result, &same, &how, err);
    }
    if (status == EW_OK) {
        answer(out, result);
    }
    ew_result_free(result);
    ew_point_fini(&planned);
    ew_evaluator_free(evaluator);
    return status;
}

enum ew_status ew_suppose_run(struct ew_supposed *out, const struct ew_suppose *suppose,
                              const struct ew_what_if *what_if, const struct ew_point *point,
                              const struct ew_contender *const *makers, struct ew_error *err)
{
    struct ew_platform_source source = suppose->source;
    struct ew_setup_blame blame = {0};
    struct ew_setup setup = {0};
    source.what_if = what_if;
    enum ew_status status = ew_setup_open(&setup, suppose->scenario, &source, &blame, err);
    if (status == EW_OK) {
        status = run_on(out, suppose, &setup, point, makers, err);
    }
    ew_setup_fini(&setup);
    return status;
}

enum ew_status ew_suppose_bandwidth(struct ew_supposed *out, const struct ew_suppose *suppose,
                                    const char *link, double bandwidth_bytes_per_s,
                                    const struct ew_contender *const *makers, struct ew_error *err)
{
    struct ew_setup_blame blame = {0};
    struct ew_setup setup = {0};
    struct ew_scenario scenario = *suppose->scenario; /* but for the list it is the same */
    struct ew_override overrides[64];
    if (scenario.n_overrides >= sizeof overrides / sizeof *overrides) {
        return ew_fail(err, EW_EINPUT, "more than 63 overrides are too many to add one");
    }
    for (uint32_t i = 0; i < scenario.n_overrides; i++) {
        overrides[i] = scenario.overrides[i];
    }
    overrides[scenario.n_overrides++] = (struct ew_override){
        .field = EW_OVERRIDE_LINK_BANDWIDTH,
        .name = link,
        .value = bandwidth_bytes_per_s,
        .arg = -1,
    };
    scenario.overrides = overrides;
    enum ew_status status = ew_setup_open(&setup, &scenario, &suppose->source, &blame, err);
    if (status == EW_OK) {
        status = run_on(out, suppose, &setup, NULL, makers, err);
    }
    ew_setup_fini(&setup);
    return status;
}

/* --- break-even --------------------------------------------------------------------------------
 */

/* -1, 0, 1; 2: unknown. */
static enum ew_status sign_at(int *out, double *difference, double *tolerance, double bandwidth,
                              ew_difference_fn function, void *ctx, struct ew_error *err)
{
    const enum ew_status status = function(ctx, bandwidth, difference, tolerance, err);
    *out = !isfinite(*difference)            ? 2
           : fabs(*difference) <= *tolerance ? 0
           : *difference < 0                 ? -1
                                             : 1;
    return status;
}

/* Between two bandwidths with opposite signs. */
static enum ew_status bisect(struct ew_crossing *out, double low, double high, int low_sign,
                             ew_difference_fn function, void *ctx, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    double at_low = NAN, at_high = NAN, tolerance = 0;
    int sign = 2;
    while (status == EW_OK && high > low * (1 + 1e-9)) {
        const double middle = sqrt(low) * sqrt(high);
        double difference = NAN;
        if (!(middle > low && middle < high)) {
            break;
        }
        status = sign_at(&sign, &difference, &tolerance, middle, function, ctx, err);
        if (sign == low_sign) {
            low = middle;
            at_low = difference;
        } else {
            high = middle;
            at_high = difference;
            if (sign == 0) {
                low = middle; /* this is it */
            }
        }
    }
    /* A smooth difference is next to nothing so close to its zero. */
    const double left = isfinite(at_low) ? fabs(at_low) : 0;
    const double right = isfinite(at_high) ? fabs(at_high) : 0;
    *out = (struct ew_crossing){
        .bandwidth_bytes_per_s = sqrt(low) * sqrt(high),
        .is_jump = sign != 0 && fmax(left, right) > 1e4 * tolerance,
        .first_wins = low_sign > 0,
    };
    return status;
}

enum ew_status ew_break_even_find(struct ew_break_even *out, double from_bytes_per_s,
                                  double to_bytes_per_s, ew_difference_fn difference, void *ctx,
                                  struct ew_error *err)
{
    enum ew_status status = EW_OK;
    double last = 0;
    int last_sign = 0; /* of the last sample with a difference */
    *out = (struct ew_break_even){.from_bytes_per_s = from_bytes_per_s,
                                  .to_bytes_per_s = to_bytes_per_s,
                                  .n_samples = EW_BREAK_EVEN_SAMPLES};
    for (uint32_t i = 0; status == EW_OK && i < EW_BREAK_EVEN_SAMPLES; i++) {
        const double share = (double)i / (EW_BREAK_EVEN_SAMPLES - 1);
        const double bandwidth =
            i + 1 == EW_BREAK_EVEN_SAMPLES
                ? to_bytes_per_s
                : from_bytes_per_s * pow(to_bytes_per_s / from_bytes_per_s, share);
        double d = NAN, tolerance = 0;
        int sign = 2;
        status = sign_at(&sign, &d, &tolerance, bandwidth, difference, ctx, err);
        out->n_equal += sign == 0;
        out->n_failed += sign == 2;
        if (status != EW_OK || sign == 0 || sign == 2) {
            continue;
        }
        if (last_sign && sign != last_sign) {
            status = bisect(&out->crossings[out->n_crossings++], last, bandwidth, last_sign,
                            difference, ctx, err);
        }
        out->first_sign = out->first_sign ? out->first_sign : sign;
        last = bandwidth;
        last_sign = sign;
    }
    return status;
}
