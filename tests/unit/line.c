#include "../../util/line.h"
#include "check.h"
#include <string.h>

static struct line l;

static enum line_event
type(const char *keys)
{
	enum line_event last = LINE_NOTHING;

	for (; *keys; keys++)
		last = line_key(&l, (uint8_t)*keys);
	return last;
}

static void
start(const char *text)
{
	line_free(&l);
	memset(&l, 0, sizeof(l));
	type(text);
}

static const char *
text(void)
{
	return buf_cstr(&l.text);
}

/* Keys typed after a text, and what stands there then, the cursor as '|'. */
static const struct {
	const char *keys, *result;
} edits[] = {
	{ "abc", "abc|" },
	{ "abc\002\002X", "aX|bc" },
	{ "abc\001X", "X|abc" },
	{ "abc\001\006X", "aX|bc" },
	{ "abc\001\005X", "abcX|" },
	{ "abc\x7f", "ab|" },
	{ "abc\002\010", "a|c" },
	{ "abc\001\004", "|bc" },
	{ "abc\001\033[3~", "|bc" },
	{ "abc\002\013", "ab|" },
	{ "abc\002\025", "|c" },
	{ "one two  \027", "one |" },
	{ "one two\027\027", "|" },
	{ "one two\033b\033bX", "X|one two" },
	{ "one two\001\033fX", "oneX| two" },
	{ "one two\001\033d", "| two" },
	{ "one two\033[1;5D\033\x7f", "|two" },
	{ "abc\033[D\033[DX\033[CY\033[HZ\033[FW", "ZaXbYcW|" },
	{ "abc\033OD\033OHX", "X|abc" },
	{ "你好\002\x7f", "|好" },
	{ "好a\u0308b\002\002X", "好X|a\u0308b" },
	{ "a\u0308\x7f", "|" },
	{ "a\tb\002\002X", "aX|\tb" },
	{ "a\xff\xc3"
	  "b\xe4\xbd",
		"ab|" },
	{ "a\xe4\xbd\x41", "aA|" },
	{ "a\033[200~b\033[201~c", "abc|" },
	{ "a\033[[Ab\033[15~c", "abc|" },
	{ "a\033[1;2;3;4;5;6;7;8;9;0;1;2b", "a|" },
	{ "a\033\033[Db", "b|a" },
	{ "a\033[\x05"
	  "b",
		"ab|" },
	{ "a\xc2\x9b"
	  "b",
		"ab|" },
};

static void
editing(void)
{
	size_t i;

	for (i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		struct buf shown = { 0 };

		start(edits[i].keys);
		buf_append(&shown, text(), l.at);
		buf_byte(&shown, '|');
		buf_string(&shown, text() + l.at);
		CHECK_STR(buf_cstr(&shown), edits[i].result);
		buf_free(&shown);
	}
}

static void
history(void)
{
	int i;

	start("");
	CHECK(type("\033[A") == LINE_NOTHING);
	CHECK(type("first\n") == LINE_ENTERED);
	CHECK_STR(text(), "first");
	line_next(&l);
	CHECK_STR(text(), "");
	CHECK(type("second\r") == LINE_ENTERED);
	line_next(&l);
	type("second\n");
	line_next(&l);
	CHECK(l.count == 2);
	type("draft\033[A");
	CHECK_STR(text(), "second");
	type("\020!");
	CHECK_STR(text(), "first!");
	CHECK(type("\033[A") == LINE_NOTHING);
	type("\016\033[B");
	CHECK_STR(text(), "draft");
	CHECK(type("\016") == LINE_NOTHING);
	for (i = 0; i < 3 * LINE_PAST; i++) {
		type(i & 1 ? "\025odd\n" : "\025even\n");
		line_next(&l);
	}
	CHECK(l.count == LINE_PAST);
}

static void
ends(void)
{
	int i;

	start("");
	CHECK(type("\004") == LINE_END);
	CHECK(type("\014") == LINE_CLEAR);
	CHECK(type("a\004") == LINE_NOTHING);
	CHECK(type("\002\004") == LINE_CHANGED);
	for (i = 0; i < 2 * LINE_BYTES; i++)
		type("x");
	CHECK(l.text.len == LINE_BYTES);
	CHECK(type("\n") == LINE_ENTERED);
}

/* What is drawn in so many columns, without the leading '\r'. */
static void
drawn(const char *keys, int columns, const char *expected)
{
	struct buf out = { 0 };

	start(keys);
	line_draw(&out, &l, "> ", columns);
	CHECK_STR(buf_cstr(&out) + 1, expected);
	buf_free(&out);
}

static void
drawing(void)
{
	drawn("", 80, "> \033[K\r\033[2C");
	drawn("abc", 80, "> abc\033[K\r\033[5C");
	drawn("abc\002", 80, "> abc\033[K\r\033[4C");
	drawn("你好", 80, "> 你好\033[K\r\033[6C");
	drawn("a\tb", 80, "> a b\033[K\r\033[5C");
	drawn("0123456789", 10, "> 3456789\033[K\r\033[9C");
	drawn("0123456789\001", 10, "> 0123456\033[K\r\033[2C");
	drawn("你好你好你好", 10, "> 好你好\033[K\r\033[8C");
	drawn("a\u0308bcdefg", 10, "> a\u0308bcdefg\033[K\r\033[9C");
	drawn("abc", 2, ">c\033[K\r\033[2C");
	drawn("abc", 1, "c\033[K\r\033[1C");
	drawn("abc", 0, "c\033[K\r\033[1C");
}

int
main(void)
{
	editing();
	history();
	ends();
	drawing();
	line_free(&l);
	return check_result();
}
