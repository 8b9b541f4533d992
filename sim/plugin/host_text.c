/*
 * Texts that come from plugins: bounded, one line, valid UTF-8, so that nothing behind them has to
 * wonder.
 */
#include "plugin/host_internal.h"

/* Length of the valid UTF-8 sequence at `p`, which has `left` bytes; 0 when it is none. */
static size_t sequence_length(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t n = 0; n < sizeof forms / sizeof *forms; n++) {
        if ((p[0] & forms[n].mask) != forms[n].lead || left < n + 2) {
            continue;
        }
        uint32_t code = p[0] & (unsigned char)~forms[n].mask;
        for (size_t i = 1; i < n + 2; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return 0;
            }
            code = code << 6 | (p[i] & 0x3fu);
        }
        const bool is_surrogate = code >= 0xd800 && code < 0xe000;
        return code < forms[n].least || code > 0x10ffff || is_surrogate ? 0 : n + 2;
    }
    return 0;
}

const char *host_clean_text(char *out, size_t size, const char *text)
{
    if (!text) {
        return NULL;
    }
    size_t length = 0;
    while (length < size - 1 && text[length]) {
        out[length] = text[length];
        length++;
    }
    out[length] = '\0';
    for (size_t i = 0; i < length;) {
        const unsigned char c = (unsigned char)out[i];
        const size_t n = c < 0x80 ? 1 : sequence_length((unsigned char *)out + i, length - i);
        if (n == 0) {
            out[i] = '?';
        } else if (c < 0x20 || c == 0x7f) {
            out[i] = ' ';
        }
        i += n ? n : 1;
    }
    return out;
}
