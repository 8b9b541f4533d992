/*
 * Contenders: the strategies of one command with their parameters, checked and completed.
 */
#ifndef EW_SWEEP_CONTENDER_H
#define EW_SWEEP_CONTENDER_H

#include "base/text.h"
#include "model/scenario.h"
#include "plugin/loader.h"
#include "plugin/params.h"

/** A strategy ready to be made. */
struct ew_contender {
    struct ew_strategy_ref ref;
    struct ew_params params;
    char *params_text; /**< "k=v k=v" in descriptor order, "" for none; owned */
};

/** Zero-initialise. */
struct ew_contenders {
    struct ew_contender *items;
    size_t count;
    size_t capacity;
};

/** Add the strategy `id` unless it is there; `index` receives its place. EW_EUSAGE when unknown,
 *  EW_EPLUGIN when its plugin is bad. */
enum ew_status ew_contenders_add(struct ew_contenders *list, struct ew_registry *registry,
                                 const char *id, size_t *index, struct ew_error *err);

/** Add every strategy there is, in id order; bad plugins go to `problem`. */
enum ew_status ew_contenders_add_all(struct ew_contenders *list, struct ew_registry *registry,
                                     void (*problem)(void *ctx, const char *message), void *ctx,
                                     struct ew_error *err);

/** Give every contender its parameters. A setting without strategy goes to all that have such a
 *  parameter. EW_EUSAGE for a parameter that nobody has, a strategy that does not take part, or a
 *  bad value; `*bad` is then the index of the setting. */
enum ew_status ew_contenders_set_params(struct ew_contenders *list,
                                        const struct ew_scenario_param *settings, uint32_t n,
                                        uint32_t *bad, struct ew_error *err);

void ew_contenders_fini(struct ew_contenders *list);

#endif
