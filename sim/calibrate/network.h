/*
 * Calibration of a network path: (bytes, seconds) of single messages -> latency, bandwidth and
 * overhead per message; in two pieces when the data ask for it.
 */
#ifndef EW_CALIBRATE_NETWORK_H
#define EW_CALIBRATE_NETWORK_H

#include "base/arena.h"
#include "base/text.h"
#include "calibrate/fit.h"

struct ew_network_row {
    size_t line;
    double bytes, seconds, messages;
};

struct ew_network_data {
    struct ew_arena arena;
    const char *path;
    size_t n_rows;
    struct ew_network_row *rows; /**< by bytes */
    bool has_messages;           /**< some row is a train of several messages */
};

/** Columns `bytes` and `seconds` or `ms`; optionally `messages`: that many, one after the other, of
 *  `bytes` together; `key` or `device`. EW_EINPUT with the line. Free with _fini. */
enum ew_status ew_network_data_load(struct ew_network_data *out, const char *path,
                                    const char *device, struct ew_error *err);
void ew_network_data_fini(struct ew_network_data *data);

/** seconds = latency_s + messages * overhead_s + bytes / bandwidth, per piece. Without trains
 *  of messages latency and overhead are one figure, called latency. */
struct ew_network_fit {
    struct {
        double from_bytes;
        double latency_s, overhead_s, bandwidth_bytes_per_s; /**< bandwidth INFINITY: no time */
        double latency_error_s, overhead_error_s, bandwidth_error_ratio;
        struct ew_fit_rank rank;
        size_t n_rows;
    } pieces[2];
    size_t n_pieces;
    double in_sample_error;
};

enum ew_status ew_network_fit(struct ew_network_fit *out, const struct ew_network_data *data,
                              const struct ew_lapack *lapack, struct ew_error *err);

/** Do the rows tell the bandwidth of the last piece: does time grow with bytes by more than the
 *  scatter? */
bool ew_network_has_bandwidth(const struct ew_network_fit *fit);

/** Report, with SimGrid's factors when latency and bandwidth of the link on paper are given (> 0).
 */
void ew_network_put_report(struct ew_str *out, const struct ew_network_fit *fit,
                           double nominal_latency_s, double nominal_bytes_per_s);
/** A `<link>` ready to paste, from the last piece; a comment when its bandwidth is not known. */
void ew_network_put_link(struct ew_str *out, const struct ew_network_fit *fit, const char *name);

#endif
