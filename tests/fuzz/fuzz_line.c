/* The line editor, fed with keys. The first byte is the terminal's width. */
#include "../../util/line.h"
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

/* The text stays valid UTF-8, and the cursor stands before a character. */
static void
check_text(const struct line *l)
{
	uint32_t c;
	size_t at = 0;
	int whole = l->at == 0;

	need(l->text.len <= LINE_BYTES && l->at <= l->text.len);
	need(l->count <= LINE_PAST && l->back <= l->count);
	while (at < l->text.len) {
		at += utf8_decode(
			buf_data(&l->text) + at, l->text.len - at, &c);
		need(c != UTF8_BAD && (c == '\t' || !utf8_is_control(c)));
		whole |= at == l->at;
	}
	need(whole);
}

/* The row is no wider than the terminal. */
static void
check_row(const struct line *l, int columns)
{
	struct buf out = { 0 };
	const uint8_t *p;
	size_t at = 1, end;
	int width = 0;
	uint32_t c;

	line_draw(&out, l, "> ", columns);
	p = buf_data(&out);
	need(p[0] == '\r');
	for (end = 1; p[end] != '\r'; end++)
		need(end + 1 < out.len);
	while (at < end && p[at] != '\033') {
		at += utf8_decode(p + at, end - at, &c);
		width += utf8_width(c);
	}
	need(columns < 4 || width < columns);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line *l = calloc(1, sizeof(*l));

	for (size_t i = 1; l && i < size; i++) {
		switch (line_key(l, data[i])) {
		case LINE_ENTERED:
			line_next(l);
			break;
		case LINE_CHANGED:
		case LINE_NOTHING:
		case LINE_END:
		case LINE_CLEAR:
			break;
		}
		check_text(l);
		if (i % 16 == 0 || i + 1 == size)
			check_row(l, data[0]);
	}
	if (l)
		line_free(l);
	free(l);
	return 0;
}
