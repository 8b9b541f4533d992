#include "sweep/shelf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_GRAPHS = 64 };

static void print_key(struct ew_str *out, const struct ew_scenario *s)
{
    ew_str_printf(out, "%s\n%u\n", s->platform, s->n_devices);
    for (uint32_t i = 0; i < s->n_overrides; i++) {
        ew_str_printf(out, "%d %.17g %s\n", (int)s->overrides[i].field, s->overrides[i].value,
                      s->overrides[i].name);
    }
}

bool ew_shelf_platform(struct ew_platform **out, struct ew_shelf *shelf,
                       const struct ew_scenario *scenario)
{
    struct ew_str key = {0};
    if (!shelf->platform) {
        return false;
    }
    print_key(&key, scenario);
    const bool is_same = !key.failed && strcmp(ew_str_text(&key), ew_str_text(&shelf->key)) == 0;
    ew_str_fini(&key);
    if (is_same) {
        *out = shelf->platform;
    }
    return is_same;
}

enum ew_status ew_shelf_put_platform(struct ew_shelf *shelf, struct ew_platform *platform,
                                     const struct ew_scenario *scenario, struct ew_error *err)
{
    struct ew_str key = {0};
    print_key(&key, scenario);
    if (key.failed) {
        ew_str_fini(&key);
        return ew_fail_memory(err);
    }
    ew_platform_free(shelf->platform);
    ew_str_fini(&shelf->key);
    shelf->platform = platform;
    shelf->key = key;
    shelf->generation++;
    return EW_OK;
}

bool ew_shelf_graph(struct ew_graph **out, uint64_t *hash, const struct ew_shelf *shelf,
                    const char *path)
{
    for (size_t i = 0; i < shelf->graphs.count; i++) {
        const struct ew_shelf_graph *item = &shelf->graphs.items[i];
        if (strcmp(item->path, path) == 0) {
            *out = item->graph;
            *hash = item->hash;
            return true;
        }
    }
    return false;
}

enum ew_status ew_shelf_put_graph(struct ew_shelf *shelf, struct ew_graph *graph, uint64_t hash,
                                  const char *path, struct ew_error *err)
{
    const struct ew_shelf_graph item = {strdup(path), graph, hash};
    if (!item.path || !ew_vec_push(&shelf->graphs, item)) {
        free(item.path);
        return ew_fail_memory(err);
    }
    return EW_OK;
}

static void free_graphs(struct ew_shelf *shelf)
{
    for (size_t i = 0; i < shelf->graphs.count; i++) {
        ew_graph_free(shelf->graphs.items[i].graph);
        free(shelf->graphs.items[i].path);
    }
    shelf->graphs.count = 0;
}

void ew_shelf_trim(struct ew_shelf *shelf)
{
    if (shelf->graphs.count > MAX_GRAPHS) {
        free_graphs(shelf);
    }
}

void ew_shelf_fini(struct ew_shelf *shelf)
{
    free_graphs(shelf);
    ew_vec_fini(&shelf->graphs);
    free(shelf->file.path);
    free(shelf->file.xml);
    ew_str_fini(&shelf->file.entry);
    ew_platform_free(shelf->platform);
    ew_str_fini(&shelf->key);
    *shelf = (struct ew_shelf){0};
}
