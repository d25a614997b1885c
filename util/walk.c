#include "walk.h"
#include "clock.h"
#include "mem.h"
#include "net.h"
#include "xfer.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
walk_start(struct walk *w, const struct walk_options *o, int count,
	char *const *args)
{
	*w = (struct walk){ .options = o, .args = args, .count = count };
}

void
walk_free(struct walk *w)
{
	while (w->depth > 0)
		closedir(w->level[--w->depth].dir);
	free(w->level);
	free(w->again);
	buf_free(&w->name);
}

static enum walk_result
failed(struct walk *w, struct walk_found *found, struct err *err)
{
	if ((errno == EMFILE || errno == ENFILE) && !w->alone)
		return WALK_LATER;
	found->name = buf_cstr(&w->name);
	err_set(err, "open", errno, found->name);
	return WALK_FAILED;
}

static enum walk_result
skipped(struct walk *w, struct walk_found *found, const char *why)
{
	found->name = buf_cstr(&w->name);
	found->why = why;
	return WALK_SKIPPED;
}

static const char *
kind_of(mode_t mode)
{
	if (S_ISLNK(mode))
		return "a symbolic link (--follow sends what it points to)";
	if (S_ISFIFO(mode))
		return "a fifo";
	return S_ISSOCK(mode) ? "a socket" : "a device";
}

static bool
is_above(const struct walk *w, const struct stat *st)
{
	int i;

	for (i = 0; i < w->depth; i++)
		if (w->level[i].dev == st->st_dev &&
			w->level[i].ino == st->st_ino)
			return true;
	return false;
}

/* The next calls give what is in it, before anything else. */
static enum walk_result
enter(struct walk *w, struct walk_found *found, int fd, const struct stat *st,
	struct err *err)
{
	struct walk_level *level;
	DIR *dir;

	if (is_above(w, st)) {
		close(fd);
		return skipped(w, found, "a link to a folder that it is in");
	}
	dir = fdopendir(fd);
	if (!dir)
		return failed(w, found, (close_keep(fd, 0), err));
	w->level = mem_grow(w->level, (size_t)w->depth + 1, sizeof *w->level);
	level = &w->level[w->depth++];
	*level = (struct walk_level){ dir, w->name.len, st->st_dev,
		st->st_ino };
	found->folder = true;
	found->size = 0;
	found->fd = -1;
	return WALK_FOUND;
}

/* Opens what path means in dir; w->name is its name. given: the user named
 * it, so links are followed, and what is no file is an error. */
static enum walk_result
look_at(struct walk *w, struct walk_found *found, int dir, const char *path,
	bool given, struct err *err)
{
	bool follow = given || w->options->follow;
	struct stat st;
	int fd;

	if (fstatat(dir, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) == -1)
		return failed(w, found, err);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && given) {
		found->name = buf_cstr(&w->name);
		err_setf(err, "open", 0, path, "not a file but %s",
			kind_of(st.st_mode));
		return WALK_FAILED;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return skipped(w, found, kind_of(st.st_mode));
	if (w->name.len > XFER_NAME_MAX)
		return failed(w, found, (errno = ENAMETOOLONG, err));
	fd = openat(dir, path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
			(follow ? 0 : O_NOFOLLOW));
	if (fd == -1)
		return failed(w, found, err);
	if (fstat(fd, &st) == -1 ||
		(!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return failed(w, found, (close(fd), errno = EINVAL, err));
	*found = (struct walk_found){ .fd = fd,
		.mode = st.st_mode & 07777,
		.size = (uint64_t)st.st_size,
		.mtime = st.st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st.st_mtim.tv_nsec };
	if (S_ISDIR(st.st_mode))
		return enter(w, found, fd, &st, err);
	return WALK_FOUND;
}

static void
set_name(struct walk *w, size_t keep, const char *name)
{
	w->name.len = keep;
	if (keep > 0)
		buf_byte(&w->name, '/');
	buf_string(&w->name, name);
}

/* WALK_END: no more in this folder. */
static enum walk_result
next_entry(struct walk *w, struct walk_found *found, struct err *err)
{
	struct walk_level *level = &w->level[w->depth - 1];
	enum walk_result result;
	struct dirent *e;

	if (!w->again) {
		do
			e = readdir(level->dir);
		while (e &&
			(strcmp(e->d_name, ".") == 0 ||
				strcmp(e->d_name, "..") == 0));
		w->again = e ? mem_string(e->d_name) : NULL;
	}
	if (!w->again) {
		w->name.len = level->name_len;
		w->depth--;
		closedir(level->dir);
		return WALK_END;
	}
	set_name(w, level->name_len, w->again);
	result = look_at(w, found, dirfd(level->dir), w->again, false, err);
	if (result != WALK_LATER) {
		free(w->again);
		w->again = NULL;
	}
	return result;
}

/* The last part of a path: "b" of "a/b/". Folders that have no name of their
 * own ("." or "/") give their content without one. */
static void
name_after(struct walk *w, const char *path)
{
	size_t n = strlen(path), start;

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (start = n; start > 0 && path[start - 1] != '/'; start--)
		;
	w->name.len = 0;
	buf_append(&w->name, path + start, n - start);
	if (strcmp(buf_cstr(&w->name), ".") == 0 ||
		strcmp(buf_cstr(&w->name), "..") == 0)
		w->name.len = 0;
}

static enum walk_result
standard_input(struct walk *w, struct walk_found *found)
{
	if (!w->options->as)
		set_name(w, 0, "stdin");
	*found = (struct walk_found){ .name = buf_cstr(&w->name),
		.input = true,
		.fd = STDIN_FILENO,
		.mode = 0666,
		.size = XFER_SIZE_UNKNOWN,
		.mtime = (int64_t)clock_unix() };
	return WALK_FOUND;
}

static enum walk_result
next_argument(struct walk *w, struct walk_found *found, struct err *err)
{
	const char *path = w->args[w->next];
	enum walk_result result;

	if (w->options->as)
		set_name(w, 0, w->options->as);
	else
		name_after(w, path);
	if (strcmp(path, "-") == 0) {
		w->next++;
		return standard_input(w, found);
	}
	result = look_at(w, found, AT_FDCWD, path, true, err);
	if (result == WALK_FAILED) {
		found->name = path;
		snprintf(err->target, sizeof err->target, "%s", path);
	}
	if (result != WALK_LATER)
		w->next++;
	return result;
}

enum walk_result
walk_next(struct walk *w, struct walk_found *found, bool alone, struct err *err)
{
	enum walk_result result = WALK_END;

	w->alone = alone;
	while (w->depth > 0 || w->next < w->count) {
		if (w->depth > 0)
			result = next_entry(w, found, err);
		else
			result = next_argument(w, found, err);
		if (result == WALK_FOUND)
			found->name = buf_cstr(&w->name);
		if (result == WALK_END ||
			(result == WALK_FOUND && w->name.len == 0))
			continue;
		return result;
	}
	return WALK_END;
}
