#include "floodproto.h"

#include "buf.h"
#include "clock.h"
#include "num.h"
#include <stdio.h>
#include <string.h>

#define MAGIC "SOCKCTL-FLOOD/"
#define VERSION "1 "

static const char *const roles[] = {
	[FLOOD_PLAIN] = NULL,
	[FLOOD_SOURCE] = "source",
	[FLOOD_SINK] = "sink",
	[FLOOD_BOTH] = "both",
	[FLOOD_STALL] = "stall",
};

static const char *const words[] = {
	[FLOOD_OK] = "ok",
	[FLOOD_ERROR] = "error",
	[FLOOD_RESULT] = "result",
	[FLOOD_READ] = "read",
};

enum flood_state
flood_line_add(struct flood_line *l, const void *data, size_t n, size_t *taken)
{
	const char *end = n > 0 ? memchr(data, '\n', n) : NULL;
	size_t want = end != NULL ? (size_t)(end - (const char *)data) + 1 : n;
	size_t room = FLOOD_LINE_MAX - l->len, magic;

	if (want > room) {
		want = room;
		end = NULL;
	}
	if (want > 0)
		memcpy(l->text + l->len, data, want);
	l->len += want;
	l->text[l->len] = '\0';
	*taken = want;
	magic = l->len < strlen(MAGIC) ? l->len : strlen(MAGIC);
	if (memcmp(l->text, MAGIC, magic) != 0)
		return FLOOD_OTHER;
	if (end == NULL)
		return l->len == FLOOD_LINE_MAX ? FLOOD_LONG : FLOOD_MORE;
	l->text[--l->len] = '\0';
	if (l->len > 0 && l->text[l->len - 1] == '\r')
		l->text[--l->len] = '\0';
	return FLOOD_WHOLE;
}

/* Behind magic and version, NULL where they are others. */
static const char *
behind_version(const char *line)
{
	size_t n = strlen(MAGIC VERSION);

	return strncmp(line, MAGIC VERSION, n) == 0 ? line + n : NULL;
}

/* The keys with numbers, of the near side's line and of answers. */
enum kind { COUNT, SECONDS, FLAG };

struct key {
	const char *name;
	enum kind kind;
	size_t offset;
};

static const struct key ask_keys[] = {
	{ "bytes", COUNT, offsetof(struct flood_ask, bytes) },
	{ "seconds", SECONDS, offsetof(struct flood_ask, duration) },
	{ "chunk", COUNT, offsetof(struct flood_ask, chunk) },
	{ "verify", FLAG, offsetof(struct flood_ask, verify) },
	{ "trunc", FLAG, offsetof(struct flood_ask, trunc) },
	{ "rate", COUNT, offsetof(struct flood_ask, rate) },
	{ "wait", SECONDS, offsetof(struct flood_ask, wait) },
	{ "step", COUNT, offsetof(struct flood_ask, step) },
};
enum { ASK_KEYS = sizeof(ask_keys) / sizeof(ask_keys[0]) };

static const struct key answer_keys[] = {
	{ "bytes", COUNT, offsetof(struct flood_answer, bytes) },
	{ "seconds", SECONDS, offsetof(struct flood_answer, duration) },
};
enum { ANSWER_KEYS = sizeof(answer_keys) / sizeof(answer_keys[0]) };

static int
key_read(void *base, const struct key *k, const char *value)
{
	void *at = (char *)base + k->offset;
	int64_t n;

	if (k->kind == SECONDS)
		return num_time(value, 0, 0, at);
	if (num_int(value, 0, k->kind == FLAG ? 1 : INT64_MAX, &n) == -1)
		return -1;
	if (k->kind == FLAG)
		*(bool *)at = n == 1;
	else
		*(uint64_t *)at = (uint64_t)n;
	return 0;
}

/* One word of a line in pieces: key=value; the next word. NULL at the end. */
static const char *
next_pair(const char *s, char *name, char *value, size_t size)
{
	size_t n, k;

	s += strspn(s, " ");
	if (*s == '\0')
		return NULL;
	n = strcspn(s, " ");
	k = strcspn(s, "= ");
	snprintf(name, size, "%.*s", (int)k, s);
	snprintf(value, size, "%.*s", k < n ? (int)(n - k - 1) : 0, s + k + 1);
	return s + n;
}

static int
keys_read(void *base, const struct key *keys, int count, const char *name,
	const char *value)
{
	for (int i = 0; i < count; i++)
		if (strcmp(keys[i].name, name) == 0)
			return key_read(base, &keys[i], value);
	return 0;
}

/* I/N */
static int
stream_read(struct flood_ask *a, const char *value)
{
	char first[FLOOD_LINE_MAX];
	const char *slash = strchr(value, '/');
	int64_t i, n;

	if (slash == NULL)
		return -1;
	snprintf(first, sizeof(first), "%.*s", (int)(slash - value), value);
	if (num_int(first, 0, UINT32_MAX, &i) == -1 ||
		num_int(slash + 1, 0, UINT32_MAX, &n) == -1)
		return -1;
	a->stream = (uint32_t)i;
	a->streams = (uint32_t)n;
	return 0;
}

static int
role_read(struct flood_ask *a, const char *value)
{
	for (int i = FLOOD_SOURCE; i <= FLOOD_STALL; i++)
		if (strcmp(roles[i], value) == 0) {
			a->role = (enum flood_role)i;
			return 0;
		}
	return -1;
}

static int
ask_pair(struct flood_ask *a, const char *name, const char *value)
{
	if (strcmp(name, "role") == 0)
		return role_read(a, value);
	if (strcmp(name, "stream") == 0)
		return stream_read(a, value);
	if (strcmp(name, "run") != 0)
		return keys_read(a, ask_keys, ASK_KEYS, name, value);
	if (strlen(value) >= sizeof(a->run))
		return -1;
	memcpy(a->run, value, strlen(value) + 1);
	return 0;
}

int
flood_ask_read(struct flood_ask *a, const char *line, const char **why)
{
	char name[FLOOD_LINE_MAX + 1], value[FLOOD_LINE_MAX + 1];
	const char *s = behind_version(line);

	memset(a, 0, sizeof(*a));
	*why = "only version 1 is known here";
	if (s == NULL)
		return -1;
	*why = "a key has a value that is not of its form";
	while ((s = next_pair(s, name, value, sizeof(name))) != NULL)
		if (ask_pair(a, name, value) == -1)
			return -1;
	*why = "no role";
	return a->role == FLOOD_PLAIN ? -1 : 0;
}

static int
key_write(const void *base, const struct key *k, char *out, size_t size)
{
	const void *at = (const char *)base + k->offset;

	if (k->kind == FLAG)
		return *(const bool *)at ? snprintf(out, size, " %s=1", k->name)
					 : 0;
	if (k->kind == SECONDS)
		return *(const int64_t *)at > 0
			? snprintf(out, size, " %s=%.6f", k->name,
				  clock_seconds(*(const int64_t *)at))
			: 0;
	return *(const uint64_t *)at > 0
		? snprintf(out, size, " %s=%llu", k->name,
			  (unsigned long long)*(const uint64_t *)at)
		: 0;
}

size_t
flood_ask_write(const struct flood_ask *a, char out[FLOOD_LINE_MAX + 1])
{
	int n = snprintf(out, FLOOD_LINE_MAX,
		MAGIC VERSION "role=%s run=%.16s stream=%u/%u", roles[a->role],
		a->run, a->stream, a->streams);

	/* With numbers of 20 digits the line has 252 bytes. */
	for (int i = 0; i < ASK_KEYS; i++)
		n += key_write(
			a, &ask_keys[i], out + n, (size_t)(FLOOD_LINE_MAX - n));
	out[n++] = '\n';
	out[n] = '\0';
	return (size_t)n;
}

size_t
flood_answer_write(const struct flood_answer *a, char out[FLOOD_LINE_MAX + 1])
{
	const char *word = words[a->word];
	unsigned long long bytes = a->bytes;
	int n = 0;

	switch (a->word) {
	case FLOOD_OK:
		n = snprintf(out, FLOOD_LINE_MAX, MAGIC VERSION "%s", word);
		break;
	case FLOOD_ERROR:
		n = snprintf(out, FLOOD_LINE_MAX, MAGIC VERSION "%s %.200s",
			word, a->text);
		break;
	case FLOOD_RESULT:
		n = snprintf(out, FLOOD_LINE_MAX,
			MAGIC VERSION "%s bytes=%llu seconds=%.6f", word, bytes,
			clock_seconds(a->duration));
		break;
	case FLOOD_READ:
		n = snprintf(out, FLOOD_LINE_MAX, MAGIC VERSION "%s bytes=%llu",
			word, bytes);
		break;
	}
	out[n++] = '\n';
	out[n] = '\0';
	return (size_t)n;
}

int
flood_answer_read(struct flood_answer *a, const char *line)
{
	char name[FLOOD_LINE_MAX + 1], value[FLOOD_LINE_MAX + 1];
	const char *s = behind_version(line);
	size_t n;
	int i;

	memset(a, 0, sizeof(*a));
	if (s == NULL)
		return -1;
	n = strcspn(s, " ");
	for (i = FLOOD_OK; i <= FLOOD_READ; i++)
		if (strlen(words[i]) == n && strncmp(words[i], s, n) == 0)
			break;
	if (i > FLOOD_READ)
		return -1;
	a->word = (enum flood_word)i;
	s += n;
	if (a->word == FLOOD_ERROR) {
		snprintf(a->text, sizeof(a->text), "%s", s + strspn(s, " "));
		return 0;
	}
	while ((s = next_pair(s, name, value, sizeof(name))) != NULL)
		if (keys_read(a, answer_keys, ANSWER_KEYS, name, value) == -1)
			return -1;
	return 0;
}

#define HEAD_MAGIC "SCFU\001"

void
flood_head_write(uint8_t out[FLOOD_HEAD], const struct flood_head *h)
{
	memcpy(out, HEAD_MAGIC, 5);
	out[5] = h->type;
	put_u16(out + 6, h->flags);
	put_u64(out + 8, h->run);
	put_u64(out + 16, h->sequence);
	put_u64(out + 24, h->time);
}

int
flood_head_read(struct flood_head *h, const void *data, size_t n)
{
	const uint8_t *p = data;

	if (n < FLOOD_HEAD || memcmp(p, HEAD_MAGIC, 5) != 0 ||
		p[5] < FLOOD_HELLO || p[5] > FLOOD_COUNTED)
		return -1;
	h->type = p[5];
	h->flags = get_u16(p + 6);
	h->run = get_u64(p + 8);
	h->sequence = get_u64(p + 16);
	h->time = get_u64(p + 24);
	return 0;
}

void
flood_counts_write(uint8_t out[FLOOD_COUNTS], const struct flood_counts *c)
{
	const uint64_t v[] = { c->received, c->bytes, c->lost, c->reordered,
		c->duplicates, c->jitter, c->elapsed };

	for (int i = 0; i < 7; i++)
		put_u64(out + 8 * i, v[i]);
}

int
flood_counts_read(struct flood_counts *c, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t *v[] = { &c->received, &c->bytes, &c->lost, &c->reordered,
		&c->duplicates, &c->jitter, &c->elapsed };

	if (n < FLOOD_COUNTS)
		return -1;
	for (int i = 0; i < 7; i++)
		*v[i] = get_u64(p + 8 * i);
	return 0;
}
