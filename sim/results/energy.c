#include "results/energy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "results/pair_index.h"
#include "results/sum.h"

/* How long something was on, and how that time is shared. `share_s` is the running integral of
 * dt / n_flows: a flow that lasts from a to b used share(b) - share(a) seconds of the resource, and
 * all flows together exactly as long as it was on. It starts anew whenever the resource falls
 * silent, so that it stays small and differences keep their digits. */
struct usage {
    double last_s; /* when the two below were brought up to date */
    double share_s;
    struct ew_sum on_s;
    uint32_t n_flows;
};

struct device_state {
    /* Radio that pays for messages to and from other nodes: the device's own usage when it is
     * alone in its node, else the node's. */
    struct usage *tx_radio;
    struct usage *rx_radio;
    struct usage tx; /* messages of this device only */
    struct usage rx;
    double compute_w; /* above idle */
    double tx_w;      /* of the node's radio; 0 where nobody pays */
    double rx_w;
    double busy_since_s;
    double outer_since_s; /* of the task that runs while another one takes no time */
    bool is_busy;
    bool has_outer;
    bool is_off;
    bool has_power;
    uint32_t node;
    uint64_t n_tasks;
    uint64_t tx_bytes;
    uint64_t rx_bytes;
    struct ew_sum busy_s;
    struct ew_sum tx_share_s; /* radio time of its ended messages */
    struct ew_sum rx_share_s;
};

struct node_state {
    struct usage tx; /* used only when the node has several devices */
    struct usage rx;
    uint32_t n_off;
    double off_since_s;
    double off_s; /* inside the horizon */
};

/* A message in flight. */
struct flight {
    bool is_open;
    double since_s;
    double tx_share_s; /* of the radios when it began */
    double rx_share_s;
};

struct ew_energy {
    const struct ew_platform *platform;
    struct device_state *devices;
    struct node_state *nodes;
    struct ew_pair_index pairs;
    EW_VEC(struct flight) flights; /* per pair */
    bool is_begun;
    double begin_s;
    double end_s;
    enum ew_status status;
};

static const char *const rule_names[] = {
    [EW_ENERGY_BOTH] = "both", [EW_ENERGY_RECEIVER] = "receiver"};

const char *ew_energy_rule_name(enum ew_energy_rule rule)
{
    return rule_names[rule];
}

bool ew_energy_rule_find(enum ew_energy_rule *out, const char *name)
{
    for (size_t i = 0; i < sizeof rule_names / sizeof *rule_names; i++) {
        if (strcmp(rule_names[i], name) == 0) {
            *out = (enum ew_energy_rule)i;
            return true;
        }
    }
    return false;
}

const char *ew_power_state_name(enum ew_power_state state)
{
    static const char *const names[] = {
#define X(name, text) [EW_POWER_##name] = (text),
        EW_POWER_STATE_MAP(X)
#undef X
    };
    return names[state];
}

/* Static facts of a device; everything that changes stays zero. */
static struct device_state describe_device(const struct ew_energy *energy, uint32_t id,
                                           enum ew_energy_rule rule)
{
    const struct ew_device *device = &energy->platform->devices[id];
    const struct ew_node *node = &energy->platform->nodes[device->node];
    const struct ew_device *first = &energy->platform->devices[node->devices[0]];
    const bool has_power = device->has_power && first->has_power;
    const bool is_alone = node->n_devices == 1;
    struct device_state *slot = &energy->devices[id];
    return (struct device_state){
        .tx_radio = is_alone ? &slot->tx : &energy->nodes[device->node].tx,
        .rx_radio = is_alone ? &slot->rx : &energy->nodes[device->node].rx,
        .compute_w = has_power ? device->compute_w - device->idle_w : 0,
        .tx_w = has_power && rule == EW_ENERGY_BOTH ? first->tx_w : 0,
        .rx_w = has_power ? first->rx_w : 0,
        .has_power = has_power,
        .node = device->node,
    };
}

enum ew_status ew_energy_new(struct ew_energy **out, const struct ew_platform *platform,
                             enum ew_energy_rule rule, struct ew_error *err)
{
    struct ew_energy *energy = calloc(1, sizeof *energy);
    if (!energy) {
        return ew_fail_memory(err);
    }
    energy->platform = platform;
    energy->devices = calloc(platform->n_devices, sizeof *energy->devices);
    energy->nodes = calloc(platform->n_nodes, sizeof *energy->nodes);
    if (!energy->devices || !energy->nodes ||
        !ew_pair_index_init(&energy->pairs, platform->n_devices)) {
        ew_energy_free(energy);
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < platform->n_devices; i++) {
        energy->devices[i] = describe_device(energy, i, rule);
    }
    *out = energy;
    return EW_OK;
}

void ew_energy_free(struct ew_energy *energy)
{
    if (!energy) {
        return;
    }
    ew_vec_fini(&energy->flights);
    ew_pair_index_fini(&energy->pairs);
    free(energy->nodes);
    free(energy->devices);
    free(energy);
}

void ew_energy_reset(struct ew_energy *energy)
{
    for (uint32_t i = 0; i < energy->platform->n_devices; i++) {
        const struct device_state *old = &energy->devices[i];
        energy->devices[i] = (struct device_state){
            .tx_radio = old->tx_radio,
            .rx_radio = old->rx_radio,
            .compute_w = old->compute_w,
            .tx_w = old->tx_w,
            .rx_w = old->rx_w,
            .has_power = old->has_power,
            .node = old->node,
        };
    }
    memset(energy->nodes, 0, energy->platform->n_nodes * sizeof *energy->nodes);
    for (size_t i = 0; i < energy->flights.count; i++) {
        energy->flights.items[i].is_open = false;
    }
    energy->is_begun = false;
    energy->begin_s = energy->end_s = 0;
}

/* Times may step back by up to a grain between events; the signed step keeps every integral equal
 * to end minus begin. */
static inline void usage_step(struct usage *usage, double time_s)
{
    if (usage->n_flows == 1) {
        const double step_s = time_s - usage->last_s;
        ew_sum_add(&usage->on_s, step_s);
        usage->share_s += step_s;
    } else if (usage->n_flows > 1) {
        const double step_s = time_s - usage->last_s;
        ew_sum_add(&usage->on_s, step_s);
        usage->share_s += step_s / usage->n_flows;
    } else {
        usage->share_s = 0;
    }
    usage->last_s = time_s;
}

static inline double usage_begin(struct usage *usage, double time_s)
{
    usage_step(usage, time_s);
    usage->n_flows++;
    return usage->share_s;
}

static inline double usage_end(struct usage *usage, double time_s)
{
    usage_step(usage, time_s);
    usage->n_flows--;
    return usage->share_s;
}

static double usage_on_s(const struct usage *usage, double end_s)
{
    return ew_sum_value(&usage->on_s) + (usage->n_flows ? end_s - usage->last_s : 0);
}

/* The flight of an event's pair of devices; NULL when ids are out of range or memory ran out. */
static inline struct flight *flight_of(struct ew_energy *energy, const struct ew_event *event)
{
    const uint32_t pair = ew_pair_index_number(&energy->pairs, event->device, event->peer);
    if (pair == EW_NONE) {
        return NULL;
    }
    while (pair >= energy->flights.count) {
        if (!ew_vec_push(&energy->flights, (struct flight){0})) {
            energy->status = EW_ENOMEM;
            return NULL;
        }
    }
    return &energy->flights.items[pair];
}

static void begin_flow(struct ew_energy *energy, const struct ew_event *event)
{
    struct flight *flight = flight_of(energy, event);
    if (!flight || flight->is_open) {
        return;
    }
    struct device_state *from = &energy->devices[event->device];
    struct device_state *to = &energy->devices[event->peer];
    const double time_s = event->time_s;
    flight->is_open = true;
    flight->since_s = time_s;
    flight->tx_share_s = usage_begin(&from->tx, time_s);
    flight->rx_share_s = usage_begin(&to->rx, time_s);
    if (from->node != to->node) {
        if (from->tx_radio != &from->tx) {
            flight->tx_share_s = usage_begin(from->tx_radio, time_s);
        }
        if (to->rx_radio != &to->rx) {
            flight->rx_share_s = usage_begin(to->rx_radio, time_s);
        }
    }
}

static struct ew_joules end_flow(struct ew_energy *energy, const struct ew_event *event)
{
    struct flight *flight = flight_of(energy, event);
    if (!flight || !flight->is_open) {
        return (struct ew_joules){0};
    }
    struct device_state *from = &energy->devices[event->device];
    struct device_state *to = &energy->devices[event->peer];
    const double time_s = event->time_s;
    flight->is_open = false;
    if (event->kind == EW_EVENT_TRANSFER_END) { /* a broken message has moved nothing */
        from->tx_bytes += event->bytes;
        to->rx_bytes += event->bytes;
    }
    double tx_share_s = usage_end(&from->tx, time_s);
    double rx_share_s = usage_end(&to->rx, time_s);
    struct ew_joules joules = {.busy_s = time_s - flight->since_s};
    if (from->node == to->node) {
        return joules;
    }
    if (from->tx_radio != &from->tx) {
        tx_share_s = usage_end(from->tx_radio, time_s);
    }
    if (to->rx_radio != &to->rx) {
        rx_share_s = usage_end(to->rx_radio, time_s);
    }
    tx_share_s -= flight->tx_share_s;
    rx_share_s -= flight->rx_share_s;
    ew_sum_add(&from->tx_share_s, tx_share_s);
    ew_sum_add(&to->rx_share_s, rx_share_s);
    joules.own_j = from->tx_w * tx_share_s;
    joules.peer_j = to->rx_w * rx_share_s;
    return joules;
}

/* A device runs one task at a time, but a task that takes no time starts and ends beside it, in two
 * events in a row. Any other start that replaces a running task counts alone. */
static void begin_task(struct device_state *device, double time_s)
{
    device->has_outer = device->is_busy;
    device->outer_since_s = device->busy_since_s;
    device->busy_since_s = time_s;
    device->is_busy = true;
}

static struct ew_joules end_task(struct ew_energy *energy, const struct ew_event *event)
{
    struct device_state *device = &energy->devices[event->device];
    if (!device->is_busy) {
        return (struct ew_joules){0};
    }
    const double busy_s = event->time_s - device->busy_since_s;
    device->n_tasks += event->kind == EW_EVENT_TASK_END;
    if (device->has_outer) {
        device->has_outer = false;
        if (busy_s <= 0) {
            device->busy_since_s = device->outer_since_s;
            return (struct ew_joules){0};
        }
    }
    device->is_busy = false;
    ew_sum_add(&device->busy_s, busy_s);
    return (struct ew_joules){.own_j = device->compute_w * busy_s, .busy_s = busy_s};
}

/* Length of the part of [from_s, to_s] at or after the begin of the horizon. */
static double inside_horizon_s(const struct ew_energy *energy, double from_s, double to_s)
{
    if (!energy->is_begun) {
        return 0;
    }
    const double begin_s = from_s > energy->begin_s ? from_s : energy->begin_s;
    return to_s > begin_s ? to_s - begin_s : 0;
}

static void change_device(struct ew_energy *energy, const struct ew_event *event)
{
    struct device_state *device = &energy->devices[event->device];
    struct node_state *node = &energy->nodes[device->node];
    const uint32_t n_devices = energy->platform->nodes[device->node].n_devices;
    const bool is_off = event->value <= 0;
    if (is_off == device->is_off) {
        return;
    }
    device->is_off = is_off;
    if (is_off) {
        node->n_off++;
        if (node->n_off == n_devices) {
            node->off_since_s = event->time_s;
        }
        return;
    }
    if (node->n_off == n_devices) {
        node->off_s += inside_horizon_s(energy, node->off_since_s, event->time_s);
    }
    node->n_off--;
}

struct ew_joules ew_energy_event(struct ew_energy *energy, const struct ew_event *event)
{
    if (event->time_s > energy->end_s) {
        energy->end_s = event->time_s;
    }
    switch (event->kind) {
    case EW_EVENT_TASK_START:
        if (event->device < energy->platform->n_devices) {
            begin_task(&energy->devices[event->device], event->time_s);
        }
        break;
    case EW_EVENT_TASK_END:
    case EW_EVENT_TASK_ABORT:
        if (event->device < energy->platform->n_devices) {
            return end_task(energy, event);
        }
        break;
    case EW_EVENT_TRANSFER_FLOW:
        begin_flow(energy, event);
        break;
    case EW_EVENT_TRANSFER_END:
    case EW_EVENT_TRANSFER_ABORT:
        return end_flow(energy, event);
    case EW_EVENT_REQUEST_ARRIVE:
        if (!energy->is_begun) {
            energy->is_begun = true;
            energy->begin_s = event->time_s;
        }
        break;
    case EW_EVENT_DEVICE_CHANGE:
        if (event->device < energy->platform->n_devices) {
            change_device(energy, event);
        }
        break;
    default:
        break;
    }
    return (struct ew_joules){0};
}

enum ew_status ew_energy_status(const struct ew_energy *energy, struct ew_error *err)
{
    return energy->status == EW_OK ? EW_OK : ew_fail_memory(err);
}

double ew_energy_horizon_begin_s(const struct ew_energy *energy)
{
    return energy->is_begun ? energy->begin_s : 0;
}

double ew_energy_horizon_end_s(const struct ew_energy *energy)
{
    return energy->is_begun ? energy->end_s : 0;
}

static double node_off_s(const struct ew_energy *energy, uint32_t node)
{
    const struct node_state *state = &energy->nodes[node];
    double off_s = state->off_s;
    if (state->n_off == energy->platform->nodes[node].n_devices) {
        off_s += inside_horizon_s(energy, state->off_since_s, energy->end_s);
    }
    return off_s;
}

/* Off and idle energy of a node, by the figures of its first device. */
static void node_base_j(double out_j[EW_POWER_STATE_COUNT], const struct ew_energy *energy,
                        uint32_t node)
{
    const struct ew_node *board = &energy->platform->nodes[node];
    const struct ew_device *first = &energy->platform->devices[board->devices[0]];
    const double off_s = node_off_s(energy, node);
    const double horizon_s = ew_energy_horizon_end_s(energy) - ew_energy_horizon_begin_s(energy);
    out_j[EW_POWER_OFF] = first->off_w * off_s;
    out_j[EW_POWER_IDLE] = first->idle_w * (horizon_s - off_s);
}

static double device_busy_s(const struct ew_energy *energy, uint32_t device)
{
    const struct device_state *state = &energy->devices[device];
    return ew_sum_value(&state->busy_s) +
           (state->is_busy ? energy->end_s - state->busy_since_s : 0);
}

struct ew_device_meter ew_energy_device(const struct ew_energy *energy, uint32_t device)
{
    const struct device_state *state = &energy->devices[device];
    const struct ew_node *node = &energy->platform->nodes[state->node];
    const bool is_alone = node->n_devices == 1;
    struct ew_device_meter meter = {
        .has_power = state->has_power,
        .busy_s = device_busy_s(energy, device),
        .tx_s = usage_on_s(&state->tx, energy->end_s),
        .rx_s = usage_on_s(&state->rx, energy->end_s),
        .tx_bytes = state->tx_bytes,
        .rx_bytes = state->rx_bytes,
        .n_tasks = state->n_tasks,
    };
    if (!state->has_power) {
        for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
            meter.energy_j[i] = NAN;
        }
        return meter;
    }
    if (node->devices[0] == device) {
        node_base_j(meter.energy_j, energy, state->node);
    }
    meter.energy_j[EW_POWER_COMPUTE] = state->compute_w * meter.busy_s;
    meter.energy_j[EW_POWER_TX] =
        state->tx_w * (is_alone ? meter.tx_s : ew_sum_value(&state->tx_share_s));
    meter.energy_j[EW_POWER_RX] =
        state->rx_w * (is_alone ? meter.rx_s : ew_sum_value(&state->rx_share_s));
    return meter;
}

bool ew_energy_is_known(const struct ew_energy *energy)
{
    for (uint32_t i = 0; i < energy->platform->n_devices; i++) {
        if (!energy->devices[i].has_power) {
            return false;
        }
    }
    return true;
}

void ew_energy_total(double out_j[EW_POWER_STATE_COUNT], const struct ew_energy *energy)
{
    const bool is_known = ew_energy_is_known(energy);
    struct ew_sum sum[EW_POWER_STATE_COUNT] = {{0}};
    for (uint32_t n = 0; is_known && n < energy->platform->n_nodes; n++) {
        const struct ew_node *node = &energy->platform->nodes[n];
        const struct device_state *first = &energy->devices[node->devices[0]];
        double part_j[EW_POWER_STATE_COUNT] = {0};
        node_base_j(part_j, energy, n);
        part_j[EW_POWER_TX] = first->tx_w * usage_on_s(first->tx_radio, energy->end_s);
        part_j[EW_POWER_RX] = first->rx_w * usage_on_s(first->rx_radio, energy->end_s);
        for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
            ew_sum_add(&sum[i], part_j[i]);
        }
        for (uint32_t i = 0; i < node->n_devices; i++) {
            const uint32_t device = node->devices[i];
            ew_sum_add(&sum[EW_POWER_COMPUTE],
                       energy->devices[device].compute_w * device_busy_s(energy, device));
        }
    }
    for (int i = 0; i < EW_POWER_STATE_COUNT; i++) {
        out_j[i] = is_known ? ew_sum_value(&sum[i]) : NAN;
    }
}
