#include "support/random_dynamics.h"

#include <stdlib.h>

#include "base/arena.h"
#include "support/random_scenario.h"

enum { MAX_STEPS = 8 };

struct owned {
    struct ew_dynamics dynamics; /* first: what is handed out */
    struct ew_arena arena;
};

static void *take(struct owned *o, size_t n, size_t size)
{
    void *p = ew_arena_calloc(&o->arena, n, size);
    random_insist(p != NULL, "out of memory");
    return p;
}

static double random_value(struct ew_rng *rng, const struct ew_platform *platform,
                           enum ew_quantity quantity, uint32_t target)
{
    switch (quantity) {
    case EW_QUANTITY_LINK_BANDWIDTH:
        return random_chance(rng, 0.1)
                   ? 0
                   : platform->links[target].bandwidth_bytes_per_s * random_scale(rng, 0.1, 3);
    case EW_QUANTITY_LINK_LATENCY:
        return platform->links[target].latency_s * random_scale(rng, 0.5, 5);
    case EW_QUANTITY_DEVICE_SPEED:
        return random_scale(rng, 0.1, 3);
    default:
        return random_chance(rng, 0.5);
    }
}

static void add_signal(struct owned *o, struct ew_rng *rng, const struct ew_platform *platform,
                       struct ew_signal *signals, enum ew_quantity quantity, uint32_t target,
                       double horizon_s)
{
    const bool is_switch = quantity == EW_QUANTITY_LINK_UP || quantity == EW_QUANTITY_DEVICE_UP;
    struct ew_signal *signal = &signals[o->dynamics.n_signals++];
    const uint32_t n = (uint32_t)random_int(rng, 1, MAX_STEPS);
    double *times_s = take(o, n + 1, sizeof *times_s);
    double *values = take(o, n + 1, sizeof *values);
    double at_s = 0;
    for (uint32_t i = 0; i < n; i++) {
        at_s += ew_rng_exponential(rng, horizon_s / n) + 1e-7;
        times_s[i] = at_s;
        values[i] = random_value(rng, platform, quantity, target);
    }
    *signal = (struct ew_signal){quantity, target, n, times_s, values, 0, 0};
    /* mostly everything comes back */
    if (random_chance(rng, 0.9) &&
        (is_switch || (quantity == EW_QUANTITY_LINK_BANDWIDTH && values[n - 1] <= 0))) {
        times_s[n] = at_s + ew_rng_exponential(rng, horizon_s / n) + 1e-7;
        values[n] = is_switch ? 1 : platform->links[target].bandwidth_bytes_per_s;
        signal->n_steps = n + 1;
    }
    if (random_chance(rng, 0.3)) {
        signal->loop_s = times_s[signal->n_steps - 1] + ew_rng_exponential(rng, horizon_s / n);
        signal->offset_s = random_chance(rng, 0.5) ? ew_rng_unit(rng) * 3 * signal->loop_s : 0;
    }
}

static void add_signals(struct owned *o, struct ew_rng *rng, const struct ew_platform *platform,
                        double horizon_s)
{
    static const double odds[EW_QUANTITY_COUNT] = {
        [EW_QUANTITY_LINK_BANDWIDTH] = 0.4, [EW_QUANTITY_LINK_LATENCY] = 0.2,
        [EW_QUANTITY_LINK_UP] = 0.05,       [EW_QUANTITY_DEVICE_SPEED] = 0.4,
        [EW_QUANTITY_DEVICE_UP] = 0.1,
    };
    struct ew_signal *signals = take(
        o, (size_t)EW_QUANTITY_COUNT * (platform->n_links + platform->n_devices), sizeof *signals);
    for (int q = 0; q < EW_QUANTITY_COUNT; q++) {
        const enum ew_quantity quantity = (enum ew_quantity)q;
        const uint32_t n = ew_quantity_is_link(quantity) ? platform->n_links : platform->n_devices;
        for (uint32_t t = 0; t < n; t++) {
            if (random_chance(rng, odds[q])) {
                add_signal(o, rng, platform, signals, quantity, t, horizon_s);
            }
        }
    }
    o->dynamics.signals = signals;
}

static void add_noise(struct owned *o, struct ew_rng *rng, const struct ew_platform *platform,
                      double horizon_s)
{
    struct ew_straggler *stragglers = take(o, platform->n_devices, sizeof *stragglers);
    struct ew_loss *losses = take(o, platform->n_links + 1u, sizeof *losses);
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        stragglers[d] = (struct ew_straggler){ew_rng_unit(rng) * 0.5, ew_rng_unit(rng) * 0.2, 3};
    }
    for (uint32_t l = 0; l < platform->n_links; l++) {
        losses[l] = (struct ew_loss){ew_rng_unit(rng) * 0.3, horizon_s * 0.01};
    }
    o->dynamics.stragglers = stragglers;
    o->dynamics.losses = losses;
}

struct ew_dynamics *random_dynamics(struct ew_rng *rng, const struct ew_platform *platform,
                                    double horizon_s, bool with_noise)
{
    static const enum ew_on_failure choices[] = {EW_ON_FAILURE_WAIT, EW_ON_FAILURE_RETRY,
                                                 EW_ON_FAILURE_FAIL};
    struct owned *o = calloc(1, sizeof *o);
    random_insist(o != NULL, "out of memory");
    add_signals(o, rng, platform, horizon_s);
    if (with_noise) {
        add_noise(o, rng, platform, horizon_s);
    }
    o->dynamics.policy = (struct ew_failure_policy){
        .on_failure = choices[random_int(rng, 0, 2)],
        .retry_delay_s = horizon_s * random_scale(rng, 0.001, 0.3),
        .max_attempts = (uint32_t)random_int(rng, 1, 5),
        .drop_at_deadline = random_chance(rng, 0.5),
    };
    return &o->dynamics;
}

void random_dynamics_free(struct ew_dynamics *dynamics)
{
    if (dynamics) {
        struct owned *o = (struct owned *)dynamics;
        ew_arena_fini(&o->arena);
        free(o);
    }
}
