#include "sweep/override.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/profile_scale.h"

/* A description of a platform that may be changed. */
struct draft {
    struct ew_device_desc *devices;
    struct ew_link *links;
    struct ew_route_desc *routes;
    uint64_t n_routes;
};

static const char *device_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_platform *)ctx)->devices[i].name;
}

static const char *link_name_at(const void *ctx, size_t i)
{
    return ((const struct ew_platform *)ctx)->links[i].name;
}

/* Made by ew_platform_make for a device without a profile of its own: follows the device's speed.
 */
static bool is_default_profile(const struct ew_profile *profile)
{
    return profile->kind == EW_PROFILE_RATE && !*profile->path &&
           strncmp(profile->name, "rate_", 5) == 0;
}

static enum ew_status draft_begin(struct draft *d, const struct ew_platform *p,
                                  struct ew_error *err)
{
    const uint32_t n = p->n_devices;
    d->devices = calloc(n, sizeof *d->devices);
    d->links = calloc((size_t)p->n_links + 1, sizeof *d->links);
    d->routes = calloc((size_t)n * n, sizeof *d->routes);
    if (!d->devices || !d->links || !d->routes) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct ew_device *from = &p->devices[i];
        d->devices[i] = (struct ew_device_desc){
            .name = from->name,
            .node = p->nodes[from->node].name,
            .speed_flops_per_s = from->speed_flops_per_s,
            .memory_bytes = from->memory_bytes,
            .message_overhead_s = from->message_overhead_s,
            .has_power = from->has_power,
            .off_w = from->off_w,
            .idle_w = from->idle_w,
            .compute_w = from->compute_w,
            .tx_w = from->tx_w,
            .rx_w = from->rx_w,
        };
    }
    for (uint32_t i = 0; i < p->n_links; i++) {
        d->links[i] = p->links[i];
    }
    for (uint32_t from = 0; from < n; from++) {
        for (uint32_t to = 0; to < n; to++) {
            const struct ew_route *route = ew_platform_route(p, from, to);
            if (route->n_links) {
                d->routes[d->n_routes++] =
                    (struct ew_route_desc){from, to, route->n_links, route->links};
            }
        }
    }
    return EW_OK;
}

static void draft_fini(struct draft *d)
{
    free(d->devices);
    free(d->links);
    free(d->routes);
}

static void set_link(struct ew_link *link, const struct ew_override *o)
{
    if (o->field == EW_OVERRIDE_LINK_BANDWIDTH) {
        link->bandwidth_bytes_per_s = o->value;
    } else {
        link->latency_s = o->value;
    }
}

static void set_watts(struct ew_device_desc *d, const struct ew_override *o)
{
    d->has_power = true;
    switch (o->field) {
    case EW_OVERRIDE_DEVICE_OFF_W:
        d->off_w = o->value;
        break;
    case EW_OVERRIDE_DEVICE_IDLE_W:
        d->idle_w = o->value;
        break;
    case EW_OVERRIDE_DEVICE_COMPUTE_W:
        d->compute_w = o->value;
        break;
    case EW_OVERRIDE_DEVICE_TX_W:
        d->tx_w = o->value;
        break;
    default:
        d->rx_w = o->value;
        break;
    }
}

static enum ew_status set_device(struct ew_device_desc *d, const struct ew_device *device,
                                 const struct ew_override *o, struct ew_error *err)
{
    switch (o->field) {
    case EW_OVERRIDE_DEVICE_SPEED:
        if (!is_default_profile(device->profile)) {
            return ew_fail(err, EW_EINPUT,
                           "device '%s' is timed by its profile '%s', so its speed does not count; "
                           "expected a device without a profile",
                           device->name, device->profile->name);
        }
        d->speed_flops_per_s = o->value;
        break;
    case EW_OVERRIDE_DEVICE_MEMORY:
        d->memory_bytes = (uint64_t)o->value;
        break;
    case EW_OVERRIDE_DEVICE_OVERHEAD:
        d->message_overhead_s = o->value;
        break;
    default:
        set_watts(d, o);
        break;
    }
    return EW_OK;
}

/* Change every link or device that the override names. */
static enum ew_status apply(struct draft *d, const struct ew_platform *p,
                            const struct ew_override *o, struct ew_error *err)
{
    const bool is_link = ew_override_is_link(o->field), is_all = strcmp(o->name, "*") == 0;
    const uint32_t n = is_link ? p->n_links : p->n_devices;
    uint32_t n_found = 0;
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < n; i++) {
        const char *name = is_link ? p->links[i].name : p->devices[i].name;
        if (!is_all && strcmp(name, o->name) != 0) {
            continue;
        }
        n_found++;
        if (is_link) {
            set_link(&d->links[i], o);
        } else {
            status = set_device(&d->devices[i], &p->devices[i], o, err);
        }
    }
    if (status == EW_OK && n_found == 0) {
        const char *near = ew_nearest_name(o->name, n, is_link ? link_name_at : device_name_at, p);
        status = ew_fail(err, EW_EINPUT, "%s: unknown %s '%s'%s%s%s", p->path,
                         is_link ? "link" : "device", o->name, near ? "; did you mean '" : "",
                         near ? near : "", near ? "'?" : "");
    }
    return status;
}

static bool is_taken(const struct draft *d, uint32_t n_devices, const struct ew_profile *profile)
{
    uint32_t i = 0;
    while (i < n_devices && d->devices[i].cost != profile) {
        i++;
    }
    return i < n_devices;
}

/* Hand the loaded profiles over to the draft's devices; all others stay with the old platform and
 * die with it. */
static void move_profiles(struct draft *d, uint32_t n_devices, struct ew_platform *p)
{
    for (uint32_t i = 0; i < n_devices; i++) {
        if (!is_default_profile(p->devices[i].profile)) {
            d->devices[i].cost = (struct ew_profile *)(uintptr_t)p->devices[i].profile;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->n_profiles; i++) {
        if (!is_taken(d, n_devices, p->profiles[i])) {
            p->profiles[kept++] = p->profiles[i];
        }
    }
    p->n_profiles = kept;
}

/* Make the draft's first devices a platform in the old one's place. */
static enum ew_status remake(struct ew_platform **platform, struct draft *d, uint32_t n_devices,
                             struct ew_error *err)
{
    struct ew_platform *old = *platform, *changed = NULL;
    const struct ew_platform_desc desc = {
        .path = old->path,
        .content_hash = old->content_hash,
        .n_devices = n_devices,
        .devices = d->devices,
        .n_links = old->n_links,
        .links = d->links,
        .n_routes = d->n_routes,
        .routes = d->routes,
    };
    move_profiles(d, n_devices, old);
    const enum ew_status status = ew_platform_make(&changed, &desc, err);
    *platform = changed; /* on failure NULL: the profiles are gone */
    ew_platform_free(old);
    return status;
}

enum ew_status ew_platform_keep_devices(struct ew_platform **platform, uint32_t n,
                                        struct ew_error *err)
{
    const struct ew_platform *p = *platform;
    struct draft d = {0};
    if (n > p->n_devices) {
        return ew_fail(err, EW_EINPUT, "%s: expected at most %u devices, found %u asked for",
                       p->path, p->n_devices, n);
    }
    if (n == p->n_devices) {
        return EW_OK;
    }
    enum ew_status status = draft_begin(&d, p, err);
    if (status == EW_OK) {
        uint64_t kept = 0;
        for (uint64_t i = 0; i < d.n_routes; i++) {
            if (d.routes[i].from < n && d.routes[i].to < n) {
                d.routes[kept++] = d.routes[i];
            }
        }
        d.n_routes = kept;
        status = remake(platform, &d, n, err);
    }
    draft_fini(&d);
    return status;
}

enum ew_status ew_platform_override(struct ew_platform **platform, uint32_t n,
                                    const struct ew_override *overrides, uint32_t *bad,
                                    struct ew_error *err)
{
    const struct ew_platform *old = *platform;
    struct draft d = {0};
    if (n == 0) {
        return EW_OK;
    }
    enum ew_status status = draft_begin(&d, old, err);
    for (uint32_t i = 0; status == EW_OK && i < n; i++) {
        status = apply(&d, old, &overrides[i], err);
        if (status != EW_OK) {
            *bad = i;
        }
    }
    if (status == EW_OK) {
        status = remake(platform, &d, old->n_devices, err);
        if (status != EW_OK) {
            (void)ew_prefix(err, "after the overrides: ");
        }
    }
    draft_fini(&d);
    return status;
}

/* Profiles are owned by their platform, so the new one gets copies; their texts stay the base's. */
static enum ew_status copy_profiles(struct draft *d, const struct ew_platform *base,
                                    const struct ew_what_if *what_if, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < base->n_devices; i++) {
        const double ratio = i == what_if->faster_device ? what_if->ratio : 1;
        struct ew_profile *copy = NULL;
        if (i == what_if->without_device) {
            continue;
        }
        if (is_default_profile(base->devices[i].profile)) {
            d->devices[i].speed_flops_per_s *= ratio;
            continue;
        }
        status = ew_profile_scale(&copy, base->devices[i].profile, ratio, err);
        d->devices[i].cost = copy;
    }
    for (uint32_t i = 0; status != EW_OK && i < base->n_devices; i++) {
        ew_profile_free(d->devices[i].cost);
    }
    return status;
}

/* Close the gap that a device leaves. */
static void remove_device(struct draft *d, uint32_t n_devices, uint32_t device)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < d->n_routes; i++) {
        struct ew_route_desc route = d->routes[i];
        if (route.from != device && route.to != device) {
            route.from -= route.from > device;
            route.to -= route.to > device;
            d->routes[kept++] = route;
        }
    }
    d->n_routes = kept;
    for (uint32_t i = device; i + 1 < n_devices; i++) {
        d->devices[i] = d->devices[i + 1];
    }
}

enum ew_status ew_platform_suppose(struct ew_platform **out, const struct ew_platform *base,
                                   const struct ew_what_if *what_if, struct ew_error *err)
{
    struct draft d = {0};
    uint32_t n_devices = base->n_devices;
    enum ew_status status = draft_begin(&d, base, err);
    if (status == EW_OK) {
        status = copy_profiles(&d, base, what_if, err);
    }
    if (status == EW_OK) {
        if (what_if->wider_link < base->n_links) {
            d.links[what_if->wider_link].bandwidth_bytes_per_s *= what_if->ratio;
        }
        if (what_if->without_device < n_devices) {
            remove_device(&d, n_devices, what_if->without_device);
            n_devices--;
        }
        const struct ew_platform_desc desc = {
            .path = base->path,
            .content_hash = base->content_hash,
            .n_devices = n_devices,
            .devices = d.devices,
            .n_links = base->n_links,
            .links = d.links,
            .n_routes = d.n_routes,
            .routes = d.routes,
        };
        status = ew_platform_make(out, &desc, err);
    }
    draft_fini(&d);
    return status;
}
