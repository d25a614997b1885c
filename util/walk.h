/* walk: what sendfile sends: files, folders with all below them, standard
 * input; one after the other, with no list of them in memory. */
#ifndef SOCKCTL_WALK_H
#define SOCKCTL_WALK_H

#include "buf.h"
#include "err.h"
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct walk_options {
	bool recursive, follow;
	const char *as; /* NULL: by its own name */
};

struct walk_level {
	DIR *dir;
	size_t name_len; /* of the folder's name in walk->name */
	dev_t dev;
	ino_t ino;
};

struct walk {
	const struct walk_options *options;
	char *const *args;
	int count, next;
	struct walk_level *level;
	int depth;
	struct buf name; /* the offered name of what is looked at */
	bool alone;
	char *again; /* an entry that met a lack of descriptors */
};

struct walk_found {
	const char *name; /* as it is offered; valid until the next call */
	bool folder, input; /* input: standard input */
	int fd; /* of a file: the caller's */
	uint32_t mode;
	uint64_t size;
	int64_t mtime;
	uint32_t mtime_ns;
	const char *why; /* WALK_SKIPPED: a phrase */
};

enum walk_result {
	WALK_FOUND,
	WALK_SKIPPED, /* no file: name, why */
	WALK_FAILED, /* name, err */
	WALK_LATER, /* out of descriptors: close some and call again */
	WALK_END,
};

void walk_start(struct walk *w, const struct walk_options *o, int count,
	char *const *args);
/* alone: there is nothing to be closed, so a lack of descriptors is a failure.
 */
enum walk_result walk_next(
	struct walk *w, struct walk_found *found, bool alone, struct err *err);
void walk_free(struct walk *w);

#endif
