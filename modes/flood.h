/* flood: what its parts share.
 *
 *	flood.c           options, checks, the table's row
 *	flood_boss.c      the near side: processes, their totals merged
 *	flood_run.c       one process of it: connections, start and end
 *	flood_ask.c       what a connection asks of the far side
 *	flood_bulk.c      throughput
 *	flood_requests.c  --rr, --crr, --hold
 *	flood_block.c     --until-block, both sides
 *	flood_udp.c       -u
 *	flood_data.c      bytes to and from a connection, of either side
 *	flood_far.c       the far side
 *	flood_client.c    one client of it
 *	flood_report.c    totals into members of a report, assertions
 *	flood_dgram.c     datagrams of a run, of either side
 *	flood_udp_far.c   the far side of -u */
#ifndef SOCKCTL_FLOOD_H
#define SOCKCTL_FLOOD_H

#include "../util/arrival.h"
#include "../util/dial.h"
#include "../util/floodproto.h"
#include "../util/hist.h"
#include "../util/life.h"
#include "../util/listener.h"
#include "../util/rate.h"
#include "../util/udpbulk.h"
#include "../util/workers.h"
#include "mode.h"

enum {
	FLOOD_CHUNK = 128 * 1024,
	FLOOD_PIECE = 1024 * 1024,
	FLOOD_CALL_MAX = 8 * FLOOD_PIECE
};

struct flood_conf {
	struct net_options net;
	struct limit_options limits;
	struct listen_options listen;
	struct dial_options dial;
	struct sockopts sockopts;
	struct sight_options sight;
	struct report_options report;
	int64_t workers; /* 0: one a core */
	/* From here on of the near side alone. */
	int64_t time, every, omit, poll, max_p99;
	uint64_t bytes, chunk, rate, min_rate; /* 0: not given */
	int64_t parallel, hold;
	uint64_t rr; /* size of a request, 0: off */
	double max_loss; /* below 0: not given */
	bool reverse, bidir, crr, until_block, verify, zerocopy, skip_rx_copy,
		no_gso;
};

enum flood_kind {
	KIND_THROUGHPUT,
	KIND_RR,
	KIND_CRR,
	KIND_HOLD,
	KIND_BLOCK,
	KIND_UDP
};

/* What a process, a client or the whole run has to show. Only numbers and
 * letters: it goes from process to process as it is. */
struct flood_totals {
	uint64_t sent, received; /* bytes that arrived, each way */
	int64_t began, ended; /* ns; the same clock in all processes */
	int64_t connections, errors;
	int64_t retrans; /* -1: unknown */
	int64_t rtt_us, rtts; /* sum, and of how many */
	int64_t connect_ns, connects;
	char congestion[16];
	bool chosen, both_ways, reverse;
	int64_t cpu_user, cpu_system; /* ns */
	int64_t busy_us, rwnd_us, sndbuf_us;
	int64_t looks, starved; /* when the buffer was full; nothing in it
				   was unsent then */
	uint64_t transactions;
	struct flood_counts udp; /* what receivers counted */
	uint64_t udp_sent;
	bool udp_known;
	int burst; /* datagrams a call */
	enum flood_kind kind;
};

/* flood_report.c */
void flood_totals_add(struct flood_totals *t, const struct flood_totals *more);
/* What of TCP_INFO belongs in t, of a connection that is about to be closed;
 * sign -1 takes it off again. */
void flood_totals_tcp(struct flood_totals *t, int fd);
uint64_t flood_totals_bytes(const struct flood_totals *t); /* as asked for */
void flood_totals_cpu(struct flood_totals *t); /* of this process so far */
/* The members of a summary, a result or a progress event. room keeps what they
 * point to. */
enum { FLOOD_PERCENTILES = 7 };
struct flood_room {
	struct field latency[FLOOD_PERCENTILES];
};
size_t flood_members(struct field *out, struct flood_room *room,
	const struct flood_totals *t, const struct hist *latency,
	const struct flood_conf *conf, int64_t now);
/* --min-rate, --max-loss, --max-p99: EXIT_OK or, told, EXIT_ASSERT. */
int flood_assert(struct report *r, const struct flood_conf *conf,
	const struct flood_totals *t, const struct hist *latency);

/* flood_data.c: one memory a process, and the state of one connection. */
struct flood_memory {
	uint8_t *out, *in; /* when first needed; whole pages */
	void *kept[2];
};
/* size bytes of each; flood_data_send and _recv take FLOOD_PIECE. */
void flood_memory_take(struct flood_memory *m, size_t size);
void flood_memory_free(struct flood_memory *m);

struct flood_data {
	struct flood_memory *memory;
	size_t call; /* bytes a call of send, at most */
	size_t chunk; /* of memory; repeated, it makes a call */
	uint64_t sent, limit; /* may be sent in all */
	uint64_t received;
	uint64_t right; /* of received: as the pattern says */
	bool verify, trunc, zerocopy;
	struct rate rate;
	int pipe[2]; /* of zerocopy, -1: none yet */
	size_t piped;
};

enum flood_move {
	MOVE_SOME, /* there may be more: the next turn */
	MOVE_WAIT, /* the socket has no room, or nothing came */
	MOVE_PACED, /* rate: after flood_data_wait ns */
	MOVE_END, /* the limit was sent; or FIN came */
	MOVE_WRONG, /* --verify: right says up to where */
	MOVE_LOST, /* errno */
};
/* chunk 0: none was asked for, so as is fastest. No limit yet. */
void flood_data_begin(
	struct flood_data *d, struct flood_memory *m, uint64_t chunk);
void flood_data_end(struct flood_data *d);
/* At most 16 calls of send or recv. */
enum flood_move flood_data_send(struct flood_data *d, struct conn *c);
enum flood_move flood_data_recv(struct flood_data *d, struct conn *c);
int64_t flood_data_wait(const struct flood_data *d);
/* A line, whole; -1 with errno, EAGAIN also where only its end was not taken.
 */
int flood_line_send(int fd, const char *line, size_t n);
/* Reads no byte behind a line's end. */
enum flood_state flood_line_recv(
	struct flood_line *l, struct conn *c, bool *eof, int *number);

/* flood_dgram.c: the datagrams of one run between two addresses, both ways. */
enum { FLOOD_DATAGRAM = 1400, FLOOD_WARM = 1 /* a flag: not counted */ };

struct flood_flow {
	struct conn *conn;
	const struct addr *to, *local; /* NULL: a connected socket */
	uint64_t run;
	/* Sending. */
	struct udpbulk bulk;
	uint8_t *out; /* bulk.most datagrams */
	uint64_t next; /* number of the next one */
	uint64_t limit; /* datagrams, without the warm ones */
	uint64_t bytes; /* that went out */
	bool warm;
	struct rate rate;
	int ends; /* that were sent */
	bool known; /* what the other side counted */
	struct flood_counts counts;
	/* Receiving. */
	struct arrival in;
	uint64_t in_bytes;
	int64_t first, last;
	bool ended;
	uint64_t total; /* the sender's count, from its end */
	struct flood_counts base; /* while it was warm */
	bool based;
};
enum { FLOOD_ENDS = 10 };
#define FLOOD_END_PAUSE (100 * CLOCK_MS)

void flood_flow_send_at(struct flood_flow *w, size_t size, bool gso,
	uint64_t rate, int64_t now); /* prepares sending */
/* Numbers begin anew; warm ones are not counted. */
void flood_flow_warm(struct flood_flow *w, bool warm);
/* MOVE_END: the limit is reached; MOVE_LOST: errno. */
enum flood_move flood_flow_send(struct flood_flow *w);
int64_t flood_flow_wait(const struct flood_flow *w);
/* One datagram that is no data. n bytes stand behind the head. */
int flood_flow_say(struct flood_flow *w, enum flood_type type,
	uint64_t sequence, uint64_t time, const void *data, size_t n);
int flood_flow_end(struct flood_flow *w); /* says end, once more */
/* Counts data, notes an end and answers it, notes a result. Other types go to
 * other, where it is not NULL. */
void flood_flow_take(struct flood_flow *w, const struct udpbulk_bundle *b,
	int64_t now,
	void (*other)(void *arg, const struct flood_head *h,
		const uint8_t *data, size_t n),
	void *arg);
void flood_flow_counts(const struct flood_flow *w, struct flood_counts *c);
void flood_flow_free(struct flood_flow *w);

/* flood_run.c: one process of the near side. */
struct flood;

struct flood_stream {
	struct flood *flood;
	int index; /* in this process, from 0 */
	bool open; /* the connection stands */
	bool datagram;
	struct dial *dial;
	struct conn conn;
	struct watch watch;
	struct timer timer;
	struct flood_data data;
	struct flood_line line;
	uint64_t base_sent, base_received; /* at the end of --omit */
	uint64_t result; /* the receiver's count */
	bool known; /* result is */
	int64_t ended; /* when its last byte arrived; 0: not yet */
	/* The kind's own. */
	int stage;
	bool going;
	int64_t since, answered, pause, until;
	uint64_t mark;
	size_t out_left, in_left;
	struct flood_flow *flow;
};

/* What a kind of load does; all from the loop. */
struct flood_calls {
	/* All connections stand: begin. */
	void (*go)(struct flood_stream *s);
	void (*ready)(struct flood_stream *s, unsigned ready);
	/* The time is over; or, f->hurry, a signal came or something failed:
	 * then it has half a second. Ends by flood_stream_over or _lost. */
	void (*stop)(struct flood_stream *s);
	/* Adds what arrived so far; NULL: as data counts. */
	void (*count)(struct flood_stream *s, struct flood_totals *t);
	void (*closed)(struct flood_stream *s); /* may be NULL */
	bool reset; /* closes by RST */
	bool survives; /* goes on when one connection fails */
};

/* What the processes say to each other. */
enum flood_message {
	SAY_READY, /* all connections stand */
	SAY_SAMPLE, /* struct flood_totals so far, every --every */
	SAY_ERROR, /* struct err */
	SAY_HIST, /* struct hist; between processes packed */
	SAY_OVER, /* struct flood_totals; the last word */
	TELL_GO,
	TELL_STOP,
};

struct flood {
	const struct flood_conf *conf;
	const struct flood_calls *calls;
	enum flood_kind kind;
	struct loop *loop;
	struct report *report;
	struct sight *sight;
	struct sockopts sockopts;
	struct endpoint to;
	struct addr target, local; /* of the first connection */
	int first, share; /* streams of this process, of conf->parallel */
	struct flood_stream *stream;
	int next, dialing, open; /* streams: not dialed yet from next on */
	bool going, stopping, hurry, over, omitted;
	int64_t ticks;
	uint64_t id;
	char run[17]; /* id as text */
	struct timer end, tick, omit;
	struct flood_totals sum; /* of streams that are closed, and more */
	struct flood_totals base; /* at the end of --omit */
	struct flood_memory memory;
	int64_t looked; /* when the last of sum.looks was */
	struct udpbulk_room *room;
	struct hist latency;
	void (*say)(void *arg, int index, unsigned type, const void *data,
		size_t n);
	void *arg;
	int index; /* of the process */
};

extern const struct flood_calls flood_bulk, flood_rr, flood_crr, flood_hold,
	flood_block, flood_udp;

/* A far side that reads nothing for as long as it was asked, and longer where
 * its queue filled slowly: at that pace the queue of the writer, which it does
 * not see, has to fill too. */
struct flood_stall {
	int64_t began, looked, grown, until; /* until 0: it reads */
	int64_t unread; /* bytes */
	size_t step; /* bytes it reads at a time */
};

void flood_stall_begin(
	struct flood_stall *, const struct flood_ask *, int64_t now);
/* Whether it reads nothing yet; to be asked every few milliseconds. */
bool flood_stall_holds(struct flood_stall *, int fd, int64_t now);

/* first and share are set; dials. */
void flood_begin(struct flood *f);
void flood_told(struct flood *f, unsigned type);
void flood_free(struct flood *f);
/* So far, without what --omit leaves out. */
void flood_sample(struct flood *f, struct flood_totals *t);
/* The first byte of the load: --time and --omit count from here. */
void flood_start_clock(struct flood *f);
/* Sends the line that asks for a role; mark is its length then. -1: lost, and
 * told. */
int flood_stream_ask(struct flood_stream *s, enum flood_role role);
void flood_stream_role(const struct flood_stream *s, enum flood_role role,
	struct flood_ask *a); /* what it asks for */
/* A stream's part of --rate and of --bytes (all), which are for all streams
 * together. */
uint64_t flood_rate_part(const struct flood_conf *conf);
uint64_t flood_bytes_part(
	const struct flood *f, const struct flood_stream *s, uint64_t all);
void flood_stream_watch(struct flood_stream *s, unsigned want);
/* Bytes that the peer's system, or the peer itself, has taken. */
uint64_t flood_stream_arrived(const struct flood_stream *s);
/* Ends a stream well. */
void flood_stream_over(struct flood_stream *s, enum close_reason reason);
/* Ends it with an error, which is told. err NULL: conn_lost of op, number. */
void flood_stream_lost(struct flood_stream *s, const char *op, int number,
	const struct err *err);
/* The same: no answer in time (exit 4); not the protocol (exit 8). */
void flood_stream_silent(struct flood_stream *s, const char *what);
void flood_stream_protocol(struct flood_stream *s, const char *what);
/* The last word, once nothing is open any more. */
void flood_say_over(struct flood *f);

/* flood_boss.c, flood_far.c: the two sides. */
int flood_near(
	const struct run *run, const struct endpoint *to, enum flood_kind kind);
int flood_far(const struct run *run);

#endif
