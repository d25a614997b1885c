#include "serve_far.h"
#include "../util/mem.h"
#include <errno.h>
#include <stdlib.h>

enum {
	FAR_WAITING = 64 * 1024, /* bytes of datagrams before it is connected */
	FAR_READS = 16, /* a turn */
};

struct far {
	struct serve *serve;
	struct dial *dial;
	struct io io;
	struct watch watch;
	struct buf waiting; /* length u32 and bytes of each datagram */
	struct buf rest; /* of a datagram that a stream took in part */
	void (*answer)(void *arg, const uint8_t *data, size_t n);
	void (*end)(void *arg, const struct err *err);
	void *arg;
};

static void
failed(struct far *f, const char *op)
{
	struct err err = { 0 };

	if (net_blocked())
		return;
	err_set(&err, op, errno, f->serve->target);
	f->end(f->arg, &err);
}

static void
put(struct far *f, const uint8_t *data, size_t n)
{
	ssize_t done;

	if (f->rest.len > 0)
		return;
	done = io_write(&f->io, data, n, NULL);
	if (done == -1) {
		failed(f, "send");
	} else if ((size_t)done < n && f->io.kind == IO_SOCKET) {
		buf_append(&f->rest, data + done, n - (size_t)done);
		loop_want(
			f->serve->life.loop, &f->watch, LOOP_READ | LOOP_WRITE);
	}
}

static void
put_rest(struct far *f)
{
	ssize_t done = io_write(&f->io, buf_data(&f->rest), f->rest.len, NULL);

	if (done == -1) {
		failed(f, "send");
		return;
	}
	buf_consume(&f->rest, (size_t)done);
	if (f->rest.len == 0)
		loop_want(f->serve->life.loop, &f->watch, LOOP_READ);
}

/* At most one call that may close f, and that last. */
static void
on_ready(void *arg, unsigned ready)
{
	struct far *f = arg;
	uint8_t *data = loop_scratch(f->serve->life.loop);
	size_t most = DGRAM_MAX - 29; /* what fits into a datagram */
	ssize_t got;
	int i;

	if (ready & LOOP_WRITE && f->rest.len > 0) {
		put_rest(f);
		return;
	}
	for (i = 0; i < FAR_READS; i++) {
		got = io_read(&f->io, data, most);
		if (got <= 0)
			break;
		f->answer(f->arg, data, (size_t)got);
	}
	if (i == FAR_READS)
		return;
	if (got == 0)
		f->end(f->arg, NULL);
	else
		failed(f, "recv");
}

static void
on_dialed(void *arg, int fd, const struct dial_result *result,
	const struct err *err)
{
	struct far *f = arg;
	size_t n;

	(void)result;
	if (fd == -1) {
		f->end(f->arg, err);
		return;
	}
	io_open_source(&f->io, fd);
	loop_watch(f->serve->life.loop, &f->watch, fd, LOOP_READ, on_ready, f);
	while (f->waiting.len > 0) {
		n = get_u32(buf_data(&f->waiting));
		if (f->rest.len == 0)
			(void)io_write(
				&f->io, buf_data(&f->waiting) + 4, n, NULL);
		buf_consume(&f->waiting, 4 + n);
	}
}

struct far *
far_open(struct serve *s,
	void (*answer)(void *arg, const uint8_t *data, size_t n),
	void (*end)(void *arg, const struct err *err), void *arg)
{
	struct far *f = mem_zero(1, sizeof(*f));

	f->serve = s;
	f->io.fd = -1;
	f->watch.fd = -1;
	f->answer = answer;
	f->end = end;
	f->arg = arg;
	f->dial = serve_dial(s, on_dialed, f);
	return f;
}

void
far_send(struct far *f, const uint8_t *data, size_t n)
{
	if (f->io.fd != -1) {
		put(f, data, n);
		return;
	}
	if (f->waiting.len + n + 4 > FAR_WAITING)
		return;
	buf_u32(&f->waiting, (uint32_t)n);
	buf_append(&f->waiting, data, n);
}

void
far_close(struct far *f)
{
	loop_unwatch(f->serve->life.loop, &f->watch);
	if (f->io.fd != -1)
		net_close(f->io.fd, -1);
	dial_cancel(f->dial);
	buf_free(&f->waiting);
	buf_free(&f->rest);
	free(f);
}
