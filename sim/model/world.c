#include "model/world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/profile_scale.h"

struct ew_world {
    const struct ew_platform *nominal;
    const struct ew_dynamics *dynamics;
    struct ew_signal_cursor *cursors; /* per signal */
    struct ew_platform platform;      /* a copy that owns what stands below, and nothing else */
    struct ew_device *devices;
    struct ew_link *links;
    struct ew_route *routes;
    struct ew_profile **scaled; /* per device; NULL: at nominal speed */
    double *speed_ratio;        /* per device */
    bool *device_is_up;
    bool *link_is_up;
    double *bandwidth_bytes_per_s; /* per link, may be 0 */
};

static double nominal_value(const struct ew_world *world, const struct ew_signal *signal)
{
    const struct ew_platform *p = world->nominal;
    switch (signal->quantity) {
    case EW_QUANTITY_LINK_BANDWIDTH:
        return p->links[signal->target].bandwidth_bytes_per_s;
    case EW_QUANTITY_LINK_LATENCY:
        return p->links[signal->target].latency_s;
    default:
        return 1;
    }
}

static void take(struct ew_world *world, const struct ew_signal *signal, double value)
{
    const uint32_t i = signal->target;
    switch (signal->quantity) {
    case EW_QUANTITY_LINK_BANDWIDTH:
        world->bandwidth_bytes_per_s[i] = value;
        if (value > 0) { /* a link always has some bandwidth; without, its routes are gone */
            world->links[i].bandwidth_bytes_per_s = value;
        }
        break;
    case EW_QUANTITY_LINK_LATENCY:
        world->links[i].latency_s = value;
        break;
    case EW_QUANTITY_LINK_UP:
        world->link_is_up[i] = value > 0;
        break;
    case EW_QUANTITY_DEVICE_SPEED:
        world->speed_ratio[i] = value;
        break;
    case EW_QUANTITY_DEVICE_UP:
        world->device_is_up[i] = value > 0;
        break;
    case EW_QUANTITY_COUNT:
        break;
    }
}

/* Routes as the links now are. A link named k times carries every byte k times. */
static void refresh_route(struct ew_world *world, uint32_t from, uint32_t to)
{
    const uint64_t at = (uint64_t)from * world->nominal->n_devices + to;
    const struct ew_route *nominal = &world->nominal->routes[at];
    struct ew_route *route = &world->routes[at];
    *route = *nominal;
    bool is_usable = world->device_is_up[from] && world->device_is_up[to];
    route->latency_s = 0;
    route->bottleneck_bytes_per_s = INFINITY;
    for (uint32_t i = 0; i < nominal->n_links; i++) {
        const uint32_t link = nominal->links[i];
        uint32_t n_named = 0;
        for (uint32_t k = 0; k < nominal->n_links; k++) {
            n_named += nominal->links[k] == link;
        }
        const bool is_shared = world->links[link].sharing == EW_LINK_SHARED;
        const double bytes_per_s = world->links[link].bandwidth_bytes_per_s;
        route->latency_s += world->links[link].latency_s;
        route->bottleneck_bytes_per_s =
            fmin(route->bottleneck_bytes_per_s, is_shared ? bytes_per_s / n_named : bytes_per_s);
        is_usable = is_usable && world->link_is_up[link] && world->bandwidth_bytes_per_s[link] > 0;
    }
    if (!is_usable || nominal->n_links == 0) {
        *route = (struct ew_route){0};
    }
}

static enum ew_status refresh_device(struct ew_world *world, uint32_t d, struct ew_error *err)
{
    const double ratio = world->speed_ratio[d];
    const struct ew_device *nominal = &world->nominal->devices[d];
    ew_profile_free(world->scaled[d]);
    world->scaled[d] = NULL;
    world->devices[d] = *nominal;
    if (ratio < 1 || ratio > 1) {
        const enum ew_status status =
            ew_profile_scale(&world->scaled[d], nominal->profile, ratio, err);
        if (status != EW_OK) {
            return status;
        }
        world->devices[d].profile = world->scaled[d];
        world->devices[d].speed_flops_per_s *= ratio;
    }
    return EW_OK;
}

static enum ew_status refresh(struct ew_world *world, struct ew_error *err)
{
    const uint32_t n = world->nominal->n_devices;
    for (uint32_t from = 0; from < n; from++) {
        for (uint32_t to = 0; to < n; to++) {
            refresh_route(world, from, to);
        }
    }
    for (uint32_t d = 0; d < n; d++) {
        const enum ew_status status = refresh_device(world, d, err);
        if (status != EW_OK) {
            return status;
        }
    }
    return EW_OK;
}

static bool allocate(struct ew_world *world)
{
    const size_t n = world->nominal->n_devices, n_links = world->nominal->n_links + 1u;
    world->cursors = calloc(world->dynamics->n_signals + 1u, sizeof *world->cursors);
    world->devices = calloc(n, sizeof *world->devices);
    world->links = calloc(n_links, sizeof *world->links);
    world->routes = calloc(n * n, sizeof *world->routes);
    world->scaled = calloc(n, sizeof *world->scaled);
    world->speed_ratio = calloc(n, sizeof *world->speed_ratio);
    world->device_is_up = calloc(n, sizeof *world->device_is_up);
    world->link_is_up = calloc(n_links, sizeof *world->link_is_up);
    world->bandwidth_bytes_per_s = calloc(n_links, sizeof *world->bandwidth_bytes_per_s);
    return world->cursors && world->devices && world->links && world->routes && world->scaled &&
           world->speed_ratio && world->device_is_up && world->link_is_up &&
           world->bandwidth_bytes_per_s;
}

enum ew_status ew_world_new(struct ew_world **out, const struct ew_platform *nominal,
                            const struct ew_dynamics *dynamics, struct ew_error *err)
{
    struct ew_world *world = calloc(1, sizeof *world);
    if (!world) {
        return ew_fail_memory(err);
    }
    world->nominal = nominal;
    world->dynamics = dynamics;
    if (!allocate(world)) {
        ew_world_free(world);
        return ew_fail_memory(err);
    }
    for (uint32_t d = 0; d < nominal->n_devices; d++) {
        world->devices[d] = nominal->devices[d];
        world->speed_ratio[d] = 1;
        world->device_is_up[d] = true;
    }
    for (uint32_t l = 0; l < nominal->n_links; l++) {
        world->links[l] = nominal->links[l];
        world->link_is_up[l] = true;
        world->bandwidth_bytes_per_s[l] = nominal->links[l].bandwidth_bytes_per_s;
    }
    world->platform = *nominal;
    world->platform.devices = world->devices;
    world->platform.links = world->links;
    world->platform.routes = world->routes;
    for (uint32_t s = 0; s < dynamics->n_signals; s++) {
        const struct ew_signal *signal = &dynamics->signals[s];
        take(world, signal,
             ew_signal_begin(&world->cursors[s], signal, nominal_value(world, signal)));
    }
    const enum ew_status status = refresh(world, err);
    if (status != EW_OK) {
        ew_world_free(world);
        return status;
    }
    *out = world;
    return EW_OK;
}

void ew_world_free(struct ew_world *world)
{
    if (!world) {
        return;
    }
    for (uint32_t d = 0; world->scaled && d < world->nominal->n_devices; d++) {
        ew_profile_free(world->scaled[d]);
    }
    free(world->cursors);
    free(world->devices);
    free(world->links);
    free(world->routes);
    free(world->scaled);
    free(world->speed_ratio);
    free(world->device_is_up);
    free(world->link_is_up);
    free(world->bandwidth_bytes_per_s);
    free(world);
}

double ew_world_next_s(const struct ew_world *world)
{
    double next_s = INFINITY;
    for (uint32_t s = 0; s < world->dynamics->n_signals; s++) {
        next_s = fmin(next_s, ew_signal_next_s(&world->cursors[s], &world->dynamics->signals[s]));
    }
    return next_s;
}

enum ew_status ew_world_advance(struct ew_world *world, double time_s, struct ew_error *err)
{
    for (uint32_t s = 0; s < world->dynamics->n_signals; s++) {
        const struct ew_signal *signal = &world->dynamics->signals[s];
        while (ew_signal_next_s(&world->cursors[s], signal) <= time_s) {
            take(world, signal, ew_signal_step(&world->cursors[s], signal));
        }
    }
    return refresh(world, err);
}

const struct ew_platform *ew_world_platform(const struct ew_world *world)
{
    return &world->platform;
}
