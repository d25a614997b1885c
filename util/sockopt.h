/* sockopt: socket options by name: one row an option; set, read back and shown
 * by one function.
 *
 * Families that an option does not concern are passed over in silence (ttl is
 * two rows, one for IPv4 and one for IPv6). socket(7), tcp(7), ip(7), ipv6(7),
 * udp(7). */
#ifndef SOCKCTL_SOCKOPT_H
#define SOCKCTL_SOCKOPT_H

#include "buf.h"
#include "opt.h"
#include <stdbool.h>
#include <stdint.h>

/* When an option is applied: to a new socket (before bind), to one that is
 * going to listen or has just been bound, to a connected or accepted one. */
enum sockopt_phase { SOCKOPT_NEW, SOCKOPT_LISTENING, SOCKOPT_CONNECTED };

struct sockopt_row;

struct sockopt_item {
	const struct sockopt_row *row; /* the first row of the name */
	const char *name;
	const char *value; /* as written; "" where a flag was only named */
};

/* What was asked for and what came of it, for the sockopt event. Texts, since
 * values are numbers, words (congestion) or both (linger). */
struct sockopt_seen {
	const char *name;
	char before[64], requested[64], effective[64];
	const char *limit; /* "net.core.wmem_max" where that clamped it */
	bool numeric; /* the texts are whole numbers */
};

/* The settings of the group "Socket options"; rows sockopt_opts. */
struct sockopts {
	struct sockopt_item *item; /* in the order given */
	int count;
	bool show; /* --show-sockopts */
	bool strict; /* --strict */
	bool no_reuseaddr;
	int64_t linger; /* seconds, -1: not given; also an item */
	const char *congestion; /* as given, NULL: not */
	/* Told of each option applied when show is on; set by the mode's
	 * report (report_sockopt). */
	void (*seen)(void *arg, const struct sockopt_seen *);
	void *arg;
};

#define SOCKOPTS_DEFAULT \
	{ \
		.linger = -1 \
	}

extern const struct opt sockopt_opts[]; /* base: struct sockopts */

/* Applies the items of this phase to fd. reuseaddr: of a listener, or of a
 * client with a fixed local port, which has SO_REUSEADDR unless no_reuseaddr.
 * -1 (op setsockopt) where an option is not taken or, under strict, clamped. */
int sockopts_apply(const struct sockopts *o, int fd, enum sockopt_phase phase,
	bool reuseaddr, struct err *err);

/* On a connection to this very host (loopback, or getsockname's address equal
 * to getpeername's) asks for reno, unless --congestion or -o congestion was
 * given: BBR's pacing only costs there (a factor of 1.4 for a file, up to 9 for
 * splice), and reno is open to every user. Elsewhere the system's choice
 * stands. Call it on a connected TCP socket.
 * Errors are ignored. Writes the name in use into name (16 bytes, "" where
 * unknown); true when sockctl chose it. */
bool sockopt_choose_congestion(const struct sockopts *o, int fd, char *name);

/* One option by name, for modes that set one themselves. */
int sockopt_set(int fd, const char *name, const char *value, struct err *err);

/* sockctl help sockopts: name, value, level, when it is applied, this system's
 * default. */
void sockopt_table(struct buf *out);
/* The names, for completion; NULL at the end. */
const char *sockopt_name(int index);
/* The names of those that this build lacks, for --version; the same way. */
const char *sockopt_absent(int index);

#endif
