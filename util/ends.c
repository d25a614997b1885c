#include "ends.h"
#include <errno.h>
#include <sys/socket.h>

const struct opt fin_opts[] = {
	{ .name = "fin",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "hold the FIN of a short request back so long where no "
			"answer begins (1 s; 0: not at all)",
		.offset = OPT_AT(struct ends_options, fin, int64_t) },
	{ 0 },
};

const struct opt ends_opts[] = {
	{ .name = "no-shutdown",
		.letter = 'S',
		.type = OPT_FLAG,
		.help = "send no FIN when the input ends",
		.offset = OPT_AT(struct ends_options, no_shutdown, bool) },
	{ .name = "quit",
		.letter = 'q',
		.type = OPT_TIME,
		.word = "TIME",
		.help = "leave TIME after the input ended and all was "
			"acknowledged",
		.offset = OPT_AT(struct ends_options, quit, int64_t) },
	{ .name = "half-close",
		.type = OPT_FLAG,
		.help = "after the peer's FIN send on until the input ends",
		.offset = OPT_AT(struct ends_options, half_close, bool) },
	{ .name = "exit-on-eof",
		.type = OPT_FLAG,
		.help = "leave at once after the peer's FIN",
		.offset = OPT_AT(struct ends_options, exit_on_eof, bool) },
	{ .name = "recv-only",
		.type = OPT_FLAG,
		.help = "never read standard input",
		.offset = OPT_AT(struct ends_options, recv_only, bool) },
	{ .name = "send-only",
		.type = OPT_FLAG,
		.help = "send, FIN at once, discard what comes",
		.offset = OPT_AT(struct ends_options, send_only, bool) },
	{ .name = "crlf",
		.letter = 'C',
		.type = OPT_FLAG,
		.help = "send LF as CR LF",
		.offset = OPT_AT(struct ends_options, crlf, bool) },
	{ 0 },
};

const struct opt expect_opts[] = {
	{ .name = "expect",
		.type = OPT_TEXT,
		.word = "TEXT",
		.help = "exit 9 unless the peer sends TEXT",
		.offset = OPT_AT(
			struct expect_options, text, struct opt_text) },
	{ .name = "expect-bytes",
		.type = OPT_SIZE,
		.word = "N",
		.help = "exit 9 unless the peer sends N bytes",
		.offset = OPT_AT(struct expect_options, bytes, uint64_t),
		.min = 1,
		.max = INT64_MAX },
	{ 0 },
};

bool
expect_unmet(const struct expect_options *e, bool found, const struct conn *c,
	struct err *err)
{
	if (e && e->text.given && !found)
		err_setf(err, "assert", 0, c->peer,
			"the text of --expect is not in the %llu bytes that "
			"came",
			(unsigned long long)c->rx);
	else if (e && c->rx < e->bytes)
		err_setf(err, "assert", 0, c->peer,
			"--expect-bytes %llu, but %llu came",
			(unsigned long long)e->bytes,
			(unsigned long long)c->rx);
	else
		return false;
	return true;
}

enum {
	PUMP_SHORT = 64 * 1024, /* a request whose FIN waits */
	PUMP_GIVES_NOTHING = 1, /* s after the peer's FIN */
	PUMP_LEAVES = 1, /* s after the peer's FIN, with --exit-on-eof */
	PUMP_ANSWER_PAUSE = 100, /* ms */
	PUMP_QUIET = 200, /* ms, of a pipe whose command has ended */
};

bool
ends_up_finished(const struct pump *p)
{
	return p->up.ended && flow_held(&p->up) == 0;
}

bool
ends_down_finished(const struct pump *p)
{
	return p->down.broken || (p->down.ended && flow_held(&p->down) == 0);
}

/* What breaks. */

void
ends_lose(struct pump *p, const char *op, int number)
{
	if (p->lost.op)
		return;
	p->conn.unsent = pump_unsent(p);
	conn_lost(&p->conn, &p->lost, op, number);
	net_hear_out(p->set.fd);
	p->up.ended = true;
}

void
ends_note(struct pump *p, int64_t now)
{
	if (p->up.ended && !p->input_ended)
		p->input_ended = now;
	if (p->down.ended && !p->peer_ended && !p->down.broken) {
		p->peer_ended = now;
		/* After a reset it is the reset's, unless EPIPE says that a
		 * FIN had come before (tcp_reset in Linux). */
		if (!p->lost.op || p->lost.number == EPIPE)
			conn_fin_in(&p->conn);
	}
}

/* A command that ended: what it left is read, and a pipe that others hold open
 * is given up when nothing comes. */
static int64_t
input_over(struct pump *p, int64_t now)
{
	int64_t due = clock_later(p->near_over, p->last_in) +
		PUMP_QUIET * CLOCK_MS;

	if (!p->up.ended && p->up.waits != FLOW_SOURCE)
		return CLOCK_INF;
	if (!p->up.ended && due > now)
		return due;
	flow_stop(&p->up);
	p->ending = true;
	return CLOCK_INF;
}

/* Datagrams have no end: after the peer's FIN they are heard for 1 s more. */
static bool
gives_up(const struct pump *p)
{
	if (p->set.manner == PUMP_JOIN)
		return p->in.io.kind == IO_DATAGRAM;
	return !p->set.ends->half_close;
}

/* After the peer's FIN the input is read on while it gives data. */
int64_t
ends_give_up_input(struct pump *p, int64_t now)
{
	int64_t due = 0;

	if (p->near_over && !p->ending)
		return input_over(p, now);
	if (!p->peer_ended || p->up.ended || !gives_up(p))
		return CLOCK_INF;
	if (!p->set.ends->exit_on_eof && p->in.io.kind != IO_TERMINAL) {
		if (p->up.waits != FLOW_SOURCE)
			return CLOCK_INF; /* it gives, the peer is slow */
		due = clock_later(p->peer_ended,
			      clock_later(p->last_in, p->last_tx)) +
			PUMP_GIVES_NOTHING * CLOCK_S;
	}
	if (due > now)
		return due;
	flow_stop(&p->up);
	p->input_ended = now;
	return CLOCK_INF;
}

int64_t
ends_leave(struct pump *p, int64_t now)
{
	int64_t due = p->peer_ended + PUMP_LEAVES * CLOCK_S;

	if (!p->set.ends->exit_on_eof || !p->peer_ended || p->acked_at ||
		p->lost.op)
		return CLOCK_INF;
	p->up.pace = NULL;
	if (p->up.waits == FLOW_TIME)
		p->up.waits = FLOW_AGAIN;
	if (due > now)
		return due;
	ends_lose(p, "send", ETIMEDOUT);
	return CLOCK_INF;
}

static int64_t
fin_of_request(const struct pump *p)
{
	const struct ends_options *e = p->set.ends;
	bool expecting = p->set.expect && p->set.expect->text.given;

	if (expecting)
		return match_found(&p->match) ? 0 : CLOCK_INF;
	if (e->fin == 0 || p->conn.tx >= PUMP_SHORT)
		return 0;
	if (p->answered)
		return p->last_rx + PUMP_ANSWER_PAUSE * CLOCK_MS;
	return p->input_ended + (e->fin > 0 ? e->fin : CLOCK_S);
}

static int64_t
fin_due(const struct pump *p)
{
	const struct ends_options *e = p->set.ends;

	if (p->set.manner == PUMP_JOIN || p->ending)
		return 0;
	if (e->no_shutdown)
		return CLOCK_INF;
	if (p->peer_ended)
		return 0;
	if (p->up.taken == 0)
		return CLOCK_INF;
	if (p->set.manner == PUMP_SERVER || e->send_only ||
		e->quit != CLOCK_NONE)
		return 0;
	return fin_of_request(p);
}

int64_t
ends_send_fin(struct pump *p, int64_t now)
{
	int64_t due;

	if (!ends_up_finished(p) || p->fin_sent || p->lost.op)
		return CLOCK_INF;
	due = fin_due(p);
	if (due > now)
		return due;
	p->fin_sent = true;
	if (shutdown(p->set.fd, SHUT_WR) == -1)
		ends_lose(p, "send", errno == ENOTCONN ? ECONNRESET : errno);
	else
		conn_fin_out(&p->conn);
	return CLOCK_INF;
}

static bool
fin_settled(const struct pump *p)
{
	if (p->fin_sent)
		return true;
	return ends_up_finished(p) &&
		(p->set.ends->no_shutdown ||
			(p->set.ends->quit != CLOCK_NONE && p->up.taken == 0));
}

/* Sending is done when the system says that all of it was acknowledged. */
int64_t
ends_acknowledged(struct pump *p, int64_t now)
{
	int number;

	if (!fin_settled(p) || p->acked_at || p->lost.op)
		return CLOCK_INF;
	switch (net_acked(p->set.fd, &p->ack_pause, &number)) {
	case NET_UNACKED:
		return now + p->ack_pause;
	case NET_BROKEN:
		ends_lose(p, "send", number);
		break;
	case NET_ACKED:
		p->acked_at = now;
		break;
	case NET_UNTOLD:
		if (p->peer_ended)
			p->acked_at = now;
		break;
	}
	return CLOCK_INF;
}

/* -q: how long to go on hearing after all was sent. */
int64_t
ends_quit_due(const struct pump *p)
{
	bool sent = p->acked_at ||
		(fin_settled(p) && tcpinfo_unacked(p->set.fd) < 0);

	if (p->ending && sent)
		return 0;
	if (p->set.ends->quit == CLOCK_NONE || !sent)
		return CLOCK_INF;
	return clock_later(p->acked_at, p->input_ended) + p->set.ends->quit;
}
