#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "support/suite.h"
#include "support/tiny.h"
#include "sweep/platform_cache.h"

static const char XML[] = "<platform>whatever SimGrid reads</platform>";

static struct ew_platform_cache cache_in(const char *dir)
{
    return (struct ew_platform_cache){dir, "key 1", XML, sizeof XML - 1};
}

static void assert_same(const struct ew_platform *a, const struct ew_platform *b)
{
    ck_assert_uint_eq(a->n_devices, b->n_devices);
    ck_assert_uint_eq(a->n_nodes, b->n_nodes);
    ck_assert_uint_eq(a->n_links, b->n_links);
    for (uint32_t i = 0; i < a->n_devices; i++) {
        const struct ew_device *x = &a->devices[i], *y = &b->devices[i];
        ck_assert_str_eq(x->name, y->name);
        ck_assert_str_eq(a->nodes[x->node].name, b->nodes[y->node].name);
        ck_assert_str_eq(x->profile->name, y->profile->name);
        ck_assert(x->speed_flops_per_s == y->speed_flops_per_s);
        ck_assert(x->memory_bytes == y->memory_bytes);
        ck_assert(x->message_overhead_s == y->message_overhead_s);
        ck_assert(x->has_power == y->has_power && x->off_w == y->off_w && x->idle_w == y->idle_w);
        ck_assert(x->compute_w == y->compute_w && x->tx_w == y->tx_w && x->rx_w == y->rx_w);
    }
    for (uint32_t i = 0; i < a->n_links; i++) {
        ck_assert_str_eq(a->links[i].name, b->links[i].name);
        ck_assert(a->links[i].bandwidth_bytes_per_s == b->links[i].bandwidth_bytes_per_s);
        ck_assert(a->links[i].latency_s == b->links[i].latency_s);
        ck_assert(a->links[i].sharing == b->links[i].sharing);
    }
    for (uint64_t i = 0; i < (uint64_t)a->n_devices * a->n_devices; i++) {
        ck_assert_uint_eq(a->routes[i].n_links, b->routes[i].n_links);
        for (uint32_t k = 0; k < a->routes[i].n_links; k++) {
            ck_assert_uint_eq(a->routes[i].links[k], b->routes[i].links[k]);
        }
    }
}

START_TEST(an_entry_gives_the_same_platform)
{
    const struct ew_platform_cache cache = cache_in("unused");
    struct ew_platform *platform = tiny_star(5), *again = NULL;
    struct ew_str bytes = {0};
    ew_platform_cache_print(&bytes, &cache, platform);
    ck_assert(ew_platform_cache_parse(&again, bytes.text, bytes.length, &cache, "p.xml", NULL, 0));
    assert_same(platform, again);
    ck_assert_str_eq(again->path, "p.xml");
    ew_platform_free(again);
    ew_platform_free(platform);
    ew_str_fini(&bytes);
}
END_TEST

START_TEST(another_key_or_file_does_not_count)
{
    struct ew_platform_cache cache = cache_in("unused");
    struct ew_platform *platform = tiny_star(2), *again = NULL;
    struct ew_str bytes = {0};
    ew_platform_cache_print(&bytes, &cache, platform);
    cache.key = "key 2";
    ck_assert(!ew_platform_cache_parse(&again, bytes.text, bytes.length, &cache, "p", NULL, 0));
    cache = cache_in("unused");
    cache.xml_size--;
    ck_assert(!ew_platform_cache_parse(&again, bytes.text, bytes.length, &cache, "p", NULL, 0));
    ew_platform_free(platform);
    ew_str_fini(&bytes);
}
END_TEST

/* Recompute the hash, so that damage gets past it. */
static void seal(struct ew_str *bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325), size = bytes->length;
    for (size_t i = 24; i < bytes->length; i++) {
        hash = (hash ^ (unsigned char)bytes->text[i]) * UINT64_C(0x100000001b3);
    }
    memcpy(bytes->text + 8, &size, sizeof size);
    memcpy(bytes->text + 16, &hash, sizeof hash);
}

START_TEST(no_damage_is_harmful)
{
    const struct ew_platform_cache cache = cache_in("unused");
    struct ew_platform *platform = tiny_star(3), *again = NULL;
    struct ew_str bytes = {0};
    ew_platform_cache_print(&bytes, &cache, platform);
    for (size_t i = 0; i < bytes.length; i++) {
        const char kept = bytes.text[i];
        bytes.text[i] = (char)(kept ^ 0xFF);
        ck_assert(!ew_platform_cache_parse(&again, bytes.text, bytes.length, &cache, "p", NULL, 0));
        bytes.text[i] = kept;
        ck_assert(!ew_platform_cache_parse(&again, bytes.text, i, &cache, "p", NULL, 0));
    }
    for (size_t i = 24; i < bytes.length; i++) { /* with a hash that fits: maybe a platform */
        const char kept = bytes.text[i];
        bytes.text[i] = (char)0xFF;
        seal(&bytes);
        again = NULL;
        if (ew_platform_cache_parse(&again, bytes.text, bytes.length, &cache, "p", NULL, 0)) {
            ew_platform_free(again);
        }
        bytes.text[i] = kept;
    }
    ew_platform_free(platform);
    ew_str_fini(&bytes);
}
END_TEST

/* Path of the one entry in a directory. */
static void find_entry(char out[512], const char *dir)
{
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    out[0] = '\0';
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (strstr(e->d_name, ".platform")) {
            (void)snprintf(out, 512, "%s/%s", dir, e->d_name);
        }
    }
    (void)closedir(d);
    ck_assert_str_ne(out, "");
}

START_TEST(entries_are_files_but_not_links)
{
    char dir[] = "/tmp/ew_cache_test_XXXXXX", entry[512], real[600];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const struct ew_platform_cache cache = cache_in(dir);
    struct ew_platform *platform = tiny_star(2), *again = NULL;
    struct ew_error err = {0};
    ck_assert(!ew_platform_cache_get(&again, &cache, "p", NULL, 0));
    ck_assert_int_eq(ew_platform_cache_put(&cache, platform, &err), EW_OK);
    ck_assert(ew_platform_cache_get(&again, &cache, "p", NULL, 0));
    assert_same(platform, again);
    find_entry(entry, dir);
    (void)snprintf(real, sizeof real, "%s.real", entry);
    ck_assert_int_eq(rename(entry, real), 0);
    ck_assert_int_eq(symlink(real, entry), 0);
    struct ew_platform *linked = NULL;
    ck_assert(!ew_platform_cache_get(&linked, &cache, "p", NULL, 0));
    ck_assert_int_eq(unlink(entry), 0);
    ck_assert_int_eq(unlink(real), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    ew_platform_free(again);
    ew_platform_free(platform);
}
END_TEST

START_TEST(the_number_of_entries_is_bounded)
{
    char dir[] = "/tmp/ew_cache_test_XXXXXX", key[32], entry[512];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    struct ew_platform *platform = tiny_star(1);
    struct ew_error err = {0};
    for (int i = 0; i < 140; i++) {
        struct ew_platform_cache cache = cache_in(dir);
        (void)snprintf(key, sizeof key, "key %d", i);
        cache.key = key;
        ck_assert_int_eq(ew_platform_cache_put(&cache, platform, &err), EW_OK);
    }
    int n = 0;
    while (rmdir(dir) != 0) {
        find_entry(entry, dir);
        ck_assert_int_eq(unlink(entry), 0);
        n++;
    }
    ck_assert_int_eq(n, 128);
    ew_platform_free(platform);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_entry_gives_the_same_platform, another_key_or_file_does_not_count, no_damage_is_harmful,
        entries_are_files_but_not_links,  the_number_of_entries_is_bounded,
    };
    return run_suite("platform_cache", tests, sizeof tests / sizeof *tests);
}
