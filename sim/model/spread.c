#include "model/spread.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void ew_spread_sort(double *values, size_t n)
{
    if (n) {
        qsort(values, n, sizeof *values, by_value);
    }
}

double ew_spread_quantile(const double *sorted, size_t n, double share)
{
    if (n == 0) {
        return NAN;
    }
    const double position = fmin(fmax(share * ((double)n + 1) - 1, 0), (double)n - 1);
    const size_t below = (size_t)position;
    const size_t above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}
