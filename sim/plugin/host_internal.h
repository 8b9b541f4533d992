/*
 * Inside of the host: shared by host.c (life cycle), host_views.c (problem views and estimates) and
 * host_builder.c (plan building). Nobody else includes this.
 */
#ifndef EW_PLUGIN_HOST_INTERNAL_H
#define EW_PLUGIN_HOST_INTERNAL_H

#include "base/rng.h"
#include "plan/builder.h"
#include "plugin/host.h"

/** Views of one variant's graph. */
struct host_variant {
    struct ew_graph_info info;
    struct ew_layer_info *layers;
    struct ew_exit_info *exits;
};

struct ew_instance {
    struct ew_arena arena;
    const struct ew_strategy_info *info;
    const struct ew_params *params;
    const struct ew_problem *problem;
    const struct ew_host_services *services;
    struct ew_host host;
    struct ew_plan_builder abi_builder;
    struct ew_strategy *strategy;
    struct ew_builder *builder;
    struct ew_rng rng;
    struct ew_error error;    /**< first failure recorded in the current call */
    int32_t fail_code;        /**< code of the strategy's own fail call; 0: none */
    bool is_planning;         /**< views and builder answer only now */
    uint64_t n_evaluations;
    struct host_variant *variants;
    struct ew_device_info *devices;
    struct ew_link_info **links; /**< rows made on demand */
    struct ew_requirements_info requirements;
};

/** Instance behind a host or builder pointer that a plugin passed; NULL when it passed NULL. */
struct ew_instance *host_instance(const struct ew_host *host);

/** Record a failure (the first one is kept) and translate it for the plugin. */
int32_t host_record(struct ew_instance *instance, const struct ew_error *error);
int32_t host_refuse(struct ew_instance *instance, const char *message);

/** host_views.c */
enum ew_status host_views_init(struct ew_instance *instance, struct ew_error *err);
void host_views_bind(struct ew_host *host);

/** host_builder.c */
void host_builder_bind(struct ew_instance *instance);

#endif
