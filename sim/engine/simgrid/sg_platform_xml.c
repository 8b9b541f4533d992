#include "engine/simgrid/sg_platform_xml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void ew_sg_host_name(char out[EW_SG_NAME_SIZE], uint32_t device)
{
    (void)snprintf(out, EW_SG_NAME_SIZE, "d%u", (unsigned)device);
}

bool ew_sg_profile_print(struct ew_str *out, const struct ew_signal *signal)
{
    if (signal->quantity != EW_QUANTITY_DEVICE_SPEED) {
        return false;
    }
    const double turn_s = signal->loop_s > 0 ? signal->loop_s : INFINITY;
    struct ew_signal_cursor cursor;
    const double first = ew_signal_begin(&cursor, signal, 1);
    const bool begins_on_step = signal->loop_s > 0 && (cursor.cycle > 0 || cursor.next > 0);
    if (signal->loop_s > 0) {
        ew_str_printf(out, "PERIODICITY %.17g\n", signal->loop_s);
    }
    if (begins_on_step || first < 1 || first > 1) {
        ew_str_printf(out, "0 %.17g\n", first);
    }
    for (uint32_t i = 0; i < signal->n_steps; i++) {
        const double at_s = ew_signal_next_s(&cursor, signal);
        if (at_s >= turn_s) { /* one turn; the step at its end is the one at 0 */
            break;
        }
        ew_str_printf(out, "%.17g %.17g\n", at_s, ew_signal_step(&cursor, signal));
    }
    return true;
}

/* The attribute that names the device's profile, if it has one. */
static void print_profile_name(struct ew_str *out, const struct ew_dynamics *dynamics,
                               uint32_t device)
{
    for (uint32_t i = 0; dynamics && i < dynamics->n_signals; i++) {
        const struct ew_signal *signal = &dynamics->signals[i];
        if (signal->quantity == EW_QUANTITY_DEVICE_SPEED && signal->target == device) {
            ew_str_printf(out, " speed_file=\"" EW_SG_PROFILE_NAME "\"", (unsigned)i);
        }
    }
}

static void print_host(struct ew_str *out, const struct ew_device *device, uint32_t number,
                       const struct ew_dynamics *dynamics, bool with_power)
{
    ew_str_printf(out, "<host id=\"d%u\" speed=\"%.17gf\"", (unsigned)number,
                  device->speed_flops_per_s);
    print_profile_name(out, dynamics, number);
    ew_str_append(out, ">");
    if (with_power) { /* a host has one core: Epsilon and AllCores are the same state */
        ew_str_printf(out,
                      "<prop id=\"wattage_per_state\" value=\"%.17g:%.17g:%.17g\"/>"
                      "<prop id=\"wattage_off\" value=\"%.17g\"/>",
                      device->idle_w, device->compute_w, device->compute_w, device->off_w);
    }
    ew_str_append(out, "</host>\n");
}

void ew_sg_link_name(char out[EW_SG_NAME_SIZE], uint32_t link)
{
    (void)snprintf(out, EW_SG_NAME_SIZE, "l%u", (unsigned)link);
}

static void print_control_host(struct ew_str *out)
{
    ew_str_append(out, "<host id=\"" EW_SG_CONTROL_HOST "\" speed=\"1f\">"
                       "<prop id=\"wattage_per_state\" value=\"0:0:0\"/></host>\n");
}

static void print_link(struct ew_str *out, uint32_t number, const struct ew_link *link,
                       double latency_s)
{
    ew_str_printf(out,
                  "<link id=\"l%u\" bandwidth=\"%.17gBps\" latency=\"%.17gs\" "
                  "sharing_policy=\"%s\"/>\n",
                  (unsigned)number, link->bandwidth_bytes_per_s, latency_s,
                  link->sharing == EW_LINK_FATPIPE ? "FATPIPE" : "SHARED");
}

static void print_used_links(struct ew_str *out, const struct ew_platform *platform,
                             const struct ew_core *core)
{
    bool *is_used = calloc(platform->n_links + 1u, sizeof *is_used);
    if (!is_used) {
        out->failed = true;
        return;
    }
    for (uint32_t c = 0; c < ew_core_connection_count(core); c++) {
        const struct ew_connection pair = ew_core_connection(core, c);
        const struct ew_route *route = ew_platform_route(platform, pair.from, pair.to);
        for (uint32_t i = 0; i < route->n_links; i++) {
            is_used[route->links[i]] = true;
        }
    }
    for (uint32_t l = 0; l < platform->n_links; l++) {
        if (is_used[l]) {
            print_link(out, l, &platform->links[l], ew_core_link_latency_s(core, l));
        }
    }
    free(is_used);
}

static void print_route(struct ew_str *out, const struct ew_platform *platform,
                        struct ew_connection pair)
{
    const struct ew_route *route = ew_platform_route(platform, pair.from, pair.to);
    if (route->n_links > 0) {
        ew_str_printf(out, "<route src=\"d%u\" dst=\"d%u\" symmetrical=\"NO\">",
                      (unsigned)pair.from, (unsigned)pair.to);
        for (uint32_t i = 0; i < route->n_links; i++) {
            ew_str_printf(out, "<link_ctn id=\"l%u\"/>", (unsigned)route->links[i]);
        }
        ew_str_append(out, "</route>\n");
    }
}

static void print_used(struct ew_str *out, const struct ew_platform *platform,
                       const struct ew_core *core)
{
    print_used_links(out, platform, core);
    for (uint32_t c = 0; c < ew_core_connection_count(core); c++) {
        print_route(out, platform, ew_core_connection(core, c));
    }
}

static void print_all(struct ew_str *out, const struct ew_platform *platform)
{
    for (uint32_t l = 0; l < platform->n_links; l++) {
        print_link(out, l, &platform->links[l], platform->links[l].latency_s);
    }
    for (uint32_t from = 0; from < platform->n_devices; from++) {
        for (uint32_t to = 0; to < platform->n_devices; to++) {
            print_route(out, platform, (struct ew_connection){from, to});
        }
    }
}

void ew_sg_platform_print(struct ew_str *out, const struct ew_platform *platform,
                          const struct ew_core *core, const struct ew_dynamics *dynamics,
                          bool with_power)
{
    ew_str_append(out, "<?xml version=\"1.0\"?>\n"
                       "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                       "<platform version=\"4.1\">\n<zone id=\"run\" routing=\"Full\">\n");
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        print_host(out, &platform->devices[d], d, dynamics, with_power);
    }
    print_control_host(out);
    if (core) {
        print_used(out, platform, core);
    } else {
        print_all(out, platform);
    }
    ew_str_append(out, "</zone>\n</platform>\n");
}
