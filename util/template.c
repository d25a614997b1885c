#include "template.h"

#include "clock.h"
#include "num.h"
#include "utf8.h"
#include <string.h>

enum { NAME_MAX_LEN = 64, DECIMALS_MAX = 9 };

struct render {
	struct buf *out;
	size_t start; /* where in out the line begins */
	const char *at;
	const struct field *fields;
	size_t n;
};

/* 0.250 is shown as 0.25, 3.0 as 3. */
static void
show_real(struct buf *out, double v, size_t decimals)
{
	buf_printf(out, "%.*f",
		(int)(decimals < DECIMALS_MAX ? decimals : DECIMALS_MAX), v);
	if (decimals == 0)
		return;
	while (out->len > 0 && buf_data(out)[out->len - 1] == '0')
		out->len--;
	if (out->len > 0 && buf_data(out)[out->len - 1] == '.')
		out->len--;
}

static void show_list(struct buf *, const struct field *, const char *);

static void
show_plain(struct buf *out, const struct field *f)
{
	switch (f->type) {
	case FIELD_INT:
		buf_printf(out, "%lld", (long long)f->v.i);
		return;
	case FIELD_UINT:
		buf_printf(out, "%llu", (unsigned long long)f->v.u);
		return;
	case FIELD_REAL:
		show_real(out, f->v.r, f->n);
		return;
	case FIELD_STRING:
		if (f->v.s != NULL)
			utf8_escape(out, f->v.s, f->n);
		return;
	case FIELD_BOOL:
		buf_string(out, f->v.b ? "yes" : "no");
		return;
	case FIELD_NULL:
		buf_byte(out, '?');
		return;
	case FIELD_OBJECT:
		show_list(out, f, " ");
		return;
	case FIELD_ARRAY:
		show_list(out, f, ", ");
		return;
	}
}

static void
show_list(struct buf *out, const struct field *f, const char *between)
{
	for (size_t i = 0; i < f->n; i++) {
		if (i > 0)
			buf_string(out, between);
		show_plain(out, &f->v.of[i]);
	}
}

/* As an integer holds it: what a peer counts may be anything. */
static int64_t
whole(double v)
{
	static const double most = (double)(INT64_MAX / 2);

	if (!(v > -most))
		return -INT64_MAX / 2;
	return v < most ? (int64_t)v : INT64_MAX / 2;
}

static void
show_bytes(struct buf *out, double v)
{
	char text[NUM_MAX];

	buf_string(out, num_show_size(v > 0 ? (uint64_t)whole(v) : 0, text));
}

static void
show_bits(struct buf *out, double v)
{
	char text[NUM_MAX];

	buf_string(out, num_show_bits(v, text));
}

static void
show_time(struct buf *out, double ns)
{
	char text[NUM_MAX];

	buf_string(out, num_show_time(whole(ns), text));
}

static void
show_ms(struct buf *out, double v)
{
	show_time(out, v * CLOCK_MS);
}

static void
show_us(struct buf *out, double v)
{
	show_time(out, v * CLOCK_US);
}

/* Seconds as people count them: never milliseconds. */
static void
show_s(struct buf *out, double v)
{
	show_real(out, v, v >= 0.05 ? 1 : 3);
	buf_string(out, " s");
}

static void
show_percent(struct buf *out, double v)
{
	show_real(out, v, v >= 1 ? 1 : 3);
	buf_byte(out, '%');
}

static void
show_nothing(struct buf *out, double v)
{
	(void)out;
	(void)v;
}

/* some: a zero leaves its group out; a hint without a show shows the plain
 * value. "if" only decides about its group. */
static const struct hint {
	const char *name;
	bool some;
	void (*show)(struct buf *, double);
} hints[] = {
	{ "bytes", false, show_bytes },
	{ "bits", false, show_bits },
	{ "s", false, show_s },
	{ "ms", false, show_ms },
	{ "us", false, show_us },
	{ "percent", false, show_percent },
	{ "some", true, NULL },
	{ "if", false, show_nothing },
};

static const struct hint *
hint_find(const char *name)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strcmp(hints[i].name, name) == 0)
			return &hints[i];
	return NULL;
}

/* "<8" and ">8": a column that wide, "-" where the field is absent. */
static void
show_column(struct buf *out, const struct field *f, const char *hint)
{
	size_t start = out->len, width = 0, n;

	if (f == NULL || field_absent(f))
		buf_byte(out, '-');
	else
		show_plain(out, f);
	for (const char *c = hint + 1; *c >= '0' && *c <= '9'; c++)
		width = width * 10 + (size_t)(*c - '0');
	n = out->len - start;
	if (n >= width)
		return;
	memset(buf_room(out, width - n), ' ', width - n);
	buf_added(out, width - n);
	if (*hint == '>') {
		uint8_t *at = buf_data(out) + start;

		memmove(at + width - n, at, n);
		memset(at, ' ', width - n);
	}
}

static bool
show_hinted(struct buf *out, const struct field *f, const char *name)
{
	const struct hint *h = hint_find(name);

	if (h != NULL && h->some && field_number(f) == 0)
		return false;
	if (h != NULL && h->show != NULL)
		h->show(out, field_number(f));
	else
		show_plain(out, f);
	return true;
}

/* Shows the field that r->at names behind '{', and moves behind the '}'. */
static bool
show_field(struct render *r)
{
	char name[NAME_MAX_LEN];
	size_t len = strcspn(r->at, "}");
	const struct field *f;
	char *hint;

	if (len >= sizeof(name))
		return false;
	memcpy(name, r->at, len);
	name[len] = '\0';
	r->at += len + (r->at[len] == '}');
	hint = strchr(name, ':');
	if (hint != NULL)
		*hint++ = '\0';
	f = field_find(r->fields, r->n, name);
	if (hint != NULL && (*hint == '<' || *hint == '>')) {
		show_column(r->out, f, hint);
		return true;
	}
	if (f == NULL || field_absent(f)) {
		buf_byte(r->out, '?');
		return false;
	}
	if (hint != NULL)
		return show_hinted(r->out, f, hint);
	show_plain(r->out, f);
	return true;
}

/* ", " with nothing before it that it could part. */
static bool
needless_comma(const struct render *r)
{
	size_t len = r->out->len;

	if (strncmp(r->at, ", ", 2) != 0)
		return false;
	return len == r->start ||
		(len >= 2 && memcmp(buf_data(r->out) + len - 2, ": ", 2) == 0);
}

/* Renders up to the end of the group or of the text. False when a field that
 * it shows itself is absent. */
static bool
render_group(struct render *r)
{
	bool whole = true;

	while (*r->at != '\0' && *r->at != ']') {
		size_t mark = r->out->len;

		if (needless_comma(r)) {
			r->at += 2;
			continue;
		}
		switch (*r->at++) {
		case '[':
			if (!render_group(r))
				r->out->len = mark;
			if (*r->at == ']')
				r->at++;
			break;
		case '{':
			whole &= show_field(r);
			break;
		default:
			buf_byte(r->out, (uint8_t)r->at[-1]);
		}
	}
	return whole;
}

void
template_render(
	struct buf *out, const char *text, const struct field *fields, size_t n)
{
	struct render r = { out, out->len, text, fields, n };

	while (*r.at != '\0') {
		render_group(&r);
		if (*r.at == ']')
			r.at++;
	}
}
