/* flood: one process of the near side: its connections are dialed, begin
 * together, and end; what it has to say goes to the boss (flood_boss.c), which
 * may be this very process. */
#include "../util/mem.h"
#include "flood.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Dials under way at one time: more would only fill the peer's backlog. */
enum { DIALS = 64 };

static void dial_more(struct flood *f);
static void stop(struct flood *f, bool hurry);

uint64_t
flood_stream_arrived(const struct flood_stream *s)
{
	int64_t left = s->conn.tcp ? tcpinfo_unacked(s->conn.fd) : 0;

	if (s->known)
		return s->result;
	left -= s->conn.fin_out; /* the FIN is counted, too */
	return s->data.sent - (left > 0 ? (uint64_t)left : 0);
}

/* What a stream has moved goes into t. */
static void
count(struct flood_stream *s, struct flood_totals *t)
{
	if (s->flood->calls->count != NULL) {
		s->flood->calls->count(s, t);
	} else {
		t->sent += flood_stream_arrived(s) - s->base_sent;
		t->received += s->data.received - s->base_received;
	}
	flood_totals_tcp(t, s->conn.fd);
}

static void
count_all(struct flood *f, struct flood_totals *t)
{
	*t = f->sum;
	for (int i = 0; i < f->share; i++)
		if (f->stream[i].open)
			count(&f->stream[i], t);
	flood_totals_cpu(t);
}

void
flood_sample(struct flood *f, struct flood_totals *t)
{
	const struct flood_totals *b = &f->base;

	count_all(f, t);
	if (t->retrans >= 0 && b->retrans > 0)
		t->retrans -= b->retrans;
	t->cpu_user -= b->cpu_user;
	t->cpu_system -= b->cpu_system;
	t->busy_us -= b->busy_us;
	t->rwnd_us -= b->rwnd_us;
	t->sndbuf_us -= b->sndbuf_us;
	t->transactions -= b->transactions;
	if (f->kind == KIND_CRR) {
		t->sent = t->received = t->transactions;
		t->connections -= b->connections;
	}
}

void
flood_say_over(struct flood *f)
{
	struct flood_totals t;

	if (f->over || f->open > 0 || f->dialing > 0)
		return;
	f->over = true;
	loop_cancel(f->loop, &f->end);
	loop_cancel(f->loop, &f->tick);
	loop_cancel(f->loop, &f->omit);
	flood_sample(f, &t);
	f->say(f->arg, f->index, SAY_HIST, &f->latency, 0);
	f->say(f->arg, f->index, SAY_OVER, &t, sizeof(t));
}

static void
close_stream(
	struct flood_stream *s, enum close_reason reason, const struct err *err)
{
	struct flood *f = s->flood;

	if (!s->open)
		return;
	count(s, &f->sum);
	if (s->ended > f->sum.ended)
		f->sum.ended = s->ended;
	s->open = false;
	f->open--;
	loop_cancel(f->loop, &s->timer);
	loop_unwatch(f->loop, &s->watch);
	flood_data_end(&s->data);
	if (f->calls->closed != NULL)
		f->calls->closed(s);
	conn_closed(&s->conn, reason, err);
	if (s->datagram)
		dial_unlink(s->conn.fd);
	if (f->calls->reset)
		net_reset(s->conn.fd);
	else
		net_close(s->conn.fd, f->sockopts.linger);
}

void
flood_stream_over(struct flood_stream *s, enum close_reason reason)
{
	if (s->ended == 0)
		s->ended = loop_now(s->flood->loop);
	close_stream(s, reason, NULL);
	flood_say_over(s->flood);
}

/* Tells an error that is no stream's. */
static void
fail(struct flood *f, const struct err *err)
{
	f->sum.errors++;
	f->say(f->arg, f->index, SAY_ERROR, err, sizeof(*err));
}

void
flood_stream_lost(struct flood_stream *s, const char *op, int number,
	const struct err *err)
{
	struct flood *f = s->flood;
	enum close_reason reason = CLOSE_ERROR;
	struct err own = { 0 };

	if (err == NULL)
		conn_lost(&s->conn, &own, op, number);
	else
		own = *err;
	if (number == ECONNRESET || number == EPIPE)
		reason = CLOSE_RESET;
	else if (number == ETIMEDOUT)
		reason = CLOSE_TIMEOUT;
	s->ended = s->conn.moved;
	close_stream(s, reason, &own);
	fail(f, &own);
	if (f->calls->survives)
		flood_say_over(f);
	else
		stop(f, true);
}

void
flood_stream_silent(struct flood_stream *s, const char *what)
{
	struct err err = { 0 };

	err_setf(&err, "wait", ETIMEDOUT, s->conn.peer, "%s", what);
	flood_stream_lost(s, "wait", ETIMEDOUT, &err);
}

void
flood_stream_protocol(struct flood_stream *s, const char *what)
{
	struct err err = { 0 };

	err_setf(&err, "protocol", 0, s->conn.peer, "%s", what);
	flood_stream_lost(s, "protocol", 0, &err);
}

void
flood_stream_watch(struct flood_stream *s, unsigned want)
{
	if (s->open)
		loop_want(s->flood->loop, &s->watch, want);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct flood_stream *s = arg;

	s->flood->calls->ready(s, ready);
}

static void
learn_addresses(struct flood *f, const struct flood_stream *s)
{
	char host[ADDR_TEXT_MAX];

	addr_of_peer(&f->target, s->conn.fd);
	addr_of_local(&f->local, s->conn.fd);
	if (f->conf->dial.proxy != NULL || f->target.ss.ss_family == AF_UNIX ||
		f->target.len == 0)
		return;
	snprintf(f->to.host, sizeof(f->to.host), "%s",
		addr_host(&f->target, host));
	snprintf(f->to.port, sizeof(f->to.port), "%d", addr_port(&f->target));
}

static void
open_stream(struct flood_stream *s, int fd, const struct dial_result *r)
{
	struct flood *f = s->flood;

	conn_open(&s->conn, (unsigned)(f->first + s->index + 1), fd, f->report,
		f->sight, s->datagram ? dial_target(s->dial) : NULL,
		loop_now(f->loop));
	dial_connected(&s->conn, r);
	if (f->sum.connects++ == 0)
		learn_addresses(f, s);
	f->sum.connections++;
	f->sum.connect_ns += (int64_t)(r->elapsed_ms * 1e6);
	memcpy(f->sum.congestion, r->congestion, sizeof(f->sum.congestion));
	f->sum.chosen = r->chosen;
	flood_data_begin(&s->data, &f->memory, f->conf->chunk);
	s->data.verify = f->conf->verify;
	s->data.trunc = f->conf->skip_rx_copy;
	s->data.zerocopy = f->conf->zerocopy;
	s->open = true;
	f->open++;
	loop_watch(f->loop, &s->watch, fd, 0, on_ready, s);
}

static void
on_dialed(void *arg, int fd, const struct dial_result *result,
	const struct err *err)
{
	struct flood_stream *s = arg;
	struct flood *f = s->flood;

	f->dialing--;
	if (fd != -1)
		open_stream(s, fd, result);
	dial_cancel(s->dial);
	s->dial = NULL;
	if (fd == -1) {
		fail(f, err);
		if (!f->calls->survives || f->open == 0) {
			f->next = f->share;
			stop(f, true);
			return;
		}
	}
	dial_more(f);
}

static void
dial_one(struct flood *f, struct flood_stream *s)
{
	s->datagram = f->to.datagram;
	f->dialing++;
	s->dial = dial_start(&(struct dial_setup){
		.loop = f->loop,
		.report = f->report,
		.net = &f->conf->net,
		.dial = &f->conf->dial,
		.sockopts = &f->sockopts,
		.to = f->to,
		.timeout = f->conf->limits.timeout,
		.done = on_dialed,
		.arg = s,
	});
}

/* The first one finds the address for all. */
static void
dial_more(struct flood *f)
{
	int most = f->sum.connects > 0 ? DIALS : 1;

	if (f->stopping) {
		flood_say_over(f);
		return;
	}
	while (f->next < f->share && f->dialing < most)
		dial_one(f, &f->stream[f->next++]);
	if (f->dialing == 0)
		f->say(f->arg, f->index, SAY_READY, NULL, 0);
}

void
flood_begin(struct flood *f)
{
	const struct flood_conf *conf = f->conf;

	f->sum = (struct flood_totals){ .kind = f->kind,
		.retrans = -1,
		.both_ways = conf->bidir,
		.reverse = conf->reverse };
	f->base = (struct flood_totals){ .retrans = -1 };
	f->stream = mem_zero((size_t)f->share, sizeof(*f->stream));
	for (int i = 0; i < f->share; i++) {
		f->stream[i].flood = f;
		f->stream[i].index = i;
		f->stream[i].watch.fd = -1;
	}
	loop_poll(f->loop, conf->poll);
	if (f->kind == KIND_CRR)
		f->next = f->share - 1; /* one is enough to know the way */
	dial_more(f);
}

static void
set_limits(struct flood *f)
{
	if (f->conf->bytes == 0)
		return;
	for (int i = 0; i < f->share; i++) {
		struct flood_stream *s = &f->stream[i];
		uint64_t limit = s->base_sent +
			flood_bytes_part(f, s, f->conf->bytes);

		s->data.limit = limit > s->data.sent ? limit : s->data.sent;
	}
}

static void
on_end(void *arg)
{
	stop(arg, false);
}

/* --idle: nothing went out and nothing came in for so long. */
static void
end_idle(struct flood *f, int64_t now)
{
	int64_t idle = f->conf->limits.idle;

	for (int i = 0; idle > 0 && i < f->share; i++) {
		struct flood_stream *s = &f->stream[i];

		if (s->open && now - s->conn.moved > idle)
			flood_stream_silent(s, "nothing moved (--idle)");
	}
}

/* Held connections carry nothing that is worth a look at each of them every
 * second; without workers a report asks for them when it is made. */
static bool
is_sampled(const struct flood *f)
{
	return f->kind != KIND_HOLD || f->conf->every > 0 ||
		f->conf->workers > 0;
}

static void
tell_sample(struct flood *f, int64_t now)
{
	struct flood_totals t;

	flood_sample(f, &t);
	t.ended = now;
	f->say(f->arg, f->index, SAY_SAMPLE, &t, sizeof(t));
}

static void
on_tick(void *arg)
{
	struct flood *f = arg;
	int64_t every = f->conf->every > 0 ? f->conf->every : CLOCK_S;
	int64_t now = loop_now(f->loop), rest;

	f->ticks++;
	end_idle(f, now);
	if (is_sampled(f))
		tell_sample(f, now);
	rest = f->sum.began + (f->ticks + 1) * every - now;
	loop_timer(f->loop, &f->tick, rest > 0 ? rest : 0, on_tick, f);
}

static void
on_omitted(void *arg)
{
	struct flood *f = arg;
	int64_t now = loop_now(f->loop);

	for (int i = 0; i < f->share; i++) {
		struct flood_stream *s = &f->stream[i];

		if (!s->open)
			continue;
		s->base_sent = flood_stream_arrived(s);
		s->base_received = s->data.received;
	}
	count_all(f, &f->base);
	hist_free(&f->latency);
	f->omitted = true;
	f->sum.began = now;
	set_limits(f);
	if (f->conf->bytes == 0)
		loop_timer(f->loop, &f->end, f->conf->time, on_end, f);
	f->ticks = 0;
	loop_timer(f->loop, &f->tick,
		f->conf->every > 0 ? f->conf->every : CLOCK_S, on_tick, f);
}

void
flood_start_clock(struct flood *f)
{
	if (f->sum.began != 0)
		return;
	f->sum.began = loop_now(f->loop);
	if (f->conf->omit > 0)
		loop_timer(f->loop, &f->omit, f->conf->omit, on_omitted, f);
	else
		on_omitted(f);
}

static void
stop(struct flood *f, bool hurry)
{
	f->hurry = f->hurry || hurry;
	f->stopping = true;
	loop_cancel(f->loop, &f->end);
	for (int i = 0; i < f->share; i++) {
		struct flood_stream *s = &f->stream[i];

		if (s->dial != NULL && f->hurry) {
			dial_cancel(s->dial);
			s->dial = NULL;
			f->dialing--;
		}
		if (s->open || s->going)
			f->calls->stop(s);
	}
	flood_say_over(f);
}

void
flood_told(struct flood *f, unsigned type)
{
	if (type == TELL_STOP) {
		stop(f, true);
		return;
	}
	f->going = true;
	for (int i = 0; i < f->share && !f->stopping; i++)
		if (f->stream[i].open || f->kind == KIND_CRR)
			f->calls->go(&f->stream[i]);
}

void
flood_free(struct flood *f)
{
	for (int i = 0; i < f->share; i++)
		if (f->stream[i].dial != NULL)
			dial_cancel(f->stream[i].dial);
	free(f->stream);
	f->stream = NULL;
	f->share = 0;
	hist_free(&f->latency);
	flood_memory_free(&f->memory);
	if (f->room != NULL)
		udpbulk_room_free(f->room);
}
