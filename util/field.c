#include "field.h"

#include "json.h"
#include <string.h>

struct field
field_known(const char *name, int64_t x)
{
	if (x < 0)
		return (struct field)F_NULL(name);
	return (struct field)F_INT(name, x);
}

struct field
field_string(const char *name, const char *s)
{
	return (struct field)F_BYTES(name, s, s == NULL ? 0 : strlen(s));
}

static struct field
percentile(const struct hist *h, const struct field_percentile *row)
{
	double ns = row->percent < 0 ? hist_mean(h)
				     : (double)hist_percentile(h, row->percent);

	if (h->count == 0)
		return (struct field)F_NULL(row->name);
	return (struct field)F_REAL(row->name, ns / 1e3, 3);
}

struct field
field_hist(const char *name, const struct hist *h,
	const struct field_percentile *rows, size_t n, struct field *room)
{
	for (size_t i = 0; i < n; i++)
		room[i] = percentile(h, &rows[i]);
	return (struct field)F_OBJ(name, room, n);
}

const struct field *
field_find(const struct field *fields, size_t n, const char *name)
{
	size_t len = strcspn(name, ".");

	for (size_t i = 0; i < n; i++) {
		if (strncmp(fields[i].name, name, len) != 0 ||
			fields[i].name[len] != '\0')
			continue;
		if (name[len] == '\0')
			return &fields[i];
		if (fields[i].type != FIELD_OBJECT)
			return NULL;
		return field_find(fields[i].v.of, fields[i].n, name + len + 1);
	}
	return NULL;
}

bool
field_absent(const struct field *f)
{
	switch (f->type) {
	case FIELD_INT:
	case FIELD_UINT:
	case FIELD_REAL:
		return false;
	case FIELD_STRING:
		return f->v.s == NULL || f->n == 0;
	case FIELD_BOOL:
		return !f->v.b;
	case FIELD_NULL:
	case FIELD_OBJECT: /* its members are asked for by name */
		return true;
	case FIELD_ARRAY:
		return f->n == 0;
	}
	return true;
}

double
field_number(const struct field *f)
{
	switch (f->type) {
	case FIELD_INT:
		return (double)f->v.i;
	case FIELD_UINT:
		return (double)f->v.u;
	case FIELD_REAL:
		return f->v.r;
	case FIELD_BOOL:
		return f->v.b;
	case FIELD_STRING:
	case FIELD_NULL:
	case FIELD_OBJECT:
	case FIELD_ARRAY:
		return 0;
	}
	return 0;
}

void
field_json(struct buf *b, const struct field *f)
{
	switch (f->type) {
	case FIELD_INT:
		json_int(b, f->v.i);
		return;
	case FIELD_UINT:
		json_uint(b, f->v.u);
		return;
	case FIELD_REAL:
		json_real(b, f->v.r, (int)f->n);
		return;
	case FIELD_STRING:
		if (f->v.s == NULL)
			json_null(b);
		else
			json_string(b, f->v.s, f->n);
		return;
	case FIELD_BOOL:
		json_bool(b, f->v.b);
		return;
	case FIELD_NULL:
		json_null(b);
		return;
	case FIELD_OBJECT:
		json_open(b, '{');
		for (size_t i = 0; i < f->n; i++) {
			json_key(b, f->v.of[i].name);
			field_json(b, &f->v.of[i]);
		}
		json_close(b, '}');
		return;
	case FIELD_ARRAY:
		json_open(b, '[');
		for (size_t i = 0; i < f->n; i++)
			field_json(b, &f->v.of[i]);
		json_close(b, ']');
		return;
	}
}
