/*
 * Files that are written: whole or not at all, through links, and to what is no regular file.
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/out_file.h"
#include "support/suite.h"

static char dir[] = "/tmp/ew_out_file_XXXXXX";

static char *in_dir(const char *name)
{
    char *path = ew_path_join(dir, name);
    ck_assert_ptr_nonnull(path);
    return path;
}

static void expect_content(const char *path, const char *want)
{
    struct ew_error err = {0};
    char *text = NULL;
    size_t size = 0;
    ck_assert_msg(ew_file_read(&text, &size, path, 1000, &err) == EW_OK, "%s", err.message);
    ck_assert_str_eq(text, want);
    free(text);
}

static void expect_written(const char *path, const char *text)
{
    struct ew_error err = {0};
    ck_assert_msg(ew_file_write(path, text, strlen(text), &err) == EW_OK, "%s", err.message);
}

START_TEST(a_file_that_is_there_is_replaced_when_the_new_one_is_whole)
{
    char *path = in_dir("file");
    expect_written(path, "old");
    struct ew_out_file file;
    struct ew_error err = {0};
    ck_assert_int_eq(ew_out_file_open(&file, path, &err), EW_OK);
    ck_assert_int_eq(write(file.fd, "new", 3), 3);
    expect_content(path, "old");
    ck_assert_int_eq(ew_out_file_publish(&file, true, &err), EW_OK);
    expect_content(path, "new");
    ew_out_file_discard(&file);
    ck_assert_int_eq(ew_out_file_open(&file, path, &err), EW_OK);
    char *temporary = strdup(file.temporary_path);
    ew_out_file_discard(&file);
    expect_content(path, "new");
    ck_assert_int_ne(access(temporary, F_OK), 0);
    free(temporary);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
}
END_TEST

START_TEST(links_are_followed_not_replaced)
{
    char *target = in_dir("target"), *link = in_dir("link");
    expect_written(target, "old");
    ck_assert_int_eq(symlink("target", link), 0);
    expect_written(link, "new");
    struct stat info;
    ck_assert(lstat(link, &info) == 0 && S_ISLNK(info.st_mode));
    expect_content(target, "new");
    ck_assert(unlink(link) == 0 && unlink(target) == 0);
    free(target);
    free(link);
}
END_TEST

/* As root, a rename onto /dev/null makes it a file for everybody on the machine; so not on that. */
START_TEST(what_is_no_regular_file_is_written_to_and_stays_what_it_is)
{
    char *fifo = in_dir("fifo");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    const int reader = open(fifo, O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    expect_written(fifo, "through");
    char got[10] = {0};
    ck_assert_int_eq(read(reader, got, sizeof got - 1), 7);
    ck_assert_str_eq(got, "through");
    struct stat info;
    ck_assert(lstat(fifo, &info) == 0 && S_ISFIFO(info.st_mode));
    ck_assert(close(reader) == 0 && unlink(fifo) == 0);
    free(fifo);
}
END_TEST

START_TEST(directories_and_missing_folders_are_errors_that_name_the_path)
{
    struct ew_error err = {0};
    ck_assert_int_eq(ew_file_write(dir, "x", 1, &err), EW_EIO);
    ck_assert(strstr(err.message, dir) && strstr(err.message, "directory"));
    char *path = in_dir("no/such");
    ck_assert_int_eq(ew_file_write(path, "x", 1, &err), EW_EIO);
    ck_assert(strstr(err.message, path) && !strstr(err.message, "such."));
    free(path);
}
END_TEST

START_TEST(a_full_device_is_an_error)
{
    struct ew_error err = {0};
    ck_assert_int_eq(ew_file_write("/dev/full", "x", 1, &err), EW_EIO);
    ck_assert_ptr_nonnull(strstr(err.message, "/dev/full: cannot write"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_file_that_is_there_is_replaced_when_the_new_one_is_whole,
        links_are_followed_not_replaced,
        what_is_no_regular_file_is_written_to_and_stays_what_it_is,
        directories_and_missing_folders_are_errors_that_name_the_path,
        a_full_device_is_an_error,
    };
    if (!mkdtemp(dir)) {
        return EXIT_FAILURE;
    }
    const int code = run_suite("out_file", tests, sizeof tests / sizeof *tests);
    return rmdir(dir) == 0 ? code : EXIT_FAILURE;
}
