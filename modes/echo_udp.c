/* sockctl echo -u -p: each address is a connection, until it is silent for
 * --idle. */
#include "../util/mem.h"
#include "echo.h"
#include <stdlib.h>
#include <unistd.h>

enum { ECHO_IDLE = 60, ECHO_DATAGRAMS = 64 };

static void
peer_gone(struct echo_peer *c, enum close_reason reason)
{
	struct echo_server *srv = c->srv;
	struct conn *k = &c->u.dgram.conn;

	loop_cancel(srv->life.loop, &c->u.dgram.idle);
	(void)conn_closed(k, reason, NULL);
	srv->past.rx += k->rx;
	srv->past.tx += k->tx;
	dgram_forget(&srv->table, c->u.dgram.peer);
	echo_peer_free(c, EXIT_OK);
}

static void
on_peer_timer(void *arg)
{
	struct echo_peer *c = arg;
	int64_t idle = c->srv->conf->limits.idle;
	int64_t left = c->u.dgram.conn.heard - loop_now(c->srv->life.loop);

	left += idle == CLOCK_NONE ? ECHO_IDLE * CLOCK_S : idle;
	if (left > 0)
		loop_timer(c->srv->life.loop, &c->u.dgram.idle, left,
			on_peer_timer, c);
	else
		peer_gone(c, CLOSE_IDLE);
}

/* The connection that a datagram belongs to; NULL: there is no room. */
static struct echo_peer *
peer_of(struct echo_door *d, const struct dgram_from *from)
{
	struct echo_server *srv = d->srv;
	bool fresh;
	struct dgram_peer *peer = dgram_peer(
		&srv->table, d->watch.fd, from, &fresh);
	struct echo_peer *c;

	if (!peer || !fresh)
		return peer ? peer->data : NULL;
	c = echo_peer_new(srv);
	peer->data = c;
	c->u.dgram.peer = peer;
	conn_open(&c->u.dgram.conn, ++srv->addresses, d->watch.fd,
		srv->life.report, srv->life.sight, &peer->addr,
		loop_now(srv->life.loop));
	addr_text(&peer->local, c->u.dgram.conn.local);
	conn_accepted(&c->u.dgram.conn);
	c->u.dgram.conn.heard = loop_now(srv->life.loop);
	if (srv->conf->limits.idle != CLOCK_INF)
		on_peer_timer(c);
	return c;
}

/* Two servers that answer each other never stop: RFC 862, 867, 864, 865 are at
 * 7, 13, 19, 17. */
static bool
may_answer(const struct echo_door *d, const struct addr *peer)
{
	static const int loops[] = { 7, 13, 17, 19 };
	int port = addr_port(peer);
	size_t i;

	if (peer->len == 0 || (port != -1 && port == d->port))
		return false;
	for (i = 0; i < sizeof(loops) / sizeof(*loops); i++)
		if (port == loops[i])
			return false;
	return true;
}

static void
answer(struct echo_door *d, const struct dgram_from *from, const uint8_t *data,
	size_t n)
{
	struct echo_peer *c = peer_of(d, from);
	int64_t now = loop_now(d->srv->life.loop);
	struct buf out = { 0 };
	bool until = false;

	if (!c)
		return;
	conn_received(&c->u.dgram.conn, data, n, now);
	if (d->srv->lines) {
		buf_append(&c->line, data, n);
		until = echo_lines(c, &out, true);
		buf_clear(&c->line);
		n = out.len;
		data = buf_data(&out);
	}
	if (dgram_send(d->watch.fd, data, n, &from->peer, &from->local) >= 0)
		conn_sent(&c->u.dgram.conn, data, n, now);
	buf_free(&out);
	if (until)
		peer_gone(c, CLOSE_LOCAL);
}

static void
on_datagrams(void *arg, unsigned ready)
{
	struct echo_door *d = arg;
	uint8_t *data = loop_scratch(d->srv->life.loop);
	struct dgram_from from;
	ssize_t got;
	int i;

	(void)ready;
	for (i = 0; i < ECHO_DATAGRAMS && !d->srv->stopping; i++) {
		got = dgram_recv(d->watch.fd, data, DGRAM_MAX, &from);
		if (got == -1)
			return;
		if (may_answer(d, &from.peer) &&
			listener_admits(d->srv->listener, &from.peer))
			answer(d, &from, data, (size_t)got);
	}
}

void
echo_on_socket(void *arg, int fd, const struct addr *local)
{
	struct echo_server *srv = arg;
	struct echo_door *d = mem_zero(1, sizeof(*d));

	d->watch.fd = -1;
	d->srv = srv;
	d->fd = fd;
	d->port = addr_port(local);
	d->next = srv->doors;
	srv->doors = d;
	dgram_prepare(fd);
	loop_watch(srv->life.loop, &d->watch, fd, LOOP_READ, on_datagrams, d);
}

void
echo_close_sockets(struct echo_server *srv)
{
	struct echo_door *d;

	while (srv->datagram && srv->peers)
		peer_gone(srv->peers, CLOSE_LOCAL);
	while ((d = srv->doors)) {
		srv->doors = d->next;
		loop_unwatch(srv->life.loop, &d->watch);
		close(d->fd);
		free(d);
	}
	dgram_peers_free(&srv->table);
}
