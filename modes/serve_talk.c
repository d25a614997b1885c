/* serve with no action, and --broker: standard input goes to every client, what
 * clients send to standard output, and under --broker to all others. */
#include "../util/crlf.h"
#include "../util/mem.h"
#include "serve.h"
#include <stdlib.h>
#include <string.h>

struct talker {
	struct client client;
	struct stream stream;
	struct buf line; /* --prefix */
};

static const char slow[] = "it let 1 MiB queue up and did not read";

/* Standard output. */

void
serve_prefix_rest(struct serve *s, unsigned id, struct buf *line)
{
	if (line->len > 0)
		serve_prefixed(s, id, line, (const uint8_t *)"\n", 1);
}

void
serve_prefixed(struct serve *s, unsigned id, struct buf *line,
	const uint8_t *data, size_t n)
{
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		buf_byte(line, data[i]);
		if (data[i] != '\n' && line->len < SERVE_LINE)
			continue;
		buf_printf(&out, "#%u ", id);
		buf_append(&out, buf_data(line), line->len);
		if (data[i] != '\n')
			buf_byte(&out, '\n');
		buf_clear(line);
	}
	serve_output(s, buf_data(&out), out.len);
	buf_free(&out);
}

static struct talker *
talker_of(struct client *c)
{
	return (struct talker *)c;
}

static void
pause_clients(struct serve *s, bool paused)
{
	struct client *c;

	s->out_full = paused;
	for (c = s->clients; c; c = c->next)
		stream_pause(&talker_of(c)->stream, paused);
}

void
serve_output(struct serve *s, const void *data, size_t n)
{
	if (n == 0 || s->conf->ends.send_only)
		return;
	sink_write(&s->out, data, n);
	if (sink_full(&s->out) && !s->out_full)
		s->action->pause(s, true);
}

static void
on_output(void *arg, const struct err *err)
{
	struct serve *s = arg;

	if (!err) {
		s->action->pause(s, false);
	} else if (s->ending) {
		report_error(s->life.report, NULL, err);
		s->code = err_worst(s->code, (int)err_exit(err));
	} else {
		serve_fail(s, err);
	}
	serve_settled(s);
}

void
serve_output_open(struct serve *s)
{
	sink_open(&s->out, s->life.loop, 1, "standard output", on_output, s);
}

/* To the clients. */

static bool
any_full(const struct serve *s)
{
	struct client *c;

	for (c = s->clients; c; c = c->next)
		if (stream_full(&talker_of(c)->stream))
			return true;
	return false;
}

static void
settle_input(struct serve *s)
{
	bool wait = !s->clients || any_full(s);

	if (s->conf->live)
		wait = false;
	source_pause(&s->in, wait);
}

/* One piece to one client, by the rule for slow ones. */
static void
tell(struct serve *s, struct talker *t, const uint8_t *data, size_t n)
{
	bool full = stream_queued(&t->stream) + n > SERVE_QUEUE;

	if (full && s->conf->live)
		return;
	if (full && (s->conf->drop_slow || s->conf->broker)) {
		stream_abort(&t->stream, CLOSE_LIMIT, slow, true, NULL);
		return;
	}
	stream_send(&t->stream, data, n);
}

static void
tell_all(struct serve *s, const struct talker *but, const uint8_t *data,
	size_t n)
{
	struct client *c;

	for (c = s->clients; c; c = c->next)
		if (talker_of(c) != but)
			tell(s, talker_of(c), data, n);
}

static void
on_input(void *arg, const uint8_t *data, size_t n)
{
	struct serve *s = arg;
	struct buf crlf = { 0 };

	if (s->conf->ends.crlf) {
		crlf_add(&crlf, data, n, &s->crlf_last);
		data = buf_data(&crlf);
		n = crlf.len;
	}
	tell_all(s, NULL, data, n);
	buf_free(&crlf);
	settle_input(s);
}

/* The server goes on; with --once the end of the input means FIN. */
static void
on_input_end(void *arg, const struct err *err)
{
	struct serve *s = arg;
	struct client *c;

	if (err) {
		serve_fail(s, err);
		return;
	}
	if (!s->conf->listen.once || s->in.total == 0 ||
		s->conf->ends.no_shutdown)
		return;
	for (c = s->clients; c; c = c->next)
		stream_finish(&talker_of(c)->stream);
}

static void
talk_start(struct serve *s)
{
	serve_output_open(s);
	source_open(&s->in, s->life.loop, s->conf->ends.recv_only ? -1 : 0,
		LOOP_SCRATCH, on_input, on_input_end, s);
	settle_input(s);
}

/* From the clients. */

static void
on_data(void *arg, const uint8_t *data, size_t n)
{
	struct talker *t = arg;
	struct serve *s = t->client.serve;

	if (s->conf->broker)
		tell_all(s, t, data, n);
	if (s->conf->prefix)
		serve_prefixed(s, t->stream.conn.id, &t->line, data, n);
	else
		serve_output(s, data, n);
}

static void
on_eof(void *arg)
{
	struct talker *t = arg;

	stream_finish(&t->stream);
}

static void
on_drained(void *arg)
{
	struct talker *t = arg;

	settle_input(t->client.serve);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct talker *t = arg;
	struct serve *s = t->client.serve;

	(void)err;
	if (s->conf->prefix)
		serve_prefix_rest(s, t->stream.conn.id, &t->line);
	serve_left(&t->client, code);
	if (!s->ending)
		settle_input(s);
	buf_free(&t->line);
	free(t->stream.pace);
	free(t);
}

static const struct stream_calls calls = {
	.data = on_data,
	.eof = on_eof,
	.drained = on_drained,
	.gone = on_gone,
};

static void
talk_client(struct serve *s, int fd, unsigned id)
{
	struct talker *t = mem_zero(1, sizeof(*t));

	stream_open(&t->stream, s->life.loop, fd, id, s->life.report,
		s->life.sight, SERVE_QUEUE, &calls, t);
	stream_idle(&t->stream, s->conf->limits.idle);
	t->stream.linger = s->conf->sockopts.linger;
	t->stream.pace = serve_pace(s);
	conn_accepted(&t->stream.conn);
	serve_joined(s, &t->client, &t->stream.conn);
	stream_pause(&t->stream, s->out_full);
	settle_input(s);
}

static void
talk_finish(struct client *c)
{
	stream_quit(&talker_of(c)->stream);
}

static void
talk_abort(struct client *c, enum close_reason reason, bool reset)
{
	stream_abort(&talker_of(c)->stream, reason, NULL, reset, NULL);
}

const struct action serve_talk = {
	.start = talk_start,
	.client = talk_client,
	.finish = talk_finish,
	.abort = talk_abort,
	.pause = pause_clients,
};
