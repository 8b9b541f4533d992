#include "sweep/simgrid_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct ew_engine_info ew_engine_infos[3] = {
    {"simgrid", "SimGrid 3.32: the reference; a fluid network with max-min fair sharing"},
    {"fast", "an event heap of our own with the same semantics: for sweeps and planners"},
    {"exec", "real worker processes, tensors and sockets, paced to the modelled speed"},
};

/* The version of the library that the module brought along. */
static void read_version(struct ew_simgrid *simgrid, void *handle)
{
    void (*get)(int *major, int *minor, int *patch) = NULL;
    void *symbol = dlsym(handle, "sg_version_get");
    memcpy(&get, &symbol, sizeof get); /* ISO C has no cast from object to function pointer */
    if (get) {
        int major = 0, minor = 0, patch = 0;
        get(&major, &minor, &patch);
        (void)snprintf(simgrid->version, sizeof simgrid->version, "%d.%d.%d", major, minor, patch);
    }
}

enum ew_status ew_simgrid_open(struct ew_simgrid *simgrid, struct ew_error *err)
{
    if (simgrid->module) {
        return EW_OK;
    }
    if (!simgrid->path) {
        return ew_fail(err, EW_EENGINE,
                       "expected the SimGrid module in the lib/edgeweave directory of this "
                       "installation, found none");
    }
    void *handle = dlopen(simgrid->path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *why = dlerror();
        return ew_fail(err, EW_EENGINE, "cannot open the SimGrid module: %s",
                       why ? why : simgrid->path);
    }
    const struct ew_simgrid_module *module = dlsym(handle, EW_SIMGRID_MODULE_SYMBOL);
    if (!module || module->struct_size != sizeof *module) {
        return ew_fail(err, EW_EENGINE,
                       "%s: expected the SimGrid module of this very version of edgeweave",
                       simgrid->path);
    }
    simgrid->module = module;
    read_version(simgrid, handle);
    return EW_OK;
}

static const char *engine_id_at(const void *ctx, size_t i)
{
    return ((const struct ew_engine_info *)ctx)[i].id;
}

enum ew_status ew_engine_find(const struct ew_engine **out, struct ew_simgrid *simgrid,
                              const char *id, struct ew_error *err)
{
    if (strcmp(id, ew_engine_fast.id) == 0) {
        *out = &ew_engine_fast;
        return EW_OK;
    }
    if (strcmp(id, ew_engine_exec.id) == 0) {
        *out = &ew_engine_exec;
        return EW_OK;
    }
    if (strcmp(id, ew_engine_infos[0].id) == 0) {
        const enum ew_status status = ew_simgrid_open(simgrid, err);
        if (status == EW_OK) {
            *out = simgrid->module->engine;
        }
        return status;
    }
    const char *near = ew_nearest_name(id, 3, engine_id_at, ew_engine_infos);
    return ew_fail(err, EW_EINPUT, "unknown engine '%s'; expected 'simgrid', 'fast' or 'exec'%s%s%s", id,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}
