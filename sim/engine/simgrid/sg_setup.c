#include "engine/simgrid/sg_setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/simgrid/sg_hand.h"
#include "engine/simgrid/sg_platform_xml.h"

/* An argv of our own, since SimGrid takes its options from anywhere in the program's. Everything
 * that influences results is set here, whatever SimGrid's defaults are. Errors only in the log,
 * because it shares stderr with the reason of an abort. */
static void start_simgrid(const char *network_model)
{
    char model[64];
    (void)snprintf(model, sizeof model, "--cfg=network/model:%s", network_model);
    char *argv[] = {
        (char[]){"edgeweave"},
        (char[]){"--log=root.thresh:error"},
        model,
        /* the plain fluid network: no flows of acknowledgements, no TCP window */
        (char[]){"--cfg=network/crosstraffic:0"},
        (char[]){"--cfg=network/TCP-gamma:0"},
        /* Selective updates, which Lazy implies, overfill links in 3.32 when several flows start at
         * the same instant. Devices run one task at a time: there Lazy is exact, and fast. */
        (char[]){"--cfg=network/optim:Full"},
        (char[]){"--cfg=network/maxmin-selective-update:0"},
        (char[]){"--cfg=cpu/optim:Lazy"},
        /* relative to a link's capacity: smaller shares count as unlimited */
        (char[]){"--cfg=maxmin/precision:1e-9"},
        /* Activities end that many seconds early: far below the grain. Runs of 1e-3 to 1e10
         * simulated seconds were tried with it. */
        (char[]){"--cfg=surf/precision:1e-12"},
        (char[]){"--cfg=contexts/factory:" EW_SG_CONTEXT_FACTORY},
        (char[]){"--cfg=contexts/nthreads:1"},
        /* KiB; the job machine and the event stream need a few */
        (char[]){"--cfg=contexts/stack-size:256"},
        NULL,
    };
    int argc = (int)(sizeof argv / sizeof *argv) - 1;
    simgrid_init(&argc, argv);
}

/* --- platform --------------------------------------------------------------------------------- */

/* SimGrid reads files only; a temporary one without a name leaves nothing behind. */
static enum ew_status write_platform(FILE **out, const struct ew_sg_world *world,
                                     struct ew_error *err)
{
    struct ew_str text = {0};
    ew_sg_platform_print(&text, world->run->platform, world->core, world->has_host_energy);
    FILE *file = text.failed ? NULL : tmpfile();
    enum ew_status status = EW_OK;
    if (text.failed) {
        status = ew_fail_memory(err);
    } else if (!file || fwrite(text.text, 1, text.length, file) != text.length ||
               fflush(file) != 0) {
        status =
            ew_fail(err, EW_EIO, "cannot write a temporary file for SimGrid: %s", strerror(errno));
    }
    ew_str_fini(&text);
    *out = file;
    return status;
}

static enum ew_status load_platform(struct ew_sg_world *world, struct ew_error *err)
{
    FILE *file = NULL;
    const enum ew_status status = write_platform(&file, world, err);
    if (status) {
        return status;
    }
    char path[32];
    (void)snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
    simgrid_load_platform(path);
    (void)fclose(file);
    return EW_OK;
}

/* --- tables ----------------------------------------------------------------------------------- */

static void *allocate(size_t count, size_t size)
{
    return calloc(count ? count : 1, size);
}

static void fill_device_tables(struct ew_sg_world *world)
{
    char name[EW_SG_NAME_SIZE];
    for (uint32_t d = 0; d < world->run->platform->n_devices; d++) {
        ew_sg_host_name(name, d);
        world->tasks[d] =
            (struct ew_sg_work){.kind = EW_SG_TASK, .index = d, .host = sg_host_by_name(name)};
        world->sends[d] = (struct ew_sg_work){.kind = EW_SG_SEND, .index = d};
    }
    world->control = sg_host_by_name(EW_SG_CONTROL_HOST);
}

static void fill_connection_table(struct ew_sg_world *world)
{
    for (uint32_t c = 0; c < ew_core_connection_count(world->core); c++) {
        const struct ew_connection pair = ew_core_connection(world->core, c);
        const struct ew_route *route = ew_platform_route(world->run->platform, pair.from, pair.to);
        world->transfers[c] = (struct ew_sg_work){
            .kind = EW_SG_TRANSFER,
            .index = c,
            .host = world->tasks[pair.from].host,
            .to = world->tasks[pair.to].host,
            .latency_s = route->latency_s * world->run->net->latency_factor,
        };
    }
}

static enum ew_status make_tables(struct ew_sg_world *world, struct ew_error *err)
{
    const uint32_t n_devices = world->run->platform->n_devices;
    const uint32_t n_workloads = world->run->n_workloads;
    world->tasks = allocate(n_devices, sizeof *world->tasks);
    world->sends = allocate(n_devices, sizeof *world->sends);
    world->transfers = allocate(ew_core_connection_count(world->core), sizeof *world->transfers);
    world->arrivals = allocate(n_workloads, sizeof *world->arrivals);
    if (!world->tasks || !world->sends || !world->transfers || !world->arrivals) {
        return ew_fail_memory(err);
    }
    fill_device_tables(world);
    fill_connection_table(world);
    for (uint32_t w = 0; w < n_workloads; w++) {
        world->arrivals[w] = (struct ew_sg_work){.kind = EW_SG_ARRIVAL, .index = w};
    }
    return EW_OK;
}

/* --- run -------------------------------------------------------------------------------------- */

static void write_event(void *ctx, const struct ew_event *event)
{
    ew_sg_write_event(ctx, event);
}

/* The energy plugin counts hosts without power states as 0 W, silently. */
static bool all_have_power(const struct ew_platform *platform)
{
    bool all = true;
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        all = all && platform->devices[d].has_power;
    }
    return all;
}

void ew_sg_simulate(const struct ew_run *run, bool with_host_energy, struct ew_sg_writer *writer)
{
    struct ew_run child_run = *run;
    child_run.sink = (struct ew_event_sink){writer, write_event};
    struct ew_sg_world world = {
        .run = &child_run,
        .writer = writer,
        .has_host_energy = with_host_energy && all_have_power(run->platform),
    };
    const struct ew_core_ops ops = ew_sg_core_ops(&world);
    struct ew_error err = {0};
    enum ew_status status = ew_core_new(&world.core, &child_run, &ops, &err);
    if (status == EW_OK) {
        start_simgrid(run->net->sg_model);
        if (world.has_host_energy) {
            sg_host_energy_plugin_init(); /* before the platform is loaded */
        }
        status = load_platform(&world, &err);
    }
    if (status == EW_OK) {
        status = make_tables(&world, &err);
    }
    if (status == EW_OK) {
        ew_sg_hand_first(&world);
        simgrid_run();
        /* A deadlock is no error for SimGrid. The last hand ends the process, so that this line
         * is only reached when SimGrid has lost an activity. */
        status = ew_fail(&err, EW_EDEADLOCK, "SimGrid stopped at %g s with %llu activities open",
                         simgrid_get_clock(), (unsigned long long)world.n_active);
    }
    (void)status;
    ew_sg_fail(writer, &err);
}
