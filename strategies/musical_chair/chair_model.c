#include "musical_chair/chair_model.h"

#include <math.h>

#include "common/share.h"

/* ------------------------------------------------------------------ whole blocks */

static double move_s(const struct chair_problem *problem, uint32_t from, uint32_t to, double bytes)
{
    const struct chair_wire *wire = &problem->wires[(size_t)from * (problem->n_devices + 2) + to];
    return from == to || bytes <= 0.0 ? 0.0 : wire->message_s + bytes * wire->byte_s;
}

/* Times of the dynamic program, by block and device. */
struct times {
    const struct chair_problem *problem;
    double *enter_s; /* when a run that begins with the block can begin */
    double *done_s;  /* when the block is done, if the device has it */
};

/* When a run on `d` that begins with block b can begin, and which device came before. */
static double find_enter(uint32_t *before, const struct times *times, uint32_t b, uint32_t d)
{
    const struct chair_problem *problem = times->problem;
    uint32_t n = problem->n_devices;
    double best = INFINITY;
    *before = 0;
    if (b == 0) {
        return move_s(problem, n, d, problem->bytes[0]);
    }
    for (uint32_t e = 0; e < n; e++) {
        double seconds =
            times->done_s[(size_t)(b - 1) * n + e] + move_s(problem, e, d, problem->bytes[b]);
        if (e != d && seconds < best) {
            best = seconds;
            *before = e;
        }
    }
    return best;
}

/* When block b is done on `d`, and with which block the run there begins. */
static double find_done(uint32_t *begin, const struct times *times, uint32_t b, uint32_t d)
{
    const struct chair_problem *problem = times->problem;
    uint32_t n = problem->n_devices;
    double best = INFINITY;
    double compute_s = 0.0;
    double weight = 0.0;
    *begin = b;
    for (uint32_t s = b + 1; s-- > 0;) {
        compute_s += problem->compute_s[(size_t)s * n + d];
        weight += problem->weight[s];
        if (weight > problem->room[d] || !isfinite(compute_s)) {
            break;
        }
        double seconds = times->enter_s[(size_t)s * n + d] + compute_s;
        if (seconds < best) {
            best = seconds;
            *begin = s;
        }
    }
    return best;
}

double chair_assign(uint32_t *device_of, double *scratch, const struct chair_problem *problem)
{
    uint32_t n = problem->n_devices;
    struct times times = {problem, scratch, scratch + (size_t)problem->n_blocks * n};
    uint32_t at = 0;
    uint32_t begin;
    double best = INFINITY;
    for (uint32_t b = 0; b < problem->n_blocks; b++) {
        for (uint32_t d = 0; d < n; d++) {
            times.enter_s[(size_t)b * n + d] = find_enter(&begin, &times, b, d);
        }
        for (uint32_t d = 0; d < n; d++) {
            times.done_s[(size_t)b * n + d] = find_done(&begin, &times, b, d);
        }
    }
    for (uint32_t d = 0; d < n; d++) {
        double seconds = times.done_s[(size_t)(problem->n_blocks - 1) * n + d] +
                         move_s(problem, d, n + 1, problem->bytes[problem->n_blocks]);
        if (seconds < best) {
            best = seconds;
            at = d;
        }
    }
    for (uint32_t end = problem->n_blocks; end > 0; end = begin) {
        (void)find_done(&begin, &times, end - 1, at);
        for (uint32_t b = begin; b < end; b++) {
            device_of[b] = at;
        }
        (void)find_enter(&at, &times, begin, at);
    }
    return best;
}

/* ------------------------------------------------------------------ channels */

bool chair_split(int32_t *channels, const double *speed, const int32_t *most, uint32_t n,
                 int32_t total)
{
    int64_t room = 0;
    for (uint32_t d = 0; d < n; d++) {
        channels[d] = 0;
        room += most[d];
    }
    if (room < total) {
        return false;
    }
    int32_t left = total;
    bool has_moved = true;
    while (left > 0 && has_moved) { /* shares of what is left, among those with room */
        double sum = 0.0;
        has_moved = false;
        for (uint32_t d = 0; d < n; d++) {
            sum += channels[d] < most[d] ? speed[d] : 0.0;
        }
        int32_t open = left;
        for (uint32_t d = 0; d < n; d++) {
            int32_t share = (int32_t)(open * (speed[d] / sum));
            int32_t free_room = most[d] - channels[d];
            int32_t taken = share < free_room ? share : free_room;
            if (taken > 0) {
                channels[d] += taken;
                left -= taken;
                has_moved = true;
            }
        }
    }
    for (uint32_t d = 0; d < n && left > 0; d++) { /* less than one channel each */
        int32_t free_room = most[d] - channels[d];
        int32_t taken = left < free_room ? left : free_room;
        channels[d] += taken;
        left -= taken;
    }
    return true;
}

/* ------------------------------------------------------------------ turns */

static double period_of(const int32_t *weights, const double *seconds, uint32_t n, int32_t round)
{
    double longest = 0.0;
    for (uint32_t d = 0; d < n; d++) {
        longest = fmax(longest, weights[d] * seconds[d]);
    }
    return longest / round;
}

double chair_turns(int32_t *weights, double *scratch, const double *seconds, uint32_t n)
{
    double best = INFINITY;
    for (uint32_t d = 0; d < n; d++) {
        scratch[d] = 1.0 / fmax(seconds[d], 1e-12);
    }
    for (int32_t round = 1; round <= CHAIR_LONGEST; round++) {
        kit_round_shares(weights, scratch, n, round);
        best = fmin(best, period_of(weights, seconds, n, round));
    }
    for (int32_t round = 1; round <= CHAIR_LONGEST; round++) {
        kit_round_shares(weights, scratch, n, round);
        double period_s = period_of(weights, seconds, n, round);
        if (period_s <= best * 1.01) {
            return period_s;
        }
    }
    return best; /* not reached: the best round is among them */
}
