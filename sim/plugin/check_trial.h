/*
 * The child's side of plugin-check: one strategy, one problem, one thing tried.
 */
#ifndef EW_PLUGIN_CHECK_TRIAL_H
#define EW_PLUGIN_CHECK_TRIAL_H

#include "plugin/loader.h"
#include "plugin/plugin_check.h"

/** What is tried. */
enum ew_trial_kind {
    EW_TRIAL_DESCRIBE, /**< descriptors are the same every time */
    EW_TRIAL_CREATE,   /**< make and destroy, without planning */
    EW_TRIAL_PLAN,     /**< plan twice with one object, once with another */
    EW_TRIAL_SETTING,  /**< plan with one parameter set */
    EW_TRIAL_FAULT,    /**< plan with a host that fails */
    EW_TRIAL_LEAK,     /**< plan often and look at the heap */
    EW_TRIAL_OBSERVE,  /**< plan and observe, twice; SKIP: no online extension */
};

/** One trial; all borrowed. */
struct ew_trial {
    enum ew_trial_kind kind;
    struct ew_strategy_ref strategy;
    const struct ew_host_services *services;
    uint32_t problem;                /**< index of a check problem */
    const struct ew_param_setting *base; /**< instead of defaults */
    size_t n_base;
    struct ew_param_setting setting; /**< EW_TRIAL_SETTING: on top of these */
    enum ew_fault fault;             /**< EW_TRIAL_FAULT */
    uint64_t fault_at;               /**< EW_TRIAL_FAULT; 0: only count the calls */
};

/** How a trial ended, sent from the child as bytes. */
struct ew_trial_result {
    uint32_t verdict;     /**< enum ew_verdict; SKIP: the strategy cannot serve the problem */
    uint32_t is_same;     /**< EW_TRIAL_PLAN: every plan was the same */
    uint32_t has_printed; /**< something came out of standard output */
    uint32_t reserved;
    uint64_t n_calls; /**< EW_TRIAL_FAULT: calls of that kind */
    char detail[512];
};

/** Run a trial in a child. EW_EPLUGIN: the child died, err says how. */
enum ew_status ew_trial_run(struct ew_trial_result *out, const struct ew_trial *trial,
                            double limit_s, struct ew_error *err);

#endif
