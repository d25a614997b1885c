/* postmortem: one sentence that says what most likely happened to a connection.
 * Conditions and sentences stand in one table. */
#ifndef SOCKCTL_POSTMORTEM_H
#define SOCKCTL_POSTMORTEM_H

#include "conn.h"

enum { POSTMORTEM_MAX = 256 };

/* Of a connection that ends; c->last is fresh but for a good end. err: the
 * error that ended it, or NULL. unread: bytes in the receive queue, -1 unknown.
 * Writes the sentence into out (POSTMORTEM_MAX bytes); "" where nothing can be
 * said. Returns out. */
char *postmortem(const struct conn *c, enum close_reason reason,
	const struct err *err, int64_t unread, int64_t now, char *out);

/* Adds a hint to an error of connect, from what the socket still knows: how
 * often the SYN went unanswered. Call it before close(2) and before net_hint.
 */
void postmortem_connect(struct err *e, int fd);

#endif
