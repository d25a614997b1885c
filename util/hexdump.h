/* hexdump: what was received and sent, to read: a line for each piece with
 * time, connection, direction, offset and size, then its bytes in the manner of
 * hexdump -C behind < (received) or > (sent). */
#ifndef SOCKCTL_HEXDUMP_H
#define SOCKCTL_HEXDUMP_H

#include "err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hexdump;

/* path "-" is standard error. NULL with err (op open). */
struct hexdump *hexdump_open(const char *path, struct err *err);
/* offset: of data in its direction. */
void hexdump_write(struct hexdump *h, unsigned conn, bool out, uint64_t offset,
	const void *data, size_t n);
/* -1 when a write to the file failed (op write). h may be NULL. */
int hexdump_close(struct hexdump *h, struct err *err);

#endif
