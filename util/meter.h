/* meter: the line of progress on a terminal: one file, percent, bytes, rate
 * over the last seconds, time left, how long it has stalled. */
#ifndef SOCKCTL_METER_H
#define SOCKCTL_METER_H

#include "outlet.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { METER_SAMPLES = 8 };

struct meter {
	bool on;
	bool drawn; /* the line stands there */
	const void *owner; /* whose file it shows; NULL: free */
	struct outlet to;
	int64_t last, moved; /* clock of the last drawing, of the last byte */
	uint64_t done;
	struct {
		int64_t at;
		uint64_t done;
	} sample[METER_SAMPLES]; /* the oldest at next, one a second */
	size_t next;
};

struct meter_file {
	const char *name;
	uint64_t done, size; /* size UINT64_MAX: unknown */
	bool checking; /* what is there is hashed, nothing moves */
};

void meter_start(struct meter *m, bool on);
/* Draws, at most a few times a second, where no other owner has the line. */
void meter_show(struct meter *m, const void *owner, const struct meter_file *f,
	int64_t now);
/* Takes the line away before something else is printed. */
void meter_clear(struct meter *m);
/* The owner's file ended: the line is free. */
void meter_release(struct meter *m, const void *owner);

#endif
