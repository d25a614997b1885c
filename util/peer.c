#include "peer.h"
#include <stdio.h>
#include <string.h>

/* A side that does not read what it asked for is not read any more. More than a
 * sender ever has queued: it must hear of an end while it sends. */
enum { REPLIES_MAX = 4 * PEER_BLOCK };

/* How long the other side may take to see an error frame, or to send its FIN
 * after its done. */
#define LEAVE_FAILED (200 * CLOCK_MS)
#define LEAVE_DONE CLOCK_S

static void
leave(struct peer *p, int code, const char *why, int64_t linger)
{
	p->ending = true;
	p->code = code;
	p->ended = loop_now(p->stream.loop);
	snprintf(p->why, sizeof p->why, "%s", why);
	buf_clear(&p->held);
	stream_leave(&p->stream, linger);
}

void
peer_fail(struct peer *p, enum xfer_reason reason, const struct err *err)
{
	struct report_conn id = conn_id(&p->stream.conn);

	if (p->ending)
		return;
	meter_clear(&p->transfer->meter);
	report_error(p->transfer->life.report, &id, err);
	peer_put(p,
		&(struct xfer_frame){ .type = XFER_ERROR,
			.reason = (uint16_t)reason,
			.text = err->text,
			.text_len = strlen(err->text) });
	peer_flush(p);
	leave(p, (int)err_exit(err), err->text, LEAVE_FAILED);
}

void
peer_wrong(struct peer *p, enum xfer_reason reason, const char *what)
{
	struct err err = { 0 };

	err_setf(&err, "protocol", 0, p->stream.conn.peer, "%s", what);
	peer_fail(p, reason, &err);
}

void
peer_done(struct peer *p, uint32_t files, uint64_t bytes, uint32_t unread)
{
	if (p->said_done)
		return;
	p->said_done = true;
	peer_put(p,
		&(struct xfer_frame){ .type = XFER_DONE,
			.files = files,
			.bytes = bytes,
			.unread = unread });
	peer_flush(p);
	if (p->heard_done)
		leave(p, EXIT_OK, "", LEAVE_DONE);
}

void
peer_heard_done(struct peer *p)
{
	p->heard_done = true;
	if (p->said_done)
		leave(p, EXIT_OK, "", LEAVE_DONE);
}

/* What comes. */

/* The size of our blocks: what the other side takes, and at a low rate at most
 * what an eighth of a second takes, so that progress is seen. */
static uint32_t
block_size(const struct peer *p, uint32_t most)
{
	uint64_t eighth = p->transfer->conf->pace.rate / 8 + 1024;

	most = most < PEER_BLOCK ? most : PEER_BLOCK;
	return p->stream.pace && eighth < most ? (uint32_t)eighth : most;
}

static void
greet(struct peer *p, const struct xfer_frame *f)
{
	if (f->type == XFER_ERROR)
		return;
	if (f->type != XFER_HELLO) {
		peer_wrong(p, XFER_R_PROTOCOL, "a frame before the greeting");
	} else if (f->low > XFER_VERSION || f->high < XFER_VERSION) {
		peer_wrong(p, XFER_R_VERSION,
			"the other side speaks other versions of the protocol");
	} else if (f->word == p->role) {
		peer_wrong(p, XFER_R_ROLE,
			p->role == XFER_SENDER
				? "the other side sends, too"
				: "the other side receives, too");
	} else if (f->block == 0) {
		peer_wrong(p, XFER_R_PROTOCOL, "no block is small enough");
	} else {
		p->greeted = true;
		p->plain |= (f->features & XFER_PLAIN) != 0;
		p->block = block_size(p, f->block);
		p->calls->greeted(p->arg);
	}
}

/* The other side ends it. Its stopping and its source's faults are losses here,
 * the rest is a refusal. */
static void
on_error(struct peer *p, const struct xfer_frame *f)
{
	bool lost = f->reason == XFER_R_SOURCE || f->reason == XFER_R_STOPPED;
	struct report_conn id = conn_id(&p->stream.conn);
	const char *reason = xfer_reason_text(f->reason);
	struct err err = { 0 };
	int n = (int)f->text_len;

	err_setf(&err, lost ? "recv" : "protocol", 0, p->stream.conn.peer,
		"ended by the other side: %.*s",
		n > 0 ? n : (int)strlen(reason), n > 0 ? f->text : reason);
	meter_clear(&p->transfer->meter);
	report_error(p->transfer->life.report, &id, &err);
	leave(p, (int)err_exit(&err), err.text, LEAVE_FAILED);
}

static void
on_frame(struct peer *p, const struct xfer_frame *f)
{
	if (f->type == XFER_ERROR)
		on_error(p, f);
	else if (!p->greeted)
		greet(p, f);
	else if (f->type == XFER_HELLO)
		peer_wrong(p, XFER_R_PROTOCOL, "a second greeting");
	else if (p->heard_done)
		peer_wrong(p, XFER_R_PROTOCOL, "a frame after the last");
	else if (f->type != XFER_WAIT)
		p->calls->frame(p->arg, f);
}

static void
on_got(struct peer *p, const struct xfer_got *got)
{
	switch (got->what) {
	case XFER_MORE:
		break;
	case XFER_FRAME:
		on_frame(p, &got->frame);
		break;
	case XFER_BLOCK:
		if (!p->greeted || !p->calls->block || p->heard_done)
			peer_wrong(p, XFER_R_PROTOCOL,
				"a block that must not come now");
		else
			p->calls->block(p->arg, got->id, got->n);
		break;
	case XFER_CONTENT:
		p->calls->content(p->arg, got->data, got->n);
		break;
	case XFER_BLOCK_END:
		p->calls->block_end(p->arg, got->hash);
		break;
	case XFER_BAD:
		peer_wrong(p, got->reason, got->why);
		break;
	}
}

static bool
wants(const struct peer *p)
{
	return !p->stuck && !p->ending && !stream_full(&p->stream);
}

/* Gives bytes to the parser as long as they are wanted. Returns how many. */
static size_t
feed(struct peer *p, const uint8_t *data, size_t n)
{
	struct xfer_got got;
	size_t at = 0;

	p->feeding = true;
	while (at < n && wants(p)) {
		at += xfer_parse(&p->parser, data + at, n - at, &got);
		on_got(p, &got);
		if (p->transfer->out.len >= PEER_BLOCK)
			peer_flush(p);
	}
	p->feeding = false;
	peer_flush(p);
	return p->ending ? n : at;
}

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct peer *p = arg;
	size_t took = feed(p, data, n);

	if (took == n)
		return;
	buf_append(&p->held, data + took, n - took);
	stream_pause(&p->stream, true);
}

/* What is held first, then the connection again. */
static void
go_on(struct peer *p)
{
	size_t took;

	while (p->held.len > 0 && wants(p)) {
		took = feed(p, buf_data(&p->held), p->held.len);
		if (p->ending)
			return;
		buf_consume(&p->held, took);
	}
	if (p->held.len == 0 && wants(p))
		stream_pause(&p->stream, false);
}

void
peer_stuck(struct peer *p, bool stuck)
{
	p->stuck = stuck;
	p->alive = loop_now(p->stream.loop);
	if (!stuck && !p->feeding)
		go_on(p);
}

static void
on_drained(void *arg)
{
	struct peer *p = arg;

	if (p->ending)
		return;
	go_on(p);
	if (!p->ending && p->greeted)
		p->calls->room(p->arg);
}

static void
on_eof(void *arg)
{
	struct peer *p = arg;
	struct err err = { 0 };

	if (p->ending || p->heard_done)
		return;
	err_setf(&err, "recv", 0, p->stream.conn.peer,
		p->greeted ? "the other side ended before it was done"
			   : "the other side ended without a greeting");
	p->ending = true;
	p->code = EXIT_LOST;
	snprintf(p->why, sizeof p->why, "%s", err.text);
	stream_abort(&p->stream, CLOSE_EOF, NULL, false, &err);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct peer *p = arg;

	loop_cancel(p->stream.loop, &p->tick);
	buf_free(&p->held);
	meter_release(&p->transfer->meter, p);
	if (!p->ending)
		p->code = code;
	if (!p->ending && err)
		snprintf(p->why, sizeof p->why, "%s", err->text);
	p->calls->gone(p->arg, p->code, p->why);
}

static void
stop(void *arg, bool at_once)
{
	struct peer *p = arg;

	if (at_once) {
		p->ending = true;
		snprintf(p->why, sizeof p->why, "stopped");
		stream_abort(&p->stream, CLOSE_TIMEOUT, NULL, true, NULL);
		return;
	}
	if (p->ending || p->said_done)
		return;
	peer_put(p,
		&(struct xfer_frame){
			.type = XFER_ERROR, .reason = XFER_R_STOPPED });
	peer_flush(p);
	leave(p, EXIT_LOST, "stopped", LEAVE_FAILED);
}

static void
send_greeting(struct peer *p)
{
	buf_append(&p->transfer->out, xfer_magic, XFER_MAGIC);
	peer_put(p,
		&(struct xfer_frame){ .type = XFER_HELLO,
			.word = p->role,
			.low = XFER_VERSION,
			.high = XFER_VERSION,
			.features = p->plain ? XFER_PLAIN : 0,
			.block = XFER_BLOCK_MAX });
	peer_flush(p);
}

static const struct stream_calls stream_calls = {
	.data = on_data,
	.eof = on_eof,
	.drained = on_drained,
	.gone = on_gone,
};

void
peer_open(struct peer *p, struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, uint8_t role,
	const struct peer_calls *calls, void *arg)
{
	struct conn *c = &p->stream.conn;

	p->transfer = t;
	p->calls = calls;
	p->arg = arg;
	p->role = role;
	p->plain = t->conf->plain;
	p->session.stop = stop;
	p->session.arg = p;
	/* Frames that are complete should not wait for others (Nagle). */
	(void)sockopt_set(fd, "nodelay", "1", NULL);
	stream_open(&p->stream, t->life.loop, fd, id, t->life.report,
		t->life.sight, REPLIES_MAX, &stream_calls, p);
	p->stream.linger = t->conf->sockopts.linger;
	p->opened = p->alive = loop_now(t->life.loop);
	if (role == XFER_SENDER && pace_any(&t->conf->pace)) {
		pace_start(&p->pace, &t->conf->pace, p->opened);
		p->stream.pace = &p->pace;
	}
	transfer_joined(t, &p->session);
	transfer_connected(c, result);
	send_greeting(p);
	peer_watch(p);
	if (result && result->early) {
		conn_received(c, buf_data(result->early), result->early->len,
			p->opened);
		on_data(p, buf_data(result->early), result->early->len);
	}
}
