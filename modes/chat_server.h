/* chat_server: what connections, datagrams and the console of the server
 * share. */
#ifndef SOCKCTL_CHAT_SERVER_H
#define SOCKCTL_CHAT_SERVER_H

#include "../util/cookie.h"
#include "../util/dgram.h"
#include "../util/sink.h"
#include "../util/source.h"
#include "../util/stream.h"
#include "chat.h"

enum { CHAT_LINGER = 5 }; /* s, to take what is queued after leaving */

struct chat_door; /* a datagram socket */

struct chat_server {
	const struct chat_conf *conf;
	struct sockopts sockopts;
	struct life life;
	struct listener *listener;
	struct chat_room room;
	struct chat_client *clients;
	struct chat_member console;
	struct source in;
	struct sink out;
	bool missed; /* lines for standard output */
	bool datagram, ending;
	int code;
	int64_t started;
	uint64_t rx, tx; /* of clients that are gone */
	struct timer last; /* of the end */
	/* -u */
	struct cookie cookie;
	struct dgram_peers table;
	struct chat_door *doors;
	unsigned addresses; /* that entered so far */
};

/* A member that comes by a socket. */
struct chat_client {
	struct chat_member m; /* first */
	struct chat_server *srv;
	struct chat_client *next, **link;
	bool cut; /* the connection is gone */
	bool slow; /* that is why */
	struct timer timer;
	union {
		struct stream stream;
		struct {
			struct conn conn;
			struct dgram_peer *peer;
		} dgram;
	} u;
};

struct chat_client *chat_client_new(struct chat_server *srv);
/* It has left, and its connection is gone: freed in the next turn. */
void chat_client_gone(struct chat_client *c);

/* -u: watches a socket; closes all. */
void chat_udp_socket(void *arg, int fd, const struct addr *local);
void chat_udp_close(struct chat_server *srv);

#endif
