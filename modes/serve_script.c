/* serve --script, --behave: a script played on each connection. */
#include "../util/behave.h"
#include "../util/mem.h"
#include "../util/play.h"
#include "serve.h"
#include <stdlib.h>

struct player {
	struct client client;
	struct play *play;
};

static void
on_data(void *arg, const void *data, size_t n)
{
	struct player *p = arg;

	if (!p->client.serve->conf->script.behave)
		serve_output(p->client.serve, data, n);
}

static bool
on_full(void *arg)
{
	const struct player *p = arg;

	return sink_full(&p->client.serve->out);
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct player *p = arg;

	(void)err;
	serve_left(&p->client, code);
	play_free(p->play);
	free(p);
}

static void
script_client(struct serve *s, int fd, unsigned id)
{
	struct player *p = mem_zero(1, sizeof(*p));

	p->play = play_open(&(struct play_setup){
		.loop = s->life.loop,
		.report = s->life.report,
		.sight = s->life.sight,
		.script = &s->conf->script.script,
		.fd = fd,
		.id = id,
		.chunk = (size_t)s->conf->pace.chunk,
		.step_timeout = s->conf->script.step_timeout,
		.linger = s->conf->sockopts.linger,
		.quiet = s->conf->script.behave != NULL,
		.out = on_data,
		.full = on_full,
		.gone = on_gone,
		.arg = p,
	});
	conn_accepted(play_conn(p->play));
	serve_joined(s, &p->client, play_conn(p->play));
	play_run(p->play);
}

static void
script_abort(struct client *c, enum close_reason reason, bool reset)
{
	play_abort(((struct player *)c)->play, reason, reset);
}

static void
script_finish(struct client *c)
{
	script_abort(c, CLOSE_LOCAL, false);
}

/* The steps that read ask whether standard output is full. */
static void
script_pause(struct serve *s, bool paused)
{
	s->out_full = paused;
}

const struct action serve_script = {
	.start = serve_output_open,
	.client = script_client,
	.finish = script_finish,
	.abort = script_abort,
	.pause = script_pause,
};
