#include "postmortem.h"

#include "clock.h"
#include "template.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What a peer's receive queue surely holds: less was all unread, if the peer
 * never answered. */
enum { QUEUE_SURE = 64 * 1024 };

/* What can be said of a connection's end. */
enum {
	CLIENT = 1,
	SERVER = 2,
	SILENT = 4, /* no byte either way */
	UNHEARD = 8, /* it never sent a byte, and what we sent fits its queue */
	NO_ANSWER = 16, /* no byte came after the last one that we sent */
	FIN_IN = 32,
	FIN_OUT = 64,
	FIRST_PEER = 128,
	FIRST_LOCAL = 256,
	YOUNG = 512, /* less than a second old */
	UNSENT = 1024,
	UNREAD = 2048, /* bytes in our receive queue */
	UNACKED = 4096,
	TIMED_OUT = 8192, /* ETIMEDOUT, of the kernel */
	REFUSED = 16384, /* ECONNREFUSED: ICMP */
};

struct facts {
	const struct conn *c;
	unsigned bits;
	int64_t unread, age;
};

enum { ANY = -1 };

/* The first row whose reason and facts fit is told. */
static const struct {
	int reason;
	unsigned facts;
	const char *sentence; /* template.h */
} rows[] = {
	{ ANY, TIMED_OUT | UNACKED,
		"{unacked} bytes of ours were never acknowledged"
		"[, {retrans:some} retransmissions]: the peer, or the way to "
		"it, is gone" },
	{ ANY, TIMED_OUT,
		"keepalive probes went unanswered: the peer, or the way to "
		"it, is gone" },
	{ CLOSE_TIMEOUT, 0, "time was up" },
	{ ANY, REFUSED,
		"nobody listens there: an ICMP port unreachable came back" },
	{ CLOSE_RESET, FIN_IN,
		"the peer had closed both ways, so its system answered what "
		"we sent after that by a reset" },
	{ CLOSE_RESET, CLIENT | SILENT,
		"accepted and reset after {age:ms} without a byte: a full "
		"server, a filter, or a proxy without its backend?" },
	{ CLOSE_RESET, SILENT,
		"came and left by a reset without a byte: a port check?" },
	{ CLOSE_RESET, UNHEARD,
		"the peer closed with {tx} bytes of ours unread, so its "
		"system reset" },
	{ CLOSE_RESET, 0,
		"the peer closed with bytes of ours unread, so its system "
		"reset, or it aborted (linger 0)" },
	{ CLOSE_IDLE, UNACKED,
		"the peer stopped reading: {unacked} bytes wait in our send "
		"queue" },
	{ CLOSE_IDLE, SILENT, "neither side sent a byte" },
	{ CLOSE_IDLE, 0, "nothing moved any more" },
	{ CLOSE_LIMIT, 0, "slow: it did not read what was queued for it" },
	{ CLOSE_LOCAL, UNREAD,
		"we closed with {unread} bytes of the peer's unread, so our "
		"system resets" },
	{ CLOSE_EOF, CLIENT | SILENT | FIRST_PEER | YOUNG,
		"accepted and closed after {age:ms} without a byte: a proxy "
		"without its backend?" },
	{ CLOSE_EOF, SERVER | SILENT | FIRST_PEER,
		"came and left without a byte: a port check?" },
	{ CLOSE_EOF, CLIENT | FIN_OUT | FIRST_LOCAL | NO_ANSWER,
		"the peer ended without a byte after our FIN; it may take a "
		"FIN for a hang-up (--fin, -S)" },
	{ CLOSE_EOF, UNSENT,
		"the peer ended with {unsent} bytes of ours not sent" },
	{ ANY, FIRST_PEER, "the peer ended first" },
	{ ANY, FIRST_LOCAL, "this side ended first" },
};

static void
write_sentence(const struct facts *f, const char *sentence, char *out)
{
	const struct field fields[] = {
		F_UINT("tx", f->c->tx),
		F_UINT("unsent", f->c->unsent),
		F_INT("unread", f->unread),
		F_INT("unacked", f->c->last.sendq),
		F_INT("retrans", f->c->last.retrans),
		F_REAL("age", (double)f->age / CLOCK_MS, 3),
	};
	struct buf text = { 0 };

	template_render(
		&text, sentence, fields, sizeof(fields) / sizeof(fields[0]));
	snprintf(out, POSTMORTEM_MAX, "%s", buf_cstr(&text));
	buf_free(&text);
}

static unsigned
facts_of(const struct facts *f, const struct err *err)
{
	const struct conn *c = f->c;
	int number = err == NULL || err->op == NULL ||
			strcmp(err->op, "wait") == 0
		? 0
		: err->number;
	unsigned bits = c->client ? CLIENT : SERVER;

	bits |= c->rx == 0 && c->tx == 0 ? SILENT : 0;
	bits |= c->rx == 0 && c->tx <= QUEUE_SURE ? UNHEARD : 0;
	bits |= c->heard < c->moved ? NO_ANSWER : 0;
	bits |= c->fin_in ? FIN_IN : 0;
	bits |= c->fin_out ? FIN_OUT : 0;
	bits |= c->first == SIDE_PEER ? FIRST_PEER : 0;
	bits |= c->first == SIDE_LOCAL ? FIRST_LOCAL : 0;
	bits |= f->age < CLOCK_S ? YOUNG : 0;
	bits |= c->unsent > 0 ? UNSENT : 0;
	bits |= c->tcp && f->unread > 0 ? UNREAD : 0;
	bits |= c->tcp && c->last.sendq > 0 ? UNACKED : 0;
	bits |= number == ETIMEDOUT ? TIMED_OUT : 0;
	bits |= number == ECONNREFUSED ? REFUSED : 0;
	return bits;
}

char *
postmortem(const struct conn *c, enum close_reason reason,
	const struct err *err, int64_t unread, int64_t now, char *out)
{
	struct facts f = {
		.c = c,
		.unread = unread,
		.age = now - c->opened,
	};

	out[0] = '\0';
	f.bits = facts_of(&f, err);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((rows[i].reason != ANY && rows[i].reason != (int)reason) ||
			(rows[i].facts & ~f.bits) != 0)
			continue;
		write_sentence(&f, rows[i].sentence, out);
		break;
	}
	return out;
}

void
postmortem_connect(struct err *e, int fd)
{
	struct tcpinfo t;

	if (e == NULL || e->hint[0] != '\0' || e->number != ETIMEDOUT)
		return;
	tcpinfo_get(&t, fd);
	if (t.state == NULL || t.retrans < 0)
		return;
	err_hint(e,
		"SYN unanswered %lld time%s: dropped on the way; a closed port "
		"would refuse",
		(long long)t.retrans + 1, t.retrans == 0 ? "" : "s");
}
