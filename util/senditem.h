/* senditem: what a sender has offered: its content read, hashed and put, its
 * end told. Of sendside alone. */
#ifndef SOCKCTL_SENDITEM_H
#define SOCKCTL_SENDITEM_H

#include "peer.h"
#include "source.h"
#include "walk.h"

enum stage {
	STAGE_OFFERED,
	STAGE_WANTED, /* to be sent, from item->from if the hashes agree */
	STAGE_CHECKING, /* what the receiver has is hashed here, too */
	STAGE_SENDING,
	STAGE_SENT, /* the receipt is awaited */
};

struct item {
	struct item *next;
	struct walk_found file;
	char *name;
	uint32_t id;
	enum stage stage;
	uint64_t at; /* bytes hashed, or sent */
	uint64_t from, wanted; /* the answer's offset and hash */
	struct hash hash;
	int64_t began;
};

struct sendside {
	struct peer peer;
	struct walk walk;
	struct item *first; /* in the order of the offers */
	struct item **last;
	unsigned open;
	uint32_t next_id, files;
	uint64_t bytes;
	uint32_t unread; /* could not be opened, so were not offered */
	uint64_t read; /* bytes of files, in this turn */
	bool exhausted;
	struct timer again;
	struct source input;
	bool input_open;
	int worst; /* of the files */
};

struct item *senditem_find(struct sendside *s, uint32_t id);
/* A new one, offered. */
void senditem_offer(struct sendside *s, const struct walk_found *found);
/* Tells how it ended and forgets it. err may be NULL. */
void senditem_conclude(struct sendside *s, struct item *item,
	enum transfer_status status, const char *reason, const struct err *err);
/* Hashes a piece of what the receiver says it has, then starts the content:
 * from its beginning where that is something else. */
void senditem_check(struct sendside *s, struct item *item);
/* Puts the next block, or the end. */
void senditem_block(struct sendside *s, struct item *item);
/* sendside's: has the loop come back. */
void sendside_push_soon(struct sendside *s);

#endif
