#include "stream.h"
#include "mem.h"
#include "streamend.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { READS = 16 };

static void settle(struct stream *s);

static void
on_timer(void *arg)
{
	settle(arg);
}

static void
settle_soon(struct stream *s)
{
	if (!s->busy)
		loop_timer(s->loop, &s->timer, 0, on_timer, s);
}

static void
watch(struct stream *s)
{
	unsigned want = 0;

	if (!s->eof_in && (s->discard || !s->paused))
		want |= LOOP_READ;
	if (s->queue.len > 0 && !s->paced && !s->lost && !s->over)
		want |= LOOP_WRITE;
	if (s->calls->urgent && !s->eof_in && !s->over)
		want |= LOOP_URGENT;
	loop_want(s->loop, &s->watch, want);
}

void
stream_lose(struct stream *s, const char *op, int number, size_t unsent)
{
	if (s->lost || s->over)
		return;
	s->lost = true;
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
		s->paced = n == 0;
		if (n == 0) {
			settle_soon(s);
			return 0;
		}
	}
	put = io_write(&s->io, data, n, NULL);
	if (put == -1) {
		if (!net_blocked())
			stream_lose(s, "send", errno, all);
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
	if (!s->finishing || s->fin_out || s->lost || s->over ||
		s->queue.len > 0)
		return;
	s->fin_out = true;
	if (shutdown(s->io.fd, SHUT_WR) == -1)
		stream_lose(
			s, "send", errno == ENOTCONN ? ECONNRESET : errno, 0);
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
	if (s->queue.len > 0 || !s->owed)
		return;
	s->owed = false;
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
	if (s->lost) {
		settle_soon(s);
		return;
	}
	if (put == n)
		return;
	buf_append(&s->queue, (const char *)data + put, n - put);
	s->owed = true;
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
	return !s->finishing && !s->lost && !s->over;
}

void
stream_pause(struct stream *s, bool paused)
{
	if (s->paused == paused)
		return;
	s->paused = paused;
	watch(s);
}

void
stream_finish(struct stream *s)
{
	if (s->over)
		return;
	s->finishing = true;
	send_fin(s);
	watch(s);
	settle_soon(s);
}

void
stream_leave(struct stream *s, int64_t linger)
{
	s->discard = true;
	s->leave_at = loop_now(s->loop) + linger;
	stream_finish(s);
}

void
stream_quit(struct stream *s)
{
	s->quit = true;
	stream_finish(s);
}

void
stream_abort(struct stream *s, enum close_reason reason, const char *why,
	bool reset, const struct err *err)
{
	if (s->over)
		return;
	s->over = s->discard = true;
	s->reset = reset;
	s->conn.unsent += s->queue.len;
	if (why)
		s->conn.why = why;
	if (!s->lost)
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
	if (!s->discard)
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
		if (s->paused && !s->discard)
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
	s->eof_in = true;
	if (got == -1) {
		stream_lose(s, "recv", errno, s->queue.len);
		return;
	}
	/* After a reset the end of file is the reset's: ECONNRESET says that no
	 * FIN had come before it, EPIPE that one had (tcp_reset in Linux). */
	if (!s->lost || s->err->number == EPIPE)
		conn_fin_in(&s->conn);
	if (!s->lost && !s->over)
		s->calls->eof(s->arg);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct stream *s = arg;

	s->busy = true;
	if (ready & LOOP_URGENT && s->calls->urgent)
		s->calls->urgent(s->arg);
	if (ready & LOOP_WRITE)
		flush(s);
	if (ready & LOOP_READ && !s->eof_in)
		read_some(s);
	s->busy = false;
	settle(s);
}

static void
settle(struct stream *s)
{
	int64_t now = loop_now(s->loop), at;

	s->busy = true;
	if (s->paced && !s->over && !s->lost)
		flush(s);
	send_fin(s);
	s->busy = false;
	if (streamend_reached(s, now)) {
		streamend_tell(s);
		return;
	}
	watch(s);
	at = streamend_due(s, now);
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
