/* A file's name as a peer sends it: the first byte says whether hidden ones are
 * taken. What is taken stays below its folder, and so do the names made of it.
 */
#include "../../util/filename.h"
#include "fuzz.h"

static void
check_part(const char *part, size_t n)
{
	char name[FILENAME_MAX_PART + 1], out[FILENAME_MAX_PART + 1];

	HOLD(n > 0 && n <= FILENAME_MAX_PART);
	memcpy(name, part, n);
	name[n] = '\0';
	HOLD(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	filename_growing(out, name);
	/* Nobody can send what grows. */
	HOLD(filename_fault(out, strlen(out), true));
	HOLD(out[0] == '.' && !strchr(out, '/'));
	for (unsigned i = 1; i < 12; i += 10) {
		filename_numbered(out, name, i);
		HOLD(strlen(out) <= FILENAME_MAX_PART && !strchr(out, '/'));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name = (const char *)data + 1, *end, *slash;

	if (size == 0)
		return 0;
	end = name + size - 1;
	if (filename_fault(name, size - 1, data[0] & 1))
		return 0;
	HOLD(size - 1 <= FILENAME_MAX_ALL && name[0] != '/');
	for (;; name = slash + 1) {
		slash = memchr(name, '/', (size_t)(end - name));
		HOLD((data[0] & 1) || name[0] != '.');
		check_part(name, (size_t)((slash ? slash : end) - name));
		if (!slash)
			return 0;
	}
}
