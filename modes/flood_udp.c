/* flood -u: the near side. */
#include "../util/mem.h"
#include "flood.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* HELLO asks until a cookie comes, RUN sends or receives (or both), ENDING
 * waits for what the other side counted, LINGER answers late ends. */
enum { HELLO, RUN, ENDING, LINGER };

enum { READS = 16, COOKIES = 2 };
#define HELLO_PAUSE (100 * CLOCK_MS)
#define HELLO_MAX (3 * CLOCK_S)
#define LINGER_MAX (200 * CLOCK_MS)
#define HURRY_MAX (200 * CLOCK_MS)
/* A sign of life for a far side that sends. */
#define ALIVE_PAUSE CLOCK_S

static bool
sends(const struct flood_stream *s)
{
	return !s->flood->conf->reverse;
}

static bool
receives(const struct flood_stream *s)
{
	return s->flood->conf->reverse || s->flood->conf->bidir;
}

static size_t
chunk_of(const struct flood_conf *conf)
{
	return conf->chunk > 0 ? (size_t)conf->chunk : FLOOD_DATAGRAM;
}

/* Refused is what an ICMP error of an earlier datagram says. */
static void
lost(struct flood_stream *s, const char *op, int number)
{
	struct err err = { 0 };

	if (number == ECONNREFUSED) {
		err_set(&err, "connect", number, s->conn.peer);
		flood_stream_lost(s, op, number, &err);
	} else {
		flood_stream_lost(s, op, number, NULL);
	}
}

/* The role stands behind the head of hello and cookie. */
static size_t
ask_line(struct flood_stream *s, char out[FLOOD_LINE_MAX + 1])
{
	const struct flood_conf *conf = s->flood->conf;
	struct flood_ask a;

	if (!receives(s))
		return 0;
	flood_stream_role(s, conf->bidir ? FLOOD_BOTH : FLOOD_SOURCE, &a);
	a.chunk = chunk_of(conf);
	return flood_ask_write(&a, out);
}

static int
say_line(struct flood_stream *s, enum flood_type type, uint64_t sequence,
	uint64_t time)
{
	char out[FLOOD_LINE_MAX + 1];
	size_t n = ask_line(s, out);

	return flood_flow_say(s->flow, type, sequence, time, out, n);
}

static void
on_hello(void *arg)
{
	struct flood_stream *s = arg;
	int64_t wait = s->flood->conf->limits.timeout;
	int64_t now = loop_now(s->flood->loop);

	if (now - s->since >= (wait > 0 ? wait : HELLO_MAX)) {
		flood_stream_silent(s,
			"no answer to the greeting: no flood -p -u there, or "
			"its answers are lost");
		return;
	}
	if (say_line(s, FLOOD_HELLO, 0, (uint64_t)now) == -1 &&
		errno != EAGAIN) {
		lost(s, "send", errno);
		return;
	}
	loop_timer(s->flood->loop, &s->timer, HELLO_PAUSE, on_hello, s);
}

static void
on_linger(void *arg)
{
	flood_stream_over(arg, CLOSE_EOF);
}

/* Both sides' counts are known, as far as there are any. */
static bool
complete(const struct flood_stream *s)
{
	return (!sends(s) || s->flow->known) &&
		(!receives(s) || s->flow->ended);
}

static void
finish_if_complete(struct flood_stream *s)
{
	struct flood *f = s->flood;

	if (s->stage == LINGER || !complete(s) ||
		(sends(s) && s->stage != ENDING))
		return;
	if (s->ended == 0)
		s->ended = s->flow->last;
	s->stage = LINGER;
	if (receives(s))
		loop_timer(f->loop, &s->timer, LINGER_MAX, on_linger, s);
	else
		on_linger(s);
}

static void
on_end(void *arg)
{
	struct flood_stream *s = arg;
	struct flood_flow *w = s->flow;

	if (s->flood->hurry && w->ends > 0) {
		flood_stream_over(s, CLOSE_LOCAL);
	} else if (w->ends >= FLOOD_ENDS) {
		flood_stream_silent(
			s, "no closing answer: what arrived is unknown");
	} else if (sends(s) && !w->known && flood_flow_end(w) == -1 &&
		errno != EAGAIN) {
		lost(s, "send", errno);
	} else {
		w->ends += !sends(s) || w->known;
		loop_timer(s->flood->loop, &s->timer,
			s->flood->hurry ? HURRY_MAX : FLOOD_END_PAUSE, on_end,
			s);
	}
}

static void
end(struct flood_stream *s)
{
	if (s->stage == ENDING || s->stage == LINGER)
		return;
	s->stage = ENDING;
	if (sends(s))
		s->ended = loop_now(s->flood->loop);
	flood_stream_watch(s, LOOP_READ);
	on_end(s);
}

static void send_more(struct flood_stream *s);

static void
on_paced(void *arg)
{
	send_more(arg);
}

/* The numbers begin anew when the warm-up is over. */
static void
begin_to_count(struct flood_stream *s)
{
	struct flood_flow *w = s->flow;

	if (!s->flood->omitted || w->based)
		return;
	w->based = true;
	flood_flow_counts(w, &w->base);
	if (w->warm)
		flood_flow_warm(w, false);
}

static void
send_more(struct flood_stream *s)
{
	struct flood_flow *w = s->flow;

	begin_to_count(s);
	switch (flood_flow_send(w)) {
	case MOVE_SOME:
	case MOVE_WAIT:
		flood_stream_watch(s, LOOP_READ | LOOP_WRITE);
		return;
	case MOVE_PACED:
		flood_stream_watch(s, LOOP_READ);
		loop_timer(s->flood->loop, &s->timer, flood_flow_wait(w),
			on_paced, s);
		return;
	case MOVE_END:
		end(s);
		return;
	case MOVE_WRONG:
	case MOVE_LOST:
		lost(s, "send", errno);
		return;
	}
}

static void
begin(struct flood_stream *s)
{
	struct flood *f = s->flood;
	const struct flood_conf *conf = f->conf;
	struct flood_flow *w = s->flow;
	size_t chunk = chunk_of(conf);

	loop_cancel(f->loop, &s->timer);
	s->stage = RUN;
	w->warm = conf->omit > 0;
	if (sends(s)) {
		flood_flow_send_at(w, chunk, !conf->no_gso,
			flood_rate_part(conf), loop_now(f->loop));
		if (!receives(s)) /* then lines go out, too */
			udpbulk_fix(&w->bulk);
		f->sum.burst = w->bulk.most;
	}
	flood_start_clock(f);
	if (s->data.limit != UINT64_MAX)
		w->limit = (s->data.limit + chunk - 1) / chunk;
	flood_stream_watch(s, LOOP_READ);
	if (sends(s))
		send_more(s);
}

/* The cookie goes back as it came, more than once since it may get lost, and
 * now and then to say that somebody is still here. */
static void
return_cookie(struct flood_stream *s)
{
	(void)say_line(s, FLOOD_COOKIE, s->mark, (uint64_t)s->pause);
	s->since = loop_now(s->flood->loop);
}

static void
on_control(void *arg, const struct flood_head *h, const uint8_t *data, size_t n)
{
	struct flood_stream *s = arg;

	(void)data;
	(void)n;
	if (h->type != FLOOD_COOKIE || s->stage != HELLO)
		return;
	s->mark = h->sequence;
	s->pause = (int64_t)h->time;
	for (int i = 0; i < COOKIES; i++)
		return_cookie(s);
	begin(s);
}

static void
on_bundle(void *arg, const struct udpbulk_bundle *b)
{
	struct flood_stream *s = arg;
	int64_t now = clock_now();

	if (!s->open)
		return;
	begin_to_count(s);
	conn_received(&s->conn, b->data, b->len, now);
	flood_flow_take(s->flow, b, now, on_control, s);
	if (s->open && s->stage != HELLO)
		finish_if_complete(s);
}

static void
udp_ready(struct flood_stream *s, unsigned ready)
{
	struct flood *f = s->flood;
	int n = 1;

	for (int i = 0; ready & LOOP_READ && i < READS && n > 0 && s->open; i++)
		n = udpbulk_recv(f->room, s->conn.fd, on_bundle, s);
	if (n == -1 && errno != EAGAIN && s->open) {
		lost(s, "recv", errno);
		return;
	}
	if (!s->open)
		return;
	if (receives(s) && s->stage == RUN &&
		loop_now(f->loop) - s->since > ALIVE_PAUSE)
		return_cookie(s);
	if (ready & LOOP_WRITE && s->stage == RUN)
		send_more(s);
}

static void
udp_go(struct flood_stream *s)
{
	struct flood *f = s->flood;

	if (f->room == NULL)
		f->room = udpbulk_room();
	s->flow = mem_zero(1, sizeof(*s->flow));
	s->flow->conn = &s->conn;
	s->flow->run = f->id;
	if (receives(s))
		udpbulk_prepare(s->conn.fd, !f->conf->no_gso);
	s->stage = HELLO;
	s->since = loop_now(f->loop);
	flood_stream_watch(s, LOOP_READ);
	on_hello(s);
}

static void
udp_stop(struct flood_stream *s)
{
	struct flood *f = s->flood;

	if (s->flow == NULL || (f->hurry && (s->stage == HELLO || !sends(s))))
		flood_stream_over(s, CLOSE_LOCAL);
	else if (s->stage == RUN)
		end(s);
	else if (f->hurry && s->stage == ENDING)
		on_end(s);
}

static void
subtract(struct flood_counts *c, const struct flood_counts *base)
{
	c->received -= base->received;
	c->bytes -= base->bytes;
	c->lost -= c->lost < base->lost ? c->lost : base->lost;
	c->reordered -= base->reordered;
	c->duplicates -= base->duplicates;
}

static void
udp_count(struct flood_stream *s, struct flood_totals *t)
{
	struct flood_flow *w = s->flow;
	struct flood_totals more = { .retrans = -1 };
	struct flood_counts own;

	if (w == NULL)
		return;
	if (sends(s)) {
		more.udp_sent = w->next;
		more.sent = w->known ? w->counts.bytes : w->bytes;
		more.udp = w->counts;
		more.udp_known = w->known;
		flood_totals_add(t, &more);
	}
	if (receives(s)) {
		flood_flow_counts(w, &own);
		subtract(&own, &w->base);
		more = (struct flood_totals){ .retrans = -1,
			.udp_sent = own.received + own.lost,
			.received = own.bytes,
			.udp = own,
			.udp_known = w->ended };
		flood_totals_add(t, &more);
	}
}

static void
udp_closed(struct flood_stream *s)
{
	if (s->flow == NULL)
		return;
	flood_flow_free(s->flow);
	free(s->flow);
	s->flow = NULL;
}

const struct flood_calls flood_udp = {
	.go = udp_go,
	.ready = udp_ready,
	.stop = udp_stop,
	.count = udp_count,
	.closed = udp_closed,
};
