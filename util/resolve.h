/* resolve: names to addresses without stopping anything.
 *
 * A numeric address answers at once; a name is looked up (getaddrinfo(3)) in a
 * forked child that answers by a pipe and is ended at the time limit or by
 * resolve_cancel. */
#ifndef SOCKCTL_RESOLVE_H
#define SOCKCTL_RESOLVE_H

#include "addr.h"
#include "child.h"
#include "loop.h"

struct resolve_query {
	const char *host; /* borrowed until done; NULL: the wildcard */
	const char *port; /* number or service name; "0" is allowed */
	int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
	bool datagram;
	bool numeric; /* --numeric: a name is an error (op NULL, usage) */
	bool passive; /* for a listener: interface names count, too */
	int64_t timeout; /* ns, CLOCK_NONE: none */
};

struct resolve {
	struct loop *loop;
	struct watch watch;
	struct timer timer;
	struct child child;
	struct buf *answer; /* NULL: not under way */
	char target[ERR_TARGET_MAX];
	void (*done)(
		void *arg, const struct addr_list *list, const struct err *err);
	void *arg;
};

/* Calls done once, from the loop, never before resolve_start returned: list
 * with at least one address (IPv6 and IPv4 alternating as RFC 8305 asks, in
 * getaddrinfo's order otherwise; duplicates removed), valid during the call;
 * or NULL and err (op resolve, or wait for the time limit). r is the caller's
 * and may be used again in done. */
void resolve_start(struct loop *loop, struct resolve *r,
	const struct resolve_query *q,
	void (*done)(
		void *arg, const struct addr_list *list, const struct err *err),
	void *arg);
void resolve_cancel(struct resolve *r);

/* The same at once, for the start of a listener, without time limit. Signals
 * are let in: with their default action they end the process. The list is the
 * caller's (addr_list_free). */
int resolve_now(
	struct addr_list *list, const struct resolve_query *q, struct err *err);

/* A service's number: 0-65535, or a name (getservbyname), of tcp or udp. -1
 * with err (op resolve for an unknown name; NULL for a bad number). */
int resolve_port(const char *port, bool datagram, struct err *err);

#endif
