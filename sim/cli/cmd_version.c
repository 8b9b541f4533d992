#include "base/json_writer.h"
#include "cli/cli.h"
#include "edgeweave/strategy.h"

#ifndef EW_VERSION
#error "the build must define EW_VERSION"
#endif

const char ew_version[] = EW_VERSION;

enum ew_status ew_cmd_version(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_str text = {0};
    enum ew_status status = ew_cli_expect_positionals(cli, 0, 0, "", err);
    if (cli->wants_json) {
        struct ew_json j = {.out = &text};
        ew_json_object_begin(&j);
        ew_json_kv_string(&j, "version", ew_version);
        ew_json_kv_i64(&j, "abi_major", EW_ABI_MAJOR);
        ew_json_kv_i64(&j, "abi_minor", EW_ABI_MINOR);
        ew_json_object_end(&j);
        ew_str_append(&text, "\n");
    } else {
        ew_str_printf(&text, "edgeweave %s (strategy ABI %d.%d)\n", ew_version, EW_ABI_MAJOR,
                      EW_ABI_MINOR);
    }
    if (status == EW_OK) {
        status = ew_cli_put(&text, err);
    }
    ew_str_fini(&text);
    return status;
}
