/* serve --reply, --discard, --chargen, --daytime: clients that are told
 * something, or nothing, each on its own. */
#include "../util/crlf.h"
#include "../util/mem.h"
#include "serve.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SAY_PIECES = 16, /* a turn, so that others have theirs */
	CHARGEN_LINE = 72,
	CHARGEN_FIRST = 32,
	CHARGEN_COUNT = 95, /* printable ASCII */
};

struct hearer {
	struct client client;
	struct stream stream;
	struct match after;
	struct timer again;
	struct buf line; /* --prefix */
	/* Fills room with the next n bytes at most; 0: that was all, -1 with
	 * errno. NULL: nothing is said. */
	ssize_t (*more)(struct hearer *, uint8_t *room, size_t n);
	uint64_t said;
	uint8_t last; /* the byte before, for --crlf */
	bool done;
};

static struct hearer *
hearer_of(struct client *c)
{
	return (struct hearer *)c;
}

/* What is said. */

int
serve_reply_open(struct serve *s, struct err *err)
{
	const char *name = s->conf->reply;
	struct stat st;
	ssize_t got;
	int fd = 0;

	if (strcmp(name, "-") != 0)
		fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		return err_set(err, "open", errno, name);
	if (S_ISDIR(st.st_mode))
		return err_set(err, "open", EISDIR, name);
	if (S_ISREG(st.st_mode) && fd != 0) {
		s->reply_fd = fd;
		return 0;
	}
	while ((got = read(fd, buf_room(&s->reply, 1 << 16), 1 << 16)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_set(err, "read", errno, name);
		buf_added(&s->reply, (size_t)got);
	}
	if (fd != 0)
		close(fd);
	return 0;
}

static ssize_t
more_reply(struct hearer *h, uint8_t *room, size_t n)
{
	struct serve *s = h->client.serve;
	ssize_t got;
	size_t left;

	while (s->reply_fd != -1) {
		got = pread(s->reply_fd, room, n, (off_t)h->said);
		if (got != -1 || errno != EINTR)
			return got;
	}
	left = s->reply.len - (size_t)h->said;
	n = n < left ? n : left;
	if (n > 0)
		memcpy(room, buf_data(&s->reply) + h->said, n);
	return (ssize_t)n;
}

static ssize_t
more_daytime(struct hearer *h, uint8_t *room, size_t n)
{
	char *text = (char *)room;

	if (h->said > 0)
		return 0;
	clock_iso(clock_unix(), text, n - 2);
	strcat(text, "\r\n");
	return (ssize_t)strlen(text);
}

/* Lines of 72 characters, each beginning one further on in the alphabet. */
static ssize_t
more_chargen(struct hearer *h, uint8_t *room, size_t n)
{
	uint64_t at = h->said;
	size_t i;

	for (i = 0; i < n; i++, at++) {
		uint64_t line = at / (CHARGEN_LINE + 2);
		uint64_t column = at % (CHARGEN_LINE + 2);
		if (column < CHARGEN_LINE)
			room[i] = (uint8_t)(CHARGEN_FIRST +
				(line + column) % CHARGEN_COUNT);
		else
			room[i] = column == CHARGEN_LINE ? '\r' : '\n';
	}
	return (ssize_t)n;
}

static void
send_piece(struct hearer *h, const uint8_t *data, size_t n)
{
	struct buf crlf = { 0 };

	h->said += n;
	if (h->client.serve->conf->reply && h->client.serve->conf->ends.crlf) {
		crlf_add(&crlf, data, n, &h->last);
		data = buf_data(&crlf);
		n = crlf.len;
	}
	stream_send(&h->stream, data, n);
	buf_free(&crlf);
}

static void
say(void *arg)
{
	struct hearer *h = arg;
	struct loop *loop = h->client.serve->life.loop;
	struct err err = { 0 };
	ssize_t n = 0;
	int i;

	for (i = 0; i < SAY_PIECES && !h->done; i++) {
		uint8_t *room = loop_scratch(loop);
		if (stream_queued(&h->stream) > 0 || !stream_sends(&h->stream))
			return;
		n = h->more ? h->more(h, room, LOOP_SCRATCH) : 0;
		if (n <= 0)
			break;
		send_piece(h, room, (size_t)n);
	}
	if (n > 0) {
		loop_timer(loop, &h->again, 0, say, h);
		return;
	}
	h->done = true;
	if (n == -1) {
		err_set(&err, "read", errno, h->client.serve->conf->reply);
		stream_abort(&h->stream, CLOSE_ERROR, NULL, false, &err);
	} else {
		stream_finish(&h->stream);
	}
}

/* The client. */

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct hearer *h = arg;
	struct serve *s = h->client.serve;
	bool now = h->after.text && !match_found(&h->after) &&
		match_feed(&h->after, data, n);

	if (s->conf->reply && s->conf->prefix)
		serve_prefixed(s, h->stream.conn.id, &h->line, data, n);
	else if (s->conf->reply)
		serve_output(s, data, n);
	/* Last: what is said uses the scratch memory where data is. */
	if (now)
		say(h);
}

/* The reply is finished for a client that half-closes after its request; the
 * others have nothing more to say to one that left. */
static void
on_eof(void *arg)
{
	struct hearer *h = arg;
	bool waits = h->after.text && !match_found(&h->after);

	if (h->client.serve->conf->reply && !waits)
		return;
	h->done = true;
	stream_finish(&h->stream);
}

static void
on_drained(void *arg)
{
	struct hearer *h = arg;

	if (!h->done)
		say(h);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct hearer *h = arg;
	struct serve *s = h->client.serve;

	(void)err;
	if (s->conf->prefix)
		serve_prefix_rest(s, h->stream.conn.id, &h->line);
	loop_cancel(s->life.loop, &h->again);
	match_free(&h->after);
	serve_left(&h->client, code);
	buf_free(&h->line);
	free(h->stream.pace);
	free(h);
}

static const struct stream_calls calls = {
	.data = on_data,
	.eof = on_eof,
	.drained = on_drained,
	.gone = on_gone,
};

static struct hearer *
hearer(struct serve *s, int fd, unsigned id)
{
	struct hearer *h = mem_zero(1, sizeof(*h));

	stream_open(&h->stream, s->life.loop, fd, id, s->life.report,
		s->life.sight, SERVE_QUEUE, &calls, h);
	stream_idle(&h->stream, s->conf->limits.idle);
	h->stream.linger = s->conf->sockopts.linger;
	h->stream.pace = serve_pace(s);
	conn_accepted(&h->stream.conn);
	serve_joined(s, &h->client, &h->stream.conn);
	stream_pause(&h->stream, s->out_full);
	return h;
}

static void
reply_client(struct serve *s, int fd, unsigned id)
{
	struct hearer *h = hearer(s, fd, id);

	h->more = more_reply;
	if (s->conf->after.given)
		match_start(&h->after, s->conf->after.data, s->conf->after.len);
	else
		say(h);
}

static void
discard_client(struct serve *s, int fd, unsigned id)
{
	hearer(s, fd, id);
}

static void
chargen_client(struct serve *s, int fd, unsigned id)
{
	struct hearer *h = hearer(s, fd, id);

	h->more = more_chargen;
	say(h);
}

static void
daytime_client(struct serve *s, int fd, unsigned id)
{
	struct hearer *h = hearer(s, fd, id);

	h->more = more_daytime;
	say(h);
}

static void
say_finish(struct client *c)
{
	struct hearer *h = hearer_of(c);

	h->done = true;
	stream_quit(&h->stream);
}

static void
say_abort(struct client *c, enum close_reason reason, bool reset)
{
	stream_abort(&hearer_of(c)->stream, reason, NULL, reset, NULL);
}

static void
say_pause(struct serve *s, bool paused)
{
	struct client *c;

	s->out_full = paused;
	for (c = s->clients; c; c = c->next)
		stream_pause(&hearer_of(c)->stream, paused);
}

#define SAYS(does) \
	.client = does, .finish = say_finish, .abort = say_abort, \
	.pause = say_pause, .start = serve_output_open

const struct action serve_reply = { SAYS(reply_client) };
const struct action serve_discard = { SAYS(discard_client) };
const struct action serve_chargen = { SAYS(chargen_client) };
const struct action serve_daytime = { SAYS(daytime_client) };
