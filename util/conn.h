/* conn: a connection's identity and record: what the accept, connect,
 * half-close, tcpinfo and close events tell of it, whoever moves its bytes.
 *
 * Every module that moves bytes of a connection keeps this up to date; sight
 * (--hexdump, --stats, --watch) hangs on it. */
#ifndef SOCKCTL_CONN_H
#define SOCKCTL_CONN_H

#include "loop.h"
#include "net.h"
#include "report.h"

/* The settings of the group "Seeing"; rows sight_opts (-x, --stats, --watch).
 */
struct sight_options {
	const char *hexdump;
	bool stats;
	int64_t watch; /* CLOCK_NONE: off */
};
extern const struct opt sight_opts[];
#define SIGHT_DEFAULT \
	{ \
		.watch = CLOCK_NONE \
	}

/* The settings, the open hexdump and what is watched, one a mode. */
struct sight {
	struct sight_options options;
	struct loop *loop;
	struct report *report;
	struct hexdump *dump; /* NULL: none, or data events */
	bool data_events;
	struct watch_follow *follows; /* closed connections, of --watch */
};
struct sight *sight_open(const struct sight_options *o, struct loop *l,
	struct report *r, struct err *err);
/* Call it before the summary: --watch tells last states here. s may be NULL.
 * -1: the hexdump is not whole (op write). */
int sight_close(struct sight *s, struct err *err);

enum side { SIDE_NONE, SIDE_LOCAL, SIDE_PEER };

enum close_reason {
	CLOSE_EOF, /* both directions ended as they should */
	CLOSE_LOCAL, /* we left: -q, a signal, a script's close */
	CLOSE_RESET, /* RST, EPIPE */
	CLOSE_TIMEOUT, /* ETIMEDOUT, --deadline */
	CLOSE_IDLE, /* --idle */
	CLOSE_ERROR, /* anything else */
	CLOSE_LIMIT, /* --drop-slow, a line too long, ... */
};

struct conn {
	unsigned id;
	int fd; /* -1 once closed; for sight and the post-mortem only */
	bool tcp;
	bool client; /* we connected */
	char local[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
	struct report *report;
	struct sight *sight;
	uint64_t rx, tx; /* payload bytes received and given to the kernel */
	uint64_t unsent; /* read from our source, not given to the kernel */
	int64_t opened; /* clock */
	int64_t first_byte; /* clock of the first byte received, 0: none */
	int64_t heard; /* clock of the last byte received */
	int64_t moved; /* clock of the last byte either way */
	enum side first; /* who ended first */
	bool fin_in, fin_out;
	int exec_status; /* -1: no command */
	const char *why; /* set by who knows better than the post-mortem */
	struct timer watch; /* --watch */
	struct tcpinfo last;
	bool parted; /* conn_part was called */
	int64_t unread; /* what the peer had sent and nobody read, then; -1 */
	int64_t brisk; /* --watch: sampled each 10 ms until then */
	int64_t due; /* --watch: shown then, changed or not */
	const char *shown; /* the state that --watch told last */
};

/* Fills c for a socket that is connected; addresses from the kernel (peer_addr
 * where given, a datagram peer). No event. */
void conn_open(struct conn *c, unsigned id, int fd, struct report *r,
	struct sight *s, const struct addr *peer_addr, int64_t now);
struct report_conn conn_id(const struct conn *c);
void conn_accepted(struct conn *c); /* the accept event */
void conn_connected(struct conn *c, double elapsed_ms, const char *congestion,
	bool chosen); /* congestion "": not TCP */

/* Bytes that moved; data for the hexdump, NULL where nobody saw them (then
 * conn_seen must have said that nobody wants to). */
void conn_received(struct conn *c, const void *data, size_t n, int64_t now);
void conn_sent(struct conn *c, const void *data, size_t n, int64_t now);
/* True when somebody needs to see the bytes: no splice then. */
bool conn_seen(const struct conn *c);
/* One direction ended: half-close events, first. */
void conn_fin_in(struct conn *c);
void conn_fin_out(struct conn *c);
/* What the system knows at the end, for conn_closed: who calls this may
 * close(2) before that. Ends the watch. */
void conn_part(struct conn *c, enum close_reason reason);
/* The close event, with --stats before it; call it, or conn_part, before
 * close(2). err may be NULL. Says the post-mortem's sentence. Returns the exit
 * code that this end means: eof and local 0, reset and error 5 (or err_exit),
 * timeout and idle 4, limit 0. */
int conn_closed(
	struct conn *c, enum close_reason reason, const struct err *err);
/* The same for the end of a connection that err broke (may be NULL), which is
 * told before; then the exit code is err_exit. */
int conn_ended(struct conn *c, enum close_reason reason, const struct err *err);
/* --idle, ns: when it will have been over if nothing moves (clock; CLOCK_INF
 * where idle is CLOCK_NONE or CLOCK_INF); fills err for one that was. */
int64_t conn_idle_due(const struct conn *c, int64_t idle);
void conn_idle_over(const struct conn *c, int64_t idle, struct err *err);
/* "reset by peer after 4096 sent, 120 received, 512 not sent": fills err (op
 * recv or send, number) for a connection that broke. Returns -1. */
int conn_lost(
	const struct conn *c, struct err *err, const char *op, int number);

#endif
