/*
 * Fuzz target: what arrives over a connection of real execution. The bytes are fed through a socket
 * in pieces of changing size, as the network does: as they are, then with heads made good, since no
 * search finds checksums; then as the payloads that follow: a setup and a program. Nothing larger
 * than its head justifies is ever allocated; what is accepted is whole and has the checksum that it
 * says.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/exec/frame.h"
#include "engine/exec/program.h"
#include "engine/exec/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PAYLOAD = 1 << 14 };

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

static enum ew_status limit(uint64_t *out, void *ctx, const struct ew_frame *head,
                            struct ew_error *err)
{
    (void)ctx;
    (void)err;
    require(head->type > EW_FRAME_NONE && head->type < EW_FRAME_COUNT);
    *out = head->type == EW_FRAME_READY ? 0 : MAX_PAYLOAD;
    return EW_OK;
}

static enum ew_status receive(void *ctx, const struct ew_frame *frame, struct ew_error *err)
{
    unsigned *n = ctx;
    (void)err;
    require(frame->n_bytes <= (frame->type == EW_FRAME_READY ? 0 : MAX_PAYLOAD));
    char head[EW_FRAME_HEAD_BYTES];
    struct ew_frame again;
    uint64_t sum = 0;
    ew_frame_put_head(head, frame);
    require(ew_frame_get_head(&again, &sum, head, NULL) == EW_OK);
    require(sum == ew_frame_checksum(frame->payload, frame->n_bytes));
    ++*n;
    return EW_OK;
}

static void feed_connection(const uint8_t *data, size_t size)
{
    int ends[2];
    unsigned n_frames = 0;
    struct ew_error err = {0};
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    struct ew_conn conn = {
        .fd = ends[0], .peer = "peer", .limit = limit, .receive = receive, .ctx = &n_frames};
    enum ew_status status = EW_OK;
    size_t piece = 1;
    for (size_t at = 0; at < size && status == EW_OK; at += piece) {
        piece = (size_t)data[at] + 1 < size - at ? (size_t)data[at] + 1 : size - at;
        require(send(ends[1], data + at, piece, MSG_NOSIGNAL) == (ssize_t)piece);
        status = ew_conn_read(&conn, &err);
        require(conn.payload_capacity <= MAX_PAYLOAD);
    }
    (void)close(ends[1]);
    if (status == EW_OK) {
        require(ew_conn_read(&conn, &err) == EW_EIO);
    }
    require(err.message[0] != '\0');
    ew_conn_fini(&conn);
}

/* Heads of this version with their own checksums; those of payloads are good, too, unless
 * the first byte of what stood there is odd. */
static void make_good(char *bytes, size_t size)
{
    const struct ew_frame ready = {.type = EW_FRAME_READY};
    char head[EW_FRAME_HEAD_BYTES];
    ew_frame_put_head(head, &ready);
    for (size_t at = 0; size - at >= EW_FRAME_HEAD_BYTES;) {
        uint64_t n_bytes;
        memcpy(bytes + at, head, 6); /* magic and version */
        memcpy(&n_bytes, bytes + at + 8, 8);
        at += EW_FRAME_HEAD_BYTES;
        const bool is_whole = n_bytes <= size - at;
        if (is_whole && bytes[at - EW_FRAME_HEAD_BYTES + 32] % 2 == 0) {
            const uint64_t sum = ew_frame_checksum(bytes + at, n_bytes);
            memcpy(bytes + at - EW_FRAME_HEAD_BYTES + 32, &sum, 8);
        }
        const uint64_t own = ew_frame_checksum(bytes + at - EW_FRAME_HEAD_BYTES, 48);
        memcpy(bytes + at - 8, &own, 8);
        if (!is_whole) {
            return;
        }
        at += (size_t)n_bytes;
    }
}

static void feed_payloads(const char *bytes, size_t size)
{
    struct ew_arena arena = {0};
    struct ew_exec_setup setup;
    struct ew_exec_program *program = NULL;
    struct ew_error err = {0};
    if (ew_exec_setup_get(&setup, &arena, bytes, size, &err) == EW_OK) {
        struct ew_str again = {0};
        ew_exec_setup_put(&again, &setup);
        require(again.length == size);
        ew_str_fini(&again);
    }
    if (ew_exec_program_get(&program, bytes, size, &err) == EW_OK) {
        require(program->n_nodes > 0);
        ew_exec_program_free(program);
    }
    ew_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed_connection(data, size);
    char *copy = malloc(size + 1); /* exact end, for the address sanitizer; aligned */
    require(copy != NULL);
    memcpy(copy, data, size);
    feed_payloads(copy, size);
    make_good(copy, size);
    feed_connection((const uint8_t *)copy, size);
    free(copy);
    return 0;
}
