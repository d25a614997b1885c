/* unixpath: the file of a Unix-domain listener, and the lock beside it that
 * says whether somebody lives there. unix(7), flock(2). */
#ifndef SOCKCTL_UNIXPATH_H
#define SOCKCTL_UNIXPATH_H

#include "addr.h"
#include <sys/types.h>

enum { UNIXPATH_LOCK_MAX = ADDR_UNIX_MAX + 6 };

struct unixpath {
	int lock; /* the descriptor that holds PATH.lock, -1: none */
	char path[ADDR_UNIX_MAX + 1]; /* "" until bound */
	char lock_path[UNIXPATH_LOCK_MAX];
	pid_t owner; /* a forked child removes nothing */
	dev_t device;
	ino_t inode; /* of what bind(2) made */
};
#define UNIXPATH_NONE \
	{ \
		.lock = -1 \
	}

/* Locks PATH.lock and removes a socket at a's path that nobody listens on;
 * anything else that stands there is EADDRINUSE. An abstract name needs
 * neither. -1 with err (op bind). */
int unixpath_claim(struct unixpath *u, const struct addr *a, struct err *err);
/* Binds fd to the path that was claimed. mode: permissions of the file, where
 * not UINT32_MAX instead of what the umask leaves. */
int unixpath_bind(struct unixpath *u, int fd, const struct addr *a,
	uint32_t mode, struct err *err);
/* Removes what claim and bind made, and nothing else. */
void unixpath_release(struct unixpath *u);

#endif
