#include "cli/exec_options.h"

#include <string.h>

#include "cli/options.h"
#include "engine/exec/kernel/kernel.h"

static const double stall_limit_s = 60;

static const char *kernels_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return ew_kernels_at((uint32_t)i)->id;
}

static enum ew_status check_kernels(struct ew_cli *cli, const char *id, struct ew_error *err)
{
    const struct ew_kernels *kernels = ew_kernels_find(id);
    if (kernels && kernels->is_available(kernels)) {
        return EW_OK;
    }
    ew_options_blame(cli, EW_OPTION_KERNELS);
    if (kernels) {
        return ew_fail(err, EW_ENOTSUP, "kernels '%s' do not run on this processor", id);
    }
    size_t n = 0;
    while (ew_kernels_at((uint32_t)n)) {
        n++;
    }
    const char *near = ew_nearest_name(id, n, kernels_name_at, NULL);
    return ew_fail(err, EW_EUSAGE, "no kernels '%s' in this build%s%s%s", id,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

enum ew_status ew_exec_options_read(struct ew_exec_options *out, struct ew_session *session,
                                    struct ew_error *err)
{
    struct ew_cli *cli = session->cli;
    const struct ew_arg *kernels = ew_args_last(&cli->args, EW_OPTION_KERNELS);
    const struct ew_arg *weights = ew_args_last(&cli->args, EW_OPTION_WEIGHTS);
    const bool is_random = weights && strcmp(weights->value, "random") == 0;
    *out = (struct ew_exec_options){
        .worker_path = cli->paths.worker,
        .kernels = kernels ? kernels->value : "reference",
        .weight_seed = session->scenario.seed,
        .has_random_weights = is_random,
        .weights_path = weights && !is_random ? weights->value : NULL,
        .input_seed = session->scenario.seed,
        .is_emulated = !ew_args_last(&cli->args, EW_OPTION_MEASURED),
        .stall_limit_s = stall_limit_s,
    };
    enum ew_status status = check_kernels(cli, out->kernels, err);
    if (status == EW_OK && !out->worker_path) {
        status =
            ew_fail(err, EW_EENGINE, "expected edgeweave-worker beside this program, found none");
    }
    return status ? status
                  : ew_options_number(&out->dilation, cli, EW_OPTION_DILATION, 0, 1e6, 0, err);
}

const char *ew_exec_network_name(const struct ew_exec_options *options)
{
    return options->is_emulated ? "emulated" : "measured";
}
