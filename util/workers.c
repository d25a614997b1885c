#include "workers.h"

#include "mem.h"
#include "net.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A message: type with a bit for a descriptor, length, bytes. */
enum { HEAD = 8 };
/* Until a worker tries again for which the system has no memory. */
enum { NO_MEMORY_MS = 10 };
#define WITH_FD UINT32_C(0x80000000)

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int
workers_count(int64_t asked, int64_t most)
{
	int64_t n = asked > 0 ? asked : sysconf(_SC_NPROCESSORS_ONLN);

	if (n > most)
		n = most;
	if (n > WORKERS_MAX)
		n = WORKERS_MAX;
	return n > 1 ? (int)n : 1;
}

void
worker_close(struct worker *w)
{
	int fd = w->watch.fd;

	if (fd == -1)
		return;
	loop_unwatch(w->loop, &w->watch);
	close(fd);
	while (w->fd_count > 0)
		close(w->fds[--w->fd_count]);
	buf_free(&w->in);
}

void
worker_dismiss(struct worker *w)
{
	if (w->watch.fd != -1)
		(void)shutdown(w->watch.fd, SHUT_WR);
}

/* Takes one whole message off what came; false: there is none. */
static bool
take_message(struct worker *w)
{
	const uint8_t *p = buf_data(&w->in);
	uint32_t type, n;
	uint8_t *data;
	int fd = -1;

	if (w->in.len < HEAD)
		return false;
	type = get_u32(p);
	n = get_u32(p + 4);
	if (w->in.len < HEAD + n)
		return false;
	if (type & WITH_FD && w->fd_count > 0) {
		fd = w->fds[0];
		memmove(w->fds, w->fds + 1,
			(size_t)--w->fd_count * sizeof(w->fds[0]));
	}
	/* The callee may close the talk, and this buf with it. */
	data = mem_alloc(n + 1);
	memcpy(data, p + HEAD, n);
	buf_consume(&w->in, HEAD + n);
	w->calls->message(w->arg, w, type & ~WITH_FD, data, n, fd);
	free(data);
	return w->watch.fd != -1;
}

static void
keep_descriptor(struct worker *w, struct msghdr *msg)
{
	struct cmsghdr *h = CMSG_FIRSTHDR(msg);
	int fd;

	if (h == NULL || h->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	net_cloexec(fd);
	if (w->fd_count < (int)(sizeof(w->fds) / sizeof(w->fds[0])))
		w->fds[w->fd_count++] = fd;
	else
		close(fd);
}

static void
on_talk(void *arg, unsigned ready)
{
	struct worker *w = arg;
	enum { PIECE = 32 * 1024 };
	struct iovec iov = { buf_room(&w->in, PIECE), PIECE };
	union control c;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = c.bytes,
		.msg_controllen = sizeof(c) };
	ssize_t n = recvmsg(w->watch.fd, &msg, 0);

	(void)ready;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		buf_added(&w->in, (size_t)n);
		keep_descriptor(w, &msg);
		while (take_message(w))
			continue;
		return;
	}
	worker_close(w);
	if (w->child.pid == 0) /* else it is reaped soon */
		w->calls->gone(w->arg, w, w->child.status);
}

/* What it said last may be on its way: then on_talk sees the end of it. */
static void
on_ended(void *arg, int status)
{
	struct worker *w = arg;

	if (w->watch.fd == -1)
		w->calls->gone(w->arg, w, status);
}

void
worker_join(struct worker *w, struct loop *loop,
	const struct worker_calls *calls, void *arg)
{
	int fd = w->watch.fd;

	w->loop = loop;
	w->calls = calls;
	w->arg = arg;
	w->watch.fd = -1;
	loop_watch(loop, &w->watch, fd, LOOP_READ, on_talk, w);
}

static pid_t
start_one(struct worker *w, struct loop *loop, struct err *err)
{
	int pair[2];
	pid_t pid;

	if (net_socketpair(pair) == -1)
		return err_set(err, "socket", errno, "workers");
	pid = child_fork(loop, &w->child, on_ended, w, err);
	w->watch.fd = pair[pid == 0];
	close(pair[pid != 0]);
	if (pid == -1) {
		close(w->watch.fd);
		w->watch.fd = -1;
	}
	return pid;
}

int
workers_start(struct worker *w, int count, struct loop *loop,
	const struct worker_calls *calls, void *arg, struct err *err)
{
	/* All of them: worker_close may meet those that were never started. */
	for (int i = 0; i < count; i++)
		w[i] = (struct worker){ .index = i, .watch = WATCH_NONE };
	for (int i = 0; i < count; i++) {
		pid_t pid = start_one(&w[i], loop, err);

		if (pid == -1)
			return -1;
		if (pid == 0) {
			/* The boss alone talks with the others. */
			for (int k = 0; k < i; k++)
				close(w[k].watch.fd);
			return i + 1;
		}
		worker_join(&w[i], loop, calls, arg);
	}
	return 0;
}

/* Room in the socket, or memory: a worker waits for it, the boss never does.
 * Its messages are short, and taken whole or not at all. */
static bool
wait_room(const struct worker *w, int number)
{
	struct pollfd p = { w->watch.fd, POLLOUT, 0 };

	if (w->child.pid != 0)
		return false;
	if (number == ENOBUFS || number == ENOMEM)
		return poll(NULL, 0, NO_MEMORY_MS) == 0 || errno == EINTR;
	return number == EAGAIN && (poll(&p, 1, -1) == 1 || errno == EINTR);
}

static void
skip(struct iovec *iov, size_t n)
{
	for (int i = 0; i < 2; i++) {
		size_t part = n < iov[i].iov_len ? n : iov[i].iov_len;

		iov[i].iov_base = (uint8_t *)iov[i].iov_base + part;
		iov[i].iov_len -= part;
		n -= part;
	}
}

int
worker_send(struct worker *w, unsigned type, const void *data, size_t n, int fd)
{
	uint8_t head[HEAD];
	struct iovec iov[2] = { { head, HEAD },
		{ (void *)(uintptr_t)data, n } };
	union control c = { { 0 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *h;
	ssize_t sent;

	if (w->watch.fd == -1)
		return -1;
	put_u32(head, fd == -1 ? type : type | WITH_FD);
	put_u32(head + 4, (uint32_t)n);
	if (fd != -1) {
		msg.msg_control = c.bytes;
		msg.msg_controllen = sizeof(c);
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	while (iov[1].iov_len > 0 || iov[0].iov_len > 0) {
		sent = sendmsg(w->watch.fd, &msg, MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1 && !wait_room(w, errno))
			return -1;
		if (sent > 0) {
			msg.msg_controllen = 0;
			skip(iov, (size_t)sent);
		}
	}
	return 0;
}
