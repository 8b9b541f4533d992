/*
 * The only file that includes SimGrid's headers, and the place for differences between versions.
 * Everything that uses it lives in the simgrid module, which is loaded when first needed.
 */
#ifndef EW_ENGINE_SIMGRID_SG_COMPAT_H
#define EW_ENGINE_SIMGRID_SG_COMPAT_H

#include <xbt/base.h>

#include <simgrid/version.h>

#if SIMGRID_VERSION < 33200
#error "EdgeWeave needs SimGrid 3.32 or newer"
#endif

#include <simgrid/actor.h>
#include <simgrid/comm.h>
#include <simgrid/engine.h>
#include <simgrid/exec.h>
#include <simgrid/host.h>
#include <simgrid/link.h>
#include <simgrid/mailbox.h>
#include <simgrid/plugins/energy.h>
#include <simgrid/semaphore.h>
#include <xbt/config.h>
#include <xbt/dict.h>
#include <xbt/dynar.h>
#include <xbt/log.h>
#include <xbt/sysdep.h>

/* Sanitizers do not follow the stack switches of SimGrid's `raw` contexts. */
#ifdef EW_SANITIZED
#define EW_SG_CONTEXT_FACTORY "thread"
#else
#define EW_SG_CONTEXT_FACTORY "raw"
#endif

#endif
