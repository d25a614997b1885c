#include "meter.h"
#include "buf.h"
#include "clock.h"
#include "num.h"
#include "term.h"
#include "utf8.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DRAW_MS = 200, STALL_S = 2 };

static void
begin(struct meter *m, const void *owner, uint64_t done, int64_t now)
{
	size_t i;

	m->owner = owner;
	m->moved = now;
	m->last = 0;
	for (i = 0; i < METER_SAMPLES; i++) {
		m->sample[i].at = now;
		m->sample[i].done = done;
	}
}

/* Bytes a second since the oldest sample. */
static double
speed(struct meter *m, uint64_t done, int64_t now)
{
	size_t newest = (m->next + METER_SAMPLES - 1) % METER_SAMPLES;
	int64_t from;

	if (done < m->sample[newest].done)
		begin(m, m->owner, done, now);
	if (now - m->sample[newest].at >= CLOCK_S) {
		m->sample[m->next].at = now;
		m->sample[m->next].done = done;
		m->next = (m->next + 1) % METER_SAMPLES;
	}
	from = m->sample[m->next].at;
	if (now <= from)
		return 0;
	return (double)(done - m->sample[m->next].done) /
		clock_seconds(now - from);
}

static void
describe(struct buf *line, struct meter *m, const struct meter_file *f,
	int64_t now)
{
	double rate = speed(m, f->done, now);
	char text[NUM_MAX];

	if (f->size != UINT64_MAX)
		buf_printf(line, " %3.0f%%",
			f->size ? 100.0 * (double)f->done / (double)f->size
				: 100.0);
	buf_printf(line, " %s", num_show_size(f->done, text));
	if (f->checking)
		buf_string(line, " checked");
	buf_printf(line, " %s/s", num_show_size((uint64_t)rate, text));
	if (now - m->moved >= STALL_S * CLOCK_S)
		buf_printf(line, " stalled %lld s",
			(long long)((now - m->moved) / CLOCK_S));
	else if (f->size != UINT64_MAX && f->size > f->done && rate >= 1)
		buf_printf(line, " %.0f s left",
			(double)(f->size - f->done) / rate + 0.5);
}

/* The name takes what the figures leave of the line; its end says most. */
static void
draw(struct meter *m, const struct meter_file *f, int64_t now)
{
	size_t width = (size_t)term_width(STDERR_FILENO), room, skip;
	struct buf name = { 0 }, line = { 0 }, all = { 0 };

	utf8_escape(&name, f->name, strlen(f->name));
	describe(&line, m, f, now);
	room = width > line.len + 8 ? width - line.len - 2 : 6;
	skip = name.len > room ? name.len - room : 0;
	while (skip > 0 && skip < name.len &&
		(buf_data(&name)[skip] & 0xc0) == 0x80)
		skip++;
	buf_printf(&all, "\r%s%.*s\033[K", buf_cstr(&name) + skip,
		(int)(width - 1 - (name.len - skip)), buf_cstr(&line));
	(void)outlet_write(&m->to, buf_data(&all), all.len);
	m->drawn = true;
	m->last = now;
	buf_free(&name);
	buf_free(&line);
	buf_free(&all);
}

void
meter_start(struct meter *m, bool on)
{
	*m = (struct meter){ .on = on, .to = { .fd = STDERR_FILENO } };
}

void
meter_show(struct meter *m, const void *owner, const struct meter_file *f,
	int64_t now)
{
	if (!m->on || (m->owner && m->owner != owner))
		return;
	if (!m->owner)
		begin(m, owner, f->done, now);
	if (f->done != m->done)
		m->moved = now;
	m->done = f->done;
	if (now - m->last >= DRAW_MS * CLOCK_MS)
		draw(m, f, now);
}

void
meter_clear(struct meter *m)
{
	static const char wipe[] = "\r\033[K";

	if (m->drawn)
		(void)outlet_write(&m->to, wipe, sizeof wipe - 1);
	m->drawn = false;
}

void
meter_release(struct meter *m, const void *owner)
{
	if (m->owner != owner)
		return;
	meter_clear(m);
	m->owner = NULL;
}
