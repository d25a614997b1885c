/* flow: moves bytes one way, from a source to a sink, with bounded memory.
 *
 * On Linux without a copy where both ends allow it and nobody needs to see the
 * bytes: splice(2) where one end is a pipe, and through a pipe of its own where
 * one is a socket (3 GB/s against 1 on a pipe of 1 MiB; a file to a socket at
 * twice what sendfile(2) reaches, whose inner pipe is 64 KiB). Everywhere else,
 * and where the kernel says EINVAL (O_APPEND, terminals), read and write by the
 * loop's scratch memory. The calls are tried first; the owner waits for what
 * flow_step names. */
#ifndef SOCKCTL_FLOW_H
#define SOCKCTL_FLOW_H

#include "buf.h"
#include "io.h"
#include "loop.h"
#include "pace.h"

enum flow_way { FLOW_COPY, FLOW_SPLICE, FLOW_VIA_PIPE };

/* What must come before the next step. */
enum flow_wait {
	FLOW_SOURCE, /* the source is empty */
	FLOW_SINK, /* the sink is full */
	FLOW_TIME, /* the pace: flow->delay ns */
	FLOW_AGAIN, /* nothing: others have their turn first */
	FLOW_ENDED, /* all that the source gave was written */
	FLOW_BROKEN, /* flow->error, on the side flow->broken */
};

struct flow {
	struct loop *loop;
	const struct io *from, *to; /* to NULL: what comes is discarded */
	enum flow_way way;
	struct pace *pace; /* NULL: as fast as it goes */
	bool crlf; /* LF becomes CR LF */
	uint8_t last; /* the byte before, for crlf */
	/* Told of bytes read and written; data NULL where nobody saw them. */
	void (*took)(void *arg, const uint8_t *data, size_t n);
	void (*gave)(void *arg, const uint8_t *data, size_t n);
	void *arg;

	struct buf held; /* read, not yet written */
	int pipe[2]; /* FLOW_VIA_PIPE */
	size_t in_pipe;
	uint64_t taken; /* bytes read */
	bool ended; /* the source gives no more, or was stopped */
	const struct io *broken; /* the end that failed */
	int error;
	int64_t delay;
	enum flow_wait waits; /* what the last step answered */
};

/* The fields of the first group are set by the caller, the rest is zero. seen:
 * somebody looks at the bytes, so they are copied. */
void flow_start(struct flow *f, bool seen);
/* Moves what can be moved now. ready is what select said (LOOP_READ: the
 * source, LOOP_WRITE: the sink; 0: nobody asked). */
enum flow_wait flow_step(struct flow *f, unsigned ready);
/* Reads no more: the rest is as if the source had ended. */
void flow_stop(struct flow *f);
/* Bytes that were read and are not written yet. */
size_t flow_held(const struct flow *f);
void flow_free(struct flow *f);

#endif
