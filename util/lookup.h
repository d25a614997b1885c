/* lookup: the looking up itself, which may block. Part of resolve; nobody else
 * needs it. */
#ifndef SOCKCTL_LOOKUP_H
#define SOCKCTL_LOOKUP_H

#include "resolve.h"
#include <netdb.h>

enum { LOOKUP_MAX = 64 }; /* more addresses of one name are not tried */

/* Adds the addresses to list. -1 with err. */
int lookup(
	struct addr_list *list, const struct resolve_query *q, struct err *err);
/* Whether lookup would answer without asking anybody. */
bool lookup_here(const struct resolve_query *q);
/* Appends getaddrinfo's addresses: families take turns, the first one's first
 * (RFC 8305, 4), each address once. */
void lookup_order(struct addr_list *list, const struct addrinfo *info);

#endif
