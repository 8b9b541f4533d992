#include <stdio.h>

#include "cli/cli.h"
#include "results/store.h"

static enum ew_status merge_all(struct ew_store *store, struct ew_cli *cli, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (size_t i = 0; status == EW_OK && i < cli->args.n_positionals; i++) {
        cli->blame = cli->args.positionals[i].at;
        status = ew_store_merge(store, cli->args.positionals[i].value, err);
    }
    if (status == EW_OK) {
        cli->blame = -1;
    }
    return status;
}

enum ew_status ew_cmd_merge(struct ew_cli *cli, struct ew_error *err)
{
    const struct ew_arg *output = ew_cli_output(cli);
    struct ew_store *store = NULL;
    struct ew_store_counts counts = {0};
    enum ew_status status = ew_cli_expect_positionals(cli, 1, SIZE_MAX, "stores to merge", err);
    if (status == EW_OK && !output) {
        status = ew_fail(err, EW_EUSAGE, "expected a file for the merged results; see --output");
    }
    if (status == EW_OK) {
        cli->blame = output->at;
        status = ew_store_open(&store, output->value, err);
    }
    if (status == EW_OK) {
        status = merge_all(store, cli, err);
    }
    if (status == EW_OK) {
        status = ew_store_count(&counts, store, err);
    }
    const enum ew_status closed = ew_store_close(store, status == EW_OK ? err : NULL);
    status = status == EW_OK ? closed : status;
    if (status == EW_OK && cli->verbosity != EW_QUIET) {
        fprintf(stderr, "%s: %llu points, %llu results, %llu failures\n", output->value,
                (unsigned long long)counts.points, (unsigned long long)counts.runs,
                (unsigned long long)counts.failures);
    }
    return status;
}
