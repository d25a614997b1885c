/* serve_far: the far side of one datagram peer under --forward: a datagram or a
 * stream socket of the target. */
#ifndef SOCKCTL_SERVE_FAR_H
#define SOCKCTL_SERVE_FAR_H

#include "serve.h"

struct far;

/* Begins to connect. answer: what the target sent, to be sent to the peer; end:
 * the target has ended or failed (err, or NULL for its FIN), the far side is
 * closed by far_close. Both come from the loop. */
struct far *far_open(struct serve *s,
	void (*answer)(void *arg, const uint8_t *data, size_t n),
	void (*end)(void *arg, const struct err *err), void *arg);
/* One datagram towards the target. What does not fit is dropped, as UDP does:
 * at most 64 KiB wait while the target is being connected to. */
void far_send(struct far *f, const uint8_t *data, size_t n);
void far_close(struct far *f);

#endif
