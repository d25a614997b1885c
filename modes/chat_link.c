#include "chat_link.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	CHAT_OUT = 64 * 1024, /* bytes for the server that may wait */
	CHAT_HELLO = 100, /* bytes of the first datagram: the answer must fit */
	CHAT_HELLOS = 20,
	CHAT_AGAIN = 250, /* ms between hellos */
	CHAT_BYE = 500, /* ms for the answer to /quit */
};

static void
ended(struct chat_link *k, int code)
{
	k->state = LINK_CLOSED;
	if (k->conn) {
		k->rx += k->conn->rx;
		k->tx += k->conn->tx;
	}
	k->conn = NULL;
	loop_cancel(k->life->loop, &k->timer);
	k->calls->ended(k->arg, code);
}

static void
close_datagrams(
	struct chat_link *k, enum close_reason reason, const struct err *err)
{
	int fd = k->watch.fd, code = conn_ended(k->conn, reason, err);

	loop_unwatch(k->life->loop, &k->watch);
	dial_unlink(fd);
	close(fd);
	ended(k, code);
}

void
chat_link_abort(struct chat_link *k, enum close_reason reason)
{
	dial_cancel(k->dial);
	k->dial = NULL;
	if (k->conn && k->datagram)
		close_datagrams(k, reason, NULL);
	else if (k->conn)
		stream_abort(&k->stream, reason, NULL, false, NULL);
}

/* On a connected datagram socket an ICMP error is told by the next call. */
static void
datagram_failed(struct chat_link *k, const char *op)
{
	struct err err = { 0 };

	if (net_blocked())
		return;
	err_set(&err, errno == ECONNREFUSED ? "connect" : op, errno,
		k->conn->peer);
	close_datagrams(k, CLOSE_ERROR, &err);
}

void
chat_link_send(struct chat_link *k, const void *data, size_t n)
{
	if (!k->datagram)
		stream_send(&k->stream, data, n);
	else if (dgram_send(k->watch.fd, data, n, &k->target, NULL) >= 0)
		conn_sent(k->conn, data, n, loop_now(k->life->loop));
	else
		datagram_failed(k, "send");
}

bool
chat_link_full(const struct chat_link *k)
{
	return k->state == LINK_OPEN && !k->datagram && stream_full(&k->stream);
}

void
chat_link_pause(struct chat_link *k, bool paused)
{
	if (!k->conn)
		return;
	if (k->datagram)
		loop_want(k->life->loop, &k->watch, paused ? 0 : LOOP_READ);
	else
		stream_pause(&k->stream, paused);
}

static void
on_parted(void *arg)
{
	chat_link_abort(arg, CLOSE_LOCAL);
}

void
chat_link_part(struct chat_link *k, int64_t most)
{
	if (k->datagram && k->state == LINK_OPEN)
		chat_link_send(k, "/quit\n", 6);
	if (!k->conn)
		return;
	k->state = LINK_PARTING;
	if (!k->datagram)
		stream_finish(&k->stream);
	loop_timer(
		k->life->loop, &k->timer, k->datagram ? 0 : most, on_parted, k);
}

/* Streams. */

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct chat_link *k = arg;

	k->calls->received(k->arg, data, n);
}

static void
on_eof(void *arg)
{
	struct chat_link *k = arg;

	k->state = LINK_PARTING;
	stream_finish(&k->stream);
}

static void
on_drained(void *arg)
{
	struct chat_link *k = arg;

	k->calls->room(k->arg);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	(void)err;
	ended(arg, code);
}

static const struct stream_calls calls = {
	.data = on_data,
	.eof = on_eof,
	.drained = on_drained,
	.gone = on_gone,
};

/* Datagrams: an address enters by sending back a number. */

static void
say_hello(void *arg)
{
	struct chat_link *k = arg;
	char hello[CHAT_HELLO];
	struct err err = { 0 };

	if (k->tries++ == CHAT_HELLOS) {
		err_setf(&err, "wait", ETIMEDOUT, k->conn->peer,
			"nobody asks us in");
		close_datagrams(k, CLOSE_TIMEOUT, &err);
		return;
	}
	loop_timer(
		k->life->loop, &k->timer, CHAT_AGAIN * CLOCK_MS, say_hello, k);
	memset(hello, ' ', sizeof(hello));
	memcpy(hello, "hello", 5);
	chat_link_send(k, hello, sizeof(hello));
}

static void
take_datagram(struct chat_link *k, const uint8_t *data, size_t n)
{
	static const char enter[] = "-- enter ", bye[] = "-- bye\n";
	size_t skip = sizeof(enter) - 1;
	const uint8_t *end = memchr(data, '\n', n);

	conn_received(k->conn, data, n, loop_now(k->life->loop));
	if (k->state == LINK_ENTERING && n > skip &&
		memcmp(data, enter, skip) == 0) {
		n = (end ? (size_t)(end - data) : n) - skip;
		chat_link_send(k, data + skip, n);
		return;
	}
	if (k->state == LINK_ENTERING) {
		k->state = LINK_OPEN;
		loop_cancel(k->life->loop, &k->timer);
		k->calls->opened(k->arg);
	}
	k->calls->received(k->arg, data, n);
	if (n == 0 || data[n - 1] != '\n')
		k->calls->received(k->arg, (const uint8_t *)"\n", 1);
	if (k->state == LINK_PARTING && n == sizeof(bye) - 1 &&
		memcmp(data, bye, n) == 0)
		on_parted(k);
}

static void
on_datagram(void *arg, unsigned ready)
{
	struct chat_link *k = arg;
	uint8_t *data = loop_scratch(k->life->loop);
	struct dgram_from from;
	ssize_t got;
	int i;

	(void)ready;
	for (i = 0; i < CHAT_LINES && k->conn; i++) {
		got = dgram_recv(k->watch.fd, data, DGRAM_MAX, &from);
		if (got == -1) {
			datagram_failed(k, "recv");
			return;
		}
		take_datagram(k, data, (size_t)got);
	}
}

/* Opening. */

static void
open_datagrams(struct chat_link *k, int fd)
{
	struct loop *l = k->life->loop;

	k->conn = &k->datagrams;
	k->target = *dial_target(k->dial);
	conn_open(k->conn, k->opened, fd, k->life->report, k->life->sight,
		&k->target, loop_now(l));
	loop_watch(l, &k->watch, fd, LOOP_READ, on_datagram, k);
	k->tries = 0;
	k->state = LINK_ENTERING;
}

static void
open_stream(struct chat_link *k, int fd)
{
	stream_open(&k->stream, k->life->loop, fd, k->opened, k->life->report,
		k->life->sight, CHAT_OUT, &calls, k);
	stream_idle(&k->stream, k->conf->limits.idle);
	k->stream.linger = k->conf->sockopts.linger;
	k->conn = &k->stream.conn;
	k->state = LINK_OPEN;
}

static void
on_dialed(void *arg, int fd, const struct dial_result *result,
	const struct err *err)
{
	struct chat_link *k = arg;

	if (fd == -1) {
		int code = err->op ? (int)err_exit(err) : EXIT_USAGE;

		report_error(k->life->report, NULL, err);
		dial_cancel(k->dial); /* err with it */
		k->dial = NULL;
		ended(k, code);
		return;
	}
	k->opened++;
	if (k->datagram)
		open_datagrams(k, fd);
	else
		open_stream(k, fd);
	dial_connected(k->conn, result);
	memcpy(k->peer, k->conn->peer, sizeof(k->peer));
	if (result->early)
		on_data(k, buf_data(result->early), result->early->len);
	dial_cancel(k->dial);
	k->dial = NULL;
	if (k->datagram)
		say_hello(k);
	else
		k->calls->opened(k->arg);
}

void
chat_link_open(struct chat_link *k, const struct endpoint *to)
{
	k->sockopts = life_sockopts(k->life, &k->conf->sockopts);
	k->datagram = to->datagram;
	k->watch.fd = -1;
	k->state = LINK_DIALING;
	k->dial = dial_start(&(struct dial_setup){
		.loop = k->life->loop,
		.report = k->life->report,
		.net = &k->conf->net,
		.dial = &k->conf->dial,
		.sockopts = &k->sockopts,
		.to = *to,
		.timeout = k->conf->limits.timeout,
		.done = on_dialed,
		.arg = k,
	});
}
