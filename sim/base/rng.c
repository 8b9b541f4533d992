#include "base/rng.h"

#include <math.h>

static uint64_t splitmix_next(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

struct ew_rng ew_rng_make(uint64_t seed, const char *purpose)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a of the purpose */
    for (const unsigned char *p = (const unsigned char *)purpose; *p; p++) {
        h = (h ^ *p) * 0x100000001b3u;
    }
    uint64_t x = seed ^ rotate_left(h, 17);
    struct ew_rng rng;
    for (int i = 0; i < 4; i++) {
        rng.state[i] = splitmix_next(&x);
    }
    return rng;
}

struct ew_rng ew_rng_at(uint64_t key, uint64_t a, uint64_t b)
{
    uint64_t x = key ^ splitmix_next(&a);
    x = splitmix_next(&x) ^ splitmix_next(&b);
    struct ew_rng rng;
    for (int i = 0; i < 4; i++) {
        rng.state[i] = splitmix_next(&x);
    }
    return rng;
}

uint64_t ew_rng_u64(struct ew_rng *rng)
{
    uint64_t *s = rng->state;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t ew_rng_below(struct ew_rng *rng, uint64_t bound)
{
    if (bound == 0) {
        return 0;
    }
    const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t x;
    do {
        x = ew_rng_u64(rng);
    } while (x >= limit);
    return x % bound;
}

double ew_rng_unit(struct ew_rng *rng)
{
    return (double)(ew_rng_u64(rng) >> 11) * 0x1.0p-53;
}

double ew_rng_exponential(struct ew_rng *rng, double mean)
{
    return -mean * log1p(-ew_rng_unit(rng));
}

double ew_rng_normal(struct ew_rng *rng)
{
    double u, v, s;
    do {
        u = 2 * ew_rng_unit(rng) - 1;
        v = 2 * ew_rng_unit(rng) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * log(s) / s);
}
