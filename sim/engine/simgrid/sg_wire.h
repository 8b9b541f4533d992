/*
 * The stream from the simulating child to its parent: events in large frames, then either facts and
 * energies, or a failure. Both ends are the same program image, so structs travel as they are.
 */
#ifndef EW_ENGINE_SIMGRID_SG_WIRE_H
#define EW_ENGINE_SIMGRID_SG_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "engine/engine.h"

enum ew_sg_frame_type {
    EW_SG_FRAME_EVENTS,  /**< struct ew_event[] */
    EW_SG_FRAME_ENERGY,  /**< double[], joules per device */
    EW_SG_FRAME_FACTS,   /**< struct ew_run_facts; the run has ended well */
    EW_SG_FRAME_FAILURE, /**< struct ew_error; the run has ended badly */
};

struct ew_sg_frame {
    uint32_t type; /**< enum ew_sg_frame_type */
    uint32_t size_bytes;
};

/* A frame of events fits into a pipe's default buffer. */
enum { EW_SG_FRAME_EVENT_COUNT = 720 };

/** The child's end. */
struct ew_sg_writer {
    int fd;
    uint32_t n_events;
    struct ew_sg_frame frame; /* directly before the events: one write per frame */
    struct ew_event events[EW_SG_FRAME_EVENT_COUNT];
};

/** Append one event; sends a frame when it is full. Ends the process when the parent is gone. */
void ew_sg_write_event(struct ew_sg_writer *writer, const struct ew_event *event);

/** Send what is buffered, then one frame. */
void ew_sg_write_frame(struct ew_sg_writer *writer, enum ew_sg_frame_type type, const void *data,
                       size_t size_bytes);

/** The parent's end. Zero-initialise apart from the first group. */
struct ew_sg_reader {
    const struct ew_event_sink *sink;
    struct ew_run_facts *facts; /**< host_energy_j is filled when not NULL */
    uint32_t n_devices;

    bool has_facts;
    bool is_garbled;
    struct ew_error failure; /**< status EW_OK: none was sent */
    size_t n_bytes;
    unsigned char bytes[1 << 17];
};

/** Read once from `fd` and hand on complete frames. false at the end of the stream, on a read error
 *  and when the stream makes no sense (is_garbled). */
bool ew_sg_read(struct ew_sg_reader *reader, int fd);

#endif
