/*
 * Does a plugin keep its side of include/edgeweave/strategy.h? What `edgeweave plugin-check` does.
 *
 * Looks at the file, opens it, and lets every strategy plan a handful of small problems: twice,
 * with every parameter at its ends, with a host that refuses, with allocations that fail.
 * Everything that runs plugin code runs in a child with a time limit, so that nothing a plugin does
 * ends the check.
 */
#ifndef EW_PLUGIN_PLUGIN_CHECK_H
#define EW_PLUGIN_PLUGIN_CHECK_H

#include "base/arena.h"
#include "base/status.h"
#include "base/vec.h"
#include "plugin/host.h"

enum ew_verdict { EW_VERDICT_PASS, EW_VERDICT_FAIL, EW_VERDICT_SKIP };

/** "PASS", "FAIL", "SKIP". */
extern const char *const ew_verdict_names[3];

/** One thing that was looked at. */
struct ew_finding {
    enum ew_verdict verdict;
    const char *strategy; /**< id; "" when it is about the file */
    const char *check;    /**< short and stable, e.g. "plans chain twice alike" */
    const char *detail;   /**< why it failed or was skipped, or a fact; "" for nothing to say */
};

/** Zero-initialise; free with ew_check_report_fini. */
struct ew_check_report {
    struct ew_arena arena;
    EW_VEC(struct ew_finding) findings;
    uint32_t counts[3]; /**< by verdict */
};

void ew_check_report_fini(struct ew_check_report *report);

struct ew_check_options {
    /** evaluate must serve problems on any platform; NULL members are fine. `log` is not used. */
    const struct ew_host_services *services;
    double open_limit_s; /**< 0: 5 */
    double plan_limit_s; /**< per child; 0: 60 */
    /** Values to check with instead of defaults, for strategies that have such parameters. A later
     *  one with the same name counts. */
    const struct ew_param_setting *settings;
    size_t n_settings;
};

/** Check the plugin at `path`. EW_OK when the check could be carried out, whatever it found: look
 * at counts[EW_VERDICT_FAIL]. The same plugin gives the same report, byte for byte. EW_EINPUT:
 * there is no such file. EW_EUSAGE: no strategy has a parameter that is set. EW_ENOMEM, EW_EIO, EW_EINTR. */
enum ew_status ew_plugin_check(struct ew_check_report *report, const char *path,
                               const struct ew_check_options *options, struct ew_error *err);

#endif
