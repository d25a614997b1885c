#include "confine.h"

#if defined(__linux__) && defined(_GNU_SOURCE)
#include <sys/prctl.h>
static unsigned
keep_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0
		? CONFINE_PRIVILEGES
		: 0;
}
#else
static unsigned
keep_privileges(void)
{
	return 0;
}
#endif

#if CONFINE_LANDLOCK
#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <unistd.h>

/* Of the kernel's second and third version of it; a header may be older. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* Where a right stays. */
enum {
	NOWHERE,
	FILL = 1 << CONFINE_FILL,
	REMOVE = 1 << CONFINE_REMOVE,
	WRITE = 1 << CONFINE_WRITE,
};

/* What changes a file system, or starts a program; since: the version that
 * knows it. A rename in one folder needs no more than to remove and to make. */
static const struct right {
	uint64_t bit;
	long since;
	unsigned stays;
} rights[] = {
	{ LANDLOCK_ACCESS_FS_EXECUTE, 1, NOWHERE },
	{ LANDLOCK_ACCESS_FS_WRITE_FILE, 1, FILL | WRITE },
	{ LANDLOCK_ACCESS_FS_REMOVE_DIR, 1, NOWHERE },
	{ LANDLOCK_ACCESS_FS_REMOVE_FILE, 1, FILL | REMOVE },
	{ LANDLOCK_ACCESS_FS_MAKE_CHAR, 1, NOWHERE },
	{ LANDLOCK_ACCESS_FS_MAKE_DIR, 1, FILL },
	{ LANDLOCK_ACCESS_FS_MAKE_REG, 1, FILL },
	{ LANDLOCK_ACCESS_FS_MAKE_SOCK, 1, NOWHERE },
	{ LANDLOCK_ACCESS_FS_MAKE_FIFO, 1, NOWHERE },
	{ LANDLOCK_ACCESS_FS_MAKE_BLOCK, 1, NOWHERE },
	{ LANDLOCK_ACCESS_FS_MAKE_SYM, 1, NOWHERE },
	{ LANDLOCK_ACCESS_FS_REFER, 2, NOWHERE },
	{ LANDLOCK_ACCESS_FS_TRUNCATE, 3, FILL },
};

/* Those that this version has and that stay there; any: wherever. */
static uint64_t
bits(long version, unsigned stays, bool any)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < sizeof rights / sizeof rights[0]; i++)
		if (rights[i].since <= version &&
			(any || rights[i].stays & stays))
			set |= rights[i].bit;
	return set;
}

/* EBADFD: a pipe or socket without a name, which rules do not concern. */
static int
allow(int rules, long version, const struct confine_place *place)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = bits(version, 1U << place->use, false),
		.parent_fd = place->fd,
	};

	if (place->fd == -1 ||
		syscall(SYS_landlock_add_rule, rules,
			LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0)
		return 0;
	return errno == EBADFD ? 0 : -1;
}

/* Nothing is restricted unless every place could be named. */
static unsigned
keep_writes(const struct confine_place *places, size_t count)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr all = { 0 };
	unsigned holds = 0;
	int rules;
	size_t i;

	if (version < 1)
		return 0;
	all.handled_access_fs = bits(version, NOWHERE, true);
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	if (rules == -1)
		return 0;
	for (i = 0; i < count && allow(rules, version, &places[i]) == 0; i++)
		;
	if (i == count && syscall(SYS_landlock_restrict_self, rules, 0) == 0)
		holds = CONFINE_WRITES;
	close(rules);
	return holds;
}
#else
static unsigned
keep_writes(const struct confine_place *places, size_t count)
{
	(void)places;
	(void)count;
	return 0;
}
#endif

unsigned
confine(const struct confine_place *places, size_t count)
{
	unsigned holds = keep_privileges();

	/* Landlock asks for it, too. */
	return holds ? holds | keep_writes(places, count) : 0;
}
