/* pace: how fast a writer may write: --chunk (bytes a write), --delay (time
 * between writes), --rate (bytes a second on average). */
#ifndef SOCKCTL_PACE_H
#define SOCKCTL_PACE_H

#include "opt.h"
#include "rate.h"
#include <stdbool.h>

/* The settings of the group "Pace"; rows pace_opts. 0: no limit. */
struct pace_options {
	uint64_t chunk;
	int64_t delay; /* ns */
	uint64_t rate; /* bytes a second */
};
extern const struct opt pace_opts[];

struct pace {
	const struct pace_options *options;
	struct rate rate;
	int64_t next; /* when the next write may be, for --delay */
};

/* Whether there is any limit. */
bool pace_any(const struct pace_options *o);
/* now, here and below: the clock. options stays the caller's. */
void pace_start(struct pace *p, const struct pace_options *o, int64_t now);
/* How many of want bytes may be written at once now; 0: wait pace_wait ns. */
size_t pace_allow(struct pace *p, size_t want, int64_t now);
int64_t pace_wait(const struct pace *p, size_t want, int64_t now);
/* So many were written. */
void pace_took(struct pace *p, size_t bytes, int64_t now);

#endif
