/*
 * Feeds every file of the directories given to a fuzz entry: the corpus as a regression test,
 * without a fuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_BYTES = 1 << 20 };

/* Number of files fed, or -1. */
static int feed_directory(const char *dir)
{
    DIR *stream = opendir(dir);
    if (!stream) {
        return -1;
    }
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        char *path = ew_path_join(dir, entry->d_name), *text = NULL;
        size_t size = 0;
        if (path && ew_file_exists(path) &&
            ew_file_read(&text, &size, path, MAX_BYTES, NULL) == EW_OK) {
            (void)LLVMFuzzerTestOneInput((const uint8_t *)text, size);
            n++;
        }
        free(text);
        free(path);
    }
    (void)closedir(stream);
    return n;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        const int n = feed_directory(argv[i]);
        if (n <= 0) {
            (void)fprintf(stderr, "%s: no corpus\n", argv[i]);
            return EXIT_FAILURE;
        }
        total += n;
    }
    (void)printf("%d passed, 0 failed\n", total);
    return total ? EXIT_SUCCESS : EXIT_FAILURE;
}
