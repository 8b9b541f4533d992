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

/** Point at the last use of an option, if it was used. */
void ew_options_blame(struct ew_cli *cli, enum ew_option_id option);

#endif
