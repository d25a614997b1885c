#include "chat_row.h"
#include "../util/clock.h"
#include "../util/term.h"
#include <signal.h>
#include <unistd.h>

#define PROMPT "> "

enum { CHAT_LOOK = 250 }; /* ms between looks for the foreground */

static void
draw(struct chat_row *row, struct buf *out)
{
	if (row->raw)
		line_draw(out, &row->line, PROMPT, term_width(STDOUT_FILENO));
}

static void
put(struct chat_row *row, struct buf *out)
{
	if (out->len > 0)
		sink_write(row->out, buf_data(out), out->len);
	buf_free(out);
}

void
chat_row_draw(struct chat_row *row)
{
	struct buf out = { 0 };

	draw(row, &out);
	put(row, &out);
}

void
chat_row_wipe(struct chat_row *row)
{
	struct buf out = { 0 };

	if (row->raw)
		line_wipe(&out);
	put(row, &out);
}

void
chat_row_print(struct chat_row *row, const void *line, size_t n)
{
	struct buf out = { 0 };

	if (row->raw)
		line_wipe(&out);
	buf_append(&out, line, n);
	buf_byte(&out, '\n');
	draw(row, &out);
	put(row, &out);
}

/* The row stays above as it was typed, whole. */
static void
keep(struct chat_row *row)
{
	struct buf out = { 0 };

	line_wipe(&out);
	buf_string(&out, PROMPT);
	if (row->line.text.len > 0)
		buf_append(&out, buf_data(&row->line.text), row->line.text.len);
	buf_byte(&out, '\n');
	put(row, &out);
}

enum line_event
chat_row_key(struct chat_row *row, uint8_t c)
{
	struct buf out = { 0 };
	enum line_event event = line_key(&row->line, c);

	switch (event) {
	case LINE_CLEAR:
		buf_string(&out, "\033[H\033[2J");
		put(row, &out);
		chat_row_draw(row);
		break;
	case LINE_CHANGED:
		chat_row_draw(row);
		break;
	case LINE_ENTERED:
		keep(row);
		break;
	case LINE_NOTHING:
	case LINE_END:
		break;
	}
	return event;
}

void
chat_row_next(struct chat_row *row)
{
	line_next(&row->line);
	chat_row_draw(row);
}

static void
release(struct chat_row *row)
{
	struct buf out = { 0 };

	loop_cancel(row->loop, &row->look);
	if (!row->raw)
		return;
	line_wipe(&out);
	put(row, &out);
	row->raw = false;
	if (term_foreground(STDIN_FILENO))
		term_cooked(STDIN_FILENO, &row->before);
}

/* Takes the terminal, once this is its foreground. */
static void
take(void *arg)
{
	struct chat_row *row = arg;
	struct termios mode;

	if (row->raw)
		return;
	if (!term_foreground(STDIN_FILENO)) {
		loop_timer(
			row->loop, &row->look, CHAT_LOOK * CLOCK_MS, take, row);
		return;
	}
	row->raw = term_raw(STDIN_FILENO, &mode) == 0;
	if (row->raw && !row->known)
		row->before = mode;
	row->known = row->known || row->raw;
	chat_row_draw(row);
}

static void
on_signal(void *arg, int signo)
{
	struct chat_row *row = arg;

	switch (signo) {
	case SIGWINCH:
		chat_row_draw(row);
		return;
	case SIGTSTP:
		release(row);
		raise(SIGSTOP);
		break;
	case SIGQUIT:
		release(row);
		loop_signal(row->loop, SIGQUIT, NULL, NULL);
		raise(SIGQUIT);
		return;
	case SIGCONT: /* whoever stopped it may have changed the terminal */
		row->raw = false;
		break;
	}
	take(row);
}

void
chat_row_open(struct chat_row *row, struct loop *l, struct sink *out)
{
	static const int signals[] = { SIGTSTP, SIGCONT, SIGWINCH, SIGQUIT };
	size_t i;

	row->loop = l;
	row->out = out;
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		loop_signal(l, signals[i], on_signal, row);
	take(row);
}

void
chat_row_close(struct chat_row *row)
{
	if (!row->loop)
		return;
	release(row);
	line_free(&row->line);
	row->loop = NULL;
}
