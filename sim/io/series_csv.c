#include "io/series_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"

enum { MAX_FILE_BYTES = 1 << 30, MAX_FIELD = 64 };

static const double MAX_TIME_S = 1e12;

struct column {
    const char *name;
    enum ew_quantity quantity;
    double si; /* one unit of the column in SI */
};

static const struct column COLUMNS[] = {
    {"bandwidth_bytes_per_s", EW_QUANTITY_LINK_BANDWIDTH, 1},
    {"bandwidth_mbit_per_s", EW_QUANTITY_LINK_BANDWIDTH, 125000},
    {"latency_s", EW_QUANTITY_LINK_LATENCY, 1},
    {"latency_ms", EW_QUANTITY_LINK_LATENCY, 1e-3},
    {"up", EW_QUANTITY_LINK_UP, 1},
    {"speed_ratio", EW_QUANTITY_DEVICE_SPEED, 1},
    {"up", EW_QUANTITY_DEVICE_UP, 1},
};

enum { N_COLUMNS = sizeof COLUMNS / sizeof *COLUMNS };

struct reader {
    const char *path;
    size_t line_number;
    bool is_link;
    const struct column *column; /* NULL before the header */
    EW_VEC(double) times_s;
    EW_VEC(double) values;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Copy text[0, n) without blanks around it; false when it does not fit or holds a zero byte. */
static bool copy_field(char out[MAX_FIELD], const char *text, size_t n)
{
    while (n && is_blank(text[0])) {
        text++;
        n--;
    }
    while (n && is_blank(text[n - 1])) {
        n--;
    }
    if (n >= MAX_FIELD || memchr(text, '\0', n)) {
        memcpy(out, "(a long text)", sizeof "(a long text)");
        return false;
    }
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

static enum ew_status wrong_header(const struct reader *r, const char *found, struct ew_error *err)
{
    return ew_fail(
        err, EW_EINPUT,
        "%s:%zu: expected a header 'time_s,QUANTITY' with QUANTITY one of %s; found '%s'", r->path,
        r->line_number,
        r->is_link ? "bandwidth_bytes_per_s, bandwidth_mbit_per_s, latency_s, "
                     "latency_ms, up"
                   : "speed_ratio, up",
        found);
}

static enum ew_status read_header(struct reader *r, const char *time, const char *quantity,
                                  struct ew_error *err)
{
    if (strcmp(time, "time_s") != 0) {
        return wrong_header(r, time, err);
    }
    for (size_t i = 0; i < N_COLUMNS; i++) {
        if (strcmp(quantity, COLUMNS[i].name) == 0 &&
            ew_quantity_is_link(COLUMNS[i].quantity) == r->is_link) {
            r->column = &COLUMNS[i];
            return EW_OK;
        }
    }
    return wrong_header(r, quantity, err);
}

static enum ew_status read_step(struct reader *r, const char *time, const char *quantity,
                                struct ew_error *err)
{
    double time_s = NAN, value = NAN;
    if (!ew_parse_double(time, &time_s) || time_s < 0 || time_s > MAX_TIME_S) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected a time in 0..%g s, found '%s'", r->path,
                       r->line_number, MAX_TIME_S, time);
    }
    if (r->times_s.count && time_s <= r->times_s.items[r->times_s.count - 1]) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected ascending times, found %s after %.17g",
                       r->path, r->line_number, time, r->times_s.items[r->times_s.count - 1]);
    }
    if (!ew_parse_double(quantity, &value)) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected a finite number for %s, found '%s'",
                       r->path, r->line_number, r->column->name, quantity);
    }
    value *= r->column->si;
    const enum ew_status status = ew_quantity_check(r->column->quantity, value, err);
    if (status != EW_OK) {
        (void)ew_prefix(err, "%s:%zu: ", r->path, r->line_number);
        return status;
    }
    if (r->times_s.count == EW_DYNAMICS_MAX_STEPS) {
        return ew_fail(err, EW_EINPUT, "%s:%zu: expected at most %d steps, found more", r->path,
                       r->line_number, EW_DYNAMICS_MAX_STEPS);
    }
    return ew_vec_push(&r->times_s, time_s) && ew_vec_push(&r->values, value) ? EW_OK
                                                                              : ew_fail_memory(err);
}

/* One line without its end. */
static enum ew_status read_line(struct reader *r, const char *line, size_t n, struct ew_error *err)
{
    char time[MAX_FIELD], quantity[MAX_FIELD];
    const char *hash = memchr(line, '#', n);
    n = hash ? (size_t)(hash - line) : n;
    const char *comma = memchr(line, ',', n);
    const size_t before = comma ? (size_t)(comma - line) : n;
    bool fits = copy_field(time, line, before);
    if (!comma && fits && !*time) {
        return EW_OK;
    }
    if (!comma) {
        return r->column ? ew_fail(err, EW_EINPUT, "%s:%zu: expected 'TIME,VALUE', found '%s'",
                                   r->path, r->line_number, time)
                         : wrong_header(r, time, err);
    }
    fits = copy_field(quantity, comma + 1, n - before - 1) && fits;
    return r->column ? read_step(r, time, quantity, err) : read_header(r, time, quantity, err);
}

enum ew_status ew_series_parse_csv(struct ew_series *out, bool is_link, const char *text,
                                   size_t size, const char *path, struct ew_error *err)
{
    struct reader r = {.path = path, .line_number = 1, .is_link = is_link};
    enum ew_status status = EW_OK;
    for (size_t at = 0; status == EW_OK && at < size; r.line_number++) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - text) - at : size - at;
        status = read_line(&r, text + at, length, err);
        at += length + 1;
    }
    if (status == EW_OK && r.times_s.count == 0) {
        status = ew_fail(err, EW_EINPUT, "%s: expected a header and at least one step, found %s",
                         path, r.column ? "only the header" : "nothing");
    }
    if (status == EW_OK) {
        *out = (struct ew_series){.quantity = r.column->quantity,
                                  .n_steps = (uint32_t)r.times_s.count,
                                  .times_s = r.times_s.items,
                                  .values = r.values.items};
    } else {
        ew_vec_fini(&r.times_s);
        ew_vec_fini(&r.values);
    }
    return status;
}

enum ew_status ew_series_load_csv(struct ew_series *out, bool is_link, const char *path,
                                  struct ew_error *err)
{
    char *text = NULL;
    size_t size = 0;
    enum ew_status status = ew_file_read(&text, &size, path, MAX_FILE_BYTES, err);
    if (status == EW_OK) {
        status = ew_series_parse_csv(out, is_link, text, size, path, err);
    }
    free(text);
    return status;
}

void ew_series_fini(struct ew_series *series)
{
    free(series->times_s);
    free(series->values);
    *series = (struct ew_series){0};
}
