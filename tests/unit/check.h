/* check: a unit test is a main that makes checks and returns check_result().
 * Each check that fails is told with its place, and the rest still runs. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct {
	int made, failed;
} checks;

#define CHECK(cond) check_that((cond), #cond, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_str((got), (want), __FILE__, __LINE__)
#define CHECK_INT(got, want) \
	check_int((long long)(got), (long long)(want), __FILE__, __LINE__)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline bool
check_that(bool good, const char *text, const char *file, int line)
{
	checks.made++;
	if (!good) {
		checks.failed++;
		printf("%s:%d: does not hold: %s\n", file, line, text);
	}
	return good;
}

static inline bool
check_str(const char *got, const char *want, const char *file, int line)
{
	bool good = got && strcmp(got, want) == 0;

	checks.made++;
	if (!good) {
		checks.failed++;
		printf("%s:%d: got  '%s'\n", file, line, got ? got : "(null)");
		printf("%s:%d: want '%s'\n", file, line, want);
	}
	return good;
}

static inline bool
check_int(long long got, long long want, const char *file, int line)
{
	checks.made++;
	if (got != want) {
		checks.failed++;
		printf("%s:%d: got %lld, want %lld\n", file, line, got, want);
	}
	return got == want;
}

/* What main returns. A test without a single check has failed. */
static inline int
check_result(void)
{
	printf("%d checks, %d failed\n", checks.made, checks.failed);
	return checks.failed > 0 || checks.made == 0;
}

#endif
