/* flood --until-block: how much fits between a writer and a reader that does
 * not read, and when the writer may go on. */
#include "../util/mem.h"
#include "../util/pattern.h"
#include "flood.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* ASK waits for the far side's ok; a peer that gives none is no flood, and
 * what was asked is part of the stream then. FILL writes until nothing fits
 * for QUIET, STUCK waits until it goes on. */
enum { ASK, FILL, STUCK, LEAVING };

enum { CALLS = 4096, STEP = 16384 };
#define ANSWER_MAX CLOCK_S
#define QUIET CLOCK_S
#define DRAIN (200 * CLOCK_MS)
/* A peer of which nothing is known gets so long to read on. */
#define UNKNOWN_MAX (3 * CLOCK_S)
#define KNOWN_MAX (60 * CLOCK_S)
/* The line that says what was read comes just behind the acknowledgement. */
#define LINE_LATE (5 * CLOCK_MS)
/* The far side's pause covers the filling of so much, a chunk a write. */
#define WRITE_TIME 200
#define BUFFERS (16 << 20)

static void fill(struct flood_stream *s);

static int64_t
queued(const struct flood_stream *s)
{
	return tcpinfo_unacked(s->conn.fd);
}

/* known: the peer is the far side, and has read data.right bytes. */
static void
tell(struct flood_stream *s, bool resumed)
{
	struct report_conn id = conn_id(&s->conn);
	int64_t sendq = queued(s);
	int64_t recvq = s->known && sendq >= 0 && !resumed
		? (int64_t)s->data.sent - sendq
		: -1;

	REPORT(s->conn.report, EV_BLOCK, &id, F_UINT("bytes", s->result),
		F_KNOWN("sendq", sendq), F_KNOWN("recvq", recvq),
		F_KNOWN("resumed_after",
			resumed && s->known ? (int64_t)s->data.right : -1));
}

static void
over(void *arg)
{
	flood_stream_over(arg, CLOSE_LOCAL);
}

/* What the far side still says is read for a while; then the close ends it. */
static void
leave(struct flood_stream *s)
{
	s->stage = LEAVING;
	s->ended = loop_now(s->flood->loop);
	if (shutdown(s->conn.fd, SHUT_WR) == 0)
		conn_fin_out(&s->conn);
	flood_stream_watch(s, s->conn.fin_in ? 0 : LOOP_READ);
	loop_timer(s->flood->loop, &s->timer, DRAIN, over, s);
}

static void
give_up(void *arg)
{
	leave(arg);
}

static void
on_resumed(void *arg)
{
	tell(arg, true);
	leave(arg);
}

static void
on_quiet(void *arg)
{
	struct flood_stream *s = arg;

	s->stage = STUCK;
	s->result = s->data.sent;
	tell(s, false);
	loop_timer(s->flood->loop, &s->timer,
		s->known ? KNOWN_MAX : UNKNOWN_MAX, give_up, s);
}

static void
fill(struct flood_stream *s)
{
	struct flood *f = s->flood;
	size_t chunk = f->conf->chunk > 0 ? (size_t)f->conf->chunk : 1;
	int64_t now = clock_now();

	for (int i = 0; i < CALLS; i++) {
		ssize_t n = send(
			s->conn.fd, f->memory.out, chunk, MSG_NOSIGNAL);

		if (n > 0) {
			conn_sent(&s->conn, f->memory.out, (size_t)n, now);
			s->data.sent += (uint64_t)n;
			s->since = now;
		} else if (errno == EAGAIN) {
			flood_stream_watch(s, LOOP_READ | LOOP_WRITE);
			if (s->stage == FILL && !timer_set(&s->timer))
				loop_timer(
					f->loop, &s->timer, QUIET, on_quiet, s);
			return;
		} else if (errno != EINTR) {
			flood_stream_lost(s, "send", errno, NULL);
			return;
		}
		loop_cancel(f->loop, &s->timer);
		if (s->stage == STUCK) {
			flood_stream_watch(s, LOOP_READ);
			loop_timer(
				f->loop, &s->timer, LINE_LATE, on_resumed, s);
			return;
		}
	}
	loop_again(f->loop, &s->watch, LOOP_WRITE);
}

static void
begin(struct flood_stream *s)
{
	loop_cancel(s->flood->loop, &s->timer);
	s->stage = FILL;
	s->conn.rx = 0;
	flood_start_clock(s->flood);
	fill(s);
}

static void
on_unanswered(void *arg)
{
	struct flood_stream *s = arg;

	s->data.sent = s->conn.tx = s->mark;
	begin(s);
}

static void
on_line(struct flood_stream *s)
{
	struct flood_answer a;

	if (flood_answer_read(&a, s->line.text) == -1) {
		flood_stream_protocol(s, "its answer is not the protocol");
	} else if (a.word == FLOOD_ERROR) {
		flood_stream_protocol(s, a.text);
	} else if (a.word == FLOOD_OK && s->stage == ASK) {
		s->known = true;
		begin(s);
	} else if (a.word == FLOOD_READ) {
		s->data.right = a.bytes;
	}
	memset(&s->line, 0, sizeof(s->line));
}

/* Other bytes than lines say nothing about what was read. */
static void
block_read(struct flood_stream *s)
{
	uint8_t in[4096];
	bool eof = false;
	int number = 0;
	ssize_t n;

	if (s->stage == ASK || s->known) {
		if (flood_line_recv(&s->line, &s->conn, &eof, &number) ==
			FLOOD_WHOLE)
			on_line(s);
	} else {
		n = recv(s->conn.fd, in, sizeof(in), 0);
		eof = n == 0;
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			number = errno;
	}
	if (s->open && number != 0)
		flood_stream_lost(s, "recv", number, NULL);
	if (!s->open || !eof)
		return;
	conn_fin_in(&s->conn);
	flood_stream_watch(s, s->watch.want & ~(unsigned)LOOP_READ);
	if (s->stage == LEAVING)
		over(s);
}

static void
block_ready(struct flood_stream *s, unsigned ready)
{
	if (ready & LOOP_READ && !s->conn.fin_in)
		block_read(s);
	if (s->open && ready & LOOP_WRITE &&
		(s->stage == FILL || s->stage == STUCK))
		fill(s);
}

static void
block_go(struct flood_stream *s)
{
	struct flood *f = s->flood;
	size_t chunk = f->conf->chunk > 0 ? (size_t)f->conf->chunk : 1;

	flood_memory_take(&f->memory, chunk);
	s->stage = ASK;
	s->pause = 2 * CLOCK_S + BUFFERS / (int64_t)chunk * WRITE_TIME;
	s->mark = STEP;
	if (flood_stream_ask(s, FLOOD_STALL) == -1)
		return;
	flood_stream_watch(s, LOOP_READ);
	loop_timer(f->loop, &s->timer, ANSWER_MAX, on_unanswered, s);
}

/* The far side. A queue of fewer bytes is full too soon to be timed. */
#define STALL_WAIT (2 * CLOCK_S)
#define STALL_QUIET (3 * CLOCK_S / 2) /* by then the writer has told */
#define STALL_MOST (30 * CLOCK_S)
enum { STALL_STEP = 512, STALL_TIMED = 32 << 10, STALL_ROOM = 4 << 20 };

void
flood_stall_begin(
	struct flood_stall *s, const struct flood_ask *ask, int64_t now)
{
	uint64_t step = ask->step > 0 ? ask->step : STALL_STEP;

	s->step = step < LOOP_SCRATCH ? (size_t)step : LOOP_SCRATCH;
	s->began = s->looked = s->grown = now;
	s->until = now + (ask->wait > 0 ? ask->wait : STALL_WAIT);
	s->unread = 0;
}

bool
flood_stall_holds(struct flood_stall *s, int fd, int64_t now)
{
	int64_t unread, slow;

	if (s->until == 0)
		return false;
	unread = tcpinfo_unread(fd);
	/* A probe of the full window adds a little, late. */
	if (unread > s->unread + s->unread / 16) {
		s->unread = unread;
		s->grown = s->looked;
	}
	s->looked = now;
	if (s->unread >= STALL_TIMED) {
		slow = (s->grown - s->began) / s->unread * STALL_ROOM;
		s->until = clock_later(s->until,
			s->grown + STALL_QUIET +
				clock_sooner(slow, STALL_MOST));
	}
	if (now < s->until)
		return true;
	s->until = 0;
	return false;
}

static void
block_count(struct flood_stream *s, struct flood_totals *t)
{
	t->sent += s->result != 0 ? s->result : s->data.sent;
}

static void
block_stop(struct flood_stream *s)
{
	/* --time limits nothing here: the kernel does. */
	if (s->flood->hurry)
		flood_stream_over(s, CLOSE_LOCAL);
}

const struct flood_calls flood_block = {
	.go = block_go,
	.ready = block_ready,
	.stop = block_stop,
	.count = block_count,
};
