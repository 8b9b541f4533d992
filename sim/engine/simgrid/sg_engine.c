/*
 * The simgrid engine, seen from outside: a child process simulates, this side hands its events on.
 * SimGrid keeps one engine per process and aborts on its own errors, hence the child.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/simgrid/sg_child.h"
#include "engine/simgrid/sg_setup.h"
#include "engine/simgrid/sg_wire.h"

enum { POLL_MS = 100 };

/* What the child's body needs. */
struct mission {
    const struct ew_run *run;
    bool with_host_energy;
    struct ew_sg_writer *writer;
};

static void simulate(void *ctx, int data_fd)
{
    const struct mission *mission = ctx;
    mission->writer->fd = data_fd;
    ew_sg_simulate(mission->run, mission->with_host_energy, mission->writer);
}

static bool is_interrupted(const struct ew_run *run)
{
    return run->interrupted && *run->interrupted;
}

/* Until the stream ends or the user has had enough. */
static void listen_to(struct ew_sg_child *child, struct ew_sg_reader *reader,
                      const struct ew_run *run)
{
    bool is_open = true;
    while (is_open && !is_interrupted(run)) {
        if (ew_sg_child_wait(child, POLL_MS)) {
            is_open = ew_sg_read(reader, child->data_fd);
        }
    }
}

static enum ew_status judge(const struct ew_sg_child *child, const struct ew_sg_reader *reader,
                            struct ew_error *err)
{
    if (reader->failure.status) {
        return ew_fail(err, reader->failure.status, "%s", reader->failure.message);
    }
    if (reader->has_facts && !reader->is_garbled) {
        return EW_OK;
    }
    size_t n;
    const char *reason = ew_sg_child_reason(child, &n);
    if (WIFSIGNALED(child->wait_status)) {
        return ew_fail(err, EW_EENGINE, "SimGrid died of signal %d: %.*s",
                       WTERMSIG(child->wait_status), (int)n, reason);
    }
    return ew_fail(err, EW_EENGINE, "SimGrid ended early: %.*s", (int)n, reason);
}

static enum ew_status simgrid_engine_run(struct ew_run_facts *facts, const struct ew_run *run,
                                         struct ew_error *err)
{
    struct ew_sg_child *child = calloc(1, sizeof *child);
    struct ew_sg_reader *reader = calloc(1, sizeof *reader);
    struct ew_sg_writer *writer = calloc(1, sizeof *writer);
    enum ew_status status = EW_OK;
    if (!child || !reader || !writer) {
        status = ew_fail_memory(err);
        goto done;
    }
    struct mission mission = {run, facts->host_energy_j != NULL, writer};
    status = ew_sg_child_begin(child, simulate, &mission, err);
    if (status) {
        goto done;
    }
    reader->sink = &run->sink;
    reader->facts = facts;
    reader->n_devices = run->platform->n_devices;
    listen_to(child, reader, run);
    ew_sg_child_end(child, is_interrupted(run) || reader->is_garbled);
    status =
        is_interrupted(run) ? ew_fail(err, EW_EINTR, "interrupted") : judge(child, reader, err);
done:
    free(child);
    free(reader);
    free(writer);
    return status;
}

const struct ew_engine ew_engine_simgrid = {
    .id = "simgrid",
    .summary = "SimGrid 3.32: actors, fluid network; the reference",
    .run = simgrid_engine_run,
};
