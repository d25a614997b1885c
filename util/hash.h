/* hash: XXH64 (Yann Collet's specification of xxHash), seed 0.
 *
 * Finds accidents, not attackers. What `xxhsum -H1` prints. The state may be
 * read out at any moment and fed on, which is how every block of a file
 * transfer carries the hash of the file so far. */
#ifndef SOCKCTL_HASH_H
#define SOCKCTL_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash {
	uint64_t lane[4];
	uint64_t total;
	uint8_t rest[32];
	size_t held; /* bytes in rest */
};

void hash_start(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t n);
uint64_t hash_value(const struct hash *h); /* of all added so far */
uint64_t hash_of(const void *data, size_t n);

#endif
