/* sink: standard output (or a file) on the loop: writes first, queues what does
 * not go, and says when it is empty again, so that sources can wait. */
#ifndef SOCKCTL_SINK_H
#define SOCKCTL_SINK_H

#include "buf.h"
#include "err.h"
#include "io.h"

struct sink {
	struct loop *loop;
	struct io io;
	struct watch watch;
	struct buf queue;
	bool failed;
	/* From the loop or inside sink_write: the queue is empty again (err
	 * NULL), or writing failed (op write): what comes then is dropped. A
	 * closed pipe ends the process by SIGPIPE instead, as it does cat,
	 * unless that was ignored at start. */
	void (*changed)(void *arg, const struct err *err);
	void *arg;
	const char *name; /* "standard output", for the error */
};

void sink_open(struct sink *s, struct loop *l, int fd, const char *name,
	void (*changed)(void *arg, const struct err *err), void *arg);
void sink_write(struct sink *s, const void *data, size_t n);
/* Something waits: sources that can should read no more. */
bool sink_full(const struct sink *s);
void sink_close(struct sink *s); /* drops what is queued; fd stays open */

#endif
