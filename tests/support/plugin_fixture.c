#include "support/plugin_fixture.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/op.h"

static const struct tiny_layer layers[] = {
    {.name = "a", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "r", .op = EW_OP_RELU},
    {.name = "b", .op = EW_OP_CONV, .out_channels = 4, .kernel = 3, .pad = 1},
    {.name = "f", .op = EW_OP_FC, .out_channels = 10},
};

static enum ew_status evaluate(void *ctx, const struct ew_problem *problem,
                               const struct ew_plan *plan, struct ew_evaluation *result,
                               struct ew_error *err)
{
    const struct plugin_fixture *fixture = ctx;
    if (problem != &fixture->problem || plan->n_pieces == 0) {
        return ew_fail(err, EW_EINPUT, "no pieces to evaluate");
    }
    result->latency_s = 10.0 / (plan->pieces[0].device + 1);
    result->energy_j = NAN;
    for (uint32_t d = 0; result->device_busy_s && d < fixture->platform->n_devices; d++) {
        result->device_busy_s[d] = d;
    }
    return EW_OK;
}

static const void *extension(void *ctx, const char *id)
{
    return strcmp(id, "test.echo/1") == 0 ? ctx : NULL;
}

static void log_message(void *ctx, const char *strategy, uint32_t level, const char *message)
{
    struct plugin_fixture *fixture = ctx;
    ew_str_printf(&fixture->log, "%u %s: %s\n", level, strategy, message);
    fixture->n_messages++;
}

void plugin_fixture_init(struct plugin_fixture *fixture, uint32_t n_devices)
{
    *fixture = (struct plugin_fixture){0};
    fixture->graph = tiny_graph(2, 8, 8, sizeof layers / sizeof *layers, layers);
    fixture->platform = tiny_star(n_devices);
    fixture->problem = (struct ew_problem){
        .context = {fixture->graph, fixture->platform, ew_element_bytes_of(fixture->graph)},
        .batch = 1,
        .deadline_s = INFINITY,
        .arrival = "closed:1",
        .workload = "default",
        .seed = 1,
    };
    fixture->services = (struct ew_host_services){
        .ctx = fixture, .evaluate = evaluate, .extension = extension, .log = log_message};
}

void plugin_fixture_fini(struct plugin_fixture *fixture)
{
    ew_params_fini(&fixture->params);
    ew_registry_fini(&fixture->registry);
    ew_str_fini(&fixture->log);
    ew_platform_free(fixture->platform);
    ew_graph_free(fixture->graph);
}

const char *test_plugin_path(const char *name)
{
    static char path[4096];
    (void)snprintf(path, sizeof path, "%s/tests/plugins/%s.so", EW_BINARY_DIR, name);
    return path;
}

static struct ew_strategy_ref find(const struct ew_plugin *plugin, const char *id)
{
    for (uint32_t i = 0; i < plugin->count; i++) {
        if (strcmp(plugin->infos[i]->id, id) == 0) {
            return (struct ew_strategy_ref){plugin, plugin->infos[i]};
        }
    }
    ck_abort_msg("%s: no strategy '%s'", plugin->path, id);
    return (struct ew_strategy_ref){0};
}

struct ew_strategy_ref plugin_fixture_use(struct plugin_fixture *fixture, const char *file,
                                          const char *id, bool is_trusted,
                                          const char *const *settings)
{
    const struct ew_plugin *plugin = NULL;
    ck_assert_msg(ew_registry_open(&plugin, &fixture->registry, test_plugin_path(file), is_trusted,
                                   &fixture->err) == EW_OK,
                  "%s", fixture->err.message);
    struct ew_strategy_ref ref = find(plugin, id);
    struct ew_param_setting list[8];
    char names[8][32];
    size_t n = 0;
    for (; settings && settings[n]; n++) {
        const size_t length = strcspn(settings[n], "=");
        ck_assert_uint_lt(n, 8);
        (void)snprintf(names[n], sizeof names[n], "%.*s", (int)length, settings[n]);
        list[n] = (struct ew_param_setting){names[n], settings[n] + length + 1};
    }
    ew_params_fini(&fixture->params);
    ck_assert_msg(ew_params_make(&fixture->params, ref.info, list, n, &fixture->err) == EW_OK, "%s",
                  fixture->err.message);
    return ref;
}
