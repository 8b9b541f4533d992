/*
 * A worker that goes wrong on purpose, for tests: stands between a real edgeweave-worker and
 * everybody who talks to it, and damages what passes.
 *
 * EW_FAULT_WORKER  the real program
 * EW_FAULT         KIND:N@W,KIND:N@W,...: what worker W (0: the first that is started) does once N
 *                  bytes have gone from it to the coordinator (data: from other workers to it):
 *                  kill, stop, reset, close, flip, version, garbage, huge, slow, data; disk: it
 *                  starts in another folder. Without @W it is the first one
 *                  killlate, disklate: accepts nobody but the coordinator, and fails some time
 *                  after others have noticed
 *                  tardy: N bytes on, it hears some time later what the coordinator says
 * EW_FAULT_LOCK    a folder: processes count themselves by the files they make there
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/exec/frame.h"

enum { MAX_PAIRS = 256, CHUNK = 65536 };

/* Two ends of a connection: from outside, to the real worker. */
struct pair {
    int outside, inside;
    uint64_t n_out; /* bytes from the real worker */
    uint64_t n_in;
};

struct fault {
    const char *kind; /* "" none, or done */
    uint64_t at;
};

static void die(const char *what)
{
    perror(what);
    _exit(99);
}

static pid_t start_worker(char port[16], bool is_elsewhere)
{
    int out[2];
    char line[64] = "";
    if (pipe(out) != 0) {
        die("pipe");
    }
    const pid_t pid = fork();
    if (pid == 0) {
        char *const argv[] = {(char *)(uintptr_t) "edgeweave-worker", NULL};
        if (is_elsewhere && chdir("/") != 0) {
            _exit(98);
        }
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(out[0]);
        (void)execv(getenv("EW_FAULT_WORKER"), argv); /* the token is on standard input */
        _exit(98);
    }
    (void)close(out[1]);
    if (read(out[0], line, sizeof line - 1) <= 0 || sscanf(line, "port %15[0-9]", port) != 1) {
        _exit(97);
    }
    return pid;
}

static int listen_here(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        die("listen");
    }
    printf("port %d\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

static void send_at_once(int fd)
{
    const int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static int connect_to(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)strtol(port, NULL, 10));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    send_at_once(fd);
    return fd;
}

static void write_all(int fd, const char *bytes, size_t n)
{
    while (n) {
        const ssize_t done = send(fd, bytes, n, MSG_NOSIGNAL);
        if (done <= 0) {
            return;
        }
        bytes += done;
        n -= (size_t)done;
    }
}

/* A frame with a good checksum that announces more than anybody may send. */
static void send_huge(int fd)
{
    char head[EW_FRAME_HEAD_BYTES];
    uint64_t n_bytes = UINT64_C(1) << 50;
    const struct ew_frame ready = {.type = EW_FRAME_READY};
    ew_frame_put_head(head, &ready);
    memcpy(head + 8, &n_bytes, 8);
    const uint64_t sum = ew_frame_checksum(head, 48);
    memcpy(head + 48, &sum, 8);
    write_all(fd, head, sizeof head);
}

static void reset(int fd)
{
    const struct linger now = {1, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(fd);
}

/* While others notice or do something, on machines that do ten other things, too. */
static void wait_some_time(void)
{
    const struct timespec pause = {0, 300000000};
    (void)nanosleep(&pause, NULL);
}

/* Go wrong: `bytes` are about to pass to the coordinator, the fault's place among them. */
static void go_wrong(struct fault *fault, struct pair *pair, char *bytes, size_t n, pid_t child)
{
    const char *kind = fault->kind;
    const size_t before = fault->at > pair->n_out ? (size_t)(fault->at - pair->n_out) : 0;
    if (strcmp(kind, "slow") == 0) {
        const struct timespec pause = {0, 2000000};
        (void)nanosleep(&pause, NULL);
        return; /* again and again */
    }
    fault->kind = "";
    if (strstr(kind, "late")) {
        wait_some_time();
    }
    if (strncmp(kind, "kill", 4) == 0) {
        (void)kill(child, SIGKILL);
        (void)kill(getpid(), SIGKILL);
    } else if (strcmp(kind, "stop") == 0) {
        (void)kill(child, SIGSTOP);
        (void)kill(getpid(), SIGSTOP);
    } else if (strcmp(kind, "reset") == 0 || strcmp(kind, "close") == 0) {
        write_all(pair->outside, bytes, before);
        if (*kind == 'r') {
            reset(pair->outside);
        } else {
            (void)close(pair->outside);
        }
        pair->outside = -1;
    } else if (strcmp(kind, "flip") == 0) {
        bytes[before < n ? before : 0] ^= 0x10;
    } else if (strcmp(kind, "version") == 0) {
        char head[EW_FRAME_HEAD_BYTES];
        const struct ew_frame ready = {.type = EW_FRAME_READY};
        ew_frame_put_head(head, &ready);
        head[4] = 77;
        write_all(pair->outside, head, sizeof head);
    } else if (strcmp(kind, "garbage") == 0) {
        const char text[] =
            "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: somebody's browser\r\n\r\n";
        write_all(pair->outside, text, sizeof text - 1);
    } else if (strcmp(kind, "huge") == 0) {
        send_huge(pair->outside);
    }
}

/* Pass on what is there; false when that side is gone. */
static bool pass(int from, int to, struct pair *pair, bool is_out, bool is_coordinator,
                 struct fault *fault, pid_t child)
{
    static char bytes[CHUNK];
    const ssize_t n = recv(from, bytes, sizeof bytes, 0);
    if (n <= 0) {
        return false;
    }
    const bool is_data = strcmp(fault->kind, "data") == 0;
    const bool is_tardy = strcmp(fault->kind, "tardy") == 0;
    uint64_t *passed = is_out ? &pair->n_out : &pair->n_in;
    if (is_data && !is_out && !is_coordinator && *passed + (uint64_t)n > fault->at) {
        bytes[fault->at > *passed ? fault->at - *passed : 0] ^= 0x10;
        fault->kind = "";
    } else if (is_tardy && !is_out && is_coordinator && *passed + (uint64_t)n > fault->at) {
        wait_some_time();
        fault->kind = "";
    } else if (*fault->kind && !is_data && !is_tardy && is_out && is_coordinator &&
               *passed + (uint64_t)n > fault->at) {
        go_wrong(fault, pair, bytes, (size_t)n, child);
        to = pair->outside;
    }
    *passed += (uint64_t)n;
    if (to >= 0) {
        write_all(to, bytes, (size_t)n);
    }
    return true;
}

/* Who connects says first who it is. */
static bool is_from_coordinator(int fd)
{
    char head[EW_FRAME_HEAD_BYTES];
    uint64_t unused;
    struct ew_frame frame;
    struct ew_error err;
    return recv(fd, head, sizeof head, MSG_PEEK) == (ssize_t)sizeof head &&
           ew_frame_get_head(&frame, &unused, head, &err) == EW_OK && frame.node == UINT32_MAX;
}

/* Which of the workers this is: they are started one after another. */
static unsigned count_myself(void)
{
    const char *lock = getenv("EW_FAULT_LOCK");
    char path[512];
    unsigned n = 0;
    for (int fd = -1; lock && fd < 0 && n < 1000; n += fd < 0) {
        (void)snprintf(path, sizeof path, "%s/%u", lock, n);
        fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return n;
}

static void read_fault(struct fault *fault)
{
    static char kind[32];
    const unsigned own = count_myself();
    *fault = (struct fault){"", 0};
    for (const char *text = getenv("EW_FAULT"); text && *text;) {
        const char *colon = strchr(text, ':');
        const char *end = text + strcspn(text, ",");
        const char *at = memchr(text, '@', (size_t)(end - text));
        if (colon && colon < end && (at ? strtoul(at + 1, NULL, 10) : 0) == own) {
            (void)snprintf(kind, sizeof kind, "%.*s", (int)(colon - text), text);
            *fault = (struct fault){kind, strtoull(colon + 1, NULL, 10)};
        }
        text = *end ? end + 1 : end;
    }
}

int main(void)
{
    char port[16];
    struct fault fault;
    struct pair pairs[MAX_PAIRS];
    int n_pairs = 0;
    int coordinator = 0; /* its pair */
    (void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    read_fault(&fault);
    const bool is_late = strstr(fault.kind, "late") != NULL;
    const pid_t child = start_worker(port, strncmp(fault.kind, "disk", 4) == 0);
    int listener = listen_here();
    for (;;) {
        struct pollfd fds[2 * MAX_PAIRS + 1] = {{.fd = listener, .events = POLLIN}};
        for (int i = 0; i < n_pairs; i++) {
            fds[1 + 2 * i] = (struct pollfd){.fd = pairs[i].outside, .events = POLLIN};
            fds[2 + 2 * i] = (struct pollfd){.fd = pairs[i].inside, .events = POLLIN};
        }
        const int n_polled = n_pairs;
        const bool is_between = n_pairs && pairs[coordinator].inside < 0;
        if (poll(fds, (nfds_t)(1 + 2 * n_pairs), is_between ? 1 : 100) < 0) {
            die("poll");
        }
        int how = 0;
        if (is_between && waitpid(child, &how, WNOHANG) == child) { /* end as it did */
            return WIFEXITED(how) ? WEXITSTATUS(how) : 96;
        }
        for (int i = 0; i < n_polled; i++) {
            struct pair *p = &pairs[i];
            if (fds[1 + 2 * i].revents && p->outside >= 0 && p->n_in == 0 &&
                is_from_coordinator(p->outside)) {
                coordinator = i;
                if (is_late && listener >= 0) {
                    (void)close(listener);
                    listener = -1;
                }
            }
            if (fds[1 + 2 * i].revents && p->outside >= 0 &&
                !pass(p->outside, p->inside, p, false, i == coordinator, &fault, child)) {
                (void)shutdown(p->inside, SHUT_WR);
                (void)close(p->outside);
                p->outside = -1;
            }
            if (fds[2 + 2 * i].revents && p->inside >= 0 &&
                !pass(p->inside, p->outside, p, true, i == coordinator, &fault, child)) {
                (void)shutdown(p->outside, SHUT_WR);
                (void)close(p->inside);
                p->inside = -1;
            }
        }
        if (fds[0].revents && listener >= 0 && n_pairs < MAX_PAIRS) {
            const int outside = accept(listener, NULL, NULL);
            send_at_once(outside);
            pairs[n_pairs++] = (struct pair){outside, connect_to(port), 0, 0};
        }
    }
}
