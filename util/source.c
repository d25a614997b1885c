#include "source.h"
#include "clock.h"
#include "term.h"
#include <errno.h>
#include <string.h>

enum { SOURCE_FOREGROUND = 250 }; /* ms between looks in the background */

static void arm(struct source *s);

static void
finish(struct source *s, int number)
{
	struct err err = { 0 };

	s->ended = true;
	loop_unwatch(s->loop, &s->watch);
	loop_cancel(s->loop, &s->timer);
	if (number)
		err_set(&err, "read", number, "standard input");
	s->end(s->arg, number ? &err : NULL);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct source *s = arg;
	uint8_t *data = loop_scratch(s->loop);
	ssize_t got;

	(void)ready;
	if (s->paused || s->ended)
		return;
	if (s->io.kind == IO_TERMINAL && !term_foreground(s->io.fd)) {
		arm(s);
		return;
	}
	got = io_read(&s->io, data, s->most);
	if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (got <= 0) {
		finish(s, got == -1 ? errno : 0);
		return;
	}
	s->total += (size_t)got;
	s->data(s->arg, data, (size_t)got);
}

static void
on_timer(void *arg)
{
	arm(arg);
}

/* Watches where reading is possible, looks again later in the background. */
static void
arm(struct source *s)
{
	bool background = s->io.kind == IO_TERMINAL &&
		!term_foreground(s->io.fd);
	bool want = !s->paused && !s->ended && s->io.fd != -1;

	loop_timer(s->loop, &s->timer,
		want && background ? SOURCE_FOREGROUND * CLOCK_MS : CLOCK_INF,
		on_timer, s);
	if (s->watch.fd != -1)
		loop_want(s->loop, &s->watch,
			want && !background ? LOOP_READ : 0);
	else if (want && !background &&
		loop_watch(s->loop, &s->watch, s->io.fd, LOOP_READ, on_ready,
			s) == -1)
		finish(s, errno);
}

void
source_open(struct source *s, struct loop *l, int fd, size_t most,
	void (*data)(void *arg, const uint8_t *data, size_t n),
	void (*end)(void *arg, const struct err *err), void *arg)
{
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->most = most < LOOP_SCRATCH ? most : LOOP_SCRATCH;
	s->data = data;
	s->end = end;
	s->arg = arg;
	s->paused = true;
	s->watch.fd = -1;
	io_open_source(&s->io, fd);
}

void
source_pause(struct source *s, bool paused)
{
	if (s->paused == paused || s->ended)
		return;
	s->paused = paused;
	arm(s);
}

void
source_close(struct source *s)
{
	if (!s->loop)
		return;
	s->ended = true;
	loop_unwatch(s->loop, &s->watch);
	loop_cancel(s->loop, &s->timer);
}
