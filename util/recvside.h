/* recvside: the receiver's half of a file transfer, one a connection: answers
 * offers, takes and checks what comes, gives receipts. */
#ifndef SOCKCTL_RECVSIDE_H
#define SOCKCTL_RECVSIDE_H

#include "incoming.h"

/* As transfer's open; place is borrowed for as long as the transfer. */
void recvside_open(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, struct recv_place *place);

#endif
