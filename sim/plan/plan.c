#include "plan/plan.h"

void ew_book_free(struct ew_book *book)
{
    if (book) {
        struct ew_arena arena = book->arena; /* the book itself lives in it */
        ew_arena_fini(&arena);
    }
}

struct ew_element_bytes ew_element_bytes_of(const struct ew_graph *graph)
{
    const double bytes = graph->bytes_per_element;
    return (struct ew_element_bytes){bytes, bytes, bytes};
}
