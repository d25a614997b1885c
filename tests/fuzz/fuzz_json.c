#include "../../util/json.h"
#include "../../util/utf8.h"
#include "fuzz.h"
#include "json_read.h"

/* The input is a program: what to write next, and of which bytes. */
static void
step(struct buf *b, const uint8_t *data, size_t size)
{
	uint64_t bits = 0;
	double real;

	memcpy(&bits, data, size < 8 ? size : 8);
	memcpy(&real, &bits, 8);
	switch (data[0] % 6) {
	case 0:
		json_int(b, (int64_t)bits);
		break;
	case 1:
		json_uint(b, bits);
		break;
	case 2:
		json_real(b, real, data[0] / 6 % 10);
		break;
	case 3:
		json_bool(b, bits & 256);
		break;
	case 4:
		json_null(b);
		break;
	case 5:
		json_string(b, data, size);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };
	char ends[16];
	int depth = 0;

	json_open(&b, '[');
	for (size_t i = 0; i < size; i++) {
		uint8_t c = data[i];

		if (c == '{' && depth < 15) {
			json_open(&b, '{');
			json_key(&b, "k\"\x1b");
			json_open(&b, '[');
			ends[depth++] = '}';
		} else if (c == '}' && depth > 0) {
			json_close(&b, ']');
			json_close(&b, ends[--depth]);
		} else {
			step(&b, data + i, size - i);
			i += c / 2;
		}
	}
	for (; depth > 0; depth--) {
		json_close(&b, ']');
		json_close(&b, ends[depth - 1]);
	}
	json_close(&b, ']');
	for (size_t i = 0; i < b.len;) {
		uint32_t c;

		i += utf8_decode(buf_data(&b) + i, b.len - i, &c);
		HOLD(c != UTF8_BAD && !utf8_is_control(c));
	}
	HOLD(strlen(buf_cstr(&b)) == b.len);
	HOLD(json_read(buf_cstr(&b), 40) == buf_cstr(&b) + b.len);
	buf_free(&b);
	return 0;
}
