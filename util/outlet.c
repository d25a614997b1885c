#include "outlet.h"

#include <errno.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe that select calls writable takes so much without blocking. */
enum { PIECE = 4096 };

/* Waits until a standard stream takes something, open to the signals that end
 * the program. The descriptor is 0, 1 or 2, so a plain fd_set holds it. */
static int
wait_room(struct outlet *o)
{
	const struct timespec none = { 0, 0 };
	sigset_t mask;
	fd_set set;
	int n;

	FD_ZERO(&set);
	FD_SET(o->fd, &set);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigdelset(&mask, SIGINT);
	sigdelset(&mask, SIGTERM);
	sigdelset(&mask, SIGHUP);
	n = pselect(
		o->fd + 1, NULL, &set, NULL, o->stuck ? &none : NULL, &mask);
	if (n == 1)
		return 0;
	o->stuck = true;
	errno = EAGAIN;
	return -1;
}

/* A file or /dev/null takes everything at once and never raises SIGPIPE; a log
 * is written with signals shut, as one piece. */
static bool
look(struct outlet *o)
{
	struct stat st;

	if (o->kind == OUTLET_UNKNOWN)
		o->kind = fstat(o->fd, &st) == 0 &&
				(S_ISREG(st.st_mode) ||
					(S_ISCHR(st.st_mode) && !isatty(o->fd)))
			? OUTLET_PLAIN
			: OUTLET_WAITS;
	return o->kind == OUTLET_PLAIN;
}

static int
write_all(struct outlet *o, const char *p, size_t n)
{
	bool standard = o->fd <= STDERR_FILENO && o->kind == OUTLET_WAITS;
	ssize_t done;

	while (n > 0) {
		if (standard && wait_room(o) == -1)
			return -1;
		done = write(o->fd, p, standard && n > PIECE ? PIECE : n);
		if (done == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (done == -1)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* What a closed pipe left: the signal may be blocked and wait. On standard
 * output it is let in, and ends the program unless it was ignored at start. */
static void
settle_sigpipe(int fd)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;
	sigset_t set, mask;

	if (fd == STDOUT_FILENO) {
		sigemptyset(&set);
		sigaddset(&set, SIGPIPE);
		sigprocmask(SIG_UNBLOCK, &set, &mask);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		return;
	}
	sigaction(SIGPIPE, &ignore, &before);
	sigaction(SIGPIPE, &before, NULL);
}

int
outlet_write(struct outlet *o, const void *data, size_t n)
{
	sigset_t set, mask;
	int result, number;

	if (look(o))
		return write_all(o, data, n);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, &mask);
	result = write_all(o, data, n);
	number = errno;
	if (result == -1 && number == EPIPE)
		settle_sigpipe(o->fd);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = number;
	return result;
}
