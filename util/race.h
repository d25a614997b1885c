/* race: a connection to the first of several addresses that takes one: the
 * next is tried after 250 ms, or at once when one failed (RFC 8305). */
#ifndef SOCKCTL_RACE_H
#define SOCKCTL_RACE_H

#include "loop.h"
#include "net.h"
#include "report.h"

struct race;

struct race_setup {
	struct loop *loop;
	struct report *report; /* may be NULL */
	const struct sockopts *sockopts;
	bool datagram;
	const struct addr_list *local; /* to bind to; empty: any */
	int local_port; /* 0: any */
	const char *target; /* for errors; borrowed, too */
	/* Once, from the loop, never before race_start returned: fd and the
	 * address that it is connected to (a multicast or broadcast target:
	 * is to be sent to), or -1 and err, whose text names each address and
	 * why. The race is freed when done returns. */
	void (*done)(void *arg, int fd, const struct addr *to,
		const struct err *err);
	void *arg;
};

/* to: at least one address; copied. */
struct race *race_start(const struct race_setup *s, const struct addr_list *to);
/* Time is up: the error (op connect, ETIMEDOUT) that says what each address
 * answered so far. The race goes on until race_cancel. */
void race_expired(struct race *r, int64_t after, struct err *err);
void race_cancel(struct race *r); /* done is not called; frees; NULL is fine */

#endif
