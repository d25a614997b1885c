#include "../../util/hist.h"
#include "check.h"
#include <math.h>
#include <stdlib.h>

enum { N = 20000 };

static uint64_t
next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int
compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The percentile as it is defined: the value of that rank. */
static void
against(const struct hist *h, int64_t *sorted, int n)
{
	static const int tenths[] = { 0, 1, 10, 100, 500, 900, 990, 999, 1000 };

	qsort(sorted, (size_t)n, sizeof *sorted, compare);
	for (size_t i = 0; i < COUNT(tenths); i++) {
		int64_t got = hist_percentile(h, tenths[i] / 10.0);
		int64_t rank = ((int64_t)tenths[i] * n + 999) / 1000;
		int64_t want = sorted[rank > 0 ? rank - 1 : 0];
		double off = (double)got - (double)want;

		if (!CHECK(off * 100 <= (double)want &&
			    -off * 100 <= (double)want))
			printf("  p%d/10: got %lld, want %lld\n", tenths[i],
				(long long)got, (long long)want);
	}
	CHECK_INT(hist_percentile(h, 0), sorted[0]);
	CHECK_INT(hist_percentile(h, 100), sorted[n - 1]);
}

/* shift 0: all octaves alike; else values below 1 << shift. */
static void
test_samples(int shift)
{
	static int64_t values[N];
	struct hist h = { 0 }, half = { 0 };
	uint64_t seed = 88172645463325252;
	double sum = 0;

	for (int i = 0; i < N; i++) {
		uint64_t v = next(&seed);

		values[i] = (int64_t)(v >>
			(shift > 0 ? 64u - (unsigned)shift : 1 + v % 63));
		sum += (double)values[i];
		hist_add(i % 2 ? &h : &half, values[i]);
	}
	hist_merge(&h, &half);
	CHECK_INT(h.count, N);
	CHECK(fabs(hist_mean(&h) - sum / N) <= sum / N * 1e-9);
	against(&h, values, N);
	hist_free(&h);
	hist_free(&half);
}

/* Each power of two and its neighbours, alone. */
static void
test_edges(void)
{
	for (int bit = 0; bit < 63; bit++) {
		for (int64_t d = -1; d <= 1; d++) {
			int64_t v = (INT64_C(1) << bit) + d;
			struct hist h = { 0 };

			hist_add(&h, v);
			CHECK_INT(hist_percentile(&h, 50), v);
			hist_add(&h, 0);
			hist_add(&h, INT64_MAX);
			CHECK(llabs(hist_percentile(&h, 50) - v) <= v / 100);
			hist_free(&h);
		}
	}
}

int
main(void)
{
	struct hist h = { 0 }, none = { 0 };

	CHECK_INT(hist_percentile(&h, 50), -1);
	CHECK(isnan(hist_mean(&h)));
	hist_merge(&h, &none);
	CHECK(h.bucket == NULL);
	hist_add(&h, -5);
	CHECK_INT(hist_percentile(&h, 99), 0);
	hist_add(&h, INT64_MAX);
	CHECK(hist_percentile(&h, 100) == INT64_MAX);
	hist_free(&h);
	CHECK_INT(h.count, 0);
	for (int i = 1; i <= 100; i++)
		hist_add(&h, i);
	for (int i = 1; i <= 100; i++)
		CHECK_INT(hist_percentile(&h, i), i);
	CHECK_INT(hist_percentile(&h, 50.5), 51);
	hist_free(&h);
	test_samples(0);
	test_samples(8);
	test_samples(20);
	test_samples(62);
	test_edges();
	return check_result();
}
