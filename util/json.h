/* json: writes JSON (RFC 8259) into a buf. Only report uses it.
 *
 * Commas are put in by themselves. Strings become valid UTF-8 (other bytes are
 * U+FFFD); a number that is not finite becomes null. */
#ifndef SOCKCTL_JSON_H
#define SOCKCTL_JSON_H

#include "buf.h"
#include <stdbool.h>
#include <stdint.h>

void json_open(struct buf *b, char bracket); /* '{' or '[' */
void json_close(struct buf *b, char bracket); /* '}' or ']' */
void json_key(struct buf *b, const char *name);
void json_string(struct buf *b, const void *s, size_t n);
void json_int(struct buf *b, int64_t v);
void json_uint(struct buf *b, uint64_t v);
void json_real(struct buf *b, double v, int decimals);
void json_bool(struct buf *b, bool v);
void json_null(struct buf *b);

#endif
