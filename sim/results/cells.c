#include "results/cells.h"

#include <math.h>
#include <string.h>

static void put_kind(struct ew_str *out, enum ew_cell_kind kind)
{
    const char byte = (char)kind;
    ew_str_append_n(out, &byte, 1);
}

void ew_cell_put_text(struct ew_str *out, const char *text)
{
    if (!text) {
        put_kind(out, EW_CELL_NULL);
        return;
    }
    const uint32_t size = (uint32_t)strlen(text);
    put_kind(out, EW_CELL_TEXT);
    ew_str_append_n(out, (const char *)&size, sizeof size);
    ew_str_append_n(out, text, size);
}

void ew_cell_put_u64(struct ew_str *out, uint64_t x)
{
    const int64_t value = (int64_t)x;
    if (value < 0) {
        struct ew_str digits = {0};
        ew_str_printf(&digits, "%llu", (unsigned long long)x);
        ew_cell_put_text(out, ew_str_text(&digits));
        ew_str_fini(&digits);
        return;
    }
    put_kind(out, EW_CELL_I64);
    ew_str_append_n(out, (const char *)&value, sizeof value);
}

void ew_cell_put_double(struct ew_str *out, double x)
{
    if (!isfinite(x)) {
        put_kind(out, EW_CELL_NULL);
        return;
    }
    put_kind(out, EW_CELL_DOUBLE);
    ew_str_append_n(out, (const char *)&x, sizeof x);
}

void ew_cell_put_bool(struct ew_str *out, bool x)
{
    ew_cell_put_u64(out, x);
}

static bool take(void *to, struct ew_cell_cursor *c, size_t n)
{
    if (n > c->left) {
        c->left = 0;
        return false;
    }
    if (to) {
        memcpy(to, c->at, n);
    }
    c->at += n;
    c->left -= n;
    return true;
}

bool ew_cell_next(struct ew_cell *out, struct ew_cell_cursor *cursor)
{
    unsigned char kind;
    uint32_t size;
    if (!take(&kind, cursor, 1)) {
        return false;
    }
    *out = (struct ew_cell){.kind = (enum ew_cell_kind)kind};
    switch (kind) {
    case EW_CELL_NULL:
        return true;
    case EW_CELL_I64:
        return take(&out->i64, cursor, sizeof out->i64);
    case EW_CELL_DOUBLE:
        return take(&out->x, cursor, sizeof out->x);
    case EW_CELL_TEXT:
        if (!take(&size, cursor, sizeof size)) {
            return false;
        }
        out->text = cursor->at;
        out->size = size;
        return take(NULL, cursor, size);
    default:
        cursor->left = 0;
        return false;
    }
}
