#include "edgent_dynamic/change_point.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

struct change_belief change_belief_update(const struct change_belief *belief, double x)
{
    const double off = x - belief->mu;
    return (struct change_belief){
        .mu = (belief->kappa * belief->mu + x) / (belief->kappa + 1),
        .kappa = belief->kappa + 1,
        .alpha = belief->alpha + 0.5,
        .beta = belief->beta + belief->kappa * off * off / (2 * (belief->kappa + 1)),
    };
}

double change_belief_log_density(const struct change_belief *belief, double x)
{
    const double freedom = 2 * belief->alpha;
    const double scale_squared =
        belief->beta * (belief->kappa + 1) / (belief->alpha * belief->kappa);
    const double off = x - belief->mu;
    return lgamma((freedom + 1) / 2) - lgamma(freedom / 2) -
           0.5 * log(PI * freedom * scale_squared) -
           (freedom + 1) / 2 * log1p(off * off / (freedom * scale_squared));
}

void change_point_begin(struct change_point *cp, double hazard_ratio, struct change_belief prior)
{
    *cp = (struct change_point){.hazard_ratio = hazard_ratio, .prior = prior, .n = 1};
    cp->probability[0] = 1;
    cp->belief[0] = prior;
}

/* P(run) * density of x, scaled so that the largest is 1: far outliers do not underflow. */
static void weigh(double weight[CHANGE_POINT_MAX_RUN + 1], const struct change_point *cp, double x)
{
    double largest = -INFINITY;
    for (uint32_t r = 0; r < cp->n; r++) {
        weight[r] = log(cp->probability[r]) + change_belief_log_density(&cp->belief[r], x);
        largest = fmax(largest, weight[r]);
    }
    for (uint32_t r = 0; r < cp->n; r++) {
        weight[r] = exp(weight[r] - largest);
    }
}

static uint32_t most_probable(const struct change_point *cp)
{
    uint32_t best = 0;
    for (uint32_t r = 1; r < cp->n; r++) {
        if (cp->probability[r] > cp->probability[best]) {
            best = r;
        }
    }
    return best;
}

void change_point_observe(struct change_point *cp, double x)
{
    double weight[CHANGE_POINT_MAX_RUN + 1];
    weigh(weight, cp, x);
    double sum = 0;
    for (uint32_t r = 0; r < cp->n; r++) {
        sum += weight[r];
    }
    const bool is_full = cp->n == CHANGE_POINT_MAX_RUN + 1;
    const double overflow = is_full ? weight[CHANGE_POINT_MAX_RUN] : 0;
    for (uint32_t r = is_full ? CHANGE_POINT_MAX_RUN : cp->n; r > 0; r--) {
        cp->probability[r] = weight[r - 1] / sum * (1 - cp->hazard_ratio);
        cp->belief[r] = change_belief_update(&cp->belief[r - 1], x);
    }
    cp->probability[0] = cp->hazard_ratio;
    cp->belief[0] = cp->prior;
    if (is_full) {
        cp->probability[CHANGE_POINT_MAX_RUN] += overflow / sum * (1 - cp->hazard_ratio);
    } else {
        cp->n++;
    }
    cp->run = most_probable(cp);
}

double change_point_mean(const struct change_point *cp)
{
    const struct change_belief *belief = &cp->belief[cp->run];
    const double samples = belief->kappa - cp->prior.kappa;
    return cp->run == 0 ? NAN
                        : (belief->kappa * belief->mu - cp->prior.kappa * cp->prior.mu) / samples;
}
