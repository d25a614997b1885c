/* crlf: LF as CR LF, as line protocols want it (-C); one that is CR LF already
 * stays, also where a piece of the stream ends between the two. */
#ifndef SOCKCTL_CRLF_H
#define SOCKCTL_CRLF_H

#include "buf.h"

/* Appends n bytes so. last is the byte before them, kept from call to call (0
 * at the start). */
void crlf_add(struct buf *out, const uint8_t *data, size_t n, uint8_t *last);

#endif
