/* fuzz: what the fuzz targets share. A property that does not hold aborts. */
#ifndef FUZZ_H
#define FUZZ_H

#include "../../util/mem.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLD(cond) fuzz_hold((cond), #cond, __FILE__, __LINE__)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
fuzz_hold(bool good, const char *text, const char *file, int line)
{
	if (good)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
	abort();
}

/* The input as a string of exactly its size, for the caller to free. */
static inline char *
fuzz_string(const uint8_t *data, size_t size)
{
	char *s = mem_alloc(size + 1);

	if (size > 0)
		memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

#endif
