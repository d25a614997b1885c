/* loop: the one pselect(2) of the process.
 *
 * Watchers and timers are owned by the caller (usually members of a larger
 * struct); the loop only links them. Removing any watcher or timer in any
 * callback is legal, also one whose callback is due in the same turn: it is
 * then not called. Signals are blocked but inside pselect and between
 * loop_signals_open and _shut (around writes that may block); SIGPIPE always.
 * In a turn signals come first, then descriptors, then timers. */
#ifndef SOCKCTL_LOOP_H
#define SOCKCTL_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_URGENT = 4 };

struct loop;

struct watch {
	int fd; /* -1: not watched. Set it to -1 before the first use */
	unsigned want;
	void (*fn)(void *arg, unsigned ready);
	void *arg;
};
#define WATCH_NONE \
	{ \
		.fd = -1 \
	}

struct timer {
	size_t place; /* in the heap, from 1; 0: not set */
	int64_t at;
	void (*fn)(void *arg);
	void *arg;
};

/* One loop a process. Blocks SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD and
 * SIGWINCH, raises the descriptor limit to the hard one. */
struct loop *loop_new(void);
/* Signals are again as they were before loop_new. */
void loop_free(struct loop *l);
/* In a child after fork(2): signal mask and actions and the descriptor limit
 * are again as they were before loop_new. The loop itself is of no use there.
 */
void loop_restore(const struct loop *l);

/* Watches fd for want (may be 0). One watch a descriptor. -1 with errno EMFILE
 * where the descriptor is beyond what select can take here. */
int loop_watch(struct loop *l, struct watch *w, int fd, unsigned want,
	void (*fn)(void *arg, unsigned ready), void *arg);
/* Changes what an active watch waits for; cheap when nothing changes. What was
 * ready (also by loop_again) and is no longer wanted is forgotten. */
void loop_want(struct loop *l, struct watch *w, unsigned want);
/* Ends the watch; does not close fd. Call it before close(2). A watch that is
 * not active is left alone. */
void loop_unwatch(struct loop *l, struct watch *w);
/* Marks a watch as ready without asking the system (data that is already in a
 * buffer, fairness after 16 calls): fn is called in the next turn, whatever is
 * wanted now. */
void loop_again(struct loop *l, struct watch *w, unsigned ready);

/* Calls fn once, delay ns from now (0: in the next turn); sets anew when it
 * was set. CLOCK_INF or below 0: cancels. */
void loop_timer(struct loop *l, struct timer *t, int64_t delay,
	void (*fn)(void *arg), void *arg);
void loop_cancel(struct loop *l, struct timer *t);
static inline bool
timer_set(const struct timer *t)
{
	return t->place != 0;
}
/* The time of this turn (one clock reading a wakeup), CLOCK_MONOTONIC ns;
 * outside a turn the present. */
int64_t loop_now(const struct loop *l);

/* fn is called from the loop, not from the handler. A SIGINT or SIGHUP that
 * was ignored at start stays ignored. fn NULL restores the default action. */
void loop_signal(
	struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg);
/* A second SIGINT, SIGTERM or SIGHUP after this takes its default action at
 * once. */
void loop_last_warning(struct loop *l);
/* Around a call that may block (a write to standard output, fsync): lets
 * signals in. The first ends the call with EINTR: return to the loop then, that
 * calls fn. A second of the same kind before that takes its default action. */
void loop_signals_open(struct loop *l);
void loop_signals_shut(struct loop *l);

/* Polls for up to ns before it sleeps, as long as traffic keeps coming (the
 * last wakeup was less than ns ago): --poll. 0 is off. Sleeping and waking cost
 * 65 us a round trip, whatever the call; with 50 us of polling at both ends it
 * takes 6. Off by default, since it burns the processor that others want. */
void loop_poll(struct loop *l, int64_t ns);

/* Runs until loop_stop. Returns what loop_stop was given. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l, int result);
/* One turn, waiting at most timeout ns (CLOCK_INF: until something comes).
 * For tests and for waiting inside a start phase. */
void loop_turn(struct loop *l, int64_t timeout);

/* Where child.c keeps the children of this loop. */
struct child;
struct child **loop_children(struct loop *l);

/* One shared piece of memory for reading (LOOP_SCRATCH bytes), taken when
 * first asked for: valid until the callback returns. */
enum { LOOP_SCRATCH = 256 * 1024 };
uint8_t *loop_scratch(struct loop *l);

#endif
