/* A stream between an owner and a peer that do, in any order, all that they
 * may: each pair of bytes is something to do and how much of it. Bytes come
 * once and in order, a paused owner hears nothing, gone comes once, from the
 * loop; and where nobody broke it off, nothing is lost. */
#include "../../util/clock.h"
#include "../../util/net.h"
#include "../../util/stream.h"
#include "fuzz.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT = 32 * 1024, PIECE = 16 * 1024, TURNS = 2000 };

struct play {
	struct stream stream;
	struct loop *loop;
	int peer;
	uint64_t peer_sent, heard, sent, peer_heard;
	bool turning, paused, gone, finished;
	bool rough; /* somebody broke it off, so bytes may be lost */
	bool leaving; /* the owner listens no more */
	bool peer_fin, peer_end;
	bool pauses; /* when data comes */
	bool echoes; /* ... which it sends back, and waits for that */
	int code;
};

static uint8_t
pattern(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 8));
}

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct play *p = arg;

	HOLD(!p->paused && !p->gone && !p->leaving && n > 0);
	for (size_t i = 0; i < n; i++)
		HOLD(data[i] == pattern(p->heard + i));
	p->heard += n;
	HOLD(p->heard <= p->peer_sent);
	if (p->echoes && stream_sends(&p->stream)) {
		p->sent += n;
		stream_send(&p->stream, data, n);
	}
	if (p->pauses || (p->echoes && stream_queued(&p->stream) > 0))
		stream_pause(&p->stream, p->paused = true);
}

static void
on_eof(void *arg)
{
	struct play *p = arg;

	HOLD(p->turning && !p->gone);
	HOLD(p->rough || (p->peer_fin && p->heard == p->peer_sent));
}

static void
on_drained(void *arg)
{
	struct play *p = arg;

	HOLD(!p->gone && stream_queued(&p->stream) == 0);
	if (p->echoes)
		stream_pause(&p->stream, p->paused = false);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct play *p = arg;

	HOLD(p->turning && !p->gone);
	HOLD(code == 0 || err);
	p->gone = true;
	p->code = code;
}

static const struct stream_calls calls = {
	.data = on_data,
	.eof = on_eof,
	.drained = on_drained,
	.gone = on_gone,
};

static void
turn(struct play *p, int64_t wait)
{
	p->turning = true;
	loop_turn(p->loop, wait);
	p->turning = false;
}

static void
peer_send(struct play *p, size_t n)
{
	uint8_t data[PIECE];
	ssize_t put;

	if (p->peer_fin || p->peer_end)
		return;
	for (size_t i = 0; i < n; i++)
		data[i] = pattern(p->peer_sent + i);
	put = send(p->peer, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put > 0)
		p->peer_sent += (size_t)put;
}

static void
peer_read(struct play *p, size_t n)
{
	uint8_t data[PIECE];
	ssize_t got;

	if (p->peer_end)
		return;
	got = recv(p->peer, data, n, MSG_DONTWAIT);
	for (ssize_t i = 0; i < got; i++)
		HOLD(data[i] == pattern(p->peer_heard + (uint64_t)i));
	if (got > 0)
		p->peer_heard += (uint64_t)got;
	HOLD(p->peer_heard <= p->sent);
	HOLD(got != 0 || n == 0 || p->rough || p->gone ||
		(p->finished && p->peer_heard == p->sent));
}

static void
owner_send(struct play *p, size_t n)
{
	uint8_t data[PIECE];

	/* A lost connection takes nothing more. */
	if (!stream_sends(&p->stream) || stream_full(&p->stream) || p->echoes)
		return;
	for (size_t i = 0; i < n; i++)
		data[i] = pattern(p->sent + i);
	p->sent += n;
	stream_send(&p->stream, data, n);
	HOLD(stream_queued(&p->stream) < LIMIT + PIECE);
}

static void
end_of_peer(struct play *p)
{
	if (p->peer_end)
		return;
	close(p->peer);
	p->rough = p->peer_end = true;
}

/* What only an owner does whose stream is there. */
static void
owner_step(struct play *p, unsigned what, unsigned much)
{
	struct err err = { 0 };

	switch (what) {
	case 0:
		owner_send(p, much * 64);
		break;
	case 1:
		if (p->echoes)
			break;
		p->paused = much & 1;
		stream_pause(&p->stream, p->paused);
		break;
	case 2:
		p->finished = true;
		stream_finish(&p->stream);
		break;
	case 3:
		p->finished = p->rough = p->leaving = true;
		stream_leave(&p->stream, (much & 1) * CLOCK_MS);
		break;
	case 4:
		p->finished = p->rough = true;
		stream_quit(&p->stream);
		break;
	case 5:
		p->rough = p->leaving = true;
		err_set(&err, "protocol", EPROTO, "x");
		stream_abort(&p->stream, much & 2 ? CLOSE_ERROR : CLOSE_LOCAL,
			NULL, much & 1, much & 2 ? &err : NULL);
		break;
	case 6:
		stream_idle(&p->stream, much & 1 ? CLOCK_INF : CLOCK_NONE);
		break;
	}
}

static void
step(struct play *p, unsigned what, unsigned much)
{
	switch (what % 16) {
	case 0:
	case 1:
		peer_send(p, much * 64);
		return;
	case 2:
	case 3:
		peer_read(p, much * 64);
		return;
	case 4:
		if (!p->peer_end)
			shutdown(p->peer, SHUT_WR);
		p->peer_fin = true;
		return;
	case 5:
		if (much > 200)
			end_of_peer(p);
		return;
	case 6:
		/* What is sent back has the same place in both patterns. */
		p->echoes |= !p->paused && !p->sent && !p->heard && (much & 2);
		p->pauses = !p->echoes && (much & 1);
		return;
	case 7:
	case 8:
		turn(p, 0);
		return;
	}
	/* To break off is rare. */
	what = what % 16 - 9;
	if (!p->gone && (what < 3 || what > 5 || much > 128))
		owner_step(p, what, much);
}

/* Both say that they are done, and hear each other out. */
static void
part(struct play *p)
{
	p->pauses = false;
	if (!p->gone && p->paused && !p->echoes)
		stream_pause(&p->stream, p->paused = false);
	if (!p->gone)
		stream_finish(&p->stream);
	/* Nothing that comes from now on is sent back. */
	p->finished = true;
	if (!p->peer_end)
		shutdown(p->peer, SHUT_WR);
	p->peer_fin = true;
	for (int i = 0; i < TURNS && !p->gone; i++) {
		peer_read(p, PIECE);
		turn(p, i < 8 ? 0 : CLOCK_MS);
	}
	HOLD(p->gone);
	peer_read(p, PIECE);
	HOLD(p->rough || (p->code == 0 && p->heard == p->peer_sent));
	HOLD(p->rough || p->peer_heard == p->sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = { .loop = loop_new() };
	struct report_options quiet = { .quiet = true, .log = "/dev/null" };
	struct report *r = report_open(&quiet, "echo", REPORT_LISTENER, NULL);
	int pair[2];

	if (size > 512)
		size = 512;
	HOLD(r && net_socketpair(pair) == 0);
	p.peer = pair[1];
	stream_open(&p.stream, p.loop, pair[0], 1, r, NULL, LIMIT, &calls, &p);
	for (size_t i = 0; i + 1 < size; i += 2)
		step(&p, data[i], data[i + 1]);
	part(&p);
	if (!p.peer_end)
		close(p.peer);
	report_close(r);
	loop_free(p.loop);
	return 0;
}
