#include "opt.h"
#include "mem.h"
#include "optvalue.h"
#include "utf8.h"
#include <string.h>

enum { SHOWN_MAX = 80 }; /* bytes of a user's word in a message */

struct parsing {
	const struct opt_group *groups;
	char *conf;
	opt_objection *object;
	void *arg;
	struct err *err;
	char **next; /* to be looked at */
	char **args;
	int count;
	bool help, failed, usage; /* usage: err holds a usage error */
};

/* An option as it was found: its row, and how it was written. */
struct found {
	const struct opt *row;
	size_t base; /* of its group's struct in the settings */
	char name[SHOWN_MAX + 4]; /* with its dashes */
	const char *bare; /* without: points into name */
};

/* The first usage error is told; it goes before a file's error. */
static void
fail(struct parsing *p, const struct err *e)
{
	if (p->usage || (p->failed && e->op))
		return;
	*p->err = *e;
	p->failed = true;
	p->usage = !e->op;
}

/* "--name 'value': sentence", value may be NULL. */
static void
complain(struct parsing *p, const char *name, const char *value,
	const char *sentence)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	utf8_escape(&b, name, strlen(name));
	if (value) {
		size_t n = strlen(value);

		buf_string(&b, " '");
		utf8_escape(&b, value, n > SHOWN_MAX ? SHOWN_MAX : n);
		buf_string(&b, n > SHOWN_MAX ? "...'" : "'");
	}
	err_setf(&e, NULL, 0, NULL, "%s: %s", buf_cstr(&b), sentence);
	buf_free(&b);
	fail(p, &e);
}

static bool
is_end(const struct opt *row)
{
	return !row->name && !row->letter;
}

static const struct opt *
find(const struct opt_group *groups, const char *name, char letter,
	size_t *base)
{
	const struct opt_group *g;
	const struct opt *row;

	for (g = groups; g->rows; g++) {
		for (row = g->rows; !is_end(row); row++) {
			if (name ? row->name && strcmp(row->name, name) == 0
				 : letter && row->letter == letter) {
				*base = g->base;
				return row;
			}
		}
	}
	return NULL;
}

const struct opt *
opt_find(const struct opt_group *groups, const char *name, char letter)
{
	size_t base;

	return find(groups, name, letter, &base);
}

static void
take(struct parsing *p, const struct found *f, const char *value)
{
	void *field = p->conf + f->base + f->row->offset;
	struct err e = { 0 };

	if (opt_value(f->row, field, value, &e) == 0)
		return;
	if (e.op)
		fail(p, &e);
	else
		complain(p, f->name, value, e.text);
}

static bool
wants_value(const struct opt *row)
{
	return row->word && row->word[0] != '[';
}

static bool
is_help(const char *word)
{
	return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

/* Whether word is exactly an option of this mode. */
static bool
is_option(const struct parsing *p, const char *word)
{
	if (word[0] != '-' || !word[1])
		return false;
	if (word[1] == '-')
		return opt_find(p->groups, word + 2, 0);
	return !word[2] && opt_find(p->groups, NULL, word[1]);
}

/* The word behind an option that wants one; NULL after a complaint. */
static const char *
next_value(struct parsing *p, const struct found *f)
{
	struct buf b = { 0 };
	char *word = *p->next;

	if (word && is_help(word)) {
		p->help = true;
		return NULL;
	}
	if (word && !is_option(p, word)) {
		p->next++;
		return word;
	}
	buf_printf(&b, "needs a value, %s", f->row->word);
	if (word)
		buf_printf(&b, ", and %s is an option itself (%s%s%s if meant)",
			word, f->name, f->name[1] == '-' ? "=" : "", word);
	complain(p, f->name, NULL, buf_cstr(&b));
	buf_free(&b);
	return NULL;
}

/* Objections go before everything: "flood -s" must not ask for an address. */
static bool
objected(struct parsing *p, const struct found *f, const char *value)
{
	const char *sentence = p->object
		? p->object(p->arg, f->row, f->bare, value)
		: NULL;

	if (!sentence && f->row && f->row->type == OPT_REFUSED)
		sentence = f->row->help;
	if (sentence)
		complain(p, f->name, NULL, sentence);
	return sentence;
}

/* value: what is glued to the option, NULL where nothing is. */
static void
take_option(struct parsing *p, const struct found *f, const char *value)
{
	if (objected(p, f, value || !wants_value(f->row) ? value : *p->next))
		return;
	if (!f->row->word && value) {
		complain(p, f->name, value, "the option takes no value");
		return;
	}
	if (!value && wants_value(f->row)) {
		value = next_value(p, f);
		if (!value)
			return;
	}
	take(p, f, value);
}

/* The long option that begins with word, where there is only one. */
static const char *
unabbreviated(const struct opt_group *groups, const char *word)
{
	const struct opt_group *g;
	const struct opt *row;
	const char *only = NULL;

	for (g = groups; g->rows; g++) {
		for (row = g->rows; !is_end(row); row++) {
			if (!row->name ||
				strncmp(row->name, word, strlen(word)) != 0)
				continue;
			if (only)
				return NULL;
			only = row->name;
		}
	}
	return only;
}

static void
unknown(struct parsing *p, const struct found *f, const char *value)
{
	struct buf b = { 0 };
	const char *full;

	if (objected(p, f, value))
		return;
	full = f->name[1] == '-' ? unabbreviated(p->groups, f->bare) : NULL;
	buf_string(&b, "unknown option");
	if (full)
		buf_printf(&b, ", in full --%s", full);
	complain(p, f->name, NULL, buf_cstr(&b));
	buf_free(&b);
}

static void
take_long(struct parsing *p, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t n = equals ? (size_t)(equals - word) : strlen(word);
	struct found f = { 0 };

	if (n > SHOWN_MAX)
		n = SHOWN_MAX;
	memcpy(f.name, "--", 2);
	memcpy(f.name + 2, word, n);
	f.bare = f.name + 2;
	f.row = find(p->groups, f.bare, 0, &f.base);
	if (f.row)
		take_option(p, &f, equals ? equals + 1 : NULL);
	else
		unknown(p, &f, equals ? equals + 1 : NULL);
}

/* -4v, -p4000, -p 4000 */
static void
take_letters(struct parsing *p, const char *word)
{
	for (; *word; word++) {
		struct found f = { .name = { '-', *word } };
		const char *rest = word[1] ? word + 1 : NULL;

		f.bare = f.name + 1;
		if (*word == 'h') {
			p->help = true;
			continue;
		}
		f.row = find(p->groups, NULL, *word, &f.base);
		if (!f.row) {
			unknown(p, &f, rest ? rest : *p->next);
			return;
		}
		if (f.row->word) {
			take_option(p, &f, rest);
			return;
		}
		take_option(p, &f, NULL);
	}
}

int
opt_parse(const struct opt_group *groups, void *conf, int argc, char **argv,
	char ***args, int *argc_out, int *after, opt_objection *object,
	void *arg, struct err *err)
{
	struct parsing p = { .groups = groups,
		.conf = conf,
		.object = object,
		.arg = arg,
		.err = err,
		.next = argv + 1 };
	char *word;

	p.args = mem_zero((size_t)argc + 1, sizeof p.args[0]);
	*after = -1;
	while ((word = *p.next) != NULL) {
		p.next++;
		if (strcmp(word, "--") == 0)
			break;
		if (strcmp(word, "--help") == 0)
			p.help = true;
		else if (word[0] == '-' && word[1] == '-')
			take_long(&p, word + 2);
		else if (word[0] == '-' && word[1])
			take_letters(&p, word + 1);
		else
			p.args[p.count++] = word;
	}
	*after = p.count;
	while (*p.next)
		p.args[p.count++] = *p.next++;
	*args = p.args;
	*argc_out = p.count;
	if (p.help)
		return 1;
	return p.failed ? -1 : 0;
}
