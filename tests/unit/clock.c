#include "../../util/clock.h"
#include "check.h"
#include <stdlib.h>
#include <time.h>

int
main(void)
{
	int64_t before = clock_now(), after = clock_now();
	char text[32];

	CHECK(before > 0 && after >= before);
	CHECK(clock_unix() > 1.7e9);
	CHECK(clock_seconds(1500 * CLOCK_MS) == 1.5);
	setenv("TZ", "CET-1", 1);
	tzset();
	CHECK_STR(clock_iso(1000000000.9, text, sizeof text),
		"2001-09-09T02:46:40+01:00");
	CHECK_STR(clock_iso(0, text, sizeof text), "1970-01-01T01:00:00+01:00");
	return check_result();
}
