#include "script.h"
#include "mem.h"
#include "num.h"
#include "opt.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What follows a word. */
enum operand { NOTHING, SIZE, TEXT, BYTES, SIZES, TIME, WAY };

static const struct word {
	const char *name;
	enum operand operand;
} words[] = {
	[SCRIPT_SEND] = { "send", BYTES },
	[SCRIPT_SENDALL] = { "sendall", BYTES },
	[SCRIPT_WRITEV] = { "writev", SIZES },
	[SCRIPT_RECV] = { "recv", SIZE },
	[SCRIPT_RECVALL] = { "recvall", SIZE },
	[SCRIPT_PEEK] = { "peek", SIZE },
	[SCRIPT_OOB] = { "oob", TEXT },
	[SCRIPT_RECVOOB] = { "recvoob", NOTHING },
	[SCRIPT_EXPECT] = { "expect", TEXT },
	[SCRIPT_ECHO] = { "echo", SIZE },
	[SCRIPT_FILL] = { "fill", NOTHING },
	[SCRIPT_DRAIN] = { "drain", NOTHING },
	[SCRIPT_SLEEP] = { "sleep", TIME },
	[SCRIPT_KEY] = { "key", NOTHING },
	[SCRIPT_SHUTDOWN] = { "shutdown", WAY },
	[SCRIPT_CLOSE] = { "close", NOTHING },
	[SCRIPT_RESET] = { "reset", NOTHING },
	[SCRIPT_OPEN] = { "(", NOTHING },
	[SCRIPT_SHUT] = { ")", NOTHING },
};

static const char *const ways[] = { "rd", "wr", "both" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct parser {
	struct script *script;
	const char *text, *at;
	size_t open[SCRIPT_DEPTH];
	int depth;
	unsigned number;
	size_t room;
	struct err *err;
};

const char *
script_word(int op)
{
	return op >= 0 && (size_t)op < COUNT(words) ? words[op].name : NULL;
}

void
script_pattern(uint8_t *out, size_t n, uint64_t offset)
{
	static const char pattern[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = (uint8_t)pattern[(offset + i) % (COUNT(pattern) - 1)];
}

static int
wrong(struct parser *p, const char *at, const char *what)
{
	size_t place = (size_t)(at - p->text) + 1;
	int len = (int)strcspn(at, " \t\n;()");

	if (len > 20)
		len = 20;
	if (*at == '(' || *at == ')')
		len = 1;
	if (*at == '\0')
		return err_setf(p->err, NULL, 0, NULL,
			"at character %zu, the end: %s", place, what);
	return err_setf(p->err, NULL, 0, NULL, "at character %zu, '%.*s': %s",
		place, len, at, what);
}

static void
skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

/* A bare word, copied; "" at a separator. */
static void
bare_word(struct parser *p, char *out, size_t size)
{
	size_t len = strcspn(p->at, " \t\n;()");
	size_t kept = len < size ? len : size - 1;

	memcpy(out, p->at, kept);
	out[kept] = '\0';
	p->at += len;
}

static struct script_step *
add(struct parser *p, enum script_op op)
{
	struct script *s = p->script;

	if (s->count == p->room) {
		p->room = p->room ? 2 * p->room : 16;
		s->step = mem_grow(s->step, p->room, sizeof(*s->step));
	}
	s->step[s->count] = (struct script_step){ .op = op };
	return &s->step[s->count++];
}

/* The end of a quoted text, NULL where there is none. */
static const char *
quote_end(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at : NULL;
}

static int
quoted(struct parser *p, struct script_step *s)
{
	const char *at = p->at, *end = quote_end(at);
	char *inner;
	int result;

	if (!end)
		return wrong(p, at, "the text has no closing quote");
	inner = mem_copy(at, (size_t)(end - at) + 1);
	inner[end - at] = '\0';
	result = num_text(inner + 1, &s->text);
	free(inner);
	if (result == -1)
		return wrong(p, at, "not a C escape");
	p->at = end + 1;
	s->n = s->text.len;
	return 0;
}

static int
file_bytes(struct parser *p, struct script_step *s)
{
	char name[4096];

	p->at++;
	bare_word(p, name, sizeof(name));
	if (opt_read_file(&s->text, name, SCRIPT_BYTES, p->err) == -1)
		return -1;
	s->n = s->text.len;
	return 0;
}

static int
size(struct parser *p, uint64_t *n)
{
	const char *at = p->at;
	char word[32];

	bare_word(p, word, sizeof(word));
	if (num_size(word, 1, SCRIPT_BYTES, n) == -1)
		return wrong(p, at, "not a number of bytes (1 to 1G)");
	return 0;
}

static int
text_or_size(struct parser *p, struct script_step *s, bool sizes)
{
	const char *at = p->at;

	if (*at == '"' || *at == '@') {
		if ((*at == '"' ? quoted(p, s) : file_bytes(p, s)) == -1)
			return -1;
		if (s->n == 0)
			return wrong(p, at, "nothing to send or to expect");
		return 0;
	}
	if (!sizes)
		return wrong(p, at, "a \"TEXT\" or @FILE belongs here");
	return size(p, &s->n);
}

static int
pieces(struct parser *p, struct script_step *s)
{
	const char *at;
	uint64_t n, sum = 0;

	s->pieces = mem_zero(SCRIPT_PIECES, sizeof(*s->pieces));
	for (s->n = 0;; s->n++) {
		skip_blanks(p);
		at = p->at;
		if (!*p->at || strchr(";)", *p->at))
			break;
		if (s->n == SCRIPT_PIECES)
			return wrong(p, p->at, "more than 64 pieces");
		if (size(p, &n) == -1)
			return -1;
		sum += n;
		if (sum > SCRIPT_ROOM)
			return wrong(p, at, "more than 64M in all pieces");
		s->pieces[s->n] = (uint32_t)n;
	}
	return s->n ? 0
		    : wrong(p, p->at, "the sizes of the pieces belong here");
}

static int
way(struct parser *p, struct script_step *s)
{
	const char *at = p->at;
	char word[8];

	bare_word(p, word, sizeof(word));
	for (s->n = 0; s->n < COUNT(ways); s->n++)
		if (strcmp(word, ways[s->n]) == 0)
			return 0;
	return wrong(p, at, "rd, wr or both belongs here");
}

static int
duration(struct parser *p, struct script_step *s)
{
	const char *at = p->at;
	char word[32];

	bare_word(p, word, sizeof(word));
	if (num_time(word, 0, 1, &s->time) == -1)
		return wrong(p, at, "not a time");
	return 0;
}

static int
operand(struct parser *p, struct script_step *s)
{
	switch (words[s->op].operand) {
	case NOTHING:
		return 0;
	case SIZE:
		return size(p, &s->n);
	case TEXT:
		return text_or_size(p, s, false);
	case BYTES:
		return text_or_size(p, s, true);
	case SIZES:
		return pieces(p, s);
	case TIME:
		return duration(p, s);
	case WAY:
		return way(p, s);
	}
	return 0;
}

static int
open_group(struct parser *p)
{
	if (p->depth == SCRIPT_DEPTH)
		return wrong(p, p->at, "groups are at most 16 deep");
	p->open[p->depth++] = p->script->count;
	add(p, SCRIPT_OPEN);
	p->at++;
	return 0;
}

/* ")", and how often: "* N", "*", or once. */
static int
shut_group(struct parser *p)
{
	struct script_step *s;
	const char *at = p->at;
	char word[32];
	int64_t times = 1;

	if (p->depth == 0)
		return wrong(p, at, "no group is open here");
	p->depth--;
	if (p->open[p->depth] + 1 == p->script->count)
		return wrong(p, at, "the group is empty");
	p->at++;
	skip_blanks(p);
	if (*p->at == '*') {
		p->at++;
		skip_blanks(p);
		at = p->at;
		bare_word(p, word, sizeof(word));
		times = 0;
		if (word[0] && num_int(word, 1, INT32_MAX, &times) == -1)
			return wrong(p, at, "not a number of times");
	}
	s = add(p, SCRIPT_SHUT);
	s->n = (uint64_t)times;
	s->begin = p->open[p->depth];
	return 0;
}

static int
plain_step(struct parser *p)
{
	const char *at = p->at;
	struct script_step *s;
	char word[16];
	int op;

	bare_word(p, word, sizeof(word));
	for (op = 0; op < SCRIPT_OPEN; op++)
		if (strcmp(word, words[op].name) == 0)
			break;
	if (op == SCRIPT_OPEN)
		return wrong(p, at, "no such step");
	if (p->script->count >= SCRIPT_STEPS)
		return wrong(p, at, "more than 100000 steps");
	s = add(p, (enum script_op)op);
	s->number = ++p->number;
	skip_blanks(p);
	return operand(p, s);
}

/* What may stand behind a step: a separator, the end of a group, the end. */
static int
separator(struct parser *p)
{
	skip_blanks(p);
	if (*p->at == ';') {
		p->at++;
		return 0;
	}
	if (*p->at && *p->at != ')')
		return wrong(p, p->at, "a ; belongs here");
	return 0;
}

static int
parse(struct parser *p)
{
	int result;

	for (skip_blanks(p); *p->at; skip_blanks(p)) {
		if (*p->at == ';') {
			p->at++;
			continue;
		}
		if (*p->at == '(') {
			result = open_group(p);
		} else {
			result = *p->at == ')' ? shut_group(p) : plain_step(p);
			if (result == 0)
				result = separator(p);
		}
		if (result == -1)
			return -1;
	}
	if (p->depth > 0)
		return wrong(p, p->at, "a group is not closed");
	return p->number ? 0 : wrong(p, p->at, "no step");
}

int
script_parse(struct script *s, const char *text, struct err *err)
{
	struct parser p = { .script = s, .text = text, .at = text, .err = err };

	memset(s, 0, sizeof(*s));
	if (parse(&p) == 0)
		return 0;
	script_free(s);
	return -1;
}

void
script_free(struct script *s)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		buf_free(&s->step[i].text);
		free(s->step[i].pieces);
	}
	free(s->step);
	memset(s, 0, sizeof(*s));
}
