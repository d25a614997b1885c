/* flood: request and response: one at a time on each connection (--rr), a
 * connection for each (--crr), or none at all (--hold). */
#include "../util/mem.h"
#include "flood.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* LAST answers what is under way, then ends. */
enum { RUN, LAST, CLOSING };

enum { CALLS = 16 };
#define ANSWER_MAX (5 * CLOCK_S)
#define LAST_MAX (200 * CLOCK_MS)
#define AGAIN (10 * CLOCK_MS)

/* --idle, if given. */
static int64_t
patience(const struct flood *f)
{
	int64_t idle = f->conf->limits.idle;

	return idle > 0 ? idle : ANSWER_MAX;
}

static void
no_answer(struct flood_stream *s)
{
	flood_stream_silent(
		s, "no answer: requests need an echo server (sockctl echo -p)");
}

/* --rr */

static void
close_now(void *arg)
{
	flood_stream_over(arg, CLOSE_EOF);
}

/* Time is up and the last answer is not there; a run without any is none. */
static void
give_up(void *arg)
{
	struct flood_stream *s = arg;

	if (s->data.received == 0)
		no_answer(s);
	else
		flood_stream_over(s, CLOSE_EOF);
}

static void
leave(struct flood_stream *s)
{
	s->stage = CLOSING;
	s->ended = s->conn.moved;
	if (shutdown(s->conn.fd, SHUT_WR) == 0)
		conn_fin_out(&s->conn);
	flood_stream_watch(s, LOOP_READ);
	loop_timer(s->flood->loop, &s->timer, LAST_MAX, close_now, s);
}

/* Looks now and then, which costs less than a timer for each request. */
static void
rr_look(void *arg)
{
	struct flood_stream *s = arg;
	int64_t now = loop_now(s->flood->loop);

	if (s->mark != s->data.received) {
		s->mark = s->data.received;
		s->since = now;
	}
	if (now - s->since >= patience(s->flood))
		no_answer(s);
	else
		loop_timer(s->flood->loop, &s->timer, patience(s->flood) / 4,
			rr_look, s);
}

static void
on_rr_paced(void *arg)
{
	struct flood_stream *s = arg;

	s->since = loop_now(s->flood->loop);
	rr_look(s);
	s->flood->calls->ready(s, LOOP_WRITE);
}

/* The next request; false: it has to wait, or there is none. */
static bool
next_request(struct flood_stream *s)
{
	struct flood *f = s->flood;
	size_t size = (size_t)f->conf->rr;
	int64_t now = clock_now(), wait;

	if (s->stage == LAST || s->data.sent + size > s->data.limit) {
		leave(s);
		return false;
	}
	wait = rate_wait(&s->data.rate, size, now);
	if (wait > 0) {
		flood_stream_watch(s, LOOP_READ);
		loop_timer(f->loop, &s->timer, wait, on_rr_paced, s);
		return false;
	}
	rate_allow(&s->data.rate, size, now);
	rate_took(&s->data.rate, size);
	s->out_left = s->in_left = size;
	s->pause = now; /* when it was asked */
	return true;
}

static bool
send_request(struct flood_stream *s)
{
	ssize_t n = send(
		s->conn.fd, s->flood->memory.out, s->out_left, MSG_NOSIGNAL);

	if (n > 0) {
		s->out_left -= (size_t)n;
		s->data.sent += (uint64_t)n;
		conn_sent(&s->conn, s->flood->memory.out, (size_t)n, s->pause);
		return true;
	}
	if (net_blocked())
		flood_stream_watch(s, LOOP_READ | LOOP_WRITE);
	else if (errno != EINTR)
		flood_stream_lost(s, "send", errno, NULL);
	return errno == EINTR;
}

/* Polls before it sleeps, where nobody else has to wait meanwhile. */
static ssize_t
recv_polling(struct flood_stream *s)
{
	struct flood *f = s->flood;
	int64_t end = f->share == 1 ? s->pause + f->conf->poll : 0;
	ssize_t n;

	do
		n = recv(s->conn.fd, f->memory.in, s->in_left, 0);
	while (n == -1 &&
		(errno == EINTR || (errno == EAGAIN && clock_now() < end)));
	return n;
}

static bool
recv_answer(struct flood_stream *s)
{
	struct flood *f = s->flood;
	ssize_t n = recv_polling(s);
	int64_t now = clock_now();

	if (n == -1 && errno == EAGAIN) {
		flood_stream_watch(s, LOOP_READ);
		return false;
	}
	if (n <= 0) {
		flood_stream_lost(s, "recv", n == 0 ? ECONNRESET : errno, NULL);
		return false;
	}
	s->in_left -= (size_t)n;
	s->data.received += (uint64_t)n;
	conn_received(&s->conn, f->memory.in, (size_t)n, now);
	if (s->in_left == 0) {
		hist_add(&f->latency, now - s->pause);
		f->sum.transactions++;
	}
	return true;
}

static void
rr_ready(struct flood_stream *s, unsigned ready)
{
	(void)ready;
	if (s->stage == CLOSING) {
		if (recv(s->conn.fd, s->flood->memory.in, 1, 0) == 0) {
			conn_fin_in(&s->conn);
			flood_stream_over(s, CLOSE_EOF);
		}
		return;
	}
	for (int i = 0; i < CALLS; i++) {
		if (s->in_left == 0 && !next_request(s))
			return;
		while (s->out_left > 0)
			if (!send_request(s))
				return;
		while (s->in_left > 0)
			if (!recv_answer(s))
				return;
	}
	loop_again(s->flood->loop, &s->watch, LOOP_READ);
}

static void
rr_go(struct flood_stream *s)
{
	struct flood *f = s->flood;
	int one = 1;

	flood_memory_take(&f->memory, (size_t)f->conf->rr);
	setsockopt(s->conn.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	flood_start_clock(f);
	rate_start(&s->data.rate, flood_rate_part(f->conf), loop_now(f->loop));
	s->stage = RUN;
	s->since = loop_now(f->loop);
	rr_look(s);
	flood_stream_watch(s, LOOP_READ);
	rr_ready(s, LOOP_WRITE);
}

static void
rr_stop(struct flood_stream *s)
{
	if (s->stage == CLOSING)
		return;
	if (!s->flood->going) {
		flood_stream_over(s, CLOSE_LOCAL);
		return;
	}
	s->stage = LAST;
	if (s->in_left == 0)
		leave(s);
	else
		loop_timer(s->flood->loop, &s->timer, LAST_MAX, give_up, s);
}

const struct flood_calls flood_rr = {
	.go = rr_go,
	.ready = rr_ready,
	.stop = rr_stop,
};

/* --crr: stream is a place for one connection after the other. */

static void crr_open(struct flood_stream *s);

static void
crr_again(void *arg)
{
	crr_open(arg);
}

static void
crr_close(struct flood_stream *s)
{
	int fd = s->watch.fd;

	if (fd == -1)
		return;
	loop_unwatch(s->flood->loop, &s->watch);
	net_reset(fd); /* else it stands in TIME_WAIT, and ports run out */
}

static void
crr_end(struct flood_stream *s)
{
	struct flood *f = s->flood;

	crr_close(s);
	loop_cancel(f->loop, &s->timer);
	s->going = false;
	f->open--;
	f->sum.ended = loop_now(f->loop);
	flood_say_over(f);
}

/* Told once; all are counted. */
static void
crr_tell(struct flood_stream *s, const char *op, int number)
{
	struct flood *f = s->flood;
	struct err err = { 0 };
	char text[ADDR_TEXT_MAX];

	if (f->sum.errors++ > 0)
		return;
	if (strcmp(op, "wait") == 0)
		err_setf(&err, op, ETIMEDOUT, addr_text(&f->target, text),
			"no answer: requests need an echo server "
			"(sockctl echo -p)");
	else
		err_set(&err, op, number, addr_text(&f->target, text));
	f->say(f->arg, f->index, SAY_ERROR, &err, sizeof(err));
}

/* --bytes alone has no end where nothing answers any more. */
static bool
crr_hopeless(const struct flood_stream *s)
{
	return s->data.limit != UINT64_MAX &&
		clock_now() - s->answered >= patience(s->flood);
}

static void
crr_failed(struct flood_stream *s, const char *op, int number)
{
	crr_close(s);
	crr_tell(s, op, number);
	if (crr_hopeless(s)) {
		crr_end(s);
		return;
	}
	loop_timer(s->flood->loop, &s->timer, AGAIN, crr_again, s);
}

static bool
crr_send(struct flood_stream *s)
{
	ssize_t n = send(s->watch.fd, s->flood->memory.out, 1, MSG_NOSIGNAL);

	if (n == 1) {
		s->out_left = 0;
		loop_want(s->flood->loop, &s->watch, LOOP_READ);
		return true;
	}
	if (errno != EINTR && !net_blocked())
		crr_failed(s, "connect", errno);
	return false;
}

static void
crr_ready(void *arg, unsigned ready)
{
	struct flood_stream *s = arg;
	struct flood *f = s->flood;
	ssize_t n;

	(void)ready;
	if (s->out_left > 0 && !crr_send(s))
		return;
	n = recv(s->watch.fd, f->memory.in, 1, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != 1) {
		crr_failed(s, "recv", n == 0 ? ECONNRESET : errno);
		return;
	}
	s->data.sent++;
	f->sum.transactions++;
	f->sum.connections++;
	s->answered = clock_now();
	hist_add(&f->latency, s->answered - s->since);
	crr_close(s);
	crr_open(s);
}

/* One timer looks after a place, not one a connection. */
static void
crr_look(void *arg)
{
	struct flood_stream *s = arg;

	if (clock_now() - s->since >= patience(s->flood))
		crr_failed(s, "wait", ETIMEDOUT);
	else
		loop_timer(s->flood->loop, &s->timer, patience(s->flood) / 4,
			crr_look, s);
}

static int
crr_connect(struct flood *f, struct err *err)
{
	const struct addr *to = &f->target;
	struct addr from = f->local;
	bool bound = f->conf->net.bind.count > 0 ||
		f->conf->dial.local_port != NULL;
	int number,
		fd = net_socket(to, false, &f->sockopts,
			f->conf->dial.local_port != NULL, err);

	if (fd == -1)
		return -1;
	if (f->conf->dial.local_port == NULL)
		addr_set_port(&from, 0);
	if (bound && net_bind(fd, &from, err) == -1)
		return close_keep(fd, -1);
	number = net_connect(fd, to);
	if (number != 0 && number != EINPROGRESS) {
		err_set(err, "connect", number, NULL);
		return close_keep(fd, -1);
	}
	return fd;
}

static void
crr_open(struct flood_stream *s)
{
	struct flood *f = s->flood;
	struct err err = { 0 };
	int fd;

	if (f->stopping || s->data.sent >= s->data.limit) {
		crr_end(s);
		return;
	}
	s->since = clock_now();
	s->out_left = 1;
	fd = crr_connect(f, &err);
	if (fd == -1 ||
		loop_watch(f->loop, &s->watch, fd, LOOP_READ | LOOP_WRITE,
			crr_ready, s) == -1) {
		crr_failed(s, fd == -1 ? err.op : "socket",
			fd == -1 ? err.number : errno);
		return;
	}
	if (!timer_set(&s->timer))
		crr_look(s);
	crr_send(s); /* on this very host the connection stands already */
}

static void
crr_go(struct flood_stream *s)
{
	struct flood *f = s->flood;

	flood_memory_take(&f->memory, 1);
	s->going = true;
	f->open++;
	if (s->open) /* the one that found the way */
		flood_stream_over(s, CLOSE_LOCAL);
	f->sum.connections = 0;
	f->sum.ended = 0;
	if (s->data.limit == 0)
		s->data.limit = UINT64_MAX;
	s->answered = clock_now();
	flood_start_clock(f);
	crr_open(s);
}

static void
crr_stop(struct flood_stream *s)
{
	if (!s->going) {
		flood_stream_over(s, CLOSE_LOCAL);
		return;
	}
	if (s->flood->sum.transactions == 0 && s->watch.fd != -1)
		crr_tell(s, "wait", ETIMEDOUT);
	crr_end(s);
}

const struct flood_calls flood_crr = {
	.go = crr_go,
	.stop = crr_stop,
	.reset = true,
	.survives = true,
};

/* --hold */

static void
hold_go(struct flood_stream *s)
{
	flood_start_clock(s->flood);
	flood_stream_watch(s, LOOP_READ);
}

static void
hold_ready(struct flood_stream *s, unsigned ready)
{
	uint8_t in[4096];
	ssize_t n = recv(s->conn.fd, in, sizeof(in), 0);

	(void)ready;
	if (n > 0)
		conn_received(
			&s->conn, in, (size_t)n, loop_now(s->flood->loop));
	else if (n == 0)
		flood_stream_lost(s, "recv", ECONNRESET, NULL);
	else if (errno != EAGAIN && errno != EINTR)
		flood_stream_lost(s, "recv", errno, NULL);
}

static void
hold_stop(struct flood_stream *s)
{
	flood_stream_over(s, CLOSE_LOCAL);
}

const struct flood_calls flood_hold = {
	.go = hold_go,
	.ready = hold_ready,
	.stop = hold_stop,
	.reset = true,
	.survives = true,
};
