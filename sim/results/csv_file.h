/*
 * One growing CSV file under a temporary name, and the cells that go into it. Knows quoting, number
 * formats, buffering and hashing; columns are the caller's.
 */
#ifndef EW_RESULTS_CSV_FILE_H
#define EW_RESULTS_CSV_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/out_file.h"
#include "base/status.h"
#include "base/text.h"

/** Zero-initialised is closed. Errors stick and are reported by flush and publish. */
struct ew_csv_file {
    struct ew_out_file out;
    int error_number; /**< errno of the first failed write; 0 */
    struct ew_str buffer;
    bool is_mid_row;
    uint64_t size_bytes;
    uint64_t hash;
    uint64_t n_rows; /**< without the header */
};

/** Begin `dir`/`name` with the header line, if any. */
enum ew_status ew_csv_file_open(struct ew_csv_file *file, const char *dir, const char *name,
                                const char *header, struct ew_error *err);

/* Cells of the current row, left to right. */
void ew_csv_text(struct ew_csv_file *file, const char *text); /**< NULL: empty; line ends: blanks */
void ew_csv_u64(struct ew_csv_file *file, uint64_t x);
void ew_csv_i64(struct ew_csv_file *file, int64_t x);
void ew_csv_double(struct ew_csv_file *file, double x); /**< NAN, infinities: empty */
void ew_csv_bool(struct ew_csv_file *file, bool x);     /**< 1 or 0 */
void ew_csv_empty(struct ew_csv_file *file);

/** End the row; writes when enough has gathered. */
void ew_csv_row_end(struct ew_csv_file *file);

/** Append raw text (for files that are not CSV). */
void ew_csv_raw(struct ew_csv_file *file, const char *text, size_t size);

/** Write what is buffered. EW_EIO or EW_ENOMEM, also for failures since the last call. */
enum ew_status ew_csv_file_flush(struct ew_csv_file *file, struct ew_error *err);

/** Flush, close and give the file its final name. */
enum ew_status ew_csv_file_publish(struct ew_csv_file *file, struct ew_error *err);

/** Close; remove the file if it was not published. Accepts a zeroed one. */
void ew_csv_file_fini(struct ew_csv_file *file);

#endif
