/* echo: what its server and its client share. */
#ifndef SOCKCTL_ECHO_H
#define SOCKCTL_ECHO_H

#include "../util/child.h"
#include "../util/dgram.h"
#include "../util/dial.h"
#include "../util/life.h"
#include "../util/listener.h"
#include "../util/stream.h"
#include "mode.h"

struct echo_conf {
	struct net_options net;
	struct limit_options limits;
	struct listen_options listen;
	struct dial_options dial;
	struct sockopts sockopts;
	struct sight_options sight;
	struct report_options report;
	bool fork, serial, reverse;
	const char *until;
	int64_t poll; /* ns */
	int64_t count; /* 0: not given */
	uint64_t size; /* 0: not given */
	int64_t interval; /* CLOCK_NONE: not given */
};

/* A message or line is treated in pieces of this size where it is longer. */
enum { ECHO_LINE_MAX = 64 * 1024 };

/* --size: so much is held of one message, and of the longest datagram. */
enum { ECHO_SIZE_MAX = 64 * 1024 * 1024, ECHO_DATAGRAM_MAX = 65507 };

/* What a forked child tells its parent when it has served its client. */
struct echo_totals {
	uint64_t rx, tx;
};

struct echo_door {
	struct watch watch;
	struct echo_server *srv;
	struct echo_door *next;
	int fd, port; /* port -1: a Unix socket */
};

struct echo_server {
	const struct echo_conf *conf;
	struct listen_options listen; /* -1 and --serial: one at a time */
	struct sockopts sockopts;
	struct life life;
	struct listener *listener;
	struct echo_peer *peers; /* all of them */
	struct echo_totals past; /* of clients that are gone */
	struct timer timer; /* -w, then the second that stopping may take */
	int64_t started;
	unsigned addresses; /* datagram peers so far */
	int tell[2]; /* --fork: totals of the children */
	bool datagram, lines, stopping;
	int code;
	struct echo_door *doors; /* datagram sockets */
	struct dgram_peers table;
};

/* A connection, a child that serves one, or a datagram peer. */
struct echo_peer {
	struct echo_server *srv;
	struct echo_peer *next, **link;
	union {
		struct stream stream;
		struct child child;
		struct {
			struct conn conn;
			struct dgram_peer *peer;
			struct timer idle;
		} dgram;
	} u;
	struct buf line; /* of a line mode: what is not answered yet */
};

int echo_server(const struct run *run);
int echo_client(const struct run *run);

/* A new peer stands in srv->peers; it is freed with the code that its end
 * means, which may be the end of the run. */
struct echo_peer *echo_peer_new(struct echo_server *srv);
void echo_peer_free(struct echo_peer *p, int code);
/* Message number (from 1): size bytes that differ from message to message, so
 * that an answer to another one is noticed. */
void echo_make(struct buf *message, size_t size, uint64_t number);
/* Takes a line with its newline off typed, or most bytes of a longer one, or
 * what is left where the input has ended. False: there is none yet. */
bool echo_take_line(
	struct buf *message, struct buf *typed, size_t most, bool ended);
/* A line mode: takes whole lines off p->line and appends the answers; with
 * ended the rest, too. True after the line that is --until's word. */
bool echo_lines(struct echo_peer *p, struct buf *out, bool ended);
/* -u: watches a socket; ends all peers and closes all sockets. */
void echo_on_socket(void *arg, int fd, const struct addr *local);
void echo_close_sockets(struct echo_server *srv);

#endif
