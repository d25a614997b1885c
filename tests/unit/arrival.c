#include "../../util/arrival.h"
#include "check.h"
#include <stdlib.h>

static void
order(void)
{
	struct arrival a = { 0 };

	arrival_add(&a, 0, 5, 0, 0);
	CHECK_INT(a.received, 5);
	CHECK_INT(a.next, 5);
	arrival_add(&a, 7, 1, 0, 0); /* 5 and 6 are missing */
	CHECK_INT(a.missing, 2);
	arrival_add(&a, 5, 1, 0, 0); /* late */
	CHECK_INT(a.reordered, 1);
	CHECK_INT(a.received, 7);
	arrival_add(&a, 5, 1, 0, 0); /* twice */
	arrival_add(&a, 7, 1, 0, 0);
	arrival_add(&a, 0, 1, 0, 0);
	CHECK_INT(a.duplicates, 3);
	CHECK_INT(a.received, 7);
	CHECK_INT(a.missing, 1);
	arrival_add(&a, 6, 4, 0, 0); /* 6 late, 7 twice, 8 and 9 new */
	CHECK_INT(a.received, 10);
	CHECK_INT(a.duplicates, 4);
	CHECK_INT(a.reordered, 2);
	CHECK_INT(a.next, 10);
	arrival_free(&a);
}

/* What leaves the window is lost for good, and counts once. */
static void
window(void)
{
	struct arrival a = { 0 };
	uint64_t far = UINT64_C(1) << 40;

	arrival_add(&a, 1, 1, 0, 0);
	arrival_add(&a, 2, ARRIVAL_WINDOW, 0, 0);
	CHECK_INT(a.missing, 0);
	arrival_add(&a, 0, 1, 0, 0);
	CHECK_INT(a.duplicates, 1);
	arrival_add(&a, far, 1, 0, 0);
	CHECK(a.missing <= ARRIVAL_WINDOW);
	arrival_add(&a, far - 5, 1, 0, 0);
	CHECK_INT(a.reordered, 1);
	arrival_add(&a, UINT64_MAX, 1, 0, 0);
	CHECK_INT(a.received, ARRIVAL_WINDOW + 4);
	arrival_free(&a);
}

/* RFC 3550: evenly 0, and a step of d counts d / 16. */
static void
jitter(void)
{
	struct arrival a = { 0 };

	for (int i = 0; i < 100; i++)
		arrival_add(&a, (uint64_t)i, 1, i * 1000, i * 1000 + 77);
	CHECK_INT(a.jitter, 0);
	arrival_add(&a, 100, 1, 100000, 100000 + 77 + 1600);
	CHECK_INT(a.jitter, 100);
	/* A clock that stands elsewhere is no matter. */
	arrival_add(&a, 101, 1, INT64_MIN, INT64_MIN + 77 + 1600);
	CHECK_INT(a.jitter * 16, 1500);
	arrival_free(&a);
}

/* Random losses, doubles and late ones, against a plain list. */
static void
model(void)
{
	enum { N = 20000 };
	static unsigned char seen[N];
	struct arrival a = { 0 };
	uint64_t received = 0, duplicates = 0, reordered = 0, highest = 0;

	srand(7);
	for (int i = 0; i < N; i++) {
		int n = i - (rand() % 10 == 0 ? rand() % 300 : 0);

		if (n < 0 || rand() % 50 == 0)
			continue;
		arrival_add(&a, (uint64_t)n, 1, 0, 0);
		if (seen[n]++) {
			duplicates++;
			continue;
		}
		received++;
		reordered += (uint64_t)n < highest;
		if ((uint64_t)n > highest)
			highest = (uint64_t)n;
	}
	CHECK_INT(a.received, received);
	CHECK_INT(a.duplicates, duplicates);
	CHECK_INT(a.reordered, reordered);
	arrival_free(&a);
}

int
main(void)
{
	order();
	window();
	jitter();
	model();
	return check_result();
}
