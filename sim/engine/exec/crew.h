/*
 * Crew: the workers of a run, seen from the coordinator. Starts or finds them, introduces them to
 * each other, carries frames, and sees to it that none outlives the run.
 */
#ifndef EW_ENGINE_EXEC_CREW_H
#define EW_ENGINE_EXEC_CREW_H

#include <sys/types.h>

#include "base/vec.h"
#include "engine/exec/exec.h"
#include "engine/exec/frame.h"
#include "engine/exec/pin.h"
#include "engine/exec/program.h"

struct crew;

/** One worker. */
struct crew_member {
    struct crew *crew;
    uint32_t device;
    struct ew_conn conn;
    pid_t pid;      /**< -1: not ours */
    char label[96]; /**< "worker of 'pi2'" */
    char host[256];
    char port[16];
    uint64_t max_answer_bytes;
    bool is_ready;
    uint32_t processor; /**< that it computes on; EW_NONE: any */
    bool has_left;
};

struct crew {
    const struct ew_run *run;
    const struct ew_exec_options *options;
    uint32_t n;
    struct crew_member *members;
    struct ew_shaper *shaper;
    char shaper_name[EW_SHAPER_NAME_BYTES];
    char token[EW_TOKEN_BYTES];
    uint32_t n_processors; /**< to pin workers to; 0: they are not pinned */
    uint32_t processors[EW_PIN_MAX_PROCESSORS];
    /** Frames of the run itself. */
    enum ew_status (*receive)(void *ctx, uint32_t device, const struct ew_frame *frame,
                              struct ew_error *err);
    void *ctx;
};

/** Start and introduce everybody; returns when all weights are prepared. */
enum ew_status crew_begin(struct crew *crew, uint32_t n_programs,
                          struct ew_exec_program *const *programs, struct ew_error *err);

/** Wait at most `limit_s` (INFINITY: for ever) for frames and hand them on. */
enum ew_status crew_poll(struct crew *crew, double limit_s, struct ew_error *err);

enum ew_status crew_send(struct crew *crew, uint32_t device, const struct ew_frame *frame,
                         struct ew_error *err);

/** To everybody. */
enum ew_status crew_tell(struct crew *crew, const struct ew_frame *frame, struct ew_error *err);

/** Workers that compute on one processor only, and how many different ones we have chosen. */
uint32_t crew_count_pinned(const struct crew *crew, uint32_t *n_processors);

/** Send everybody home and wait for them, less long after a failure; those that do not go are
 *  killed. */
void crew_end(struct crew *crew, bool has_failed);

#endif
