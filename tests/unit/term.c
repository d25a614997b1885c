#ifndef _GNU_SOURCE
#define _XOPEN_SOURCE 700 /* posix_openpt */
#endif
#include "../../util/term.h"
#include "check.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a session of its own whose terminal is name: the leader is in the
 * foreground, a child in another process group is not. Exits with 0 if so. */
static void
session(const char *name)
{
	int fd, status;
	pid_t pid;

	setsid();
	fd = open(name, O_RDWR);
	if (fd == -1 || ioctl(fd, TIOCSCTTY, 0) == -1 || !term_foreground(fd))
		_exit(1);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		_exit(term_foreground(fd) ? 2 : 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		_exit(3);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
}

static void
test_terminal(int master)
{
	struct winsize size = { .ws_row = 10, .ws_col = 123 };
	const char *name = ptsname(master);
	int fd = open(name, O_RDWR | O_NOCTTY), status;
	pid_t pid;

	CHECK(term_is(fd));
	CHECK_INT(term_width(fd), 80);
	CHECK_INT(ioctl(fd, TIOCSWINSZ, &size), 0);
	CHECK_INT(term_width(fd), 123);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	CHECK(term_colour(fd));
	setenv("NO_COLOR", "", 1);
	CHECK(term_colour(fd));
	setenv("NO_COLOR", "1", 1);
	CHECK(!term_colour(fd));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	CHECK(!term_colour(fd));
	/* Not this session's terminal: reading it stops nobody. */
	CHECK(term_foreground(fd));
	pid = fork();
	if (pid == 0)
		session(name);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 0);
	close(fd);
}

int
main(void)
{
	int null = open("/dev/null", O_RDWR);
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	setenv("TERM", "xterm", 1);
	CHECK(!term_is(null));
	CHECK(!term_is(-1));
	CHECK_INT(term_width(null), 80);
	CHECK(!term_colour(null));
	CHECK(term_foreground(null));
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		printf("no pseudo-terminals here: terminals not tested\n");
	else
		test_terminal(master);
	return check_result();
}
