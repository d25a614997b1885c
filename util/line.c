#include "line.h"
#include "utf8.h"
#include <string.h>

enum { ESC = 0x1b, DEL = 0x7f };

static uint32_t
char_at(const struct line *l, size_t at, size_t *length)
{
	uint32_t c = 0;

	*length = utf8_decode(buf_data(&l->text) + at, l->text.len - at, &c);
	return c;
}

static int
column_width(uint32_t c)
{
	return c == '\t' ? 1 : utf8_width(c);
}

/* Where a key goes, or up to where it cuts. Combining marks stay with their
 * character. */
static size_t
to_start(const struct line *l)
{
	(void)l;
	return 0;
}

static size_t
to_end(const struct line *l)
{
	return l->text.len;
}

static size_t
before(const struct line *l, size_t at)
{
	const uint8_t *p = buf_data(&l->text);
	size_t length;

	while (at > 0) {
		do
			at--;
		while (at > 0 && (p[at] & 0xc0) == 0x80);
		if (column_width(char_at(l, at, &length)) > 0)
			break;
	}
	return at;
}

static size_t
to_left(const struct line *l)
{
	return before(l, l->at);
}

static size_t
to_right(const struct line *l)
{
	size_t at = l->at, length;

	if (at == l->text.len)
		return at;
	do
		(void)char_at(l, at, &length);
	while ((at += length) < l->text.len &&
		column_width(char_at(l, at, &length)) == 0);
	return at;
}

static bool
blank_at(const struct line *l, size_t at)
{
	uint8_t c = buf_data(&l->text)[at];

	return c == ' ' || c == '\t';
}

static size_t
to_word_left(const struct line *l)
{
	size_t at = l->at;

	while (at > 0 && blank_at(l, at - 1))
		at--;
	while (at > 0 && !blank_at(l, at - 1))
		at--;
	return at;
}

static size_t
to_word_right(const struct line *l)
{
	size_t at = l->at;

	while (at < l->text.len && blank_at(l, at))
		at++;
	while (at < l->text.len && !blank_at(l, at))
		at++;
	return at;
}

static enum line_event
move(struct line *l, size_t to)
{
	if (to == l->at)
		return LINE_NOTHING;
	l->at = to;
	return LINE_CHANGED;
}

/* Takes the bytes between the cursor and to out. */
static enum line_event
cut(struct line *l, size_t to)
{
	size_t from = to < l->at ? to : l->at;
	size_t end = to < l->at ? l->at : to;
	uint8_t *p = buf_data(&l->text);

	if (from == end)
		return LINE_NOTHING;
	memmove(p + from, p + end, l->text.len - end);
	l->text.len -= end - from;
	l->at = from;
	return LINE_CHANGED;
}

static enum line_event
insert(struct line *l, const uint8_t *c, size_t n)
{
	uint8_t *p;

	if (l->text.len + n > LINE_BYTES)
		return LINE_NOTHING;
	(void)buf_room(&l->text, n);
	p = buf_data(&l->text);
	memmove(p + l->at + n, p + l->at, l->text.len - l->at);
	memcpy(p + l->at, c, n);
	buf_added(&l->text, n);
	l->at += n;
	return LINE_CHANGED;
}

static void
put(struct buf *to, const struct buf *from)
{
	to->len = to->head = 0;
	if (from->len > 0)
		buf_append(to, buf_data(from), from->len);
}

static enum line_event
recall(struct line *l, int back)
{
	if (back < 0 || back > l->count)
		return LINE_NOTHING;
	if (l->back == 0)
		put(&l->draft, &l->text);
	put(&l->text, back ? &l->past[l->count - back] : &l->draft);
	l->back = back;
	l->at = l->text.len;
	return LINE_CHANGED;
}

enum act { MOVE, CUT, DELETE, OLDER, NEWER, TAB, CLEAR, ENTER };

/* What terminals send; xterm's control sequences, ECMA-48. */
static const struct key {
	const char *keys;
	enum act act;
	size_t (*to)(const struct line *);
} table[] = { { "\x01", MOVE, to_start }, { "\x02", MOVE, to_left },
	{ "\x04", DELETE, to_right }, { "\x05", MOVE, to_end },
	{ "\x06", MOVE, to_right }, { "\x08", CUT, to_left },
	{ "\t", TAB, NULL }, { "\n", ENTER, NULL }, { "\x0b", CUT, to_end },
	{ "\x0c", CLEAR, NULL }, { "\r", ENTER, NULL }, { "\x0e", NEWER, NULL },
	{ "\x10", OLDER, NULL }, { "\x15", CUT, to_start },
	{ "\x17", CUT, to_word_left }, { "\x7f", CUT, to_left },
	{ "\033[A", OLDER, NULL }, { "\033[B", NEWER, NULL },
	{ "\033[C", MOVE, to_right }, { "\033[D", MOVE, to_left },
	{ "\033[F", MOVE, to_end }, { "\033[H", MOVE, to_start },
	{ "\033OA", OLDER, NULL }, { "\033OB", NEWER, NULL },
	{ "\033OC", MOVE, to_right }, { "\033OD", MOVE, to_left },
	{ "\033OF", MOVE, to_end }, { "\033OH", MOVE, to_start },
	{ "\033[1~", MOVE, to_start }, { "\033[3~", CUT, to_right },
	{ "\033[4~", MOVE, to_end }, { "\033[7~", MOVE, to_start },
	{ "\033[8~", MOVE, to_end }, { "\033[1;3C", MOVE, to_word_right },
	{ "\033[1;3D", MOVE, to_word_left },
	{ "\033[1;5C", MOVE, to_word_right },
	{ "\033[1;5D", MOVE, to_word_left }, { "\033b", MOVE, to_word_left },
	{ "\033d", CUT, to_word_right }, { "\033f", MOVE, to_word_right },
	{ "\033\x7f", CUT, to_word_left }, { "\033\x08", CUT, to_word_left } };

static enum line_event
do_key(struct line *l, const struct key *key)
{
	switch (key->act) {
	case MOVE:
		return move(l, key->to(l));
	case CUT:
		return cut(l, key->to(l));
	case DELETE:
		return l->text.len ? cut(l, key->to(l)) : LINE_END;
	case OLDER:
		return recall(l, l->back + 1);
	case NEWER:
		return recall(l, l->back - 1);
	case TAB:
		return insert(l, (const uint8_t *)"\t", 1);
	case CLEAR:
		return LINE_CLEAR;
	case ENTER:
		l->at = l->text.len;
		return LINE_ENTERED;
	}
	return LINE_NOTHING;
}

static enum line_event
do_keys(struct line *l)
{
	size_t n = l->nkeys, i;

	l->nkeys = 0;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strlen(table[i].keys) == n &&
			memcmp(table[i].keys, l->keys, n) == 0)
			return do_key(l, &table[i]);
	return LINE_NOTHING;
}

/* A sequence that begins with ESC: has it come to its end? */
static bool
is_whole(const uint8_t *keys, size_t n)
{
	uint8_t last = keys[n - 1];

	if (n == 1)
		return false;
	if (keys[1] == 'O')
		return n == 3;
	if (keys[1] != '[')
		return true;
	if (n > 2 && keys[2] == '[') /* the Linux console's F1 to F5 */
		return n == 4;
	return n > 2 && last >= 0x40 && last <= 0x7e;
}

static enum line_event
escape_key(struct line *l, uint8_t c)
{
	bool control = c < 0x20 && c != 0x08;

	if (l->nkeys > 0 && control) {
		l->nkeys = 0;
		return line_key(l, c);
	}
	if (l->nkeys == LINE_KEYS) /* longer than any known: only its end */
		l->nkeys--;
	l->keys[l->nkeys++] = c;
	return is_whole(l->keys, l->nkeys) ? do_keys(l) : LINE_NOTHING;
}

/* A byte of a character of two to four. */
static enum line_event
wide_key(struct line *l, uint8_t c)
{
	size_t held = l->nkeys;
	uint32_t code;

	l->keys[l->nkeys++] = c;
	if (utf8_wanted(l->keys, l->nkeys) > 0)
		return LINE_NOTHING;
	l->nkeys = 0;
	if (utf8_decode(l->keys, held + 1, &code) == held + 1 &&
		code != UTF8_BAD)
		return utf8_is_control(code) ? LINE_NOTHING
					     : insert(l, l->keys, held + 1);
	return held > 0 ? line_key(l, c) : LINE_NOTHING;
}

enum line_event
line_key(struct line *l, uint8_t c)
{
	if (l->nkeys > 0 ? l->keys[0] == ESC : c == ESC)
		return escape_key(l, c);
	if (c >= 0x80 || l->nkeys > 0)
		return wide_key(l, c);
	if (c >= 0x20 && c != DEL)
		return insert(l, &c, 1);
	l->keys[0] = c;
	l->nkeys = 1;
	return do_keys(l);
}

static bool
same_as_last(const struct line *l)
{
	const struct buf *last = &l->past[l->count - 1];

	return last->len == l->text.len &&
		memcmp(buf_data(last), buf_data(&l->text), last->len) == 0;
}

void
line_next(struct line *l)
{
	struct buf oldest = { 0 };

	if (l->text.len > 0 && (l->count == 0 || !same_as_last(l))) {
		if (l->count == LINE_PAST) {
			oldest = l->past[0];
			memmove(l->past, l->past + 1,
				(LINE_PAST - 1) * sizeof(l->past[0]));
			l->count--;
		}
		l->past[l->count] = oldest;
		put(&l->past[l->count], &l->text);
		l->count++;
	}
	l->text.len = l->text.head = 0;
	l->at = 0;
	l->back = 0;
}

/* Where the shown part begins, so that the cursor is in it; *column is the
 * cursor's place there. */
static size_t
first_shown(const struct line *l, int room, int *column)
{
	size_t start = l->at, length;

	*column = 0;
	while (start > 0) {
		size_t at = before(l, start);
		int width = column_width(char_at(l, at, &length));

		if (*column + width > room)
			break;
		*column += width;
		start = at;
	}
	return start;
}

void
line_draw(
	struct buf *out, const struct line *l, const char *prompt, int columns)
{
	int width = (int)strlen(prompt), room, column, used = 0;
	size_t at, length;

	if (width > columns / 2)
		width = columns / 2;
	room = columns - width - 1;
	if (room < 1)
		room = 1;
	buf_byte(out, '\r');
	buf_append(out, prompt, (size_t)width);
	for (at = first_shown(l, room, &column); at < l->text.len;
		at += length) {
		uint32_t c = char_at(l, at, &length);

		used += column_width(c);
		if (used > room)
			break;
		if (c == '\t')
			buf_byte(out, ' ');
		else
			buf_append(out, buf_data(&l->text) + at, length);
	}
	buf_string(out, "\x1b[K\r");
	if (width + column > 0)
		buf_printf(out, "\x1b[%dC", width + column);
}

void
line_wipe(struct buf *out)
{
	buf_string(out, "\r\x1b[K");
}

void
line_free(struct line *l)
{
	int i;

	for (i = 0; i < l->count; i++)
		buf_free(&l->past[i]);
	buf_free(&l->text);
	buf_free(&l->draft);
}
