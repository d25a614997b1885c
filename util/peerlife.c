/* The time of a peer: the greeting's limit, signs of life both ways. */
#include "num.h"
#include "peer.h"
#include "tcpinfo.h"
#include <errno.h>
#include <stdio.h>

/* Ticks: often enough for "at least every second". How long a frame that is
 * sent at once may take to come; how long an end may take. */
#define TICK (500 * CLOCK_MS)
#define FRAME_STALL (5 * CLOCK_S)
#define LEAVE_MOST (10 * CLOCK_S)

static void
time_over(struct peer *p, enum close_reason reason, const char *what,
	int64_t time)
{
	struct err err = { 0 };
	char text[NUM_MAX];

	err_setf(&err, "wait", ETIMEDOUT, p->stream.conn.peer, "%s %s", what,
		num_show_time(time, text));
	p->ending = true;
	p->code = EXIT_TIMEOUT;
	p->ended = loop_now(p->stream.loop);
	snprintf(p->why, sizeof p->why, "%s", err.text);
	stream_abort(&p->stream, reason, NULL, true, &err);
}

/* A sign of life is a byte that came, or one of ours that was acknowledged:
 * frames that only pile up in a queue here are none. */
static void
look_for_life(struct peer *p, int64_t now)
{
	const struct conn *c = &p->stream.conn;
	int64_t unacked = tcpinfo_unacked(c->fd);
	uint64_t life = c->rx + c->tx - (unacked > 0 ? (uint64_t)unacked : 0);
	int64_t idle = p->transfer->conf->limits.idle;

	if (life != p->life || p->stuck)
		p->alive = now;
	p->life = life;
	/* A length that was altered, or the network stands still. */
	if (xfer_inside(&p->parser) && now - c->heard >= FRAME_STALL &&
		!p->stuck)
		peer_wrong(p, XFER_R_ALTERED, "a frame that does not end");
	else if (idle != CLOCK_INF && now - p->alive >= idle)
		time_over(p, CLOSE_IDLE, "no sign of life for", idle);
}

/* -w is for the greeting; without it who is silent for --idle has gone, too. */
static int64_t
greeting_limit(const struct peer *p)
{
	const struct limit_options *o = &p->transfer->conf->limits;

	if (o->timeout != CLOCK_NONE)
		return o->timeout;
	return o->idle < TRANSFER_GREETING ? o->idle : TRANSFER_GREETING;
}

static void
on_tick(void *arg)
{
	struct peer *p = arg;
	int64_t now = loop_now(p->stream.loop), limit = greeting_limit(p);
	int64_t next = TICK;

	if (p->ending) {
		if (now - p->ended > LEAVE_MOST)
			stream_abort(
				&p->stream, CLOSE_TIMEOUT, NULL, true, NULL);
	} else if (!p->greeted && limit != CLOCK_INF) {
		if (now - p->opened >= limit)
			time_over(
				p, CLOSE_TIMEOUT, "no greeting within", limit);
		else if (p->opened + limit - now < next)
			next = p->opened + limit - now;
	} else {
		look_for_life(p, now);
		if (!p->ending && p->calls->busy(p->arg)) {
			peer_put(p, &(struct xfer_frame){ .type = XFER_WAIT });
			peer_flush(p);
		}
	}
	loop_timer(p->stream.loop, &p->tick, next, on_tick, p);
}

void
peer_watch(struct peer *p)
{
	int64_t limit = greeting_limit(p);

	loop_timer(p->stream.loop, &p->tick, limit < TICK ? limit : TICK,
		on_tick, p);
}
