/* sockctl flood: load, latency and the reason why. */
#include "flood.h"
#include "../util/num.h"
#include <string.h>

/* --rr[=SIZE] */
static int
parse_rr(void *field, const char *value, const struct opt *row, struct err *err)
{
	uint64_t size = 1;

	if (value != NULL &&
		num_size(value, (uint64_t)row->min, (uint64_t)row->max,
			&size) == -1)
		return err_setf(err, NULL, 0, NULL,
			"not a size from 1 to 1048576 (1, 64, 4K)");
	*(uint64_t *)field = size;
	return 0;
}

#define AT(field, type) OPT_AT(struct flood_conf, field, type)

static const struct opt flood_opts[] = {
	{ .name = "time",
		.letter = 't',
		.type = OPT_TIME,
		.word = "TIME",
		.help = "send for so long (10 s)",
		.offset = AT(time, int64_t),
		.min = 1 },
	{ .name = "bytes",
		.letter = 'n',
		.type = OPT_SIZE,
		.word = "SIZE",
		.help = "send so much, all connections together",
		.offset = AT(bytes, uint64_t),
		.min = 1 },
	{ .name = "parallel",
		.letter = 'P',
		.type = OPT_INT,
		.word = "N",
		.help = "connections (1)",
		.offset = AT(parallel, int64_t),
		.min = 1,
		.max = 100000 },
	{ .name = "chunk",
		.type = OPT_SIZE,
		.word = "SIZE",
		.help = "bytes a write (128K; --until-block 1); with -u a "
			"datagram (1400)",
		.offset = AT(chunk, uint64_t),
		.min = 1,
		.max = FLOOD_CALL_MAX },
	{ .name = "rate",
		.type = OPT_RATE,
		.word = "RATE",
		.help = "at most so much, all connections together",
		.offset = AT(rate, uint64_t) },
	{ .name = "every",
		.letter = 'i',
		.type = OPT_TIME,
		.word = "TIME",
		.help = "an interval report each TIME",
		.offset = AT(every, int64_t),
		.min = CLOCK_MS },
	{ .name = "omit",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "warm up so long first, without counting",
		.offset = AT(omit, int64_t),
		.min = 1 },
	{ .name = "reverse",
		.letter = 'R',
		.type = OPT_FLAG,
		.help = "the far side sends",
		.offset = AT(reverse, bool) },
	{ .name = "bidir",
		.type = OPT_FLAG,
		.help = "both sides send",
		.offset = AT(bidir, bool) },
	{ .name = "verify",
		.type = OPT_FLAG,
		.help = "send a pattern, and check it at the other end",
		.offset = AT(verify, bool) },
	{ .name = "zerocopy",
		.type = OPT_FLAG,
		.help = "send the same pages again, without copying",
		.offset = AT(zerocopy, bool) },
	{ .name = "skip-rx-copy",
		.type = OPT_FLAG,
		.help = "the receiver drops bytes in the kernel",
		.offset = AT(skip_rx_copy, bool) },
	{ .name = "no-gso",
		.type = OPT_FLAG,
		.help = "-u: one datagram a call",
		.offset = AT(no_gso, bool) },
	{ .name = "workers",
		.type = OPT_INT,
		.word = "N",
		.help = "processes that -P spreads over (one a core)",
		.offset = AT(workers, int64_t),
		.min = 1,
		.max = WORKERS_MAX },
	{ 0 },
};

static const struct opt other_opts[] = {
	{ .name = "rr",
		.type = OPT_PARSE,
		.word = "[=SIZE]",
		.help = "request and response, SIZE bytes each (1)",
		.offset = AT(rr, uint64_t),
		.min = 1,
		.max = FLOOD_PIECE,
		.parse = parse_rr },
	{ .name = "crr",
		.type = OPT_FLAG,
		.help = "a connection for each request",
		.offset = AT(crr, bool) },
	{ .name = "hold",
		.type = OPT_INT,
		.word = "N",
		.help = "open N connections and keep them for --time",
		.offset = AT(hold, int64_t),
		.min = 1,
		.max = 1000000 },
	{ .name = "until-block",
		.type = OPT_FLAG,
		.help = "write until nothing fits, and say how much did; "
			"against flood -p also when it goes on (unknown "
			"elsewhere, as with serve --behave never-read)",
		.offset = AT(until_block, bool) },
	{ .name = "poll",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "--rr: poll so long before sleeping (0)",
		.offset = AT(poll, int64_t) },
	{ 0 },
};

static const struct opt assert_opts[] = {
	{ .name = "min-rate",
		.type = OPT_RATE,
		.word = "RATE",
		.help = "exit 9 when it was slower",
		.offset = AT(min_rate, uint64_t) },
	{ .name = "max-loss",
		.type = OPT_REAL,
		.word = "PERCENT",
		.help = "-u: exit 9 when more was lost",
		.offset = AT(max_loss, double),
		.max = 100 },
	{ .name = "max-p99",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "exit 9 when one request in 100 took longer",
		.offset = AT(max_p99, int64_t),
		.min = 1 },
	{ 0 },
};

static const struct opt_group groups[] = {
	{ "Load", flood_opts, 0 },
	{ "Other loads", other_opts, 0 },
	{ "Assertions", assert_opts, 0 },
	{ "Far side", listen_opts, offsetof(struct flood_conf, listen) },
	{ "Addresses", net_opts, offsetof(struct flood_conf, net) },
	{ "Connecting", dial_opts, offsetof(struct flood_conf, dial) },
	{ "Time limits", limit_opts, offsetof(struct flood_conf, limits) },
	{ "Socket options", sockopt_opts,
		offsetof(struct flood_conf, sockopts) },
	{ "Seeing", sight_opts, offsetof(struct flood_conf, sight) },
	{ "Reports", report_opts, offsetof(struct flood_conf, report) },
	{ 0 },
};

static const struct flood_conf defaults = {
	.listen = LISTEN_DEFAULT,
	.dial = DIAL_DEFAULT,
	.limits = LIMITS_DEFAULT,
	.sockopts = SOCKOPTS_DEFAULT,
	.sight = SIGHT_DEFAULT,
	.time = 10 * CLOCK_S,
	.parallel = 1,
	.max_loss = -1,
};

static enum flood_kind
kind_of(const struct flood_conf *c, const struct endpoint *to)
{
	if (c->rr > 0)
		return KIND_RR;
	if (c->crr)
		return KIND_CRR;
	if (c->hold > 0)
		return KIND_HOLD;
	if (c->until_block)
		return KIND_BLOCK;
	return to->datagram ? KIND_UDP : KIND_THROUGHPUT;
}

/* What goes with what. A row is wrong when both sides of it are there. */
static const char *
clash(const struct flood_conf *c, const struct endpoint *to)
{
	enum flood_kind kind = kind_of(c, to);
	bool stream = kind == KIND_THROUGHPUT;
	bool load = stream || kind == KIND_UDP;
	bool asks = kind == KIND_RR || kind == KIND_CRR;
	const struct {
		bool wrong;
		const char *what;
	} rows[] = {
		{ (c->rr > 0) + c->crr + (c->hold > 0) + c->until_block > 1,
			"--rr, --crr, --hold and --until-block exclude each "
			"other" },
		{ !load && to->datagram,
			"--rr, --crr, --hold and --until-block are for "
			"connections, not for -u" },
		{ c->reverse && c->bidir,
			"--reverse and --bidir exclude each other" },
		{ (c->reverse || c->bidir) && !load,
			"--reverse and --bidir have no meaning here" },
		{ (c->verify || c->zerocopy || c->skip_rx_copy) && !stream,
			"--verify, --zerocopy and --skip-rx-copy are for "
			"throughput over connections" },
		{ c->verify && (c->zerocopy || c->skip_rx_copy),
			"--verify touches every byte: --zerocopy and "
			"--skip-rx-copy have no meaning with it" },
		{ c->no_gso && kind != KIND_UDP, "--no-gso goes with -u" },
		{ c->bytes > 0 && c->omit > 0 && (c->reverse || c->bidir),
			"--omit goes with --time, not --bytes, where the far "
			"side sends" },
		{ c->max_loss >= 0 && kind != KIND_UDP,
			"--max-loss goes with -u" },
		{ c->max_p99 > 0 && !asks,
			"--max-p99 goes with --rr and --crr" },
		{ c->poll > 0 && kind != KIND_RR, "--poll goes with --rr" },
		{ kind == KIND_UDP && c->chunk > 0 &&
				(c->chunk < FLOOD_HEAD ||
					c->chunk > FLOOD_CHUNK_MAX),
			"a datagram of --chunk has 32 to 65507 bytes" },
		{ kind == KIND_UDP && c->bytes > 0 && c->omit > 0,
			"--omit goes with --time, not --bytes, with -u" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].wrong)
			return rows[i].what;
	return NULL;
}

/* Whether an option of the near side was given. They stand at the end of the
 * settings, --workers of both sides before them. */
static bool
near_asked(const struct flood_conf *c)
{
	size_t from = offsetof(struct flood_conf, time);

	return memcmp((const char *)c + from, (const char *)&defaults + from,
		       sizeof(*c) - from) != 0;
}

static int
far_run(const struct run *run)
{
	const struct flood_conf *conf = run->conf;
	struct err err = { 0 };

	if (conf->listen.port != NULL && conf->net.path != NULL)
		return mode_usage(run, "-p and -U exclude each other");
	if (run->argc > 0)
		return mode_usage(run,
			"'%s' beside %s: the far side takes no "
			"arguments",
			run->argv[0], conf->listen.port != NULL ? "-p" : "-U");
	if (near_asked(conf))
		return mode_usage(run,
			"with -p it does what its clients ask "
			"for: options of the load are theirs");
	if (conf->limits.timeout != CLOCK_NONE && !conf->listen.once)
		return mode_usage(run,
			"-w has no meaning for a far side that "
			"serves on: --idle, --deadline");
	if (listener_check(&conf->listen, &conf->net, &err) == -1)
		return mode_refuse(run, &err);
	return flood_far(run);
}

static int
flood_run(const struct run *run)
{
	const struct flood_conf *conf = run->conf;
	struct endpoint to = { .datagram = conf->net.udp };
	struct err err = { 0 };
	const char *what;

	if (conf->listen.port != NULL ||
		(conf->net.path != NULL && !near_asked(conf)))
		return far_run(run);
	if (run->argc == 0 && !conf->net.path)
		return mode_usage(run, NET_NEITHER);
	if (net_endpoint(&to, &conf->net, run->argc, run->argv, &err) == -1 ||
		dial_check(&conf->dial, &conf->net, &to, &err) == -1)
		return mode_refuse(run, &err);
	what = clash(conf, &to);
	if (what != NULL)
		return mode_usage(run, "%s", what);
	return flood_near(run, &to, kind_of(conf, &to));
}

static bool
flood_reports(const struct run *run)
{
	(void)run;
	return true;
}

const struct mode mode_flood = {
	.name = "flood",
	.summary = "load, latency, and what limits them",
	.usage = "[OPTION...] HOST PORT\n[OPTION...] ADDRESS\n"
		 "[OPTION...] -p PORT",
	.examples = "  sockctl flood -p 5001               the far side\n"
		    "  sockctl flood host 5001             send for 10 s\n"
		    "  sockctl flood -t 5 -P 4 -i 1 host 5001\n"
		    "  sockctl flood -R host 5001          the far side sends\n"
		    "  sockctl flood -u --rate 50mbit host 5001\n"
		    "  sockctl flood --rr host 7           against sockctl "
		    "echo -p 7\n"
		    "  sockctl flood --hold 1000 -t 60 host 80\n",
	.groups = groups,
	.conf_size = sizeof(struct flood_conf),
	.defaults = &defaults,
	.run = flood_run,
	.reports = flood_reports,
};
