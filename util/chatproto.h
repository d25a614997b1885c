/* chatproto: the words of the chat: names, lines, commands. Pure functions;
 * sockctl-chat(1), PROTOCOL, says the same. */
#ifndef SOCKCTL_CHATPROTO_H
#define SOCKCTL_CHATPROTO_H

#include "buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHAT_LINE_MAX = 4096, /* bytes, without the newline */
	CHAT_NAME_MAX = 32, /* characters */
	CHAT_NAME_BYTES = 4 * CHAT_NAME_MAX,
};

/* NULL for a name that a member may take, else what a name must be or must
 * not ("no spaces", ...). Whether it is free is the room's business. */
const char *chat_name_wrong(const char *name, size_t n);
/* Without regard to ASCII case. */
bool chat_same(const char *a, size_t a_len, const char *b, size_t b_len);
/* Appends a line as others may see it: no control characters but tab, no bidi
 * and zero-width ones; bytes that are no UTF-8 become U+FFFD. */
void chat_clean(struct buf *out, const void *line, size_t n);

enum chat_verb {
	CHAT_TEXT, /* no command: something said */
	CHAT_NICK,
	CHAT_LIST,
	CHAT_MSG,
	CHAT_ME,
	CHAT_TIME,
	CHAT_NAME,
	CHAT_WHO,
	CHAT_HELP,
	CHAT_QUIT,
	CHAT_UNKNOWN, /* begins with a slash, is in no table */
};

struct chat_command {
	const char *name; /* with its slash; NULL ends a table */
	int verb;
	int words; /* how many arguments it cannot do without */
	const char *args; /* "" for none */
	const char *help;
};

/* The server's commands, in the order of /help. */
extern const struct chat_command chat_commands[];

/* A line, taken apart; all pieces point into it. */
struct chat_said {
	const struct chat_command *command; /* NULL: text, or unknown */
	int verb;
	const char *word; /* the command as typed */
	size_t word_len;
	const char *text; /* what follows, without blanks around it */
	size_t len;
};

void chat_parse(struct chat_said *s, const struct chat_command *table,
	const char *line, size_t n);
/* Takes the first word off a text: *word, and what follows in *text. The length
 * of the word, 0 where there is none. */
size_t chat_word(const char **text, size_t *len, const char **word);

/* Bytes of a member on their way to lines: telnet negotiation (RFC 854) taken
 * out, CR LF or LF ends a line. A zeroed struct is an empty one. */
struct chat_input {
	struct buf bytes;
	size_t taken; /* of bytes, by the line given out last */
	size_t seen; /* of bytes, without a newline */
	bool skipping; /* the rest of a line that was too long */
	uint8_t telnet[3]; /* the beginning of a telnet command */
	uint8_t telnet_len;
	uint16_t sub; /* bytes of a subnegotiation so far */
};

enum chat_got { CHAT_NOTHING, CHAT_LINE, CHAT_TOO_LONG };

void chat_feed(struct chat_input *in, const uint8_t *data, size_t n);
/* The end of a datagram, or of the input of a member whose last line counts
 * without its newline, too. */
void chat_feed_end(struct chat_input *in);
/* The next whole line, valid until the next call; CHAT_TOO_LONG once for each
 * line over CHAT_LINE_MAX. At CHAT_NOTHING no more than CHAT_LINE_MAX + 1
 * bytes are held. */
enum chat_got chat_next(struct chat_input *in, const char **line, size_t *n);
/* Whether chat_next would give something other than CHAT_NOTHING. */
bool chat_waiting(const struct chat_input *in);
void chat_input_free(struct chat_input *in);

#endif
