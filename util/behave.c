#include "behave.h"
#include "num.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct behaviour behaviours[] = {
	{ "never-accept", NULL, "only listens", NULL },
	{ "never-read", NULL, "accepts and does not read", "( sleep 1h ) *" },
	{ "never-reply", NULL, "reads and says nothing", "drain; close" },
	{ "slow-read", "RATE", "reads RATE", "( recv %; sleep 100ms ) *" },
	{ "one-byte", NULL, "echoes, a byte a write", "( echo 1 ) *" },
	{ "stall", "N", "reads N bytes, then no more",
		"recvall %; ( sleep 1h ) *" },
	{ "rst-after", "N", "reads N bytes, then resets", "recvall %; reset" },
	{ "close-unread", NULL, "closes without reading, so the system resets",
		"peek 1; close" },
	{ "half-close", NULL, "FIN at once, reads on",
		"shutdown wr; drain; close" },
	{ "echo-late", "TIME", "echoes after TIME",
		"( peek 1; sleep %; echo 64K ) *" },
};

enum { BEHAVIOURS = sizeof(behaviours) / sizeof(behaviours[0]) };

static const struct behaviour *
find(const char *text)
{
	size_t len = strcspn(text, "=");
	int i;

	for (i = 0; i < BEHAVIOURS; i++)
		if (strlen(behaviours[i].name) == len &&
			strncmp(behaviours[i].name, text, len) == 0)
			return &behaviours[i];
	return NULL;
}

static int
no_such(const char *text, struct err *err)
{
	struct buf names = { 0 };
	int i;

	for (i = 0; i < BEHAVIOURS; i++)
		buf_printf(&names, "%s%s%s%s", i ? ", " : "",
			behaviours[i].name, behaviours[i].argument ? "=" : "",
			behaviours[i].argument ? behaviours[i].argument : "");
	(void)text;
	err_setf(err, NULL, 0, NULL, "not one of %s", buf_cstr(&names));
	buf_free(&names);
	return -1;
}

static int
wrong(struct err *err, const char *value, const char *right)
{
	return err_setf(err, NULL, 0, NULL, "'%s' is not a %s", value, right);
}

/* The argument as the script has it: a RATE is bytes of 100 ms. */
static int
argument(const struct behaviour *b, const char *value, char *out, size_t size,
	struct err *err)
{
	uint64_t rate, n;
	int64_t time;

	if (!b->argument)
		return value ? err_setf(err, NULL, 0, NULL,
				       "%s takes no argument", b->name)
			     : 0;
	if (!value || !*value)
		return err_setf(err, NULL, 0, NULL, "%s=%s belongs here",
			b->name, b->argument);
	snprintf(out, size, "%s", value);
	if (strcmp(b->argument, "N") == 0) {
		if (num_size(value, 1, SCRIPT_BYTES, &n) == -1)
			return wrong(err, value, "number of bytes (1 to 1G)");
	} else if (strcmp(b->argument, "TIME") == 0) {
		if (num_time(value, 0, 0, &time) == -1)
			return wrong(err, value, "time (500ms, 2)");
	} else {
		if (num_rate(value, &rate) == -1)
			return wrong(err, value, "rate (80kbit, 10K/s)");
		n = rate >= 10 ? rate / 10 : 1;
		snprintf(out, size, "%" PRIu64,
			n < SCRIPT_BYTES ? n : (uint64_t)SCRIPT_BYTES);
	}
	return 0;
}

int
behave_parse(const struct behaviour **b, struct script *s, const char *text,
	struct err *err)
{
	const char *value = strchr(text, '=');
	struct buf script = { 0 };
	char with[64] = "";
	const char *at;
	int result;

	*b = find(text);
	if (!*b)
		return no_such(text, err);
	if (argument(*b, value ? value + 1 : NULL, with, sizeof(with), err) ==
		-1)
		return -1;
	memset(s, 0, sizeof(*s));
	if (!(*b)->script)
		return 0;
	for (at = (*b)->script; *at; at++) {
		if (*at == '%')
			buf_string(&script, with);
		else
			buf_byte(&script, (uint8_t)*at);
	}
	result = script_parse(s, buf_cstr(&script), err);
	buf_free(&script);
	return result;
}

void
behave_table(struct buf *out)
{
	const struct behaviour *b;
	char name[32];
	int i;

	buf_string(out,
		"Peers that misbehave (serve --behave NAME), and the "
		"script of each:\n\n");
	for (i = 0; i < BEHAVIOURS; i++) {
		b = &behaviours[i];
		snprintf(name, sizeof(name), "%s%s%s", b->name,
			b->argument ? "=" : "", b->argument ? b->argument : "");
		buf_printf(out, "  %-16s %s\n", name, b->help);
		if (b->script)
			buf_printf(out, "  %-16s   --script '%s'\n", "",
				b->script);
	}
	buf_string(
		out, "\n% is the argument; of a RATE the bytes of 100 ms.\n");
}
