/*
 * edgeweave-worker: one device of a real execution. Started by `edgeweave run --engine exec`, or by
 * hand on another machine; see docs/real-execution.md.
 *
 *   edgeweave-worker [--listen HOST:PORT] [--token-file FILE] [--keep] [--pin CPU]
 *
 * Listens on loopback and a free port unless told otherwise, prints "port N" on standard output,
 * serves one run and ends, or with --keep run after run. The token, 64 hexadecimal digits, comes
 * from FILE or from the first line of standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/system.h"
#include "engine/exec/net.h"
#include "engine/exec/pin.h"
#include "engine/exec/worker.h"

static enum ew_status read_token(char token[EW_TOKEN_BYTES], const char *path, struct ew_error *err)
{
    FILE *file = path ? fopen(path, "r") : stdin;
    if (!file) {
        return ew_fail(err, EW_EIO, "%s: %s", path, strerror(errno));
    }
    char line[2 * EW_TOKEN_BYTES + 2] = "";
    (void)!fgets(line, sizeof line, file); /* an empty line is no token */
    if (path) {
        (void)fclose(file);
    }
    return ew_net_parse_token(token, line, path ? path : "standard input", err);
}

static enum ew_status listen_on(int *out, char *host, struct ew_error *err)
{
    char *colon = strrchr(host, ':');
    uint64_t port;
    if (!colon || !ew_parse_u64(colon + 1, &port) || port > 65535) {
        return ew_fail(err, EW_EUSAGE, "--listen: expected HOST:PORT, found '%s'", host);
    }
    *colon = '\0';
    if (*host == '[' && colon[-1] == ']') { /* [::1]:7000 */
        host++;
        colon[-1] = '\0';
    }
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    const int failure = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
    if (failure) {
        return ew_fail(err, EW_EUSAGE, "--listen %s:%s: %s", host, colon + 1,
                       gai_strerror(failure));
    }
    const int one = 1;
    const int fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    const bool is_ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
                       bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 64) == 0;
    freeaddrinfo(found);
    if (!is_ok) {
        const enum ew_status status =
            ew_fail(err, EW_EIO, "--listen %s:%s: %s", host, colon + 1, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return status;
    }
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    *out = fd;
    return EW_OK;
}

static void print_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char port[16] = "?";
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        (void)getnameinfo((struct sockaddr *)&address, size, NULL, 0, port, sizeof port,
                          NI_NUMERICSERV);
    }
    printf("port %s\n", port);
    (void)fflush(stdout);
}

static void close_all(struct wk_worker *worker)
{
    (void)pthread_mutex_lock(&worker->mutex);
    worker->has_quit = true;
    (void)pthread_cond_broadcast(&worker->has_work);
    (void)pthread_mutex_unlock(&worker->mutex);
    if (worker->has_thread) {
        (void)pthread_join(worker->thread, NULL);
    }
    for (uint32_t d = 0; worker->lines && d < worker->setup.n_devices; d++) {
        free(worker->lines[d].bytes);
        ew_vec_fini(&worker->lines[d].waiting);
        ew_conn_fini(&worker->lines[d].conn);
    }
    free(worker->lines);
    for (size_t i = 0; i < worker->guests.count; i++) {
        ew_conn_fini(&worker->guests.items[i]->conn);
        free(worker->guests.items[i]);
    }
    ew_vec_fini(&worker->guests);
    wk_jobs_fini(worker);
    for (size_t i = 0; i < worker->plans.count; i++) {
        wk_plan_fini(&worker->plans.items[i], worker->kernels);
    }
    ew_vec_fini(&worker->plans);
    wk_inputs_fini(worker);
    ew_tensor_pool_fini(&worker->pool);
    ew_kernel_scratch_fini(&worker->scratch);
    ew_shaper_close(worker->shaper);
    ew_arena_fini(&worker->arena);
    for (int i = 0; i < 2; i++) {
        if (worker->wake_fds[i] >= 0) {
            (void)close(worker->wake_fds[i]);
        }
    }
    (void)pthread_cond_destroy(&worker->has_work);
    (void)pthread_mutex_destroy(&worker->mutex);
}

struct settings {
    char *listen_at;
    const char *token_file;
    bool keeps_on;
    uint32_t processor; /* EW_NONE: any */
};

/* How a run ended, for this worker. */
struct run_end {
    bool was_told;     /* a coordinator was there to hear of a failure */
    bool is_continued; /* it will be back, since another worker is lost */
};

/* A coordinator comes back within this time. */
static const double patience_s = 60;

/* One run, or what follows when another worker was lost: `end` says which, and then how it ended.
 */
static enum ew_status serve_run(struct run_end *end, int listen_fd,
                                const char token[EW_TOKEN_BYTES], const struct settings *settings,
                                struct ew_error *err)
{
    const uint32_t processor = settings->processor;
    struct wk_worker worker = {.listen_fd = listen_fd,
                               .dilation = 1,
                               .is_by_hand = settings->token_file != NULL,
                               .processor = processor,
                               .give_up_s = end->is_continued ? ew_now_s() + patience_s : INFINITY,
                               .wake_fds = {-1, -1}};
    enum ew_status status = EW_OK;
    memcpy(worker.token, token, EW_TOKEN_BYTES);
    (void)pthread_mutex_init(&worker.mutex, NULL);
    (void)pthread_cond_init(&worker.has_work, NULL);
    if (pipe(worker.wake_fds) != 0) {
        status = ew_fail(err, EW_EIO, "pipe: %s", strerror(errno));
    } else {
        (void)fcntl(worker.wake_fds[0], F_SETFL, O_NONBLOCK);
        (void)fcntl(worker.wake_fds[1], F_SETFL, O_NONBLOCK);
        worker.has_thread = pthread_create(&worker.thread, NULL, wk_compute_loop, &worker) == 0;
        status = worker.has_thread ? EW_OK : ew_fail(err, EW_ENOMEM, "cannot start a thread");
    }
    if (status == EW_OK && processor != EW_NONE && !ew_pin_thread(worker.thread, processor)) {
        status = ew_fail(err, EW_ENOTSUP, "--pin %u: this process may not use that processor",
                         processor);
    }
    status = status ? status : wk_serve(&worker, err);
    end->was_told = worker.coordinator != NULL;
    end->is_continued = worker.is_set_up && worker.setup.is_survivor && worker.is_reset;
    close_all(&worker);
    return status;
}

static void complain(const struct ew_error *err)
{
    (void)fprintf(stderr, "edgeweave-worker: %s\n", err->message);
}

static enum ew_status serve(const struct settings *settings)
{
    char token[EW_TOKEN_BYTES];
    int listen_fd = -1;
    struct ew_error err = {0};
    enum ew_status status = read_token(token, settings->token_file, &err);
    status = status ? status : listen_on(&listen_fd, settings->listen_at, &err);
    if (status != EW_OK) {
        complain(&err);
        return status;
    }
    print_port(listen_fd);
    struct run_end end = {0};
    do {
        status = serve_run(&end, listen_fd, token, settings, &err);
        if (status != EW_OK && (settings->token_file || !end.was_told)) {
            complain(&err); /* else the coordinator says it */
        } else if (settings->token_file && !end.is_continued) {
            (void)fprintf(stderr, "edgeweave-worker: the run is over\n");
        }
        if (status != EW_OK && status != EW_EENGINE && !end.was_told) {
            break; /* nobody's fault but this machine's: it would fail again at once */
        }
    } while (settings->keeps_on || end.is_continued);
    (void)close(listen_fd);
    return status;
}

int main(int argc, char **argv)
{
    char loopback[] = "127.0.0.1:0";
    uint64_t processor;
    struct settings settings = {.listen_at = loopback, .processor = EW_NONE};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--listen") == 0 && i + 1 < argc) {
            settings.listen_at = argv[++i];
        } else if (strcmp(argv[i], "--token-file") == 0 && i + 1 < argc) {
            settings.token_file = argv[++i];
        } else if (strcmp(argv[i], "--keep") == 0) {
            settings.keeps_on = true;
        } else if (strcmp(argv[i], "--pin") == 0 && i + 1 < argc &&
                   ew_parse_u64(argv[i + 1], &processor) && processor < EW_PIN_MAX_PROCESSORS) {
            settings.processor = (uint32_t)processor;
            i++;
        } else {
            const bool is_help = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
            if (!is_help) {
                (void)fprintf(stderr, "edgeweave-worker: cannot make sense of '%s'\n\n", argv[i]);
            }
            (void)fprintf(
                is_help ? stdout : stderr,
                "usage: edgeweave-worker [--listen HOST:PORT] [--token-file FILE] "
                "[--keep] [--pin CPU]\n\nOne device of a real execution; see "
                "docs/real-execution.md.\n\n"
                "  --listen HOST:PORT  where to listen (default: 127.0.0.1:0; port 0: any)\n"
                "  --token-file FILE   64 hexadecimal digits that coordinator and workers "
                "share (default:\n"
                "                      first line of standard input)\n"
                "  --keep              serve run after run, not only one\n"
                "  --pin CPU           compute on this processor only (default: any)\n");
            return is_help ? EXIT_SUCCESS : ew_status_exit_code(EW_EUSAGE);
        }
    }
    (void)signal(SIGPIPE, SIG_IGN);
#ifdef __linux__
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
    if (!settings.token_file) { /* started by a coordinator: end with it, even before it connects */
        (void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0, 0, 0);
    }
#endif
    return ew_status_exit_code(serve(&settings));
}
