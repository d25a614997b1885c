/* serve -u: each peer address is a connection that ends after --idle. */
#include "../util/mem.h"
#include "../util/num.h"
#include "serve_far.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	UDP_IDLE = 60, /* s */
	UDP_PEERS = 1024, /* addresses, without --max-clients */
	UDP_READS = 64, /* a turn */
	UDP_CHUNK = 1400,
};

struct udp_socket {
	struct serve *serve;
	struct watch watch;
	struct udp_socket *next;
};

struct serve_udp {
	struct udp_socket *sockets;
	struct timer sweep;
	unsigned last_id;
};

struct udp_peer {
	struct client client;
	struct conn conn;
	struct dgram_peer *peer;
	struct far *far; /* --forward */
	struct buf line; /* --prefix */
};

static int64_t
idle_of(const struct serve *s)
{
	int64_t idle = s->conf->limits.idle;

	return idle == CLOCK_NONE ? UDP_IDLE * CLOCK_S : idle;
}

static void
forget(struct serve *s, struct udp_peer *p, enum close_reason reason)
{
	conn_closed(&p->conn, reason, NULL);
	serve_prefix_rest(s, p->conn.id, &p->line);
	if (p->far)
		far_close(p->far);
	dgram_forget(&s->peers, p->peer);
	serve_left(&p->client, EXIT_OK);
	source_pause(&s->in, !s->clients);
	buf_free(&p->line);
	free(p);
}

static void on_sweep(void *arg);

/* The peers that were silent for --idle leave; the next look is when the
 * oldest of the others would. */
static void
sweep(struct serve *s)
{
	int64_t now = loop_now(s->life.loop), idle = idle_of(s);
	int64_t next = CLOCK_INF;
	struct client *c, *after;

	if (idle == CLOCK_INF)
		return;
	for (c = s->clients; c; c = after) {
		struct udp_peer *p = (struct udp_peer *)c;
		int64_t due = p->conn.moved + idle;
		after = c->next;
		if (due <= now)
			forget(s, p, CLOSE_IDLE);
		else if (due < next)
			next = due;
	}
	loop_timer(s->life.loop, &s->udp->sweep,
		next == CLOCK_INF ? CLOCK_INF : next - now, on_sweep, s);
}

static void
on_sweep(void *arg)
{
	sweep(arg);
}

/* To peers. An ICMP error of an earlier datagram is told by the next call and
 * belongs to nobody in particular: the second try sends. */
static void
send_to(struct serve *s, struct udp_peer *p, const uint8_t *data, size_t n)
{
	struct report_conn id = conn_id(&p->conn);
	struct err err = { 0 };
	ssize_t put = dgram_send(
		p->peer->fd, data, n, &p->peer->addr, &p->peer->local);

	if (put == -1 && errno == ECONNREFUSED)
		put = dgram_send(
			p->peer->fd, data, n, &p->peer->addr, &p->peer->local);
	if (put >= 0) {
		conn_sent(&p->conn, data, n, loop_now(s->life.loop));
		return;
	}
	if (net_blocked())
		return; /* UDP drops what does not fit */
	err_set(&err, "send", errno, p->conn.peer);
	report_error(s->life.report, &id, &err);
}

static void
on_answer(void *arg, const uint8_t *data, size_t n)
{
	struct udp_peer *p = arg;

	send_to(p->client.serve, p, data, n);
}

/* The target is gone; the peer's next datagram begins anew. */
static void
on_far_end(void *arg, const struct err *err)
{
	struct udp_peer *p = arg;
	struct serve *s = p->client.serve;
	struct report_conn id = conn_id(&p->conn);

	if (err)
		report_error(s->life.report, &id, err);
	forget(s, p, err ? CLOSE_ERROR : CLOSE_EOF);
}

static struct udp_peer *
new_peer(struct serve *s, struct dgram_peer *peer, int fd)
{
	struct udp_peer *p = mem_zero(1, sizeof(*p));

	p->peer = peer;
	peer->data = p;
	conn_open(&p->conn, ++s->udp->last_id, fd, s->life.report,
		s->life.sight, &peer->addr, loop_now(s->life.loop));
	if (peer->local.len)
		addr_text(&peer->local, p->conn.local);
	loop_cancel(s->life.loop, &s->first);
	s->active++;
	conn_accepted(&p->conn);
	serve_joined(s, &p->client, &p->conn);
	if (s->action == &serve_datagram_forward)
		p->far = far_open(s, on_answer, on_far_end, p);
	else
		source_pause(&s->in, false);
	if (!timer_set(&s->udp->sweep))
		sweep(s);
	return p;
}

/* The peer of a datagram: an old one, or a new one where there is room. */
static struct udp_peer *
peer_of(struct serve *s, int fd, const struct dgram_from *from)
{
	struct dgram_peer *peer = dgram_peer(&s->peers, fd, from, NULL);
	bool made = false;

	if (peer)
		return peer->data;
	if (s->ending || (s->count && s->served + s->active >= s->count) ||
		!listener_admits(s->listener, &from->peer))
		return NULL;
	peer = dgram_peer(&s->peers, fd, from, &made);
	return peer ? new_peer(s, peer, fd) : NULL;
}

static void
send_all(struct serve *s, const struct udp_peer *but, const uint8_t *data,
	size_t n)
{
	struct client *c;

	for (c = s->clients; c; c = c->next)
		if ((struct udp_peer *)c != but)
			send_to(s, (struct udp_peer *)c, data, n);
}

static void
on_input(void *arg, const uint8_t *data, size_t n)
{
	send_all(arg, NULL, data, n);
}

static void
on_input_end(void *arg, const struct err *err)
{
	if (err)
		serve_fail(arg, err);
}

/* From peers. */

static void
show(struct serve *s, struct udp_peer *p, const uint8_t *data, size_t n)
{
	bool lines = s->conf->datagram == DATAGRAM_LINE;

	if (s->conf->discard)
		return;
	if (s->conf->prefix)
		serve_prefixed(s, p->conn.id, &p->line, data, n);
	else
		serve_output(s, data, n);
	if (!lines || (n > 0 && data[n - 1] == '\n'))
		return;
	if (s->conf->prefix)
		serve_prefix_rest(s, p->conn.id, &p->line);
	else
		serve_output(s, "\n", 1);
}

static void
take(struct serve *s, int fd, const struct dgram_from *from,
	const uint8_t *data, size_t n)
{
	struct udp_peer *p = peer_of(s, fd, from);
	struct report_conn id;
	struct err err = { 0 };

	if (!p)
		return;
	conn_received(&p->conn, data, n, loop_now(s->life.loop));
	if (from->truncated) {
		id = conn_id(&p->conn);
		err_setf(&err, "recv", EMSGSIZE, p->conn.peer,
			"a datagram was cut short to %zu bytes", n);
		report_error(s->life.report, &id, &err);
	}
	if (p->far) {
		far_send(p->far, data, n);
		return;
	}
	if (s->conf->broker)
		send_all(s, p, data, n);
	show(s, p, data, n);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct udp_socket *u = arg;
	struct serve *s = u->serve;
	uint8_t *data = loop_scratch(s->life.loop);
	struct dgram_from from;
	ssize_t got;
	int i;

	(void)ready;
	for (i = 0; i < UDP_READS; i++) {
		if (sink_full(&s->out) || s->ending)
			return;
		got = dgram_recv(u->watch.fd, data, DGRAM_MAX, &from);
		if (got == -1 && errno == ECONNREFUSED)
			continue;
		if (got == -1)
			return;
		take(s, u->watch.fd, &from, data, (size_t)got);
	}
}

static void
udp_pause(struct serve *s, bool paused)
{
	struct udp_socket *u;

	s->out_full = paused;
	for (u = s->udp->sockets; u; u = u->next)
		loop_want(s->life.loop, &u->watch, paused ? 0 : LOOP_READ);
}

static void
on_socket(void *arg, int fd, const struct addr *local)
{
	struct serve *s = arg;
	struct udp_socket *u = mem_zero(1, sizeof(*u));

	(void)local;
	dgram_prepare(fd);
	u->serve = s;
	u->watch.fd = -1;
	u->next = s->udp->sockets;
	s->udp->sockets = u;
	loop_watch(s->life.loop, &u->watch, fd, LOOP_READ, on_ready, u);
}

static void
udp_start(struct serve *s)
{
	uint64_t chunk = s->conf->pace.chunk ? s->conf->pace.chunk : UDP_CHUNK;
	bool deaf = s->conf->ends.recv_only || s->conf->discard;

	serve_output_open(s);
	source_open(&s->in, s->life.loop, deaf ? -1 : 0,
		chunk < DGRAM_MAX ? (size_t)chunk : DGRAM_MAX, on_input,
		on_input_end, s);
}

static void
udp_abort(struct client *c, enum close_reason reason, bool reset)
{
	(void)reset;
	forget(c->serve, (struct udp_peer *)c, reason);
}

static void
udp_finish(struct client *c)
{
	udp_abort(c, CLOSE_LOCAL, false);
}

#define DATAGRAMS \
	.start = udp_start, .finish = udp_finish, .abort = udp_abort, \
	.pause = udp_pause

const struct action serve_datagram = { DATAGRAMS };
const struct action serve_datagram_forward = { DATAGRAMS };

int
serve_udp_open(struct serve *s, struct listener_setup *setup, struct err *err)
{
	int64_t most = s->conf->listen.max_clients;

	s->udp = mem_zero(1, sizeof(*s->udp));
	s->peers.max = most ? (int)most : UDP_PEERS;
	setup->on_socket = on_socket;
	s->listener = listener_open(setup, err);
	return s->listener ? 0 : -1;
}

void
serve_udp_free(struct serve *s)
{
	struct udp_socket *u, *next;

	if (!s->udp)
		return;
	for (u = s->udp->sockets; u; u = next) {
		next = u->next;
		loop_unwatch(s->life.loop, &u->watch);
		free(u);
	}
	loop_cancel(s->life.loop, &s->udp->sweep);
	dgram_peers_free(&s->peers);
	free(s->udp);
}
