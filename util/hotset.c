#include "hotset.h"
#include "clock.h"
#include "mem.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

enum { BITS = sizeof(hotset_word) * CHAR_BIT };

#define LOOK_PERIOD (500 * CLOCK_US) /* looks at all come no more often */

/* What a wakeup from sleeping on all costs, in looks; and how many in a row may
 * come before it is known how often they come. */
enum { SLEEP = 4, BURST = 4 };

static inline hotset_word
bit(int fd)
{
	return (hotset_word)1 << (fd % BITS);
}

static hotset_word
joined(hotset_word *const set[HOTSET_KINDS], int at)
{
	hotset_word all = 0;

	for (int k = 0; k < HOTSET_KINDS; k++)
		all |= set[k][at];
	return all;
}

static void
grow_set(hotset_word **set, int from, int to)
{
	*set = mem_grow(*set, (size_t)to, sizeof(**set));
	memset(*set + from, 0, (size_t)(to - from) * sizeof(**set));
}

static void
make_room(struct hotset *h, int fd)
{
	int room = h->room ? h->room : 16;

	if (fd / BITS < h->room)
		return;
	while (fd / BITS >= room)
		room *= 2;
	for (int k = 0; k < HOTSET_KINDS; k++) {
		grow_set(&h->all[k], h->room, room);
		grow_set(&h->again[k], h->room, room);
		grow_set(&h->work[k], h->room, room);
	}
	grow_set(&h->hot, h->room, room);
	h->heat = mem_grow(h->heat, (size_t)room * BITS, sizeof(*h->heat));
	memset(h->heat + h->room * BITS, 0,
		(size_t)(room - h->room) * BITS * sizeof(*h->heat));
	h->room = room;
}

/* A fresh one leaves soon unless it becomes active. */
static void
heat(struct hotset *h, int fd, bool fresh)
{
	if (!fresh)
		h->heat[fd] = h->age;
	else if (h->age - h->heat[fd] > HOTSET_KEEP)
		h->heat[fd] = h->age - HOTSET_KEEP;
	h->fresh += fresh;
	h->hot[fd / BITS] |= bit(fd);
	if (fd / BITS >= h->hot_words)
		h->hot_words = fd / BITS + 1;
}

void
hotset_want(struct hotset *h, int fd, unsigned old, unsigned want)
{
	int at = fd / BITS;
	bool watched;

	make_room(h, fd);
	watched = joined(h->all, at) & bit(fd);
	for (int k = 0; k < HOTSET_KINDS; k++) {
		bool had = h->all[k][at] & bit(fd), has = want & 1u << k;

		h->waiting[k] += has - had;
		if (has) {
			h->all[k][at] |= bit(fd);
		} else if (old & 1u << k) {
			h->all[k][at] &= ~bit(fd);
			h->again[k][at] &= ~bit(fd);
			h->work[k][at] &= ~bit(fd);
		}
	}
	h->watched += (want != 0) - watched;
	if (want & ~old)
		heat(h, fd, !watched);
	if (!want)
		h->hot[at] &= ~bit(fd);
	else if (at >= h->words)
		h->words = at + 1;
}

void
hotset_forget(struct hotset *h, int fd)
{
	hotset_want(h, fd, (1u << HOTSET_KINDS) - 1, 0);
}

void
hotset_again(struct hotset *h, int fd, unsigned ready)
{
	int at = fd / BITS;

	make_room(h, fd);
	for (int k = 0; k < HOTSET_KINDS; k++)
		if (ready & 1u << k)
			h->again[k][at] |= bit(fd);
	if (at >= h->again_words)
		h->again_words = at + 1;
}

bool
hotset_has_again(const struct hotset *h)
{
	for (int i = 0; i < h->again_words; i++)
		if (joined(h->again, i))
			return true;
	return false;
}

static void
add_again(struct hotset *h)
{
	for (; h->scan < h->again_words; h->scan++)
		for (int k = 0; k < HOTSET_KINDS; k++)
			h->work[k][h->scan] = 0;
	for (int i = 0; i < h->again_words; i++) {
		for (int k = 0; k < HOTSET_KINDS; k++) {
			h->work[k][i] |= h->again[k][i];
			h->again[k][i] = 0;
		}
	}
	h->again_words = 0;
}

/* pselect on all, or on the hot ones. */
static int
select_words(struct hotset *h, bool hot, int64_t timeout, const sigset_t *mask)
{
	struct timespec ts = { 0 }, *wait = NULL;
	fd_set *set[HOTSET_KINDS];
	int n = hot && h->hot_words < h->words ? h->hot_words : h->words;

	for (int k = 0; k < HOTSET_KINDS; k++) {
		for (int i = 0; i < n; i++)
			h->work[k][i] = hot ? h->all[k][i] & h->hot[i]
					    : h->all[k][i];
		set[k] = h->waiting[k] ? (fd_set *)h->work[k] : NULL;
	}
	if (timeout != CLOCK_INF) {
		ts.tv_sec = (time_t)(timeout / CLOCK_S);
		ts.tv_nsec = (long)(timeout % CLOCK_S);
		wait = &ts;
	}
	h->scan = n;
	return pselect(n * BITS, set[0], set[1], set[2], wait, mask);
}

static bool
listens(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 &&
		yes;
}

/* Those that were quiet for long leave the hot ones, but for listeners. */
static void
cool(struct hotset *h)
{
	for (int i = 0; i < h->hot_words; i++) {
		for (hotset_word w = h->hot[i]; w; w &= w - 1) {
			int fd = i * BITS + __builtin_ctzl(w);

			if (h->age - h->heat[fd] > HOTSET_KEEP && !listens(fd))
				h->hot[i] &= ~bit(fd);
		}
	}
	while (h->hot_words && !h->hot[h->hot_words - 1])
		h->hot_words--;
	h->fresh = 0;
}

static void
grow_old(struct hotset *h, uint32_t steps)
{
	h->age += steps;
	if (h->age % HOTSET_COOL < steps || h->fresh > HOTSET_PLAIN)
		cool(h);
}

static int64_t
cost(const struct hotset *h)
{
	return h->each * h->watched;
}

/* Counts wakeups from now on. */
static void
restart(struct hotset *h, int64_t now)
{
	h->since = now;
	h->wakeups = 0;
}

/* Whether the sets have a cold one after pselect. */
static bool
found_cold(const struct hotset *h)
{
	for (int i = 0; i < h->scan; i++)
		if (joined(h->work, i) & ~h->hot[i])
			return true;
	return false;
}

/* What there is to ask about: all or the hot ones, and for how long. */
enum way { WAY_PLAIN, WAY_CALM, WAY_LOOK, WAY_HOT };

static enum way
choose(const struct hotset *h, int64_t timeout, int64_t now)
{
	if (h->watched <= HOTSET_PLAIN)
		return WAY_PLAIN;
	if (h->calm && timeout > 0)
		return WAY_CALM;
	return now >= h->due ? WAY_LOOK : WAY_HOT;
}

/* After a look at all, which began at start and took until now: sets when to
 * look again, later each time that there was no cold one to find. One that took
 * long (the processor was taken away) does not count for what it took. With few
 * wakeups since the last look sleeping on all is cheap enough. */
static void
looked(struct hotset *h, int n, int64_t start, int64_t now)
{
	int64_t took = (now - start) / h->watched, period;

	h->each = h->each && took > 2 * h->each ? 2 * h->each : took;
	if (h->pause == 0 || h->fresh > 0 || (n > 0 && found_cold(h)))
		h->pause = HOTSET_PAUSE;
	else if (h->pause < HOTSET_PAUSE_MOST)
		h->pause *= 2;
	period = h->pause * cost(h);
	h->due = now + (period > LOOK_PERIOD ? period : LOOK_PERIOD);
	h->calm = h->wakeups * SLEEP * cost(h) * HOTSET_PAUSE <= now - h->since;
	restart(h, now);
	grow_old(h, (uint32_t)h->pause / HOTSET_PAUSE);
}

/* After sleeping on all: no more of it when that was often. */
static void
slept(struct hotset *h, int64_t now)
{
	int64_t spent, paid = (now - h->since) / HOTSET_PAUSE;

	h->wakeups++;
	spent = h->wakeups * SLEEP * cost(h);
	if (spent > paid + BURST * SLEEP * cost(h)) {
		h->calm = false;
		h->pause = HOTSET_PAUSE;
		h->due = now + LOOK_PERIOD;
	}
	if (spent <= paid || !h->calm)
		restart(h, now);
	grow_old(h, 1);
}

int
hotset_wait(
	struct hotset *h, int64_t timeout, const sigset_t *mask, int64_t *now)
{
	enum way way = choose(h, timeout, *now);
	int64_t start = 0;
	int n, number;

	make_room(h, 0);
	while (h->words && !joined(h->all, h->words - 1))
		h->words--;
	if (way == WAY_LOOK) {
		start = clock_now();
		timeout = 0;
	} else if (way == WAY_HOT) {
		timeout = clock_sooner(timeout, h->due - *now);
	}
	n = select_words(h, way == WAY_HOT, timeout, mask);
	number = errno;
	*now = clock_now();
	if (way == WAY_LOOK)
		looked(h, n, start, *now);
	if (way == WAY_CALM)
		slept(h, *now);
	else
		h->wakeups += n > 0;
	h->cursor = 0;
	if (n <= 0)
		h->scan = 0;
	add_again(h);
	errno = number;
	return n;
}

int
hotset_next(struct hotset *h, unsigned *ready)
{
	hotset_word word = 0;
	int fd;

	while (h->cursor < h->scan && !(word = joined(h->work, h->cursor)))
		h->cursor++;
	if (!word)
		return -1;
	fd = h->cursor * BITS + __builtin_ctzl(word);
	*ready = 0;
	for (int k = 0; k < HOTSET_KINDS; k++) {
		if (h->work[k][h->cursor] & bit(fd))
			*ready |= 1u << k;
		h->work[k][h->cursor] &= ~bit(fd);
	}
	heat(h, fd, false);
	return fd;
}

void
hotset_free(struct hotset *h)
{
	for (int k = 0; k < HOTSET_KINDS; k++) {
		free(h->all[k]);
		free(h->again[k]);
		free(h->work[k]);
	}
	free(h->hot);
	free(h->heat);
	*h = (struct hotset){ 0 };
}
