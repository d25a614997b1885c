/* report: everything that sockctl says: one call an event, typed fields; the
 * text is a template over the same fields, so that text cannot say what JSON
 * lacks. Nothing else prints. */
#ifndef SOCKCTL_REPORT_H
#define SOCKCTL_REPORT_H

#include "buf.h"
#include "err.h"
#include "field.h"
#include "opt.h"
#include "sockopt.h"
#include "tcpinfo.h"
#include <stdbool.h>
#include <stdint.h>

enum event {
	EV_LISTENING,
	EV_ACCEPT,
	EV_CONNECT,
	EV_HALF_CLOSE,
	EV_CLOSE,
	EV_DENIED,
	EV_ERROR,
	EV_SOCKOPT,
	EV_TCPINFO,
	EV_SCRIPT,
	EV_BLOCKED,
	EV_DATA,
	EV_JOIN,
	EV_LEAVE,
	EV_RENAME,
	EV_MESSAGE,
	EV_FILE,
	EV_PORT,
	EV_INTERFACE,
	EV_INTERVAL,
	EV_BLOCK,
	EV_RESULT,
	EV_PROGRESS,
	EV_SUMMARY,
	EV_NOTE, /* text only in a log or on a terminal: a plain remark */
	EV_COUNT
};

/* The settings of the group "Reports"; rows report_opts (-v, --quiet, --json,
 * --log). */
struct report_options {
	bool verbose, quiet, json;
	const char *log;
};

extern const struct opt report_opts[];

struct report;

/* How a mode is heard. */
enum report_manner {
	REPORT_CLIENT, /* standard output is data; errors only by default */
	REPORT_LISTENER, /* standard output is data; listening, accept, close */
	REPORT_RESULT, /* events and the report go to standard output */
};

/* The identity that events of a connection carry. */
struct report_conn {
	unsigned id; /* from 1 */
	const char *local, *peer;
};

/* Opens the log where one was asked for. NULL with err (op open). mode is the
 * mode's name. The report lives until report_close. */
struct report *report_open(const struct report_options *o, const char *mode,
	enum report_manner manner, struct err *err);
void report_close(struct report *r);
/* Moves report and events of a REPORT_RESULT mode to standard error (probe
 * ... -- COMMAND). */
void report_to_stderr(struct report *r);

/* Who draws on the terminal that is standard error: called with true before
 * each line there, and with false after it. */
void report_screen(
	struct report *r, void (*screen)(void *arg, bool before), void *arg);

/* Tells an event. conn may be NULL. Whether it is shown, and its text, stand
 * in report's one table of events. In text a field is escaped (utf8_escape). */
void report_event(struct report *r, enum event ev,
	const struct report_conn *conn, const struct field *fields, size_t n);
#define REPORT(r, ev, conn, ...) \
	report_event(r, ev, conn, (struct field[]){ __VA_ARGS__ }, \
		sizeof((struct field[]){ __VA_ARGS__ }) / \
			sizeof(struct field))

/* The error event. conn may be NULL. The first error told is remembered for
 * the summary's member error. */
void report_error(
	struct report *r, const struct report_conn *conn, const struct err *e);
/* The tcpinfo event, of --stats and --watch. */
void report_tcpinfo(struct report *r, const struct report_conn *conn,
	const struct tcpinfo *t);
/* For struct sockopts: seen = report_sockopt, arg = the report. */
void report_sockopt(void *report, const struct sockopt_seen *s);
/* A plain remark of -v ("reading paused: ..."), event note, never needed by
 * a program; level 0 always shown, 1 with -v. */
void report_note(struct report *r, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The last line: summary with exit, error and the mode's members. Returns
 * code, so that a mode ends with return report_summary(...). Told once; later
 * calls only return. */
int report_summary(
	struct report *r, int code, const struct field *fields, size_t n);
#define REPORT_SUMMARY(r, code, ...) \
	report_summary(r, code, (struct field[]){ __VA_ARGS__ }, \
		sizeof((struct field[]){ __VA_ARGS__ }) / \
			sizeof(struct field))
/* SIGUSR1: the same members as a progress event, shown always. */
void report_progress(struct report *r, const struct field *fields, size_t n);
/* True once standard output (of a REPORT_RESULT mode) or the log refused a
 * line: it was said, and report_summary returns exit 6; a mode that runs for
 * ever may end. Standard error that is closed or full is no failure. */
bool report_failed(const struct report *r);
/* Whether somebody would see this event: spares the making of costly ones. */
bool report_shows(const struct report *r, enum event ev);
bool report_json(const struct report *r); /* only for the choice of streams:
					     hexdump's and progress lines' */
/* The line "sockctl serve: bind 0.0.0.0:4000: ..." on standard error for
 * errors before a report exists. */
void report_early(const char *mode, const struct err *e);
/* The same for a run that ends with it; json: as an error event and a summary,
 * out: on standard output. Returns the exit code. */
int report_refusal(const char *mode, bool json, bool out, const struct err *e);

#endif
