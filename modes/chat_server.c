/* sockctl chat -p: the ways into the room: connections, the console. Datagrams
 * come in by chat_udp.c. */
#include "chat_server.h"
#include "../util/mem.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
over(struct chat_server *srv)
{
	if (srv->ending && !srv->clients && srv->out.queue.len == 0)
		loop_stop(srv->life.loop, life_code(&srv->life, srv->code));
}

struct chat_client *
chat_client_new(struct chat_server *srv)
{
	struct chat_client *c = mem_zero(1, sizeof(*c));

	c->srv = srv;
	c->next = srv->clients;
	c->link = &srv->clients;
	if (c->next)
		c->next->link = &c->next;
	srv->clients = c;
	return c;
}

static void
on_free(void *arg)
{
	struct chat_client *c = arg;
	struct chat_server *srv = c->srv;

	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	free(c);
	over(srv);
}

void
chat_client_gone(struct chat_client *c)
{
	c->srv->rx += c->m.conn->rx;
	c->srv->tx += c->m.conn->tx;
	c->m.conn = NULL;
	loop_timer(c->srv->life.loop, &c->timer, 0, on_free, c);
}

/* Connections. */

static struct chat_client *
client_of(struct chat_member *m)
{
	return (struct chat_client *)m;
}

static void
stream_way_send(struct chat_member *m, const void *line, size_t n)
{
	struct stream *s = &client_of(m)->u.stream;

	if (client_of(m)->cut)
		return;
	stream_send(s, line, n);
	if (stream_queued(s) > CHAT_QUEUE) {
		client_of(m)->slow = true;
		stream_abort(s, CLOSE_LIMIT,
			"it let more than 256 KiB queue up", true, NULL);
	}
}

static void
stream_way_pause(struct chat_member *m, bool paused)
{
	if (!client_of(m)->cut)
		stream_pause(&client_of(m)->u.stream, paused);
}

static void
on_linger(void *arg)
{
	struct chat_client *c = arg;

	stream_abort(&c->u.stream, CLOSE_LOCAL, NULL, true, NULL);
}

/* What is queued for it is sent, then FIN; it has a while to take that. */
static void
stream_way_left(struct chat_member *m)
{
	struct chat_client *c = client_of(m);
	int64_t most = c->srv->ending ? CLOCK_S : CHAT_LINGER * CLOCK_S;

	if (c->cut) {
		chat_client_gone(c);
		return;
	}
	stream_leave(&c->u.stream, 200 * CLOCK_MS);
	loop_timer(c->srv->life.loop, &c->timer, most, on_linger, c);
}

static const struct chat_way stream_way = {
	.send = stream_way_send,
	.pause = stream_way_pause,
	.left = stream_way_left,
};

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct chat_client *c = arg;

	chat_hear(&c->m, data, n);
}

static void
on_eof(void *arg)
{
	struct chat_client *c = arg;

	chat_hear_end(&c->m);
}

/* Lines that it sent before are still heard, at their pace. */
static void
on_gone(void *arg, int code, const struct err *err)
{
	struct chat_client *c = arg;

	(void)err;
	c->cut = true;
	if (!c->srv->datagram && c->srv->listener)
		listener_gone(c->srv->listener);
	if (c->m.left)
		chat_client_gone(c);
	else if (c->slow)
		chat_leave(&c->m, "too slow");
	else if (code == EXIT_TIMEOUT)
		chat_leave(&c->m, "silent for too long");
	else if (chat_waiting(&c->m.in))
		chat_hear_end(&c->m);
	else
		chat_leave(&c->m, "connection lost");
}

static const struct stream_calls calls = {
	.data = on_data,
	.eof = on_eof,
	.gone = on_gone,
};

/* What the system would only store is queued here, where it counts: else it
 * takes megabytes before a member that does not read is noticed. Where it is
 * given, or not known, that stands. */
static void
store_little(const struct sockopts *o, int fd)
{
	struct err ignored = { 0 };

	for (int i = 0; i < o->count; i++)
		if (strcmp(o->item[i].name, "notsent-lowat") == 0)
			return;
	(void)sockopt_set(fd, "notsent-lowat", "64K", &ignored);
}

static void
on_client(void *arg, int fd, unsigned id, const struct addr *peer)
{
	struct chat_server *srv = arg;
	struct chat_client *c = chat_client_new(srv);
	struct stream *s = &c->u.stream;

	store_little(&srv->sockopts, fd);
	stream_open(s, srv->life.loop, fd, id, srv->life.report,
		srv->life.sight, CHAT_QUEUE, &calls, c);
	stream_idle(s, srv->conf->limits.idle);
	s->linger = srv->conf->sockopts.linger;
	s->most = CHAT_READ;
	conn_accepted(&s->conn);
	c->m.way = &stream_way;
	c->m.conn = &s->conn;
	c->m.id = id;
	chat_enter(&srv->room, &c->m, peer, NULL);
}

/* The console: standard input and output are a member. */

static struct chat_server *
server_of(struct chat_member *m)
{
	return m->room->arg;
}

static void
console_send(struct chat_member *m, const void *line, size_t n)
{
	struct chat_server *srv = server_of(m);

	/* Nobody waits for it, and what it misses is said once. */
	if (srv->out.queue.len <= CHAT_QUEUE)
		sink_write(&srv->out, line, n);
	else if (!srv->missed)
		report_note(srv->life.report, 0,
			"standard output takes nothing: lines are lost there");
	srv->missed = srv->out.queue.len > CHAT_QUEUE;
}

static void
console_pause(struct chat_member *m, bool paused)
{
	source_pause(&server_of(m)->in, paused);
}

static void
console_left(struct chat_member *m)
{
	source_close(&server_of(m)->in);
	if (!server_of(m)->ending)
		report_note(server_of(m)->life.report, 0,
			"the console has left; the chat goes on");
}

static const struct chat_way console_way = {
	.send = console_send,
	.pause = console_pause,
	.left = console_left,
};

static void
on_input(void *arg, const uint8_t *data, size_t n)
{
	struct chat_server *srv = arg;

	chat_hear(&srv->console, data, n);
}

/* The console goes on listening. */
static void
on_input_end(void *arg, const struct err *err)
{
	struct chat_server *srv = arg;

	if (err)
		report_error(srv->life.report, NULL, err);
	chat_feed_end(&srv->console.in);
	chat_hear(&srv->console, NULL, 0);
}

/* The end. */

/* Whoever has not taken it by now: standard output. */
static void
on_last(void *arg)
{
	struct chat_server *srv = arg;

	sink_close(&srv->out);
	over(srv);
}

static void
end(struct chat_server *srv, int code)
{
	if (srv->ending)
		return;
	srv->ending = true;
	srv->code = code;
	listener_shut(srv->listener);
	chat_end(&srv->room, "the server ends");
	chat_udp_close(srv);
	loop_timer(srv->life.loop, &srv->last, CLOCK_S + CLOCK_S / 4, on_last,
		srv);
	over(srv);
}

/* Told in the middle of a line to all: the end comes from the loop. */
static void
on_output_failed(void *arg)
{
	end(arg, EXIT_LOCAL);
}

static void
on_output(void *arg, const struct err *err)
{
	struct chat_server *srv = arg;

	if (err && !srv->ending) {
		report_error(srv->life.report, NULL, err);
		loop_timer(
			srv->life.loop, &srv->last, 0, on_output_failed, srv);
	}
	over(srv);
}

static void
on_stop(void *arg, const struct err *why)
{
	end(arg, why ? EXIT_TIMEOUT : EXIT_OK);
}

static size_t
members(void *arg, struct field *out)
{
	struct chat_server *srv = arg;
	uint64_t rx = srv->rx, tx = srv->tx;
	unsigned count = srv->addresses;
	struct chat_client *c;
	size_t n = 0;

	for (c = srv->clients; c; c = c->next) {
		rx += c->m.conn ? c->m.conn->rx : 0;
		tx += c->m.conn ? c->m.conn->tx : 0;
	}
	if (srv->listener && !srv->datagram)
		count = listener_accepted(srv->listener);
	out[n++] = (struct field)F_UINT("connections", count);
	out[n++] = (struct field)F_UINT(
		"denied", srv->listener ? listener_denied(srv->listener) : 0);
	out[n++] = (struct field)F_UINT("rx", rx);
	out[n++] = (struct field)F_UINT("tx", tx);
	out[n++] = (struct field)F_REAL("duration_s",
		clock_seconds(loop_now(srv->life.loop) - srv->started), 6);
	return n;
}

static void
open_console(struct chat_server *srv)
{
	struct loop *l = srv->life.loop;
	const char *name = srv->conf->nick ? srv->conf->nick : "console";

	if (srv->conf->no_console)
		return;
	sink_open(
		&srv->out, l, STDOUT_FILENO, "standard output", on_output, srv);
	source_open(&srv->in, l, STDIN_FILENO, CHAT_READ, on_input,
		on_input_end, srv);
	srv->console.way = &console_way;
	chat_enter(&srv->room, &srv->console, NULL, name);
	source_pause(&srv->in, false);
}

static int
start(struct chat_server *srv, struct err *err)
{
	struct listener_setup setup = {
		.loop = srv->life.loop,
		.report = srv->life.report,
		.net = &srv->conf->net,
		.listen = &srv->conf->listen,
		.sockopts = &srv->sockopts,
		.datagram = srv->datagram,
		.on_client = on_client,
		.on_socket = chat_udp_socket,
		.arg = srv,
	};

	srv->room.loop = srv->life.loop;
	srv->room.report = srv->life.report;
	srv->room.arg = srv;
	srv->sockopts = life_sockopts(&srv->life, &srv->conf->sockopts);
	srv->started = loop_now(srv->life.loop);
	cookie_start(&srv->cookie);
	srv->listener = listener_open(&setup, err);
	if (!srv->listener)
		return -1;
	open_console(srv);
	return 0;
}

static void
release(void *arg)
{
	struct chat_server *srv = arg;

	chat_udp_close(srv);
	listener_free(srv->listener);
	sink_close(&srv->out);
	chat_room_close(&srv->room);
}

int
chat_server(const struct run *run)
{
	const struct chat_conf *conf = run->conf;
	struct chat_server srv = {
		.conf = conf,
		.datagram = conf->net.udp,
		.table = { .max = (int)conf->listen.max_clients },
		.in = { .watch = WATCH_NONE },
		.out = { .watch = WATCH_NONE },
	};
	struct life_setup setup = {
		.mode = "chat",
		.manner = REPORT_LISTENER,
		.server = true,
		.report = &conf->report,
		.sight = &conf->sight,
		.deadline = conf->limits.deadline,
		.stop = on_stop,
		.members = members,
		.release = release,
		.arg = &srv,
	};
	struct err err = { 0 };

	if (chat_room_open(&srv.room, conf, &err) == -1 ||
		life_begin(&srv.life, &setup, &err) == -1) {
		chat_room_close(&srv.room);
		return mode_refuse(run, &err);
	}
	if (start(&srv, &err) == -1)
		return life_fail(&srv.life, &err);
	return life_run(&srv.life);
}
