#include "cli/cli.h"
#include "cli/help.h"

enum ew_status ew_cmd_help(struct ew_cli *cli, struct ew_error *err)
{
    struct ew_str text = {0};
    enum ew_status status = ew_cli_expect_positionals(cli, 0, 1, "one command", err);
    if (status == EW_OK && cli->args.n_positionals == 0) {
        ew_help_program(&text);
    } else if (status == EW_OK) {
        const struct ew_arg *name = &cli->args.positionals[0];
        const struct ew_command *command = ew_command_find(name->value);
        if (command) {
            ew_help_command(&text, command);
        } else {
            cli->blame = name->at;
            status = ew_command_unknown(name->value, err);
        }
    }
    if (status == EW_OK) {
        status = ew_cli_put(&text, err);
    }
    ew_str_fini(&text);
    return status;
}
