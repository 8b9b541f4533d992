/* What strategies share: rounding, cuts, and their view of networks and devices. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/devices.h"
#include "common/emit.h"
#include "common/net.h"
#include "common/share.h"
#include "io/graph_json.h"
#include "support/planning.h"
#include "support/suite.h"
#include "support/tiny.h"

/* ------------------------------------------------------------------ rounding and cuts */

START_TEST(shares_are_rounded_by_largest_remainder)
{
    /* 10 * (.25, .33, .42) = 2.5, 3.3, 4.2: the half gets the odd line */
    int32_t counts[3];
    kit_round_shares(counts, (double[]){0.25, 0.33, 0.42}, 3, 10);
    ck_assert_int_eq(counts[0], 3);
    ck_assert_int_eq(counts[1], 3);
    ck_assert_int_eq(counts[2], 4);
}
END_TEST

START_TEST(equal_remainders_go_to_the_first)
{
    int32_t counts[4];
    kit_round_shares(counts, (double[]){1, 1, 1, 1}, 4, 6);
    ck_assert_int_eq(counts[0], 2);
    ck_assert_int_eq(counts[1], 2);
    ck_assert_int_eq(counts[2], 1);
    ck_assert_int_eq(counts[3], 1);
}
END_TEST

START_TEST(rounded_shares_keep_the_total_and_stay_within_one)
{
    uint64_t state = 7;
    for (int trial = 0; trial < 2000; trial++) {
        double shares[9];
        int32_t counts[9];
        double sum = 0.0;
        for (int i = 0; i < 9; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            shares[i] = (state >> 60) < 3 ? 0.0 : (double)(state >> 40);
            sum += shares[i];
        }
        int32_t total = (int32_t)(state >> 33) % 300;
        kit_round_shares(counts, shares, 9, total);
        int32_t given = 0;
        for (int i = 0; i < 9; i++) {
            given += counts[i];
            ck_assert_int_ge(counts[i], 0);
            if (sum > 0) {
                ck_assert_double_lt(fabs(counts[i] - shares[i] / sum * total), 1.0 + 1e-6);
            }
        }
        ck_assert_int_eq(given, total);
    }
}
END_TEST

START_TEST(shares_without_information_are_equal)
{
    int32_t counts[3];
    kit_round_shares(counts, (double[]){0, 0, 0}, 3, 7);
    ck_assert_int_eq(counts[0] + counts[1] + counts[2], 7);
    ck_assert_int_le(counts[0] - counts[2], 1);
}
END_TEST

START_TEST(cuts_map_to_the_nearest_line_and_keep_their_order)
{
    ck_assert_int_eq(kit_map_cut(112, 224, 7), 4); /* 3.5 up */
    ck_assert_int_eq(kit_map_cut(0, 224, 7), 0);
    ck_assert_int_eq(kit_map_cut(224, 224, 7), 7);
    for (int32_t extent = 1; extent < 60; extent += 7) {
        for (int32_t line = 0; line < 224; line++) {
            int32_t step = kit_map_cut(line + 1, 224, extent) - kit_map_cut(line, 224, extent);
            ck_assert(step == 0 || step == 1);
        }
    }
}
END_TEST

/* ------------------------------------------------------------------ networks */

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

/* Squeeze and excite: conv -> global pool -> 1x1 convs -> scale the conv's rows. */
static const struct tiny_layer squeeze_excite[] = {
    {.name = "conv", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "relu", .op = EW_OP_RELU},
    {.name = "squeeze", .op = EW_OP_GLOBAL_AVG_POOL},
    {.name = "excite", .op = EW_OP_CONV, .out_channels = 4, .kernel = 1},
    {.name = "gate", .op = EW_OP_SIGMOID},
    {.name = "scale", .op = EW_OP_MUL, .inputs = {"relu", "gate"}},
    {.name = "out", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1, .stride = 2},
    {.name = "flat", .op = EW_OP_FLATTEN},
    {.name = "fc", .op = EW_OP_FC, .out_channels = 10},
};

static void check_places(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    const uint8_t expected[] = {KIT_INPUT, KIT_BANDED, KIT_BANDED, KIT_WHOLE, KIT_WHOLE,
                                KIT_WHOLE, KIT_BANDED, KIT_BANDED, KIT_WHOLE, KIT_WHOLE};
    struct kit_net net = {0};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    ck_assert_uint_eq(net.n_layers, 10);
    for (uint32_t l = 0; l < net.n_layers; l++) {
        ck_assert_msg(net.place[l] == expected[l], "%s is %d, not %d", net.layers[l]->name,
                      net.place[l], expected[l]);
    }
    /* relu has two readers but one producer: conv+relu; excite+gate; flat+fc are two whole units */
    ck_assert_uint_eq(net.unit_of[1], net.unit_of[2]);
    ck_assert_uint_ne(net.unit_of[2], net.unit_of[6]);
    ck_assert_uint_eq(net.unit_of[4], net.unit_of[5]);
    kit_net_fini(&net);
}

START_TEST(global_pools_and_heads_are_whole_the_rest_is_banded)
{
    ask(tiny_graph(3, 16, 16, 9, squeeze_excite), check_places);
}
END_TEST

static void check_vgg(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    uint32_t n_banded_units = 0;
    for (uint32_t u = 0; u < net.n_units; u++) {
        n_banded_units += net.units[u].place == KIT_BANDED;
    }
    /* 13 conv + relu, 5 pools */
    ck_assert_uint_eq(n_banded_units, 18);
    ck_assert_int_eq(net.extent, 224);
    uint32_t cuts[128];
    ck_assert_uint_le(net.n_order, 128);
    /* a chain can be cut behind every layer */
    ck_assert_uint_eq(kit_net_cut_layers(&net, cuts), net.n_order);
    kit_net_fini(&net);
}

START_TEST(vgg16_has_eighteen_banded_units_and_is_a_chain)
{
    ask(load("vgg16"), check_vgg);
}
END_TEST

static void check_halos(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    for (uint32_t i = 0; i < net.n_order; i++) {
        const struct ew_layer_info *info = net.layers[net.order[i]];
        if (net.place[net.order[i]] != KIT_BANDED) {
            continue;
        }
        int32_t above, below;
        kit_halo(&net, net.order[i], 0, &above, &below);
        /* 3x3 stride 1 pad 1: one row on each side; 2x2 stride 2 pools and relus: none */
        int32_t expected = info->op_class == EW_LAYER_CONV ? 1 : 0;
        ck_assert_int_eq(above, expected);
        ck_assert_int_eq(below, expected);
    }
    kit_net_fini(&net);
}

START_TEST(halo_is_the_rows_beyond_an_aligned_band)
{
    ask(load("vgg16"), check_halos);
}
END_TEST

static void check_resnet_cuts(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    uint32_t cuts[256];
    ck_assert_uint_le(net.n_order, 256);
    uint32_t n = kit_net_cut_layers(&net, cuts);
    ck_assert_uint_lt(n, net.n_order);
    ck_assert_uint_eq(cuts[n - 1], net.order[net.n_order - 1]);
    for (uint32_t c = 0; c < n; c++) {
        for (uint32_t i = 0; i < net.n_order; i++) {
            uint32_t reader = net.order[i];
            for (uint32_t k = 0; reader > cuts[c] && k < net.layers[reader]->n_inputs; k++) {
                ck_assert_uint_ge(net.layers[reader]->inputs[k], cuts[c]);
            }
        }
    }
    kit_net_fini(&net);
}

START_TEST(behind_a_cut_layer_only_its_output_is_read)
{
    ask(load("resnet18"), check_resnet_cuts);
}
END_TEST

static void check_exit(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    const uint32_t counts[] = {12, 16, 19, 20, 22};
    for (uint32_t exit = 0; exit < 5; exit++) {
        struct kit_net net = {0};
        ck_assert_int_eq(kit_net_init(&net, host, 0, exit, KIT_ROWS), 0);
        ck_assert_uint_eq(net.n_order, counts[exit]);
        kit_net_fini(&net);
    }
}

START_TEST(a_net_holds_only_what_its_exit_needs)
{
    ask(load("edgent_alexnet"), check_exit);
}
END_TEST

static void check_memory(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    /* a: 1x8x8 -> 2x8x8, b: 2x8x8 -> 2x8x8: weights (1*9*2 + 2*9*2) * 4 bytes; alive at most 2 *
     * 512 bytes while b runs (256 bytes of input die with a) */
    ck_assert_uint_eq(kit_net_memory_bytes(&net), (18 + 36) * 4 + 1024);
    ck_assert_uint_eq(kit_net_input_bytes(&net), 256);
    ck_assert_uint_eq(kit_net_result_bytes(&net), 512);
    kit_net_fini(&net);
}

START_TEST(memory_is_weights_and_live_tensors)
{
    const struct tiny_layer two[] = {
        {.name = "a", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
        {.name = "b", .op = EW_OP_CONV, .out_channels = 2, .kernel = 3, .pad = 1},
    };
    ask(tiny_graph(1, 8, 8, 2, two), check_memory);
}
END_TEST

/* ------------------------------------------------------------------ devices */

static void check_wire(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    /* up and down link: 1 ms and 1 MB/s */
    struct kit_wire wire = kit_wire_between(host, 0, 1);
    ck_assert_double_eq_tol(wire.message_s, 1e-3, 1e-9);
    ck_assert_double_eq_tol(wire.byte_s, 1e-6, 1e-15);
    ck_assert_double_eq(kit_wire_between(host, 1, 1).byte_s, 0.0);
}

START_TEST(a_wire_is_latency_and_seconds_per_byte)
{
    ask(tiny_graph(3, 16, 16, 9, squeeze_excite), check_wire);
}
END_TEST

static void check_group(const struct ew_host *host, struct ew_plan_builder *builder)
{
    (void)builder;
    struct kit_net net = {0};
    struct kit_group group = {0};
    struct kit_group_options options = {.first = 1, .capability = KIT_CAPABILITY_PROFILE};
    ck_assert_int_eq(kit_net_init(&net, host, 0, EW_ID_NONE, KIT_ROWS), 0);
    ck_assert_int_eq(kit_group_init(&group, &net, &options), 0);
    ck_assert_uint_eq(group.n, 3);
    /* equal devices: the first leads, the others keep their order */
    ck_assert_uint_eq(group.device[0], 1);
    ck_assert_uint_eq(group.device[1], 0);
    ck_assert_uint_eq(group.device[2], 2);
    ck_assert_str_eq(group.excluded, "");
    kit_group_fini(&group);
    kit_net_fini(&net);
}

START_TEST(a_group_is_led_by_its_first_device)
{
    ask(tiny_graph(3, 16, 16, 9, squeeze_excite), check_group);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        shares_are_rounded_by_largest_remainder,
        equal_remainders_go_to_the_first,
        rounded_shares_keep_the_total_and_stay_within_one,
        shares_without_information_are_equal,
        cuts_map_to_the_nearest_line_and_keep_their_order,
        global_pools_and_heads_are_whole_the_rest_is_banded,
        vgg16_has_eighteen_banded_units_and_is_a_chain,
        halo_is_the_rows_beyond_an_aligned_band,
        behind_a_cut_layer_only_its_output_is_read,
        a_net_holds_only_what_its_exit_needs,
        memory_is_weights_and_live_tensors,
        a_wire_is_latency_and_seconds_per_byte,
        a_group_is_led_by_its_first_device,
    };
    return run_suite("strategy_common", tests, sizeof tests / sizeof tests[0]);
}
