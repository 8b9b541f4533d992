#include "cli/gnuplot.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"

enum { NO_PROGRAM = 127 };

/* In single quotes nothing is special but the quote, which is written twice. */
void ew_gnuplot_put(struct ew_str *settings, const char *name, const char *value)
{
    ew_str_printf(settings, "%s='", name);
    for (const char *p = value; *p; p++) {
        ew_str_append_n(settings, *p == '\n' || *p == '\r' ? " " : p, 1);
        if (*p == '\'') {
            ew_str_append_n(settings, p, 1);
        }
    }
    ew_str_append(settings, "'; ");
}

/* In the child: what gnuplot says goes to `messages`. Does not return. */
static void become_gnuplot(const struct ew_str *settings, const char *script, int messages)
{
    char *const words[] = {(char *)(uintptr_t) "gnuplot", (char *)(uintptr_t) "-e",
                           (char *)(uintptr_t)ew_str_text(settings), (char *)(uintptr_t)script,
                           NULL};
    (void)setenv("LC_ALL", "C.UTF-8", 1); /* titles are UTF-8 */
    (void)dup2(messages, STDERR_FILENO);
    (void)execvp(words[0], words);
    _exit(NO_PROGRAM);
}

/* The messages on one line, without the path of the script and empty lines. */
static void tidy_messages(char *text, const char *script)
{
    char *to = text;
    const size_t length = strlen(script);
    for (const char *from = text; *from; from++) {
        const bool is_break = *from == '\n';
        if (*from == '"' && strncmp(from + 1, script, length) == 0) {
            from += length + 1; /* and the closing quote */
        } else if (!is_break) {
            *to++ = *from;
        } else if (to != text && to[-1] != ' ') {
            *to++ = ' ';
        }
    }
    while (to != text && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
}

/* The end of what was said, where the reason stands. */
static void read_messages(char *out, size_t size, FILE *file, const char *script)
{
    const off_t end = lseek(fileno(file), 0, SEEK_END);
    const off_t begin = end > (off_t)size - 1 ? end - ((off_t)size - 1) : 0;
    const ssize_t n = pread(fileno(file), out, size - 1, begin);
    out[n > 0 ? n : 0] = '\0';
    tidy_messages(out, script);
}

enum ew_status ew_gnuplot_run(bool *is_missing, const struct ew_str *settings, const char *script,
                              struct ew_error *err)
{
    int state = 0;
    char said[512];
    if (settings->failed) {
        return ew_fail_memory(err);
    }
    FILE *messages = tmpfile();
    if (!messages) {
        return ew_fail(err, EW_EIO, "cannot make a temporary file: %s", strerror(errno));
    }
    const pid_t pid = fork();
    if (pid == 0) {
        become_gnuplot(settings, script, fileno(messages));
    }
    if (pid > 0) {
        ew_wait_child(pid, &state);
    }
    const bool is_done = pid > 0 && WIFEXITED(state) && WEXITSTATUS(state) == 0;
    *is_missing = pid > 0 && WIFEXITED(state) && WEXITSTATUS(state) == NO_PROGRAM;
    read_messages(said, sizeof said, messages, script);
    (void)fclose(messages);
    if (pid < 0) {
        return ew_fail(err, EW_EIO, "cannot start a process");
    }
    if (!is_done && !*is_missing) {
        return ew_fail(err, EW_EIO, "gnuplot failed on %s: %s", script, said);
    }
    return EW_OK;
}
