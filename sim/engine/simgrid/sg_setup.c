#include "engine/simgrid/sg_setup.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
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

static enum ew_status print_platform(struct ew_str *text, const struct ew_sg_world *world,
                                     struct ew_error *err)
{
    ew_sg_platform_print(text, world->run->platform, world->core, world->run->dynamics,
                         world->has_host_energy);
    return text->failed ? ew_fail_memory(err) : EW_OK;
}

/* SimGrid reads files only; a temporary one without a name leaves nothing behind. */
static enum ew_status load_alone(const struct ew_str *text, struct ew_error *err)
{
    FILE *file = tmpfile();
    if (!file || fwrite(text->text, 1, text->length, file) != text->length || fflush(file) != 0) {
        return ew_fail(err, EW_EIO, "cannot write a temporary file for SimGrid: %s",
                       strerror(errno));
    }
    char path[32];
    (void)snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
    simgrid_load_platform(path);
    (void)fclose(file);
    return EW_OK;
}

enum { PATH_SIZE = 256 };

static void profile_path(char out[PATH_SIZE], const char *directory, uint32_t number)
{
    (void)snprintf(out, PATH_SIZE, "%s/" EW_SG_PROFILE_NAME, directory, (unsigned)number);
}

static enum ew_status write_text(const char *path, const struct ew_str *text, struct ew_error *err)
{
    FILE *file = fopen(path, "w");
    const bool is_written =
        file && fwrite(ew_str_text(text), 1, text->length, file) == text->length;
    if (!file || fclose(file) != 0 || !is_written) {
        return ew_fail(err, EW_EIO, "%s: cannot write a temporary file for SimGrid: %s", path,
                       strerror(errno));
    }
    return EW_OK;
}

static enum ew_status write_profiles(const char *directory, const struct ew_sg_world *world,
                                     struct ew_error *err)
{
    const struct ew_dynamics *dynamics = world->run->dynamics;
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < dynamics->n_signals; i++) {
        char path[PATH_SIZE];
        struct ew_str text = {0};
        profile_path(path, directory, i);
        if (ew_sg_profile_print(&text, &dynamics->signals[i])) {
            status = text.failed ? ew_fail_memory(err) : write_text(path, &text, err);
        }
        ew_str_fini(&text);
    }
    return status;
}

/* Profiles are looked for beside the platform: a directory of our own, gone when all is read. */
static enum ew_status load_with_profiles(const struct ew_str *text, const struct ew_sg_world *world,
                                         struct ew_error *err)
{
    char directory[] = "/tmp/edgeweave-XXXXXX";
    char path[PATH_SIZE];
    if (!mkdtemp(directory)) {
        return ew_fail(err, EW_EIO, "cannot make a temporary directory for SimGrid: %s",
                       strerror(errno));
    }
    enum ew_status status = write_profiles(directory, world, err);
    (void)snprintf(path, sizeof path, "%s/platform.xml", directory);
    if (status == EW_OK) {
        status = write_text(path, text, err);
    }
    if (status == EW_OK) {
        simgrid_load_platform(path);
    }
    (void)unlink(path);
    for (uint32_t i = 0; i < world->run->dynamics->n_signals; i++) {
        profile_path(path, directory, i);
        (void)unlink(path); /* signals without one have no file */
    }
    (void)rmdir(directory);
    return status;
}

static enum ew_status load_platform(struct ew_sg_world *world, struct ew_error *err)
{
    struct ew_str text = {0};
    enum ew_status status = print_platform(&text, world, err);
    if (status == EW_OK) {
        status =
            world->run->dynamics ? load_with_profiles(&text, world, err) : load_alone(&text, err);
    }
    ew_str_fini(&text);
    return status;
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
        world->transfers[c] = (struct ew_sg_work){
            .kind = EW_SG_TRANSFER,
            .index = c,
            .host = world->tasks[pair.from].host,
            .to = world->tasks[pair.to].host,
            .latency_s = ew_core_latency_s(world->core, c) * world->run->net->latency_factor,
        };
    }
}

static bool is_used(const struct ew_sg_world *world, uint32_t link)
{
    for (uint32_t c = 0; c < ew_core_connection_count(world->core); c++) {
        const struct ew_connection pair = ew_core_connection(world->core, c);
        const struct ew_route *route = ew_platform_route(world->run->platform, pair.from, pair.to);
        for (uint32_t i = 0; i < route->n_links; i++) {
            if (route->links[i] == link) {
                return true;
            }
        }
    }
    return false;
}

static void fill_link_table(struct ew_sg_world *world)
{
    const struct ew_dynamics *dynamics = world->run->dynamics;
    for (uint32_t i = 0; i < dynamics->n_signals; i++) {
        const struct ew_signal *signal = &dynamics->signals[i];
        if (signal->quantity != EW_QUANTITY_LINK_BANDWIDTH || !is_used(world, signal->target)) {
            continue; /* SimGrid does not know the link, or it does not vary */
        }
        const double nominal = world->run->platform->links[signal->target].bandwidth_bytes_per_s;
        char name[EW_SG_NAME_SIZE];
        ew_sg_link_name(name, signal->target);
        struct ew_sg_link *link = &world->links[signal->target];
        *link = (struct ew_sg_link){.link = sg_link_by_name(name),
                                    .is_varying = true,
                                    .is_tuned = true,
                                    .top_bytes_per_s = nominal,
                                    .bytes_per_s = nominal};
        for (uint32_t k = 0; k < signal->n_steps; k++) {
            link->top_bytes_per_s = fmax(link->top_bytes_per_s, signal->values[k]);
        }
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
    world->tune.kind = EW_SG_TUNE;
    world->choice.kind = EW_SG_CHOICE;
    if (world->run->dynamics) {
        world->links = allocate(world->run->platform->n_links, sizeof *world->links);
        if (!world->links) {
            return ew_fail_memory(err);
        }
        fill_link_table(world);
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

/* The energy plugin counts hosts without power states as 0 W, silently. Devices that go off stay on
 * for SimGrid: turning a host off would kill what the job machine stops in its own order. */
static bool all_have_power(const struct ew_platform *platform, const struct ew_dynamics *dynamics)
{
    bool all = true;
    for (uint32_t i = 0; dynamics && i < dynamics->n_signals; i++) {
        all = all && dynamics->signals[i].quantity != EW_QUANTITY_DEVICE_UP;
    }
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        all = all && platform->devices[d].has_power;
    }
    return all;
}

/* SimGrid takes signals over; a process that goes on with other things has them its own way. */
static void start_without_signals(const char *network_model)
{
    static const int numbers[] = {SIGINT, SIGABRT, SIGSEGV, SIGBUS, SIGTERM};
    enum { N = sizeof numbers / sizeof *numbers };
    struct sigaction before[N];
    for (int i = 0; i < N; i++) {
        (void)sigaction(numbers[i], NULL, &before[i]);
    }
    start_simgrid(network_model);
    for (int i = 0; i < N; i++) {
        (void)sigaction(numbers[i], &before[i], NULL);
    }
}

enum ew_status ew_sg_prepare(const struct ew_platform *platform, const struct ew_net_model *net,
                             struct ew_error *err)
{
    struct ew_str text = {0};
    ew_sg_platform_print(&text, platform, NULL, NULL, false);
    enum ew_status status = text.failed ? ew_fail_memory(err) : EW_OK;
    if (status == EW_OK) {
        start_without_signals(net->sg_model);
        status = load_alone(&text, err);
    }
    ew_str_fini(&text);
    return status;
}

void ew_sg_simulate(const struct ew_run *run, bool with_host_energy, struct ew_sg_writer *writer)
{
    struct ew_run child_run = *run;
    child_run.sink = (struct ew_event_sink){writer, write_event};
    struct ew_sg_world world = {
        .run = &child_run,
        .writer = writer,
        .has_host_energy =
            with_host_energy && !run->is_prepared && all_have_power(run->platform, run->dynamics),
    };
    const struct ew_core_ops ops = ew_sg_core_ops(&world);
    struct ew_error err = {0};
    enum ew_status status = ew_core_new(&world.core, &child_run, &ops, &err);
    if (status == EW_OK && !run->is_prepared) {
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
