/* playstep: what each word of a script does, one try at a time; play keeps the
 * place and tells. */
#ifndef SOCKCTL_PLAYSTEP_H
#define SOCKCTL_PLAYSTEP_H

#include "match.h"
#include "play.h"
#include "source.h"

enum { PLAY_TEXT = 4096 }; /* bytes of what was received, for the event */

struct play {
	struct play_setup set;
	struct conn conn;
	struct io io;
	struct addr local, peer;
	struct watch watch;
	struct timer timer, limit;
	struct source key;
	size_t at; /* the step */
	uint64_t *times; /* a group's, by the index of its end */
	bool started, over, pressed;
	bool eof; /* a read has met the peer's FIN */
	unsigned ready;
	/* The step under way. */
	int64_t began, quiet_at, delay;
	uint64_t done; /* bytes so far */
	int64_t result;
	int error;
	struct buf text; /* what it received, at most PLAY_TEXT bytes */
	struct buf echo; /* read, not yet sent back */
	struct match match;
	struct err lost;
	int code;
};

enum play_wait {
	PLAY_DONE, /* result and error say how */
	PLAY_READ, /* until the socket is readable, ... */
	PLAY_WRITE,
	PLAY_URGENT,
	PLAY_TIME, /* delay ns; CLOCK_INF: somebody calls */
};

/* Tries the step; to be called again when what it waits for has come. */
enum play_wait play_step(struct play *p, const struct script_step *s);
/* playtell.c: a step that is over; one that --step-timeout ends. */
void play_tell_step(struct play *p, const struct script_step *s);
void play_tell_blocked(struct play *p, const struct script_step *s);
/* A line of standard input sets pressed. */
void play_wait_key(struct play *p);

#endif
