/* probe: what is told of a port, in which order, and the line of progress. */
#include "../util/outlet.h"
#include "../util/term.h"
#include "probe.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	BRIEF_MIN = 32, /* ports: with more a terminal shows what is there */
	FIELDS = 16,
	INFO_FIELDS = 8,
};

#define PROGRESS_FIRST CLOCK_S
#define PROGRESS_EVERY (200 * CLOCK_MS)

static const char *const names[PORT_STATES] = { NULL, "open", "dropped",
	"open-filtered", "closed", "filtered", "unreachable", "error" };

const char *
probe_state_name(enum port_state state)
{
	return names[state];
}

const char *
probe_protocol(const struct target *t)
{
	if (t->is_unix)
		return "unix";
	return t->datagram ? "udp" : "tcp";
}

char *
probe_name(const struct target *t, const struct cell *c, char *out)
{
	struct endpoint e = { .transport = TRANSPORT_TCP };

	if (t->is_unix) {
		snprintf(out, ENDPOINT_TEXT_MAX, "%s", t->host);
		return out;
	}
	snprintf(e.host, sizeof(e.host), "%s", t->host);
	snprintf(e.port, sizeof(e.port), "%d", c->port);
	return endpoint_text(&e, out);
}

void
probe_why(struct target *t, struct cell *c, struct err *err)
{
	enum port_state state = (enum port_state)c->state;

	if (t->failed && (state == PORT_ERROR || !t->found)) {
		*err = *t->failed;
	} else if (state == PORT_UNREACHABLE) {
		err_set(err, "connect", c->number, NULL);
		net_hint(err, &t->addrs.item[0]);
	} else if (state == PORT_FILTERED && c->syns) {
		err_setf(err, "connect", c->number, NULL,
			"SYN sent %d time%s, no answer", c->syns,
			c->syns == 1 ? "" : "s");
	} else if (state == PORT_DROPPED) {
		err_setf(err, "connect", 0, NULL,
			"accepted, then closed without a byte: a proxy without "
			"its backend?");
	} else if (state == PORT_OPEN && c->unmet) {
		err_setf(err, "recv", 0, NULL,
			"what --expect asks for did not come");
	}
}

struct told {
	struct field field[FIELDS], rtt[3], info[INFO_FIELDS];
	struct field change[HISTORY_MAX][2], history[HISTORY_MAX];
	char addr[ADDR_TEXT_MAX], why[2 * ERR_TEXT_MAX + 4];
	size_t n;
};

static void
add(struct told *told, struct field field)
{
	told->field[told->n++] = field;
}

static struct field
yes_or_no(const char *name, int x)
{
	return x < 0 ? (struct field)F_NULL(name)
		     : (struct field)F_BOOL(name, x != 0);
}

static void
add_info(struct told *told, const struct extra *x)
{
	const struct tcpinfo *t = x->info;
	struct field *f = told->info;
	size_t n = 0;

	f[n++] = F_KNOWN("mss", t->mss);
	f[n++] = F_KNOWN("snd_wscale", t->snd_wscale);
	f[n++] = F_KNOWN("rcv_wscale", t->rcv_wscale);
	f[n++] = yes_or_no("sack", t->sack);
	f[n++] = yes_or_no("timestamps", t->timestamps);
	f[n++] = yes_or_no("ecn", t->ecn);
	f[n++] = F_KNOWN("sndbuf", x->sndbuf);
	f[n++] = F_KNOWN("rcvbuf", x->rcvbuf);
	add(told, (struct field)F_OBJ("info", told->info, n));
}

static void
add_history(struct told *told, const struct extra *x)
{
	for (int i = 0; i < x->changes; i++) {
		told->change[i][0] = (struct field)F_REAL(
			"t", clock_seconds(x->history[i].at), 3);
		told->change[i][1] = F_STR(
			"state", probe_state_name(x->history[i].state));
		told->history[i] = (struct field)F_OBJ("", told->change[i], 2);
	}
	add(told,
		(struct field)F_ARR(
			"history", told->history, (size_t)x->changes));
}

static struct field
milliseconds(const char *name, double x, bool known)
{
	return known ? (struct field)F_REAL(name, x, 3)
		     : (struct field)F_NULL(name);
}

static void
add_figures(struct told *told, const struct extra *x)
{
	double tries = (double)(x->tries ? x->tries : 1);
	double ok = (double)(x->ok ? x->ok : 1);
	bool some = x->ok > 0;

	told->rtt[0] = milliseconds("min", x->min, some);
	told->rtt[1] = milliseconds("mean", x->sum / ok, some);
	told->rtt[2] = milliseconds("max", x->max, some);
	add(told, (struct field)F_OBJ("rtt_ms", told->rtt, 3));
	add(told, (struct field)F_INT("count", x->tries));
	add(told, (struct field)F_INT("ok", x->ok));
	add(told,
		(struct field)F_REAL("loss_percent",
			100.0 * (double)(x->tries - x->ok) / tries, 3));
}

static void
add_why(struct told *told, struct target *t, struct cell *c)
{
	struct err err = { 0 };

	probe_why(t, c, &err);
	if (!err.text[0])
		return;
	snprintf(told->why, sizeof(told->why), "%s%s%s", err.text,
		err.hint[0] ? "; " : "", err.hint);
	add(told, F_STR("why", told->why));
}

static void
tell(struct target *t, struct cell *c)
{
	const struct probe_conf *conf = t->probe->conf;
	static const struct extra none;
	const struct extra *x = c->extra ? c->extra : &none;
	struct told told;

	told.n = 0;
	if (c->addr >= t->addrs.count)
		told.addr[0] = '\0';
	else if (t->is_unix)
		addr_text(&t->addrs.item[c->addr], told.addr);
	else
		addr_host(&t->addrs.item[c->addr], told.addr);
	add(&told, F_STR("host", t->host));
	add(&told, F_STR("addr", told.addr[0] ? told.addr : NULL));
	add(&told,
		t->is_unix ? (struct field)F_NULL("port")
			   : (struct field)F_INT("port", c->port));
	add(&told, F_STR("proto", probe_protocol(t)));
	add(&told, F_STR("state", probe_state_name((enum port_state)c->state)));
	add(&told, F_STR("service", probe_service(t, c)));
	if (conf->count)
		add_figures(&told, x);
	else
		add(&told,
			milliseconds(
				"rtt_ms", (double)c->rtt_ms, c->rtt_ms >= 0));
	add(&told,
		x->banner ? (struct field)F_BYTES("banner",
				    (const char *)x->banner, x->banner_len)
			  : (struct field)F_NULL("banner"));
	if (conf->wait != CLOCK_NONE)
		add_history(&told, x);
	if (x->info)
		add_info(&told, x);
	add_why(&told, t, c);
	report_event(t->probe->life.report, EV_PORT, NULL, told.field, told.n);
}

static void
take_line_away(struct probe *p)
{
	static const char wipe[] = "\r\033[K";
	struct outlet o = { .fd = STDERR_FILENO };

	if (p->drawn)
		(void)outlet_write(&o, wipe, sizeof(wipe) - 1);
	p->drawn = false;
}

static void
tell_cell(struct target *t, struct cell *c)
{
	struct probe *p = t->probe;
	bool open = c->state == PORT_OPEN;
	bool brief = p->brief && t->count > BRIEF_MIN;

	if (c->state == PORT_ERROR && t->failed && t->found && !t->told &&
		p->conf->wait == CLOCK_NONE) {
		t->told = true;
		take_line_away(p);
		report_error(p->life.report, NULL, t->failed);
	}
	if (!p->shows || (!open && p->conf->open) ||
		(brief && c->state > PORT_OPEN_FILTERED))
		return;
	take_line_away(p);
	tell(t, c);
}

/* In the order of the targets, as far as they are known. */
static void
tell_from_head(struct probe *p, bool skip)
{
	while (p->told_target < p->targets) {
		struct target *t = &p->target[p->told_target];
		struct cell *c = &t->cell[p->told_cell];

		if (p->told_cell == t->count) {
			p->told_target++;
			p->told_cell = 0;
			continue;
		}
		if (!c->state && !skip)
			return;
		if (c->state)
			tell_cell(t, c);
		p->told_cell++;
	}
}

void
probe_tell_ready(struct probe *p)
{
	tell_from_head(p, false);
}

void
probe_tell_all(struct probe *p)
{
	tell_from_head(p, true);
	take_line_away(p);
}

void
probe_note_try(struct target *t, struct cell *c)
{
	struct report *r = t->probe->life.report;
	char name[ENDPOINT_TEXT_MAX];
	int level = term_is(STDERR_FILENO) ? 0 : 1;

	probe_name(t, c, name);
	if (c->rtt_ms >= 0)
		report_note(r, level, "%s %s %.3f ms", name,
			probe_state_name((enum port_state)c->state),
			(double)c->rtt_ms);
	else
		report_note(r, level, "%s %s", name,
			probe_state_name((enum port_state)c->state));
}

static void
draw(struct probe *p)
{
	struct outlet o = { .fd = STDERR_FILENO };
	double part = (double)(p->cells - p->left) / (double)p->cells;
	double past = clock_seconds(clock_now() - p->began);
	struct buf line = { 0 };

	buf_printf(&line, "\r%3.0f%% %zu of %zu ports", 100 * part,
		p->cells - p->left, p->cells);
	if (part > 0)
		buf_printf(&line, ", %.0f s left", past / part - past);
	buf_string(&line, "\033[K");
	(void)outlet_write(&o, buf_data(&line), line.len);
	buf_free(&line);
	p->drawn = true;
}

static void
on_progress(void *arg)
{
	struct probe *p = arg;

	draw(p);
	loop_timer(p->life.loop, &p->progress, PROGRESS_EVERY, on_progress, p);
}

void
probe_show_progress(struct probe *p)
{
	const struct report_options *o = &p->conf->report;

	if (!o->quiet && !o->json && term_is(STDERR_FILENO) &&
		p->conf->wait == CLOCK_NONE && !p->conf->count &&
		!p->conf->backlog_test)
		loop_timer(p->life.loop, &p->progress, PROGRESS_FIRST,
			on_progress, p);
}
