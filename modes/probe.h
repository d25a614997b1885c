/* probe: what its parts share: the targets with their ports, and the attempts
 * that are under way. A port is looked at by one attempt for each address of
 * its target, until one of them is open. */
#ifndef SOCKCTL_PROBE_H
#define SOCKCTL_PROBE_H

#include "../util/life.h"
#include "../util/match.h"
#include "../util/ports.h"
#include "../util/resolve.h"
#include "mode.h"
#include <signal.h>

struct probe_conf {
	struct net_options net;
	struct limit_options limits;
	struct sockopts sockopts;
	struct report_options report;
	struct opt_text send, expect;
	int64_t jobs; /* 0: as many as descriptors allow */
	int64_t stay, interval, wait; /* CLOCK_NONE where not given */
	int64_t count; /* 0: not given */
	int64_t stable;
	bool banner, info, open, down, any, backlog_test, interfaces;
};

/* The best one first: of a target's addresses it is the one that is told. */
enum port_state {
	PORT_UNKNOWN, /* not known yet */
	PORT_OPEN,
	PORT_DROPPED, /* accepted, then closed within --stay */
	PORT_OPEN_FILTERED, /* UDP: silence */
	PORT_CLOSED,
	PORT_FILTERED, /* TCP: silence */
	PORT_UNREACHABLE,
	PORT_ERROR,
	PORT_STATES
};

struct extra;

/* One port of one target. There may be a million of them. */
struct cell {
	struct extra *extra; /* NULL: there is no more to say */
	float rtt_ms; /* below 0: none */
	uint16_t port; /* 0: a Unix path */
	uint8_t state; /* of the last try that is over */
	uint8_t best; /* of this try so far */
	uint8_t number; /* errno of the last failure */
	uint8_t addr; /* that the state is of */
	uint8_t tried; /* addresses taken up in this try */
	uint8_t live; /* attempts of it, queued ones too */
	uint8_t round; /* changes with each try */
	uint8_t syns; /* SYNs sent in vain, 0 unknown */
	bool unmet; /* open, but --expect's text did not come */
};

enum { HISTORY_MAX = 64 };

/* What only some ports have: --banner, --info, --count, --wait. */
struct extra {
	struct target *target;
	struct cell *cell;
	uint8_t *banner;
	size_t banner_len;
	struct tcpinfo *info;
	int64_t sndbuf, rcvbuf;
	struct timer again; /* the next try */
	int64_t started; /* of the last one */
	int64_t tries, ok, streak;
	double min, max, sum; /* rtt of those that were ok, ms */
	struct {
		int64_t at;
		enum port_state state;
	} history[HISTORY_MAX];
	int changes; /* in history; the oldest are forgotten */
};

struct target {
	struct probe *probe;
	char *host; /* as written; unix:/path */
	bool is_unix, datagram;
	bool again; /* an earlier target has the same host */
	bool numeric; /* never looked up anew */
	bool looking, found;
	const struct ports_item *item; /* borrowed */
	int items;
	struct cell *cell; /* ascending by port */
	int count;
	struct addr_list addrs;
	struct resolve resolve;
	int64_t looked; /* when addrs came */
	struct err *failed; /* why it has none, or what is wrong with ports
			       that are errors */
	bool told; /* failed was reported */
};

/* A port and an address that wait for a free place. */
struct task {
	struct target *target;
	struct cell *cell;
	uint8_t addr, round;
};

struct talk;

/* One socket at work. */
struct attempt {
	struct probe *probe;
	struct target *target;
	struct cell *cell; /* NULL: this place is free */
	struct attempt *next; /* free one */
	struct addr to;
	int addr, fd;
	struct watch watch;
	struct timer timer;
	int64_t started;
	float rtt_ms;
	int sends; /* datagrams */
	struct talk *talk; /* what is said behind the connection */
};

struct probe {
	struct life life;
	const struct probe_conf *conf;
	struct sockopts sockopts;
	struct addr_list local; /* -s */
	int64_t began, stay;
	/* What is asked for. */
	struct target *target;
	int targets;
	struct ports_item **item; /* that the targets borrow */
	int lists;
	size_t cells, left;
	/* Names: a queue of targets, looked up a few at a time. */
	struct buf names;
	int looking;
	/* The scan: targets in the order in which they were found. */
	struct target **ready;
	int readies, at_target, at_cell;
	struct buf queue; /* of struct task, goes before the rest */
	struct attempt *attempt, *idle;
	int places, jobs, live;
	int spare, spare_family; /* a refused socket */
	int64_t now;
	struct timer pump;
	/* The report. */
	int told_target, told_cell;
	struct service *service; /* names of ports */
	int services;
	bool services_read;
	bool shows, brief;
	struct timer progress;
	bool drawn;
	/* --wait */
	struct timer limit, check;
	int64_t completed; /* --backlog-test, -1: not asked for */
	struct backlog *backlog;
	bool over;
};

/* probe_target.c: arguments to targets. -1 with err. */
int probe_targets(struct probe *p, int argc, char **argv, struct err *err);
void probe_targets_free(struct probe *p);
/* Queues a look-up. */
void probe_look_up(struct target *t);
struct extra *probe_extra(struct target *t, struct cell *c);
/* Keeps what is wrong with a target; told where the report does. */
void probe_failed(struct target *t, const struct err *err);

/* probe_scan.c: starts what may be started. The last thing of every callback
 * of the loop. */
void probe_pump(struct probe *p);
void probe_scan_start(struct probe *p);
/* Another try of a port. */
void probe_again(struct target *t, struct cell *c);
void probe_scan_stop(struct probe *p);
void probe_scan_free(struct probe *p);
/* Starts the target's next address, where there is one and the cell's last was
 * this attempt's. */
void attempt_next_address(struct attempt *a);
/* No socket could be had: later, or never. */
void attempt_unable(struct attempt *a, const struct err *err);
/* The attempt is over; a is free then. */
void attempt_end(struct attempt *a, enum port_state state, int number);
/* The same for what errno says. */
void attempt_settle(struct attempt *a, int number);

/* probe_socket.c */
int probe_socket(
	struct probe *p, const struct addr *to, bool datagram, struct err *err);
/* How many connections at once: -j, or as descriptors allow, up to most. */
int probe_allowed(const struct probe *p, int most);
/* What errno of connect, send and recv says of a port. */
enum port_state probe_meaning(int number);
/* connect(2), where the answer is already there with its result. Returns errno,
 * 0: connected. */
int probe_connect(int fd, const struct addr *to);
/* The result of a connect(2) whose descriptor is writable. */
int probe_connected(int fd, const struct addr *to);
/* After this result the socket is as good as a new one. */
bool probe_can_reuse(int number);

/* probe_talk.c: behind the connection: --stay, --send, --banner, --expect,
 * --info. */
void probe_talk_start(struct attempt *a);
/* It was made, and is reset already. */
void probe_talk_broken(struct attempt *a);
void probe_talk_free(struct talk *t);
/* For datagrams: */
void probe_talk_begin(struct attempt *a);
/* Takes what was received; true when nothing more is waited for. */
bool probe_talk_heard(struct attempt *a, const uint8_t *data, size_t n);
/* Ends the attempt as an open port, with what was heard. */
void probe_talk_end(struct attempt *a);

/* probe_udp.c */
void probe_udp_start(struct attempt *a);

/* probe_repeat.c: --wait, --count: a try is over. */
void probe_repeat_note(struct target *t, struct cell *c);
void probe_repeat_start(struct probe *p);
void probe_repeat_stop(struct probe *p);

/* probe_report.c */
const char *probe_state_name(enum port_state state);
void probe_tell_ready(struct probe *p); /* those at the head that are known */
void probe_tell_all(struct probe *p);
void probe_show_progress(struct probe *p);
void probe_note_try(struct target *t, struct cell *c);
/* A sentence about a port that is not open, "" where the state says it all. */
void probe_why(struct target *t, struct cell *c, struct err *err);
char *probe_name(const struct target *t, const struct cell *c, char *out);

const char *probe_protocol(const struct target *t);

/* probe_service.c: NULL where the port has no name. */
const char *probe_service(const struct target *t, const struct cell *c);
void probe_service_free(struct probe *p);

/* probe_backlog.c: --backlog-test of the first address. */
void probe_backlog_start(struct target *t);
void probe_backlog_stop(struct probe *p);

/* probe_interfaces.c: --interfaces. Returns the exit code. */
int probe_interfaces(struct probe *p);

/* probe.c */
void probe_cell_done(struct target *t, struct cell *c);
/* Open, and it said what --expect asks for. */
bool probe_cell_good(const struct cell *c);
/* The cells of an item: the first one, and how many. */
struct cell *probe_item_cells(
	const struct target *t, const struct ports_item *item, int *count);
/* Ends the run: stops, tells, and leaves the loop. */
void probe_over(struct probe *p, int code);

#endif
