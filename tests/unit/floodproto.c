#include "../../util/floodproto.h"
#include "../../util/clock.h"
#include "check.h"

static struct flood_line line;
static size_t taken;

static enum flood_state
add(const char *text)
{
	return flood_line_add(&line, text, strlen(text), &taken);
}

static enum flood_state
fresh(const char *text)
{
	memset(&line, 0, sizeof(line));
	return add(text);
}

static void
lines(void)
{
	char full[400];

	CHECK_INT(fresh("SOCKCTL-FLOOD/1 role=sink\nabc"), FLOOD_WHOLE);
	CHECK_INT(taken, 26);
	CHECK_STR(line.text, "SOCKCTL-FLOOD/1 role=sink");
	CHECK_INT(fresh("SOCK"), FLOOD_MORE);
	CHECK_INT(add("CTL-FLOOD/1 ok"), FLOOD_MORE);
	CHECK_INT(taken, 14);
	CHECK_INT(add("\r\n\n"), FLOOD_WHOLE);
	CHECK_INT(taken, 2);
	CHECK_STR(line.text, "SOCKCTL-FLOOD/1 ok");
	CHECK_INT(fresh("SOCKCTL-FLOAD"), FLOOD_OTHER);
	CHECK_INT(fresh("GET / HTTP/1.0\r\n\r\n"), FLOOD_OTHER);
	CHECK_INT(line.len, taken);
	CHECK_INT(fresh("SOCK"), FLOOD_MORE);
	CHECK_INT(add("\n"), FLOOD_OTHER);
	CHECK_INT(line.len, 5);
	CHECK_INT(fresh(""), FLOOD_MORE);

	/* 256 bytes with the newline are taken, not one more. */
	memset(full, 'x', sizeof(full));
	memcpy(full, "SOCKCTL-FLOOD/1 ", 16);
	full[255] = '\n';
	full[256] = '\0';
	CHECK_INT(fresh(full), FLOOD_WHOLE);
	CHECK_INT(taken, 256);
	full[255] = 'x';
	full[256] = '\n';
	full[257] = '\0';
	CHECK_INT(fresh(full), FLOOD_LONG);
	CHECK_INT(taken, 256);
}

static void
asks(void)
{
	struct flood_ask a = { .role = FLOOD_SOURCE,
		.run = "0123456789abcdef",
		.stream = 3,
		.streams = 4,
		.bytes = 1 << 20,
		.duration = 2500 * CLOCK_MS,
		.chunk = 1400,
		.verify = true,
		.rate = 1000 };
	struct flood_ask b;
	const char *why;
	char out[FLOOD_LINE_MAX + 1];
	size_t n;

	n = flood_ask_write(&a, out);
	CHECK_INT(n, strlen(out));
	CHECK_STR(out,
		"SOCKCTL-FLOOD/1 role=source run=0123456789abcdef stream=3/4 "
		"bytes=1048576 seconds=2.500000 chunk=1400 verify=1 "
		"rate=1000\n");
	out[strlen(out) - 1] = '\0';
	CHECK_INT(flood_ask_read(&b, out, &why), 0);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);

	/* The longest one fits. */
	a.stream = a.streams = UINT32_MAX;
	a.bytes = a.chunk = a.rate = a.step = UINT64_MAX;
	a.duration = a.wait = INT64_MAX - 1;
	a.trunc = true;
	CHECK(flood_ask_write(&a, out) <= FLOOD_LINE_MAX);

	CHECK_INT(flood_ask_read(&b,
			  "SOCKCTL-FLOOD/1 role=stall run=x stream=0/1 "
			  "wait=1 step=100 colour=red new",
			  &why),
		0);
	CHECK_INT(b.role, FLOOD_STALL);
	CHECK_INT(b.wait, CLOCK_S);
	CHECK_INT(b.step, 100);
	CHECK_STR(b.run, "x");
}

static void
bad_asks(void)
{
	static const char *const bad[] = {
		"",
		"SOCKCTL-FLOOD/1",
		"SOCKCTL-FLOOD/1 ",
		"SOCKCTL-FLOOD/2 role=sink run=1 stream=1/1",
		"SOCKCTL-FLOOD/11 role=sink run=1 stream=1/1",
		"SOCKCTL-FLOOD/1 run=1 stream=1/1",
		"SOCKCTL-FLOOD/1 role=drain run=1 stream=1/1",
		"SOCKCTL-FLOOD/1 role= run=1 stream=1/1",
		"SOCKCTL-FLOOD/1 role=sink run=1 stream=1",
		"SOCKCTL-FLOOD/1 role=sink run=1 stream=1/99999999999",
		"SOCKCTL-FLOOD/1 role=sink bytes=-1",
		"SOCKCTL-FLOOD/1 role=sink bytes=99999999999999999999",
		"SOCKCTL-FLOOD/1 role=sink seconds=x",
		"SOCKCTL-FLOOD/1 role=sink verify=2",
		("SOCKCTL-FLOOD/1 role=sink "
		 "run=0123456789012345678901234567890123456789"),
	};
	struct flood_ask a;
	const char *why;

	for (size_t i = 0; i < COUNT(bad); i++)
		if (!CHECK_INT(flood_ask_read(&a, bad[i], &why), -1))
			printf("  %s\n", bad[i]);
}

static void
answers(void)
{
	struct flood_answer a = { .word = FLOOD_RESULT,
		.bytes = 123456789012,
		.duration = 10 * CLOCK_S + 1000 },
			    b;
	char out[FLOOD_LINE_MAX + 1];

	flood_answer_write(&a, out);
	CHECK_STR(out,
		"SOCKCTL-FLOOD/1 result bytes=123456789012 "
		"seconds=10.000001\n");
	out[strlen(out) - 1] = '\0';
	CHECK_INT(flood_answer_read(&b, out), 0);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	a = (struct flood_answer){ .word = FLOOD_READ, .bytes = 512 };
	flood_answer_write(&a, out);
	CHECK_STR(out, "SOCKCTL-FLOOD/1 read bytes=512\n");
	a = (struct flood_answer){ .word = FLOOD_OK };
	flood_answer_write(&a, out);
	CHECK_STR(out, "SOCKCTL-FLOOD/1 ok\n");

	CHECK_INT(
		flood_answer_read(&b, "SOCKCTL-FLOOD/1 error no such role"), 0);
	CHECK_INT(b.word, FLOOD_ERROR);
	CHECK_STR(b.text, "no such role");
	CHECK_INT(flood_answer_read(&b, "SOCKCTL-FLOOD/1 okay"), -1);
	CHECK_INT(flood_answer_read(&b, "SOCKCTL-FLOOD/2 ok"), -1);
	CHECK_INT(
		flood_answer_read(&b, "SOCKCTL-FLOOD/1 result bytes=many"), -1);
}

static void
heads(void)
{
	struct flood_head h = { FLOOD_DATA, 1, 0x1122334455667788, 42, 99 }, g;
	struct flood_counts c = { 1, 2, 3, 4, 5, 6, 7 }, d;
	uint8_t p[FLOOD_HEAD], q[FLOOD_COUNTS];

	flood_head_write(p, &h);
	CHECK(memcmp(p,
		      "SCFU\1\3\0\1\x11\x22\x33\x44\x55\x66\x77\x88"
		      "\0\0\0\0\0\0\0\x2a\0\0\0\0\0\0\0\x63",
		      FLOOD_HEAD) == 0);
	CHECK_INT(flood_head_read(&g, p, sizeof(p)), 0);
	CHECK(g.type == h.type && g.flags == h.flags && g.run == h.run &&
		g.sequence == h.sequence && g.time == h.time);
	CHECK_INT(flood_head_read(&g, p, sizeof(p) - 1), -1);
	p[5] = 6;
	CHECK_INT(flood_head_read(&g, p, sizeof(p)), -1);
	p[5] = 0;
	CHECK_INT(flood_head_read(&g, p, sizeof(p)), -1);
	p[5] = 1;
	p[4] = 2;
	CHECK_INT(flood_head_read(&g, p, sizeof(p)), -1);
	p[4] = 1;
	p[0] = 's';
	CHECK_INT(flood_head_read(&g, p, sizeof(p)), -1);

	flood_counts_write(q, &c);
	CHECK_INT(flood_counts_read(&d, q, sizeof(q)), 0);
	CHECK(memcmp(&c, &d, sizeof(c)) == 0);
	CHECK_INT(flood_counts_read(&d, q, sizeof(q) - 1), -1);
}

int
main(void)
{
	lines();
	asks();
	bad_asks();
	answers();
	heads();
	return check_result();
}
