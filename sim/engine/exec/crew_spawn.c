/*
 * Starting workers on this machine, each with the run's token, and plugged in where the kernel
 * makes the links.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/system.h"
#include "engine/exec/crew.h"
#include "engine/exec/net.h"

/* How fast a device sends or receives on a switch (ew_netns_check): its link is on any route from
 * or to it. */
static double link_bytes_per_s(const struct crew_member *member, bool sends)
{
    const struct crew *crew = member->crew;
    const uint32_t d = member->device, other = d ? 0 : 1;
    const struct ew_platform *platform = crew->run->platform;
    const double dilation = crew->options->dilation > 0 ? crew->options->dilation : 1;
    if (platform->n_devices < 2) {
        return 1e9; /* nobody to send to */
    }
    const struct ew_route *route =
        ew_platform_route(platform, sends ? d : other, sends ? other : d);
    return platform->links[route->links[sends ? 0 : 1]].bandwidth_bytes_per_s *
           crew->run->net->bandwidth_factor / dilation;
}

static struct ew_netns_end netns_end(const struct crew_member *member, bool sends)
{
    return (struct ew_netns_end){.device = member->device,
                                 .n_devices = member->crew->run->platform->n_devices,
                                 .bytes_per_s = link_bytes_per_s(member, sends)};
}

/* In the child: token on standard input, port on standard output. */
static void become_worker(const struct crew_member *member, const int to_child[2],
                          const int from_child[2])
{
    const struct ew_exec_options *options = member->crew->options;
    char *const argv[] = {
        (char *)(uintptr_t) "edgeweave-worker", (char *)(uintptr_t) "--listen",
        (char *)(uintptr_t)(options->has_kernel_links ? "0.0.0.0:0" : "127.0.0.1:0"), NULL};
    if (options->has_kernel_links) {
        const struct ew_netns_end end = netns_end(member, true);
        if (!ew_netns_become_worker(&end, to_child[0], from_child[1])) {
            _exit(127);
        }
    }
    (void)dup2(to_child[0], STDIN_FILENO);
    (void)dup2(from_child[1], STDOUT_FILENO);
    (void)close(to_child[0]);
    (void)close(to_child[1]);
    (void)close(from_child[0]);
    (void)close(from_child[1]);
    (void)execv(options->worker_path, argv);
    _exit(127);
}

static enum ew_status read_port(struct crew_member *member, int fd, struct ew_error *err)
{
    char line[32] = {0};
    size_t n = 0;
    while (n + 1 < sizeof line && !memchr(line, '\n', n)) {
        const ssize_t got = read(fd, line + n, sizeof line - 1 - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    if (sscanf(line, "port %15[0-9]", member->port) != 1) {
        return ew_fail(err, EW_EENGINE, "%s: %s did not start", member->label,
                       member->crew->options->worker_path);
    }
    if (!member->crew->options->has_kernel_links) {
        (void)snprintf(member->host, sizeof member->host, "127.0.0.1");
    }
    return EW_OK;
}

/* The worker waits in its namespace. */
static enum ew_status plug_in(struct crew_member *member, int from_child, int to_child,
                              struct ew_error *err)
{
    char byte = '\n', control[EW_NETNS_ADDRESS_BYTES];
    if (read(from_child, &byte, 1) != 1) {
        return ew_fail(err, EW_EENGINE, "network netns: no network namespace for %s",
                       member->label);
    }
    const struct ew_netns_end end = netns_end(member, false);
    const enum ew_status status = ew_netns_plug(&end, member->pid, err);
    ew_netns_addresses(control, member->peer_host, member->device);
    (void)snprintf(member->host, sizeof member->host, "%s", control);
    (void)send(to_child, &byte, 1, MSG_NOSIGNAL);
    return status;
}

enum ew_status crew_spawn(struct crew_member *member, struct ew_error *err)
{
    int to_child[2];
    int from_child[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, to_child) != 0) { /* a pipe would raise SIGPIPE */
        return ew_fail(err, EW_EIO, "socketpair: %s", strerror(errno));
    }
    if (pipe(from_child) != 0) {
        (void)close(to_child[0]);
        (void)close(to_child[1]);
        return ew_fail(err, EW_EIO, "pipe: %s", strerror(errno));
    }
    for (int i = 0; i < 2; i++) {
        (void)fcntl(to_child[i], F_SETFD, FD_CLOEXEC);
        (void)fcntl(from_child[i], F_SETFD, FD_CLOEXEC);
    }
    char token[2 * EW_TOKEN_BYTES + 2];
    for (int i = 0; i < EW_TOKEN_BYTES; i++) {
        (void)snprintf(token + 2 * i, 3, "%02x", (unsigned char)member->crew->token[i]);
    }
    token[2 * EW_TOKEN_BYTES] = '\n';
    member->pid = fork();
    if (member->pid == 0) {
        become_worker(member, to_child, from_child);
    }
    enum ew_status status =
        member->pid < 0 ? ew_fail(err, EW_EIO, "fork: %s", strerror(errno)) : EW_OK;
    (void)close(to_child[0]);
    (void)close(from_child[1]);
    if (status == EW_OK && member->crew->options->has_kernel_links) {
        status = plug_in(member, from_child[0], to_child[1], err);
    }
    (void)send(to_child[1], token, 2 * EW_TOKEN_BYTES + 1, MSG_NOSIGNAL); /* dead: see below */
    (void)close(to_child[1]);
    status = status ? status : read_port(member, from_child[0], err);
    (void)close(from_child[0]);
    return status;
}
