#include "watch.h"

#include "clock.h"
#include "mem.h"
#include "num.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Looking at a closed connection reads all of /proc/net/tcp, so few are looked
 * at, and each less and less often. */
enum { FOLLOWS_MAX = 8 };

#define SAMPLE (10 * CLOCK_MS)
#define BRISK CLOCK_S

/* A connection without descriptor: known by its addresses only. */
struct watch_follow {
	struct watch_follow *next;
	struct sight *sight;
	struct addr local, peer;
	unsigned id;
	char local_text[ADDR_TEXT_MAX], peer_text[ADDR_TEXT_MAX];
	const char *shown;
	int64_t pause, until;
	struct timer timer;
};

static bool
watched(const struct conn *c)
{
	return c->sight != NULL && c->sight->options.watch != CLOCK_NONE;
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
show_if_changed(struct conn *c, bool due)
{
	struct report_conn id = conn_id(c);

	if (!due && same(c->last.state, c->shown))
		return;
	c->shown = c->last.state;
	report_tcpinfo(c->report, &id, &c->last);
}

static void
address_from(struct addr *a, const char *text)
{
	struct endpoint e;
	int64_t port;

	a->len = 0;
	if (endpoint_parse(&e, text, NULL, NULL) == 0 &&
		num_int(e.port, 1, 65535, &port) == 0)
		addr_numeric(a, e.host, 0, (int)port);
}

/* A descriptor in TIME_WAIT says CLOSE, and has no peer's name any more. The
 * system's table may be long: it is asked once. */
static void
look(struct conn *c)
{
	struct addr local, peer;
	const char *state;

	tcpinfo_get(&c->last, c->fd);
	if (!same(c->last.state, "CLOSE"))
		return;
	if (same(c->shown, "TIME_WAIT") || same(c->shown, "CLOSE")) {
		c->last.state = c->shown;
		return;
	}
	address_from(&local, c->local);
	address_from(&peer, c->peer);
	state = tcpinfo_state_of(&local, &peer);
	if (state != NULL)
		c->last.state = state;
}

static void
on_tick(void *arg)
{
	struct conn *c = arg;
	struct loop *l = c->sight->loop;
	int64_t now = loop_now(l), wait;
	bool due = now >= c->due;

	look(c);
	show_if_changed(c, due);
	if (due)
		c->due = now + c->sight->options.watch;
	wait = c->due - now;
	if (now < c->brisk && wait > SAMPLE)
		wait = SAMPLE;
	loop_timer(l, &c->watch, wait, on_tick, c);
}

void
watch_event(struct conn *c)
{
	int64_t now;

	if (!watched(c) || c->fd == -1)
		return;
	now = loop_now(c->sight->loop);
	if (c->due == 0)
		c->due = now;
	c->brisk = now + BRISK;
	loop_timer(c->sight->loop, &c->watch, c->due > now ? SAMPLE : 0,
		on_tick, c);
}

static void
follow_free(struct watch_follow *f)
{
	struct watch_follow **at = &f->sight->follows;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	loop_cancel(f->sight->loop, &f->timer);
	free(f);
}

/* False once there is nothing more to see. */
static bool
follow_look(struct watch_follow *f)
{
	struct report_conn id = { f->id, f->local_text, f->peer_text };
	struct tcpinfo t;

	tcpinfo_unknown(&t);
	t.state = tcpinfo_state_of(&f->local, &f->peer);
	if (t.state == NULL)
		return false;
	if (!same(t.state, f->shown))
		report_tcpinfo(f->sight->report, &id, &t);
	f->shown = t.state;
	return strcmp(t.state, "TIME_WAIT") != 0;
}

static void
on_follow(void *arg)
{
	struct watch_follow *f = arg;
	struct loop *l = f->sight->loop;

	f->pause *= 2;
	if (follow_look(f) && loop_now(l) < f->until)
		loop_timer(l, &f->timer, f->pause, on_follow, f);
	else
		follow_free(f);
}

static void
follow(struct conn *c)
{
	struct sight *s = c->sight;
	struct watch_follow *f;
	int n = 0;

	for (f = s->follows; f != NULL; f = f->next)
		n++;
	if (n >= FOLLOWS_MAX)
		return;
	f = mem_zero(1, sizeof(*f));
	address_from(&f->local, c->local);
	address_from(&f->peer, c->peer);
	f->sight = s;
	f->id = c->id;
	snprintf(f->local_text, sizeof(f->local_text), "%s", c->local);
	snprintf(f->peer_text, sizeof(f->peer_text), "%s", c->peer);
	f->shown = c->last.state;
	f->until = loop_now(s->loop) + BRISK;
	f->pause = SAMPLE;
	f->next = s->follows;
	s->follows = f;
	loop_timer(s->loop, &f->timer, SAMPLE, on_follow, f);
}

void
watch_end(struct conn *c)
{
	if (!watched(c))
		return;
	loop_cancel(c->sight->loop, &c->watch);
	if (c->fd != -1) {
		look(c);
		if (!c->sight->options.stats) /* which tells it anyway */
			show_if_changed(c, false);
	}
	if (c->tcp)
		follow(c);
}

void
watch_finish(struct sight *s)
{
	struct watch_follow *f, *next;

	for (f = s->follows; f; f = next) {
		next = f->next;
		follow_look(f);
		follow_free(f);
	}
}
