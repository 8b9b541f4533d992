#include "engine/exec/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint32_t frame_magic = 0x31585745; /* "EWX1" */

const char *ew_frame_name(uint32_t type)
{
    static const char *const names[] = {"NONE",
#define X(name) #name,
                                        EW_FRAME_MAP(X)
#undef X
    };
    return type < EW_FRAME_COUNT ? names[type] : "?";
}

/* Eight bytes a step: FNV-1a on words, then the tail. */
static uint64_t mix(uint64_t sum, const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 32;
}

uint64_t ew_frame_checksum(const char *bytes, uint64_t n)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ n;
    uint64_t i = 0;
    if (n >= 32) { /* four sums side by side: a multiplication waits for the one before */
        uint64_t sums[4] = {sum, sum + 1, sum + 2, sum + 3};
        for (; i + 32 <= n; i += 32) {
            for (int k = 0; k < 4; k++) {
                sums[k] = mix(sums[k], bytes + i + 8 * k);
            }
        }
        sum = 0;
        for (int k = 0; k < 4; k++) {
            sum = mix(sum, (const char *)&sums[k]);
        }
    }
    for (; i + 8 <= n; i += 8) {
        sum = mix(sum, bytes + i);
    }
    for (; i < n; i++) {
        sum = (sum ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* Fields in order, little-endian as on every machine we run on. */
void ew_frame_put_head(char head[EW_FRAME_HEAD_BYTES], const struct ew_frame *frame)
{
    const uint16_t version = EW_FRAME_VERSION;
    const uint16_t type = (uint16_t)frame->type;
    const uint64_t checksum = ew_frame_checksum(frame->payload, frame->n_bytes);
    memset(head, 0, EW_FRAME_HEAD_BYTES);
    memcpy(head, &frame_magic, 4);
    memcpy(head + 4, &version, 2);
    memcpy(head + 6, &type, 2);
    memcpy(head + 8, &frame->n_bytes, 8);
    memcpy(head + 16, &frame->job, 8);
    memcpy(head + 24, &frame->time_s, 8);
    memcpy(head + 32, &checksum, 8);
    memcpy(head + 40, &frame->program, 4);
    memcpy(head + 44, &frame->node, 4);
    const uint64_t own = ew_frame_checksum(head, 48);
    memcpy(head + 48, &own, 8);
}

enum ew_status ew_frame_get_head(struct ew_frame *out, uint64_t *checksum,
                                 const char head[EW_FRAME_HEAD_BYTES], struct ew_error *err)
{
    uint32_t magic;
    uint16_t version;
    uint16_t type;
    uint64_t own;
    memcpy(&magic, head, 4);
    memcpy(&version, head + 4, 2);
    memcpy(&type, head + 6, 2);
    memcpy(&own, head + 48, 8);
    if (magic != frame_magic) {
        return ew_fail(err, EW_EENGINE, "sent something that is no frame");
    }
    if (version != EW_FRAME_VERSION) {
        return ew_fail(err, EW_EENGINE, "speaks protocol version %u, expected %d", version,
                       EW_FRAME_VERSION);
    }
    if (own != ew_frame_checksum(head, 48)) {
        return ew_fail(err, EW_EENGINE, "sent a corrupt frame (head)");
    }
    if (type == EW_FRAME_NONE || type >= EW_FRAME_COUNT) {
        return ew_fail(err, EW_EENGINE, "sent a frame of unknown type %u", type);
    }
    *out = (struct ew_frame){.type = type};
    memcpy(&out->n_bytes, head + 8, 8);
    memcpy(&out->job, head + 16, 8);
    memcpy(&out->time_s, head + 24, 8);
    memcpy(checksum, head + 32, 8);
    memcpy(&out->program, head + 40, 4);
    memcpy(&out->node, head + 44, 4);
    return EW_OK;
}

/* ---- reading ---- */

static enum ew_status begin_payload(struct ew_conn *conn, struct ew_error *err)
{
    enum ew_status status = ew_frame_get_head(&conn->frame, &conn->checksum, conn->head, err);
    uint64_t limit = 0;
    if (status == EW_OK) {
        status = conn->limit(&limit, conn->ctx, &conn->frame, err);
    }
    if (status == EW_OK && conn->frame.n_bytes > limit) {
        status = ew_fail(err, EW_EENGINE, "sent a %s frame of %llu bytes, expected at most %llu",
                         ew_frame_name(conn->frame.type), (unsigned long long)conn->frame.n_bytes,
                         (unsigned long long)limit);
    }
    if (status == EW_OK && conn->frame.n_bytes > conn->payload_capacity) {
        char *payload = realloc(conn->payload, conn->frame.n_bytes);
        if (!payload) {
            return ew_fail_memory(err);
        }
        conn->payload = payload;
        conn->payload_capacity = conn->frame.n_bytes;
    }
    conn->n_payload = 0;
    return status;
}

static enum ew_status end_frame(struct ew_conn *conn, struct ew_error *err)
{
    if (ew_frame_checksum(conn->payload, conn->frame.n_bytes) != conn->checksum) {
        return ew_fail(err, EW_EENGINE, "sent a corrupt %s frame", ew_frame_name(conn->frame.type));
    }
    conn->frame.payload = conn->payload;
    conn->n_head = 0;
    return conn->receive(conn->ctx, &conn->frame, err);
}

/* Read once; *n is 0 when nothing is there now. */
static enum ew_status receive_some(struct ew_conn *conn, char *to, size_t want, size_t *n,
                                   struct ew_error *err)
{
    const ssize_t got = recv(conn->fd, to, want, 0);
    *n = got > 0 ? (size_t)got : 0;
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))) {
        return EW_OK;
    }
    return got == 0 ? ew_fail(err, EW_EIO, "closed the connection")
                    : ew_fail(err, EW_EIO, "%s", strerror(errno));
}

/* Some of what is missing: large payloads straight to their place, all else by way of `ahead`, so
 * that one call reads many short frames. */
static enum ew_status read_some(struct ew_conn *conn, char *to, uint64_t want, size_t *n,
                                struct ew_error *err)
{
    if (conn->ahead_begin == conn->ahead_end) {
        if (want >= EW_CONN_AHEAD_BYTES) {
            return receive_some(conn, to, want < 1 << 20 ? want : 1 << 20, n, err);
        }
        size_t got;
        const enum ew_status status =
            receive_some(conn, conn->ahead, EW_CONN_AHEAD_BYTES, &got, err);
        conn->ahead_begin = 0;
        conn->ahead_end = got;
        if (status != EW_OK || got == 0) {
            *n = 0;
            return status;
        }
    }
    const size_t held = conn->ahead_end - conn->ahead_begin;
    *n = want < held ? (size_t)want : held;
    memcpy(to, conn->ahead + conn->ahead_begin, *n);
    conn->ahead_begin += *n;
    return EW_OK;
}

static enum ew_status read_frames(struct ew_conn *conn, struct ew_error *err)
{
    for (;;) {
        const bool is_in_head = conn->n_head < EW_FRAME_HEAD_BYTES;
        size_t n;
        enum ew_status status = is_in_head
                                    ? read_some(conn, conn->head + conn->n_head,
                                                EW_FRAME_HEAD_BYTES - conn->n_head, &n, err)
                                    : read_some(conn, conn->payload + conn->n_payload,
                                                conn->frame.n_bytes - conn->n_payload, &n, err);
        if (status != EW_OK || n == 0) {
            return status;
        }
        if (is_in_head) {
            conn->n_head += n;
            if (conn->n_head < EW_FRAME_HEAD_BYTES) {
                continue;
            }
            status = begin_payload(conn, err);
        } else {
            conn->n_payload += n;
        }
        if (status == EW_OK && conn->n_payload == conn->frame.n_bytes) {
            status = end_frame(conn, err);
        }
        if (status != EW_OK) {
            return status;
        }
    }
}

enum ew_status ew_conn_read(struct ew_conn *conn, struct ew_error *err)
{
    const enum ew_status status = read_frames(conn, err);
    return status == EW_EIO || status == EW_EENGINE ? ew_prefix(err, "%s: ", conn->peer) : status;
}

/* ---- writing ---- */

static bool queue_bytes(struct ew_conn *conn, const char *bytes, size_t n)
{
    if (conn->out_begin == conn->out_end) {
        conn->out_begin = conn->out_end = 0;
    }
    if (conn->out_end + n > conn->out_capacity) {
        const size_t held = conn->out_end - conn->out_begin;
        const size_t capacity = 2 * (held + n) + 4096;
        char *out = malloc(capacity);
        if (!out) {
            return false;
        }
        if (held) {
            memcpy(out, conn->out + conn->out_begin, held);
        }
        free(conn->out);
        conn->out = out;
        conn->out_capacity = capacity;
        conn->out_begin = 0;
        conn->out_end = held;
    }
    if (n) {
        memcpy(conn->out + conn->out_end, bytes, n);
        conn->out_end += n;
    }
    return true;
}

enum ew_status ew_conn_flush(struct ew_conn *conn, struct ew_error *err)
{
    while (conn->out_begin < conn->out_end) {
        const ssize_t n = send(conn->fd, conn->out + conn->out_begin,
                               conn->out_end - conn->out_begin, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return EW_OK;
        }
        if (n < 0) {
            return ew_fail(err, EW_EIO, "%s: %s", conn->peer, strerror(errno));
        }
        conn->out_begin += (size_t)n;
    }
    return EW_OK;
}

enum ew_status ew_conn_queue(struct ew_conn *conn, const struct ew_frame *frame,
                             struct ew_error *err)
{
    char head[EW_FRAME_HEAD_BYTES];
    ew_frame_put_head(head, frame);
    return queue_bytes(conn, head, sizeof head) && queue_bytes(conn, frame->payload, frame->n_bytes)
               ? EW_OK
               : ew_fail_memory(err);
}

enum ew_status ew_conn_send(struct ew_conn *conn, const struct ew_frame *frame,
                            struct ew_error *err)
{
    const enum ew_status status = ew_conn_queue(conn, frame, err);
    return status ? status : ew_conn_flush(conn, err);
}

enum ew_status ew_conn_put(struct ew_conn *conn, const char *bytes, uint64_t n,
                           struct ew_error *err)
{
    return queue_bytes(conn, bytes, n) ? ew_conn_flush(conn, err) : ew_fail_memory(err);
}

bool ew_conn_is_waiting(const struct ew_conn *conn)
{
    return conn->out_begin < conn->out_end;
}

void ew_conn_fini(struct ew_conn *conn)
{
    if (conn->fd >= 0) {
        (void)close(conn->fd);
        conn->fd = -1;
    }
    free(conn->payload);
    free(conn->out);
    conn->payload = NULL;
    conn->out = NULL;
}
