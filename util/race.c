#include "race.h"
#include "mem.h"
#include "num.h"
#include "postmortem.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAGGER (250 * CLOCK_MS) /* RFC 8305, section 5 */
#define UNIX_AGAIN (20 * CLOCK_MS)

/* One address. err.op is set once it failed. */
struct runner {
	struct race *race;
	struct addr to;
	struct watch watch;
	struct timer again; /* a Unix listener whose backlog is full */
	int fd;
	struct err err;
};

struct race {
	struct race_setup s;
	struct runner *item;
	int count, next; /* next: not yet started */
	struct timer stagger;
};

static void start_next(void *arg);

static void
runner_close(struct runner *x)
{
	loop_unwatch(x->race->s.loop, &x->watch);
	loop_cancel(x->race->s.loop, &x->again);
	if (x->fd != -1)
		close(x->fd);
	x->fd = -1;
}

void
race_cancel(struct race *r)
{
	if (!r)
		return;
	loop_cancel(r->s.loop, &r->stagger);
	for (int i = 0; i < r->count; i++)
		runner_close(&r->item[i]);
	free(r->item);
	free(r);
}

/* Which error tells most of why no address would do: the user's own choices
 * first, an address family that is not there last. */
static int
rank(const struct race *r, const struct err *e)
{
	static const int order[] = { EADDRINUSE, ECONNREFUSED, ECONNRESET,
		ENOENT, ETIMEDOUT, EACCES, EPERM, EHOSTUNREACH, ENETUNREACH };
	bool chosen = r->s.local_port || r->s.local->count;
	int n = sizeof(order) / sizeof(order[0]);

	if (e->number == EAFNOSUPPORT ||
		(e->number == EADDRNOTAVAIL && !chosen))
		return INT_MAX;
	if (strcmp(e->op, "connect") != 0 || e->number == EADDRNOTAVAIL)
		return -1;
	for (int i = 0; i < n; i++)
		if (order[i] == e->number)
			return i;
	return n;
}

static void
add_text(struct err *e, const char *text)
{
	size_t n = strlen(e->text);

	snprintf(e->text + n, sizeof(e->text) - n, "%s", text);
}

/* "127.0.0.1:4000: Connection refused; ..." behind what text holds already;
 * only the reason where the one address is what the user wrote. */
static void
describe(const struct race *r, struct err *e)
{
	char address[ADDR_TEXT_MAX];

	for (int i = 0; i < r->count; i++) {
		const struct runner *x = &r->item[i];
		const char *why = x->err.op ? x->err.text
			: i < r->next	    ? "no answer"
					    : "not tried";

		addr_text(&x->to, address);
		if (i > 0)
			add_text(e, "; ");
		if (r->count > 1 || strcmp(address, r->s.target) != 0) {
			add_text(e, address);
			add_text(e, ": ");
		}
		add_text(e, why);
	}
}

static void
lose(struct race *r)
{
	struct runner *best = &r->item[0];
	struct race_setup s = r->s;
	struct err err;

	for (int i = 1; i < r->count; i++)
		if (rank(r, &r->item[i].err) < rank(r, &best->err))
			best = &r->item[i];
	err = best->err;
	if (strcmp(err.op, "connect") == 0) {
		net_hint(&err, &best->to);
		snprintf(err.target, sizeof(err.target), "%s", s.target);
		err.text[0] = '\0';
		describe(r, &err);
	}
	s.done(s.arg, -1, NULL, &err);
	race_cancel(r);
}

void
race_expired(struct race *r, int64_t after, struct err *err)
{
	char time[NUM_MAX];

	err_setf(err, "connect", ETIMEDOUT, r->s.target,
		"gave up after %s: ", num_show_time(after, time));
	describe(r, err);
	for (int i = 0; i < r->next; i++)
		if (r->item[i].fd != -1)
			postmortem_connect(err, r->item[i].fd);
	if (r->item[0].to.ss.ss_family != AF_UNIX)
		net_hint(err, &r->item[0].to);
}

static void
win(struct runner *x)
{
	struct race *r = x->race;
	struct race_setup s = r->s;
	int fd = x->fd;

	loop_unwatch(s.loop, &x->watch);
	x->fd = -1;
	s.done(s.arg, fd, &x->to, NULL);
	race_cancel(r);
}

static void
fail(struct runner *x, int number)
{
	char text[ADDR_TEXT_MAX];

	if (!x->err.op) {
		err_set(&x->err, "connect", number, addr_text(&x->to, text));
		postmortem_connect(&x->err, x->fd);
	}
	runner_close(x);
	if (number == EADDRNOTAVAIL && x->race->s.local_port)
		err_hint(&x->err,
			"a connection from local port %d to there exists, or "
			"its TIME_WAIT is not over",
			x->race->s.local_port);
	if (x->race->s.report)
		report_note(x->race->s.report, 1, "%s %s: %s", x->err.op,
			addr_text(&x->to, text), x->err.text);
}

static void
settle(struct runner *x, int number)
{
	struct race *r = x->race;

	if (number == 0 && !r->s.datagram && net_self_connected(x->fd))
		number = ECONNREFUSED;
	if (number == 0) {
		win(x);
		return;
	}
	fail(x, number);
	start_next(r);
}

static void
on_writable(void *arg, unsigned ready)
{
	struct runner *x = arg;

	(void)ready;
	settle(x, net_error(x->fd));
}

static void
connect_now(void *arg)
{
	struct runner *x = arg;
	struct loop *l = x->race->s.loop;
	int number = net_connect(x->fd, &x->to);

	if (number == EAGAIN && x->to.ss.ss_family == AF_UNIX)
		loop_timer(l, &x->again, UNIX_AGAIN, connect_now, x);
	else if (number != EINPROGRESS)
		settle(x, number);
	else if (loop_watch(l, &x->watch, x->fd, LOOP_WRITE, on_writable, x) ==
		-1)
		settle(x, errno);
}

static int
bind_local(struct runner *x, bool connected)
{
	const struct race_setup *s = &x->race->s;
	struct addr local;

	if (connected && s->local->count == 0 && s->local_port == 0)
		return 0;
	if (net_choose_local(s->local, &x->to, &local)) {
		addr_set_port(&local, s->local_port);
		return net_bind(x->fd, &local, &x->err);
	}
	return err_setf(&x->err, "bind", EAFNOSUPPORT, s->target,
		"no local address of this family was given");
}

#ifdef _GNU_SOURCE
/* A datagram client needs a name for answers: a free one of the abstract
 * namespace (unix(7), autobind). */
static int
bind_unix(struct runner *x)
{
	struct addr none = { .len = sizeof(sa_family_t) };

	none.ss.ss_family = AF_UNIX;
	return net_bind(x->fd, &none, &x->err);
}
#else
/* The same where there are only paths: race_unlink removes it. */
static int
bind_unix(struct runner *x)
{
	char path[ADDR_UNIX_MAX];
	struct addr a;
	int result = -1;

	x->err.number = EADDRINUSE;
	for (int i = 0; i < 1000 && x->err.number == EADDRINUSE; i++) {
		snprintf(path, sizeof(path), "/tmp/sockctl.%ld.%d",
			(long)getpid(), i);
		x->err = (struct err){ 0 };
		result = addr_unix(&a, path, &x->err);
		if (result == 0)
			result = net_bind(x->fd, &a, &x->err);
	}
	return result;
}
#endif

static int
prepare(struct runner *x, bool connected)
{
	const struct race_setup *s = &x->race->s;
	bool local = x->to.ss.ss_family == AF_UNIX;
	int on = 1;

	x->fd = net_socket(&x->to, s->datagram, s->sockopts,
		s->local_port && !s->datagram, &x->err);
	if (x->fd == -1)
		return -1;
	if (local)
		return s->datagram ? bind_unix(x) : 0;
	if (s->datagram && addr_is_broadcast(&x->to))
		setsockopt(x->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	return bind_local(x, connected);
}

static void
start(struct runner *x)
{
	const struct race_setup *s = &x->race->s;
	bool connected = !s->datagram ||
		(!addr_is_multicast(&x->to) && !addr_is_broadcast(&x->to));
	char text[ADDR_TEXT_MAX];

	if (s->report)
		report_note(s->report, 1, "trying %s", addr_text(&x->to, text));
	if (prepare(x, connected) == -1) {
		fail(x, x->err.number);
		start_next(x->race);
	} else if (connected) {
		connect_now(x);
	} else {
		win(x);
	}
}

static void
start_next(void *arg)
{
	struct race *r = arg;
	bool running = false;

	if (r->next < r->count) {
		struct runner *x = &r->item[r->next++];

		/* start may end the race: nothing of it is touched behind. */
		loop_timer(r->s.loop, &r->stagger,
			r->next < r->count ? STAGGER : CLOCK_INF, start_next,
			r);
		start(x);
		return;
	}
	for (int i = 0; i < r->count; i++)
		running |= r->item[i].fd != -1;
	if (!running)
		lose(r);
}

struct race *
race_start(const struct race_setup *s, const struct addr_list *to)
{
	struct race *r = mem_zero(1, sizeof(*r));

	r->s = *s;
	r->count = to->count;
	r->item = mem_zero(to->count, sizeof(*r->item));
	for (int i = 0; i < r->count; i++) {
		r->item[i].race = r;
		r->item[i].to = to->item[i];
		r->item[i].watch = (struct watch)WATCH_NONE;
		r->item[i].fd = -1;
	}
	loop_timer(s->loop, &r->stagger, 0, start_next, r);
	return r;
}
