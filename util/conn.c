#include "conn.h"

#include "clock.h"
#include "hexdump.h"
#include "mem.h"
#include "num.h"
#include "postmortem.h"
#include "watch.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A data event holds so many bytes; more are more events. */
enum { DATA_PIECE = 4096 };

const struct opt sight_opts[] = {
	{ .name = "hexdump",
		.letter = 'x',
		.type = OPT_STRING,
		.word = "FILE",
		.help = "dump all bytes, both directions, in hex and text; "
			"- is standard error (with --json: data events)",
		.offset = OPT_AT(struct sight_options, hexdump, const char *),
		.complete = "file" },
	{ .name = "stats",
		.type = OPT_FLAG,
		.help = "on close a tcpinfo event: state, round trip, "
			"retransmits, window, rate",
		.offset = OPT_AT(struct sight_options, stats, bool) },
	{ .name = "watch",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "the same every TIME and when the state changes, with "
			"the bytes in both queues",
		.offset = OPT_AT(struct sight_options, watch, int64_t),
		.min = CLOCK_US },
	{ 0 },
};

struct sight *
sight_open(const struct sight_options *o, struct loop *l, struct report *r,
	struct err *err)
{
	struct sight *s = mem_zero(1, sizeof(*s));
	const char *path = o->hexdump;

	s->options = *o;
	s->loop = l;
	s->report = r;
	s->data_events = path != NULL && strcmp(path, "-") == 0 &&
		report_json(r);
	if (path != NULL && !s->data_events) {
		s->dump = hexdump_open(path, err);
		if (s->dump == NULL) {
			free(s);
			return NULL;
		}
	}
	return s;
}

int
sight_close(struct sight *s, struct err *err)
{
	int result;

	if (s == NULL)
		return 0;
	watch_finish(s);
	result = hexdump_close(s->dump, err);
	free(s);
	return result;
}

void
conn_open(struct conn *c, unsigned id, int fd, struct report *r,
	struct sight *s, const struct addr *peer_addr, int64_t now)
{
	struct addr local = { 0 }, peer = { 0 };
	socklen_t len = sizeof(int);
	int type = 0;

	memset(c, 0, sizeof(*c));
	c->id = id;
	c->fd = fd;
	c->report = r;
	c->sight = s;
	c->opened = c->moved = now;
	c->exec_status = -1;
	c->unread = -1;
	tcpinfo_unknown(&c->last);
	addr_of_local(&local, fd);
	addr_text(&local, c->local);
	if (peer_addr != NULL)
		peer = *peer_addr;
	else
		addr_of_peer(&peer, fd);
	addr_text(&peer, c->peer);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	c->tcp = type == SOCK_STREAM && local.ss.ss_family != AF_UNIX;
}

struct report_conn
conn_id(const struct conn *c)
{
	return (struct report_conn){ c->id, c->local, c->peer };
}

void
conn_accepted(struct conn *c)
{
	struct report_conn id = conn_id(c);

	report_event(c->report, EV_ACCEPT, &id, NULL, 0);
	watch_event(c);
}

void
conn_connected(
	struct conn *c, double elapsed_ms, const char *congestion, bool chosen)
{
	struct report_conn id = conn_id(c);

	c->client = true;
	REPORT(c->report, EV_CONNECT, &id, F_REAL("elapsed_ms", elapsed_ms, 3),
		F_STR("congestion", *congestion ? congestion : NULL),
		F_BOOL("chosen", chosen));
	watch_event(c);
}

static void
data_event(
	struct conn *c, bool out, uint64_t offset, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	struct report_conn id = conn_id(c);
	char hex[2 * DATA_PIECE];

	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digits[p[i] >> 4];
		hex[2 * i + 1] = digits[p[i] & 15];
	}
	REPORT(c->report, EV_DATA, &id, F_STR("dir", out ? "out" : "in"),
		F_UINT("offset", offset), F_BYTES("hex", hex, 2 * n),
		F_BYTES("text", (const char *)p, n));
}

static void
see(struct conn *c, bool out, uint64_t offset, const uint8_t *p, size_t n)
{
	if (!conn_seen(c) || p == NULL)
		return;
	if (c->sight->dump != NULL)
		hexdump_write(c->sight->dump, c->id, out, offset, p, n);
	for (size_t at = 0; c->sight->data_events && at < n; at += DATA_PIECE)
		data_event(c, out, offset + at, p + at,
			n - at < DATA_PIECE ? n - at : DATA_PIECE);
}

void
conn_received(struct conn *c, const void *data, size_t n, int64_t now)
{
	see(c, false, c->rx, data, n);
	c->rx += n;
	c->heard = c->moved = now;
	if (c->first_byte == 0)
		c->first_byte = now;
}

void
conn_sent(struct conn *c, const void *data, size_t n, int64_t now)
{
	see(c, true, c->tx, data, n);
	c->tx += n;
	c->moved = now;
}

bool
conn_seen(const struct conn *c)
{
	return c->sight != NULL &&
		(c->sight->dump != NULL || c->sight->data_events);
}

static const char *
side_name(enum side s)
{
	static const char *const names[] = { NULL, "local", "peer" };

	return names[s];
}

static void
fin(struct conn *c, bool *seen, enum side side)
{
	struct report_conn id = conn_id(c);

	if (*seen)
		return;
	*seen = true;
	if (c->first == SIDE_NONE)
		c->first = side;
	REPORT(c->report, EV_HALF_CLOSE, &id, F_STR("side", side_name(side)));
	watch_event(c);
}

void
conn_fin_in(struct conn *c)
{
	fin(c, &c->fin_in, SIDE_PEER);
}

void
conn_fin_out(struct conn *c)
{
	fin(c, &c->fin_out, SIDE_LOCAL);
}

/* One row a reason: its name, who ended where nobody had sent a FIN, and what
 * it means for the exit. */
static const struct {
	const char *name;
	enum side first;
	enum exit_code code;
} reasons[] = {
	[CLOSE_EOF] = { "eof", SIDE_NONE, EXIT_OK },
	[CLOSE_LOCAL] = { "local", SIDE_LOCAL, EXIT_OK },
	[CLOSE_RESET] = { "reset", SIDE_PEER, EXIT_LOST },
	[CLOSE_TIMEOUT] = { "timeout", SIDE_LOCAL, EXIT_TIMEOUT },
	[CLOSE_IDLE] = { "idle", SIDE_LOCAL, EXIT_TIMEOUT },
	[CLOSE_ERROR] = { "error", SIDE_LOCAL, EXIT_LOST },
	[CLOSE_LIMIT] = { "limit", SIDE_LOCAL, EXIT_OK },
};

static void
tell_close(struct conn *c, enum close_reason reason, const struct err *err,
	int64_t now)
{
	struct report_conn id = conn_id(c);
	char text[POSTMORTEM_MAX];
	const char *why = c->why;

	if (why == NULL)
		why = postmortem(c, reason, err, c->unread, now, text);
	REPORT(c->report, EV_CLOSE, &id, F_STR("reason", reasons[reason].name),
		F_STR("first", side_name(c->first)), F_UINT("rx", c->rx),
		F_UINT("tx", c->tx), F_UINT("unsent", c->unsent),
		F_KNOWN("unread", c->unread),
		F_REAL("duration_s", (double)(now - c->opened) / CLOCK_S, 6),
		c->first_byte == 0
			? (struct field)F_NULL("first_byte_ms")
			: (struct field)F_REAL("first_byte_ms",
				  (double)(c->first_byte - c->opened) /
					  CLOCK_MS,
				  3),
		F_KNOWN("exec_status", c->exec_status),
		F_STR("why", why[0] != '\0' ? why : NULL));
}

/* The kernel's CLOSE hides TIME_WAIT: whoever sent the first FIN is in it once
 * both were acknowledged. RFC 9293 section 3.6. */
static void
last_look(struct conn *c)
{
	tcpinfo_get(&c->last, c->fd);
	if (c->last.state != NULL && strcmp(c->last.state, "CLOSE") == 0 &&
		c->first == SIDE_LOCAL && c->fin_in && c->fin_out &&
		c->last.sendq == 0)
		c->last.state = "TIME_WAIT";
}

static bool
has_stats(const struct conn *c)
{
	return c->sight != NULL && c->sight->options.stats;
}

void
conn_part(struct conn *c, enum close_reason reason)
{
	if (c->parted)
		return;
	c->parted = true;
	if (c->first == SIDE_NONE)
		c->first = reasons[reason].first;
	/* A good end needs no look at the kernel's numbers. */
	if (c->fd != -1 && (has_stats(c) || reason != CLOSE_EOF))
		last_look(c);
	if (c->fd != -1 && report_shows(c->report, EV_CLOSE))
		c->unread = tcpinfo_unread(c->fd);
	watch_end(c);
}

int
conn_closed(struct conn *c, enum close_reason reason, const struct err *err)
{
	struct report_conn id = conn_id(c);

	conn_part(c, reason);
	if (has_stats(c))
		report_tcpinfo(c->report, &id, &c->last);
	if (report_shows(c->report, EV_CLOSE))
		tell_close(c, reason, err, clock_now());
	if (err != NULL && (reason == CLOSE_ERROR || reason == CLOSE_TIMEOUT))
		return (int)err_exit(err);
	return (int)reasons[reason].code;
}

int
conn_ended(struct conn *c, enum close_reason reason, const struct err *err)
{
	struct report_conn id = conn_id(c);
	int code;

	if (err != NULL)
		report_error(c->report, &id, err);
	code = conn_closed(c, reason, err);
	return err != NULL ? (int)err_exit(err) : code;
}

int64_t
conn_idle_due(const struct conn *c, int64_t idle)
{
	return idle <= 0 || idle == CLOCK_INF ? CLOCK_INF : c->moved + idle;
}

void
conn_idle_over(const struct conn *c, int64_t idle, struct err *err)
{
	char time[NUM_MAX];

	err_setf(err, "wait", ETIMEDOUT, c->peer, "nothing moved for %s",
		num_show_time(idle, time));
}

int
conn_lost(const struct conn *c, struct err *err, const char *op, int number)
{
	const char *what = strerror(number);

	if (number == ECONNRESET || number == EPIPE)
		what = "reset by peer";
	else if (number == ETIMEDOUT)
		what = "timed out, the peer does not answer";
	return err_setf(err, op, number, c->peer,
		"%s after %llu sent, %llu received, %llu not sent", what,
		(unsigned long long)c->tx, (unsigned long long)c->rx,
		(unsigned long long)c->unsent);
}
