#include "child.h"
#include "clock.h"
#include "mem.h"
#include "net.h"
#include "num.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char shell[] = "/bin/sh";

static void
unlink_child(struct loop *l, struct child *c)
{
	struct child **p = loop_children(l);

	while (*p && *p != c)
		p = &(*p)->next;
	if (*p)
		*p = c->next;
	c->next = NULL;
}

/* True when it has ended; its status is then known. */
static bool
reaped(struct child *c)
{
	pid_t pid = waitpid(c->pid, &c->status, WNOHANG);

	if (pid == -1 && errno == ECHILD)
		c->status = 0; /* somebody else was told */
	return pid != 0 && !(pid == -1 && errno == EINTR);
}

/* From the head again after each one: ended may start and forget others. */
static void
reap(void *arg, int signo)
{
	struct loop *l = arg;
	struct child *c = *loop_children(l);

	(void)signo;
	while (c) {
		if (!reaped(c)) {
			c = c->next;
			continue;
		}
		unlink_child(l, c);
		c->pid = 0;
		if (c->ended)
			c->ended(c->arg, c->status);
		else
			free(c); /* a forgotten one is ours */
		c = *loop_children(l);
	}
}

static void
add_child(struct loop *l, struct child *c, const struct child *values)
{
	struct child **head = loop_children(l);

	*c = *values;
	c->next = *head;
	*head = c;
}

static void
nothing(void *arg, int status)
{
	(void)arg;
	(void)status;
}

#ifdef _GNU_SOURCE
#include <sys/prctl.h>
static void
follow_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(128 + SIGTERM); /* it was quicker */
}
#else
static void
follow_parent(pid_t parent)
{
	(void)parent;
}
#endif

/* Forks; what stdio holds is not to be written twice. */
static pid_t
fork_child(struct loop *l, struct err *err)
{
	pid_t pid;

	loop_signal(l, SIGCHLD, reap, l);
	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (pid == -1)
		err_set(err, "exec", errno, "fork");
	return pid;
}

pid_t
child_fork(struct loop *l, struct child *c,
	void (*ended)(void *arg, int status), void *arg, struct err *err)
{
	pid_t parent = getpid(), pid = fork_child(l, err);

	if (pid == 0) {
		loop_restore(l);
		follow_parent(parent);
		return 0;
	}
	if (pid > 0)
		add_child(l, c,
			&(struct child){ .pid = pid,
				.ended = ended ? ended : nothing,
				.arg = arg });
	return pid;
}

/* The descriptors that are open, from /dev/fd where it is, else all that may
 * be. */
static int
open_descriptors(int **list)
{
	DIR *d = opendir("/dev/fd");
	struct dirent *e;
	int count = 0, room = 0;
	int64_t fd;

	*list = NULL;
	while (!d && count < (int)sysconf(_SC_OPEN_MAX)) {
		*list = mem_grow(*list, (size_t)count + 1, sizeof(**list));
		(*list)[count] = count;
		count++;
	}
	while (d && (e = readdir(d))) {
		if (count == room) {
			room = room ? room * 2 : 64;
			*list = mem_grow(*list, (size_t)room, sizeof(**list));
		}
		if (num_int(e->d_name, 0, INT_MAX, &fd) == 0)
			(*list)[count++] = (int)fd;
	}
	if (d)
		closedir(d);
	return count;
}

void
child_close_others(const int *keep, int count)
{
	int *list, n = open_descriptors(&list);

	for (int i = 0; i < n; i++) {
		bool wanted = list[i] <= STDERR_FILENO;

		for (int k = 0; k < count; k++)
			wanted = wanted || keep[k] == list[i];
		if (!wanted)
			close(list[i]);
	}
	free(list);
}

/* NAME=VALUE */
static void
set_variable(char *text)
{
	char *equals = strchr(text, '=');

	*equals = '\0';
	setenv(text, equals + 1, 1);
	*equals = '=';
}

static _Noreturn void
run_shell(const char *command, int in, int out, char *const env[])
{
	/* Out of the way first: in may be 1, and out 0. */
	int from = fcntl(in, F_DUPFD, STDERR_FILENO + 1);
	int to = fcntl(out, F_DUPFD, STDERR_FILENO + 1);

	net_nonblock(from, false);
	net_nonblock(to, false);
	if (dup2(from, STDIN_FILENO) == -1 || dup2(to, STDOUT_FILENO) == -1)
		_exit(126);
	child_close_others(NULL, 0);
	for (; env && *env; env++)
		set_variable(*env);
	signal(SIGPIPE, SIG_DFL);
	execl(shell, "sh", "-c", command, (char *)NULL);
	_exit(127);
}

int
child_command(struct loop *l, struct child *c, const char *command, int in,
	int out, char *const env[], void (*ended)(void *arg, int status),
	void *arg, struct err *err)
{
	pid_t pid;

	if (access(shell, X_OK) == -1)
		return err_set(err, "exec", errno, shell);
	pid = fork_child(l, err);
	if (pid == -1)
		return -1;
	if (pid == 0) {
		setpgid(0, 0);
		loop_restore(l);
		run_shell(command, in, out, env);
	}
	setpgid(pid, pid); /* here too: child_signal may come first */
	add_child(l, c,
		&(struct child){ .pid = pid,
			.group = true,
			.ended = ended ? ended : nothing,
			.arg = arg });
	return 0;
}

void
child_signal(struct child *c, int signo)
{
	if (c->pid > 0)
		kill(c->group ? -c->pid : c->pid, signo);
}

void
child_forget(struct loop *l, struct child *c)
{
	struct child ours = *c;

	if (c->pid <= 0)
		return;
	unlink_child(l, c);
	c->pid = 0;
	ours.ended = NULL;
	add_child(l, mem_alloc(sizeof(ours)), &ours);
}

/* The groups of all commands, ended by 0. They outlive their leaders: what one
 * forked when it had heard the signal already. */
static pid_t *
list_groups(struct loop *l)
{
	pid_t *group = mem_zero(1, sizeof(*group));
	size_t n = 0;

	for (struct child *c = *loop_children(l); c; c = c->next) {
		if (!c->group)
			continue;
		group = mem_grow(group, n + 2, sizeof(*group));
		group[n++] = c->pid;
		group[n] = 0;
	}
	return group;
}

static void
signal_all(struct loop *l, int signo)
{
	for (struct child *c = *loop_children(l); c; c = c->next) {
		child_signal(c, signo);
		child_signal(c, SIGCONT); /* a stopped one would not hear it */
	}
}

static bool
any_left(const pid_t *group)
{
	for (; *group; group++)
		if (kill(-*group, 0) == 0)
			return true;
	return false;
}

/* Lets the loop go on until all children have ended, at most ns. */
static void
await_children(struct loop *l, int64_t ns)
{
	int64_t now = clock_now(), end = now + ns;

	reap(l, SIGCHLD);
	while (*loop_children(l) && now < end) {
		loop_turn(l, end - now);
		now = clock_now();
	}
}

/* The same for the rest of the groups, which nobody tells of. Not for long: who
 * has ended counts until init has reaped it. */
static void
await_groups(struct loop *l, const pid_t *group)
{
	for (int i = 0; i < 10 && any_left(group); i++)
		loop_turn(l, 10 * CLOCK_MS);
}

void
child_end_all(struct loop *l, int64_t ns)
{
	pid_t *group = list_groups(l);

	signal_all(l, SIGTERM);
	await_children(l, ns);
	if (!*loop_children(l))
		await_groups(l, group);
	signal_all(l, SIGKILL);
	for (pid_t *g = group; *g; g++)
		kill(-*g, SIGKILL);
	await_children(l, CLOCK_S);
	free(group);
}

int
child_code(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 0;
}
