/*
 * Request parts: what each request of a run computed, sent and received, and the energy of that. A
 * fold over events for those who ask for it, since its memory grows with the number of requests.
 */
#ifndef EW_RESULTS_REQUEST_PARTS_H
#define EW_RESULTS_REQUEST_PARTS_H

#include "results/metrics.h"

struct ew_request_parts;

/** EW_ENOMEM. Free with ew_request_parts_free, which accepts NULL. */
enum ew_status ew_request_parts_new(struct ew_request_parts **out, struct ew_error *err);
void ew_request_parts_free(struct ew_request_parts *parts);

/** Forget all, and see the events of one run, before `next` does (observe NULL: nobody). */
struct ew_event_observer ew_request_parts_begin(struct ew_request_parts *parts,
                                                struct ew_event_observer next);

/** Put what was seen into the run's result, in order of workload and number. A job's requests share
 *  equally, save those that were dropped before it began; failed attempts count. EW_ENOMEM. */
enum ew_status ew_request_parts_keep(struct ew_result *result, struct ew_request_parts *parts,
                                     struct ew_error *err);

#endif
