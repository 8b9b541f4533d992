#include "sweep/reproduce_cache.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/vec.h"
#include "results/report.h"

enum { MAX_ENTRY_BYTES = 1 << 20 };

static const char SUFFIX[] = ".record";

/* Between key and record. */
static const char BORDER[] = "--- record\n";

static char *entry_path(const char *dir, const char *key)
{
    struct ew_str name = {0};
    ew_str_printf(&name, "%016llx%s",
                  (unsigned long long)ew_hash_bytes(EW_HASH_BEGIN, key, strlen(key)), SUFFIX);
    char *path = name.failed ? NULL : ew_path_join(dir, ew_str_text(&name));
    ew_str_fini(&name);
    return path;
}

static bool is_own_file(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

bool ew_repro_cache_get(struct ew_str *out, const char *dir, const char *key)
{
    const size_t n_key = strlen(key), n_border = sizeof BORDER - 1;
    char *path = entry_path(dir, key), *text = NULL;
    size_t size = 0;
    bool is_found = false;
    if (path && is_own_file(path) &&
        ew_file_read(&text, &size, path, MAX_ENTRY_BYTES, NULL) == EW_OK) {
        /* the record ends with a line end, so a cut one shows */
        is_found = size > n_key + n_border && memcmp(text, key, n_key) == 0 &&
                   memcmp(text + n_key, BORDER, n_border) == 0 && text[size - 1] == '\n';
    }
    if (is_found) {
        ew_str_append_n(out, text + n_key + n_border, size - n_key - n_border);
    }
    free(text);
    free(path);
    return is_found;
}

void ew_repro_cache_put(const char *dir, const char *key, const char *record)
{
    struct ew_str text = {0};
    char *path = entry_path(dir, key);
    ew_str_printf(&text, "%s%s%s", key, BORDER, record);
    if (path && !text.failed && text.length <= MAX_ENTRY_BYTES && ew_dir_make(dir, NULL) == EW_OK) {
        (void)ew_file_write(path, text.text, text.length, NULL);
    }
    ew_str_fini(&text);
    free(path);
}

/* --- trimming ----------------------------------------------------------------------------------
 */

struct entry {
    char *path;
    time_t made_s;
};

struct entries {
    struct entry *items;
    size_t count;
    size_t capacity;
};

static int compare_age(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->made_s != y->made_s) {
        return x->made_s < y->made_s ? -1 : 1;
    }
    return strcmp(x->path, y->path);
}

static void collect(struct entries *entries, const char *dir)
{
    DIR *d = opendir(dir);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        const size_t n = strlen(e->d_name), m = sizeof SUFFIX - 1;
        struct entry entry = {0};
        struct stat st;
        if (n > m && strcmp(e->d_name + n - m, SUFFIX) == 0) {
            entry.path = ew_path_join(dir, e->d_name);
        }
        if (entry.path && lstat(entry.path, &st) == 0) {
            entry.made_s = st.st_mtime;
            if (ew_vec_push(entries, entry)) {
                entry.path = NULL;
            }
        }
        free(entry.path);
    }
    if (d) {
        (void)closedir(d);
    }
}

void ew_repro_cache_trim(const char *dir, size_t n_most)
{
    struct entries entries = {0};
    collect(&entries, dir);
    if (entries.count > n_most) {
        qsort(entries.items, entries.count, sizeof *entries.items, compare_age);
        for (size_t i = 0; i < entries.count - n_most; i++) {
            (void)unlink(entries.items[i].path);
        }
    }
    for (size_t i = 0; i < entries.count; i++) {
        free(entries.items[i].path);
    }
    ew_vec_fini(&entries);
}
