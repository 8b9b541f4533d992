/*
 * The binary interface of strategies, held still: where every member lies, what every constant is,
 * and what a plugin exports. Members may only be added at the end, with a new line here; a line
 * that has to change is a new major version.
 */
#include <assert.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "edgeweave/strategy.h"
#include "plan/plan.h"
#include "plugin/elf_symbols.h"
#include "support/suite.h"

#ifndef EW_STRATEGY_DIR
#define EW_STRATEGY_DIR EW_BINARY_DIR "/lib/edgeweave/strategies"
#endif

/* ----------------------------------------------------------------------- offsets (64-bit) */

#define AT(type, member, offset)                                                                   \
    static_assert(offsetof(struct type, member) == (offset), #type "." #member " has moved")
#define SIZE(type, size) static_assert(sizeof(struct type) >= (size), #type " has shrunk")

AT(ew_param_info, struct_size, 0);
AT(ew_param_info, kind, 4);
AT(ew_param_info, name, 8);
AT(ew_param_info, unit, 16);
AT(ew_param_info, default_text, 24);
AT(ew_param_info, min_value, 32);
AT(ew_param_info, max_value, 40);
AT(ew_param_info, choices, 48);
AT(ew_param_info, doc, 56);
SIZE(ew_param_info, 64);

AT(ew_strategy_info, struct_size, 0);
AT(ew_strategy_info, param_count, 4);
AT(ew_strategy_info, id, 8);
AT(ew_strategy_info, version, 16);
AT(ew_strategy_info, summary, 24);
AT(ew_strategy_info, citation, 32);
AT(ew_strategy_info, params, 40);
SIZE(ew_strategy_info, 48);

AT(ew_tensor_box, lo, 0);
AT(ew_tensor_box, hi, 16);
SIZE(ew_tensor_box, 32);

AT(ew_layer_info, struct_size, 0);
AT(ew_layer_info, op_class, 4);
AT(ew_layer_info, name, 8);
AT(ew_layer_info, op, 16);
AT(ew_layer_info, n_inputs, 24);
AT(ew_layer_info, n_consumers, 28);
AT(ew_layer_info, inputs, 32);
AT(ew_layer_info, consumers, 40);
AT(ew_layer_info, shape, 48);
AT(ew_layer_info, kernel, 64);
AT(ew_layer_info, stride, 72);
AT(ew_layer_info, pads, 80);
AT(ew_layer_info, dilation, 96);
AT(ew_layer_info, groups, 104);
AT(ew_layer_info, is_input, 108);
AT(ew_layer_info, macs, 112);
AT(ew_layer_info, params, 120);
AT(ew_layer_info, output_bytes, 128);
AT(ew_layer_info, weight_bytes, 136);
AT(ew_layer_info, input_bytes, 144);
SIZE(ew_layer_info, 152);

AT(ew_graph_info, struct_size, 0);
AT(ew_graph_info, n_layers, 4);
AT(ew_graph_info, name, 8);
AT(ew_graph_info, n_inputs, 16);
AT(ew_graph_info, n_exits, 20);
AT(ew_graph_info, inputs, 24);
AT(ew_graph_info, variant, 32);
AT(ew_graph_info, n_variants, 36);
AT(ew_graph_info, variant_name, 40);
AT(ew_graph_info, accuracy, 48);
AT(ew_graph_info, input_bytes_per_element, 56);
AT(ew_graph_info, activation_bytes_per_element, 64);
AT(ew_graph_info, weight_bytes_per_element, 72);
SIZE(ew_graph_info, 80);

AT(ew_exit_info, struct_size, 0);
AT(ew_exit_info, n_layers, 4);
AT(ew_exit_info, name, 8);
AT(ew_exit_info, layers, 16);
AT(ew_exit_info, accuracy, 24);
SIZE(ew_exit_info, 32);

AT(ew_device_info, struct_size, 0);
AT(ew_device_info, node, 4);
AT(ew_device_info, name, 8);
AT(ew_device_info, profile, 16);
AT(ew_device_info, speed_flops_per_s, 24);
AT(ew_device_info, memory_bytes, 32);
AT(ew_device_info, message_overhead_s, 40);
AT(ew_device_info, has_power, 48);
AT(ew_device_info, is_source, 52);
AT(ew_device_info, idle_w, 56);
AT(ew_device_info, compute_w, 64);
AT(ew_device_info, tx_w, 72);
AT(ew_device_info, rx_w, 80);
SIZE(ew_device_info, 88);

AT(ew_link_info, struct_size, 0);
AT(ew_link_info, has_route, 4);
AT(ew_link_info, bandwidth_bytes_per_s, 8);
AT(ew_link_info, latency_s, 16);
SIZE(ew_link_info, 24);

AT(ew_requirements_info, struct_size, 0);
AT(ew_requirements_info, source_device, 4);
AT(ew_requirements_info, sink_device, 8);
AT(ew_requirements_info, batch, 12);
AT(ew_requirements_info, deadline_s, 16);
AT(ew_requirements_info, min_accuracy, 24);
AT(ew_requirements_info, min_throughput_per_s, 32);
AT(ew_requirements_info, has_energy, 40);
AT(ew_requirements_info, reserved, 44);
AT(ew_requirements_info, arrival, 48);
AT(ew_requirements_info, workload, 56);
AT(ew_requirements_info, images_per_request, 64);
SIZE(ew_requirements_info, 72);

AT(ew_evaluation, struct_size, 0);
AT(ew_evaluation, requests, 4);
AT(ew_evaluation, latency_s, 8);
AT(ew_evaluation, period_s, 16);
AT(ew_evaluation, energy_j, 24);
AT(ew_evaluation, dynamic_energy_j, 32);
AT(ew_evaluation, accuracy, 40);
AT(ew_evaluation, message_bytes, 48);
AT(ew_evaluation, device_busy_s, 56);
AT(ew_evaluation, device_finish_s, 64);
AT(ew_evaluation, layer_finish_s, 72);
SIZE(ew_evaluation, 80);

AT(ew_piece_desc, struct_size, 0);
AT(ew_piece_desc, segment, 4);
AT(ew_piece_desc, layer, 8);
AT(ew_piece_desc, device, 12);
AT(ew_piece_desc, role, 16);
AT(ew_piece_desc, chain, 20);
AT(ew_piece_desc, sum_piece, 24);
AT(ew_piece_desc, reduction_lo, 28);
AT(ew_piece_desc, reduction_hi, 32);
AT(ew_piece_desc, box, 36);
AT(ew_piece_desc, pool, 68);
SIZE(ew_piece_desc, 72);

AT(ew_pool_desc, struct_size, 0);
AT(ew_pool_desc, holder, 4);
AT(ew_pool_desc, steal_bytes, 8);
AT(ew_pool_desc, members, 16);
AT(ew_pool_desc, n_members, 24);
AT(ew_pool_desc, reserved, 28);
SIZE(ew_pool_desc, 32);

AT(ew_plan_builder, struct_size, 0);
AT(ew_plan_builder, reserved, 4);
AT(ew_plan_builder, ctx, 8);
AT(ew_plan_builder, begin_plan, 16);
AT(ew_plan_builder, assign, 24);
AT(ew_plan_builder, add_piece, 32);
AT(ew_plan_builder, set_exchange, 40);
AT(ew_plan_builder, set_sync, 48);
AT(ew_plan_builder, set_wire_bits, 56);
AT(ew_plan_builder, set_weights, 64);
AT(ew_plan_builder, set_prediction, 72);
AT(ew_plan_builder, set_note, 80);
AT(ew_plan_builder, set_share, 88);
AT(ew_plan_builder, set_pick, 96);
AT(ew_plan_builder, reset, 104);
AT(ew_plan_builder, set_batch, 112);
AT(ew_plan_builder, add_pool, 120);
SIZE(ew_plan_builder, 128);

AT(ew_host, struct_size, 0);
AT(ew_host, abi_minor, 4);
AT(ew_host, ctx, 8);
AT(ew_host, graph, 16);
AT(ew_host, layer, 24);
AT(ew_host, exit, 32);
AT(ew_host, device_count, 40);
AT(ew_host, device, 48);
AT(ew_host, link, 56);
AT(ew_host, requirements, 64);
AT(ew_host, compute_s, 72);
AT(ew_host, transfer_s, 80);
AT(ew_host, energy_j, 88);
AT(ew_host, load_s, 96);
AT(ew_host, input_box, 104);
AT(ew_host, evaluate, 112);
AT(ew_host, param_int, 120);
AT(ew_host, param_real, 128);
AT(ew_host, param_text, 136);
AT(ew_host, alloc, 144);
AT(ew_host, rand_u64, 152);
AT(ew_host, log, 160);
AT(ew_host, fail, 168);
AT(ew_host, extension, 176);
SIZE(ew_host, 184);

AT(ew_strategy, struct_size, 0);
AT(ew_strategy, reserved, 4);
AT(ew_strategy, self, 8);
AT(ew_strategy, plan, 16);
AT(ew_strategy, destroy, 24);
AT(ew_strategy, extension, 32);
SIZE(ew_strategy, 40);

AT(ew_strategy_entry, struct_size, 0);
AT(ew_strategy_entry, abi_major, 4);
AT(ew_strategy_entry, abi_minor, 8);
AT(ew_strategy_entry, reserved, 12);
AT(ew_strategy_entry, count, 16);
AT(ew_strategy_entry, describe, 24);
AT(ew_strategy_entry, create, 32);
SIZE(ew_strategy_entry, 40);

AT(ew_observation, struct_size, 0);
AT(ew_observation, causes, 4);
AT(ew_observation, time_s, 8);
AT(ew_observation, planned_s, 16);
AT(ew_observation, number, 24);
SIZE(ew_observation, 32);

AT(ew_job_observation, struct_size, 0);
AT(ew_job_observation, n_plans, 4);
AT(ew_job_observation, time_s, 8);
AT(ew_job_observation, first_request, 16);
AT(ew_job_observation, waited_s, 24);
AT(ew_job_observation, deadline_s, 32);
AT(ew_job_observation, n_attempts, 40);
AT(ew_job_observation, n_waiting, 44);
AT(ew_job_observation, n_running, 48);
AT(ew_job_observation, can_wait, 52);
AT(ew_job_observation, last_plan, 56);
AT(ew_job_observation, n_devices, 60);
AT(ew_job_observation, last_latency_s, 64);
AT(ew_job_observation, plan_requests, 72);
AT(ew_job_observation, task_ratio, 80);
AT(ew_job_observation, queued, 88);
AT(ew_job_observation, is_up, 96);
AT(ew_job_observation, measured_bytes_per_s, 104);
SIZE(ew_job_observation, 112);

AT(ew_job_decision, struct_size, 0);
AT(ew_job_decision, plan, 4);
AT(ew_job_decision, n_requests, 8);
SIZE(ew_job_decision, 16);

AT(ew_online, struct_size, 0);
AT(ew_online, observe, 8);
AT(ew_online, pick, 16);
SIZE(ew_online, 24);

/* ----------------------------------------------------------------------- constants */

#define IS(name, value) static_assert((name) == (value), #name " has changed")

IS(EW_ABI_MAJOR, 0);
IS(EW_ABI_MINOR, 2);
IS(EW_ID_NONE, 0xffffffffu);
IS(EW_STRATEGY_OK, 0);
IS(EW_STRATEGY_ECANNOT, -1);
IS(EW_STRATEGY_EINVALID, -2);
IS(EW_STRATEGY_ENOMEM, -3);
IS(EW_STRATEGY_EINTERNAL, -4);
IS(EW_PARAM_INT, 0);
IS(EW_PARAM_REAL, 1);
IS(EW_PARAM_BOOL, 2);
IS(EW_PARAM_CHOICE, 3);
IS(EW_PARAM_STRING, 4);
IS(EW_LAYER_CONV, 0);
IS(EW_LAYER_FC, 1);
IS(EW_LAYER_POOL, 2);
IS(EW_LAYER_ELEMENTWISE, 3);
IS(EW_LAYER_NORM, 4);
IS(EW_LAYER_VIEW, 5);
IS(EW_ONLINE_KEEP, 0);
IS(EW_ONLINE_REPLACE, 1);
IS(EW_ONLINE_MOVE, 2);
IS(EW_LOG_DEBUG, 0);
IS(EW_LOG_INFO, 1);
IS(EW_LOG_WARNING, 2);

/* What the host hands on without translating must mean the same on both sides. */
IS(EW_ROLE_FULL, EW_PIECE_FULL);
IS(EW_ROLE_PARTIAL, EW_PIECE_PARTIAL);
IS(EW_ROLE_SUM, EW_PIECE_SUM);
IS(EW_EXCHANGE_MODE_DIRECT, EW_EXCHANGE_DIRECT);
IS(EW_EXCHANGE_MODE_RELAY, EW_EXCHANGE_RELAY);
IS(EW_EXCHANGE_MODE_GATHER, EW_EXCHANGE_GATHER);
IS(EW_WEIGHTS_MODE_RESIDENT, EW_WEIGHTS_RESIDENT);
IS(EW_WEIGHTS_MODE_PER_REQUEST, EW_WEIGHTS_PER_REQUEST);
IS(EW_WEIGHTS_MODE_ON_CHANGE, EW_WEIGHTS_ON_CHANGE);
IS(EW_PICK_MODE_ONLY, EW_PICK_ONLY);
IS(EW_PICK_MODE_CYCLE, EW_PICK_CYCLE);
IS(EW_PICK_MODE_BY_CLASS, EW_PICK_BY_CLASS);
IS(EW_PICK_MODE_BY_EXIT_DRAW, EW_PICK_BY_EXIT_DRAW);
IS(EW_PICK_MODE_ONLINE, EW_PICK_ONLINE);
IS(EW_ID_NONE, EW_NONE);

START_TEST(a_member_is_there_only_if_it_lies_wholly_inside)
{
    /* plan ends at byte 24, destroy at 32, extension at 40 */
    struct ew_strategy strategy = {.struct_size = 39};
    ck_assert(EW_HAS(struct ew_strategy, &strategy, destroy));
    ck_assert(!EW_HAS(struct ew_strategy, &strategy, extension));
    strategy.struct_size = 40;
    ck_assert(EW_HAS(struct ew_strategy, &strategy, extension));
}
END_TEST

/* ----------------------------------------------------------------------- symbols */

static const size_t max_file_bytes = (size_t)64 << 20;

/* The file exports the entry, as data, and nothing else. */
static void check_exports(const char *path)
{
    char *bytes = NULL;
    size_t size = 0;
    struct ew_error err = {0};
    struct ew_elf_symbols symbols = {0};
    ck_assert_msg(ew_file_read(&bytes, &size, path, max_file_bytes, &err) == EW_OK, "%s",
                  err.message);
    ck_assert_msg(ew_elf_symbols_read(&symbols, bytes, size, &err) == EW_OK, "%s: %s", path,
                  err.message);
    for (size_t i = 0; i < symbols.items.count; i++) {
        const struct ew_elf_symbol *symbol = &symbols.items.items[i];
        ck_assert_msg(strcmp(symbol->name, "ew_strategy_entry") == 0, "%s also exports %s", path,
                      symbol->name);
        ck_assert(symbol->is_data);
        ck_assert_uint_eq(symbol->size, sizeof(struct ew_strategy_entry));
    }
    ck_assert_msg(symbols.items.count == 1, "%s exports %zu symbols", path, symbols.items.count);
    ew_elf_symbols_fini(&symbols);
    free(bytes);
}

START_TEST(every_strategy_exports_exactly_its_entry)
{
    DIR *dir = opendir(EW_STRATEGY_DIR);
    ck_assert_msg(dir != NULL, "no directory %s", EW_STRATEGY_DIR);
    int n_checked = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        if (length <= 3 || strcmp(entry->d_name + length - 3, ".so") != 0) {
            continue;
        }
        struct ew_str path = {0};
        ew_str_printf(&path, "%s/%s", EW_STRATEGY_DIR, entry->d_name);
        check_exports(ew_str_text(&path));
        ew_str_fini(&path);
        n_checked++;
    }
    (void)closedir(dir);
    ck_assert_int_ge(n_checked, 6); /* local, offload, neurosurgeon, modnn, coedge, edgent */
}
END_TEST

START_TEST(a_strategy_in_cpp_exports_exactly_its_entry)
{
    check_exports(EW_BINARY_DIR "/tests/plugins/abi_cpp.so");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_member_is_there_only_if_it_lies_wholly_inside,
        every_strategy_exports_exactly_its_entry,
        a_strategy_in_cpp_exports_exactly_its_entry,
    };
    return run_suite("abi", tests, sizeof tests / sizeof *tests);
}
