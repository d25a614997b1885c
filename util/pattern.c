#include "pattern.h"

#include <string.h>

#define PATTERN UINT64_C(0x9e3779b97f4a7c15)

static uint8_t
pattern_byte(uint64_t offset)
{
	return (uint8_t)(offset / 8 * PATTERN >> (56 - 8 * (offset % 8)));
}

static uint64_t
turned(uint64_t v)
{
	v = (v & UINT64_C(0x00ff00ff00ff00ff)) << 8 |
		(v >> 8 & UINT64_C(0x00ff00ff00ff00ff));
	v = (v & UINT64_C(0x0000ffff0000ffff)) << 16 |
		(v >> 16 & UINT64_C(0x0000ffff0000ffff));
	return v << 32 | v >> 32;
}

/* A word as its bytes lie in memory, the highest first. */
static uint64_t
pattern_word(uint64_t v)
{
	const union {
		uint16_t word;
		uint8_t first;
	} one = { 1 };

	return one.first == 1 ? turned(v) : v;
}

void
pattern_fill(void *out, size_t n, uint64_t offset)
{
	uint8_t *p = out;
	uint64_t v, word;

	for (; n > 0 && offset % 8 != 0; n--)
		*p++ = pattern_byte(offset++);
	v = offset / 8 * PATTERN;
	for (; n >= 8; n -= 8, offset += 8, p += 8, v += PATTERN) {
		word = pattern_word(v);
		memcpy(p, &word, 8);
	}
	for (; n > 0; n--)
		*p++ = pattern_byte(offset++);
}

size_t
pattern_right(const void *data, size_t n, uint64_t offset)
{
	const uint8_t *p = data;
	uint64_t v, word;
	size_t i = 0;

	for (; i < n && (offset + i) % 8 != 0; i++)
		if (p[i] != pattern_byte(offset + i))
			return i;
	v = (offset + i) / 8 * PATTERN;
	for (; n - i >= 8; i += 8, v += PATTERN) {
		memcpy(&word, p + i, 8);
		if (word != pattern_word(v))
			break;
	}
	for (; i < n; i++)
		if (p[i] != pattern_byte(offset + i))
			return i;
	return n;
}
