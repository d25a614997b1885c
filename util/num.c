#include "num.h"
#include "clock.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A moment plus a time must fit in an int64_t, whatever the moment: 146
 * years are enough. */
#define TIME_MAX (INT64_MAX / 2)

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	char low = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
	const char *at = low ? strchr(digits, low) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Reads digits at *s and leaves *s behind them. A leading zero could mean an
 * octal number: only 0 itself begins so. */
static int
whole(const char **s, uint64_t *out)
{
	const char *p = *s;
	uint64_t v = 0;

	if (!is_digit(*p) || (*p == '0' && is_digit(p[1])))
		return -1;
	for (; is_digit(*p); p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return -1;
		v = v * 10 + digit;
	}
	*s = p;
	*out = v;
	return 0;
}

/* Skips digits, or digits '.' digits. */
static int
skip_decimal(const char **s)
{
	const char *p = *s;

	if (!is_digit(*p) || (*p == '0' && is_digit(p[1])))
		return -1;
	p += strspn(p, "0123456789");
	if (*p == '.') {
		if (!is_digit(*++p))
			return -1;
		p += strspn(p, "0123456789");
	}
	*s = p;
	return 0;
}

/* The decimal from s to end, times unit, exactly: in binary fractions 0.07 s
 * would miss a nanosecond. */
static int
scale_decimal(const char *s, const char *end, uint64_t unit, uint64_t *out)
{
	uint64_t v, part = 0;

	if (whole(&s, &v) == -1 || v > UINT64_MAX / unit)
		return -1;
	while (end > s && *--end != '.')
		part = ((uint64_t)(*end - '0') * unit + part) / 10;
	if (v * unit > UINT64_MAX - part)
		return -1;
	*out = v * unit + part;
	return 0;
}

int
num_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *s == '-' && min < 0;
	uint64_t v;
	int64_t value;

	s += negative;
	if (whole(&s, &v) == -1 || *s)
		return -1;
	if (v > (uint64_t)INT64_MAX + negative)
		return -1;
	/* Two steps: INT64_MIN has no positive twin. */
	value = negative && v > 0 ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	if (value < min || value > max)
		return -1;
	*out = value;
	return 0;
}

int
num_octal(const char *s, uint32_t max, uint32_t *out)
{
	uint32_t v = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '7' || v > UINT32_MAX >> 3)
			return -1;
		v = v << 3 | (uint32_t)(*s - '0');
	}
	if (v > max)
		return -1;
	*out = v;
	return 0;
}

int
num_size(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	static const char letters[] = "KkMmGgTt";
	const char *letter;
	unsigned shift = 0;
	uint64_t v;

	if (whole(&s, &v) == -1)
		return -1;
	letter = *s ? strchr(letters, *s) : NULL;
	if (letter) {
		shift = 10 * (unsigned)((letter - letters) / 2 + 1);
		s += strcmp(s + 1, "iB") == 0 ? 3 : 1;
	}
	if (*s || v > UINT64_MAX >> shift)
		return -1;
	v <<= shift;
	if (v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

int
num_time(const char *s, int64_t min, int inf, int64_t *out)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{ "", CLOCK_S },
		{ "s", CLOCK_S },
		{ "ms", CLOCK_MS },
		{ "us", CLOCK_US },
		{ "ns", 1 },
		{ "m", 60 * CLOCK_S },
		{ "h", 3600 * CLOCK_S },
	};
	const char *end = s;
	uint64_t v;

	if (inf && strcmp(s, "inf") == 0) {
		*out = CLOCK_INF;
		return 0;
	}
	if (skip_decimal(&end) == -1)
		return -1;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		if (scale_decimal(s, end, (uint64_t)units[i].ns, &v) == -1)
			return -1;
		if (v > TIME_MAX || (int64_t)v < min)
			return -1;
		*out = (int64_t)v;
		return 0;
	}
	return -1;
}

/* 800kbit, 2.5gbit: bits a second. */
static int
bit_rate(const char *s, uint64_t *out)
{
	static const char *const units[] = { "bit", "kbit", "mbit", "gbit",
		"tbit" };
	const char *end = s;
	uint64_t unit = 1, bits;

	if (skip_decimal(&end) == -1)
		return -1;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i]) == 0) {
			if (scale_decimal(s, end, unit, &bits) == -1 ||
				bits < 8)
				return -1;
			*out = bits / 8;
			return 0;
		}
		unit *= 1000;
	}
	return -1;
}

int
num_rate(const char *s, uint64_t *out)
{
	const char *slash = strchr(s, '/');
	char size[32];

	if (!slash)
		return bit_rate(s, out);
	if (strcmp(slash, "/s") != 0 || (size_t)(slash - s) >= sizeof size)
		return -1;
	memcpy(size, s, (size_t)(slash - s));
	size[slash - s] = '\0';
	return num_size(size, 1, UINT64_MAX, out);
}

int
num_real(const char *s, double min, double max, double *out)
{
	bool negative = *s == '-' && min < 0, point = false;
	const char *end = s += negative;
	double v = 0, unit = 1;

	if (skip_decimal(&end) == -1 || *end)
		return -1;
	/* Digits and a power of ten, both exact, so their quotient is the
	 * nearest for all that people type. strtod(3) asks the locale. */
	for (; s < end && unit < 1e15; s++)
		if (*s == '.') {
			point = true;
		} else {
			v = v * 10 + (*s - '0');
			unit *= point ? 10 : 1;
		}
	v /= negative ? -unit : unit;
	if (!(v >= min && v <= max))
		return -1;
	*out = v;
	return 0;
}

/* Resolves the escape whose backslash is at s - 1. Returns its last byte's
 * successor, NULL where it is none. */
static const char *
escape(const char *s, struct buf *out)
{
	static const char plain[] = "r\rn\nt\ta\ab\bf\fv\ve\033\\\\\"\"''?\?";
	int v = 0, digits = 0;

	for (const char *p = plain; *p; p += 2) {
		if (*s == *p) {
			buf_byte(out, (uint8_t)p[1]);
			return s + 1;
		}
	}
	if (*s == 'x') {
		for (s++; digits < 2 && hex_digit(*s) >= 0; s++, digits++)
			v = v * 16 + hex_digit(*s);
	} else {
		for (; digits < 3 && *s >= '0' && *s <= '7'; s++, digits++)
			v = v * 8 + (*s - '0');
	}
	if (digits == 0 || v > 255)
		return NULL;
	buf_byte(out, (uint8_t)v);
	return s;
}

int
num_text(const char *s, struct buf *out)
{
	size_t before = out->len;

	while (*s) {
		if (*s != '\\') {
			size_t plain = strcspn(s, "\\");

			buf_append(out, s, plain);
			s += plain;
			continue;
		}
		s = escape(s + 1, out);
		if (!s) {
			out->len = before;
			return -1;
		}
	}
	return 0;
}

/* Three digits, no zeros behind the point: 9.41, 1.5, 128. */
static void
show(double v, double step, const char *const *unit, char *out)
{
	char number[24];

	while (v >= step - 0.5 && unit[1]) {
		v /= step;
		unit++;
	}
	snprintf(number, sizeof number, "%.*f",
		v < 9.995	    ? 2
			: v < 99.95 ? 1
				    : 0,
		v < 1e15 ? v : 1e15);
	if (strchr(number, '.')) {
		char *end = number + strlen(number);

		while (end[-1] == '0')
			*--end = '\0';
		if (end[-1] == '.')
			end[-1] = '\0';
	}
	snprintf(out, NUM_MAX, "%s %s", number, *unit);
}

char *
num_show_size(uint64_t bytes, char *out)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB",
		NULL };

	if (bytes < 10000)
		snprintf(out, NUM_MAX, "%u B", (unsigned)bytes);
	else
		show((double)bytes / 1024, 1024, units, out);
	return out;
}

char *
num_show_bits(double bits_per_s, char *out)
{
	static const char *const units[] = { "bit/s", "kbit/s", "Mbit/s",
		"Gbit/s", "Tbit/s", NULL };

	if (bits_per_s >= 0)
		show(bits_per_s, 1000, units, out);
	else
		snprintf(out, NUM_MAX, "unknown");
	return out;
}

char *
num_show_time(int64_t ns, char *out)
{
	static const char *const units[] = { "ns", "us", "ms", "s", NULL };
	int64_t s = ns / CLOCK_S;

	if (ns == CLOCK_INF)
		snprintf(out, NUM_MAX, "inf");
	else if (ns < 0)
		snprintf(out, NUM_MAX, "unknown");
	else if (s < 120)
		show((double)ns, 1000, units, out);
	else if (s < 7200)
		snprintf(out, NUM_MAX, "%d m %d s", (int)(s / 60),
			(int)(s % 60));
	else
		snprintf(out, NUM_MAX, "%lld h %d m", (long long)(s / 3600),
			(int)(s / 60 % 60));
	return out;
}
