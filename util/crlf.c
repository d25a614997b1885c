#include "crlf.h"

void
crlf_add(struct buf *out, const uint8_t *data, size_t n, uint8_t *last)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (data[i] == '\n' && *last != '\r')
			buf_byte(out, '\r');
		buf_byte(out, data[i]);
		*last = data[i];
	}
}
