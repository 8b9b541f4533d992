/*
 * Frames: what coordinator and workers say to each other over TCP. A head of fixed size, then as
 * many bytes of payload as it says; both are checked before anything is allocated or believed.
 */
#ifndef EW_ENGINE_EXEC_FRAME_H
#define EW_ENGINE_EXEC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { EW_FRAME_VERSION = 6, EW_FRAME_HEAD_BYTES = 56, EW_TOKEN_BYTES = 32 };

enum { EW_CONN_AHEAD_BYTES = 4096 }; /**< read at once when frames are short */

/* enumerator, who sends it, payload */
#define EW_FRAME_MAP(X)                                                                            \
    X(HELLO)   /* whoever connects, first: the run's token; node: own device, EW_NONE coordinator; \
          program: the part of the run */                                                          \
    X(SETUP)   /* coordinator: struct ew_exec_setup */                                             \
    X(PROGRAM) /* coordinator: a program; program: its number */                                   \
    X(PEERS)   /* coordinator: "host port name\n" per device */                                    \
    X(READY)   /* worker: weights prepared, peers connected; node: processor it computes on */     \
    X(CLOCK)   /* coordinator: time_s: monotonic time of logical 0; payload: the dilation */       \
    X(JOB)     /* coordinator: a job begins; the source makes its input, or takes images of those  \
        that it was given, from `node` on; EW_NONE: none was given */                              \
    X(SEND)    /* coordinator: message `node` may leave, logical time_s */                         \
    X(DATA)    /* worker to worker: boxes of message `node` */                                     \
    X(ARRIVED) /* worker to worker, then to the coordinator: its last byte, logical time_s;        \
        payload: by how much its sender was late */                                                \
    X(DONE)    /* worker: node computed; time_s: how long that took */                             \
    X(FETCH)   /* coordinator to the sink: give me the answer */                                   \
    X(OUTPUT)  /* worker: the answer */                                                            \
    X(END_JOB) /* coordinator: forget the job */                                                   \
    X(STOP)    /* coordinator: end */                                                              \
    X(RESET)   /* coordinator: end this run's part, a new one comes */                             \
    X(PING)    /* coordinator: are you there? job: to come back with the answer */                 \
    X(PONG)    /* worker: yes; job: as asked */                                                    \
    X(BYE)     /* worker: struct ew_exec_bye */                                                    \
    X(ERROR)   /* worker: a message for people; node: device that is complained of, EW_NONE: its   \
        own end */                                                                                 \
    X(INPUT)   /* coordinator to the source, before PEERS: input `node` of image `job`, in order */

enum ew_frame_type {
    EW_FRAME_NONE,
#define X(name) EW_FRAME_##name,
    EW_FRAME_MAP(X)
#undef X
        EW_FRAME_COUNT
};

/** A frame. `payload` is borrowed when sending, owned by the receiver's buffer when receiving. */
struct ew_frame {
    uint32_t type;
    uint32_t program;
    uint32_t node;
    uint64_t job;
    double time_s;
    uint64_t n_bytes;
    const char *payload;
};

/** Name for messages, e.g. "DATA". */
const char *ew_frame_name(uint32_t type);

/** Write the head of a frame, checksum of the payload included. */
void ew_frame_put_head(char head[EW_FRAME_HEAD_BYTES], const struct ew_frame *frame);

/** Read a head. EW_EENGINE when it is none of ours. */
enum ew_status ew_frame_get_head(struct ew_frame *out, uint64_t *checksum,
                                 const char head[EW_FRAME_HEAD_BYTES], struct ew_error *err);

/** Checksum of bytes: catches corruption, not malice. */
uint64_t ew_frame_checksum(const char *bytes, uint64_t n);

/** One connection: frames in, bytes out. Sockets are non-blocking. */
struct ew_conn {
    int fd;           /**< -1: none */
    const char *peer; /**< for messages, e.g. "worker pi2"; borrowed */
    /** Largest payload that a frame with this head may have; 0 when it must have none. A frame that
     *  must not come: EW_EENGINE. */
    enum ew_status (*limit)(uint64_t *out, void *ctx, const struct ew_frame *head,
                            struct ew_error *err);
    /** A whole frame, checked. The payload is valid during the call only. */
    enum ew_status (*receive)(void *ctx, const struct ew_frame *frame, struct ew_error *err);
    void *ctx;
    /* reading */
    char ahead[EW_CONN_AHEAD_BYTES]; /**< read, not yet looked at: [ahead_begin, ahead_end) */
    size_t ahead_begin;
    size_t ahead_end;
    char head[EW_FRAME_HEAD_BYTES];
    size_t n_head;
    struct ew_frame frame;
    uint64_t checksum;
    char *payload;
    uint64_t payload_capacity;
    uint64_t n_payload;
    /* writing */
    char *out;
    size_t out_capacity;
    size_t out_begin;
    size_t out_end;
};

/** Read what is there and hand on whole frames. EW_EIO when the other side is gone ("closed the
 *  connection" or the system's reason), EW_EENGINE on a bad frame, or what `receive` says. */
enum ew_status ew_conn_read(struct ew_conn *conn, struct ew_error *err);

/** Queue a frame and write what the socket takes. */
enum ew_status ew_conn_send(struct ew_conn *conn, const struct ew_frame *frame,
                            struct ew_error *err);

/** Queue a frame only; ew_conn_flush() sends it. */
enum ew_status ew_conn_queue(struct ew_conn *conn, const struct ew_frame *frame,
                             struct ew_error *err);

/** Queue bytes of a frame that the caller has put together, and write what the socket takes. */
enum ew_status ew_conn_put(struct ew_conn *conn, const char *bytes, uint64_t n,
                           struct ew_error *err);

/** Write what is queued. */
enum ew_status ew_conn_flush(struct ew_conn *conn, struct ew_error *err);

/** True when bytes wait for the socket. */
bool ew_conn_is_waiting(const struct ew_conn *conn);

/** Close and free. Accepts a zeroed one whose fd is -1. */
void ew_conn_fini(struct ew_conn *conn);

#endif
