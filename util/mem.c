#include "mem.h"
#include "err.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void
die(void)
{
	static const char text[] = "sockctl: out of memory\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);

	(void)n;
	_exit(EXIT_LOCAL);
}

/* Never NULL, so that NULL from malloc always means failure. */
static size_t
at_least_one(size_t size)
{
	return size > 0 ? size : 1;
}

void *
mem_alloc(size_t size)
{
	void *p = malloc(at_least_one(size));

	if (!p)
		die();
	return p;
}

void *
mem_zero(size_t count, size_t size)
{
	void *p = calloc(at_least_one(count), at_least_one(size));

	if (!p)
		die();
	return p;
}

void *
mem_grow(void *old, size_t count, size_t size)
{
	void *p;

	if (size > 0 && count > SIZE_MAX / size)
		die();
	p = realloc(old, at_least_one(count * size));
	if (!p)
		die();
	return p;
}

void *
mem_copy(const void *from, size_t size)
{
	void *p = mem_alloc(size);

	if (size > 0)
		memcpy(p, from, size);
	return p;
}

char *
mem_string(const char *from)
{
	return from ? mem_copy(from, strlen(from) + 1) : NULL;
}
