/* chat_user: the client's user: what is typed, what is shown, the connection;
 * chat_client.c has it, chat_local.c acts on commands that are the client's. */
#ifndef SOCKCTL_CHAT_USER_H
#define SOCKCTL_CHAT_USER_H

#include "../util/sink.h"
#include "../util/source.h"
#include "chat_link.h"
#include "chat_row.h"

enum { CHAT_PART = 500 }; /* ms for the server to hear that we left */

/* What the next line answers. */
enum question { ASK_NOTHING, ASK_CHOICE, ASK_ADDRESS, ASK_MESSAGE };

struct user {
	const struct chat_conf *conf;
	struct life life;
	struct chat_link link;
	struct source in;
	struct sink out;
	struct chat_row row;
	bool tty; /* with a row to type in */
	bool clean; /* standard output is a terminal */
	struct buf typed, got; /* not taken, not shown yet */
	enum question question;
	bool staying; /* /disconnect: no end of the program */
	bool ending;
	int64_t started;
	int code;
};

/* A line that the program says: "-- " and the text. */
void chat_notice(struct user *u, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* head and line go to the server as one line; a notice where there is none. */
void chat_send_line(
	struct user *u, const char *head, const char *line, size_t n);
/* Ends the program, when the server has heard what was sent. */
void chat_user_leave(struct user *u);

/* chat_local.c: a line was typed. */
void chat_typed(struct user *u, const char *line, size_t n);

#endif
