#include "engine/exec/wire_values.h"

#include <math.h>
#include <string.h>

enum { RANGE_BYTES = 2 * sizeof(float) };

static uint64_t code_bytes(uint32_t bits)
{
    return bits > 8 ? 2 : 1;
}

uint64_t ew_wire_bytes(uint64_t n, uint32_t bits)
{
    return bits > 16 ? n * sizeof(float) : bits == 16 ? n * 2 : RANGE_BYTES + n * code_bytes(bits);
}

/* IEEE 754 binary16, round to nearest even. */
static uint16_t to_half(float value)
{
    uint32_t x;
    memcpy(&x, &value, sizeof x);
    const uint32_t sign = x >> 16 & 0x8000;
    x &= 0x7fffffff;
    if (x >= 0x7f800000) {
        return (uint16_t)(sign | 0x7c00 | (x > 0x7f800000 ? 0x200 : 0));
    }
    if (x >= 0x477ff000) { /* rounds beyond 65504 */
        return (uint16_t)(sign | 0x7c00);
    }
    if (x < 0x38800000) { /* below 2^-14: units of 2^-24 */
        return (uint16_t)(sign | (uint32_t)lrintf(fabsf(value) * 16777216.0f));
    }
    const uint32_t even = x >> 13 & 1;
    return (uint16_t)(sign | ((x + 0xfff + even - 0x38000000) >> 13));
}

static float from_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 31;
    const uint32_t mantissa = half & 0x3ff;
    uint32_t x;
    if (exponent == 0) {
        const float small = (float)mantissa / 16777216.0f;
        memcpy(&x, &small, sizeof x);
    } else if (exponent == 31) {
        x = 0x7f800000 | mantissa << 13;
    } else {
        x = (exponent + 112) << 23 | mantissa << 13;
    }
    x |= sign;
    float value;
    memcpy(&value, &x, sizeof value);
    return value;
}

static void encode_codes(char *to, const float *values, uint64_t n, uint32_t bits)
{
    float range[2] = {0, 0};
    for (uint64_t i = 0; i < n; i++) {
        range[0] = values[i] < range[0] || i == 0 ? values[i] : range[0];
        range[1] = values[i] > range[1] || i == 0 ? values[i] : range[1];
    }
    memcpy(to, range, RANGE_BYTES);
    const float top = (float)((1u << bits) - 1);
    const float scale = range[1] > range[0] ? top / (range[1] - range[0]) : 0;
    for (uint64_t i = 0; i < n; i++) {
        const float code = rintf((values[i] - range[0]) * scale);
        const uint16_t c = (uint16_t)(code < 0 ? 0 : code > top ? top : code);
        memcpy(to + RANGE_BYTES + i * code_bytes(bits), &c, code_bytes(bits));
    }
}

static void decode_codes(float *values, const char *from, uint64_t n, uint32_t bits)
{
    float range[2];
    memcpy(range, from, RANGE_BYTES);
    const float step = (range[1] - range[0]) / (float)((1u << bits) - 1);
    for (uint64_t i = 0; i < n; i++) {
        uint16_t c = 0;
        memcpy(&c, from + RANGE_BYTES + i * code_bytes(bits), code_bytes(bits));
        values[i] = range[0] + step * (float)c;
    }
}

void ew_wire_encode(char *to, const float *values, uint64_t n, uint32_t bits)
{
    if (bits > 16) {
        memcpy(to, values, n * sizeof *values);
    } else if (bits == 16) {
        for (uint64_t i = 0; i < n; i++) {
            const uint16_t half = to_half(values[i]);
            memcpy(to + 2 * i, &half, 2);
        }
    } else {
        encode_codes(to, values, n, bits);
    }
}

void ew_wire_decode(float *values, const char *from, uint64_t n, uint32_t bits)
{
    if (bits > 16) {
        memcpy(values, from, n * sizeof *values);
    } else if (bits == 16) {
        for (uint64_t i = 0; i < n; i++) {
            uint16_t half;
            memcpy(&half, from + 2 * i, 2);
            values[i] = from_half(half);
        }
    } else {
        decode_codes(values, from, n, bits);
    }
}
