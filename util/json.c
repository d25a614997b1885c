#include "json.h"
#include "utf8.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A value follows a value by a comma, whatever it is: the last byte tells.
 * Bytes within strings never matter, for a string ends in its quote. */
static void
separate(struct buf *b)
{
	uint8_t last = b->len > 0 ? buf_data(b)[b->len - 1] : '\n';

	if (last != '{' && last != '[' && last != ':' && last != '\n')
		buf_byte(b, ',');
}

void
json_open(struct buf *b, char bracket)
{
	separate(b);
	buf_byte(b, (uint8_t)bracket);
}

void
json_close(struct buf *b, char bracket)
{
	buf_byte(b, (uint8_t)bracket);
}

void
json_key(struct buf *b, const char *name)
{
	json_string(b, name, strlen(name));
	buf_byte(b, ':');
}

/* RFC 8259 section 7. Valid UTF-8 passes as it is, and C1 controls and DEL as
 * escapes: a terminal may see the line. */
static void
character(struct buf *b, uint32_t c)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	uint8_t raw[4];

	for (const char *s = shorts; *s; s += 2) {
		if (c == (uint8_t)s[0]) {
			buf_byte(b, '\\');
			buf_byte(b, (uint8_t)s[1]);
			return;
		}
	}
	if (utf8_is_control(c))
		buf_printf(b, "\\u%04x", (unsigned)c);
	else
		buf_append(b, raw, utf8_encode(c, raw));
}

void
json_string(struct buf *b, const void *s, size_t n)
{
	const uint8_t *p = s;
	uint32_t c;

	separate(b);
	buf_byte(b, '"');
	while (n > 0) {
		size_t k = utf8_decode(p, n, &c);

		character(b, c == UTF8_BAD ? 0xfffd : c);
		p += k;
		n -= k;
	}
	buf_byte(b, '"');
}

void
json_int(struct buf *b, int64_t v)
{
	separate(b);
	buf_printf(b, "%" PRId64, v);
}

void
json_uint(struct buf *b, uint64_t v)
{
	separate(b);
	buf_printf(b, "%" PRIu64, v);
}

void
json_real(struct buf *b, double v, int decimals)
{
	separate(b);
	if (isfinite(v))
		buf_printf(b, "%.*f", decimals, v);
	else
		buf_string(b, "null");
}

void
json_bool(struct buf *b, bool v)
{
	separate(b);
	buf_string(b, v ? "true" : "false");
}

void
json_null(struct buf *b)
{
	separate(b);
	buf_string(b, "null");
}
