/*
 * How much faster several threads compute a layer, each a band of its rows, than one does.
 */
#ifndef EW_CALIBRATE_PROBE_THREADS_H
#define EW_CALIBRATE_PROBE_THREADS_H

#include "calibrate/probe.h"
#include "engine/exec/kernel/kernel.h"

/** Random values for a box; NULL when memory runs out. Free with free(). */
float *ew_probe_values(const struct ew_box *box);

/** Time the graphs' largest convolution on 1, 2, 4 .. threads and on as many as the machine has
 *  processors, at most EW_PROBE_MAX_THREADS; fills probe->threads. Fewer when threads or memory run
 *  out; none without a convolution. EW_ENOMEM. */
enum ew_status ew_probe_measure_threads(struct ew_probe *probe, const struct ew_kernels *kernels,
                                        const struct ew_graph *const *graphs, size_t n_graphs,
                                        struct ew_error *err);

#endif
