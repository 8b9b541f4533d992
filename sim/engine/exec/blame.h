/*
 * Blame: workers that complain of each other. A complaint often arrives before the cause: the
 * connection was refused because the other's process is ending, and its own word is still under
 * way. So the accused is heard first; and one that complains of a third itself may have failed
 * because of that, so that the end of such a chain is judged, not its beginning.
 */
#ifndef EW_ENGINE_EXEC_BLAME_H
#define EW_ENGINE_EXEC_BLAME_H

#include <stdbool.h>
#include <stdint.h>

/** What one worker has said of another, and whether it is accused itself. */
struct blame {
    uint32_t of;       /**< whom it complains of; EW_NONE: nobody */
    double said_s;     /**< real time of that */
    bool is_asked;     /**< others complain of it, and it has been asked whether it is there */
    bool has_answered; /**< it is, and had nothing else to say before */
};

/** Nobody has complained of anybody. */
void blame_clear(uint32_t n, struct blame *blames);

/** Worker `by` complains of `of`, another one. Its first complaint counts. */
void blame_note(uint32_t n, struct blame *blames, uint32_t by, uint32_t of, double now_s);

/** Who is at the end of the chain of complaints that begins with the one of `by`: EW_NONE when
 *  they go round in a circle. */
uint32_t blame_root(uint32_t n, const struct blame *blames, uint32_t by);

/** Somebody is to be judged: *by's complaint of *of stands, since the accused is alive and has
 *  nothing to say, has not said anything for `grace_s`, or complains of its accuser. */
bool blame_is_due(uint32_t n, const struct blame *blames, double now_s, double grace_s,
                  uint32_t *by, uint32_t *of);

#endif
