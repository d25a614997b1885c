/* streamend: how a stream ends: by both FINs and the last acknowledgement, by
 * leaving, by an abort, by --idle. Only stream.c calls it. */
#ifndef SOCKCTL_STREAMEND_H
#define SOCKCTL_STREAMEND_H

#include "stream.h"

/* Whether the end is here; may abort the stream, or find it lost. */
bool streamend_reached(struct stream *s, int64_t now);
/* When to look again if nothing comes; CLOCK_INF: never. */
int64_t streamend_due(const struct stream *s, int64_t now);
/* Tells the end, closes the descriptor and calls gone: s is the owner's. */
void streamend_tell(struct stream *s);

/* stream.c: the connection broke, with unsent bytes left. What had arrived can
 * still be read. */
void stream_lose(struct stream *s, const char *op, int number, size_t unsent);

#endif
