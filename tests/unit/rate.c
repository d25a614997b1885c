#include "../../util/rate.h"
#include "../../util/clock.h"
#include "check.h"
#include <stdlib.h>

/* Ten simulated seconds, asking again when rate_wait says so: as much as the
 * rate allows has moved, and no call was in vain. */
static void
run(uint64_t per_second, size_t want)
{
	struct rate r;
	int64_t start = 123456789, now = start, end = start + 10 * CLOCK_S;
	double moved = 0, ideal = (double)per_second * 10;
	int vain = 0;

	rate_start(&r, per_second, now);
	while (now <= end) {
		size_t n = rate_allow(&r, want, now);

		vain += n == 0 || n > want;
		rate_took(&r, n);
		moved += (double)n;
		now += rate_wait(&r, want, now);
	}
	if (!CHECK_INT(vain, 0) || !CHECK(moved >= ideal - 1) ||
		!CHECK(moved <= ideal * 1.01 + 2))
		printf("  %llu a second: %f\n", (unsigned long long)per_second,
			moved);
}

int
main(void)
{
	struct rate r;

	rate_start(&r, 0, 5);
	CHECK_INT(rate_allow(&r, 777, 5), 777);
	rate_took(&r, 777);
	CHECK_INT(rate_wait(&r, 777, 5), 0);

	/* The burst: 20 ms of it, however long nothing moved. */
	rate_start(&r, 1000000, 0);
	CHECK_INT(rate_allow(&r, 1000000, 100 * CLOCK_S), 20000);
	CHECK_INT(rate_allow(&r, 100, 100 * CLOCK_S), 100);
	rate_took(&r, 20000);
	CHECK_INT(rate_allow(&r, 100, 100 * CLOCK_S), 0);
	CHECK_INT(rate_allow(&r, 100, 99 * CLOCK_S), 0);
	CHECK_INT(rate_wait(&r, 1000, 100 * CLOCK_S) / 1000, 1000);
	CHECK_INT(rate_wait(&r, SIZE_MAX, 100 * CLOCK_S) / 1000, 20000);
	/* A datagram larger than the burst is paid for afterwards. */
	rate_took(&r, 80000);
	CHECK_INT(rate_wait(&r, 1, 100 * CLOCK_S) / CLOCK_MS, 80);

	run(1, 1);
	run(1, 1000);
	run(3, 7);
	run(7, 1);
	run(33, 7);
	run(1000, 1400);
	run(100000, 65536);
	run(12345678, 65536);
	run(1000000000, 1 << 20);
	return check_result();
}
