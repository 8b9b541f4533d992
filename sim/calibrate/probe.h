/*
 * Measures this machine: every convolution and fc of some networks, whole and in bands of rows,
 * with the kernels of real execution on one thread; how more threads help; memory copies; power
 * where Linux shows it.
 */
#ifndef EW_CALIBRATE_PROBE_H
#define EW_CALIBRATE_PROBE_H

#include "calibrate/compute.h"

enum { EW_PROBE_MAX_THREADS = 64, EW_PROBE_MAX_COUNTS = 8 };

/** One layer on so many threads, each a band of its rows. */
struct ew_probe_threads {
    uint32_t n;
    double speedup; /**< time of one thread over theirs */
};

/** What was measured. Zero-initialise; free with ew_probe_fini. */
struct ew_probe {
    struct ew_compute_data data;                          /**< ready for ew_compute_fit */
    const char *kernels;                                  /**< id of the kernels */
    double copy_bytes_per_s;                              /**< large memcpy, bytes copied */
    double memory_bytes;                                  /**< 0: not known */
    struct ew_probe_threads threads[EW_PROBE_MAX_COUNTS]; /**< from 1 thread on */
    uint32_t n_threads;
    const char *power_source; /**< NULL: no sensor can be read */
    double idle_w, busy_w;    /**< with a sensor; busy: one thread */
};

/** Measure for about `limit_s` seconds; layers are taken in turns from the graphs until time is up.
 *  EW_ENOTSUP when no kernels run here; EW_EINPUT when nothing could be measured. */
enum ew_status ew_probe_measure(struct ew_probe *out, const struct ew_graph *const *graphs,
                                size_t n_graphs, double limit_s, struct ew_error *err);
void ew_probe_fini(struct ew_probe *probe);

/** A `<host>` ready to paste, with what is left to enter as a comment. */
void ew_probe_put_host(struct ew_str *out, const struct ew_probe *probe,
                       const struct ew_compute_fit *fit, const char *host, const char *profile);

#endif
