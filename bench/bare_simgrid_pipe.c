/*
 * Bare SimGrid: a pipe. Device d computes every request and hands 50 kB on to device d+1; one actor
 * per device, mailboxes, nothing else. Prints activities, wall seconds and simulated seconds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bare_simgrid.h"
#include "engine/simgrid/sg_compat.h"

static uint32_t n_devices, n_requests;

static void stage(int argc, char **argv)
{
    (void)argc;
    const uint32_t d = bare_index(argv);
    char in_name[16], out_name[16];
    (void)snprintf(in_name, sizeof in_name, "m%u", (unsigned)d);
    (void)snprintf(out_name, sizeof out_name, "m%u", (unsigned)d + 1);
    if (d > 0) {
        sg_mailbox_set_receiver(in_name); /* transfers do not wait for the receiver */
    }
    sg_mailbox_t in = sg_mailbox_by_name(in_name);
    sg_mailbox_t out = sg_mailbox_by_name(out_name);
    const double flops = 1e6 * (1 + 0.01 * (double)(d * 7 % 10));
    for (uint32_t r = 0; r < n_requests; r++) {
        if (d > 0) {
            (void)sg_mailbox_get(in);
        }
        sg_actor_execute(flops);
        if (d + 1 < n_devices) {
            sg_comm_detach(sg_mailbox_put_init(out, &n_requests, 50000), NULL);
        }
    }
}

int main(int argc, char **argv)
{
    const double start_s = bare_now_s();
    bare_arguments(argc, argv, &n_devices, &n_requests);
    bare_begin(n_devices);
    for (uint32_t d = 0; d < n_devices; d++) {
        bare_actor(d, stage);
    }
    simgrid_run();
    const double activities = (double)n_requests * (2.0 * n_devices - 1);
    (void)printf("%.0f %.6f %.9f\n", activities, bare_now_s() - start_s, simgrid_get_clock());
    return EXIT_SUCCESS;
}
