/*
 * Inside of the coordinator, shared by exec_engine.c (the run), exec_programs.c (what workers are
 * told), exec_links.c (emulated links) and exec_loss.c (workers that are lost). Nobody else
 * includes this.
 */
#ifndef EW_ENGINE_EXEC_EXEC_INTERNAL_H
#define EW_ENGINE_EXEC_EXEC_INTERNAL_H

#include "base/heap.h"
#include "engine/core.h"
#include "engine/exec/crew.h"

/* A job in flight. */
struct job {
    uint64_t id;
    uint32_t program;
    uint32_t workload;
    uint64_t first_image; /* among those of the workload's requests */
    float *took_s;        /* per node; < 0: not done yet */
};

/* An answer that was asked for. */
struct owed {
    uint64_t job;
    uint64_t first_image;
    uint32_t program;
    uint32_t workload;
};

/* Something that runs: heap ids as in fast: devices, send threads, connections, workloads. */
struct running {
    uint64_t job;
    uint32_t program;
    uint32_t node;
    double start_s;
    double begun_s;    /* real, for measured transfers */
    bool is_confirmed; /**< it has really happened */
    bool has_end;      /**< a message on emulated links: the heap has its end, not a bound */
};

struct exec {
    const struct ew_run *run;
    const struct ew_exec_options *options;
    struct ew_exec_facts *facts;
    struct ew_core *core;
    struct crew crew;
    uint32_t n_programs;
    struct ew_exec_program **programs;
    uint32_t *first_program; /* per workload */
    struct ew_heap heap;
    uint32_t n_devices;
    uint32_t first_connection;
    uint32_t first_workload;
    struct running *running; /* per heap id */
    EW_VEC(struct job *) jobs;
    struct ew_event last; /* start event that the core has just emitted */
    EW_VEC(struct owed) owed;
    uint64_t answered_job; /* asked for last */
    double epoch_s;
    double dilation;
    double begun_s;                  /* real time of the run's begin */
    double heard_s;                  /* real time of the last sign of life */
    double handled_s;                /* logical time of the last event handled */
    double link_late_s, link_busy_s; /* real: of messages that shared links */
    struct ew_shaper *shaper;        /* of emulated links, in step with the events; else NULL */
    struct ew_exec_link *links;
    /* losses */
    uint32_t *forced; /* per workload: plan made during the run; EW_NONE: the book's */
    bool *is_lost;    /* per device */
    bool has_asked;   /* whether all are still there */
    uint32_t timer;   /* heap id: jobs begin again; then those of the core */
    enum ew_status status;
    struct ew_error err;
};

/* exec_engine.c */

/** Tell everybody which real time is which logical one. */
enum ew_status exec_tell_clock(struct exec *exec);

/* exec_programs.c */

/** Programs of all plans, or of the one that is in force since a worker was lost. */
enum ew_status exec_make_programs(struct exec *exec);
void exec_free_programs(struct exec *exec);
/** Images of a request of the workload. */
uint32_t exec_images_per_request(const struct exec *exec, uint32_t workload);
/** Number of the program of a workload's plan. */
uint32_t exec_program_of(const struct exec *exec, uint32_t workload, uint32_t plan);

/* exec_links.c */

/** The coordinator's own clocks, for a new part of the run, if links are emulated. */
enum ew_status exec_links_begin(struct exec *exec);
void exec_links_end(struct exec *exec);
/** A message starts. */
void exec_link_message(struct exec *exec, uint32_t connection, uint64_t bytes, double start_s);
/** Find the end of the heap's first message, if it may be before `until_s`. All that has happened
 *  before must have been handled, and what it starts have been started. */
void exec_find_ends(struct exec *exec, double until_s);

/* exec_loss.c */

/** Wait for the answers of jobs that have finished. */
enum ew_status exec_drain_answers(struct exec *exec);
/** Workers have been lost: plan anew for those who are left, and begin a new part with them. */
enum ew_status exec_react(struct exec *exec);

#endif
