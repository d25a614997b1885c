#include "../../util/loop.h"
#include "../../util/clock.h"
#include "../../util/mem.h"
#include "../../util/net.h"
#include "check.h"
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A socket pair; the watched end, and the one that makes it readable. */
struct pair {
	struct loop *loop;
	struct watch watch;
	int fd, far;
	unsigned calls, ready;
	struct pair *other; /* for callbacks that touch another one */
};

static void
count(void *arg, unsigned ready)
{
	struct pair *p = arg;

	p->calls++;
	p->ready = ready;
}

/* Reads one byte. */
static void
take(void *arg, unsigned ready)
{
	struct pair *p = arg;
	char c;

	count(arg, ready);
	CHECK(read(p->fd, &c, 1) == 1);
}

static bool
pair_open(struct pair *p, struct loop *l, void (*fn)(void *, unsigned))
{
	int fd[2];

	*p = (struct pair){ .loop = l, .watch = WATCH_NONE };
	if (net_socketpair(fd) == -1)
		return false;
	p->fd = fd[0];
	p->far = fd[1];
	return loop_watch(l, &p->watch, p->fd, LOOP_READ, fn, p) == 0;
}

static void
pair_poke(struct pair *p)
{
	CHECK(write(p->far, "x", 1) == 1);
}

static void
pair_close(struct pair *p)
{
	loop_unwatch(p->loop, &p->watch);
	close(p->fd);
	close(p->far);
}

static void
set_true(void *arg)
{
	*(bool *)arg = true;
}

static void
stop(void *arg)
{
	loop_stop(arg, 7);
}

/* Turns until *what holds or a second has passed. */
static bool
turn_until(struct loop *l, const bool *what)
{
	int64_t end = clock_now() + 5 * CLOCK_S;

	while (!*what && clock_now() < end)
		loop_turn(l, 100 * CLOCK_MS);
	return *what;
}

static void
test_ready(struct loop *l)
{
	struct pair p;

	CHECK(pair_open(&p, l, count));
	loop_turn(l, 0);
	CHECK_INT(p.calls, 0);
	pair_poke(&p);
	loop_turn(l, CLOCK_S);
	CHECK_INT(p.calls, 1);
	CHECK_INT(p.ready, LOOP_READ);
	loop_want(l, &p.watch, LOOP_READ | LOOP_WRITE);
	loop_turn(l, CLOCK_S);
	CHECK_INT(p.ready, LOOP_READ | LOOP_WRITE);
	loop_want(l, &p.watch, 0);
	loop_turn(l, 0);
	CHECK_INT(p.calls, 2);
	pair_close(&p);
	loop_unwatch(l, &p.watch); /* once more does nothing */
	CHECK_INT(p.watch.fd, -1);
}

/* Urgent data is select's exception. */
static void
test_urgent(struct loop *l)
{
	struct pair p = { .loop = l, .watch = WATCH_NONE };
	struct addr a;
	int listener, far;
	char c;

	CHECK(addr_numeric(&a, "127.0.0.1", AF_INET, 0) == 0);
	listener = net_socket(&a, false, NULL, false, NULL);
	CHECK(net_bind(listener, &a, NULL) == 0 && listen(listener, 1) == 0);
	addr_of_local(&a, listener);
	far = net_socket(&a, false, NULL, false, NULL);
	net_nonblock(far, false);
	CHECK(connect(far, (struct sockaddr *)&a.ss, a.len) == 0);
	p.fd = net_accept(listener, &a);
	CHECK(loop_watch(l, &p.watch, p.fd, LOOP_READ | LOOP_URGENT, count,
		      &p) == 0);
	loop_turn(l, 0);
	CHECK_INT(p.calls, 0);
	CHECK(send(far, "x", 1, MSG_OOB) == 1);
	loop_turn(l, CLOCK_S);
	CHECK_INT(p.ready & LOOP_URGENT, LOOP_URGENT);
	CHECK(recv(p.fd, &c, 1, MSG_OOB) == 1 && c == 'x');
	loop_want(l, &p.watch, LOOP_URGENT);
	p.calls = 0;
	loop_turn(l, 0);
	CHECK_INT(p.calls, 0);
	loop_unwatch(l, &p.watch);
	close(p.fd);
	close(far);
	close(listener);
}

static void
unwatch_other(void *arg, unsigned ready)
{
	struct pair *p = arg;

	count(arg, ready);
	loop_unwatch(p->loop, &p->other->watch);
}

/* Closes the other's descriptor and puts a fresh, silent one in its place. */
static void
replace_other(void *arg, unsigned ready)
{
	struct pair *p = arg, *o = p->other;
	int fd = o->fd;

	count(arg, ready);
	loop_unwatch(p->loop, &p->watch);
	pair_close(o);
	CHECK(pair_open(o, p->loop, count));
	CHECK_INT(o->fd, fd);
}

static void
unwant_other(void *arg, unsigned ready)
{
	struct pair *p = arg;

	count(arg, ready);
	loop_want(p->loop, &p->other->watch, 0);
}

static void
inner_turn(void *arg, unsigned ready)
{
	struct pair *p = arg;

	take(arg, ready);
	loop_turn(p->loop, 0);
}

/* Both are ready; the first that is called does something to the other. */
static void
two_ready(struct loop *l, void (*fn)(void *, unsigned), unsigned calls)
{
	struct pair a, b;

	CHECK(pair_open(&a, l, fn) && pair_open(&b, l, fn));
	a.other = &b;
	b.other = &a;
	pair_poke(&a);
	pair_poke(&b);
	loop_turn(l, CLOCK_S);
	CHECK_INT(a.calls + b.calls, calls);
	pair_close(&a);
	pair_close(&b);
}

static void
test_removal(struct loop *l)
{
	two_ready(l, unwatch_other, 1);
	two_ready(l, replace_other, 1);
	two_ready(l, unwant_other, 1);
	two_ready(l, inner_turn, 2);
}

static void
again(void *arg, unsigned ready)
{
	struct pair *p = arg;

	count(arg, ready);
	if (p->calls < 3)
		loop_again(p->loop, &p->watch, LOOP_READ);
}

static void
test_again(struct loop *l)
{
	struct pair p;

	CHECK(pair_open(&p, l, again));
	loop_again(l, &p.watch, LOOP_READ);
	loop_turn(l, CLOCK_INF); /* ready at once: does not sleep */
	CHECK_INT(p.calls, 1);
	loop_turn(l, CLOCK_INF);
	loop_turn(l, CLOCK_INF);
	CHECK_INT(p.calls, 3);
	loop_turn(l, 0);
	CHECK_INT(p.calls, 3);
	loop_again(l, &p.watch, LOOP_READ);
	loop_want(l, &p.watch, 0); /* no longer wanted */
	loop_turn(l, 0);
	CHECK_INT(p.calls, 3);
	loop_again(l, &p.watch, LOOP_WRITE);
	loop_unwatch(l, &p.watch);
	loop_turn(l, 0);
	CHECK_INT(p.calls, 3);
	pair_close(&p);
}

/* Pairs of descriptors: far beyond FD_SETSIZE where sets may grow. */
#ifdef _GNU_SOURCE
enum { MANY = 3000, LIMIT = 1 << 28 };
#else
enum { MANY = 400, LIMIT = FD_SETSIZE };
#endif

static void
test_many(struct loop *l)
{
	struct pair *p = mem_zero(MANY, sizeof(*p));
	struct rlimit r;
	bool timeout = false;
	struct timer t = { 0 };
	unsigned calls = 0;

	CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0);
	if (r.rlim_cur < 2 * MANY + 100) {
		printf("skipped: %llu descriptors only\n",
			(unsigned long long)r.rlim_cur);
		free(p);
		return;
	}
	for (int i = 0; i < MANY; i++)
		CHECK(pair_open(&p[i], l, take));
	for (int i = 0; i < MANY; i++)
		pair_poke(&p[i]);
	loop_timer(l, &t, 10 * CLOCK_S, set_true, &timeout);
	while (!timeout && calls < MANY) {
		loop_turn(l, CLOCK_INF);
		calls = 0;
		for (int i = 0; i < MANY; i++)
			calls += p[i].calls;
	}
	CHECK_INT(calls, MANY);
	for (int i = 0; i < MANY; i++)
		pair_close(&p[i]);
	loop_cancel(l, &t);
	free(p);
}

static void
test_limit(struct loop *l)
{
	struct watch w = WATCH_NONE;

	errno = 0;
	CHECK_INT(loop_watch(l, &w, LIMIT, LOOP_READ, count, NULL), -1);
	CHECK_INT(errno, EMFILE);
	CHECK_INT(w.fd, -1);
}

struct order {
	struct timer timer;
	int64_t due;
	struct orders *all;
};

struct orders {
	struct order item[500];
	int called;
	int64_t last;
	bool sorted;
};

static void
in_order(void *arg)
{
	struct order *o = arg;

	o->all->called++;
	if (o->due < o->all->last)
		o->all->sorted = false;
	o->all->last = o->due;
}

static void
test_order(struct loop *l)
{
	struct orders *all = mem_zero(1, sizeof(*all));
	bool over = false;
	struct timer end = { 0 };

	all->sorted = true;
	srand(5);
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < 500; i++) {
			struct order *o = &all->item[i];

			o->all = all;
			o->due = (rand() % 20000 + 1) * CLOCK_US;
			loop_timer(l, &o->timer, o->due, in_order, o);
		}
	}
	/* due is a delay from about one moment: tell what is far apart. */
	for (int i = 0; i < 500; i++) {
		all->item[i].due = all->item[i].timer.at;
		if (i % 5 == 0)
			loop_cancel(l, &all->item[i].timer);
	}
	loop_timer(l, &end, 30 * CLOCK_MS, set_true, &over);
	CHECK(turn_until(l, &over));
	CHECK_INT(all->called, 400);
	CHECK(all->sorted);
	CHECK(!timer_set(&all->item[1].timer));
	free(all);
}

struct again_timer {
	struct loop *loop;
	struct timer timer, other;
	int calls;
};

static void
set_anew(void *arg)
{
	struct again_timer *t = arg;

	t->calls++;
	loop_timer(t->loop, &t->timer, 0, set_anew, t);
	loop_cancel(t->loop, &t->other);
}

static void
test_timers(struct loop *l)
{
	struct again_timer t = { .loop = l };
	bool called = false;
	struct timer far = { 0 };

	loop_timer(l, &t.timer, 0, set_anew, &t);
	loop_timer(l, &t.other, 1, set_true, &called);
	CHECK_INT(t.calls, 0);
	loop_turn(l, CLOCK_S);
	CHECK_INT(t.calls, 1); /* one that sets itself: once a turn */
	loop_turn(l, CLOCK_S);
	CHECK_INT(t.calls, 2);
	loop_cancel(l, &t.timer);
	called = false;
	loop_timer(l, &far, 1, set_true, &called);
	loop_timer(l, &far, CLOCK_INF, set_true, &called);
	CHECK(!timer_set(&far));
	loop_timer(l, &far, 1, set_true, &called);
	loop_timer(l, &far, -1, set_true, &called);
	loop_turn(l, 0);
	CHECK(!called);
	loop_timer(l, &far, CLOCK_MS, stop, l);
	CHECK_INT(loop_run(l), 7);
}

static void
heard(void *arg, int signo)
{
	*(int *)arg = signo;
}

static void
test_signals(struct loop *l)
{
	struct pair p;
	int signo = 0;
	int64_t end = clock_now() + 5 * CLOCK_S;

	loop_signal(l, SIGUSR1, heard, &signo);
	raise(SIGUSR1);
	CHECK_INT(signo, 0);
	loop_turn(l, CLOCK_INF);
	CHECK_INT(signo, SIGUSR1);
	/* between open and shut: told in the next turn, which does not sleep */
	signo = 0;
	loop_signals_open(l);
	raise(SIGUSR1);
	loop_signals_shut(l);
	CHECK_INT(signo, 0);
	loop_turn(l, CLOCK_INF);
	CHECK_INT(signo, SIGUSR1);
	/* under load, with something ready in each turn */
	signo = 0;
	CHECK(pair_open(&p, l, count));
	pair_poke(&p);
	raise(SIGUSR1);
	while (!signo && clock_now() < end)
		loop_turn(l, CLOCK_INF);
	CHECK_INT(signo, SIGUSR1);
	pair_close(&p);
}

/* Runs fn in a child with a loop of its own; returns how it ended. */
static int
in_child(void (*fn)(struct loop *l))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		fn(loop_new());
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static void
warn(void *arg, int signo)
{
	(void)signo;
	loop_last_warning(arg);
	raise(SIGTERM);
	_exit(3);
}

static void
second_signal(struct loop *l)
{
	loop_signal(l, SIGINT, warn, l);
	loop_signal(l, SIGTERM, warn, l);
	raise(SIGINT);
	loop_turn(l, CLOCK_INF);
}

/* Stuck in a write, say: the first is not heard, the second ends it. */
static void
unheard_signal(struct loop *l)
{
	int signo;

	loop_signal(l, SIGINT, heard, &signo);
	loop_signals_open(l);
	raise(SIGINT);
	raise(SIGINT);
}

static void
unhandled_signal(struct loop *l)
{
	raise(SIGTERM); /* blocked until the loop waits */
	if (write(STDOUT_FILENO, "", 0) == -1)
		_exit(2);
	loop_turn(l, CLOCK_INF);
}

static void
ignored_signal(struct loop *l)
{
	int signo = 0;

	loop_free(l);
	signal(SIGHUP, SIG_IGN);
	l = loop_new();
	loop_signal(l, SIGHUP, heard, &signo);
	raise(SIGHUP);
	loop_turn(l, 0);
	loop_last_warning(l);
	raise(SIGHUP);
	_exit(signo);
}

static void
restored(struct loop *l)
{
	int signo;

	loop_signal(l, SIGTERM, heard, &signo);
	loop_restore(l);
	raise(SIGTERM);
}

static void
test_endings(void)
{
	CHECK_INT(WTERMSIG(in_child(second_signal)), SIGTERM);
	CHECK_INT(WTERMSIG(in_child(unheard_signal)), SIGINT);
	CHECK_INT(WTERMSIG(in_child(unhandled_signal)), SIGTERM);
	CHECK_INT(in_child(ignored_signal), 0);
	CHECK_INT(WTERMSIG(in_child(restored)), SIGTERM);
}

/* An idle loop sleeps, however many it watches. */
static void
test_idle(struct loop *l, int many)
{
	struct pair *p = mem_zero((size_t)many, sizeof(*p));
	struct timer t = { 0 };
	struct rusage before, after;
	clock_t used = clock();

	for (int i = 0; i < many; i++)
		CHECK(pair_open(&p[i], l, count));
	getrusage(RUSAGE_SELF, &before);
	loop_timer(l, &t, 300 * CLOCK_MS, stop, l);
	loop_run(l);
	getrusage(RUSAGE_SELF, &after);
	CHECK(clock() - used < CLOCKS_PER_SEC / 10);
	CHECK(after.ru_nvcsw - before.ru_nvcsw < 150);
	for (int i = 0; i < many; i++)
		pair_close(&p[i]);
	free(p);
}

#ifndef __SANITIZE_ADDRESS__ /* there it aborts */
static void
test_closed(struct loop *l)
{
	struct pair p;

	CHECK(pair_open(&p, l, count));
	close(p.fd);
	loop_turn(l, 0);
	CHECK_INT(p.watch.fd, -1);
	close(p.far);
}
#else
static void
test_closed(struct loop *l)
{
	(void)l;
}
#endif

static void
test_poll(struct loop *l)
{
	struct pair p;
	struct timer t = { 0 };
	bool over = false;

	CHECK(pair_open(&p, l, take));
	loop_poll(l, CLOCK_MS);
	for (int i = 0; i < 3; i++) {
		pair_poke(&p);
		loop_turn(l, CLOCK_INF);
	}
	CHECK_INT(p.calls, 3);
	loop_timer(l, &t, 2 * CLOCK_MS, set_true, &over);
	CHECK(turn_until(l, &over));
	loop_poll(l, 0);
	pair_close(&p);
}

int
main(void)
{
	struct loop *l;

	signal(SIGINT, SIG_DFL); /* a shell's background job has it ignored */
	l = loop_new();
	test_ready(l);
	test_urgent(l);
	test_removal(l);
	test_again(l);
	test_limit(l);
	test_order(l);
	test_timers(l);
	test_signals(l);
	test_idle(l, 1);
	test_idle(l, 200);
	test_closed(l);
	test_poll(l);
	test_many(l);
	test_ready(l);
	loop_free(l);
	test_endings();
	return check_result();
}
