#include "../../util/json.h"
#include "../../util/utf8.h"
#include "fuzz.h"

/* A reader of RFC 8259, as strict as it is short: each function takes one
 * thing off the front, NULL where there is none. */
static const char *value(const char *s, int depth);

static const char *
string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return NULL;
		if (*s++ != '\\')
			continue;
		if (*s == 'u' && strspn(s + 1, "0123456789abcdef") >= 4)
			s += 5;
		else if (*s && strchr("\"\\/bfnrt", *s))
			s++;
		else
			return NULL;
	}
	return s + 1;
}

static const char *
number(const char *s)
{
	static const char digits[] = "0123456789";

	s += *s == '-';
	if (*s < '0' || *s > '9')
		return NULL;
	s += *s == '0' ? 1 : strspn(s, digits);
	if (*s != '.')
		return s;
	return strspn(++s, digits) > 0 ? s + strspn(s, digits) : NULL;
}

static const char *
list(const char *s, int depth, char end)
{
	if (*s == end)
		return s + 1;
	for (;;) {
		if (end == '}') {
			s = string(s);
			if (!s || *s++ != ':')
				return NULL;
		}
		s = value(s, depth);
		if (!s)
			return NULL;
		if (*s == end)
			return s + 1;
		if (*s++ != ',')
			return NULL;
	}
}

static const char *
value(const char *s, int depth)
{
	static const char *const words[] = { "true", "false", "null" };

	for (int i = 0; i < 3; i++)
		if (strncmp(s, words[i], strlen(words[i])) == 0)
			return s + strlen(words[i]);
	if (*s == '"')
		return string(s);
	if (*s == '{' || *s == '[')
		return depth > 0 ? list(s + 1, depth - 1, *s == '{' ? '}' : ']')
				 : NULL;
	return number(s);
}

/* The input is a program: what to write next, and of which bytes. */
static void
step(struct buf *b, const uint8_t *data, size_t size)
{
	uint64_t bits = 0;
	double real;

	memcpy(&bits, data, size < 8 ? size : 8);
	memcpy(&real, &bits, 8);
	switch (data[0] % 6) {
	case 0:
		json_int(b, (int64_t)bits);
		break;
	case 1:
		json_uint(b, bits);
		break;
	case 2:
		json_real(b, real, data[0] / 6 % 10);
		break;
	case 3:
		json_bool(b, bits & 256);
		break;
	case 4:
		json_null(b);
		break;
	case 5:
		json_string(b, data, size);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };
	char ends[16];
	int depth = 0;

	json_open(&b, '[');
	for (size_t i = 0; i < size; i++) {
		uint8_t c = data[i];

		if (c == '{' && depth < 15) {
			json_open(&b, '{');
			json_key(&b, "k\"\x1b");
			json_open(&b, '[');
			ends[depth++] = '}';
		} else if (c == '}' && depth > 0) {
			json_close(&b, ']');
			json_close(&b, ends[--depth]);
		} else {
			step(&b, data + i, size - i);
			i += c / 2;
		}
	}
	for (; depth > 0; depth--) {
		json_close(&b, ']');
		json_close(&b, ends[depth - 1]);
	}
	json_close(&b, ']');
	for (size_t i = 0; i < b.len;) {
		uint32_t c;

		i += utf8_decode(buf_data(&b) + i, b.len - i, &c);
		HOLD(c != UTF8_BAD && !utf8_is_control(c));
	}
	HOLD(strlen(buf_cstr(&b)) == b.len);
	HOLD(value(buf_cstr(&b), 40) == buf_cstr(&b) + b.len);
	buf_free(&b);
	return 0;
}
