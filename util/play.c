#include "play.h"
#include "behave.h"
#include "match.h"
#include "mem.h"
#include "playstep.h"
#include "source.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLAY_STEPS = 64 }; /* a turn, so that others have theirs */

static int
parse_script(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	struct script *s = field;

	(void)row;
	script_free(s);
	return script_parse(s, value, err);
}

const struct opt script_opts[] = {
	{ .name = "script",
		.type = OPT_PARSE,
		.word = "STEPS",
		.help = "drive each connection step by step "
			"(send, recv, expect, shutdown ...)",
		.offset = OPT_AT(struct script_options, script, struct script),
		.parse = parse_script },
	{ .name = "step-timeout",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "end a step that blocks: exit 4",
		.offset = OPT_AT(struct script_options, step_timeout, int64_t),
		.min = 1 },
	{ 0 },
};

static void turn(void *arg);

struct conn *
play_conn(struct play *p)
{
	return &p->conn;
}

/* The end. */

static void
on_over(void *arg)
{
	struct play *p = arg;

	p->set.gone(p->set.arg, p->code, p->lost.op ? &p->lost : NULL);
}

/* The descriptor goes. No draining: a script's close is close(2). */
static void
let_go(struct play *p, enum close_reason reason, bool reset)
{
	conn_part(&p->conn, reason);
	loop_unwatch(p->set.loop, &p->watch);
	if (reset)
		net_reset(p->io.fd);
	else
		net_close(p->io.fd, p->set.linger);
	p->io.fd = -1;
}

static void
tell_end(struct play *p, enum close_reason reason)
{
	const struct err *err = p->lost.op ? &p->lost : NULL;
	int code = conn_ended(&p->conn, reason, err);

	if (p->code == EXIT_OK)
		p->code = code;
}

static void
finish(struct play *p, enum close_reason reason, bool reset)
{
	if (p->over)
		return;
	p->over = true;
	source_close(&p->key);
	loop_cancel(p->set.loop, &p->limit);
	if (p->io.fd != -1) {
		let_go(p, reason, reset);
		tell_end(p, reason);
	}
	loop_timer(p->set.loop, &p->timer, 0, on_over, p);
}

/* What is unread at the end of a script without close is drained. */
static void
finish_politely(struct play *p)
{
	if (p->io.fd != -1)
		io_drain(&p->io, p->set.loop);
	finish(p, p->conn.fin_in ? CLOSE_EOF : CLOSE_LOCAL, false);
}

static void
on_limit(void *arg)
{
	struct play *p = arg;

	play_tell_blocked(p, &p->set.script->step[p->at]);
	p->code = EXIT_TIMEOUT;
	finish(p, CLOSE_TIMEOUT, false);
}

/* Steps. */

static void
begin_step(struct play *p, const struct script_step *s)
{
	int64_t limit = p->set.step_timeout;

	p->started = true;
	p->began = clock_now();
	p->done = 0;
	p->result = 0;
	p->error = 0;
	p->quiet_at = 0;
	buf_clear(&p->text);
	if (s->op == SCRIPT_EXPECT)
		match_start(&p->match, buf_data(&s->text), s->text.len);
	/* From the step's own beginning: the loop's time is older. */
	if (limit != CLOCK_NONE && limit != CLOCK_INF)
		limit += p->began - loop_now(p->set.loop);
	if (s->op != SCRIPT_SLEEP)
		loop_timer(p->set.loop, &p->limit, limit, on_limit, p);
}

static bool
breaks(int number)
{
	return number == ECONNRESET || number == EPIPE || number == ETIMEDOUT ||
		number == ECONNREFUSED || number == EHOSTUNREACH ||
		number == ENETUNREACH;
}

static void
tell_unmet(struct play *p, const struct script_step *s)
{
	struct report_conn id = conn_id(&p->conn);
	struct err err = { 0 };

	err_setf(&err, "assert", 0, p->conn.peer,
		"step %u: the peer ended without the text of expect",
		s->number);
	report_error(p->set.report, &id, &err);
}

/* A step is over: told; false where the script is, too. */
static bool
end_step(struct play *p, const struct script_step *s)
{
	bool sends = s->op == SCRIPT_SEND || s->op == SCRIPT_SENDALL ||
		s->op == SCRIPT_WRITEV || s->op == SCRIPT_OOB ||
		s->op == SCRIPT_FILL;
	bool closes = p->io.fd != -1 &&
		(s->op == SCRIPT_CLOSE || s->op == SCRIPT_RESET);

	loop_cancel(p->set.loop, &p->limit);
	match_free(&p->match);
	if (closes)
		let_go(p, CLOSE_LOCAL, s->op == SCRIPT_RESET);
	play_tell_step(p, s);
	if (closes)
		tell_end(p, CLOSE_LOCAL);
	p->started = false;
	p->at++;
	if (p->result == -1 && breaks(p->error)) {
		conn_lost(
			&p->conn, &p->lost, sends ? "send" : "recv", p->error);
		finish(p, CLOSE_RESET, false);
		return false;
	}
	if (p->code == EXIT_ASSERT) {
		tell_unmet(p, s);
		finish(p, CLOSE_EOF, false);
		return false;
	}
	return true;
}

static void
end_group(struct play *p, const struct script_step *s)
{
	bool ended = p->eof || p->io.fd == -1;
	bool again = s->n == 0 ? !ended : ++p->times[p->at] < s->n;

	if (again) {
		p->at = s->begin + 1;
		return;
	}
	p->times[p->at] = 0;
	p->at++;
}

static void
on_ready(void *arg, unsigned ready)
{
	struct play *p = arg;

	p->ready = ready;
	turn(p);
}

static void
wait_for(struct play *p, enum play_wait wait)
{
	static const unsigned bits[] = {
		[PLAY_READ] = LOOP_READ,
		[PLAY_WRITE] = LOOP_WRITE,
		[PLAY_URGENT] = LOOP_URGENT,
		[PLAY_TIME] = 0,
		[PLAY_DONE] = 0,
	};

	if (p->watch.fd != -1)
		loop_want(p->set.loop, &p->watch, bits[wait]);
	else if (p->io.fd != -1 && bits[wait])
		loop_watch(p->set.loop, &p->watch, p->io.fd, bits[wait],
			on_ready, p);
	if (wait == PLAY_TIME || wait == PLAY_URGENT)
		loop_timer(p->set.loop, &p->timer, p->delay, turn, p);
}

/* Plays until a step waits. */
static void
turn(void *arg)
{
	struct play *p = arg;
	const struct script *script = p->set.script;
	enum play_wait wait;
	int i;

	for (i = 0; i < PLAY_STEPS && !p->over; i++) {
		const struct script_step *s = &script->step[p->at];
		if (p->at == script->count) {
			finish_politely(p);
			return;
		}
		if (s->op == SCRIPT_OPEN) {
			p->at++;
			continue;
		}
		if (s->op == SCRIPT_SHUT) {
			end_group(p, s);
			continue;
		}
		if (!p->started)
			begin_step(p, s);
		wait = play_step(p, s);
		if (wait != PLAY_DONE) {
			wait_for(p, wait);
			return;
		}
		if (!end_step(p, s))
			return;
	}
	if (!p->over)
		loop_timer(p->set.loop, &p->timer, 0, turn, p);
}

/* A key: a line of standard input, or its end. */

static void
on_key(void *arg, const uint8_t *data, size_t n)
{
	struct play *p = arg;

	if (!memchr(data, '\n', n))
		return;
	source_pause(&p->key, true);
	p->pressed = true;
	turn(p);
}

static void
on_key_end(void *arg, const struct err *err)
{
	struct play *p = arg;

	(void)err;
	p->pressed = true;
	loop_timer(p->set.loop, &p->timer, 0, turn, p);
}

void
play_wait_key(struct play *p)
{
	if (!p->key.loop)
		source_open(
			&p->key, p->set.loop, 0, 4096, on_key, on_key_end, p);
	source_pause(&p->key, false);
}

struct play *
play_open(const struct play_setup *s)
{
	struct play *p = mem_zero(1, sizeof(*p));

	p->set = *s;
	io_open_source(&p->io, s->fd);
	p->watch.fd = p->key.watch.fd = -1;
	p->times = mem_zero(s->script->count + 1, sizeof(*p->times));
	conn_open(&p->conn, s->id, s->fd, s->report, s->sight, NULL,
		loop_now(s->loop));
	addr_of_local(&p->local, s->fd);
	addr_of_peer(&p->peer, s->fd);
	return p;
}

void
play_run(struct play *p)
{
	loop_timer(p->set.loop, &p->timer, 0, turn, p);
}

void
play_abort(struct play *p, enum close_reason reason, bool reset)
{
	finish(p, reason, reset);
}

void
play_free(struct play *p)
{
	if (!p)
		return;
	loop_cancel(p->set.loop, &p->timer);
	loop_cancel(p->set.loop, &p->limit);
	source_close(&p->key);
	match_free(&p->match);
	buf_free(&p->text);
	buf_free(&p->echo);
	free(p->times);
	free(p);
}
