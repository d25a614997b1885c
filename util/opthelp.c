/* opt's --help: a heading a group, a line or more a row. */
#include "opt.h"
#include <string.h>

enum { WIDTH = 79, COLUMN = 26 };

/* Appends text from column at on, wrapped to begin at COLUMN again. */
static void
wrap(struct buf *out, const char *text, size_t at)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (at + 1 + n > WIDTH && at > COLUMN) {
			buf_printf(out, "\n%*s", COLUMN, "");
			at = COLUMN;
		} else if (at > COLUMN) {
			buf_byte(out, ' ');
			at++;
		}
		buf_append(out, text, n);
		at += n;
		text += n + strspn(text + n, " ");
	}
	buf_byte(out, '\n');
}

static void
help_row(struct buf *out, const struct opt *row)
{
	struct buf text = { 0 };
	size_t start = out->len, width;
	const char *const *word = row->type == OPT_WORD ? row->words : NULL;
	const char *joint = ": ";

	if (row->letter)
		buf_printf(out, "  -%c%s", row->letter, row->name ? ", " : "");
	else
		buf_string(out, "      ");
	if (row->name)
		buf_printf(out, "--%s", row->name);
	if (row->word)
		buf_printf(
			out, "%s%s", row->word[0] == '[' ? "" : " ", row->word);
	width = out->len - start;
	if (width + 2 > COLUMN) {
		buf_byte(out, '\n');
		width = 0;
	}
	buf_printf(out, "%*s", (int)(COLUMN - width), "");
	buf_string(&text, row->help);
	/* A word that lists them says it all. */
	if (row->type != OPT_WORD || !row->word || strchr(row->word, '|'))
		word = NULL;
	for (; word && *word; word++, joint = ", ")
		buf_printf(&text, "%s%s", joint, *word);
	wrap(out, buf_cstr(&text), COLUMN);
	buf_free(&text);
}

void
opt_help(struct buf *out, const struct opt_group *groups)
{
	const struct opt_group *g;
	const struct opt *row;

	for (g = groups; g->rows; g++) {
		if (g->title && g->title[0])
			buf_printf(out, "\n%s:\n", g->title);
		for (row = g->rows; row->name || row->letter; row++) {
			if (row->type != OPT_REFUSED && row->help)
				help_row(out, row);
		}
	}
}
