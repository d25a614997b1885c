/* xferread: frames out of a stream of bytes, whatever the pieces it comes in.
 *
 * A pure function too: the caller gives bytes and is told one thing after the
 * other. Sizes and checksums of frames are checked here; a block's content
 * hash is told, for whoever hashes the file. */
#ifndef SOCKCTL_XFERREAD_H
#define SOCKCTL_XFERREAD_H

#include "hash.h"
#include "xfer.h"

/* What came. */
enum xfer_what {
	XFER_MORE, /* nothing yet: all bytes were taken */
	XFER_FRAME, /* got->frame */
	XFER_BLOCK, /* a data frame begins: got->id, got->n bytes follow */
	XFER_CONTENT, /* got->data, got->n: some bytes of the block */
	XFER_BLOCK_END, /* got->hash */
	XFER_BAD, /* got->reason, got->why: nothing more can be read */
};

struct xfer_got {
	enum xfer_what what;
	struct xfer_frame frame; /* its text lives until the next call */
	uint32_t id;
	const uint8_t *data;
	size_t n;
	uint64_t hash;
	enum xfer_reason reason;
	const char *why; /* a string constant */
};

/* The state of reading; a zeroed struct expects the magic. */
struct xfer_parser {
	unsigned phase;
	size_t have; /* bytes in held */
	uint32_t left; /* of a block's content or of a frame to be ignored */
	struct hash hash; /* of a frame to be ignored */
	uint8_t held[XFER_HEADER + XFER_CONTROL_MAX + XFER_SUM];
};

/* Takes bytes from data up to the next thing to tell and returns how many; got
 * says what. Content is not copied and never waited for, so memory does not
 * grow with what a length claims. */
size_t xfer_parse(struct xfer_parser *p, const uint8_t *data, size_t n,
	struct xfer_got *got);
/* Whether the bytes read so far end where a frame ends. */
bool xfer_between(const struct xfer_parser *p);
/* Whether they end inside of something small, which is sent at once. */
bool xfer_inside(const struct xfer_parser *p);

#endif
