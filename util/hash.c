#include "hash.h"
#include <string.h>

static const uint64_t P1 = UINT64_C(0x9E3779B185EBCA87);
static const uint64_t P2 = UINT64_C(0xC2B2AE3D27D4EB4F);
static const uint64_t P3 = UINT64_C(0x165667B19E3779F9);
static const uint64_t P4 = UINT64_C(0x85EBCA77C2B2AE63);
static const uint64_t P5 = UINT64_C(0x27D4EB2F165667C5);

static inline uint64_t
rotl(uint64_t v, int bits)
{
	return v << bits | v >> (64 - bits);
}

/* The numbers of the hash are little-endian whatever the host is. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline uint64_t
read64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}
#else
static inline uint64_t
read64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}
#endif

static inline uint32_t
read32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		(uint32_t)p[3] << 24;
}

static inline uint64_t
round64(uint64_t lane, uint64_t input)
{
	return rotl(lane + input * P2, 31) * P1;
}

static inline uint64_t
merge(uint64_t h, uint64_t lane)
{
	return (h ^ round64(0, lane)) * P1 + P4;
}

void
hash_start(struct hash *h)
{
	*h = (struct hash){ .lane = { P1 + P2, P2, 0, 0 - P1 } };
}

/* The lanes are locals so that they stay in registers. */
static const uint8_t *
stripes(struct hash *h, const uint8_t *p, size_t count)
{
	uint64_t a = h->lane[0], b = h->lane[1];
	uint64_t c = h->lane[2], d = h->lane[3];

	for (; count > 0; count--, p += 32) {
		a = round64(a, read64(p));
		b = round64(b, read64(p + 8));
		c = round64(c, read64(p + 16));
		d = round64(d, read64(p + 24));
	}
	h->lane[0] = a;
	h->lane[1] = b;
	h->lane[2] = c;
	h->lane[3] = d;
	return p;
}

void
hash_add(struct hash *h, const void *data, size_t n)
{
	const uint8_t *p = data;

	if (n == 0)
		return;
	h->total += n;
	if (h->held > 0) {
		size_t part = sizeof h->rest - h->held;

		if (part > n)
			part = n;
		memcpy(h->rest + h->held, p, part);
		h->held += part;
		p += part;
		n -= part;
		if (h->held < sizeof h->rest)
			return;
		stripes(h, h->rest, 1);
	}
	p = stripes(h, p, n / 32);
	h->held = n % 32;
	memcpy(h->rest, p, h->held);
}

static uint64_t
tail(uint64_t v, const uint8_t *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8)
		v = rotl(v ^ round64(0, read64(p)), 27) * P1 + P4;
	if (n >= 4) {
		v = rotl(v ^ read32(p) * P1, 23) * P2 + P3;
		n -= 4;
		p += 4;
	}
	for (; n > 0; n--, p++)
		v = rotl(v ^ *p * P5, 11) * P1;
	return v;
}

uint64_t
hash_value(const struct hash *h)
{
	const uint64_t *l = h->lane;
	uint64_t v = P5;

	if (h->total >= 32) {
		v = rotl(l[0], 1) + rotl(l[1], 7) + rotl(l[2], 12) +
			rotl(l[3], 18);
		for (int i = 0; i < 4; i++)
			v = merge(v, l[i]);
	}
	v = tail(v + h->total, h->rest, h->held);
	v = (v ^ v >> 33) * P2;
	v = (v ^ v >> 29) * P3;
	return v ^ v >> 32;
}

uint64_t
hash_of(const void *data, size_t n)
{
	struct hash h;

	hash_start(&h);
	hash_add(&h, data, n);
	return hash_value(&h);
}
