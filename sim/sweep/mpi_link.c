#include "sweep/mpi_link.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_RANKS = 4096,
    END_LIMIT_S = 60,
    /* Longer messages go in parts. MPI delivers a short one whole or not at all; for a long one it
     * reaches into the sender's memory when it is received, and waits for ever if that is gone. */
    PART_BYTES = 3000,
};

/* First byte of a part. */
enum part { MORE = '+', LAST = '.' };

static enum ew_status open_module(const struct ew_mpi_module **out, const char *path,
                                  struct ew_error *err)
{
    if (!path) {
        return ew_fail(err, EW_EIO, "started by mpirun, but this edgeweave was built without MPI");
    }
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* MPI opens parts of its own */
    if (!handle) {
        const char *why = dlerror();
        return ew_fail(err, EW_EIO, "cannot open the MPI module: %s", why ? why : path);
    }
    const struct ew_mpi_module *module = dlsym(handle, EW_MPI_MODULE_SYMBOL);
    if (!module || module->struct_size != sizeof *module) {
        return ew_fail(err, EW_EIO, "%s: expected the MPI module of this very version", path);
    }
    *out = module;
    return EW_OK;
}

enum ew_status ew_mpi_link_open(struct ew_mpi_link *link, const char *path, struct ew_error *err)
{
    enum ew_status status = open_module(&link->module, path, err);
    if (status == EW_OK && link->module->begin(&link->mpi, &link->rank, &link->size) != 0) {
        status = ew_fail(err, EW_EIO, "MPI cannot be started");
    }
    if (status == EW_OK && (link->size < 2 || link->size > MAX_RANKS)) {
        status = ew_fail(err, EW_EUSAGE, "expected 2..%d ranks, found %d", MAX_RANKS, link->size);
    }
    if (status == EW_OK) {
        (void)gethostname(link->host, sizeof link->host - 1);
        link->parts = calloc((size_t)link->size, sizeof *link->parts);
        status = link->parts ? EW_OK : ew_fail_memory(err);
    }
    return status;
}

void ew_mpi_link_close(struct ew_mpi_link *link, bool is_whole)
{
    if (link->mpi && is_whole) {
        (void)alarm(END_LIMIT_S); /* a rank that dies at this very moment would be waited for */
        (void)link->module->end(link->mpi);
        (void)alarm(0);
    }
    for (int i = 0; link->parts && i < link->size; i++) {
        ew_str_fini(&link->parts[i]);
    }
    free(link->parts);
    ew_str_fini(&link->message);
    ew_str_fini(&link->scratch);
    *link = (struct ew_mpi_link){0};
}

void ew_mpi_link_send(struct ew_mpi_link *link, int to, enum ew_mpi_message type, const void *bytes,
                      size_t size)
{
    const char first = (char)type;
    const char *at = bytes ? bytes : "";
    bool is_first = true;
    do {
        const size_t n = size < PART_BYTES ? size : PART_BYTES;
        const char part = n < size ? MORE : LAST;
        link->scratch.length = 0;
        ew_str_append_n(&link->scratch, &part, 1);
        ew_str_append_n(&link->scratch, &first, is_first);
        ew_str_append_n(&link->scratch, at, n);
        if (link->scratch.failed) {
            return;
        }
        (void)link->module->send(link->mpi, to, link->scratch.text, (int)link->scratch.length);
        at += n;
        size -= n;
        is_first = false;
    } while (size > 0);
}

void ew_mpi_link_greet(struct ew_mpi_link *link, int to, uint32_t n_jobs)
{
    struct ew_mpi_hello hello = {.pid = (int64_t)getpid(), .n_jobs = n_jobs};
    memcpy(hello.host, link->host, sizeof hello.host);
    ew_mpi_link_send(link, to, EW_MPI_HELLO, &hello, sizeof hello);
}

bool ew_mpi_link_receive(struct ew_mpi_link *link, int *from)
{
    char bytes[PART_BYTES + 2];
    bool is_there = false;
    int size = 0;
    while (link->module->probe(link->mpi, &is_there, from, &size) == 0 && is_there && size >= 1 &&
           size <= (int)sizeof bytes && *from >= 0 && *from < link->size &&
           link->module->receive(link->mpi, *from, bytes, size) == 0) {
        struct ew_str *part = &link->parts[*from];
        ew_str_append_n(part, bytes + 1, (size_t)size - 1);
        if (bytes[0] == LAST) {
            link->message.length = 0;
            ew_str_append_n(&link->message, ew_str_text(part), part->length);
            part->length = 0;
            return link->message.length > 0 && !link->message.failed;
        }
    }
    return false;
}

void ew_mpi_link_meet(struct ew_mpi_peer *peer, struct ew_mpi_hello *hello,
                      const struct ew_mpi_link *link)
{
    *hello = (struct ew_mpi_hello){.n_jobs = 1};
    if (link->message.length == sizeof *hello + 1) {
        memcpy(hello, link->message.text + 1, sizeof *hello);
        peer->pid = (pid_t)hello->pid;
        peer->is_here = memcmp(hello->host, link->host, sizeof hello->host) == 0;
    }
}

bool ew_mpi_peer_is_lost(const struct ew_mpi_peer *peer, double now_s)
{
    return peer->is_here ? kill(peer->pid, 0) != 0 && errno == ESRCH
                         : now_s - peer->heard_s > EW_MPI_SILENCE_S;
}
