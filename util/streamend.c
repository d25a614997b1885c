#include "streamend.h"
#include "tcpinfo.h"
#include <stdlib.h>

enum { DRAIN_MS = 200 };

void
streamend_tell(struct stream *s)
{
	struct err *err = s->err;
	int code = conn_ended(&s->conn, s->reason, err);

	loop_unwatch(s->loop, &s->watch);
	loop_cancel(s->loop, &s->timer);
	if (s->reset)
		net_reset(s->io.fd);
	else
		net_close(s->io.fd, s->linger);
	buf_free(&s->queue);
	s->err = NULL;
	s->calls->gone(s->arg, code, err);
	free(err);
}

/* All was acknowledged; where the system does not tell, the peer's FIN says
 * so. */
static bool
acknowledged(struct stream *s)
{
	int number;

	if (s->acked)
		return true;
	switch (net_acked(s->io.fd, &s->pause, &number)) {
	case NET_BROKEN:
		stream_lose(s, "send", number, 0);
		return false;
	case NET_UNACKED:
		return false;
	case NET_ACKED:
	case NET_UNTOLD:
		break;
	}
	s->acked = true;
	return true;
}

/* After an abort without RST: until there is nothing unread, at most 200 ms;
 * with --linger until all was acknowledged. */
static bool
drained(struct stream *s, int64_t now)
{
	if (s->reset || s->lost)
		return true;
	if (net_lingers(s->io.fd, s->linger, s->ended_at, now))
		return false;
	return s->eof_in || tcpinfo_unread(s->io.fd) <= 0 ||
		now >= s->ended_at + DRAIN_MS * CLOCK_MS;
}

static void
idle_over(struct stream *s)
{
	struct err err = { 0 };

	conn_idle_over(&s->conn, s->idle, &err);
	stream_abort(s, CLOSE_IDLE, NULL, true, &err);
}

bool
streamend_reached(struct stream *s, int64_t now)
{
	bool ended = s->fin_out && s->eof_in;

	if (!s->over && !s->lost && ended && acknowledged(s))
		return true;
	if (s->lost && s->eof_in)
		return true;
	if (s->quit && s->fin_out && !s->over && !s->lost && acknowledged(s) &&
		tcpinfo_unread(s->io.fd) <= 0)
		stream_abort(s, CLOSE_LOCAL, NULL, false, NULL);
	if (s->fin_out && s->leave_at && now >= s->leave_at)
		stream_abort(s, CLOSE_LOCAL, NULL, false, NULL);
	else if (now >= conn_idle_due(&s->conn, s->idle))
		idle_over(s);
	return s->over && drained(s, now);
}

int64_t
streamend_due(const struct stream *s, int64_t now)
{
	int64_t at = CLOCK_INF;

	if (s->over)
		return now + 10 * CLOCK_MS;
	if (s->fin_out && (s->eof_in || s->quit) && !s->lost && !s->acked)
		at = now + s->pause;
	else if (s->leave_at)
		at = s->leave_at > now ? s->leave_at : now + CLOCK_MS;
	at = clock_sooner(at, conn_idle_due(&s->conn, s->idle));
	if (s->paced && s->queue.len > 0)
		at = clock_sooner(
			at, now + pace_wait(s->pace, s->queue.len, now));
	return at;
}
