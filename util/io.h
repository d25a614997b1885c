/* io: one descriptor as a source or a sink, whatever it is: a socket, a pipe, a
 * terminal, a file. The only read and write of the stream path.
 *
 * Sockets are used with MSG_DONTWAIT and MSG_NOSIGNAL. Standard streams are
 * never set non-blocking, since they are shared with the shell: a pipe or a
 * terminal to write to is opened anew (/proc/self/fd), and where that cannot
 * be done at most PIPE_BUF bytes are written after select said writable. */
#ifndef SOCKCTL_IO_H
#define SOCKCTL_IO_H

#include "loop.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum io_kind {
	IO_NONE, /* no descriptor */
	IO_SOCKET,
	IO_DATAGRAM, /* a datagram socket: a read, a write is one datagram */
	IO_PIPE,
	IO_FILE, /* regular; always ready */
	IO_TERMINAL,
	IO_DEVICE, /* /dev/null and the like: taken as always ready */
};

struct io {
	int fd; /* to read from or write to */
	enum io_kind kind;
	bool blocking; /* to be touched only after select said ready */
	bool own; /* fd was opened by io_open_* and is closed by io_close */
};

/* Looks at fd. A source keeps its descriptor; a sink that would block gets a
 * private description where it can be had. fd -1 gives IO_NONE. */
void io_open_source(struct io *io, int fd);
void io_open_sink(struct io *io, int fd);
void io_close(struct io *io); /* only a private description */

/* Like read(2) and write(2), EINTR handled; -1 with errno EAGAIN when nothing
 * can be moved now. A blocking sink is given at most PIPE_BUF bytes. loop (may
 * be NULL) lets signals in while a write to a file may block. */
ssize_t io_read(const struct io *io, void *data, size_t n);
ssize_t io_write(
	const struct io *io, const void *data, size_t n, struct loop *loop);

/* Whether io is a socket that was read up to its urgent mark (tcp(7),
 * SIOCATMARK), past which splice(2) does not go. errno stays. Only where there
 * is splice. */
bool io_at_mark(const struct io *io);

/* All of a piece to a file or what blocks like one; -1 with errno. */
int io_write_all(int fd, const void *data, size_t n);
/* Reads what is there and drops it, for at most 200 ms: a close(2) with bytes
 * unread is a reset to the peer. */
void io_drain(const struct io *io, struct loop *loop);

/* A write to standard output gave EPIPE: dies of SIGPIPE, as cat does, unless
 * the signal was ignored at start; then returns. */
void io_sigpipe_die(void);

#endif
