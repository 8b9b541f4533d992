#include "distredge/draw.h"

#include <math.h>

double draw_unit(const struct draw *draw)
{
    return (double)(draw->next(draw->ctx) >> 11) * 0x1.0p-53;
}

uint32_t draw_below(const struct draw *draw, uint32_t bound)
{
    const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t bits;
    do {
        bits = draw->next(draw->ctx);
    } while (bits >= limit);
    return (uint32_t)(bits % bound);
}

double draw_normal(const struct draw *draw)
{
    double u;
    double v;
    double square;
    do {
        u = 2.0 * draw_unit(draw) - 1.0;
        v = 2.0 * draw_unit(draw) - 1.0;
        square = u * u + v * v;
    } while (square >= 1.0 || square == 0.0);
    return u * sqrt(-2.0 * log(square) / square);
}
