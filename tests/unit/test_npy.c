#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "io/npy.h"
#include "support/suite.h"

static struct ew_error err;

/* A file of version 1 with this head and `n_bytes` of zeros behind it. */
static size_t make(char *out, const char *head, size_t n_bytes)
{
    const size_t n = strlen(head);
    memcpy(out, "\x93NUMPY\x01", 8);
    out[8] = (char)n;
    out[9] = 0;
    memcpy(out + 10, head, n);
    memset(out + 10 + n, 0, n_bytes);
    return 10 + n + n_bytes;
}

static void accepts(const char *head, uint32_t n_dims, const uint64_t *dims, uint64_t n_values)
{
    char bytes[512];
    struct ew_npy array;
    const size_t size = make(bytes, head, n_values * sizeof(float));
    ck_assert_msg(ew_npy_parse(&array, bytes, size, "x.npy", &err) == EW_OK, "%s: %s", head,
                  err.message);
    ck_assert_uint_eq(array.n_dims, n_dims);
    ck_assert_uint_eq(array.n_values, n_values);
    ck_assert_uint_eq(array.offset_bytes, 10 + strlen(head));
    ck_assert_mem_eq(array.dims, dims, n_dims * sizeof *dims);
}

START_TEST(heads_are_read_as_python_writes_them)
{
    static const uint64_t dims[] = {2, 3, 4};
    accepts("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }   \n", 3, dims, 24);
    accepts("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 1, dims, 2);
    accepts("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }\n", 1, dims, 2);
    accepts("{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", 0, dims, 1);
    accepts("{'shape':(2,3),\"descr\":\"<f4\",'fortran_order':False}", 2, dims, 6);
    accepts("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }", 2, dims, 6);
}
END_TEST

static void refuses(const char *head, size_t n_bytes, const char *message)
{
    char bytes[512];
    struct ew_npy array;
    const size_t size = make(bytes, head, n_bytes);
    ck_assert_int_eq(ew_npy_parse(&array, bytes, size, "x.npy", &err), EW_EINPUT);
    ck_assert_str_eq(err.message, message);
}

START_TEST(what_is_not_float32_says_so)
{
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", 8,
            "x.npy: expected float32 ('<f4'), found '<f8'; in NumPy: x.astype('float32')");
    refuses("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4,
            "x.npy: expected float32 ('<f4'), found '>f4'; in NumPy: x.astype('float32')");
    refuses("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", 4,
            "x.npy: expected float32 ('<f4'), found '|u1'; in NumPy: x.astype('float32')");
    refuses("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", 16,
            "x.npy: expected C order, found Fortran order; in NumPy: np.ascontiguousarray(x)");
    refuses("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4,
            "x.npy: malformed head of a .npy file");
}
END_TEST

START_TEST(damaged_files_are_refused)
{
    static const char good[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    char bytes[512];
    struct ew_npy array;
    const size_t size = make(bytes, good, 24);
    for (size_t n = 0; n < size; n++) { /* cut anywhere */
        char *cut = malloc(n + 1);      /* the address sanitizer knows its end */
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, bytes, n);
        ck_assert_int_eq(ew_npy_parse(&array, cut, n, "x.npy", &err), EW_EINPUT);
        free(cut);
    }
    refuses(good, 28, "x.npy: expected 24 bytes of values, found 28");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", 0,
            "x.npy: expected values, found an empty array");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 2), }", 0,
            "x.npy: too many values");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,2,3,4,5,6,7,8,9), }", 0,
            "x.npy: malformed head of a .npy file");
    refuses("{'descr': '<f4', 'fortran_order': False, }", 4,
            "x.npy: malformed head of a .npy file");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4,
            "x.npy: malformed head of a .npy file");
    bytes[6] = 9;
    ck_assert_int_eq(ew_npy_parse(&array, bytes, size, "x.npy", &err), EW_EINPUT);
    ck_assert_str_eq(err.message, "x.npy: expected version 1, 2 or 3 of .npy, found 9.0");
    bytes[0] = 'P';
    ck_assert_int_eq(ew_npy_parse(&array, bytes, size, "x.npy", &err), EW_EINPUT);
    ck_assert_str_eq(err.message,
                     "x.npy: expected a .npy file (NumPy: np.save), found something else");
}
END_TEST

/* NumPy asks for a head whose length divides by 64 and that ends in a newline. */
START_TEST(what_is_written_can_be_read)
{
    static const uint64_t dims[EW_NPY_MAX_DIMS] = {1, 1, 1, 1, 1, 1, 1, (uint64_t)1 << 40};
    char head[EW_NPY_HEAD_BYTES];
    for (uint32_t n = 0; n < EW_NPY_MAX_DIMS; n++) {
        const float one = 1;
        float *values = NULL;
        struct ew_npy array;
        char bytes[EW_NPY_HEAD_BYTES + sizeof one];
        ew_npy_put_head(bytes, n, dims);
        memcpy(bytes + EW_NPY_HEAD_BYTES, &one, sizeof one);
        ck_assert_int_eq(bytes[EW_NPY_HEAD_BYTES - 1], '\n');
        ck_assert(ew_file_write(EW_BINARY_DIR "/test_npy.npy", bytes, sizeof bytes, &err) == EW_OK);
        ck_assert_msg(ew_npy_load(&array, &values, EW_BINARY_DIR "/test_npy.npy", &err) == EW_OK,
                      "%s", err.message);
        ck_assert_uint_eq(array.n_dims, n);
        ck_assert_float_eq(values[0], 1);
        free(values);
    }
    ew_npy_put_head(head, EW_NPY_MAX_DIMS, dims); /* the longest there is */
    ck_assert_int_eq(head[EW_NPY_HEAD_BYTES - 1], '\n');
    (void)unlink(EW_BINARY_DIR "/test_npy.npy");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {heads_are_read_as_python_writes_them, what_is_not_float32_says_so,
                                  damaged_files_are_refused, what_is_written_can_be_read};
    return run_suite("npy", tests, sizeof tests / sizeof *tests);
}
