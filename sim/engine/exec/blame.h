/*
 * Blame: workers that have ended their part because of another one. A complaint often arrives
 * before the cause: the connection was refused because the other's process is ending, and its own
 * word is still under way. So the accused is heard first, and whoever has itself complained of a
 * third is a consequence, not the cause.
 */
#ifndef EW_ENGINE_EXEC_BLAME_H
#define EW_ENGINE_EXEC_BLAME_H

#include <stdbool.h>
#include <stdint.h>

/** What one worker has said of another, and whether it is accused itself. */
struct blame {
    uint32_t of;       /**< whom it complains of; EW_NONE: nobody */
    double said_s;     /**< real time of that */
    bool has_answered; /**< it is alive, and has had nothing to say since it was accused */
};

/** Nobody has complained of anybody. */
void blame_clear(uint32_t n, struct blame *blames);

/** Worker `by` has ended its part because of `of`, another one. Its first complaint counts. */
void blame_note(uint32_t n, struct blame *blames, uint32_t by, uint32_t of, double now_s);

/** Who is at the end of the chain of complaints that begins with the one of `by`: EW_NONE when
 *  they go round in a circle. */
uint32_t blame_root(uint32_t n, const struct blame *blames, uint32_t by);

/** Somebody is to be judged: *by's complaint of *of stands, since the accused is alive and has
 *  nothing to say, has not said anything for `grace_s`, or complains of its accuser. */
bool blame_is_due(uint32_t n, const struct blame *blames, double now_s, double grace_s,
                  uint32_t *by, uint32_t *of);

#endif
