/* rawside: --raw, bytes until the end with no protocol, for plain netcat
 * peers. */
#ifndef SOCKCTL_RAWSIDE_H
#define SOCKCTL_RAWSIDE_H

#include "incoming.h"

/* As transfer's open. Sends the file of this name, "-" for standard input. */
void rawside_send(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, const char *path);
/* Receives one file, named or to a descriptor by place. */
void rawside_receive(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, struct recv_place *place);

#endif
