#include "engine/simgrid/sg_wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/system.h"

/* --- child ------------------------------------------------------------------------------------ */

static void write_all(int fd, const void *data, size_t n)
{
    if (!ew_write_all(fd, data, n)) {
        _exit(1); /* nobody is interested any more */
    }
}

static void flush_events(struct ew_sg_writer *writer)
{
    if (writer->n_events) {
        const uint32_t size_bytes = writer->n_events * (uint32_t)sizeof(struct ew_event);
        writer->frame = (struct ew_sg_frame){EW_SG_FRAME_EVENTS, size_bytes};
        _Static_assert(offsetof(struct ew_sg_writer, events) ==
                           offsetof(struct ew_sg_writer, frame) + sizeof(struct ew_sg_frame),
                       "a frame and its events are written at once");
        write_all(writer->fd, &writer->frame, sizeof writer->frame + size_bytes);
        writer->n_events = 0;
    }
}

void ew_sg_write_event(struct ew_sg_writer *writer, const struct ew_event *event)
{
    writer->events[writer->n_events++] = *event;
    if (writer->n_events == EW_SG_FRAME_EVENT_COUNT) {
        flush_events(writer);
    }
}

void ew_sg_write_frame(struct ew_sg_writer *writer, enum ew_sg_frame_type type, const void *data,
                       size_t size_bytes)
{
    flush_events(writer);
    const struct ew_sg_frame frame = {type, (uint32_t)size_bytes};
    write_all(writer->fd, &frame, sizeof frame);
    write_all(writer->fd, data, size_bytes);
}

/* --- parent ----------------------------------------------------------------------------------- */

static void take_events(struct ew_sg_reader *reader, const unsigned char *data, size_t size_bytes)
{
    for (size_t at = 0; at + sizeof(struct ew_event) <= size_bytes; at += sizeof(struct ew_event)) {
        struct ew_event event;
        memcpy(&event, data + at, sizeof event);
        reader->sink->emit(reader->sink->ctx, &event);
    }
}

static void take_facts(struct ew_sg_reader *reader, const unsigned char *data)
{
    double *energies = reader->facts->host_energy_j;
    memcpy(reader->facts, data, sizeof *reader->facts);
    reader->facts->host_energy_j = energies;
    reader->has_facts = true;
}

static bool take_frame(struct ew_sg_reader *reader, const struct ew_sg_frame *frame,
                       const unsigned char *data)
{
    switch ((enum ew_sg_frame_type)frame->type) {
    case EW_SG_FRAME_EVENTS:
        take_events(reader, data, frame->size_bytes);
        return true;
    case EW_SG_FRAME_ENERGY:
        if (frame->size_bytes != reader->n_devices * sizeof(double) ||
            !reader->facts->host_energy_j) {
            return false;
        }
        memcpy(reader->facts->host_energy_j, data, frame->size_bytes);
        return true;
    case EW_SG_FRAME_FACTS:
        if (frame->size_bytes != sizeof *reader->facts) {
            return false;
        }
        take_facts(reader, data);
        return true;
    case EW_SG_FRAME_FAILURE:
        if (frame->size_bytes != sizeof reader->failure) {
            return false;
        }
        memcpy(&reader->failure, data, sizeof reader->failure);
        return true;
    }
    return false;
}

static bool take_frames(struct ew_sg_reader *reader)
{
    size_t at = 0;
    struct ew_sg_frame frame;
    while (reader->n_bytes - at >= sizeof frame) {
        memcpy(&frame, reader->bytes + at, sizeof frame);
        if (frame.size_bytes > sizeof reader->bytes - sizeof frame) {
            return false;
        }
        if (reader->n_bytes - at < sizeof frame + frame.size_bytes) {
            break;
        }
        if (!take_frame(reader, &frame, reader->bytes + at + sizeof frame)) {
            return false;
        }
        at += sizeof frame + frame.size_bytes;
    }
    memmove(reader->bytes, reader->bytes + at, reader->n_bytes - at);
    reader->n_bytes -= at;
    return true;
}

bool ew_sg_read(struct ew_sg_reader *reader, int fd)
{
    const ssize_t n =
        read(fd, reader->bytes + reader->n_bytes, sizeof reader->bytes - reader->n_bytes);
    if (n < 0 && errno == EINTR) {
        return true;
    }
    if (n <= 0) {
        reader->is_garbled = reader->n_bytes > 0;
        return false;
    }
    reader->n_bytes += (size_t)n;
    reader->is_garbled = !take_frames(reader);
    return !reader->is_garbled;
}
