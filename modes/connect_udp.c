/* sockctl connect -u: one datagram a read, or a line; answers are shown. */
#include "../util/crlf.h"
#include "../util/num.h"
#include "connect.h"
#include <errno.h>
#include <string.h>

enum {
	TALK_CHUNK = 1400, /* bytes, below any usual MTU */
	TALK_LISTEN = 1, /* s after the input's end */
	TALK_ANSWER = 200, /* ms after the last answer */
	TALK_READS = 16,
};

static void settle(struct connect *c);

static size_t
chunk_of(const struct connect *c)
{
	uint64_t chunk = c->conf->pace.chunk;

	if (chunk == 0)
		return TALK_CHUNK;
	return chunk < DGRAM_MAX ? (size_t)chunk : DGRAM_MAX;
}

static void
finish(struct connect *c, enum close_reason reason, int code,
	const struct err *err)
{
	struct talk *t = &c->talk;
	struct report_conn id = conn_id(&t->conn);
	struct err unmet = { 0 };

	if (t->over)
		return;
	t->over = true;
	t->conn.unsent = t->pending.len;
	if (!err && code == EXIT_OK &&
		expect_unmet(&c->conf->expect, match_found(&t->match), &t->conn,
			&unmet)) {
		report_error(c->life.report, &id, &unmet);
		code = EXIT_ASSERT;
	}
	(void)conn_ended(&t->conn, reason, err);
	loop_unwatch(c->life.loop, &t->watch);
	loop_cancel(c->life.loop, &t->timer);
	source_close(&t->in);
	sink_close(&t->out);
	buf_free(&t->pending);
	match_free(&t->match);
	dial_unlink(t->fd);
	net_close(t->fd, -1);
	connect_over(c, code);
}

void
talk_abort(struct connect *c, enum close_reason reason)
{
	finish(c, reason, EXIT_OK, NULL);
}

/* An ICMP error, told by the next call: nobody listens there. */
static void
failed(struct connect *c, const char *op, int number)
{
	struct err err = { 0 };

	err_set(&err, op, number, c->talk.conn.peer);
	finish(c, CLOSE_ERROR, number == EMSGSIZE ? EXIT_LOCAL : EXIT_REFUSED,
		&err);
}

/* The bytes of the next datagram; 0: not complete yet. */
static size_t
next_datagram(const struct connect *c)
{
	const struct talk *t = &c->talk;
	size_t most = chunk_of(c), n = t->pending.len;
	const uint8_t *end;

	if (n > most)
		n = most;
	if (!t->lines || n == 0)
		return n;
	end = memchr(buf_data(&t->pending), '\n', n);
	if (end)
		return (size_t)(end - buf_data(&t->pending)) + 1;
	return n == most || t->in_ended ? n : 0;
}

/* One datagram; false when it must wait or failed. */
static bool
send_one(struct connect *c, size_t n)
{
	struct talk *t = &c->talk;
	struct buf crlf = { 0 };
	const uint8_t *data = buf_data(&t->pending);
	size_t len = n;
	uint8_t last = 0;
	ssize_t put;

	if (c->conf->ends.crlf) {
		crlf_add(&crlf, data, n, &last);
		data = buf_data(&crlf);
		len = crlf.len;
	}
	put = dgram_send(t->fd, data, len, t->to, NULL);
	if (put >= 0) {
		t->last_tx = loop_now(c->life.loop);
		t->answered = false;
		conn_sent(&t->conn, data, len, t->last_tx);
		pace_took(&t->pace, len, t->last_tx);
		buf_consume(&t->pending, n);
	}
	buf_free(&crlf);
	if (put >= 0)
		return true;
	t->full = net_blocked();
	if (!t->full)
		failed(c, "send", errno);
	return false;
}

static void
send_all(struct connect *c)
{
	struct talk *t = &c->talk;
	size_t n;

	t->full = false;
	while (!t->over && (n = next_datagram(c)) > 0) {
		if (c->conf->pace.rate || c->conf->pace.delay)
			if (pace_allow(&t->pace, 1, loop_now(c->life.loop)) ==
				0)
				return;
		if (!send_one(c, n))
			return;
	}
}

static void
on_input(void *arg, const uint8_t *data, size_t n)
{
	struct connect *c = arg;

	buf_append(&c->talk.pending, data, n);
	send_all(c);
	settle(c);
}

static void
on_input_end(void *arg, const struct err *err)
{
	struct connect *c = arg;

	if (err) {
		finish(c, CLOSE_ERROR, (int)err_exit(err), err);
		return;
	}
	c->talk.in_ended = true;
	c->talk.input_ended = loop_now(c->life.loop);
	send_all(c);
	settle(c);
}

static void
on_output(void *arg, const struct err *err)
{
	struct connect *c = arg;

	if (err)
		finish(c, CLOSE_ERROR, (int)err_exit(err), err);
	else
		settle(c);
}

static void
show(struct connect *c, const uint8_t *data, size_t n, bool truncated)
{
	struct talk *t = &c->talk;
	struct report_conn id = conn_id(&t->conn);
	struct err err = { 0 };

	t->last_rx = loop_now(c->life.loop);
	t->answered = true;
	conn_received(&t->conn, data, n, t->last_rx);
	if (c->conf->expect.text.given)
		match_feed(&t->match, data, n);
	if (truncated) {
		err_setf(&err, "recv", EMSGSIZE, t->conn.peer,
			"a datagram was cut short to %zu bytes", n);
		report_error(c->life.report, &id, &err);
	}
	if (c->conf->ends.send_only)
		return;
	sink_write(&t->out, data, n);
	if (c->conf->datagram == DATAGRAM_LINE &&
		(n == 0 || data[n - 1] != '\n'))
		sink_write(&t->out, "\n", 1);
}

static void
receive(struct connect *c)
{
	struct talk *t = &c->talk;
	uint8_t *data = loop_scratch(c->life.loop);
	struct dgram_from from;
	ssize_t got;
	int i;

	for (i = 0; i < TALK_READS && !t->over && !sink_full(&t->out); i++) {
		got = dgram_recv(t->fd, data, DGRAM_MAX, &from);
		if (got == -1) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				failed(c, "recv", errno);
			return;
		}
		show(c, data, (size_t)got, from.truncated);
	}
}

static void
on_ready(void *arg, unsigned ready)
{
	struct connect *c = arg;

	if (ready & LOOP_READ)
		receive(c);
	if (ready & LOOP_WRITE)
		send_all(c);
	settle(c);
}

static void
on_timer(void *arg)
{
	struct connect *c = arg;

	send_all(c);
	settle(c);
}

/* When the input has ended and all was sent: how long answers are heard. */
static int64_t
leave_at(const struct connect *c)
{
	const struct talk *t = &c->talk;
	int64_t from = t->input_ended > t->last_tx ? t->input_ended
						   : t->last_tx;

	if (!t->in_ended || t->pending.len > 0 || sink_full(&t->out) ||
		c->conf->ends.recv_only)
		return CLOCK_INF;
	if (c->conf->ends.send_only)
		return 0;
	if (c->conf->ends.quit != CLOCK_NONE)
		return from + c->conf->ends.quit;
	if (t->answered)
		return (t->last_rx > from ? t->last_rx : from) +
			TALK_ANSWER * CLOCK_MS;
	return from + TALK_LISTEN * CLOCK_S;
}

static void
idle_over(struct connect *c)
{
	struct err err = { 0 };

	conn_idle_over(&c->talk.conn, c->conf->limits.idle, &err);
	finish(c, CLOSE_IDLE, EXIT_TIMEOUT, &err);
}

static void
settle(struct connect *c)
{
	struct talk *t = &c->talk;
	int64_t now = loop_now(c->life.loop), at;
	int64_t idle = conn_idle_due(&t->conn, c->conf->limits.idle);

	if (t->over)
		return;
	if (leave_at(c) <= now) {
		receive(c);
		finish(c, CLOSE_EOF, EXIT_OK, NULL);
		return;
	}
	if (idle <= now) {
		idle_over(c);
		return;
	}
	at = leave_at(c) < idle ? leave_at(c) : idle;
	if (t->pending.len > 0 && !t->full && next_datagram(c) > 0) {
		int64_t wait = pace_wait(&t->pace, 1, now);
		at = now + wait < at ? now + wait : at;
	}
	source_pause(&t->in,
		t->pending.len >= DGRAM_MAX ||
			(t->pending.len > 0 && next_datagram(c) > 0));
	loop_want(c->life.loop, &t->watch,
		(sink_full(&t->out) ? 0u : LOOP_READ) |
			(t->full ? LOOP_WRITE : 0u));
	loop_timer(c->life.loop, &t->timer,
		at == CLOCK_INF ? CLOCK_INF : at - now, on_timer, c);
}

void
talk_start(struct connect *c, int fd, const struct addr *to)
{
	struct talk *t = &c->talk;
	struct loop *l = c->life.loop;
	const struct connect_conf *conf = c->conf;
	size_t most = chunk_of(c);

	t->fd = fd;
	t->to = to;
	t->watch.fd = -1;
	conn_open(&t->conn, 1, fd, c->life.report, c->life.sight, to,
		loop_now(l));
	conn_connected(&t->conn, 0, "", false);
	pace_start(&t->pace, &conf->pace, loop_now(l));
	if (conf->expect.text.given)
		match_start(&t->match, conf->expect.text.data,
			conf->expect.text.len);
	dgram_prepare(fd);
	sink_open(&t->out, l, 1, "standard output", on_output, c);
	source_open(&t->in, l, conf->ends.recv_only ? -1 : 0, most, on_input,
		on_input_end, c);
	t->lines = conf->datagram == DATAGRAM_LINE ||
		t->in.io.kind == IO_TERMINAL;
	if (t->lines)
		t->in.most = LOOP_SCRATCH / 4;
	loop_watch(l, &t->watch, fd, LOOP_READ, on_ready, c);
	settle(c);
}
