/* sockvalue: a socket option's value: from words to the kernel, and back. */
#ifndef SOCKCTL_SOCKVALUE_H
#define SOCKCTL_SOCKVALUE_H

#include "err.h"
#include "sockrow.h"
#include <net/if.h>
#include <netinet/in.h>

/* In the kernel's form, and as people read it. */
struct sockvalue {
	union {
		int number;
		struct linger linger;
		char name[IF_NAMESIZE];
		struct in_addr in;
#ifdef MCAST_JOIN_GROUP
		struct group_req group;
#endif
	} raw;
	socklen_t len;
	char text[64];
};

/* Takes a value as users write it. 1 where it is not for this row (a group of
 * the other family); -1 with err: op NULL for a malformed value, else an
 * interface that is not there. */
int sockvalue_encode(const struct sockopt_row *row, const char *s,
	struct sockvalue *v, struct err *err);
/* What the kernel has now; "" where it does not tell. */
void sockvalue_read(const struct sockopt_row *row, int fd, char text[64]);
/* Whether the texts are whole numbers. */
bool sockvalue_numeric(const struct sockopt_row *row);
/* Appends what help sockopts says of the value: "SIZE", "0-255". */
void sockvalue_form(const struct sockopt_row *row, struct buf *out);

#endif
