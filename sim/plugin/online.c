#include "plugin/online.h"

#include <stdlib.h>

struct ew_online_session {
    struct ew_problem problem; /* what the instance sees; its platform changes */
    struct ew_instance *instance;
    struct ew_online online;
};

enum ew_status ew_online_open(struct ew_online_session **out, const struct ew_book_request *request,
                              struct ew_error *err)
{
    struct ew_online_session *session = calloc(1, sizeof *session);
    *out = NULL;
    if (!session) {
        return ew_fail_memory(err);
    }
    session->problem = *request->problem;
    enum ew_status status =
        ew_instance_new(&session->instance, request->strategy.plugin->entry, request->strategy.info,
                        request->params, &session->problem, request->services, err);
    if (status == EW_OK) {
        status = ew_instance_online(&session->online, session->instance, err);
    }
    if (status != EW_OK || !session->online.observe) {
        ew_online_close(session);
        return status;
    }
    *out = session;
    return EW_OK;
}

enum ew_status ew_online_plan(struct ew_book **out, struct ew_online_session *session,
                              const struct ew_problem *now, struct ew_error *err)
{
    session->problem = *now;
    return ew_instance_plan(out, session->instance, err);
}

enum ew_status ew_online_observe(struct ew_book **out, struct ew_online_session *session,
                                 const struct ew_problem *now,
                                 const struct ew_observation *observation, struct ew_error *err)
{
    session->problem = *now;
    return ew_instance_observe(out, session->instance, &session->online, observation, err);
}

void ew_online_close(struct ew_online_session *session)
{
    if (session) {
        ew_instance_free(session->instance);
        free(session);
    }
}
