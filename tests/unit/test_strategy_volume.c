/* Volumes: blocks of a network, what a tile of fused layers needs, sharing lines out, drafts. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blocks.h"
#include "common/chain.h"
#include "common/draft.h"
#include "common/fill.h"
#include "common/fit.h"
#include "common/home.h"
#include "common/reach.h"
#include "common/subsets.h"
#include "io/graph_json.h"
#include "support/planning.h"
#include "support/suite.h"
#include "support/tiny.h"

static struct ew_graph *load(const char *name)
{
    const char *dirs[] = {EW_SOURCE_DIR "/dnn_graphs"};
    struct ew_graph *graph = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_graph_load(&graph, name, dirs, 1, &err) == EW_OK, "%s", err.message);
    return graph;
}

static void ask(struct ew_graph *graph,
                void (*question)(const struct ew_host *, struct ew_plan_builder *))
{
    struct planning *planning = planning_new(graph, tiny_star(3));
    planning_ask(planning, question);
    planning_free(planning);
}

/* A net and its blocks. */
struct view {
    struct kit_net net;
    struct kit_blocks blocks;
};

static struct view open_view(const struct ew_host *host, enum kit_dim dim)
{
    struct view v = {0};
    ck_assert_int_eq(kit_net_init(&v.net, host, 0, EW_ID_NONE, dim), 0);
    ck_assert_int_eq(kit_blocks_init(&v.blocks, &v.net), 0);
    return v;
}

static void close_view(struct view *v)
{
    kit_blocks_fini(&v->blocks);
    kit_net_fini(&v->net);
}

static uint32_t find(const struct kit_net *net, const char *name)
{
    for (uint32_t l = 0; l < net->n_layers; l++) {
        if (strcmp(net->layers[l]->name, name) == 0) {
            return l;
        }
    }
    ck_abort_msg("there is no layer %s", name);
    return EW_ID_NONE;
}

/* ------------------------------------------------------------------ blocks */

static void count_vgg_blocks(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v = open_view(host, KIT_ROWS);
    /* 13 convs with their relus, 5 pools (the last with the identity behind it), flatten, 3 fc */
    ck_assert_uint_eq(v.blocks.n, 13 + 5 + 1 + 3);
    ck_assert_uint_eq(kit_blocks_banded_run(&v.blocks, 0), 18);
    ck_assert_uint_eq(kit_blocks_banded(&v.blocks), 18);
    ck_assert_int_eq(v.blocks.items[0].extent, 224);
    ck_assert_int_eq(v.blocks.items[17].extent, 7);
    ck_assert_uint_eq(v.blocks.items[0].n_entering, 1);
    ck_assert_uint_eq(v.blocks.items[21].n_outputs, 1);
    ck_assert(v.blocks.items[21].has_answer && !v.blocks.items[20].has_answer);
    close_view(&v);
}

START_TEST(chain_has_one_block_per_conv_and_pool)
{
    ask(load("vgg16"), count_vgg_blocks);
}
END_TEST

static void look_at_resnet(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v = open_view(host, KIT_ROWS);
    /* conv1, maxpool, 16 bottlenecks; then global pool and fc */
    ck_assert_uint_eq(kit_blocks_banded_run(&v.blocks, 0), 18);
    for (uint32_t b = 0; b < v.blocks.n; b++) {
        /* blocks follow each other without a gap, and one tensor joins them */
        ck_assert_uint_eq(v.blocks.items[b].begin, b ? v.blocks.items[b - 1].end : 0);
        ck_assert_uint_eq(v.blocks.items[b].n_entering, 1);
        ck_assert_uint_eq(v.blocks.items[b].n_outputs, 1);
    }
    ck_assert_uint_eq(v.blocks.items[v.blocks.n - 1].end, v.net.n_order);
    close_view(&v);
}

START_TEST(residual_block_is_one_block)
{
    ask(load("resnet50"), look_at_resnet);
}
END_TEST

/* Two heads: everything from the fork on is one block with two outputs. */
static const struct tiny_layer two_heads[] = {
    {.name = "conv", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "fine", .op = EW_OP_CONV, .out_channels = 2, .kernel = 1, .inputs = {"conv"}},
    {.name = "down", .op = EW_OP_MAX_POOL, .kernel = 2, .stride = 2, .inputs = {"conv"}},
    {.name = "coarse", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
};

static void look_at_heads(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v = open_view(host, KIT_ROWS);
    ck_assert_uint_eq(v.blocks.n, 2);
    ck_assert_uint_eq(v.blocks.items[1].n_outputs, 2);
    ck_assert_int_eq(v.blocks.items[1].extent, 16);
    struct ew_tensor_box boxes[5];
    struct kit_tile tile = kit_band_tile(&v.net, 4, 8, 16);
    ck_assert_int_eq(kit_volume_boxes(boxes, &v.net, &v.blocks, 1, 1, &tile), 0);
    /* rows 4..7 of fine; rows 2..3 of coarse, which read rows 1..4 of down, so rows 2..9 of conv */
    struct ew_tensor_box fine = boxes[find(&v.net, "fine")];
    struct ew_tensor_box coarse = boxes[find(&v.net, "coarse")];
    struct ew_tensor_box conv = boxes[find(&v.net, "conv")];
    ck_assert_int_eq(fine.lo[2], 4);
    ck_assert_int_eq(fine.hi[2], 8);
    ck_assert_int_eq(coarse.lo[2], 2);
    ck_assert_int_eq(coarse.hi[2], 4);
    ck_assert_int_eq(conv.lo[2], 2);
    ck_assert_int_eq(conv.hi[2], 10);
    close_view(&v);
}

START_TEST(several_answers_share_the_last_block)
{
    ask(tiny_graph(3, 16, 16, 4, two_heads), look_at_heads);
}
END_TEST

/* ------------------------------------------------------------------ volumes */

static void grow_vgg(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v = open_view(host, KIT_ROWS);
    struct ew_tensor_box *boxes = calloc(v.net.n_layers, sizeof *boxes);
    /* DistrEdge's unit vector: cuts 0, 2, 4, 5, 7 of pool5's 7 rows need these rows of the input.
     */
    const int32_t cuts[] = {0, 2, 4, 5, 7};
    const int32_t expected[4][2] = {{0, 154}, {0, 218}, {38, 224}, {70, 224}};
    uint64_t elements = 0;
    for (int i = 0; i < 4; i++) {
        struct kit_tile tile = kit_band_tile(&v.net, cuts[i], cuts[i + 1], 7);
        ck_assert_int_eq(kit_volume_boxes(boxes, &v.net, &v.blocks, 0, 17, &tile), 0);
        struct ew_tensor_box in = boxes[v.net.graph->inputs[0]];
        ck_assert_int_eq(in.lo[2], expected[i][0]);
        ck_assert_int_eq(in.hi[2], expected[i][1]);
        elements += kit_box_elements(&in);
    }
    ck_assert_uint_eq(elements, 478464);
    free(boxes);
    close_view(&v);
}

START_TEST(fused_vgg_needs_the_published_rows)
{
    ask(load("vgg16"), grow_vgg);
}
END_TEST

/* Tables and exact boxes agree on every volume of the network, in both dimensions. */
static void compare_reach(const struct ew_host *host, enum kit_dim dim)
{
    struct view v = open_view(host, dim);
    struct kit_reach reach = {0};
    ck_assert_int_eq(kit_reach_init(&reach, &v.net, &v.blocks), 0);
    struct ew_tensor_box *boxes = calloc(v.net.n_layers, sizeof *boxes);
    struct kit_span *spans = calloc(v.net.n_layers, sizeof *spans);
    for (uint32_t first = 0; first < v.blocks.n; first++) {
        for (uint32_t n = 1; n <= kit_blocks_banded_run(&v.blocks, first); n += 3) {
            uint32_t last = first + n - 1;
            int32_t of = v.blocks.items[last].extent;
            struct kit_tile tile = kit_band_tile(&v.net, of / 3, of - of / 4, of);
            ck_assert_int_eq(kit_volume_boxes(boxes, &v.net, &v.blocks, first, last, &tile), 0);
            kit_reach_spans(spans, &reach, first, last, of / 3, of - of / 4);
            for (uint32_t i = v.blocks.items[first].begin; i < v.blocks.items[last].end; i++) {
                uint32_t layer = v.net.order[i];
                bool is_empty = kit_box_is_empty(&boxes[layer]);
                ck_assert_int_eq(kit_span_lines(spans[layer]),
                                 is_empty ? 0 : boxes[layer].hi[dim] - boxes[layer].lo[dim]);
                ck_assert(is_empty || spans[layer].lo == boxes[layer].lo[dim]);
            }
        }
    }
    free(boxes);
    free(spans);
    kit_reach_fini(&reach);
    close_view(&v);
}

static void compare_both(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    compare_reach(host, KIT_ROWS);
    compare_reach(host, KIT_COLUMNS);
}

START_TEST(tables_agree_with_exact_boxes)
{
    static const char *const names[] = {"vgg16", "resnet18", "googlenet", "mobilenet_v2", "yolov2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ask(load(names[i]), compare_both);
    }
}
END_TEST

static void cut_grid(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v = open_view(host, KIT_ROWS);
    struct ew_tensor_box boxes[3];
    /* the middle one of 3 x 3 tiles of a 12 x 12 map behind two 3x3 convs: 4 x 4, 6 x 6, 8 x 8 */
    struct kit_tile tile = {{1, 1}, {2, 2}, {3, 3}};
    ck_assert_int_eq(kit_volume_boxes(boxes, &v.net, &v.blocks, 0, 1, &tile), 0);
    for (int d = 2; d < 4; d++) {
        ck_assert_int_eq(boxes[2].hi[d] - boxes[2].lo[d], 4);
        ck_assert_int_eq(boxes[1].hi[d] - boxes[1].lo[d], 6);
        ck_assert_int_eq(boxes[0].hi[d] - boxes[0].lo[d], 8);
    }
    /* the corner one is clipped at the border: 4, 5, 6 */
    tile = (struct kit_tile){{0, 0}, {1, 1}, {3, 3}};
    ck_assert_int_eq(kit_volume_boxes(boxes, &v.net, &v.blocks, 0, 1, &tile), 0);
    ck_assert_int_eq(boxes[1].hi[2], 5);
    ck_assert_int_eq(boxes[0].hi[3], 6);
    close_view(&v);
}

START_TEST(tiles_of_a_grid_grow_by_the_halo_of_every_layer)
{
    static const struct tiny_layer layers[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
        {.name = "b", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    };
    ask(tiny_graph(3, 12, 12, 2, layers), cut_grid);
}
END_TEST

/* ------------------------------------------------------------------ sharing out */

/* Worker i: start[i] + speed[i] seconds per line. */
struct workers {
    double start_s[5];
    double line_s[5];
};

static double linear_s(void *ctx, uint32_t worker, int32_t lo, int32_t hi)
{
    const struct workers *w = ctx;
    return w->start_s[worker] + w->line_s[worker] * (hi - lo);
}

START_TEST(workers_finish_together)
{
    /* 1 and 2 seconds per line, 30 lines: 20 and 10 lines, 20 s */
    struct workers w = {{0, 0}, {1, 2}};
    struct kit_fill fill = {linear_s, &w, 2, 30, 0};
    int32_t cuts[3], scratch[3];
    ck_assert_double_eq_tol(kit_fill_min_max(cuts, scratch, &fill, INFINITY), 20, 1e-9);
    ck_assert_int_eq(cuts[1], 20);
    ck_assert_int_eq(cuts[2], 30);
}
END_TEST

START_TEST(worker_that_starts_too_late_gets_nothing)
{
    struct workers w = {{0, 100, 0}, {1, 1, 1}};
    struct kit_fill fill = {linear_s, &w, 3, 40, 0};
    int32_t cuts[4], scratch[4];
    ck_assert_double_eq_tol(kit_fill_min_max(cuts, scratch, &fill, INFINITY), 20, 1e-9);
    ck_assert_int_eq(cuts[1], 20);
    ck_assert_int_eq(cuts[2], 20);
}
END_TEST

START_TEST(limit_that_cannot_be_met_is_infinity)
{
    struct workers w = {{0, 0}, {1, 1}};
    struct kit_fill fill = {linear_s, &w, 2, 30, 0};
    int32_t cuts[3], scratch[3];
    ck_assert(isinf(kit_fill_min_max(cuts, scratch, &fill, 14.5)));
    ck_assert_double_eq_tol(kit_fill_min_max(cuts, scratch, &fill, 15), 15, 1e-9);
}
END_TEST

static double best_of_all(const struct kit_fill *fill, int32_t *cuts, uint32_t worker)
{
    if (worker + 1 == fill->n) {
        cuts[fill->n] = fill->total;
        return kit_fill_finish_s(fill, cuts);
    }
    double best_s = INFINITY;
    for (int32_t hi = cuts[worker]; hi <= fill->total; hi++) {
        cuts[worker + 1] = hi;
        best_s = fmin(best_s, best_of_all(fill, cuts, worker + 1));
    }
    return best_s;
}

START_TEST(sharing_out_is_as_good_as_the_best_of_all_cuts)
{
    uint64_t state = 11;
    for (int trial = 0; trial < 200; trial++) {
        struct workers w;
        for (int i = 0; i < 5; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            w.line_s[i] = 1e-3 * (double)(1 + (state >> 33) % 1000);
            w.start_s[i] = 1e-3 * (double)((state >> 50) % 4000);
        }
        struct kit_fill fill = {linear_s, &w, 2 + (uint32_t)trial % 4, 1 + trial % 13, 1e-12};
        int32_t cuts[6], scratch[6], all[16] = {0};
        double seconds = kit_fill_min_max(cuts, scratch, &fill, INFINITY);
        ck_assert_double_eq_tol(seconds, best_of_all(&fill, all, 0), 1e-9);
        ck_assert_double_eq_tol(seconds, kit_fill_finish_s(&fill, cuts), 1e-12);
        ck_assert_int_eq(cuts[fill.n], fill.total);
    }
}
END_TEST

START_TEST(cuts_stay_where_wanted_when_time_allows)
{
    /* 1 second per line for all, 30 lines: within 12 s, 9, 9 and 12 are fine as they are */
    struct workers w = {{0, 0, 0}, {1, 1, 1}};
    struct kit_fill fill = {linear_s, &w, 3, 30, 0};
    int32_t cuts[4], least[4];
    ck_assert(kit_fill_near(cuts, least, &fill, (const int32_t[]){0, 9, 18, 30}, 12));
    ck_assert_int_eq(cuts[1], 9);
    ck_assert_int_eq(cuts[2], 18);
    /* 15 lines in a row are too many: the first and the last give way as far as they must */
    ck_assert(kit_fill_near(cuts, least, &fill, (const int32_t[]){0, 15, 15, 30}, 12));
    ck_assert_int_eq(cuts[1], 12);
    ck_assert_int_eq(cuts[2], 18);
    ck_assert_int_eq(cuts[3], 30);
    ck_assert(!kit_fill_near(cuts, least, &fill, (const int32_t[]){0, 10, 20, 30}, 9.5));
}
END_TEST

START_TEST(cuts_near_wanted_keep_to_the_limit)
{
    uint64_t state = 21;
    for (int trial = 0; trial < 300; trial++) {
        struct workers w;
        int32_t wanted[6] = {0}, cuts[6], scratch[6];
        for (int i = 0; i < 5; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            w.line_s[i] = 1e-3 * (double)(1 + (state >> 33) % 1000);
            w.start_s[i] = 1e-3 * (double)((state >> 50) % 4000);
        }
        struct kit_fill fill = {linear_s, &w, 2 + (uint32_t)trial % 4, 1 + trial % 40, 0};
        for (uint32_t i = 0; i < fill.n; i++) {
            int32_t rest = fill.total - wanted[i];
            wanted[i + 1] =
                i + 1 == fill.n ? fill.total : wanted[i] + (int32_t)(state >> (8 * i)) % (rest + 1);
            wanted[i + 1] = wanted[i + 1] < wanted[i] ? wanted[i] : wanted[i + 1];
        }
        double best_s = kit_fill_min_max(cuts, scratch, &fill, INFINITY);
        double by_s = best_s * (1 + (trial % 3) * 0.2);
        ck_assert(kit_fill_near(cuts, scratch, &fill, wanted, by_s));
        ck_assert_double_le(kit_fill_finish_s(&fill, cuts), by_s);
        ck_assert_int_eq(cuts[fill.n], fill.total);
        for (uint32_t i = 0; i < fill.n; i++) {
            ck_assert_int_le(cuts[i], cuts[i + 1]);
        }
        if (kit_fill_finish_s(&fill, wanted) <= by_s) {
            ck_assert_mem_eq(cuts, wanted, (fill.n + 1) * sizeof *cuts);
        }
    }
}
END_TEST

static void expect_subset(struct kit_subsets *subsets, const char *members)
{
    bool takes_part[20];
    ck_assert(kit_subsets_next(takes_part, subsets));
    for (uint32_t i = 0; i < subsets->group->n; i++) {
        ck_assert_int_eq(takes_part[i], members[i] == '1');
    }
}

START_TEST(subsets_shrink_to_the_most_capable_and_end_with_the_source)
{
    uint32_t devices[] = {5, 6, 7, 8};
    double capability[] = {1, 4, 2, 4};
    bool takes_part[4];
    const struct kit_group group = {.n = 4, .device = devices, .capability = capability};
    struct kit_subsets subsets = {.group = &group, .source = 5, .is_wide = true};
    expect_subset(&subsets, "1111");
    expect_subset(&subsets, "0111");
    expect_subset(&subsets, "0101");
    expect_subset(&subsets, "0100");
    expect_subset(&subsets, "1000");
    ck_assert(!kit_subsets_next(takes_part, &subsets));
    struct kit_subsets all = {.group = &group, .source = 5};
    expect_subset(&all, "1111");
    ck_assert(!kit_subsets_next(takes_part, &all));
    ck_assert(!kit_subsets_next(takes_part, &all));
}
END_TEST

START_TEST(large_groups_are_halved)
{
    uint32_t devices[20];
    double capability[20];
    for (uint32_t i = 0; i < 20; i++) {
        devices[i] = i;
        capability[i] = 1;
    }
    const struct kit_group group = {.n = 20, .device = devices, .capability = capability};
    struct kit_subsets subsets = {.group = &group, .source = 99, .is_wide = true};
    bool takes_part[20];
    uint32_t n = 0;
    while (kit_subsets_next(takes_part, &subsets)) {
        n++;
    }
    /* 20, 10, 9, …, 1; the source is no member */
    ck_assert_uint_eq(n, 11);
}
END_TEST

/* ------------------------------------------------------------------ chains */

enum { MAX_PARTS = 10 };

struct table {
    double s[MAX_PARTS][MAX_PARTS];
};

static double look_up(void *ctx, uint32_t first, uint32_t last)
{
    return ((const struct table *)ctx)->s[first][last];
}

/* Least sum over all 2^(n-1) sets of cuts. */
static double best_of_all_runs(const struct table *table, uint32_t n)
{
    double best_s = INFINITY;
    for (uint32_t cuts = 0; cuts < 1u << (n - 1); cuts++) {
        double sum_s = 0.0;
        uint32_t first = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (i + 1 == n || (cuts >> i & 1u)) {
                sum_s += table->s[first][i];
                first = i + 1;
            }
        }
        best_s = sum_s < best_s ? sum_s : best_s;
    }
    return best_s;
}

static double sum_of_answer(const struct table *table, const uint32_t *ends, uint32_t n)
{
    double sum_s = 0.0;
    for (uint32_t first = 0; first < n; first = ends[first] + 1) {
        ck_assert_uint_ge(ends[first], first);
        ck_assert_uint_lt(ends[first], n);
        sum_s += table->s[first][ends[first]];
    }
    return sum_s;
}

START_TEST(chain_is_cut_as_the_best_of_all_ways)
{
    uint64_t state = 3;
    for (int trial = 0; trial < 300; trial++) {
        struct table table;
        uint32_t ends[MAX_PARTS];
        double best_s[MAX_PARTS + 1];
        const uint32_t n = 1 + (uint32_t)trial % MAX_PARTS;
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t k = i; k < n; k++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                /* one in eight runs of several parts is impossible */
                table.s[i][k] = k > i && state >> 61 == 0 ? INFINITY : (double)(state >> 40);
            }
        }
        double answer_s = kit_chain_cut(ends, best_s, n, look_up, &table);
        ck_assert_double_eq_tol(answer_s, best_of_all_runs(&table, n), 1e-6);
        ck_assert_double_eq_tol(answer_s, sum_of_answer(&table, ends, n), 1e-6);
    }
}
END_TEST

START_TEST(runs_stay_short_when_it_does_not_matter)
{
    struct table table;
    uint32_t ends[3];
    double best_s[4];
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            table.s[i][k] = k < i ? 0.0 : k - i + 1.0;
        }
    }
    ck_assert_double_eq(kit_chain_cut(ends, best_s, 3, look_up, &table), 3.0);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(ends[i], i);
    }
}
END_TEST

START_TEST(holders_of_lines_are_found_in_order)
{
    /* bands 0..3, nothing, 3..10, 10..12 */
    const int32_t cuts[] = {0, 3, 3, 10, 12};
    int32_t lines = 0;
    ck_assert_uint_eq(kit_next_holder(&lines, cuts, 4, 0, 2, 11), 0);
    ck_assert_int_eq(lines, 1);
    ck_assert_uint_eq(kit_next_holder(&lines, cuts, 4, 1, 2, 11), 2);
    ck_assert_int_eq(lines, 7);
    ck_assert_uint_eq(kit_next_holder(&lines, cuts, 4, 3, 2, 11), 3);
    ck_assert_int_eq(lines, 1);
    ck_assert_uint_eq(kit_next_holder(&lines, cuts, 4, 4, 2, 11), 4);
    ck_assert_uint_eq(kit_next_holder(&lines, cuts, 4, 0, 5, 5), 4);
    ck_assert_uint_eq(kit_next_holder(&lines, cuts, 4, 3, 0, 3), 4);
}
END_TEST

/* ------------------------------------------------------------------ lines */

START_TEST(points_on_a_line_give_the_line)
{
    struct kit_line line = kit_fit_line((double[]){1, 2, 4}, (double[]){5, 7, 11}, 3);
    ck_assert_double_eq_tol(line.base, 3, 1e-12);
    ck_assert_double_eq_tol(line.slope, 2, 1e-12);
    ck_assert_double_eq_tol(kit_line_at(line, 10), 23, 1e-12);
    ck_assert_double_eq(kit_line_at(line, 0), 0);
}
END_TEST

START_TEST(lines_never_have_negative_parts)
{
    /* falling: the mean */
    struct kit_line line = kit_fit_line((double[]){1, 2, 3}, (double[]){9, 6, 3}, 3);
    ck_assert_double_eq_tol(line.base, 6, 1e-12);
    ck_assert_double_eq(line.slope, 0);
    /* below 0 at 0: through the origin, sum xy / sum xx = (1 * 0 + 2 * 1) / 5 */
    line = kit_fit_line((double[]){1, 2}, (double[]){0, 1}, 2);
    ck_assert_double_eq(line.base, 0);
    ck_assert_double_eq_tol(line.slope, 0.4, 1e-12);
    /* nothing, and one place only */
    ck_assert_double_eq(kit_fit_line(NULL, NULL, 0).base, 0);
    ck_assert_double_eq_tol(kit_fit_line((double[]){2, 2}, (double[]){1, 3}, 2).base, 2, 1e-12);
}
END_TEST

/* ------------------------------------------------------------------ drafts and home */

static const struct tiny_layer conv_then_fc[] = {
    {.name = "conv", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "flat", .op = EW_OP_FLATTEN},
    {.name = "fc", .op = EW_OP_FC, .out_channels = 10},
};

static void weigh_draft(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v = open_view(host, KIT_ROWS);
    struct kit_draft draft = {0};
    struct kit_overfull overfull;
    kit_draft_begin(&draft, &v.net);
    ck_assert_int_eq(kit_draft_band(&draft, 1, 0, 0, 8), 0);
    ck_assert_int_eq(kit_draft_band(&draft, 1, 1, 8, 8), 0); /* nothing */
    ck_assert_int_eq(kit_draft_band(&draft, 1, 1, 8, 16), 0);
    ck_assert_int_eq(kit_draft_blocks(&draft, &v.blocks, 1, 2, 1), 0);
    ck_assert_uint_eq(draft.n, 4);
    ck_assert_int_eq(kit_draft_overfull(&overfull, &draft), 0);
    ck_assert_uint_eq(overfull.device, 1);
    ck_assert_uint_eq(overfull.memory_bytes, 10000);
    /* weights of conv and fc: 112 + 10250 floats; d1 holds at least its half of the conv's output
     */
    ck_assert_uint_ge(overfull.needed_bytes, 4 * (112 + 10250 + 512));
    kit_draft_fini(&draft);
    close_view(&v);
}

/* Two devices and a cable; the second has 10000 bytes of memory. */
static struct ew_platform *make_small_platform(void)
{
    const struct ew_device_desc devices[] = {
        {.name = "d0", .speed_flops_per_s = 1e9},
        {.name = "d1", .speed_flops_per_s = 1e9, .memory_bytes = 10000}};
    const struct ew_link links[] = {{"cable", 1e6, 1e-3, EW_LINK_SHARED}};
    static const uint32_t hop = 0;
    const struct ew_route_desc routes[] = {{0, 1, 1, &hop}, {1, 0, 1, &hop}};
    const struct ew_platform_desc desc = {.path = "",
                                          .n_devices = 2,
                                          .devices = devices,
                                          .n_links = 1,
                                          .links = links,
                                          .n_routes = 2,
                                          .routes = routes};
    struct ew_platform *platform = NULL;
    struct ew_error err = {0};
    ck_assert_msg(ew_platform_make(&platform, &desc, &err) == EW_OK, "%s", err.message);
    return platform;
}

START_TEST(draft_names_the_device_that_is_too_small)
{
    struct planning *planning =
        planning_new(tiny_graph(3, 16, 16, 3, conv_then_fc), make_small_platform());
    planning_ask(planning, weigh_draft);
    planning_free(planning);
}
END_TEST

static void choose_home(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct view v = open_view(host, KIT_ROWS);
    /* At home: flatten and fc alone, 2 * 10240 FLOP at 1 GFLOP/s. Elsewhere the map of 4096 bytes
     * at 1 MB/s and 1 ms of latency comes on top, and the answer's way back. */
    ck_assert_double_eq_tol(kit_home_s(&v.net, &v.blocks, 0, 0), 2 * 10240e-9, 1e-12);
    ck_assert_double_eq_tol(kit_home_s(&v.net, &v.blocks, 0, 1),
                            2 * 10240e-9 + (0.001 + 4096e-6) + (0.001 + 40e-6), 1e-12);
    close_view(&v);
}

START_TEST(home_counts_transfers_and_computing)
{
    ask(tiny_graph(3, 16, 16, 3, conv_then_fc), choose_home);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {chain_has_one_block_per_conv_and_pool,
                                  residual_block_is_one_block,
                                  several_answers_share_the_last_block,
                                  fused_vgg_needs_the_published_rows,
                                  tables_agree_with_exact_boxes,
                                  tiles_of_a_grid_grow_by_the_halo_of_every_layer,
                                  workers_finish_together,
                                  worker_that_starts_too_late_gets_nothing,
                                  limit_that_cannot_be_met_is_infinity,
                                  sharing_out_is_as_good_as_the_best_of_all_cuts,
                                  cuts_stay_where_wanted_when_time_allows,
                                  cuts_near_wanted_keep_to_the_limit,
                                  subsets_shrink_to_the_most_capable_and_end_with_the_source,
                                  large_groups_are_halved,
                                  chain_is_cut_as_the_best_of_all_ways,
                                  runs_stay_short_when_it_does_not_matter,
                                  holders_of_lines_are_found_in_order,
                                  points_on_a_line_give_the_line,
                                  lines_never_have_negative_parts,
                                  draft_names_the_device_that_is_too_small,
                                  home_counts_transfers_and_computing};
    return run_suite("strategy_volume", tests, sizeof tests / sizeof *tests);
}
