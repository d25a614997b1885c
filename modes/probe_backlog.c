/* probe --backlog-test: connections to one port, one after the other, until no
 * more complete: that many the listener's queue holds, if it does not accept.
 */
#include "../util/mem.h"
#include "probe.h"
#include <errno.h>
#include <stdlib.h>

enum {
	BATCH = 64, /* before others have their turn */
	MOST = 5000, /* more than any usual queue (SOMAXCONN is 4096) */
};

struct backlog {
	struct target *target;
	int *fd; /* completed, then the one that waits; -1: none */
	int count, most;
	int addr;
	struct addr to;
	struct watch watch;
	struct timer timer;
	int64_t started;
};

static void open_more(void *arg);

/* number: why the last one did not complete; 0: it was not tried. */
static void
finish(struct backlog *b, int number)
{
	struct target *t = b->target;
	struct probe *p = t->probe;
	struct cell *c = &t->cell[0];

	p->completed = b->count;
	if (b->count == 0 && b->addr + 1 < t->addrs.count) {
		if (b->fd[0] != -1)
			net_reset(b->fd[0]);
		b->fd[0] = -1;
		b->addr++;
		loop_unwatch(p->life.loop, &b->watch);
		loop_timer(p->life.loop, &b->timer, 0, open_more, b);
		return;
	}
	c->addr = (uint8_t)b->addr;
	c->number = (uint8_t)number;
	c->best = b->count ? PORT_OPEN : (uint8_t)probe_meaning(number);
	if (c->best == PORT_ERROR) {
		struct err err = { 0 };

		err_set(&err, "connect", number, t->host);
		net_hint(&err, &b->to);
		probe_failed(t, &err);
	}
	if (b->count >= b->most)
		report_note(p->life.report, 0,
			"stopped at %d: there may be room for more, or they "
			"are accepted",
			b->count);
	probe_cell_done(t, c);
}

static void
on_writable(void *arg, unsigned ready)
{
	struct backlog *b = arg;
	int number = probe_connected(b->fd[b->count], &b->to);

	(void)ready;
	if (number == EALREADY || number == EINPROGRESS)
		return;
	loop_unwatch(b->target->probe->life.loop, &b->watch);
	loop_cancel(b->target->probe->life.loop, &b->timer);
	if (number) {
		finish(b, number);
		return;
	}
	b->count++;
	open_more(b);
}

static void
on_limit(void *arg)
{
	finish(arg, ETIMEDOUT);
}

/* 0: it completed, EINPROGRESS: wait, else why not. */
static int
open_one(struct backlog *b)
{
	struct probe *p = b->target->probe;
	struct err err = { 0 };
	int number, fd;

	fd = probe_socket(p, &b->to, false, &err);
	b->fd[b->count] = fd;
	if (fd == -1) {
		report_error(p->life.report, NULL, &err);
		return err.number;
	}
	b->started = clock_now();
	number = probe_connect(fd, &b->to);
	if (number == 0 && net_self_connected(fd))
		number = ECONNREFUSED;
	if (number == 0 && b->count == 0)
		b->target->cell[0].rtt_ms =
			(float)((double)(clock_now() - b->started) / CLOCK_MS);
	return number == EALREADY ? EINPROGRESS : number;
}

static void
open_more(void *arg)
{
	struct backlog *b = arg;
	struct probe *p = b->target->probe;
	int number = 0;

	b->to = b->target->addrs.item[b->addr];
	if (!b->target->is_unix)
		addr_set_port(&b->to, b->target->cell[0].port);
	for (int i = 0; i < BATCH && b->count < b->most; i++) {
		number = open_one(b);
		if (number)
			break;
		b->count++;
	}
	if (number == EINPROGRESS) {
		loop_watch(p->life.loop, &b->watch, b->fd[b->count], LOOP_WRITE,
			on_writable, b);
		loop_timer(p->life.loop, &b->timer, p->conf->limits.timeout,
			on_limit, b);
	} else if (number || b->count == b->most) {
		finish(b, number);
	} else {
		loop_timer(p->life.loop, &b->timer, 0, open_more, b);
	}
}

void
probe_backlog_start(struct target *t)
{
	struct probe *p = t->probe;
	struct backlog *b = mem_zero(1, sizeof(*b));

	b->target = t;
	b->most = probe_allowed(p, MOST);
	b->fd = mem_alloc((size_t)(b->most + 1) * sizeof(*b->fd));
	for (int i = 0; i <= b->most; i++)
		b->fd[i] = -1;
	b->watch = (struct watch)WATCH_NONE;
	p->backlog = b;
	open_more(b);
}

void
probe_backlog_stop(struct probe *p)
{
	struct backlog *b = p->backlog;

	if (!b)
		return;
	loop_unwatch(p->life.loop, &b->watch);
	loop_cancel(p->life.loop, &b->timer);
	for (int i = 0; i <= b->count; i++)
		if (b->fd[i] != -1)
			net_reset(b->fd[i]);
	free(b->fd);
	free(b);
	p->backlog = NULL;
}
