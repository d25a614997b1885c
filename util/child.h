/* child: commands and workers: started, reaped, ended with the parent. */
#ifndef SOCKCTL_CHILD_H
#define SOCKCTL_CHILD_H

#include "err.h"
#include "loop.h"
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	int status; /* of waitpid, once ended */
	bool group; /* leads a process group of its own: a command */
	void (*ended)(void *arg, int status);
	void *arg;
	struct child *next;
};

/* Starts /bin/sh -c command with in and out (descriptors; out also where in is
 * the same socket) as its standard input and output, standard error stays. Both
 * are made blocking, for whoever shares them too. env is a NULL-terminated list
 * of NAME=VALUE added to the environment, or NULL. Signals have their default
 * action there (but what was ignored at start), no other descriptor is passed
 * on, the child leads a process group of its own. ended is called from the loop
 * once it was reaped. -1 with err (op exec). */
int child_command(struct loop *l, struct child *c, const char *command, int in,
	int out, char *const env[], void (*ended)(void *arg, int status),
	void *arg, struct err *err);
/* fork(2) for a worker or a served client that goes on in C: returns 0 in the
 * child (loop and watchers of the parent must not be used there: make a new
 * loop; signals are as before the parent's loop), the pid in the parent, -1.
 * The child stays in the process group, and gets SIGTERM when the parent dies
 * (prctl where there is one). */
pid_t child_fork(struct loop *l, struct child *c,
	void (*ended)(void *arg, int status), void *arg, struct err *err);
/* In such a child: closes all descriptors but 0, 1, 2 and the count in keep. A
 * descriptor that stays open here keeps the parent's close(2) from sending FIN.
 */
void child_close_others(const int *keep, int count);
/* Sends signo to the child; to a command's whole process group. */
void child_signal(struct child *c, int signo);
/* Forgets it: ended is not called; it is reaped all the same. c is the
 * caller's again. */
void child_forget(struct loop *l, struct child *c);
/* At the end of a mode: TERM to all and to the commands' groups, lets the loop
 * go on for up to ns until all have ended, then KILL. */
void child_end_all(struct loop *l, int64_t ns);
/* A shell's number for a status: its exit code, or 128 + signal. */
int child_code(int status);

#endif
