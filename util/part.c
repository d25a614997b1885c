#include "part.h"
#include "below.h"
#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TRIES = 8, NUMBERS = 9999 };

/* link and unlink: where the name is taken link fails, as it should. */
static int
rename_by_link(int dir, const char *from, const char *to)
{
	if (linkat(dir, from, dir, to, 0) == -1)
		return -1;
	return unlinkat(dir, from, 0);
}

/* Gives a new name that must be free: EEXIST where it is not. Not every file
 * system can do it in one. */
#ifdef RENAME_NOREPLACE
static int
rename_exclusive(int dir, const char *from, const char *to)
{
	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return rename_by_link(dir, from, to);
}
#else
static int
rename_exclusive(int dir, const char *from, const char *to)
{
	return rename_by_link(dir, from, to);
}
#endif

int
part_failed(
	struct part_fault *fault, const char *op, int number, const char *name)
{
	fault->reason = number == ENOSPC || number == EDQUOT ? XFER_R_SPACE
							     : XFER_R_LOCAL;
	return err_set(&fault->err, op, number, name);
}

static enum part_result
refuse(struct part_fault *fault, enum xfer_reason reason, const char *name,
	const char *text)
{
	fault->reason = reason;
	err_setf(&fault->err, "protocol", 0, name, "%s",
		text ? text : xfer_reason_text(reason));
	return PART_FAULT;
}

/* The result of a failed open or mkdir on the way. ENOTDIR and ELOOP are how
 * O_NOFOLLOW and O_DIRECTORY say that something else stands there. */
static enum part_result
stopped(struct part_fault *fault, const char *name)
{
	int number = errno;

	if (number == ENOTDIR || number == ELOOP || number == EISDIR ||
		number == ENXIO)
		return refuse(fault, XFER_R_KIND, name, NULL);
	part_failed(fault, "open", number, name);
	return number == EMFILE || number == ENFILE ? PART_LATER : PART_FAULT;
}

enum part_result
part_folder(int root, const struct xfer_frame *offer,
	const struct part_policy *policy, struct part_fault *fault)
{
	const char *wrong = filename_fault(
		offer->text, offer->text_len, policy->dotfiles);
	char last[FILENAME_MAX_PART + 1];
	int dir, fd;

	if (wrong)
		return refuse(fault, XFER_R_NAME, offer->text, wrong);
	dir = below_descend(root, offer->text, last);
	if (dir == -1)
		return stopped(fault, offer->text);
	/* Its owner must be able to fill it. */
	if (mkdirat(dir, last, (offer->mode & 0777) | 0700) == -1 &&
		errno != EEXIST)
		return stopped(fault, (close_keep(dir, 0), offer->text));
	fd = below_folder(dir, last);
	close_keep(dir, 0);
	if (fd == -1)
		return stopped(fault, offer->text);
	close(fd);
	return PART_OK;
}

static bool
same_file(const struct stat *st, const struct xfer_frame *offer)
{
	return (uint64_t)st->st_size == offer->size &&
		st->st_mtim.tv_sec == (time_t)(int64_t)offer->mtime &&
		st->st_mtim.tv_nsec == (long)offer->mtime_ns;
}

/* The first free of NAME.1, NAME.2 ... */
static enum part_result
number(struct part *p, const char *base, struct part_fault *fault)
{
	struct stat st;
	unsigned i;

	for (i = 1; i <= NUMBERS; i++) {
		filename_numbered(p->name, base, i);
		if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		return errno == ENOENT ? PART_OK : stopped(fault, base);
	}
	return refuse(fault, XFER_R_EXISTS, base, NULL);
}

/* Chooses the name that the file will have. */
static enum part_result
choose_name(struct part *p, const struct xfer_frame *offer,
	const struct part_policy *policy, struct part_fault *fault)
{
	char base[FILENAME_MAX_PART + 1];
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? PART_OK : stopped(fault, offer->text);
	if (!S_ISREG(st.st_mode))
		return refuse(fault, XFER_R_KIND, offer->text,
			S_ISDIR(st.st_mode) ? "a folder is in the way" : NULL);
	if (policy->skip && same_file(&st, offer))
		return PART_SKIP;
	if (policy->overwrite)
		return PART_OK;
	if (!policy->rename)
		return refuse(fault, XFER_R_EXISTS, offer->text, NULL);
	memcpy(base, p->name, sizeof base);
	return number(p, base, fault);
}

/* A file under its growing name that was there before: it must be a plain one
 * of our own with no second name, and still be there once it is locked
 * (another process may have put it in place meanwhile: tried again). */
static enum part_result
take_lock(struct part *p, const char *name, struct part_fault *fault)
{
	struct stat st, there;

	if (fstat(p->fd, &st) == -1)
		return stopped(fault, name);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return refuse(fault, XFER_R_KIND, name,
			"something else stands under its .part name");
	if (flock(p->fd, LOCK_EX | LOCK_NB) == -1)
		return errno == EWOULDBLOCK
			? refuse(fault, XFER_R_BUSY, name, NULL)
			: stopped(fault, name);
	if (fstatat(p->dir, p->growing, &there, AT_SYMLINK_NOFOLLOW) == -1 ||
		there.st_dev != st.st_dev || there.st_ino != st.st_ino)
		return PART_LATER;
	if (there.st_nlink != 1)
		return refuse(fault, XFER_R_KIND, name,
			"its .part has a second name");
	p->held = (uint64_t)there.st_size;
	return PART_OK;
}

static enum part_result
open_growing(struct part *p, const char *name, struct part_fault *fault)
{
	enum {
		FLAGS = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
	};
	enum part_result result = PART_LATER;
	int tries;

	for (tries = 0; tries < TRIES && result == PART_LATER; tries++) {
		p->fd = openat(
			p->dir, p->growing, FLAGS | O_CREAT | O_EXCL, 0600);
		if (p->fd == -1 && errno == EEXIST)
			p->fd = openat(p->dir, p->growing, FLAGS);
		if (p->fd == -1 && errno == ENOENT)
			continue;
		if (p->fd == -1)
			return stopped(fault, name);
		result = take_lock(p, name, fault);
		if (result != PART_OK)
			p->fd = close_keep(p->fd, -1);
	}
	return result == PART_LATER ? refuse(fault, XFER_R_BUSY, name, NULL)
				    : result;
}

/* Too little space is told before content moves. */
static enum part_result
room_for(struct part *p, const struct xfer_frame *offer,
	struct part_fault *fault)
{
	struct statvfs vfs;

	if (offer->size == XFER_SIZE_UNKNOWN || offer->size <= p->held ||
		fstatvfs(p->dir, &vfs) == -1 || vfs.f_blocks == 0)
		return PART_OK;
	if ((offer->size - p->held) / vfs.f_frsize < vfs.f_bavail)
		return PART_OK;
	part_failed(fault, "write", ENOSPC, offer->text);
	return PART_FAULT;
}

/* What was kept counts only where it may be the beginning of this file. */
static enum part_result
use_held(struct part *p, const struct xfer_frame *offer,
	const struct part_policy *policy, struct part_fault *fault)
{
	if (p->held == 0)
		return PART_OK;
	if (!policy->restart && offer->size != XFER_SIZE_UNKNOWN &&
		p->held <= offer->size)
		return PART_OK;
	if (part_cut(p, 0, fault) == -1)
		return PART_FAULT;
	p->held = 0;
	return PART_OK;
}

static enum part_result
open_below(struct part *p, int root, const struct xfer_frame *offer,
	const struct part_policy *policy, struct part_fault *fault)
{
	enum part_result result;

	p->dir = below_descend(root, offer->text, p->name);
	if (p->dir == -1)
		return stopped(fault, offer->text);
	result = choose_name(p, offer, policy, fault);
	if (result != PART_OK)
		return result;
	filename_growing(p->growing, p->name);
	result = open_growing(p, offer->text, fault);
	if (result == PART_OK)
		result = use_held(p, offer, policy, fault);
	if (result == PART_OK)
		result = room_for(p, offer, fault);
	return result;
}

enum part_result
part_open(struct part *p, int root, const struct xfer_frame *offer,
	bool checked, const struct part_policy *policy,
	struct part_fault *fault)
{
	const char *wrong = NULL;
	enum part_result result;

	*p = (struct part)PART_NONE;
	if (!checked)
		wrong = filename_fault(
			offer->text, offer->text_len, policy->dotfiles);
	if (wrong)
		return refuse(fault, XFER_R_NAME, offer->text, wrong);
	if (policy->max_size > 0 && offer->size != XFER_SIZE_UNKNOWN &&
		offer->size > policy->max_size)
		return refuse(fault, XFER_R_TOO_LARGE, offer->text, NULL);
	result = open_below(p, root, offer, policy, fault);
	if (result != PART_OK)
		part_close(p);
	return result;
}

int
part_check(struct part *p, struct hash *h, uint64_t *at, void *memory, size_t n,
	struct err *err)
{
	uint64_t left = p->held - *at;
	ssize_t got;

	do
		got = pread(
			p->fd, memory, left < n ? (size_t)left : n, (off_t)*at);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return err_set(err, "read", errno, p->growing);
	if (got == 0)
		p->held = *at; /* it was cut short meanwhile */
	hash_add(h, memory, (size_t)got);
	*at += (uint64_t)got;
	return *at < p->held;
}

int
part_write(struct part *p, uint64_t at, const void *data, size_t n,
	struct part_fault *fault)
{
	const char *from = data;
	ssize_t put;

	while (n > 0) {
		put = pwrite(p->fd, from, n, (off_t)at);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return part_failed(fault, "write", errno, p->name);
		from += put;
		at += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

int
part_cut(struct part *p, uint64_t size, struct part_fault *fault)
{
	int result;

	do
		result = ftruncate(p->fd, (off_t)size);
	while (result == -1 && errno == EINTR);
	if (result == -1)
		return part_failed(fault, "write", errno, p->name);
	return 0;
}

/* A last look before another file is replaced: it must still be one. */
static int
rename_over(struct part *p)
{
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		!S_ISREG(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	return renameat(p->dir, p->growing, p->dir, p->name);
}

int
part_place(struct part *p, const struct xfer_frame *offer,
	const struct part_policy *policy, struct part_fault *fault)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ (time_t)(int64_t)offer->mtime, (long)offer->mtime_ns } };
	char base[FILENAME_MAX_PART + 1];
	int result;

	/* File systems that know neither modes nor times keep none. */
	(void)!fchmod(p->fd, offer->mode & 0777 & ~policy->mask);
	(void)!futimens(p->fd, times);
	snprintf(base, sizeof base, "%s",
		strrchr(offer->text, '/') ? strrchr(offer->text, '/') + 1
					  : offer->text);
	do
		result = policy->overwrite
			? rename_over(p)
			: rename_exclusive(p->dir, p->growing, p->name);
	while (result == -1 && errno == EEXIST && policy->rename &&
		number(p, base, fault) == PART_OK);
	if (result == 0) {
		p->growing[0] = '\0';
		return 0;
	}
	if (errno != EEXIST)
		return part_failed(fault, "write", errno, offer->text);
	refuse(fault, XFER_R_EXISTS, offer->text,
		"something of that name came into being meanwhile");
	return -1;
}

void
part_close(struct part *p)
{
	struct stat st;

	if (p->fd != -1 && p->growing[0] != '\0' && fstat(p->fd, &st) == 0 &&
		st.st_size == 0)
		(void)unlinkat(p->dir, p->growing, 0);
	if (p->fd != -1)
		close(p->fd);
	if (p->dir != -1)
		close(p->dir);
	p->fd = p->dir = -1;
}
