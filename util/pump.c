#include "pump.h"
#include "ends.h"
#include "near.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PUMP_FOREGROUND = 250, /* ms between looks in the background */
	PUMP_HOLD = 200, /* ms that a close event waits for a status */
};

static const struct ends_options join_ends = ENDS_DEFAULT;

static void on_timer(void *arg);

uint64_t
pump_unsent(const struct pump *p)
{
	return flow_held(&p->up);
}

static void
up_took(void *arg, const uint8_t *data, size_t n)
{
	struct pump *p = arg;

	(void)data;
	(void)n;
	p->last_in = loop_now(p->set.loop);
}

static void
up_gave(void *arg, const uint8_t *data, size_t n)
{
	struct pump *p = arg;

	p->last_tx = loop_now(p->set.loop);
	p->answered = false;
	conn_sent(&p->conn, data, n, p->last_tx);
}

static void
down_took(void *arg, const uint8_t *data, size_t n)
{
	struct pump *p = arg;

	p->last_rx = loop_now(p->set.loop);
	p->answered = true;
	conn_received(&p->conn, data, n, p->last_rx);
	if (data && p->match.text)
		match_feed(&p->match, data, n);
}

/* The end of it all. */

static const struct err *
what_ended(const struct pump *p)
{
	if (p->local.op)
		return &p->local;
	return p->lost.op ? &p->lost : NULL;
}

static void
on_over(void *arg)
{
	struct pump *p = arg;
	const struct err *err = what_ended(p);
	struct report_conn id = conn_id(&p->conn);
	int64_t now = loop_now(p->set.loop);
	struct err unmet = { 0 };
	int code;

	if (p->set.hold && p->set.hold(p->set.arg) &&
		now < p->ended_at + PUMP_HOLD * CLOCK_MS) {
		loop_timer(p->set.loop, &p->timer, 5 * CLOCK_MS, on_over, p);
		return;
	}
	if (!p->reset && !p->lost.op &&
		net_lingers(p->set.fd, p->set.linger, p->ended_at, now)) {
		loop_timer(p->set.loop, &p->timer, 10 * CLOCK_MS, on_over, p);
		return;
	}
	if (!err &&
		expect_unmet(p->set.expect, match_found(&p->match), &p->conn,
			&unmet))
		report_error(p->set.report, &id, &unmet);
	code = conn_ended(&p->conn, p->reason, err);
	if (code == EXIT_OK && unmet.op)
		code = EXIT_ASSERT;
	if (p->lost.op)
		code = EXIT_LOST;
	if (p->reset)
		net_reset(p->set.fd);
	else
		net_close(p->set.fd, p->set.linger);
	p->set.fd = -1;
	near_close(p);
	p->set.gone(p->set.arg, code, err);
}

/* Stops everything; the descriptor is closed and gone told from the loop. */
static void
finish(struct pump *p, enum close_reason reason, bool reset)
{
	if (p->over)
		return;
	p->over = true;
	p->reason = reason;
	if (!p->lost.op)
		p->conn.unsent = pump_unsent(p);
	loop_unwatch(p->set.loop, &p->far.watch);
	loop_unwatch(p->set.loop, &p->in.watch);
	loop_unwatch(p->set.loop, &p->out.watch);
	loop_cancel(p->set.loop, &p->again);
	p->reset = reset;
	if (!reset && !p->lost.op)
		io_drain(&p->far.io, p->set.loop);
	p->ended_at = loop_now(p->set.loop);
	loop_timer(p->set.loop, &p->timer, 0, on_over, p);
}

/* What breaks. */

static void
step(struct pump *p, struct flow *f, unsigned ready)
{
	if (f->broken || flow_step(f, ready) != FLOW_BROKEN)
		return;
	if (f->broken == &p->far.io) {
		ends_lose(p, f == &p->up ? "send" : "recv", f->error);
		near_unheard(p);
	} else {
		near_failed(p, f);
	}
}

/* Which descriptors are watched follows from what the flows wait for. */

static void on_ready(void *arg, unsigned ready);

static void
want(struct pump *p, struct pump_end *e, unsigned bits)
{
	if (e->watch.fd == -1 && bits == 0)
		return;
	if (e->watch.fd != -1) {
		loop_want(p->set.loop, &e->watch, bits);
		return;
	}
	if (loop_watch(p->set.loop, &e->watch, e->io.fd, bits, on_ready, e) ==
		-1)
		err_set(&p->local, "socket", errno, "select");
}

static void
watch_flows(struct pump *p)
{
	bool background = !p->up.ended && near_in_background(p);
	unsigned far = 0, in = 0, out = 0;

	if (p->up.waits == FLOW_SOURCE && !p->up.ended && !background)
		in |= LOOP_READ;
	if (p->up.waits == FLOW_SINK && !ends_up_finished(p))
		far |= LOOP_WRITE;
	if (p->down.waits == FLOW_SOURCE && !ends_down_finished(p))
		far |= LOOP_READ;
	if (p->down.waits == FLOW_SINK)
		out |= LOOP_WRITE;
	want(p, &p->far, far);
	if (near_out(p) == &p->in) {
		want(p, &p->in, in | out);
	} else {
		want(p, &p->in, in);
		want(p, &p->out, out);
	}
	if (p->up.waits == FLOW_AGAIN || p->down.waits == FLOW_AGAIN)
		loop_timer(p->set.loop, &p->again, 0, on_timer, p);
}

static int64_t
flows_due(const struct pump *p, int64_t now)
{
	int64_t due = CLOCK_INF;

	if (p->up.waits == FLOW_TIME && !ends_up_finished(p))
		due = now + p->up.delay;
	if (!p->up.ended && near_in_background(p))
		due = clock_sooner(due, now + PUMP_FOREGROUND * CLOCK_MS);
	return due;
}

static bool
all_done(const struct pump *p)
{
	return p->acked_at && ends_down_finished(p) && p->peer_ended;
}

static void
settle(struct pump *p)
{
	int64_t now = loop_now(p->set.loop), due;
	int64_t idle = conn_idle_due(&p->conn, p->set.idle);

	if (p->over)
		return;
	ends_note(p, now);
	due = ends_give_up_input(p, now);
	due = clock_sooner(due, ends_leave(p, now));
	due = clock_sooner(due, ends_send_fin(p, now));
	near_pass_fin(p);
	due = clock_sooner(due, ends_acknowledged(p, now));
	if (p->local.op) {
		finish(p, CLOSE_ERROR, p->set.manner == PUMP_JOIN);
	} else if (p->lost.op && ends_down_finished(p)) {
		finish(p,
			p->lost.number == ETIMEDOUT ? CLOSE_TIMEOUT
						    : CLOSE_RESET,
			false);
	} else if (all_done(p)) {
		finish(p, CLOSE_EOF, false);
	} else if (ends_quit_due(p) <= now) {
		finish(p, p->peer_ended ? CLOSE_EOF : CLOSE_LOCAL, false);
	} else if (idle <= now) {
		conn_idle_over(&p->conn, p->set.idle, &p->local);
		finish(p, CLOSE_IDLE, true);
	} else {
		watch_flows(p);
		due = clock_sooner(due, clock_sooner(ends_quit_due(p), idle));
		due = clock_sooner(due, flows_due(p, now));
		loop_timer(p->set.loop, &p->timer,
			due == CLOCK_INF ? CLOCK_INF : due - now, on_timer, p);
	}
	if (p->local.op && !p->over)
		finish(p, CLOSE_ERROR, false);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct pump_end *e = arg;
	struct pump *p = e->pump;
	unsigned up = 0, down = 0;

	if (ready & LOOP_READ) {
		if (p->up.from == &e->io)
			up |= LOOP_READ;
		else
			down |= LOOP_READ;
	}
	if (ready & LOOP_WRITE) {
		if (p->up.to == &e->io)
			up |= LOOP_WRITE;
		else
			down |= LOOP_WRITE;
	}
	if (up)
		step(p, &p->up, up);
	if (down)
		step(p, &p->down, down);
	settle(p);
}

static void
on_timer(void *arg)
{
	struct pump *p = arg;

	if (p->up.waits == FLOW_TIME || p->up.waits == FLOW_AGAIN)
		step(p, &p->up, 0);
	if (p->down.waits == FLOW_AGAIN)
		step(p, &p->down, 0);
	settle(p);
}

/* Setting up. */

static bool
has(const struct buf *early)
{
	return early && early->len > 0;
}

static void
open_flows(struct pump *p)
{
	bool seen = conn_seen(&p->conn);
	const struct expect_options *e = p->set.expect;

	p->up.loop = p->down.loop = p->set.loop;
	p->up.to = p->down.from = &p->far.io;
	p->up.arg = p->down.arg = p;
	p->up.took = up_took;
	p->up.gave = up_gave;
	p->down.took = down_took;
	p->up.crlf = p->set.ends->crlf;
	if (p->set.pace && pace_any(p->set.pace)) {
		pace_start(&p->pace, p->set.pace, loop_now(p->set.loop));
		p->up.pace = &p->pace;
	}
	if (e && e->text.given)
		match_start(&p->match, e->text.data, e->text.len);
	flow_start(&p->up, seen || has(p->set.near_early));
	flow_start(&p->down, seen || (e && e->text.given) || has(p->set.early));
}

void
pump_open(struct pump *p, const struct pump_setup *s)
{
	memset(p, 0, sizeof(*p));
	p->set = *s;
	if (!s->ends)
		p->set.ends = &join_ends;
	p->far.watch.fd = p->in.watch.fd = p->out.watch.fd = -1;
	p->far.pump = p->in.pump = p->out.pump = p;
	p->far.io = (struct io){ .fd = s->fd, .kind = IO_SOCKET };
	p->out.io.fd = -1;
	conn_open(&p->conn, s->id, s->fd, s->report, s->sight, NULL,
		loop_now(s->loop));
}

void
pump_near(struct pump *p, int in, int out, const char *name)
{
	p->set.manner = PUMP_JOIN;
	p->set.ends = &join_ends;
	p->set.in = in;
	p->set.out = out;
	p->set.own_near = true;
	p->set.near_name = name;
}

static void
take_early(struct flow *f, struct buf *early)
{
	if (!has(early))
		return;
	f->took(f->arg, buf_data(early), early->len);
	f->taken += early->len;
	buf_append(&f->held, buf_data(early), early->len);
	buf_free(early);
}

void
pump_run(struct pump *p)
{
	near_open(p);
	open_flows(p);
	take_early(&p->down, p->set.early);
	take_early(&p->up, p->set.near_early);
	p->up.waits = p->down.waits = FLOW_AGAIN;
	loop_timer(p->set.loop, &p->again, 0, on_timer, p);
}

void
pump_abort(struct pump *p, enum close_reason reason, bool reset,
	const struct err *err)
{
	if (err && !p->local.op)
		p->local = *err;
	finish(p, reason, reset);
}

void
pump_finish(struct pump *p)
{
	if (p->over)
		return;
	p->ending = true;
	flow_stop(&p->up);
	settle(p);
}

void
pump_near_over(struct pump *p)
{
	p->near_over = loop_now(p->set.loop);
	if (!p->over)
		settle(p);
}

void
pump_free(struct pump *p)
{
	loop_cancel(p->set.loop, &p->timer);
	loop_cancel(p->set.loop, &p->again);
	flow_free(&p->up);
	flow_free(&p->down);
	match_free(&p->match);
}
