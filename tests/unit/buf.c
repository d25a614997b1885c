#include "../../util/buf.h"
#include "check.h"

/* A queue against the plainest model of one: a counter at each end. */
static void
test_queue(void)
{
	struct buf b = { 0 };
	unsigned in = 0, out = 0, seed = 1, wrong = 0;

	for (int round = 0; round < 3000; round++) {
		unsigned n;

		seed = seed * 1103515245u + 12345u;
		n = seed >> 16 & 511;
		for (unsigned i = 0; i < n; i++)
			buf_byte(&b, (uint8_t)(in++ * 7));
		seed = seed * 1103515245u + 12345u;
		n = seed >> 16 & 1023;
		if (n > b.len)
			n = (unsigned)b.len;
		for (unsigned i = 0; i < n; i++)
			if (buf_data(&b)[i] != (uint8_t)(out++ * 7))
				wrong++;
		buf_consume(&b, n);
		wrong += b.len != in - out;
	}
	CHECK_INT(wrong, 0);
	CHECK(b.size <= 4096);
	buf_free(&b);
	CHECK(b.base == NULL && b.len == 0 && b.size == 0);
}

static void
test_room(void)
{
	struct buf b = { 0 };
	uint8_t *p = buf_room(&b, 200000);

	memset(p, 'x', 200000);
	CHECK_INT(b.len, 0);
	buf_added(&b, 200000);
	buf_consume(&b, 199999);
	CHECK_INT(b.len, 1);
	CHECK(b.size >= 200000);
	buf_consume(&b, 1);
	CHECK(b.size <= 65536);
	buf_append(&b, NULL, 0);
	CHECK_STR(buf_cstr(&b), "");
	buf_append(&b, "a\0b", 3);
	CHECK_INT(b.len, 3);
	CHECK(memcmp(buf_cstr(&b), "a\0b", 4) == 0);
	buf_clear(&b);
	CHECK_INT(b.len, 0);
	buf_free(&b);
}

static void
test_printf(void)
{
	struct buf b = { 0 };
	char big[1000];

	memset(big, 'y', sizeof big);
	buf_printf(&b, "%d-%s", 42, "x");
	CHECK_STR(buf_cstr(&b), "42-x");
	/* Lengths around the first try's room. */
	for (int n = 120; n < 135; n++) {
		buf_clear(&b);
		buf_printf(&b, "%.*s", n, big);
		CHECK_INT(b.len, n);
		CHECK_INT(strlen(buf_cstr(&b)), n);
	}
	buf_string(&b, "end");
	buf_printf(&b, "%.*s%c", 999, big, 'z');
	CHECK(strcmp(buf_cstr(&b) + 134 + 3 + 998, "yz") == 0);
	buf_free(&b);
}

static void
test_numbers(void)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xfb,
		0xfc, 0xfd, 0xfe };
	struct buf b = { 0 };

	buf_u16(&b, 0x0102);
	buf_u32(&b, 0x03040506);
	buf_u64(&b, UINT64_C(0x0708090afbfcfdfe));
	CHECK_INT(b.len, sizeof want);
	CHECK(memcmp(buf_data(&b), want, sizeof want) == 0);
	CHECK_INT(get_u16(want), 0x0102);
	CHECK_INT(get_u32(want + 2), 0x03040506);
	CHECK(get_u64(want + 6) == UINT64_C(0x0708090afbfcfdfe));
	CHECK(get_u32(want + 10) == 0xfbfcfdfe);
	buf_free(&b);
}

int
main(void)
{
	test_queue();
	test_room();
	test_printf();
	test_numbers();
	return check_result();
}
