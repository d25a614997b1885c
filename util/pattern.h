/* pattern: bytes that depend on their place alone, for flood --verify.
 *
 * Byte o is byte o mod 8, the highest first, of (o div 8) * 0x9e3779b97f4a7c15
 * mod 2^64: what is lost, doubled, moved or changed does not look right. */
#ifndef SOCKCTL_PATTERN_H
#define SOCKCTL_PATTERN_H

#include <stddef.h>
#include <stdint.h>

void pattern_fill(void *out, size_t n, uint64_t offset);
/* How many of the n bytes are right, from the first one on. */
size_t pattern_right(const void *data, size_t n, uint64_t offset);

#endif
