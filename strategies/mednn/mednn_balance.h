/*
 * MeDNN's adjustment of shares: lines move one by one from the slowest to the fastest device. Plain
 * arithmetic; knows no host.
 */
#ifndef EDGEWEAVE_STRATEGIES_MEDNN_BALANCE_H
#define EDGEWEAVE_STRATEGIES_MEDNN_BALANCE_H

#include <stdint.h>

/** Seconds worker `worker` needs for `lines` lines, lines >= 0; 0 for none, not falling with more.
 */
typedef double (*mednn_time_s)(void *ctx, uint32_t worker, int32_t lines);

/** While it makes the slowest worker faster, move one line from it to the worker that would be done
 *  with one more line first. Ties: the first worker. Returns the number of moves. */
uint32_t mednn_balance(int32_t *lines, uint32_t n, mednn_time_s time_s, void *ctx);

#endif
