/* part: a file that is being received: it grows under a hidden name, locked,
 * and takes its own name when it is whole.
 *
 * Every name below a folder is reached part by part, never through a symbolic
 * link, so that nothing outside of the folder is touched whatever is planted
 * there meanwhile. Nothing is replaced that was not asked for. */
#ifndef SOCKCTL_PART_H
#define SOCKCTL_PART_H

#include "err.h"
#include "filename.h"
#include "hash.h"
#include "xfer.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct part_policy {
	bool dotfiles, overwrite, rename, skip;
	bool restart; /* --no-resume */
	uint64_t max_size; /* 0: no limit */
	mode_t mask; /* the umask */
};

/* Why a file was not taken. reason XFER_R_LOCAL and XFER_R_SPACE: the disk or
 * the file is at fault, and err tells its call; else err's op is protocol. */
struct part_fault {
	enum xfer_reason reason;
	struct err err;
};

struct part {
	int dir, fd; /* -1 where not open */
	char name[FILENAME_MAX_PART + 1]; /* its own, in dir */
	char growing[FILENAME_MAX_PART + 1]; /* until it is whole */
	uint64_t held; /* bytes that were there when it was opened */
};
#define PART_NONE \
	{ \
		.dir = -1, .fd = -1 \
	}

enum part_result { PART_OK, PART_SKIP, PART_FAULT, PART_LATER };

/* Opens what an offer names below the folder root, missing folders made.
 * checked: the name is the user's own, not a peer's. PART_SKIP: the same file
 * is there. PART_LATER: out of descriptors, as fault says. p is open after
 * PART_OK only. */
enum part_result part_open(struct part *p, int root,
	const struct xfer_frame *offer, bool checked,
	const struct part_policy *policy, struct part_fault *fault);
/* Makes a folder, or finds it there. */
enum part_result part_folder(int root, const struct xfer_frame *offer,
	const struct part_policy *policy, struct part_fault *fault);

/* Hashes what is held, a piece of at most n bytes of memory a call, from *at
 * on. 1: more to come, 0: done, -1: err. */
int part_check(struct part *p, struct hash *h, uint64_t *at, void *memory,
	size_t n, struct err *err);
/* Writes all n bytes at that offset; cuts to that size. -1 with fault. */
int part_write(struct part *p, uint64_t at, const void *data, size_t n,
	struct part_fault *fault);
int part_cut(struct part *p, uint64_t size, struct part_fault *fault);
/* Gives it mode, time and its own name; with --rename another number where
 * that was taken meanwhile (p->name tells). */
int part_place(struct part *p, const struct xfer_frame *offer,
	const struct part_policy *policy, struct part_fault *fault);
/* Closes it; what is empty and not in place is removed. */
void part_close(struct part *p);
/* The reason of a failed call on a file: XFER_R_SPACE or XFER_R_LOCAL. */
int part_failed(
	struct part_fault *fault, const char *op, int number, const char *name);

#endif
