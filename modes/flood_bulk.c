/* flood: throughput, in either direction or both. */
#include "flood.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

/* ASK waits for the far side's ok, RUN moves bytes, END has sent its FIN (or
 * only receives) and waits for the last acknowledgement and the peer's FIN. */
enum { ASK, RUN, END };

/* Between two looks at what is acknowledged; how long the peer may hold its
 * side open afterwards; how long nothing may be acknowledged. */
#define LOOK_FIRST (CLOCK_MS / 2)
#define LOOK_MAX (20 * CLOCK_MS)
#define OPEN_MAX (2 * CLOCK_S)
#define STALL_MAX (10 * CLOCK_S)
#define HURRY (200 * CLOCK_MS)
#define ANSWER_MAX (5 * CLOCK_S)
#define LATE (200 * CLOCK_MS) /* of a far side's timers, at most */
#define LOOK_APART (5 * CLOCK_MS) /* for all streams together */

static enum flood_role
role_of(const struct flood_conf *conf)
{
	if (conf->bidir)
		return FLOOD_BOTH;
	if (conf->reverse)
		return FLOOD_SOURCE;
	return conf->verify || conf->skip_rx_copy ? FLOOD_SINK : FLOOD_PLAIN;
}

static bool
sends(const struct flood_stream *s)
{
	return role_of(s->flood->conf) != FLOOD_SOURCE;
}

static bool
receives(const struct flood_stream *s)
{
	return s->flood->conf->bidir || s->flood->conf->reverse;
}

/* All that was sent has arrived; where the system does not tell, the peer's FIN
 * does. */
static bool
all_arrived(struct flood_stream *s)
{
	int64_t left = tcpinfo_unacked(s->conn.fd);

	return !sends(s) || s->known || left == 0 ||
		(left < 0 && s->conn.fin_in);
}

/* When the last byte of either direction had arrived. */
static void
note_end(struct flood_stream *s)
{
	if (s->ended != 0)
		return;
	s->ended = sends(s) ? loop_now(s->flood->loop) : s->conn.heard;
	if (receives(s) && s->conn.heard > s->ended)
		s->ended = s->conn.heard;
}

/* Who was asked to be a sink says what arrived; without that nobody knows. */
static bool
owes_count(const struct flood_stream *s)
{
	return role_of(s->flood->conf) == FLOOD_SINK && !s->known;
}

/* What the far side owed when it ended: as a sink its count, as a source the
 * bytes or the time. -1: told. */
static int
check_owed(struct flood_stream *s)
{
	int64_t lasted = loop_now(s->flood->loop) - s->conn.opened;
	enum flood_role role = role_of(s->flood->conf);
	struct err err = { 0 };
	struct flood_ask a;

	if (role == FLOOD_PLAIN || s->flood->hurry)
		return 0;
	flood_stream_role(s, role, &a);
	if (owes_count(s))
		err_setf(&err, "recv", 0, s->conn.peer,
			"the far side ended without its count");
	else if (role == FLOOD_SINK && a.verify && s->result != s->data.sent)
		err_setf(&err, "protocol", 0, s->conn.peer,
			"the far side counted %" PRIu64 " of %" PRIu64 " bytes",
			s->result, s->data.sent);
	else if (s->data.received < a.bytes)
		err_setf(&err, "recv", 0, s->conn.peer,
			"the far side ended after %" PRIu64 " of %" PRIu64
			" bytes",
			s->data.received, a.bytes);
	else if (lasted < a.duration - a.duration / 10 - LATE)
		err_setf(&err, "recv", 0, s->conn.peer,
			"the far side ended before the time was over");
	else
		return 0;
	flood_stream_lost(s, err.op, 0, &err);
	return -1;
}

static void
look(void *arg)
{
	struct flood_stream *s = arg;
	struct flood *f = s->flood;
	int64_t now = loop_now(f->loop), idle = f->conf->limits.idle;
	uint64_t sum = flood_stream_arrived(s) + s->data.received;
	bool done = all_arrived(s) && (!receives(s) || s->conn.fin_in);
	int number = s->known ? 0 : net_error(s->conn.fd);
	bool late;

	/* After its FIN nothing is read, which would say so. */
	if (number != 0) {
		flood_stream_lost(s, "send", number, NULL);
		return;
	}
	if (sum != s->mark || (done && s->ended == 0)) {
		s->mark = sum;
		s->since = now;
	}
	if (done)
		note_end(s);
	late = now - s->since > OPEN_MAX && !owes_count(s);
	if (s->ended != 0 && (s->conn.fin_in || late)) {
		if (check_owed(s) == 0)
			flood_stream_over(s, CLOSE_EOF);
		return;
	}
	if (s->until != 0 && now >= s->until) {
		note_end(s);
		flood_stream_over(s, CLOSE_LOCAL);
		return;
	}
	if (now - s->since > (idle > 0 ? idle : STALL_MAX)) {
		flood_stream_silent(
			s, "the peer takes and gives nothing any more");
		return;
	}
	s->pause = s->pause * 2 < LOOK_MAX ? s->pause * 2 : LOOK_MAX;
	loop_timer(f->loop, &s->timer, s->pause, look, s);
}

static void
finish(struct flood_stream *s)
{
	struct flood *f = s->flood;

	if (s->stage == END)
		return;
	s->stage = END;
	if (shutdown(s->conn.fd, SHUT_WR) == 0)
		conn_fin_out(&s->conn);
	flood_stream_watch(s, s->conn.fin_in ? 0 : LOOP_READ);
	s->since = loop_now(f->loop);
	s->pause = LOOK_FIRST;
	loop_timer(f->loop, &s->timer, s->pause, look, s);
}

/* The socket takes no more: is anything in its buffer still unsent? */
static void
look_at_buffer(struct flood_stream *s)
{
	struct flood *f = s->flood;
	int64_t now = loop_now(f->loop);
	struct tcpinfo i;

	if (now - f->looked < LOOK_APART)
		return;
	f->looked = now;
	tcpinfo_get(&i, s->conn.fd);
	if (i.notsent < 0)
		return;
	f->sum.looks++;
	f->sum.starved += i.notsent == 0 && i.sendq > 0;
}

static void
on_paced(void *arg)
{
	struct flood_stream *s = arg;

	s->flood->calls->ready(s, LOOP_WRITE);
}

static void read_lines(struct flood_stream *s);

/* The peer may have said why before it reset. */
static void
sending_failed(struct flood_stream *s, int number)
{
	if (!receives(s) && !s->conn.fin_in)
		read_lines(s);
	if (s->open)
		flood_stream_lost(s, "send", number, NULL);
}

static void
send_more(struct flood_stream *s)
{
	unsigned in = s->conn.fin_in ? 0 : LOOP_READ;

	switch (flood_data_send(&s->data, &s->conn)) {
	case MOVE_WAIT:
		look_at_buffer(s);
		flood_stream_watch(s, in | LOOP_WRITE);
		return;
	case MOVE_SOME:
		flood_stream_watch(s, in | LOOP_WRITE);
		return;
	case MOVE_PACED:
		flood_stream_watch(s, in);
		loop_timer(s->flood->loop, &s->timer, flood_data_wait(&s->data),
			on_paced, s);
		return;
	case MOVE_END:
		finish(s);
		return;
	case MOVE_WRONG:
	case MOVE_LOST:
		sending_failed(s, errno);
		return;
	}
}

static void
begin(struct flood_stream *s)
{
	struct flood *f = s->flood;

	s->stage = RUN;
	s->conn.rx = 0; /* no count contains the answer */
	rate_start(&s->data.rate, flood_rate_part(f->conf), loop_now(f->loop));
	flood_start_clock(f);
	flood_stream_watch(s, LOOP_READ);
	if (sends(s))
		send_more(s);
}

/* The peer's FIN: no more comes. */
static void
ended_in(struct flood_stream *s)
{
	conn_fin_in(&s->conn);
	flood_stream_watch(s, s->watch.want & ~(unsigned)LOOP_READ);
	if (s->stage == ASK)
		flood_stream_protocol(
			s, "it ended instead of an answer: no flood -p");
	else if (!sends(s))
		finish(s);
	if (s->open && s->stage == END)
		look(s);
}

static void
on_answer(struct flood_stream *s)
{
	struct flood_answer a;

	if (flood_answer_read(&a, s->line.text) == -1) {
		flood_stream_protocol(s, "its answer is not the protocol");
	} else if (a.word == FLOOD_ERROR) {
		flood_stream_protocol(s, a.text);
	} else if (s->stage == ASK && a.word == FLOOD_OK) {
		loop_cancel(s->flood->loop, &s->timer);
		begin(s);
	} else if (s->stage == END && a.word == FLOOD_RESULT) {
		s->known = true;
		s->result = a.bytes;
		note_end(s);
	}
	memset(&s->line, 0, sizeof(s->line));
}

/* Lines of the far side; from a plain peer anything, which is dropped. */
static void
read_lines(struct flood_stream *s)
{
	enum flood_state state = FLOOD_OTHER;
	bool eof = false;
	int number = 0;

	if (s->line.len < FLOOD_LINE_MAX)
		state = flood_line_recv(&s->line, &s->conn, &eof, &number);
	if (number != 0)
		flood_stream_lost(s, "recv", number, NULL);
	else if (state == FLOOD_WHOLE)
		on_answer(s);
	else if (state != FLOOD_MORE && s->stage == ASK)
		flood_stream_protocol(
			s, "it answers something else: no flood -p");
	else if (state != FLOOD_MORE)
		s->line.len = FLOOD_LINE_MAX; /* no line any more */
	if (s->open && eof)
		ended_in(s);
}

static void
read_bytes(struct flood_stream *s)
{
	struct err err = { 0 };

	switch (flood_data_recv(&s->data, &s->conn)) {
	case MOVE_SOME:
	case MOVE_WAIT:
	case MOVE_PACED:
		return;
	case MOVE_END:
		ended_in(s);
		return;
	case MOVE_WRONG:
		err_setf(&err, "protocol", 0, s->conn.peer,
			"byte %llu is not the pattern's",
			(unsigned long long)s->data.right);
		flood_stream_lost(s, "protocol", 0, &err);
		return;
	case MOVE_LOST:
		flood_stream_lost(s, "recv", errno, NULL);
		return;
	}
}

static void
bulk_ready(struct flood_stream *s, unsigned ready)
{
	bool dropped = s->line.len == FLOOD_LINE_MAX;

	if (ready & LOOP_READ && !s->conn.fin_in) {
		if (s->stage != ASK && (receives(s) || dropped))
			read_bytes(s);
		else
			read_lines(s);
	}
	if (s->open && ready & LOOP_WRITE && s->stage == RUN)
		send_more(s);
}

static void
on_unanswered(void *arg)
{
	flood_stream_silent(
		arg, "no answer to the question for a role: no flood -p");
}

static void
bulk_go(struct flood_stream *s)
{
	enum flood_role role = role_of(s->flood->conf);

	if (role == FLOOD_PLAIN) {
		begin(s);
		return;
	}
	s->stage = ASK;
	if (flood_stream_ask(s, role) == -1)
		return;
	flood_stream_watch(s, LOOP_READ);
	loop_timer(s->flood->loop, &s->timer, ANSWER_MAX, on_unanswered, s);
}

/* A source ends by itself; it gets some time for what is on its way. */
static void
on_source_late(void *arg)
{
	finish(arg);
}

static void
bulk_stop(struct flood_stream *s)
{
	struct flood *f = s->flood;
	int64_t now = loop_now(f->loop);

	if (f->hurry)
		s->until = now + HURRY;
	else if (receives(s))
		s->until = now + 2 * OPEN_MAX;
	if (f->hurry && (s->stage == ASK || !f->going))
		flood_stream_over(s, CLOSE_LOCAL);
	else if (s->stage == RUN && !sends(s) && !f->hurry)
		loop_timer(f->loop, &s->timer, OPEN_MAX, on_source_late, s);
	else if (s->stage == RUN)
		finish(s);
}

const struct flood_calls flood_bulk = {
	.go = bulk_go,
	.ready = bulk_ready,
	.stop = bulk_stop,
};
