#include "engine/simgrid/platform_import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "engine/simgrid/platform_child.h"
#include "engine/simgrid/platform_host.h"
#include "engine/simgrid/platform_xml.h"

enum { MAX_FILE_BYTES = 64 << 20, TIME_LIMIT_S = 30, WORD = sizeof(uint32_t) };

/* A host and its place. */
struct host {
    struct ew_host host;
    uint32_t child_index; /* where the child put it */
    uint32_t order;       /* in the file, UINT32_MAX for a <cluster>'s */
};

/* A link and its place. */
struct link {
    struct ew_link link;
    uint32_t child_index;
    uint32_t order;
    bool is_loopback;
};

/* Everything alive during one import. Texts of hosts and links live in the arena. */
struct import {
    const char *path;
    struct ew_profile_pool profiles;
    struct ew_xml_ids ids;
    struct ew_words words;
    size_t at; /* next word to read */
    struct ew_arena arena;
    uint64_t content_hash;
    uint32_t n_hosts;
    struct host *hosts;
    uint32_t n_child_links;
    uint32_t n_links; /* without SimGrid's loopback, which is sorted to the end */
    struct link *links;
    struct ew_device_desc *devices;
};

/* --- words ----------------------------------------------------------------------------------- */

static enum ew_status garbled(const struct import *im, struct ew_error *err)
{
    return ew_fail(err, EW_EENGINE, "%s: the process that reads the platform sent garbage",
                   im->path);
}

static bool get_u32(struct import *im, uint32_t *out)
{
    if (im->at >= im->words.count) {
        return false;
    }
    *out = im->words.items[im->at++];
    return true;
}

static bool get_double(struct import *im, double *out)
{
    if (im->words.count - im->at < sizeof *out / WORD) {
        return false;
    }
    memcpy(out, &im->words.items[im->at], sizeof *out);
    im->at += sizeof *out / WORD;
    return true;
}

static bool get_string(struct import *im, const char **out)
{
    uint32_t n;
    if (!get_u32(im, &n)) {
        return false;
    }
    const size_t n_words = ((size_t)n + WORD - 1) / WORD;
    if (n_words > im->words.count - im->at) {
        return false;
    }
    *out = ew_arena_strndup(&im->arena, (const char *)(im->words.items + im->at), n);
    im->at += n_words;
    return *out != NULL;
}

/* --- order ----------------------------------------------------------------------------------- */

/* Names by text, numbers inside them by value: dev2 before dev10. */
static int compare_natural(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0");
            b += strspn(b, "0");
            const size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
            if (n != m) {
                return n < m ? -1 : 1;
            }
            const int order = memcmp(a, b, n);
            if (order) {
                return order;
            }
            a += n;
            b += m;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return (*a != '\0') - (*b != '\0');
}

static int compare_places(uint32_t order_a, const char *a, uint32_t order_b, const char *b)
{
    if (order_a != order_b) {
        return order_a < order_b ? -1 : 1;
    }
    const int natural = compare_natural(a, b);
    return natural ? natural : strcmp(a, b);
}

static int by_host_place(const void *a, const void *b)
{
    const struct host *x = a, *y = b;
    return compare_places(x->order, x->host.name, y->order, y->host.name);
}

static int by_link_place(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    if (x->is_loopback != y->is_loopback) {
        return x->is_loopback ? 1 : -1;
    }
    return compare_places(x->order, x->link.name, y->order, y->link.name);
}

static int by_key(const void *a, const void *b)
{
    const struct ew_host_property *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* Position of a link in the file; SimGrid makes ID_UP and ID_DOWN of a split-duplex link ID. */
static uint32_t link_order(const struct ew_xml_ids *ids, const char *name)
{
    const struct ew_xml_id *id = ew_xml_find(ids, name);
    static const char *const suffixes[] = {"_UP", "_DOWN"};
    for (size_t i = 0; !id && i < sizeof suffixes / sizeof *suffixes; i++) {
        const size_t n = strlen(name), m = strlen(suffixes[i]);
        char *base = n > m && strcmp(name + n - m, suffixes[i]) == 0 ? strndup(name, n - m) : NULL;
        if (base) {
            id = ew_xml_find(ids, base);
            free(base);
        }
    }
    return id ? id->order : UINT32_MAX;
}

/* --- what the child sent --------------------------------------------------------------------- */

static bool get_properties(struct import *im, struct ew_host *h)
{
    if (!get_u32(im, &h->n_properties) || h->n_properties > im->words.count) {
        return false;
    }
    struct ew_host_property *properties =
        ew_arena_calloc(&im->arena, h->n_properties, sizeof *properties);
    for (uint32_t i = 0; properties && i < h->n_properties; i++) {
        if (!get_string(im, &properties[i].key) || !get_string(im, &properties[i].value)) {
            return false;
        }
    }
    if (properties && h->n_properties) { /* SimGrid's order is that of a hash table */
        qsort(properties, h->n_properties, sizeof *properties, by_key);
    }
    h->properties = properties;
    return properties != NULL;
}

static bool get_host(struct import *im, struct host *to)
{
    struct ew_host *h = &to->host;
    if (!get_string(im, &h->name) || !get_double(im, &h->speed_flops_per_s) ||
        !get_u32(im, &h->cores) || !get_u32(im, &h->n_pstates) || !get_properties(im, h)) {
        return false;
    }
    const struct ew_xml_id *id = ew_xml_find(&im->ids, h->name);
    to->order = id ? id->order : UINT32_MAX;
    h->line = id ? id->line : 0;
    h->xml_path = im->path;
    return true;
}

static bool get_link(struct import *im, struct link *l)
{
    uint32_t is_shared;
    if (!get_string(im, &l->link.name) || !get_double(im, &l->link.bandwidth_bytes_per_s) ||
        !get_double(im, &l->link.latency_s) || !get_u32(im, &is_shared)) {
        return false;
    }
    l->link.sharing = is_shared ? EW_LINK_SHARED : EW_LINK_FATPIPE;
    l->order = link_order(&im->ids, l->link.name);
    l->is_loopback = strcmp(l->link.name, "__loopback__") == 0;
    return true;
}

static enum ew_status get_hosts_and_links(struct import *im, struct ew_error *err)
{
    uint32_t magic, n_links = 0;
    if (!get_u32(im, &magic) || magic != EW_PLATFORM_MAGIC || !get_u32(im, &im->n_hosts) ||
        !get_u32(im, &n_links) || im->n_hosts > im->words.count || n_links > im->words.count) {
        return garbled(im, err);
    }
    if (im->n_hosts == 0 || im->n_hosts > EW_MAX_DEVICES) {
        return ew_fail(err, EW_EINPUT, "%s: expected 1 .. %d hosts, found %u", im->path,
                       EW_MAX_DEVICES, im->n_hosts);
    }
    im->n_child_links = n_links;
    im->hosts = ew_arena_calloc(&im->arena, im->n_hosts, sizeof *im->hosts);
    im->links = ew_arena_calloc(&im->arena, n_links, sizeof *im->links);
    if (!im->hosts || !im->links) {
        return ew_fail_memory(err);
    }
    for (uint32_t i = 0; i < im->n_hosts; i++) {
        im->hosts[i].child_index = i;
        if (!get_host(im, &im->hosts[i])) {
            return garbled(im, err);
        }
    }
    for (uint32_t i = 0; i < n_links; i++) {
        im->links[i].child_index = i;
        if (!get_link(im, &im->links[i])) {
            return garbled(im, err);
        }
    }
    qsort(im->hosts, im->n_hosts, sizeof *im->hosts, by_host_place);
    if (n_links) {
        qsort(im->links, n_links, sizeof *im->links, by_link_place);
    }
    while (im->n_links < n_links && !im->links[im->n_links].is_loopback) {
        im->n_links++;
    }
    return EW_OK;
}

/* --- devices, routes and the whole -------------------------------------------------------------
 */

static enum ew_status read_devices(struct import *im, struct ew_error *err)
{
    im->devices = ew_arena_calloc(&im->arena, im->n_hosts, sizeof *im->devices);
    if (!im->devices) {
        return ew_fail_memory(err);
    }
    enum ew_status status = EW_OK;
    for (uint32_t i = 0; status == EW_OK && i < im->n_hosts; i++) {
        status = ew_host_read(&im->devices[i], &im->hosts[i].host, &im->profiles, err);
    }
    return status;
}

/* Our number for each of the child's numbers. Loopbacks get none. */
static uint32_t *invert_links(struct import *im)
{
    uint32_t *ours = ew_arena_calloc(&im->arena, im->n_child_links, sizeof *ours);
    for (uint32_t i = 0; ours && i < im->n_child_links; i++) {
        ours[im->links[i].child_index] = i < im->n_links ? i : EW_NONE;
    }
    return ours;
}

static uint32_t *invert_hosts(struct import *im)
{
    uint32_t *ours = ew_arena_calloc(&im->arena, im->n_hosts, sizeof *ours);
    for (uint32_t i = 0; ours && i < im->n_hosts; i++) {
        ours[im->hosts[i].child_index] = i;
    }
    return ours;
}

/* Renumber one route inside the words. */
static bool get_route(struct import *im, struct ew_route_desc *route, const uint32_t *our_link)
{
    uint32_t n;
    if (!get_u32(im, &n) || n > im->words.count - im->at) {
        return false;
    }
    uint32_t *links = &im->words.items[im->at];
    for (uint32_t l = 0; l < n; l++) {
        if (links[l] >= im->n_child_links || our_link[links[l]] == EW_NONE) {
            return false;
        }
        links[l] = our_link[links[l]];
    }
    im->at += n;
    route->n_links = n;
    route->links = links;
    return true;
}

static enum ew_status get_routes(struct import *im, struct ew_route_desc *routes,
                                 struct ew_error *err)
{
    const uint32_t *our_link = invert_links(im);
    const uint32_t *our_host = invert_hosts(im);
    if (!our_link || !our_host) {
        return ew_fail_memory(err);
    }
    uint64_t n = 0;
    for (uint32_t i = 0; i < im->n_hosts; i++) {
        for (uint32_t k = 0; k < im->n_hosts; k++) {
            if (i == k) {
                continue;
            }
            routes[n] = (struct ew_route_desc){.from = our_host[i], .to = our_host[k]};
            if (!get_route(im, &routes[n++], our_link)) {
                return garbled(im, err);
            }
        }
    }
    uint32_t magic;
    return get_u32(im, &magic) && magic == EW_PLATFORM_MAGIC ? EW_OK : garbled(im, err);
}

static enum ew_status make_platform(struct ew_platform **out, struct import *im,
                                    struct ew_error *err)
{
    enum ew_status status = EW_OK;
    const size_t n_routes = (size_t)im->n_hosts * (im->n_hosts - 1);
    struct ew_route_desc *routes = calloc(n_routes + 1, sizeof *routes);
    struct ew_link *links = ew_arena_calloc(&im->arena, im->n_links, sizeof *links);
    if (!routes || !links) {
        status = ew_fail_memory(err);
        goto done;
    }
    for (uint32_t i = 0; i < im->n_links; i++) {
        links[i] = im->links[i].link;
    }
    status = get_routes(im, routes, err);
    if (status != EW_OK) {
        goto done;
    }
    const struct ew_platform_desc desc = {
        .path = im->path,
        .content_hash = im->content_hash,
        .n_devices = im->n_hosts,
        .devices = im->devices,
        .n_links = im->n_links,
        .links = links,
        .n_routes = n_routes,
        .routes = routes,
    };
    ew_profile_pool_give_away(&im->profiles); /* ew_platform_make takes them in any case */
    status = ew_platform_make(out, &desc, err);
    if (status != EW_OK) {
        (void)ew_prefix(err, "%s: ", im->path);
    }
done:
    free(routes);
    return status;
}

static uint64_t hash_fnv1a(const char *text, size_t size)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static enum ew_status scan_file(struct import *im, struct ew_error *err)
{
    char *text = NULL;
    size_t size = 0;
    enum ew_status status = ew_file_read(&text, &size, im->path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        im->content_hash = hash_fnv1a(text, size);
        status = ew_xml_scan(&im->ids, text, size, im->path, err);
    }
    free(text);
    return status;
}

static void import_fini(struct import *im)
{
    ew_profile_pool_fini(&im->profiles);
    ew_words_fini(&im->words);
    ew_xml_ids_fini(&im->ids);
    ew_arena_fini(&im->arena);
}

/* Directories to search: beside the platform, then the caller's. All in the arena. */
static enum ew_status list_profile_dirs(struct import *im, const char *const *dirs, size_t n_dirs,
                                        struct ew_error *err)
{
    const char **list = ew_arena_calloc(&im->arena, n_dirs + 1, sizeof *list);
    char *beside = ew_path_beside(im->path, "profiles");
    const char *copy = beside ? ew_arena_strdup(&im->arena, beside) : NULL;
    free(beside);
    if (!list || !copy) {
        return ew_fail_memory(err);
    }
    list[0] = copy;
    for (size_t i = 0; i < n_dirs; i++) {
        list[i + 1] = dirs[i];
    }
    im->profiles.dirs = list;
    im->profiles.n_dirs = n_dirs + 1;
    return EW_OK;
}

enum ew_status ew_platform_import(struct ew_platform **out, const char *xml_path,
                                  const char *const *profile_dirs, size_t n_dirs,
                                  struct ew_error *err)
{
    struct import im = {.path = xml_path};
    enum ew_status status = list_profile_dirs(&im, profile_dirs, n_dirs, err);
    if (status == EW_OK) {
        status = scan_file(&im, err);
    }
    if (status == EW_OK) {
        status = ew_platform_read_child(&im.words, xml_path, TIME_LIMIT_S, err);
    }
    if (status == EW_OK) {
        status = get_hosts_and_links(&im, err);
    }
    if (status == EW_OK) {
        status = read_devices(&im, err);
    }
    if (status == EW_OK) {
        status = make_platform(out, &im, err);
    }
    import_fini(&im);
    return status;
}
