/* sockctl chat -u -p: an address is a member once it has shown that it receives
 * there, and until it is silent for --idle. */
#include "../util/mem.h"
#include "chat_server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CHAT_DATAGRAMS = 64, /* a wakeup */
	CHAT_HELD = 64 * 1024, /* bytes of a member that waits for its pace */
};

/* Nine digits: many enough not to be guessed, few enough for an answer that is
 * shorter than most lines. */
enum { CHAT_DIGITS = 9 };
/* A number is taken in the period that it was made in, and in the next one. */
#define CHAT_PERIOD (60 * CLOCK_S)

struct chat_door {
	struct watch watch;
	struct chat_server *srv;
	struct chat_door *next;
	int fd;
};

static void
datagram_send(struct chat_member *m, const void *line, size_t n)
{
	struct chat_client *c = (struct chat_client *)m;
	const struct dgram_peer *p = c->u.dgram.peer;

	if (dgram_send(p->fd, line, n, &p->addr, &p->local) >= 0)
		conn_sent(
			&c->u.dgram.conn, line, n, loop_now(c->srv->life.loop));
}

static void
datagram_left(struct chat_member *m)
{
	struct chat_client *c = (struct chat_client *)m;

	(void)conn_closed(
		&c->u.dgram.conn, c->slow ? CLOSE_IDLE : CLOSE_LOCAL, NULL);
	dgram_forget(&c->srv->table, c->u.dgram.peer);
	chat_client_gone(c);
}

static const struct chat_way datagram_way = {
	.send = datagram_send,
	.left = datagram_left,
};

static void
on_idle(void *arg)
{
	struct chat_client *c = arg;
	int64_t idle = c->srv->conf->limits.idle, left;

	if (idle == CLOCK_INF)
		return;
	if (idle == CLOCK_NONE)
		idle = CHAT_IDLE * CLOCK_S;
	left = c->u.dgram.peer->heard + idle - loop_now(c->srv->life.loop);
	if (left > 0) {
		loop_timer(c->srv->life.loop, &c->timer, left, on_idle, c);
		return;
	}
	c->slow = true;
	chat_leave(&c->m, "silent for too long");
}

static void
enter(struct chat_door *d, const struct dgram_from *from, const uint8_t *data,
	size_t n)
{
	struct chat_server *srv = d->srv;
	bool fresh;
	struct dgram_peer *peer = dgram_peer(
		&srv->table, d->watch.fd, from, &fresh);
	int64_t now = loop_now(srv->life.loop);
	struct chat_client *c;
	struct conn *k;

	if (!peer)
		return;
	c = chat_client_new(srv);
	k = &c->u.dgram.conn;
	peer->data = c;
	peer->heard = now;
	c->u.dgram.peer = peer;
	conn_open(k, ++srv->addresses, d->watch.fd, srv->life.report,
		srv->life.sight, &peer->addr, now);
	addr_text(&peer->local, k->local);
	conn_accepted(k);
	conn_received(k, data, n, now);
	c->m.way = &datagram_way;
	c->m.conn = k;
	c->m.id = k->id;
	chat_enter(&srv->room, &c->m, &peer->addr, NULL);
	on_idle(c);
}

static void
number_of(const struct chat_door *d, const struct addr *peer, int64_t now,
	char out[CHAT_DIGITS + 1])
{
	uint64_t number = cookie_of(
		&d->srv->cookie, peer, (uint64_t)(now / CHAT_PERIOD));

	snprintf(out, CHAT_DIGITS + 1, "%09u", (unsigned)(number % 1000000000));
}

/* Nobody is sent more than he sent, before he has shown that he hears it. */
static void
ask(struct chat_door *d, const struct dgram_from *from, size_t most)
{
	char number[CHAT_DIGITS + 1], text[128];
	size_t n;

	number_of(d, &from->peer, loop_now(d->srv->life.loop), number);
	snprintf(text, sizeof(text),
		"-- enter %s\n-- send that number alone to enter\n", number);
	n = strlen(text);
	if (n > most)
		n = strcspn(text, "\n") + 1;
	if (n > most)
		n--; /* without its newline */
	if (n <= most)
		dgram_send(d->watch.fd, text, n, &from->peer, &from->local);
}

static void
at_the_door(struct chat_door *d, const struct dgram_from *from,
	const uint8_t *data, size_t n)
{
	int64_t now = loop_now(d->srv->life.loop);
	const char *text = (const char *)data, *word;
	char number[CHAT_DIGITS + 1];
	size_t len = n, k;
	int i;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	k = chat_word(&text, &len, &word);
	for (i = 0; i < 2 && len == 0 && k == CHAT_DIGITS; i++) {
		number_of(d, &from->peer, now - i * CHAT_PERIOD, number);
		if (memcmp(number, word, k) == 0) {
			enter(d, from, data, n);
			return;
		}
	}
	ask(d, from, n);
}

static void
take(struct chat_door *d, const struct dgram_from *from, const uint8_t *data,
	size_t n)
{
	struct dgram_peer *peer = dgram_peer(
		&d->srv->table, d->watch.fd, from, NULL);
	struct chat_client *c = peer ? peer->data : NULL;

	if (!c) {
		at_the_door(d, from, data, n);
		return;
	}
	peer->heard = loop_now(d->srv->life.loop);
	conn_received(&c->u.dgram.conn, data, n, peer->heard);
	if (c->m.in.bytes.len > CHAT_HELD)
		return;
	chat_feed(&c->m.in, data, n);
	chat_feed_end(&c->m.in);
	chat_hear(&c->m, NULL, 0);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct chat_door *d = arg;
	uint8_t *data = loop_scratch(d->srv->life.loop);
	struct dgram_from from;
	ssize_t got;
	int i;

	(void)ready;
	for (i = 0; i < CHAT_DATAGRAMS && !d->srv->ending; i++) {
		got = dgram_recv(d->watch.fd, data, DGRAM_MAX, &from);
		if (got == -1)
			return;
		if (from.peer.len &&
			listener_admits(d->srv->listener, &from.peer))
			take(d, &from, data, (size_t)got);
	}
}

void
chat_udp_socket(void *arg, int fd, const struct addr *local)
{
	struct chat_server *srv = arg;
	struct chat_door *d = mem_zero(1, sizeof(*d));

	(void)local;
	d->watch.fd = -1;
	d->srv = srv;
	d->fd = fd;
	d->next = srv->doors;
	srv->doors = d;
	dgram_prepare(fd);
	loop_watch(srv->life.loop, &d->watch, fd, LOOP_READ, on_ready, d);
}

void
chat_udp_close(struct chat_server *srv)
{
	struct chat_door *d;

	while ((d = srv->doors)) {
		srv->doors = d->next;
		loop_unwatch(srv->life.loop, &d->watch);
		close(d->fd);
		free(d);
	}
	dgram_peers_free(&srv->table);
}
