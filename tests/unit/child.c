#include "../../util/child.h"
#include "../../util/clock.h"
#include "../../util/net.h"
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
	struct loop *loop;
	struct child child;
	int code, calls;
	char out[256]; /* what the command wrote */
	int fd; /* our end of its standard input and output */
};

static void
ended(void *arg, int status)
{
	struct run *r = arg;

	r->calls++;
	r->code = child_code(status);
	CHECK_INT(r->child.pid, 0);
	loop_stop(r->loop, 0);
}

static void
start(struct run *r, struct loop *l, const char *command, char *const env[])
{
	struct err err = { 0 };
	int pair[2];

	*r = (struct run){ .loop = l };
	CHECK(net_socketpair(pair) == 0);
	r->fd = pair[0];
	CHECK_INT(child_command(l, &r->child, command, pair[1], pair[1], env,
			  ended, r, &err),
		0);
	close(pair[1]);
}

/* Waits for a line of it: it is there, and set up. */
static void
await_line(struct run *r)
{
	size_t n = 0;

	net_nonblock(r->fd, false);
	while (n < sizeof(r->out) - 1 && read(r->fd, r->out + n, 1) == 1 &&
		r->out[n] != '\n')
		n++;
	r->out[n] = '\0';
}

static int
finish(struct run *r)
{
	while (!r->calls)
		loop_run(r->loop);
	CHECK_INT(r->calls, 1);
	close(r->fd);
	return r->code;
}

static void
test_codes(struct loop *l)
{
	struct run r;
	char *env[] = { (char[]){ "PROTO=TCP" }, NULL };

	start(&r, l, "exit 3", NULL);
	CHECK_INT(finish(&r), 3);
	start(&r, l, "kill -9 $$", NULL);
	CHECK_INT(finish(&r), 128 + SIGKILL);
	start(&r, l, "read a; echo \"$a $PROTO\"", env);
	CHECK(write(r.fd, "hello\n", 6) == 6);
	await_line(&r);
	CHECK_STR(r.out, "hello TCP");
	CHECK_INT(finish(&r), 0);
	CHECK(getenv("PROTO") == NULL);
}

/* Default signals, no descriptor but the three, blocking streams. */
static void
test_surroundings(struct loop *l)
{
	struct run r;
	int extra = open("/dev/null", O_RDONLY); /* not close-on-exec */

	signal(SIGPIPE, SIG_IGN);
	start(&r, l,
		"set -- $(grep -E '^Sig(Blk|Ign)' /proc/$$/status); "
		"echo $((0x$2)) $((0x$4 & 0x1000))", /* 0x1000: SIGPIPE */
		NULL);
	await_line(&r);
	if (r.out[0])
		CHECK_STR(r.out, "0 0");
	finish(&r);
	signal(SIGPIPE, SIG_DFL);
	start(&r, l,
		"for i in 3 4 5 6 7 8 9; do "
		"[ ! -e /dev/fd/$i ] || echo $i; done; echo end",
		NULL);
	await_line(&r);
	CHECK_STR(r.out, "end");
	finish(&r);
	start(&r, l, "ulimit -n", NULL); /* not the loop's raised one */
	await_line(&r);
	CHECK_STR(r.out, "200");
	finish(&r);
	/* would be EAGAIN, had it been left non-blocking */
	start(&r, l, "echo ready; cat", NULL);
	await_line(&r);
	CHECK(write(r.fd, "x\n", 2) == 2);
	await_line(&r);
	CHECK_STR(r.out, "x");
	shutdown(r.fd, SHUT_WR);
	CHECK_INT(finish(&r), 0);
	close(extra);
}

/* The end of a group: the whole group held our far end. */
static void
group_is_gone(struct run *r)
{
	char c;

	net_nonblock(r->fd, false);
	CHECK(read(r->fd, &c, 1) == 0);
}

static void
test_group(struct loop *l)
{
	struct run r;

	start(&r, l, "sleep 100 & sleep 100 & echo up; wait", NULL);
	await_line(&r);
	CHECK_STR(r.out, "up");
	child_signal(&r.child, SIGTERM);
	group_is_gone(&r);
	CHECK_INT(finish(&r), 128 + SIGTERM);
}

/* What a leader forks when it has heard the signal already ends too. */
static void
test_late(struct loop *l)
{
	struct run r;

	start(&r, l,
		"trap 'sleep 100 & exit 5' TERM; echo up; while :; do "
		"sleep 0.01; done",
		NULL);
	await_line(&r);
	child_end_all(l, 300 * CLOCK_MS);
	CHECK_INT(r.code, 5);
	group_is_gone(&r);
	finish(&r);
}

static void
test_end_all(struct loop *l)
{
	struct run polite, deaf, forgotten, stopped;

	start(&polite, l,
		"trap 'exit 5' TERM; echo up; while :; do "
		"sleep 100 & wait; done",
		NULL);
	start(&deaf, l, "trap '' TERM; echo up; while :; do sleep 100; done",
		NULL);
	start(&forgotten, l, "echo up; sleep 100", NULL);
	start(&stopped, l, "echo up; kill -STOP $$; sleep 100", NULL);
	await_line(&polite);
	await_line(&deaf);
	await_line(&forgotten);
	await_line(&stopped);
	child_forget(l, &forgotten.child);
	CHECK_INT(forgotten.child.pid, 0);
	child_end_all(l, 300 * CLOCK_MS);
	CHECK_INT(polite.code, 5);
	CHECK_INT(deaf.code, 128 + SIGKILL);
	CHECK_INT(stopped.code, 128 + SIGTERM);
	CHECK_INT(forgotten.calls, 0);
	group_is_gone(&polite);
	group_is_gone(&deaf);
	group_is_gone(&forgotten);
	group_is_gone(&stopped);
	CHECK(*loop_children(l) == NULL);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	finish(&polite);
	finish(&deaf);
	finish(&stopped);
	close(forgotten.fd);
}

static void
test_fork(struct loop *l)
{
	struct run r = { .loop = l };
	struct err err;
	int pair[2], extra = open("/dev/null", O_RDONLY);
	pid_t pid;

	CHECK(pipe(pair) == 0);
	pid = child_fork(l, &r.child, ended, &r, &err);
	if (pid == 0) {
		struct loop *own = loop_new();

		child_close_others(&pair[1], 1);
		loop_turn(own, 0);
		_exit(fcntl(extra, F_GETFD) == -1 && write(pair[1], "x", 1) == 1
				? 9
				: 1);
	}
	CHECK(pid > 0 && r.child.pid == pid);
	r.fd = extra;
	CHECK_INT(finish(&r), 9);
	close(pair[0]);
	close(pair[1]);
}

#ifdef _GNU_SOURCE
/* A child ends with its parent, also when that is killed. */
static void
test_orphan(void)
{
	struct child child;
	struct err err;
	int pair[2];
	char c[9];
	pid_t pid;

	CHECK(pipe(pair) == 0);
	pid = fork();
	if (pid == 0) {
		if (child_fork(loop_new(), &child, NULL, NULL, &err) == 0 &&
			write(pair[1], "x", 1) == 1)
			close(pair[0]);
		for (;;)
			pause();
	}
	close(pair[1]);
	CHECK(read(pair[0], c, 1) == 1);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(read(pair[0], c, sizeof(c)) == 0);
	close(pair[0]);
}
#else
static void
test_orphan(void)
{
}
#endif

int
main(void)
{
	struct rlimit files;
	struct loop *l;

	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = 200;
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	l = loop_new();
	test_codes(l);
	test_surroundings(l);
	test_group(l);
	test_late(l);
	test_end_all(l);
	test_fork(l);
	loop_free(l);
	test_orphan();
	return check_result();
}
