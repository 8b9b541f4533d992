#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "io/interop/pipeedge.h"
#include "io/interop/yaml_read.h"

enum { MAX_BYTES = 64 << 20, MAX_LAYERS = 100000, MAX_HOSTS = 4096, N_FILES = 3 };

static const char *const FILES[N_FILES] = {"models.yml", "device_types.yml", "devices.yml"};
static const double BYTES_PER_PARAMETER = 4; /* float32 */

enum file { MODELS, TYPES, DEVICES };

struct loading {
    struct ew_pipeedge_import *import;
    struct ew_yaml *files[N_FILES];
    const struct ew_yaml_node *model;
    uint32_t n_layers;
    uint32_t n_hosts;
    struct ew_error *err;
};

/* Letters, digits, '_', '-', '.' stay; other characters become '_'. */
static const char *file_name(struct ew_arena *arena, const char *name)
{
    static const char *const FINE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-.";
    char *copy = ew_arena_strdup(arena, name);
    for (char *c = copy; c && *c; c++) {
        if (!strchr(FINE, *c) || (c == copy && *c == '.')) {
            *c = '_';
        }
    }
    return copy;
}

static bool is_plain_name(const char *name)
{
    static const char *const FINE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-.:";
    return *name && name[strspn(name, FINE)] == '\0';
}

static enum ew_status open_files(struct loading *l, const char *folder)
{
    enum ew_status status = EW_OK;
    for (int i = 0; status == EW_OK && i < N_FILES; i++) {
        char *path = ew_path_join(folder, FILES[i]);
        status =
            path ? ew_yaml_load(&l->files[i], path, MAX_BYTES, l->err) : ew_fail_memory(l->err);
        free(path);
        if (status == EW_OK) {
            status =
                ew_yaml_expect(l->files[i], ew_yaml_root(l->files[i]), EW_YAML_MAPPING, l->err);
        }
    }
    return status;
}

static enum ew_status find_model(struct loading *l, const char *wanted)
{
    const struct ew_yaml *yaml = l->files[MODELS];
    const struct ew_yaml_node *root = ew_yaml_root(yaml);
    uint32_t n_models = 0;
    for (const struct ew_yaml_node *node = root->first; node; node = node->next) {
        const struct ew_yaml_node *layers = NULL;
        int64_t n = 0;
        enum ew_status status = ew_yaml_expect(yaml, node, EW_YAML_MAPPING, l->err);
        if (status == EW_OK) {
            status = ew_yaml_need(&layers, yaml, node, "layers", l->err);
        }
        if (status == EW_OK) {
            status = ew_yaml_as_i64(&n, yaml, layers, 0, MAX_LAYERS, l->err);
        }
        if (status != EW_OK) {
            return status;
        }
        if (wanted ? strcmp(node->key, wanted) == 0 : n > 0) {
            l->model = node;
            l->n_layers = (uint32_t)n;
            n_models++;
        }
    }
    if (n_models == 0 || l->n_layers == 0) {
        return ew_yaml_fail(yaml, root, l->err, "expected a model%s%s%s with layers, found none",
                            wanted ? " '" : "", wanted ? wanted : "", wanted ? "'" : "");
    }
    if (n_models > 1) {
        return ew_yaml_fail(yaml, root, l->err,
                            "there are %u models; say which one with --name, for example '%s'",
                            n_models, l->model->key);
    }
    return EW_OK;
}

/* The list of one number per layer under a key. */
static enum ew_status need_list(const struct ew_yaml_node **out, const struct loading *l,
                                enum file file, const struct ew_yaml_node *mapping, const char *key)
{
    enum ew_status status = ew_yaml_need(out, l->files[file], mapping, key, l->err);
    if (status == EW_OK) {
        status = ew_yaml_expect(l->files[file], *out, EW_YAML_SEQUENCE, l->err);
    }
    if (status == EW_OK && (*out)->n != l->n_layers) {
        status = ew_yaml_fail(l->files[file], *out, l->err, "expected %u values, found %u",
                              l->n_layers, (*out)->n);
    }
    return status;
}

static void print_layer(struct ew_json *j, uint32_t number, int64_t elements, double mem_mb)
{
    char name[32], from[32];
    (void)snprintf(name, sizeof name, "layer%u", number);
    (void)snprintf(from, sizeof from, number > 1 ? "layer%u" : "image", number - 1);
    ew_json_object_begin_inline(j);
    ew_json_kv_string(j, "name", name);
    ew_json_kv_string(j, "op", "opaque");
    ew_json_key(j, "inputs");
    ew_json_array_begin_inline(j);
    ew_json_string(j, from);
    ew_json_array_end(j);
    ew_json_key(j, "shape");
    ew_json_array_begin_inline(j);
    ew_json_i64(j, elements);
    ew_json_i64(j, 1);
    ew_json_i64(j, 1);
    ew_json_array_end(j);
    ew_json_kv_i64(j, "params", (int64_t)(mem_mb * 1e6 / BYTES_PER_PARAMETER));
    ew_json_object_end(j);
}

static enum ew_status print_graph(struct loading *l)
{
    const struct ew_yaml *yaml = l->files[MODELS];
    const struct ew_yaml_node *in = NULL, *out = NULL, *mem = NULL;
    int64_t elements_in = 0;
    enum ew_status status = ew_yaml_need(&in, yaml, l->model, "parameters_in", l->err);
    if (status == EW_OK) {
        status = ew_yaml_as_i64(&elements_in, yaml, in, 1, INT32_MAX, l->err);
    }
    status = status ? status : need_list(&out, l, MODELS, l->model, "parameters_out");
    status = status ? status : need_list(&mem, l, MODELS, l->model, "mem_MB");
    if (status != EW_OK) {
        return status;
    }
    struct ew_json j = {.out = &l->import->graph};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "schema", "edgeweave.graph/1");
    ew_json_kv_string(&j, "name", l->import->name);
    struct ew_str source = {0};
    ew_str_printf(&source, "PipeEdge models.yml, %s", l->model->key);
    ew_json_kv_string(&j, "source", ew_str_text(&source));
    ew_str_fini(&source);
    ew_json_kv_string(&j, "dtype", "float32");
    ew_json_key(&j, "inputs");
    ew_json_array_begin(&j);
    ew_json_object_begin_inline(&j);
    ew_json_kv_string(&j, "name", "image");
    ew_json_key(&j, "shape");
    ew_json_array_begin_inline(&j);
    ew_json_i64(&j, 1);
    ew_json_i64(&j, elements_in);
    ew_json_i64(&j, 1);
    ew_json_i64(&j, 1);
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_json_array_end(&j);
    ew_json_key(&j, "layers");
    ew_json_array_begin(&j);
    const struct ew_yaml_node *o = out->first, *m = mem->first;
    for (uint32_t i = 1; status == EW_OK && i <= l->n_layers; i++, o = o->next, m = m->next) {
        int64_t elements = 0;
        double mem_mb = 0;
        status = ew_yaml_as_i64(&elements, yaml, o, 1, INT32_MAX, l->err);
        if (status == EW_OK) {
            status = ew_yaml_as_double(&mem_mb, yaml, m, 0, 1e9, l->err);
        }
        if (status == EW_OK) {
            print_layer(&j, i, elements, mem_mb);
        }
    }
    ew_json_array_end(&j);
    ew_json_object_end(&j);
    ew_str_append(&l->import->graph, "\n");
    return status;
}

/* The measurement of the model on a type: the one of the smallest microbatch. */
static enum ew_status find_times(const struct ew_yaml_node **times, int64_t *batch,
                                 const struct loading *l, const struct ew_yaml_node *type)
{
    const struct ew_yaml *yaml = l->files[TYPES];
    const struct ew_yaml_node *profiles = ew_yaml_find(type, "model_profiles");
    const struct ew_yaml_node *list = profiles && profiles->kind == EW_YAML_MAPPING
                                          ? ew_yaml_find(profiles, l->model->key)
                                          : NULL;
    *batch = 0;
    if (!list || list->kind != EW_YAML_SEQUENCE || list->n == 0) {
        return ew_yaml_fail(yaml, type, l->err,
                            "device type '%s' has hosts, but no profile of model '%s'", type->key,
                            l->model->key);
    }
    for (const struct ew_yaml_node *item = list->first; item; item = item->next) {
        const struct ew_yaml_node *size = NULL, *found = NULL;
        int64_t n = 0;
        enum ew_status status = ew_yaml_expect(yaml, item, EW_YAML_MAPPING, l->err);
        if (status == EW_OK) {
            status = ew_yaml_need(&size, yaml, item, "batch_size", l->err);
        }
        if (status == EW_OK) {
            status = ew_yaml_as_i64(&n, yaml, size, 1, 1000000, l->err);
        }
        if (status == EW_OK) {
            status = need_list(&found, l, TYPES, item, "time_s");
        }
        if (status != EW_OK) {
            return status;
        }
        if (*batch == 0 || n < *batch) {
            *batch = n;
            *times = found;
        }
    }
    return EW_OK;
}

static enum ew_status print_profile(struct loading *l, const struct ew_yaml_node *type,
                                    const char *name, struct ew_str *out)
{
    const struct ew_yaml_node *times = NULL;
    int64_t batch = 0;
    enum ew_status status = find_times(&times, &batch, l, type);
    if (status != EW_OK) {
        return status;
    }
    struct ew_json j = {.out = out};
    ew_json_object_begin(&j);
    ew_json_kv_string(&j, "schema", "edgeweave.profile/1");
    ew_json_kv_string(&j, "name", name);
    ew_json_kv_string(&j, "source", "PipeEdge device_types.yml");
    ew_json_kv_string(&j, "confidence", "measured");
    ew_json_kv_string(&j, "kind", "table");
    ew_json_key(&j, "table");
    ew_json_array_begin(&j);
    uint32_t number = 1;
    for (const struct ew_yaml_node *t = times->first; t && status == EW_OK; t = t->next, number++) {
        char layer[32];
        double seconds = 0;
        status = ew_yaml_as_double(&seconds, l->files[TYPES], t, 0, 1e6, l->err);
        (void)snprintf(layer, sizeof layer, "layer%u", number);
        ew_json_object_begin_inline(&j);
        ew_json_kv_string(&j, "graph", l->import->name);
        ew_json_kv_string(&j, "layer", layer);
        ew_json_key(&j, "rows");
        ew_json_array_begin_inline(&j);
        ew_json_i64(&j, 1);
        ew_json_array_end(&j);
        ew_json_key(&j, "seconds");
        ew_json_array_begin_inline(&j);
        ew_json_double(&j, seconds / (double)batch);
        ew_json_array_end(&j);
        ew_json_object_end(&j);
    }
    ew_json_array_end(&j);
    ew_json_key(&j, "fallback");
    ew_json_object_begin_inline(&j);
    ew_json_kv_string(&j, "kind", "rate");
    ew_json_kv_double(&j, "flops_per_s", 1e9);
    ew_json_object_end(&j);
    ew_json_object_end(&j);
    ew_str_append(out, "\n");
    return status;
}

static enum ew_status print_hosts(struct loading *l, const struct ew_yaml_node *hosts,
                                  const struct ew_yaml_node *type, const char *profile,
                                  struct ew_str *links)
{
    const struct ew_yaml_node *bw = NULL, *mem = NULL;
    struct ew_str *out = &l->import->platform;
    double mbps = 0, mem_mb = 0;
    char bandwidth[32];
    enum ew_status status = ew_yaml_need(&bw, l->files[TYPES], type, "bw_Mbps", l->err);
    status = status ? status : ew_yaml_need(&mem, l->files[TYPES], type, "mem_MB", l->err);
    status = status ? status : ew_yaml_as_double(&mbps, l->files[TYPES], bw, 1e-6, 1e9, l->err);
    status = status ? status : ew_yaml_as_double(&mem_mb, l->files[TYPES], mem, 0, 1e9, l->err);
    for (const struct ew_yaml_node *host = hosts->first; host && status == EW_OK;
         host = host->next) {
        if (host->kind != EW_YAML_SCALAR || !is_plain_name(host->text)) {
            return ew_yaml_fail(l->files[DEVICES], host, l->err,
                                "expected a host name of letters, digits and _-.:");
        }
        if (++l->n_hosts > MAX_HOSTS) {
            return ew_yaml_fail(l->files[DEVICES], host, l->err, "expected at most %d hosts",
                                MAX_HOSTS);
        }
        ew_format_double(bandwidth, mbps);
        ew_str_printf(out, "    <host id=\"%s\" speed=\"1Gf\">\n", host->text);
        ew_str_printf(out, "      <prop id=\"profile\" value=\"%s\"/>\n", profile);
        ew_str_printf(out, "      <prop id=\"memory_bytes\" value=\"%.0f\"/>\n    </host>\n",
                      mem_mb * 1e6);
        ew_str_printf(links,
                      "    <link id=\"%s_port\" bandwidth=\"%sMbps\" latency=\"0s\" "
                      "sharing_policy=\"SPLITDUPLEX\"/>\n"
                      "    <host_link id=\"%s\" up=\"%s_port_UP\" down=\"%s_port_DOWN\"/>\n",
                      host->text, bandwidth, host->text, host->text, host->text);
    }
    return status;
}

/* One type with its hosts; types without hosts are left out. */
static enum ew_status take_type(struct loading *l, const struct ew_yaml_node *hosts,
                                struct ew_str *links)
{
    struct ew_pipeedge_import *import = l->import;
    enum ew_status status = ew_yaml_expect(l->files[DEVICES], hosts, EW_YAML_SEQUENCE, l->err);
    if (status != EW_OK || hosts->n == 0) {
        return status;
    }
    const struct ew_yaml_node *type = ew_yaml_find(ew_yaml_root(l->files[TYPES]), hosts->key);
    if (!type) {
        return ew_yaml_fail(l->files[DEVICES], hosts, l->err,
                            "device_types.yml has no device type '%s'", hosts->key);
    }
    const char *name = file_name(&import->arena, hosts->key);
    status = name ? ew_yaml_expect(l->files[TYPES], type, EW_YAML_MAPPING, l->err)
                  : ew_fail_memory(l->err);
    for (uint32_t i = 0; status == EW_OK && i < import->n_profiles; i++) {
        if (strcmp(import->profile_names[i], name) == 0) {
            status = ew_yaml_fail(l->files[DEVICES], hosts, l->err,
                                  "two device types would both become profile '%s'", name);
        }
    }
    if (status == EW_OK) {
        struct ew_str *profile = &import->profiles[import->n_profiles];
        import->profile_names[import->n_profiles++] = name;
        status = print_profile(l, type, name, profile);
    }
    return status ? status : print_hosts(l, hosts, type, name, links);
}

static enum ew_status print_platform(struct loading *l)
{
    struct ew_str *out = &l->import->platform;
    struct ew_str links = {0};
    enum ew_status status = EW_OK;
    ew_str_append(out,
                  "<?xml version=\"1.0\"?>\n"
                  "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                  "<!-- Imported from PipeEdge. Times come from the profiles beside it; a port "
                  "per host at\n     its bw_Mbps, both directions at once, no latency. -->\n"
                  "<platform version=\"4.1\">\n"
                  "  <zone id=\"pipeedge\" routing=\"Cluster\">\n");
    for (const struct ew_yaml_node *hosts = ew_yaml_root(l->files[DEVICES])->first;
         hosts && status == EW_OK; hosts = hosts->next) {
        status = take_type(l, hosts, &links);
    }
    if (status == EW_OK && l->n_hosts == 0) {
        status = ew_yaml_fail(l->files[DEVICES], ew_yaml_root(l->files[DEVICES]), l->err,
                              "expected at least one host, found none");
    }
    ew_str_append_n(out, ew_str_text(&links), links.length);
    ew_str_append(out, "  </zone>\n</platform>\n");
    out->failed = out->failed || links.failed;
    ew_str_fini(&links);
    return status;
}

enum ew_status ew_pipeedge_load(struct ew_pipeedge_import *out, const char *folder,
                                const char *model, struct ew_error *err)
{
    struct loading l = {.import = out, .err = err};
    enum ew_status status = open_files(&l, folder);
    status = status ? status : find_model(&l, model);
    if (status == EW_OK) {
        const uint32_t n = ew_yaml_root(l.files[DEVICES])->n;
        out->name = file_name(&out->arena, l.model->key);
        out->profile_names = ew_arena_calloc(&out->arena, n + 1u, sizeof *out->profile_names);
        out->profiles = ew_arena_calloc(&out->arena, n + 1u, sizeof *out->profiles);
        status = out->name && out->profile_names && out->profiles ? EW_OK : ew_fail_memory(err);
    }
    status = status ? status : print_graph(&l);
    status = status ? status : print_platform(&l);
    bool has_failed = out->graph.failed || out->platform.failed;
    for (uint32_t i = 0; i < out->n_profiles; i++) {
        has_failed = has_failed || out->profiles[i].failed;
    }
    for (int i = 0; i < N_FILES; i++) {
        ew_yaml_free(l.files[i]);
    }
    return status == EW_OK && has_failed ? ew_fail_memory(err) : status;
}

void ew_pipeedge_import_fini(struct ew_pipeedge_import *import)
{
    ew_str_fini(&import->graph);
    ew_str_fini(&import->platform);
    for (uint32_t i = 0; i < import->n_profiles; i++) {
        ew_str_fini(&import->profiles[i]);
    }
    ew_arena_fini(&import->arena);
    *import = (struct ew_pipeedge_import){0};
}
