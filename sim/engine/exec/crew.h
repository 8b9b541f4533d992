/*
 * Crew: the workers of a run, seen from the coordinator. Starts or finds them, introduces them to
 * each other, carries frames, and sees to it that none outlives the run.
 */
#ifndef EW_ENGINE_EXEC_CREW_H
#define EW_ENGINE_EXEC_CREW_H

#include <sys/types.h>

#include "base/vec.h"
#include "engine/exec/blame.h"
#include "engine/exec/exec.h"
#include "engine/exec/frame.h"
#include "engine/exec/netns.h"
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
    char peer_host[EW_NETNS_ADDRESS_BYTES]; /**< where other workers reach it; "": at host */
    uint64_t max_answer_bytes;
    bool is_ready;
    bool is_lost;                  /**< for good; `why` says how */
    bool is_news;                  /**< and nobody has taken note */
    double heard_s;                /**< real time of its last frame */
    char why[EW_ERROR_SIZE];       /**< it is lost */
    char complaint[EW_ERROR_SIZE]; /**< of another one; see blame.h */
    uint32_t processor;            /**< that it computes on; EW_NONE: any */
    bool has_left;
};

struct crew {
    const struct ew_run *run;
    const struct ew_exec_options *options;
    uint32_t n;
    struct crew_member *members;
    struct blame *blames;  /**< per worker */
    uint32_t n_complaints; /**< in this part of the run */
    struct ew_shaper *shaper;
    char shaper_name[EW_SHAPER_NAME_BYTES];
    char token[EW_TOKEN_BYTES];
    bool is_survivor;  /**< workers may be lost: functions succeed and leave news */
    bool is_resetting; /**< what comes belongs to the part that ends */
    uint32_t n_news;
    uint32_t part;         /**< of the run: one more after every loss */
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

/** Start a worker for the member's device here; sets its process, host and port. (crew_spawn.c) */
enum ew_status crew_spawn(struct crew_member *member, struct ew_error *err);

/** After a loss: those who are left begin a new part of the run with these programs. More losses
 * are news again. */
enum ew_status crew_restart(struct crew *crew, uint32_t n_programs,
                            struct ew_exec_program *const *programs, struct ew_error *err);

/** A worker is lost, for the reason in `why`: it is killed where we can. Fails with that reason
 *  unless the crew survives losses. */
enum ew_status crew_lose(struct crew *crew, uint32_t device, const struct ew_error *why,
                         struct ew_error *err);

/** Take note of a loss. False: there is none. */
bool crew_take_news(struct crew *crew, uint32_t *device);

/** Inputs come from that device, or answers go there. */
bool crew_is_end(const struct crew *crew, uint32_t device);

/** A worker has complained of another, and it is not yet known who is to be lost. */
bool crew_is_judging(const struct crew *crew);

/** Of two workers, the one that has been silent longer. */
uint32_t crew_quieter(const struct crew *crew, uint32_t a, uint32_t b);

/** Wait at most `limit_s` (INFINITY: for ever) for frames and hand them on. */
enum ew_status crew_poll(struct crew *crew, double limit_s, struct ew_error *err);

/** Nothing happens when that worker is lost. */
enum ew_status crew_send(struct crew *crew, uint32_t device, const struct ew_frame *frame,
                         struct ew_error *err);

/** As crew_send, but it leaves with the next frame that is sent, or when crew_poll() begins. */
enum ew_status crew_post(struct crew *crew, uint32_t device, const struct ew_frame *frame,
                         struct ew_error *err);

/** Given images (ew_exec_options.inputs) to the sources of these programs, which everybody has; not
 *  more than the run asks for. Nothing when none were given. (crew_inputs.c) */
enum ew_status crew_send_inputs(struct crew *crew, uint32_t n_programs,
                                struct ew_exec_program *const *programs, struct ew_error *err);

/** To everybody. */
enum ew_status crew_tell(struct crew *crew, const struct ew_frame *frame, struct ew_error *err);

/** Workers that compute on one processor only, and how many different ones we have chosen. */
uint32_t crew_count_pinned(const struct crew *crew, uint32_t *n_processors);

/** Send everybody home and wait for them, less long after a failure; those that do not go are
 *  killed. */
void crew_end(struct crew *crew, bool has_failed);

#endif
