/*
 * A small problem, test plugins, and a host that remembers what strategies log.
 */
#ifndef EW_TESTS_PLUGIN_FIXTURE_H
#define EW_TESTS_PLUGIN_FIXTURE_H

#include "base/text.h"
#include "plugin/make_book.h"
#include "support/tiny.h"

/** Everything a test with plugins needs. */
struct plugin_fixture {
    struct ew_graph *graph;       /**< conv, relu, conv, fc */
    struct ew_platform *platform; /**< tiny_star */
    struct ew_problem problem;
    struct ew_host_services services; /**< evaluate: 10 s / (device + 1) of the first piece */
    struct ew_registry registry;
    struct ew_params params;
    struct ew_str log; /**< "level strategy: message\n" per message */
    uint32_t n_messages;
    struct ew_error err;
};

void plugin_fixture_init(struct plugin_fixture *fixture, uint32_t n_devices);
void plugin_fixture_fini(struct plugin_fixture *fixture);

/** Path of a test plugin; valid until the next call. */
const char *test_plugin_path(const char *name);

/** Open tests/plugins/FILE.so and take the strategy `id` with the settings "name=value" (ended by
 *  NULL; the list itself may be NULL) as fixture->params. Fails the test on error. */
struct ew_strategy_ref plugin_fixture_use(struct plugin_fixture *fixture, const char *file,
                                          const char *id, bool is_trusted,
                                          const char *const *settings);

#endif
