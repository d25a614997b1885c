#include "../../util/chatproto.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

static const char *
wrong(const char *name)
{
	return chat_name_wrong(name, strlen(name));
}

static void
names(void)
{
	static const char *const good[] = { "ann", "Ann_1", "a-b.c", "_", "1a",
		"guest", "guest1a", "Jürgen", "李雷", "Ольга", "१क",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"你你你你你你你你你你你你你你你你你你你你你你你你你你你你你你你"
		"你",
		NULL };
	static const char *const bad[] = { "", "12", "٣٤", "１２", "guest1",
		"GUEST12", "guest٣", "-a", ".a", "a b", "a\tb", "a\x1b[1m",
		"a\xc2\x85", "a\xe2\x80\xae", "a\xe2\x80\x8b", "a\xff", "ann>",
		"<a", "a/b", "a!", "a\xc2\xa0z", "a€", "\xcc\x88",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"a\xef\xbf\xbd"
		"b",
		NULL };
	int i;

	for (i = 0; good[i]; i++)
		if (!CHECK(!wrong(good[i])))
			printf("%s: %s\n", good[i], wrong(good[i]));
	for (i = 0; bad[i]; i++)
		if (!CHECK(wrong(bad[i])))
			printf("'%s' was taken\n", bad[i]);
	CHECK(chat_name_wrong("a\0b", 3) != NULL);
	CHECK(chat_same("ANN", 3, "ann", 3));
	CHECK(!chat_same("ann", 3, "anne", 4));
}

static void
clean(void)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain\ttext", "plain\ttext" },
		{ "a\x1b[31mb", "a[31mb" },
		{ "bell\x07 del\x7f c1\xc2\x9b end", "bell del c1 end" },
		{ "bidi\xe2\x80\xae\xe2\x81\xa6 zero\xe2\x80\x8b",
			"bidi zero" },
		{ "bad\xff\xc3", "bad\xef\xbf\xbd\xef\xbf\xbd" },
		{ "好 ü", "好 ü" },
	};
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_clear(&out);
		chat_clean(&out, rows[i].in, strlen(rows[i].in));
		CHECK_STR(buf_cstr(&out), rows[i].out);
	}
	buf_clear(&out);
	chat_clean(&out, "a\0b", 3);
	CHECK_STR(buf_cstr(&out), "ab");
	buf_free(&out);
}

static void
commands(void)
{
	static const struct {
		const char *line;
		int verb;
		const char *text;
	} rows[] = {
		{ "hello", CHAT_TEXT, "hello" },
		{ " /list", CHAT_TEXT, " /list" },
		{ "", CHAT_TEXT, "" },
		{ "/list", CHAT_LIST, "" },
		{ "/LIST  ", CHAT_LIST, "" },
		{ "/nick  ann ", CHAT_NICK, "ann" },
		{ "/msg bob  hi there", CHAT_MSG, "bob  hi there" },
		{ "/me\twaves", CHAT_ME, "waves" },
		{ "/quit so long", CHAT_QUIT, "so long" },
		{ "/lists", CHAT_UNKNOWN, "" },
		{ "/", CHAT_UNKNOWN, "" },
	};
	struct chat_said s;
	const char *text, *word;
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		chat_parse(
			&s, chat_commands, rows[i].line, strlen(rows[i].line));
		CHECK(s.verb == rows[i].verb);
		CHECK(s.len == strlen(rows[i].text) &&
			memcmp(s.text, rows[i].text, s.len) == 0);
	}
	text = "bob  hi there";
	n = strlen(text);
	CHECK(chat_word(&text, &n, &word) == 3 && memcmp(word, "bob", 3) == 0);
	CHECK_STR(text, "hi there");
	CHECK(n == 8);
}

/* Feeds a text in pieces of step bytes; the lines joined by '|', '!' for each
 * that is too long. */
static void
check_lines(const char *data, size_t n, size_t step, const char *expected)
{
	struct chat_input in = { 0 };
	struct buf got = { 0 };
	const char *line;
	size_t at, k, len;

	for (at = 0; at < n; at += k) {
		enum chat_got what;

		k = n - at < step ? n - at : step;
		chat_feed(&in, (const uint8_t *)data + at, k);
		for (;;) {
			bool waits = chat_waiting(&in);

			what = chat_next(&in, &line, &len);
			CHECK(waits == (what != CHAT_NOTHING));
			if (what == CHAT_NOTHING)
				break;
			if (what == CHAT_LINE)
				buf_append(&got, line, len);
			buf_byte(&got, what == CHAT_LINE ? '|' : '!');
		}
		CHECK(in.bytes.len <= CHAT_LINE_MAX + 1);
	}
	CHECK_STR(buf_cstr(&got), expected);
	buf_free(&got);
	chat_input_free(&in);
}

static void
lines(void)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "one\ntwo\r\n\nrest", "one|two||" },
		{ "\xff\xfd\x03\xff\xfb\x18hi\r\n", "hi|" },
		{ "\xff\xf4\xff\xfd\x06ok\n", "ok|" },
		{ "a\xff\xfa\x18\x01xterm\nx\xff\xf0z\n", "az|" },
		{ "bad\xff\n", "bad\xff|" },
		{ "bad\xff\xfe\n", "bad\xff\xfe|" },
		{ "bad\xff\xfe text\n", "bad\xff\xfe text|" },
		{ "\xff\xff\xfb\x18hi\n", "\xffhi|" },
		{ "\r\r\n", "\r|" },
	};
	struct buf b = { 0 };
	size_t i, n, step;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (step = 1; step < 20; step++)
			check_lines(rows[i].in, strlen(rows[i].in), step,
				rows[i].out);
	for (n = CHAT_LINE_MAX - 1; n < CHAT_LINE_MAX + 5; n++) {
		struct buf out = { 0 };

		for (i = 0; i < n; i++)
			buf_byte(&b, 'x');
		buf_string(&b, n & 1 ? "\r\nnext\n" : "\nnext\n");
		if (n <= CHAT_LINE_MAX)
			buf_append(&out, buf_data(&b), n);
		buf_string(&out, n <= CHAT_LINE_MAX ? "|next|" : "!next|");
		for (step = 1; step < 10000; step = step * 3 + 1)
			check_lines((char *)buf_data(&b), b.len, step,
				buf_cstr(&out));
		buf_clear(&b);
		buf_free(&out);
	}
	for (i = 0; i < 1024 * 1024; i++)
		buf_byte(&b, 'x');
	buf_string(&b, "\nafter\n");
	check_lines((char *)buf_data(&b), b.len, 16384, "!after|");
	buf_free(&b);
}

/* A datagram ends a line without a newline, too. */
static void
datagrams(void)
{
	struct chat_input in = { 0 };
	const char *line;
	size_t n;

	chat_feed(&in, (const uint8_t *)"a\nb", 3);
	chat_feed_end(&in);
	CHECK(chat_next(&in, &line, &n) == CHAT_LINE && n == 1);
	CHECK(chat_next(&in, &line, &n) == CHAT_LINE && n == 1);
	CHECK(chat_next(&in, &line, &n) == CHAT_NOTHING);
	chat_feed(&in, (const uint8_t *)"c\n", 2);
	chat_feed_end(&in);
	CHECK(chat_next(&in, &line, &n) == CHAT_LINE && line[0] == 'c');
	CHECK(chat_next(&in, &line, &n) == CHAT_NOTHING);
	chat_feed(&in, (const uint8_t *)"d\xff\xfb", 3);
	chat_feed_end(&in);
	CHECK(chat_next(&in, &line, &n) == CHAT_LINE && n == 3);
	chat_input_free(&in);
}

int
main(void)
{
	names();
	clean();
	commands();
	lines();
	datagrams();
	return check_result();
}
