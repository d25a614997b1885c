/* hotset: the sets that the loop hands to pselect(2), and which descriptors it
 * asks about when. Part of loop; nobody else needs it.
 *
 * The sets are own words of bits that grow, since fd_set ends at FD_SETSIZE
 * (and FD_SET aborts there under _FORTIFY_SOURCE).
 *
 * pselect's cost is that of the descriptors it is asked about. It sleeps on all
 * while there are at most HOTSET_PLAIN of them, and while it wakes so seldom
 * that this takes a ninth of the time at most; who is idle uses nothing.
 * Otherwise it sleeps on the hot ones only (lately active, new, or listening),
 * and now and then looks at all without waiting, which is cheaper for each than
 * sleeping on it (50 to 130 ns against 200 to 375). Looks take a ninth of the
 * time at most, a 33rd while there is nothing cold to find: of 10,000
 * descriptors a cold one waits for 8 to 32 ms then, under load only. With
 * 10,000 connections of which 1, 10 or 100 are active this answers 75, 38 and 5
 * times as many requests as plain pselect. */
#ifndef SOCKCTL_HOTSET_H
#define SOCKCTL_HOTSET_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef unsigned long hotset_word;

enum {
	HOTSET_KINDS = 3, /* read, write, urgent: LOOP_READ is 1 << 0 */
	HOTSET_PLAIN = 64, /* descriptors */
	/* The pause after a look, in looks: at first, and at most. */
	HOTSET_PAUSE = 8,
	HOTSET_PAUSE_MOST = 32,
	HOTSET_KEEP = 16, /* steps of age that a quiet descriptor stays hot */
	HOTSET_COOL = 8, /* every so many of them the quiet ones leave */
};

struct hotset {
	hotset_word *all[HOTSET_KINDS]; /* what is waited for */
	hotset_word *again[HOTSET_KINDS]; /* ready without being asked */
	hotset_word
		*work[HOTSET_KINDS]; /* pselect's copy; then what is ready */
	hotset_word *hot;
	uint32_t *heat; /* by descriptor: the age at which it was active */
	int room; /* words in each array */
	int words, hot_words, again_words; /* that are in use */
	int watched; /* descriptors in all */
	int waiting[HOTSET_KINDS]; /* bits in each of all */
	int fresh; /* made hot because they were new */
	int scan, cursor; /* words of work for hotset_next, and where it is */
	uint32_t age; /* in first pauses, or times of having slept on all */
	int64_t each; /* ns that a look takes for each descriptor */
	int pause; /* after the last one, in looks */
	int64_t due; /* of the next one */
	bool calm; /* it is cheap enough to sleep on all */
	int64_t since; /* when counting began: looked, or slept on all */
	int64_t wakeups; /* since then */
};

/* Waits for want on fd from now on, instead of old. What is ready but no
 * longer wanted is forgotten. */
void hotset_want(struct hotset *h, int fd, unsigned old, unsigned want);
/* Nothing of fd is waited for or ready. */
void hotset_forget(struct hotset *h, int fd);
/* Makes fd ready in the next hotset_wait. */
void hotset_again(struct hotset *h, int fd, unsigned ready);
bool hotset_has_again(const struct hotset *h);
/* One pselect(2) of at most timeout ns (CLOCK_INF: none), often less. now is
 * the time, roughly, and set to the time afterwards. Returns what pselect
 * returned; then hotset_next gives what is ready. */
int hotset_wait(
	struct hotset *h, int64_t timeout, const sigset_t *mask, int64_t *now);
/* The next ready descriptor and what it is ready for; -1: no more. */
int hotset_next(struct hotset *h, unsigned *ready);
void hotset_free(struct hotset *h);

#endif
