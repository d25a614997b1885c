#include "../../util/utf8.h"
#include "check.h"

/* Every code point there and back. */
static void
test_round_trip(void)
{
	int wrong = 0;

	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		uint8_t bytes[4];
		uint32_t back;
		size_t n;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		n = utf8_encode(c, bytes);
		wrong += utf8_decode(bytes, n, &back) != n || back != c;
		wrong += utf8_wanted(bytes, n) != 0;
		for (size_t cut = 1; cut < n; cut++) {
			wrong += utf8_wanted(bytes, cut) != n;
			wrong += utf8_decode(bytes, cut, &back) != 1 ||
				back != UTF8_BAD;
		}
	}
	CHECK_INT(wrong, 0);
}

/* Whatever decodes must be the one encoding of what it decodes to. */
static void
test_all_starts(void)
{
	static const uint8_t thirds[] = { 0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff };
	int wrong = 0;

	for (unsigned i = 0; i < 65536 * COUNT(thirds); i++) {
		uint8_t p[4] = { (uint8_t)(i / COUNT(thirds) >> 8),
			(uint8_t)(i / COUNT(thirds)), thirds[i % COUNT(thirds)],
			0x80 };
		uint8_t again[4];
		uint32_t c;
		size_t n = utf8_decode(p, 4, &c);

		if (c == UTF8_BAD) {
			wrong += n != 1;
			continue;
		}
		wrong += c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff);
		wrong += utf8_encode(c, again) != n || memcmp(p, again, n) != 0;
	}
	CHECK_INT(wrong, 0);
}

static void
test_invalid(void)
{
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80",
		"\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3",
		"\xe2\x82", "\xf0\x9f\x98" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		const uint8_t *p = (const uint8_t *)bad[i];
		uint32_t c = 0;

		CHECK_INT(utf8_decode(p, strlen(bad[i]), &c), 1);
		CHECK(c == UTF8_BAD);
	}
	CHECK_INT(utf8_wanted((const uint8_t *)"\xff", 1), 0);
	CHECK_INT(utf8_wanted((const uint8_t *)"\xe0\x80", 2), 0);
	CHECK_INT(utf8_wanted((const uint8_t *)"\xe2\x82", 2), 3);
	CHECK_INT(utf8_wanted((const uint8_t *)"", 0), 0);
}

static const struct {
	uint32_t c;
	bool control, hidden, letter;
	int width;
} kinds[] = {
	{ 'a', false, false, true, 1 },
	{ 'Z', false, false, true, 1 },
	{ '0', false, false, true, 1 },
	{ '_', false, false, false, 1 },
	{ ' ', false, false, false, 1 },
	{ '@', false, false, false, 1 },
	{ '[', false, false, false, 1 },
	{ 0x00, true, false, false, 0 },
	{ 0x1b, true, false, false, 0 },
	{ 0x7f, true, false, false, 0 },
	{ 0x9f, true, false, false, 0 },
	{ 0xa0, false, false, false, 1 },
	{ 0xaa, false, false, true, 1 },
	{ 0xab, false, false, false, 1 },
	{ 0xad, false, true, false, 0 },
	{ 0xd7, false, false, false, 1 },
	{ 0xe4, false, false, true, 1 },
	{ 0x301, false, false, true, 0 },
	{ 0x3b1, false, false, true, 1 },
	{ 0x430, false, false, true, 1 },
	{ 0x5d0, false, false, true, 1 },
	{ 0x61c, false, true, false, 0 },
	{ 0x661, false, false, true, 1 },
	{ 0x915, false, false, true, 1 },
	{ 0x1100, false, false, true, 2 },
	{ 0x115f, false, false, false, 2 },
	{ 0x1161, false, false, true, 0 },
	{ 0x180e, false, true, false, 0 },
	{ 0x2003, false, false, false, 1 },
	{ 0x200b, false, true, false, 0 },
	{ 0x200d, false, true, false, 0 },
	{ 0x2014, false, false, false, 1 },
	{ 0x2028, false, true, false, 1 },
	{ 0x202e, false, true, false, 0 },
	{ 0x2066, false, true, false, 0 },
	{ 0x20ac, false, false, false, 1 },
	{ 0x3000, false, false, false, 2 },
	{ 0x3042, false, false, true, 2 },
	{ 0x3164, false, false, false, 2 },
	{ 0x4e2d, false, false, true, 2 },
	{ 0xac00, false, false, true, 2 },
	{ 0xe000, false, false, false, 1 },
	{ 0xfe0f, false, false, false, 0 },
	{ 0xfeff, false, true, false, 0 },
	{ 0xff21, false, false, true, 2 },
	{ 0xff5e, false, false, false, 2 },
	{ 0xff71, false, false, true, 1 },
	{ 0xfffd, false, false, false, 1 },
	{ 0x10330, false, false, true, 1 },
	{ 0x1d400, false, false, true, 1 },
	{ 0x1f600, false, false, false, 2 },
	{ 0x20000, false, false, true, 2 },
	{ 0xe0041, false, true, false, 0 },
	{ 0x10fffd, false, false, false, 1 },
};

static void
test_kinds(void)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		uint32_t c = kinds[i].c;
		bool good = CHECK_INT(utf8_is_control(c), kinds[i].control);

		good &= CHECK_INT(utf8_is_hidden(c), kinds[i].hidden);
		good &= CHECK_INT(utf8_is_letter(c), kinds[i].letter);
		good &= CHECK_INT(utf8_width(c), kinds[i].width);
		if (!good)
			printf("  for U+%04x\n", (unsigned)c);
	}
}

/* A name of letters holds nothing that cannot be seen. */
static void
test_letters(void)
{
	int wrong = 0;

	for (uint32_t c = 0; c <= 0x10ffff; c++)
		wrong += utf8_is_letter(c) &&
			(utf8_is_hidden(c) || utf8_is_control(c));
	CHECK_INT(wrong, 0);
}

static void
test_texts(void)
{
	static const char raw[] = "a\t\n\r\\\x1b[2J\x7f\0\xff\xc3\xa4\xc2\x9b"
				  "\xe2\x82";
	struct buf b = { 0 };

	utf8_escape(&b, raw, sizeof raw - 1);
	CHECK_STR(buf_cstr(&b),
		"a\\t\\n\\r\\\\\\x1b[2J\\x7f\\x00\\xff\xc3\xa4\\xc2\\x9b"
		"\\xe2\\x82");
	buf_free(&b);
}

int
main(void)
{
	test_round_trip();
	test_all_starts();
	test_invalid();
	test_kinds();
	test_letters();
	test_texts();
	return check_result();
}
