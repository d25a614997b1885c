#include "below.h"
#include "filename.h"
#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A folder on the way needs no more than the right to pass. */
#ifdef O_PATH
enum { PASS = O_PATH };
#else
enum { PASS = O_RDONLY };
#endif

int
below_folder(int dir, const char *name)
{
	return openat(dir, name, PASS | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* One step down; a folder that is missing is made. */
static int
step_down(int dir, const char *name)
{
	int fd = below_folder(dir, name);

	if (fd != -1 || errno != ENOENT)
		return fd;
	if (mkdirat(dir, name, 0777) == -1 && errno != EEXIST)
		return -1;
	return below_folder(dir, name);
}

int
below_descend(int root, const char *name, char *last)
{
	int dir = below_folder(root, "."), next;
	const char *slash;

	while (dir != -1 && (slash = strchr(name, '/'))) {
		snprintf(last, FILENAME_MAX_PART + 1, "%.*s",
			(int)(slash - name), name);
		next = step_down(dir, last);
		close_keep(dir, 0);
		dir = next;
		name = slash + 1;
	}
	snprintf(last, FILENAME_MAX_PART + 1, "%s", name);
	return dir;
}
