/* serve: what its parts share: the clients, and how an action serves one. */
#ifndef SOCKCTL_SERVE_H
#define SOCKCTL_SERVE_H

#include "../util/command.h"
#include "../util/dgram.h"
#include "../util/dial.h"
#include "../util/life.h"
#include "../util/listener.h"
#include "../util/play.h"
#include "../util/pump.h"
#include "../util/sink.h"
#include "../util/source.h"
#include "../util/stream.h"
#include "mode.h"

enum {
	SERVE_QUEUE = 1 << 20, /* bytes that a client may let queue up */
	SERVE_LINE = 64 << 10, /* a line held for --prefix */
};

struct serve_conf {
	struct net_options net;
	struct limit_options limits;
	struct listen_options listen;
	struct sockopts sockopts;
	struct ends_options ends;
	struct expect_options expect;
	struct pace_options pace;
	struct sight_options sight;
	struct report_options report;
	/* The actions. */
	const char *reply;
	struct opt_text after;
	bool discard, chargen, daytime, broker;
	const char *exec;
	struct endpoint forward; /* host empty: not given */
	struct dial_options dial; /* its way there */
	struct opt_list forward_bind;
	struct script_options script;
	/* How. */
	bool live, drop_slow, prefix, ignore_empty;
	int64_t count, pause;
	int datagram;
};

enum { DATAGRAM_READ, DATAGRAM_LINE };

struct serve;

/* One client. The action's own struct begins with it. */
struct client {
	struct serve *serve;
	struct client *next, **at; /* in serve.clients */
	struct conn *conn; /* of its stream or pump */
};

/* What a client meets. */
struct action {
	/* Serves fd from now on: makes a struct client (serve_joined), and
	 * calls serve_left at its end. */
	void (*client)(struct serve *, int fd, unsigned id);
	/* The server was told to stop: what is queued is sent, then FIN. */
	void (*finish)(struct client *);
	void (*abort)(struct client *, enum close_reason, bool reset);
	/* Before the first client; may be NULL. */
	void (*start)(struct serve *);
	/* Standard output is full: clients are read no more, or again. NULL
	 * where serve_output is not used; keeps serve.out_full. */
	void (*pause)(struct serve *, bool paused);
};
extern const struct action serve_talk, serve_once, serve_reply, serve_discard,
	serve_chargen, serve_daytime, serve_datagram, serve_exec, serve_forward,
	serve_datagram_forward, serve_script;

struct serve {
	struct life life;
	const struct serve_conf *conf;
	struct sockopts sockopts;
	struct listener *listener;
	const struct action *action;
	struct client *clients;
	struct source in;
	struct sink out;
	struct timer grace, first, shut; /* 1 s after a signal; -w; listener */
	bool ending, out_full;
	bool hurry; /* not even for standard output */
	int64_t count; /* 0: for ever */
	int64_t active, served, empty; /* connections */
	uint64_t rx, tx; /* of clients that are gone */
	int64_t started;
	int code;
	uint8_t crlf_last;
	/* --forward */
	struct net_options far;
	char target[ENDPOINT_TEXT_MAX];
	/* --reply */
	int reply_fd; /* a regular file, else -1 */
	struct buf reply;
	/* -u */
	struct dgram_peers peers;
	struct serve_udp *udp;
};

/* serve_opts.c: the options, and what follows from them. place finds where to
 * listen in the arguments; check is EXIT_OK or tells a usage error. */
extern const struct opt_group serve_groups[];
extern const struct serve_conf serve_defaults;
int serve_place(const struct run *run, struct serve_conf *c, struct err *err);
int serve_check(const struct run *run, const struct serve_conf *c);
const struct action *serve_chosen(const struct serve_conf *c);

/* A client begins: s->clients holds it from now on. */
void serve_joined(struct serve *s, struct client *c, struct conn *conn);
/* ... and is gone, with this result. The caller frees its memory. */
void serve_left(struct client *c, int code);
/* What a client sent, to standard output. */
void serve_output(struct serve *s, const void *data, size_t n);
/* --rate and its like for one connection, NULL where there is none. The
 * caller frees it. */
struct pace *serve_pace(const struct serve *s);
/* A failure that ends the server: told, then over. */
void serve_fail(struct serve *s, const struct err *err);
/* Standard output took all: a server that ends is over. */
void serve_settled(struct serve *s);

/* --prefix: one client's line that is not complete yet. */
void serve_prefixed(struct serve *s, unsigned id, struct buf *line,
	const uint8_t *data, size_t n);
void serve_prefix_rest(struct serve *s, unsigned id, struct buf *line);

/* Reads --reply's file before anything is opened. */
int serve_reply_open(struct serve *s, struct err *err);

/* Standard output for serve_output; an action's start. */
void serve_output_open(struct serve *s);

/* --forward: begins a connection to the target. */
struct dial *serve_dial(struct serve *s,
	void (*done)(void *arg, int fd, const struct dial_result *result,
		const struct err *err),
	void *arg);

/* -u: opens the sockets. */
int serve_udp_open(
	struct serve *s, struct listener_setup *setup, struct err *err);
/* At the end, when the clients are gone. */
void serve_udp_free(struct serve *s);

#endif
