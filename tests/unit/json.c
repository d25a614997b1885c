#include "../../util/json.h"
#include "check.h"
#include <math.h>

static void
test_values(struct buf *b)
{
	json_open(b, '{');
	json_key(b, "empty");
	json_open(b, '{');
	json_close(b, '}');
	json_key(b, "list");
	json_open(b, '[');
	json_open(b, '[');
	json_close(b, ']');
	json_open(b, '{');
	json_key(b, "t");
	json_bool(b, true);
	json_close(b, '}');
	json_null(b);
	json_int(b, INT64_MIN);
	json_uint(b, UINT64_MAX);
	json_real(b, 1.25, 1);
	json_real(b, -0.5, 6);
	json_real(b, (double)NAN, 3);
	json_real(b, (double)INFINITY, 3);
	json_close(b, ']');
	json_key(b, "f");
	json_bool(b, false);
	json_close(b, '}');
	CHECK_STR(buf_cstr(b),
		"{\"empty\":{},\"list\":[[],{\"t\":true},null,"
		"-9223372036854775808,18446744073709551615,1.2,-0.500000,"
		"null,null],\"f\":false}");
}

/* Brackets, colons and commas within strings are no structure. */
static void
test_strings(struct buf *b)
{
	static const char *const rows[][2] = { { "", "" }, { "{", "{" },
		{ "a:", "a:" }, { "[", "[" }, { ",", "," },
		{ "\"\\/", "\\\"\\\\/" }, { "\b\f\n\r\t", "\\b\\f\\n\\r\\t" },
		{ "\x1b\x7f\x01", "\\u001b\\u007f\\u0001" },
		{ "\xc3\xa4\xf0\x9f\x98\x80", "\xc3\xa4\xf0\x9f\x98\x80" },
		{ "\xff\xed\xa0\x80",
			"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" } };
	char want[128];

	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(b);
		json_open(b, '[');
		json_string(b, rows[i][0], strlen(rows[i][0]));
		json_string(b, "", 0);
		json_close(b, ']');
		snprintf(want, sizeof want, "[\"%s\",\"\"]", rows[i][1]);
		CHECK_STR(buf_cstr(b), want);
	}
	buf_clear(b);
	json_string(b, "a\0b", 3);
	CHECK_STR(buf_cstr(b), "\"a\\u0000b\"");
}

int
main(void)
{
	struct buf b = { 0 };

	test_values(&b);
	test_strings(&b);
	/* A second line in the same buf begins without a comma. */
	buf_clear(&b);
	for (int i = 0; i < 2; i++) {
		json_open(&b, '{');
		json_close(&b, '}');
		buf_byte(&b, '\n');
	}
	CHECK_STR(buf_cstr(&b), "{}\n{}\n");
	buf_free(&b);
	return check_result();
}
