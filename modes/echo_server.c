/* sockctl echo -p: returns what it gets, RFC 862. */
#include "../util/mem.h"
#include "../util/num.h"
#include "../util/utf8.h"
#include "echo.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct echo_peer *
echo_peer_new(struct echo_server *srv)
{
	struct echo_peer *c = mem_zero(1, sizeof(*c));

	c->srv = srv;
	c->next = srv->peers;
	c->link = &srv->peers;
	if (c->next)
		c->next->link = &c->next;
	srv->peers = c;
	loop_cancel(srv->life.loop, &srv->timer);
	return c;
}

static void
server_over(struct echo_server *srv, int code)
{
	loop_stop(srv->life.loop, life_code(&srv->life, code));
}

void
echo_peer_free(struct echo_peer *c, int code)
{
	struct echo_server *srv = c->srv;

	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	buf_free(&c->line);
	free(c);
	if (srv->listener && !srv->datagram)
		listener_gone(srv->listener);
	if (srv->stopping ? !srv->peers : srv->listen.once)
		server_over(srv, srv->stopping ? srv->code : code);
}

/* The lines. */

static void
add_reversed(struct buf *out, const uint8_t *line, size_t n)
{
	uint8_t *to = buf_room(out, n);
	size_t at = 0, k;
	uint32_t c;

	for (; at < n; at += k) {
		k = utf8_decode(line + at, n - at, &c);
		memcpy(to + n - at - k, line + at, k);
	}
	buf_added(out, n);
}

/* One line with its end, LF or CR LF, that stays there; or a piece without. */
static void
add_answer(const struct echo_server *srv, struct buf *out, const uint8_t *line,
	size_t n, bool *until)
{
	const char *word = srv->conf->until;
	size_t len = n;

	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len < n && len > 0 && line[len - 1] == '\r')
		len--;
	if (srv->conf->reverse)
		add_reversed(out, line, len);
	else
		buf_append(out, line, len);
	buf_append(out, line + len, n - len);
	*until = word && strlen(word) == len && memcmp(word, line, len) == 0;
}

/* A piece of a line that is too long is cut before a character, not inside. */
static size_t
piece_length(const uint8_t *p)
{
	size_t n = ECHO_LINE_MAX, back;

	for (back = 1; back < 4; back++)
		if (utf8_wanted(p + n - back, back) > 0)
			return n - back;
	return n;
}

/* The length of the first line, or of a piece of one that is too long; 0: more
 * of it has to come. */
static size_t
line_length(const struct buf *b, bool ended)
{
	const uint8_t *p = buf_data(b), *end;
	size_t n = b->len, most = ECHO_LINE_MAX + 2;

	if (n == 0)
		return 0;
	end = memchr(p, '\n', n < most ? n : most);
	if (end && end - p <= ECHO_LINE_MAX)
		return (size_t)(end - p) + 1;
	if (end && end[-1] == '\r')
		return ECHO_LINE_MAX + 2;
	if (n > ECHO_LINE_MAX + 1 ||
		(n == ECHO_LINE_MAX + 1 && p[ECHO_LINE_MAX] != '\r'))
		return piece_length(p);
	return ended ? n : 0;
}

bool
echo_lines(struct echo_peer *c, struct buf *out, bool ended)
{
	bool until = false;
	size_t n;

	while (!until && (n = line_length(&c->line, ended)) > 0) {
		add_answer(c->srv, out, buf_data(&c->line), n, &until);
		buf_consume(&c->line, n);
	}
	return until;
}

/* Streams. */

static void
send_lines(struct echo_peer *c, bool ended)
{
	struct buf out = { 0 };
	bool until = echo_lines(c, &out, ended);

	if (out.len > 0)
		stream_send(&c->u.stream, buf_data(&out), out.len);
	buf_free(&out);
	if (until)
		stream_leave(&c->u.stream, 200 * CLOCK_MS);
}

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct echo_peer *c = arg;

	if (c->srv->lines) {
		buf_append(&c->line, data, n);
		send_lines(c, false);
	} else {
		stream_send(&c->u.stream, data, n);
	}
	if (stream_full(&c->u.stream))
		stream_pause(&c->u.stream, true);
}

static void
on_eof(void *arg)
{
	struct echo_peer *c = arg;

	if (c->srv->lines)
		send_lines(c, true);
	stream_finish(&c->u.stream);
}

static void
on_drained(void *arg)
{
	struct echo_peer *c = arg;

	stream_pause(&c->u.stream, false);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct echo_peer *c = arg;

	(void)err;
	c->srv->past.rx += c->u.stream.conn.rx;
	c->srv->past.tx += c->u.stream.conn.tx;
	echo_peer_free(c, code);
}

static const struct stream_calls calls = {
	.data = on_data,
	.eof = on_eof,
	.drained = on_drained,
	.gone = on_gone,
};

static void
serve(struct echo_server *srv, int fd, unsigned id)
{
	struct echo_peer *c = echo_peer_new(srv);

	/* Any queue at all stops reading: memory for 10,000 clients. */
	stream_open(&c->u.stream, srv->life.loop, fd, id, srv->life.report,
		srv->life.sight, 1, &calls, c);
	stream_idle(&c->u.stream, srv->conf->limits.idle);
	c->u.stream.linger = srv->conf->sockopts.linger;
	conn_accepted(&c->u.stream.conn);
}

/* The end: what is queued has a second to go. */

static void
abort_all(struct echo_server *srv)
{
	struct echo_peer *c;

	for (c = srv->peers; c; c = c->next)
		stream_abort(&c->u.stream, CLOSE_LOCAL, NULL, false, NULL);
}

static void
on_stop_timer(void *arg)
{
	abort_all(arg);
}

static void
stop_peers(struct echo_server *srv, int code)
{
	struct echo_peer *c;

	srv->stopping = true;
	srv->code = code;
	for (c = srv->peers; c; c = c->next) {
		struct stream *s = &c->u.stream;

		if (stream_queued(s) > 0)
			stream_leave(s, CLOCK_S);
		else
			stream_abort(s, CLOSE_LOCAL, NULL, false, NULL);
	}
	loop_timer(srv->life.loop, &srv->timer, CLOCK_S, on_stop_timer, srv);
	if (!srv->peers)
		server_over(srv, code);
}

/* --fork: a child serves one client and tells what went through. */

static void
on_child_signal(void *arg, int signo)
{
	struct echo_server *srv = arg;

	if (signo == SIGUSR1 || srv->stopping)
		return;
	stop_peers(srv, EXIT_OK);
}

static _Noreturn void
be_child(struct echo_server *srv, int fd, unsigned id)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	struct loop *l = loop_new();
	size_t i;
	int code;

	listener_shut(srv->listener); /* the copies here; the path stays */
	srv->listener = NULL;
	srv->peers = NULL;
	srv->past = (struct echo_totals){ 0 };
	srv->listen.once = true;
	srv->timer = (struct timer){ 0 };
	srv->life.loop = srv->life.sight->loop = l;
	loop_poll(l, srv->conf->poll);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		loop_signal(l, signals[i], on_child_signal, srv);
	serve(srv, fd, id);
	code = loop_run(l);
	sight_close(srv->life.sight, NULL);
	while (write(srv->tell[1], &srv->past, sizeof(srv->past)) == -1 &&
		errno == EINTR)
		continue;
	_exit(code);
}

static void
on_child_end(void *arg, int status)
{
	struct echo_peer *c = arg;
	struct echo_totals t;
	ssize_t got;

	while ((got = read(c->srv->tell[0], &t, sizeof(t))) == sizeof(t) ||
		(got == -1 && errno == EINTR)) {
		c->srv->past.rx += got == -1 ? 0 : t.rx;
		c->srv->past.tx += got == -1 ? 0 : t.tx;
	}
	echo_peer_free(c, child_code(status));
}

static void
serve_by_child(struct echo_server *srv, int fd, unsigned id)
{
	struct echo_peer *c = echo_peer_new(srv);
	struct err err = { 0 };
	pid_t pid = child_fork(
		srv->life.loop, &c->u.child, on_child_end, c, &err);

	if (pid == 0)
		be_child(srv, fd, id);
	close(fd);
	if (pid == -1) {
		report_error(srv->life.report, NULL, &err);
		echo_peer_free(c, (int)err_exit(&err));
	}
}

static void
on_client(void *arg, int fd, unsigned id, const struct addr *peer)
{
	struct echo_server *srv = arg;

	(void)peer;
	if (srv->listen.once)
		listener_shut(srv->listener);
	if (srv->conf->fork)
		serve_by_child(srv, fd, id);
	else
		serve(srv, fd, id);
}

/* The run. */

static void
on_stop(void *arg, const struct err *why)
{
	struct echo_server *srv = arg;
	int code = why ? EXIT_TIMEOUT : EXIT_OK;

	if (srv->stopping)
		return;
	srv->stopping = true;
	srv->code = code;
	listener_shut(srv->listener);
	if (srv->conf->fork)
		child_end_all(srv->life.loop, CLOCK_S + CLOCK_S / 4);
	echo_close_sockets(srv);
	if (srv->conf->fork || srv->datagram)
		server_over(srv, code);
	else
		stop_peers(srv, code);
}

static void
on_nobody(void *arg)
{
	struct echo_server *srv = arg;
	char time[NUM_MAX];
	struct err err = { 0 };

	err_setf(&err, "wait", ETIMEDOUT, NULL, "nobody came within %s",
		num_show_time(srv->conf->limits.timeout, time));
	report_error(srv->life.report, NULL, &err);
	server_over(srv, EXIT_TIMEOUT);
}

static size_t
members(void *arg, struct field *out)
{
	struct echo_server *srv = arg;
	struct echo_totals all = srv->past;
	unsigned served = srv->addresses;
	const struct echo_peer *c;
	size_t n = 0;

	for (c = srv->conf->fork ? NULL : srv->peers; c; c = c->next) {
		const struct conn *k = srv->datagram ? &c->u.dgram.conn
						     : &c->u.stream.conn;
		all.rx += k->rx;
		all.tx += k->tx;
	}
	if (!srv->datagram && srv->listener)
		served = listener_accepted(srv->listener);
	out[n++] = (struct field)F_UINT("connections", served);
	out[n++] = (struct field)F_UINT(
		"denied", srv->listener ? listener_denied(srv->listener) : 0);
	out[n++] = (struct field)F_UINT("rx", all.rx);
	out[n++] = (struct field)F_UINT("tx", all.tx);
	out[n++] = (struct field)F_REAL("duration_s",
		clock_seconds(loop_now(srv->life.loop) - srv->started), 6);
	if (srv->conf->poll)
		out[n++] = (struct field)F_REAL(
			"poll_us", (double)srv->conf->poll / CLOCK_US, 3);
	return n;
}

static void
release(void *arg)
{
	struct echo_server *srv = arg;

	echo_close_sockets(srv);
	listener_free(srv->listener);
	if (srv->tell[0] != -1) {
		close(srv->tell[0]);
		close(srv->tell[1]);
	}
}

static int
start(struct echo_server *srv, struct err *err)
{
	const struct echo_conf *conf = srv->conf;
	struct listener_setup setup = {
		.loop = srv->life.loop,
		.report = srv->life.report,
		.net = &conf->net,
		.listen = &srv->listen,
		.sockopts = &srv->sockopts,
		.datagram = conf->net.udp,
		.on_client = on_client,
		.on_socket = echo_on_socket,
		.arg = srv,
	};

	srv->sockopts = life_sockopts(&srv->life, &srv->conf->sockopts);
	if (conf->fork && net_pipe(srv->tell) == -1)
		return err_set(err, "open", errno, "a pipe for the children");
	srv->listener = listener_open(&setup, err);
	if (!srv->listener)
		return -1;
	loop_poll(srv->life.loop, conf->poll);
	loop_timer(srv->life.loop, &srv->timer, conf->limits.timeout, on_nobody,
		srv);
	return 0;
}

int
echo_server(const struct run *run)
{
	const struct echo_conf *conf = run->conf;
	struct echo_server srv = {
		.conf = conf,
		.listen = conf->listen,
		.datagram = conf->net.udp,
		.lines = conf->reverse || conf->until,
		.started = clock_now(),
		.tell = { -1, -1 },
	};
	struct life_setup setup = {
		.mode = "echo",
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

	if (conf->serial || (conf->listen.once && !srv.datagram))
		srv.listen.max_clients = 1;
	srv.table.max = conf->listen.once ? 1 : (int)conf->listen.max_clients;
	if (life_begin(&srv.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	if (start(&srv, &err) == -1)
		return life_fail(&srv.life, &err);
	return life_run(&srv.life);
}
