/*
 * A worker and a coordinator that does what it should not. Images that are too large, too small,
 * out of order, sent to a device that is not the source, or before there is a program: nothing is
 * taken, the worker says what is wrong and ends. Another token, another version, another run under
 * way: the coordinator is told, and the worker stays.
 */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/exec/frame.h"
#include "engine/exec/net.h"
#include "engine/exec/program.h"
#include "engine/exec/setup.h"
#include "support/suite.h"

#define CORPUS EW_SOURCE_DIR "/tests/fuzz/corpus/frame/"

/* A worker, and what it has said. */
struct talk {
    pid_t pid;
    struct ew_conn conn;
    struct ew_error err;
    struct ew_exec_program *program;
    char said[512]; /* of its ERROR frame; "BYE" */
};

static enum ew_status limit(uint64_t *out, void *ctx, const struct ew_frame *head,
                            struct ew_error *err)
{
    (void)ctx;
    (void)head;
    (void)err;
    *out = 4096;
    return EW_OK;
}

static enum ew_status receive(void *ctx, const struct ew_frame *frame, struct ew_error *err)
{
    struct talk *t = ctx;
    (void)err;
    if (frame->type == EW_FRAME_ERROR) {
        (void)snprintf(t->said, sizeof t->said, "%.*s", (int)frame->n_bytes, frame->payload);
    } else if (frame->type == EW_FRAME_BYE) {
        (void)snprintf(t->said, sizeof t->said, "BYE");
    }
    return EW_OK;
}

static void say(struct talk *t, const struct ew_frame *frame)
{
    const enum ew_status status = ew_conn_send(&t->conn, frame, &t->err);
    ck_assert_msg(status == EW_OK, "%s", t->err.message);
}

/* Connect to a worker and say so, with a token of these bytes. */
static void visit(struct talk *t, const char *port, char token_byte)
{
    char token[EW_TOKEN_BYTES];
    memset(token, token_byte, sizeof token);
    *t = (struct talk){.conn = {.fd = -1, .peer = "worker", .limit = limit, .receive = receive}};
    t->conn.ctx = t;
    ck_assert_msg(ew_net_connect(&t->conn.fd, "127.0.0.1", port, &t->err) == EW_OK, "%s",
                  t->err.message);
    say(t,
        &(struct ew_frame){
            .type = EW_FRAME_HELLO, .node = UINT32_MAX, .n_bytes = sizeof token, .payload = token});
}

/* Start a worker with a token of zeros; returns its process. */
static pid_t start(char port[16])
{
    int to_child[2], from_child[2];
    char line[32] = "", token[2 * EW_TOKEN_BYTES + 1];
    ck_assert(pipe(to_child) == 0 && pipe(from_child) == 0);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)dup2(to_child[0], STDIN_FILENO);
        (void)dup2(from_child[1], STDOUT_FILENO);
        (void)execl(EW_BINARY_DIR "/bin/edgeweave-worker", "edgeweave-worker", (char *)NULL);
        _exit(127);
    }
    memset(token, '0', sizeof token);
    token[sizeof token - 1] = '\n';
    ck_assert_int_eq(write(to_child[1], token, sizeof token), (ssize_t)sizeof token);
    ck_assert_int_gt(read(from_child[0], line, sizeof line - 1), 0);
    ck_assert_int_eq(sscanf(line, "port %15[0-9]", port), 1);
    for (int i = 0; i < 2; i++) {
        (void)close(to_child[i]);
        (void)close(from_child[i]);
    }
    return pid;
}

/* The same, and connect. */
static void begin(struct talk *t)
{
    char port[16];
    const pid_t pid = start(port);
    visit(t, port, 0);
    t->pid = pid;
}

/* Setup and program of the fuzzer's corpus, without emulation. */
static void set_up(struct talk *t, bool as_source)
{
    char *setup_bytes = NULL, *program_bytes = NULL;
    size_t setup_size = 0, program_size = 0;
    struct ew_arena arena = {0};
    struct ew_exec_setup setup;
    struct ew_str bytes = {0};
    ck_assert(ew_file_read(&setup_bytes, &setup_size, CORPUS "setup", 1 << 20, &t->err) == EW_OK &&
              ew_file_read(&program_bytes, &program_size, CORPUS "program", 1 << 20, &t->err) ==
                  EW_OK &&
              ew_exec_setup_get(&setup, &arena, setup_bytes, setup_size, &t->err) == EW_OK &&
              ew_exec_program_get(&t->program, program_bytes, program_size, &t->err) == EW_OK);
    setup.is_emulated = 0;
    setup.n_programs = 1;
    setup.device = as_source ? t->program->source_device : t->program->source_device + 1;
    ew_exec_setup_put(&bytes, &setup);
    say(t,
        &(struct ew_frame){.type = EW_FRAME_SETUP, .n_bytes = bytes.length, .payload = bytes.text});
    say(t, &(struct ew_frame){
               .type = EW_FRAME_PROGRAM, .n_bytes = program_size, .payload = program_bytes});
    ew_str_fini(&bytes);
    ew_arena_fini(&arena);
    free(setup_bytes);
    free(program_bytes);
}

/* Only the head leaves when `is_cut`: nobody must wait for the rest. */
static void send_input(struct talk *t, uint32_t node, uint64_t image, uint64_t n_bytes, bool is_cut)
{
    char *zeros = calloc(1, n_bytes + 1);
    char head[EW_FRAME_HEAD_BYTES];
    ck_assert_ptr_nonnull(zeros);
    const struct ew_frame frame = {
        .type = EW_FRAME_INPUT, .node = node, .job = image, .n_bytes = n_bytes, .payload = zeros};
    if (is_cut) {
        ew_frame_put_head(head, &frame);
        ck_assert(ew_conn_put(&t->conn, head, sizeof head, &t->err) == EW_OK);
    } else {
        say(t, &frame);
    }
    free(zeros);
}

static void hear(struct talk *t, const char *message)
{
    while (!*t->said) {
        struct pollfd fd = {.fd = t->conn.fd, .events = POLLIN};
        ck_assert_int_gt(poll(&fd, 1, 20000), 0);
        if (ew_conn_read(&t->conn, &t->err) != EW_OK) {
            break;
        }
    }
    ck_assert_msg(strstr(t->said, message) != NULL, "expected '%s', found '%s'", message, t->said);
}

static void expect(struct talk *t, const char *message)
{
    int how = 0;
    hear(t, message);
    ck_assert_int_eq(waitpid(t->pid, &how, 0), t->pid);
    ck_assert(WIFEXITED(how));
    ck_assert_int_eq(WEXITSTATUS(how) != 0, strcmp(message, "BYE") != 0);
    ew_conn_fini(&t->conn);
    ew_exec_program_free(t->program);
}

START_TEST(images_of_the_right_size_are_taken)
{
    struct talk t;
    begin(&t);
    set_up(&t, true);
    const uint64_t n = ew_exec_input_elements(t.program, 0) * sizeof(float);
    for (uint64_t image = 0; image < 20; image++) {
        send_input(&t, 0, image, n, false);
    }
    say(&t, &(struct ew_frame){.type = EW_FRAME_STOP});
    expect(&t, "BYE");
}
END_TEST

START_TEST(other_images_are_refused_before_they_are_read)
{
    static const struct {
        int64_t extra_bytes;
        uint32_t node;
        uint64_t image;
        bool as_source;
        const char *message;
    } cases[] = {
        {4, 0, 0, true, "sent an input of "},
        {-4, 0, 0, true, "sent an input of "},
        {1 << 20, 0, 0, true, "sent an input of "},
        {0, 1, 0, true, "sent input 1 of image 0, expected 0 of 0"},
        {0, 0, 1, true, "sent input 0 of image 1, expected 0 of 0"},
        {0, 0, 0, false, "sent an input to a device that is not the source"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk t;
        begin(&t);
        set_up(&t, cases[i].as_source);
        const uint64_t n = ew_exec_input_elements(t.program, 0) * sizeof(float);
        send_input(&t, cases[i].node, cases[i].image, (uint64_t)((int64_t)n + cases[i].extra_bytes),
                   true);
        expect(&t, cases[i].message);
    }
}
END_TEST

START_TEST(images_before_a_program_are_refused)
{
    struct talk t;
    begin(&t);
    send_input(&t, 0, 0, 4, true);
    expect(&t, "sent a INPUT frame where none is expected");
}
END_TEST

/* A visitor that has sent all sorts of things after its token is told all the same. */
static void check_refusal(const char *port, char token_byte, const char *message)
{
    struct talk t;
    visit(&t, port, token_byte);
    for (int i = 0; i < 100; i++) {
        struct ew_error ignored = {0};
        (void)ew_conn_send(&t.conn, &(struct ew_frame){.type = EW_FRAME_PING}, &ignored);
    }
    hear(&t, message);
    ew_conn_fini(&t.conn);
}

START_TEST(who_is_not_let_in_is_told_why)
{
    struct talk first;
    char port[16], head[EW_FRAME_HEAD_BYTES];
    const pid_t pid = start(port);
    check_refusal(port, 7, "refuses the token; its own is another");
    visit(&first, port, 0);
    say(&first, &(struct ew_frame){.type = EW_FRAME_PING});
    for (int i = 0; i < 20; i++) {
        check_refusal(port, 0, "is serving another run");
        check_refusal(port, 7, "refuses the token; its own is another");
    }
    /* another version: answered in ours, so that its own check of heads says so */
    struct talk other = {.conn = {.fd = -1, .peer = "worker", .limit = limit, .receive = receive}};
    other.conn.ctx = &other;
    ck_assert(ew_net_connect(&other.conn.fd, "127.0.0.1", port, &other.err) == EW_OK);
    ew_frame_put_head(head, &(struct ew_frame){.type = EW_FRAME_HELLO, .node = UINT32_MAX});
    head[4] = EW_FRAME_VERSION + 1;
    ck_assert(ew_conn_put(&other.conn, head, sizeof head, &other.err) == EW_OK);
    hear(&other, "is of another version");
    ew_conn_fini(&other.conn);
    /* the run that is under way has not noticed */
    first.pid = pid;
    say(&first, &(struct ew_frame){.type = EW_FRAME_STOP});
    expect(&first, "BYE");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        images_of_the_right_size_are_taken, other_images_are_refused_before_they_are_read,
        images_before_a_program_are_refused, who_is_not_let_in_is_told_why};
    return run_suite("worker", tests, sizeof tests / sizeof *tests);
}
