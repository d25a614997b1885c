/* sockctl chat: the options of the server and of the client. */
#include "chat.h"
#include <string.h>

#define AT(field, type) OPT_AT(struct chat_conf, field, type)

static int
parse_nick(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	const char *wrong = chat_name_wrong(value, strlen(value));

	(void)row;
	if (wrong)
		return err_setf(err, NULL, 0, NULL, "%s", wrong);
	*(const char **)field = value;
	return 0;
}

static const struct opt chat_opts[] = {
	{ .name = "nick",
		.letter = 'n',
		.type = OPT_PARSE,
		.word = "NAME",
		.help = "the name to take (server: the console's)",
		.offset = AT(nick, const char *),
		.parse = parse_nick },
	{ .name = "no-console",
		.type = OPT_FLAG,
		.help = "server: standard input and output are no member",
		.offset = AT(no_console, bool) },
	{ .name = "history",
		.type = OPT_INT,
		.word = "N",
		.help = "server: a newcomer is shown the last N lines (20)",
		.offset = AT(history, int64_t),
		.max = 10000 },
	{ .name = "motd",
		.type = OPT_STRING,
		.word = "FILE",
		.help = "server: greet with the lines of FILE",
		.offset = AT(motd, const char *),
		.complete = "file" },
	{ .name = "transcript",
		.type = OPT_STRING,
		.word = "FILE",
		.help = "server: append what everybody sees to FILE",
		.offset = AT(transcript, const char *),
		.complete = "file" },
	{ .name = "exit-word",
		.type = OPT_STRING,
		.word = "WORD",
		.help = "server: a line that is WORD leaves, as /quit does",
		.offset = AT(exit_word, const char *) },
	{ 0 },
};

static const struct opt_group chat_groups[] = {
	{ "Chat", chat_opts, 0 },
	{ "", nc_opts, 0 },
	{ "Addresses", net_opts, offsetof(struct chat_conf, net) },
	{ "Listening", listen_opts, offsetof(struct chat_conf, listen) },
	{ "Connecting", dial_opts, offsetof(struct chat_conf, dial) },
	{ "Time limits", limit_opts, offsetof(struct chat_conf, limits) },
	{ "Socket options", sockopt_opts,
		offsetof(struct chat_conf, sockopts) },
	{ "Seeing", sight_opts, offsetof(struct chat_conf, sight) },
	{ "Reports", report_opts, offsetof(struct chat_conf, report) },
	{ 0 },
};

static const struct chat_conf chat_defaults = {
	.limits = LIMITS_DEFAULT,
	.listen = LISTEN_DEFAULT,
	.dial = DIAL_DEFAULT,
	.sockopts = SOCKOPTS_DEFAULT,
	.sight = SIGHT_DEFAULT,
	.history = CLOCK_NONE,
};

/* What one side cannot use is said before anything is opened. */
static int
check(const struct run *run, bool server)
{
	const struct chat_conf *c = run->conf;
	const struct mode_side rows[] = {
		{ c->no_console, true, "--no-console" },
		{ c->history != CLOCK_NONE, true, "--history" },
		{ c->motd != NULL, true, "--motd" },
		{ c->transcript != NULL, true, "--transcript" },
		{ c->exit_word != NULL, true, "--exit-word" },
		{ c->listen.port_file != NULL, true, "--port-file" },
		{ c->listen.max_clients != 0, true, "--max-clients" },
		{ c->listen.rules.count != 0, true, "--allow and --deny" },
		{ c->dial.local_port != NULL, false, "--local-port" },
		{ c->dial.proxy != NULL, false, "--proxy" },
		{ c->dial.retry.times != 0, false, "--retry" },
	};
	int code = mode_sides(run, rows, sizeof(rows) / sizeof(*rows), server);
	struct err err = { 0 };

	if (code)
		return code;
	if (c->listen.once)
		return mode_usage(run, "--once: a chat is for many");
	if (server && listener_check(&c->listen, &c->net, &err) == -1)
		return mode_refuse(run, &err);
	if (server && c->limits.timeout != CLOCK_NONE)
		return mode_usage(run,
			"-w is for connecting: --idle ends silent members, "
			"--deadline the run");
	return EXIT_OK;
}

static int
chat_run(const struct run *run)
{
	const struct chat_conf *c = run->conf;
	bool server = c->listen.port || (c->net.path && !c->nick);
	int code = check(run, server);

	if (code)
		return code;
	return server ? chat_server(run) : chat_client(run);
}

const struct mode mode_chat = {
	.name = "chat",
	.summary = "a chat for whoever has this, nc or telnet",
	.usage = "-p PORT [OPTION...]\n[OPTION...] HOST PORT",
	.examples = "sockctl chat -p 6000                  the room, and you "
		    "in it\n"
		    "sockctl chat -n ann host 6000         come in as ann\n"
		    "nc host 6000                          so does this\n"
		    "sockctl chat -p 6000 --no-console --transcript log\n"
		    "sockctl chat -u -p 6000 --exit-word EXIT\n",
	.groups = chat_groups,
	.conf_size = sizeof(struct chat_conf),
	.defaults = &chat_defaults,
	.run = chat_run,
};
