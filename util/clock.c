#include "clock.h"
#include <stdio.h>
#include <string.h>
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
	char zone[8];
	size_t n;

	out[0] = '\0';
	if (!localtime_r(&t, &tm) ||
		strftime(zone, sizeof(zone), "%z", &tm) != strlen("+0100"))
		return out;
	n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, size - n, "%.3s:%s", zone, zone + 3);
	return out;
}
