#include "distredge/params.h"

#include "common/plugin.h"

#define INFO_SIZE .struct_size = sizeof(struct ew_param_info)

/* ------------------------------------------------------------------ where to cut: LC-PSS */

static const struct ew_param_info PARAM_ALPHA = {
    INFO_SIZE,
    .kind = EW_PARAM_REAL,
    .name = "alpha",
    .unit = "ratio",
    .default_text = "0.75",
    .min_value = 0.0,
    .max_value = 1.0,
    .doc = "Weight of transmitted data against operations when volumes are chosen.",
};
static const struct ew_param_info PARAM_DRAWS = {
    INFO_SIZE,
    .kind = EW_PARAM_INT,
    .name = "draws",
    .unit = "",
    .default_text = "100",
    .min_value = 1,
    .max_value = 10000,
    .doc = "Random split decisions over which a partition is scored.",
};
static const struct ew_param_info PARAM_PAIRINGS = {
    INFO_SIZE,
    .kind = EW_PARAM_INT,
    .name = "pairings",
    .unit = "",
    .default_text = "20",
    .min_value = 1,
    .max_value = 10000,
    .doc =
        "With how many of the decisions for the layer before it a volume's decision is scored, at "
        "most draws; 1: the plain mean.",
};
static const char *const LAWS[] = {"literal", "clamped", NULL};
static const struct ew_param_info PARAM_LAW = {
    INFO_SIZE,
    .kind = EW_PARAM_CHOICE,
    .name = "law",
    .unit = "",
    .default_text = "literal",
    .choices = LAWS,
    .doc = "Vertical-splitting law in the scores: literal counts padding rows, as printed; clamped "
           "does not. Plans are always clamped.",
};
static const struct ew_param_info PARAM_VOLUMES = {
    INFO_SIZE,
    .kind = EW_PARAM_STRING,
    .name = "volumes",
    .unit = "",
    .default_text = "auto",
    .doc = "First blocks of the volumes, e.g. 0,6,10,14,15, instead of a search; auto: search.",
};

/* ------------------------------------------------------------------ how to split: OSDS */

static const char *const SEARCHES[] = {"ddpg", "coordinate", NULL};
static const struct ew_param_info PARAM_SEARCH = {
    INFO_SIZE,
    .kind = EW_PARAM_CHOICE,
    .name = "search",
    .unit = "",
    .default_text = "ddpg",
    .choices = SEARCHES,
    .doc = "ddpg: DistrEdge's agent; coordinate: a coordinate search to compare it with.",
};
static const struct ew_param_info PARAM_POLISH = {
    INFO_SIZE,
    .kind = EW_PARAM_BOOL,
    .name = "polish",
    .unit = "",
    .default_text = "false",
    .doc = "Improve the agent's split by coordinate search; not part of DistrEdge.",
};
static const struct ew_param_info PARAM_KEEP_SINGLE = {
    INFO_SIZE,
    .kind = EW_PARAM_BOOL,
    .name = "keep_single",
    .unit = "",
    .default_text = "true",
    .doc = "Keep the best single device's split when the agent finds no better one; false: the "
           "agent's split whatever it is.",
};
static const char *const ENVIRONMENTS[] = {"fast", "recursion", NULL};
static const struct ew_param_info PARAM_ENVIRONMENT = {
    INFO_SIZE,
    .kind = EW_PARAM_CHOICE,
    .name = "environment",
    .unit = "",
    .default_text = "fast",
    .choices = ENVIRONMENTS,
    .doc =
        "Whose latency is the reward: the fast engine's, or a recursion over volumes and devices.",
};
static const struct ew_param_info PARAM_EPISODES = {
    INFO_SIZE,
    .kind = EW_PARAM_INT,
    .name = "episodes",
    .unit = "",
    .default_text = "4000",
    .min_value = 1,
    .max_value = 1000000,
    .doc = "Most training episodes.",
};
static const struct ew_param_info PARAM_PATIENCE = {
    INFO_SIZE,
    .kind = EW_PARAM_INT,
    .name = "patience",
    .unit = "",
    .default_text = "500",
    .min_value = 0,
    .max_value = 1000000,
    .doc = "Stop when the best split has stood for so many episodes; 0: train to the end.",
};
static const struct ew_param_info PARAM_EXPLORE = {
    INFO_SIZE,
    .kind = EW_PARAM_REAL,
    .name = "explore_episodes",
    .unit = "",
    .default_text = "250",
    .min_value = 1,
    .max_value = 1e6,
    .doc = "1/Delta: noise is added with probability 1 - (episode / explore_episodes)^2.",
};
static const struct ew_param_info PARAM_SIGMA = {
    INFO_SIZE,
    .kind = EW_PARAM_REAL,
    .name = "sigma_squared",
    .unit = "",
    .default_text = "0",
    .min_value = 0,
    .max_value = 100,
    .doc = "Variance of the noise on actions in [-1, 1]; 0: 0.1, and 1 from 16 devices on.",
};
static const struct ew_param_info PARAM_BATCH = {
    INFO_SIZE,
    .kind = EW_PARAM_INT,
    .name = "replay_batch",
    .unit = "",
    .default_text = "64",
    .min_value = 1,
    .max_value = 4096,
    .doc = "Steps of the replay buffer that one update learns from.",
};
static const struct ew_param_info PARAM_BUFFER = {
    INFO_SIZE,
    .kind = EW_PARAM_INT,
    .name = "replay_buffer",
    .unit = "",
    .default_text = "100000",
    .min_value = 1,
    .max_value = 10000000,
    .doc = "Steps that the replay buffer holds; at least replay_batch are kept.",
};
static const struct ew_param_info PARAM_GAMMA = {
    INFO_SIZE,
    .kind = EW_PARAM_REAL,
    .name = "gamma",
    .unit = "ratio",
    .default_text = "0.99",
    .min_value = 0,
    .max_value = 1,
    .doc = "Discount of later rewards.",
};
static const struct ew_param_info PARAM_ACTOR_RATE = {
    INFO_SIZE,
    .kind = EW_PARAM_REAL,
    .name = "actor_rate",
    .unit = "",
    .default_text = "0.0001",
    .min_value = 0,
    .max_value = 1,
    .doc = "Learning rate of the actor.",
};
static const struct ew_param_info PARAM_CRITIC_RATE = {
    INFO_SIZE,
    .kind = EW_PARAM_REAL,
    .name = "critic_rate",
    .unit = "",
    .default_text = "0.001",
    .min_value = 0,
    .max_value = 1,
    .doc = "Learning rate of the critic.",
};
static const struct ew_param_info PARAM_TAU = {
    INFO_SIZE,
    .kind = EW_PARAM_REAL,
    .name = "tau",
    .unit = "ratio",
    .default_text = "0.05",
    .min_value = 0,
    .max_value = 1,
    .doc = "How fast the target networks follow.",
};
static const char *const REWARDS[] = {"relative", "inverse", NULL};
static const struct ew_param_info PARAM_REWARD = {
    INFO_SIZE,
    .kind = EW_PARAM_CHOICE,
    .name = "reward",
    .unit = "",
    .default_text = "inverse",
    .choices = REWARDS,
    .doc = "Last step's reward: the best single device's latency over the plan's, or 1/T per s.",
};

static const char *const FIRST_VALUES[] = {"single", "zero", NULL};
static const struct ew_param_info PARAM_FIRST_VALUE = {
    INFO_SIZE,
    .kind = EW_PARAM_CHOICE,
    .name = "first_value",
    .unit = "",
    .default_text = "single",
    .choices = FIRST_VALUES,
    .doc =
        "What the critic expects before it has learned: the reward of the best single device, or "
        "nothing.",
};
static const char *const BOUNDS[] = {"tanh", "inverting", NULL};
static const struct ew_param_info PARAM_BOUNDS = {
    INFO_SIZE,
    .kind = EW_PARAM_CHOICE,
    .name = "bounds",
    .unit = "",
    .default_text = "tanh",
    .choices = BOUNDS,
    .doc = "How the actor learns near the ends of its range: with the slope of tanh, or with "
           "inverting gradients, which do not get stuck there.",
};
static const struct ew_param_info PARAM_START = {
    INFO_SIZE,
    .kind = EW_PARAM_STRING,
    .name = "start_actor",
    .unit = "",
    .default_text = "",
    .doc = "File with a trained actor to start from (one that cache_dir received); empty: none.",
};
static const struct ew_param_info PARAM_CACHE = {
    INFO_SIZE,
    .kind = EW_PARAM_STRING,
    .name = "cache_dir",
    .unit = "",
    .default_text = "auto",
    .doc = "Folder for trained actors and their splits, by problem, parameters and seed: a search "
           "that was done before is read from there; auto: the program's cache; none: no cache.",
};

/* ------------------------------------------------------------------ in a changing world */

static const struct ew_param_info PARAM_TRIES =
    KIT_INT("online_tries", "16", 0, 1000000,
            "How often the kept actor is tried with noise in a changed world, without training.");
static const struct ew_param_info PARAM_ONLINE_SIGMA = KIT_REAL(
    "online_sigma_squared", "", "0.01", 0, 100, "Variance of that noise on actions in [-1, 1].");
static const struct ew_param_info PARAM_FINETUNE =
    KIT_INT("finetune_episodes", "100", 0, 1000000,
            "Episodes that the kept agent learns on when the world has changed; 0: none.");
static const struct ew_param_info PARAM_THRESHOLD =
    KIT_REAL("finetune_threshold_pct", "%", "10", 0, 1e6,
             "Change that the agent learns on for, against the world it was trained in: of any "
             "bandwidth's mean or device's speed.");
static const struct ew_param_info PARAM_WINDOW =
    KIT_REAL("finetune_window_s", "s", "120", 0, 1e9,
             "Over what time bandwidths are averaged to tell change from fluctuation; 0: not.");

/* ------------------------------------------------------------------ who takes part */

static const struct ew_param_info PARAM_HEAD = {
    INFO_SIZE,
    .kind = EW_PARAM_STRING,
    .name = "head_device",
    .unit = "",
    .default_text = "auto",
    .doc = "Device for the layers that cannot be split (fully connected ones); auto: the one with "
           "the largest share of the last volume.",
};
static const struct ew_param_info PARAM_SOURCE = {
    INFO_SIZE,
    .kind = EW_PARAM_BOOL,
    .name = "include_source",
    .unit = "",
    .default_text = "false",
    .doc = "Let the source take a share, too; DistrEdge's requester only requests.",
};

static const struct ew_param_info *const PARAMS[] = {
    &PARAM_ALPHA,    &PARAM_DRAWS,       &PARAM_PAIRINGS,     &PARAM_LAW,         &PARAM_VOLUMES,
    &PARAM_SEARCH,   &PARAM_POLISH,      &PARAM_KEEP_SINGLE,  &PARAM_ENVIRONMENT, &PARAM_EPISODES,
    &PARAM_PATIENCE, &PARAM_EXPLORE,     &PARAM_SIGMA,        &PARAM_BATCH,       &PARAM_BUFFER,
    &PARAM_GAMMA,    &PARAM_ACTOR_RATE,  &PARAM_CRITIC_RATE,  &PARAM_TAU,         &PARAM_BOUNDS,
    &PARAM_REWARD,   &PARAM_FIRST_VALUE, &PARAM_START,        &PARAM_CACHE,       &PARAM_HEAD,
    &PARAM_SOURCE,   &PARAM_TRIES,       &PARAM_ONLINE_SIGMA, &PARAM_FINETUNE,    &PARAM_THRESHOLD,
    &PARAM_WINDOW,
};

const struct ew_strategy_info DISTREDGE_INFO = {
    .struct_size = sizeof DISTREDGE_INFO,
    .param_count = sizeof PARAMS / sizeof PARAMS[0],
    .id = "distredge",
    .version = "1.2.1",
    .summary = "fused layer-volumes, each split by rows as a reinforcement learner decides",
    .citation = "Hou et al., DistrEdge, IPDPS 2022, pp. 1097-1107",
    .params = PARAMS,
};
