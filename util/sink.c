#include "sink.h"
#include <errno.h>
#include <string.h>

static void
fail(struct sink *s, int number)
{
	struct err err = { 0 };

	if (number == EPIPE)
		io_sigpipe_die();
	s->failed = true;
	buf_clear(&s->queue);
	loop_want(s->loop, &s->watch, 0);
	err_set(&err, "write", number, s->name);
	s->changed(s->arg, &err);
}

/* How much of n went: 0 when it must wait. */
static size_t
write_some(struct sink *s, const void *data, size_t n)
{
	ssize_t put = io_write(&s->io, data, n, s->loop);

	if (put >= 0)
		return (size_t)put;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		fail(s, errno);
	return 0;
}

static void
on_ready(void *arg, unsigned ready)
{
	struct sink *s = arg;

	(void)ready;
	while (s->queue.len > 0) {
		size_t put = write_some(s, buf_data(&s->queue), s->queue.len);
		if (s->failed)
			return;
		buf_consume(&s->queue, put);
		if (put == 0 || s->io.blocking)
			break;
	}
	if (s->queue.len > 0)
		return;
	loop_want(s->loop, &s->watch, 0);
	s->changed(s->arg, NULL);
}

void
sink_open(struct sink *s, struct loop *l, int fd, const char *name,
	void (*changed)(void *arg, const struct err *err), void *arg)
{
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->name = name;
	s->changed = changed;
	s->arg = arg;
	s->watch.fd = -1;
	io_open_sink(&s->io, fd);
}

static void
wait_for_room(struct sink *s)
{
	if (s->watch.fd != -1)
		loop_want(s->loop, &s->watch, LOOP_WRITE);
	else if (loop_watch(s->loop, &s->watch, s->io.fd, LOOP_WRITE, on_ready,
			 s) == -1)
		fail(s, errno);
}

void
sink_write(struct sink *s, const void *data, size_t n)
{
	const uint8_t *at = data;

	while (n > 0 && !s->failed && s->queue.len == 0 && !s->io.blocking) {
		size_t put = write_some(s, at, n);
		if (put == 0)
			break;
		at += put;
		n -= put;
	}
	if (n == 0 || s->failed)
		return;
	buf_append(&s->queue, at, n);
	wait_for_room(s);
}

bool
sink_full(const struct sink *s)
{
	return s->queue.len > 0;
}

void
sink_close(struct sink *s)
{
	if (!s->loop)
		return;
	loop_unwatch(s->loop, &s->watch);
	io_close(&s->io);
	buf_free(&s->queue);
	s->failed = true;
}
