/*
 * Energy meter: the interval model over events. Every device has a base state {off, idle, compute}
 * and, independently, sends or not and receives or not; each combination draws constant power.
 *
 * One meter watches one run. It is a fold: feed it every event in order, then read totals. It knows
 * devices and nothing of layers, requests or strategies; for each task and transfer that ends it
 * says how much energy above idle that one caused, and the caller books it.
 *
 * - Devices of one node are one board: the first device's off, idle and radio power stand for the
 *   node; each device adds compute_w - idle_w of its own while it computes.
 * - A radio draws tx_w (rx_w) while bytes of at least one message leave (arrive), i.e. between
 *   transfer_flow and transfer_end; messages that flow at the same time share it equally at each
 *   instant. A message between two devices of one node uses no radio.
 * - A node is off while all of its devices are (device_change with speed ratio 0).
 * - Horizon: first arrival to the last event.
 */
#ifndef EW_RESULTS_ENERGY_H
#define EW_RESULTS_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "engine/event.h"
#include "model/platform.h"

/** Who pays for a transfer. */
enum ew_energy_rule {
    EW_ENERGY_BOTH,     /**< sender tx_w and receiver rx_w */
    EW_ENERGY_RECEIVER, /**< receiver rx_w only; tx_w draws nothing (CoEdge's cost model) */
};

/* enumerator, name in files */
#define EW_POWER_STATE_MAP(X)                                                                      \
    X(OFF, "off")                                                                                  \
    X(IDLE, "idle")       /* the node's idle power, all the time it is not off */                  \
    X(COMPUTE, "compute") /* compute_w - idle_w while computing */                                 \
    X(TX, "tx")                                                                                    \
    X(RX, "rx")

enum ew_power_state {
#define X(name, text) EW_POWER_##name,
    EW_POWER_STATE_MAP(X)
#undef X
        EW_POWER_STATE_COUNT
};

/** "both" or "receiver"; as in options and files. */
const char *ew_energy_rule_name(enum ew_energy_rule rule);
bool ew_energy_rule_find(enum ew_energy_rule *out, const char *name);

/** "off", "idle", … */
const char *ew_power_state_name(enum ew_power_state state);

/** Energy above idle of the task or transfer that an event has ended. Zero for all other events,
 *  and for devices without power figures. */
struct ew_joules {
    double own_j;  /**< task: its device; transfer: the sender's radio */
    double peer_j; /**< transfer: the receiver's radio */
    double busy_s; /**< task: how long it ran; transfer: how long its bytes flowed */
};

/** What a device did and drew; joules are NAN when its node lacks power figures. */
struct ew_device_meter {
    bool has_power;
    double busy_s; /**< computing or loading */
    double tx_s;   /**< at least one message of this device leaves */
    double rx_s;   /**< at least one arrives */
    uint64_t tx_bytes;
    uint64_t rx_bytes;
    uint64_t n_tasks;
    double energy_j[EW_POWER_STATE_COUNT]; /**< off and idle: with the node's first device */
};

struct ew_energy;

/** New meter for runs on `platform` (borrowed). EW_ENOMEM. */
enum ew_status ew_energy_new(struct ew_energy **out, const struct ew_platform *platform,
                             enum ew_energy_rule rule, struct ew_error *err);
void ew_energy_free(struct ew_energy *energy);

/** Forget everything, ready for another run on the same platform; allocates nothing. */
void ew_energy_reset(struct ew_energy *energy);

/** Feed the next event. About 10 ns; no allocation once every pair of devices has been seen. */
struct ew_joules ew_energy_event(struct ew_energy *energy, const struct ew_event *event);

/** EW_ENOMEM when an event could not be booked; everything read after that is meaningless. */
enum ew_status ew_energy_status(const struct ew_energy *energy, struct ew_error *err);

/** Horizon of the events so far; both 0 before the first arrival. */
double ew_energy_horizon_begin_s(const struct ew_energy *energy);
double ew_energy_horizon_end_s(const struct ew_energy *energy);

/** Read one device, up to the end of the horizon. Activity still open counts up to there. */
struct ew_device_meter ew_energy_device(const struct ew_energy *energy, uint32_t device);

/** True when every device of the platform has power figures. */
bool ew_energy_is_known(const struct ew_energy *energy);

/** Whole platform, summed per board from its on-times, not from what was booked per transfer:
 *  joules by state. All NAN unless ew_energy_is_known. */
void ew_energy_total(double out_j[EW_POWER_STATE_COUNT], const struct ew_energy *energy);

#endif
