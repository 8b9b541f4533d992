/*
 * Fuzz target: plan files, for a small graph with a variant and two exits on three devices. What
 * parses is checked, may be lowered if the check accepts it, and prints a text that reads back to
 * the same text. Opens no files.
 */
#include <stdlib.h>
#include <string.h>

#include "io/graph_json.h"
#include "io/plan_json.h"
#include "plan/check.h"
#include "plan/lower.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char GRAPH[] =
    "{\"schema\": \"edgeweave.graph/1\", \"name\": \"tiny\", \"source\": \"\","
    " \"dtype\": \"float32\", \"inputs\": [{\"name\": \"x\", \"shape\": [1, 4, 8, 8]}],"
    " \"layers\": [{\"name\": \"a\", \"op\": \"conv\", \"out_channels\": 4, \"kernel\": 3,"
    "   \"pads\": [1, 1, 1, 1]}, {\"name\": \"b\", \"op\": \"max_pool\", \"kernel\": 2},"
    "  {\"name\": \"c\", \"op\": \"fc\", \"out_channels\": 5}],"
    " \"exits\": [{\"name\": \"early\", \"layer\": \"b\"}, {\"name\": \"full\", \"layer\": \"c\"}],"
    " \"variants\": [{\"name\": \"slim\", \"accuracy\": 0.5,"
    "   \"overrides\": {\"a\": {\"out_channels\": 2}}}]}";

static void require(bool fact)
{
    if (!fact) {
        abort();
    }
}

static struct ew_platform *make_platform(void)
{
    static const uint32_t up[1] = {0};
    static const struct ew_link links[1] = {{"wlan", 1e6, 1e-3, EW_LINK_SHARED}};
    struct ew_device_desc devices[3] = {{.name = "d0"}, {.name = "d1"}, {.name = "d2"}};
    struct ew_route_desc routes[6];
    uint32_t n = 0;
    for (uint32_t from = 0; from < 3; from++) {
        devices[from].speed_flops_per_s = 1e9;
        for (uint32_t to = 0; to < 3; to++) {
            if (from != to) {
                routes[n++] = (struct ew_route_desc){from, to, 1, up};
            }
        }
    }
    const struct ew_platform_desc desc = {
        .n_devices = 3,
        .devices = devices,
        .n_links = 1,
        .links = links,
        .n_routes = n,
        .routes = routes,
    };
    struct ew_platform *platform = NULL;
    require(ew_platform_make(&platform, &desc, NULL) == EW_OK);
    return platform;
}

static void lower(const struct ew_plan_context *context, const struct ew_plan *plan)
{
    const struct ew_lower_options options = {.merge_chains = false};
    struct ew_lower *memory = ew_lower_new();
    const struct ew_task_graph *graph;
    require(memory != NULL);
    require(ew_lower_plan_scratch(&graph, memory, context, plan, &options, NULL) == EW_OK);
    require(graph->n_nodes > 0);
    ew_lower_free(memory);
}

static void check_book(const struct ew_plan_context *context, const struct ew_book *book)
{
    struct ew_str first = {0}, second = {0};
    struct ew_book *again = NULL;
    struct ew_error err = {0};
    ew_book_print_json(&first, context, book);
    require(ew_book_parse_json(&again, ew_str_text(&first), first.length, "again", context, &err) ==
            EW_OK);
    ew_book_print_json(&second, context, again);
    require(strcmp(ew_str_text(&first), ew_str_text(&second)) == 0);
    if (ew_book_check(context, book, &err) == EW_OK) {
        for (uint32_t i = 0; i < book->n_plans; i++) {
            lower(context, book->plans[i]);
        }
    }
    ew_book_free(again);
    ew_str_fini(&first);
    ew_str_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ew_plan_context context = {.graph = NULL};
    struct ew_graph *graph = NULL;
    struct ew_platform *platform = make_platform();
    struct ew_book *book = NULL;
    struct ew_error err = {0};
    require(ew_graph_parse_json(&graph, GRAPH, sizeof GRAPH - 1, NULL, &err) == EW_OK);
    context.graph = graph;
    context.platform = platform;
    context.element_bytes = ew_element_bytes_of(graph);
    const enum ew_status status =
        ew_book_parse_json(&book, (const char *)data, size, "plan.json", &context, &err);
    require((status == EW_OK) == (book != NULL));
    require(status == EW_OK || err.message[0] != '\0');
    if (book) {
        check_book(&context, book);
    }
    ew_book_free(book);
    ew_platform_free(platform);
    ew_graph_free(graph);
    return 0;
}
