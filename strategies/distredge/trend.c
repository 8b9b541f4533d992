#include "distredge/trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool trend_init(struct trend *trend, uint32_t n, uint32_t n_fluctuating)
{
    *trend = (struct trend){.n = n, .n_fluctuating = n_fluctuating};
    trend->last = calloc(n, sizeof *trend->last);
    trend->mean = calloc(n, sizeof *trend->mean);
    trend->trained = calloc(n, sizeof *trend->trained);
    return trend->last && trend->mean && trend->trained;
}

void trend_fini(struct trend *trend)
{
    free(trend->last);
    free(trend->mean);
    free(trend->trained);
    *trend = (struct trend){0};
}

void trend_begin(struct trend *trend, const double *values, double now_s)
{
    memcpy(trend->last, values, trend->n * sizeof *values);
    memcpy(trend->mean, values, trend->n * sizeof *values);
    trend->seen_s = now_s;
}

void trend_see(struct trend *trend, const double *values, double now_s, double window_s)
{
    const double weight = window_s > 0.0 ? -expm1(-(now_s - trend->seen_s) / window_s) : 1.0;
    for (uint32_t i = 0; i < trend->n; i++) {
        if (i < trend->n_fluctuating && window_s > 0.0) {
            trend->mean[i] += weight * (trend->last[i] - trend->mean[i]);
        } else {
            trend->mean[i] = values[i];
        }
    }
    memcpy(trend->last, values, trend->n * sizeof *values);
    trend->seen_s = now_s;
}

bool trend_is_off(const struct trend *trend, double ratio)
{
    for (uint32_t i = 0; i < trend->n; i++) {
        if (fabs(trend->mean[i] - trend->trained[i]) > ratio * trend->trained[i]) {
            return true;
        }
    }
    return false;
}

void trend_settle(struct trend *trend)
{
    memcpy(trend->trained, trend->mean, trend->n * sizeof *trend->mean);
}
