/* sockrow: the rows of socket options: what each is called, takes and concerns.
 * socket(7), tcp(7), ip(7), ipv6(7), udp(7). */
#ifndef SOCKCTL_SOCKROW_H
#define SOCKCTL_SOCKROW_H

#include "sockopt.h"

enum sockrow_kind {
	SOCKROW_FLAG, /* 0, 1, on, off; only named: on */
	SOCKROW_NUMBER, /* min..max */
	SOCKROW_SIZE,
	SOCKROW_SECONDS, /* a TIME of whole ones */
	SOCKROW_MS, /* a number of them, or a TIME with a unit */
	SOCKROW_DSCP, /* 0-63, or a name (RFC 2474, 2597) */
	SOCKROW_WORD, /* one of words */
	SOCKROW_NAME, /* a short text for the kernel */
	SOCKROW_LINGER, /* seconds, off */
	SOCKROW_INTERFACE, /* of multicast: a name or, IPv4, an address */
	SOCKROW_GROUP, /* GROUP[%INTERFACE] */
};

/* The sorts of sockets that have an option. */
enum {
	SOCKROW_TCP4 = 1,
	SOCKROW_TCP6 = 2,
	SOCKROW_UDP4 = 4,
	SOCKROW_UDP6 = 8,
	SOCKROW_UNIX = 16,
};

struct sockrow_word {
	const char *name; /* NULL ends the list */
	int number;
};

struct sockopt_row {
	const char *name;
	enum sockrow_kind kind;
	unsigned on; /* SOCKROW_TCP4 ...; 0: this build lacks the option */
	int level, number;
	enum sockopt_phase phase;
	int64_t min, max;
	const char *limit; /* the sysctl that clamps it in silence */
	const struct sockrow_word *words;
};

/* By index; NULL past the last. Rows of one name stand together. */
const struct sockopt_row *sockrow_at(size_t index);
/* The first one; NULL where there is none, or this build lacks it. */
const struct sockopt_row *sockrow_find(const char *name);
/* The next one of the same name, NULL after the last. */
const struct sockopt_row *sockrow_next(const struct sockopt_row *row);
/* The sort of a socket: one of SOCKROW_TCP4 ..., 0 for others. */
unsigned sockrow_socket(int fd);
/* A new socket that has the option; -1 with errno. */
int sockrow_open(const struct sockopt_row *row);

#endif
