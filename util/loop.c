#include "loop.h"
#include "clock.h"
#include "hotset.h"
#include "mem.h"
#include "signals.h"
#include "timers.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/select.h>

enum { DESCRIPTORS_MAX = 1024 * 1024 };

/* A pselect that finds something ready returns without letting a signal in
 * (Linux): under load they are let in this often. */
#define SIGNAL_PERIOD (5 * CLOCK_MS)

struct loop {
	struct hotset set;
	struct timers timers;
	struct watch **watch; /* by descriptor */
	int room; /* of watch */
	int limit; /* descriptors that select can take here */
	int64_t now;
	int turns; /* that are under way: a callback may wait in its own */
	bool stopped;
	int result;
	int64_t poll, traffic; /* loop_poll, and when something last came */
	struct signals signals;
	int64_t let_in; /* when signals were last let in */
	struct rlimit files; /* before loop_new */
	struct child *children;
	uint8_t *scratch;
};

#ifdef _GNU_SOURCE
/* Linux takes sets of any size (select(2), NOTES). */
static int
select_limit(void)
{
	return DESCRIPTORS_MAX;
}
#else
static int
select_limit(void)
{
	return FD_SETSIZE;
}
#endif

static void
raise_limit(struct loop *l)
{
	struct rlimit r;
	rlim_t most = (rlim_t)l->limit;

	if (getrlimit(RLIMIT_NOFILE, &l->files) == -1)
		return;
	r = l->files;
	if (r.rlim_max != RLIM_INFINITY && r.rlim_max < most)
		most = r.rlim_max;
	if (r.rlim_cur != RLIM_INFINITY && r.rlim_cur >= most)
		return;
	r.rlim_cur = most;
	setrlimit(RLIMIT_NOFILE, &r);
}

struct loop *
loop_new(void)
{
	struct loop *l = mem_zero(1, sizeof(*l));

	l->limit = select_limit();
	raise_limit(l);
	signals_begin(&l->signals);
	l->now = clock_now();
	return l;
}

void
loop_restore(const struct loop *l)
{
	signals_end(&l->signals);
	setrlimit(RLIMIT_NOFILE, &l->files);
}

void
loop_free(struct loop *l)
{
	if (!l)
		return;
	signals_end(&l->signals);
	for (int i = 0; i < l->room; i++)
		if (l->watch[i])
			l->watch[i]->fd = -1;
	hotset_free(&l->set);
	timers_free(&l->timers);
	free(l->watch);
	free(l->scratch);
	free(l);
}

int
loop_watch(struct loop *l, struct watch *w, int fd, unsigned want,
	void (*fn)(void *arg, unsigned ready), void *arg)
{
	int room = l->room ? l->room : 64;

	if (fd < 0 || fd >= l->limit) {
		errno = fd < 0 ? EBADF : EMFILE;
		return -1;
	}
	if (fd >= l->room) {
		while (fd >= room)
			room *= 2;
		l->watch = mem_grow(l->watch, (size_t)room, sizeof(*l->watch));
		for (int i = l->room; i < room; i++)
			l->watch[i] = NULL;
		l->room = room;
	}
	if (w->fd != fd)
		loop_unwatch(l, w);
	*w = (struct watch){ .fd = fd, .want = want, .fn = fn, .arg = arg };
	l->watch[fd] = w;
	hotset_forget(&l->set, fd);
	hotset_want(&l->set, fd, 0, want);
	return 0;
}

void
loop_want(struct loop *l, struct watch *w, unsigned want)
{
	if (w->fd == -1 || w->want == want)
		return;
	hotset_want(&l->set, w->fd, w->want, want);
	w->want = want;
}

void
loop_unwatch(struct loop *l, struct watch *w)
{
	int fd = w->fd;

	w->fd = -1;
	if (fd < 0 || fd >= l->room || l->watch[fd] != w)
		return;
	l->watch[fd] = NULL;
	hotset_forget(&l->set, fd);
}

void
loop_again(struct loop *l, struct watch *w, unsigned ready)
{
	if (w->fd != -1)
		hotset_again(&l->set, w->fd, ready);
}

int64_t
loop_now(const struct loop *l)
{
	return l->turns ? l->now : clock_now();
}

void
loop_timer(struct loop *l, struct timer *t, int64_t delay,
	void (*fn)(void *arg), void *arg)
{
	int64_t now = loop_now(l);

	if (delay < 0 || delay >= CLOCK_INF - now) {
		loop_cancel(l, t);
		return;
	}
	t->fn = fn;
	t->arg = arg;
	/* Always after now: what a callback sets waits for the next turn. */
	timers_set(&l->timers, t, now + (delay ? delay : 1));
}

void
loop_cancel(struct loop *l, struct timer *t)
{
	timers_cancel(&l->timers, t);
}

void
loop_signal(
	struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg)
{
	signals_on(&l->signals, signo, fn, arg);
}

void
loop_last_warning(struct loop *l)
{
	signals_last_warning(&l->signals);
}

void
loop_signals_open(struct loop *l)
{
	signals_open(&l->signals);
}

void
loop_signals_shut(struct loop *l)
{
	signals_shut(&l->signals);
}

void
loop_poll(struct loop *l, int64_t ns)
{
	l->poll = ns;
}

#ifdef __SANITIZE_ADDRESS__
#include <stdio.h>
/* A test build says who forgot loop_unwatch. */
static void
drop_stale(struct loop *l, int fd)
{
	(void)l;
	fprintf(stderr, "loop: descriptor %d was closed while watched\n", fd);
	abort();
}
#else
static void
drop_stale(struct loop *l, int fd)
{
	loop_unwatch(l, l->watch[fd]);
}
#endif

/* pselect said EBADF: without this it would say so for ever. */
static void
drop_closed(struct loop *l)
{
	for (int fd = 0; fd < l->room; fd++)
		if (l->watch[fd] && fcntl(fd, F_GETFD) == -1)
			drop_stale(l, fd);
}

/* Until when the loop may sleep; now is made fresh where that matters. */
static int64_t
sleep_end(struct loop *l, int64_t timeout)
{
	int64_t next = timers_next(&l->timers);

	if (signals_caught() || hotset_has_again(&l->set))
		return 0;
	if (next == CLOCK_INF && timeout == CLOCK_INF)
		return CLOCK_INF;
	l->now = clock_now();
	if (timeout >= next - l->now)
		return next;
	return l->now + timeout;
}

static int
wait_once(struct loop *l, int64_t end)
{
	int64_t timeout = end == CLOCK_INF ? end : end - l->now;
	int n;

	if (timeout < 0 || (l->poll && l->now - l->traffic < l->poll))
		timeout = 0;
	n = hotset_wait(&l->set, timeout, &l->signals.open, &l->now);
	if (n == -1 && errno == EBADF)
		drop_closed(l);
	if (n > 0)
		l->traffic = l->now;
	if (n <= 0) {
		l->let_in = l->now;
	} else if (l->now - l->let_in >= SIGNAL_PERIOD) {
		l->let_in = l->now;
		loop_signals_open(l);
		loop_signals_shut(l);
	}
	return n;
}

void
loop_turn(struct loop *l, int64_t timeout)
{
	int64_t end = sleep_end(l, timeout);
	unsigned ready;
	int fd, n;

	do
		n = wait_once(l, end);
	while (n == 0 && l->now < end);
	l->turns++;
	signals_run(&l->signals);
	while ((fd = hotset_next(&l->set, &ready)) != -1)
		if (l->watch[fd])
			l->watch[fd]->fn(l->watch[fd]->arg, ready);
	timers_run(&l->timers, l->now);
	l->turns--;
}

int
loop_run(struct loop *l)
{
	while (!l->stopped)
		loop_turn(l, CLOCK_INF);
	l->stopped = false;
	return l->result;
}

void
loop_stop(struct loop *l, int result)
{
	l->stopped = true;
	l->result = result;
}

struct child **
loop_children(struct loop *l)
{
	return &l->children;
}

uint8_t *
loop_scratch(struct loop *l)
{
	if (!l->scratch)
		l->scratch = mem_alloc(LOOP_SCRATCH);
	return l->scratch;
}
