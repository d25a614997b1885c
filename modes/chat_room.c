/* The chat's room: who is in it, what is heard, in one order. */
#include "../util/io.h"
#include "../util/mem.h"
#include "chat.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What goes out. */

static void
write_transcript(struct chat_room *r, const struct buf *line)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	char time[32];

	if (r->transcript == -1)
		return;
	buf_printf(&out, "%s ", clock_iso(clock_unix(), time, sizeof(time)));
	buf_append(&out, buf_data(line), line->len);
	/* One write a line, so that readers and other writers see it whole
	 * (where the disk does not take it in pieces). */
	if (io_write_all(r->transcript, buf_data(&out), out.len) == -1) {
		err_set(&err, "write", errno, r->conf->transcript);
		report_error(r->report, NULL, &err);
		close(r->transcript);
		r->transcript = -1;
	}
	buf_free(&out);
}

/* A line to all but one. */
static void
deliver(struct chat_room *r, const struct chat_member *but,
	const struct buf *line)
{
	struct chat_member *m;

	for (m = r->members; m; m = m->next)
		if (m != but)
			m->way->send(m, buf_data(line), line->len);
	write_transcript(r, line);
}

static void __attribute__((format(printf, 2, 0)))
add_server_line(struct buf *line, const char *format, va_list ap)
{
	buf_string(line, "-- ");
	buf_vprintf(line, format, ap);
	buf_byte(line, '\n');
}

void
chat_tell(struct chat_member *m, const char *format, ...)
{
	struct buf line = { 0 };
	va_list ap;

	va_start(ap, format);
	add_server_line(&line, format, ap);
	va_end(ap);
	m->way->send(m, buf_data(&line), line.len);
	buf_free(&line);
}

void
chat_announce(struct chat_room *r, const struct chat_member *but,
	const char *format, ...)
{
	struct buf line = { 0 };
	va_list ap;

	va_start(ap, format);
	add_server_line(&line, format, ap);
	va_end(ap);
	deliver(r, but, &line);
	buf_free(&line);
}

void
chat_event(struct chat_member *m, enum event ev, struct field a, struct field b)
{
	struct field fields[] = { F_UINT("id", m->id), F_STR("name", m->name),
		a, b };
	struct report_conn id;

	if (!m->conn && ev == EV_LEAVE) /* it never came, either */
		return;
	if (m->conn)
		id = conn_id(m->conn);
	report_event(m->room->report, ev, m->conn ? &id : NULL, fields,
		2 + (a.name != NULL) + (b.name != NULL));
}

static void
remember(struct chat_room *r, const struct buf *line)
{
	struct buf *place;

	if (r->most == 0)
		return;
	place = &r->history[r->held++ % r->most];
	buf_clear(place);
	buf_append(place, buf_data(line), line->len);
}

void
chat_say(struct chat_member *m, const struct buf *line)
{
	deliver(m->room, m, line);
	remember(m->room, line);
}

static void
refuse_line(struct chat_member *m)
{
	struct report_conn id;
	struct err err = { 0 };

	chat_tell(m, "line refused: over %d bytes", CHAT_LINE_MAX);
	if (m->long_told)
		return;
	m->long_told = true;
	if (m->conn)
		id = conn_id(m->conn);
	err_setf(&err, "protocol", EMSGSIZE, m->name,
		"a line over %d bytes was refused", CHAT_LINE_MAX);
	report_error(m->room->report, m->conn ? &id : NULL, &err);
}

/* The pace. */

/* How long the next line has to wait. Who was told is slow until he has been
 * silent for a while. */
static int64_t
must_wait(struct chat_member *m)
{
	int64_t now = loop_now(m->room->loop), window = CHAT_WINDOW * CLOCK_S;
	int64_t oldest = m->said[m->lines % CHAT_LINES];
	int64_t last = m->said[(m->lines + CHAT_LINES - 1) % CHAT_LINES];

	if (now - last > window)
		m->slow = false;
	if (!m->slow && (m->lines < CHAT_LINES || now - oldest > window))
		return 0;
	if (!m->slow) {
		m->slow = true;
		chat_tell(m,
			"more than %d lines in %d s: you are read more slowly",
			CHAT_LINES, CHAT_WINDOW);
		report_note(m->room->report, 0,
			"%s (id %u) is read more slowly: more than %d lines in "
			"%d s",
			m->name, m->id, CHAT_LINES, CHAT_WINDOW);
	}
	return last + CHAT_PAUSE * CLOCK_MS - now;
}

static const struct field none;

static void work(struct chat_member *m);

static void
on_timer(void *arg)
{
	work(arg);
}

static void
work(struct chat_member *m)
{
	const char *line;
	int64_t wait;
	size_t n;

	while (!m->left && chat_waiting(&m->in)) {
		wait = must_wait(m);
		if (wait > 0) {
			loop_timer(m->room->loop, &m->timer, wait, on_timer, m);
			if (m->way->pause)
				m->way->pause(m, true);
			return;
		}
		m->said[m->lines++ % CHAT_LINES] = loop_now(m->room->loop);
		if (chat_next(&m->in, &line, &n) == CHAT_TOO_LONG)
			refuse_line(m);
		else if (n > 0)
			chat_line(m, line, n);
	}
	if (m->left)
		return;
	(void)chat_next(&m->in, &line, &n); /* lets go of what was taken */
	if (m->ended)
		chat_leave(m, NULL);
	else if (m->way->pause)
		m->way->pause(m, false);
}

void
chat_hear(struct chat_member *m, const uint8_t *data, size_t n)
{
	if (m->left)
		return;
	chat_feed(&m->in, data, n);
	if (!timer_set(&m->timer))
		work(m);
}

void
chat_hear_end(struct chat_member *m)
{
	m->ended = true;
	if (!m->left && !timer_set(&m->timer))
		work(m);
}

/* Coming and going. */

static void
greet(struct chat_member *m)
{
	struct chat_room *r = m->room;
	const char *line = buf_cstr(&r->motd);
	int64_t i = r->held > r->most ? r->held - r->most : 0;
	struct buf clean = { 0 };

	chat_tell(m, "welcome, you are %s; /help lists the commands", m->name);
	while (*line) {
		size_t n = strcspn(line, "\n");

		buf_clear(&clean);
		chat_clean(&clean, line, n);
		chat_tell(m, "%s", buf_cstr(&clean));
		line += n + (line[n] == '\n');
	}
	if (i < r->held)
		chat_tell(m, "said before you came:");
	for (; i < r->held; i++) {
		const struct buf *said = &r->history[i % r->most];

		m->way->send(m, buf_data(said), said->len);
	}
	if (r->held)
		chat_tell(m, "now:");
	buf_free(&clean);
}

void
chat_enter(struct chat_room *r, struct chat_member *m, const struct addr *peer,
	const char *name)
{
	m->room = r;
	m->link = r->last;
	*r->last = m;
	r->last = &m->next;
	clock_iso(clock_unix(), m->since, sizeof(m->since));
	if (!peer) {
		snprintf(m->name, sizeof(m->name), "%s", name);
		strcpy(m->host, "-");
		strcpy(m->port, "-");
		return;
	}
	snprintf(m->name, sizeof(m->name), "guest%u", m->id);
	addr_host(peer, m->host);
	snprintf(m->port, sizeof(m->port), "%d", addr_port(peer));
	if (addr_port(peer) == -1) {
		addr_text(peer, m->host);
		strcpy(m->port, "-");
	}
	chat_event(m, EV_JOIN, none, none);
	greet(m);
	chat_announce(r, m, "%s joined", m->name);
}

static void
take_out(struct chat_member *m)
{
	struct chat_room *r = m->room;

	m->left = true;
	*m->link = m->next;
	if (m->next)
		m->next->link = m->link;
	else
		r->last = m->link;
	loop_cancel(r->loop, &m->timer);
}

void
chat_leave(struct chat_member *m, const char *why)
{
	if (m->left)
		return;
	take_out(m);
	chat_event(m, EV_LEAVE, F_STR("text", why), none);
	chat_announce(m->room, NULL, "%s left%s%s", m->name, why ? ": " : "",
		why ? why : "");
	chat_input_free(&m->in);
	m->way->left(m);
}

void
chat_end(struct chat_room *r, const char *text)
{
	struct chat_member *m;

	chat_announce(r, NULL, "%s", text);
	while ((m = r->members)) {
		take_out(m);
		chat_event(m, EV_LEAVE, F_STR("text", text), none);
		chat_input_free(&m->in);
		m->way->left(m);
	}
}

int
chat_room_open(
	struct chat_room *r, const struct chat_conf *conf, struct err *err)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;

	*r = (struct chat_room){ .conf = conf, .transcript = -1 };
	r->last = &r->members;
	r->most = conf->history == CLOCK_NONE ? CHAT_HISTORY : conf->history;
	if (conf->motd &&
		opt_read_file(&r->motd, conf->motd, CHAT_MOTD_MAX, err) == -1)
		return -1;
	if (conf->transcript) {
		r->transcript = open(conf->transcript, flags, 0666);
		if (r->transcript == -1)
			return err_set(err, "open", errno, conf->transcript);
	}
	r->history = mem_zero((size_t)r->most + 1, sizeof(*r->history));
	return 0;
}

void
chat_room_close(struct chat_room *r)
{
	int64_t i;

	for (i = 0; r->history && i < r->most; i++)
		buf_free(&r->history[i]);
	free(r->history);
	buf_free(&r->motd);
	if (r->transcript != -1)
		close(r->transcript);
}
