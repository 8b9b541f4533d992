#include "sweep/platform_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "io/profile_pool.h"
#include "results/report.h"

/*
 * Entry, in the byte order of the machine: 8 bytes of magic, size of the whole and FNV-1a hash of
 * everything behind the hash (8 bytes each); key; platform file; devices; links; routes. Texts and
 * files are a length of 4 bytes and their bytes.
 */
static const char MAGIC[8] = {'E', 'W', 'P', 'L', 'A', 'T', '1', '\n'};
static const char SUFFIX[] = ".platform";

enum { HEADER_BYTES = 24, MAX_ENTRY_BYTES = 32 << 20, MAX_ENTRIES = 128 };

/* --- writing --------------------------------------------------------------------------------- */

static void put_u32(struct ew_str *out, uint32_t x)
{
    ew_str_append_n(out, (const char *)&x, sizeof x);
}

static void put_u64(struct ew_str *out, uint64_t x)
{
    ew_str_append_n(out, (const char *)&x, sizeof x);
}

static void put_double(struct ew_str *out, double x)
{
    ew_str_append_n(out, (const char *)&x, sizeof x);
}

static void put_bytes(struct ew_str *out, const char *bytes, size_t size)
{
    put_u32(out, (uint32_t)size);
    ew_str_append_n(out, bytes, size);
}

static void put_text(struct ew_str *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

static void put_device(struct ew_str *out, const struct ew_platform *p, const struct ew_device *d)
{
    put_text(out, d->name);
    put_text(out, p->nodes[d->node].name);
    put_text(out, *d->profile->path ? d->profile->name : ""); /* "": the default at its speed */
    put_double(out, d->speed_flops_per_s);
    put_u64(out, d->memory_bytes);
    put_double(out, d->message_overhead_s);
    put_u32(out, d->has_power);
    put_double(out, d->off_w);
    put_double(out, d->idle_w);
    put_double(out, d->compute_w);
    put_double(out, d->tx_w);
    put_double(out, d->rx_w);
}

static void put_routes(struct ew_str *out, const struct ew_platform *p)
{
    for (uint32_t from = 0; from < p->n_devices; from++) {
        for (uint32_t to = 0; to < p->n_devices; to++) {
            const struct ew_route *route = ew_platform_route(p, from, to);
            put_u32(out, route->n_links);
            if (route->n_links) {
                ew_str_append_n(out, (const char *)route->links,
                                route->n_links * sizeof *route->links);
            }
        }
    }
}

void ew_platform_cache_print(struct ew_str *out, const struct ew_platform_cache *cache,
                             const struct ew_platform *platform)
{
    const char zeros[HEADER_BYTES] = {0};
    ew_str_append_n(out, zeros, sizeof zeros);
    put_text(out, cache->key);
    put_bytes(out, cache->xml, cache->xml_size);
    put_u32(out, platform->n_devices);
    for (uint32_t i = 0; i < platform->n_devices; i++) {
        put_device(out, platform, &platform->devices[i]);
    }
    put_u32(out, platform->n_links);
    for (uint32_t i = 0; i < platform->n_links; i++) {
        const struct ew_link *link = &platform->links[i];
        put_text(out, link->name);
        put_double(out, link->bandwidth_bytes_per_s);
        put_double(out, link->latency_s);
        put_u32(out, link->sharing);
    }
    put_routes(out, platform);
    if (!out->failed) {
        const uint64_t size = out->length;
        const uint64_t hash =
            ew_hash_bytes(EW_HASH_BEGIN, out->text + HEADER_BYTES, out->length - HEADER_BYTES);
        memcpy(out->text, MAGIC, sizeof MAGIC);
        memcpy(out->text + 8, &size, sizeof size);
        memcpy(out->text + 16, &hash, sizeof hash);
    }
}

/* --- reading --------------------------------------------------------------------------------- */

/* What is left of an entry. After the first failure `is_bad` is set and everything reads as 0. */
struct cursor {
    const char *at;
    size_t left;
    bool is_bad;
    struct ew_arena *arena;
};

static const char *take(struct cursor *c, size_t n)
{
    if (c->is_bad || n > c->left) {
        c->is_bad = true;
        return NULL;
    }
    const char *bytes = c->at;
    c->at += n;
    c->left -= n;
    return bytes;
}

static uint32_t take_u32(struct cursor *c)
{
    uint32_t x = 0;
    const char *bytes = take(c, sizeof x);
    if (bytes) {
        memcpy(&x, bytes, sizeof x);
    }
    return x;
}

static uint64_t take_u64(struct cursor *c)
{
    uint64_t x = 0;
    const char *bytes = take(c, sizeof x);
    if (bytes) {
        memcpy(&x, bytes, sizeof x);
    }
    return x;
}

static double take_double(struct cursor *c)
{
    double x = 0;
    const char *bytes = take(c, sizeof x);
    if (bytes) {
        memcpy(&x, bytes, sizeof x);
    }
    return x;
}

static const char *take_text(struct cursor *c)
{
    const uint32_t n = take_u32(c);
    const char *bytes = take(c, n);
    const char *text = bytes ? ew_arena_strndup(c->arena, bytes, n) : NULL;
    c->is_bad = c->is_bad || !text;
    return text ? text : "";
}

/* The next length and bytes must be these. */
static void expect_bytes(struct cursor *c, const char *bytes, size_t size)
{
    const uint32_t n = take_u32(c);
    const char *found = take(c, n);
    if (!found || n != size || memcmp(found, bytes, size) != 0) {
        c->is_bad = true;
    }
}

static void take_device(struct cursor *c, struct ew_device_desc *d, struct ew_profile_pool *pool)
{
    d->name = take_text(c);
    d->node = take_text(c);
    const char *profile = take_text(c);
    d->speed_flops_per_s = take_double(c);
    d->memory_bytes = take_u64(c);
    d->message_overhead_s = take_double(c);
    d->has_power = take_u32(c) != 0;
    d->off_w = take_double(c);
    d->idle_w = take_double(c);
    d->compute_w = take_double(c);
    d->tx_w = take_double(c);
    d->rx_w = take_double(c);
    if (!c->is_bad && *profile && ew_profile_pool_get(&d->cost, pool, profile, NULL) != EW_OK) {
        c->is_bad = true;
    }
}

static void take_link(struct cursor *c, struct ew_link *link)
{
    link->name = take_text(c);
    link->bandwidth_bytes_per_s = take_double(c);
    link->latency_s = take_double(c);
    link->sharing = take_u32(c) == EW_LINK_FATPIPE ? EW_LINK_FATPIPE : EW_LINK_SHARED;
}

static void take_routes(struct cursor *c, struct ew_platform_desc *desc,
                        struct ew_route_desc *routes)
{
    const uint64_t n = desc->n_devices;
    for (uint64_t i = 0; i < n * n && !c->is_bad; i++) {
        const uint32_t n_links = take_u32(c);
        const char *bytes = n_links <= c->left / sizeof(uint32_t)
                                ? take(c, n_links * sizeof(uint32_t))
                                : take(c, SIZE_MAX);
        if (bytes && n_links) {
            const uint32_t *links =
                ew_arena_copy(c->arena, bytes, n_links, sizeof *links); /* aligned */
            c->is_bad = c->is_bad || !links;
            routes[desc->n_routes++] =
                (struct ew_route_desc){(uint32_t)(i / n), (uint32_t)(i % n), n_links, links};
        }
    }
    desc->routes = routes;
}

/* Smallest number of bytes that a device, a link and a route take. */
enum { DEVICE_BYTES = 12 + 24 + 4 + 40, LINK_BYTES = 4 + 16 + 4, ROUTE_BYTES = 4 };

static void take_platform(struct ew_platform **out, struct cursor *c, const char *path,
                          uint64_t content_hash, struct ew_profile_pool *pool)
{
    struct ew_platform_desc desc = {.path = path, .content_hash = content_hash};
    desc.n_devices = take_u32(c);
    if (desc.n_devices > EW_MAX_DEVICES || desc.n_devices > c->left / DEVICE_BYTES) {
        c->is_bad = true;
        return;
    }
    struct ew_device_desc *devices = ew_arena_calloc(c->arena, desc.n_devices, sizeof *devices);
    for (uint32_t i = 0; devices && i < desc.n_devices; i++) {
        take_device(c, &devices[i], pool);
    }
    desc.n_links = take_u32(c);
    if (!devices || desc.n_links > c->left / LINK_BYTES) {
        c->is_bad = true;
        return;
    }
    struct ew_link *links = ew_arena_calloc(c->arena, desc.n_links, sizeof *links);
    for (uint32_t i = 0; links && i < desc.n_links; i++) {
        take_link(c, &links[i]);
    }
    const size_t n_pairs = (size_t)desc.n_devices * desc.n_devices;
    struct ew_route_desc *routes = n_pairs <= c->left / ROUTE_BYTES
                                       ? ew_arena_calloc(c->arena, n_pairs, sizeof *routes)
                                       : NULL;
    if (!links || !routes) {
        c->is_bad = true;
        return;
    }
    take_routes(c, &desc, routes);
    if (c->is_bad || c->left) {
        return;
    }
    desc.devices = devices;
    desc.links = links;
    ew_profile_pool_give_away(pool); /* ew_platform_make takes them in any case */
    if (ew_platform_make(out, &desc, NULL) != EW_OK) {
        *out = NULL;
    }
}

static bool header_is_good(const char *bytes, size_t size)
{
    uint64_t said_size, said_hash;
    if (size < HEADER_BYTES || memcmp(bytes, MAGIC, sizeof MAGIC) != 0) {
        return false;
    }
    memcpy(&said_size, bytes + 8, sizeof said_size);
    memcpy(&said_hash, bytes + 16, sizeof said_hash);
    return said_size == size &&
           said_hash == ew_hash_bytes(EW_HASH_BEGIN, bytes + HEADER_BYTES, size - HEADER_BYTES);
}

bool ew_platform_cache_parse(struct ew_platform **out, const char *bytes, size_t size,
                             const struct ew_platform_cache *cache, const char *path,
                             const char *const *profile_dirs, size_t n_dirs)
{
    if (!header_is_good(bytes, size)) {
        return false;
    }
    struct ew_platform *platform = NULL;
    struct ew_arena arena = {0};
    struct cursor c = {bytes + HEADER_BYTES, size - HEADER_BYTES, false, &arena};
    struct ew_profile_pool pool = {.dirs = profile_dirs, .n_dirs = n_dirs};
    expect_bytes(&c, cache->key, strlen(cache->key));
    expect_bytes(&c, cache->xml, cache->xml_size);
    if (!c.is_bad) {
        const uint64_t hash = ew_hash_bytes(EW_HASH_BEGIN, cache->xml, cache->xml_size);
        take_platform(&platform, &c, path, hash, &pool);
    }
    ew_profile_pool_fini(&pool);
    ew_arena_fini(&arena);
    if (platform) {
        *out = platform;
    }
    return platform != NULL;
}

/* --- files ----------------------------------------------------------------------------------- */

/* File of an entry, malloc'ed; NULL when memory runs out. */
static char *entry_path(const struct ew_platform_cache *cache)
{
    uint64_t hash = ew_hash_bytes(EW_HASH_BEGIN, cache->key, strlen(cache->key) + 1);
    hash = ew_hash_bytes(hash, cache->xml, cache->xml_size);
    struct ew_str name = {0};
    ew_str_printf(&name, "%016llx%s", (unsigned long long)hash, SUFFIX);
    char *path = name.failed ? NULL : ew_path_join(cache->dir, ew_str_text(&name));
    ew_str_fini(&name);
    return path;
}

/* Whole file, if it is a plain one of this user; NULL otherwise. */
static char *read_own_file(const char *path, size_t *size)
{
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0) {
        return NULL;
    }
    char *bytes = NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        st.st_size >= HEADER_BYTES && st.st_size <= MAX_ENTRY_BYTES) {
        bytes = malloc((size_t)st.st_size);
    }
    *size = 0;
    while (bytes && *size < (size_t)st.st_size) {
        const ssize_t n = read(fd, bytes + *size, (size_t)st.st_size - *size);
        if (n <= 0) {
            free(bytes);
            bytes = NULL;
        } else {
            *size += (size_t)n;
        }
    }
    (void)close(fd);
    return bytes;
}

bool ew_platform_cache_get(struct ew_platform **out, const struct ew_platform_cache *cache,
                           const char *path, const char *const *profile_dirs, size_t n_dirs)
{
    size_t size = 0;
    char *file = entry_path(cache);
    char *bytes = file ? read_own_file(file, &size) : NULL;
    const bool is_found =
        bytes && ew_platform_cache_parse(out, bytes, size, cache, path, profile_dirs, n_dirs);
    free(bytes);
    free(file);
    return is_found;
}

/* The entry that was made longest ago, malloc'ed, and how many there are. */
static char *oldest_entry(const char *dir, size_t *count)
{
    char *oldest = NULL;
    struct stat st;
    time_t oldest_s = 0;
    DIR *d = opendir(dir);
    *count = 0;
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        const size_t n = strlen(e->d_name), m = sizeof SUFFIX - 1;
        char *path =
            n > m && strcmp(e->d_name + n - m, SUFFIX) == 0 ? ew_path_join(dir, e->d_name) : NULL;
        if (path && lstat(path, &st) == 0) {
            (*count)++;
            if (!oldest || st.st_mtime < oldest_s) {
                free(oldest);
                oldest = path;
                oldest_s = st.st_mtime;
                path = NULL;
            }
        }
        free(path);
    }
    if (d) {
        (void)closedir(d);
    }
    return oldest;
}

/* Keep the directory from growing for ever: one goes for each that comes. */
static void drop_oldest(const char *dir)
{
    size_t count;
    char *oldest = oldest_entry(dir, &count);
    if (oldest && count >= MAX_ENTRIES) {
        (void)unlink(oldest);
    }
    free(oldest);
}

enum ew_status ew_platform_cache_put(const struct ew_platform_cache *cache,
                                     const struct ew_platform *platform, struct ew_error *err)
{
    struct ew_str bytes = {0};
    char *path = entry_path(cache);
    ew_platform_cache_print(&bytes, cache, platform);
    enum ew_status status = path && !bytes.failed ? EW_OK : ew_fail_memory(err);
    if (status == EW_OK && bytes.length <= MAX_ENTRY_BYTES) {
        status = ew_dir_make(cache->dir, err);
        if (status == EW_OK) {
            drop_oldest(cache->dir);
            status = ew_file_write(path, bytes.text, bytes.length, err);
        }
    }
    ew_str_fini(&bytes);
    free(path);
    return status;
}
