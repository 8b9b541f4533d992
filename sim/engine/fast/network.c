#include "engine/fast/network.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ set-up */

static uint64_t count_route_links(const struct ew_core *core, const struct ew_platform *platform)
{
    uint64_t n = 0;
    for (uint32_t c = 0; c < ew_core_connection_count(core); c++) {
        const struct ew_connection pair = ew_core_connection(core, c);
        n += ew_platform_route(platform, pair.from, pair.to)->n_links;
    }
    return n;
}

/* One hop per distinct link, in route order. Routes are short. */
static uint32_t add_hops(struct net_hop *hops, const struct ew_route *route)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < route->n_links; i++) {
        uint32_t k = 0;
        while (k < n && hops[k].link != route->links[i]) {
            k++;
        }
        if (k == n) {
            hops[n++] = (struct net_hop){.link = route->links[i]};
        }
        hops[k].times += 1;
    }
    return n;
}

enum ew_status ew_network_init(struct ew_network *network, const struct ew_core *core,
                               const struct ew_platform *platform, const struct ew_net_model *model,
                               struct ew_error *err)
{
    const uint32_t n_flows = ew_core_connection_count(core);
    *network =
        (struct ew_network){.model = model, .n_flows = n_flows, .n_links = platform->n_links};
    network->flows = calloc(n_flows + 1u, sizeof *network->flows);
    network->hops = calloc(count_route_links(core, platform) + 1, sizeof *network->hops);
    network->links = calloc(platform->n_links + 1u, sizeof *network->links);
    network->dirty_links = calloc(platform->n_links + 1u, sizeof *network->dirty_links);
    network->component_links = calloc(platform->n_links + 1u, sizeof *network->component_links);
    network->component_flows = calloc(n_flows + 1u, sizeof *network->component_flows);
    if (!network->flows || !network->hops || !network->links || !network->dirty_links ||
        !network->component_links || !network->component_flows ||
        !ew_heap_init(&network->levels, platform->n_links)) {
        return ew_fail_memory(err);
    }
    uint32_t first = 0;
    for (uint32_t f = 0; f < n_flows; f++) {
        const struct ew_connection pair = ew_core_connection(core, f);
        const struct ew_route *route = ew_platform_route(platform, pair.from, pair.to);
        network->flows[f].first_hop = first;
        network->flows[f].n_hops = add_hops(network->hops + first, route);
        const double latency_s = ew_core_latency_s(core, f);
        network->flows[f].latency_s = latency_s * model->latency_factor;
        network->flows[f].penalty = ew_net_flow_penalty(model, platform, route, latency_s);
        for (uint32_t h = 0; h < network->flows[f].n_hops; h++) {
            struct net_hop *hop = &network->hops[first + h];
            hop->weight = hop->times / network->flows[f].penalty;
        }
        first += network->flows[f].n_hops;
    }
    for (uint32_t l = 0; l < platform->n_links; l++) {
        network->links[l].capacity_bytes_per_s =
            platform->links[l].bandwidth_bytes_per_s * model->bandwidth_factor;
        network->links[l].is_fatpipe = platform->links[l].sharing == EW_LINK_FATPIPE;
    }
    return EW_OK;
}

void ew_network_fini(struct ew_network *network)
{
    for (uint32_t l = 0; network->links && l < network->n_links; l++) {
        free(network->links[l].members);
    }
    free(network->flows);
    free(network->hops);
    free(network->links);
    free(network->dirty_links);
    free(network->component_links);
    free(network->component_flows);
    ew_heap_fini(&network->levels);
    *network = (struct ew_network){0};
}

/* ------------------------------------------------------------------------------------ changes */

static void touch_link(struct ew_network *network, uint32_t l, double time_s)
{
    if (network->n_dirty == 0 || time_s < network->changed_s) {
        network->changed_s = time_s;
    }
    if (!network->links[l].is_dirty) {
        network->links[l].is_dirty = true;
        network->dirty_links[network->n_dirty++] = l;
    }
}

static bool add_member(struct net_link *link, struct net_member member)
{
    if (link->count == link->capacity) {
        const uint32_t wanted = link->capacity ? link->capacity * 2 : 4;
        void *p = realloc(link->members, wanted * sizeof *link->members);
        if (!p) {
            return false;
        }
        link->members = p;
        link->capacity = wanted;
    }
    link->members[link->count++] = member;
    return true;
}

bool ew_network_begin(struct ew_network *network, uint32_t f, uint64_t bytes, double time_s)
{
    struct net_flow *flow = &network->flows[f];
    flow->remaining_bytes = (double)bytes;
    flow->rate_bytes_per_s = 0;
    flow->updated_s = time_s;
    flow->is_active = true;
    flow->is_new = true;
    for (uint32_t h = 0; h < flow->n_hops; h++) {
        struct net_hop *hop = &network->hops[flow->first_hop + h];
        struct net_link *link = &network->links[hop->link];
        hop->position = link->count;
        if (!add_member(link, (struct net_member){f, h, hop->weight})) {
            return false;
        }
        touch_link(network, hop->link, time_s);
    }
    return true;
}

void ew_network_end(struct ew_network *network, uint32_t f, double time_s)
{
    struct net_flow *flow = &network->flows[f];
    flow->is_active = false;
    for (uint32_t h = 0; h < flow->n_hops; h++) {
        const struct net_hop *hop = &network->hops[flow->first_hop + h];
        struct net_link *link = &network->links[hop->link];
        const struct net_member last = link->members[--link->count];
        link->members[hop->position] = last;
        network->hops[network->flows[last.flow].first_hop + last.hop].position = hop->position;
        touch_link(network, hop->link, time_s);
    }
}

/* With weight_s the weights would follow the bandwidth in SimGrid, too; it does not do so for flows
 * that are still in their latency, and so we keep the platform's. */
void ew_network_set_bandwidth(struct ew_network *network, uint32_t link, double bytes_per_s,
                              double time_s)
{
    network->links[link].capacity_bytes_per_s = bytes_per_s * network->model->bandwidth_factor;
    touch_link(network, link, time_s);
}

/* ------------------------------------------------------------------------------------- sharing */

/* All links and flows that hang together with link `start`. */
static void find_component(struct ew_network *network, uint32_t start, uint32_t *n_links,
                           uint32_t *n_flows)
{
    uint32_t nl = 0, nf = 0;
    network->links[start].seen = network->mark;
    network->component_links[nl++] = start;
    for (uint32_t i = 0; i < nl; i++) {
        const struct net_link *link = &network->links[network->component_links[i]];
        for (uint32_t m = 0; m < link->count; m++) {
            const uint32_t f = link->members[m].flow;
            struct net_flow *flow = &network->flows[f];
            if (flow->seen == network->mark) {
                continue;
            }
            flow->seen = network->mark;
            flow->new_rate = -1;
            network->component_flows[nf++] = f;
            for (uint32_t h = 0; h < flow->n_hops; h++) {
                struct net_link *next = &network->links[network->hops[flow->first_hop + h].link];
                if (next->seen != network->mark) {
                    next->seen = network->mark;
                    network->component_links[nl++] = network->hops[flow->first_hop + h].link;
                }
            }
        }
    }
    *n_links = nl;
    *n_flows = nf;
}

/* Level at which the link fills: rate of an undecided flow = level / penalty. A fatpipe does not
 * add flows up; SimGrid lets the most demanding one set the level for all of them. */
static double link_level(const struct ew_network *network, const struct net_link *link)
{
    if (!link->is_fatpipe) {
        return link->left > 0 ? link->left / link->weight : 0;
    }
    double largest = 0;
    for (uint32_t m = 0; m < link->count; m++) {
        const struct net_member *member = &link->members[m];
        if (network->flows[member->flow].new_rate < 0 && member->weight > largest) {
            largest = member->weight;
        }
    }
    return link->capacity_bytes_per_s / largest;
}

static void open_link(struct ew_network *network, uint32_t l)
{
    struct net_link *link = &network->links[l];
    link->left = link->capacity_bytes_per_s;
    link->weight = 0;
    link->n_undecided = link->count;
    for (uint32_t m = 0; m < link->count; m++) {
        link->weight += link->members[m].weight;
    }
    if (link->count) {
        ew_heap_set(&network->levels, l, link_level(network, link));
    }
}

static void decide_flow(struct ew_network *network, uint32_t f, double level)
{
    struct net_flow *flow = &network->flows[f];
    flow->new_rate = level / flow->penalty;
    for (uint32_t h = 0; h < flow->n_hops; h++) {
        const struct net_hop *hop = &network->hops[flow->first_hop + h];
        struct net_link *link = &network->links[hop->link];
        link->left -= hop->times * flow->new_rate;
        link->weight -= hop->weight;
        link->n_undecided--;
        if (!ew_heap_has(&network->levels, hop->link)) {
            continue;
        }
        if (link->n_undecided == 0) {
            ew_heap_remove(&network->levels, hop->link);
        } else {
            ew_heap_set(&network->levels, hop->link, link_level(network, link));
        }
    }
}

static void fill_progressively(struct ew_network *network)
{
    while (network->levels.count) {
        const struct ew_heap_entry full = ew_heap_pop(&network->levels);
        const struct net_link *link = &network->links[full.id];
        for (uint32_t m = 0; m < link->count; m++) {
            const uint32_t f = link->members[m].flow;
            if (network->flows[f].new_rate < 0) {
                decide_flow(network, f, full.key);
            }
        }
    }
}

static void share_alone(struct ew_network *network, uint32_t f)
{
    struct net_flow *flow = &network->flows[f];
    double rate = -1;
    for (uint32_t h = 0; h < flow->n_hops; h++) {
        const struct net_hop *hop = &network->hops[flow->first_hop + h];
        const double possible = network->links[hop->link].capacity_bytes_per_s / hop->times;
        rate = rate < 0 || possible < rate ? possible : rate;
    }
    flow->new_rate = rate;
}

static void apply_rate(struct net_flow *flow, uint32_t id, double time_s, struct ew_heap *heap)
{
    const bool is_new = flow->is_new; /* has its rate from its own beginning on */
    flow->is_new = false;
    if (flow->new_rate == flow->rate_bytes_per_s) {
        return;
    }
    const double elapsed_s = time_s - flow->updated_s;
    if (elapsed_s > 0 && !is_new) {
        flow->remaining_bytes -= flow->rate_bytes_per_s * elapsed_s;
        flow->updated_s = time_s;
    }
    if (flow->remaining_bytes < 0) {
        flow->remaining_bytes = 0;
    }
    flow->rate_bytes_per_s = flow->new_rate;
    if (!(flow->rate_bytes_per_s > 0)) { /* stalled */
        ew_heap_remove(heap, id);
        return;
    }
    ew_heap_set(heap, id, flow->updated_s + flow->remaining_bytes / flow->rate_bytes_per_s);
}

void ew_network_share(struct ew_network *network, struct ew_heap *event_heap, uint32_t first_id)
{
    network->mark++;
    for (uint32_t d = 0; d < network->n_dirty; d++) {
        const uint32_t start = network->dirty_links[d];
        network->links[start].is_dirty = false;
        if (network->links[start].seen == network->mark || network->links[start].count == 0) {
            continue;
        }
        uint32_t n_links, n_flows;
        find_component(network, start, &n_links, &n_flows);
        if (n_flows == 1) {
            share_alone(network, network->component_flows[0]);
        } else {
            for (uint32_t i = 0; i < n_links; i++) {
                open_link(network, network->component_links[i]);
            }
            fill_progressively(network);
        }
        for (uint32_t i = 0; i < n_flows; i++) {
            const uint32_t f = network->component_flows[i];
            apply_rate(&network->flows[f], first_id + f, network->changed_s, event_heap);
        }
    }
    network->n_dirty = 0;
}
