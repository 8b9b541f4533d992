#include "engine/simgrid/platform_host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Most watts, seconds and bytes a property may say: slipped units are caught here. */
static const double MAX_WATTS = 1e6;
static const double MAX_OVERHEAD_S = 1e3;
static const double MAX_MEMORY_BYTES = 9007199254740992.0; /* 2^53: exact as a double */

enum { MAX_NUMBER_LENGTH = 64 };

static enum ew_status prefix_host(const struct ew_host *h, struct ew_error *err)
{
    (void)ew_prefix(err, "host '%s': ", h->name);
    return h->line ? ew_prefix(err, "%s:%u: ", h->xml_path, h->line)
                   : ew_prefix(err, "%s: ", h->xml_path);
}

static enum ew_status read_number(double *out, const struct ew_host_property *p, double most,
                                  struct ew_error *err)
{
    if (ew_parse_double(p->value, out) && *out >= 0 && *out <= most) {
        return EW_OK;
    }
    return ew_fail(err, EW_EINPUT, "property '%s': expected a number in 0 .. %g, found '%s'",
                   p->key, most, p->value);
}

static enum ew_status read_memory(struct ew_device_desc *d, const struct ew_host_property *p,
                                  struct ew_error *err)
{
    double bytes = 0;
    const enum ew_status status = read_number(&bytes, p, MAX_MEMORY_BYTES, err);
    if (status == EW_OK && bytes != floor(bytes)) {
        return ew_fail(err, EW_EINPUT, "property '%s': expected whole bytes, found '%s'", p->key,
                       p->value);
    }
    d->memory_bytes = status == EW_OK ? (uint64_t)bytes : 0;
    return status;
}

/* Numbers between colons; how many there are, 0 when one is bad. */
static size_t parse_watts(double w[3], const char *text)
{
    size_t n = 0;
    for (const char *at = text; at; n++) {
        const size_t length = strcspn(at, ":");
        char number[MAX_NUMBER_LENGTH];
        if (n == 3 || length >= sizeof number) {
            return 0;
        }
        memcpy(number, at, length);
        number[length] = '\0';
        if (!ew_parse_double(number, &w[n]) || !(w[n] >= 0 && w[n] <= MAX_WATTS)) {
            return 0;
        }
        at = at[length] ? at + length + 1 : NULL;
    }
    return n;
}

/* SimGrid's "Idle:AllCores" or "Idle:Epsilon:AllCores"; a device is either idle or busy, so the
 * middle value never counts. */
static enum ew_status read_wattage(struct ew_device_desc *d, const struct ew_host_property *p,
                                   struct ew_error *err)
{
    double w[3] = {0};
    const size_t n = parse_watts(w, p->value);
    if (n < 2) {
        return ew_fail(err, EW_EINPUT,
                       "property '%s': expected idle:allcores or idle:epsilon:allcores, watts in "
                       "0 .. %g, found '%s'",
                       p->key, MAX_WATTS, p->value);
    }
    d->has_power = true;
    d->idle_w = w[0];
    d->compute_w = w[n - 1];
    return EW_OK;
}

static enum ew_status read_node(struct ew_device_desc *d, const struct ew_host_property *p,
                                struct ew_error *err)
{
    d->node = p->value;
    return *p->value ? EW_OK : ew_fail(err, EW_EINPUT, "property 'node': expected a name");
}

enum {
    PROP_MEMORY,
    PROP_MESSAGE_OVERHEAD,
    PROP_NODE,
    PROP_NOTE,
    PROP_PROFILE,
    PROP_RX,
    PROP_SOURCE,
    PROP_TX,
    PROP_WATTAGE_OFF,
    PROP_WATTAGE,
    PROP_COUNT
};

static const char *const property_names[PROP_COUNT] = {
    [PROP_MEMORY] = "memory_bytes",
    [PROP_MESSAGE_OVERHEAD] = "message_overhead_s",
    [PROP_NODE] = "node",
    [PROP_NOTE] = "note",
    [PROP_PROFILE] = "profile",
    [PROP_RX] = "rx_w",
    [PROP_SOURCE] = "source",
    [PROP_TX] = "tx_w",
    [PROP_WATTAGE_OFF] = "wattage_off",
    [PROP_WATTAGE] = "wattage_per_state",
};

static const char *property_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return property_names[i];
}

static enum ew_status fail_unknown(const struct ew_host_property *p, struct ew_error *err)
{
    const char *nearest = ew_nearest_name(p->key, PROP_COUNT, property_name_at, NULL);
    return ew_fail(err, EW_EINPUT, "unknown property '%s'%s%s%s", p->key,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static enum ew_status read_property(struct ew_device_desc *d, const struct ew_host_property *p,
                                    struct ew_profile_pool *profiles, struct ew_error *err)
{
    int id = 0;
    while (id < PROP_COUNT && strcmp(property_names[id], p->key) != 0) {
        id++;
    }
    switch (id) {
    case PROP_MEMORY:
        return read_memory(d, p, err);
    case PROP_MESSAGE_OVERHEAD:
        return read_number(&d->message_overhead_s, p, MAX_OVERHEAD_S, err);
    case PROP_NODE:
        return read_node(d, p, err);
    case PROP_NOTE:
    case PROP_SOURCE:
        return EW_OK;
    case PROP_PROFILE:
        d->profile = p->value;
        return ew_profile_pool_get(&d->cost, profiles, p->value, err);
    case PROP_RX:
        return read_number(&d->rx_w, p, MAX_WATTS, err);
    case PROP_TX:
        return read_number(&d->tx_w, p, MAX_WATTS, err);
    case PROP_WATTAGE_OFF:
        return read_number(&d->off_w, p, MAX_WATTS, err);
    case PROP_WATTAGE:
        return read_wattage(d, p, err);
    default:
        return fail_unknown(p, err);
    }
}

static enum ew_status check_host(const struct ew_host *h, struct ew_error *err)
{
    if (h->cores != 1) {
        return ew_fail(err, EW_EINPUT,
                       "expected core=\"1\", found %u: a host is one device that runs one task at "
                       "a time, so give it the speed of all its cores together",
                       h->cores);
    }
    if (h->n_pstates != 1) {
        return ew_fail(err, EW_EINPUT, "expected one speed, found %u (pstates are not supported)",
                       h->n_pstates);
    }
    return EW_OK;
}

static enum ew_status check_power(const struct ew_device_desc *d, struct ew_error *err)
{
    if (!d->has_power && (d->off_w > 0 || d->tx_w > 0 || d->rx_w > 0)) {
        return ew_fail(err, EW_EINPUT,
                       "wattage_off, tx_w and rx_w need 'wattage_per_state' beside them");
    }
    if (d->compute_w < d->idle_w) {
        return ew_fail(err, EW_EINPUT,
                       "property 'wattage_per_state': expected at least the idle power (%g W) "
                       "while computing, found %g W",
                       d->idle_w, d->compute_w);
    }
    return EW_OK;
}

enum ew_status ew_host_read(struct ew_device_desc *out, const struct ew_host *host,
                            struct ew_profile_pool *profiles, struct ew_error *err)
{
    out->name = host->name;
    out->speed_flops_per_s = host->speed_flops_per_s;
    enum ew_status status = check_host(host, err);
    for (uint32_t i = 0; status == EW_OK && i < host->n_properties; i++) {
        status = read_property(out, &host->properties[i], profiles, err);
    }
    if (status == EW_OK) {
        status = check_power(out, err);
    }
    return status == EW_OK ? EW_OK : prefix_host(host, err);
}
