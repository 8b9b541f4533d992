#include "cli/help.h"

#include <string.h>

enum { WIDTH = 100, OPTION_COLUMN = 6, TEXT_COLUMN = 14 };

void ew_help_wrap(struct ew_str *out, const char *text, size_t indent)
{
    size_t column = 0;
    while (*text) {
        const size_t word = strcspn(text, " ");
        if (column && column + 1 + word > WIDTH) {
            ew_str_append(out, "\n");
            column = 0;
        }
        if (column) {
            ew_str_append(out, " ");
            column++;
        } else {
            ew_str_printf(out, "%*s", (int)indent, "");
            column = indent;
        }
        ew_str_append_n(out, text, word);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    ew_str_append(out, "\n");
}

void ew_help_program(struct ew_str *out)
{
    ew_str_append(out, "EdgeWeave compares ways of spreading one DNN inference over several edge "
                       "devices.\n\n"
                       "usage: edgeweave COMMAND [ARGUMENTS] [OPTIONS]\n\n"
                       "commands:\n");
    for (const struct ew_command *c = ew_commands; c->name; c++) {
        ew_str_printf(out, "  %-*s%s\n", TEXT_COLUMN, c->name, c->summary);
    }
    ew_str_append(out,
                  "\nHelp on a command: edgeweave help COMMAND\n"
                  "First steps:       edgeweave compare --graph vgg16 --platform demo\n\n"
                  "exit codes: 0 ok, 1 ran but a requirement is not met or a strategy failed,\n"
                  "            2 usage, 3 invalid input, 4 plugin, 5 engine, 6 input/output,\n"
                  "            130 interrupted\n");
}

static void print_option(struct ew_str *out, const struct ew_option *option)
{
    ew_str_append(out, "  ");
    if (option->letter) {
        ew_str_printf(out, "-%c, ", option->letter);
    } else {
        ew_str_printf(out, "%*s", OPTION_COLUMN - 2, "");
    }
    ew_str_printf(out, "--%s%s%s\n", option->name, option->value ? " " : "",
                  option->value ? option->value : "");
    ew_help_wrap(out, option->doc, TEXT_COLUMN);
}

struct section {
    const char *title;
    unsigned groups;
};

static void print_options(struct ew_str *out, const struct ew_command *command)
{
    static const struct section sections[] = {
        {"problem", EW_GROUP_PROBLEM | EW_GROUP_GRAPH},
        {"strategy", EW_GROUP_STRATEGY | EW_GROUP_PLAN_IN | EW_GROUP_PARAM},
        {"requests and requirements", EW_GROUP_WORKLOAD},
        {"engine", EW_GROUP_ENGINE | EW_GROUP_EXEC | EW_GROUP_DRAWS | EW_GROUP_REGRET},
        {"calibration", EW_GROUP_CALIBRATE | EW_GROUP_PROBE},
        {"import", EW_GROUP_IMPORT | EW_GROUP_CONVERT},
        {"sweep", EW_GROUP_SWEEP},
        {"explain", EW_GROUP_EXPLAIN},
        {"plot", EW_GROUP_PLOT},
        {"report", EW_GROUP_REPORT},
        {"export", EW_GROUP_EXPORT},
        {"output", EW_GROUP_OUTPUT | EW_GROUP_OUT | EW_GROUP_TRACE | EW_GROUP_PLAN_OUT |
                       EW_GROUP_PRINT | EW_GROUP_JSON | EW_GROUP_CSV},
        {"general",
         EW_GROUP_JOBS | EW_GROUP_QUICK | EW_GROUP_SEARCH | EW_GROUP_CACHE | EW_GROUP_COMMON},
    };
    unsigned shown = 0; /* groups of earlier sections: an option stands in its first one */
    for (size_t s = 0; s < sizeof sections / sizeof *sections; s++) {
        bool has_title = false;
        for (int i = 0; i < EW_OPTION_COUNT; i++) {
            const unsigned groups = ew_options[i].groups & command->groups;
            if (!(groups & sections[s].groups) || (groups & shown)) {
                continue;
            }
            if (!has_title) {
                ew_str_printf(out, "\n%s options:\n", sections[s].title);
                has_title = true;
            }
            print_option(out, &ew_options[i]);
        }
        shown |= sections[s].groups;
    }
}

static void print_examples(struct ew_str *out, const char *examples)
{
    if (!*examples) {
        return;
    }
    ew_str_append(out, "\nexamples:\n");
    while (*examples) {
        const size_t n = strcspn(examples, "\n");
        ew_str_append(out, "  edgeweave ");
        ew_str_append_n(out, examples, n);
        ew_str_append(out, "\n");
        examples += n + (examples[n] == '\n');
    }
}

void ew_help_command(struct ew_str *out, const struct ew_command *command)
{
    ew_str_printf(out, "usage: edgeweave %s%s%s [OPTIONS]\n\n%s.\n", command->name,
                  *command->arguments ? " " : "", command->arguments, command->summary);
    if (*command->details) {
        ew_str_printf(out, "\n%s", command->details);
    }
    print_options(out, command);
    print_examples(out, command->examples);
}
