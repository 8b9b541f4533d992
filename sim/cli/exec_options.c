#include "cli/exec_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/options.h"
#include "engine/exec/kernel/kernel.h"
#include "engine/exec/net.h"
#include "io/workers_json.h"

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
    struct ew_str ids = {0};
    size_t n = 0;
    for (; ew_kernels_at((uint32_t)n); n++) {
        ew_str_printf(&ids, "%s'%s'", n ? ", " : "", ew_kernels_at((uint32_t)n)->id);
    }
    const char *near = ew_nearest_name(id, n, kernels_name_at, NULL);
    const enum ew_status status = ew_fail(err, EW_EUSAGE, "no kernels '%s' in this build; %s%s%s",
                                          id, near ? "did you mean '" : "there are ",
                                          near ? near : ew_str_text(&ids), near ? "'?" : "");
    ew_str_fini(&ids);
    return status;
}

/* The token: first line of its file. */
static enum ew_status read_token(const char **out, const char *path, struct ew_arena *arena,
                                 struct ew_error *err)
{
    enum { MAX_TOKEN_FILE_BYTES = 4096 };
    char unused[EW_TOKEN_BYTES];
    char *text = NULL;
    size_t size = 0;
    enum ew_status status = ew_file_read(&text, &size, path, MAX_TOKEN_FILE_BYTES, err);
    status = status ? status : ew_net_parse_token(unused, text, path, err);
    if (status == EW_OK) {
        *out = ew_arena_strdup(arena, text);
        status = *out ? EW_OK : ew_fail_memory(err);
    }
    free(text);
    return status;
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

/* Pieces go from board to board: an address of this machine for itself leads others to themselves.
 */
static void warn_of_loopback(struct ew_cli *cli, const char *path,
                             const struct ew_exec_options *options)
{
    const struct ew_exec_host *loopback = NULL, *other = NULL;
    for (uint32_t i = 0; i < options->n_hosts; i++) {
        const struct ew_exec_host *host = &options->hosts[i];
        loopback = !loopback && is_loopback(host->host) ? host : loopback;
        other = !other && !is_loopback(host->host) ? host : other;
    }
    if (loopback && other) {
        ew_cli_warn(cli,
                    "%s: workers on other machines than this cannot reach the one of '%s' at '%s'; "
                    "give its address in the network that '%s' is in",
                    path, loopback->device, loopback->host, other->host);
    }
}

/* A worker for every device of the platform, and the token that they share. */
static enum ew_status read_workers(struct ew_exec_options *out, struct ew_session *session,
                                   const char *path, struct ew_error *err)
{
    struct ew_arena *arena = &session->exec_arena;
    const struct ew_platform *platform = session->setup.platform;
    struct ew_workers_file file = {0};
    enum ew_status status = ew_workers_load_json(&file, path, arena, err);
    status = status ? status : read_token(&out->token_hex, file.token_file, arena, err);
    struct ew_exec_host *hosts =
        status ? NULL : ew_arena_calloc(arena, file.n_hosts, sizeof *hosts);
    if (status == EW_OK && !hosts) {
        status = ew_fail_memory(err);
    }
    for (uint32_t i = 0; status == EW_OK && i < file.n_hosts; i++) {
        uint32_t device;
        hosts[i] =
            (struct ew_exec_host){file.hosts[i].device, file.hosts[i].host, file.hosts[i].port};
        if (!ew_platform_find_device(&device, platform, hosts[i].device)) {
            status = ew_fail(err, EW_EINPUT, "%s: worker for '%s', which is no device of %s", path,
                             hosts[i].device, platform->path);
        }
    }
    if (status == EW_OK && file.n_hosts < platform->n_devices) {
        for (uint32_t d = 0; d < platform->n_devices && status == EW_OK; d++) {
            bool is_there = false;
            for (uint32_t i = 0; i < file.n_hosts; i++) {
                is_there = is_there || strcmp(hosts[i].device, platform->devices[d].name) == 0;
            }
            if (!is_there) {
                status = ew_fail(err, EW_EINPUT, "%s: no worker for device '%s'", path,
                                 platform->devices[d].name);
            }
        }
    }
    out->hosts = hosts;
    out->n_hosts = file.n_hosts;
    out->is_emulated = false;
    if (status == EW_OK) {
        warn_of_loopback(session->cli, path, out);
    }
    return status;
}

static enum ew_status read_network(bool *has_kernel_links, struct ew_cli *cli, struct ew_error *err)
{
    const struct ew_arg *network = ew_args_last(&cli->args, EW_OPTION_NETWORK);
    *has_kernel_links = network && strcmp(network->value, "netns") == 0;
    if (!network || (!*has_kernel_links && strcmp(network->value, "emulated") == 0)) {
        return EW_OK;
    }
    ew_options_blame(cli, EW_OPTION_NETWORK);
    if (!*has_kernel_links) {
        return ew_fail(err, EW_EUSAGE,
                       "option '--network': expected 'emulated' or 'netns', found '%s'",
                       network->value);
    }
    if (ew_args_last(&cli->args, EW_OPTION_MEASURED) ||
        ew_args_last(&cli->args, EW_OPTION_WORKERS)) {
        return ew_fail(err, EW_EUSAGE,
                       "option '--network netns' emulates; expected neither --measured nor "
                       "--workers beside it");
    }
    cli->blame = -1;
    return EW_OK;
}

static enum ew_status read_pin(bool *out, struct ew_cli *cli, struct ew_error *err)
{
    const struct ew_arg *pin = ew_args_last(&cli->args, EW_OPTION_PIN);
    const bool is_auto = !pin || strcmp(pin->value, "auto") == 0;
    *out = is_auto;
    if (is_auto || strcmp(pin->value, "none") == 0) {
        return EW_OK;
    }
    ew_options_blame(cli, EW_OPTION_PIN);
    return ew_fail(err, EW_EUSAGE, "option '--pin': expected 'auto' or 'none', found '%s'",
                   pin->value);
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
    };
    const struct ew_arg *workers = ew_args_last(&cli->args, EW_OPTION_WORKERS);
    bool has_images = false;
    enum ew_status status = check_kernels(cli, out->kernels, err);
    status = status ? status : read_pin(&out->is_pinned, cli, err);
    status = status ? status : read_network(&out->has_kernel_links, cli, err);
    if (status == EW_OK && workers) {
        status = read_workers(out, session, workers->value, err);
    } else if (status == EW_OK && !out->worker_path) {
        status =
            ew_fail(err, EW_EENGINE, "expected edgeweave-worker beside this program, found none");
    }
    status =
        status ? status
               : ew_exec_images_read(&session->exec_images, &has_images, cli, &session->setup, err);
    out->inputs = has_images ? &session->exec_images.inputs : NULL;
    status = status ? status
                    : ew_options_number(&out->stall_limit_s, cli, EW_OPTION_STALL_LIMIT, 1e-3, 1e9,
                                        60, err);
    return status ? status
                  : ew_options_number(&out->dilation, cli, EW_OPTION_DILATION, 0, 1e6, 0, err);
}

const char *ew_exec_network_name(const struct ew_exec_options *options)
{
    return options->n_hosts            ? "cluster"
           : !options->is_emulated     ? "measured"
           : options->has_kernel_links ? "netns"
                                       : "emulated";
}
