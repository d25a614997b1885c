#include "../../util/utf8.h"
#include "fuzz.h"

static void
decode_all(const uint8_t *p, size_t n)
{
	while (n > 0) {
		uint8_t again[4];
		uint32_t c;
		size_t k = utf8_decode(p, n, &c), wanted = utf8_wanted(p, n);

		HOLD(k >= 1 && k <= n && k <= 4);
		HOLD(wanted == 0 || (c == UTF8_BAD && wanted > n));
		if (c == UTF8_BAD) {
			HOLD(k == 1);
		} else {
			HOLD(utf8_encode(c, again) == k);
			HOLD(memcmp(again, p, k) == 0);
			HOLD(utf8_width(c) >= 0 && utf8_width(c) <= 2);
			HOLD(!utf8_is_letter(c) || !utf8_is_hidden(c));
			HOLD(!utf8_is_letter(c) || !utf8_is_control(c));
		}
		p += k;
		n -= k;
	}
}

static void
all_valid(const struct buf *b)
{
	uint32_t c;

	for (size_t i = 0; i < b->len;) {
		i += utf8_decode(buf_data(b) + i, b->len - i, &c);
		HOLD(c != UTF8_BAD);
		HOLD(!utf8_is_control(c));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };

	decode_all(data, size);
	utf8_escape(&b, data, size);
	all_valid(&b);
	buf_free(&b);
	return 0;
}
