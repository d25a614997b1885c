/* echo: the messages of its client, made or taken off standard input. */
#include "echo.h"
#include <string.h>

void
echo_make(struct buf *message, size_t size, uint64_t number)
{
	uint8_t *to = buf_room(message, size);
	size_t i;

	for (i = 0; i < size; i++) {
		if (i % 8 == 0)
			number = number * UINT64_C(6364136223846793005) +
				1442695041;
		to[i] = (uint8_t)(number >> (56 - i % 8 * 8));
	}
	buf_added(message, size);
}

bool
echo_take_line(struct buf *message, struct buf *typed, size_t most, bool ended)
{
	size_t n = typed->len;
	const uint8_t *data = buf_data(typed), *end;

	end = n > 0 ? memchr(data, '\n', n) : NULL;
	if (end)
		n = (size_t)(end - data) + 1;
	if (n > most)
		n = most;
	else if (!end && n < most && !ended)
		return false;
	buf_append(message, data, n);
	buf_consume(typed, n);
	return true;
}
