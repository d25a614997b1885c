#include "filename.h"
#include "hash.h"
#include "utf8.h"
#include <stdio.h>
#include <string.h>

static bool
has_control(const char *name, size_t n)
{
	const uint8_t *p = (const uint8_t *)name;
	size_t i = 0;
	uint32_t c;

	while (i < n) {
		i += utf8_decode(p + i, n - i, &c);
		if (c != UTF8_BAD && utf8_is_control(c))
			return true;
	}
	return false;
}

static const char *
part_fault(const char *part, size_t n, bool dotfiles)
{
	if (n == 0)
		return "an empty part";
	if (n > FILENAME_MAX_PART)
		return "a part over 255 bytes";
	if (part[0] != '.')
		return NULL;
	if (n == 1)
		return "a part that is \".\"";
	if (n == 2 && part[1] == '.')
		return "a part that is \"..\"";
	if (n >= 6 && memcmp(part + n - 5, ".part", 5) == 0)
		return "the form .*.part belongs to transfers under way";
	return dotfiles ? NULL : "a hidden name (--dotfiles takes them)";
}

const char *
filename_fault(const char *name, size_t n, bool dotfiles)
{
	const char *end = name + n, *slash, *fault;

	if (n == 0)
		return "no name";
	if (n > FILENAME_MAX_ALL)
		return "over 4096 bytes";
	if (memchr(name, '\0', n))
		return "a NUL in it";
	if (has_control(name, n))
		return "a control character in it";
	if (name[0] == '/')
		return "an absolute path";
	for (;;) {
		slash = memchr(name, '/', (size_t)(end - name));
		fault = part_fault(
			name, (size_t)((slash ? slash : end) - name), dotfiles);
		if (fault || !slash)
			return fault;
		name = slash + 1;
	}
}

void
filename_growing(char *out, const char *part)
{
	enum { AROUND = 6, HASH = 17 }; /* ".", ".part"; "~" and 16 digits */
	size_t n = strlen(part);

	if (n + AROUND <= FILENAME_MAX_PART) {
		snprintf(out, FILENAME_MAX_PART + 1, ".%s.part", part);
		return;
	}
	snprintf(out, FILENAME_MAX_PART + 1, ".%.*s~%016llx.part",
		FILENAME_MAX_PART - AROUND - HASH, part,
		(unsigned long long)hash_of(part, n));
}

void
filename_numbered(char *out, const char *part, unsigned number)
{
	char tail[16];
	int n = snprintf(tail, sizeof tail, ".%u", number);

	snprintf(out, FILENAME_MAX_PART + 1, "%.*s%s", FILENAME_MAX_PART - n,
		part, tail);
}
