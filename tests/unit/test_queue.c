#include "engine/queue.h"

#include <stdlib.h>

#include "base/rng.h"
#include "engine/engine.h"
#include "base/heap.h"
#include "support/suite.h"

START_TEST(first_ready_comes_first)
{
    struct ew_ready_queue queue = {0};
    ck_assert(ew_ready_push(&queue, 5, 0, 0, 1.0));
    ck_assert(ew_ready_push(&queue, 1, 0, 0, 2.0));
    ck_assert_uint_eq(ew_ready_pop(&queue).job, 5);
    ck_assert_uint_eq(ew_ready_pop(&queue).job, 1);
    ew_ready_fini(&queue);
}
END_TEST

START_TEST(equal_times_to_within_the_grain_go_by_job_then_node)
{
    struct ew_ready_queue queue = {0};
    ck_assert(ew_ready_push(&queue, 2, 9, 0, 1.0));
    ck_assert(ew_ready_push(&queue, 1, 7, 0, 1.0 + 0.4 * EW_GRAIN_S));
    ck_assert(ew_ready_push(&queue, 1, 3, 0, 1.0 + 0.9 * EW_GRAIN_S));
    ck_assert(ew_ready_push(&queue, 0, 0, 0, 1.0 + 1.5 * EW_GRAIN_S)); /* a later group */
    struct ew_ready item = ew_ready_pop(&queue);
    ck_assert(item.job == 1 && item.node == 3);
    item = ew_ready_pop(&queue);
    ck_assert(item.job == 1 && item.node == 7);
    ck_assert_uint_eq(ew_ready_pop(&queue).job, 2);
    ck_assert_uint_eq(ew_ready_pop(&queue).job, 0);
    ew_ready_fini(&queue);
}
END_TEST

START_TEST(an_item_put_back_keeps_its_place)
{
    struct ew_ready_queue queue = {0};
    ck_assert(ew_ready_push(&queue, 1, 0, 0, 1.0));
    ck_assert(ew_ready_push(&queue, 2, 0, 0, 2.0));
    const struct ew_ready first = ew_ready_pop(&queue);
    ck_assert(ew_ready_put_back(&queue, &first));
    ck_assert_uint_eq(ew_ready_pop(&queue).job, 1);
    ew_ready_fini(&queue);
}
END_TEST

/* Against a plain array: random inserts, changes and removals. */
START_TEST(heap_pops_ascending_after_random_changes)
{
    enum { N = 64 };
    struct ew_rng rng = ew_rng_make(3, "heap");
    for (int round = 0; round < 200; round++) {
        struct ew_heap heap;
        double keys[N];
        bool present[N] = {0};
        ck_assert(ew_heap_init(&heap, N));
        for (int k = 0; k < 200; k++) {
            const uint32_t id = (uint32_t)ew_rng_below(&rng, N);
            if (ew_rng_below(&rng, 4) == 0) {
                ew_heap_remove(&heap, id);
                present[id] = false;
            } else {
                keys[id] = (double)ew_rng_below(&rng, 20);
                ew_heap_set(&heap, id, keys[id]);
                present[id] = true;
            }
        }
        struct ew_heap_entry last = {-1, 0};
        while (ew_heap_first(&heap)) {
            const struct ew_heap_entry next = ew_heap_pop(&heap);
            ck_assert(next.key > last.key || (next.key == last.key && next.id > last.id));
            ck_assert(present[next.id] && keys[next.id] == next.key);
            present[next.id] = false;
            last = next;
        }
        for (int i = 0; i < N; i++) {
            ck_assert(!present[i]);
        }
        ew_heap_fini(&heap);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        first_ready_comes_first,
        equal_times_to_within_the_grain_go_by_job_then_node,
        an_item_put_back_keeps_its_place,
        heap_pops_ascending_after_random_changes,
    };
    return run_suite("queue", tests, sizeof tests / sizeof *tests);
}
