#include "arrival.h"

#include "mem.h"
#include <stdbool.h>
#include <stdlib.h>

static uint64_t *
word_of(struct arrival *a, uint64_t number)
{
	return &a->window[number % ARRIVAL_WINDOW / 64];
}

static bool
is_missing(struct arrival *a, uint64_t number)
{
	return a->window != NULL && (*word_of(a, number) >> number % 64 & 1);
}

static void
set_missing(struct arrival *a, uint64_t number, bool missing)
{
	if (is_missing(a, number) == missing)
		return;
	*word_of(a, number) ^= UINT64_C(1) << number % 64;
	a->missing += missing ? 1 : UINT64_MAX;
}

/* The numbers from next up to end come into the window; what stood in their
 * places is further back than it reaches. */
static void
move_on(struct arrival *a, uint64_t end, bool missing)
{
	uint64_t n = end - a->next;

	if (!missing && a->missing == 0) {
		a->next = end;
		return;
	}
	if (a->window == NULL)
		a->window = mem_zero(ARRIVAL_WINDOW / 64, sizeof(uint64_t));
	if (n > ARRIVAL_WINDOW)
		a->next = end - ARRIVAL_WINDOW;
	while (a->next != end) {
		n = 64 - a->next % 64;
		if (n > end - a->next)
			n = end - a->next;
		/* Mostly there is nothing to forget. */
		if (missing || *word_of(a, a->next) != 0)
			for (uint64_t i = 0; i < n; i++)
				set_missing(a, a->next + i, missing);
		a->next += n;
	}
}

static void
add_late(struct arrival *a, uint64_t number)
{
	if (a->next - number > ARRIVAL_WINDOW || !is_missing(a, number)) {
		a->duplicates++;
		return;
	}
	set_missing(a, number, false);
	a->received++;
	a->reordered++;
}

static void
add_jitter(struct arrival *a, int64_t sent, int64_t arrived)
{
	int64_t transit = (int64_t)((uint64_t)arrived - (uint64_t)sent);
	double d = (double)transit - (double)a->transit;

	if (a->received > 0)
		a->jitter += ((d < 0 ? -d : d) - a->jitter) / 16;
	a->transit = transit;
}

void
arrival_add(struct arrival *a, uint64_t first, uint64_t count, int64_t sent,
	int64_t arrived)
{
	add_jitter(a, sent, arrived);
	for (; count > 0 && first < a->next; count--)
		add_late(a, first++);
	if (count == 0)
		return;
	if (first > a->next)
		move_on(a, first, true);
	move_on(a, first + count, false);
	a->received += count;
}

void
arrival_free(struct arrival *a)
{
	free(a->window);
	a->window = NULL;
}
