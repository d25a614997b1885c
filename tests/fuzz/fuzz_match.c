/* --expect and -C over a stream in pieces. The first byte is the length of the
 * text that is looked for, the second that of the pieces. */
#include "../../util/buf.h"
#include "../../util/crlf.h"
#include "../../util/match.h"
#include "fuzz.h"

/* Where the text ends for the first time in data; 0: nowhere. */
static size_t
look(const uint8_t *data, size_t size, const uint8_t *text, size_t n)
{
	for (size_t i = 0; i + n <= size; i++)
		if (memcmp(data + i, text, n) == 0)
			return i + n;
	return 0;
}

static void
expect(const uint8_t *data, size_t size, size_t piece, const uint8_t *text,
	size_t n)
{
	size_t at, got, found = 0;
	struct match m;

	match_start(&m, text, n);
	HOLD(match_found(&m) == (n == 0));
	for (at = 0; at < size && n > 0; at += piece) {
		size_t now = size - at < piece ? size - at : piece;

		got = match_feed(&m, data + at, now);
		HOLD(got <= now && (got > 0) == (match_found(&m) && !found));
		if (got > 0)
			found = at + got;
	}
	HOLD(n == 0 || found == look(data, size, text, n));
	match_free(&m);
}

static void
ends(const uint8_t *data, size_t size, size_t piece)
{
	struct buf whole = { 0 }, parts = { 0 };
	uint8_t last = 0;

	crlf_add(&whole, data, size, &last);
	last = 0;
	for (size_t at = 0; at < size; at += piece)
		crlf_add(&parts, data + at,
			size - at < piece ? size - at : piece, &last);
	HOLD(whole.len == parts.len && whole.len <= 2 * size);
	HOLD(whole.len == 0 ||
		memcmp(buf_data(&whole), buf_data(&parts), whole.len) == 0);
	for (size_t i = 0; i < whole.len; i++)
		HOLD(buf_data(&whole)[i] != '\n' ||
			(i > 0 && buf_data(&whole)[i - 1] == '\r'));
	buf_free(&whole);
	buf_free(&parts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n;

	if (size < 2)
		return 0;
	n = data[0] % 16;
	if (n > size - 2)
		n = size - 2;
	expect(data + 2 + n, size - 2 - n, data[1] % 9 + 1, data + 2, n);
	ends(data + 2, size - 2, data[1] % 9 + 1);
	return 0;
}
