/*
 * Session: everything that run, compare and plan have open. Scenario, platform and graphs,
 * strategies and their parameters, the evaluator.
 */
#ifndef EW_CLI_SESSION_H
#define EW_CLI_SESSION_H

#include "cli/cli.h"
#include "cli/exec_images.h"
#include "sweep/point.h"
#include "sweep/simgrid_load.h"

/** Zero-initialise; free with ew_session_fini in any case. */
struct ew_session {
    struct ew_cli *cli;
    struct ew_scenario scenario;
    struct ew_simgrid simgrid;
    struct ew_platform_source source;
    struct ew_setup setup;
    struct ew_registry registry;
    struct ew_contenders contenders;
    struct ew_evaluator *evaluator;
    double plan_limit_s;
    struct ew_point_config config;
    struct ew_arena exec_arena; /**< of the options of real execution */
    struct ew_exec_images exec_images;
    size_t n_points;
    const struct ew_contender **makers; /**< [n_points][n_workloads]; NULL: a plan file */
};

/** Where platforms are read from, by the paths and options of `cli`. `simgrid` is filled. */
struct ew_platform_source ew_session_source(const struct ew_cli *cli, struct ew_simgrid *simgrid);

/** Put the directories and files of `cli` into a registry. */
enum ew_status ew_session_registry(struct ew_registry *registry, struct ew_cli *cli,
                                   struct ew_error *err);

/** Report a plugin that cannot be used: for the `problem` callbacks of the registry. `ctx` is the
 *  struct ew_cli. */
void ew_session_plugin_problem(void *ctx, const char *message);

/** Open all of it. `is_one`: there must be exactly one strategy; otherwise all are the default. On
 *  failure cli->blame points at the word that is wrong, if it is one. */
enum ew_status ew_session_open(struct ew_session *session, struct ew_cli *cli, bool is_one,
                               struct ew_error *err);
void ew_session_fini(struct ew_session *session);

/** Who plans the workloads of a point: an array of n_workloads. */
const struct ew_contender *const *ew_session_makers(const struct ew_session *session, size_t point);

/** A name for the point before it is planned: the strategy of the first workload that takes part.
 */
const char *ew_session_point_name(const struct ew_session *session, size_t point);

/** Requests of all workloads of a point. */
uint64_t ew_session_requests(const struct ew_session *session);

/** Find the engine that the scenario asks for. Options that only real execution has must not stand
 *  beside another one. */
enum ew_status ew_session_engine(const struct ew_engine **out, struct ew_session *session,
                                 struct ew_error *err);

#endif
