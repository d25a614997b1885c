/* peer: the other side of a file transfer, whatever its role: greeting, frames
 * both ways, signs of life, errors and the end. sendside and recvside decide
 * what frames mean. */
#ifndef SOCKCTL_PEER_H
#define SOCKCTL_PEER_H

#include "stream.h"
#include "transfer.h"
#include "xferread.h"

enum { PEER_BLOCK = 256 * 1024 }; /* content of the blocks that we send */

struct peer_calls {
	/* The greeting came: peer->plain and ->block are known. */
	void (*greeted)(void *arg);
	/* An offer, answer, start, end, receipt or done. It may call
	 * peer_wrong, and peer_put answers. */
	void (*frame)(void *arg, const struct xfer_frame *f);
	/* A block: its head, pieces of its content, its end. NULL: data frames
	 * must not come. */
	void (*block)(void *arg, uint32_t id, size_t n);
	void (*content)(void *arg, const uint8_t *data, size_t n);
	void (*block_end)(void *arg, uint64_t hash);
	/* Everything that was put is on its way: there is room for more. */
	void (*room)(void *arg);
	/* Each half second: draws progress; true while this side keeps the
	 * other one waiting. */
	bool (*busy)(void *arg);
	/* The end; the memory is the owner's again. code 0: both sides said
	 * that they are done. why: a phrase for files that were cut off. */
	void (*gone)(void *arg, int code, const char *why);
};

struct peer {
	struct transfer_session session;
	struct transfer *transfer;
	struct stream stream;
	struct xfer_parser parser;
	const struct peer_calls *calls;
	void *arg;
	struct pace pace; /* a sender's */
	struct timer tick;
	struct buf held; /* came while it was not wanted */
	bool stuck, feeding;
	uint8_t role;
	bool greeted, plain, said_done, heard_done, ending;
	uint32_t block; /* the largest content that the other side takes */
	int64_t opened, alive, ended;
	uint64_t life; /* bytes that came, and bytes acknowledged */
	int code;
	char why[ERR_TEXT_MAX];
};

/* Takes over fd; tells accept or connect, sends the greeting. */
void peer_open(struct peer *p, struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, uint8_t role,
	const struct peer_calls *calls, void *arg);
/* Starts the ticks; peer_open does. */
void peer_watch(struct peer *p);
/* Puts a frame; it leaves with peer_flush, which every callback that comes
 * from elsewhere than the peer (timers, input) ends with. */
void peer_put(struct peer *p, const struct xfer_frame *f);
/* Room for a block of n bytes of content: where the content goes. peer_added
 * says how much there is, and hashes it unless plain. */
uint8_t *peer_room(struct peer *p, size_t n);
void peer_added(struct peer *p, uint32_t id, size_t n, struct hash *h);
/* Hands what was put to the stream. */
void peer_flush(struct peer *p);
/* Whether content may be put: nothing of before is queued. */
bool peer_takes(const struct peer *p);
/* Stops taking what comes, and goes on. */
void peer_stuck(struct peer *p, bool stuck);
/* This side has nothing more to say. The end comes when the other has neither.
 */
void peer_done(struct peer *p, uint32_t files, uint64_t bytes, uint32_t unread);
/* The other side said so. */
void peer_heard_done(struct peer *p);
/* Ends it with an error frame. err was not told yet; it gives the code. */
void peer_fail(struct peer *p, enum xfer_reason reason, const struct err *err);
/* The same for what the other side must not do. */
void peer_wrong(struct peer *p, enum xfer_reason reason, const char *what);

#endif
