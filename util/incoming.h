/* incoming: one file that arrives, into a part of a folder or to a descriptor:
 * opened, filled, flushed, put in place and told. What asks for it is a
 * protocol (recvside) or plain bytes (rawside). */
#ifndef SOCKCTL_INCOMING_H
#define SOCKCTL_INCOMING_H

#include "child.h"
#include "part.h"
#include "sink.h"
#include "transfer.h"

/* Where files go; one for all connections. */
struct recv_place {
	struct part_policy policy;
	bool sync; /* --fsync */
	int root; /* the folder */
	const char *file; /* one file of this name in it; NULL: any */
	int out; /* one file, to this descriptor; -1: not */
	const void *user; /* of out, at the moment */
};

struct incoming_calls {
	/* A slow output takes more. */
	void (*room)(void *arg);
	/* Writing to a slow output failed. */
	void (*broken)(void *arg, const struct part_fault *fault);
	/* After incoming_finish, from there or from the loop: it is in place
	 * (fault NULL), or is not. */
	void (*finished)(void *arg, const struct part_fault *fault);
};

struct incoming {
	struct transfer *transfer;
	const struct conn *conn;
	struct recv_place *place;
	const struct incoming_calls *calls;
	void *arg;
	struct xfer_frame offer; /* its text is name */
	char *name;
	struct part part;
	struct sink sink; /* instead of it */
	bool to_sink, placed, finishing, began;
	struct hash hash; /* of the first at bytes, unless not wanted */
	uint64_t from, at; /* where this run began; bytes that are there */
	int64_t offered;
	struct child child; /* fsync */
};

/* Remembers the offer, which lives on; opens nothing. */
void incoming_start(struct incoming *in, struct transfer *t,
	const struct conn *c, struct recv_place *place,
	const struct xfer_frame *offer, const struct incoming_calls *calls,
	void *arg);
/* Opens the part or the output. */
enum part_result incoming_open(struct incoming *in, struct part_fault *fault);
/* Begins at offset from: at, or 0. -1 with fault. */
int incoming_begin(
	struct incoming *in, uint64_t from, struct part_fault *fault);
/* -1 with fault; a slow output queues (incoming_full) and may call broken. */
int incoming_write(struct incoming *in, const void *data, size_t n,
	struct part_fault *fault);
/* A slow output takes no more now: wait for room. */
bool incoming_full(const struct incoming *in);
/* All is there: flushes, puts in place, then calls finished. */
void incoming_finish(struct incoming *in);
/* The file event. err may be NULL. hashed: the hash was wanted and is right. */
void incoming_tell(struct incoming *in, enum transfer_status status,
	const char *reason, const struct err *err, bool hashed);
/* Its line of the meter, where owner has that or nobody does. */
void incoming_show(struct incoming *in, const void *owner, bool checking);
/* Closes and frees what it has; a part that is not in place stays, unless it
 * is empty. */
void incoming_close(struct incoming *in);

#endif
