/* field: the typed members that an event is made of. Text and JSON are both
 * made from them. */
#ifndef SOCKCTL_FIELD_H
#define SOCKCTL_FIELD_H

#include "buf.h"
#include "hist.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field of an event. Made by the F_ macros below; strings are borrowed for
 * the call only. */
enum field_type {
	FIELD_INT,
	FIELD_UINT,
	FIELD_REAL,
	FIELD_STRING, /* bytes; NULL is null */
	FIELD_BOOL,
	FIELD_NULL,
	FIELD_OBJECT, /* fields below it */
	FIELD_ARRAY, /* its fields' names are not shown */
};

struct field {
	const char *name;
	enum field_type type;
	union {
		int64_t i;
		uint64_t u;
		double r;
		bool b;
		const char *s;
		const struct field *of;
	} v;
	size_t n; /* length of a string or array or object; decimals of a
		     real */
};

/* F_INT takes -1 as a value; F_KNOWN shows a negative number as null. */
#define F_INT(name, x) \
	{ \
		name, FIELD_INT, { .i = (x) }, 0 \
	}
#define F_KNOWN(name, x) field_known(name, x)
#define F_UINT(name, x) \
	{ \
		name, FIELD_UINT, { .u = (x) }, 0 \
	}
#define F_REAL(name, x, decimals) \
	{ \
		name, FIELD_REAL, { .r = (x) }, decimals \
	}
#define F_STR(name, x) field_string(name, x)
#define F_BYTES(name, x, len) \
	{ \
		name, FIELD_STRING, { .s = (x) }, len \
	}
#define F_BOOL(name, x) \
	{ \
		name, FIELD_BOOL, { .b = (x) }, 0 \
	}
#define F_NULL(name) \
	{ \
		name, FIELD_NULL, { .i = 0 }, 0 \
	}
#define F_OBJ(name, fields, count) \
	{ \
		name, FIELD_OBJECT, { .of = (fields) }, count \
	}
#define F_ARR(name, fields, count) \
	{ \
		name, FIELD_ARRAY, { .of = (fields) }, count \
	}
struct field field_known(const char *name, int64_t x);
struct field field_string(const char *name, const char *s);

/* An object of a histogram's values in microseconds, null where it is empty: n
 * rows, each into its place in room. */
struct field_percentile {
	const char *name;
	double percent; /* below 0: the mean */
};
struct field field_hist(const char *name, const struct hist *h,
	const struct field_percentile *rows, size_t n, struct field *room);

/* Appends the value of f as JSON. */
void field_json(struct buf *out, const struct field *f);
/* The one called name ("rtt_ms.min": in the object rtt_ms), NULL if none. */
const struct field *field_find(
	const struct field *fields, size_t n, const char *name);
/* Null, false, an empty string or array; an object too, for its members are
 * what can be shown. */
bool field_absent(const struct field *f);
double field_number(const struct field *f); /* 0 where it is none */

#endif
