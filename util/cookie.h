/* cookie: a number that only who receives at an address can know: what a
 * datagram server asks for before it sends more than it got, without
 * remembering anybody (the idea of SYN cookies; SipHash-2-4 of Aumasson and
 * Bernstein). */
#ifndef SOCKCTL_COOKIE_H
#define SOCKCTL_COOKIE_H

#include "addr.h"
#include <stdint.h>

struct cookie {
	uint64_t key[2];
};

void cookie_start(struct cookie *c); /* a new random key */
/* The number of an address, and of what it is good for: a time, a run. */
uint64_t cookie_of(const struct cookie *c, const struct addr *a, uint64_t what);
/* SipHash-2-4 of n bytes. */
uint64_t cookie_hash(const struct cookie *c, const void *data, size_t n);

#endif
