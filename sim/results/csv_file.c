#include "results/csv_file.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "results/report.h"

enum { FLUSH_BYTES = 1 << 18 };

enum ew_status ew_csv_file_open(struct ew_csv_file *file, const char *dir, const char *name,
                                const char *header, struct ew_error *err)
{
    *file = (struct ew_csv_file){.hash = EW_HASH_BEGIN};
    char *path = ew_path_join(dir, name);
    if (!path) {
        return ew_fail_memory(err);
    }
    const enum ew_status status = ew_out_file_open(&file->out, path, err);
    free(path);
    if (status != EW_OK) {
        return status;
    }
    if (header) {
        ew_csv_raw(file, header, strlen(header));
        ew_csv_raw(file, "\n", 1);
    }
    return EW_OK;
}

static void write_buffer(struct ew_csv_file *file)
{
    const char *text = ew_str_text(&file->buffer);
    const size_t size = file->buffer.length;
    size_t n = 0;
    while (n < size && file->error_number == 0) {
        const ssize_t written = write(file->out.fd, text + n, size - n);
        if (written >= 0) {
            n += (size_t)written;
        } else if (errno != EINTR) {
            file->error_number = errno;
        }
    }
    file->hash = ew_hash_bytes(file->hash, text, size);
    file->size_bytes += size;
    file->buffer.length = 0;
}

void ew_csv_raw(struct ew_csv_file *file, const char *text, size_t size)
{
    ew_str_append_n(&file->buffer, text, size);
    if (file->buffer.length >= FLUSH_BYTES) {
        write_buffer(file);
    }
}

static void begin_cell(struct ew_csv_file *file)
{
    if (file->is_mid_row) {
        ew_str_append_n(&file->buffer, ",", 1);
    }
    file->is_mid_row = true;
}

void ew_csv_empty(struct ew_csv_file *file)
{
    begin_cell(file);
}

void ew_csv_text(struct ew_csv_file *file, const char *text)
{
    begin_cell(file);
    if (!text) {
        return;
    }
    if (!strpbrk(text, ",\"\r\n")) {
        ew_str_append(&file->buffer, text);
        return;
    }
    ew_str_append_n(&file->buffer, "\"", 1);
    for (const char *p = text; *p; p++) {
        if (*p == '"') {
            ew_str_append_n(&file->buffer, "\"\"", 2);
        } else {
            /* One row stays one line: readers that split at line ends are common. */
            ew_str_append_n(&file->buffer, *p == '\n' || *p == '\r' ? " " : p, 1);
        }
    }
    ew_str_append_n(&file->buffer, "\"", 1);
}

void ew_csv_u64(struct ew_csv_file *file, uint64_t x)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + x % 10);
        x /= 10;
    } while (x);
    begin_cell(file);
    ew_str_append_n(&file->buffer, digits + n, sizeof digits - n);
}

void ew_csv_i64(struct ew_csv_file *file, int64_t x)
{
    begin_cell(file);
    ew_str_printf(&file->buffer, "%" PRId64, x);
}

void ew_csv_double(struct ew_csv_file *file, double x)
{
    begin_cell(file);
    if (isfinite(x)) {
        char number[32];
        ew_format_double(number, x);
        ew_str_append(&file->buffer, number);
    }
}

void ew_csv_bool(struct ew_csv_file *file, bool x)
{
    begin_cell(file);
    ew_str_append_n(&file->buffer, x ? "1" : "0", 1);
}

void ew_csv_row_end(struct ew_csv_file *file)
{
    file->is_mid_row = false;
    file->n_rows++;
    ew_csv_raw(file, "\n", 1);
}

enum ew_status ew_csv_file_flush(struct ew_csv_file *file, struct ew_error *err)
{
    write_buffer(file);
    if (file->buffer.failed) {
        return ew_fail_memory(err);
    }
    if (file->error_number) {
        return ew_fail(err, EW_EIO, "%s: cannot write: %s", file->out.path,
                       strerror(file->error_number));
    }
    return EW_OK;
}

enum ew_status ew_csv_file_publish(struct ew_csv_file *file, struct ew_error *err)
{
    const enum ew_status status = ew_csv_file_flush(file, err);
    if (status != EW_OK) {
        return status;
    }
    return ew_out_file_publish(&file->out, false, err);
}

void ew_csv_file_fini(struct ew_csv_file *file)
{
    ew_out_file_discard(&file->out);
    ew_str_fini(&file->buffer);
    *file = (struct ew_csv_file){0};
}
