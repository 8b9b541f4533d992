#define _GNU_SOURCE /* unshare */

#include "engine/exec/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

enum { MAX_WORKERS = 250, QUANTUM_BYTES = 1514, LEAST_BURST_BYTES = 600 };

/* A full Ethernet frame against the bytes of ours in it: bandwidths of platforms are of payload. */
static const double frame_ratio = 1514.0 / 1448.0;
/* What an idle link lets through at once, so that its timer need not be finer. */
static const double burst_s = 0.15e-3;

/* ---- which platforms ---- */

/* Whether the link at one end of the route is that device's own, in that direction. */
static bool is_own(uint32_t *owner, uint32_t link, uint32_t end)
{
    owner[link] = owner[link] == EW_NONE ? end : owner[link];
    return owner[link] == end;
}

enum ew_status ew_netns_check(const struct ew_platform *platform, struct ew_error *err)
{
    const uint32_t n = platform->n_devices;
    uint32_t *owner = malloc((platform->n_links + 1u) * sizeof *owner); /* device, n + device */
    enum ew_status status = owner ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK && n > MAX_WORKERS) {
        status = ew_fail(err, EW_EENGINE, "network netns: expected at most %d devices, found %u",
                         MAX_WORKERS, n);
    }
    if (owner) {
        memset(owner, 0xff, platform->n_links * sizeof *owner);
    }
    for (uint32_t pair = 0; status == EW_OK && pair < n * n; pair++) {
        const uint32_t from = pair / n, to = pair % n;
        const struct ew_route *route = ew_platform_route(platform, from, to);
        if (from != to && (route->n_links != 2 || !is_own(owner, route->links[0], from) ||
                           !is_own(owner, route->links[1], n + to))) {
            status = ew_fail(err, EW_EENGINE,
                             "network netns: expected a switch, with a link of its own each way "
                             "for every device; the route from '%s' to '%s' is another",
                             platform->devices[from].name, platform->devices[to].name);
        }
    }
    free(owner);
    return status;
}

/* ---- ip and tc ---- */

static void become_tool(const char *tool, int in, int out)
{
    char *const argv[] = {(char *)(uintptr_t)tool, (char *)(uintptr_t) "-batch",
                          (char *)(uintptr_t) "-", NULL};
    static const char *const folders[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin"};
    char path[32];
    (void)dup2(in, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folders[i], tool);
        (void)execv(path, argv);
    }
    _exit(127);
}

/* Let ip or tc carry out lines. */
static enum ew_status run_tool(const char *tool, const char *lines, struct ew_error *err)
{
    int pair[2];
    char said[256] = "";
    size_t n = 0;
    ssize_t got;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        return ew_fail(err, EW_EIO, "socketpair: %s", strerror(errno));
    }
    (void)fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        become_tool(tool, pair[1], pair[1]);
    }
    (void)close(pair[1]);
    if (pid > 0) {
        (void)send(pair[0], lines, strlen(lines), MSG_NOSIGNAL);
        (void)shutdown(pair[0], SHUT_WR);
        while ((got = read(pair[0], said + n, sizeof said - 1 - n)) > 0) {
            n += (size_t)got;
        }
    }
    (void)close(pair[0]);
    int how = 0;
    if (pid < 0 || waitpid(pid, &how, 0) != pid) {
        return ew_fail(err, EW_EIO, "%s: %s", tool, strerror(errno));
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == 127) {
        return ew_fail(err, EW_EENGINE, "network netns: needs the program '%s' (iproute2)", tool);
    }
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
        return ew_fail(err, EW_EENGINE, "network netns: %s: %.*s", tool, (int)strcspn(said, "\n"),
                       said);
    }
    return EW_OK;
}

/* The class of traffic with a device, of those below ALL. */
static unsigned class_of(uint32_t device)
{
    return (unsigned)(device & 255u) + 1;
}

/* One end of a cable: so many bytes a second, of which each device at the other side (`peer`: dst
 * or src) has an equal share while others want theirs, as on a link of the simulators. What is
 * below 128 bytes, which TCP's acknowledgements are, passes freely: simulators know of none. */
static enum ew_status shape(const char *interface, const char *peer, const struct ew_netns_end *end,
                            struct ew_error *err)
{
    enum { ALL = 0xffff };
    const double rate = frame_ratio * end->bytes_per_s;
    const double burst = fmax(LEAST_BURST_BYTES, burst_s * rate);
    struct ew_str lines = {0};
    ew_str_printf(
        &lines,
        "qdisc add dev %s root handle 1: htb\n"
        "class add dev %s parent 1: classid 1:%x htb rate %.0fbit burst %.0f cburst %.0f\n"
        "filter add dev %s parent 1: protocol ip prio 1 u32 match u16 0 0xff80 at 2 flowid 1:0\n",
        interface, interface, ALL, 8 * rate, burst, burst, interface);
    for (uint32_t d = 0; d < end->n_devices; d++) {
        char address[EW_NETNS_ADDRESS_BYTES], control[EW_NETNS_ADDRESS_BYTES];
        ew_netns_addresses(control, address, d);
        ew_str_printf(&lines,
                      "class add dev %s parent 1:%x classid 1:%x htb rate %.0fbit ceil %.0fbit "
                      "burst %.0f cburst %.0f quantum %d\n"
                      "filter add dev %s parent 1: protocol ip prio 2 u32 match ip %s %s/32 "
                      "flowid 1:%x\n",
                      interface, ALL, class_of(d), 8 * rate / end->n_devices, 8 * rate, burst,
                      burst, QUANTUM_BYTES, interface, peer, address, class_of(d));
    }
    const enum ew_status status =
        lines.failed ? ew_fail_memory(err) : run_tool("tc", ew_str_text(&lines), err);
    ew_str_fini(&lines);
    return status;
}

/* ---- namespaces ---- */

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_written;
}

/* As root, or in a user namespace where we are. */
static bool leave_network(void)
{
    char map[64];
    const unsigned uid = (unsigned)geteuid(), gid = (unsigned)getegid();
    if (unshare(CLONE_NEWNET) == 0) {
        return true;
    }
    if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return false;
    }
    (void)snprintf(map, sizeof map, "0 %u 1", uid);
    bool is_done = write_file("/proc/self/setgroups", "deny");
    is_done = write_file("/proc/self/uid_map", map) && is_done;
    (void)snprintf(map, sizeof map, "0 %u 1", gid);
    return write_file("/proc/self/gid_map", map) && is_done;
}

enum ew_status ew_netns_enter(struct ew_error *err)
{
    if (!leave_network()) {
        return ew_fail(err, EW_EENGINE,
                       "network netns: no network namespace of our own: %s; needs root or user "
                       "namespaces",
                       strerror(errno));
    }
    return run_tool("ip",
                    "link set lo up\n"
                    "link add switch type bridge\n"
                    "link set switch up\n"
                    "link add control type bridge\n"
                    "addr add 10.78.255.254/16 dev control\n"
                    "link set control up\n",
                    err);
}

void ew_netns_addresses(char control[EW_NETNS_ADDRESS_BYTES], char data[EW_NETNS_ADDRESS_BYTES],
                        uint32_t device)
{
    (void)snprintf(control, EW_NETNS_ADDRESS_BYTES, "10.78.0.%u", (unsigned)(device & 255u) + 1);
    (void)snprintf(data, EW_NETNS_ADDRESS_BYTES, "10.77.0.%u", (unsigned)(device & 255u) + 1);
}

bool ew_netns_become_worker(const struct ew_netns_end *end, int from_parent, int to_parent)
{
    char control[EW_NETNS_ADDRESS_BYTES], data[EW_NETNS_ADDRESS_BYTES], lines[256], byte = '\n';
    struct ew_error err = {0};
    ew_netns_addresses(control, data, end->device);
    if (unshare(CLONE_NEWNET) != 0 || write(to_parent, &byte, 1) != 1 ||
        read(from_parent, &byte, 1) != 1) {
        return false;
    }
    (void)snprintf(lines, sizeof lines,
                   "link set lo up\naddr add %s/16 dev data\nlink set data gso_max_segs 1 up\n"
                   "addr add %s/16 dev control\nlink set control up\n",
                   data, control);
    const bool is_up =
        run_tool("ip", lines, &err) == EW_OK && shape("data", "dst", end, &err) == EW_OK;
    if (!is_up) {
        (void)fprintf(stderr, "edgeweave: %s\n", err.message);
    }
    return is_up;
}

enum ew_status ew_netns_plug(const struct ew_netns_end *end, pid_t pid, struct ew_error *err)
{
    const uint32_t device = end->device;
    char lines[512], port[32];
    (void)snprintf(port, sizeof port, "data%u", device);
    (void)snprintf(lines, sizeof lines,
                   "link add %s type veth peer name data netns %ld\n"
                   "link set %s master switch\n"
                   "link set %s up\n"
                   "link add control%u type veth peer name control netns %ld\n"
                   "link set control%u master control\n"
                   "link set control%u up\n",
                   port, (long)pid, port, port, device, (long)pid, device, device);
    const enum ew_status status = run_tool("ip", lines, err);
    return status ? status : shape(port, "src", end, err);
}
