/* life: the frame that every mode runs in: loop, report, sight, signals,
 * --deadline, SIGUSR1's progress, the summary as the last line, and death by
 * the signal that ended a client.
 *
 *	struct life life;
 *
 *	if (life_begin(&life, &setup, &err) == -1)
 *		return mode_refuse(run, &err);
 *	... start things on life.loop ...
 *	return life_run(&life);
 */
#ifndef SOCKCTL_LIFE_H
#define SOCKCTL_LIFE_H

#include "conn.h"
#include "loop.h"
#include "net.h"
#include "report.h"

enum { LIFE_MEMBERS = 32 };

struct life_setup {
	const char *mode;
	enum report_manner manner;
	bool server; /* a signal ends it with exit 0; a client dies of it */
	const struct report_options *report;
	const struct sight_options *sight; /* may be NULL */
	int64_t deadline; /* CLOCK_NONE */
	/* A signal came (why NULL), or the deadline passed (why says so, and
	 * was told): the mode ends what is under way and calls loop_stop with
	 * its exit code. NULL: the loop is stopped at once (128 + signal, or
	 * 0 for a server; 4 for the deadline). A second signal ends the
	 * process by its default action. */
	void (*stop)(void *arg, const struct err *why);
	/* The members of the summary (and of SIGUSR1's progress): fills out,
	 * at most LIFE_MEMBERS, and returns how many. What they point to must
	 * live until the mode's next callback. */
	size_t (*members)(void *arg, struct field *out);
	/* After the summary: frees what stands on the loop, which is freed
	 * next. May be NULL. */
	void (*release)(void *arg);
	void *arg;
};

struct life {
	struct loop *loop;
	struct report *report;
	struct sight *sight;
	struct life_setup set;
	struct timer deadline;
	int signo; /* that ended it; 0: none */
};

/* -1 with err where the log or the hexdump cannot be opened. */
int life_begin(struct life *l, const struct life_setup *s, struct err *err);
/* The exit code for loop_stop: code, or after a signal what it asks for. */
int life_code(const struct life *l, int code);
/* The socket options that were given, told to the report as they are applied
 * (--show-sockopts). item is given's. */
struct sockopts life_sockopts(
	const struct life *l, const struct sockopts *given);
/* Runs the loop, tells the summary, closes everything; dies of the signal
 * where a client was ended by one. Returns the exit code. */
int life_run(struct life *l);
/* The same without running (the mode failed before): summary and closing. */
int life_end(struct life *l, int code);
/* Tells err, then ends: for a start that failed after life_begin. */
int life_fail(struct life *l, const struct err *err);

#endif
