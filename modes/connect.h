/* connect: what its two halves, streams and datagrams, share. */
#ifndef SOCKCTL_CONNECT_H
#define SOCKCTL_CONNECT_H

#include "../util/command.h"
#include "../util/dgram.h"
#include "../util/dial.h"
#include "../util/life.h"
#include "../util/play.h"
#include "../util/pump.h"
#include "../util/sink.h"
#include "../util/source.h"
#include "mode.h"

struct connect_conf {
	struct net_options net;
	struct limit_options limits;
	struct dial_options dial;
	struct sockopts sockopts;
	struct ends_options ends;
	struct expect_options expect;
	struct pace_options pace;
	struct sight_options sight;
	struct report_options report;
	const char *exec;
	struct script_options script;
	int datagram; /* index in "read", "line" */
};

enum { DATAGRAM_READ, DATAGRAM_LINE };

/* Datagrams between standard input and output and one target. */
struct talk {
	struct conn conn;
	int fd;
	const struct addr *to; /* not connected: multicast, broadcast */
	struct watch watch;
	struct timer timer;
	struct source in;
	struct sink out;
	struct buf pending; /* input that is not sent yet */
	struct pace pace;
	struct match match;
	bool in_ended, lines, full, over;
	bool answered; /* one came after the last that was sent */
	int64_t input_ended, last_rx, last_tx;
};

struct connect {
	struct command command; /* first: the pump's arg is both */
	struct life life;
	const struct connect_conf *conf;
	struct endpoint to;
	struct dial *dial;
	struct pump pump;
	struct play *play; /* --script */
	struct sink out;
	struct talk talk;
	bool open; /* the connection was made */
	bool ending; /* a signal or the deadline */
	bool played; /* --script is done, standard output has not all */
	int code;
};

/* Starts the datagram half on a socket that dial gave; ends with
 * connect_over. */
void talk_start(struct connect *c, int fd, const struct addr *to);
/* Ends it at once: a signal or the deadline. */
void talk_abort(struct connect *c, enum close_reason reason);
/* The run ends with this code (signals considered). */
void connect_over(struct connect *c, int code);

#endif
