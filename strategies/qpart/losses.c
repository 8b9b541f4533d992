#include "qpart/losses.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HEADER[] = "layer,bits,loss_ratio";

enum { LINE_SIZE = 512, MAX_ROWS = 1 << 20 };

/* A file being read. */
struct reader {
    FILE *file;
    const char *path;
    unsigned line;
    char text[LINE_SIZE];
    char *reason;
    size_t reason_size;
};

static int refuse(const struct reader *reader, const char *expected)
{
    snprintf(reader->reason, reader->reason_size, "%s:%u: expected %s, found '%.60s'", reader->path,
             reader->line, expected, reader->text);
    return -1;
}

/* The next line that says something, without remark and trailing blanks: 1; 0 at the end. */
static int next_line(struct reader *reader)
{
    while (fgets(reader->text, sizeof reader->text, reader->file)) {
        reader->line++;
        size_t n = strcspn(reader->text, "\n");
        if (reader->text[n] == '\0' && n + 1 == sizeof reader->text) {
            return refuse(reader, "a line of at most 510 characters");
        }
        reader->text[n] = '\0';
        n = strcspn(reader->text, "#");
        while (n > 0 && strchr(" \t\r", reader->text[n - 1])) {
            n--;
        }
        reader->text[n] = '\0';
        if (n > 0) {
            return 1;
        }
    }
    return 0;
}

/* "layer,bits,loss" in place. */
static int parse_row(const struct reader *reader, struct loss *row)
{
    char text[LINE_SIZE];
    memcpy(text, reader->text, sizeof text);
    char *bits = strchr(text, ',');
    char *loss = bits ? strchr(bits + 1, ',') : NULL;
    if (!loss || strchr(loss + 1, ',')) {
        return refuse(reader, "three values: layer,bits,loss_ratio");
    }
    *bits++ = '\0';
    *loss++ = '\0';
    if (text[0] == '\0' || strlen(text) >= sizeof row->layer) {
        return refuse(reader, "the name of a layer, of at most 127 characters");
    }
    memcpy(row->layer, text, strlen(text) + 1);
    char *end = NULL;
    errno = 0;
    const unsigned long n = strtoul(bits, &end, 10);
    if (bits[0] < '0' || bits[0] > '9' || *end != '\0' || errno != 0 || n < 1 ||
        n > LOSS_MAX_BITS) {
        return refuse(reader, "bits from 1 to 31");
    }
    row->bits = (uint32_t)n;
    row->loss_ratio = strtod(loss, &end);
    if (end == loss || *end != '\0' || !isfinite(row->loss_ratio) || row->loss_ratio < 0.0) {
        return refuse(reader, "a loss of 0 or more");
    }
    return 0;
}

static int read_rows(struct reader *reader, struct losses *losses)
{
    size_t capacity = 0;
    int rc = next_line(reader);
    if (rc <= 0 || strcmp(reader->text, HEADER) != 0) {
        return rc < 0 ? rc : refuse(reader, "the header layer,bits,loss_ratio");
    }
    while ((rc = next_line(reader)) > 0) {
        if (losses->n == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            struct loss *more = capacity <= MAX_ROWS
                                    ? realloc(losses->rows, capacity * sizeof *losses->rows)
                                    : NULL;
            if (!more) {
                return refuse(reader, "fewer rows: out of memory");
            }
            losses->rows = more;
        }
        if (parse_row(reader, &losses->rows[losses->n]) != 0) {
            return -1;
        }
        losses->n++;
    }
    return rc;
}

int losses_read(struct losses *losses, const char *path, char *reason, size_t reason_size)
{
    struct reader reader = {
        .file = fopen(path, "r"), .path = path, .reason = reason, .reason_size = reason_size};
    if (!reader.file) {
        snprintf(reason, reason_size, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    const int rc = read_rows(&reader, losses);
    (void)fclose(reader.file);
    return rc;
}

void losses_fini(struct losses *losses)
{
    free(losses->rows);
    *losses = (struct losses){0};
}
