#include "flow.h"
#include "crlf.h"
#include "net.h"
#include "signals.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A turn moves at most so many pieces, so that others have theirs. */
enum { FLOW_CALLS = 16, FLOW_SPLICES = 8, FLOW_PIECE = 1 << 20 };

static enum flow_wait
broken(struct flow *f, const struct io *end)
{
	f->error = errno;
	f->broken = end;
	/* splice has no MSG_NOSIGNAL; standard output's stays pending. */
	if (f->error == EPIPE && end->kind == IO_SOCKET)
		signals_forget_pipe();
	return FLOW_BROKEN;
}

/* What a failed call means: EAGAIN is waiting, the rest breaks the flow. */
static enum flow_wait
stopped_at(struct flow *f, const struct io *end, enum flow_wait wait)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return wait;
	return broken(f, end);
}

static void
took(struct flow *f, const uint8_t *data, size_t n)
{
	f->taken += n;
	if (f->took)
		f->took(f->arg, data, n);
}

static void
gave(struct flow *f, const uint8_t *data, size_t n)
{
	if (f->gave)
		f->gave(f->arg, data, n);
}

/* Writes a piece of n bytes at data: how much went, or -1 with f->waits. */
static ssize_t
give(struct flow *f, const uint8_t *data, size_t n, unsigned *ready)
{
	size_t allowed = n;
	ssize_t put;

	if (f->to->blocking && !(*ready & LOOP_WRITE)) {
		f->waits = FLOW_SINK;
		return -1;
	}
	if (f->pace)
		allowed = pace_allow(f->pace, n, loop_now(f->loop));
	if (allowed == 0) {
		f->delay = pace_wait(f->pace, n, loop_now(f->loop));
		f->waits = FLOW_TIME;
		return -1;
	}
	put = io_write(f->to, data, allowed, f->loop);
	if (f->to->blocking)
		*ready &= ~(unsigned)LOOP_WRITE;
	if (put == -1) {
		f->waits = stopped_at(f, f->to, FLOW_SINK);
		return -1;
	}
	if (f->pace)
		pace_took(f->pace, (size_t)put, loop_now(f->loop));
	gave(f, data, (size_t)put);
	return put;
}

/* One read, written on at once where nothing has to be done to it. */
static bool
copy_piece(struct flow *f, unsigned *ready)
{
	uint8_t *data = loop_scratch(f->loop);
	ssize_t got, put;

	if (f->from->blocking && !(*ready & LOOP_READ)) {
		f->waits = FLOW_SOURCE;
		return false;
	}
	got = io_read(f->from, data, LOOP_SCRATCH);
	if (f->from->blocking)
		*ready &= ~(unsigned)LOOP_READ;
	if (got == -1) {
		f->waits = stopped_at(f, f->from, FLOW_SOURCE);
		return false;
	}
	if (got == 0) {
		f->ended = true;
		return true;
	}
	took(f, data, (size_t)got);
	if (!f->to)
		return true;
	if (f->crlf) {
		crlf_add(&f->held, data, (size_t)got, &f->last);
		return true;
	}
	put = give(f, data, (size_t)got, ready);
	if (put < got) {
		size_t done = put > 0 ? (size_t)put : 0;
		buf_append(&f->held, data + done, (size_t)got - done);
	}
	return put != -1;
}

static enum flow_wait
copy_step(struct flow *f, unsigned ready)
{
	int i;

	for (i = 0; i < FLOW_CALLS; i++) {
		if (f->held.len > 0) {
			ssize_t put = give(
				f, buf_data(&f->held), f->held.len, &ready);
			if (put == -1)
				return f->waits;
			buf_consume(&f->held, (size_t)put);
		} else if (f->ended) {
			return FLOW_ENDED;
		} else if (!copy_piece(f, &ready)) {
			return f->waits;
		}
	}
	return FLOW_AGAIN;
}

#ifdef _GNU_SOURCE

static ssize_t
splice_piece(int from, int to, size_t n)
{
	ssize_t r;

	do
		r = splice(from, NULL, to, NULL, n,
			SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (r == -1 && errno == EINTR);
	return r;
}

/* What the kernel will not splice is copied from now on. */
static enum flow_wait
copy_instead(struct flow *f, unsigned ready)
{
	f->way = FLOW_COPY;
	return copy_step(f, ready);
}

/* Nor past a source's urgent data: EOF or EAGAIN there is neither. */
static bool
not_spliceable(const struct io *source, ssize_t n)
{
	return (n == -1 && (errno == EINVAL || errno == ENOSYS)) ||
		(source && n <= 0 && io_at_mark(source));
}

static void
moved(struct flow *f, ssize_t n)
{
	took(f, NULL, (size_t)n);
	gave(f, NULL, (size_t)n);
}

/* A pipe that refused to give and a sink that refused to take both say EAGAIN:
 * the side that select called ready is not the one to wait for. */
static enum flow_wait
other_side(const struct flow *f, unsigned ready)
{
	return f->waits == FLOW_SOURCE && ready & LOOP_READ ? FLOW_SINK
							    : FLOW_SOURCE;
}

/* Which end a failed splice blames: a socket's own errors, else the sink's. */
static const struct io *
blamed(const struct flow *f)
{
	if (errno == EPIPE || errno == ENOSPC || errno == EIO ||
		errno == EFBIG || errno == EDQUOT)
		return f->to;
	return f->from->kind == IO_SOCKET ? f->from : f->to;
}

static enum flow_wait
splice_step(struct flow *f, unsigned ready)
{
	ssize_t n;

	for (int i = 0; i < FLOW_SPLICES; i++) {
		if (f->ended)
			return FLOW_ENDED;
		n = splice_piece(f->from->fd, f->to->fd, FLOW_PIECE);
		if (not_spliceable(f->from, n))
			return copy_instead(f, ready);
		if (n == -1 && errno == EAGAIN)
			return other_side(f, ready);
		if (n == -1)
			return broken(f, blamed(f));
		if (n == 0)
			f->ended = true;
		else
			moved(f, n);
		ready = 0;
		f->waits = FLOW_AGAIN;
	}
	return FLOW_AGAIN;
}

static bool
open_pipe(struct flow *f)
{
	if (f->pipe[0] != -1)
		return true;
	if (net_pipe(f->pipe) == -1) {
		f->pipe[0] = -1;
		return false;
	}
	(void)fcntl(f->pipe[1], F_SETPIPE_SZ, FLOW_PIECE);
	return true;
}

/* What is left in the pipe when the sink takes no splice goes on as a copy. */
static enum flow_wait
empty_pipe(struct flow *f, unsigned ready)
{
	while (f->in_pipe > 0) {
		uint8_t *room = buf_room(&f->held, f->in_pipe);
		ssize_t n = read(f->pipe[0], room, f->in_pipe);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return broken(f, f->to);
		buf_added(&f->held, (size_t)n);
		f->in_pipe -= (size_t)n;
	}
	return copy_instead(f, ready);
}

static enum flow_wait
pipe_step(struct flow *f, unsigned ready)
{
	ssize_t n;
	int i;

	if (!open_pipe(f))
		return copy_instead(f, ready);
	for (i = 0; i < FLOW_SPLICES; i++) {
		if (f->in_pipe == 0 && f->ended)
			return FLOW_ENDED;
		if (f->in_pipe == 0) {
			n = splice_piece(f->from->fd, f->pipe[1], FLOW_PIECE);
			if (not_spliceable(f->from, n))
				return copy_instead(f, ready);
			if (n == -1)
				return stopped_at(f, f->from, FLOW_SOURCE);
			f->ended = n == 0;
			f->in_pipe = (size_t)n;
			if (n > 0)
				took(f, NULL, (size_t)n);
			continue;
		}
		n = splice_piece(f->pipe[0], f->to->fd, f->in_pipe);
		if (not_spliceable(NULL, n))
			return empty_pipe(f, ready);
		if (n == -1)
			return stopped_at(f, f->to, FLOW_SINK);
		f->in_pipe -= (size_t)n;
		gave(f, NULL, (size_t)n);
	}
	return FLOW_AGAIN;
}

/* A standard stream that is a socket stays as it was found, and a read from
 * TCP by splice waits whatever SPLICE_F_NONBLOCK says (tcp_splice_read). */
static bool
may_block(const struct io *io)
{
	return io->kind == IO_SOCKET &&
		(fcntl(io->fd, F_GETFL) & O_NONBLOCK) == 0;
}

static enum flow_way
way_of(const struct flow *f)
{
	if (may_block(f->from) || may_block(f->to))
		return FLOW_COPY;
	if (f->from->kind == IO_TERMINAL || f->to->kind == IO_TERMINAL ||
		f->from->kind == IO_DATAGRAM || f->to->kind == IO_DATAGRAM)
		return FLOW_COPY;
	if (f->from->kind == IO_PIPE || f->to->kind == IO_PIPE)
		return FLOW_SPLICE;
	if (f->from->kind == IO_SOCKET || f->to->kind == IO_SOCKET)
		return FLOW_VIA_PIPE;
	return FLOW_COPY;
}

/* The largest gain of all: a pipe of 64 KiB wakes both sides for each piece. */
static void
enlarge(const struct io *io)
{
	if (io && io->kind == IO_PIPE)
		(void)fcntl(io->fd, F_SETPIPE_SZ, FLOW_PIECE);
}

#else

static enum flow_wait
splice_step(struct flow *f, unsigned ready)
{
	return copy_step(f, ready);
}

static enum flow_wait
pipe_step(struct flow *f, unsigned ready)
{
	return copy_step(f, ready);
}

static enum flow_way
way_of(const struct flow *f)
{
	(void)f;
	return FLOW_COPY;
}

static void
enlarge(const struct io *io)
{
	(void)io;
}

#endif

void
flow_start(struct flow *f, bool seen)
{
	f->pipe[0] = f->pipe[1] = -1;
	f->waits = FLOW_AGAIN;
	enlarge(f->from);
	enlarge(f->to);
	f->way = FLOW_COPY;
	if (f->from && f->to && !seen && !f->pace && !f->crlf)
		f->way = way_of(f);
}

static enum flow_wait
one_step(struct flow *f, unsigned ready)
{
	switch (f->way) {
	case FLOW_COPY:
		return copy_step(f, ready);
	case FLOW_SPLICE:
		return splice_step(f, ready);
	case FLOW_VIA_PIPE:
		return pipe_step(f, ready);
	}
	return FLOW_ENDED;
}

enum flow_wait
flow_step(struct flow *f, unsigned ready)
{
	if (f->broken)
		return FLOW_BROKEN;
	f->waits = one_step(f, ready);
	return f->waits;
}

void
flow_stop(struct flow *f)
{
	f->ended = true;
}

size_t
flow_held(const struct flow *f)
{
	return f->held.len + f->in_pipe;
}

void
flow_free(struct flow *f)
{
	buf_free(&f->held);
	if (f->pipe[0] > 0) {
		close(f->pipe[0]);
		close(f->pipe[1]);
	}
	f->pipe[0] = f->pipe[1] = -1;
}
