#include "report.h"

#include "clock.h"
#include "event.h"
#include "mem.h"
#include "num.h"
#include "outlet.h"
#include "template.h"
#include "term.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RED "\033[31m"
#define PLAIN "\033[m"

struct report {
	struct report_options options;
	const char *mode;
	enum report_manner manner;
	struct outlet out, error, log; /* log.fd -1: none */
	bool to_stderr; /* the result goes to error, too */
	bool listener; /* a listening event was told */
	bool summed;
	bool failed;
	struct buf line;
	struct field *fields; /* of the event that is being told */
	size_t room;
	char first_error[ERR_LINE_MAX]; /* for the summary */
	void (*screen)(void *arg, bool before);
	void *screen_arg;
};

const struct opt report_opts[] = {
	{ .name = "verbose",
		.letter = 'v',
		.type = OPT_FLAG,
		.help = "more events",
		.offset = OPT_AT(struct report_options, verbose, bool) },
	{ .name = "quiet",
		.type = OPT_FLAG,
		.help = "errors only",
		.offset = OPT_AT(struct report_options, quiet, bool) },
	{ .name = "json",
		.type = OPT_FLAG,
		.help = "events and reports as JSON Lines",
		.offset = OPT_AT(struct report_options, json, bool) },
	{ .name = "log",
		.type = OPT_STRING,
		.word = "FILE",
		.help = "append events to FILE instead",
		.offset = OPT_AT(struct report_options, log, const char *),
		.complete = "file" },
	{ 0 },
};

struct report *
report_open(const struct report_options *o, const char *mode,
	enum report_manner manner, struct err *err)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
	struct report *r;
	int fd = -1;

	if (o->log != NULL) {
		fd = open(o->log, flags, 0666);
		if (fd == -1) {
			err_set(err, "open", errno, o->log);
			return NULL;
		}
	}
	r = mem_zero(1, sizeof(*r));
	r->options = *o;
	r->mode = mode;
	r->manner = manner;
	r->listener = manner == REPORT_LISTENER;
	r->out.fd = STDOUT_FILENO;
	r->error.fd = STDERR_FILENO;
	r->log.fd = fd;
	return r;
}

void
report_close(struct report *r)
{
	if (r == NULL)
		return;
	if (r->log.fd != -1)
		close(r->log.fd);
	buf_free(&r->line);
	free(r->fields);
	free(r);
}

void
report_to_stderr(struct report *r)
{
	r->to_stderr = true;
}

void
report_screen(
	struct report *r, void (*screen)(void *arg, bool before), void *arg)
{
	r->screen = screen;
	r->screen_arg = arg;
}

static bool
shows_text(const struct report *r, enum event_level level)
{
	bool verbose = r->options.verbose, quiet = r->options.quiet;

	switch (level) {
	case LEVEL_ALWAYS:
		return true;
	case LEVEL_LISTENER:
		return verbose || (r->listener && !quiet);
	case LEVEL_VERBOSE:
		return verbose;
	case LEVEL_OWN:
		return !quiet || r->manner != REPORT_RESULT;
	case LEVEL_RESULT:
	case LEVEL_NOTE:
		return !quiet;
	case LEVEL_SUMMARY:
		return verbose || (r->manner == REPORT_RESULT && !quiet);
	}
	return true;
}

static bool
shows_json(const struct report *r, enum event_level level)
{
	if (level == LEVEL_NOTE)
		return false;
	return !r->options.quiet ||
		(level != LEVEL_LISTENER && level != LEVEL_VERBOSE);
}

bool
report_shows(const struct report *r, enum event ev)
{
	enum event_level level = event_row(ev)->level;

	return r->options.json ? shows_json(r, level) : shows_text(r, level);
}

bool
report_json(const struct report *r)
{
	return r->options.json;
}

bool
report_failed(const struct report *r)
{
	return r->failed;
}

/* Where an event goes: the report of a mode without data on standard output
 * goes there, with --json all of its events do. */
static struct outlet *
outlet_for(struct report *r, enum event_level level)
{
	if (r->log.fd != -1)
		return &r->log;
	if (r->manner != REPORT_RESULT || r->to_stderr)
		return &r->error;
	if (r->options.json || level == LEVEL_RESULT || level == LEVEL_SUMMARY)
		return &r->out;
	return &r->error;
}

/* Writes the line. Standard error may be closed or full; where the result or
 * the log cannot be written the run has failed, which is said once, unless a
 * signal ended the waiting for a reader. */
static void
send_line(struct report *r, struct outlet *o)
{
	bool screen = r->screen != NULL && o == &r->error;
	struct err e;
	int result;

	buf_byte(&r->line, '\n');
	if (screen)
		r->screen(r->screen_arg, true);
	result = outlet_write(o, buf_data(&r->line), r->line.len);
	if (screen)
		r->screen(r->screen_arg, false);
	if (result == 0 || o == &r->error || o->stuck || r->failed)
		return;
	r->failed = true;
	err_set(&e, "write", errno,
		o == &r->log ? r->options.log : "standard output");
	report_early(r->mode, &e);
}

static void
write_json(struct report *r, size_t n)
{
	const struct field all = F_OBJ("", r->fields, n);

	field_json(&r->line, &all);
}

static void
write_text(struct report *r, const struct outlet *o, enum event ev, size_t n)
{
	bool red = ev == EV_ERROR && term_colour(o->fd);
	const char *columns = event_columns(ev);
	const char *text = event_row(ev)->text;

	if (columns != NULL && term_is(o->fd))
		text = columns;
	if (red)
		buf_string(&r->line, RED);
	template_render(&r->line, text, r->fields, n);
	if (red)
		buf_string(&r->line, PLAIN);
}

/* What every event says, then its own members. */
enum { FIELDS_COMMON = 6 };

static size_t
gather(struct report *r, const char *name, const struct report_conn *conn,
	const struct field *fields, size_t n)
{
	size_t used = 0;

	if (r->room < n + FIELDS_COMMON) {
		r->room = n + FIELDS_COMMON;
		r->fields = mem_grow(r->fields, r->room, sizeof(*r->fields));
	}
	r->fields[used++] = (struct field)F_REAL("ts", clock_unix(), 6);
	r->fields[used++] = F_STR("mode", r->mode);
	r->fields[used++] = F_STR("event", name);
	if (conn != NULL) {
		r->fields[used++] = (struct field)F_UINT("conn", conn->id);
		r->fields[used++] = F_STR("local", conn->local);
		r->fields[used++] = F_STR("peer", conn->peer);
	}
	if (n > 0)
		memcpy(r->fields + used, fields, n * sizeof(*fields));
	return used + n;
}

void
report_event(struct report *r, enum event ev, const struct report_conn *conn,
	const struct field *fields, size_t n)
{
	const struct event_row *row = event_row(ev);
	struct outlet *o = outlet_for(r, row->level);

	if (ev == EV_LISTENING)
		r->listener = true;
	if (!report_shows(r, ev))
		return;
	n = gather(r, row->name, conn, fields, n);
	buf_clear(&r->line);
	if (r->options.json)
		write_json(r, n);
	else
		write_text(r, o, ev, n);
	send_line(r, o);
}

void
report_error(
	struct report *r, const struct report_conn *conn, const struct err *e)
{
	struct field fields[] = {
		F_STR("op", e->op),
		F_STR("errno", err_name(e->number)),
		F_STR("message", e->text),
		F_STR("target", e->target[0] != '\0' ? e->target : NULL),
		F_STR("hint", e->hint),
	};

	if (r->first_error[0] == '\0')
		err_line(e, r->first_error, sizeof(r->first_error));
	report_event(r, EV_ERROR, conn, fields, 4 + (e->hint[0] != '\0'));
}

void
report_tcpinfo(struct report *r, const struct report_conn *conn,
	const struct tcpinfo *t)
{
	REPORT(r, EV_TCPINFO, conn, F_STR("state", t->state),
		F_KNOWN("rtt_us", t->rtt_us),
		F_KNOWN("rttvar_us", t->rttvar_us),
		F_KNOWN("retrans", t->retrans), F_KNOWN("cwnd", t->cwnd),
		F_KNOWN("mss", t->mss), F_KNOWN("recvq", t->recvq),
		F_KNOWN("sendq", t->sendq),
		F_KNOWN("delivery_rate", t->delivery_rate),
		F_KNOWN("acked", t->acked), F_KNOWN("received", t->received));
}

/* A number where the option has numbers ("off" of linger has none). */
static struct field
sockopt_value(const struct sockopt_seen *s, const char *name, const char *text)
{
	int64_t v;

	if (text[0] == '\0')
		return (struct field)F_NULL(name);
	if (s->numeric && num_int(text, INT64_MIN, INT64_MAX, &v) == 0)
		return (struct field)F_INT(name, v);
	return F_STR(name, text);
}

void
report_sockopt(void *report, const struct sockopt_seen *s)
{
	REPORT(report, EV_SOCKOPT, NULL, F_STR("name", s->name),
		sockopt_value(s, "default", s->before),
		sockopt_value(s, "requested", s->requested),
		sockopt_value(s, "effective", s->effective),
		F_STR("limit", s->limit));
}

void
report_note(struct report *r, int level, const char *format, ...)
{
	char text[ERR_LINE_MAX];
	va_list ap;

	if (level > 0 && !r->options.verbose)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	REPORT(r, EV_NOTE, NULL, F_STR("text", text));
}

void
report_progress(struct report *r, const struct field *fields, size_t n)
{
	report_event(r, EV_PROGRESS, NULL, fields, n);
}

int
report_summary(struct report *r, int code, const struct field *fields, size_t n)
{
	struct field *all;
	size_t used = 0;

	if (r->failed)
		code = err_worst(code, EXIT_LOCAL);
	if (r->summed)
		return code;
	r->summed = true;
	all = mem_alloc((n + 2) * sizeof(*all));
	all[used++] = (struct field)F_INT("exit", code);
	if (code != EXIT_OK && r->first_error[0] != '\0')
		all[used++] = F_STR("error", r->first_error);
	if (n > 0)
		memcpy(all + used, fields, n * sizeof(*all));
	report_event(r, EV_SUMMARY, NULL, all, used + n);
	free(all);
	return r->failed ? err_worst(code, EXIT_LOCAL) : code;
}
