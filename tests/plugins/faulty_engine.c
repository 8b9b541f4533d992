/*
 * In the place of the SimGrid module: the real one, found as lib/simgrid_module.so in the current
 * directory, with an engine that by seed never finishes (2), dies (3) or hangs (4).
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/simgrid_module.h"

static const struct ew_simgrid_module *real_module(void)
{
    void *handle = dlopen("lib/simgrid_module.so", RTLD_NOW | RTLD_LOCAL);
    return handle ? dlsym(handle, EW_SIMGRID_MODULE_SYMBOL) : NULL;
}

static enum ew_status run(struct ew_run_facts *facts, const struct ew_run *run,
                          struct ew_error *err)
{
    const struct ew_simgrid_module *real = real_module();
    switch (run->seed) {
    case 2:
        return ew_fail(err, EW_EDEADLOCK, "3 requests never finished: no event is left");
    case 3:
        abort();
    case 4:
        for (;;) {
            (void)pause();
        }
    default:
        return real ? real->engine->run(facts, run, err)
                    : ew_fail(err, EW_EENGINE, "where is the real module?");
    }
}

static enum ew_status import(struct ew_platform **out, const char *xml_path,
                             const char *const *profile_dirs, size_t n_dirs, struct ew_error *err)
{
    const struct ew_simgrid_module *real = real_module();
    return real ? real->platform_import(out, xml_path, profile_dirs, n_dirs, err)
                : ew_fail(err, EW_EENGINE, "where is the real module?");
}

static enum ew_status prepare(const struct ew_platform *platform, const struct ew_net_model *net,
                              struct ew_error *err)
{
    const struct ew_simgrid_module *real = real_module();
    return real ? real->prepare(platform, net, err)
                : ew_fail(err, EW_EENGINE, "where is the real module?");
}

static const struct ew_engine engine = {.id = "simgrid", .summary = "faulty", .run = run};

extern const struct ew_simgrid_module ew_simgrid_module;

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct ew_simgrid_module ew_simgrid_module = {
    .struct_size = sizeof(struct ew_simgrid_module),
    .engine = &engine,
    .platform_import = import,
    .prepare = prepare,
};
