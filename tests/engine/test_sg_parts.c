/* Parts of the simgrid engine that need no SimGrid: the stream from the child, the platform text,
 * the reason of a death. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/simgrid/sg_child.h"
#include "engine/simgrid/sg_platform_xml.h"
#include "engine/simgrid/sg_wire.h"
#include "support/hand.h"
#include "support/suite.h"

/* --- stream ----------------------------------------------------------------------------------- */

struct seen {
    uint64_t n;
    bool in_order;
};

/* Events carry their number as job. */
static void see(void *ctx, const struct ew_event *event)
{
    struct seen *seen = ctx;
    seen->in_order = seen->in_order && event->job == seen->n;
    seen->n++;
}

/* A pipe with both ends; the reader counts. */
struct stream {
    int fds[2];
    struct seen seen;
    struct ew_event_sink sink;
    struct ew_run_facts facts;
    struct ew_sg_reader *reader;
    struct ew_sg_writer *writer;
};

static void open_stream(struct stream *s)
{
    *s = (struct stream){.seen = {0, true}};
    ck_assert_int_eq(pipe(s->fds), 0);
    s->sink = (struct ew_event_sink){&s->seen, see};
    s->reader = calloc(1, sizeof *s->reader);
    s->writer = calloc(1, sizeof *s->writer);
    ck_assert(s->reader && s->writer);
    s->reader->sink = &s->sink;
    s->reader->facts = &s->facts;
    s->reader->n_devices = 2;
    s->writer->fd = s->fds[1];
}

/* Everything that is in the pipe; nobody writes any more. */
static void read_all(struct stream *s)
{
    (void)close(s->fds[1]);
    while (ew_sg_read(s->reader, s->fds[0])) {
    }
    (void)close(s->fds[0]);
}

static void free_stream(struct stream *s)
{
    free(s->reader);
    free(s->writer);
}

static void write_events(struct stream *s, uint64_t first, uint64_t n)
{
    for (uint64_t i = first; i < first + n; i++) {
        const struct ew_event event = {.kind = EW_EVENT_TASK_START, .job = i};
        ew_sg_write_event(s->writer, &event);
    }
}

START_TEST(stream_keeps_events_in_order_and_facts_last)
{
    struct stream s;
    open_stream(&s);
    double energies_j[2] = {0, 0};
    s.facts.host_energy_j = energies_j;
    write_events(&s, 0, EW_SG_FRAME_EVENT_COUNT + 5); /* one full frame, one short */
    const double sent_j[] = {1.5, 2.5};
    ew_sg_write_frame(s.writer, EW_SG_FRAME_ENERGY, sent_j, sizeof sent_j);
    const struct ew_run_facts facts = {.end_s = 7, .n_tasks = 3, .has_host_energy = true};
    ew_sg_write_frame(s.writer, EW_SG_FRAME_FACTS, &facts, sizeof facts);
    read_all(&s);
    ck_assert_uint_eq(s.seen.n, EW_SG_FRAME_EVENT_COUNT + 5);
    ck_assert(s.seen.in_order);
    ck_assert(s.reader->has_facts && !s.reader->is_garbled);
    ck_assert_double_eq(s.facts.end_s, 7);
    ck_assert_ptr_eq(s.facts.host_energy_j, energies_j);
    ck_assert_double_eq(energies_j[1], 2.5);
    free_stream(&s);
}
END_TEST

START_TEST(stream_carries_a_failure)
{
    struct stream s;
    open_stream(&s);
    struct ew_error failure = {0};
    (void)ew_fail(&failure, EW_EDEADLOCK, "nothing moves");
    write_events(&s, 0, 3);
    ew_sg_write_frame(s.writer, EW_SG_FRAME_FAILURE, &failure, sizeof failure);
    read_all(&s);
    ck_assert_uint_eq(s.seen.n, 3);
    ck_assert_int_eq(s.reader->failure.status, EW_EDEADLOCK);
    ck_assert_str_eq(s.reader->failure.message, "nothing moves");
    ck_assert(!s.reader->has_facts);
    free_stream(&s);
}
END_TEST

START_TEST(stream_that_breaks_off_is_garbled)
{
    struct stream s;
    open_stream(&s);
    const struct ew_sg_frame frame = {EW_SG_FRAME_EVENTS, sizeof(struct ew_event)};
    ck_assert_int_eq(write(s.fds[1], &frame, sizeof frame), sizeof frame);
    ck_assert_int_eq(write(s.fds[1], "half", 4), 4);
    read_all(&s);
    ck_assert(s.reader->is_garbled);
    ck_assert_uint_eq(s.seen.n, 0);
    free_stream(&s);
}
END_TEST

START_TEST(stream_with_impossible_frames_is_garbled)
{
    const struct ew_sg_frame frames[] = {
        {EW_SG_FRAME_EVENTS, UINT32_MAX}, /* too long */
        {77, 0},                          /* unknown */
        {EW_SG_FRAME_FACTS, 0},           /* too short */
        {EW_SG_FRAME_ENERGY, 0},
        {EW_SG_FRAME_FAILURE, 0},
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct stream s;
        open_stream(&s);
        ck_assert_int_eq(write(s.fds[1], &frames[i], sizeof frames[i]), sizeof frames[i]);
        read_all(&s);
        ck_assert_msg(s.reader->is_garbled, "frame %zu", i);
        free_stream(&s);
    }
}
END_TEST

/* --- platform text
 * -------------------------------------------------------------------------------- */

START_TEST(platform_text_holds_devices_and_used_links_only)
{
    struct hand_platform *p = hand_platform_new();
    for (int d = 0; d < 3; d++) {
        (void)hand_device(p, 0);
    }
    const uint32_t shared = hand_link(p, 1e6, 0.001);
    const uint32_t unused = hand_link(p, 2e6, 0.002);
    const uint32_t twice[] = {shared, shared};
    hand_route(p, 0, 1, 2, twice);
    hand_route(p, 0, 2, 1, &unused);
    struct ew_platform *platform = hand_platform_finish(p);
    struct hand_tasks *t = hand_tasks_new(3);
    hand_after(t, hand_message(t, 0, 1, 1), 0);
    const uint32_t result = hand_join(t, 1);
    hand_after(t, result, 1);
    struct ew_task_graph *tasks = hand_tasks_finish(t);
    struct hand_workload w;
    hand_workload_init(&w, tasks, 1, 1);
    const struct ew_run run = {.platform = platform,
                               .net = ew_net_model_find("ideal"),
                               .n_workloads = 1,
                               .workloads = &w.run};
    struct ew_core *core = NULL;
    struct ew_error err = {0};
    const struct ew_core_ops no_ops = {0};
    ck_assert_int_eq(ew_core_new(&core, &run, &no_ops, &err), EW_OK);
    struct ew_str text = {0};
    ew_sg_platform_print(&text, platform, core, NULL, true);
    ck_assert_ptr_nonnull(strstr(text.text, "<host id=\"d2\" speed=\"1000000000f\">"));
    ck_assert_ptr_nonnull(strstr(text.text, "id=\"wattage_per_state\" value=\"1:3:3\""));
    ck_assert_ptr_nonnull(strstr(text.text, "<link id=\"l0\" bandwidth=\"1000000Bps\" "
                                            "latency=\"0.001s\" sharing_policy=\"SHARED\"/>"));
    ck_assert_ptr_nonnull(strstr(text.text, "<route src=\"d0\" dst=\"d1\" symmetrical=\"NO\">"
                                            "<link_ctn id=\"l0\"/><link_ctn id=\"l0\"/></route>"));
    ck_assert_ptr_null(strstr(text.text, "\"l1\""));
    ck_assert_ptr_null(strstr(text.text, "dst=\"d2\""));
    text.length = 0; /* without a run: all of it, but no routes that there are not */
    ew_sg_platform_print(&text, platform, NULL, NULL, false);
    ck_assert_ptr_nonnull(strstr(text.text, "<link id=\"l1\" bandwidth=\"2000000Bps\""));
    ck_assert_ptr_nonnull(strstr(text.text, "<route src=\"d0\" dst=\"d2\""));
    ck_assert_ptr_null(strstr(text.text, "src=\"d1\""));
    ck_assert_ptr_null(strstr(text.text, "wattage_off"));
    ew_str_fini(&text);
    ew_core_free(core);
    ew_task_graph_free(tasks);
    ew_platform_free(platform);
}
END_TEST

/* --- reason
 * --------------------------------------------------------------------------------------- */

static void expect_reason(const char *message, const char *reason)
{
    struct ew_sg_child *child = calloc(1, sizeof *child);
    ck_assert_ptr_nonnull(child);
    (void)strncpy(child->message, message, sizeof child->message - 1);
    size_t n = 0;
    const char *found = ew_sg_child_reason(child, &n);
    ck_assert_uint_eq(n, strlen(reason));
    ck_assert_int_eq(strncmp(found, reason, n), 0);
    free(child);
}

START_TEST(reason_is_the_first_error_in_one_line)
{
    expect_reason("", "it died without a message");
    expect_reason("Killed\nmore", "Killed");
    expect_reason("[0.0] ./src/a.cpp:9: [ker/WARNING] careful\n"
                  "[0.0] ./src/x.cpp:95: [xbt_exception/ERROR] Uncaught exception "
                  "std::invalid_argument: no such unit\nbacktrace",
                  "no such unit");
    expect_reason("[0.0] [ker_engine/CRITICAL] Oops! Deadlock\n[0.0] [x/ERROR] later\n",
                  "Oops! Deadlock");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        stream_keeps_events_in_order_and_facts_last,
        stream_carries_a_failure,
        stream_that_breaks_off_is_garbled,
        stream_with_impossible_frames_is_garbled,
        platform_text_holds_devices_and_used_links_only,
        reason_is_the_first_error_in_one_line,
    };
    return run_suite("sg_parts", tests, sizeof tests / sizeof *tests);
}
