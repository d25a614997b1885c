/* What a line in the chat does: the commands, and what is said. */
#include "chat.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct field none;

/* A user's text behind a head that no user can write; false when nothing is
 * left of it. */
static bool
add_user_line(struct buf *line, const char *head, const struct chat_member *m,
	const char *tail, const char *text, size_t n)
{
	size_t len;

	buf_printf(line, "%s%s%s ", head, m->name, tail);
	len = line->len;
	chat_clean(line, text, n);
	if (line->len == len)
		return false;
	buf_byte(line, '\n');
	return true;
}

static void
say(struct chat_member *m, const char *head, const char *tail,
	const struct chat_said *s, const char *whole, size_t n)
{
	struct buf line = { 0 };

	if (add_user_line(&line, head, m, tail, s->text, s->len)) {
		chat_event(m, EV_MESSAGE, (struct field)F_NULL("to"),
			(struct field)F_BYTES("text", whole, n));
		chat_say(m, &line);
	}
	buf_free(&line);
}

/* Members. */

static struct chat_member *
find(struct chat_room *r, const char *name, size_t n)
{
	struct chat_member *m;
	char id[16];

	for (m = r->members; m; m = m->next) {
		int len = snprintf(id, sizeof(id), "%u", m->id);

		if (chat_same(m->name, strlen(m->name), name, n) ||
			((size_t)len == n && memcmp(id, name, n) == 0))
			return m;
	}
	return NULL;
}

/* Finds a member for m, or tells it that there is none. */
static struct chat_member *
find_for(struct chat_member *m, const char *name, size_t n)
{
	struct chat_member *found = find(m->room, name, n);
	struct buf clean = { 0 };

	if (found)
		return found;
	chat_clean(&clean, name, n);
	chat_tell(m, "nobody here is called %s", buf_cstr(&clean));
	buf_free(&clean);
	return NULL;
}

static void
tell_member(struct chat_member *m, const struct chat_member *of)
{
	chat_tell(m, "%u %s %s %s since %s", of->id, of->name, of->host,
		of->port, of->since);
}

static void
rename_member(struct chat_member *m, const char *name, size_t n)
{
	const char *wrong = chat_name_wrong(name, n);
	struct chat_member *other = wrong ? NULL : find(m->room, name, n);
	char old[sizeof(m->name)];

	if (wrong) {
		chat_tell(m, "name refused: %s", wrong);
		return;
	}
	if (other && other != m) {
		chat_tell(m, "name refused: %s is here already", other->name);
		return;
	}
	memcpy(old, m->name, sizeof(old));
	memcpy(m->name, name, n);
	m->name[n] = '\0';
	if (strcmp(old, m->name) != 0) {
		chat_event(m, EV_RENAME, F_STR("old", old), none);
		chat_announce(m->room, m, "%s is now %s", old, m->name);
	}
	chat_tell(m, "you are now %s", m->name);
}

static void
message(struct chat_member *m, const char *text, size_t n)
{
	const char *name;
	size_t len = chat_word(&text, &n, &name);
	struct chat_member *to = find_for(m, name, len);
	struct buf line = { 0 };

	if (!to)
		return;
	if (to == m) {
		chat_tell(m, "that is you");
	} else if (add_user_line(&line, "[", m, "]", text, n)) {
		chat_event(m, EV_MESSAGE, F_STR("to", to->name),
			(struct field)F_BYTES("text", text, n));
		to->way->send(to, buf_data(&line), line.len);
	}
	buf_free(&line);
}

/* Commands. */

static void
tell_help(struct chat_member *m)
{
	const struct chat_command *c;

	for (c = chat_commands; c->name; c++)
		chat_tell(m, "%s%s%s: %s", c->name, *c->args ? " " : "",
			c->args, c->help);
	if (m->room->conf->exit_word)
		chat_tell(m, "%s alone in a line: leave",
			m->room->conf->exit_word);
}

static void
tell_unknown(struct chat_member *m, const struct chat_said *s)
{
	struct buf clean = { 0 };

	chat_clean(&clean, s->word, s->word_len);
	chat_tell(m, "unknown command %s; /help lists them", buf_cstr(&clean));
	buf_free(&clean);
}

static void
quit(struct chat_member *m, const struct chat_said *s)
{
	struct buf why = { 0 };

	chat_clean(&why, s->text, s->len);
	chat_tell(m, "bye");
	chat_leave(m, why.len ? buf_cstr(&why) : NULL);
	buf_free(&why);
}

static void
tell_host(struct chat_member *m)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) == -1)
		chat_tell(m, "%s", strerror(errno));
	else
		chat_tell(m, "%s", name);
}

static void
command(struct chat_member *m, const struct chat_said *s, const char *line,
	size_t n)
{
	struct chat_member *other;
	char time[32];

	switch ((enum chat_verb)s->verb) {
	case CHAT_TEXT:
		say(m, "<", ">", s, line, n);
		return;
	case CHAT_ME:
		say(m, "* ", "", s, line, n);
		return;
	case CHAT_NICK:
		rename_member(m, s->text, s->len);
		return;
	case CHAT_LIST:
		for (other = m->room->members; other; other = other->next)
			tell_member(m, other);
		return;
	case CHAT_MSG:
		message(m, s->text, s->len);
		return;
	case CHAT_TIME:
		chat_tell(m, "%s", clock_iso(clock_unix(), time, sizeof(time)));
		return;
	case CHAT_NAME:
		tell_host(m);
		return;
	case CHAT_WHO:
		other = find_for(m, s->text, s->len);
		if (other)
			tell_member(m, other);
		return;
	case CHAT_HELP:
		tell_help(m);
		return;
	case CHAT_QUIT:
		quit(m, s);
		return;
	case CHAT_UNKNOWN:
		tell_unknown(m, s);
		return;
	}
}

static bool
has_words(const struct chat_said *s)
{
	const char *text = s->text, *word;
	size_t len = s->len;
	int i;

	for (i = 0; i < s->command->words; i++)
		if (chat_word(&text, &len, &word) == 0)
			return false;
	return true;
}

void
chat_line(struct chat_member *m, const char *line, size_t n)
{
	const char *word = m->room->conf->exit_word;
	struct chat_said s;

	chat_parse(&s, chat_commands, line, n);
	if (word && strlen(word) == n && memcmp(word, line, n) == 0)
		s = (struct chat_said){ .verb = CHAT_QUIT };
	if (s.command && s.verb != CHAT_NICK && !has_words(&s))
		chat_tell(m, "usage: %s %s", s.command->name, s.command->args);
	else
		command(m, &s, line, n);
}
