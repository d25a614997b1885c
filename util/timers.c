#include "timers.h"
#include "clock.h"
#include "mem.h"
#include <stdlib.h>

static void
put(struct timers *h, size_t place, struct timer *t)
{
	h->heap[place] = t;
	t->place = place;
}

static void
sift_up(struct timers *h, size_t place, struct timer *t)
{
	for (; place > 1 && h->heap[place / 2]->at > t->at; place /= 2)
		put(h, place, h->heap[place / 2]);
	put(h, place, t);
}

static void
sift_down(struct timers *h, size_t place, struct timer *t)
{
	size_t child;

	while ((child = place * 2) <= h->count) {
		if (child < h->count &&
			h->heap[child + 1]->at < h->heap[child]->at)
			child++;
		if (h->heap[child]->at >= t->at)
			break;
		put(h, place, h->heap[child]);
		place = child;
	}
	put(h, place, t);
}

/* Puts t where it belongs, coming from place. */
static void
settle(struct timers *h, size_t place, struct timer *t)
{
	if (place > 1 && h->heap[place / 2]->at > t->at)
		sift_up(h, place, t);
	else
		sift_down(h, place, t);
}

void
timers_set(struct timers *h, struct timer *t, int64_t at)
{
	t->at = at;
	if (t->place) {
		settle(h, t->place, t);
		return;
	}
	if (h->count + 2 > h->room) {
		h->room = h->room ? h->room * 2 : 16;
		h->heap = mem_grow(h->heap, h->room, sizeof(*h->heap));
	}
	sift_up(h, ++h->count, t);
}

void
timers_cancel(struct timers *h, struct timer *t)
{
	size_t place = t->place;
	struct timer *last;

	if (!place)
		return;
	t->place = 0;
	last = h->heap[h->count--];
	if (last != t)
		settle(h, place, last);
}

int64_t
timers_next(const struct timers *h)
{
	return h->count ? h->heap[1]->at : CLOCK_INF;
}

void
timers_run(struct timers *h, int64_t now)
{
	while (h->count && h->heap[1]->at <= now) {
		struct timer *t = h->heap[1];

		timers_cancel(h, t);
		t->fn(t->arg);
	}
}

void
timers_free(struct timers *h)
{
	for (size_t i = 1; i <= h->count; i++)
		h->heap[i]->place = 0;
	free(h->heap);
	*h = (struct timers){ 0 };
}
