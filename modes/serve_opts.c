/* serve: its options, what may stand together, and the action they choose. */
#include "../util/behave.h"
#include "../util/mem.h"
#include "serve.h"
#include <string.h>

static const char *const datagram_words[] = { "read", "line", NULL };

#define AT(field, type) OPT_AT(struct serve_conf, field, type)

static int
parse_target(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	(void)row;
	return endpoint_parse(field, value, NULL, err);
}

static int
parse_behaviour(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	struct script_options *s = field;

	(void)row;
	script_free(&s->script);
	return behave_parse(&s->behave, &s->script, value, err);
}

static const struct opt action_opts[] = {
	{ .name = "reply",
		.type = OPT_STRING,
		.word = "FILE",
		.help = "send FILE (-: standard input), then FIN",
		.offset = AT(reply, const char *),
		.complete = "file" },
	{ .name = "after",
		.type = OPT_TEXT,
		.word = "TEXT",
		.help = "--reply waits until the client has sent TEXT",
		.offset = AT(after, struct opt_text) },
	{ .name = "discard",
		.type = OPT_FLAG,
		.help = "read and drop (RFC 863)",
		.offset = AT(discard, bool) },
	{ .name = "chargen",
		.type = OPT_FLAG,
		.help = "send the pattern of RFC 864",
		.offset = AT(chargen, bool) },
	{ .name = "daytime",
		.type = OPT_FLAG,
		.help = "send one line of local time (RFC 867)",
		.offset = AT(daytime, bool) },
	{ .name = "broker",
		.type = OPT_FLAG,
		.help = "what one client sends goes to all others",
		.offset = AT(broker, bool) },
	{ .name = "forward",
		.type = OPT_PARSE,
		.word = "TARGET",
		.help = "join each client with a new connection to TARGET "
			"(db:5432, unix:/path, udp:host:53)",
		.offset = AT(forward, struct endpoint),
		.parse = parse_target },
	{ .name = "exec",
		.type = OPT_STRING,
		.word = "COMMAND",
		.help = "run /bin/sh -c COMMAND joined with each client",
		.offset = AT(exec, const char *) },
	{ .name = "behave",
		.type = OPT_PARSE,
		.word = "NAME",
		.help = "a peer that misbehaves: sockctl help behaviours",
		.offset = AT(script, struct script_options),
		.parse = parse_behaviour,
		.complete = "behaviour" },
	{ 0 },
};

static const struct opt forward_opts[] = {
	{ .name = "forward-bind",
		.type = OPT_PARSE,
		.word = "ADDR",
		.help = "the local address towards the target",
		.offset = AT(forward_bind, struct opt_list),
		.parse = net_parse_bind,
		.complete = "interface" },
	{ 0 },
};

static const struct opt serve_opts[] = {
	{ .name = "count",
		.letter = 'n',
		.type = OPT_INT,
		.word = "N",
		.help = "serve N connections, then end",
		.offset = AT(count, int64_t),
		.min = 1,
		.max = INT32_MAX },
	{ .name = "ignore-empty",
		.type = OPT_FLAG,
		.help = "do not count a connection that ended without a byte",
		.offset = AT(ignore_empty, bool) },
	{ .name = "live",
		.type = OPT_FLAG,
		.help = "read standard input always; a client that lags misses "
			"data",
		.offset = AT(live, bool) },
	{ .name = "drop-slow",
		.type = OPT_FLAG,
		.help = "drop a client that lets 1 MiB queue up",
		.offset = AT(drop_slow, bool) },
	{ .name = "prefix",
		.type = OPT_FLAG,
		.help = "label each line on standard output with its client",
		.offset = AT(prefix, bool) },
	{ .name = "pause-accept",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "let connections wait in the backlog first",
		.offset = AT(pause, int64_t),
		.min = 1 },
	{ .name = "datagram",
		.type = OPT_WORD,
		.word = "read|line",
		.help = "-u: line ends each datagram with a newline",
		.words = datagram_words,
		.offset = AT(datagram, int) },
	{ 0 },
};

#define GROUP(title, rows, field) \
	{ \
		title, rows, offsetof(struct serve_conf, field) \
	}

const struct opt_group serve_groups[] = {
	{ "Actions", action_opts, 0 },
	GROUP("", script_opts, script),
	{ "Serving", serve_opts, 0 },
	{ "Forwarding", forward_opts, 0 },
	GROUP("", dial_opts + DIAL_FAR, dial),
	GROUP("Listening", listen_opts, listen),
	GROUP("Addresses", net_opts, net),
	GROUP("Ends", ends_opts, ends),
	{ "", nc_opts, 0 },
	GROUP("Assertions", expect_opts, expect),
	GROUP("Pace", pace_opts, pace),
	GROUP("Time limits", limit_opts, limits),
	GROUP("Socket options", sockopt_opts, sockopts),
	GROUP("Seeing", sight_opts, sight),
	GROUP("Reports", report_opts, report),
	{ 0 },
};

const struct serve_conf serve_defaults = {
	.limits = LIMITS_DEFAULT,
	.listen = LISTEN_DEFAULT,
	.dial = DIAL_DEFAULT,
	.script = SCRIPT_DEFAULT,
	.sockopts = SOCKOPTS_DEFAULT,
	.ends = ENDS_DEFAULT,
	.sight = SIGHT_DEFAULT,
};

const struct action *
serve_chosen(const struct serve_conf *c)
{
	bool forward = c->forward.host[0] != '\0';

	if (c->net.udp)
		return forward ? &serve_datagram_forward : &serve_datagram;
	if (forward)
		return &serve_forward;
	if (c->script.script.count || c->script.behave)
		return &serve_script;
	if (c->exec)
		return &serve_exec;
	if (c->reply)
		return &serve_reply;
	if (c->discard)
		return &serve_discard;
	if (c->chargen)
		return &serve_chargen;
	if (c->daytime)
		return &serve_daytime;
	if (c->broker || !c->listen.once || c->prefix || c->live ||
		c->drop_slow)
		return &serve_talk;
	return &serve_once;
}

/* Where to listen, and --forward's far side: known only once all options were
 * read. */
static int
check_places(const struct run *run, const struct serve_conf *c)
{
	const struct net_options far = { .numeric = c->net.numeric,
		.bind = c->forward_bind };
	struct err err = { 0 };

	if (listener_check(&c->listen, &c->net, &err) == -1)
		return mode_refuse(run, &err);
	if (c->forward.host[0] &&
		dial_check(&c->dial, &far, &c->forward, &err) == -1)
		return mode_refuse(run, &err);
	return EXIT_OK;
}

/* An argument that stands for an option's, checked as that is. */
static int
stands_for(const char *name, void *field, const char *value, struct err *err)
{
	const struct opt *row = opt_find(serve_groups, name, 0);

	return row->parse(field, value, row, err);
}

int
serve_check(const struct run *run, const struct serve_conf *c)
{
	int actions = !!c->reply + c->discard + c->chargen + c->daytime +
		c->broker + !!c->exec + (c->forward.host[0] != 0) +
		(c->script.script.count > 0 || c->script.behave);

	if (actions > 1)
		return mode_usage(run, "only one action at a time");
	if (c->net.udp && !c->net.path && !c->discard && !c->broker &&
		!c->forward.host[0] && actions > 0)
		return mode_usage(run,
			"-u goes with no action, --discard, "
			"--broker and --forward");
	if (c->after.given && !c->reply)
		return mode_usage(run, "--after goes with --reply");
	if (c->limits.timeout != CLOCK_NONE && !c->listen.once && !c->count &&
		!c->forward.host[0])
		return mode_usage(run,
			"-w waits for the first connection of --once or "
			"--count; see --idle and --deadline");
	if ((c->expect.text.given || c->expect.bytes) &&
		serve_chosen(c) != &serve_once)
		return mode_usage(run,
			"--expect and --expect-bytes go with "
			"--once and no action");
	if (c->ends.recv_only && c->ends.send_only)
		return mode_usage(
			run, "--recv-only and --send-only exclude each other");
	return check_places(run, c);
}

/* serve -p PORT, or serve [ADDR] PORT, or one address word. */
int
serve_place(const struct run *run, struct serve_conf *c, struct err *err)
{
	struct endpoint e;

	if (c->net.path || c->listen.port) {
		if (run->argc > 0)
			return err_setf(err, NULL, 0, NULL,
				"'%s' is one argument too many: the port is "
				"known already",
				run->argv[0]);
		return 0;
	}
	if (run->argc == 1 && !strchr(run->argv[0], ':'))
		return stands_for("port", &c->listen.port, run->argv[0], err);
	if (run->argc == 0)
		return err_setf(err, NULL, 0, NULL,
			"-p PORT is missing (0: a free one)");
	if (run->argc == 2 &&
		stands_for("bind", &c->net.bind, run->argv[0], err) == -1)
		return -1;
	if (run->argc == 2)
		return stands_for("port", &c->listen.port, run->argv[1], err);
	if (net_endpoint(&e, &c->net, run->argc, run->argv, err) == -1)
		return -1;
	if (e.transport == TRANSPORT_UNIX) {
		c->net.path = mem_string(e.host);
		return 0;
	}
	c->net.udp = c->net.udp || e.datagram;
	c->listen.port = mem_string(e.port);
	opt_list_add(&c->net.bind, mem_string(e.host));
	return 0;
}
