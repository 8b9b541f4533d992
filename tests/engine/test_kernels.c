/*
 * Kernels of real execution, on random layers: against the definitions in double precision, part
 * against whole bit by bit, vector width against vector width bit by bit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exec/kernel/ref_isa.h"
#include "engine/exec/random_weights.h"
#include "support/kernel_case.h"
#include "support/suite.h"

#ifdef EW_SANITIZED
enum { N_SEEDS = (CASE_N_OPS - 1) * 8 };
#else
enum { N_SEEDS = (CASE_N_OPS - 1) * 40 };
#endif

static struct ew_box whole_of(const struct kernel_case *c)
{
    struct ew_box box = ew_box_full(c->out_shape);
    box.hi[EW_N] = c->n_images;
    return box;
}

/* Every element within n ulps of the sum of magnitudes: 2e-6 covers the longest chain here (at most
 * 20 * 12 * 37 terms, whose errors add like a random walk) and the polynomial of exp. */
static void check_against_definition(const struct kernel_case *c, const struct ew_tensor *out,
                                     const struct ew_reduction *reduction, uint64_t seed)
{
    const float *value = out->values;
    for (int32_t n = out->box.lo[EW_N]; n < out->box.hi[EW_N]; n++) {
        for (int32_t ch = out->box.lo[EW_C]; ch < out->box.hi[EW_C]; ch++) {
            for (int32_t y = out->box.lo[EW_H]; y < out->box.hi[EW_H]; y++) {
                for (int32_t x = out->box.lo[EW_W]; x < out->box.hi[EW_W]; x++, value++) {
                    double size;
                    const double expected = kernel_case_expect(&size, c, reduction, n, ch, y, x);
                    ck_assert_msg((double)*value == expected || fabs((double)*value - expected) <=
                                                                    2e-6 * (size + fabs(expected)),
                                  "seed %llu %s: (%d,%d,%d,%d): expected %.9g, found %.9g",
                                  (unsigned long long)seed, ew_op_name(c->task.layer.op), (int)n,
                                  (int)ch, (int)y, (int)x, expected, (double)*value);
                }
            }
        }
    }
}

START_TEST(every_op_computes_what_its_definition_says)
{
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        struct kernel_case *c = kernel_case_new(seed);
        const struct ew_box box = whole_of(c);
        struct ew_tensor out = kernel_case_run(c, ew_kernels_find("reference"), &box, NULL);
        check_against_definition(c, &out, NULL, seed);
        free(out.values);
        kernel_case_free(c);
    }
}
END_TEST

/* The same elements of two tensors, as bits. */
static void check_same_bits(const struct ew_tensor *part, const struct ew_tensor *whole,
                            const struct kernel_case *c, uint64_t seed, const char *what)
{
    const struct ew_box *box = &part->box;
    const size_t n_bytes = (size_t)ew_box_extent(box, EW_W) * sizeof(float);
    for (int32_t n = box->lo[EW_N]; n < box->hi[EW_N]; n++) {
        for (int32_t ch = box->lo[EW_C]; ch < box->hi[EW_C]; ch++) {
            for (int32_t y = box->lo[EW_H]; y < box->hi[EW_H]; y++) {
                const int32_t x = box->lo[EW_W];
                ck_assert_msg(memcmp(ew_tensor_at(part, n, ch, y, x),
                                     ew_tensor_at(whole, n, ch, y, x), n_bytes) == 0,
                              "seed %llu %s: %s differs in row (%d,%d,%d)",
                              (unsigned long long)seed, ew_op_name(c->task.layer.op), what, (int)n,
                              (int)ch, (int)y);
            }
        }
    }
}

START_TEST(a_part_has_the_same_bits_as_in_the_whole)
{
    struct ew_rng rng = ew_rng_make(7, "parts");
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        struct kernel_case *c = kernel_case_new(seed);
        const struct ew_box box = whole_of(c);
        struct ew_tensor whole = kernel_case_run(c, ew_kernels_find("reference"), &box, NULL);
        for (int i = 0; i < 4; i++) {
            const struct ew_box part_box = kernel_case_part(c, &rng);
            struct ew_tensor part =
                kernel_case_run(c, ew_kernels_find("reference"), &part_box, NULL);
            check_same_bits(&part, &whole, c, seed, "a part");
            free(part.values);
        }
        free(whole.values);
        kernel_case_free(c);
    }
}
END_TEST

START_TEST(every_vector_width_gives_the_same_bits)
{
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        struct kernel_case *c = kernel_case_new(seed);
        const struct ew_box box = whole_of(c);
        struct ew_tensor best = kernel_case_run(c, ew_kernels_find("reference"), &box, NULL);
        for (uint32_t i = 1; ew_kernels_at(i); i++) {
            const struct ew_kernels *kernels = ew_kernels_at(i);
            if (kernels->is_exact && kernels->is_available(kernels)) {
                struct ew_tensor out = kernel_case_run(c, kernels, &box, NULL);
                check_same_bits(&out, &best, c, seed, kernels->id);
                free(out.values);
            }
        }
        free(best.values);
        kernel_case_free(c);
    }
}
END_TEST

/* Libraries add up in another order: as close to the definition, whole and in parts. */
START_TEST(kernels_of_libraries_are_as_close)
{
    struct ew_rng rng = ew_rng_make(9, "libraries");
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        struct kernel_case *c = kernel_case_new(seed);
        for (uint32_t i = 0; ew_kernels_at(i); i++) {
            const struct ew_kernels *kernels = ew_kernels_at(i);
            if (!kernels->is_exact && kernels->is_available(kernels)) {
                const struct ew_box boxes[] = {whole_of(c), kernel_case_part(c, &rng)};
                for (int k = 0; k < 2; k++) {
                    struct ew_tensor out = kernel_case_run(c, kernels, &boxes[k], NULL);
                    check_against_definition(c, &out, NULL, seed);
                    free(out.values);
                }
            }
        }
        kernel_case_free(c);
    }
}
END_TEST

/* Sum over [0, r) plus sum over [r, end) plus bias = the whole, up to one rounding per addition. */
/* The upper 24 bits of SplitMix64's finaliser (Steele et al. 2014), in [-1, 1). */
static float expected_random(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return (float)((double)(x >> 40) / 8388608.0 - 1.0);
}

START_TEST(random_values_are_the_same_at_any_vector_width)
{
    enum { N = 1000 };
    static const char *const sets[] = {"reference", "reference-avx512", "reference-avx2",
                                       "reference-portable"};
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
        const struct ew_kernels *kernels = ew_kernels_find(sets[k]);
        if (!kernels || !kernels->is_available(kernels)) {
            continue;
        }
        const struct ew_ref_isa *isa = kernels->self ? kernels->self : ew_ref_isa_widest();
        for (size_t n = 0; n <= 67; n++) { /* not a float more is written */
            float values[N] = {0};
            const uint64_t first = UINT64_MAX - 20; /* counts on behind the largest number */
            isa->random(values, first, n);
            for (size_t i = 0; i < N; i++) {
                ck_assert(i < n ? values[i] == expected_random(first + i) : values[i] == 0);
            }
        }
    }
    float values[N];
    ew_random_values(values, 3, 4, 5, N);
    for (uint64_t i = 0; i < N; i++) {
        ck_assert(values[i] == ew_random_value(3, 4, 5 + i));
    }
}
END_TEST

START_TEST(partial_sums_add_up)
{
    struct ew_rng rng = ew_rng_make(8, "reductions");
    uint32_t n_checked = 0;
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        struct kernel_case *c = kernel_case_new(seed);
        const int32_t length = ew_op_reduction_length(&c->task.layer);
        if (length > 1 && (c->task.layer.op != EW_OP_CONV || c->attrs.groups == 1)) {
            const int32_t middle = 1 + (int32_t)ew_rng_below(&rng, (uint64_t)length - 1);
            const struct ew_reduction halves[] = {{0, middle}, {middle, length}};
            const struct ew_box box = whole_of(c);
            struct ew_tensor partials[2];
            for (int i = 0; i < 2; i++) {
                partials[i] = kernel_case_run(c, ew_kernels_find("reference"), &box, &halves[i]);
                check_against_definition(c, &partials[i], &halves[i], seed);
            }
            struct ew_tensor sum = {calloc(ew_tensor_floats(&box), sizeof(float)), box};
            float *bias = calloc((size_t)c->out_shape[EW_C], sizeof *bias);
            struct ew_error err = {0};
            const struct ew_weight_source source = kernel_case_source(c);
            ck_assert(sum.values && bias);
            (void)source.read(bias, source.self, &c->task, EW_WEIGHT_BIAS, 0,
                              (uint64_t)c->out_shape[EW_C], &err);
            ew_kernels_sum(&sum, 2, partials, c->attrs.has_bias ? bias : NULL);
            check_against_definition(c, &sum, NULL, seed);
            free(bias);
            free(sum.values);
            free(partials[0].values);
            free(partials[1].values);
            n_checked++;
        }
        kernel_case_free(c);
    }
    ck_assert_uint_gt(n_checked, N_SEEDS / 40);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_op_computes_what_its_definition_says,
        a_part_has_the_same_bits_as_in_the_whole,
        every_vector_width_gives_the_same_bits,
        kernels_of_libraries_are_as_close,
        partial_sums_add_up,
        random_values_are_the_same_at_any_vector_width,
    };
    return run_suite("kernels", tests, sizeof tests / sizeof *tests);
}
