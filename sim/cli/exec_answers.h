/*
 * Answers of a real execution as files: --save-outputs. DIR/LAYER.npy holds what a layer of the
 * network's exit gave, a row for every image of every request, in the order of the requests; with
 * several workloads each has a directory of its own.
 */
#ifndef EW_CLI_EXEC_ANSWERS_H
#define EW_CLI_EXEC_ANSWERS_H

#include "cli/cli.h"
#include "engine/exec/exec.h"
#include "sweep/setup.h"

struct ew_exec_answers;

/** Make the directory. EW_EIO. Free with ew_exec_answers_free. */
enum ew_status ew_exec_answers_new(struct ew_exec_answers **out, const char *dir,
                                   const struct ew_setup *setup, struct ew_error *err);

/** Take an answer: for struct ew_exec_options, with the struct ew_exec_answers as `ctx`. What goes
 *  wrong is told by ew_exec_answers_publish. */
void ew_exec_answers_take(void *ctx, const struct ew_exec_answer *answer);

/** The run is over: the files get their names. Rows of images without an answer are NaN. EW_EIO. */
enum ew_status ew_exec_answers_publish(struct ew_exec_answers *answers, const struct ew_cli *cli,
                                       struct ew_error *err);

/** Accepts NULL; what was not published is removed. */
void ew_exec_answers_free(struct ew_exec_answers *answers);

#endif
