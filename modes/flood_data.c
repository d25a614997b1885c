/* flood: bytes to and from a connection, of either side. With copies loopback
 * carries some 80 Gbit/s, with --skip-rx-copy (MSG_TRUNC) 135, with --zerocopy
 * as well (vmsplice; MSG_ZEROCOPY copies on loopback, and loses a third) 168.
 * Both stand aside where somebody wants to see the bytes: --verify, -x. */
#include "../util/io.h"
#include "../util/mem.h"
#include "../util/pattern.h"
#include "../util/signals.h"
#include "flood.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Fairness: calls a wakeup. Repeats: one chunk stands for several, so that a
 * call moves much and the memory stays in the cache. */
enum { CALLS = 16, REPEATS = 8, PAGE = 4096 };

/* Page-aligned, for vmsplice. */
static uint8_t *
pages(void **kept, size_t size)
{
	uint8_t *p = mem_alloc(size + PAGE);

	*kept = p;
	return p + (PAGE - (uintptr_t)p % PAGE) % PAGE;
}

void
flood_memory_take(struct flood_memory *m, size_t size)
{
	if (m->out != NULL)
		return;
	m->out = pages(&m->kept[0], size);
	m->in = pages(&m->kept[1], size);
	pattern_fill(m->out, size, 0);
}

void
flood_memory_free(struct flood_memory *m)
{
	free(m->kept[0]);
	free(m->kept[1]);
	*m = (struct flood_memory){ .out = NULL };
}

void
flood_data_begin(struct flood_data *d, struct flood_memory *m, uint64_t chunk)
{
	*d = (struct flood_data){ .memory = m,
		.call = FLOOD_PIECE,
		.chunk = FLOOD_CHUNK,
		.limit = UINT64_MAX,
		.pipe = { -1, -1 } };
	if (chunk == 0)
		return;
	d->call = chunk < FLOOD_CALL_MAX ? (size_t)chunk : FLOOD_CALL_MAX;
	d->chunk = chunk < FLOOD_PIECE ? (size_t)chunk : FLOOD_PIECE;
}

void
flood_data_end(struct flood_data *d)
{
	for (int i = 0; i < 2; i++)
		if (d->pipe[i] != -1)
			close(d->pipe[i]);
	d->pipe[0] = d->pipe[1] = -1;
}

/* One call that moves n bytes at most. */
static ssize_t
send_repeated(struct flood_data *d, int fd, size_t n)
{
	struct iovec iov[REPEATS];
	struct msghdr msg = { .msg_iov = iov };
	uint8_t *out = d->memory->out;
	size_t chunk = d->chunk, part;

	for (; n > 0 && msg.msg_iovlen < REPEATS; n -= part) {
		part = n < chunk ? n : chunk;
		iov[msg.msg_iovlen++] = (struct iovec){ out, part };
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

#if defined(SPLICE_F_MOVE) && defined(_GNU_SOURCE)
/* The pages of one buffer again and again: nothing is copied, and nobody
 * writes to them. */
static ssize_t
send_pages(struct flood_data *d, int fd, size_t n)
{
	struct iovec iov = { d->memory->out,
		n < FLOOD_PIECE ? n : FLOOD_PIECE };
	ssize_t moved;

	if (d->pipe[0] == -1) {
		if (net_pipe(d->pipe) == -1)
			return -1;
		fcntl(d->pipe[1], F_SETPIPE_SZ, FLOOD_PIECE);
	}
	if (d->piped == 0) {
		moved = vmsplice(d->pipe[1], &iov, 1, SPLICE_F_NONBLOCK);
		if (moved == -1)
			return -1;
		d->piped = (size_t)moved;
	}
	moved = splice(d->pipe[0], NULL, fd, NULL, d->piped, SPLICE_F_NONBLOCK);
	if (moved > 0)
		d->piped -= (size_t)moved;
	else if (moved == -1 && errno == EPIPE)
		signals_forget_pipe();
	return moved;
}
#else
static ssize_t
send_pages(struct flood_data *d, int fd, size_t n)
{
	return send_repeated(d, fd, n);
}
#endif

static ssize_t
send_once(struct flood_data *d, struct conn *c, size_t n, int64_t now)
{
	size_t chunk = d->chunk;
	bool seen = conn_seen(c);
	ssize_t moved;

	if (d->zerocopy && !seen && !d->verify) {
		moved = send_pages(d, c->fd, n);
	} else if (d->verify || seen) {
		n = n < chunk ? n : chunk;
		if (d->verify)
			pattern_fill(d->memory->out, n, d->sent);
		moved = send(c->fd, d->memory->out, n, MSG_NOSIGNAL);
	} else {
		moved = send_repeated(d, c->fd, n);
	}
	if (moved > 0) {
		conn_sent(c, d->memory->out, (size_t)moved, now);
		d->sent += (uint64_t)moved;
		rate_took(&d->rate, (size_t)moved);
	}
	return moved;
}

static size_t
wanted(const struct flood_data *d)
{
	uint64_t left = d->limit - d->sent;

	return left < d->call ? (size_t)left : d->call;
}

enum flood_move
flood_data_send(struct flood_data *d, struct conn *c)
{
	int64_t now = clock_now();

	flood_memory_take(d->memory, FLOOD_PIECE);
	for (int i = 0; i < CALLS; i++) {
		size_t n = d->piped > 0 ? d->piped : wanted(d);
		ssize_t moved;

		if (n == 0)
			return MOVE_END;
		n = d->piped > 0 ? n : rate_allow(&d->rate, n, now);
		if (n == 0)
			return MOVE_PACED;
		moved = send_once(d, c, n, now);
		if (moved == -1 && net_blocked())
			return MOVE_WAIT;
		if (moved == -1 && errno != EINTR)
			return MOVE_LOST;
	}
	return wanted(d) == 0 && d->piped == 0 ? MOVE_END : MOVE_SOME;
}

int64_t
flood_data_wait(const struct flood_data *d)
{
	return rate_wait(&d->rate, wanted(d), clock_now());
}

#ifdef _GNU_SOURCE
enum { DROP = MSG_TRUNC }; /* tcp(7): the bytes are thrown away */
#else
enum { DROP = 0 };
#endif

enum flood_move
flood_data_recv(struct flood_data *d, struct conn *c)
{
	uint8_t *in;
	bool drop = d->trunc && c->tcp && !d->verify && !conn_seen(c);
	int64_t now = clock_now();

	flood_memory_take(d->memory, FLOOD_PIECE);
	in = d->memory->in;
	for (int i = 0; i < CALLS; i++) {
		ssize_t n = recv(c->fd, in, FLOOD_PIECE, drop ? DROP : 0);

		if (n == 0)
			return MOVE_END;
		if (n == -1 && errno == EAGAIN)
			return MOVE_WAIT;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return MOVE_LOST;
		conn_received(c, drop ? NULL : in, (size_t)n, now);
		if (d->verify)
			d->right += pattern_right(in, (size_t)n, d->received);
		d->received += (uint64_t)n;
		if (d->verify && d->right != d->received)
			return MOVE_WRONG;
	}
	return MOVE_SOME;
}

int
flood_line_send(int fd, const char *line, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, line, n, MSG_NOSIGNAL);

		if (sent == -1 && errno != EINTR)
			return -1;
		line += sent == -1 ? 0 : sent;
		n -= sent == -1 ? 0 : (size_t)sent;
	}
	return 0;
}

/* What was peeked at: it is there, and nobody else reads here. 0 or errno. */
static int
take(int fd, uint8_t *data, size_t n)
{
	while (n > 0) {
		ssize_t got = recv(fd, data, n, 0);

		if (got == 0)
			return EIO;
		if (got == -1 && errno != EINTR && errno != EAGAIN)
			return errno;
		n -= got == -1 ? 0 : (size_t)got;
	}
	return 0;
}

enum flood_state
flood_line_recv(struct flood_line *l, struct conn *c, bool *eof, int *number)
{
	uint8_t peeked[FLOOD_LINE_MAX], gone[FLOOD_LINE_MAX];
	enum flood_state state = FLOOD_MORE;
	size_t taken;
	ssize_t n;

	*eof = false;
	*number = 0;
	while (state == FLOOD_MORE) {
		n = recv(c->fd, peeked, sizeof(peeked), MSG_PEEK);
		if (n == -1 && errno == EINTR)
			continue;
		*eof = n == 0;
		if (n == -1 && errno != EAGAIN)
			*number = errno;
		if (n <= 0)
			return FLOOD_MORE;
		state = flood_line_add(l, peeked, (size_t)n, &taken);
		*number = take(c->fd, gone, taken);
		conn_received(c, peeked, taken, clock_now());
	}
	return state;
}
