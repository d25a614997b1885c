/* confine: what a process gives up once it has opened all that it needs, so
 * that whoever finds a fault in it gains little. For ever, and for its children
 * too; descriptors that are open stay as good as they were. */
#ifndef SOCKCTL_CONFINE_H
#define SOCKCTL_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether this build can ask for Landlock, see landlock(7). */
#if defined(__linux__) && defined(_GNU_SOURCE) && defined(__has_include)
#include <sys/syscall.h>
#if !defined(CONFINE_LANDLOCK) && defined(SYS_landlock_create_ruleset) && \
	__has_include(<linux/landlock.h>)
#define CONFINE_LANDLOCK 1
#endif
#endif
#ifndef CONFINE_LANDLOCK
#define CONFINE_LANDLOCK 0
#endif

/* What holds, as bits. */
enum {
	CONFINE_PRIVILEGES = 1, /* no program that it starts gains rights */
	CONFINE_WRITES = 2, /* writing only in the places named, no exec */
};

/* A folder in which, and below which, something is still allowed. */
struct confine_place {
	int folder; /* a descriptor, O_PATH is enough; -1: none */
	bool removing; /* only to remove files; else to make, write and rename
			  files and to make folders, too */
};

/* Gives up the rest. Returns the bits of what holds now: what the system does
 * not have, or does not allow, is missing. */
unsigned confine(const struct confine_place *places, size_t count);

#endif
