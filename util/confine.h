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

/* What is still allowed there. */
enum confine_use {
	CONFINE_FILL, /* make, write, rename and remove files, make folders */
	CONFINE_REMOVE, /* remove files */
	CONFINE_WRITE, /* write to this very file, which may be opened anew */
};

struct confine_place {
	int fd; /* of a folder, all below it counts; or of a file; -1: none */
	enum confine_use use;
};

/* Gives up the rest. Returns the bits of what holds now: what the system does
 * not have, or does not allow, is missing. */
unsigned confine(const struct confine_place *places, size_t count);

#endif
