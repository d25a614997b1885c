#include "io.h"
#include "clock.h"
#include "net.h"
#include "term.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { IO_DATAGRAM_MAX = 65507 }; /* bytes; RFC 768 over IPv4 */

static bool
is_datagram(int fd)
{
	int type = SOCK_STREAM;
	socklen_t len = sizeof(type);

	(void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	return type == SOCK_DGRAM;
}

static enum io_kind
kind_of(int fd)
{
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return IO_NONE;
	if (S_ISSOCK(st.st_mode))
		return is_datagram(fd) ? IO_DATAGRAM : IO_SOCKET;
	if (S_ISFIFO(st.st_mode))
		return IO_PIPE;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return IO_FILE;
	return term_is(fd) ? IO_TERMINAL : IO_DEVICE;
}

static bool
is_nonblocking(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

void
io_open_source(struct io *io, int fd)
{
	io->fd = fd;
	io->kind = kind_of(fd);
	io->own = false;
	io->blocking = (io->kind == IO_PIPE || io->kind == IO_TERMINAL ||
			       io->kind == IO_DEVICE) &&
		!is_nonblocking(fd);
}

void
io_open_sink(struct io *io, int fd)
{
	int private_fd;

	io->fd = fd;
	io->kind = kind_of(fd);
	io->own = false;
	io->blocking = false;
	if ((io->kind != IO_PIPE && io->kind != IO_TERMINAL) ||
		is_nonblocking(fd))
		return;
	private_fd = net_reopen(fd, O_WRONLY);
	io->blocking = private_fd == -1;
	if (private_fd == -1)
		return;
	io->fd = private_fd;
	io->own = true;
}

void
io_close(struct io *io)
{
	if (io->own)
		close(io->fd);
	*io = (struct io){ .fd = -1, .kind = IO_NONE };
}

static bool
is_socket(const struct io *io)
{
	return io->kind == IO_SOCKET || io->kind == IO_DATAGRAM;
}

ssize_t
io_read(const struct io *io, void *data, size_t n)
{
	ssize_t got;

	do
		got = is_socket(io) ? recv(io->fd, data, n, MSG_DONTWAIT)
				    : read(io->fd, data, n);
	while ((got == -1 && errno == EINTR) ||
		(got == 0 && io->kind == IO_DATAGRAM));
	return got;
}

static ssize_t
write_blocking(int fd, const void *data, size_t n, struct loop *loop)
{
	ssize_t put;

	if (loop)
		loop_signals_open(loop);
	do
		put = write(fd, data, n);
	while (put == -1 && errno == EINTR);
	if (loop)
		loop_signals_shut(loop);
	return put;
}

ssize_t
io_write(const struct io *io, const void *data, size_t n, struct loop *loop)
{
	ssize_t put;

	if (io->kind == IO_DATAGRAM && n > IO_DATAGRAM_MAX)
		n = IO_DATAGRAM_MAX;
	if (is_socket(io)) {
		do
			put = send(
				io->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		while (put == -1 && errno == EINTR);
		return put;
	}
	if (io->blocking && n > PIPE_BUF)
		n = PIPE_BUF;
	if (io->blocking || io->kind == IO_FILE)
		return write_blocking(io->fd, data, n, loop);
	do
		put = write(io->fd, data, n);
	while (put == -1 && errno == EINTR);
	return put;
}

#ifdef SIOCATMARK
bool
io_at_mark(const struct io *io)
{
	int number = errno, mark = 0;

	if (io->kind == IO_SOCKET && ioctl(io->fd, SIOCATMARK, &mark) == -1)
		errno = number;
	return mark;
}
#endif

int
io_write_all(int fd, const void *data, size_t n)
{
	const char *at = data;

	while (n > 0) {
		ssize_t put = write(fd, at, n);

		if (put == -1 && errno != EINTR)
			return -1;
		at += put == -1 ? 0 : put;
		n -= put == -1 ? 0 : (size_t)put;
	}
	return 0;
}

void
io_drain(const struct io *io, struct loop *loop)
{
	int64_t until = clock_now() + 200 * CLOCK_MS;

	while (io_read(io, loop_scratch(loop), LOOP_SCRATCH) > 0)
		if (clock_now() > until)
			break;
}

void
io_sigpipe_die(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}
