#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/random_scenario.h"

enum { MAX_DEVICES = 8, MAX_LINKS = 80, MAX_HOPS = 12 };

enum latency_style { LATENCY_EQUAL, LATENCY_UNEQUAL, LATENCY_ZERO, LATENCY_MIXED };

/* A platform being described. */
struct sketch {
    struct ew_rng *rng;
    uint32_t n_devices;
    struct ew_device_desc devices[MAX_DEVICES];
    char device_names[MAX_DEVICES][16];
    enum latency_style latency_style;
    double base_latency_s;
    double base_bytes_per_s;
    bool has_equal_links;
    uint32_t n_links;
    struct ew_link links[MAX_LINKS];
    char link_names[MAX_LINKS][16];
    uint32_t hops[MAX_DEVICES][MAX_DEVICES][MAX_HOPS];
    uint32_t n_hops[MAX_DEVICES][MAX_DEVICES];
};

static double random_latency_s(struct sketch *s)
{
    switch (s->latency_style) {
    case LATENCY_ZERO:
        return 0;
    case LATENCY_EQUAL:
        return s->base_latency_s;
    case LATENCY_MIXED:
        return random_chance(s->rng, 0.5) ? 0 : random_scale(s->rng, 1e-5, 5e-3);
    case LATENCY_UNEQUAL:
        break;
    }
    return random_scale(s->rng, 1e-5, 5e-3);
}

static uint32_t add_link(struct sketch *s, enum ew_link_sharing sharing)
{
    random_insist(s->n_links < MAX_LINKS, "platform: too many links");
    const uint32_t id = s->n_links++;
    (void)snprintf(s->link_names[id], sizeof s->link_names[id], "l%u", (unsigned)id);
    const double bytes_per_s =
        s->has_equal_links ? s->base_bytes_per_s : random_scale(s->rng, 1e5, 2e7);
    s->links[id] = (struct ew_link){s->link_names[id], bytes_per_s, random_latency_s(s), sharing};
    return id;
}

static void add_hop(struct sketch *s, uint32_t from, uint32_t to, uint32_t link)
{
    random_insist(s->n_hops[from][to] < MAX_HOPS, "platform: too many hops");
    s->hops[from][to][s->n_hops[from][to]++] = link;
}

/* Each device behind its own pair of links (or one half-duplex link), perhaps with a backbone. */
static void make_star(struct sketch *s)
{
    const bool is_half_duplex = random_chance(s->rng, 0.3);
    const bool has_backbone = random_chance(s->rng, 0.4);
    const uint32_t backbone =
        has_backbone ? add_link(s, random_chance(s->rng, 0.5) ? EW_LINK_FATPIPE : EW_LINK_SHARED)
                     : 0;
    uint32_t up[MAX_DEVICES], down[MAX_DEVICES];
    for (uint32_t d = 0; d < s->n_devices; d++) {
        up[d] = add_link(s, EW_LINK_SHARED);
        down[d] = is_half_duplex ? up[d] : add_link(s, EW_LINK_SHARED);
    }
    for (uint32_t a = 0; a < s->n_devices; a++) {
        for (uint32_t b = 0; b < s->n_devices; b++) {
            if (a != b) {
                add_hop(s, a, b, up[a]);
                if (has_backbone) {
                    add_hop(s, a, b, backbone);
                }
                add_hop(s, a, b, down[b]);
            }
        }
    }
}

/* One medium for all; a relayed pair names it twice. */
static void make_medium(struct sketch *s)
{
    const uint32_t medium = add_link(s, EW_LINK_SHARED);
    const uint32_t access_point =
        random_chance(s->rng, 0.5) ? (uint32_t)random_int(s->rng, 0, MAX_DEVICES) : MAX_DEVICES;
    for (uint32_t a = 0; a < s->n_devices; a++) {
        for (uint32_t b = 0; b < s->n_devices; b++) {
            if (a != b) {
                add_hop(s, a, b, medium);
                if (access_point < s->n_devices && a != access_point && b != access_point) {
                    add_hop(s, a, b, medium);
                }
            }
        }
    }
}

/* Devices in a row; a route takes every link between. */
static void make_row(struct sketch *s)
{
    const bool is_half_duplex = random_chance(s->rng, 0.3);
    uint32_t right[MAX_DEVICES], left[MAX_DEVICES];
    for (uint32_t d = 0; d + 1 < s->n_devices; d++) {
        right[d] = add_link(s, EW_LINK_SHARED);
        left[d] = is_half_duplex ? right[d] : add_link(s, EW_LINK_SHARED);
    }
    for (uint32_t a = 0; a < s->n_devices; a++) {
        for (uint32_t d = a; d + 1 < s->n_devices; d++) {
            for (uint32_t b = d + 1; b < s->n_devices; b++) {
                add_hop(s, a, b, right[d]);
            }
        }
        for (uint32_t d = a; d > 0; d--) {
            for (uint32_t b = 0; b < d; b++) {
                add_hop(s, a, b, left[d - 1]);
            }
        }
    }
}

/* A link of its own for every ordered pair. */
static void make_mesh(struct sketch *s)
{
    for (uint32_t a = 0; a < s->n_devices; a++) {
        for (uint32_t b = 0; b < s->n_devices; b++) {
            if (a != b) {
                add_hop(s, a, b, add_link(s, EW_LINK_SHARED));
            }
        }
    }
}

/* Rates per class and an overhead per layer; parameters a real device could have, scaled down. */
static struct ew_profile *random_profile(struct ew_rng *rng, double flops_per_s)
{
    struct ew_profile *profile = ew_profile_make_rate("random", flops_per_s);
    random_insist(profile != NULL, "out of memory");
    if (random_chance(rng, 0.5)) {
        profile->kind = EW_PROFILE_CLASS_RATES;
        for (int i = 0; i < EW_RATE_COUNT; i++) {
            profile->class_flops_per_s[i] = flops_per_s * (1 + ew_rng_unit(rng));
        }
        profile->simple_ops_per_s = flops_per_s;
        profile->activation_bytes_per_s = random_chance(rng, 0.5) ? 2 * flops_per_s : 0;
        profile->layer_overhead_s = random_scale(rng, 1e-6, 1e-4);
    }
    profile->load_bytes_per_s = random_scale(rng, 1e6, 1e8);
    struct ew_error err = {0};
    random_insist(ew_profile_check(profile, &err) == EW_OK, err.message);
    return profile;
}

static void make_devices(struct sketch *s)
{
    const bool is_homogeneous = random_chance(s->rng, 0.4);
    const bool has_overheads = random_chance(s->rng, 0.4);
    const double base = random_scale(s->rng, 1e6, 1e9);
    const double overhead_s = random_scale(s->rng, 1e-5, 1e-3);
    struct ew_profile *common =
        is_homogeneous && random_chance(s->rng, 0.5) ? random_profile(s->rng, base) : NULL;
    for (uint32_t d = 0; d < s->n_devices; d++) {
        const double speed = is_homogeneous ? base : random_scale(s->rng, base / 8, base * 8);
        const bool has_profile = !is_homogeneous && random_chance(s->rng, 0.3);
        (void)snprintf(s->device_names[d], sizeof s->device_names[d], "d%u", (unsigned)d);
        s->devices[d] = (struct ew_device_desc){
            .name = s->device_names[d],
            .cost = has_profile ? random_profile(s->rng, speed) : common,
            .speed_flops_per_s = speed,
            .message_overhead_s =
                has_overheads && random_chance(s->rng, 0.8)
                    ? (is_homogeneous ? overhead_s : random_scale(s->rng, 1e-5, 1e-3))
                    : 0,
            .has_power = true,
            .off_w = 0.1,
            .idle_w = random_scale(s->rng, 0.5, 5),
            .compute_w = random_scale(s->rng, 5, 20),
            .tx_w = random_scale(s->rng, 0.1, 2),
            .rx_w = random_scale(s->rng, 0.1, 2),
        };
    }
}

static struct ew_platform *finish(const struct sketch *s)
{
    struct ew_route_desc routes[MAX_DEVICES * MAX_DEVICES];
    uint64_t n = 0;
    for (uint32_t a = 0; a < s->n_devices; a++) {
        for (uint32_t b = 0; b < s->n_devices; b++) {
            if (a != b) {
                routes[n++] = (struct ew_route_desc){a, b, s->n_hops[a][b], s->hops[a][b]};
            }
        }
    }
    const struct ew_platform_desc desc = {
        .path = "",
        .n_devices = s->n_devices,
        .devices = s->devices,
        .n_links = s->n_links,
        .links = s->links,
        .n_routes = n,
        .routes = routes,
    };
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    random_insist(ew_platform_make(&platform, &desc, &err) == EW_OK, err.message);
    return platform;
}

struct ew_platform *random_platform(struct ew_rng *rng)
{
    static const enum latency_style styles[] = {LATENCY_EQUAL,   LATENCY_EQUAL, LATENCY_UNEQUAL,
                                                LATENCY_UNEQUAL, LATENCY_ZERO,  LATENCY_MIXED};
    struct sketch *s = calloc(1, sizeof *s);
    random_insist(s != NULL, "out of memory");
    s->rng = rng;
    s->n_devices = (uint32_t)random_int(rng, 2, MAX_DEVICES);
    s->latency_style = styles[random_int(rng, 0, 5)];
    s->base_latency_s = random_scale(rng, 1e-5, 5e-3);
    s->base_bytes_per_s = random_scale(rng, 1e5, 2e7);
    s->has_equal_links = random_chance(rng, 0.4);
    make_devices(s);
    switch (random_int(rng, 0, 5)) {
    case 0:
    case 1:
    case 2:
        make_star(s);
        break;
    case 3:
        make_medium(s);
        break;
    case 4:
        make_row(s);
        break;
    default:
        make_mesh(s);
        break;
    }
    struct ew_platform *platform = finish(s);
    free(s);
    return platform;
}
