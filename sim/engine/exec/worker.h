/*
 * Worker: one device of a real execution, as a process. Two threads: one computes whatever its
 * inputs allow, the other talks to the coordinator and the other workers. What a worker computes
 * never depends on time; when messages leave is the coordinator's word.
 */
#ifndef EW_ENGINE_EXEC_WORKER_H
#define EW_ENGINE_EXEC_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/exec/frame.h"
#include "engine/exec/program.h"
#include "engine/exec/random_weights.h"
#include "engine/exec/setup.h"
#include "engine/exec/store.h"

enum { WK_LABEL_BYTES = 96 }; /**< "worker of 'pi2'", for messages */

/** A program as this device sees it. */
struct wk_plan {
    struct ew_exec_program *program;
    uint32_t *waits;                    /**< per node: local events it waits for */
    uint32_t *n_readers;                /**< per slot: local nodes that read it */
    struct ew_kernel_weights **weights; /**< per node, shared between equal ones */
    struct ew_kernel_weights **owned;   /**< each once */
    struct ew_model_weights *model;     /**< NULL: random weights */
    struct ew_weight_source source;     /**< of the program's weights */
    uint32_t n_owned;
    uint32_t most_inputs;
};

/** A job in flight. */
struct wk_job {
    uint64_t id;
    uint32_t program;
    uint32_t *waits; /**< per node, counting down */
    struct ew_store store;
    uint32_t n_busy;  /**< nodes queued or running, messages leaving */
    bool is_ended;    /**< forget it once n_busy is 0 */
    bool is_wanted;   /**< the coordinator has asked for the answer */
    bool is_answered; /**< the result is complete here */
    bool has_begun;   /**< the coordinator has said so: at the source inputs are made, or made */
    uint32_t image;   /**< of those given, the first of this job; EW_NONE: none was given */
};

/** A computation whose inputs are here. */
struct wk_ready {
    struct wk_job *job;
    uint32_t node; /**< EW_NONE: make the job's inputs */
};

/** What the computing thread keeps from one computation to the next. */
struct wk_operands {
    struct ew_tensor *tensors;
    bool *are_owned;
    uint32_t *slots; /**< EW_NONE: not read */
    int32_t (*in_shape)[EW_DIMS];
    uint32_t capacity;
    uint32_t n; /**< of the present computation */
};

/** A message under way to another worker. */
struct wk_send {
    struct wk_job *job;
    uint32_t node;
    double start_s;
    double late_s;   /**< real: how late its flow began, for others on its links */
    bool is_flowing; /**< through the emulated links */
};

/** The outgoing connection to a device. */
struct wk_line {
    struct ew_conn conn;
    char label[WK_LABEL_BYTES];
    bool is_open;
    EW_VEC(struct wk_send) waiting;
    bool is_sending;
    struct wk_send send;
    char *bytes; /**< head and payload of the DATA frame */
    uint64_t n_bytes;
    uint64_t n_queued; /**< handed to the connection */
    double next_s;     /**< logical: when something is to do again */
    double end_s;      /**< logical: when the last byte was through */
};

/** Who connected to us. */
struct wk_guest {
    struct ew_conn conn;
    struct wk_worker *worker;
    bool is_known;
    const char *refusal; /**< what a coordinator is told that is not let in; NULL: nothing */
    uint32_t part;       /**< of the run that it speaks of */
    uint32_t device;     /**< EW_NONE: the coordinator */
    char label[WK_LABEL_BYTES];
};

struct wk_done {
    uint32_t node;
    uint32_t reserved;
    double took_s;
};

struct wk_report {
    uint64_t job;
    struct wk_done done;
};

struct wk_worker {
    char token[EW_TOKEN_BYTES];
    int listen_fd;
    bool is_by_hand;       /**< somebody started it, and reads what it says */
    int wake_fds[2];       /**< pipe: the computing thread wakes the other */
    atomic_bool is_woken;  /**< and has not been heard yet */
    struct ew_arena arena; /**< of the setup */
    struct ew_exec_setup setup;
    bool is_set_up;
    uint32_t processor; /**< that the computing thread is bound to; EW_NONE: any */
    const struct ew_kernels *kernels;
    struct ew_random_weights random_weights;
    struct ew_weight_source weight_source;
    struct ew_shaper *shaper;
    EW_VEC(struct wk_guest *) guests;
    struct wk_guest *coordinator;
    struct wk_line *lines; /**< per device */
    EW_VEC(struct wk_plan) plans;
    EW_VEC(float *) inputs; /**< at the source, given ones: all of one image, then of the next */
    double epoch_s;
    double dilation;
    bool is_stopping;
    uint32_t part;    /**< of the run: one more after every loss; the coordinator says it */
    bool is_reset;    /**< another run follows */
    double give_up_s; /**< real time until which a coordinator must have come; INFINITY: for ever */
    /** Another worker is gone. At the end of a run that is as it should be; in the middle the
     *  coordinator says STOP or RESET soon, and if it does not, it must be told. */
    struct ew_error loss;
    double lost_s; /**< real time of it; -INFINITY: it is to be told at once */
    uint32_t lost; /**< who */

    pthread_mutex_t mutex; /**< guards everything below */
    pthread_cond_t has_work;
    pthread_t thread;
    bool has_thread;
    EW_VEC(struct wk_job *) jobs;
    EW_VEC(struct wk_ready) ready;    /**< min-heap by (job, node) */
    EW_VEC(struct wk_ready) finished; /**< work list of complete() */
    EW_VEC(struct wk_report) reports; /**< for the coordinator */
    double reported_s;                /**< real time when the other thread was woken for them */
    struct ew_tensor_pool pool;
    bool has_quit;
    bool has_failed;
    bool is_idle; /**< the computing thread waits for work */
    struct ew_error failure;
    struct ew_kernel_scratch scratch; /**< the computing thread's */
    struct wk_operands operands;      /**< likewise */
};

/* worker_plan.c */

/** Take a program and prepare the weights of this device's part. */
enum ew_status wk_plan_make(struct wk_plan *out, struct wk_worker *worker,
                            struct ew_exec_program *program_take, struct ew_error *err);
void wk_plan_fini(struct wk_plan *plan, const struct ew_kernels *kernels);

/* worker_inputs.c */

/** The size that an INPUT frame with this head has; EW_EENGINE when it must not come now. */
enum ew_status wk_input_bytes(uint64_t *out, const struct wk_worker *worker,
                              const struct ew_frame *head, struct ew_error *err);
/** Keep a given input. */
enum ew_status wk_input_keep(struct wk_worker *worker, const struct ew_frame *frame,
                             struct ew_error *err);
/** Fill input slot `slot` of a job: the values of its stream from `n_made` on, or given ones. */
enum ew_status wk_input_fill(struct ew_tensor *tensor, const struct wk_worker *worker,
                             const struct wk_job *job, uint32_t slot, uint64_t n_made,
                             struct ew_error *err);
void wk_inputs_fini(struct wk_worker *worker);

/* worker_job.c; all but wk_compute_loop are called with the mutex held */

/** The job, made when it is new. NULL when memory runs out. */
struct wk_job *wk_job_get(struct wk_worker *worker, uint32_t program, uint64_t id,
                          struct ew_error *err);
/** The coordinator says that the job begins: its source makes the inputs, or takes those of given
 *  images from `image` on. Lets go of the mutex meanwhile when it makes them itself. */
enum ew_status wk_job_begin(struct wk_worker *worker, struct wk_job *job, uint32_t image,
                            struct ew_error *err);
/** A node's data are here: release what waits for it. */
enum ew_status wk_complete(struct wk_worker *worker, struct wk_job *job, uint32_t node,
                           struct ew_error *err);
/** Forget a job as soon as nothing uses it. */
void wk_job_end(struct wk_worker *worker, struct wk_job *job);
void wk_job_release(struct wk_worker *worker, struct wk_job *job);
void wk_jobs_fini(struct wk_worker *worker);
/** Thread: compute until told to quit. */
void *wk_compute_loop(void *worker);
/** Collect `box` of a slot into `out`; called without the mutex. */
enum ew_status wk_read(struct ew_tensor *out, bool *is_owned, struct wk_worker *worker,
                       struct wk_job *job, uint32_t slot, const struct ew_box *box,
                       struct ew_error *err);
void wk_wake(struct wk_worker *worker);

/* worker_lines.c: what leaves */

enum ew_status wk_line_command(struct wk_worker *worker, const struct ew_frame *frame,
                               struct ew_error *err);
/** Move all messages on; *next_s is the logical time at which something is to do again. */
enum ew_status wk_lines_pump(struct wk_worker *worker, double *next_s, struct ew_error *err);
/** Logical time. */
double wk_now_s(const struct wk_worker *worker);
/** Another worker's connection is gone, or for sure no good: close it and remember why. */
void wk_note_loss(struct wk_worker *worker, uint32_t device, struct ew_conn *conn,
                  const struct ew_error *why, bool is_sure);

/* worker_net.c: what arrives */

/** Serve until told to stop. */
enum ew_status wk_serve(struct wk_worker *worker, struct ew_error *err);

#endif
