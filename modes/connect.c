/* sockctl connect: standard input to the peer, the peer to standard output. */
#include "connect.h"
#include <string.h>

static const char *const datagram_words[] = { "read", "line", NULL };

static const struct opt connect_opts[] = {
	{ .name = "exec",
		.type = OPT_STRING,
		.word = "COMMAND",
		.help = "join a command instead of standard input and output",
		.offset = OPT_AT(struct connect_conf, exec, const char *) },
	{ .name = "datagram",
		.type = OPT_WORD,
		.word = "read|line",
		.help = "-u: one datagram a read (default) or a line",
		.words = datagram_words,
		.offset = OPT_AT(struct connect_conf, datagram, int) },
	{ 0 },
};

static const struct opt_group connect_groups[] = {
	{ "Connect", connect_opts, 0 },
	{ "", script_opts, offsetof(struct connect_conf, script) },
	{ "Ends", ends_opts, offsetof(struct connect_conf, ends) },
	{ "", nc_opts, 0 },
	{ "", fin_opts, offsetof(struct connect_conf, ends) },
	{ "Assertions", expect_opts, offsetof(struct connect_conf, expect) },
	{ "Pace", pace_opts, offsetof(struct connect_conf, pace) },
	{ "Addresses", net_opts, offsetof(struct connect_conf, net) },
	{ "Connecting", dial_opts, offsetof(struct connect_conf, dial) },
	{ "Time limits", limit_opts, offsetof(struct connect_conf, limits) },
	{ "Socket options", sockopt_opts,
		offsetof(struct connect_conf, sockopts) },
	{ "Seeing", sight_opts, offsetof(struct connect_conf, sight) },
	{ "Reports", report_opts, offsetof(struct connect_conf, report) },
	{ 0 },
};

static const struct connect_conf connect_defaults = {
	.limits = LIMITS_DEFAULT,
	.sockopts = SOCKOPTS_DEFAULT,
	.ends = ENDS_DEFAULT,
	.sight = SIGHT_DEFAULT,
	.dial = DIAL_DEFAULT,
	.script = SCRIPT_DEFAULT,
};

void
connect_over(struct connect *c, int code)
{
	if (c->ending && c->code)
		code = c->code;
	loop_stop(c->life.loop, life_code(&c->life, code));
}

static void
on_gone(void *arg, int code, const struct err *err)
{
	struct connect *c = arg;

	(void)err;
	if (c->command.pump)
		command_end(&c->command, c->life.loop);
	c->played = !c->ending && sink_full(&c->out);
	if (c->played)
		c->code = code;
	else
		connect_over(c, code);
}

static void
start_pump(struct connect *c, int fd, const struct dial_result *result)
{
	const struct connect_conf *conf = c->conf;
	struct pump_setup s = {
		.loop = c->life.loop,
		.report = c->life.report,
		.sight = c->life.sight,
		.manner = PUMP_CLIENT,
		.fd = fd,
		.id = 1,
		.in = 0,
		.out = 1,
		.ends = &conf->ends,
		.expect = &conf->expect,
		.pace = &conf->pace,
		.early = result->early,
		.idle = conf->limits.idle,
		.linger = conf->sockopts.linger,
		.gone = on_gone,
		.arg = c,
	};
	struct err err = { 0 };

	pump_open(&c->pump, &s);
	dial_connected(&c->pump.conn, result);
	if (conf->exec &&
		command_join(&c->command, &c->pump, conf->exec, &err) == -1)
		pump_abort(&c->pump, CLOSE_ERROR, false, &err);
	else
		pump_run(&c->pump);
}

/* --script. */

static void
on_play_data(void *arg, const void *data, size_t n)
{
	struct connect *c = arg;

	sink_write(&c->out, data, n);
}

static bool
on_play_full(void *arg)
{
	const struct connect *c = arg;

	return sink_full(&c->out);
}

static void
on_output(void *arg, const struct err *err)
{
	struct connect *c = arg;

	if (!err && c->played)
		connect_over(c, c->code);
	if (!err || c->ending)
		return;
	report_error(c->life.report, NULL, err);
	c->ending = true;
	c->code = (int)err_exit(err);
	if (c->played)
		connect_over(c, c->code);
	else
		play_abort(c->play, CLOSE_ERROR, false);
}

static void
start_play(struct connect *c, int fd, const struct dial_result *result)
{
	const struct connect_conf *conf = c->conf;

	sink_open(&c->out, c->life.loop, 1, "standard output", on_output, c);
	c->play = play_open(&(struct play_setup){
		.loop = c->life.loop,
		.report = c->life.report,
		.sight = c->life.sight,
		.script = &conf->script.script,
		.fd = fd,
		.id = 1,
		.chunk = (size_t)conf->pace.chunk,
		.step_timeout = conf->script.step_timeout,
		.linger = conf->sockopts.linger,
		.out = on_play_data,
		.full = on_play_full,
		.gone = on_gone,
		.arg = c,
	});
	dial_connected(play_conn(c->play), result);
	play_run(c->play);
}

static void
on_dialed(void *arg, int fd, const struct dial_result *result,
	const struct err *err)
{
	struct connect *c = arg;

	if (fd == -1) {
		report_error(c->life.report, NULL, err);
		connect_over(c, (int)err_exit(err));
		return;
	}
	c->open = true;
	if (c->conf->script.script.count)
		start_play(c, fd, result);
	else if (c->to.datagram)
		talk_start(c, fd, dial_target(c->dial));
	else
		start_pump(c, fd, result);
}

static void
on_stop(void *arg, const struct err *why)
{
	struct connect *c = arg;
	enum close_reason reason = why ? CLOSE_TIMEOUT : CLOSE_LOCAL;

	c->ending = true;
	c->code = why ? EXIT_TIMEOUT : EXIT_OK;
	if (!c->open) {
		dial_cancel(c->dial);
		c->dial = NULL;
		connect_over(c, EXIT_OK);
	} else if (c->played) {
		connect_over(c, c->code);
	} else if (c->play) {
		play_abort(c->play, reason, why != NULL);
	} else if (c->to.datagram) {
		talk_abort(c, reason);
	} else {
		pump_abort(&c->pump, reason, why != NULL, NULL);
	}
}

static const struct conn *
conn_of(const struct connect *c)
{
	if (c->play)
		return play_conn(c->play);
	return c->to.datagram ? &c->talk.conn : &c->pump.conn;
}

static uint64_t
unsent(const struct connect *c)
{
	if (c->play)
		return 0;
	if (c->to.datagram)
		return c->talk.over ? c->talk.conn.unsent : c->talk.pending.len;
	return pump_unsent(&c->pump);
}

static size_t
members(void *arg, struct field *out)
{
	struct connect *c = arg;
	const struct conn *k = conn_of(c);
	int64_t now = loop_now(c->life.loop);
	size_t n = 0;

	out[n++] = F_STR("peer", c->open ? k->peer : NULL);
	out[n++] = (struct field)F_UINT("rx", k->rx);
	out[n++] = (struct field)F_UINT("tx", k->tx);
	out[n++] = (struct field)F_UINT("unsent", unsent(c));
	out[n++] = (struct field)F_REAL("duration_s",
		c->open ? clock_seconds(now - k->opened) : 0.0, 6);
	return n;
}

static void
release(void *arg)
{
	struct connect *c = arg;

	if (c->open && !c->to.datagram && !c->play)
		pump_free(&c->pump);
	play_free(c->play);
	sink_close(&c->out);
	dial_cancel(c->dial);
}

static int
check(const struct run *run, const struct connect_conf *conf)
{
	if (conf->ends.recv_only && conf->ends.send_only)
		return mode_usage(
			run, "--recv-only and --send-only exclude each other");
	if (conf->exec && conf->script.script.count)
		return mode_usage(
			run, "--exec and --script exclude each other");
	if (conf->ends.no_shutdown && conf->ends.fin != CLOCK_NONE)
		return mode_usage(run,
			"--no-shutdown sends no FIN, so --fin "
			"has no meaning with it");
	return EXIT_OK;
}

static int
connect_run(const struct run *run)
{
	const struct connect_conf *conf = run->conf;
	struct connect c = { .conf = conf };
	struct sockopts sockopts;
	struct err err = { 0 };
	struct life_setup setup = {
		.mode = "connect",
		.manner = REPORT_CLIENT,
		.report = &conf->report,
		.sight = &conf->sight,
		.deadline = conf->limits.deadline,
		.stop = on_stop,
		.members = members,
		.release = release,
		.arg = &c,
	};
	int code;

	if (net_endpoint(&c.to, &conf->net, run->argc, run->argv, &err) == -1 ||
		dial_check(&conf->dial, &conf->net, &c.to, &err) == -1)
		return mode_refuse(run, &err);
	code = check(run, conf);
	if (code)
		return code;
	if (life_begin(&c.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	sockopts = life_sockopts(&c.life, &conf->sockopts);
	c.dial = dial_start(&(struct dial_setup){
		.loop = c.life.loop,
		.report = c.life.report,
		.net = &conf->net,
		.dial = &conf->dial,
		.sockopts = &sockopts,
		.to = c.to,
		.timeout = conf->limits.timeout,
		.done = on_dialed,
		.arg = &c,
	});
	return life_run(&c.life);
}

const struct mode mode_connect = {
	.name = "connect",
	.summary = "standard input to a peer, the peer to standard output",
	.usage = "[OPTION...] HOST PORT\n[OPTION...] ADDRESS",
	.examples =
		"  sockctl connect db 5432             type to it, see what it "
		"says\n"
		"  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | sockctl connect www "
		"80\n"
		"  sockctl connect -b 12345 host 4000  from local port 12345\n"
		"  sockctl connect unix:/run/app.sock  a Unix-domain socket\n"
		"  echo 'hits:1|c' | sockctl connect -u -q 0 stats 8125\n"
		"  sockctl connect --expect '220 ' mx 25 </dev/null\n",
	.groups = connect_groups,
	.conf_size = sizeof(struct connect_conf),
	.defaults = &connect_defaults,
	.run = connect_run,
};
