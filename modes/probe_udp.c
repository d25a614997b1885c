/* probe: datagrams. Silence says nothing, so it is asked three times. */
#include "probe.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { SENDS = 3, ANSWERS = 16 };

/* Linux tells a UDP socket of unreachable hosts only when it asks for that.
 * ip(7), ipv6(7). */
#if defined(IP_RECVERR) && defined(IPV6_RECVERR)
static void
want_errors(int fd, int family)
{
	int on = 1;

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	else if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}
#else
static void
want_errors(int fd, int family)
{
	(void)fd;
	(void)family;
}
#endif

#ifdef _GNU_SOURCE
/* A name for answers: a free one of the abstract namespace (unix(7)). */
static int
name_unix(int fd, struct err *err)
{
	struct addr none = { .len = sizeof(sa_family_t) };

	none.ss.ss_family = AF_UNIX;
	return net_bind(fd, &none, err);
}
#else
/* There are only paths, and a probe leaves none behind: no answer is heard. */
static int
name_unix(int fd, struct err *err)
{
	(void)fd;
	(void)err;
	return 0;
}
#endif

/* A Unix socket that can be connected to has somebody who reads it. */
static bool
is_known(const struct attempt *a)
{
	const struct probe_conf *conf = a->probe->conf;

	return a->target->is_unix && !conf->send.given && !conf->expect.given &&
		!conf->banner;
}

static bool
nothing_yet(int number)
{
	return number == EAGAIN || number == EWOULDBLOCK || number == EINTR ||
		number == ENOBUFS;
}

/* True when the attempt is over. */
static bool
receive(struct attempt *a)
{
	struct probe *p = a->probe;
	uint8_t *data = loop_scratch(p->life.loop);

	for (int i = 0; i < ANSWERS; i++) {
		ssize_t n = recv(a->fd, data, LOOP_SCRATCH, 0);

		if (n == -1 && nothing_yet(errno))
			return false;
		if (a->rtt_ms < 0)
			a->rtt_ms = (float)((double)(clock_now() - a->started) /
				CLOCK_MS);
		if (n == -1)
			attempt_settle(a, errno);
		else if (probe_talk_heard(a, data, (size_t)n))
			probe_talk_end(a);
		else
			continue;
		return true;
	}
	return false;
}

/* A newline, where the user has nothing to say: a line that asks nothing. */
static int
ask(struct attempt *a)
{
	const struct opt_text *text = &a->probe->conf->send;
	const uint8_t *data = text->given ? text->data : (const uint8_t *)"\n";
	size_t len = text->given ? text->len : 1;

	a->sends++;
	if (a->target->is_unix && !text->given)
		return 0;
	if (send(a->fd, data, len, MSG_NOSIGNAL) >= 0 || nothing_yet(errno))
		return 0;
	return errno;
}

static void go_on(struct attempt *a);

static void
on_answer(void *arg, unsigned ready)
{
	struct attempt *a = arg;
	struct probe *p = a->probe;

	(void)ready;
	receive(a);
	probe_pump(p);
}

static void
on_time(void *arg)
{
	struct attempt *a = arg;
	struct probe *p = a->probe;

	attempt_next_address(a);
	if (a->sends < SENDS)
		go_on(a);
	else if (a->rtt_ms >= 0) /* an answer, but not what was expected */
		probe_talk_end(a);
	else
		attempt_end(a, PORT_OPEN_FILTERED, ETIMEDOUT);
	probe_pump(p);
}

static void
go_on(struct attempt *a)
{
	struct probe *p = a->probe;
	int64_t limit = p->conf->limits.timeout;
	int number = ask(a);

	if (number) {
		attempt_settle(a, number);
		return;
	}
	if (receive(a))
		return;
	if (a->watch.fd == -1 &&
		loop_watch(p->life.loop, &a->watch, a->fd, LOOP_READ, on_answer,
			a) == -1) {
		attempt_settle(a, errno);
		return;
	}
	loop_timer(p->life.loop, &a->timer,
		limit == CLOCK_INF ? CLOCK_S : limit / SENDS, on_time, a);
}

void
probe_udp_start(struct attempt *a)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->to.ss;
	struct err err = { 0 };

	a->fd = probe_socket(a->probe, &a->to, true, &err);
	if (a->fd == -1 ||
		(a->target->is_unix && name_unix(a->fd, &err) == -1)) {
		attempt_unable(a, &err);
		return;
	}
	want_errors(a->fd, a->to.ss.ss_family);
	if (connect(a->fd, sa, a->to.len) == -1) {
		attempt_settle(a, errno);
		return;
	}
	probe_talk_begin(a);
	if (is_known(a))
		probe_talk_end(a);
	else
		go_on(a);
}
