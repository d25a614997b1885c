#include "playstep.h"
#include "mem.h"
#include "playtry.h"
#include "tcpinfo.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	FULL_LOOK = 10, /* ms, while standard output takes no more */
	URGENT_LOOK = 100, /* ms: has the peer ended? select does not say */
};

enum play_wait
play_done(struct play *p)
{
	p->result = (int64_t)p->done;
	return PLAY_DONE;
}

enum play_wait
play_failed(struct play *p)
{
	p->result = -1;
	p->error = errno;
	return PLAY_DONE;
}

bool
play_blocked(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

enum play_wait
play_later(struct play *p, int64_t delay)
{
	p->delay = delay;
	return PLAY_TIME;
}

size_t
play_at_most(uint64_t n, size_t most)
{
	return n < most ? (size_t)n : most;
}

/* Receiving. */

static void
received(struct play *p, const uint8_t *data, size_t n)
{
	size_t room = PLAY_TEXT - p->text.len;

	conn_received(&p->conn, data, n, loop_now(p->set.loop));
	buf_append(&p->text, data, n < room ? n : room);
	p->done += n;
	p->set.out(p->set.arg, data, n);
}

/* A datagram that the room was too small for. */
static void
tell_cut(struct play *p, size_t n)
{
	struct report_conn id = conn_id(&p->conn);
	struct err err = { 0 };

	err_setf(&err, "recv", EMSGSIZE, p->conn.peer,
		"a datagram was cut short to %zu bytes", n);
	report_error(p->set.report, &id, &err);
}

/* One read: -1 with PLAY_READ to wait in *wait; 0 at the end. */
static ssize_t
read_once(struct play *p, void *data, size_t n, int flags)
{
	struct iovec piece = { data, n };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	ssize_t got;

	do
		got = recvmsg(p->io.fd, &message, flags | MSG_DONTWAIT);
	while (got == -1 && errno == EINTR);
	if (got >= 0 && message.msg_flags & MSG_TRUNC)
		tell_cut(p, (size_t)got);
	if (got == 0 && p->io.kind == IO_SOCKET) {
		p->eof = true;
		if (!p->conn.fin_in)
			conn_fin_in(&p->conn);
	}
	return got;
}

static bool
full(const struct play *p)
{
	return p->set.full && p->set.full(p->set.arg);
}

static enum play_wait
no_data(struct play *p)
{
	return play_blocked() ? PLAY_READ : play_failed(p);
}

static enum play_wait
step_recv(struct play *p, const struct script_step *s)
{
	size_t n = play_at_most(s->n, SCRIPT_ROOM);
	uint8_t *room;
	ssize_t got;
	int number;

	if (full(p))
		return play_later(p, FULL_LOOK * CLOCK_MS);
	room = n <= LOOP_SCRATCH ? loop_scratch(p->set.loop) : mem_alloc(n);
	got = read_once(p, room, n, 0);
	number = errno;
	if (got > 0)
		received(p, room, (size_t)got);
	if (n > LOOP_SCRATCH)
		free(room);
	errno = number;
	return got == -1 ? no_data(p) : play_done(p);
}

/* n bytes, or to the end where n is 0. */
static enum play_wait
read_on(struct play *p, uint64_t n)
{
	uint8_t *room = loop_scratch(p->set.loop);
	int i;

	for (i = 0; i < 16 && (n == 0 || p->done < n); i++) {
		uint64_t left = n ? n - p->done : LOOP_SCRATCH;
		ssize_t got;
		if (full(p))
			return play_later(p, FULL_LOOK * CLOCK_MS);
		got = read_once(p, room, play_at_most(left, LOOP_SCRATCH), 0);
		if (got == -1)
			return no_data(p);
		if (got == 0 && p->eof)
			return play_done(p);
		received(p, room, (size_t)got);
	}
	return n && p->done == n ? play_done(p) : play_later(p, 0);
}

static enum play_wait
step_recvall(struct play *p, const struct script_step *s)
{
	return read_on(p, s->n);
}

static enum play_wait
step_drain(struct play *p, const struct script_step *s)
{
	(void)s;
	return read_on(p, 0);
}

static enum play_wait
step_peek(struct play *p, const struct script_step *s)
{
	uint8_t *room = loop_scratch(p->set.loop);
	size_t n = play_at_most(s->n, LOOP_SCRATCH);
	ssize_t got = read_once(p, room, n, MSG_PEEK);

	if (got == -1)
		return no_data(p);
	p->done = (uint64_t)got;
	buf_append(&p->text, room,
		p->done < PLAY_TEXT ? (size_t)p->done : PLAY_TEXT);
	return play_done(p);
}

/* Whether the peer's FIN or RST is here, whatever is unread before it. */
static bool
peer_ended(const struct play *p)
{
	struct tcpinfo t;

	tcpinfo_get(&t, p->io.fd);
	errno = EINVAL;
	return t.state &&
		(strcmp(t.state, "CLOSE_WAIT") == 0 ||
			strcmp(t.state, "LAST_ACK") == 0 ||
			strcmp(t.state, "CLOSING") == 0 ||
			strcmp(t.state, "TIME_WAIT") == 0 ||
			strcmp(t.state, "CLOSE") == 0);
}

static enum play_wait
step_recvoob(struct play *p, const struct script_step *s)
{
	uint8_t byte;
	ssize_t got = recv(p->io.fd, &byte, 1, MSG_OOB | MSG_DONTWAIT);

	(void)s;
	/* EINVAL: no urgent data yet, or it was read in band. */
	if (got == -1 &&
		(play_blocked() || (errno == EINVAL && !peer_ended(p)))) {
		p->delay = URGENT_LOOK * CLOCK_MS;
		return PLAY_URGENT;
	}
	if (got == -1)
		return play_failed(p);
	received(p, &byte, (size_t)got);
	return play_done(p);
}

/* Takes what leads up to the text and not a byte more. */
static enum play_wait
step_expect(struct play *p, const struct script_step *s)
{
	uint8_t *room = loop_scratch(p->set.loop);
	ssize_t got;
	size_t end;

	(void)s;
	for (;;) {
		if (full(p))
			return play_later(p, FULL_LOOK * CLOCK_MS);
		got = read_once(p, room, LOOP_SCRATCH, MSG_PEEK);
		if (got == -1)
			return no_data(p);
		if (got == 0 && p->eof) {
			p->code = EXIT_ASSERT;
			return play_done(p);
		}
		end = match_feed(&p->match, room, (size_t)got);
		got = read_once(p, room, end ? end : (size_t)got, 0);
		if (got <= 0)
			return no_data(p);
		received(p, room, (size_t)got);
		if (end)
			return play_done(p);
	}
}

/* What was read is sent back before anything else is read. */
static enum play_wait
step_echo(struct play *p, const struct script_step *s)
{
	uint8_t *room = loop_scratch(p->set.loop);
	size_t n = play_at_most(s->n, LOOP_SCRATCH);
	ssize_t got;

	if (p->echo.len == 0) {
		got = read_once(p, room, n, 0);
		if (got == -1)
			return no_data(p);
		if (got == 0)
			return play_done(p);
		conn_received(
			&p->conn, room, (size_t)got, loop_now(p->set.loop));
		buf_append(&p->echo, room, (size_t)got);
	}
	while (p->echo.len > 0) {
		ssize_t put = play_write(p, buf_data(&p->echo), p->echo.len, 0);
		if (put == -1)
			return play_blocked() ? PLAY_WRITE : play_failed(p);
		buf_consume(&p->echo, (size_t)put);
	}
	return play_done(p);
}

/* The rest. */

static enum play_wait
step_sleep(struct play *p, const struct script_step *s)
{
	int64_t left;

	if (s->time == CLOCK_INF)
		return play_later(p, CLOCK_INF);
	left = p->began + s->time - clock_now();
	return left > 0 ? play_later(p, left) : play_done(p);
}

static enum play_wait
step_key(struct play *p, const struct script_step *s)
{
	(void)s;
	if (!p->pressed) {
		play_wait_key(p);
		return play_later(p, CLOCK_INF);
	}
	p->pressed = p->key.ended;
	return play_done(p);
}

static enum play_wait
step_shutdown(struct play *p, const struct script_step *s)
{
	static const int ways[] = { SHUT_RD, SHUT_WR, SHUT_RDWR };

	if (shutdown(p->io.fd, ways[s->n]) == -1)
		return play_failed(p);
	if (ways[s->n] != SHUT_RD)
		conn_fin_out(&p->conn);
	return play_done(p);
}

/* close and reset: play does it, after the step was tried. */
static enum play_wait
step_end(struct play *p, const struct script_step *s)
{
	(void)s;
	if (p->io.fd == -1) {
		errno = EBADF;
		return play_failed(p);
	}
	return play_done(p);
}

enum play_wait
play_step(struct play *p, const struct script_step *s)
{
	static enum play_wait (*const step[])(
		struct play *, const struct script_step *) = {
		[SCRIPT_SEND] = play_send,
		[SCRIPT_SENDALL] = play_sendall,
		[SCRIPT_WRITEV] = play_writev,
		[SCRIPT_RECV] = step_recv,
		[SCRIPT_RECVALL] = step_recvall,
		[SCRIPT_PEEK] = step_peek,
		[SCRIPT_OOB] = play_oob,
		[SCRIPT_RECVOOB] = step_recvoob,
		[SCRIPT_EXPECT] = step_expect,
		[SCRIPT_ECHO] = step_echo,
		[SCRIPT_FILL] = play_fill,
		[SCRIPT_DRAIN] = step_drain,
		[SCRIPT_SLEEP] = step_sleep,
		[SCRIPT_KEY] = step_key,
		[SCRIPT_SHUTDOWN] = step_shutdown,
		[SCRIPT_CLOSE] = step_end,
		[SCRIPT_RESET] = step_end,
	};

	return step[s->op](p, s);
}
