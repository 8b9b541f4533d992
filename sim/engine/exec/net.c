#include "engine/exec/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { connect_ms = 10000 };

/* A machine that is silent so long is gone: switched off, or off the network, without a word. */
enum { ALIVE_IDLE_S = 15, ALIVE_EVERY_S = 5, ALIVE_TIMES = 3, HEARD_MS = 60000 };

void ew_net_tune(int fd)
{
    const int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
#ifdef __linux__
    const int idle_s = ALIVE_IDLE_S, every_s = ALIVE_EVERY_S, times = ALIVE_TIMES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
#endif
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void ew_net_watch(int fd)
{
#ifdef TCP_USER_TIMEOUT
    const int heard_ms = HEARD_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &heard_ms, sizeof heard_ms);
#else
    (void)fd;
#endif
}

/* Connect within `connect_ms`; errno says why not. */
static bool connect_in_time(int fd, const struct addrinfo *a)
{
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
        return true;
    }
    if (errno != EINPROGRESS) {
        return false;
    }
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int n;
    do {
        n = poll(&poll_fd, 1, connect_ms);
    } while (n < 0 && errno == EINTR);
    int failure = n == 0 ? ETIMEDOUT : 0;
    socklen_t size = sizeof failure;
    if (n > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) {
        failure = errno;
    }
    errno = failure;
    return n > 0 && failure == 0;
}

enum ew_status ew_net_connect(int *out, const char *host, const char *port, struct ew_error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int failure = getaddrinfo(host, port, &hints, &found);
    if (failure) {
        return ew_fail(err, EW_EIO, "%s port %s: %s", host, port, gai_strerror(failure));
    }
    int fd = -1;
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && !connect_in_time(fd, a)) {
            const int why = errno;
            (void)close(fd);
            errno = why;
            fd = -1;
        }
    }
    const int why = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        return ew_fail(err, EW_EIO, "cannot connect to %s port %s: %s", host, port, strerror(why));
    }
    ew_net_tune(fd);
    *out = fd;
    return EW_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum ew_status ew_net_parse_token(char token[EW_TOKEN_BYTES], const char *hex, const char *what,
                                  struct ew_error *err)
{
    for (int i = 0; i < EW_TOKEN_BYTES; i++) {
        const int high = hex_digit(hex[2 * i]);
        const int low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);
        if (low < 0) {
            return ew_fail(err, EW_EINPUT,
                           "%s: expected a token of %d hexadecimal digits, found %d", what,
                           2 * EW_TOKEN_BYTES, 2 * i + (high < 0 ? 0 : 1));
        }
        token[i] = (char)(high * 16 + low);
    }
    return EW_OK;
}
