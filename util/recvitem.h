/* recvitem: what a receiver was offered: looked at, checked against what was
 * kept, answered; told and forgotten. Of recvside alone. */
#ifndef SOCKCTL_RECVITEM_H
#define SOCKCTL_RECVITEM_H

#include "incoming.h"
#include "peer.h"

enum stage {
	STAGE_NEW, /* offered; looked at in its turn */
	STAGE_CHECKING, /* what was kept is hashed */
	STAGE_AWAITED, /* answered; the sender will start it */
	STAGE_TAKING,
	STAGE_ENDING, /* --fsync, or a slow output */
	STAGE_DEAD, /* failed; what still comes of it is dropped */
};

struct item {
	struct item *next;
	struct recvside *side;
	struct incoming in;
	enum stage stage;
	uint64_t sure; /* bytes whose checksum was right */
};

struct recvside {
	struct peer peer;
	struct recv_place *place;
	struct item *first; /* in the order of the offers */
	struct item **last;
	struct item *taking;
	unsigned open, taken;
	struct timer again, slow;
	struct rate rate;
	uint32_t files;
	uint64_t bytes;
	int worst;
};

struct item *recvitem_find(struct recvside *s, uint32_t id);
/* A new one, at the end of the list. */
void recvitem_new(struct recvside *s, const struct xfer_frame *offer,
	const struct incoming_calls *calls);
/* Closes and forgets it, without a word. */
void recvitem_drop(struct item *item);
/* The file event. err may be NULL; else its code counts for the run. */
void recvitem_tell(struct item *item, enum transfer_status status,
	const char *reason, const struct err *err);
/* Ends one that was under way: the rest of its content is dropped. */
void recvitem_fail(struct item *item, const struct part_fault *fault);
/* It is in place: receipt, event, forgotten. */
void recvitem_complete(struct item *item);
/* recvside's: has the loop come back for what is to be prepared; takes what
 * comes again, unless --rate or a slow output says otherwise. */
void recvside_work_soon(struct recvside *s);
void recvside_unstick(struct recvside *s);
/* Opens and answers one; it may be gone then. False: it waits for descriptors.
 */
bool recvitem_prepare(struct item *item);
/* Prepares the next one in the order of the offers, or hashes a piece of what
 * was kept of it. False: nothing to do. */
bool recvitem_step(struct recvside *s);

#endif
