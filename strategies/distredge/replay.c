#include "distredge/replay.h"

#include <stdlib.h>
#include <string.h>

bool replay_init(struct replay *replay, uint32_t n_state, uint32_t n_action, uint32_t capacity)
{
    *replay = (struct replay){.n_state = n_state, .n_action = n_action, .capacity = capacity};
    replay->states = calloc((size_t)capacity * n_state, sizeof *replay->states);
    replay->actions = calloc((size_t)capacity * n_action, sizeof *replay->actions);
    replay->next_states = calloc((size_t)capacity * n_state, sizeof *replay->next_states);
    replay->rewards = calloc(capacity, sizeof *replay->rewards);
    replay->is_last = calloc(capacity, sizeof *replay->is_last);
    return replay->states && replay->actions && replay->next_states && replay->rewards &&
           replay->is_last;
}

void replay_fini(struct replay *replay)
{
    free(replay->states);
    free(replay->actions);
    free(replay->next_states);
    free(replay->rewards);
    free(replay->is_last);
    memset(replay, 0, sizeof *replay);
}

void replay_add(struct replay *replay, const struct replay_step *step)
{
    size_t slot = replay->next;
    size_t n_state = replay->n_state;
    size_t n_action = replay->n_action;
    memcpy(replay->states + slot * n_state, step->state, n_state * sizeof(float));
    memcpy(replay->actions + slot * n_action, step->action, n_action * sizeof(float));
    if (!step->is_last) {
        memcpy(replay->next_states + slot * n_state, step->next_state, n_state * sizeof(float));
    }
    replay->rewards[slot] = step->reward;
    replay->is_last[slot] = step->is_last;
    replay->next = (replay->next + 1) % replay->capacity;
    replay->n += replay->n < replay->capacity;
}

struct replay_step replay_at(const struct replay *replay, uint32_t slot)
{
    return (struct replay_step){
        .state = replay->states + (size_t)slot * replay->n_state,
        .action = replay->actions + (size_t)slot * replay->n_action,
        .reward = replay->rewards[slot],
        .next_state = replay->next_states + (size_t)slot * replay->n_state,
        .is_last = replay->is_last[slot],
    };
}
