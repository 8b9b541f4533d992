#include "common/fit.h"

#include <math.h>

struct sums {
    double n, x, y, xx, xy;
};

static struct sums add_up(const double *x, const double *y, uint32_t n)
{
    struct sums s = {.n = n};
    for (uint32_t i = 0; i < n; i++) {
        s.x += x[i];
        s.y += y[i];
        s.xx += x[i] * x[i];
        s.xy += x[i] * y[i];
    }
    return s;
}

struct kit_line kit_fit_line(const double *x, const double *y, uint32_t n)
{
    struct sums s = add_up(x, y, n);
    if (n == 0) {
        return (struct kit_line){0.0, 0.0};
    }
    double spread = s.n * s.xx - s.x * s.x;
    double slope = spread > 1e-12 * s.n * s.xx ? (s.n * s.xy - s.x * s.y) / spread : 0.0;
    if (slope <= 0.0) {
        return (struct kit_line){fmax(0.0, s.y / s.n), 0.0};
    }
    double base = (s.y - slope * s.x) / s.n;
    if (base >= 0.0) {
        return (struct kit_line){base, slope};
    }
    return (struct kit_line){0.0, fmax(0.0, s.xy / s.xx)};
}

struct kit_line kit_fit_layer(const struct kit_net *net, uint32_t layer, uint32_t device)
{
    enum { N_POINTS = 8 };
    double lines[N_POINTS];
    double seconds[N_POINTS];
    uint32_t n = 0;
    int32_t extent = kit_layer_extent(net, layer);
    int32_t previous = 0;
    for (int32_t k = 1; k <= N_POINTS; k++) {
        int32_t hi = (int32_t)((int64_t)extent * k / N_POINTS);
        if (hi <= previous) {
            continue;
        }
        struct ew_tensor_box box = kit_band_box(net, layer, 0, hi);
        lines[n] = hi;
        seconds[n++] = net->host->compute_s(net->host, net->variant, layer, &box, device);
        previous = hi;
    }
    return kit_fit_line(lines, seconds, n);
}
