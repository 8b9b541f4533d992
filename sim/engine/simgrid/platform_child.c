#include "engine/simgrid/platform_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"
#include "base/vec.h"
#include "engine/simgrid/sg_compat.h"
#include "engine/simgrid/sg_reason.h"

enum {
    PIPE_BUFFER_BYTES = 1 << 16,
    REASON_BYTES = 16384,
    MAX_WORDS = 1 << 29,
};

/* --- the child: SimGrid's side --------------------------------------------------------------- */

static void put_u32(FILE *to, size_t value)
{
    const uint32_t word = (uint32_t)value;
    (void)fwrite(&word, sizeof word, 1, to);
}

static void put_double(FILE *to, double value)
{
    (void)fwrite(&value, sizeof value, 1, to);
}

static void put_string(FILE *to, const char *text)
{
    static const char zeros[4] = {0};
    const size_t n = strlen(text);
    put_u32(to, n);
    (void)fwrite(text, 1, n, to);
    (void)fwrite(zeros, 1, (4 - n % 4) % 4, to);
}

static void put_host(FILE *to, sg_host_t host)
{
    put_string(to, sg_host_get_name(host));
    put_double(to, sg_host_get_speed(host));
    put_u32(to, (size_t)sg_host_core_count(host));
    put_u32(to, sg_host_get_nb_pstates(host));
    xbt_dict_t properties = sg_host_get_properties(host);
    put_u32(to, (size_t)xbt_dict_length(properties));
    xbt_dict_cursor_t cursor = NULL;
    char *key = NULL, *value = NULL;
    xbt_dict_foreach(properties, cursor, key, value)
    {
        put_string(to, key);
        put_string(to, value);
    }
    xbt_dict_free(&properties);
}

static void put_routes(FILE *to, const sg_host_t *hosts, size_t n)
{
    xbt_dynar_t route = xbt_dynar_new(sizeof(sg_link_t), NULL);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            if (i == k) {
                continue;
            }
            xbt_dynar_reset(route);
            sg_host_get_route(hosts[i], hosts[k], route);
            const unsigned long length = xbt_dynar_length(route);
            put_u32(to, length);
            for (unsigned long l = 0; l < length; l++) {
                sg_link_t *link = xbt_dynar_get_ptr(route, l);
                put_u32(to, (size_t)(uintptr_t)sg_link_get_data(*link));
            }
        }
    }
    xbt_dynar_free(&route);
}

static void put_platform(FILE *to)
{
    const size_t n_hosts = sg_host_count(); /* sg_host_list asserts when there is none */
    sg_host_t *hosts = n_hosts ? sg_host_list() : NULL;
    const size_t n_links = sg_link_count();
    sg_link_t *links = sg_link_list();
    put_u32(to, EW_PLATFORM_MAGIC);
    put_u32(to, n_hosts);
    put_u32(to, n_links);
    for (size_t i = 0; i < n_hosts; i++) {
        put_host(to, hosts[i]);
    }
    for (size_t i = 0; i < n_links; i++) {
        put_string(to, sg_link_get_name(links[i]));
        put_double(to, sg_link_get_bandwidth(links[i]));
        put_double(to, sg_link_get_latency(links[i]));
        put_u32(to, (size_t)sg_link_is_shared(links[i]));
        sg_link_set_data(links[i], (void *)(uintptr_t)i);
    }
    put_routes(to, hosts, n_hosts);
    put_u32(to, EW_PLATFORM_MAGIC);
    xbt_free(links);
    xbt_free(hosts);
}

static void run_child(const char *xml_path, int data_fd, int message_fd)
{
    char program[] = "edgeweave", factory[] = "--cfg=contexts/factory:" EW_SG_CONTEXT_FACTORY;
    char errors_only[] = "--log=root.thresh:error";
    char *argv[] = {program, errors_only, factory, NULL};
    int argc = 3;
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGABRT, SIG_DFL);
    /* SimGrid flushes stdout: what the parent had buffered must not come out twice */
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 || dup2(message_fd, STDERR_FILENO) < 0) {
        _exit(1);
    }
    FILE *to = fdopen(data_fd, "wb");
    if (!to) {
        _exit(1);
    }
    (void)setvbuf(to, NULL, _IOFBF, PIPE_BUFFER_BYTES);
    simgrid_init(&argc, argv);
    simgrid_load_platform(xml_path);
    simgrid_run(); /* no actors: only seals the zones, without which Floyd knows no routes */
    put_platform(to);
    _exit(fflush(to) == 0 && !ferror(to) ? 0 : 1); /* no destructors: they print */
}

/* --- the parent ------------------------------------------------------------------------------ */

/* What came out of a child. */
struct harvest {
    struct ew_words words;
    size_t n_bytes; /* of data so far */
    char message[REASON_BYTES];
    size_t n_message;
    double time_limit_s;
    bool is_late;
    bool is_out_of_memory;
    int wait_status;
};

/* Read what is there; false at the end of the stream or on an error. */
static bool drain_data(struct harvest *h, int fd)
{
    const size_t needed = h->n_bytes / sizeof(uint32_t) + PIPE_BUFFER_BYTES / sizeof(uint32_t) + 1;
    if (needed > MAX_WORDS || !ew_vec_reserve(&h->words, needed)) {
        h->is_out_of_memory = true;
        return false;
    }
    const ssize_t n = read(fd, (char *)h->words.items + h->n_bytes, PIPE_BUFFER_BYTES);
    if (n > 0) {
        h->n_bytes += (size_t)n;
        h->words.count = h->n_bytes / sizeof(uint32_t);
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

static bool drain_message(struct harvest *h, int fd)
{
    char scrap[1024]; /* the end of a long message does not matter */
    const size_t room = sizeof h->message - 1 - h->n_message;
    const ssize_t n =
        room ? read(fd, h->message + h->n_message, room) : read(fd, scrap, sizeof scrap);
    if (n > 0 && room) {
        h->n_message += (size_t)n;
        h->message[h->n_message] = '\0';
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

static void collect(struct harvest *h, int data_fd, int message_fd)
{
    const double end_s = ew_now_s() + h->time_limit_s;
    struct pollfd fds[2] = {{.fd = data_fd, .events = POLLIN},
                            {.fd = message_fd, .events = POLLIN}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        const double left_s = end_s - ew_now_s();
        const int ready = left_s > 0 ? poll(fds, 2, (int)(left_s * 1000) + 1) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            h->is_late = true;
            return;
        }
        if (fds[0].revents && !drain_data(h, data_fd)) {
            fds[0].fd = -1;
        }
        if (fds[1].revents && !drain_message(h, message_fd)) {
            fds[1].fd = -1;
        }
    }
}

static void run_and_collect(struct harvest *h, pid_t child, int data_fd, int message_fd)
{
    collect(h, data_fd, message_fd);
    if (h->is_late || h->is_out_of_memory) {
        (void)kill(child, SIGKILL);
    }
    ew_wait_child(child, &h->wait_status);
}

static enum ew_status judge(const struct harvest *h, const char *xml_path, struct ew_error *err)
{
    if (h->is_out_of_memory) {
        return ew_fail_memory(err);
    }
    if (h->is_late) {
        return ew_fail(err, EW_EINPUT, "%s: SimGrid needs more than %g s to read the platform",
                       xml_path, h->time_limit_s);
    }
    /* The last word says it all: tools such as valgrind change the exit code. */
    if (h->words.count && h->words.items[h->words.count - 1] == EW_PLATFORM_MAGIC) {
        return EW_OK;
    }
    size_t length = 0;
    const char *reason = ew_sg_reason(h->message, &length);
    if (*reason == '\0') {
        const bool is_signal = WIFSIGNALED(h->wait_status);
        return ew_fail(err, EW_EINPUT, "%s: SimGrid died without a message (%s %d)", xml_path,
                       is_signal ? "signal" : "exit code",
                       is_signal ? WTERMSIG(h->wait_status) : WEXITSTATUS(h->wait_status));
    }
    const char *list = strstr(reason, ". Existing netpoints:"); /* continued on further lines */
    if (list && (size_t)(list - reason) < length) {
        length = (size_t)(list - reason);
    }
    return ew_fail(err, EW_EINPUT, "%s: SimGrid rejects the platform: %.*s", xml_path, (int)length,
                   reason);
}

static void close_both(int fds[2])
{
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
            fds[i] = -1;
        }
    }
}

enum ew_status ew_platform_read_child(struct ew_words *out, const char *xml_path,
                                      double time_limit_s, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    int data[2] = {-1, -1}, message[2] = {-1, -1};
    struct harvest *h = calloc(1, sizeof *h);
    if (!h) {
        return ew_fail_memory(err);
    }
    h->time_limit_s = time_limit_s;
    if (pipe(data) != 0 || pipe(message) != 0) {
        status = ew_fail(err, EW_EENGINE, "cannot make a pipe: %s", strerror(errno));
        goto done;
    }
    const pid_t child = fork();
    if (child < 0) {
        status = ew_fail(err, EW_EENGINE, "cannot start a child process: %s", strerror(errno));
        goto done;
    }
    if (child == 0) {
        (void)close(data[0]);
        (void)close(message[0]);
        free(h);
        run_child(xml_path, data[1], message[1]);
    }
    (void)close(data[1]);
    (void)close(message[1]);
    data[1] = message[1] = -1;
    run_and_collect(h, child, data[0], message[0]);
    status = judge(h, xml_path, err);
    if (status == EW_OK) {
        *out = h->words;
        h->words = (struct ew_words){0};
    }
done:
    close_both(data);
    close_both(message);
    ew_words_fini(&h->words);
    free(h);
    return status;
}

void ew_words_fini(struct ew_words *words)
{
    ew_vec_fini(words);
}
