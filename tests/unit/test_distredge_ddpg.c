/* DistrEdge's networks and learner: gradients, Adam, replay, and a bandit that it must solve. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "distredge/ddpg.h"
#include "support/suite.h"

static uint64_t next_bits(void *ctx)
{
    return ew_rng_u64(ctx);
}

static struct blas open_blas(void)
{
    struct blas blas;
    char reason[256] = "";
    ck_assert_msg(blas_open(&blas, reason, sizeof reason) == 0, "%s", reason);
    return blas;
}

/* ------------------------------------------------------------------ networks */

START_TEST(forward_is_weights_times_input_plus_bias)
{
    struct blas blas = open_blas();
    struct mlp mlp;
    const struct mlp_shape shape = {.n_layers = 2, .width = {2, 2, 1}};
    ck_assert(mlp_init(&mlp, &shape, &blas, 2, false));
    /* hidden: x0 - x1 and x0 + x1 - 1; output: 3 h0 + 4 h1 + 0.5 */
    const float params[] = {1, 1, -1, 1, 0, -1, 3, 4, 0.5f};
    ck_assert_uint_eq(mlp.n_params, 9);
    memcpy(mlp.params, params, sizeof params);
    memcpy(mlp.values[0], (float[]){2, 1, 1, 2}, 4 * sizeof(float));
    const float *out = mlp_forward(&mlp, 2);
    /* (2, 1): h = (1, 2): 3 + 8 + 0.5; (1, 2): h = (-1 -> 0, 2): 8.5 */
    ck_assert_float_eq_tol(out[0], 11.5f, 1e-6f);
    ck_assert_float_eq_tol(out[1], 8.5f, 1e-6f);
    /* one row alone takes another path through the library */
    out = mlp_forward(&mlp, 1);
    ck_assert_float_eq_tol(out[0], 11.5f, 1e-6f);
    mlp_fini(&mlp);
}
END_TEST

/* Sum over the batch of c . outputs, with fixed c. */
static double loss_of(struct mlp *mlp, uint32_t batch)
{
    uint32_t n_out = mlp->shape.width[mlp->shape.n_layers];
    const float *out = mlp_forward(mlp, batch);
    double loss = 0.0;
    for (uint32_t i = 0; i < batch * n_out; i++) {
        loss += (double)out[i] * (0.5 + 0.25 * i);
    }
    return loss;
}

static void backward_of(struct mlp *mlp, uint32_t batch, unsigned want)
{
    uint32_t n_out = mlp->shape.width[mlp->shape.n_layers];
    for (uint32_t i = 0; i < batch * n_out; i++) {
        mlp->deltas[mlp->shape.n_layers][i] = (float)(0.5 + 0.25 * i);
    }
    mlp_backward(mlp, batch, want);
}

START_TEST(gradients_match_differences)
{
    enum { BATCH = 3 };
    const double step = 1e-2;
    struct blas blas = open_blas();
    struct ew_rng rng = ew_rng_make(5, "gradient");
    const struct draw draw = {next_bits, &rng};
    const struct mlp_shape shape = {.n_layers = 3, .width = {4, 9, 6, 2}, .has_tanh = _i == 1};
    struct mlp mlp;
    ck_assert(mlp_init(&mlp, &shape, &blas, BATCH, true));
    mlp_randomise(&mlp, 0.5, &draw);
    float inputs[BATCH * 4];
    for (int i = 0; i < BATCH * 4; i++) {
        inputs[i] = (float)draw_normal(&draw);
    }
    memcpy(mlp.values[0], inputs, sizeof inputs);
    (void)loss_of(&mlp, BATCH);
    backward_of(&mlp, BATCH, MLP_WANT_GRADIENT | MLP_WANT_INPUT);
    int n_kinks = 0;
    for (uint32_t i = 0; i < mlp.n_params + BATCH * 4; i++) {
        float *x = i < mlp.n_params ? &mlp.params[i] : &mlp.values[0][i - mlp.n_params];
        float found = i < mlp.n_params ? mlp.gradient[i] : mlp.deltas[0][i - mlp.n_params];
        const float before = *x;
        double here = loss_of(&mlp, BATCH);
        *x = before + (float)step;
        double above = loss_of(&mlp, BATCH);
        *x = before - (float)step;
        double below = loss_of(&mlp, BATCH);
        *x = before;
        /* where a hidden unit switches, the two sides differ */
        if (fabs(above - 2 * here + below) > 1e-3 * step) {
            n_kinks++;
            continue;
        }
        ck_assert_double_eq_tol((double)found, (above - below) / (2 * step), 3e-3);
    }
    ck_assert_int_lt(n_kinks, (int)mlp.n_params / 4);
    mlp_fini(&mlp);
}
END_TEST

START_TEST(tanh_outputs_stay_in_bounds)
{
    struct blas blas = open_blas();
    struct ew_rng rng = ew_rng_make(5, "tanh");
    const struct draw draw = {next_bits, &rng};
    const struct mlp_shape shape = ddpg_actor_shape(8, 3);
    struct mlp mlp;
    ck_assert(mlp_init(&mlp, &shape, &blas, 1, false));
    mlp_randomise(&mlp, 50.0, &draw);
    for (int trial = 0; trial < 50; trial++) {
        for (int i = 0; i < 8; i++) {
            mlp.values[0][i] = (float)(100.0 * draw_normal(&draw));
        }
        const float *out = mlp_forward(&mlp, 1);
        for (int i = 0; i < 3; i++) {
            ck_assert(out[i] >= -1.0f && out[i] <= 1.0f);
        }
    }
    mlp_fini(&mlp);
}
END_TEST

START_TEST(first_adam_step_is_the_learning_rate)
{
    /* m/(1-b1) = g, v/(1-b2) = g^2: the step is rate * g / (|g| + 1e-8) */
    struct blas blas = open_blas();
    const struct mlp_shape shape = {.n_layers = 1, .width = {1, 1}};
    struct mlp mlp;
    ck_assert(mlp_init(&mlp, &shape, &blas, 1, true));
    mlp.gradient[0] = 0.02f;
    mlp.gradient[1] = -7.0f;
    mlp_adam(&mlp, 0.001);
    ck_assert_float_eq_tol(mlp.params[0], -0.001f, 1e-8f);
    ck_assert_float_eq_tol(mlp.params[1], 0.001f, 1e-8f);
    /* the second with equal gradients as well */
    mlp_adam(&mlp, 0.001);
    ck_assert_float_eq_tol(mlp.params[0], -0.002f, 1e-7f);
    mlp_fini(&mlp);
}
END_TEST

START_TEST(adam_leaves_no_subnormal_moments)
{
    struct blas blas = open_blas();
    const struct mlp_shape shape = {.n_layers = 1, .width = {1, 1}};
    struct mlp mlp;
    ck_assert(mlp_init(&mlp, &shape, &blas, 1, true));
    mlp.gradient[0] = 1.0f;
    mlp_adam(&mlp, 0.001);
    mlp.gradient[0] = 0.0f;
    for (int i = 0; i < 3000; i++) {
        mlp_adam(&mlp, 0.001);
        ck_assert(mlp.moment[0] == 0.0f || isnormal(mlp.moment[0]));
    }
    ck_assert_float_eq(mlp.moment[0], 0.0f);
    mlp_fini(&mlp);
}
END_TEST

START_TEST(following_moves_the_given_share)
{
    struct blas blas = open_blas();
    const struct mlp_shape shape = {.n_layers = 1, .width = {1, 1}};
    struct mlp slow;
    struct mlp fast;
    ck_assert(mlp_init(&slow, &shape, &blas, 1, false));
    ck_assert(mlp_init(&fast, &shape, &blas, 1, false));
    fast.params[0] = 8.0f;
    mlp_follow(&slow, &fast, 0.25);
    mlp_follow(&slow, &fast, 0.25);
    /* 8 (1 - 0.75^2) */
    ck_assert_float_eq_tol(slow.params[0], 3.5f, 1e-6f);
    mlp_copy(&slow, &fast);
    ck_assert_float_eq(slow.params[0], 8.0f);
    mlp_fini(&slow);
    mlp_fini(&fast);
}
END_TEST

/* ------------------------------------------------------------------ replay */

START_TEST(a_full_buffer_forgets_the_oldest)
{
    struct replay replay;
    ck_assert(replay_init(&replay, 2, 1, 3));
    for (int i = 0; i < 5; i++) {
        const float state[] = {(float)i, 0};
        const float next[] = {(float)i + 0.5f, 0};
        const float action[] = {(float)-i};
        replay_add(&replay, &(struct replay_step){.state = state,
                                                  .action = action,
                                                  .reward = 10,
                                                  .next_state = next,
                                                  .is_last = i == 4});
    }
    ck_assert_uint_eq(replay.n, 3);
    /* slots 0 and 1 were overwritten by steps 3 and 4 */
    ck_assert_float_eq(replay_at(&replay, 0).state[0], 3.0f);
    ck_assert_float_eq(replay_at(&replay, 1).state[0], 4.0f);
    ck_assert_float_eq(replay_at(&replay, 2).state[0], 2.0f);
    ck_assert_float_eq(replay_at(&replay, 2).next_state[0], 2.5f);
    ck_assert_float_eq(replay_at(&replay, 1).action[0], -4.0f);
    ck_assert(replay_at(&replay, 1).is_last);
    ck_assert(!replay_at(&replay, 0).is_last);
    replay_fini(&replay);
}
END_TEST

/* ------------------------------------------------------------------ the learner */

static const struct ddpg_options BANDIT = {
    .n_state = 2,
    .n_action = 1,
    .batch = 16,
    .buffer = 10000,
    .gamma = 0.99,
    .tau = 0.01,
    .actor_rate = 1e-4,
    .critic_rate = 1e-3,
};

/* One-step episodes: the best action is 0.4 in one state, -0.3 in the other. */
static void play_bandit(struct ddpg *ddpg, const struct draw *draw, int n_steps)
{
    for (int i = 0; i < n_steps; i++) {
        const float state[] = {(float)(i % 2), (float)(1 - i % 2)};
        float action[1] = {mlp_answer(&ddpg->actor, state)[0] + (float)(0.3 * draw_normal(draw))};
        action[0] = fminf(1.0f, fmaxf(-1.0f, action[0]));
        float miss = action[0] - (i % 2 ? 0.4f : -0.3f);
        ddpg_observe(ddpg, &(struct replay_step){.state = state,
                                                 .action = action,
                                                 .reward = 1.0f - miss * miss,
                                                 .next_state = state,
                                                 .is_last = true});
    }
}

START_TEST(a_bandit_is_solved)
{
    struct blas blas = open_blas();
    struct ew_rng rng = ew_rng_make(3, "bandit");
    const struct draw draw = {next_bits, &rng};
    struct ddpg ddpg = {0};
    ck_assert(ddpg_init(&ddpg, &BANDIT, &blas, &draw));
    /* before: outputs near zero */
    ck_assert_float_lt(fabsf(mlp_answer(&ddpg.actor, (float[]){1, 0})[0]), 0.1f);
    play_bandit(&ddpg, &draw, 800);
    ck_assert_float_eq_tol(mlp_answer(&ddpg.actor, (float[]){1, 0})[0], 0.4f, 0.1f);
    ck_assert_float_eq_tol(mlp_answer(&ddpg.actor, (float[]){0, 1})[0], -0.3f, 0.1f);
    ddpg_fini(&ddpg);
}
END_TEST

START_TEST(inverting_gradients_leave_a_saturated_actor)
{
    /* The actor begins where tanh is 1 to the last bit and its slope is 0; the best action is -0.3.
     */
    struct blas blas = open_blas();
    float last[2];
    for (int k = 0; k < 2; k++) {
        struct ew_rng rng = ew_rng_make(3, "bandit");
        const struct draw draw = {next_bits, &rng};
        struct ddpg_options options = BANDIT;
        options.inverts_gradients = k == 1;
        struct ddpg ddpg = {0};
        ck_assert(ddpg_init(&ddpg, &options, &blas, &draw));
        ddpg.actor.params[ddpg.actor.biases_at[3]] = 10.0f;
        ck_assert_float_eq(mlp_answer(&ddpg.actor, (float[]){1, 0})[0], 1.0f);
        play_bandit(&ddpg, &draw, 800);
        last[k] = mlp_answer(&ddpg.actor, (float[]){1, 0})[0];
        ddpg_fini(&ddpg);
    }
    ck_assert_float_eq(last[0], 1.0f);
    ck_assert_float_eq_tol(last[1], 0.4f, 0.15f);
}
END_TEST

START_TEST(nothing_is_learned_before_there_is_a_batch)
{
    struct blas blas = open_blas();
    struct ew_rng rng = ew_rng_make(3, "bandit");
    const struct draw draw = {next_bits, &rng};
    struct ddpg ddpg = {0};
    ck_assert(ddpg_init(&ddpg, &BANDIT, &blas, &draw));
    play_bandit(&ddpg, &draw, 15);
    ck_assert_uint_eq(ddpg.actor.n_steps, 0);
    play_bandit(&ddpg, &draw, 2);
    ck_assert_uint_eq(ddpg.actor.n_steps, 2);
    ck_assert_uint_eq(ddpg.critic.n_steps, 2);
    ddpg_fini(&ddpg);
}
END_TEST

START_TEST(equal_seeds_learn_equal_networks)
{
    struct blas blas = open_blas();
    struct ddpg ddpg[2] = {0};
    for (int k = 0; k < 2; k++) {
        struct ew_rng rng = ew_rng_make(3, "bandit");
        const struct draw draw = {next_bits, &rng};
        ck_assert(ddpg_init(&ddpg[k], &BANDIT, &blas, &draw));
        play_bandit(&ddpg[k], &draw, 150);
    }
    size_t n_bytes = ddpg[0].actor.n_params * sizeof(float);
    ck_assert_mem_eq(ddpg[0].actor.params, ddpg[1].actor.params, n_bytes);
    ck_assert_mem_eq(ddpg[0].slow_actor.params, ddpg[1].slow_actor.params, n_bytes);
    ck_assert_mem_eq(ddpg[0].critic.params, ddpg[1].critic.params,
                     ddpg[0].critic.n_params * sizeof(float));
    ddpg_fini(&ddpg[0]);
    ddpg_fini(&ddpg[1]);
}
END_TEST

START_TEST(values_reach_back_over_steps)
{
    /* Two steps, reward only after the second, 1 whatever is done: Q is 1 there, gamma before. */
    struct blas blas = open_blas();
    struct ew_rng rng = ew_rng_make(9, "chain");
    const struct draw draw = {next_bits, &rng};
    struct ddpg_options options = BANDIT;
    options.gamma = 0.5;
    options.tau = 0.05;
    struct ddpg ddpg = {0};
    ck_assert(ddpg_init(&ddpg, &options, &blas, &draw));
    const float first[] = {1, 0};
    const float second[] = {0, 1};
    float action[1];
    for (int i = 0; i < 400; i++) {
        action[0] = (float)(2.0 * draw_unit(&draw) - 1.0);
        ddpg_observe(&ddpg,
                     &(struct replay_step){.state = first, .action = action, .next_state = second});
        ddpg_observe(&ddpg, &(struct replay_step){.state = second,
                                                  .action = action,
                                                  .reward = 1,
                                                  .next_state = second,
                                                  .is_last = true});
    }
    memcpy(ddpg.critic.values[0], (float[]){1, 0, 0.2f, 0, 1, 0.2f}, 6 * sizeof(float));
    const float *values = mlp_forward(&ddpg.critic, 2);
    ck_assert_float_eq_tol(values[0], 0.5f, 0.06f);
    ck_assert_float_eq_tol(values[1], 1.0f, 0.06f);
    ddpg_fini(&ddpg);
}
END_TEST

int main(void)
{
    Suite *suite = begin_suite("distredge_ddpg");
    TCase *networks = tcase_create("mlp");
    tcase_add_test(networks, forward_is_weights_times_input_plus_bias);
    tcase_add_loop_test(networks, gradients_match_differences, 0, 2);
    tcase_add_test(networks, tanh_outputs_stay_in_bounds);
    tcase_add_test(networks, first_adam_step_is_the_learning_rate);
    tcase_add_test(networks, adam_leaves_no_subnormal_moments);
    tcase_add_test(networks, following_moves_the_given_share);
    suite_add_tcase(suite, networks);
    TCase *buffer = tcase_create("replay");
    tcase_add_test(buffer, a_full_buffer_forgets_the_oldest);
    suite_add_tcase(suite, buffer);
    TCase *learner = tcase_create("ddpg");
    tcase_set_timeout(learner, 120);
    tcase_add_test(learner, a_bandit_is_solved);
    tcase_add_test(learner, inverting_gradients_leave_a_saturated_actor);
    tcase_add_test(learner, nothing_is_learned_before_there_is_a_batch);
    tcase_add_test(learner, equal_seeds_learn_equal_networks);
    tcase_add_test(learner, values_reach_back_over_steps);
    suite_add_tcase(suite, learner);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
