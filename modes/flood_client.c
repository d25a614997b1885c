/* flood -p: one client of the far side: it is counted, and the role that it
 * asks for is played. */
#include "../util/mem.h"
#include "flood_far.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that answers nothing any more, not even the system's probes, is
 * forgotten after 30 s; one that is only quiet may stay. */
static const struct {
	const char *name, *value;
} watchful[] = {
	{ "keepalive", "1" },
	{ "keepalive-idle", "15" },
	{ "keepalive-interval", "5" },
	{ "keepalive-count", "3" },
	{ "user-timeout", "30000" },
};
enum { WATCHFUL = sizeof(watchful) / sizeof(watchful[0]) };

enum { GREETING, SINK, SOURCE, BOTH, STALL, LEAVING, DEAD };

#define STALL_PAUSE (10 * CLOCK_MS)

/* What still comes is dropped for so long before a close. */
#define DRAIN (200 * CLOCK_MS)
#define LEAVE_MAX (30 * CLOCK_S)

struct client {
	struct far *far;
	struct conn conn;
	struct watch watch;
	struct timer timer, end, idle;
	struct flood_data data;
	struct flood_line line;
	struct flood_ask ask;
	struct flood_stall stall;
	int stage;
	int code; /* that its end means, whatever way it ends */
	int64_t began;
	struct flood_totals before; /* processor time at the start */
	char congestion[16];
	bool chosen;
	struct client *next, **from;
};

static void
result(struct client *c, struct flood_totals *t)
{
	struct report_conn id = conn_id(&c->conn);
	struct field fields[LIFE_MEMBERS];
	struct hist none = { 0 };
	struct flood_room room;

	*t = (struct flood_totals){ .kind = KIND_THROUGHPUT,
		.sent = c->data.sent,
		.received = c->data.received,
		.began = c->began,
		.ended = c->conn.moved,
		.connections = 1,
		.errors = c->code != EXIT_OK,
		.retrans = -1,
		.chosen = c->chosen,
		.both_ways = c->ask.role == FLOOD_BOTH,
		.reverse = c->ask.role != FLOOD_SOURCE };
	memcpy(t->congestion, c->congestion, sizeof(t->congestion));
	flood_totals_cpu(t);
	t->cpu_user -= c->before.cpu_user;
	t->cpu_system -= c->before.cpu_system;
	flood_totals_tcp(t, c->conn.fd);
	report_event(c->far->report, EV_RESULT, &id, fields,
		flood_members(
			fields, &room, t, &none, c->far->conf, c->conn.moved));
}

void
far_bury(struct far *far)
{
	struct client *c, *next;

	for (c = far->dead; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	far->dead = NULL;
}

static void
bury(void *arg)
{
	far_bury(arg);
}

static void
gone(struct client *c, enum close_reason reason, const struct err *err)
{
	struct far *far = c->far;
	struct flood_totals t;
	int code;

	if (reason == CLOSE_RESET || reason == CLOSE_ERROR)
		c->code = EXIT_LOST;
	result(c, &t);
	code = conn_ended(&c->conn, reason, err);
	loop_cancel(far->loop, &c->timer);
	loop_cancel(far->loop, &c->end);
	loop_cancel(far->loop, &c->idle);
	loop_unwatch(far->loop, &c->watch);
	flood_data_end(&c->data);
	net_close(c->conn.fd, far->conf->sockopts.linger);
	*c->from = c->next;
	if (c->next != NULL)
		c->next->from = c->from;
	code = err_worst(code, c->code);
	/* Whoever is at work on it may look once more. */
	c->stage = DEAD;
	c->next = far->dead;
	far->dead = c;
	loop_timer(far->loop, &far->burial, 0, bury, far);
	far_gone(far, &t, code);
}

static void
lost(struct client *c, const char *op, int number)
{
	bool reset = number == ECONNRESET || number == EPIPE;
	struct err err = { 0 };

	conn_lost(&c->conn, &err, op, number);
	gone(c, reset ? CLOSE_RESET : CLOSE_ERROR, &err);
}

static void
on_end_of_drain(void *arg)
{
	gone(arg, CLOSE_LOCAL, NULL);
}

/* No more is said; what comes is dropped until the peer's FIN. */
static void
leave(struct client *c, int64_t most)
{
	if (c->stage == LEAVING)
		return;
	c->stage = LEAVING;
	c->data.verify = false;
	loop_cancel(c->far->loop, &c->timer);
	if (shutdown(c->conn.fd, SHUT_WR) == 0)
		conn_fin_out(&c->conn);
	if (c->conn.fin_in) {
		gone(c, CLOSE_EOF, NULL);
		return;
	}
	loop_want(c->far->loop, &c->watch, LOOP_READ);
	loop_timer(c->far->loop, &c->end, most, on_end_of_drain, c);
}

/* False: the client is gone. */
static bool
say(struct client *c, const struct flood_answer *a)
{
	char out[FLOOD_LINE_MAX + 1];
	size_t n = flood_answer_write(a, out);
	uint64_t tx = c->conn.tx;

	if (flood_line_send(c->conn.fd, out, n) == 0) {
		conn_sent(&c->conn, out, n, loop_now(c->far->loop));
		c->conn.tx = tx; /* no count contains lines */
		return true;
	}
	if (errno == EAGAIN)
		return true; /* it does not read: nothing is owed to it */
	lost(c, "send", errno);
	return false;
}

static void
refuse(struct client *c, const char *why)
{
	struct report_conn id = conn_id(&c->conn);
	struct flood_answer a = { .word = FLOOD_ERROR };
	struct err err = { 0 };

	err_setf(&err, "protocol", 0, c->conn.peer, "%s", why);
	report_error(c->far->report, &id, &err);
	c->code = EXIT_INTEGRITY;
	snprintf(a.text, sizeof(a.text), "%s", why);
	if (say(c, &a))
		leave(c, DRAIN);
}

/* The end of what a counting role received. */
static void
counted(struct client *c)
{
	int64_t duration = c->conn.heard - c->began;
	struct flood_answer a = { .word = FLOOD_RESULT,
		.bytes = c->data.received,
		.duration = duration > 0 ? duration : 0 };

	conn_fin_in(&c->conn);
	if (say(c, &a))
		leave(c, DRAIN);
}

static void
finish_sending(struct client *c)
{
	bool over = c->stage == SOURCE || c->conn.fin_in;

	loop_cancel(c->far->loop, &c->timer);
	if (over) {
		leave(c, LEAVE_MAX);
		return;
	}
	/* BOTH goes on receiving. */
	c->stage = SINK;
	if (shutdown(c->conn.fd, SHUT_WR) == 0)
		conn_fin_out(&c->conn);
	loop_want(c->far->loop, &c->watch, LOOP_READ);
}

static void send_more(struct client *c);

static void
on_paced(void *arg)
{
	send_more(arg);
}

static void
send_more(struct client *c)
{
	unsigned in = c->conn.fin_in ? 0 : LOOP_READ;

	switch (flood_data_send(&c->data, &c->conn)) {
	case MOVE_SOME:
	case MOVE_WAIT:
		loop_want(c->far->loop, &c->watch, in | LOOP_WRITE);
		return;
	case MOVE_PACED:
		loop_want(c->far->loop, &c->watch, in);
		loop_timer(c->far->loop, &c->timer, flood_data_wait(&c->data),
			on_paced, c);
		return;
	case MOVE_END:
		finish_sending(c);
		return;
	case MOVE_WRONG:
	case MOVE_LOST:
		lost(c, "send", errno);
		return;
	}
}

static void
on_time(void *arg)
{
	finish_sending(arg);
}

static void
peer_ended(struct client *c)
{
	bool limited = c->ask.bytes > 0 || c->ask.duration > 0;

	if (c->stage == SINK && !c->conn.fin_out) {
		counted(c);
		return;
	}
	conn_fin_in(&c->conn);
	loop_want(c->far->loop, &c->watch, c->watch.want & LOOP_WRITE);
	if (c->stage == LEAVING || c->stage == SINK)
		gone(c, CLOSE_EOF, NULL);
	else if (!limited)
		finish_sending(c);
}

static void
receive(struct client *c)
{
	char text[64];

	switch (flood_data_recv(&c->data, &c->conn)) {
	case MOVE_SOME:
	case MOVE_WAIT:
	case MOVE_PACED:
		return;
	case MOVE_END:
		peer_ended(c);
		return;
	case MOVE_WRONG:
		snprintf(text, sizeof(text), "byte %llu is not the pattern's",
			(unsigned long long)c->data.right);
		refuse(c, text);
		return;
	case MOVE_LOST:
		lost(c, "recv", errno);
		return;
	}
}

static void
on_stall(void *arg)
{
	struct client *c = arg;
	uint8_t *in = loop_scratch(c->far->loop);
	bool holds = flood_stall_holds(
		&c->stall, c->conn.fd, loop_now(c->far->loop));
	ssize_t n = holds ? -1 : recv(c->conn.fd, in, c->stall.step, 0);
	struct flood_answer a = { .word = FLOOD_READ };

	if (n == 0) {
		c->stage = SINK;
		counted(c);
		return;
	}
	if (n == -1 && !holds && errno != EAGAIN && errno != EINTR) {
		lost(c, "recv", errno);
		return;
	}
	loop_timer(c->far->loop, &c->timer, STALL_PAUSE, on_stall, c);
	if (n == -1)
		return;
	conn_received(&c->conn, in, (size_t)n, loop_now(c->far->loop));
	c->data.received += (uint64_t)n;
	a.bytes = c->data.received;
	say(c, &a);
}

static void
begin_sending(struct client *c)
{
	struct far *far = c->far;

	if (c->conn.tcp)
		c->chosen = sockopt_choose_congestion(
			&far->sockopts, c->conn.fd, c->congestion);
	if (c->ask.bytes > 0)
		c->data.limit = c->ask.bytes;
	if (c->ask.duration > 0)
		loop_timer(far->loop, &c->end, c->ask.duration, on_time, c);
	rate_start(&c->data.rate, c->ask.rate, loop_now(far->loop));
	send_more(c);
}

static void
begin(struct client *c)
{
	struct flood_answer ok = { .word = FLOOD_OK };

	c->conn.rx = 0; /* no count contains the line */
	c->began = loop_now(c->far->loop);
	if (!say(c, &ok))
		return;
	flood_data_begin(&c->data, &c->far->memory, c->ask.chunk);
	c->data.verify = c->ask.verify;
	c->data.trunc = c->ask.trunc;
	switch (c->ask.role) {
	case FLOOD_PLAIN:
	case FLOOD_SINK:
		c->stage = SINK;
		return;
	case FLOOD_SOURCE:
		c->stage = SOURCE;
		begin_sending(c);
		return;
	case FLOOD_BOTH:
		c->stage = BOTH;
		begin_sending(c);
		return;
	case FLOOD_STALL:
		c->stage = STALL;
		loop_want(c->far->loop, &c->watch, 0);
		flood_stall_begin(&c->stall, &c->ask, c->began);
		on_stall(c);
		return;
	}
}

static void
greet(struct client *c)
{
	enum flood_state state;
	const char *why;
	bool eof;
	int number;

	if (c->began == 0)
		c->began = loop_now(c->far->loop);
	state = flood_line_recv(&c->line, &c->conn, &eof, &number);
	if (number != 0) {
		lost(c, "recv", number);
	} else if (state == FLOOD_LONG) {
		refuse(c, "the line is longer than 256 bytes");
	} else if (state == FLOOD_WHOLE) {
		if (flood_ask_read(&c->ask, c->line.text, &why) == -1)
			refuse(c, why);
		else
			begin(c);
	} else if (state == FLOOD_OTHER || eof) {
		/* Whatever it is, it is counted. */
		c->stage = SINK;
		c->data.received = c->line.len;
		if (eof)
			counted(c);
		else
			receive(c);
	}
}

static void
on_ready(void *arg, unsigned ready)
{
	struct client *c = arg;

	if (ready & LOOP_READ) {
		if (c->stage == GREETING)
			greet(c);
		else
			receive(c);
	}
	if (ready & LOOP_WRITE && (c->stage == SOURCE || c->stage == BOTH))
		send_more(c);
}

static void
on_idle(void *arg)
{
	struct client *c = arg;
	int64_t idle = c->far->conf->limits.idle;
	int64_t due = conn_idle_due(&c->conn, idle);
	int64_t now = loop_now(c->far->loop);
	struct err err = { 0 };

	if (due <= now) {
		conn_idle_over(&c->conn, idle, &err);
		gone(c, CLOSE_IDLE, &err);
	} else if (due != CLOCK_INF) {
		loop_timer(c->far->loop, &c->idle, due - now, on_idle, c);
	}
}

/* What the user asked for of it stands alone. */
static bool
is_ours(const struct sockopts *o)
{
	for (int i = 0; i < o->count; i++)
		for (size_t k = 0; k < WATCHFUL; k++)
			if (strcmp(o->item[i].name, watchful[k].name) == 0)
				return false;
	return true;
}

void
far_serve(struct far *far, int fd, unsigned id, const struct addr *peer)
{
	struct client *c = mem_zero(1, sizeof(*c));
	struct err err;

	for (size_t i = 0; i < WATCHFUL && is_ours(&far->sockopts); i++)
		(void)sockopt_set(
			fd, watchful[i].name, watchful[i].value, &err);
	c->far = far;
	c->watch.fd = -1;
	c->next = far->clients;
	c->from = &far->clients;
	if (c->next != NULL)
		c->next->from = &c->next;
	far->clients = c;
	far->live++;
	flood_data_begin(&c->data, &far->memory, 0);
	flood_totals_cpu(&c->before);
	conn_open(&c->conn, id, fd, far->report, far->sight, peer,
		loop_now(far->loop));
	conn_accepted(&c->conn);
	if (loop_watch(far->loop, &c->watch, fd, LOOP_READ, on_ready, c) ==
		-1) {
		lost(c, "recv", errno);
		return;
	}
	on_idle(c);
}

void
far_end_clients(struct far *far)
{
	struct client *next;

	for (struct client *c = far->clients; c != NULL; c = next) {
		next = c->next;
		leave(c, DRAIN);
	}
}
