/* DeepThings: the grid, stealing decided in advance, and what a tile computes when it reuses. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "deepthings/deepthings_schedule.h"
#include "deepthings/deepthings_tiles.h"
#include "io/graph_json.h"
#include "support/planning.h"
#include "support/suite.h"
#include "support/tiny.h"

/* ------------------------------------------------------------------ grid */

START_TEST(grid_has_even_strides_and_the_rest_at_the_end)
{
    /* YOLOv2 behind 16 layers: 38 x 38 in 5 x 5: strides of 8, the last 6 */
    struct deepthings_tile tiles[25];
    const int32_t size[2] = {38, 38}, n[2] = {5, 5};
    ck_assert_uint_eq(deepthings_grid_count(size, n), 25);
    deepthings_grid(tiles, size, n);
    ck_assert_int_eq(tiles[6].lo[0], 8);
    ck_assert_int_eq(tiles[6].hi[1], 16);
    ck_assert_int_eq(tiles[24].lo[0], 32);
    ck_assert_int_eq(tiles[24].hi[0], 38);
    ck_assert_uint_eq(tiles[6].neighbours[0], 1);
    ck_assert_uint_eq(tiles[6].neighbours[1], 11);
    ck_assert_uint_eq(tiles[6].neighbours[2], 5);
    ck_assert_uint_eq(tiles[6].neighbours[3], 7);
    ck_assert_uint_eq(tiles[0].neighbours[0], DEEPTHINGS_NONE);
    ck_assert_uint_eq(tiles[24].neighbours[3], DEEPTHINGS_NONE);
}
END_TEST

START_TEST(grid_is_never_finer_than_the_output)
{
    /* 7 in 5: strides of 2 make 4 tiles; 3 columns in 5 make 3 */
    const int32_t size[2] = {7, 3}, n[2] = {5, 5};
    struct deepthings_tile tiles[12];
    ck_assert_uint_eq(deepthings_grid_count(size, n), 12);
    deepthings_grid(tiles, size, n);
    int32_t area = 0;
    for (int i = 0; i < 12; i++) {
        ck_assert_int_lt(tiles[i].lo[0], tiles[i].hi[0]);
        area += (tiles[i].hi[0] - tiles[i].lo[0]) * (tiles[i].hi[1] - tiles[i].lo[1]);
    }
    ck_assert_int_eq(area, 21);
}
END_TEST

START_TEST(neighbours_are_never_on_the_same_level)
{
    struct deepthings_tile tiles[30];
    deepthings_grid(tiles, (const int32_t[2]){50, 60}, (const int32_t[2]){5, 6});
    for (int i = 0; i < 30; i++) {
        for (int k = 0; k < 4; k++) {
            uint32_t neighbour = tiles[i].neighbours[k];
            ck_assert(neighbour == DEEPTHINGS_NONE || tiles[neighbour].level != tiles[i].level);
        }
    }
}
END_TEST

START_TEST(bands_are_equal_and_the_first_take_the_rest)
{
    struct deepthings_tile tiles[4];
    ck_assert_uint_eq(deepthings_bands(tiles, (const int32_t[2]){7, 9}, 4), 4);
    const int32_t cuts[] = {0, 2, 4, 6, 7};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(tiles[i].lo[0], cuts[i]);
        ck_assert_int_eq(tiles[i].hi[0], cuts[i + 1]);
        ck_assert_int_eq(tiles[i].hi[1], 9);
    }
    ck_assert_uint_eq(deepthings_bands(tiles, (const int32_t[2]){3, 9}, 4), 3);
}
END_TEST

/* ------------------------------------------------------------------ schedule */

static double worker_s(void *ctx, uint32_t worker, uint32_t tile, bool reuses)
{
    (void)tile;
    return ((const double *)ctx)[worker] * (reuses ? 0.5 : 1.0);
}

START_TEST(idle_workers_steal)
{
    /* 1 and 3 s per tile: worker 0 at 0, 1, 2; at 3 both are idle and worker 0 goes first */
    double seconds[] = {1, 3}, free_s[2];
    struct deepthings_tile tiles[6];
    struct deepthings_turn turns[6];
    uint32_t order[6];
    deepthings_grid(tiles, (const int32_t[2]){6, 1}, (const int32_t[2]){6, 1});
    struct deepthings_problem problem = {6, 2, tiles, DEEPTHINGS_STEAL, false, worker_s, seconds};
    deepthings_schedule(turns, order, free_s, &problem);
    const uint32_t workers[] = {0, 1, 0, 0, 0, 1};
    const double starts[] = {0, 0, 1, 2, 3, 3};
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(order[i], i);
        ck_assert_uint_eq(turns[i].worker, workers[i]);
        ck_assert_double_eq(turns[i].start_s, starts[i]);
        ck_assert(!turns[i].reuses);
    }
}
END_TEST

START_TEST(dealt_tiles_go_round)
{
    double seconds[] = {1, 100, 1}, free_s[3];
    struct deepthings_tile tiles[7];
    struct deepthings_turn turns[7];
    uint32_t order[7];
    deepthings_grid(tiles, (const int32_t[2]){7, 1}, (const int32_t[2]){7, 1});
    struct deepthings_problem problem = {7, 3, tiles, DEEPTHINGS_DEAL, false, worker_s, seconds};
    deepthings_schedule(turns, order, free_s, &problem);
    for (uint32_t i = 0; i < 7; i++) {
        ck_assert_uint_eq(turns[i].worker, i % 3);
    }
    ck_assert_double_eq(turns[4].finish_s, 200);
}
END_TEST

START_TEST(odd_tiles_come_last_and_reuse_when_their_neighbours_are_done)
{
    /* A row of 4: tiles 0 and 2, then 1 and 3. Workers of 1 and 10 s: worker 0 does tile 0 until 1,
     * worker 1 tile 2 until 10. Tile 1 starts at 1, when neighbour 2 is not done: in full, until 2.
     * Tile 3 starts at 2, neighbour 2 is not done either. */
    double seconds[] = {1, 10}, free_s[2];
    struct deepthings_tile tiles[4];
    struct deepthings_turn turns[4];
    uint32_t order[4];
    deepthings_grid(tiles, (const int32_t[2]){1, 4}, (const int32_t[2]){1, 4});
    struct deepthings_problem problem = {4, 2, tiles, DEEPTHINGS_STEAL, true, worker_s, seconds};
    deepthings_schedule(turns, order, free_s, &problem);
    const uint32_t expected[] = {0, 2, 1, 3};
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(order[i], expected[i]);
        ck_assert(!turns[i].reuses);
    }
    /* one worker: tiles 1 and 3 find everything done and take half the time: 1 + 1 + .5 + .5 */
    problem.n_workers = 1;
    deepthings_schedule(turns, order, free_s, &problem);
    ck_assert(turns[1].reuses && turns[3].reuses && !turns[0].reuses && !turns[2].reuses);
    ck_assert_double_eq(free_s[0], 3);
}
END_TEST

/* ------------------------------------------------------------------ reuse */

static struct ew_graph *load(const char *name)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, name, dirs, 1, &err) == EW_OK, "%s", err.message);
    return graph;
}

static bool holds(const struct ew_tensor_box *box, int32_t channel, int32_t row, int32_t column)
{
    return !kit_box_is_empty(box) && channel >= box->lo[1] && channel < box->hi[1] &&
           row >= box->lo[2] && row < box->hi[2] && column >= box->lo[3] && column < box->hi[3];
}

/* Corners and centre of `need` are computed by the tile or by one of its neighbours. */
static void check_held(const struct deepthings_field *field, const struct ew_tensor_box *reduced,
                       uint32_t tile, uint32_t layer, const struct ew_tensor_box *need)
{
    for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 3; c++) {
            int32_t row = r == 0   ? need->lo[2]
                          : r == 1 ? (need->lo[2] + need->hi[2]) / 2
                                   : need->hi[2] - 1;
            int32_t column = c == 0   ? need->lo[3]
                             : c == 1 ? (need->lo[3] + need->hi[3]) / 2
                                      : need->hi[3] - 1;
            bool is_held = holds(&reduced[layer], need->lo[1], row, column);
            for (int k = 0; k < 4 && !is_held; k++) {
                uint32_t neighbour = field->tiles[tile].neighbours[k];
                is_held =
                    neighbour != DEEPTHINGS_NONE &&
                    holds(&deepthings_boxes(field, neighbour)[layer], need->lo[1], row, column);
            }
            ck_assert_msg(is_held, "tile %u layer %u row %d column %d", tile, layer, row, column);
        }
    }
}

static void check_tile(const struct deepthings_field *field, uint32_t tile)
{
    const struct kit_net *net = field->net;
    struct ew_tensor_box *reduced = calloc(net->n_layers, sizeof *reduced);
    double overlap_bytes[4];
    uint64_t full_elements = 0, reduced_elements = 0;
    ck_assert_int_eq(deepthings_reduce(reduced, overlap_bytes, field, tile), 0);
    for (uint32_t i = 0; i < field->blocks->items[field->last].end; i++) {
        uint32_t layer = net->order[i];
        full_elements += kit_box_elements(&deepthings_boxes(field, tile)[layer]);
        reduced_elements += kit_box_elements(&reduced[layer]);
        for (uint32_t k = 0; k < net->layers[layer]->n_inputs; k++) {
            struct ew_tensor_box need;
            uint32_t input = net->layers[layer]->inputs[k];
            if (kit_box_is_empty(&reduced[layer]) || net->layers[input]->is_input) {
                continue;
            }
            ck_assert_int_eq(net->host->input_box(net->host, 0, layer, k, &reduced[layer], &need),
                             0);
            check_held(field, reduced, tile, input, &need);
        }
    }
    ck_assert_uint_lt(reduced_elements, full_elements);
    free(reduced);
}

static void reduce_odd_tiles(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    struct kit_blocks blocks = {0};
    struct deepthings_field field = {0};
    struct deepthings_tile tiles[16];
    int32_t size[2];
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    ck_assert_int_eq(kit_blocks_init(&blocks, &net), 0);
    uint32_t last = kit_blocks_banded_run(&blocks, 0) / 2;
    deepthings_output_size(size, &net, &blocks, last);
    deepthings_grid(tiles, size, (const int32_t[2]){4, 4});
    uint32_t n_tiles = deepthings_grid_count(size, (const int32_t[2]){4, 4});
    ck_assert_int_eq(deepthings_field_init(&field, &net, &blocks, last, tiles, n_tiles), 0);
    for (uint32_t t = 0; t < n_tiles; t++) {
        if (tiles[t].level == 1) {
            check_tile(&field, t);
        }
    }
    deepthings_field_fini(&field);
    kit_blocks_fini(&blocks);
    kit_net_fini(&net);
}

START_TEST(reusing_tile_and_its_neighbours_hold_all_it_reads)
{
    static const char *const names[] = {"vgg16", "resnet18", "googlenet", "yolov2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct planning *planning = planning_new(load(names[i]), tiny_star(2));
        planning_ask(planning, reduce_odd_tiles);
        planning_free(planning);
    }
}
END_TEST

static void reduce_by_hand(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    struct kit_blocks blocks = {0};
    struct deepthings_field field = {0};
    struct deepthings_tile tiles[3];
    struct ew_tensor_box reduced[3];
    double overlap_bytes[4];
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    ck_assert_int_eq(kit_blocks_init(&blocks, &net), 0);
    deepthings_grid(tiles, (const int32_t[2]){12, 12}, (const int32_t[2]){1, 3});
    ck_assert_int_eq(deepthings_field_init(&field, &net, &blocks, 1, tiles, 3), 0);
    ck_assert_int_eq(deepthings_reduce(reduced, overlap_bytes, &field, 1), 0);
    /* b: columns 4..7 in full. a: 3..8 in full; the left tile has a's 0..4, the right one 7..11, so
     * 5..6 stay; of the input 4..7. Two columns of 12 rows and 4 channels come from each side. */
    ck_assert_int_eq(reduced[2].lo[3], 4);
    ck_assert_int_eq(reduced[2].hi[3], 8);
    ck_assert_int_eq(reduced[1].lo[3], 5);
    ck_assert_int_eq(reduced[1].hi[3], 7);
    ck_assert_int_eq(reduced[0].lo[3], 4);
    ck_assert_int_eq(reduced[0].hi[3], 8);
    ck_assert_double_eq(overlap_bytes[2], 2 * 12 * 4 * 4);
    ck_assert_double_eq(overlap_bytes[3], 2 * 12 * 4 * 4);
    ck_assert_double_eq(overlap_bytes[0], 0);
    deepthings_field_fini(&field);
    kit_blocks_fini(&blocks);
    kit_net_fini(&net);
}

START_TEST(reusing_tile_drops_the_strips_of_its_neighbours)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
        {.name = "b", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    };
    struct planning *planning = planning_new(tiny_graph(3, 12, 12, 2, layers), tiny_star(2));
    planning_ask(planning, reduce_by_hand);
    planning_free(planning);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {grid_has_even_strides_and_the_rest_at_the_end,
                                  grid_is_never_finer_than_the_output,
                                  neighbours_are_never_on_the_same_level,
                                  bands_are_equal_and_the_first_take_the_rest,
                                  idle_workers_steal,
                                  dealt_tiles_go_round,
                                  odd_tiles_come_last_and_reuse_when_their_neighbours_are_done,
                                  reusing_tile_and_its_neighbours_hold_all_it_reads,
                                  reusing_tile_drops_the_strips_of_its_neighbours};
    return run_suite("deepthings", tests, sizeof tests / sizeof *tests);
}
