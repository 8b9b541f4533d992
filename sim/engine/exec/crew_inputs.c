/*
 * Images that were given, on their way to the sources, before the clock starts.
 */
#include "base/system.h"
#include "engine/exec/exec_internal.h"

/* Images that the run asks for, as far as they differ. */
static uint32_t count_images(const struct crew *crew)
{
    const struct ew_run_workload *w = &crew->run->workloads[0];
    const uint32_t n_images = crew->options->inputs->n_images;
    const uint64_t batch = (uint64_t)w->book->plans[0]->batch; /* a short job computes all of it */
    return w->n_requests < n_images / batch ? (uint32_t)((w->n_requests + 1) * batch) : n_images;
}

/* Wait until what is queued for a worker has left. */
static enum ew_status drain(struct crew *crew, uint32_t device, struct ew_error *err)
{
    const struct crew_member *member = &crew->members[device];
    double moved_s = ew_now_s();
    size_t begin = 0;
    enum ew_status status = EW_OK;
    while (status == EW_OK && !member->is_lost && !member->has_left &&
           ew_conn_is_waiting(&member->conn)) {
        moved_s = member->conn.out_begin != begin ? ew_now_s() : moved_s;
        begin = member->conn.out_begin;
        status = crew_poll(crew, 0.1, err);
        if (status == EW_OK && crew->run->interrupted && *crew->run->interrupted) {
            status = ew_fail(err, EW_EINTR, "interrupted while inputs were sent");
        }
        if (status == EW_OK && ew_now_s() - moved_s > crew->options->stall_limit_s) {
            struct ew_error why;
            (void)ew_fail(&why, EW_EENGINE, "%s: has taken no input for %g s", member->label,
                          crew->options->stall_limit_s);
            status = crew_lose(crew, device, &why, err);
        }
    }
    return status;
}

/* Some earlier program has the same source. */
static bool has_images(uint32_t i, struct ew_exec_program *const *programs)
{
    for (uint32_t k = 0; k < i; k++) {
        if (programs[k]->source_device == programs[i]->source_device) {
            return true;
        }
    }
    return false;
}

static enum ew_status send_images(struct crew *crew, uint32_t program, uint32_t device,
                                  struct ew_error *err)
{
    const struct ew_exec_inputs *inputs = crew->options->inputs;
    const uint64_t n = (uint64_t)count_images(crew) * inputs->n_inputs;
    enum ew_status status = EW_OK;
    for (uint64_t k = 0; k < n && status == EW_OK && !crew->n_news; k++) {
        const uint32_t i = (uint32_t)(k % inputs->n_inputs);
        const uint64_t image = k / inputs->n_inputs;
        const float *values = ew_exec_input_values(inputs, i, image);
        const struct ew_frame frame = {.type = EW_FRAME_INPUT,
                                       .program = program,
                                       .node = i,
                                       .job = image,
                                       .n_bytes = inputs->n_elements[i] * sizeof *values,
                                       .payload = (const char *)values};
        status = crew_send(crew, device, &frame, err);
        status = status ? status : drain(crew, device, err);
    }
    return status;
}

enum ew_status crew_send_inputs(struct crew *crew, uint32_t n_programs,
                                struct ew_exec_program *const *programs, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < n_programs && crew->options->inputs && status == EW_OK; i++) {
        if (!has_images(i, programs)) {
            status = send_images(crew, i, programs[i]->source_device, err);
        }
    }
    return status;
}
