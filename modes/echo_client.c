/* sockctl echo HOST PORT: messages out, each answer checked byte for byte and
 * timed. */
#include "../util/hist.h"
#include "../util/num.h"
#include "../util/source.h"
#include "echo.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	ECHO_SIZE = 64,
	ECHO_MESSAGES = 10,
	ECHO_TIMEOUT = 5, /* s */
	ECHO_READS = 16, /* datagrams a wakeup */
	ECHO_TIMES = 5,
};

struct probe {
	const struct echo_conf *conf;
	struct life life;
	struct endpoint to;
	struct dial *dial;
	struct conn *conn; /* the stream's, or of the socket in watch */
	struct stream stream;
	struct conn datagrams;
	struct watch watch;
	struct addr target; /* a group or broadcast is not connected */
	struct source in; /* lines, where messages are not made */
	struct buf typed; /* read from it, not sent yet */
	bool made; /* --count, --size */
	struct buf message; /* the one whose answer is awaited */
	struct buf late; /* -u: the last one that was given up */
	size_t got; /* bytes of the answer */
	bool waiting, differs, over;
	int64_t patience; /* ns for an answer */
	int64_t sent_at;
	int64_t due; /* the next one, by --interval */
	int64_t count, ok, wrong, lost;
	struct timer answer, next, leave;
	struct hist rtt;
	struct field rtt_us[ECHO_TIMES]; /* for the summary */
	int code;
};

static void next_message(void *arg);

/* The end. */

static void
stop_loop(struct probe *p)
{
	loop_stop(p->life.loop, life_code(&p->life, p->code));
}

static void
on_leave(void *arg)
{
	struct probe *p = arg;

	stream_abort(&p->stream, CLOSE_LOCAL, NULL, false, NULL);
}

static void
close_datagrams(
	struct probe *p, enum close_reason reason, const struct err *err)
{
	int fd = p->watch.fd;

	(void)conn_ended(p->conn, reason, err);
	loop_unwatch(p->life.loop, &p->watch);
	dial_unlink(fd);
	close(fd);
	stop_loop(p);
}

/* No message is sent any more. err NULL: all were answered, or given up. */
static void
finish(struct probe *p, int code, enum close_reason reason,
	const struct err *err)
{
	if (p->over)
		return;
	p->over = true;
	p->lost += p->waiting;
	p->waiting = false;
	p->code = err_worst(p->code, code);
	source_close(&p->in);
	loop_cancel(p->life.loop, &p->answer);
	loop_cancel(p->life.loop, &p->next);
	if (!p->conn) {
		dial_cancel(p->dial);
		p->dial = NULL;
		stop_loop(p);
	} else if (p->to.datagram) {
		close_datagrams(p, reason, err);
	} else if (reason != CLOSE_EOF) {
		stream_abort(&p->stream, reason, NULL, false, err);
	} else {
		stream_finish(&p->stream);
		loop_timer(p->life.loop, &p->leave, CLOCK_S, on_leave, p);
	}
}

static void
fail(struct probe *p, enum close_reason reason, const struct err *err)
{
	finish(p, (int)err_exit(err), reason, err);
}

/* Messages. */

static void
answered(struct probe *p)
{
	int64_t took = clock_now() - p->sent_at;
	char time[NUM_MAX];

	p->waiting = false;
	loop_cancel(p->life.loop, &p->answer);
	if (p->differs) {
		p->wrong++;
	} else {
		p->ok++;
		hist_add(&p->rtt, took);
	}
	if (p->conf->report.verbose)
		report_note(p->life.report, 1, "message %lld: %zu bytes, %s%s",
			(long long)p->count, p->message.len,
			num_show_time(took, time), p->differs ? ", wrong" : "");
	next_message(p);
}

static void
on_no_answer(void *arg)
{
	struct probe *p = arg;
	struct err err = { 0 };
	char time[NUM_MAX];

	err_setf(&err, "wait", ETIMEDOUT, p->conn->peer,
		"no answer to message %lld within %s: %zu of %zu bytes",
		(long long)p->count, num_show_time(p->patience, time), p->got,
		p->message.len);
	if (!p->to.datagram) {
		fail(p, CLOSE_TIMEOUT, &err);
		return;
	}
	p->lost++;
	p->waiting = false;
	p->code = err_worst(p->code, EXIT_TIMEOUT);
	report_error(p->life.report, NULL, &err);
	buf_clear(&p->late);
	buf_append(&p->late, buf_data(&p->message), p->message.len);
	next_message(p);
}

/* On a connected datagram socket an ICMP error is told by the next call. */
static void
datagram_failed(struct probe *p, const char *op)
{
	struct err err = { 0 };

	if (net_blocked())
		return;
	err_set(&err, errno == ECONNREFUSED ? "connect" : op, errno,
		p->conn->peer);
	fail(p, CLOSE_ERROR, &err);
}

static void
send_message(struct probe *p)
{
	const uint8_t *data = buf_data(&p->message);
	size_t n = p->message.len;

	p->count++;
	p->got = 0;
	p->differs = false;
	p->waiting = true;
	loop_timer(p->life.loop, &p->answer, p->patience, on_no_answer, p);
	p->sent_at = clock_now();
	if (!p->to.datagram)
		stream_send(&p->stream, data, n);
	else if (dgram_send(p->watch.fd, data, n, &p->target, NULL) >= 0)
		conn_sent(p->conn, data, n, p->sent_at);
	else
		datagram_failed(p, "send");
}

static void
next_message(void *arg)
{
	struct probe *p = arg;
	int64_t most = p->conf->count ? p->conf->count : ECHO_MESSAGES;
	int64_t now = clock_now();

	if (p->over || p->waiting)
		return;
	if (p->made ? p->count >= most : p->in.ended && p->typed.len == 0) {
		finish(p, EXIT_OK, CLOSE_EOF, NULL);
		return;
	}
	if (p->due > now) {
		loop_timer(
			p->life.loop, &p->next, p->due - now, next_message, p);
		return;
	}
	buf_clear(&p->message);
	if (p->made) {
		echo_make(&p->message,
			p->conf->size ? (size_t)p->conf->size : ECHO_SIZE,
			(uint64_t)p->count + 1);
	} else if (!echo_take_line(&p->message, &p->typed,
			   p->to.datagram ? ECHO_DATAGRAM_MAX : ECHO_LINE_MAX,
			   p->in.ended)) {
		source_pause(&p->in, false);
		return;
	}
	if (p->conf->interval > 0 && p->conf->interval < CLOCK_INF - now)
		p->due = (p->due ? p->due : now) + p->conf->interval;
	send_message(p);
}

/* Answers. */

static void
differ(struct probe *p, const char *how, size_t number)
{
	struct report_conn id = conn_id(p->conn);
	struct err err = { 0 };

	err_setf(&err, "protocol", 0, p->conn->peer,
		"wrong answer to message %lld: %s %zu", (long long)p->count,
		how, number);
	report_error(p->life.report, &id, &err);
	p->code = err_worst(p->code, EXIT_INTEGRITY);
	p->differs = true;
}

/* Bytes that nobody has asked for. */
static void
unasked(struct probe *p, size_t n)
{
	p->wrong++;
	differ(p, "bytes more than were sent:", n);
}

static void
compare(struct probe *p, const uint8_t *data, size_t n)
{
	const uint8_t *sent = buf_data(&p->message) + p->got;
	size_t i = 0;

	if (p->differs || memcmp(data, sent, n) == 0)
		return;
	while (data[i] == sent[i])
		i++;
	differ(p, "not the same from byte", p->got + i);
}

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct probe *p = arg;

	while (n > 0) {
		size_t left = p->message.len - p->got, k = n < left ? n : left;

		if (!p->waiting) {
			unasked(p, n);
			return;
		}
		compare(p, data, k);
		p->got += k;
		data += k;
		n -= k;
		if (p->got == p->message.len)
			answered(p);
	}
}

static void
on_eof(void *arg)
{
	struct probe *p = arg;
	struct err err = { 0 };

	err_setf(&err, "recv", 0, p->conn->peer,
		"the peer ended after %lld messages, with %zu of %zu bytes of "
		"the last answer",
		(long long)p->count, p->got, p->message.len);
	fail(p, CLOSE_ERROR, &err);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct probe *p = arg;

	(void)err;
	p->conn = NULL;
	loop_cancel(p->life.loop, &p->leave);
	if (p->over)
		stop_loop(p);
	else
		finish(p, code, CLOSE_ERROR, NULL);
}

static const struct stream_calls calls = {
	.data = on_data,
	.eof = on_eof,
	.gone = on_gone,
};

/* A datagram is a whole answer; one to a message that was given up is late. */
static void
take_datagram(struct probe *p, const uint8_t *data, size_t n)
{
	conn_received(p->conn, data, n, loop_now(p->life.loop));
	if (p->late.len == n && memcmp(buf_data(&p->late), data, n) == 0)
		return;
	if (!p->waiting) {
		unasked(p, n);
		return;
	}
	if (n != p->message.len)
		differ(p, "bytes:", n);
	else
		compare(p, data, n);
	answered(p);
}

static void
on_datagram(void *arg, unsigned ready)
{
	struct probe *p = arg;
	uint8_t *data = loop_scratch(p->life.loop);
	struct dgram_from from;
	ssize_t got;
	int i;

	(void)ready;
	for (i = 0; i < ECHO_READS && !p->over; i++) {
		got = dgram_recv(p->watch.fd, data, DGRAM_MAX, &from);
		if (got == -1) {
			datagram_failed(p, "recv");
			return;
		}
		take_datagram(p, data, (size_t)got);
	}
}

static void
on_input(void *arg, const uint8_t *data, size_t n)
{
	struct probe *p = arg;

	buf_append(&p->typed, data, n);
	source_pause(&p->in, true);
	next_message(p);
}

static void
on_input_end(void *arg, const struct err *err)
{
	struct probe *p = arg;

	if (err) {
		report_error(p->life.report, NULL, err);
		finish(p, (int)err_exit(err), CLOSE_LOCAL, NULL);
	} else {
		next_message(p);
	}
}

/* The run. */

static void
on_dialed(void *arg, int fd, const struct dial_result *result,
	const struct err *err)
{
	struct probe *p = arg;
	struct loop *l = p->life.loop;

	if (fd == -1) {
		report_error(p->life.report, NULL, err);
		finish(p, err->op ? (int)err_exit(err) : EXIT_USAGE,
			CLOSE_ERROR, NULL);
		return;
	}
	if (p->to.datagram) {
		p->target = *dial_target(p->dial);
		p->conn = &p->datagrams;
		conn_open(p->conn, 1, fd, p->life.report, p->life.sight,
			&p->target, loop_now(l));
		loop_watch(l, &p->watch, fd, LOOP_READ, on_datagram, p);
	} else {
		p->conn = &p->stream.conn;
		stream_open(&p->stream, l, fd, 1, p->life.report, p->life.sight,
			1, &calls, p);
		stream_idle(&p->stream, p->conf->limits.idle);
		p->stream.linger = p->conf->sockopts.linger;
	}
	dial_connected(p->conn, result);
	if (!p->made)
		source_open(&p->in, l, STDIN_FILENO, ECHO_LINE_MAX, on_input,
			on_input_end, p);
	if (result->early)
		on_data(p, buf_data(result->early), result->early->len);
	dial_cancel(p->dial);
	p->dial = NULL;
	next_message(p);
}

static size_t
members(void *arg, struct field *out)
{
	struct probe *p = arg;
	static const struct field_percentile rows[ECHO_TIMES] = { { "min", 0 },
		{ "mean", -1 }, { "p50", 50 }, { "p99", 99 }, { "max", 100 } };
	size_t n = 0;

	out[n++] = (struct field)F_INT("count", p->count);
	out[n++] = (struct field)F_INT("ok", p->ok);
	out[n++] = (struct field)F_INT("wrong", p->wrong);
	out[n++] = (struct field)F_INT("lost", p->lost);
	out[n++] = field_hist("rtt_us", &p->rtt, rows, ECHO_TIMES, p->rtt_us);
	if (p->conf->poll)
		out[n++] = (struct field)F_REAL(
			"poll_us", (double)p->conf->poll / CLOCK_US, 3);
	return n;
}

static void
on_stop(void *arg, const struct err *why)
{
	struct probe *p = arg;

	p->lost -= p->waiting && !why; /* it did not have its time */
	finish(p, why ? EXIT_TIMEOUT : EXIT_OK,
		why ? CLOSE_TIMEOUT : CLOSE_LOCAL, NULL);
}

int
echo_client(const struct run *run)
{
	const struct echo_conf *conf = run->conf;
	bool hurried = conf->limits.timeout != CLOCK_NONE;
	struct probe p = {
		.conf = conf,
		.made = conf->count || conf->size,
		.patience = hurried ? conf->limits.timeout
				    : ECHO_TIMEOUT * CLOCK_S,
		.watch = WATCH_NONE,
	};
	struct life_setup setup = {
		.mode = "echo",
		.manner = REPORT_RESULT,
		.report = &conf->report,
		.sight = &conf->sight,
		.deadline = conf->limits.deadline,
		.stop = on_stop,
		.members = members,
		.arg = &p,
	};
	struct sockopts sockopts;
	struct err err = { 0 };

	if (run->argc == 0 && !conf->net.path)
		return mode_usage(run, NET_NEITHER);
	if (net_endpoint(&p.to, &conf->net, run->argc, run->argv, &err) == -1 ||
		dial_check(&conf->dial, &conf->net, &p.to, &err) == -1)
		return mode_refuse(run, &err);
	if (p.to.datagram && conf->size > ECHO_DATAGRAM_MAX)
		return mode_usage(run,
			"--size: a datagram holds at most %d bytes",
			ECHO_DATAGRAM_MAX);
	if (life_begin(&p.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	sockopts = life_sockopts(&p.life, &conf->sockopts);
	loop_poll(p.life.loop, conf->poll);
	p.dial = dial_start(&(struct dial_setup){
		.loop = p.life.loop,
		.report = p.life.report,
		.net = &conf->net,
		.dial = &conf->dial,
		.sockopts = &sockopts,
		.to = p.to,
		.timeout = conf->limits.timeout,
		.done = on_dialed,
		.arg = &p,
	});
	p.code = life_run(&p.life);
	buf_free(&p.typed);
	buf_free(&p.message);
	buf_free(&p.late);
	hist_free(&p.rtt);
	return p.code;
}
