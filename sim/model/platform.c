#include "model/platform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Ranges that keep times and energies finite. */
static const double MIN_FLOPS = 1;
static const double MIN_BANDWIDTH = 1e-3;
static const double MAX_RATE = 1e24;
static const double MAX_WATTS = 1e9;
static const double MAX_SECONDS = 1e6;

/* A name and where it came from, for sorting. */
struct named {
    const char *name;
    uint32_t index;
};

static int by_name_then_index(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* A profile pointer and the device that names it, for finding repeats. */
struct owned {
    struct ew_profile *profile;
    uint32_t index;
};

static int by_address_then_index(const void *a, const void *b)
{
    const struct owned *x = a, *y = b;
    const uintptr_t p = (uintptr_t)x->profile, q = (uintptr_t)y->profile;
    return p != q ? (p > q) - (p < q) : (x->index > y->index) - (x->index < y->index);
}

static int by_index(const void *a, const void *b)
{
    const struct owned *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* --- validation ------------------------------------------------------------------------------ */

static bool in_range(double value, double least, double most)
{
    return value >= least && value <= most; /* false for NaN */
}

static enum ew_status check_watts(const struct ew_device_desc *d, struct ew_error *err)
{
    const struct {
        const char *field;
        double w;
    } watts[] = {{"off_w", d->off_w},
                 {"idle_w", d->idle_w},
                 {"compute_w", d->compute_w},
                 {"tx_w", d->tx_w},
                 {"rx_w", d->rx_w}};
    for (size_t i = 0; i < sizeof watts / sizeof *watts; i++) {
        if (!in_range(watts[i].w, 0, MAX_WATTS)) {
            return ew_fail(err, EW_EINPUT, "device '%s': %s: expected 0 .. %g W, found %g", d->name,
                           watts[i].field, MAX_WATTS, watts[i].w);
        }
    }
    if (d->compute_w < d->idle_w) {
        return ew_fail(err, EW_EINPUT,
                       "device '%s': expected computing to take at least the idle power, found "
                       "%g W computing and %g W idle",
                       d->name, d->compute_w, d->idle_w);
    }
    return EW_OK;
}

static enum ew_status check_device(const struct ew_device_desc *d, uint32_t index,
                                   struct ew_error *err)
{
    if (!d->name || !*d->name) {
        return ew_fail(err, EW_EINPUT, "device %u: expected a name", index);
    }
    if (!in_range(d->speed_flops_per_s, MIN_FLOPS, MAX_RATE)) {
        return ew_fail(err, EW_EINPUT, "device '%s': speed: expected %g .. %g FLOP/s, found %g",
                       d->name, MIN_FLOPS, MAX_RATE, d->speed_flops_per_s);
    }
    if (!in_range(d->message_overhead_s, 0, MAX_SECONDS)) {
        return ew_fail(err, EW_EINPUT,
                       "device '%s': message_overhead_s: expected 0 .. %g s, found %g", d->name,
                       MAX_SECONDS, d->message_overhead_s);
    }
    return check_watts(d, err);
}

static enum ew_status check_link(const struct ew_link *link, uint32_t index, struct ew_error *err)
{
    if (!link->name || !*link->name) {
        return ew_fail(err, EW_EINPUT, "link %u: expected a name", index);
    }
    if (!in_range(link->bandwidth_bytes_per_s, MIN_BANDWIDTH, MAX_RATE)) {
        return ew_fail(err, EW_EINPUT, "link '%s': bandwidth: expected %g .. %g bytes/s, found %g",
                       link->name, MIN_BANDWIDTH, MAX_RATE, link->bandwidth_bytes_per_s);
    }
    if (!in_range(link->latency_s, 0, MAX_SECONDS)) {
        return ew_fail(err, EW_EINPUT, "link '%s': latency: expected 0 .. %g s, found %g",
                       link->name, MAX_SECONDS, link->latency_s);
    }
    return EW_OK;
}

static enum ew_status check_distinct(struct named *names, uint32_t n, const char *what,
                                     struct ew_error *err)
{
    qsort(names, n, sizeof *names, by_name_then_index);
    for (uint32_t i = 1; i < n; i++) {
        if (strcmp(names[i - 1].name, names[i].name) == 0) {
            return ew_fail(err, EW_EINPUT, "%ss %u and %u are both named '%s'", what,
                           names[i - 1].index, names[i].index, names[i].name);
        }
    }
    return EW_OK;
}

static enum ew_status check_names(const struct ew_platform_desc *desc, struct ew_error *err)
{
    const uint32_t most = desc->n_devices > desc->n_links ? desc->n_devices : desc->n_links;
    struct named *names = calloc(most, sizeof *names);
    if (!names) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < desc->n_devices; i++) {
        names[i] = (struct named){desc->devices[i].name, i};
    }
    enum ew_status status = check_distinct(names, desc->n_devices, "device", err);
    if (status == EW_OK) {
        for (uint32_t i = 0; i < desc->n_links; i++) {
            names[i] = (struct named){desc->links[i].name, i};
        }
        status = check_distinct(names, desc->n_links, "link", err);
    }
    free(names);
    return status;
}

static enum ew_status check_route(const struct ew_platform_desc *desc,
                                  const struct ew_route_desc *route, struct ew_error *err)
{
    if (route->from >= desc->n_devices || route->to >= desc->n_devices) {
        return ew_fail(err, EW_EINPUT, "route %u -> %u: expected devices below %u", route->from,
                       route->to, desc->n_devices);
    }
    for (uint32_t i = 0; i < route->n_links; i++) {
        if (route->links[i] >= desc->n_links) {
            return ew_fail(err, EW_EINPUT, "route '%s' -> '%s': expected links below %u, found %u",
                           desc->devices[route->from].name, desc->devices[route->to].name,
                           desc->n_links, route->links[i]);
        }
    }
    return EW_OK;
}

static enum ew_status check_desc(const struct ew_platform_desc *desc, struct ew_error *err)
{
    if (desc->n_devices == 0 || desc->n_devices > EW_MAX_DEVICES) {
        return ew_fail(err, EW_EINPUT, "expected 1 .. %d devices (hosts), found %u", EW_MAX_DEVICES,
                       desc->n_devices);
    }
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < desc->n_devices; i++) {
        status = check_device(&desc->devices[i], i, err);
    }
    for (uint32_t i = 0; status == EW_OK && i < desc->n_links; i++) {
        status = check_link(&desc->links[i], i, err);
    }
    if (status == EW_OK) {
        status = check_names(desc, err);
    }
    for (uint64_t i = 0; status == EW_OK && i < desc->n_routes; i++) {
        status = check_route(desc, &desc->routes[i], err);
    }
    return status;
}

/* --- building -------------------------------------------------------------------------------- */

/* The distinct profiles of `desc` in order of first use. Returns their number; `list` has room for
 * one per device. */
static uint32_t collect_profiles(struct owned *list, const struct ew_platform_desc *desc)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < desc->n_devices; i++) {
        if (desc->devices[i].cost) {
            list[n++] = (struct owned){desc->devices[i].cost, i};
        }
    }
    qsort(list, n, sizeof *list, by_address_then_index);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (kept == 0 || list[kept - 1].profile != list[i].profile) {
            list[kept++] = list[i];
        }
    }
    qsort(list, kept, sizeof *list, by_index);
    return kept;
}

/* Take the profiles named by `desc`; on failure they are freed (the caller gave them away). */
static enum ew_status take_profiles(struct ew_platform *p, const struct ew_platform_desc *desc,
                                    struct ew_error *err)
{
    struct owned *list = calloc(desc->n_devices ? desc->n_devices : 1, sizeof *list);
    if (!list) {
        return ew_fail_memory(err); /* nothing known of repeats: leaking beats a double free */
    }
    const uint32_t n = collect_profiles(list, desc);
    /* room for a default profile per device */
    p->profiles = ew_arena_calloc(&p->arena, (size_t)n + desc->n_devices, sizeof *p->profiles);
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < n; i++) {
        if (p->profiles) {
            p->profiles[p->n_profiles++] = list[i].profile;
        } else {
            ew_profile_free(list[i].profile);
            status = ew_fail_memory(err);
        }
    }
    free(list);
    return p->profiles ? status : ew_fail_memory(err);
}

/* The default profile: kind rate at the device's speed; devices in a row share one. */
static const struct ew_profile *default_profile(struct ew_platform *p, double speed_flops_per_s,
                                                const struct ew_profile *last)
{
    if (last && last->flops_per_s == speed_flops_per_s) {
        return last;
    }
    char speed[32], name[64] = "rate_";
    ew_format_double(speed, speed_flops_per_s);
    strncat(name, speed, sizeof name - sizeof "rate_");
    struct ew_profile *made = ew_profile_make_rate(name, speed_flops_per_s);
    if (made) {
        p->profiles[p->n_profiles++] = made;
    }
    return made;
}

static enum ew_status build_devices(struct ew_platform *p, const struct ew_platform_desc *desc,
                                    struct ew_error *err)
{
    struct ew_device *devices = ew_arena_calloc(&p->arena, desc->n_devices, sizeof *devices);
    if (!devices) {
        return ew_fail_memory(err);
    }
    const struct ew_profile *last_default = NULL;
    for (uint32_t i = 0; i < desc->n_devices; i++) {
        const struct ew_device_desc *d = &desc->devices[i];
        const struct ew_profile *profile = d->cost;
        if (!profile) {
            profile = last_default = default_profile(p, d->speed_flops_per_s, last_default);
        }
        devices[i] = (struct ew_device){
            .name = ew_arena_strdup(&p->arena, d->name),
            .speed_flops_per_s = d->speed_flops_per_s,
            .profile = profile,
            .memory_bytes = d->memory_bytes,
            .message_overhead_s = d->message_overhead_s,
            .has_power = d->has_power,
            .off_w = d->off_w,
            .idle_w = d->idle_w,
            .compute_w = d->compute_w,
            .tx_w = d->tx_w,
            .rx_w = d->rx_w,
        };
        if (!devices[i].name || !profile) {
            return ew_fail_memory(err);
        }
    }
    p->n_devices = desc->n_devices;
    p->devices = devices;
    return EW_OK;
}

/* Give every device its node: sorted by name, equal names fall together; nodes are then numbered
 * by their first device. `first` and `node_of` have one entry per device. */
static uint32_t number_nodes(uint32_t *node_of, struct named *sorted,
                             const struct ew_platform_desc *desc)
{
    const uint32_t n = desc->n_devices;
    for (uint32_t i = 0; i < n; i++) {
        const struct ew_device_desc *d = &desc->devices[i];
        sorted[i] = (struct named){d->node ? d->node : d->name, i};
    }
    qsort(sorted, n, sizeof *sorted, by_name_then_index);
    for (uint32_t i = 0; i < n; i++) {
        const bool same = i > 0 && strcmp(sorted[i - 1].name, sorted[i].name) == 0;
        /* for now: the first device of the node, which has the smallest index */
        node_of[sorted[i].index] = same ? node_of[sorted[i - 1].index] : sorted[i].index;
    }
    uint32_t n_nodes = 0;
    for (uint32_t i = 0; i < n; i++) {
        node_of[i] = node_of[i] == i ? n_nodes++ : node_of[node_of[i]];
    }
    return n_nodes;
}

static enum ew_status fill_nodes(struct ew_platform *p, const uint32_t *node_of,
                                 const struct ew_platform_desc *desc, struct ew_error *err)
{
    struct ew_node *nodes = ew_arena_calloc(&p->arena, p->n_nodes, sizeof *nodes);
    uint32_t *members = ew_arena_calloc(&p->arena, p->n_devices, sizeof *members);
    if (!nodes || !members) {
        return ew_fail_memory(err);
    }
    struct ew_device *devices = (struct ew_device *)(uintptr_t)p->devices;
    for (uint32_t i = 0; i < p->n_devices; i++) {
        devices[i].node = node_of[i];
        nodes[node_of[i]].n_devices++;
    }
    uint32_t start = 0;
    for (uint32_t k = 0; k < p->n_nodes; k++) {
        nodes[k].devices = members + start;
        start += nodes[k].n_devices;
        nodes[k].n_devices = 0;
    }
    for (uint32_t i = 0; i < p->n_devices; i++) {
        struct ew_node *node = &nodes[node_of[i]];
        const struct ew_device_desc *d = &desc->devices[i];
        if (node->n_devices == 0) {
            node->name = d->node ? ew_arena_strdup(&p->arena, d->node) : p->devices[i].name;
        }
        members[node->devices - members + node->n_devices++] = i;
        if (!node->name) {
            return ew_fail_memory(err);
        }
    }
    p->nodes = nodes;
    return EW_OK;
}

static enum ew_status build_nodes(struct ew_platform *p, const struct ew_platform_desc *desc,
                                  struct ew_error *err)
{
    struct named *sorted = calloc(p->n_devices, sizeof *sorted);
    uint32_t *node_of = calloc(p->n_devices, sizeof *node_of);
    enum ew_status status;
    if (sorted && node_of) {
        p->n_nodes = number_nodes(node_of, sorted, desc);
        status = fill_nodes(p, node_of, desc, err);
    } else {
        status = ew_fail_memory(err);
    }
    free(node_of);
    free(sorted);
    return status;
}

static enum ew_status build_links(struct ew_platform *p, const struct ew_platform_desc *desc,
                                  struct ew_error *err)
{
    struct ew_link *links = ew_arena_copy(&p->arena, desc->links, desc->n_links, sizeof *links);
    if (!links) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < desc->n_links; i++) {
        links[i].name = ew_arena_strdup(&p->arena, desc->links[i].name);
        if (!links[i].name) {
            return ew_fail_memory(err);
        }
    }
    p->n_links = desc->n_links;
    p->links = links;
    return EW_OK;
}

void ew_route_measure(struct ew_route *route, const struct ew_link *links, uint32_t *times_named)
{
    route->latency_s = 0;
    route->bottleneck_bytes_per_s = INFINITY;
    for (uint32_t i = 0; i < route->n_links; i++) {
        const struct ew_link *link = &links[route->links[i]];
        const uint32_t times = ++times_named[route->links[i]];
        const double divisor = link->sharing == EW_LINK_FATPIPE ? 1 : times;
        route->latency_s += link->latency_s;
        route->bottleneck_bytes_per_s =
            fmin(route->bottleneck_bytes_per_s, link->bandwidth_bytes_per_s / divisor);
    }
    for (uint32_t i = 0; i < route->n_links; i++) {
        times_named[route->links[i]] = 0;
    }
    if (route->n_links == 0) {
        route->bottleneck_bytes_per_s = 0;
    }
}

static enum ew_status fill_routes(struct ew_platform *p, const struct ew_platform_desc *desc,
                                  struct ew_route *routes, struct ew_error *err)
{
    uint32_t *times_named = calloc((size_t)p->n_links + 1, sizeof *times_named);
    if (!times_named) {
        return ew_fail_memory(err);
    }
    enum ew_status status = EW_OK;
    for (uint64_t i = 0; status == EW_OK && i < desc->n_routes; i++) {
        const struct ew_route_desc *from = &desc->routes[i];
        if (from->from == from->to || from->n_links == 0) {
            continue;
        }
        struct ew_route *to = &routes[(uint64_t)from->from * p->n_devices + from->to];
        if (to->n_links) {
            status = ew_fail(err, EW_EINPUT, "route '%s' -> '%s': expected one, found a second",
                             p->devices[from->from].name, p->devices[from->to].name);
            break;
        }
        to->n_links = from->n_links;
        to->links = ew_arena_copy(&p->arena, from->links, from->n_links, sizeof *from->links);
        if (to->links) {
            ew_route_measure(to, p->links, times_named);
        } else {
            status = ew_fail_memory(err);
        }
    }
    free(times_named);
    return status;
}

static enum ew_status build_routes(struct ew_platform *p, const struct ew_platform_desc *desc,
                                   struct ew_error *err)
{
    const size_t n = (size_t)p->n_devices * p->n_devices;
    struct ew_route *routes = ew_arena_calloc(&p->arena, n, sizeof *routes);
    if (!routes) {
        return ew_fail_memory(err);
    }
    p->routes = routes;
    return fill_routes(p, desc, routes, err);
}

/* SimGrid weighs a flow by 1/(sum of latencies), and by 1 when that sum is 0: next to a route of
 * 1 ms a route without latency then gets a thousandth of a link. */
static enum ew_status warn_about_latencies(struct ew_platform *p, struct ew_error *err)
{
    const struct ew_route *zero = NULL, *other = NULL;
    const size_t n = (size_t)p->n_devices * p->n_devices;
    for (size_t i = 0; i < n && !(zero && other); i++) {
        if (p->routes[i].n_links && p->routes[i].latency_s > 0) {
            other = other ? other : &p->routes[i];
        } else if (p->routes[i].n_links) {
            zero = zero ? zero : &p->routes[i];
        }
    }
    if (!zero || !other) {
        return EW_OK;
    }
    const size_t z = (size_t)(zero - p->routes), o = (size_t)(other - p->routes);
    struct ew_str text = {0};
    ew_str_printf(&text,
                  "route '%s' -> '%s' has no latency and '%s' -> '%s' has %g s: on a link they "
                  "share, the first gets almost nothing (flows are weighed by 1/latency)",
                  p->devices[z / p->n_devices].name, p->devices[z % p->n_devices].name,
                  p->devices[o / p->n_devices].name, p->devices[o % p->n_devices].name,
                  other->latency_s);
    const char **warnings = ew_arena_calloc(&p->arena, 1, sizeof *warnings);
    char *copy = text.failed ? NULL : ew_arena_strdup(&p->arena, ew_str_text(&text));
    ew_str_fini(&text);
    if (!warnings || !copy) {
        return ew_fail_memory(err);
    }
    warnings[0] = copy;
    p->warnings = warnings;
    p->n_warnings = 1;
    return EW_OK;
}

enum ew_status ew_platform_make(struct ew_platform **out, const struct ew_platform_desc *desc,
                                struct ew_error *err)
{
    struct ew_platform *p = calloc(1, sizeof *p);
    if (!p) {
        return ew_fail_memory(err);
    }
    enum ew_status status = take_profiles(p, desc, err);
    if (status == EW_OK) {
        status = check_desc(desc, err);
    }
    if (status == EW_OK) {
        status = build_devices(p, desc, err);
    }
    if (status == EW_OK) {
        status = build_nodes(p, desc, err);
    }
    if (status == EW_OK) {
        status = build_links(p, desc, err);
    }
    if (status == EW_OK) {
        status = build_routes(p, desc, err);
    }
    if (status == EW_OK) {
        status = warn_about_latencies(p, err);
    }
    if (status == EW_OK) {
        p->content_hash = desc->content_hash;
        p->path = ew_arena_strdup(&p->arena, desc->path ? desc->path : "");
        status = p->path ? EW_OK : ew_fail_memory(err);
    }
    if (status == EW_OK) {
        *out = p;
    } else {
        ew_platform_free(p);
    }
    return status;
}

void ew_platform_free(struct ew_platform *platform)
{
    if (!platform) {
        return;
    }
    for (uint32_t i = 0; i < platform->n_profiles; i++) {
        ew_profile_free(platform->profiles[i]);
    }
    ew_arena_fini(&platform->arena);
    free(platform);
}

bool ew_platform_find_device(uint32_t *out, const struct ew_platform *platform, const char *name)
{
    for (uint32_t i = 0; i < platform->n_devices; i++) {
        if (strcmp(platform->devices[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

double ew_platform_transfer_s(const struct ew_platform *platform, uint32_t from, uint32_t to,
                              uint64_t bytes)
{
    if (from == to) {
        return 0;
    }
    const struct ew_route *route = ew_platform_route(platform, from, to);
    if (route->n_links == 0) {
        return INFINITY;
    }
    return platform->devices[from].message_overhead_s + route->latency_s +
           (double)bytes / route->bottleneck_bytes_per_s;
}
