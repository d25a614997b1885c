#include "rawside.h"
#include "clock.h"
#include "mem.h"
#include "pump.h"
#include "stream.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK (500 * CLOCK_MS)
#define DRAIN (200 * CLOCK_MS)

/* Sending: a pump from the file to the connection. */

static const struct ends_options one_way = { .quit = 0, .send_only = true };

struct sending {
	struct transfer_session session;
	struct transfer *transfer;
	const char *path;
	int file;
	int64_t size, began;
	struct pump pump;
	struct timer tick;
	uint64_t counted;
};

static void
count_sent(struct sending *s)
{
	transfer_moved(s->transfer, (size_t)(s->pump.conn.tx - s->counted));
	s->counted = s->pump.conn.tx;
}

static void
on_sending_tick(void *arg)
{
	struct sending *s = arg;
	struct loop *l = s->transfer->life.loop;

	count_sent(s);
	meter_show(&s->transfer->meter, s,
		&(struct meter_file){ s->path, s->counted,
			s->size == -1 ? XFER_SIZE_UNKNOWN : (uint64_t)s->size,
			false },
		loop_now(l));
	loop_timer(l, &s->tick, TICK, on_sending_tick, s);
}

static void
on_sent(void *arg, int code, const struct err *err)
{
	struct sending *s = arg;
	struct transfer *t = s->transfer;
	struct err short_of = { 0 };
	struct transfer_file f = { .name = s->path,
		.size = s->size,
		.status = code ? TRANSFER_FAILED : TRANSFER_OK,
		.reason = err ? err->text : NULL,
		.began = s->began };

	count_sent(s);
	f.bytes = s->counted;
	if (code == 0 && s->size != -1 && (uint64_t)s->size != s->counted) {
		err_setf(&short_of, "read", 0, s->path,
			"changed while it was sent");
		f.status = TRANSFER_FAILED;
		f.reason = short_of.text;
		code = EXIT_LOCAL;
	} else if (code == 0) {
		f.size = (int64_t)s->counted;
	}
	meter_release(&t->meter, s);
	transfer_tell(t, &s->pump.conn, &f, short_of.op ? &short_of : NULL);
	loop_cancel(t->life.loop, &s->tick);
	pump_free(&s->pump);
	if (s->file > STDERR_FILENO)
		close(s->file);
	transfer_left(t, &s->session, code);
	free(s);
}

static void
stop_sending(void *arg, bool at_once)
{
	struct sending *s = arg;

	pump_abort(
		&s->pump, at_once ? CLOSE_TIMEOUT : CLOSE_LOCAL, at_once, NULL);
}

/* A fifo is refused, as without --raw: opening one waits for its writer, and
 * everybody here with it. */
static int
open_file(struct sending *s, struct err *err)
{
	struct stat st = { 0 };

	s->size = -1;
	s->file = STDIN_FILENO;
	if (strcmp(s->path, "-") == 0)
		return 0;
	s->file = open(s->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (s->file == -1 || fstat(s->file, &st) == -1)
		return err_set(err, "open", errno, s->path);
	if (S_ISFIFO(st.st_mode))
		return err_setf(err, "open", 0, s->path,
			"not a file but a fifo (- < FIFO sends it)");
	if (S_ISREG(st.st_mode))
		s->size = st.st_size;
	return 0;
}

void
rawside_send(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, const char *path)
{
	struct sending *s = mem_zero(1, sizeof *s);
	struct pump_setup setup = { .loop = t->life.loop,
		.report = t->life.report,
		.sight = t->life.sight,
		.manner = PUMP_SERVER,
		.fd = fd,
		.id = id,
		.out = -1,
		.ends = &one_way,
		.pace = &t->conf->pace,
		.early = result ? result->early : NULL,
		.idle = t->conf->limits.idle,
		.linger = t->conf->sockopts.linger,
		.gone = on_sent,
		.arg = s };
	struct err err = { 0 };
	int opened;

	s->transfer = t;
	s->path = path;
	s->began = loop_now(t->life.loop);
	s->session.stop = stop_sending;
	s->session.arg = s;
	opened = open_file(s, &err);
	setup.in = s->file;
	pump_open(&s->pump, &setup);
	transfer_joined(t, &s->session);
	transfer_connected(&s->pump.conn, result);
	if (opened == -1) {
		pump_abort(&s->pump, CLOSE_ERROR, false, &err);
		return;
	}
	pump_run(&s->pump);
	loop_timer(t->life.loop, &s->tick, 0, on_sending_tick, s);
}

/* Receiving: a stream into a file. */

struct receiving {
	struct transfer_session session;
	struct transfer *transfer;
	struct stream stream;
	struct incoming in;
	struct rate rate;
	struct timer tick, slow;
	bool ended; /* the sender's FIN came */
	int code;
	char why[ERR_TEXT_MAX];
};

/* Tells the failure and hangs up. */
static void
give_up(struct receiving *r, const struct part_fault *fault)
{
	if (r->code)
		return;
	r->code = (int)err_exit(&fault->err);
	snprintf(r->why, sizeof r->why, "%s", fault->err.text);
	stream_abort(&r->stream, CLOSE_ERROR, NULL, false, &fault->err);
}

static void
unstick(struct receiving *r)
{
	if (!timer_set(&r->slow) && !incoming_full(&r->in))
		stream_pause(&r->stream, false);
}

static void
on_space(void *arg)
{
	unstick(arg);
}

static void
on_broken(void *arg, const struct part_fault *fault)
{
	give_up(arg, fault);
}

static void
on_finished(void *arg, const struct part_fault *fault)
{
	struct receiving *r = arg;

	if (fault) {
		give_up(r, fault);
		return;
	}
	r->ended = true;
	stream_leave(&r->stream, DRAIN);
}

static const struct incoming_calls incoming_calls = {
	.room = on_space,
	.broken = on_broken,
	.finished = on_finished,
};

static void
on_slow(void *arg)
{
	unstick(arg);
}

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct receiving *r = arg;
	struct loop *l = r->stream.loop;
	int64_t now = loop_now(l), wait;
	struct part_fault fault = { 0 };

	if (r->code)
		return;
	if (incoming_write(&r->in, data, n, &fault) == -1) {
		give_up(r, &fault);
		return;
	}
	(void)rate_allow(&r->rate, n, now);
	rate_took(&r->rate, n);
	wait = rate_wait(&r->rate, 1, now);
	if (wait > 0)
		loop_timer(l, &r->slow, wait, on_slow, r);
	if (wait > 0 || incoming_full(&r->in))
		stream_pause(&r->stream, true);
}

static void
on_eof(void *arg)
{
	struct receiving *r = arg;

	if (r->code)
		return;
	r->in.offer.mtime = (uint64_t)clock_unix();
	incoming_finish(&r->in);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct receiving *r = arg;
	struct transfer *t = r->transfer;

	if (r->ended)
		code = EXIT_OK;
	else if (r->code)
		code = r->code;
	if (err && !r->code)
		snprintf(r->why, sizeof r->why, "%s", err->text);
	meter_release(&t->meter, r);
	incoming_tell(&r->in, r->ended ? TRANSFER_OK : TRANSFER_FAILED,
		r->ended ? NULL : r->why, NULL, false);
	incoming_close(&r->in);
	loop_cancel(t->life.loop, &r->tick);
	loop_cancel(t->life.loop, &r->slow);
	transfer_left(t, &r->session, code);
	free(r);
}

static const struct stream_calls stream_calls = {
	.data = on_data,
	.eof = on_eof,
	.gone = on_gone,
};

static void
on_receiving_tick(void *arg)
{
	struct receiving *r = arg;

	incoming_show(&r->in, r, false);
	loop_timer(r->stream.loop, &r->tick, TICK, on_receiving_tick, r);
}

static void
stop_receiving(void *arg, bool at_once)
{
	struct receiving *r = arg;

	snprintf(r->why, sizeof r->why, "stopped");
	stream_abort(&r->stream, at_once ? CLOSE_TIMEOUT : CLOSE_LOCAL, NULL,
		at_once, NULL);
}

void
rawside_receive(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, struct recv_place *place)
{
	const char *name = place->file ? place->file : "-";
	struct receiving *r = mem_zero(1, sizeof *r);
	struct xfer_frame offer = { .word = XFER_FILE,
		.mode = 0666,
		.size = XFER_SIZE_UNKNOWN,
		.mtime = (uint64_t)clock_unix(),
		.text = name,
		.text_len = strlen(name) };
	struct part_fault fault = { 0 };

	r->transfer = t;
	r->session.stop = stop_receiving;
	r->session.arg = r;
	stream_open(&r->stream, t->life.loop, fd, id, t->life.report,
		t->life.sight, LOOP_SCRATCH, &stream_calls, r);
	r->stream.linger = t->conf->sockopts.linger;
	stream_idle(&r->stream, t->conf->limits.idle);
	transfer_joined(t, &r->session);
	transfer_connected(&r->stream.conn, result);
	rate_start(&r->rate, t->conf->pace.rate, loop_now(t->life.loop));
	incoming_start(
		&r->in, t, &r->stream.conn, place, &offer, &incoming_calls, r);
	if (incoming_open(&r->in, &fault) != PART_OK ||
		incoming_begin(&r->in, 0, &fault) == -1) {
		give_up(r, &fault);
		return;
	}
	loop_timer(t->life.loop, &r->tick, 0, on_receiving_tick, r);
	if (result && result->early)
		on_data(r, buf_data(result->early), result->early->len);
}
