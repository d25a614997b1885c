/* stream: a connected stream socket with a bounded queue for sending.
 *
 * Try first, select on EAGAIN. Reading goes through the loop's shared scratch
 * memory; a private queue exists only after a short send. The owner stops
 * reading (stream_pause) when what it feeds is full, and is told by drained
 * when this stream's own queue is empty again: that is back-pressure.
 *
 * gone is the last call, and always comes from the loop: never inside
 * stream_send, _finish, _leave or _abort. */
#ifndef SOCKCTL_STREAM_H
#define SOCKCTL_STREAM_H

#include "buf.h"
#include "conn.h"
#include "io.h"
#include "pace.h"

struct stream_calls {
	/* n > 0 bytes came. All are taken: what cannot be used yet is the
	 * callee's to keep (at most LOOP_SCRATCH bytes after stream_pause). */
	void (*data)(void *arg, const uint8_t *data, size_t n);
	/* The peer's FIN: usually answered by stream_finish. */
	void (*eof)(void *arg);
	/* The queue is empty again after stream_send left something in it,
	 * also because the connection broke (stream_sends says no then). May
	 * be NULL. */
	void (*drained)(void *arg);
	/* The end. The error and close events were told, the descriptor is
	 * closed; the memory of the stream is the owner's again. code is the
	 * exit code that this end means; err NULL for a good one. */
	void (*gone)(void *arg, int code, const struct err *err);
	/* Urgent data waits; NULL: not watched. */
	void (*urgent)(void *arg);
};

struct stream {
	struct conn conn;
	struct loop *loop;
	struct io io;
	struct watch watch;
	struct timer timer;
	const struct stream_calls *calls;
	void *arg;
	struct buf queue;
	struct pace *pace; /* --chunk, --delay, --rate; set after open */
	size_t limit; /* of the queue, for stream_full */
	int64_t idle; /* ns, CLOCK_NONE; set after open */
	int64_t linger; /* --linger's seconds; set after open */
	size_t most; /* bytes a read, 0: the scratch; set after open */
	/* The rest is stream.c's own. */
	bool eof_in; /* the peer's FIN came */
	bool finishing; /* FIN once the queue is empty, ... */
	bool fin_out; /* ... which was sent */
	bool acked; /* all was acknowledged */
	bool quit; /* over as soon as that is so */
	bool discard; /* what comes is for nobody */
	bool paused; /* the owner reads no more */
	bool paced; /* the pace says wait */
	bool owed; /* drained is to be called */
	bool busy; /* inside on_ready: settled at its end */
	bool lost; /* the connection broke; err says how */
	bool over; /* it ends: nothing is sent any more, ... */
	bool reset; /* ... by RST */
	int64_t leave_at, ended_at, pause;
	enum close_reason reason;
	struct err *err;
};

/* Takes over fd (s is the caller's memory; its conn is opened here, no event
 * told). Reading starts with the next turn. limit: bytes of the queue at which
 * stream_full says yes. */
void stream_open(struct stream *s, struct loop *l, int fd, unsigned id,
	struct report *r, struct sight *sight, size_t limit,
	const struct stream_calls *calls, void *arg);
/* Sets --idle (CLOCK_NONE: none). */
void stream_idle(struct stream *s, int64_t ns);

/* Sends what the kernel takes and queues the rest (copied). Never refuses: ask
 * stream_full first where the source can wait. Ignored after finish, leave or
 * abort, and once the connection is lost. */
void stream_send(struct stream *s, const void *data, size_t n);
size_t stream_queued(const struct stream *s);
bool stream_full(const struct stream *s);
/* Whether stream_send would still do something. */
bool stream_sends(const struct stream *s);
/* Stops and goes on reading from the peer. */
void stream_pause(struct stream *s, bool paused);

/* Flushes what is queued, then shuts the sending side down. The stream lives
 * on until both directions ended and all was acknowledged (SIOCOUTQ). */
void stream_finish(struct stream *s);
/* For a server that has said all: flushes, sends FIN, discards what still
 * comes, and ends with the peer's FIN, or at the latest linger ns from now. */
void stream_leave(struct stream *s, int64_t linger);
/* For a server that is told to stop: flushes, sends FIN, and ends once all was
 * acknowledged and what has come was read. How long that may take is for the
 * caller to bound. */
void stream_quit(struct stream *s);
/* Drops the queue and closes, by RST if reset. err may be NULL: then the end is
 * no error. why may be NULL or a string constant for the close event. */
void stream_abort(struct stream *s, enum close_reason reason, const char *why,
	bool reset, const struct err *err);

#endif
