/* signals: the loop's signals. A handler only sets a flag; what is to be done
 * is called from the loop. Part of loop; nobody else needs it. */
#ifndef SOCKCTL_SIGNALS_H
#define SOCKCTL_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

enum { SIGNALS_MAX = 65 };

struct signals {
	struct {
		void (*fn)(void *arg, int signo);
		void *arg;
	} action[SIGNALS_MAX];
	sigset_t before; /* the mask before signals_begin */
	sigset_t open; /* while the loop waits */
	sigset_t shut; /* while it works */
};

void signals_begin(struct signals *s);
/* Mask and actions are again as before. */
void signals_end(const struct signals *s);
/* loop_signal, loop_last_warning. */
void signals_on(struct signals *s, int signo, void (*fn)(void *arg, int signo),
	void *arg);
void signals_last_warning(struct signals *s);
void signals_open(const struct signals *s);
void signals_shut(const struct signals *s);
/* Whether signals_run has something to do. */
bool signals_caught(void);
void signals_run(struct signals *s);

/* Takes away a SIGPIPE that a write to a pipe, or splice to a socket, has left
 * pending: no reason to die of once the mask goes. */
void signals_forget_pipe(void);

#endif
