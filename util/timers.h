/* timers: the loop's timers, a binary heap by time. Part of loop; nobody else
 * needs it. The timers themselves are the callers'. */
#ifndef SOCKCTL_TIMERS_H
#define SOCKCTL_TIMERS_H

#include "loop.h"

struct timers {
	struct timer **heap; /* from 1: a timer's place is its index */
	size_t count, room;
};

void timers_set(struct timers *h, struct timer *t, int64_t at);
void timers_cancel(struct timers *h, struct timer *t);
/* When the next one is due; CLOCK_INF: none is set. */
int64_t timers_next(const struct timers *h);
/* Calls all that are due at now, in order. One that is set meanwhile for later
 * than now waits. */
void timers_run(struct timers *h, int64_t now);
void timers_free(struct timers *h);

#endif
