/* watch: --watch: a connection's tcpinfo events, every TIME, and whenever its
 * state is seen to have changed. For a second after each event it is looked at
 * every 10 ms, else every TIME. */
#ifndef SOCKCTL_WATCH_H
#define SOCKCTL_WATCH_H

#include "conn.h"

/* All do nothing without --watch. */
void watch_event(struct conn *c); /* something happened: look closely */
/* A last look before close(2), into c->last. A TCP connection's state after its
 * end is then followed for a second in /proc/net/tcp. */
void watch_end(struct conn *c);
/* Shows what became of the connections that are still followed. */
void watch_finish(struct sight *s);

#endif
