/* sockctl echo: the options of the server and of the client. */
#include "echo.h"

#define AT(field, type) OPT_AT(struct echo_conf, field, type)

static const struct opt echo_opts[] = {
	{ .name = "fork",
		.type = OPT_FLAG,
		.help = "server: a child process for each client",
		.offset = AT(fork, bool) },
	{ .name = "serial",
		.type = OPT_FLAG,
		.help = "server: one client after the other",
		.offset = AT(serial, bool) },
	{ .name = "reverse",
		.type = OPT_FLAG,
		.help = "server: each line comes back reversed, by UTF-8 "
			"character",
		.offset = AT(reverse, bool) },
	{ .name = "until",
		.type = OPT_STRING,
		.word = "WORD",
		.help = "server: answer a line that is WORD, then close",
		.offset = AT(until, const char *) },
	{ .name = "count",
		.type = OPT_COUNT,
		.word = "N",
		.help = "client: send N messages (default: lines from standard "
			"input)",
		.offset = AT(count, int64_t),
		.min = 1,
		.max = INT64_MAX },
	{ .name = "size",
		.type = OPT_SIZE,
		.word = "SIZE",
		.help = "client: bytes of a message (default 64)",
		.offset = AT(size, uint64_t),
		.min = 1,
		.max = ECHO_SIZE_MAX },
	{ .name = "interval",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "client: from one message to the next (default: none "
			"once the answer is there)",
		.offset = AT(interval, int64_t) },
	{ .name = "poll",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "look for traffic so long before sleeping, while it "
			"keeps coming",
		.offset = AT(poll, int64_t) },
	{ 0 },
};

static const struct opt_group echo_groups[] = {
	{ "Echo", echo_opts, 0 },
	{ "", nc_opts, 0 },
	{ "Addresses", net_opts, offsetof(struct echo_conf, net) },
	{ "Listening", listen_opts, offsetof(struct echo_conf, listen) },
	{ "Connecting", dial_opts, offsetof(struct echo_conf, dial) },
	{ "Time limits", limit_opts, offsetof(struct echo_conf, limits) },
	{ "Socket options", sockopt_opts,
		offsetof(struct echo_conf, sockopts) },
	{ "Seeing", sight_opts, offsetof(struct echo_conf, sight) },
	{ "Reports", report_opts, offsetof(struct echo_conf, report) },
	{ 0 },
};

static const struct echo_conf echo_defaults = {
	.limits = LIMITS_DEFAULT,
	.listen = LISTEN_DEFAULT,
	.dial = DIAL_DEFAULT,
	.sockopts = SOCKOPTS_DEFAULT,
	.sight = SIGHT_DEFAULT,
	.interval = CLOCK_NONE,
};

/* What one side cannot use is said before anything is opened. */
static int
check(const struct run *run, bool server)
{
	const struct echo_conf *c = run->conf;
	const struct mode_side rows[] = {
		{ c->fork, true, "--fork" },
		{ c->serial, true, "--serial" },
		{ c->reverse, true, "--reverse" },
		{ c->until != NULL, true, "--until" },
		{ c->listen.once, true, "--once" },
		{ c->listen.port_file != NULL, true, "--port-file" },
		{ c->listen.max_clients != 0, true, "--max-clients" },
		{ c->listen.rules.count != 0, true, "--allow and --deny" },
		{ c->count != 0, false, "--count" },
		{ c->size != 0, false, "--size" },
		{ c->interval != CLOCK_NONE, false, "--interval" },
		{ c->dial.local_port != NULL, false, "--local-port" },
		{ c->dial.proxy != NULL, false, "--proxy" },
		{ c->dial.retry.times != 0, false, "--retry" },
	};
	int code = mode_sides(run, rows, sizeof(rows) / sizeof(*rows), server);
	struct err err = { 0 };

	if (code || !server)
		return code;
	if (listener_check(&c->listen, &c->net, &err) == -1)
		return mode_refuse(run, &err);
	if (c->fork && c->serial)
		return mode_usage(
			run, "--fork and --serial exclude each other");
	if (c->net.udp && (c->fork || c->serial))
		return mode_usage(run,
			"--fork and --serial are for connections, not for -u");
	if (c->limits.timeout != CLOCK_NONE && !c->listen.once)
		return mode_usage(run,
			"-w waits for the first client, with -1 only: --idle "
			"closes quiet connections, --deadline ends the run");
	return EXIT_OK;
}

static bool
is_server(const struct echo_conf *c)
{
	bool asks = c->count || c->size || c->interval != CLOCK_NONE;

	return c->listen.port || (c->net.path && !asks);
}

static bool
echo_reports(const struct run *run)
{
	return !is_server(run->conf);
}

static int
echo_run(const struct run *run)
{
	bool server = is_server(run->conf);
	int code = check(run, server);

	if (code)
		return code;
	return server ? echo_server(run) : echo_client(run);
}

const struct mode mode_echo = {
	.name = "echo",
	.summary = "returns what it gets; measures who does",
	.usage = "-p PORT [OPTION...]\n[OPTION...] HOST PORT",
	.examples = "sockctl echo -p 7000                  TCP, all clients at "
		    "once\n"
		    "sockctl echo -u -p 7000               UDP\n"
		    "sockctl echo -p 7000 --reverse --until bye\n"
		    "sockctl echo --count 1000 host 7000   round-trip times\n"
		    "sockctl echo host 7000 < lines        each line checked\n",
	.groups = echo_groups,
	.conf_size = sizeof(struct echo_conf),
	.defaults = &echo_defaults,
	.run = echo_run,
	.reports = echo_reports,
};
