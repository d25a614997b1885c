/* serve --once with no action, --exec and --forward: each client joined with a
 * near end: standard input and output, a command, a connection to a target. */
#include "../util/command.h"
#include "../util/mem.h"
#include "serve.h"
#include <stdlib.h>

struct joined {
	struct command command; /* first: the pump's arg is both */
	struct client client;
	struct pump pump;
	struct dial *dial;
	bool dialing; /* --forward: the target is not connected yet */
};

static struct joined *
joined_of(struct client *c)
{
	return (struct joined *)((char *)c - offsetof(struct joined, client));
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct joined *j = arg;
	struct serve *s = j->client.serve;

	(void)err;
	if (j->command.pump)
		command_end(&j->command, s->life.loop);
	serve_left(&j->client, code);
	dial_cancel(j->dial);
	pump_free(&j->pump);
	free(j);
}

static struct joined *
joined(struct serve *s, int fd, unsigned id)
{
	struct joined *j = mem_zero(1, sizeof(*j));
	struct pump_setup setup = {
		.loop = s->life.loop,
		.report = s->life.report,
		.sight = s->life.sight,
		.manner = PUMP_SERVER,
		.fd = fd,
		.id = id,
		.in = 0,
		.out = 1,
		.ends = &s->conf->ends,
		.expect = &s->conf->expect,
		.pace = &s->conf->pace,
		.idle = s->conf->limits.idle,
		.linger = s->conf->sockopts.linger,
		.gone = on_gone,
		.arg = j,
	};

	pump_open(&j->pump, &setup);
	conn_accepted(&j->pump.conn);
	serve_joined(s, &j->client, &j->pump.conn);
	return j;
}

static void
once_client(struct serve *s, int fd, unsigned id)
{
	pump_run(&joined(s, fd, id)->pump);
}

/* What the client was to be joined with failed. */
static void
refuse(struct joined *j, const char *why, const struct err *err)
{
	j->pump.conn.why = why;
	pump_abort(&j->pump, CLOSE_ERROR, true, err);
}

static void
exec_client(struct serve *s, int fd, unsigned id)
{
	struct joined *j = joined(s, fd, id);
	struct err err = { 0 };

	if (command_join(&j->command, &j->pump, s->conf->exec, &err) == -1)
		refuse(j, "the command could not be started", &err);
	else
		pump_run(&j->pump);
}

static void
on_target(void *arg, int fd, const struct dial_result *result,
	const struct err *err)
{
	struct joined *j = arg;

	j->dialing = false;
	if (fd == -1) {
		refuse(j,
			"the target could not be reached, so the client was "
			"reset",
			err);
		return;
	}
	j->pump.set.near_early = result->early;
	pump_near(&j->pump, fd, fd, j->client.serve->target);
	pump_run(&j->pump);
}

static void
forward_client(struct serve *s, int fd, unsigned id)
{
	struct joined *j = joined(s, fd, id);

	j->dialing = true;
	j->dial = serve_dial(s, on_target, j);
}

static void
join_abort(struct client *c, enum close_reason reason, bool reset)
{
	struct joined *j = joined_of(c);

	if (j->dialing)
		dial_cancel(j->dial);
	if (j->dialing)
		j->dial = NULL;
	j->dialing = false;
	pump_abort(&j->pump, reason, reset, NULL);
}

static void
join_finish(struct client *c)
{
	struct joined *j = joined_of(c);

	if (j->dialing)
		join_abort(c, CLOSE_LOCAL, false);
	else
		pump_finish(&j->pump);
}

#define JOINS(does) .client = does, .finish = join_finish, .abort = join_abort

const struct action serve_once = { JOINS(once_client) };
const struct action serve_exec = { JOINS(exec_client) };
const struct action serve_forward = { JOINS(forward_client) };
