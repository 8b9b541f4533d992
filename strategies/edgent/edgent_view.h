/*
 * What Edgent's strategies see of a problem: the exits that are accurate enough, their layers'
 * times on the device and on a server, and the plan that a decision becomes.
 */
#ifndef EDGEWEAVE_STRATEGIES_EDGENT_VIEW_H
#define EDGEWEAVE_STRATEGIES_EDGENT_VIEW_H

#include "common/net.h"
#include "common/plugin.h"
#include "edgent/edgent_model.h"

/** A candidate exit and its numbers for the server being tried. */
struct edgent_candidate {
    struct kit_net net;
    double *server_s;
    double *device_s;
    double *output_bytes;
    double *server_load_s; /**< by number of front layers */
    double *device_load_s;
    bool *can_cut;
};

/** The problem as seen. Zero-initialise. */
struct edgent_view {
    const struct ew_host *host;
    uint32_t source;
    bool is_paper;
    bool has_loading;
    bool is_device_first;
    enum edgent_unit unit;
    uint32_t n;
    struct edgent_candidate *candidates; /**< ascending accuracy */
    struct edgent_exit *exits;
};

/* Parameters that all of them have; edgent_view_init reads the first five. */
extern const struct ew_param_info edgent_param_regression;
extern const struct ew_param_info edgent_param_unit;
extern const struct ew_param_info edgent_param_input;
extern const struct ew_param_info edgent_param_loading;
extern const struct ew_param_info edgent_param_direction;
extern const struct ew_param_info edgent_param_device;

/** Candidates: the exits that are accurate enough, as far as their accuracy is known. Release
 *  whatever this returns. */
int32_t edgent_view_init(struct edgent_view *view, const struct ew_host *host);
void edgent_view_fini(struct edgent_view *view);

/** The problem with this server, at the bandwidth of now. Points into the view, whose times become
 *  those of the server. EW_ID_NONE: no server. Selection and device_only_exit1_s are left to the
 *  caller. */
struct edgent_problem edgent_view_problem(struct edgent_view *view, uint32_t server);

/** A server can be reached and holds at least the smallest sub-model. */
bool edgent_can_serve(const struct edgent_view *view, uint32_t device);

/** Nobody asked for a certain server, and the device can do without one. */
bool edgent_can_go_alone(const struct edgent_view *view, uint32_t wanted);

/** What the user asked for as server: EW_ID_NONE for any. */
int32_t edgent_wanted_server(uint32_t *wanted, const struct edgent_view *view);

/** Why no server was found, after trying. */
int32_t edgent_fail_server(const struct edgent_view *view, uint32_t wanted);

/** Write the decision, with notes and prediction. Server EW_ID_NONE: there is none. */
int32_t edgent_write_plan(struct ew_plan_builder *builder, const struct edgent_view *view,
                          const struct edgent_choice *choice, uint32_t server);

#endif
