#include "results/percentile.h"

#include <math.h>
#include <stdlib.h>

size_t ew_percentile_rank(size_t n, uint32_t permille)
{
    /* ceil(n * permille / 1000) without rounding errors and without overflow. */
    const size_t whole = n / 1000 * permille;
    const size_t rest = (n % 1000 * permille + 999) / 1000;
    const size_t rank = whole + rest;
    return n > 0 && rank == 0 ? 1 : rank;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void swap(double *a, double *b)
{
    const double t = *a;
    *a = *b;
    *b = t;
}

static double median_of_three(double a, double b, double c)
{
    if (a > b) {
        swap(&a, &b);
    }
    return c < a ? a : (c > b ? b : c);
}

double ew_select_rank(double *values, size_t n, size_t k)
{
    size_t lo = 0, hi = n; /* the answer lies in [lo, hi) */
    const size_t wanted = k - 1;
    for (int round = 0; hi - lo > 16; round++) {
        if (round == 64) {
            break; /* unlucky pivots: sort what is left */
        }
        const double pivot =
            median_of_three(values[lo], values[lo + (hi - lo) / 2], values[hi - 1]);
        /* Three parts, since closed loops give long runs of equal latencies. */
        size_t less = lo, i = lo, greater = hi;
        while (i < greater) {
            if (values[i] < pivot) {
                swap(&values[i++], &values[less++]);
            } else if (values[i] > pivot) {
                swap(&values[i], &values[--greater]);
            } else {
                i++;
            }
        }
        if (wanted < less) {
            hi = less;
        } else if (wanted >= greater) {
            lo = greater;
        } else {
            return pivot;
        }
    }
    qsort(values + lo, hi - lo, sizeof *values, compare_doubles);
    return values[wanted];
}

double ew_percentile(double *values, size_t n, uint32_t permille)
{
    return n ? ew_select_rank(values, n, ew_percentile_rank(n, permille)) : NAN;
}
