/* chat: what the room, its server and the client share. */
#ifndef SOCKCTL_CHAT_H
#define SOCKCTL_CHAT_H

#include "../util/chatproto.h"
#include "../util/dial.h"
#include "../util/life.h"
#include "../util/listener.h"
#include "mode.h"

struct chat_conf {
	struct net_options net;
	struct limit_options limits;
	struct listen_options listen;
	struct dial_options dial;
	struct sockopts sockopts;
	struct sight_options sight;
	struct report_options report;
	const char *nick;
	bool no_console;
	int64_t history; /* lines; CLOCK_NONE: not given */
	const char *motd, *transcript, *exit_word;
};

enum {
	CHAT_QUEUE = 256 * 1024, /* a member that lets more queue up is slow */
	CHAT_READ = 16 * 1024, /* bytes a read of a member */
	CHAT_LINES = 20, /* in CHAT_WINDOW; more are read slowly */
	CHAT_WINDOW = 2, /* s */
	CHAT_PAUSE = 100, /* ms between the lines of one that is read slowly */
	CHAT_HISTORY = 20,
	CHAT_IDLE = 60, /* s, of a datagram peer */
	CHAT_MOTD_MAX = 64 * 1024,
};

int chat_server(const struct run *run);
int chat_client(const struct run *run);

/* The room: who is in it, and what is said. It knows no sockets. */

struct chat_room;
struct chat_member;

/* How a member is reached. */
struct chat_way {
	/* One whole line; never calls back into the room. */
	void (*send)(struct chat_member *m, const void *line, size_t n);
	/* Its input is to wait, or goes on. May be NULL. */
	void (*pause)(struct chat_member *m, bool paused);
	/* It has left the room, and nothing will be sent to it any more. The
	 * memory has to live until the loop's next turn. */
	void (*left)(struct chat_member *m);
};

struct chat_member {
	struct chat_room *room;
	struct chat_member *next, **link;
	const struct chat_way *way;
	const struct conn *conn; /* NULL: the console */
	unsigned id; /* 0: the console */
	char name[CHAT_NAME_BYTES + 1];
	char host[ADDR_TEXT_MAX], port[16], since[32];
	struct chat_input in;
	int64_t said[CHAT_LINES]; /* when; a ring */
	unsigned lines;
	bool slow, long_told;
	bool ended; /* no more input comes */
	bool left;
	struct timer timer;
};

struct chat_room {
	const struct chat_conf *conf;
	struct loop *loop;
	struct report *report;
	void *arg; /* the server's */
	struct chat_member *members, **last; /* in order of entering */
	struct buf motd;
	struct buf *history; /* a ring of lines */
	int64_t most, held;
	int transcript; /* -1: none */
};

/* A server's line ("-- ...") to one, to all but one (NULL: to all). */
void chat_tell(struct chat_member *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void chat_announce(struct chat_room *r, const struct chat_member *but,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A member's line to all others, and into the history. */
void chat_say(struct chat_member *m, const struct buf *line);
/* An event of a member: its connection, id and name, and one or two fields. */
void chat_event(
	struct chat_member *m, enum event ev, struct field a, struct field b);
/* A line that m typed: a command, or something said. */
void chat_line(struct chat_member *m, const char *line, size_t n);

/* Reads --motd, opens --transcript. -1 with err. */
int chat_room_open(
	struct chat_room *r, const struct chat_conf *conf, struct err *err);
void chat_room_close(struct chat_room *r);
/* m is in; way, conn and id are set. peer NULL: the console, which is called
 * name. Others are greeted and announced. */
void chat_enter(struct chat_room *r, struct chat_member *m,
	const struct addr *peer, const char *name);
/* What it sent; the end of its input, after which it leaves. */
void chat_hear(struct chat_member *m, const uint8_t *data, size_t n);
void chat_hear_end(struct chat_member *m);
/* It leaves; why (may be NULL) is told to the others. */
void chat_leave(struct chat_member *m, const char *why);
/* The server's word to all, and everybody has left. */
void chat_end(struct chat_room *r, const char *text);

#endif
