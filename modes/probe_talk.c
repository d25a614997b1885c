/* probe: behind a connection: does it stay, what does it say? */
#include "../util/mem.h"
#include "probe.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BANNER_MAX = 512, READS = 16 };

#define ACKED_EVERY (10 * CLOCK_MS)

struct talk {
	struct match match;
	struct buf line; /* the banner so far */
	bool full; /* the line is whole, or cut */
	bool heard; /* a byte came */
	size_t sent;
	int64_t opened;
};

void
probe_talk_begin(struct attempt *a)
{
	const struct probe_conf *conf = a->probe->conf;

	a->talk = mem_zero(1, sizeof(*a->talk));
	a->talk->opened = clock_now();
	match_start(&a->talk->match, conf->expect.data, conf->expect.len);
}

void
probe_talk_free(struct talk *t)
{
	match_free(&t->match);
	buf_free(&t->line);
	free(t);
}

static void
keep_info(struct attempt *a)
{
	struct extra *x = probe_extra(a->target, a->cell);
	int size;
	socklen_t len = sizeof(size);

	if (!x->info)
		x->info = mem_alloc(sizeof(*x->info));
	tcpinfo_get(x->info, a->fd);
	x->sndbuf = x->rcvbuf = -1;
	if (getsockopt(a->fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0)
		x->sndbuf = size;
	if (getsockopt(a->fd, SOL_SOCKET, SO_RCVBUF, &size, &len) == 0)
		x->rcvbuf = size;
}

static void
keep_banner(struct attempt *a)
{
	struct extra *x = probe_extra(a->target, a->cell);
	struct buf *line = &a->talk->line;

	free(x->banner);
	x->banner = NULL;
	x->banner_len = line->len;
	if (a->talk->heard)
		x->banner = mem_copy(buf_data(line), line->len);
}

void
probe_talk_end(struct attempt *a)
{
	const struct probe_conf *conf = a->probe->conf;

	if (conf->banner)
		keep_banner(a);
	a->cell->unmet = conf->expect.given && !match_found(&a->talk->match);
	attempt_end(a, PORT_OPEN, 0);
}

/* The first line, without its end. */
static void
take_line(struct talk *t, const uint8_t *data, size_t n)
{
	const uint8_t *end = n ? memchr(data, '\n', n) : NULL;

	if (t->full)
		return;
	if (end)
		n = (size_t)(end - data);
	if (n > BANNER_MAX - t->line.len)
		n = BANNER_MAX - t->line.len;
	buf_append(&t->line, data, n);
	t->full = end || t->line.len == BANNER_MAX;
	if (end && t->line.len && buf_data(&t->line)[t->line.len - 1] == '\r')
		t->line.len--;
}

bool
probe_talk_heard(struct attempt *a, const uint8_t *data, size_t n)
{
	const struct probe_conf *conf = a->probe->conf;
	struct talk *t = a->talk;

	t->heard = true;
	take_line(t, data, n);
	if (conf->expect.given)
		match_feed(&t->match, data, n);
	return (!conf->banner || t->full || a->target->datagram) &&
		(!conf->expect.given || match_found(&t->match));
}

/* Everything that was asked for is known. */
static bool
is_over(struct attempt *a, int64_t now)
{
	const struct probe_conf *conf = a->probe->conf;
	struct talk *t = a->talk;

	if (t->sent < conf->send.len || (conf->banner && !t->full) ||
		(conf->expect.given && !match_found(&t->match)))
		return false;
	if (conf->banner || conf->expect.given)
		return true;
	return (t->heard || now - t->opened >= a->probe->stay) &&
		(!conf->send.given || tcpinfo_unacked(a->fd) <= 0);
}

/* The peer ended it. */
static void
broken(struct attempt *a)
{
	struct talk *t = a->talk;
	int64_t stayed = clock_now() - t->opened;

	if (!t->heard && a->probe->stay && stayed <= a->probe->stay)
		attempt_end(a, PORT_DROPPED, 0);
	else
		probe_talk_end(a);
}

void
probe_talk_broken(struct attempt *a)
{
	probe_talk_begin(a);
	broken(a);
}

static bool
ended(ssize_t n)
{
	return n == 0 ||
		(n == -1 && errno != EAGAIN && errno != EWOULDBLOCK &&
			errno != EINTR);
}

/* False when the connection is over. */
static bool
receive(struct attempt *a)
{
	uint8_t *data = loop_scratch(a->probe->life.loop);

	for (int i = 0; i < READS; i++) {
		ssize_t n = recv(a->fd, data, LOOP_SCRATCH, 0);

		if (ended(n))
			return false;
		if (n == -1 || probe_talk_heard(a, data, (size_t)n))
			return true;
	}
	return true;
}

static bool
transmit(struct attempt *a)
{
	const struct opt_text *text = &a->probe->conf->send;
	struct talk *t = a->talk;
	ssize_t n;

	if (t->sent == text->len)
		return true;
	n = send(
		a->fd, text->data + t->sent, text->len - t->sent, MSG_NOSIGNAL);
	if (n > 0)
		t->sent += (size_t)n;
	return n > 0 || !ended(n);
}

static void go_on(struct attempt *a);

static void
on_ready(void *arg, unsigned ready)
{
	struct attempt *a = arg;
	struct probe *p = a->probe;
	bool alive = true;

	if (ready & LOOP_READ)
		alive = receive(a);
	if (alive && (ready & LOOP_WRITE))
		alive = transmit(a);
	if (alive)
		go_on(a);
	else
		broken(a);
	probe_pump(p);
}

static void
on_time(void *arg)
{
	struct attempt *a = arg;
	struct probe *p = a->probe;

	go_on(a);
	probe_pump(p);
}

/* Ends it, or waits for what is missing. */
static void
go_on(struct attempt *a)
{
	struct probe *p = a->probe;
	const struct probe_conf *conf = p->conf;
	struct talk *t = a->talk;
	int64_t now = clock_now(), next = t->opened + p->stay, limit = next;
	bool ask = conf->banner || conf->expect.given;
	bool sending = t->sent < conf->send.len;

	if ((ask || conf->send.given) && conf->limits.timeout > p->stay)
		limit = conf->limits.timeout < CLOCK_INF - t->opened
			? t->opened + conf->limits.timeout
			: CLOCK_INF;
	if (now >= limit || is_over(a, now)) {
		probe_talk_end(a);
		return;
	}
	if (now >= next || ask)
		next = limit;
	if (conf->send.given && !ask && !sending && now + ACKED_EVERY < next)
		next = now + ACKED_EVERY;
	loop_want(p->life.loop, &a->watch,
		sending ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	loop_timer(p->life.loop, &a->timer,
		next == CLOCK_INF ? CLOCK_INF : next - now, on_time, a);
}

void
probe_talk_start(struct attempt *a)
{
	struct probe *p = a->probe;
	const struct probe_conf *conf = p->conf;

	if (conf->info)
		keep_info(a);
	if (!p->stay && !conf->banner && !conf->expect.given &&
		!conf->send.given) {
		attempt_end(a, PORT_OPEN, 0);
		return;
	}
	probe_talk_begin(a);
	if (loop_watch(p->life.loop, &a->watch, a->fd, LOOP_READ, on_ready,
		    a) == -1)
		attempt_settle(a, errno);
	else
		go_on(a);
}
