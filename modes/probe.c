/* sockctl probe: is it there, and what is it? */
#include "probe.h"
#include "../util/term.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define AT(field, type) OPT_AT(struct probe_conf, field, type)

static const struct opt probe_opts[] = {
	{ .name = "jobs",
		.letter = 'j',
		.type = OPT_INT,
		.word = "N",
		.help = "so many at once (as many as descriptors allow, at "
			"most 1000)",
		.offset = AT(jobs, int64_t),
		.min = 1,
		.max = 65535 },
	{ .name = "timeout",
		.letter = 'w',
		.type = OPT_TIME,
		.word = "TIME",
		.help = "wait so long for each port (4 s), and again for what "
			"it says",
		.offset = AT(limits.timeout, int64_t),
		.min = 1,
		.max = 1 },
	{ .name = "stay",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "a connection that is closed within TIME is dropped, "
			"not open (0; with --wait 200 ms)",
		.offset = AT(stay, int64_t) },
	{ .name = "open",
		.type = OPT_FLAG,
		.help = "show only open ports",
		.offset = AT(open, bool) },
	{ .name = "send",
		.type = OPT_TEXT,
		.word = "TEXT",
		.help = "send this (C escapes, or @FILE)",
		.offset = AT(send, struct opt_text) },
	{ .name = "banner",
		.type = OPT_FLAG,
		.help = "show the first line that comes",
		.offset = AT(banner, bool) },
	{ .name = "expect",
		.type = OPT_TEXT,
		.word = "TEXT",
		.help = "exit 9 where this does not come",
		.offset = AT(expect, struct opt_text) },
	{ .name = "info",
		.type = OPT_FLAG,
		.help = "show what was negotiated: mss, window scale, ...",
		.offset = AT(info, bool) },
	{ 0 },
};

static const struct opt repeat_opts[] = {
	{ .name = "count",
		.type = OPT_COUNT,
		.word = "N",
		.help = "look N times (inf: until Ctrl-C), and measure",
		.offset = AT(count, int64_t),
		.min = 1 },
	{ .name = "interval",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "between tries (1 s; with --wait 250 ms)",
		.offset = AT(interval, int64_t) },
	{ .name = "wait",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "keep trying until all are open, or TIME (or inf) is "
			"over: exit 4",
		.offset = AT(wait, int64_t),
		.min = 1,
		.max = 1 },
	{ .name = "down",
		.type = OPT_FLAG,
		.help = "--wait until none is open",
		.offset = AT(down, bool) },
	{ .name = "stable",
		.type = OPT_INT,
		.word = "N",
		.help = "--wait until it was so N times in a row",
		.offset = AT(stable, int64_t),
		.min = 1 },
	{ .name = "any",
		.type = OPT_FLAG,
		.help = "--wait for one of them only",
		.offset = AT(any, bool) },
	{ 0 },
};

static const struct opt other_opts[] = {
	{ .name = "backlog-test",
		.type = OPT_FLAG,
		.help = "open connections to one port until no more complete",
		.offset = AT(backlog_test, bool) },
	{ .name = "interfaces",
		.type = OPT_FLAG,
		.help = "list the local addresses",
		.offset = AT(interfaces, bool) },
	{ 0 },
};

static const struct opt_group groups[] = {
	{ "Probe", probe_opts, 0 },
	{ "Again and again", repeat_opts, 0 },
	{ "Instead", other_opts, 0 },
	{ "Addresses", net_opts, offsetof(struct probe_conf, net) },
	{ "Time limits", limit_opts + LIMIT_DEADLINE,
		offsetof(struct probe_conf, limits) },
	{ "Socket options", sockopt_opts,
		offsetof(struct probe_conf, sockopts) },
	{ "Reports", report_opts, offsetof(struct probe_conf, report) },
	{ 0 },
};

static const struct probe_conf defaults = {
	.limits = { 4 * CLOCK_S, CLOCK_NONE, CLOCK_NONE },
	.sockopts = SOCKOPTS_DEFAULT,
	.stay = CLOCK_NONE,
	.interval = CLOCK_NONE,
	.wait = CLOCK_NONE,
	.stable = 1,
};

bool
probe_cell_good(const struct cell *c)
{
	return c->state == PORT_OPEN && !c->unmet;
}

struct cell *
probe_item_cells(
	const struct target *t, const struct ports_item *item, int *count)
{
	int low = 0, high = t->count, end;

	while (low < high) {
		int middle = (low + high) / 2;

		if (t->cell[middle].port < item->low)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < t->count && t->cell[end].port <= item->high;)
		end++;
	*count = end - low;
	return &t->cell[low];
}

/* Every listed port, and of each range one. */
static int
item_code(const struct target *t, const struct ports_item *item)
{
	int count, code = EXIT_OK;
	struct cell *c = probe_item_cells(t, item, &count);

	for (int i = 0; i < count; i++) {
		if (probe_cell_good(&c[i]))
			return EXIT_OK;
		if (c[i].state == PORT_OPEN)
			code = err_worst(code, EXIT_ASSERT);
		else if (c[i].state == PORT_ERROR && t->failed)
			code = err_worst(code, (int)err_exit(t->failed));
		else if (item->range && code == EXIT_ASSERT)
			continue; /* one was open, if not as it should be */
		else
			code = err_worst(code, EXIT_REFUSED);
	}
	return code;
}

static int
verdict(const struct probe *p)
{
	int code = EXIT_OK;

	for (int i = 0; i < p->targets; i++)
		for (int k = 0; k < p->target[i].items; k++)
			code = err_worst(code,
				item_code(
					&p->target[i], &p->target[i].item[k]));
	return code;
}

void
probe_over(struct probe *p, int code)
{
	if (p->over)
		return;
	p->over = true;
	for (int i = 0; i < p->targets; i++)
		if (p->target[i].looking)
			resolve_cancel(&p->target[i].resolve);
	probe_scan_stop(p);
	probe_backlog_stop(p);
	probe_repeat_stop(p);
	loop_cancel(p->life.loop, &p->progress);
	probe_tell_all(p);
	loop_stop(p->life.loop, life_code(&p->life, code));
}

void
probe_cell_done(struct target *t, struct cell *c)
{
	struct probe *p = t->probe;

	c->state = c->best;
	if (p->conf->wait != CLOCK_NONE || p->conf->count) {
		probe_repeat_note(t, c);
	} else {
		p->left--;
		probe_tell_ready(p);
	}
	if (p->left == 0)
		probe_over(p, verdict(p));
}

static void
on_stop(void *arg, const struct err *why)
{
	struct probe *p = arg;

	/* Ctrl-C is the way to end that one. */
	if (!why && p->conf->count == INT64_MAX && p->life.signo == SIGINT)
		p->life.signo = 0;
	probe_over(p, why ? EXIT_TIMEOUT : EXIT_OK);
}

/* Silence counts as filtered, of UDP too. */
static const struct {
	const char *name;
	unsigned states; /* a bit each */
} totals[] = {
	{ "open", 1u << PORT_OPEN },
	{ "closed", 1u << PORT_CLOSED },
	{ "filtered", 1u << PORT_FILTERED | 1u << PORT_OPEN_FILTERED },
	{ "unreachable", 1u << PORT_UNREACHABLE },
	{ "dropped", 1u << PORT_DROPPED },
};

static size_t
members(void *arg, struct field *out)
{
	struct probe *p = arg;
	uint64_t count[PORT_STATES] = { 0 };
	int hosts = 0;
	size_t n = 0;

	for (int i = 0; i < p->targets; i++) {
		hosts += !p->target[i].again;
		for (int k = 0; k < p->target[i].count; k++)
			count[p->target[i].cell[k].state]++;
	}
	if (!p->conf->interfaces) {
		out[n++] = (struct field)F_INT("hosts", hosts);
		out[n++] = (struct field)F_UINT("ports", p->cells);
	}
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		uint64_t sum = 0;

		for (int s = 0; s < PORT_STATES; s++)
			sum += totals[i].states & 1u << s ? count[s] : 0;
		if (!p->conf->interfaces)
			out[n++] = (struct field)F_UINT(totals[i].name, sum);
	}
	if (p->conf->backlog_test)
		out[n++] = F_KNOWN("completed", p->completed);
	out[n++] = (struct field)F_REAL(
		"elapsed_s", clock_seconds(clock_now() - p->began), 6);
	return n;
}

/* What cannot be together. The first row that fits is told. */
static int
check_options(const struct run *run, const struct probe_conf *c)
{
	bool wait = c->wait != CLOCK_NONE;
	const struct {
		bool wrong;
		const char *text;
	} rules[] = {
		{ c->net.four && c->net.six,
			"-4 and -6 exclude each other; both families are the "
			"default" },
		{ wait && c->count, "--wait and --count exclude each other" },
		{ c->down && !wait, "--down needs --wait TIME" },
		{ c->any && !wait, "--any needs --wait TIME" },
		{ c->stable != 1 && !wait, "--stable needs --wait TIME" },
		{ c->interval != CLOCK_NONE && !wait && !c->count,
			"--interval needs --count N or --wait TIME" },
		{ c->backlog_test && c->interfaces,
			"--backlog-test and --interfaces exclude each other" },
		{ (c->backlog_test || c->interfaces) && (wait || c->count),
			"--backlog-test and --interfaces are neither repeated "
			"nor waited for" },
		{ c->backlog_test && c->net.udp,
			"--backlog-test is of listeners, -u has none" },
		{ c->info && c->net.udp,
			"--info is of TCP connections, -u has none" },
		{ c->interfaces && run->argc > 0,
			"--interfaces takes no arguments" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].wrong)
			return mode_usage(run, "%s", rules[i].text);
	return EXIT_OK;
}

/* An error that is no usage error is left in err, for the report. */
static int
check(const struct run *run, struct probe *p, struct err *err)
{
	int code = check_options(run, p->conf);

	if (code || p->conf->interfaces)
		return code;
	if (probe_targets(p, run->argc, run->argv, err) == -1)
		return err->op ? EXIT_OK : mode_refuse(run, err);
	if (p->conf->backlog_test && (p->cells != 1 || p->target[0].datagram))
		return mode_usage(
			run, "--backlog-test takes one port of one host");
	return EXIT_OK;
}

/* -s: addresses and interfaces. */
static int
find_local(struct probe *p, struct err *err)
{
	const struct net_options *o = &p->conf->net;

	for (int i = 0; i < o->bind.count; i++) {
		struct addr_list list = { 0 };
		struct resolve_query q = {
			.host = o->bind.item[i],
			.port = "0",
			.family = net_family(o),
			.numeric = o->numeric,
			.passive = true,
			.timeout = CLOCK_NONE,
		};

		if (resolve_now(&list, &q, err) == -1)
			return -1;
		for (int k = 0; k < list.count; k++)
			addr_list_add(&p->local, &list.item[k]);
		addr_list_free(&list);
	}
	return 0;
}

static int
look(struct probe *p)
{
	const struct probe_conf *conf = p->conf;
	struct err err = { 0 };

	p->sockopts = life_sockopts(&p->life, &conf->sockopts);
	p->left = p->cells;
	p->stay = conf->stay != CLOCK_NONE ? conf->stay
		: conf->wait != CLOCK_NONE ? 200 * CLOCK_MS
					   : 0;
	p->shows = report_shows(p->life.report, EV_PORT);
	if (find_local(p, &err) == -1)
		return life_fail(&p->life, &err);
	probe_scan_start(p);
	probe_repeat_start(p);
	probe_show_progress(p);
	for (int i = 0; i < p->targets && !p->over; i++)
		probe_look_up(&p->target[i]);
	probe_pump(p);
	return life_run(&p->life);
}

static int
execute(const struct run *run, const struct rlimit *files)
{
	struct err err = { 0 };

	setrlimit(RLIMIT_NOFILE, files);
	execvp(run->command[0], run->command);
	err_set(&err, "exec", errno, run->command[0]);
	return mode_refuse(run, &err);
}

static int
probe_run(const struct run *run)
{
	const struct probe_conf *conf = run->conf;
	struct probe p = { .conf = conf, .spare = -1, .completed = -1 };
	struct err err = { 0 }, bad = { 0 };
	struct rlimit files;
	struct life_setup setup = {
		.mode = "probe",
		.manner = REPORT_RESULT,
		.report = &conf->report,
		.deadline = conf->limits.deadline,
		.stop = on_stop,
		.members = members,
		.arg = &p,
	};
	int code = check(run, &p, &bad);

	if (code) {
		probe_targets_free(&p);
		return code;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	if (life_begin(&p.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	if (run->command)
		report_to_stderr(p.life.report);
	p.brief = !conf->report.json && !conf->report.log &&
		term_is(run->command ? STDERR_FILENO : STDOUT_FILENO);
	p.began = clock_now();
	if (bad.op)
		code = life_fail(&p.life, &bad);
	else
		code = conf->interfaces ? probe_interfaces(&p) : look(&p);
	probe_scan_free(&p);
	probe_service_free(&p);
	probe_targets_free(&p);
	addr_list_free(&p.local);
	if (run->command && code == EXIT_OK)
		return execute(run, &files);
	return code;
}

static bool
probe_reports(const struct run *run)
{
	return !run->command;
}

const struct mode mode_probe = {
	.name = "probe",
	.summary = "is it there? ports, services, addresses",
	.usage = "[OPTION...] HOST[,HOST...] PORTS [-- COMMAND...]\n"
		 "[OPTION...] ADDRESS... [-- COMMAND...]\n"
		 "--interfaces",
	.examples =
		"  sockctl probe host 22,80,8000-8100\n"
		"  sockctl probe --open host -              all that is open\n"
		"  sockctl probe --wait 30 db:5432 -- ./server\n"
		"  sockctl probe --banner --expect SSH- host 22\n"
		"  sockctl probe --count 10 host 443        loss and round "
		"trip\n"
		"  sockctl probe -u --send '\\x00' host 53\n",
	.groups = groups,
	.conf_size = sizeof(struct probe_conf),
	.defaults = &defaults,
	.run = probe_run,
	.reports = probe_reports,
	.command = true,
};
