/*
 * Options -> scenario: what the words on the command line mean.
 */
#ifndef EW_CLI_OPTIONS_H
#define EW_CLI_OPTIONS_H

#include "cli/cli.h"
#include "model/scenario.h"

/** The scenario of a command: from the file given as first positional argument, if `takes_file` and
 *  there is one, with options on top. Names of graphs and platforms become paths. On failure
 *  cli->blame points at the word that is wrong, if it is one. Free with ew_scenario_fini. */
enum ew_status ew_options_scenario(struct ew_scenario *out, struct ew_cli *cli, bool takes_file,
                                   struct ew_error *err);

/** Turn names of graphs and platforms into paths. EW_EUSAGE or, for a name from a file, EW_EINPUT.
 */
enum ew_status ew_options_find_files(struct ew_scenario *scenario, struct ew_cli *cli,
                                     struct ew_error *err);

/** The number given with an option, `fallback` without it. EW_EUSAGE when it is not in range. */
enum ew_status ew_options_number(double *out, struct ew_cli *cli, enum ew_option_id option,
                                 double min, double max, double fallback, struct ew_error *err);

/** Point at the last use of an option, if it was used. */
void ew_options_blame(struct ew_cli *cli, enum ew_option_id option);

/** A name that nobody knows is a usage error on the command line, but an input error in a scenario
 *  file: returns `status` or what it becomes, given that cli->blame is set to the word, if any. */
enum ew_status ew_options_unknown(const struct ew_cli *cli, const struct ew_scenario *scenario,
                                  enum ew_status status, struct ew_error *err);

#endif
