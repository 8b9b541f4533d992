/*
 * Profiles of devices that run at another speed than they were measured at.
 */
#ifndef EW_MODEL_PROFILE_SCALE_H
#define EW_MODEL_PROFILE_SCALE_H

#include "model/profile.h"

/** A copy that takes 1/ratio of the time for everything. Texts stay borrowed. Free with
 *  ew_profile_free. EW_ENOMEM. */
enum ew_status ew_profile_scale(struct ew_profile **out, const struct ew_profile *profile,
                                double ratio, struct ew_error *err);

#endif
