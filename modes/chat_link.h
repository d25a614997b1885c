/* chat_link: the client's connection, by stream or datagrams, from looking up
 * the name to its end. One at a time; it can be opened again. */
#ifndef SOCKCTL_CHAT_LINK_H
#define SOCKCTL_CHAT_LINK_H

#include "../util/dgram.h"
#include "../util/stream.h"
#include "chat.h"

struct chat_link_calls {
	void (*opened)(void *arg);
	void (*received)(void *arg, const uint8_t *data, size_t n);
	void (*room)(void *arg); /* no longer full */
	/* It has ended, or could not be opened (which was told). */
	void (*ended)(void *arg, int code);
};

enum chat_link_state {
	LINK_CLOSED,
	LINK_DIALING,
	LINK_ENTERING, /* datagrams: the number is on its way */
	LINK_OPEN,
	LINK_PARTING,
};

struct chat_link {
	const struct chat_conf *conf;
	const struct life *life;
	const struct chat_link_calls *calls;
	void *arg;
	enum chat_link_state state;
	struct sockopts sockopts;
	bool datagram;
	struct dial *dial;
	struct conn *conn; /* NULL: none */
	struct stream stream;
	struct conn datagrams;
	struct watch watch;
	struct addr target; /* a group or broadcast is not connected */
	struct timer timer;
	int tries;
	unsigned opened; /* so often */
	char peer[ADDR_TEXT_MAX]; /* the last one */
	uint64_t rx, tx; /* of those that have ended */
};

/* The fields conf, life, calls and arg are the caller's, the rest is zero. */
void chat_link_open(struct chat_link *k, const struct endpoint *to);
void chat_link_send(struct chat_link *k, const void *data, size_t n);
/* What is sent now would have to wait. */
bool chat_link_full(const struct chat_link *k);
void chat_link_pause(struct chat_link *k, bool paused);
/* Leaves: all that was sent goes out, then FIN; ended comes when the server has
 * heard it, or after most ns. */
void chat_link_part(struct chat_link *k, int64_t most);
/* Ends it at once. Without one ended is not called. */
void chat_link_abort(struct chat_link *k, enum close_reason reason);

#endif
