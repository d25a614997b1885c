#include "../../util/script.h"
#include "../../util/buf.h"
#include "check.h"
#include <stdlib.h>

static const struct {
	const char *text;
	size_t count;
	enum script_op last;
	uint64_t n;
} good[] = {
	{ "send 5", 1, SCRIPT_SEND, 5 },
	{ "send \"a\\r\\n;)\"", 1, SCRIPT_SEND, 5 },
	{ "  sendall 1G ;; ", 1, SCRIPT_SENDALL, 1 << 30 },
	{ "writev 1 2 3", 1, SCRIPT_WRITEV, 3 },
	{ "recv 64K", 1, SCRIPT_RECV, 65536 },
	{ "peek 1; recvoob", 2, SCRIPT_RECVOOB, 0 },
	{ "oob \"X\"", 1, SCRIPT_OOB, 1 },
	{ "expect \"ab\"", 1, SCRIPT_EXPECT, 2 },
	{ "shutdown both", 1, SCRIPT_SHUTDOWN, 2 },
	{ "(recv 1)", 3, SCRIPT_SHUT, 1 },
	{ "( recv 1 ) *", 3, SCRIPT_SHUT, 0 },
	{ "( recv 1 )*3", 3, SCRIPT_SHUT, 3 },
	{ "((((((((((((((((fill))))))))))))))))", 33, SCRIPT_SHUT, 1 },
};

static const struct {
	const char *text, *error;
} bad[] = {
	{ "", "at character 1, the end: no step" },
	{ " ; ", "at character 4, the end: no step" },
	{ "send 1; rcv 2", "at character 9, 'rcv': no such step" },
	{ "SEND 1", "at character 1, 'SEND': no such step" },
	{ "send", "at character 5, the end: not a number of bytes (1 to 1G)" },
	{ "recv 0", "at character 6, '0': not a number of bytes (1 to 1G)" },
	{ "recv -1", "at character 6, '-1': not a number of bytes (1 to 1G)" },
	{ "recv 99999999999999999999",
		"at character 6, '99999999999999999999': "
		"not a number of bytes (1 to 1G)" },
	{ "recv 2G", "at character 6, '2G': not a number of bytes (1 to 1G)" },
	{ "send \"a", "at character 6, '\"a': the text has no closing quote" },
	{ "send \"\\q\"", "at character 6, '\"\\q\"': not a C escape" },
	{ "send \"\"", "at character 6, '\"\"': nothing to send or to expect" },
	{ "expect 5", "at character 8, '5': a \"TEXT\" or @FILE belongs here" },
	{ "writev",
		"at character 7, the end: "
		"the sizes of the pieces belong here" },
	{ "writev 60M 5M",
		"at character 12, '5M': more than 64M in all pieces" },
	{ "sleep x", "at character 7, 'x': not a time" },
	{ "shutdown up", "at character 10, 'up': rd, wr or both belongs here" },
	{ "close now", "at character 7, 'now': a ; belongs here" },
	{ "( send 1", "at character 9, the end: a group is not closed" },
	{ "send 1 )", "at character 8, ')': no group is open here" },
	{ "( )", "at character 3, ')': the group is empty" },
	{ "( recv 1 ) * 0", "at character 14, '0': not a number of times" },
	{ "( recv 1 ) * x", "at character 14, 'x': not a number of times" },
	{ "(((((((((((((((((fill)))))))))))))))))",
		"at character 17, '(': groups are at most 16 deep" },
};

static void
test_good(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct script s;
		struct err err = { 0 };
		int result = script_parse(&s, good[i].text, &err);

		if (!CHECK(result == 0 && s.count == good[i].count &&
			    s.step[s.count - 1].op == good[i].last &&
			    s.step[s.count - 1].n == good[i].n))
			printf("  for '%s': %zu steps, %s\n", good[i].text,
				s.count, err.text);
		if (result == 0)
			script_free(&s);
	}
}

static void
test_bad(void)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct script s;
		struct err err = { 0 };

		if (CHECK_INT(script_parse(&s, bad[i].text, &err), -1))
			CHECK_STR(err.text, bad[i].error);
		CHECK(s.count == 0 && !s.step);
	}
}

/* A step's number is its place among the steps; groups have none. */
static void
test_numbers(void)
{
	struct script s;
	struct err err = { 0 };

	CHECK_INT(script_parse(&s, "send 1; (recv 1; peek 2) * 2; close", &err),
		0);
	CHECK_INT(s.step[0].number, 1);
	CHECK_INT(s.step[2].number, 2);
	CHECK_INT(s.step[3].number, 3);
	CHECK_INT(s.step[4].begin, 1);
	CHECK_INT(s.step[5].number, 4);
	script_free(&s);
}

static void
test_many(void)
{
	struct buf text = { 0 };
	struct script s;
	struct err err = { 0 };
	int i;

	for (i = 0; i < 100000; i++)
		buf_string(&text, "fill;");
	CHECK_INT(script_parse(&s, buf_cstr(&text), &err), 0);
	CHECK_INT(s.count, 100000);
	script_free(&s);
	buf_string(&text, "fill");
	CHECK_INT(script_parse(&s, buf_cstr(&text), &err), -1);
	CHECK_STR(err.text,
		"at character 500001, 'fill': more than 100000 steps");
	buf_free(&text);
}

static void
test_pattern(void)
{
	uint8_t whole[200], part[100];

	script_pattern(whole, 200, 0);
	script_pattern(part, 100, 77);
	CHECK(memcmp(whole, "0123456789abc", 13) == 0);
	CHECK(memcmp(whole + 77, part, 100) == 0);
}

int
main(void)
{
	test_good();
	test_bad();
	test_numbers();
	test_many();
	test_pattern();
	return check_result();
}
