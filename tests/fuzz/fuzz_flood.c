/* What a peer can put before flood: a line that asks or answers, in two pieces,
 * and a datagram with its counts. */
#include "../../util/arrival.h"
#include "../../util/floodproto.h"
#include "../../util/pattern.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int good)
{
	if (!good)
		abort();
}

/* What was read is written and read again: it must say the same. */
static void
read_line(const char *text)
{
	char out[FLOOD_LINE_MAX + 1];
	struct flood_answer answer, same;
	struct flood_ask ask, again;
	const char *why = NULL;

	if (flood_ask_read(&ask, text, &why) == 0) {
		size_t n = flood_ask_write(&ask, out);

		check(n <= FLOOD_LINE_MAX && out[n - 1] == '\n');
		out[n - 1] = '\0';
		check(flood_ask_read(&again, out, &why) == 0);
		check(again.role == ask.role && again.bytes == ask.bytes);
	} else {
		check(why != NULL);
	}
	if (flood_answer_read(&answer, text) == 0) {
		size_t n = flood_answer_write(&answer, out);

		check(n <= FLOOD_LINE_MAX && out[n - 1] == '\n');
		out[n - 1] = '\0';
		check(flood_answer_read(&same, out) == 0);
		check(same.word == answer.word);
	}
}

static void
read_datagram(const uint8_t *data, size_t size)
{
	struct arrival a = { 0 };
	struct flood_counts counts;
	struct flood_head head;
	uint8_t out[FLOOD_HEAD];

	for (; flood_head_read(&head, data, size) == 0;
		data += FLOOD_HEAD, size -= FLOOD_HEAD) {
		flood_head_write(out, &head);
		check(memcmp(out, data, FLOOD_HEAD) == 0);
		arrival_add(&a, head.sequence, head.flags, (int64_t)head.time,
			(int64_t)head.run);
		flood_counts_read(
			&counts, data + FLOOD_HEAD, size - FLOOD_HEAD);
	}
	check(a.missing <= ARRIVAL_WINDOW);
	arrival_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flood_line line = { .len = 0 };
	enum flood_state state;
	size_t taken, half = size / 2;

	state = flood_line_add(&line, data, half, &taken);
	check(taken <= half);
	if (state == FLOOD_MORE) {
		state = flood_line_add(&line, data + half, size - half, &taken);
		check(taken <= size - half);
	}
	check(line.len <= FLOOD_LINE_MAX);
	if (state == FLOOD_WHOLE)
		read_line(line.text);
	read_datagram(data, size);
	check(pattern_right(data, size, size) <= size);
	return 0;
}
