#include "stream.h"
#include "mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Bits of stream.state. */
enum {
	EOF_IN = 1, /* the peer's FIN came */
	FINISH = 2, /* FIN once the queue is empty */
	FIN_OUT = 4, /* ... which was sent */
	DISCARD = 8, /* what comes is for nobody */
	PAUSED = 16, /* the owner reads no more */
	LOST = 32, /* the connection broke; err says how */
	OVER = 64, /* it ends: nothing is sent any more */
	RESET = 128, /* ... by RST */
	BUSY = 256, /* inside on_ready: settled at its end */
	QUEUED = 512, /* drained is owed */
	PACED = 1024, /* the pace says wait */
	ACKED = 2048, /* all was acknowledged */
	QUIT = 4096, /* over as soon as that is so */
};

enum { READS = 16, ACK_MOST = 50, DRAIN_MS = 200 };

static void settle(struct stream *s);

static bool
is(const struct stream *s, unsigned bits)
{
	return (s->state & bits) != 0;
}

static void
on_timer(void *arg)
{
	settle(arg);
}

static void
settle_soon(struct stream *s)
{
	if (!is(s, BUSY))
		loop_timer(s->loop, &s->timer, 0, on_timer, s);
}

static void
watch(struct stream *s)
{
	unsigned want = 0;

	if (!is(s, EOF_IN) && (is(s, DISCARD) || !is(s, PAUSED)))
		want |= LOOP_READ;
	if (s->queue.len > 0 && !is(s, PACED | LOST | OVER))
		want |= LOOP_WRITE;
	if (s->calls->urgent && !is(s, EOF_IN | OVER))
		want |= LOOP_URGENT;
	loop_want(s->loop, &s->watch, want);
}

/* The connection broke, with unsent bytes left. What had arrived can still be
 * read. */
static void
lose(struct stream *s, const char *op, int number, size_t unsent)
{
	if (is(s, LOST | OVER))
		return;
	s->state |= LOST;
	s->conn.unsent = unsent;
	s->err = mem_zero(1, sizeof(*s->err));
	conn_lost(&s->conn, s->err, op, number);
	net_hear_out(s->io.fd);
	buf_clear(&s->queue);
	s->reason = number == ETIMEDOUT ? CLOSE_TIMEOUT : CLOSE_RESET;
}

/* One write. Returns how much went; 0: later, or lost. */
static size_t
write_some(struct stream *s, const void *data, size_t n)
{
	int64_t now = loop_now(s->loop);
	size_t all = n;
	ssize_t put;

	if (s->pace) {
		n = pace_allow(s->pace, n, now);
		s->state = n ? s->state & ~PACED : s->state | PACED;
		if (n == 0) {
			settle_soon(s);
			return 0;
		}
	}
	put = io_write(&s->io, data, n, NULL);
	if (put == -1) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
			lose(s, "send", errno, all);
		return 0;
	}
	if (s->pace)
		pace_took(s->pace, (size_t)put, now);
	conn_sent(&s->conn, data, (size_t)put, now);
	return (size_t)put;
}

static void
send_fin(struct stream *s)
{
	if (!is(s, FINISH) || is(s, FIN_OUT | LOST | OVER) || s->queue.len > 0)
		return;
	s->state |= FIN_OUT;
	if (shutdown(s->io.fd, SHUT_WR) == -1)
		lose(s, "send", errno == ENOTCONN ? ECONNRESET : errno, 0);
	else
		conn_fin_out(&s->conn);
}

static void
flush(struct stream *s)
{
	size_t put;
	int i;

	for (i = 0; i < READS && s->queue.len > 0; i++) {
		put = write_some(s, buf_data(&s->queue), s->queue.len);
		if (put == 0)
			break;
		buf_consume(&s->queue, put);
	}
	/* Told after a loss, too: an owner that waits for it reads on, to the
	 * end of what had arrived. */
	if (s->queue.len > 0 || !is(s, QUEUED))
		return;
	s->state &= ~QUEUED;
	if (s->calls->drained)
		s->calls->drained(s->arg);
}

void
stream_send(struct stream *s, const void *data, size_t n)
{
	size_t put = 0;

	if (!stream_sends(s) || n == 0)
		return;
	while (s->queue.len == 0 && put < n) {
		size_t now = write_some(s, (const char *)data + put, n - put);
		put += now;
		if (now == 0 || s->pace)
			break;
	}
	if (is(s, LOST)) {
		settle_soon(s);
		return;
	}
	if (put == n)
		return;
	buf_append(&s->queue, (const char *)data + put, n - put);
	s->state |= QUEUED;
	if (s->pace)
		settle_soon(s);
	watch(s);
}

size_t
stream_queued(const struct stream *s)
{
	return s->queue.len;
}

bool
stream_full(const struct stream *s)
{
	return s->queue.len >= s->limit;
}

bool
stream_sends(const struct stream *s)
{
	return !is(s, FINISH | LOST | OVER);
}

void
stream_pause(struct stream *s, bool paused)
{
	if (is(s, PAUSED) == paused)
		return;
	s->state = paused ? s->state | PAUSED : s->state & ~PAUSED;
	watch(s);
}

void
stream_finish(struct stream *s)
{
	if (is(s, OVER))
		return;
	s->state |= FINISH;
	send_fin(s);
	watch(s);
	settle_soon(s);
}

void
stream_leave(struct stream *s, int64_t linger)
{
	s->state |= DISCARD;
	s->leave_at = loop_now(s->loop) + linger;
	stream_finish(s);
}

void
stream_quit(struct stream *s)
{
	s->state |= QUIT;
	stream_finish(s);
}

void
stream_abort(struct stream *s, enum close_reason reason, const char *why,
	bool reset, const struct err *err)
{
	if (is(s, OVER))
		return;
	s->state |= OVER | DISCARD | (reset ? RESET : 0u);
	s->conn.unsent += s->queue.len;
	if (why)
		s->conn.why = why;
	if (!is(s, LOST))
		s->reason = reason;
	if (err && !s->err)
		s->err = mem_copy(err, sizeof(*err));
	s->ended_at = loop_now(s->loop);
	watch(s);
	settle_soon(s);
}

/* Reading. */

static void
take(struct stream *s, const uint8_t *data, size_t n)
{
	conn_received(&s->conn, data, n, loop_now(s->loop));
	if (!is(s, DISCARD))
		s->calls->data(s->arg, data, n);
}

static void
read_some(struct stream *s)
{
	uint8_t *data = loop_scratch(s->loop);
	size_t most = s->most ? s->most : LOOP_SCRATCH;
	ssize_t got = 0;
	int i;

	for (i = 0; i < READS; i++) {
		if (is(s, PAUSED) && !is(s, DISCARD))
			return;
		got = io_read(&s->io, data, most);
		if (got <= 0)
			break;
		take(s, data, (size_t)got);
		if ((size_t)got < most)
			return; /* select says when there is more */
	}
	if (got > 0 || (got == -1 && errno == EAGAIN))
		return;
	s->state |= EOF_IN;
	if (got == -1) {
		lose(s, "recv", errno, s->queue.len);
		return;
	}
	/* After a reset the end of file is the reset's: ECONNRESET says that no
	 * FIN had come before it, EPIPE that one had (tcp_reset in Linux). */
	if (!is(s, LOST) || s->err->number == EPIPE)
		conn_fin_in(&s->conn);
	if (!is(s, LOST | OVER))
		s->calls->eof(s->arg);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct stream *s = arg;

	s->state |= BUSY;
	if (ready & LOOP_URGENT && s->calls->urgent)
		s->calls->urgent(s->arg);
	if (ready & LOOP_WRITE)
		flush(s);
	if (ready & LOOP_READ && !is(s, EOF_IN))
		read_some(s);
	s->state &= ~BUSY;
	settle(s);
}

/* The end. */

static void
gone(struct stream *s)
{
	struct err *err = s->err;
	int code = conn_ended(&s->conn, s->reason, err);

	loop_unwatch(s->loop, &s->watch);
	loop_cancel(s->loop, &s->timer);
	if (is(s, RESET))
		net_reset(s->io.fd);
	else
		net_close(s->io.fd, s->linger);
	buf_free(&s->queue);
	s->err = NULL;
	s->calls->gone(s->arg, code, err);
	free(err);
}

/* All was acknowledged; where the system does not tell, the peer's FIN says
 * so. Sets the pause until the next look. */
static bool
acknowledged(struct stream *s)
{
	int64_t left;
	int number;

	if (is(s, ACKED))
		return true;
	left = tcpinfo_unacked(s->io.fd);
	number = net_error(s->io.fd);
	if (number)
		lose(s, "send", number, 0);
	if (number || left > 0) {
		s->pause = s->pause ? 2 * s->pause : CLOCK_MS;
		if (s->pause > ACK_MOST * CLOCK_MS)
			s->pause = ACK_MOST * CLOCK_MS;
		return false;
	}
	s->state |= ACKED;
	return true;
}

/* After an abort without RST: until there is nothing unread, at most 200 ms;
 * with --linger until all was acknowledged. */
static bool
drained(struct stream *s, int64_t now)
{
	if (is(s, RESET | LOST))
		return true;
	if (net_lingers(s->io.fd, s->linger, s->ended_at, now))
		return false;
	return is(s, EOF_IN) || tcpinfo_unread(s->io.fd) <= 0 ||
		now >= s->ended_at + DRAIN_MS * CLOCK_MS;
}

static void
idle_over(struct stream *s)
{
	struct err err = { 0 };

	conn_idle_over(&s->conn, s->idle, &err);
	stream_abort(s, CLOSE_IDLE, NULL, true, &err);
}

static bool
is_over(struct stream *s, int64_t now)
{
	bool ended = is(s, FIN_OUT) && is(s, EOF_IN);

	if (!is(s, OVER | LOST) && ended && acknowledged(s))
		return true;
	if (is(s, LOST) && is(s, EOF_IN))
		return true;
	if (is(s, QUIT) && is(s, FIN_OUT) && !is(s, OVER | LOST) &&
		acknowledged(s) && tcpinfo_unread(s->io.fd) <= 0)
		stream_abort(s, CLOSE_LOCAL, NULL, false, NULL);
	if (is(s, FIN_OUT) && s->leave_at && now >= s->leave_at)
		stream_abort(s, CLOSE_LOCAL, NULL, false, NULL);
	else if (now >= conn_idle_due(&s->conn, s->idle))
		idle_over(s);
	return is(s, OVER) && drained(s, now);
}

static int64_t
due(const struct stream *s, int64_t now)
{
	int64_t at = CLOCK_INF;

	if (is(s, OVER))
		return now + 10 * CLOCK_MS;
	if (is(s, FIN_OUT) && is(s, EOF_IN | QUIT) && !is(s, LOST | ACKED))
		at = now + s->pause;
	else if (s->leave_at)
		at = s->leave_at > now ? s->leave_at : now + CLOCK_MS;
	if (conn_idle_due(&s->conn, s->idle) < at)
		at = conn_idle_due(&s->conn, s->idle);
	if (is(s, PACED) && s->queue.len > 0) {
		int64_t wait = pace_wait(s->pace, s->queue.len, now);
		if (now + wait < at)
			at = now + wait;
	}
	return at;
}

static void
settle(struct stream *s)
{
	int64_t now = loop_now(s->loop), at;

	s->state |= BUSY;
	if (is(s, PACED) && !is(s, OVER | LOST))
		flush(s);
	send_fin(s);
	s->state &= ~BUSY;
	if (is_over(s, now)) {
		gone(s);
		return;
	}
	watch(s);
	at = due(s, now);
	if (at == CLOCK_INF)
		loop_cancel(s->loop, &s->timer);
	else
		loop_timer(s->loop, &s->timer, at - now, on_timer, s);
}

void
stream_open(struct stream *s, struct loop *l, int fd, unsigned id,
	struct report *r, struct sight *sight, size_t limit,
	const struct stream_calls *calls, void *arg)
{
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->io = (struct io){ .fd = fd, .kind = IO_SOCKET };
	s->calls = calls;
	s->arg = arg;
	s->limit = limit;
	s->idle = CLOCK_NONE;
	s->watch.fd = -1;
	conn_open(&s->conn, id, fd, r, sight, NULL, loop_now(l));
	if (loop_watch(l, &s->watch, fd, LOOP_READ, on_ready, s) == -1) {
		struct err err = { 0 };
		err_set(&err, "accept", errno, s->conn.peer);
		stream_abort(s, CLOSE_ERROR, NULL, false, &err);
		return;
	}
	watch(s);
}

void
stream_idle(struct stream *s, int64_t ns)
{
	s->idle = ns;
	if (ns > 0 && ns != CLOCK_INF)
		settle_soon(s);
}
