#include "../../util/cookie.h"
#include "check.h"

/* The authors' vectors: key 00 01 ... 0f, data 00 01 02 ... */
static void
vectors(void)
{
	static const uint64_t want[] = { 0x726fdb47dd0e0e31, 0x74f839c593dc67fd,
		0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7,
		0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
		0x93f5f5799a932462 };
	const struct cookie c = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	uint8_t data[COUNT(want)];

	for (size_t n = 0; n < COUNT(want); n++) {
		CHECK(cookie_hash(&c, data, n) == want[n]);
		data[n] = (uint8_t)n;
	}
}

static void
cookies(void)
{
	struct cookie c, other;
	struct addr a, b;
	uint64_t n;

	cookie_start(&c);
	cookie_start(&other);
	CHECK(addr_numeric(&a, "127.0.0.1", 0, 4000) == 0);
	CHECK(addr_numeric(&b, "127.0.0.1", 0, 4001) == 0);
	n = cookie_of(&c, &a, 0);
	CHECK(cookie_of(&c, &a, 0) == n);
	CHECK(cookie_of(&c, &a, 1) != n);
	CHECK(cookie_of(&c, &b, 0) != n);
	CHECK(cookie_of(&other, &a, 0) != n);
}

int
main(void)
{
	vectors();
	cookies();
	return check_result();
}
