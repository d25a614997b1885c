/* workers: processes that share the work of one mode, and what they say to each
 * other: messages of a type and bytes, with a descriptor where one is handed
 * over, through a pair of sockets. One loop uses one core: four connections
 * carry 88 Gbit/s by one and 145 by two. With one connection or one core there
 * is nothing to share, and no worker is made.
 *
 *	i = workers_start(w, count, loop, calls, arg, &err);
 *	if (i > 0) {
 *		worker_join(&w[i - 1], loop_new(), other_calls, ...);
 *		... works, then _exit
 *	} */
#ifndef SOCKCTL_WORKERS_H
#define SOCKCTL_WORKERS_H

#include "buf.h"
#include "child.h"
#include "loop.h"

enum { WORKERS_MAX = 64 };

struct worker;

struct worker_calls {
	/* fd -1: none came with it; else it is the callee's. */
	void (*message)(void *arg, struct worker *w, unsigned type,
		const void *data, size_t n, int fd);
	/* The other side has ended; the talk is closed. For the boss status is
	 * waitpid's, for a worker 0. */
	void (*gone)(void *arg, struct worker *w, int status);
};

/* One end of a talk. */
struct worker {
	int index; /* the mode's */
	struct loop *loop;
	struct watch watch;
	struct buf in;
	int fds[4], fd_count; /* came, their messages not yet */
	struct child child;
	const struct worker_calls *calls;
	void *arg;
};

/* How many processes: asked, or where that is 0 one a core; most at most. */
int workers_count(int64_t asked, int64_t most);
/* Forks count processes. Returns 0 (boss), the index + 1 (a worker: w[index] is
 * its end to the boss, loop must not be used there), or -1 with err (those that
 * were started see the end of the talk when the boss ends). */
int workers_start(struct worker *w, int count, struct loop *loop,
	const struct worker_calls *calls, void *arg, struct err *err);
void worker_join(struct worker *w, struct loop *loop,
	const struct worker_calls *calls, void *arg);
/* A worker waits until the boss takes it. For the boss -1: not taken now,
 * nothing was sent. fd (-1: none) stays the caller's. */
int worker_send(
	struct worker *w, unsigned type, const void *data, size_t n, int fd);
/* Tells a worker no more, who meets gone; what it says is heard to its end. */
void worker_dismiss(struct worker *w);
/* Ends the talk; a worker that reads on then meets gone. */
void worker_close(struct worker *w);

#endif
