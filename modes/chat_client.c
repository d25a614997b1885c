/* sockctl chat HOST PORT: what is typed to the server, what comes to the
 * screen; on a terminal with a row for typing. */
#include "../util/term.h"
#include "chat_user.h"
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum { CHAT_LONGEST = 64 * 1024 }; /* bytes of a line from the server */

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

void
chat_notice(struct user *u, const char *format, ...)
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

void
chat_user_leave(struct user *u)
{
	u->ending = true;
	if (u->link.state == LINK_CLOSED)
		over(u, u->code);
	else
		chat_link_part(
			&u->link, u->tty ? CHAT_PART * CLOCK_MS : CLOCK_INF);
}

/* The connection. */

void
chat_send_line(struct user *u, const char *head, const char *line, size_t n)
{
	struct buf out = { 0 };

	if (u->link.state != LINK_OPEN) {
		chat_notice(u, "not connected; /connect HOST PORT");
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
		chat_send_line(
			u, "/nick ", u->conf->nick, strlen(u->conf->nick));
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
	chat_notice(u, "not connected; /connect HOST PORT, /exit");
	work(u);
}

static const struct chat_link_calls link_calls = {
	.opened = on_opened,
	.received = on_received,
	.room = on_room,
	.ended = on_ended,
};

/* What is typed. */

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
			chat_typed(u, buf_cstr(&u->row.line.text),
				u->row.line.text.len);
			if (u->tty)
				chat_row_next(&u->row);
			break;
		case LINE_END:
			chat_user_leave(u);
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
	chat_typed(u, data, end ? (size_t)(end - data) : n);
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
		chat_user_leave(u);
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
	if (net_endpoint(&to, &conf->net, run->argc, run->argv, &err) == -1 ||
		dial_check(&conf->dial, &conf->net, &to, &err) == -1)
		return mode_refuse(run, &err);
	if (life_begin(&u.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	start(&u, &to);
	return life_run(&u.life);
}
