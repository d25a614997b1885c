#include "../../util/pattern.h"
#include "check.h"

int
main(void)
{
	/* The first words of the definition, byte by byte. */
	static const uint8_t start[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x9e, 0x37,
		0x79, 0xb9, 0x7f, 0x4a, 0x7c, 0x15, 0x3c, 0x6e, 0xf3, 0x72 };
	uint8_t whole[4096], piece[4096];

	pattern_fill(whole, sizeof(whole), 0);
	CHECK(memcmp(whole, start, sizeof(start)) == 0);
	/* Any cut gives the same bytes. */
	for (size_t from = 0; from < 20; from++)
		for (size_t n = 0; n < 40; n++) {
			memset(piece, 0xee, sizeof(piece));
			pattern_fill(piece, n, from);
			if (!CHECK(memcmp(piece, whole + from, n) == 0) ||
				!CHECK_INT(piece[n], 0xee) ||
				!CHECK_INT(pattern_right(piece, n, from), n))
				printf("  from %zu, %zu bytes\n", from, n);
		}
	/* Each wrong byte is found, and its place. */
	for (size_t i = 3; i < sizeof(whole); i += 7) {
		whole[i] ^= 1;
		CHECK_INT(
			pattern_right(whole + 3, sizeof(whole) - 3, 3), i - 3);
		whole[i] ^= 1;
	}
	/* A shift by any power of two is no match. */
	for (uint64_t shift = 1; shift < UINT64_C(1) << 40; shift *= 2)
		CHECK(pattern_right(whole, 64, shift) < 64);
	return check_result();
}
