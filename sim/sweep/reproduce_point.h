/*
 * One scenario of a reproduction: its key for the cache, and its record.
 */
#ifndef EW_SWEEP_REPRODUCE_POINT_H
#define EW_SWEEP_REPRODUCE_POINT_H

#include "base/vec.h"
#include "sweep/contender.h"
#include "sweep/reproduce_run.h"

/** Content hashes of files already seen. Zero-initialise. */
struct ew_repro_hashes {
    struct ew_arena arena;
    EW_VEC(struct ew_repro_hash) items;
};

struct ew_repro_hash {
    const char *path;
    uint64_t hash;
};

void ew_repro_hashes_fini(struct ew_repro_hashes *hashes);

/** Hash of a file's content. */
enum ew_status ew_repro_hash_file(uint64_t *out, struct ew_repro_hashes *hashes, const char *path,
                                  struct ew_error *err);

/** Hash of a platform file and the profiles it names. */
enum ew_status ew_repro_hash_platform(uint64_t *out, struct ew_repro_hashes *hashes,
                                      const struct ew_platform_source *source, const char *path,
                                      struct ew_error *err);

/** A scenario, opened as far as names go. Zero-initialise; free with ew_repro_point_fini. */
struct ew_repro_point {
    struct ew_scenario scenario;
    struct ew_contenders contenders;
};

/** Parse the text, find its files and its strategy, and check the parameters. */
enum ew_status ew_repro_point_open(struct ew_repro_point *point,
                                   const struct ew_repro_runner *runner, const char *text,
                                   struct ew_error *err);
void ew_repro_point_fini(struct ew_repro_point *point);

/** Everything that determines the result, as text. */
enum ew_status ew_repro_point_key(struct ew_str *out, const struct ew_repro_point *point,
                                  const struct ew_repro_runner *runner, const char *text,
                                  struct ew_repro_hashes *hashes, struct ew_error *err);

/** Plan and simulate; print a record, of a failure too. EW_EINTR, EW_ENOMEM. */
enum ew_status ew_repro_point_record(struct ew_str *out, const struct ew_repro_point *point,
                                     const struct ew_repro_runner *runner, struct ew_error *err);

#endif
