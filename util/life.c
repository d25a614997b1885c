#include "life.h"
#include "child.h"
#include "num.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

int
life_code(const struct life *l, int code)
{
	if (!l->signo)
		return code;
	return l->set.server ? EXIT_OK : 128 + l->signo;
}

struct sockopts
life_sockopts(const struct life *l, const struct sockopts *given)
{
	struct sockopts own = *given;

	own.seen = report_sockopt;
	own.arg = l->report;
	return own;
}

static void
on_signal(void *arg, int signo)
{
	struct life *l = arg;

	if (l->signo)
		return;
	l->signo = signo;
	loop_last_warning(l->loop);
	if (l->set.stop)
		l->set.stop(l->set.arg, NULL);
	else
		loop_stop(l->loop, life_code(l, EXIT_OK));
}

static void
on_progress(void *arg, int signo)
{
	struct life *l = arg;
	struct field fields[LIFE_MEMBERS];

	(void)signo;
	report_progress(l->report, fields,
		l->set.members ? l->set.members(l->set.arg, fields) : 0);
}

static void
on_deadline(void *arg)
{
	struct life *l = arg;
	struct err err = { 0 };
	char time[NUM_MAX];

	err_setf(&err, "wait", ETIMEDOUT, NULL, "the deadline of %s has passed",
		num_show_time(l->set.deadline, time));
	report_error(l->report, NULL, &err);
	if (l->set.stop)
		l->set.stop(l->set.arg, &err);
	else
		loop_stop(l->loop, EXIT_TIMEOUT);
}

int
life_begin(struct life *l, const struct life_setup *s, struct err *err)
{
	memset(l, 0, sizeof(*l));
	l->set = *s;
	l->report = report_open(s->report, s->mode, s->manner, err);
	if (!l->report)
		return -1;
	l->loop = loop_new();
	if (s->sight)
		l->sight = sight_open(s->sight, l->loop, l->report, err);
	if (s->sight && !l->sight) {
		report_close(l->report);
		loop_free(l->loop);
		return -1;
	}
	loop_signal(l->loop, SIGINT, on_signal, l);
	loop_signal(l->loop, SIGTERM, on_signal, l);
	loop_signal(l->loop, SIGHUP, on_signal, l);
	loop_signal(l->loop, SIGUSR1, on_progress, l);
	loop_timer(l->loop, &l->deadline, s->deadline, on_deadline, l);
	return 0;
}

static void
die_of(int signo)
{
	sigset_t set;

	signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signo);
}

int
life_end(struct life *l, int code)
{
	struct field fields[LIFE_MEMBERS];
	struct err err = { 0 };
	int signo = l->set.server ? 0 : l->signo;

	child_end_all(l->loop, CLOCK_S);
	if (l->sight && sight_close(l->sight, &err) == -1) {
		report_error(l->report, NULL, &err);
		code = code ? code : (int)err_exit(&err);
	}
	code = report_summary(l->report, code, fields,
		l->set.members ? l->set.members(l->set.arg, fields) : 0);
	if (code == EXIT_OK && report_failed(l->report))
		code = EXIT_LOCAL;
	if (l->set.release)
		l->set.release(l->set.arg);
	report_close(l->report);
	loop_cancel(l->loop, &l->deadline);
	loop_free(l->loop);
	if (signo)
		die_of(signo);
	return code;
}

int
life_run(struct life *l)
{
	return life_end(l, loop_run(l->loop));
}

int
life_fail(struct life *l, const struct err *err)
{
	report_error(l->report, NULL, err);
	return life_end(l, err->op ? (int)err_exit(err) : EXIT_USAGE);
}
