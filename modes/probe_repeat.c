/* probe: the same ports again and again: --count measures, --wait waits. */
#include "../util/num.h"
#include "probe.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool
waits(const struct probe *p)
{
	return p->conf->wait != CLOCK_NONE;
}

static int64_t
interval(const struct probe_conf *conf)
{
	if (conf->interval != CLOCK_NONE)
		return conf->interval;
	return conf->wait != CLOCK_NONE ? 250 * CLOCK_MS : CLOCK_S;
}

static void
on_due(void *arg)
{
	struct extra *x = arg;
	struct target *t = x->target;

	x->started = clock_now();
	if (!probe_cell_good(x->cell) || !t->found)
		probe_look_up(t);
	if (t->found)
		probe_again(t, x->cell);
	probe_pump(t->probe);
}

static void
again(struct extra *x)
{
	struct probe *p = x->target->probe;
	int64_t past;

	if (!x->started)
		x->started = p->began;
	past = clock_now() - x->started;
	loop_timer(p->life.loop, &x->again,
		past < interval(p->conf) ? interval(p->conf) - past : 0, on_due,
		x);
}

static void
keep_history(struct extra *x)
{
	enum port_state state = (enum port_state)x->cell->state;

	if (x->changes && x->history[x->changes - 1].state == state)
		return;
	if (x->changes == HISTORY_MAX) {
		x->changes--;
		memmove(&x->history[0], &x->history[1],
			(HISTORY_MAX - 1) * sizeof(x->history[0]));
	}
	x->history[x->changes].at = clock_now() - x->target->probe->began;
	x->history[x->changes++].state = state;
	probe_note_try(x->target, x->cell);
}

static void
keep_figures(struct extra *x)
{
	double rtt = (double)x->cell->rtt_ms;

	x->tries++;
	probe_note_try(x->target, x->cell);
	if (!probe_cell_good(x->cell))
		return;
	x->min = x->ok == 0 || rtt < x->min ? rtt : x->min;
	x->max = rtt > x->max ? rtt : x->max;
	x->sum += rtt;
	x->ok++;
}

/* With --count a port is open that was so once: the loss says how often not. */
static void
sum_up(struct cell *c)
{
	if (c->extra->ok == 0)
		return;
	c->state = PORT_OPEN;
	c->unmet = false;
}

/* Often enough in a row. */
static bool
is_steady(const struct probe *p, const struct cell *c)
{
	return c->extra && c->extra->streak >= p->conf->stable;
}

/* A port of the item that is waited for yet; NULL: none. For --down all ports
 * of a range have to be so, else one of it is enough. */
static struct cell *
missing_of(const struct target *t, const struct ports_item *item)
{
	bool down = t->probe->conf->down;
	int count;
	struct cell *c = probe_item_cells(t, item, &count);

	for (int i = 0; i < count; i++)
		if (is_steady(t->probe, &c[i]) != down)
			return down ? &c[i] : NULL;
	return down ? NULL : c;
}

/* The first port that is waited for yet; NULL: what was asked for is so. */
static struct cell *
missing(struct probe *p, struct target **which)
{
	struct cell *first = NULL;

	for (int i = 0; i < p->targets; i++) {
		struct target *t = &p->target[i];

		for (int k = 0; k < t->items; k++) {
			struct cell *c = missing_of(t, &t->item[k]);

			if (!c && p->conf->any)
				return NULL;
			if (!c || first)
				continue;
			first = c;
			*which = t;
		}
	}
	return first;
}

static void
on_check(void *arg)
{
	struct probe *p = arg;
	struct target *t;

	if (!p->over && !missing(p, &t))
		probe_over(p, EXIT_OK);
}

static void
on_limit(void *arg)
{
	struct probe *p = arg;
	struct target *t = NULL;
	struct cell *c = missing(p, &t);
	char time[NUM_MAX], name[ENDPOINT_TEXT_MAX];
	struct err why = { 0 }, err = { 0 };

	if (!c) {
		probe_over(p, EXIT_OK);
		return;
	}
	probe_why(t, c, &why);
	err_setf(&err, "wait", ETIMEDOUT, probe_name(t, c, name),
		"%s after %s%s%s",
		c->state ? probe_state_name((enum port_state)c->state)
			 : "no answer",
		num_show_time(p->conf->wait, time), why.text[0] ? ": " : "",
		why.text);
	if (why.hint[0])
		err_hint(&err, "%s", why.hint);
	report_error(p->life.report, NULL, &err);
	probe_over(p, EXIT_TIMEOUT);
}

void
probe_repeat_note(struct target *t, struct cell *c)
{
	struct probe *p = t->probe;
	struct extra *x = probe_extra(t, c);

	if (waits(p)) {
		keep_history(x);
		x->streak = probe_cell_good(c) != p->conf->down ? x->streak + 1
								: 0;
		loop_timer(p->life.loop, &p->check, 0, on_check, p);
		again(x);
		return;
	}
	keep_figures(x);
	if (x->tries < p->conf->count && t->found) {
		again(x);
		return;
	}
	sum_up(c);
	p->left--;
}

void
probe_repeat_start(struct probe *p)
{
	if (waits(p))
		loop_timer(p->life.loop, &p->limit, p->conf->wait, on_limit, p);
}

void
probe_repeat_stop(struct probe *p)
{
	loop_cancel(p->life.loop, &p->limit);
	loop_cancel(p->life.loop, &p->check);
	for (int i = 0; i < p->targets; i++) {
		for (int k = 0; k < p->target[i].count; k++) {
			struct cell *c = &p->target[i].cell[k];

			if (!c->extra)
				continue;
			loop_cancel(p->life.loop, &c->extra->again);
			sum_up(c);
		}
	}
}
