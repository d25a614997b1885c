#include "clock.h"
#include <time.h>

int64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * CLOCK_S + t.tv_nsec;
}

double
clock_unix(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
clock_seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

int64_t
clock_sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
clock_later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

char *
clock_iso(double unix_seconds, char *out, size_t size)
{
	time_t t = (time_t)unix_seconds;
	struct tm tm;

	if (!localtime_r(&t, &tm) ||
		strftime(out, size, "%Y-%m-%dT%H:%M:%S%z", &tm) == 0)
		out[0] = '\0';
	return out;
}
