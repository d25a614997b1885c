/* opt: options as rows.
 *
 * One row an option: from the rows come getopt_long's arrays, checking, --help,
 * the completions and the test that every option stands in its man page. A
 * group of rows belongs to one struct (a module's settings); a mode lists the
 * groups that it has and where in its own settings each struct lies. */
#ifndef SOCKCTL_OPT_H
#define SOCKCTL_OPT_H

#include "addr.h"
#include "buf.h"
#include "cidr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The type of a row's field stands behind each. */
enum opt_type {
	OPT_FLAG, /* bool: set to true */
	OPT_NOT, /* bool: set to false */
	OPT_STRING, /* const char *; not empty */
	OPT_INT, /* int64_t, min..max */
	OPT_COUNT, /* int64_t, min..max or inf (INT64_MAX) */
	OPT_SIZE, /* uint64_t bytes, min..max */
	OPT_TIME, /* int64_t ns, from min; inf where max is 1 */
	OPT_RATE, /* uint64_t bytes a second */
	OPT_REAL, /* double, min..max */
	OPT_TEXT, /* struct opt_text: C escapes, or @FILE's bytes */
	OPT_WORD, /* int: index in words */
	OPT_OCTAL, /* uint32_t up to max */
	OPT_PARSE, /* parse() below does it all; field is its own */
	OPT_NOTHING, /* taken, changes nothing (nc's -N, -k) */
	OPT_REFUSED, /* usage error; help is the sentence that names what to
			type instead; not shown by --help */
};

struct opt_list {
	const char **item;
	int count;
};

struct opt_text {
	uint8_t *data;
	size_t len;
	bool given;
};

struct opt {
	const char *name; /* long, NULL for none */
	char letter; /* 0 for none */
	uint16_t offset; /* of the field in the group's struct: OPT_AT */
	enum opt_type type;
	const char *word; /* the argument's word in --help ("TIME", "PORT");
			     "[=TIME]" style for an optional one: begins
			     with '['. NULL: no argument */
	const char *help; /* a phrase, no period */
	int64_t min, max;
	union {
		const char *const *words; /* OPT_WORD, NULL-terminated */
		/* OPT_PARSE: field is base + offset, value NULL for an optional
		 * argument that was left out, never empty. -1 with a sentence
		 * in err (op NULL for a usage error: it is told after "--name
		 * 'value': "). */
		int (*parse)(void *field, const char *value,
			const struct opt *row, struct err *err);
	};
	/* Where completion looks: NULL, "file", "dir", "interface", "host",
	 * "congestion", "sockopt", or words. */
	const char *complete;
};

/* A field's offset that does not compile when the field has another type:
 * { "backlog", 0, OPT_INT, "N", "...", OPT_AT(struct x, backlog, int64_t) } */
#define OPT_AT(st, field, type) \
	(uint16_t)(offsetof(st, field) + \
		(size_t) _Generic(((st *)0)->field, type : 0))

struct opt_group {
	const char *title; /* a heading of --help */
	const struct opt *rows; /* ends with a row without name and letter */
	size_t base; /* of the group's struct in the settings */
};

/* What a user of other programs may have meant: asked of each option, before
 * it is taken, by its letter or its name without dashes. row is NULL for an
 * unknown one; value is NULL where there is none. Returns NULL, or the sentence
 * that refuses it. */
typedef const char *opt_objection(void *arg, const struct opt *row,
	const char *option, const char *value);

/* Parses argv[1..]: options may stand before or after the arguments, "--" ends
 * them. Fills conf (defaults are in it already). The arguments are left in
 * args (a new array, the caller's), *after the index of the first one behind
 * "--" (or *argc_out). Returns 0; 1 when -h or --help was there (whatever else
 * is wrong); -1 for a usage error, its one sentence in err->text ("--backlog
 * 'x': not a whole number from 1 to 2147483647"); a bad @FILE has op open or
 * read. Abbreviated long options are errors, and so is an option where another
 * one's value should stand (--log --json; --log=--json is one). Of an option
 * that is given twice the last one counts. Nothing is printed. */
int opt_parse(const struct opt_group *groups, void *conf, int argc, char **argv,
	char ***args, int *argc_out, int *after, opt_objection *object,
	void *arg, struct err *err);

/* Appends the option part of --help, at most 79 columns wide: a heading a
 * group, "  -p, --port PORT  help", wrapped. */
void opt_help(struct buf *out, const struct opt_group *groups);

/* The row of a long name or of a letter, NULL if none. */
const struct opt *opt_find(
	const struct opt_group *groups, const char *name, char letter);
void opt_list_add(struct opt_list *l, const char *s);
/* Reads a whole file (at most max bytes) into out. */
int opt_read_file(
	struct buf *out, const char *path, size_t max, struct err *err);

#endif
