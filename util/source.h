/* source: standard input (or a file) on the loop, one read a turn. In a
 * background job of a terminal it is not read, and looked at again. */
#ifndef SOCKCTL_SOURCE_H
#define SOCKCTL_SOURCE_H

#include "err.h"
#include "io.h"

struct source {
	struct loop *loop;
	struct io io;
	struct watch watch;
	struct timer timer;
	size_t most; /* bytes a read */
	bool paused, ended;
	uint64_t total;
	/* n > 0 bytes, valid during the call (they lie in the scratch). */
	void (*data)(void *arg, const uint8_t *data, size_t n);
	/* The end of the input; err (op read) where it is an error. Once. */
	void (*end)(void *arg, const struct err *err);
	void *arg;
};

/* Starts paused. most: at most LOOP_SCRATCH. fd -1 is an input that never
 * gives anything and never ends. */
void source_open(struct source *s, struct loop *l, int fd, size_t most,
	void (*data)(void *arg, const uint8_t *data, size_t n),
	void (*end)(void *arg, const struct err *err), void *arg);
void source_pause(struct source *s, bool paused);
void source_close(struct source *s); /* fd stays open */

#endif
