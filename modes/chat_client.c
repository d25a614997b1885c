/* sockctl chat HOST PORT: what is typed to the server, what comes to the
 * screen; on a terminal with a row for typing. */
#include "../util/sink.h"
#include "../util/source.h"
#include "../util/term.h"
#include "chat_link.h"
#include "chat_row.h"
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum {
	CHAT_LONGEST = 64 * 1024, /* a line from the server */
	CHAT_PART = 500, /* ms for the server to hear that we left */
};

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

static void work(struct user *u);

/* The screen. */

static void
show(struct user *u, const void *line, size_t n)
{
	if (u->tty) {
		chat_row_print(&u->row, line, n);
		return;
	}
	sink_write(&u->out, line, n);
	sink_write(&u->out, "\n", 1);
}

static void notice(struct user *u, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
notice(struct user *u, const char *format, ...)
{
	struct buf line = { 0 };
	va_list ap;

	va_start(ap, format);
	buf_string(&line, "-- ");
	buf_vprintf(&line, format, ap);
	va_end(ap);
	show(u, buf_data(&line), line.len);
	buf_free(&line);
}

static void
show_clean(struct user *u, const uint8_t *line, size_t n)
{
	struct buf clean = { 0 };

	chat_clean(&clean, line, n);
	show(u, clean.len ? buf_data(&clean) : line, clean.len);
	buf_free(&clean);
}

/* A terminal sees whole lines that cannot drive it; a pipe sees bytes. */
static void
show_received(struct user *u, const uint8_t *data, size_t n)
{
	const uint8_t *end;
	size_t len;

	if (!u->clean) {
		sink_write(&u->out, data, n);
		return;
	}
	buf_append(&u->got, data, n);
	while (u->got.len > 0) {
		data = buf_data(&u->got);
		end = memchr(data, '\n', u->got.len);
		len = end ? (size_t)(end - data) : u->got.len;
		if (!end && len < CHAT_LONGEST)
			return;
		show_clean(u, data, len);
		buf_consume(&u->got, len + (end != NULL));
	}
}

/* The end. */

static void
over(struct user *u, int code)
{
	source_close(&u->in);
	chat_row_close(&u->row);
	u->tty = false;
	u->ending = true;
	u->code = code;
	if (!sink_full(&u->out))
		loop_stop(u->life.loop, life_code(&u->life, code));
}

static void
leave(struct user *u)
{
	u->ending = true;
	if (u->link.state == LINK_CLOSED)
		over(u, u->code);
	else
		chat_link_part(
			&u->link, u->tty ? CHAT_PART * CLOCK_MS : CLOCK_INF);
}

/* The connection. */

static void
send_line(struct user *u, const char *head, const char *line, size_t n)
{
	struct buf out = { 0 };

	if (u->link.state != LINK_OPEN) {
		notice(u, "not connected; /connect HOST PORT");
		return;
	}
	buf_string(&out, head);
	buf_append(&out, line, n);
	buf_byte(&out, '\n');
	chat_link_send(&u->link, buf_data(&out), out.len);
	buf_free(&out);
}

static void
on_opened(void *arg)
{
	struct user *u = arg;

	if (u->conf->nick)
		send_line(u, "/nick ", u->conf->nick, strlen(u->conf->nick));
	work(u);
}

static void
on_received(void *arg, const uint8_t *data, size_t n)
{
	struct user *u = arg;

	show_received(u, data, n);
	if (sink_full(&u->out))
		chat_link_pause(&u->link, true);
}

static void
on_room(void *arg)
{
	work(arg);
}

/* Without a terminal this is the end, unless the user wanted it. */
static void
on_ended(void *arg, int code)
{
	struct user *u = arg;
	bool stays = u->staying || (u->tty && u->link.opened > 0);

	u->staying = false;
	if (u->got.len > 0)
		show_received(u, (const uint8_t *)"\n", 1);
	if (u->ending || !stays) {
		over(u, u->code ? u->code : code);
		return;
	}
	notice(u, "not connected; /connect HOST PORT, /exit");
	work(u);
}

static const struct chat_link_calls link_calls = {
	.opened = on_opened,
	.received = on_received,
	.room = on_room,
	.ended = on_ended,
};

/* What is typed. */

static void
local_connect(struct user *u, const char *text, size_t n)
{
	char host[256], port[64];
	const char *word;
	struct endpoint to;
	struct err err = { 0 };
	size_t len = chat_word(&text, &n, &word);

	if (u->link.conn) {
		notice(u, "connected to %s; /disconnect first",
			u->link.conn->peer);
		return;
	}
	if (len >= sizeof(host) || n >= sizeof(port)) {
		notice(u, "that is no HOST and PORT");
		return;
	}
	memcpy(host, word, len);
	host[len] = '\0';
	memcpy(port, text, n);
	port[n] = '\0';
	if (endpoint_parse(&to, host, n ? port : NULL, &err) == -1) {
		notice(u, "%s", err.text);
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
		notice(u, "%zu %s", i + 1, menu[i].text);
	u->question = ASK_CHOICE;
}

static void
local_command(struct user *u, int verb, const struct chat_said *s)
{
	switch ((enum local_verb)verb) {
	case LOCAL_CONNECT:
		local_connect(u, s->text, s->len);
		return;
	case LOCAL_DISCONNECT:
		u->staying = u->link.conn;
		if (u->staying)
			chat_link_part(&u->link, CHAT_PART * CLOCK_MS);
		else
			notice(u, "not connected");
		return;
	case LOCAL_MENU:
		show_menu(u);
		return;
	case LOCAL_EXIT:
		leave(u);
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
		send_line(u, "/msg ", line, n);
		return true;
	}
	u->question = ASK_NOTHING;
	if (asked == ASK_NOTHING || choice >= CHAT_CHOICES)
		return false;
	u->question = menu[choice].question;
	if (menu[choice].asks)
		notice(u, "%s", menu[choice].asks);
	if (menu[choice].sends)
		send_line(u, menu[choice].sends, "", 0);
	if (menu[choice].verb)
		local_command(u, menu[choice].verb, NULL);
	return true;
}

static void
typed_line(struct user *u, const char *line, size_t n)
{
	const struct chat_command *c;
	struct chat_said s;

	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (answer(u, line, n))
		return;
	chat_parse(&s, local_commands, line, n);
	if (s.command) {
		local_command(u, s.verb, &s);
		return;
	}
	chat_parse(&s, chat_commands, line, n);
	for (c = local_commands; u->tty && s.verb == CHAT_HELP && c->name; c++)
		notice(u, "%s%s%s: %s", c->name, *c->args ? " " : "", c->args,
			c->help);
	send_line(u, "", line, n);
	u->ending |= s.verb == CHAT_QUIT && u->link.conn;
}

/* Takes the next line, or key, off what was typed; false: nothing is there. */
static bool
take_typed(struct user *u)
{
	const char *data = (const char *)buf_data(&u->typed), *end;
	size_t n = u->typed.len;
	uint8_t key;

	if (n == 0)
		return false;
	if (u->tty) {
		key = (uint8_t)*data;
		buf_consume(&u->typed, 1);
		switch (chat_row_key(&u->row, key)) {
		case LINE_ENTERED:
			typed_line(u, buf_cstr(&u->row.line.text),
				u->row.line.text.len);
			if (u->tty)
				chat_row_next(&u->row);
			break;
		case LINE_END:
			leave(u);
			break;
		case LINE_NOTHING:
		case LINE_CHANGED:
		case LINE_CLEAR:
			break;
		}
		return true;
	}
	end = memchr(data, '\n', n);
	if (!end && !u->in.ended && n < CHAT_LONGEST)
		return false;
	typed_line(u, data, end ? (size_t)(end - data) : n);
	buf_consume(&u->typed, end ? (size_t)(end - data) + 1 : n);
	return true;
}

/* Goes on with what was typed, where nothing has to come first. */
static void
work(struct user *u)
{
	enum chat_link_state state;
	bool waits = false;

	while (!u->ending) {
		state = u->link.state;
		waits = (state != LINK_OPEN && state != LINK_CLOSED) ||
			chat_link_full(&u->link);
		if (waits || !take_typed(u))
			break;
	}
	if (u->ending)
		return;
	source_pause(&u->in, waits);
	/* No input at all is no wish to leave: it goes on listening, but not
	 * where it could not be read. */
	if (!waits && u->in.ended &&
		(u->in.total > 0 || u->code || u->link.state == LINK_CLOSED))
		leave(u);
}

static void
on_input(void *arg, const uint8_t *data, size_t n)
{
	struct user *u = arg;

	buf_append(&u->typed, data, n);
	work(u);
}

static void
on_input_end(void *arg, const struct err *err)
{
	struct user *u = arg;

	if (err && !u->tty) {
		report_error(u->life.report, NULL, err);
		u->code = (int)err_exit(err);
	}
	work(u);
}

static void
on_output(void *arg, const struct err *err)
{
	struct user *u = arg;

	if (err && !u->ending)
		report_error(u->life.report, NULL, err);
	if (err) {
		u->ending = true;
		u->code = (int)err_exit(err);
		chat_link_abort(&u->link, CLOSE_ERROR);
	}
	if (u->link.state != LINK_CLOSED)
		chat_link_pause(&u->link, false);
	else if (u->ending)
		over(u, u->code);
}

/* The run. */

static void
on_stop(void *arg, const struct err *why)
{
	struct user *u = arg;

	u->ending = true;
	chat_row_close(&u->row);
	u->tty = false;
	if (sink_full(&u->out)) /* nobody takes it now */
		sink_close(&u->out);
	chat_link_abort(&u->link, why ? CLOSE_TIMEOUT : CLOSE_LOCAL);
	if (!u->link.conn)
		over(u, why ? EXIT_TIMEOUT : EXIT_OK);
}

static size_t
members(void *arg, struct field *out)
{
	struct user *u = arg;
	const struct chat_link *k = &u->link;
	size_t n = 0;

	out[n++] = F_STR("peer", k->peer[0] ? k->peer : NULL);
	out[n++] = (struct field)F_UINT(
		"rx", k->rx + (k->conn ? k->conn->rx : 0));
	out[n++] = (struct field)F_UINT(
		"tx", k->tx + (k->conn ? k->conn->tx : 0));
	out[n++] = (struct field)F_UINT("unsent", u->typed.len);
	out[n++] = (struct field)F_REAL("duration_s",
		clock_seconds(loop_now(u->life.loop) - u->started), 6);
	return n;
}

/* A line of the report shares the terminal with the row. */
static void
on_screen(void *arg, bool before)
{
	struct user *u = arg;

	if (!u->tty)
		return;
	if (before)
		chat_row_wipe(&u->row);
	else
		chat_row_draw(&u->row);
}

static void
release(void *arg)
{
	struct user *u = arg;

	sink_close(&u->out);
	buf_free(&u->typed);
	buf_free(&u->got);
}

static void
start(struct user *u, const struct endpoint *to)
{
	struct loop *l = u->life.loop;

	u->link.conf = u->conf;
	u->link.life = &u->life;
	u->link.calls = &link_calls;
	u->link.arg = u;
	u->started = loop_now(l);
	u->clean = term_is(STDOUT_FILENO);
	u->tty = u->clean && term_is(STDIN_FILENO);
	sink_open(&u->out, l, STDOUT_FILENO, "standard output", on_output, u);
	source_open(
		&u->in, l, STDIN_FILENO, CHAT_READ, on_input, on_input_end, u);
	if (u->tty)
		chat_row_open(&u->row, l, &u->out);
	if (term_is(STDERR_FILENO))
		report_screen(u->life.report, on_screen, u);
	chat_link_open(&u->link, to);
}

int
chat_client(const struct run *run)
{
	const struct chat_conf *conf = run->conf;
	struct user u = { .conf = conf };
	struct life_setup setup = {
		.mode = "chat",
		.manner = REPORT_CLIENT,
		.report = &conf->report,
		.sight = &conf->sight,
		.deadline = conf->limits.deadline,
		.stop = on_stop,
		.members = members,
		.release = release,
		.arg = &u,
	};
	struct endpoint to;
	struct err err = { 0 };

	if (run->argc == 0 && !conf->net.path)
		return mode_usage(run, NET_NEITHER);
	if (net_endpoint(&to, &conf->net, run->argc, run->argv, &err) == -1)
		return mode_refuse(run, &err);
	if (life_begin(&u.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	start(&u, &to);
	return life_run(&u.life);
}
