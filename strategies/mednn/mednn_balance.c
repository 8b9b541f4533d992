#include "mednn/mednn_balance.h"

#include <math.h>

static uint32_t find_slowest(const int32_t *lines, uint32_t n, mednn_time_s time_s, void *ctx,
                             double *out_s)
{
    uint32_t slowest = 0;
    *out_s = -INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        double seconds = lines[i] > 0 ? time_s(ctx, i, lines[i]) : 0.0;
        if (seconds > *out_s) {
            *out_s = seconds;
            slowest = i;
        }
    }
    return slowest;
}

/* Who is done first with one more line. */
static uint32_t find_receiver(const int32_t *lines, uint32_t n, uint32_t giver, mednn_time_s time_s,
                              void *ctx, double *out_s)
{
    uint32_t receiver = giver;
    *out_s = INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        double seconds = i == giver ? INFINITY : time_s(ctx, i, lines[i] + 1);
        if (seconds < *out_s) {
            *out_s = seconds;
            receiver = i;
        }
    }
    return receiver;
}

uint32_t mednn_balance(int32_t *lines, uint32_t n, mednn_time_s time_s, void *ctx)
{
    uint32_t n_moves = 0;
    for (;;) {
        double slowest_s, receiver_s;
        uint32_t giver = find_slowest(lines, n, time_s, ctx, &slowest_s);
        uint32_t receiver = find_receiver(lines, n, giver, time_s, ctx, &receiver_s);
        /* Of several equally slow workers each gives in turn: the maximum, or how many reach it,
         * falls with every move, so this ends. */
        if (lines[giver] <= 0 || receiver_s >= slowest_s ||
            (lines[giver] > 1 ? time_s(ctx, giver, lines[giver] - 1) : 0.0) >= slowest_s) {
            return n_moves;
        }
        lines[giver]--;
        lines[receiver]++;
        n_moves++;
    }
}
