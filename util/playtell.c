/* What is told of a script's steps: the events script and blocked. */
#include "playstep.h"
#include "tcpinfo.h"
#include <string.h>

static struct field
requested(const struct script_step *s)
{
	static const char *const ways[] = { "rd", "wr", "both" };

	if (s->op == SCRIPT_SHUTDOWN)
		return F_STR("requested", ways[s->n]);
	if (s->op == SCRIPT_SLEEP && s->time != CLOCK_INF)
		return (struct field)F_REAL(
			"requested", clock_seconds(s->time), 6);
	if (s->op == SCRIPT_WRITEV) {
		uint64_t i, sum = 0;
		for (i = 0; i < s->n; i++)
			sum += s->pieces[i];
		return (struct field)F_UINT("requested", sum);
	}
	if (s->n > 0)
		return (struct field)F_UINT("requested", s->n);
	return (struct field)F_NULL("requested");
}

/* To its owner the kernel calls a connection in TIME_WAIT CLOSE. */
static const char *
state_of(const struct play *p)
{
	const char *pair;
	struct tcpinfo info;

	if (p->io.fd == -1)
		return tcpinfo_state_of(&p->local, &p->peer);
	tcpinfo_get(&info, p->io.fd);
	if (info.state == NULL || strcmp(info.state, "CLOSE") != 0)
		return info.state;
	pair = tcpinfo_state_of(&p->local, &p->peer);
	return pair != NULL ? pair : info.state;
}

void
play_tell_step(struct play *p, const struct script_step *s)
{
	struct report_conn id = conn_id(&p->conn);
	bool failed = p->result == -1;

	if (p->set.quiet || !report_shows(p->set.report, EV_SCRIPT))
		return;
	REPORT(p->set.report, EV_SCRIPT, &id, F_UINT("step", s->number),
		F_STR("op", script_word(s->op)), requested(s),
		F_INT("result", p->result),
		F_STR("errno", failed ? err_name(p->error) : NULL),
		F_INT("elapsed_us", (clock_now() - p->began) / CLOCK_US),
		F_STR("state", state_of(p)),
		p->text.len
			? (struct field)F_BYTES("text",
				  (const char *)buf_data(&p->text), p->text.len)
			: (struct field)F_NULL("text"));
}

/* Who waits for what, as far as this side can see. */
static const char *
why_blocked(const struct script_step *s, const struct tcpinfo *t)
{
	switch (s->op) {
	case SCRIPT_SEND:
	case SCRIPT_SENDALL:
	case SCRIPT_WRITEV:
	case SCRIPT_OOB:
	case SCRIPT_FILL:
	case SCRIPT_ECHO:
		return "this side waits for the peer to read: its receive "
		       "buffer and our send buffer are full";
	case SCRIPT_RECV:
	case SCRIPT_RECVALL:
	case SCRIPT_PEEK:
	case SCRIPT_RECVOOB:
	case SCRIPT_EXPECT:
	case SCRIPT_DRAIN:
		return t->sendq > 0
			? "this side waits for the peer to send, and the peer "
			  "has not taken what was sent to it: does it wait too?"
			: "this side waits for the peer to send; if the peer "
			  "waits for this side, it is a deadlock";
	case SCRIPT_SLEEP:
	case SCRIPT_KEY:
	case SCRIPT_SHUTDOWN:
	case SCRIPT_CLOSE:
	case SCRIPT_RESET:
	case SCRIPT_OPEN:
	case SCRIPT_SHUT:
		break;
	}
	return "it waits for a key";
}

void
play_tell_blocked(struct play *p, const struct script_step *s)
{
	struct report_conn id = conn_id(&p->conn);
	struct tcpinfo t;

	tcpinfo_get(&t, p->io.fd);
	REPORT(p->set.report, EV_BLOCKED, &id, F_UINT("step", s->number),
		F_STR("op", script_word(s->op)), requested(s),
		F_UINT("result", p->done),
		F_INT("elapsed_us", (clock_now() - p->began) / CLOCK_US),
		F_STR("state", t.state), F_KNOWN("recvq", t.recvq),
		F_KNOWN("sendq", t.sendq), F_STR("why", why_blocked(s, &t)));
}
