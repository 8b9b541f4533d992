#include "distredge/actor_file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[] = "edgeweave.distredge.actor/2";

/* Limits against absurd files: more than any platform or network has. */
enum { MAX_PARTS = 4096, MAX_VOLUMES = 65536, MAX_EVALUATIONS = 10000000 };

static uint32_t count_params(const struct mlp_shape *shape)
{
    uint32_t n = 0;
    for (uint32_t l = 0; l < shape->n_layers; l++) {
        n += (shape->width[l] + 1) * shape->width[l + 1];
    }
    return n;
}

/* ------------------------------------------------------------------ writing */

static void print_params(FILE *file, const char *name, uint32_t n, const float *params)
{
    fprintf(file, "%s %" PRIu32 "\n", name, n);
    for (uint32_t i = 0; i < n; i++) {
        fprintf(file, "%.9g\n", (double)params[i]);
    }
}

static void print_record(FILE *file, const struct actor_record *record)
{
    const struct osds_history *history = &record->history;
    fprintf(file, "%s\n", MAGIC);
    fprintf(file, "key %016" PRIx64 "\n", record->key);
    fprintf(file, "volumes %" PRIu32 "\nparts %" PRIu32 "\n", record->n_volumes, record->n_parts);
    fprintf(file, "latency_s %.17g\n", record->latency_s);
    fprintf(file, "initial_latency_s %.17g\n", history->initial_latency_s);
    fprintf(file, "final_latency_s %.17g\n", history->final_latency_s);
    fprintf(file, "episodes %" PRIu32 "\nbest_episode %" PRIu32 "\n", history->n_episodes,
            history->best_episode);
    fprintf(file, "evaluations %" PRIu32 "\n", record->n_evaluated);
    fprintf(file, "cuts\n");
    for (size_t i = 0; i < (size_t)record->n_volumes * (record->n_parts + 1); i++) {
        fprintf(file, "%" PRId32 "\n", record->cuts[i]);
    }
    print_params(file, "actor", record->n_actor, record->actor);
    print_params(file, "critic", record->n_critic, record->critic);
}

static enum actor_outcome explain(char *reason, size_t reason_size, const char *doing,
                                  const char *path)
{
    snprintf(reason, reason_size, "cannot %s %s: %s", doing, path, strerror(errno));
    return ACTOR_FAILED;
}

enum actor_outcome actor_save(const char *path, const struct actor_record *record, char *reason,
                              size_t reason_size)
{
    size_t size = strlen(path) + sizeof ".XXXXXX";
    char *draft = malloc(size);
    if (!draft) {
        snprintf(reason, reason_size, "out of memory");
        return ACTOR_FAILED;
    }
    snprintf(draft, size, "%s.XXXXXX", path);
    int fd = mkstemp(draft);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    enum actor_outcome outcome = ACTOR_OK;
    if (!file) {
        outcome = explain(reason, reason_size, "create", draft);
    } else {
        print_record(file, record);
        bool is_written = !ferror(file);
        is_written = fclose(file) == 0 && is_written;
        if (!is_written || rename(draft, path) != 0) {
            outcome = explain(reason, reason_size, "write", path);
        }
    }
    if (outcome != ACTOR_OK && fd >= 0) {
        (void)unlink(draft);
    }
    free(draft);
    return outcome;
}

/* ------------------------------------------------------------------ keeping few */

/* A file beside its age. */
struct aged {
    char *path;
    struct timespec written;
};

static int compare_ages(const void *a, const void *b)
{
    const struct aged *x = a;
    const struct aged *y = b;
    if (x->written.tv_sec != y->written.tv_sec) {
        return x->written.tv_sec < y->written.tv_sec ? -1 : 1;
    }
    if (x->written.tv_nsec != y->written.tv_nsec) {
        return x->written.tv_nsec < y->written.tv_nsec ? -1 : 1;
    }
    return strcmp(x->path, y->path);
}

static bool is_actor(const char *name)
{
    static const char suffix[] = ".actor";
    size_t n = strlen(name);
    return n >= sizeof suffix && strcmp(name + n - (sizeof suffix - 1), suffix) == 0;
}

/* Add folder/name with its age; false when memory runs out. */
static bool add_aged(struct aged **files, size_t *n, const char *folder, const char *name)
{
    struct stat st;
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    struct aged *more = path ? realloc(*files, (*n + 1) * sizeof **files) : NULL;
    if (!more) {
        free(path);
        return false;
    }
    *files = more;
    snprintf(path, size, "%s/%s", folder, name);
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        more[(*n)++] = (struct aged){path, st.st_mtim};
    } else {
        free(path);
    }
    return true;
}

void actor_prune(const char *folder, size_t keep)
{
    struct aged *files = NULL;
    size_t n = 0;
    DIR *dir = opendir(folder);
    bool has_memory = dir != NULL;
    for (const struct dirent *e = dir ? readdir(dir) : NULL; e && has_memory; e = readdir(dir)) {
        has_memory = !is_actor(e->d_name) || add_aged(&files, &n, folder, e->d_name);
    }
    if (n > keep) {
        qsort(files, n, sizeof *files, compare_ages);
    }
    for (size_t i = 0; i < n; i++) {
        if (i + keep < n) {
            (void)unlink(files[i].path);
        }
        free(files[i].path);
    }
    free(files);
    if (dir) {
        (void)closedir(dir);
    }
}

/* ------------------------------------------------------------------ reading */

/* A file being read, line by line. */
struct reader {
    FILE *file;
    const char *path;
    uint32_t line;
    char text[128];
    char *reason;
    size_t reason_size;
};

static bool refuse(struct reader *reader, const char *expected)
{
    snprintf(reader->reason, reader->reason_size, "%s:%" PRIu32 ": expected %s", reader->path,
             reader->line, expected);
    return false;
}

/* The next line without its end, in reader->text. */
static bool next_line(struct reader *reader, const char *expected)
{
    reader->line++;
    if (!fgets(reader->text, sizeof reader->text, reader->file)) {
        return refuse(reader, expected);
    }
    size_t n = strlen(reader->text);
    if (n == 0 || reader->text[n - 1] != '\n') {
        return refuse(reader, expected);
    }
    reader->text[n - 1] = '\0';
    return true;
}

/* "name value"; the value's text. */
static const char *next_value(struct reader *reader, const char *name)
{
    size_t n = strlen(name);
    if (!next_line(reader, name)) {
        return NULL;
    }
    if (strncmp(reader->text, name, n) != 0 || reader->text[n] != ' ' ||
        reader->text[n + 1] == '\0') {
        (void)refuse(reader, name);
        return NULL;
    }
    return reader->text + n + 1;
}

static bool parse_real(struct reader *reader, double *out, const char *text, const char *name)
{
    char *end = NULL;
    *out = text ? strtod(text, &end) : NAN;
    return text && (end != text && *end == '\0' && isfinite(*out) ? true : refuse(reader, name));
}

static bool parse_count(struct reader *reader, uint32_t *out, const char *text, const char *name,
                        uint32_t least, uint32_t most)
{
    char *end = NULL;
    if (!text) {
        return false;
    }
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < least ||
        value > most) {
        return refuse(reader, name);
    }
    *out = (uint32_t)value;
    return true;
}

static bool read_real(struct reader *reader, double *out, const char *name)
{
    return parse_real(reader, out, next_value(reader, name), name);
}

static bool read_count(struct reader *reader, uint32_t *out, const char *name, uint32_t least,
                       uint32_t most)
{
    return parse_count(reader, out, next_value(reader, name), name, least, most);
}

static bool read_head(struct reader *reader, struct actor_record *record)
{
    if (!next_line(reader, MAGIC) || strcmp(reader->text, MAGIC) != 0) {
        return refuse(reader, MAGIC);
    }
    const char *key = next_value(reader, "key");
    char *end = NULL;
    record->key = key ? strtoull(key, &end, 16) : 0;
    if (!key || strlen(key) != 16 || *end != '\0') {
        return key ? refuse(reader, "a key of 16 hexadecimal digits") : false;
    }
    struct osds_history *history = &record->history;
    return read_count(reader, &record->n_volumes, "volumes", 1, MAX_VOLUMES) &&
           read_count(reader, &record->n_parts, "parts", 2, MAX_PARTS) &&
           read_real(reader, &record->latency_s, "latency_s") &&
           read_real(reader, &history->initial_latency_s, "initial_latency_s") &&
           read_real(reader, &history->final_latency_s, "final_latency_s") &&
           read_count(reader, &history->n_episodes, "episodes", 0, UINT32_MAX) &&
           read_count(reader, &history->best_episode, "best_episode", 0, UINT32_MAX) &&
           read_count(reader, &record->n_evaluated, "evaluations", 0, MAX_EVALUATIONS);
}

static bool read_cuts(struct reader *reader, struct actor_record *record)
{
    size_t width = record->n_parts + 1u;
    size_t n = record->n_volumes * width;
    record->cuts = calloc(n, sizeof *record->cuts);
    if (!record->cuts) {
        return refuse(reader, "less: out of memory");
    }
    if (!next_line(reader, "cuts") || strcmp(reader->text, "cuts") != 0) {
        return refuse(reader, "cuts");
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t least = i % width == 0 ? 0 : (uint32_t)record->cuts[i - 1];
        uint32_t most = i % width == 0 ? 0 : INT32_MAX;
        uint32_t cut = 0;
        if (!next_line(reader, "a cut") ||
            !parse_count(reader, &cut, reader->text, "ascending cuts from 0", least, most)) {
            return false;
        }
        record->cuts[i] = (int32_t)cut;
    }
    return true;
}

/* All parameters of a network; `most` is how many it has. */
static bool read_params(struct reader *reader, const char *name, float **out, uint32_t *n,
                        uint32_t most)
{
    if (!read_count(reader, n, name, most, most)) {
        char expected[64];
        snprintf(expected, sizeof expected, "%s and %" PRIu32 " parameters", name, most);
        return refuse(reader, expected);
    }
    float *params = *out = calloc(most, sizeof *params);
    if (!params) {
        return refuse(reader, "less: out of memory");
    }
    for (uint32_t i = 0; i < most; i++) {
        double value = 0.0;
        if (!next_line(reader, "a number") ||
            !parse_real(reader, &value, reader->text, "a number")) {
            return false;
        }
        params[i] = (float)value;
    }
    return true;
}

static bool read_networks(struct reader *reader, struct actor_record *record)
{
    const struct mlp_shape actor = osds_actor_shape(record->n_parts);
    const struct mlp_shape critic = osds_critic_shape(record->n_parts);
    if (!read_params(reader, "actor", &record->actor, &record->n_actor, count_params(&actor)) ||
        !read_params(reader, "critic", &record->critic, &record->n_critic, count_params(&critic))) {
        return false;
    }
    reader->line++;
    return fgetc(reader->file) == EOF ? true : refuse(reader, "the end of the file");
}

enum actor_outcome actor_load(struct actor_record *out, const char *path, char *reason,
                              size_t reason_size)
{
    struct reader reader = {.path = path, .reason = reason, .reason_size = reason_size};
    struct actor_record record = {0};
    reader.file = fopen(path, "r");
    if (!reader.file) {
        bool is_missing = errno == ENOENT;
        (void)explain(reason, reason_size, "open", path);
        return is_missing ? ACTOR_MISSING : ACTOR_FAILED;
    }
    bool is_read = read_head(&reader, &record) && read_cuts(&reader, &record) &&
                   read_networks(&reader, &record);
    (void)fclose(reader.file);
    if (!is_read) {
        actor_record_fini(&record);
        return ACTOR_FAILED;
    }
    *out = record;
    return ACTOR_OK;
}

void actor_record_fini(struct actor_record *record)
{
    free(record->cuts);
    free(record->actor);
    free(record->critic);
    memset(record, 0, sizeof *record);
}
