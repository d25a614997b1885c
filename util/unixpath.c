#include "unixpath.h"
#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* "" for an abstract name. */
static const char *
path_of(const struct addr *a)
{
	return ((const struct sockaddr_un *)&a->ss)->sun_path;
}

static int
bind_error(struct err *err, int number, const struct addr *a, const char *why)
{
	char text[ADDR_TEXT_MAX];

	if (!why)
		return err_set(err, "bind", number, addr_text(a, text));
	return err_setf(err, "bind", number, addr_text(a, text), "%s", why);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* -1 with errno, EWOULDBLOCK where another process holds the lock. */
static int
lock_take(const char *path)
{
	struct stat held, named;

	for (;;) {
		int fd = open(path,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			0600);

		if (fd == -1)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) == -1)
			return close_keep(fd, -1);
		/* The last holder may have removed the file between open and
		 * flock: then this lock is on a file without a name. */
		if (fstat(fd, &held) == 0 && lstat(path, &named) == 0 &&
			same_file(&held, &named))
			return fd;
		close(fd);
	}
}

/* A path that a process has bound, but not for listening to streams, answers
 * with EPROTOTYPE: somebody is there, too. */
static bool
nobody_listens(const struct addr *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int number;

	if (fd == -1)
		return false;
	net_cloexec(fd);
	net_nonblock(fd, true);
	number = net_connect(fd, a);
	close(fd);
	return number == ECONNREFUSED;
}

static int
path_clear(const struct addr *a, struct err *err)
{
	struct stat st;

	if (lstat(path_of(a), &st) == -1)
		return errno == ENOENT ? 0 : bind_error(err, errno, a, NULL);
	if (!S_ISSOCK(st.st_mode))
		return bind_error(err, EADDRINUSE, a,
			"something that is no socket stands there");
	if (!nobody_listens(a))
		return bind_error(err, EADDRINUSE, a, NULL);
	if (unlink(path_of(a)) == -1 && errno != ENOENT)
		return bind_error(err, errno, a, NULL);
	return 0;
}

int
unixpath_claim(struct unixpath *u, const struct addr *a, struct err *err)
{
	*u = (struct unixpath)UNIXPATH_NONE;
	if (!*path_of(a))
		return 0;
	u->owner = getpid();
	snprintf(u->lock_path, sizeof(u->lock_path), "%.*s.lock", ADDR_UNIX_MAX,
		path_of(a));
	u->lock = lock_take(u->lock_path);
	if (u->lock == -1 && errno == EWOULDBLOCK)
		return bind_error(err, EADDRINUSE, a,
			"another process listens there (it holds the lock)");
	if (u->lock == -1)
		return err_setf(err, "bind", errno, u->lock_path, "%s",
			strerror(errno));
	if (path_clear(a, err) == -1) {
		unixpath_release(u);
		return -1;
	}
	return 0;
}

int
unixpath_bind(struct unixpath *u, int fd, const struct addr *a, uint32_t mode,
	struct err *err)
{
	mode_t mask = 0;
	struct stat st;
	int result;

	/* By the umask, not by chmod: there is no moment at which the file
	 * stands there with other permissions. */
	if (mode != UINT32_MAX)
		mask = umask(~(mode_t)mode & 0777);
	result = net_bind(fd, a, err);
	if (mode != UINT32_MAX)
		umask(mask);
	if (result == -1 || !*path_of(a) || lstat(path_of(a), &st) == -1)
		return result;
	snprintf(u->path, sizeof(u->path), "%.*s", ADDR_UNIX_MAX, path_of(a));
	u->device = st.st_dev;
	u->inode = st.st_ino;
	return 0;
}

void
unixpath_release(struct unixpath *u)
{
	struct stat st;

	if (u->lock == -1)
		return;
	if (u->owner == getpid()) {
		if (*u->path && lstat(u->path, &st) == 0 &&
			st.st_dev == u->device && st.st_ino == u->inode)
			unlink(u->path);
		/* A lock is an empty file: what has contents is not ours. */
		if (fstat(u->lock, &st) == 0 && S_ISREG(st.st_mode) &&
			st.st_size == 0)
			unlink(u->lock_path);
	}
	close(u->lock);
	*u = (struct unixpath)UNIXPATH_NONE;
}
