#include "sweep/contender.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum ew_status ew_contenders_add(struct ew_contenders *list, struct ew_registry *registry,
                                 const char *id, size_t *index, struct ew_error *err)
{
    struct ew_contender contender = {0};
    const enum ew_status status = ew_registry_find(&contender.ref, registry, id, err);
    if (status != EW_OK) {
        return status;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].ref.info == contender.ref.info) {
            *index = i;
            return EW_OK;
        }
    }
    if (!ew_vec_push(list, contender)) {
        return ew_fail_memory(err);
    }
    *index = list->count - 1;
    return EW_OK;
}

/* Where ew_registry_each puts what it finds. */
struct gather {
    struct ew_contenders *list;
    bool is_out_of_memory;
    void (*problem)(void *ctx, const char *message);
    void *ctx;
};

static void gather_one(void *ctx, const struct ew_strategy_ref *ref)
{
    struct gather *g = ctx;
    const struct ew_contender contender = {.ref = *ref};
    g->is_out_of_memory = g->is_out_of_memory || !ew_vec_push(g->list, contender);
}

static void pass_on_problem(void *ctx, const char *message)
{
    const struct gather *g = ctx;
    if (g->problem) {
        g->problem(g->ctx, message);
    }
}

enum ew_status ew_contenders_add_all(struct ew_contenders *list, struct ew_registry *registry,
                                     void (*problem)(void *ctx, const char *message), void *ctx,
                                     struct ew_error *err)
{
    struct gather g = {.list = list, .problem = problem, .ctx = ctx};
    const enum ew_status status = ew_registry_each(registry, gather_one, pass_on_problem, &g, err);
    return status == EW_OK && g.is_out_of_memory ? ew_fail_memory(err) : status;
}

/* --- parameters ------------------------------------------------------------------------------ */

static bool has_param(const struct ew_strategy_info *info, const char *name)
{
    for (uint32_t i = 0; i < info->param_count; i++) {
        if (strcmp(info->params[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_for(const struct ew_scenario_param *setting, const struct ew_contender *contender)
{
    const struct ew_strategy_info *info = contender->ref.info;
    return setting->strategy ? strcmp(setting->strategy, info->id) == 0
                             : has_param(info, setting->name);
}

static const char *contender_id_at(const void *ctx, size_t i)
{
    return ((const struct ew_contenders *)ctx)->items[i].ref.info->id;
}

struct param_names {
    const char **items;
    size_t count;
    size_t capacity;
};

static const char *param_name_at(const void *ctx, size_t i)
{
    return ((const struct param_names *)ctx)->items[i];
}

/* The parameter of any contender whose name is nearest, or NULL. */
static const char *nearest_param(const struct ew_contenders *list, const char *name)
{
    struct param_names names = {0};
    for (size_t i = 0; i < list->count; i++) {
        const struct ew_strategy_info *info = list->items[i].ref.info;
        for (uint32_t k = 0; k < info->param_count; k++) {
            (void)ew_vec_push(&names, info->params[k]->name); /* fewer suggestions at worst */
        }
    }
    const char *near = ew_nearest_name(name, names.count, param_name_at, &names);
    ew_vec_fini(&names);
    return near;
}

static enum ew_status nobody_wants(const struct ew_contenders *list,
                                   const struct ew_scenario_param *setting, struct ew_error *err)
{
    const char *near;
    if (setting->strategy) {
        near = ew_nearest_name(setting->strategy, list->count, contender_id_at, list);
        return ew_fail(err, EW_EUSAGE, "parameter '%s': strategy '%s' does not take part%s%s%s",
                       setting->name, setting->strategy, near ? "; did you mean '" : "",
                       near ? near : "", near ? "'?" : "");
    }
    near = nearest_param(list, setting->name);
    if (list->count == 1) {
        const char *id = list->items[0].ref.info->id;
        return ew_fail(err, EW_EUSAGE, "strategy '%s' has no parameter '%s'%s%s%s", id,
                       setting->name, near ? "; did you mean '" : "", near ? near : "",
                       near ? "'?" : "");
    }
    return ew_fail(err, EW_EUSAGE, "none of the strategies has a parameter '%s'%s%s%s",
                   setting->name, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
}

static enum ew_status describe_params(struct ew_contender *contender, struct ew_error *err)
{
    struct ew_str text = {0};
    ew_str_append(&text, "");
    for (uint32_t i = 0; i < contender->params.count; i++) {
        const struct ew_param_value *value = &contender->params.values[i];
        ew_str_printf(&text, "%s%s=%s", i ? " " : "", value->info->name, value->text);
    }
    if (text.failed) {
        ew_str_fini(&text);
        return ew_fail_memory(err);
    }
    contender->params_text = text.text;
    return EW_OK;
}

/* Check the settings one by one, so that a bad one can be pointed at, then keep them all. */
static enum ew_status set_params(struct ew_contender *contender,
                                 const struct ew_scenario_param *settings, uint32_t n,
                                 uint32_t *bad, struct ew_error *err)
{
    struct ew_param_setting *mine = calloc((size_t)n + 1, sizeof *mine);
    enum ew_status status = mine ? EW_OK : ew_fail_memory(err);
    uint32_t n_mine = 0;
    for (uint32_t i = 0; status == EW_OK && i < n; i++) {
        if (!is_for(&settings[i], contender)) {
            continue;
        }
        struct ew_params trial;
        mine[n_mine] = (struct ew_param_setting){settings[i].name, settings[i].value};
        status = ew_params_make(&trial, contender->ref.info, &mine[n_mine++], 1, err);
        if (status == EW_OK) {
            ew_params_fini(&trial);
        } else {
            *bad = i;
        }
    }
    if (status == EW_OK) {
        status = ew_params_make(&contender->params, contender->ref.info, mine, n_mine, err);
    }
    free(mine);
    return status == EW_OK ? describe_params(contender, err) : status;
}

enum ew_status ew_contenders_set_params(struct ew_contenders *list,
                                        const struct ew_scenario_param *settings, uint32_t n,
                                        uint32_t *bad, struct ew_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        bool is_wanted = false;
        for (size_t k = 0; k < list->count; k++) {
            is_wanted = is_wanted || is_for(&settings[i], &list->items[k]);
        }
        if (!is_wanted) {
            *bad = i;
            return nobody_wants(list, &settings[i], err);
        }
    }
    enum ew_status status = EW_OK;
    for (size_t k = 0; status == EW_OK && k < list->count; k++) {
        status = set_params(&list->items[k], settings, n, bad, err);
    }
    return status;
}

void ew_contenders_fini(struct ew_contenders *list)
{
    for (size_t i = 0; i < list->count; i++) {
        ew_params_fini(&list->items[i].params);
        free(list->items[i].params_text);
    }
    ew_vec_fini(list);
}
