/* line: a line editor for a terminal: keys in, a line out, and the drawing of
 * one row. Pure state: bytes are the caller's to read and to write, so that
 * other text can come in above the row at any time.
 *
 * Keys as readline(3) and every shell have them: arrows, Home, End, Delete,
 * history, Ctrl-A B D E F H K L N P U W, Alt-B D F and Backspace. Signals are
 * left to the terminal (ISIG): Ctrl-C and Ctrl-Z do not come here. */
#ifndef SOCKCTL_LINE_H
#define SOCKCTL_LINE_H

#include "buf.h"
#include <stddef.h>
#include <stdint.h>

enum { LINE_BYTES = 4096, LINE_PAST = 100, LINE_KEYS = 16 };

enum line_event {
	LINE_NOTHING,
	LINE_CHANGED, /* the row looks different now */
	LINE_ENTERED, /* text is a whole line, until line_next */
	LINE_END, /* Ctrl-D in an empty line */
	LINE_CLEAR, /* Ctrl-L: an empty screen is wanted */
};

/* A zeroed struct is an empty line without a history. */
struct line {
	struct buf text; /* valid UTF-8, at most LINE_BYTES */
	size_t at; /* the cursor, a byte of text */
	struct buf past[LINE_PAST]; /* oldest first */
	int count;
	int back; /* how far up in the history; 0: the line being typed */
	struct buf draft; /* that line, while the history is shown */
	uint8_t keys[LINE_KEYS]; /* of a sequence or character so far */
	size_t nkeys;
};

/* One byte from the terminal. */
enum line_event line_key(struct line *l, uint8_t c);
/* After LINE_ENTERED: the line goes into the history, an empty one begins. */
void line_next(struct line *l);
/* Appends what draws prompt (ASCII) and line on the row of the cursor, scrolled
 * sideways where columns are too few, and leaves the cursor in its place. */
void line_draw(
	struct buf *out, const struct line *l, const char *prompt, int columns);
/* Appends what empties that row, so that text can be written from there. */
void line_wipe(struct buf *out);
void line_free(struct line *l);

#endif
