/* passive: the sockets of a listener: where it listens, bound on one port, and
 * listening (RFC 9293 calls that a passive open). listener accepts from them.
 */
#ifndef SOCKCTL_PASSIVE_H
#define SOCKCTL_PASSIVE_H

#include "listener.h"
#include "unixpath.h"

struct passive {
	int *fd;
	int count;
	int64_t backlog; /* -1: unknown (passed by activation), or datagrams */
	struct unixpath path;
};

/* Opens the sockets that s asks for; on -1 (err) nothing is left open. An err
 * without op is a usage error: nothing says where to listen. */
int passive_open(
	struct passive *p, const struct listener_setup *s, struct err *err);
/* --port-file: the port and a newline, under a temporary name that is renamed:
 * a reader never sees half a number. A path that is no regular file (a fifo,
 * /dev/stdout) is written to. -1 with err (op open or write). */
int passive_write_port(
	const struct passive *p, const char *path, struct err *err);
/* Closes them and removes the Unix path. */
void passive_close(struct passive *p);

#endif
