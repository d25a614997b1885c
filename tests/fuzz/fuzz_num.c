#include "../../util/clock.h"
#include "../../util/num.h"
#include "fuzz.h"
#include <inttypes.h>
#include <math.h>

static void
numbers(const char *s)
{
	char text[32];
	uint32_t octal;
	uint64_t size;
	int64_t v;
	double real;

	if (num_int(s, INT64_MIN, INT64_MAX, &v) == 0) {
		snprintf(text, sizeof text, "%" PRId64, v);
		HOLD(strcmp(text, s) == 0 || strcmp(s, "-0") == 0);
	}
	if (num_int(s, 1, 65535, &v) == 0)
		HOLD(v >= 1 && v <= 65535);
	if (num_octal(s, 07777, &octal) == 0)
		HOLD(octal <= 07777);
	if (num_size(s, 1, 1 << 30, &size) == 0)
		HOLD(size >= 1 && size <= 1 << 30);
	if (num_rate(s, &size) == 0)
		HOLD(size >= 1);
	if (num_real(s, 0, 100, &real) == 0)
		HOLD(isfinite(real) && real >= 0 && real <= 100);
}

static void
times(const char *s)
{
	char text[NUM_MAX];
	int64_t v;

	if (num_time(s, 1, 0, &v) == -1)
		return;
	HOLD(v >= 1 && v <= INT64_MAX / 2);
	HOLD(strlen(num_show_time(v, text)) < NUM_MAX);
	num_show_size((uint64_t)v, text);
	num_show_bits((double)v, text);
}

static void
texts(const char *s)
{
	struct buf b = { 0 };

	buf_string(&b, "kept");
	if (num_text(s, &b) == -1)
		HOLD(b.len == 4);
	else
		HOLD(b.len <= 4 + strlen(s));
	HOLD(memcmp(buf_data(&b), "kept", 4) == 0);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size);

	numbers(s);
	times(s);
	texts(s);
	free(s);
	return 0;
}
