#include "io/arrival_trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"

enum { MAX_FILE_BYTES = 1 << 30, MAX_NUMBER = 64 };

static const double MAX_TIME_S = 1e12;

struct times {
    double *items;
    size_t count;
    size_t capacity;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One line without its end. */
static enum ew_status read_line(struct times *times, const char *line, size_t n, const char *path,
                                size_t line_number, struct ew_error *err)
{
    const char *hash = memchr(line, '#', n);
    n = hash ? (size_t)(hash - line) : n;
    while (n && is_blank(line[0])) {
        line++;
        n--;
    }
    while (n && is_blank(line[n - 1])) {
        n--;
    }
    if (n == 0) {
        return EW_OK;
    }
    char number[MAX_NUMBER] = "";
    double time_s = -1;
    if (n < sizeof number) {
        memcpy(number, line, n);
        number[n] = '\0';
    }
    if (strlen(number) != n || !ew_parse_double(number, &time_s) || time_s < 0 ||
        time_s > MAX_TIME_S) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected an arrival time in 0..%g s, found '%.40s'",
                       path, line_number, MAX_TIME_S, *number ? number : "(a long text)");
    }
    if (times->count && time_s < times->items[times->count - 1]) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected ascending times, found %s after %.17g",
                       path, line_number, number, times->items[times->count - 1]);
    }
    return ew_vec_push(times, time_s) ? EW_OK : ew_fail_memory(err);
}

enum ew_status ew_arrival_trace_parse(double **out_s, uint64_t *n, const char *text, size_t size,
                                      const char *path, struct ew_error *err)
{
    struct times times = {0};
    enum ew_status status = EW_OK;
    size_t line_number = 1;
    for (size_t at = 0; status == EW_OK && at < size; line_number++) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - text) - at : size - at;
        status = read_line(&times, text + at, length, path, line_number, err);
        at += length + 1;
    }
    if (status == EW_OK && times.count == 0) {
        status =
            ew_fail(err, EW_EINPUT, "%s: expected at least one arrival time, found none", path);
    }
    if (status == EW_OK) {
        *out_s = times.items;
        *n = times.count;
    } else {
        ew_vec_fini(&times);
    }
    return status;
}

enum ew_status ew_arrival_trace_load(double **out_s, uint64_t *n, const char *path,
                                     struct ew_error *err)
{
    char *text = NULL;
    size_t size = 0;
    enum ew_status status = ew_file_read(&text, &size, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        status = ew_arrival_trace_parse(out_s, n, text, size, path, err);
    }
    free(text);
    return status;
}
