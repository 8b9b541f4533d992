#include "engine/exec/crew.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"
#include "engine/exec/exec_links.h"
#include "engine/exec/net.h"

enum { PING_ACCUSED = 1 }; /* comes back with the answer */

/* An accused worker that is silent so long is lost. */
static const double grace_s = 1;

/* ---- the token ---- */

static enum ew_status make_token(struct crew *crew, struct ew_error *err)
{
    const char *hex = crew->options->token_hex;
    if (!hex) {
        FILE *random = fopen("/dev/urandom", "rb");
        const bool is_ok = random && fread(crew->token, EW_TOKEN_BYTES, 1, random) == 1;
        if (random) {
            (void)fclose(random);
        }
        return is_ok ? EW_OK : ew_fail(err, EW_EIO, "/dev/urandom: cannot make a token");
    }
    return ew_net_parse_token(crew->token, hex, "token", err);
}

/* ---- connecting ---- */

static enum ew_status find_host(struct crew_member *member, struct ew_error *err)
{
    const struct ew_exec_options *options = member->crew->options;
    const char *name = member->crew->run->platform->devices[member->device].name;
    for (uint32_t i = 0; i < options->n_hosts; i++) {
        if (strcmp(options->hosts[i].device, name) == 0) {
            (void)snprintf(member->host, sizeof member->host, "%s", options->hosts[i].host);
            (void)snprintf(member->port, sizeof member->port, "%s", options->hosts[i].port);
            return EW_OK;
        }
    }
    return ew_fail(err, EW_EINPUT, "workers: none for device '%s'", name);
}

/* ---- frames ---- */

static enum ew_status limit_member(uint64_t *limit, void *ctx, const struct ew_frame *head,
                                   struct ew_error *err)
{
    const struct crew_member *member = ctx;
    switch (head->type) {
    case EW_FRAME_READY:
    case EW_FRAME_DONE:
    case EW_FRAME_BYE:
    case EW_FRAME_PONG:
        *limit = 0;
        return EW_OK;
    case EW_FRAME_ARRIVED:
        *limit = sizeof(double);
        return head->n_bytes == sizeof(double)
                   ? EW_OK
                   : ew_fail(err, EW_EENGINE, "sent an ARRIVED frame of %llu bytes, expected %zu",
                             (unsigned long long)head->n_bytes, sizeof(double));
    case EW_FRAME_OUTPUT:
        *limit = member->max_answer_bytes;
        return EW_OK;
    case EW_FRAME_ERROR:
        *limit = EW_ERROR_SIZE;
        return EW_OK;
    default:
        return ew_fail(err, EW_EENGINE, "sent a %s frame where none is expected",
                       ew_frame_name(head->type));
    }
}

/* A worker says that another one has failed it, and goes on. */
static void hear_complaint(struct crew_member *member, const struct ew_frame *frame)
{
    struct crew *crew = member->crew;
    if (!crew->is_resetting && crew->blames[member->device].of == EW_NONE) {
        (void)snprintf(member->complaint, sizeof member->complaint, "%s: %.*s", member->label,
                       (int)frame->n_bytes, frame->payload);
        blame_note(crew->n, crew->blames, member->device, frame->node, ew_now_s());
        crew->n_complaints++;
    }
}

static enum ew_status on_member(void *ctx, const struct ew_frame *frame, struct ew_error *err)
{
    struct crew_member *member = ctx;
    struct crew *crew = member->crew;
    member->heard_s = ew_now_s();
    switch (frame->type) {
    case EW_FRAME_PONG:
        crew->blames[member->device].has_answered |= frame->job == PING_ACCUSED;
        return EW_OK;
    case EW_FRAME_READY:
        member->is_ready = true;
        member->processor = frame->node;
        return EW_OK;
    case EW_FRAME_BYE:
        member->has_left = true;
        return EW_OK;
    case EW_FRAME_ERROR:
        if (frame->node < crew->n && frame->node != member->device) {
            hear_complaint(member, frame);
            return EW_OK;
        }
        return ew_fail(err, EW_EENGINE, "%.*s", (int)frame->n_bytes, frame->payload);
    default:
        return crew->is_resetting ? EW_OK : crew->receive(crew->ctx, member->device, frame, err);
    }
}

/* How a worker ended, when that is one of ours; else `err` stays as it is. */
static enum ew_status explain_end(struct crew_member *member, struct ew_error *err)
{
    int how = 0;
    if (member->pid > 0) {
        for (int i = 0; i < 50; i++) { /* its end may be some milliseconds behind its socket's */
            if (waitpid(member->pid, &how, WNOHANG) == member->pid) {
                member->pid = -1;
                return WIFSIGNALED(how) ? ew_fail(err, EW_EENGINE, "%s: killed by signal %d",
                                                  member->label, WTERMSIG(how))
                                        : ew_fail(err, EW_EENGINE, "%s: ended with code %d",
                                                  member->label, WEXITSTATUS(how));
            }
            const struct timespec pause = {0, 2000000};
            (void)nanosleep(&pause, NULL);
        }
    }
    err->status = EW_EENGINE;
    return EW_EENGINE;
}

/* A worker that is gone: let it say why, or say how it ended when we can know. */
static enum ew_status explain_loss(struct crew_member *member, struct ew_error *err)
{
    struct ew_error said = {0};
    if (ew_conn_read(&member->conn, &said) ==
        EW_EENGINE) { /* it has said why, and we wrote first */
        *err = said;
        return EW_EENGINE;
    }
    if (member->pid <= 0 && member->crew->options->n_hosts && !member->is_ready) {
        return ew_fail(err, EW_EENGINE,
                       "%s: closed the connection before it was ready; is it of another version?",
                       member->label);
    }
    return explain_end(member, err);
}

/* ---- losses ---- */

enum ew_status crew_lose(struct crew *crew, uint32_t device, const struct ew_error *why,
                         struct ew_error *err)
{
    struct crew_member *member = &crew->members[device];
    if (!crew->is_survivor) {
        *err = *why;
        return why->status;
    }
    if (member->is_lost) {
        return EW_OK;
    }
    member->is_lost = member->is_news = true;
    crew->n_news++;
    (void)snprintf(member->why, sizeof member->why, "%s", why->message);
    ew_conn_fini(&member->conn);
    if (member->pid > 0) { /* whatever state it is in */
        (void)kill(member->pid, SIGKILL);
        (void)waitpid(member->pid, NULL, 0);
        member->pid = -1;
    }
    return EW_OK;
}

bool crew_is_end(const struct crew *crew, uint32_t device)
{
    for (uint32_t w = 0; w < crew->run->n_workloads; w++) {
        const struct ew_plan *plan = crew->run->workloads[w].book->plans[0];
        if (plan->source_device == device || plan->sink_device == device) {
            return true;
        }
    }
    return false;
}

bool crew_is_judging(const struct crew *crew)
{
    return crew->n_complaints > 0;
}

/* A worker has failed us. */
static enum ew_status judge(struct crew_member *member, enum ew_status status, struct ew_error *err)
{
    const struct ew_error why = *err;
    const bool is_worker = status == EW_EENGINE || status == EW_EIO;
    return is_worker ? crew_lose(member->crew, member->device, &why, err) : status;
}

bool crew_take_news(struct crew *crew, uint32_t *device)
{
    for (uint32_t d = 0; crew->n_news && d < crew->n; d++) {
        if (crew->members[d].is_news) {
            crew->members[d].is_news = false;
            crew->n_news--;
            *device = d;
            return true;
        }
    }
    return false;
}

uint32_t crew_quieter(const struct crew *crew, uint32_t a, uint32_t b)
{
    return crew->members[b].heard_s < crew->members[a].heard_s ? b : a;
}

static bool is_there(const struct crew_member *member)
{
    return !member->is_lost && !member->has_left;
}

static enum ew_status serve_member(struct crew_member *member, short events, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    if (events & POLLOUT) {
        status = ew_conn_flush(&member->conn, err);
    }
    if (status == EW_OK && (events & (POLLIN | POLLHUP | POLLERR))) {
        status = ew_conn_read(&member->conn, err);
    }
    if (status == EW_EIO && (member->has_left || member->crew->is_resetting)) {
        member->has_left = true;
        return EW_OK;
    }
    status = status == EW_EIO ? explain_loss(member, err) : status;
    return judge(member, status, err);
}

enum ew_status crew_send(struct crew *crew, uint32_t device, const struct ew_frame *frame,
                         struct ew_error *err)
{
    struct crew_member *member = &crew->members[device];
    if (!is_there(member)) {
        return EW_OK;
    }
    enum ew_status status = ew_conn_send(&member->conn, frame, err);
    status = status == EW_EIO ? explain_loss(member, err) : status;
    return judge(member, status, err);
}

enum ew_status crew_post(struct crew *crew, uint32_t device, const struct ew_frame *frame,
                         struct ew_error *err)
{
    struct crew_member *member = &crew->members[device];
    return is_there(member) ? ew_conn_queue(&member->conn, frame, err) : EW_OK;
}

enum ew_status crew_tell(struct crew *crew, const struct ew_frame *frame, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t d = 0; d < crew->n && status == EW_OK; d++) {
        status = crew_send(crew, d, frame, err);
    }
    return status;
}

/* ---- complaints ---- */

/* Let the accused speak before they are judged: one may be about to say what is wrong with it, or
 * how it ended may be about to show. */
static enum ew_status ask_accused(struct crew *crew, struct ew_error *err)
{
    const struct ew_frame ping = {.type = EW_FRAME_PING, .job = PING_ACCUSED};
    enum ew_status status = EW_OK;
    for (uint32_t d = 0; d < crew->n && status == EW_OK; d++) {
        const uint32_t of = crew->blames[d].of;
        if (of != EW_NONE && !crew->blames[of].is_asked) {
            crew->blames[of].is_asked = true;
            status = crew_send(crew, of, &ping, err);
        }
    }
    return status;
}

/* Who of two that are there spoils what passes between them nobody knows: it is the accused that is
 * lost, unless it is the one that the run cannot do without. */
static enum ew_status judge_complaints(struct crew *crew, struct ew_error *err)
{
    uint32_t by, of;
    if (!crew->n_complaints || crew->n_news || crew->is_resetting) {
        return EW_OK;
    }
    const enum ew_status status = ask_accused(crew, err);
    if (status != EW_OK || crew->n_news ||
        !blame_is_due(crew->n, crew->blames, ew_now_s(), grace_s, &by, &of)) {
        return status;
    }
    struct ew_error why;
    (void)ew_fail(&why, EW_EENGINE, "%s", crew->members[by].complaint);
    const bool is_there_too = crew->blames[of].has_answered || crew->blames[of].of != EW_NONE;
    return crew_lose(crew, is_there_too && crew_is_end(crew, of) ? by : of, &why, err);
}

/* Send what was only posted. */
static enum ew_status flush_posts(struct crew *crew, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t d = 0; d < crew->n && status == EW_OK; d++) {
        struct crew_member *member = &crew->members[d];
        if (is_there(member) && ew_conn_is_waiting(&member->conn)) {
            status = ew_conn_flush(&member->conn, err);
            status = status == EW_EIO ? explain_loss(member, err) : status;
            status = judge(member, status, err);
        }
    }
    return status;
}

enum ew_status crew_poll(struct crew *crew, double limit_s, struct ew_error *err)
{
    enum ew_status status = flush_posts(crew, err);
    if (status != EW_OK) {
        return status;
    }
    struct pollfd *fds = calloc(crew->n, sizeof *fds);
    if (!fds) {
        return ew_fail_memory(err);
    }
    for (uint32_t d = 0; d < crew->n; d++) {
        const struct crew_member *m = &crew->members[d];
        const bool wants_write = ew_conn_is_waiting(&m->conn);
        fds[d] = (struct pollfd){.fd = is_there(m) ? m->conn.fd : -1,
                                 .events = (short)(POLLIN | (wants_write ? POLLOUT : 0))};
    }
    int wait_ms = -1;
    limit_s = crew->n_complaints ? fmin(limit_s, 0.1) : limit_s;
    if (isfinite(limit_s)) {
        wait_ms = limit_s > 0 ? (int)(limit_s * 1e3) : 0;
        if (wait_ms == 0 && limit_s > 60e-6) { /* the last bit, finer than poll can wait */
            const struct timespec pause = {0, (long)((limit_s - 50e-6) * 1e9)};
            (void)nanosleep(&pause, NULL);
        }
    }
    if (poll(fds, (nfds_t)crew->n, wait_ms) < 0) {
        status = errno == EINTR ? EW_OK : ew_fail(err, EW_EIO, "poll: %s", strerror(errno));
    } else {
        for (uint32_t d = 0; d < crew->n && status == EW_OK; d++) {
            if (fds[d].revents && is_there(&crew->members[d])) {
                status = serve_member(&crew->members[d], fds[d].revents, err);
            }
        }
    }
    free(fds);
    return status ? status : judge_complaints(crew, err);
}

/* ---- introductions ---- */

/* Connect, and say who we are. */
static enum ew_status greet_member(struct crew *crew, uint32_t device, struct ew_error *err)
{
    struct crew_member *member = &crew->members[device];
    const struct ew_frame hello = {.type = EW_FRAME_HELLO,
                                   .program = crew->part,
                                   .node = EW_NONE,
                                   .n_bytes = EW_TOKEN_BYTES,
                                   .payload = crew->token};
    member->conn = (struct ew_conn){.fd = -1,
                                    .peer = member->label,
                                    .limit = limit_member,
                                    .receive = on_member,
                                    .ctx = member};
    const enum ew_status status = ew_net_connect(&member->conn.fd, member->host, member->port, err);
    member->heard_s = ew_now_s();
    if (status != EW_OK) {
        (void)ew_prefix(err, "%s: ", member->label);
        return judge(member, member->pid > 0 ? explain_end(member, err) : status, err);
    }
    ew_net_watch(member->conn.fd);
    return crew_send(crew, device, &hello, err);
}

static enum ew_status add_member(struct crew *crew, uint32_t device, struct ew_error *err)
{
    struct crew_member *member = &crew->members[device];
    *member = (struct crew_member){
        .crew = crew, .device = device, .pid = -1, .conn = {.fd = -1}, .processor = EW_NONE};
    (void)snprintf(member->label, sizeof member->label, "worker of '%.60s'",
                   crew->run->platform->devices[device].name);
    const enum ew_status status =
        crew->options->n_hosts ? find_host(member, err) : crew_spawn(member, err);
    return status ? status : greet_member(crew, device, err);
}

static enum ew_status send_setup(struct crew *crew, uint32_t device, uint32_t n_programs,
                                 struct ew_error *err)
{
    const struct ew_platform *platform = crew->run->platform;
    struct ew_arena arena = {0};
    struct ew_exec_link *links = ew_arena_calloc(&arena, platform->n_links, sizeof *links);
    struct ew_exec_route *routes = ew_arena_calloc(&arena, platform->n_devices, sizeof *routes);
    if (!links || !routes) {
        ew_arena_fini(&arena);
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < platform->n_links; i++) {
        links[i] = exec_link_of(crew->run, i);
    }
    for (uint32_t d = 0; d < platform->n_devices; d++) {
        routes[d] = exec_route_of(crew->run, device, d);
    }
    struct ew_exec_setup setup = {
        .device = device,
        .n_devices = platform->n_devices,
        .n_programs = n_programs,
        .is_emulated = crew->options->is_emulated,
        .is_survivor = crew->is_survivor,
        .has_kernel_links = crew->options->has_kernel_links,
        .processor = crew->n_processors ? crew->processors[device % crew->n_processors] : EW_NONE,
        .weight_seed = crew->options->weight_seed,
        .input_seed = crew->options->input_seed,
        .n_links = platform->n_links,
        .links = links,
        .routes = routes};
    (void)snprintf(setup.kernels, sizeof setup.kernels, "%s", crew->options->kernels);
    memcpy(setup.shaper, crew->shaper_name, sizeof setup.shaper);
    struct ew_str bytes = {0};
    ew_exec_setup_put(&bytes, &setup);
    const struct ew_frame frame = {
        .type = EW_FRAME_SETUP, .n_bytes = bytes.length, .payload = bytes.text};
    const enum ew_status status =
        bytes.failed ? ew_fail_memory(err) : crew_send(crew, device, &frame, err);
    ew_str_fini(&bytes);
    ew_arena_fini(&arena);
    return status;
}

static enum ew_status send_programs(struct crew *crew, uint32_t n,
                                    struct ew_exec_program *const *programs, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; i < n && status == EW_OK; i++) {
        const struct ew_exec_program *p = programs[i];
        struct ew_str bytes = {0};
        ew_exec_program_put(&bytes, p);
        const struct ew_frame frame = {
            .type = EW_FRAME_PROGRAM, .program = i, .n_bytes = bytes.length, .payload = bytes.text};
        status = bytes.failed ? ew_fail_memory(err) : crew_tell(crew, &frame, err);
        ew_str_fini(&bytes);
        const uint64_t answer = ew_exec_answer_bytes(p);
        struct crew_member *sink = &crew->members[p->sink_device];
        sink->max_answer_bytes = answer > sink->max_answer_bytes ? answer : sink->max_answer_bytes;
    }
    return status;
}

static enum ew_status send_peers(struct crew *crew, struct ew_error *err)
{
    struct ew_str text = {0};
    for (uint32_t d = 0; d < crew->n; d++) {
        const char *name = crew->run->platform->devices[d].name;
        const struct crew_member *m = &crew->members[d];
        const char *host = m->is_lost ? "-" : *m->peer_host ? m->peer_host : m->host;
        ew_str_printf(&text, "%s %s %.*s\n", host, m->port, (int)strcspn(name, "\n"), name);
    }
    const struct ew_frame frame = {
        .type = EW_FRAME_PEERS, .n_bytes = text.length, .payload = text.text};
    const enum ew_status status = text.failed ? ew_fail_memory(err) : crew_tell(crew, &frame, err);
    ew_str_fini(&text);
    return status;
}

static const struct crew_member *find_unready(const struct crew *crew)
{
    for (uint32_t d = 0; d < crew->n; d++) {
        if (!crew->members[d].is_ready && !crew->members[d].is_lost) {
            return &crew->members[d];
        }
    }
    return NULL;
}

static enum ew_status wait_until_ready(struct crew *crew, struct ew_error *err)
{
    const double begin_s = ew_now_s();
    enum ew_status status = EW_OK;
    while (status == EW_OK && !crew->n_news && find_unready(crew)) {
        status = crew_poll(crew, 0.1, err);
        if (status == EW_OK && crew->run->interrupted && *crew->run->interrupted) {
            status = ew_fail(err, EW_EINTR, "interrupted while workers prepared their weights");
        }
        if (status == EW_OK && !crew_is_judging(crew) &&
            ew_now_s() - begin_s > 10 * crew->options->stall_limit_s) {
            const struct crew_member *late = find_unready(crew);
            struct ew_error why;
            (void)ew_fail(&why, EW_EENGINE, "%s: not ready after %.0f s", late->label,
                          ew_now_s() - begin_s);
            status = crew_lose(crew, late->device, &why, err);
        }
    }
    return status;
}

/* Nobody else can open the clocks of the links any more. */
static void hide_shaper(struct crew *crew)
{
    if (*crew->shaper_name) {
        ew_shaper_unlink(crew->shaper_name);
        *crew->shaper_name = '\0';
    }
}

/* Everybody is told what to do in a new part of the run, and prepares. */
static enum ew_status begin_part(struct crew *crew, uint32_t n_programs,
                                 struct ew_exec_program *const *programs, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    hide_shaper(crew);
    ew_shaper_close(crew->shaper);
    crew->shaper = NULL;
    if (crew->options->is_emulated) {
        status = exec_shaper_new(&crew->shaper, crew->shaper_name, crew->run, err);
    }
    for (uint32_t d = 0; d < crew->n && status == EW_OK; d++) {
        status = send_setup(crew, d, n_programs, err);
    }
    status = status ? status : send_programs(crew, n_programs, programs, err);
    status = status ? status : crew_send_inputs(crew, n_programs, programs, err);
    status = status ? status : send_peers(crew, err);
    status = status ? status : wait_until_ready(crew, err);
    if (status != EW_OK || !crew->n_news) { /* else somebody may not have opened it yet */
        hide_shaper(crew);
    }
    return status;
}

enum ew_status crew_begin(struct crew *crew, uint32_t n_programs,
                          struct ew_exec_program *const *programs, struct ew_error *err)
{
    crew->n = crew->run->platform->n_devices;
    crew->members = calloc(crew->n, sizeof *crew->members);
    crew->blames = calloc(crew->n, sizeof *crew->blames);
    if (!crew->members || !crew->blames) {
        crew->n = 0;
        return ew_fail_memory(err);
    }
    blame_clear(crew->n, crew->blames);
    for (uint32_t d = 0; d < crew->n; d++) {
        crew->members[d].conn.fd = -1;
        crew->members[d].pid = -1;
    }
    if (crew->options->is_pinned && !crew->options->n_hosts) {
        crew->n_processors = ew_pin_processors(crew->processors);
    }
    enum ew_status status = make_token(crew, err);
    if (status == EW_OK && crew->options->has_kernel_links) {
        status = ew_netns_check(crew->run->platform, err);
        status = status ? status : ew_netns_enter(err);
    }
    for (uint32_t d = 0; d < crew->n && status == EW_OK; d++) {
        status = add_member(crew, d, err);
    }
    return status ? status : begin_part(crew, n_programs, programs, err);
}

/* Everybody who is there ends the part of the run that is under way. */
static enum ew_status end_part(struct crew *crew, struct ew_error *err)
{
    const struct ew_frame reset = {.type = EW_FRAME_RESET};
    const double begin_s = ew_now_s();
    enum ew_status status = crew_tell(crew, &reset, err);
    crew->is_resetting = true;
    for (bool is_over = false; status == EW_OK && !is_over;) {
        is_over = true;
        for (uint32_t d = 0; d < crew->n && status == EW_OK; d++) {
            is_over = is_over && !is_there(&crew->members[d]);
            if (is_there(&crew->members[d]) &&
                ew_now_s() - begin_s > crew->options->stall_limit_s) {
                struct ew_error why;
                (void)ew_fail(&why, EW_EENGINE, "%s: does not answer", crew->members[d].label);
                status = crew_lose(crew, d, &why, err);
            }
        }
        status = status || is_over ? status : crew_poll(crew, 0.01, err);
    }
    crew->is_resetting = false;
    return status;
}

enum ew_status crew_restart(struct crew *crew, uint32_t n_programs,
                            struct ew_exec_program *const *programs, struct ew_error *err)
{
    enum ew_status status = end_part(crew, err);
    crew->part++;
    crew->n_complaints = 0;
    blame_clear(crew->n, crew->blames);
    for (uint32_t d = 0; d < crew->n && status == EW_OK; d++) {
        struct crew_member *member = &crew->members[d];
        if (!member->is_lost) {
            ew_conn_fini(&member->conn);
            member->is_ready = member->has_left = false;
            status = greet_member(crew, d, err);
        }
    }
    return status ? status : begin_part(crew, n_programs, programs, err);
}

uint32_t crew_count_pinned(const struct crew *crew, uint32_t *n_processors)
{
    uint32_t n = 0;
    for (uint32_t d = 0; d < crew->n; d++) {
        n += crew->members[d].is_ready && !crew->members[d].is_lost &&
             crew->members[d].processor != EW_NONE;
    }
    *n_processors = n < crew->n_processors ? n : crew->n_processors;
    return n;
}

static bool has_member_left(struct crew_member *member)
{
    if (member->pid > 0 && waitpid(member->pid, NULL, WNOHANG) == member->pid) {
        member->pid = -1;
    }
    return member->pid <= 0;
}

static bool have_all_left(struct crew *crew)
{
    bool have_left = true;
    for (uint32_t d = 0; d < crew->n; d++) {
        have_left = has_member_left(&crew->members[d]) && have_left;
    }
    return have_left;
}

void crew_end(struct crew *crew, bool has_failed)
{
    const int patience_ms = has_failed ? 200 : 2000;
    const struct ew_frame stop = {.type = EW_FRAME_STOP};
    for (uint32_t d = 0; d < crew->n; d++) {
        struct ew_error ignored = {0};
        if (crew->members[d].conn.fd >= 0) {
            (void)ew_conn_send(&crew->members[d].conn, &stop, &ignored);
        }
        ew_conn_fini(&crew->members[d].conn); /* what is queued still arrives */
    }
    for (int i = 0; i < patience_ms / 2 && !have_all_left(crew); i++) {
        const struct timespec pause = {0, 2000000};
        (void)nanosleep(&pause, NULL);
    }
    for (uint32_t d = 0; d < crew->n; d++) {
        if (crew->members[d].pid > 0) {
            (void)kill(crew->members[d].pid, SIGKILL);
            (void)waitpid(crew->members[d].pid, NULL, 0);
        }
    }
    hide_shaper(crew);
    ew_shaper_close(crew->shaper);
    free(crew->members);
    free(crew->blames);
    crew->members = NULL;
    crew->blames = NULL;
    crew->n = 0;
}
