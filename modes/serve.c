/* sockctl serve: accepts, and does one thing with every client. */
#include "serve.h"
#include "../util/activation.h"
#include "../util/behave.h"
#include "../util/mem.h"
#include "../util/num.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The end of the run. */

static void
over(struct serve *s, int code)
{
	loop_stop(s->life.loop, life_code(&s->life, code));
}

/* What clients sent is delivered first. */
void
serve_settled(struct serve *s)
{
	if (s->ending && s->active == 0 && (s->hurry || !sink_full(&s->out)))
		over(s, s->code);
}

static void
abort_all(struct serve *s, enum close_reason reason, bool reset)
{
	struct client *c, *next;

	for (c = s->clients; c; c = next) {
		next = c->next;
		s->action->abort(c, reason, reset);
	}
}

static void
on_grace_over(void *arg)
{
	struct serve *s = arg;

	s->hurry = true;
	abort_all(s, CLOSE_LOCAL, false);
	serve_settled(s);
}

static void
begin_end(struct serve *s)
{
	s->ending = true;
	if (s->listener)
		listener_shut(s->listener);
	loop_cancel(s->life.loop, &s->first);
	loop_cancel(s->life.loop, &s->shut);
	source_close(&s->in);
}

static void
on_stop(void *arg, const struct err *why)
{
	struct serve *s = arg;
	struct client *c, *next;

	begin_end(s);
	if (why)
		s->code = (int)err_exit(why);
	if (why) {
		s->hurry = true;
		abort_all(s, CLOSE_TIMEOUT, true);
	} else {
		for (c = s->clients; c; c = next) {
			next = c->next;
			s->action->finish(c);
		}
		loop_timer(s->life.loop, &s->grace, CLOCK_S, on_grace_over, s);
	}
	serve_settled(s);
}

void
serve_fail(struct serve *s, const struct err *err)
{
	if (s->ending)
		return;
	report_error(s->life.report, NULL, err);
	begin_end(s);
	s->code = (int)err_exit(err);
	abort_all(s, CLOSE_ERROR, false);
	serve_settled(s);
}

/* Clients. */

void
serve_joined(struct serve *s, struct client *c, struct conn *conn)
{
	c->serve = s;
	c->conn = conn;
	c->next = s->clients;
	c->at = &s->clients;
	if (c->next)
		c->next->at = &c->next;
	s->clients = c;
}

static bool
enough(const struct serve *s)
{
	return s->count && s->served + s->active >= s->count;
}

/* A client is gone; empty ones may not count. */
static void
count_client(struct serve *s, int code, bool empty)
{
	s->active--;
	if (empty && s->conf->ignore_empty)
		s->empty++;
	if (!(empty && s->conf->ignore_empty)) {
		s->served++;
		if (s->count)
			s->code = err_worst(s->code, code);
	}
	if (!s->ending && s->count && s->served >= s->count)
		begin_end(s);
	if (s->ending) {
		serve_settled(s);
		return;
	}
	if (s->conf->net.udp)
		return;
	listener_gone(s->listener);
	listener_pause(s->listener, enough(s));
}

void
serve_left(struct client *c, int code)
{
	struct serve *s = c->serve;

	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	s->rx += c->conn->rx;
	s->tx += c->conn->tx;
	count_client(s, code, c->conn->rx == 0);
}

/* --ignore-empty: a client that is looked at before it is served. */
struct waiting {
	struct serve *serve;
	int fd;
	unsigned id;
	struct watch watch;
	struct timer timer;
};

static void
on_waited(void *arg)
{
	struct waiting *w = arg;
	struct serve *s = w->serve;

	loop_unwatch(s->life.loop, &w->watch);
	loop_cancel(s->life.loop, &w->timer);
	s->action->client(s, w->fd, w->id);
	free(w);
}

static void
on_wait_ready(void *arg, unsigned ready)
{
	struct waiting *w = arg;
	struct serve *s = w->serve;
	struct conn conn;
	int fd = w->fd;
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	(void)ready;
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == 1) {
		on_waited(w);
		return;
	}
	loop_unwatch(s->life.loop, &w->watch);
	loop_cancel(s->life.loop, &w->timer);
	conn_open(&conn, w->id, fd, s->life.report, s->life.sight, NULL,
		loop_now(s->life.loop));
	conn_accepted(&conn);
	conn_fin_in(&conn);
	conn_closed(&conn, CLOSE_EOF, NULL);
	net_close(fd, 0);
	free(w);
	count_client(s, EXIT_OK, true);
}

/* --ignore-empty: waits until the client has sent a byte or stayed 200 ms. */
static void
wait_for_byte(struct serve *s, int fd, unsigned id)
{
	struct waiting *w = mem_zero(1, sizeof(*w));

	w->serve = s;
	w->fd = fd;
	w->id = id;
	w->watch.fd = -1;
	loop_timer(s->life.loop, &w->timer, 200 * CLOCK_MS, on_waited, w);
	loop_watch(s->life.loop, &w->watch, fd, LOOP_READ, on_wait_ready, w);
}

static void
on_shut(void *arg)
{
	struct serve *s = arg;

	listener_shut(s->listener);
}

/* All that --once or --count asks for: whoever comes now is refused, not left
 * waiting for a server that ends. Where an empty client may not count, others
 * wait in the backlog. */
static void
last_client(struct serve *s)
{
	listener_pause(s->listener, true);
	if (!s->conf->ignore_empty)
		loop_timer(s->life.loop, &s->shut, 0, on_shut, s);
}

static void
on_client(void *arg, int fd, unsigned id, const struct addr *peer)
{
	struct serve *s = arg;

	(void)peer;
	loop_cancel(s->life.loop, &s->first);
	s->active++;
	if (enough(s))
		last_client(s);
	if (s->conf->ignore_empty)
		wait_for_byte(s, fd, id);
	else
		s->action->client(s, fd, id);
}

static void
on_first(void *arg)
{
	struct serve *s = arg;
	struct err err = { 0 };
	char time[NUM_MAX];

	err_setf(&err, "wait", ETIMEDOUT, NULL, "no connection within %s",
		num_show_time(s->conf->limits.timeout, time));
	serve_fail(s, &err);
}

struct pace *
serve_pace(const struct serve *s)
{
	struct pace *p;

	if (!pace_any(&s->conf->pace))
		return NULL;
	p = mem_zero(1, sizeof(*p));
	pace_start(p, &s->conf->pace, loop_now(s->life.loop));
	return p;
}

/* The summary. */

static size_t
members(void *arg, struct field *out)
{
	struct serve *s = arg;
	uint64_t rx = s->rx, tx = s->tx;
	const struct client *c;
	int64_t now = loop_now(s->life.loop);

	for (c = s->clients; c; c = c->next) {
		rx += c->conn->rx;
		tx += c->conn->tx;
	}
	out[0] = (struct field)F_UINT(
		"connections", (uint64_t)(s->served + s->active + s->empty));
	out[1] = (struct field)F_UINT(
		"denied", s->listener ? listener_denied(s->listener) : 0);
	out[2] = (struct field)F_UINT("rx", rx);
	out[3] = (struct field)F_UINT("tx", tx);
	out[4] = (struct field)F_REAL(
		"duration_s", clock_seconds(now - s->started), 6);
	return 5;
}

/* Starting. */

struct dial *
serve_dial(struct serve *s,
	void (*done)(void *arg, int fd, const struct dial_result *result,
		const struct err *err),
	void *arg)
{
	return dial_start(&(struct dial_setup){
		.loop = s->life.loop,
		.report = s->life.report,
		.net = &s->far,
		.dial = &s->conf->dial,
		.sockopts = &s->sockopts,
		.to = s->conf->forward,
		.timeout = s->conf->limits.timeout,
		.done = done,
		.arg = arg,
	});
}

static int
open_listener(struct serve *s, struct err *err)
{
	struct listener_setup setup = {
		.loop = s->life.loop,
		.report = s->life.report,
		.net = &s->conf->net,
		.listen = &s->conf->listen,
		.sockopts = &s->sockopts,
		.datagram = s->conf->net.udp,
		.activation = true,
		.never_accept = s->conf->script.behave &&
			!s->conf->script.behave->script,
		.pause = s->conf->pause,
		.on_client = on_client,
		.arg = s,
	};

	if (s->action->start)
		s->action->start(s);
	if (s->conf->net.udp)
		return serve_udp_open(s, &setup, err);
	s->listener = listener_open(&setup, err);
	return s->listener ? 0 : -1;
}

static void
release(void *arg)
{
	struct serve *s = arg;

	listener_free(s->listener);
	serve_udp_free(s);
	sink_close(&s->out);
	buf_free(&s->reply);
}

static int
serve_start(struct serve *s)
{
	struct err err = { 0 };

	s->sockopts = life_sockopts(&s->life, &s->conf->sockopts);
	s->started = loop_now(s->life.loop);
	s->in.watch.fd = -1;
	s->far.bind = s->conf->forward_bind;
	s->far.numeric = s->conf->net.numeric;
	endpoint_text(&s->conf->forward, s->target);
	if (open_listener(s, &err) == -1)
		return life_fail(&s->life, &err);
	if (s->count && !s->conf->forward.host[0])
		loop_timer(s->life.loop, &s->first, s->conf->limits.timeout,
			on_first, s);
	return life_run(&s->life);
}

static int
serve_run(const struct run *run)
{
	struct serve_conf *conf = run->conf;
	struct serve s = { .conf = conf, .reply_fd = -1 };
	struct err err = { 0 };
	struct life_setup setup = {
		.mode = "serve",
		.manner = REPORT_LISTENER,
		.server = true,
		.report = &conf->report,
		.sight = &conf->sight,
		.stop = on_stop,
		.members = members,
		.release = release,
		.arg = &s,
	};
	int code;

	if ((run->argc > 0 || activation_count() == 0) &&
		serve_place(run, conf, &err) == -1)
		return mode_refuse(run, &err);
	code = serve_check(run, conf);
	if (code)
		return code;
	setup.deadline = conf->limits.deadline;
	s.action = serve_chosen(conf);
	s.count = conf->listen.once ? 1 : conf->count;
	if (conf->reply && serve_reply_open(&s, &err) == -1)
		return mode_refuse(run, &err);
	if (life_begin(&s.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	return serve_start(&s);
}

const struct mode mode_serve = {
	.name = "serve",
	.summary = "accept connections and do one thing with each",
	.usage = "[OPTION...] -p PORT\n[OPTION...] [ADDR] PORT",
	.examples =
		"  sockctl serve -p 4000               talk to whoever "
		"connects\n"
		"  sockctl serve -p 4000 -1 > file     take one upload\n"
		"  sockctl serve -p 0 --reply page --port-file port\n"
		"  sockctl serve -p 4000 --broker      clients hear each "
		"other\n"
		"  sockctl serve -U /run/x.sock        a Unix-domain socket\n"
		"  sockctl serve -u -p 514 --prefix    datagrams, by sender\n",
	.groups = serve_groups,
	.conf_size = sizeof(struct serve_conf),
	.defaults = &serve_defaults,
	.run = serve_run,
};
