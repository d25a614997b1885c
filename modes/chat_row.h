/* chat_row: the row of the terminal where the user types, kept below what comes
 * in. The terminal is as it was while the process is stopped, in the background
 * or ended. */
#ifndef SOCKCTL_CHAT_ROW_H
#define SOCKCTL_CHAT_ROW_H

#include "../util/line.h"
#include "../util/loop.h"
#include "../util/sink.h"
#include <termios.h>

struct chat_row {
	struct loop *loop;
	struct sink *out;
	struct line line;
	struct termios before; /* once it is known */
	bool known;
	bool raw; /* the terminal is ours */
	struct timer look; /* for the foreground */
};

/* Takes signals: SIGTSTP, SIGCONT, SIGWINCH, SIGQUIT. */
void chat_row_open(struct chat_row *row, struct loop *l, struct sink *out);
/* A line from somewhere else, without its newline: above the row. */
void chat_row_print(struct chat_row *row, const void *line, size_t n);
/* The same for who writes that line himself: wiped before it, drawn after. */
void chat_row_wipe(struct chat_row *row);
void chat_row_draw(struct chat_row *row);
/* A key. At LINE_ENTERED the row was written as a line of its own; line.text is
 * valid until chat_row_next. */
enum line_event chat_row_key(struct chat_row *row, uint8_t c);
void chat_row_next(struct chat_row *row);
/* The row is wiped and the terminal as it was. May be called again. */
void chat_row_close(struct chat_row *row);

#endif
