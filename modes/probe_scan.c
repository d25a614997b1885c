/* probe: many connections at once. What is answered at once costs no turn of
 * the loop; the rest waits there. Linux lets a socket that was refused connect
 * again: without a socket and a close for each port a scan is 1.7 times faster.
 * Where probe_can_reuse says no, each attempt has a socket of its own. */
#include "../util/mem.h"
#include "probe.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BATCH = 256, /* started before others have their turn */
	JOBS_MAX = 1000,
};

#define STAGGER (250 * CLOCK_MS) /* RFC 8305, section 5 */
#define UNIX_AGAIN (20 * CLOCK_MS)

static struct attempt *
take_place(struct probe *p, const struct task *task)
{
	struct attempt *a = p->idle;
	const struct addr_list *addrs = &task->target->addrs;

	p->idle = a->next;
	p->live++;
	a->target = task->target;
	a->cell = task->cell;
	a->addr = task->addr < addrs->count ? task->addr : 0;
	a->to = addrs->item[a->addr];
	addr_set_port(&a->to, a->cell->port);
	a->fd = -1;
	a->started = p->now;
	a->rtt_ms = -1;
	a->sends = 0;
	return a;
}

/* Frees what the attempt has but its descriptor. */
static void
leave_place(struct attempt *a)
{
	struct probe *p = a->probe;

	loop_unwatch(p->life.loop, &a->watch);
	loop_cancel(p->life.loop, &a->timer);
	if (a->talk)
		probe_talk_free(a->talk);
	a->talk = NULL;
	a->cell = NULL;
	a->fd = -1;
	a->next = p->idle;
	p->idle = a;
	p->live--;
}

/* RST where it was connected: no TIME_WAIT is left of a scan. */
static void
abandon(struct attempt *a)
{
	int fd = a->fd;

	leave_place(a);
	if (fd != -1)
		net_reset(fd);
}

static void
queue(struct target *t, struct cell *c, int addr)
{
	struct task task = { t, c, (uint8_t)addr, c->round };

	buf_append(&t->probe->queue, &task, sizeof(task));
}

static void
begin_try(struct cell *c)
{
	c->best = PORT_UNKNOWN;
	c->unmet = false;
	c->tried = c->live = 1;
	c->round++;
}

void
probe_again(struct target *t, struct cell *c)
{
	begin_try(c);
	queue(t, c, 0);
}

static void
next_address(struct target *t, struct cell *c)
{
	if (c->tried >= t->addrs.count)
		return;
	queue(t, c, c->tried++);
	c->live++;
}

void
attempt_next_address(struct attempt *a)
{
	if (a->cell->tried == a->addr + 1)
		next_address(a->target, a->cell);
}

/* One of the addresses is open: that is the answer. */
static void
cancel_others(struct probe *p, struct cell *c)
{
	for (int i = 0; i < p->places && c->live; i++) {
		if (p->attempt[i].cell != c)
			continue;
		abandon(&p->attempt[i]);
		c->live--;
	}
	c->live = 0; /* what is queued has an old round */
	c->round++;
}

static void
note(const struct attempt *a, enum port_state state, int number)
{
	struct cell *c = a->cell;

	if (c->best && c->best <= (uint8_t)state)
		return;
	c->best = (uint8_t)state;
	c->number = (uint8_t)number;
	c->addr = (uint8_t)a->addr;
	c->rtt_ms = a->rtt_ms;
}

void
attempt_end(struct attempt *a, enum port_state state, int number)
{
	struct probe *p = a->probe;
	struct target *t = a->target;
	struct cell *c = a->cell;
	int fd = a->fd;

	note(a, state, number);
	if (probe_can_reuse(number) && !t->datagram && !t->is_unix &&
		p->spare == -1) {
		p->spare = fd;
		p->spare_family = a->to.ss.ss_family;
		fd = -1;
	}
	a->fd = fd;
	abandon(a);
	c->live--;
	if (state != PORT_OPEN)
		next_address(t, c);
	else if (c->live)
		cancel_others(p, c);
	if (!c->live)
		probe_cell_done(t, c);
}

static void
keep_failure(struct attempt *a, int number)
{
	struct err err = { 0 };
	char text[ADDR_TEXT_MAX];

	if (a->target->failed)
		return;
	err_set(&err, "connect", number, addr_text(&a->to, text));
	net_hint(&err, &a->to);
	probe_failed(a->target, &err);
}

void
attempt_settle(struct attempt *a, int number)
{
	enum port_state state = probe_meaning(number);

	if (state == PORT_ERROR)
		keep_failure(a, number);
	attempt_end(a, state, number);
}

/* Out of descriptors: fewer at once from now on. What is wrong with the
 * settings is wrong for all. */
void
attempt_unable(struct attempt *a, const struct err *err)
{
	struct probe *p = a->probe;
	bool few = err->number == EMFILE || err->number == ENFILE ||
		err->number == ENOBUFS || err->number == ENOMEM;

	if (few && p->live > 1) {
		p->jobs = p->live - 1;
		queue(a->target, a->cell, a->addr);
		abandon(a);
	} else if (err->number == EAFNOSUPPORT) {
		probe_failed(a->target, err);
		attempt_end(a, PORT_ERROR, err->number);
	} else {
		report_error(p->life.report, NULL, err);
		probe_over(p, (int)err_exit(err));
	}
}

/* How often a SYN was sent, where the system tells. */
static void
count_syns(struct attempt *a)
{
	struct tcpinfo t;

	tcpinfo_get(&t, a->fd);
	a->cell->syns = 0;
	if (t.state && t.retrans >= 0)
		a->cell->syns = (uint8_t)(t.retrans < 200 ? t.retrans + 1 : 0);
}

static void
accepted(struct attempt *a)
{
	struct err err = { 0 };

	if (!a->target->is_unix && net_self_connected(a->fd))
		attempt_end(a, PORT_CLOSED, 0);
	else if (sockopts_apply(&a->probe->sockopts, a->fd, SOCKOPT_CONNECTED,
			 false, &err) == -1)
		attempt_unable(a, &err);
	else
		probe_talk_start(a);
}

/* connect(2) has ended with this errno. */
static void
connected(struct attempt *a, int number)
{
	struct probe *p = a->probe;

	if (p->shows) /* else nobody sees the round trip */
		p->now = clock_now();
	if (number == 0 || number == ECONNREFUSED)
		a->rtt_ms = (float)((double)(p->now - a->started) / CLOCK_MS);
	if (number == 0)
		accepted(a);
	else if (number == ECONNRESET || number == EPIPE)
		probe_talk_broken(a);
	else
		attempt_settle(a, number);
}

static void
on_writable(void *arg, unsigned ready)
{
	struct attempt *a = arg;
	struct probe *p = a->probe;
	int number;

	(void)ready;
	if (clock_now() - a->started > CLOCK_S / 2)
		count_syns(a); /* now: a timeout told is forgotten */
	number = probe_connected(a->fd, &a->to);
	if (number != EALREADY && number != EINPROGRESS)
		connected(a, number);
	probe_pump(p);
}

static void wait_for(struct attempt *a, bool again);

/* The next address's turn, or time is up. */
static void
on_time(void *arg)
{
	struct attempt *a = arg;
	struct probe *p = a->probe;
	int64_t past = loop_now(p->life.loop) - a->started;
	bool again = a->watch.fd == -1;
	int number = again ? probe_connect(a->fd, &a->to) : EINPROGRESS;

	if (past >= STAGGER)
		attempt_next_address(a);
	if (number != EINPROGRESS && number != EAGAIN) {
		connected(a, number);
	} else if (past < p->conf->limits.timeout) {
		wait_for(a, number == EAGAIN);
	} else {
		count_syns(a);
		/* An ICMP error that came during connect(2), as one of this
		 * very host does, is told by the next SYN or here. */
		number = net_error(a->fd);
		attempt_settle(a, number == 0 ? ETIMEDOUT : number);
	}
	probe_pump(p);
}

/* again: a Unix listener whose backlog is full has to be asked again. */
static void
wait_for(struct attempt *a, bool again)
{
	struct probe *p = a->probe;
	struct loop *l = p->life.loop;
	int64_t past = loop_now(l) - a->started;
	int64_t most = p->conf->limits.timeout - past;
	int64_t pause = again	 ? UNIX_AGAIN
		: past < STAGGER ? STAGGER - past
				 : most;

	p->now = clock_now();
	if (!again && a->watch.fd == -1 &&
		loop_watch(l, &a->watch, a->fd, LOOP_WRITE, on_writable, a) ==
			-1) {
		attempt_settle(a, errno);
		return;
	}
	loop_timer(l, &a->timer, pause < most ? pause : most, on_time, a);
}

/* False when there is none, and the attempt is over. */
static bool
new_socket(struct attempt *a)
{
	struct err err = { 0 };

	a->fd = probe_socket(a->probe, &a->to, false, &err);
	if (a->fd == -1)
		attempt_unable(a, &err);
	return a->fd != -1;
}

static void
start_stream(struct attempt *a)
{
	struct probe *p = a->probe;
	int number;

	if (p->spare != -1 && p->spare_family == a->to.ss.ss_family) {
		a->fd = p->spare;
		p->spare = -1;
	} else if (!new_socket(a)) {
		return;
	}
	number = probe_connect(a->fd, &a->to);
	if (number == EINPROGRESS || number == EALREADY)
		wait_for(a, false);
	else if (number == EAGAIN && a->target->is_unix)
		wait_for(a, true);
	else
		connected(a, number);
}

static bool
next_queued(struct probe *p, struct task *task)
{
	while (p->queue.len) {
		memcpy(task, buf_data(&p->queue), sizeof(*task));
		buf_consume(&p->queue, sizeof(*task));
		if (task->round == task->cell->round)
			return true;
	}
	return false;
}

static bool
next_task(struct probe *p, struct task *task)
{
	if (next_queued(p, task))
		return true;
	while (p->at_target < p->readies) {
		struct target *t = p->ready[p->at_target];
		struct cell *c = &t->cell[p->at_cell];

		if (p->at_cell++ < t->count) {
			begin_try(c);
			*task = (struct task){ t, c, 0, c->round };
			return true;
		}
		p->at_target++;
		p->at_cell = 0;
	}
	return false;
}

static void
on_pump(void *arg)
{
	probe_pump(arg);
}

void
probe_pump(struct probe *p)
{
	struct task task;

	p->now = clock_now();
	for (int i = 0; i < BATCH; i++) {
		struct attempt *a;

		if (p->over || p->live >= p->jobs || !next_task(p, &task))
			return;
		a = take_place(p, &task);
		if (a->target->datagram)
			probe_udp_start(a);
		else
			start_stream(a);
	}
	loop_timer(p->life.loop, &p->pump, 0, on_pump, p);
}

void
probe_scan_start(struct probe *p)
{
	int64_t jobs = probe_allowed(p, JOBS_MAX);

	if ((size_t)jobs > p->cells * 2)
		jobs = (int64_t)p->cells * 2; /* two addresses each */
	p->jobs = p->places = (int)jobs;
	p->attempt = mem_zero((size_t)jobs, sizeof(*p->attempt));
	for (int i = p->places - 1; i >= 0; i--) {
		struct attempt *a = &p->attempt[i];

		a->probe = p;
		a->watch = (struct watch)WATCH_NONE;
		a->next = p->idle;
		p->idle = a;
	}
}

void
probe_scan_stop(struct probe *p)
{
	for (int i = 0; i < p->places; i++)
		if (p->attempt[i].cell)
			abandon(&p->attempt[i]);
	if (p->spare != -1)
		close(p->spare);
	p->spare = -1;
	loop_cancel(p->life.loop, &p->pump);
	buf_clear(&p->queue);
}

void
probe_scan_free(struct probe *p)
{
	buf_free(&p->queue);
	free(p->attempt);
}
