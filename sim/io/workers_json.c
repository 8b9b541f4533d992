#include "io/workers_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/json_read.h"

enum { MAX_BYTES = 1 << 20 };

static enum ew_status read_worker(struct ew_worker_address *out, const struct ew_json_value *item,
                                  struct ew_arena *arena, struct ew_error *err)
{
    static const char *const keys[] = {"device", "host", "port"};
    const char *device = NULL, *host = NULL;
    int64_t port = 0;
    enum ew_status status = ew_json_as_object(item, err);
    status = status ? status : ew_json_check_keys(item, keys, 3, err);
    status = status ? status : ew_json_need_string(&device, item, "device", err);
    status = status ? status : ew_json_need_string(&host, item, "host", err);
    status = status ? status : ew_json_need_i64(&port, item, "port", 1, 65535, err);
    if (status == EW_OK && (!*host || strpbrk(host, " \n") || strlen(host) > 255)) {
        struct ew_json_value at;
        (void)ew_json_find(&at, item, "host");
        status = ew_json_expected(&at, "a host name or address", err);
    }
    if (status != EW_OK) {
        return status;
    }
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%d", (int)port);
    *out = (struct ew_worker_address){ew_arena_strdup(arena, device), ew_arena_strdup(arena, host),
                                      ew_arena_strdup(arena, digits)};
    return out->device && out->host && out->port ? EW_OK : ew_fail_memory(err);
}

static enum ew_status read_file(struct ew_workers_file *out, const struct ew_json_doc *doc,
                                const char *path, struct ew_arena *arena, struct ew_error *err)
{
    static const char *const keys[] = {"schema", "token_file", "workers"};
    const struct ew_json_value root = ew_json_root(doc);
    struct ew_json_value list = {0}, item = {0};
    const char *token_file = NULL;
    enum ew_status status = ew_json_check_schema(&root, "edgeweave.workers/1", err);
    status = status ? status : ew_json_check_keys(&root, keys, 3, err);
    status = status ? status : ew_json_need_string(&token_file, &root, "token_file", err);
    status = status ? status : ew_json_need_array(&list, &root, "workers", err);
    if (status != EW_OK) {
        return status;
    }
    struct ew_worker_address *hosts =
        ew_arena_calloc(arena, ew_json_count(&list) + 1, sizeof *hosts);
    char *token_path = ew_path_beside(path, token_file);
    *out = (struct ew_workers_file){
        .hosts = hosts, .token_file = token_path ? ew_arena_strdup(arena, token_path) : NULL};
    free(token_path);
    if (!hosts || !out->token_file) {
        return ew_fail_memory(err);
    }
    while (status == EW_OK && ew_json_next(&item, &list)) {
        status = read_worker(&hosts[out->n_hosts], &item, arena, err);
        for (uint32_t i = 0; status == EW_OK && i < out->n_hosts; i++) {
            if (strcmp(hosts[i].device, hosts[out->n_hosts].device) == 0) {
                status =
                    ew_json_fail(&item, err, "a second worker for device '%s'", hosts[i].device);
            }
        }
        out->n_hosts++;
    }
    if (status == EW_OK && out->n_hosts == 0) {
        status = ew_json_expected(&list, "a worker for every device", err);
    }
    return status;
}

enum ew_status ew_workers_load_json(struct ew_workers_file *out, const char *path,
                                    struct ew_arena *arena, struct ew_error *err)
{
    struct ew_json_doc *doc = NULL;
    enum ew_status status = ew_json_doc_load(&doc, path, MAX_BYTES, err);
    status = status ? status : read_file(out, doc, path, arena, err);
    ew_json_doc_free(doc);
    return status;
}
