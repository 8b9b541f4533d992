/*
 * Bare SimGrid: row bands. In every layer each device computes its band and exchanges 50 kB with
 * its neighbours above and below; all bands take the same time, so that everything coincides. One
 * actor per device, mailboxes, nothing else. Prints activities, wall seconds and simulated seconds.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bare_simgrid.h"
#include "engine/simgrid/sg_compat.h"

static uint32_t n_devices, n_layers;

static sg_mailbox_t mailbox(const char *kind, uint32_t d, bool receives)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%s%u", kind, (unsigned)d);
    if (receives) {
        sg_mailbox_set_receiver(name);
    }
    return sg_mailbox_by_name(name);
}

static void band(int argc, char **argv)
{
    (void)argc;
    const uint32_t d = bare_index(argv);
    const bool has_above = d > 0, has_below = d + 1 < n_devices;
    sg_mailbox_t from_above = mailbox("from_above", d, has_above);
    sg_mailbox_t from_below = mailbox("from_below", d, has_below);
    sg_mailbox_t above = mailbox("from_below", d - 1, false);
    sg_mailbox_t below = mailbox("from_above", d + 1, false);
    for (uint32_t layer = 0; layer < n_layers; layer++) {
        sg_actor_execute(1e6);
        if (layer + 1 == n_layers) {
            break;
        }
        if (has_above) {
            sg_comm_detach(sg_mailbox_put_init(above, &n_layers, 50000), NULL);
        }
        if (has_below) {
            sg_comm_detach(sg_mailbox_put_init(below, &n_layers, 50000), NULL);
        }
        if (has_above) {
            (void)sg_mailbox_get(from_above);
        }
        if (has_below) {
            (void)sg_mailbox_get(from_below);
        }
    }
}

int main(int argc, char **argv)
{
    const double start_s = bare_now_s();
    bare_arguments(argc, argv, &n_devices, &n_layers);
    bare_begin(n_devices);
    for (uint32_t d = 0; d < n_devices; d++) {
        bare_actor(d, band);
    }
    simgrid_run();
    const double activities =
        (double)n_layers * n_devices + 2.0 * (n_layers - 1.0) * (n_devices - 1.0);
    (void)printf("%.0f %.6f %.9f\n", activities, bare_now_s() - start_s, simgrid_get_clock());
    return EXIT_SUCCESS;
}
