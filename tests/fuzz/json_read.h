/* json_read: a reader of RFC 8259, as strict as it is short: each function
 * takes one thing off the front and returns what stands behind it, NULL where
 * there is none. */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <stddef.h>
#include <string.h>

static inline const char *json_read(const char *s, int depth);

static inline const char *
json_read_string(const char *s)
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

static inline const char *
json_read_number(const char *s)
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

static inline const char *
json_read_list(const char *s, int depth, char end)
{
	if (*s == end)
		return s + 1;
	for (;;) {
		if (end == '}') {
			s = json_read_string(s);
			if (!s || *s++ != ':')
				return NULL;
		}
		s = json_read(s, depth);
		if (!s)
			return NULL;
		if (*s == end)
			return s + 1;
		if (*s++ != ',')
			return NULL;
	}
}

static inline const char *
json_read(const char *s, int depth)
{
	static const char *const words[] = { "true", "false", "null" };

	for (int i = 0; i < 3; i++)
		if (strncmp(s, words[i], strlen(words[i])) == 0)
			return s + strlen(words[i]);
	if (*s == '"')
		return json_read_string(s);
	if (*s == '{' || *s == '[')
		return depth > 0 ? json_read_list(s + 1, depth - 1,
					   *s == '{' ? '}' : ']')
				 : NULL;
	return json_read_number(s);
}

#endif
