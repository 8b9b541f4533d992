/*
 * Inside of the host: shared by host.c (life cycle and services), host_views.c (problem views and
 * estimates), host_builder.c (plan building) and host_text.c. Nobody else includes this.
 *
 * Everything a plugin passes is checked before it is used: pointers for NULL, ids for range,
 * structs for size, texts for length and control characters.
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

enum {
    HOST_MAX_TEXT = 4096,            /**< longest text taken from a plugin */
    HOST_MAX_STRUCT_BYTES = 1 << 16, /**< no struct of the ABI will ever be this large */
};

/** Who gave the reason that is recorded. */
enum host_reason { HOST_NO_REASON, HOST_OWN_REASON, HOST_STRATEGY_REASON };

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
    enum host_reason reason;
    int32_t fail_code;       /**< of the strategy's own reason */
    struct ew_error error;   /**< the last failure recorded in the current call */
    struct ew_error ignored; /**< first builder failure since the last reset */
    bool is_planning;        /**< views and builder answer only now */
    int32_t plan_code;       /**< what plan returned last */
    enum ew_fault fault;     /**< to be simulated */
    uint64_t fault_at;
    uint64_t n_calls[EW_FAULT_ALLOC + 1]; /**< by kind, during the last plan */
    uint64_t n_evaluations;
    uint64_t alloc_bytes; /**< handed out so far */
    uint32_t n_messages;  /**< logged so far */
    struct host_variant *variants;
    struct ew_device_info *devices;
    struct ew_link_info **links; /**< rows made on demand */
    struct ew_requirements_info requirements;
};

/** Instance behind a host pointer that a plugin passed; NULL when it passed NULL. */
struct ew_instance *host_instance(const struct ew_host *host);

/** Record a failure and translate it for the plugin. */
int32_t host_record(struct ew_instance *instance, const struct ew_error *error);
/** Record that the plugin passed something wrong; EW_STRATEGY_EINVALID. `instance` may be NULL. */
int32_t host_refuse(struct ew_instance *instance, const char *fmt, ...) EW_PRINTF(2, 3);

/** Count a call of this kind; true when it is to fail for a test. */
bool host_is_faulty(struct ew_instance *instance, enum ew_fault kind);

/** host_text.c: copy a plugin's text as one line of valid UTF-8: control characters become spaces,
 *  broken sequences '?'. Cut at `size` - 1 bytes; `text` is not read beyond that. Returns `out`, or
 *  NULL when `text` is NULL. */
const char *host_clean_text(char *out, size_t size, const char *text);

/** Why a call of the plugin failed. Only the strategy itself can say that it cannot serve. */
enum ew_status host_explain_failure(const struct ew_instance *instance, const char *call,
                                    int32_t code, struct ew_error *err);
/** Before a call of the plugin. */
void host_forget_failures(struct ew_instance *instance);
/** Turn what the builder holds into a checked book. */
enum ew_status host_take_book(struct ew_book **out, struct ew_instance *instance,
                              struct ew_error *err);

/** host_views.c */
/** The numbers of the problem's platform have changed, its ids have not. */
void host_views_refresh(struct ew_instance *instance);
enum ew_status host_views_init(struct ew_instance *instance, struct ew_error *err);
void host_views_bind(struct ew_host *host);

/** host_builder.c */
void host_builder_bind(struct ew_instance *instance);

#endif
