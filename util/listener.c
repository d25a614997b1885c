#include "listener.h"
#include "mem.h"
#include "passive.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* At most so many clients a wakeup and socket: the served ones come first. */
enum { ACCEPT_BATCH = 64 };

/* Out of descriptors: the first and the longest pause; accepting that went
 * well for CALM ends the episode, so that each is told once. */
#define PAUSE_FIRST (100 * CLOCK_MS)
#define PAUSE_LONGEST CLOCK_S
#define CALM (100 * CLOCK_MS)

/* Senders of datagrams that were told as denied, and for how long. */
enum { DENIED_KEPT = 64 };
#define DENIED_FOR (10 * CLOCK_S)

struct door {
	struct listener *l;
	struct watch watch;
};

struct denied {
	struct addr peer;
	int64_t until;
};

struct listener {
	struct listener_setup s;
	struct passive sockets;
	struct door *door; /* one a socket */
	bool paused; /* by the mode */
	bool waiting; /* until timer: --pause-accept, or out of descriptors */
	bool starved; /* out of descriptors, and told */
	int64_t pause; /* the next one's length */
	struct timer timer;
	int reserve; /* a descriptor that is free again while accepting rests,
			for what needs one briefly: /proc, a pipe */
	unsigned accepted, denied;
	int clients;
	struct denied *told; /* DENIED_KEPT, in a ring */
	int told_next;
};

static bool
accepting(const struct listener *l)
{
	int64_t max = l->s.listen->max_clients;

	return !l->paused && !l->waiting && (max == 0 || l->clients < max);
}

static void
update(struct listener *l)
{
	unsigned want = accepting(l) ? LOOP_READ : 0;

	for (int i = 0; l->door && i < l->sockets.count; i++)
		loop_want(l->s.loop, &l->door[i].watch, want);
}

/* Any descriptor will do; false where there is none. */
static bool
take_reserve(struct listener *l)
{
	if (l->reserve == -1)
		l->reserve = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (l->reserve == -1)
		return false;
	net_cloexec(l->reserve);
	return true;
}

static void
drop_reserve(struct listener *l)
{
	if (l->reserve != -1)
		close(l->reserve);
	l->reserve = -1;
}

static void
calm_again(void *arg)
{
	struct listener *l = arg;

	l->starved = false;
	l->pause = PAUSE_FIRST;
}

static void
pause_over(void *arg)
{
	struct listener *l = arg;

	if (!take_reserve(l)) {
		loop_timer(l->s.loop, &l->timer, l->pause, pause_over, l);
		return;
	}
	l->waiting = false;
	loop_timer(l->s.loop, &l->timer, CALM, calm_again, l);
	update(l);
}

/* The connection that could not be accepted waits in the backlog. */
static void
rest(struct listener *l, const struct door *d, int number)
{
	char text[ADDR_TEXT_MAX];
	struct addr local;
	struct err err = { 0 };

	l->waiting = true;
	update(l);
	drop_reserve(l);
	if (!l->starved) {
		addr_of_local(&local, d->watch.fd);
		err_set(&err, "accept", number, addr_text(&local, text));
		net_hint(&err, &local);
		report_error(l->s.report, NULL, &err);
	}
	l->starved = true;
	loop_timer(l->s.loop, &l->timer, l->pause, pause_over, l);
	l->pause = l->pause * 2 < PAUSE_LONGEST ? l->pause * 2 : PAUSE_LONGEST;
}

/* Errors of one connection, not of the listener; accept(2). */
static bool
passes(int number)
{
	static const int passing[] = { EINTR, ECONNABORTED, EPROTO, ENETDOWN,
		ENOPROTOOPT, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ETIMEDOUT,
		EPERM };

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (passing[i] == number)
			return true;
	return false;
}

static void
tell_denied(struct listener *l, const struct addr *peer, const char *rule)
{
	char text[ADDR_TEXT_MAX];

	REPORT(l->s.report, EV_DENIED, NULL,
		F_STR("peer", addr_text(peer, text)), F_STR("rule", rule));
}

static void
welcome(struct listener *l, int fd, const struct addr *peer)
{
	const char *rule = cidr_denied(&l->s.listen->rules, peer);
	struct err err = { 0 };

	if (rule) {
		l->denied++;
		tell_denied(l, peer, rule);
		close(fd);
		return;
	}
	if (sockopts_apply(l->s.sockopts, fd, SOCKOPT_CONNECTED, false, &err) ==
		-1) {
		report_error(l->s.report, NULL, &err);
		close(fd);
		return;
	}
	l->clients++;
	l->accepted++;
	update(l);
	l->s.on_client(l->s.arg, fd, l->accepted, peer);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct door *d = arg;
	struct listener *l = d->l;

	(void)ready;
	for (int i = 0; i < ACCEPT_BATCH && d->watch.fd != -1 && accepting(l);
		i++) {
		struct addr peer;
		int fd = net_accept(d->watch.fd, &peer);
		int number = errno;

		if (fd != -1)
			welcome(l, fd, &peer);
		else if (number == EAGAIN || number == EWOULDBLOCK)
			return;
		/* accept(2) looks for a descriptor before it looks at the
		 * queue: only the first call of a wakeup knows that a client
		 * waits. */
		else if (!passes(number) && i > 0)
			return;
		else if (!passes(number))
			rest(l, d, number);
	}
}

static int
watch_all(struct listener *l, struct err *err)
{
	l->door = mem_zero(l->sockets.count, sizeof(*l->door));
	for (int i = 0; i < l->sockets.count; i++) {
		struct door *d = &l->door[i];

		*d = (struct door){ .l = l, .watch = WATCH_NONE };
		if (loop_watch(l->s.loop, &d->watch, l->sockets.fd[i], 0,
			    on_ready, d) == -1)
			return err_set(err, "listen", errno, NULL);
	}
	take_reserve(l);
	if (l->s.pause > 0) {
		l->waiting = true;
		loop_timer(l->s.loop, &l->timer, l->s.pause, pause_over, l);
	}
	update(l);
	return 0;
}

static void
tell_listening(struct listener *l)
{
	char text[ADDR_TEXT_MAX];

	for (int i = 0; i < l->sockets.count; i++) {
		struct addr local;
		const char *transport = l->s.datagram ? "udp" : "tcp";

		addr_of_local(&local, l->sockets.fd[i]);
		if (local.ss.ss_family == AF_UNIX)
			transport = "unix";
		REPORT(l->s.report, EV_LISTENING, NULL,
			F_STR("local", addr_text(&local, text)),
			F_STR("transport", transport),
			F_KNOWN("backlog", l->sockets.backlog));
		/* The datagram sockets are the mode's from here on. */
		if (l->s.datagram)
			l->s.on_socket(l->s.arg, l->sockets.fd[i], &local);
	}
	if (l->s.datagram)
		l->sockets.count = 0;
}

struct listener *
listener_open(const struct listener_setup *s, struct err *err)
{
	struct listener *l = mem_zero(1, sizeof(*l));

	l->s = *s;
	l->reserve = -1;
	l->pause = PAUSE_FIRST;
	if (passive_open(&l->sockets, s, err) == -1 ||
		(s->listen->port_file &&
			passive_write_port(&l->sockets, s->listen->port_file,
				err) == -1) ||
		(!s->datagram && !s->never_accept && watch_all(l, err) == -1)) {
		listener_free(l);
		return NULL;
	}
	tell_listening(l);
	return l;
}

void
listener_gone(struct listener *l)
{
	l->clients--;
	/* In the next turn: the descriptor may be closed only behind us. */
	if (l->waiting && l->starved)
		loop_timer(l->s.loop, &l->timer, 0, pause_over, l);
	update(l);
}

void
listener_shut(struct listener *l)
{
	for (int i = 0; l->door && i < l->sockets.count; i++)
		loop_unwatch(l->s.loop, &l->door[i].watch);
	loop_cancel(l->s.loop, &l->timer);
	l->paused = true;
	drop_reserve(l);
	passive_close(&l->sockets);
}

void
listener_pause(struct listener *l, bool paused)
{
	l->paused = paused;
	update(l);
}

unsigned
listener_accepted(const struct listener *l)
{
	return l->accepted;
}

unsigned
listener_denied(const struct listener *l)
{
	return l->denied;
}

/* Whether the sender was told within DENIED_FOR; remembers it otherwise. */
static bool
was_told(struct listener *l, const struct addr *peer)
{
	int64_t now = loop_now(l->s.loop);

	if (!l->told)
		l->told = mem_zero(DENIED_KEPT, sizeof(*l->told));
	for (int i = 0; i < DENIED_KEPT; i++)
		if (l->told[i].until > now &&
			addr_equal(&l->told[i].peer, peer))
			return true;
	l->told[l->told_next] = (struct denied){ *peer, now + DENIED_FOR };
	l->told_next = (l->told_next + 1) % DENIED_KEPT;
	return false;
}

bool
listener_admits(struct listener *l, const struct addr *peer)
{
	const char *rule = cidr_denied(&l->s.listen->rules, peer);

	if (!rule)
		return true;
	if (!was_told(l, peer)) {
		l->denied++;
		tell_denied(l, peer, rule);
	}
	return false;
}

void
listener_free(struct listener *l)
{
	if (!l)
		return;
	listener_shut(l);
	free(l->door);
	free(l->told);
	free(l);
}
