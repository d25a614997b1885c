#include "rate.h"
#include "clock.h"

static double
burst(const struct rate *r)
{
	double b = (double)r->per_second / 50;

	return b > 1 ? b : 1;
}

static double
tokens_at(const struct rate *r, int64_t now)
{
	double t = r->tokens;

	if (now > r->last)
		t += clock_seconds(now - r->last) * (double)r->per_second;
	return t < burst(r) ? t : burst(r);
}

void
rate_start(struct rate *r, uint64_t per_second, int64_t now)
{
	r->per_second = per_second;
	r->last = now;
	r->tokens = burst(r);
}

size_t
rate_allow(struct rate *r, size_t want, int64_t now)
{
	if (r->per_second == 0)
		return want;
	r->tokens = tokens_at(r, now);
	if (now > r->last)
		r->last = now;
	if (r->tokens < 1)
		return 0;
	return r->tokens < (double)want ? (size_t)r->tokens : want;
}

void
rate_took(struct rate *r, size_t bytes)
{
	if (r->per_second > 0)
		r->tokens -= (double)bytes;
}

int64_t
rate_wait(const struct rate *r, size_t want, int64_t now)
{
	double need = (double)want, missing;

	if (r->per_second == 0)
		return 0;
	/* Whole bytes, for rate_allow gives no others. */
	if (need > burst(r))
		need = (double)(uint64_t)burst(r);
	missing = need - tokens_at(r, now);
	if (missing <= 0)
		return 0;
	/* Up, so that rounding never makes the caller come too early. */
	return (int64_t)(missing / (double)r->per_second * 1e9) + 1;
}
