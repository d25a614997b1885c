/* flood -u -p: the far side of datagrams. Nothing is kept of an address, and
 * nothing but a cookie is sent to it, until it has returned that cookie. */
#include "../util/cookie.h"
#include "../util/mem.h"
#include "flood_far.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READS = 16 };

/* Of a sender nothing was heard; a receiver gave no sign of life. */
#define SILENCE_MAX (30 * CLOCK_S)
#define UNHEARD_MAX (5 * CLOCK_S)
/* Late ends are answered so long. */
#define LINGER (500 * CLOCK_MS)
/* What is sent where neither bytes nor seconds were asked for. */
#define NOTHING 1

struct door {
	struct far *far;
	struct watch watch;
	struct session *latest; /* whose datagrams came last */
	struct door *next;
};

struct session {
	struct far *far;
	struct door *door;
	struct dgram_peer *peer;
	struct conn conn;
	struct flood_flow flow;
	struct flood_ask ask;
	struct timer pace, look;
	bool sends, receives;
	bool ready; /* may send in this turn */
	bool ending; /* all was sent */
	int64_t until; /* it sends at most until then */
	int64_t done; /* when all was counted; 0: not yet */
	struct session *next, **from;
};

struct udp_far {
	struct door *doors;
	struct session *sessions;
	struct dgram_peers peers;
	struct udpbulk_room *room;
	struct cookie cookie;
	unsigned last_id;
};

static void
totals_of(const struct session *s, struct flood_totals *t)
{
	const struct flood_flow *w = &s->flow;

	*t = (struct flood_totals){ .kind = KIND_UDP,
		.began = s->conn.opened,
		.ended = s->conn.moved,
		.connections = 1,
		.retrans = -1,
		.both_ways = s->sends && s->receives,
		.reverse = !s->sends };
	if (s->receives) {
		flood_flow_counts(w, &t->udp);
		t->received = t->udp.bytes;
		t->udp_sent = t->udp.received + t->udp.lost;
		t->udp_known = true;
		if (w->first != 0) {
			t->began = w->first;
			t->ended = w->last;
		}
	}
	if (s->sends) {
		struct flood_totals out = { .retrans = -1,
			.sent = w->known ? w->counts.bytes : w->bytes,
			.udp_sent = w->next,
			.udp = w->counts,
			.udp_known = w->known,
			.burst = w->bulk.most };

		flood_totals_add(t, &out);
	}
}

static void
end_session(struct session *s, enum close_reason reason)
{
	struct far *far = s->far;
	struct report_conn id = conn_id(&s->conn);
	struct field fields[LIFE_MEMBERS];
	struct hist none = { 0 };
	struct flood_totals t;
	struct flood_room room;
	struct err err = { 0 };
	int code;

	totals_of(s, &t);
	t.errors = reason != CLOSE_EOF && reason != CLOSE_LOCAL;
	report_event(far->report, EV_RESULT, &id, fields,
		flood_members(
			fields, &room, &t, &none, far->conf, s->conn.moved));
	s->conn.fd = -1; /* what waits in the socket is everybody's */
	if (reason == CLOSE_IDLE)
		conn_idle_over(
			&s->conn, loop_now(far->loop) - s->conn.heard, &err);
	code = conn_ended(&s->conn, reason, err.op ? &err : NULL);
	loop_cancel(far->loop, &s->pace);
	loop_cancel(far->loop, &s->look);
	flood_flow_free(&s->flow);
	dgram_forget(&far->udp->peers, s->peer);
	if (s->door->latest == s)
		s->door->latest = NULL;
	*s->from = s->next;
	if (s->next != NULL)
		s->next->from = s->from;
	free(s);
	far_gone(far, &t, code);
}

static bool
is_done(const struct session *s)
{
	return (!s->sends || s->flow.known || s->flow.ends >= FLOOD_ENDS) &&
		(!s->receives || s->flow.ended);
}

/* Who is silent for too long is forgotten; who is done, soon. */
static void
on_look(void *arg)
{
	struct session *s = arg;
	int64_t now = loop_now(s->far->loop);
	int64_t idle = s->far->conf->limits.idle, most, rest;

	if (s->done == 0 && is_done(s))
		s->done = now;
	most = s->sends ? UNHEARD_MAX : idle > 0 ? idle : SILENCE_MAX;
	rest = s->done != 0 ? s->done + LINGER - now
			    : s->conn.heard + most - now;
	if (rest > 0) {
		loop_timer(s->far->loop, &s->look, rest, on_look, s);
		return;
	}
	end_session(s, s->done != 0 ? CLOSE_EOF : CLOSE_IDLE);
}

static void
on_end(void *arg)
{
	struct session *s = arg;

	if (!s->flow.known && s->flow.ends < FLOOD_ENDS) {
		(void)flood_flow_end(&s->flow);
		loop_timer(s->far->loop, &s->pace, FLOOD_END_PAUSE, on_end, s);
	} else {
		on_look(s);
	}
}

static void
update_door(struct door *d)
{
	unsigned want = LOOP_READ;

	for (struct session *s = d->far->udp->sessions; s; s = s->next)
		/* end_session unlinks by s->from, which the analyser does not
		 * follow. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		if (s->door == d && s->ready)
			want |= LOOP_WRITE;
	loop_want(d->far->loop, &d->watch, want);
}

static void
on_paced(void *arg)
{
	struct session *s = arg;

	s->ready = true;
	update_door(s->door);
}

static void
finish_sending(struct session *s)
{
	s->ready = false;
	s->ending = true;
	on_end(s);
}

static void
send_more(struct session *s)
{
	if (clock_now() >= s->until) {
		finish_sending(s);
		return;
	}
	switch (flood_flow_send(&s->flow)) {
	case MOVE_SOME:
	case MOVE_WAIT:
		return;
	case MOVE_PACED:
		s->ready = false;
		loop_timer(s->far->loop, &s->pace, flood_flow_wait(&s->flow),
			on_paced, s);
		return;
	case MOVE_END:
	case MOVE_WRONG:
	case MOVE_LOST: /* an ICMP error of an earlier one: see UNHEARD_MAX */
		finish_sending(s);
		return;
	}
}

static size_t
chunk_of(const struct flood_ask *a)
{
	if (a->chunk < FLOOD_HEAD)
		return FLOOD_DATAGRAM;
	return a->chunk < FLOOD_CHUNK_MAX ? (size_t)a->chunk : FLOOD_CHUNK_MAX;
}

static void
begin_sending(struct session *s)
{
	int64_t now = loop_now(s->far->loop);
	size_t chunk = chunk_of(&s->ask);
	bool timed = s->ask.duration > 0 && s->ask.duration < CLOCK_INF - now;

	flood_flow_send_at(&s->flow, chunk, true, s->ask.rate, now);
	s->until = timed ? now + s->ask.duration : CLOCK_INF;
	if (s->ask.bytes > 0)
		s->flow.limit = (s->ask.bytes + chunk - 1) / chunk;
	else if (!timed)
		s->flow.limit = NOTHING;
	s->ready = true;
}

static struct session *
new_session(struct door *d, struct dgram_peer *peer, const struct flood_ask *a,
	uint64_t run)
{
	struct far *far = d->far;
	struct session *s = mem_zero(1, sizeof(*s));

	*s = (struct session){ .far = far,
		.door = d,
		.peer = peer,
		.ask = *a,
		.sends = a->role == FLOOD_SOURCE || a->role == FLOOD_BOTH,
		.receives = a->role != FLOOD_SOURCE,
		.next = far->udp->sessions,
		.from = &far->udp->sessions };
	if (s->next != NULL)
		s->next->from = &s->next;
	far->udp->sessions = s;
	peer->data = s;
	far->live++;
	conn_open(&s->conn, ++far->udp->last_id, d->watch.fd, far->report,
		far->sight, &peer->addr, loop_now(far->loop));
	if (peer->local.len != 0)
		addr_text(&peer->local, s->conn.local);
	conn_accepted(&s->conn);
	loop_cancel(far->loop, &far->limit); /* -w: somebody came */
	s->conn.heard = loop_now(far->loop);
	s->flow = (struct flood_flow){ .conn = &s->conn,
		.to = &peer->addr,
		.local = &peer->local,
		.run = run };
	if (s->sends)
		begin_sending(s);
	on_look(s);
	return s;
}

/* A cookie that is ours: the address is whose it says. */
static void
enter(struct door *d, const struct dgram_from *from, const struct flood_head *h,
	const uint8_t *data, size_t n)
{
	struct far *far = d->far;
	struct flood_line line = { .len = 0 };
	struct flood_ask ask = { .role = FLOOD_SINK };
	struct dgram_peer *peer;
	const char *why;
	bool made;
	size_t taken;

	if (flood_line_add(&line, data, n, &taken) == FLOOD_WHOLE &&
		flood_ask_read(&ask, line.text, &why) == -1)
		return;
	peer = dgram_peer(&far->udp->peers, d->watch.fd, from, NULL);
	if (peer != NULL)
		end_session(peer->data, CLOSE_EOF); /* a new run of it */
	if (far->stopping)
		return;
	peer = dgram_peer(&far->udp->peers, d->watch.fd, from, &made);
	if (peer == NULL)
		return;
	new_session(d, peer, &ask, h->run);
	update_door(d);
}

static void
greet(struct door *d, const struct dgram_from *from, const struct flood_head *h,
	const uint8_t *data, size_t n)
{
	struct udp_far *u = d->far->udp;
	uint64_t cookie = cookie_of(&u->cookie, &from->peer, h->run);
	struct flood_head answer = { .type = FLOOD_COOKIE,
		.run = h->run,
		.sequence = cookie,
		.time = h->time };
	uint8_t out[FLOOD_HEAD];

	if (h->type == FLOOD_COOKIE && h->sequence == cookie)
		enter(d, from, h, data + FLOOD_HEAD, n - FLOOD_HEAD);
	if (h->type != FLOOD_HELLO)
		return;
	flood_head_write(out, &answer);
	(void)dgram_send(
		d->watch.fd, out, sizeof(out), &from->peer, &from->local);
}

static void
take(struct session *s, const struct udpbulk_bundle *b)
{
	int64_t now = clock_now();

	conn_received(&s->conn, b->data, b->len, now);
	flood_flow_take(&s->flow, b, now, NULL, NULL);
	if (s->done == 0 && is_done(s))
		on_look(s);
}

/* Mostly it is the one that it was before. */
static struct session *
session_of(struct door *d, const struct dgram_from *from)
{
	const struct session *s = d->latest;
	struct dgram_peer *peer;

	if (s != NULL && s->peer->addr.len == from->peer.len &&
		memcmp(&s->peer->addr.ss, &from->peer.ss, from->peer.len) == 0)
		return d->latest;
	peer = dgram_peer(&d->far->udp->peers, d->watch.fd, from, NULL);
	d->latest = peer != NULL ? peer->data : NULL;
	return d->latest;
}

static void
on_bundle(void *arg, const struct udpbulk_bundle *b)
{
	struct door *d = arg;
	struct session *s = session_of(d, b->from);
	struct flood_head h;

	if (s == NULL && !listener_admits(d->far->listener, &b->from->peer))
		return;
	if (flood_head_read(&h, b->data, b->len) == -1)
		return;
	if (s == NULL || h.run != s->flow.run || h.type == FLOOD_HELLO)
		greet(d, b->from, &h, b->data,
			b->len < b->size ? b->len : b->size);
	else
		take(s, b);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct door *d = arg;
	struct udp_far *u = d->far->udp;
	struct session *s, *next;
	int n = 1;

	for (int i = 0; ready & LOOP_READ && i < READS && n > 0; i++)
		n = udpbulk_recv(u->room, d->watch.fd, on_bundle, d);
	for (s = u->sessions; s != NULL && ready & LOOP_WRITE; s = next) {
		next = s->next;
		if (s->door == d && s->ready)
			send_more(s);
	}
	update_door(d);
}

void
udp_far_add(struct far *far, int fd)
{
	struct door *d = mem_zero(1, sizeof(*d));

	if (far->udp == NULL) {
		far->udp = mem_zero(1, sizeof(*far->udp));
		far->udp->peers.max = (int)far->conf->listen.max_clients;
		far->udp->room = udpbulk_room();
		cookie_start(&far->udp->cookie);
	}
	dgram_prepare(fd);
	udpbulk_prepare(fd, true);
	d->far = far;
	d->watch.fd = -1;
	d->next = far->udp->doors;
	far->udp->doors = d;
	loop_watch(far->loop, &d->watch, fd, LOOP_READ, on_ready, d);
}

void
udp_far_stop(struct far *far)
{
	while (far->udp->sessions != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it unlinks */
		end_session(far->udp->sessions, CLOSE_LOCAL);
}

void
udp_far_free(struct far *far)
{
	struct udp_far *u = far->udp;
	struct door *next;

	if (u == NULL)
		return;
	for (struct door *d = u->doors; d != NULL; d = next) {
		int fd = d->watch.fd;

		next = d->next;
		loop_unwatch(far->loop, &d->watch);
		close(fd);
		free(d);
	}
	dgram_peers_free(&u->peers);
	udpbulk_room_free(u->room);
	free(u);
	far->udp = NULL;
}
