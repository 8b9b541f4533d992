/*
 * Images that the user gives to a real execution: --input.
 */
#ifndef EW_CLI_EXEC_IMAGES_H
#define EW_CLI_EXEC_IMAGES_H

#include "cli/cli.h"
#include "engine/exec/inputs.h"
#include "sweep/setup.h"

/** Zero-initialised is none; `inputs` looks into the rest. */
struct ew_exec_images {
    struct ew_exec_inputs inputs;
    uint32_t n;           /**< entries of the arrays below: the network's inputs */
    float **values;       /**< owned */
    uint64_t *n_elements; /**< owned; 0: no file yet */
};

/** Load the files of --input, one for every input of the network; *is_given is false without the
 *  option. EW_EUSAGE, or EW_EINPUT beginning with the file; cli->blame then points at it. Free with
 *  ew_exec_images_fini also after a failure. */
enum ew_status ew_exec_images_read(struct ew_exec_images *out, bool *is_given, struct ew_cli *cli,
                                   const struct ew_setup *setup, struct ew_error *err);

void ew_exec_images_fini(struct ew_exec_images *images);

#endif
