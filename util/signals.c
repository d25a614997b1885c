#include "signals.h"
#include <stddef.h>

/* The only static state of the program: a signal handler has no argument, and
 * may do nothing safe but set this. */
static volatile sig_atomic_t caught[SIGNALS_MAX], any;

static const int blocked[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD,
	SIGWINCH };
static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void
signals_begin(struct signals *s)
{
	sigprocmask(SIG_SETMASK, NULL, &s->before);
	s->open = s->shut = s->before;
	for (size_t i = 0; i < COUNT(blocked); i++) {
		sigdelset(&s->open, blocked[i]);
		sigaddset(&s->shut, blocked[i]);
	}
	/* Never let in: see io_sigpipe_die. */
	sigaddset(&s->open, SIGPIPE);
	sigaddset(&s->shut, SIGPIPE);
	signals_shut(s);
	for (int i = 0; i < SIGNALS_MAX; i++)
		caught[i] = 0;
	any = 0;
}

void
signals_forget_pipe(void)
{
	sigset_t set, pending;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE))
		sigwait(&set, &signo);
}

void
signals_end(const struct signals *s)
{
	signals_forget_pipe();
	for (int i = 1; i < SIGNALS_MAX; i++)
		if (s->action[i].fn)
			signal(i, SIG_DFL);
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/* A second of a kind before the first was heard: the process is stuck in a
 * call, and whoever sends it means it. */
static void
on_signal(int signo)
{
	for (size_t i = 0; i < COUNT(ending); i++) {
		if (signo == ending[i] && caught[signo]) {
			signal(signo, SIG_DFL);
			raise(signo);
		}
	}
	caught[signo] = 1;
	any = 1;
}

static bool
ignored(int signo)
{
	struct sigaction sa;

	return sigaction(signo, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

void
signals_on(struct signals *s, int signo, void (*fn)(void *arg, int signo),
	void *arg)
{
	struct sigaction sa = { .sa_handler = fn ? on_signal : SIG_DFL };

	if (signo < 1 || signo >= SIGNALS_MAX)
		return;
	if ((signo == SIGINT || signo == SIGHUP) && ignored(signo))
		return;
	sigfillset(&sa.sa_mask);
	sigaddset(&s->shut, signo);
	sigdelset(&s->open, signo);
	signals_shut(s);
	s->action[signo].fn = fn;
	s->action[signo].arg = arg;
	caught[signo] = 0;
	sigaction(signo, &sa, NULL);
}

void
signals_last_warning(struct signals *s)
{
	for (size_t i = 0; i < COUNT(ending); i++) {
		signals_on(s, ending[i], NULL, NULL);
		sigdelset(&s->shut, ending[i]);
	}
	signals_shut(s);
}

void
signals_open(const struct signals *s)
{
	sigprocmask(SIG_SETMASK, &s->open, NULL);
}

void
signals_shut(const struct signals *s)
{
	sigprocmask(SIG_SETMASK, &s->shut, NULL);
}

bool
signals_caught(void)
{
	return any;
}

void
signals_run(struct signals *s)
{
	if (!any)
		return;
	any = 0;
	for (int i = 1; i < SIGNALS_MAX; i++) {
		if (!caught[i])
			continue;
		caught[i] = 0;
		if (s->action[i].fn)
			s->action[i].fn(s->action[i].arg, i);
	}
}
