#include "model/world.h"

#include <math.h>
#include <stdlib.h>

#include "base/heap.h"
#include "model/profile_scale.h"

struct ew_world {
    const struct ew_platform *nominal;
    const struct ew_dynamics *dynamics;
    struct ew_signal_cursor *cursors; /* per signal */
    struct ew_heap steps;             /* signals by the time of their next step */
    double *bandwidth_bytes_per_s;    /* per link, also while it is down */
    bool *is_link_up;
    double *speed_ratio; /* per device, also while it is down */
    bool *is_device_up;
    uint64_t n_switches;
    struct ew_link_state *link_states;
    double *device_states;

    bool is_fresh;               /* what follows shows the state */
    struct ew_platform platform; /* a copy that owns what stands below, and nothing else */
    struct ew_device *devices;
    struct ew_link *links;
    struct ew_route *routes;
    struct ew_profile **scaled; /* per device; NULL: at nominal speed */
    double *shown_ratio;        /* per device: what its profile shows */
    uint32_t *times_named;      /* per link, for ew_route_measure */
};

/* --- the state ------------------------------------------------------------------------------- */

static void set_switch(struct ew_world *world, bool *is_up, double value)
{
    world->n_switches += *is_up != (value > 0);
    *is_up = value > 0;
}

static void apply(struct ew_world *world, const struct ew_signal *signal, double value)
{
    const uint32_t i = signal->target;
    switch (signal->quantity) {
    case EW_QUANTITY_LINK_BANDWIDTH:
        world->bandwidth_bytes_per_s[i] = value;
        break;
    case EW_QUANTITY_LINK_LATENCY:
        world->link_states[i].latency_s = value;
        break;
    case EW_QUANTITY_LINK_UP:
        set_switch(world, &world->is_link_up[i], value);
        break;
    case EW_QUANTITY_DEVICE_SPEED:
        world->speed_ratio[i] = value;
        break;
    case EW_QUANTITY_DEVICE_UP:
        set_switch(world, &world->is_device_up[i], value);
        break;
    case EW_QUANTITY_COUNT:
        break;
    }
    if (ew_quantity_is_link(signal->quantity)) {
        world->link_states[i].bandwidth_bytes_per_s =
            world->is_link_up[i] ? world->bandwidth_bytes_per_s[i] : 0;
    } else {
        world->device_states[i] = world->is_device_up[i] ? world->speed_ratio[i] : 0;
    }
    world->is_fresh = false;
}

static void schedule(struct ew_world *world, uint32_t s)
{
    const double next_s = ew_signal_next_s(&world->cursors[s], &world->dynamics->signals[s]);
    if (isinf(next_s)) {
        ew_heap_remove(&world->steps, s);
    } else {
        ew_heap_set(&world->steps, s, next_s);
    }
}

static void begin(struct ew_world *world)
{
    const struct ew_platform *nominal = world->nominal;
    for (uint32_t d = 0; d < nominal->n_devices; d++) {
        world->devices[d] = nominal->devices[d];
        world->speed_ratio[d] = world->device_states[d] = world->shown_ratio[d] = 1;
        world->is_device_up[d] = true;
    }
    for (uint32_t l = 0; l < nominal->n_links; l++) {
        world->links[l] = nominal->links[l];
        world->is_link_up[l] = true;
        world->bandwidth_bytes_per_s[l] = nominal->links[l].bandwidth_bytes_per_s;
        world->link_states[l] = (struct ew_link_state){nominal->links[l].bandwidth_bytes_per_s,
                                                       nominal->links[l].latency_s};
    }
    world->platform = *nominal;
    world->platform.devices = world->devices;
    world->platform.links = world->links;
    world->platform.routes = world->routes;
    for (uint32_t s = 0; s < world->dynamics->n_signals; s++) {
        const struct ew_signal *signal = &world->dynamics->signals[s];
        const double value = ew_signal_begin(&world->cursors[s], signal, NAN);
        if (!isnan(value)) {
            apply(world, signal, value);
        }
        schedule(world, s);
    }
    world->n_switches = 0;
}

static bool allocate(struct ew_world *world)
{
    const size_t n = world->nominal->n_devices, n_links = world->nominal->n_links + 1u;
    world->cursors = calloc(world->dynamics->n_signals + 1u, sizeof *world->cursors);
    world->bandwidth_bytes_per_s = calloc(n_links, sizeof *world->bandwidth_bytes_per_s);
    world->is_link_up = calloc(n_links, sizeof *world->is_link_up);
    world->speed_ratio = calloc(n, sizeof *world->speed_ratio);
    world->is_device_up = calloc(n, sizeof *world->is_device_up);
    world->link_states = calloc(n_links, sizeof *world->link_states);
    world->device_states = calloc(n, sizeof *world->device_states);
    world->devices = calloc(n, sizeof *world->devices);
    world->links = calloc(n_links, sizeof *world->links);
    world->routes = calloc(n * n, sizeof *world->routes);
    world->scaled = calloc(n, sizeof(struct ew_profile *));
    world->shown_ratio = calloc(n, sizeof *world->shown_ratio);
    world->times_named = calloc(n_links, sizeof *world->times_named);
    return world->cursors && world->bandwidth_bytes_per_s && world->is_link_up &&
           world->speed_ratio && world->is_device_up && world->link_states &&
           world->device_states && world->devices && world->links && world->routes &&
           world->scaled && world->shown_ratio && world->times_named &&
           ew_heap_init(&world->steps, world->dynamics->n_signals);
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
    begin(world);
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
    ew_heap_fini(&world->steps);
    free(world->cursors);
    free(world->bandwidth_bytes_per_s);
    free(world->is_link_up);
    free(world->speed_ratio);
    free(world->is_device_up);
    free(world->link_states);
    free(world->device_states);
    free(world->devices);
    free(world->links);
    free(world->routes);
    free(world->scaled);
    free(world->shown_ratio);
    free(world->times_named);
    free(world);
}

double ew_world_next_s(const struct ew_world *world)
{
    return world->steps.count ? ew_heap_first(&world->steps)->key : INFINITY;
}

void ew_world_advance(struct ew_world *world, double time_s)
{
    while (world->steps.count && ew_heap_first(&world->steps)->key <= time_s) {
        const uint32_t s = ew_heap_first(&world->steps)->id;
        const struct ew_signal *signal = &world->dynamics->signals[s];
        apply(world, signal, ew_signal_step(&world->cursors[s], signal));
        schedule(world, s);
    }
}

struct ew_world_state ew_world_state(const struct ew_world *world)
{
    return (struct ew_world_state){world->link_states, world->device_states, world->n_switches};
}

/* --- the platform ---------------------------------------------------------------------------- */

static void show_route(struct ew_world *world, uint32_t from, uint32_t to)
{
    const struct ew_route *nominal = ew_platform_route(world->nominal, from, to);
    struct ew_route *route = &world->routes[(size_t)from * world->nominal->n_devices + to];
    bool is_usable = world->device_states[from] > 0 && world->device_states[to] > 0;
    for (uint32_t i = 0; i < nominal->n_links; i++) {
        is_usable = is_usable && world->link_states[nominal->links[i]].bandwidth_bytes_per_s > 0;
    }
    if (is_usable) {
        *route = *nominal;
        ew_route_measure(route, world->links, world->times_named);
    } else {
        *route = (struct ew_route){0};
    }
}

static enum ew_status show_device(struct ew_world *world, uint32_t d, struct ew_error *err)
{
    const struct ew_device *nominal = &world->nominal->devices[d];
    const double ratio = world->device_states[d] > 0 ? world->device_states[d] : 1;
    if (fabs(ratio - world->shown_ratio[d]) <= 0) {
        return EW_OK;
    }
    ew_profile_free(world->scaled[d]);
    world->scaled[d] = NULL;
    world->shown_ratio[d] = ratio;
    world->devices[d] = *nominal;
    if (fabs(ratio - 1) <= 0) {
        return EW_OK;
    }
    const enum ew_status status = ew_profile_scale(&world->scaled[d], nominal->profile, ratio, err);
    if (status == EW_OK) {
        world->devices[d].profile = world->scaled[d];
        world->devices[d].speed_flops_per_s *= ratio;
    } else {
        world->shown_ratio[d] = 1;
    }
    return status;
}

enum ew_status ew_world_platform(const struct ew_platform **out, struct ew_world *world,
                                 struct ew_error *err)
{
    const uint32_t n = world->nominal->n_devices;
    for (uint32_t l = 0; !world->is_fresh && l < world->nominal->n_links; l++) {
        const struct ew_link_state *state = &world->link_states[l];
        world->links[l].latency_s = state->latency_s;
        if (state->bandwidth_bytes_per_s > 0) { /* else no route names it */
            world->links[l].bandwidth_bytes_per_s = state->bandwidth_bytes_per_s;
        }
    }
    for (uint32_t from = 0; !world->is_fresh && from < n; from++) {
        for (uint32_t to = 0; to < n; to++) {
            show_route(world, from, to);
        }
    }
    for (uint32_t d = 0; !world->is_fresh && d < n; d++) {
        const enum ew_status status = show_device(world, d, err);
        if (status != EW_OK) {
            return status;
        }
    }
    world->is_fresh = true;
    *out = &world->platform;
    return EW_OK;
}
