/*
 * Compensated sum: adding many small numbers to a large one without losing them. The error stays at
 * one rounding however many terms there are (Knuth's two-sum, carried separately).
 */
#ifndef EW_RESULTS_SUM_H
#define EW_RESULTS_SUM_H

/** Zero-initialised is an empty sum. */
struct ew_sum {
    double high;
    double low; /**< what rounding has taken from high */
};

static inline void ew_sum_add(struct ew_sum *sum, double x)
{
    const double total = sum->high + x;
    const double taken = total - sum->high;
    sum->low += (sum->high - (total - taken)) + (x - taken);
    sum->high = total;
}

static inline double ew_sum_value(const struct ew_sum *sum)
{
    return sum->high + sum->low;
}

#endif
