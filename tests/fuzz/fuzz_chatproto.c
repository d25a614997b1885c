/* The chat's way from bytes to lines, commands and names. The first byte says
 * in what pieces the rest comes. */
#include "../../util/chatproto.h"
#include "../../util/utf8.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(int holds)
{
	if (!holds)
		abort();
}

/* What other members see can drive no terminal. */
static void
check_clean(struct buf *out)
{
	uint32_t c;
	size_t at;

	for (at = 0; at < out->len;) {
		at += utf8_decode(buf_data(out) + at, out->len - at, &c);
		need(c != UTF8_BAD && !utf8_is_hidden(c));
		need(c == '\t' || !utf8_is_control(c));
	}
	buf_clear(out);
}

static void
check_line(struct buf *out, const char *line, size_t n)
{
	struct chat_said said;
	const char *word;
	size_t len;

	need(n <= CHAT_LINE_MAX && memchr(line, '\n', n) == NULL);
	chat_clean(out, line, n);
	check_clean(out);
	chat_parse(&said, chat_commands, line, n);
	need(said.text >= line && said.text + said.len <= line + n);
	len = chat_word(&said.text, &said.len, &word);
	need(word >= line && word + len <= line + n);
	if (!chat_name_wrong(word, len)) {
		need(len > 0 && len <= CHAT_NAME_BYTES);
		buf_append(out, word, len);
		check_clean(out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chat_input in = { 0 };
	struct buf out = { 0 };
	size_t step, n;
	const char *line;
	enum chat_got got;

	if (size == 0)
		return 0;
	step = data[0] + 1U;
	for (size_t at = 1; at < size; at += step) {
		chat_feed(&in, data + at, size - at < step ? size - at : step);
		while ((got = chat_next(&in, &line, &n)) != CHAT_NOTHING)
			if (got == CHAT_LINE)
				check_line(&out, line, n);
		need(in.bytes.len <= CHAT_LINE_MAX + 1);
	}
	chat_feed_end(&in);
	while ((got = chat_next(&in, &line, &n)) != CHAT_NOTHING)
		if (got == CHAT_LINE)
			check_line(&out, line, n);
	need(in.bytes.len == 0);
	chat_input_free(&in);
	buf_free(&out);
	return 0;
}
