/* The command line: each line of the input is one argument, for all groups of
 * options that modes share. What is taken is within its bounds, and what is
 * refused is said in one sentence. */
#include "../../util/behave.h"
#include "../../util/dial.h"
#include "../../util/listener.h"
#include "../../util/play.h"
#include "../../util/proxy.h"
#include "../../util/pump.h"
#include "../../util/transfer.h"
#include "fuzz.h"

enum { ARGS = 24 };

struct conf {
	struct transfer_conf shared;
	struct ends_options ends;
	struct expect_options expect;
	struct script_options script;
};

#define GROUP(rows, field) \
	{ \
#field, rows, offsetof(struct conf, field) \
	}

static const struct opt_group groups[] = {
	GROUP(transfer_opts, shared),
	GROUP(net_opts, shared.net),
	GROUP(listen_opts, shared.listen),
	GROUP(dial_opts, shared.dial),
	GROUP(limit_opts, shared.limits),
	GROUP(sockopt_opts, shared.sockopts),
	GROUP(sight_opts, shared.sight),
	GROUP(report_opts, shared.report),
	GROUP(pace_opts, shared.pace),
	GROUP(ends_opts, ends),
	GROUP(fin_opts, ends),
	GROUP(expect_opts, expect),
	GROUP(script_opts, script),
	{ 0 },
};

static const struct conf defaults = {
	.shared = TRANSFER_DEFAULT,
	.ends = ENDS_DEFAULT,
	.script = SCRIPT_DEFAULT,
};

/* Settings live as long as the program, so nobody frees them. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

static void
taken(const struct conf *c)
{
	const struct listen_options *l = &c->shared.listen;

	HOLD(l->backlog >= 0 && l->max_clients >= 0);
	HOLD(l->unix_mode <= 07777 || l->unix_mode == LISTEN_NO_MODE);
	HOLD(c->shared.limits.idle != 0 && c->shared.limits.timeout != 0);
	HOLD(c->shared.sockopts.linger >= -1);
	for (int i = 0; i < c->shared.sockopts.count; i++)
		HOLD(c->shared.sockopts.item[i].row);
	for (int i = 0; i < c->shared.net.bind.count; i++)
		HOLD(*c->shared.net.bind.item[i]);
}

static void
drop(struct conf *c)
{
	free(c->shared.sockopts.item);
	free(c->shared.net.bind.item);
	free(c->shared.listen.rules.rule);
	free(c->expect.text.data);
	script_free(&c->script.script);
}

static void
behaviour(const char *text)
{
	const struct behaviour *b = NULL;
	struct script s = { 0 };
	struct err err = { 0 };

	if (behave_parse(&b, &s, text, &err) == 0)
		HOLD(b && (s.count > 0) == (b->script != NULL));
	else
		HOLD(!err.op && *err.text);
	script_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *at = text, **args = NULL;
	char *argv[ARGS + 1] = { (char[]){ "fuzz" } };
	int argc = 1, count = 0, after = 0, got;
	struct conf conf = defaults;
	struct err err = { 0 };

	/* @FILE reads what is there. */
	while ((at = strchr(at, '@')))
		*at = 'a';
	for (at = strtok(text, "\n"); at && argc < ARGS;
		at = strtok(NULL, "\n"))
		argv[argc++] = at;
	if (argc > 1)
		behaviour(argv[1]);
	got = opt_parse(groups, &conf, argc, argv, &args, &count, &after, NULL,
		NULL, &err);
	if (got == 0) {
		HOLD(count < argc && after <= count);
		taken(&conf);
	} else if (got == -1) {
		HOLD(*err.text && memchr(err.text, 0, ERR_TEXT_MAX));
	}
	drop(&conf);
	free(args);
	free(text);
	return 0;
}
