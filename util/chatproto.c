#include "chatproto.h"
#include "utf8.h"
#include <string.h>

const struct chat_command chat_commands[] = {
	{ "/nick", CHAT_NICK, 1, "NAME", "take another name" },
	{ "/list", CHAT_LIST, 0, "",
		"who is here: id, name, address, port, "
		"since" },
	{ "/msg", CHAT_MSG, 2, "ID|NAME TEXT", "tell one member only" },
	{ "/me", CHAT_ME, 1, "TEXT", "say what you do" },
	{ "/time", CHAT_TIME, 0, "", "the server's time" },
	{ "/name", CHAT_NAME, 0, "", "the server's host name" },
	{ "/who", CHAT_WHO, 1, "NAME", "one member, as in /list" },
	{ "/help", CHAT_HELP, 0, "", "these lines" },
	{ "/quit", CHAT_QUIT, 0, "[TEXT]", "leave" },
	{ NULL, CHAT_UNKNOWN, 0, NULL, NULL },
};

/* The zeros of the scripts' decimal digits (Unicode's Nd): ten in a row. */
static const uint32_t zeros[] = { '0', 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66,
	0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
	0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
	0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50,
	0xabf0, 0xff10 };

static bool
is_digit(uint32_t c)
{
	size_t i;

	for (i = 0; i < sizeof(zeros) / sizeof(*zeros); i++)
		if (c >= zeros[i] && c < zeros[i] + 10)
			return true;
	return false;
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
chat_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i;

	if (a_len != b_len)
		return false;
	for (i = 0; i < a_len; i++)
		if (fold(a[i]) != fold(b[i]))
			return false;
	return true;
}

static const char *
character_wrong(uint32_t c)
{
	if (c == ' ' || c == '\t' || c == 0xa0 || c == 0x3000)
		return "no spaces in a name";
	if (c == UTF8_BAD)
		return "a name is UTF-8";
	if (utf8_is_control(c))
		return "no control characters in a name";
	if (utf8_is_hidden(c))
		return "no bidi or zero-width characters in a name";
	if (utf8_is_letter(c) || c == '_' || c == '-' || c == '.')
		return NULL;
	return "a name is letters, digits, _ - and . only";
}

const char *
chat_name_wrong(const char *name, size_t n)
{
	const uint8_t *p = (const uint8_t *)name;
	size_t at = 0, characters = 0, digits = 0;
	uint32_t c = 0;

	if (n == 0)
		return "a name has 1 to 32 characters";
	for (; at < n; characters++) {
		const char *wrong;

		at += utf8_decode(p + at, n - at, &c);
		wrong = character_wrong(c);
		if (wrong)
			return wrong;
		if (characters == 0 && (c == '-' || c == '.'))
			return "a name does not begin with - or .";
		if (characters == 0 && utf8_width(c) == 0)
			return "a name does not begin with a combining mark";
		digits += is_digit(c);
	}
	if (characters > CHAT_NAME_MAX)
		return "a name has 1 to 32 characters";
	if (digits == characters)
		return "a name is not digits alone: that is an id";
	if (n > 5 && chat_same(name, 5, "guest", 5) && digits == characters - 5)
		return "guest and a number is the server's to give";
	return NULL;
}

void
chat_clean(struct buf *out, const void *line, size_t n)
{
	const uint8_t *p = line;
	uint32_t c;

	while (n > 0) {
		size_t k = utf8_decode(p, n, &c);

		if (c == UTF8_BAD)
			buf_string(out, "\xef\xbf\xbd");
		else if (c == '\t' ||
			(!utf8_is_control(c) && !utf8_is_hidden(c)))
			buf_append(out, p, k);
		p += k;
		n -= k;
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && is_blank(**text)) {
		++*text;
		--*len;
	}
	while (*len > 0 && is_blank((*text)[*len - 1]))
		--*len;
}

size_t
chat_word(const char **text, size_t *len, const char **word)
{
	size_t n = 0;

	trim(text, len);
	*word = *text;
	while (n < *len && !is_blank((*text)[n]))
		n++;
	*text += n;
	*len -= n;
	trim(text, len);
	return n;
}

void
chat_parse(struct chat_said *s, const struct chat_command *table,
	const char *line, size_t n)
{
	const struct chat_command *c;

	*s = (struct chat_said){ .verb = CHAT_TEXT, .text = line, .len = n };
	if (n == 0 || line[0] != '/')
		return;
	s->verb = CHAT_UNKNOWN;
	s->word_len = chat_word(&s->text, &s->len, &s->word);
	for (c = table; c->name; c++) {
		if (!chat_same(s->word, s->word_len, c->name, strlen(c->name)))
			continue;
		s->verb = c->verb;
		s->command = c;
	}
}

/* Telnet, RFC 854 and 855. Only what a telnet client sends counts as
 * negotiation: other bytes 255 are text that is no UTF-8. */
enum { IAC = 255, DONT = 254, WILL = 251, SB = 250, SE = 240, SUB_MAX = 512 };

static bool
is_option(uint8_t verb, uint8_t option)
{
	if (option == '\n' || option == '\r')
		return false;
	return option < (verb == WILL ? 40 : 32);
}

/* How many bytes the command that begins at t takes: 0 none, -1 more of it has
 * to come. */
static int
telnet_length(const uint8_t *t, size_t n)
{
	if (n < 2)
		return -1;
	if (t[1] < SE || t[1] == IAC)
		return 0;
	if (t[1] < SB)
		return 2;
	if (n < 3)
		return -1;
	if (t[1] == SB)
		return t[2] < 40 ? 3 : 0;
	return is_option(t[1], t[2]) ? 3 : 0;
}

static void
feed_plain(struct chat_input *in, uint8_t c)
{
	buf_byte(&in->bytes, c);
}

/* What looked like a command is text; its later bytes may begin another. */
static void feed_byte(struct chat_input *in, uint8_t c);

static void
feed_held(struct chat_input *in)
{
	uint8_t held[3];
	size_t n = in->telnet_len, i;

	memcpy(held, in->telnet, n);
	in->telnet_len = 0;
	feed_plain(in, held[0]);
	for (i = 1; i < n; i++)
		feed_byte(in, held[i]);
}

static void
feed_byte(struct chat_input *in, uint8_t c)
{
	int length;

	if (in->telnet_len == 0 && c != IAC) {
		feed_plain(in, c);
		return;
	}
	in->telnet[in->telnet_len++] = c;
	length = telnet_length(in->telnet, in->telnet_len);
	if (length == 0) {
		feed_held(in);
	} else if (length > 0) {
		in->sub = in->telnet[1] == SB ? 1 : 0;
		in->telnet_len = 0;
	}
}

/* Inside a subnegotiation, up to IAC SE; telnet[0] is the byte before. */
static void
feed_sub(struct chat_input *in, uint8_t c)
{
	if ((in->telnet[0] == IAC && c == SE) || ++in->sub > SUB_MAX)
		in->sub = 0;
	in->telnet[0] = c;
}

void
chat_feed(struct chat_input *in, const uint8_t *data, size_t n)
{
	while (n > 0) {
		const uint8_t *next = memchr(data, IAC, n);
		size_t k = next ? (size_t)(next - data) : n;

		if (in->sub || in->telnet_len || k == 0) {
			if (in->sub)
				feed_sub(in, *data);
			else
				feed_byte(in, *data);
			k = 1;
		} else {
			buf_append(&in->bytes, data, k);
		}
		data += k;
		n -= k;
	}
}

void
chat_feed_end(struct chat_input *in)
{
	size_t rest;

	in->sub = 0;
	while (in->telnet_len)
		feed_held(in);
	rest = in->bytes.len - in->taken;
	if (rest ? buf_data(&in->bytes)[in->bytes.len - 1] != '\n'
		 : in->skipping)
		buf_byte(&in->bytes, '\n');
}

/* A line without its newline so far: over the limit whatever follows? */
static bool
is_over(const uint8_t *p, size_t n)
{
	return n > CHAT_LINE_MAX + 1 ||
		(n == CHAT_LINE_MAX + 1 && p[n - 1] != '\r');
}

static enum chat_got
no_line(struct chat_input *in)
{
	size_t n = in->bytes.len;

	if (!in->skipping && !is_over(buf_data(&in->bytes), n)) {
		in->seen = n;
		return CHAT_NOTHING;
	}
	buf_consume(&in->bytes, n);
	in->seen = 0;
	if (in->skipping)
		return CHAT_NOTHING;
	in->skipping = true;
	return CHAT_TOO_LONG;
}

enum chat_got
chat_next(struct chat_input *in, const char **line, size_t *n)
{
	const uint8_t *p = NULL, *end;
	bool skipped;

	do {
		buf_consume(&in->bytes, in->taken);
		in->taken = 0;
		p = buf_data(&in->bytes);
		if (in->bytes.len == in->seen)
			return no_line(in);
		end = memchr(p + in->seen, '\n', in->bytes.len - in->seen);
		if (!end)
			return no_line(in);
		skipped = in->skipping;
		in->skipping = false;
		in->seen = 0;
		*n = (size_t)(end - p);
		in->taken = *n + 1;
	} while (skipped);
	if (is_over(p, *n))
		return CHAT_TOO_LONG;
	if (*n > 0 && p[*n - 1] == '\r')
		--*n;
	*line = (const char *)p;
	return CHAT_LINE;
}

bool
chat_waiting(const struct chat_input *in)
{
	size_t n = in->bytes.len - in->taken;
	const uint8_t *p = buf_data(&in->bytes) + in->taken, *end;

	if (n == 0)
		return false;
	end = memchr(p, '\n', n);
	if (!in->skipping)
		return end || is_over(p, n);
	return end &&
		(memchr(end + 1, '\n', n - (size_t)(end + 1 - p)) ||
			is_over(end + 1, n - (size_t)(end + 1 - p)));
}

void
chat_input_free(struct chat_input *in)
{
	buf_free(&in->bytes);
}
