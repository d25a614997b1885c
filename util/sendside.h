/* sendside: the sender's half of a file transfer, one a connection: offers run
 * ahead, content follows in their order, and a file is sent when its receipt
 * has come. */
#ifndef SOCKCTL_SENDSIDE_H
#define SOCKCTL_SENDSIDE_H

#include "transfer.h"
#include "walk.h"

struct sendside_setup {
	const struct walk_options *walk;
	int count; /* files and folders named by the user */
	char *const *files;
};

/* As transfer's open; s is borrowed for as long as the transfer. */
void sendside_open(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, const struct sendside_setup *s);

#endif
