/*
 * What the two bare SimGrid programs share: a row of hosts, the models that the simgrid engine
 * uses, and a clock. They know nothing of EdgeWeave; they are the yardstick for its simgrid engine.
 */
#ifndef EW_BENCH_BARE_SIMGRID_H
#define EW_BENCH_BARE_SIMGRID_H

#include <stdint.h>

/** Start SimGrid with `n` hosts d0, d1, … of 1 Gf, links of 100 MB/s and 100 us between neighbours
 *  in each direction. Ends the program when the system refuses a temporary file. */
void bare_begin(uint32_t n);

/** Make an actor on host `index` that finds its index with bare_index. */
void bare_actor(uint32_t index, void (*body)(int argc, char **argv));

/** Index of the calling actor. */
uint32_t bare_index(char **argv);

/** Wall clock. */
double bare_now_s(void);

/** Command line `program devices count`; ends the program with a usage message on anything else. */
void bare_arguments(int argc, char **argv, uint32_t *n_devices, uint32_t *count);

#endif
