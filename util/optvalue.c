#include "optvalue.h"
#include "mem.h"
#include "num.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_FILE_MAX = 16 << 20 };

void
opt_list_add(struct opt_list *l, const char *s)
{
	l->item = mem_grow(l->item, (size_t)l->count + 1, sizeof l->item[0]);
	l->item[l->count++] = s;
}

int
opt_read_file(struct buf *out, const char *path, size_t max, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return err_set(err, "open", errno, path);
	do {
		size_t room = max - out->len < 65536 ? max - out->len : 65536;

		n = read(fd, buf_room(out, room + 1), room + 1);
		if (n > 0)
			buf_added(out, (size_t)n);
		if (out->len > max) {
			close(fd);
			return err_setf(err, "read", EFBIG, path,
				"larger than %zu bytes", max);
		}
	} while (n > 0 || (n == -1 && errno == EINTR));
	if (n == -1)
		err_set(err, "read", errno, path);
	close(fd);
	return n == -1 ? -1 : 0;
}

static void
put_range(struct buf *b, const char *what, const struct opt *row)
{
	buf_printf(b, "not a %s from %" PRId64, what, row->min);
	if (row->max)
		buf_printf(b, " to %" PRId64, row->max);
	else
		buf_string(b, " up");
}

/* What would be right, as a phrase behind the value. */
static void
expected(struct buf *b, const struct opt *row)
{
	const char *const *word;
	char least[NUM_MAX];

	switch (row->type) {
	case OPT_INT:
		put_range(b, "whole number", row);
		return;
	case OPT_COUNT:
		put_range(b, "whole number", row);
		buf_string(b, " or inf");
		return;
	case OPT_SIZE:
		put_range(b, "size", row);
		buf_string(b, " (4096, 64K, 1M)");
		return;
	case OPT_TIME:
		buf_string(b, "not a time");
		if (row->min > 1)
			buf_printf(b, " from %s up",
				num_show_time(row->min, least));
		else if (row->min > 0)
			buf_string(b, " above zero");
		buf_printf(
			b, " (5, 0.5, 250ms, 2m%s)", row->max ? ", inf" : "");
		return;
	case OPT_RATE:
		buf_string(b, "not a rate (800kbit, 80mbit, 10M/s)");
		return;
	case OPT_REAL:
		put_range(b, "number", row);
		return;
	case OPT_WORD:
		buf_string(b, "not one of ");
		for (word = row->words; *word; word++)
			buf_printf(b, "%s%s", word == row->words ? "" : ", ",
				*word);
		return;
	case OPT_OCTAL:
		buf_printf(b, "not an octal number up to %" PRIo64,
			row->max ? (uint64_t)row->max : UINT32_MAX);
		return;
	case OPT_TEXT:
		buf_string(b,
			"not a text with C escapes such as \\r\\n and \\x00");
		return;
	case OPT_STRING:
	case OPT_FLAG:
	case OPT_NOT:
	case OPT_PARSE:
	case OPT_NOTHING:
	case OPT_REFUSED:
		buf_printf(
			b, "%s is expected", row->word ? row->word : "a value");
		return;
	}
}

static int
parse_word(int *out, const char *const *words, const char *value)
{
	int i;

	for (i = 0; words[i]; i++) {
		if (strcmp(words[i], value) == 0) {
			*out = i;
			return 0;
		}
	}
	return -1;
}

static int
parse_text(struct opt_text *t, const char *value, struct err *err)
{
	struct buf b = { 0 };
	int result = *value == '@'
		? opt_read_file(&b, value + 1, TEXT_FILE_MAX, err)
		: num_text(value, &b);

	if (result == 0 && b.len == 0)
		result = *value == '@'
			? err_setf(err, NULL, 0, NULL, "the file is empty")
			: -1;
	if (result == 0 && t->given)
		free(t->data);
	if (result == 0)
		*t = (struct opt_text){ mem_copy(buf_data(&b), b.len), b.len,
			true };
	buf_free(&b);
	return result;
}

/* -1 with err empty: expected() says what is wrong. */
static int
convert(const struct opt *row, void *field, const char *value, struct err *err)
{
	int64_t max = row->max ? row->max : INT64_MAX;

	switch (row->type) {
	case OPT_FLAG:
	case OPT_NOT:
		*(bool *)field = row->type == OPT_FLAG;
		return 0;
	case OPT_STRING:
		*(const char **)field = value;
		return *value ? 0 : -1;
	case OPT_COUNT:
		if (strcmp(value, "inf") == 0) {
			*(int64_t *)field = INT64_MAX;
			return 0;
		}
		return num_int(value, row->min, max, field);
	case OPT_INT:
		return num_int(value, row->min, max, field);
	case OPT_SIZE:
		return num_size(
			value, (uint64_t)row->min, (uint64_t)max, field);
	case OPT_TIME:
		return num_time(value, row->min, row->max == 1, field);
	case OPT_RATE:
		return num_rate(value, field);
	case OPT_REAL:
		return num_real(value, (double)row->min, (double)max, field);
	case OPT_TEXT:
		return parse_text(field, value, err);
	case OPT_WORD:
		return parse_word(field, row->words, value);
	case OPT_OCTAL:
		return num_octal(value,
			row->max ? (uint32_t)row->max : UINT32_MAX, field);
	case OPT_PARSE:
		if (value && !*value)
			return -1;
		return row->parse(field, value, row, err);
	case OPT_NOTHING:
	case OPT_REFUSED:
		return 0;
	}
	return -1;
}

int
opt_value(
	const struct opt *row, void *field, const char *value, struct err *err)
{
	struct buf b = { 0 };

	if (convert(row, field, value, err) == 0)
		return 0;
	if (!err->op && !err->text[0]) {
		expected(&b, row);
		err_setf(err, NULL, 0, NULL, "%s", buf_cstr(&b));
		buf_free(&b);
	}
	return -1;
}
