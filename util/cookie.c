#include "cookie.h"
#include "clock.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Where the system has no random numbers to give, what differs between two
 * runs has to do. */
void
cookie_start(struct cookie *c)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd == -1 ? -1 : read(fd, c->key, sizeof(c->key));

	if (fd != -1)
		close(fd);
	if (got == sizeof(c->key))
		return;
	c->key[0] = (uint64_t)clock_now() * 0x9e3779b97f4a7c15U;
	c->key[1] = (uint64_t)getpid() << 32 ^ (uint64_t)clock_unix();
}

static uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
rounds(uint64_t v[4], int count)
{
	while (count-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32) + v[3];
		v[2] += v[1];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

/* Up to 8 bytes, the first one lowest. */
static uint64_t
word(const uint8_t *p, size_t n)
{
	uint64_t w = 0;

	while (n-- > 0)
		w = w << 8 | p[n];
	return w;
}

uint64_t
cookie_hash(const struct cookie *c, const void *data, size_t n)
{
	uint64_t v[4] = { c->key[0] ^ 0x736f6d6570736575U,
		c->key[1] ^ 0x646f72616e646f6dU,
		c->key[0] ^ 0x6c7967656e657261U,
		c->key[1] ^ 0x7465646279746573U };
	const uint8_t *p = data;
	uint64_t m;
	size_t left;

	for (left = n; left >= 8; left -= 8, p += 8) {
		m = word(p, 8);
		v[3] ^= m;
		rounds(v, 2);
		v[0] ^= m;
	}
	m = (uint64_t)n << 56 | word(p, left);
	v[3] ^= m;
	rounds(v, 2);
	v[0] ^= m;
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
cookie_of(const struct cookie *c, const struct addr *a, uint64_t what)
{
	uint8_t bytes[sizeof(what) + sizeof(a->ss)];

	memcpy(bytes, &what, sizeof(what));
	memcpy(bytes + sizeof(what), &a->ss, a->len);
	return cookie_hash(c, bytes, sizeof(what) + a->len);
}
