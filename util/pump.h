/* pump: joins a connection with a near end - standard input and output, a
 * command, another connection - and ends it as it should: each direction on
 * its own, half-closes passed on, everything delivered, sending done only when
 * it was acknowledged (SIOCOUTQ, tcp(7)). RFC 9293 section 3.6. */
#ifndef SOCKCTL_PUMP_H
#define SOCKCTL_PUMP_H

#include "conn.h"
#include "flow.h"
#include "match.h"

/* The settings of the group "Ends"; rows ends_opts, and fin_opts for a client.
 */
struct ends_options {
	int64_t fin; /* --fin; CLOCK_NONE: 1 s */
	bool no_shutdown;
	int64_t quit; /* -q; CLOCK_NONE: not given */
	bool half_close, exit_on_eof, recv_only, send_only;
	bool crlf;
};
#define ENDS_DEFAULT \
	{ \
		.fin = CLOCK_NONE, .quit = CLOCK_NONE \
	}
extern const struct opt ends_opts[], fin_opts[];

/* --expect and --expect-bytes; rows expect_opts. */
struct expect_options {
	struct opt_text text;
	uint64_t bytes;
};
extern const struct opt expect_opts[];
/* Whether something that was asked for did not come by the end of c: then err
 * (op assert) says what. found: the text was seen. e may be NULL. */
bool expect_unmet(const struct expect_options *e, bool found,
	const struct conn *c, struct err *err);

enum pump_manner {
	PUMP_CLIENT, /* standard streams; the FIN of a short request waits */
	PUMP_SERVER, /* standard streams; FIN with the end of input */
	PUMP_JOIN, /* each end is passed on at once, none given up by time */
};

struct pump_setup {
	struct loop *loop;
	struct report *report;
	struct sight *sight;
	enum pump_manner manner;
	int fd; /* the connection; the pump's from now on */
	unsigned id;
	int in, out; /* the near end; may be one descriptor */
	bool own_near; /* the pump closes in and out (PUMP_JOIN) */
	const struct ends_options *ends; /* NULL with PUMP_JOIN */
	const struct expect_options *expect; /* may be NULL */
	const struct pace_options *pace; /* may be NULL */
	/* Bytes that came already from the peer, from the near end; taken
	 * over; may be NULL. */
	struct buf *early, *near_early;
	int64_t idle; /* CLOCK_NONE */
	/* PUMP_JOIN: what near failures name; a string constant or as long
	 * lived as the pump. NULL: nothing. */
	const char *near_name;
	/* Asked before the close event: true holds it back, at most 200 ms (a
	 * command's exit status). May be NULL. */
	bool (*hold)(void *arg);
	int64_t linger; /* s, of --linger; at most 0: no wait at the end */
	/* The end, from the loop; conn_closed was called. Free it afterwards
	 * (pump_free). code: the exit code that this end means, EXIT_ASSERT
	 * included. err is NULL or what broke it (also a local failure). */
	void (*gone)(void *arg, int code, const struct err *err);
	void *arg;
};

struct pump_end {
	struct io io;
	struct watch watch;
	struct pump *pump;
};

struct pump {
	struct conn conn; /* first: set names before pump_start's events */
	struct pump_setup set;
	struct pump_end far, in, out; /* out.io is unused where it is in's */
	struct flow up, down;
	struct pace pace;
	struct match match;
	struct timer timer, again;
	struct err lost, local;
	enum close_reason reason;
	bool fin_sent, over, ending, reset;
	int64_t input_ended, peer_ended; /* when; 0: not yet */
	int64_t last_in, last_tx, last_rx;
	bool answered; /* bytes came after the last that was sent */
	int64_t near_over; /* when the command at the near end ended; 0: no */
	int64_t acked_at, ack_pause, ended_at;
};

/* p is the caller's, cleared by it; conn_open is called here, so that the
 * caller may tell accept or connect before pump_run. */
void pump_open(struct pump *p, const struct pump_setup *s);
/* PUMP_JOIN: the near end, which may be known later than the connection; the
 * pump closes in and out. name is for near failures: as long lived as it. */
void pump_near(struct pump *p, int in, int out, const char *name);
/* Begins to move bytes. gone never comes before this has returned. */
void pump_run(struct pump *p);
/* Ends it: what was read from the near end and not sent is told as unsent.
 * reset: by RST. gone comes from the loop. */
void pump_abort(struct pump *p, enum close_reason reason, bool reset,
	const struct err *err);
/* Reads no more from the near end; what was read is sent, then FIN, and the
 * end comes as with -q 0: a server that is told to stop. */
void pump_finish(struct pump *p);
/* PUMP_JOIN: who held the near end is gone (a command that ended). What it left
 * is delivered; a descriptor that others still hold open is given up when it
 * was quiet for 200 ms. Then FIN, and the end once all was acknowledged. */
void pump_near_over(struct pump *p);
uint64_t pump_unsent(const struct pump *p);
void pump_free(struct pump *p);

#endif
