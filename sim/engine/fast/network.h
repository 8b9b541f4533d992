/*
 * Fluid network: weighted max-min fair sharing of links, as SimGrid's CM02 and LV08 do it.
 *
 * A flow has a weight 1/penalty; a link named m times in its route carries m times its rate. Rates
 * rise together, in proportion to the weights, until a link is full; flows on it are frozen, and so
 * on (progressive filling). Only flows that share links with a change, directly or through others,
 * are looked at again.
 */
#ifndef EW_ENGINE_FAST_NETWORK_H
#define EW_ENGINE_FAST_NETWORK_H

#include "engine/core.h"
#include "engine/engine.h"
#include "base/heap.h"

/** Use of one link by one connection. */
struct net_hop {
    uint32_t link;
    double times;      /**< how often the route names it */
    double weight;     /**< times / penalty */
    uint32_t position; /**< in the link's list of flows while the flow is active */
};

/** A connection's flow; at most one message at a time. */
struct net_flow {
    uint32_t first_hop;
    uint32_t n_hops;
    double latency_s; /**< effective */
    double penalty;   /**< 1 / sharing weight */
    double remaining_bytes;
    double rate_bytes_per_s;
    double updated_s; /**< time at which remaining_bytes held */
    double new_rate;  /**< while sharing; < 0: not decided */
    uint32_t seen;    /**< mark of the last component search */
    bool is_active;
    bool is_new; /**< no rate yet: it has its first one from updated_s on */
};

/** Flow and which of its hops, in a link's list. */
struct net_member {
    uint32_t flow;
    uint32_t hop;
    double weight; /**< of the hop */
};

struct net_link {
    double capacity_bytes_per_s; /**< effective */
    bool is_fatpipe;
    bool is_dirty;
    uint32_t seen;
    struct net_member *members; /**< active flows, any order */
    uint32_t count;
    uint32_t capacity;
    double left;   /**< while sharing: capacity not given away */
    double weight; /**< while sharing: sum of times/penalty of undecided flows */
    uint32_t n_undecided;
};

struct ew_network {
    const struct ew_net_model *model;
    struct net_flow *flows;
    uint32_t n_flows;
    struct net_hop *hops;
    struct net_link *links;
    uint32_t n_links;
    uint32_t *dirty_links;
    uint32_t n_dirty;
    double changed_s; /**< first change since the last sharing; meaningful when n_dirty > 0 */
    uint32_t *component_links; /**< scratch */
    uint32_t *component_flows; /**< scratch */
    struct ew_heap levels;     /**< scratch: per link, the level at which it fills */
    uint32_t mark;
};

/** Build for the connections of a core. */
enum ew_status ew_network_init(struct ew_network *network, const struct ew_core *core,
                               const struct ew_platform *platform, const struct ew_net_model *model,
                               struct ew_error *err);
void ew_network_fini(struct ew_network *network);

/** Bytes of `flow` begin at time_s. Takes effect with ew_network_share. false: out of memory. */
bool ew_network_begin(struct ew_network *network, uint32_t flow, uint64_t bytes, double time_s);

/** The flow is over since time_s. Takes effect with ew_network_share. */
void ew_network_end(struct ew_network *network, uint32_t flow, double time_s);

/** The link's bandwidth (without the model's factor) is another one since time_s; 0: flows stall.
 */
void ew_network_set_bandwidth(struct ew_network *network, uint32_t link, double bytes_per_s,
                              double time_s);

/** Share again after changes, as of the first of them (they lie within the grain): `event_heap`
 * gets the new completion time of every flow whose rate changed, under id first_id + flow. */
void ew_network_share(struct ew_network *network, struct ew_heap *event_heap, uint32_t first_id);

#endif
