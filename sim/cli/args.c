#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const struct ew_option ew_options[EW_OPTION_COUNT] = {
#define X(id, name, letter, value, groups, doc)                                                    \
    [EW_OPTION_##id] = {name, letter, value, groups, doc},
    EW_OPTION_MAP(X)
#undef X
};

/* One run over argv. */
struct parser {
    struct ew_args *args;
    int argc;
    char *const *argv;
    int at;
    unsigned groups;
};

/* Names of the options that the command has, for suggestions. */
struct known {
    const char *names[EW_OPTION_COUNT];
    size_t count;
};

static const char *known_name_at(const void *ctx, size_t i)
{
    return ((const struct known *)ctx)->names[i];
}

static bool find_option(enum ew_option_id *out, const char *name, size_t length)
{
    for (int i = 0; i < EW_OPTION_COUNT; i++) {
        if (strlen(ew_options[i].name) == length &&
            strncmp(ew_options[i].name, name, length) == 0) {
            *out = (enum ew_option_id)i;
            return true;
        }
    }
    return false;
}

static bool find_letter(enum ew_option_id *out, char letter)
{
    for (int i = 0; i < EW_OPTION_COUNT; i++) {
        if (letter && ew_options[i].letter == letter) {
            *out = (enum ew_option_id)i;
            return true;
        }
    }
    return false;
}

static enum ew_status unknown_option(const struct parser *p, const char *name, size_t length,
                                     struct ew_error *err)
{
    struct known known = {.count = 0};
    for (int i = 0; i < EW_OPTION_COUNT; i++) {
        if (ew_options[i].groups & p->groups) {
            known.names[known.count++] = ew_options[i].name;
        }
    }
    char wanted[64] = "";
    if (length < sizeof wanted) {
        memcpy(wanted, name, length);
        wanted[length] = '\0';
    }
    const char *near = ew_nearest_name(wanted, known.count, known_name_at, &known);
    return ew_fail(err, EW_EUSAGE, "unknown option '%s'%s%s%s", p->argv[p->at],
                   near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

static enum ew_status add_option(struct parser *p, enum ew_option_id option, const char *attached,
                                 struct ew_error *err)
{
    const struct ew_option *known = &ew_options[option];
    struct ew_arg arg = {.option = option, .at = p->at};
    if (!(known->groups & p->groups)) {
        return ew_fail(err, EW_EUSAGE, "this command has no option '--%s'", known->name);
    }
    if (!known->value && attached) {
        return ew_fail(err, EW_EUSAGE, "option '--%s' takes no value", known->name);
    }
    if (known->value && attached) {
        arg.value = attached;
    } else if (known->value) {
        if (p->at + 1 >= p->argc || strncmp(p->argv[p->at + 1], "--", 2) == 0) {
            return ew_fail(err, EW_EUSAGE, "option '--%s' needs a value: --%s %s", known->name,
                           known->name, known->value);
        }
        arg.value = p->argv[++p->at];
        arg.at = p->at;
    }
    p->args->options[p->args->n_options++] = arg;
    return EW_OK;
}

static enum ew_status parse_long(struct parser *p, struct ew_error *err)
{
    const char *name = p->argv[p->at] + 2;
    const size_t length = strcspn(name, "=");
    enum ew_option_id option;
    if (!find_option(&option, name, length)) {
        return unknown_option(p, name, length, err);
    }
    return add_option(p, option, name[length] ? name + length + 1 : NULL, err);
}

static enum ew_status parse_letters(struct parser *p, struct ew_error *err)
{
    enum ew_status status = EW_OK;
    for (const char *c = p->argv[p->at] + 1; status == EW_OK && *c; c++) {
        enum ew_option_id option;
        if (!find_letter(&option, *c)) {
            return unknown_option(p, "", 0, err);
        }
        if (ew_options[option].value && c[1]) { /* -oFILE */
            return add_option(p, option, c + 1, err);
        }
        status = add_option(p, option, NULL, err);
    }
    return status;
}

enum ew_status ew_args_parse(struct ew_args *out, int argc, char *const *argv, int first,
                             unsigned groups, int *blame, struct ew_error *err)
{
    struct ew_args args = {0};
    struct parser p = {&args, argc, argv, first, groups};
    size_t room = 1; /* a word is one positional, one option, or several letters */
    for (int i = first; i < argc; i++) {
        room += strlen(argv[i]) + 1;
    }
    args.options = calloc(room, sizeof *args.options);
    args.positionals = calloc(room, sizeof *args.positionals);
    enum ew_status status = args.options && args.positionals ? EW_OK : ew_fail_memory(err);
    bool is_rest = false;
    for (; status == EW_OK && p.at < argc; p.at++) {
        const char *word = argv[p.at];
        if (!is_rest && strcmp(word, "--") == 0) {
            is_rest = true;
        } else if (!is_rest && strncmp(word, "--", 2) == 0) {
            status = parse_long(&p, err);
        } else if (!is_rest && word[0] == '-' && word[1] != '\0') {
            status = parse_letters(&p, err);
        } else {
            args.positionals[args.n_positionals++] = (struct ew_arg){.value = word, .at = p.at};
        }
        if (status != EW_OK) {
            *blame = p.at;
        }
    }
    if (status == EW_OK) {
        *out = args;
    } else {
        ew_args_fini(&args);
    }
    return status;
}

void ew_args_fini(struct ew_args *args)
{
    free(args->options);
    free(args->positionals);
    *args = (struct ew_args){0};
}

const struct ew_arg *ew_args_last(const struct ew_args *args, enum ew_option_id option)
{
    for (size_t i = args->n_options; i > 0; i--) {
        if (args->options[i - 1].option == option) {
            return &args->options[i - 1];
        }
    }
    return NULL;
}
