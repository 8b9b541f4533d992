/*
 * The exec engine: a plan really executed. One worker process per device computes real tensors and
 * sends them over real sockets; the job machine that also drives `fast` and `simgrid` (core.h)
 * decides what runs when, so arrivals, queues and events mean the same.
 *
 * Emulated (default, workers on this machine): durations of tasks are the model's, messages are
 * paced by shared clocks of the links (shaper.h), and nothing counts as finished before it really
 * is. Time is stretched when this machine cannot keep up. Not emulated: durations are measured.
 */
#ifndef EW_ENGINE_EXEC_EXEC_H
#define EW_ENGINE_EXEC_EXEC_H

#include "engine/engine.h"
#include "engine/exec/inputs.h"
#include "engine/exec/program.h"
#include "engine/exec/setup.h"

/** A worker that somebody else has started. */
struct ew_exec_host {
    const char *device; /**< name in the platform */
    const char *host;
    const char *port;
};

/** What came back of a job; borrowed. */
struct ew_exec_answer {
    uint32_t workload;
    uint64_t job;
    uint64_t first_image; /**< of the job, among those of all requests of the workload */
    const struct ew_exec_program *program; /**< its outputs say what the values are */
    const float *values;                   /**< the exit's layers one after another */
    uint64_t n;
};

/** How to execute; all borrowed. */
struct ew_exec_options {
    const char *worker_path; /**< program started per device when there are no hosts */
    const char *kernels;     /**< id */
    uint64_t weight_seed;
    bool has_random_weights;  /**< also for graphs that say where theirs are */
    const char *weights_path; /**< file read in place of the one that graphs name; NULL: that */
    uint64_t input_seed;      /**< input of job j: values of stream j, uniform in [-1, 1) */
    /** Inputs in place of those; runs of one workload. Request r gets the images from
     *  r * images per request on. NULL: made from the seed. */
    const struct ew_exec_inputs *inputs;
    bool is_emulated;
    double dilation;       /**< real seconds per emulated second to begin with; 0: chosen */
    bool has_kernel_links; /**< emulated: workers in network namespaces, see netns.h */
    bool is_survivor;      /**< a lost worker does not end a run that plans anew */
    bool is_pinned;        /**< workers started here compute on one processor each, in turn */
    double stall_limit_s;  /**< longest time without a sign of life that is expected */
    uint32_t n_hosts;      /**< 0: workers are started here */
    const struct ew_exec_host *hosts;
    const char *token_hex; /**< for hosts: 64 digits; NULL: made up */
    /** Called with every job's answer; may be NULL. */
    void (*answer)(void *ctx, const struct ew_exec_answer *answer);
    void *answer_ctx;
};

/** What a finished run tells beyond its events. */
struct ew_exec_facts {
    double wall_s;       /**< from the first job to the last answer */
    double dilation;     /**< at the end */
    uint64_t n_overruns; /**< events that happened later than the emulated time of them */
    double slipped_s;    /**< real seconds by which the clock was set back for that */
    double compute_s;    /**< seconds of arithmetic, all workers */
    /** Messages whose bytes set out late on emulated links: by how much, as a part of the time they
     * took. Events are not earlier or later for it unless their bytes are; 0 without such. */
    double link_lag_ratio;
    uint32_t n_lost;       /**< workers lost in a run that went on without them */
    char losses[512];      /**< who, how and when, for people */
    uint32_t n_pinned;     /**< workers that compute on a processor of their own choice or ours */
    uint32_t n_processors; /**< different ones of them, with workers started here */
};

/** The machine did not keep up: emulated times are in doubt. */
bool ew_exec_is_late(const struct ew_exec_facts *facts);

/** Run. `facts` of struct ew_run_facts as for other engines. */
enum ew_status ew_exec_run(struct ew_run_facts *facts, struct ew_exec_facts *exec_facts,
                           const struct ew_run *run, const struct ew_exec_options *options,
                           struct ew_error *err);

#endif
