#include "engine/exec/setup.h"

#include <math.h>
#include <string.h>

/* The fixed part, then links, then per device the route's head and links. */
struct head {
    uint32_t device, n_devices, n_programs, is_emulated, n_links, processor, is_survivor,
        has_kernel_links;
    uint64_t weight_seed, input_seed;
    char kernels[EW_KERNELS_ID_BYTES];
    char shaper[EW_SHAPER_NAME_BYTES];
};

struct route_head {
    double latency_s;
    struct ew_exec_flow flow;
    uint32_t n_links;
    uint32_t reserved;
};

static void put(struct ew_str *out, const void *data, size_t size)
{
    if (size) {
        ew_str_append_n(out, data, size);
    }
}

void ew_exec_setup_put(struct ew_str *out, const struct ew_exec_setup *setup)
{
    struct head head = {setup->device,
                        setup->n_devices,
                        setup->n_programs,
                        setup->is_emulated,
                        setup->n_links,
                        setup->processor,
                        setup->is_survivor,
                        setup->has_kernel_links,
                        setup->weight_seed,
                        setup->input_seed,
                        {0},
                        {0}};
    memcpy(head.kernels, setup->kernels, sizeof head.kernels);
    memcpy(head.shaper, setup->shaper, sizeof head.shaper);
    put(out, &head, sizeof head);
    put(out, setup->links, setup->n_links * sizeof *setup->links);
    for (uint32_t d = 0; d < setup->n_devices; d++) {
        const struct ew_exec_route *route = &setup->routes[d];
        const struct route_head route_head = {route->latency_s, route->flow, route->n_links, 0};
        put(out, &route_head, sizeof route_head);
        put(out, route->links, route->n_links * sizeof *route->links);
    }
}

struct reader {
    const char *bytes;
    size_t left;
};

static bool take(struct reader *r, void *to, size_t size)
{
    if (size > r->left) {
        return false;
    }
    memcpy(to, r->bytes, size);
    r->bytes += size;
    r->left -= size;
    return true;
}

static bool take_route(struct reader *r, struct ew_exec_route *route, struct ew_arena *arena,
                       uint32_t n_links)
{
    struct route_head head;
    if (!take(r, &head, sizeof head) || head.n_links > r->left / sizeof(uint32_t) ||
        !isfinite(head.latency_s) || head.latency_s < 0 ||
        (head.n_links && !(head.flow.weight > 0 && isfinite(head.flow.weight) &&
                           head.flow.slowest_bytes_per_s > 0))) {
        return false;
    }
    const uint32_t *links = ew_arena_copy(arena, r->bytes, head.n_links, sizeof *links);
    if (!links) {
        return false;
    }
    r->bytes += head.n_links * sizeof *links;
    r->left -= head.n_links * sizeof *links;
    for (uint32_t i = 0; i < head.n_links; i++) {
        if (links[i] >= n_links) {
            return false;
        }
    }
    *route = (struct ew_exec_route){head.latency_s, head.flow, head.n_links, links};
    return true;
}

static bool take_all(struct ew_exec_setup *out, struct ew_arena *arena, struct reader *r)
{
    struct head head;
    if (!take(r, &head, sizeof head) || head.n_devices == 0 || head.n_devices > EW_MAX_DEVICES ||
        head.device >= head.n_devices || head.kernels[EW_KERNELS_ID_BYTES - 1] ||
        head.shaper[EW_SHAPER_NAME_BYTES - 1] ||
        head.n_links > r->left / sizeof(struct ew_exec_link)) {
        return false;
    }
    struct ew_exec_link *links = ew_arena_copy(arena, r->bytes, head.n_links, sizeof *links);
    struct ew_exec_route *routes = ew_arena_calloc(arena, head.n_devices, sizeof *routes);
    if (!links || !routes) {
        return false;
    }
    r->bytes += head.n_links * sizeof *links;
    r->left -= head.n_links * sizeof *links;
    for (uint32_t i = 0; i < head.n_links; i++) {
        if (!(links[i].bandwidth_bytes_per_s > 0) || links[i].is_shared > 1) {
            return false;
        }
    }
    for (uint32_t d = 0; d < head.n_devices; d++) {
        if (!take_route(r, &routes[d], arena, head.n_links)) {
            return false;
        }
    }
    *out = (struct ew_exec_setup){.device = head.device,
                                  .n_devices = head.n_devices,
                                  .n_programs = head.n_programs,
                                  .is_emulated = head.is_emulated,
                                  .processor = head.processor,
                                  .is_survivor = head.is_survivor,
                                  .has_kernel_links = head.has_kernel_links,
                                  .weight_seed = head.weight_seed,
                                  .input_seed = head.input_seed,
                                  .n_links = head.n_links,
                                  .links = links,
                                  .routes = routes};
    memcpy(out->kernels, head.kernels, sizeof out->kernels);
    memcpy(out->shaper, head.shaper, sizeof out->shaper);
    return r->left == 0;
}

enum ew_status ew_exec_setup_get(struct ew_exec_setup *out, struct ew_arena *arena,
                                 const char *bytes, size_t size, struct ew_error *err)
{
    struct reader r = {bytes, size};
    return take_all(out, arena, &r) ? EW_OK : ew_fail(err, EW_EINPUT, "setup: malformed");
}
