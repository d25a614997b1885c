/* play: a script played on one connection, on the loop: each step is one event
 * with what was asked, what the system call returned, how long it took and the
 * TCP state after it. Steps that wait leave the loop free. */
#ifndef SOCKCTL_PLAY_H
#define SOCKCTL_PLAY_H

#include "conn.h"
#include "script.h"
#include "sink.h"

/* The settings of the group "Scripts"; rows script_opts. */
struct script_options {
	struct script script; /* count 0: none */
	const struct behaviour *behave;
	int64_t step_timeout; /* CLOCK_NONE */
};
#define SCRIPT_DEFAULT \
	{ \
		.step_timeout = CLOCK_NONE \
	}
extern const struct opt script_opts[];

struct play_setup {
	struct loop *loop;
	struct report *report;
	struct sight *sight;
	const struct script *script;
	int fd; /* the connection; the play's from now on */
	unsigned id;
	size_t chunk; /* bytes a write of fill */
	int64_t step_timeout; /* CLOCK_NONE */
	int64_t linger;
	bool quiet; /* no script events (--behave) */
	/* What is received, for standard output; full: it takes no more now. */
	void (*out)(void *arg, const void *data, size_t n);
	bool (*full)(void *arg);
	/* The end, from the loop: the error and close events were told, the
	 * descriptor is closed. It may free the play. err: NULL where all went
	 * well. */
	void (*gone)(void *arg, int code, const struct err *err);
	void *arg;
};

struct play;

/* Opens the connection's record, so that the caller may tell accept or connect
 * before play_run. */
struct play *play_open(const struct play_setup *s);
struct conn *play_conn(struct play *p);
void play_run(struct play *p);
/* Ends it from outside; gone is called as at any end. */
void play_abort(struct play *p, enum close_reason reason, bool reset);
void play_free(struct play *p);

#endif
