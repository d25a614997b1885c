/* chat: what the client does with a line itself: /connect, /disconnect, /exit,
 * and /menu with the answers to it; all others are the server's. */
#include "chat_user.h"
#include <string.h>

enum local_verb {
	LOCAL_CONNECT = CHAT_UNKNOWN + 1,
	LOCAL_DISCONNECT,
	LOCAL_MENU,
	LOCAL_EXIT,
};

static const struct chat_command local_commands[] = {
	{ "/connect", LOCAL_CONNECT, 1, "HOST PORT", "go to another server" },
	{ "/disconnect", LOCAL_DISCONNECT, 0, "", "leave this server" },
	{ "/menu", LOCAL_MENU, 0, "", "choices by number" },
	{ "/exit", LOCAL_EXIT, 0, "", "leave, and end this program" },
	{ NULL, CHAT_UNKNOWN, 0, NULL, NULL },
};

static void
local_connect(struct user *u, const char *text, size_t n)
{
	char host[256], port[64];
	const char *word;
	struct endpoint to;
	struct err err = { 0 };
	size_t len = chat_word(&text, &n, &word);

	if (u->link.conn) {
		chat_notice(u, "connected to %s; /disconnect first",
			u->link.conn->peer);
		return;
	}
	if (len >= sizeof(host) || n >= sizeof(port)) {
		chat_notice(u, "that is no HOST and PORT");
		return;
	}
	memcpy(host, word, len);
	host[len] = '\0';
	memcpy(port, text, n);
	port[n] = '\0';
	if (endpoint_parse(&to, host, n ? port : NULL, &err) == -1) {
		chat_notice(u, "%s", err.text);
		return;
	}
	to.datagram |= u->conf->net.udp;
	chat_link_open(&u->link, &to);
}

/* The choices of /menu: what is sent, or a local command, or a question. */
static const struct {
	const char *text, *sends;
	int verb;
	enum question question;
	const char *asks;
} menu[] = {
	{ "connect", NULL, 0, ASK_ADDRESS, "HOST PORT?" },
	{ "disconnect", NULL, LOCAL_DISCONNECT, ASK_CHOICE, NULL },
	{ "the server's time", "/time", 0, ASK_CHOICE, NULL },
	{ "the server's name", "/name", 0, ASK_CHOICE, NULL },
	{ "the list of clients", "/list", 0, ASK_CHOICE, NULL },
	{ "a message to a client", NULL, 0, ASK_MESSAGE,
		"its number or name, and the text?" },
	{ "exit", NULL, LOCAL_EXIT, ASK_NOTHING, NULL },
};
enum { CHAT_CHOICES = sizeof(menu) / sizeof(*menu) };

static void
show_menu(struct user *u)
{
	size_t i;

	for (i = 0; i < CHAT_CHOICES; i++)
		chat_notice(u, "%zu %s", i + 1, menu[i].text);
	u->question = ASK_CHOICE;
}

static void
local_command(struct user *u, int verb, const char *text, size_t n)
{
	switch ((enum local_verb)verb) {
	case LOCAL_CONNECT:
		local_connect(u, text, n);
		return;
	case LOCAL_DISCONNECT:
		u->staying = u->link.conn;
		if (u->staying)
			chat_link_part(&u->link, CHAT_PART * CLOCK_MS);
		else
			chat_notice(u, "not connected");
		return;
	case LOCAL_MENU:
		show_menu(u);
		return;
	case LOCAL_EXIT:
		chat_user_leave(u);
		return;
	}
}

/* A line that answers the menu. False: it is a line like any other. */
static bool
answer(struct user *u, const char *line, size_t n)
{
	enum question asked = u->question;
	size_t choice = n == 1 ? (size_t)(line[0] - '1') : CHAT_CHOICES;

	u->question = ASK_CHOICE;
	if (asked == ASK_ADDRESS) {
		local_connect(u, line, n);
		return true;
	}
	if (asked == ASK_MESSAGE) {
		chat_send_line(u, "/msg ", line, n);
		return true;
	}
	u->question = ASK_NOTHING;
	if (asked == ASK_NOTHING || choice >= CHAT_CHOICES)
		return false;
	u->question = menu[choice].question;
	if (menu[choice].asks)
		chat_notice(u, "%s", menu[choice].asks);
	if (menu[choice].sends)
		chat_send_line(u, menu[choice].sends, "", 0);
	if (menu[choice].verb)
		local_command(u, menu[choice].verb, "", 0);
	return true;
}

void
chat_typed(struct user *u, const char *line, size_t n)
{
	const struct chat_command *c;
	struct chat_said s;

	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (answer(u, line, n))
		return;
	chat_parse(&s, local_commands, line, n);
	if (s.command) {
		local_command(u, s.verb, s.text, s.len);
		return;
	}
	chat_parse(&s, chat_commands, line, n);
	for (c = local_commands; u->tty && s.verb == CHAT_HELP && c->name; c++)
		chat_notice(u, "%s%s%s: %s", c->name, *c->args ? " " : "",
			c->args, c->help);
	chat_send_line(u, "", line, n);
	u->ending |= s.verb == CHAT_QUIT && u->link.conn;
}
