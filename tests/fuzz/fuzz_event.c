/* Every event with whatever a peer brings into it, as text and as JSON: always
 * one line, which drives no terminal. The first byte is the event, the second
 * says how it is told; the rest are texts, cut at each '|', and numbers. */
#include "../../util/event.h"
#include "../../util/postmortem.h"
#include "../../util/utf8.h"
#include "fuzz.h"
#include "json_read.h"
#include <unistd.h>

enum { TEXTS = 8, PATH = 32 };

struct input {
	const uint8_t *data;
	size_t size;
	const char *text[TEXTS];
	size_t len[TEXTS];
};

static void
cut(struct input *in, char *text, size_t size)
{
	char *end = text + size;

	for (int i = 0; i < TEXTS; i++) {
		char *bar = memchr(text, '|', (size_t)(end - text));

		in->text[i] = text;
		in->len[i] = (size_t)((bar ? bar : end) - text);
		text = bar ? bar + 1 : end;
	}
}

/* Eight bytes of the input, from anywhere. */
static int64_t
number(const struct input *in, size_t from)
{
	int64_t v = 0;

	for (size_t i = 0; i < 8 && in->size > 0; i++)
		v = (int64_t)((uint64_t)v << 8 |
			in->data[(from * 3 + i) % in->size]);
	return v;
}

static double
real(const struct input *in, size_t from)
{
	int64_t bits = number(in, from);
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

/* The members that texts are made of, under all their names. */
static void
tell(struct report *r, enum event ev, const struct input *in)
{
	static const char *const texts[] = { "name", "text", "peer", "why",
		"reason", "message", "target", "hint", "banner", "host", "old",
		"to", "hex", "status", "op", "errno", "state", "advice",
		"history", "flags", "requested", "service" };
	static const char *const numbers[] = { "bytes", "rx", "tx", "unsent",
		"retrans", "elapsed_us", "offset", "size", "port", "unread",
		"exec_status", "step" };
	static const char *const reals[] = { "duration_s", "elapsed_s",
		"bits_per_second", "loss_percent", "elapsed_ms", "t0", "t1" };
	enum {
		ALL_TEXTS = sizeof texts / sizeof *texts,
		ALL_NUMBERS = sizeof numbers / sizeof *numbers,
		ALL_REALS = sizeof reals / sizeof *reals
	};
	struct field fields[ALL_TEXTS + ALL_NUMBERS + ALL_REALS + 1];
	const struct field rtt[] = { F_REAL("min", real(in, 1), 3),
		F_INT("mean", number(in, 2)), F_NULL("max") };
	size_t n = 0;

	for (size_t i = 0; i < ALL_TEXTS; i++)
		fields[n++] = (struct field)F_BYTES(
			texts[i], in->text[i % TEXTS], in->len[i % TEXTS]);
	for (size_t i = 0; i < ALL_NUMBERS; i++)
		fields[n++] = (struct field)F_INT(numbers[i], number(in, i));
	for (size_t i = 0; i < ALL_REALS; i++)
		fields[n++] = (struct field)F_REAL(reals[i], real(in, i), 3);
	fields[n++] = (struct field)F_OBJ("rtt_ms", rtt, 3);
	report_event(r, ev, &(struct report_conn){ 1, "l", "p" }, fields, n);
}

static void
tell_tcpinfo(struct report *r, const struct input *in)
{
	struct tcpinfo t;

	tcpinfo_unknown(&t);
	t.state = "ESTABLISHED";
	t.rtt_us = number(in, 0);
	t.rttvar_us = number(in, 1);
	t.retrans = number(in, 2);
	t.delivery_rate = number(in, 3);
	t.acked = number(in, 4);
	report_tcpinfo(r, &(struct report_conn){ 1, "l", "p" }, &t);
}

/* The sentence of any end of any connection. */
static void
sentence(const struct input *in)
{
	struct conn c = { .opened = number(in, 0) & INT32_MAX,
		.client = number(in, 1) & 1,
		.tcp = number(in, 1) & 2,
		.fin_in = number(in, 1) & 4,
		.fin_out = number(in, 1) & 8,
		.first = (enum side)((uint64_t)number(in, 2) % 3),
		.rx = (uint64_t)number(in, 3),
		.tx = (uint64_t)number(in, 4),
		.unsent = (uint64_t)number(in, 5),
		.heard = number(in, 6),
		.moved = number(in, 7) };
	struct err err = { .op = "recv", .number = (int)number(in, 8) & 127 };
	char out[POSTMORTEM_MAX];

	c.last.sendq = number(in, 9);
	c.last.retrans = number(in, 10);
	postmortem(&c,
		(enum close_reason)(
			(uint64_t)number(in, 11) % (CLOSE_LIMIT + 1)),
		number(in, 12) & 1 ? &err : NULL, number(in, 13),
		number(in, 14) & INT32_MAX, out);
	HOLD(memchr(out, '\0', sizeof out));
}

/* What was written to fd is one line. */
static void
check(int fd, bool json)
{
	static uint8_t line[1 << 20];
	ssize_t n = pread(fd, line, sizeof line - 1, 0);
	uint32_t c;

	HOLD(n >= 0);
	if (n == 0)
		return;
	HOLD(line[n - 1] == '\n');
	line[n - 1] = '\0';
	for (size_t i = 0; i < (size_t)n - 1;) {
		i += utf8_decode(line + i, (size_t)n - 1 - i, &c);
		HOLD(c != UTF8_BAD && !utf8_is_control(c));
	}
	if (json)
		HOLD(json_read((char *)line, 9) == (char *)line + n - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, path[PATH];
	struct input in = { .data = data, .size = size };
	struct report_options o = { .verbose = true, .log = path };
	struct report *r;
	FILE *file;

	if (size < 2 || size > 4096)
		return 0;
	file = tmpfile();
	HOLD(file != NULL);
	snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
	text = fuzz_string(data + 2, size - 2);
	cut(&in, text, size - 2);
	o.json = data[1] & 1;
	r = report_open(&o, "serve", REPORT_LISTENER, NULL);
	HOLD(r != NULL);
	if (data[1] & 2)
		tell_tcpinfo(r, &in);
	else
		tell(r, (enum event)(data[0] % EV_COUNT), &in);
	check(fileno(file), o.json);
	sentence(&in);
	report_close(r);
	fclose(file);
	free(text);
	return 0;
}
