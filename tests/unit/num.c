#include "../../util/num.h"
#include "../../util/clock.h"
#include "check.h"
#include <stdlib.h>

/* want -1: refused, and the value stays. */
struct row {
	const char *text;
	long long want;
};

enum { UNTOUCHED = -77 };

static void
test_int(void)
{
	static const struct row rows[] = { { "0", 0 }, { "1", 1 },
		{ "65535", 65535 }, { "65536", -1 }, { "", -1 }, { " 1", -1 },
		{ "1 ", -1 }, { "+1", -1 }, { "-1", -1 }, { "-0", -1 },
		{ "1e3", -1 }, { "0x10", -1 }, { "010", -1 }, { "00", -1 },
		{ "1.0", -1 }, { "1\n", -1 }, { "a", -1 }, { "1a", -1 },
		{ "99999999999999999999", -1 }, { "18446744073709551617", -1 },
		{ "\xd9\xa1", -1 } };
	int64_t v;

	for (size_t i = 0; i < COUNT(rows); i++) {
		v = UNTOUCHED;
		if (!CHECK_INT(num_int(rows[i].text, 0, 65535, &v),
			    rows[i].want == -1 ? -1 : 0) ||
			!CHECK_INT(v,
				rows[i].want == -1 ? UNTOUCHED : rows[i].want))
			printf("  for '%s'\n", rows[i].text);
	}
	CHECK_INT(num_int("-5", -5, 5, &v), 0);
	CHECK_INT(v, -5);
	CHECK_INT(num_int("-6", -5, 5, &v), -1);
	CHECK_INT(num_int("--5", -5, 5, &v), -1);
	CHECK_INT(num_int("-", -5, 5, &v), -1);
	CHECK_INT(num_int("-0", -5, 5, &v), 0);
	CHECK_INT(v, 0);
	CHECK_INT(num_int("-9223372036854775808", INT64_MIN, 0, &v), 0);
	CHECK(v == INT64_MIN);
	CHECK_INT(num_int("-9223372036854775809", INT64_MIN, 0, &v), -1);
	CHECK_INT(num_int("9223372036854775807", 0, INT64_MAX, &v), 0);
	CHECK(v == INT64_MAX);
	CHECK_INT(num_int("9223372036854775808", 0, INT64_MAX, &v), -1);
	CHECK_INT(num_int("3", 4, 9, &v), -1);
}

static void
test_octal(void)
{
	static const struct row rows[] = { { "0", 0 }, { "600", 0600 },
		{ "0644", 0644 }, { "07777", 07777 }, { "10000", -1 },
		{ "8", -1 }, { "", -1 }, { "0o7", -1 }, { "-1", -1 },
		{ "40000000000", -1 }, { "777777777777777", -1 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t v = 1;
		int got = num_octal(rows[i].text, 07777, &v);

		if (!CHECK_INT(got == 0 ? (long long)v : -1, rows[i].want))
			printf("  for '%s'\n", rows[i].text);
	}
}

static void
test_size(void)
{
	static const struct row rows[] = { { "4096", 4096 }, { "64K", 65536 },
		{ "64k", 65536 }, { "64KiB", 65536 }, { "1M", 1 << 20 },
		{ "1MiB", 1 << 20 }, { "1m", 1 << 20 }, { "2G", 1LL << 31 },
		{ "2g", 1LL << 31 }, { "1T", 1LL << 40 }, { "0", 0 },
		{ "64KB", -1 }, { "64Ki", -1 }, { "64B", -1 }, { "64iB", -1 },
		{ "64KiBs", -1 }, { "0.5K", -1 }, { "K", -1 }, { "", -1 },
		{ " 64", -1 }, { "64 K", -1 }, { "-1", -1 }, { "+1", -1 },
		{ "1e3", -1 }, { "0x10", -1 }, { "1P", -1 }, { "010K", -1 },
		{ "16777216T", -1 }, { "18446744073709551616", -1 } };
	uint64_t v;

	for (size_t i = 0; i < COUNT(rows); i++) {
		v = 1;
		if (!CHECK_INT(num_size(rows[i].text, 0, INT64_MAX, &v) == 0
				    ? (long long)v
				    : -1,
			    rows[i].want))
			printf("  for '%s'\n", rows[i].text);
	}
	CHECK_INT(num_size("18446744073709551615", 0, UINT64_MAX, &v), 0);
	CHECK(v == UINT64_MAX);
	CHECK_INT(num_size("16777215T", 0, UINT64_MAX, &v), 0);
	CHECK_INT(num_size("16777216T", 0, UINT64_MAX, &v), -1);
	CHECK_INT(num_size("0", 1, 9, &v), -1);
	CHECK_INT(num_size("10", 1, 9, &v), -1);
}

static void
test_time(void)
{
	static const struct row rows[] = { { "5", 5 * CLOCK_S },
		{ "5s", 5 * CLOCK_S }, { "0.5", CLOCK_S / 2 }, { "0", 0 },
		{ "250ms", 250 * CLOCK_MS }, { "10us", 10000 },
		{ "100ns", 100 }, { "2m", 120 * CLOCK_S },
		{ "1h", 3600 * CLOCK_S }, { "1.5h", 5400 * CLOCK_S },
		{ "0.07", 70 * CLOCK_MS }, { "0.1", 100 * CLOCK_MS },
		{ "0.000000001", 1 }, { "0.0000000001", 0 },
		{ "1.234567891", 1234567891 }, { "0.333h", 1198800000000LL },
		{ "0.99999999999999999999999999999", 999999999 }, { "", -1 },
		{ "5 s", -1 }, { " 5", -1 }, { "5 ", -1 }, { "+5", -1 },
		{ "-5", -1 }, { "1e3", -1 }, { "0x10", -1 }, { "1.", -1 },
		{ ".5", -1 }, { "1.5.2", -1 }, { "s", -1 }, { "ms", -1 },
		{ "5S", -1 }, { "5sec", -1 }, { "5d", -1 }, { "05", -1 },
		{ "1,5", -1 }, { "nan", -1 }, { "infinity", -1 }, { "inf", -1 },
		{ "4611686018", 4611686018 * CLOCK_S }, { "4611686019", -1 },
		{ "9223372036854775807", -1 }, { "99999999999h", -1 },
		{ "18446744073.709551616", -1 } };
	int64_t v;

	for (size_t i = 0; i < COUNT(rows); i++) {
		v = UNTOUCHED;
		if (!CHECK_INT(num_time(rows[i].text, 0, 0, &v),
			    rows[i].want == -1 ? -1 : 0) ||
			!CHECK_INT(v,
				rows[i].want == -1 ? UNTOUCHED : rows[i].want))
			printf("  for '%s'\n", rows[i].text);
	}
	CHECK_INT(num_time("inf", 0, 1, &v), 0);
	CHECK(v == CLOCK_INF);
	CHECK_INT(num_time("0", 1, 0, &v), -1);
	CHECK_INT(num_time("1ns", 1, 0, &v), 0);
}

static void
test_rate(void)
{
	static const struct row rows[] = { { "800kbit", 100000 },
		{ "80mbit", 10000000 }, { "1gbit", 125000000 },
		{ "2.5gbit", 312500000 }, { "8bit", 1 }, { "100bit", 12 },
		{ "10M/s", 10 << 20 }, { "10MiB/s", 10 << 20 },
		{ "1500/s", 1500 }, { "64K/s", 65536 }, { "100M", -1 },
		{ "100", -1 }, { "bit", -1 }, { "", -1 }, { "/s", -1 },
		{ "0/s", -1 }, { "0bit", -1 }, { "7bit", -1 }, { "1M/", -1 },
		{ "1M/m", -1 }, { "1M/ss", -1 }, { "1M/s ", -1 },
		{ "1 mbit", -1 }, { "-1mbit", -1 }, { "1mbps", -1 },
		{ "1mbits", -1 }, { "1.5M/s", -1 }, { "1e3kbit", -1 },
		{ "99999999999tbit", -1 }, { "99999999999T/s", -1 },
		{ "00000000000000000000000000000000000001/s", -1 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t v = 1;

		if (!CHECK_INT(
			    num_rate(rows[i].text, &v) == 0 ? (long long)v : -1,
			    rows[i].want))
			printf("  for '%s'\n", rows[i].text);
	}
}

static void
test_real(void)
{
	static const char *const bad[] = { "", ".", "1.", ".5", "1e3", "nan",
		"inf", "0x1", "-1", "+1", " 1", "1 ", "1%", "101", "00.5",
		"100.001" };
	static const char *const good[] = { "0", "0.1", "0.07", "3.14159265",
		"99.999", "1234567.891", "0.000000001", "123456789012345",
		"0.3333333333" };
	double v = 3;

	for (size_t i = 0; i < COUNT(bad); i++)
		if (!CHECK_INT(num_real(bad[i], 0, 100, &v), -1))
			printf("  for '%s'\n", bad[i]);
	CHECK(v == 3);
	CHECK_INT(num_real("0.5", 0, 100, &v), 0);
	CHECK(v == 0.5);
	CHECK_INT(num_real("-0.5", -1, 1, &v), 0);
	CHECK(v == -0.5);
	CHECK_INT(num_real("100", 0, 100, &v), 0);
	for (size_t i = 0; i < COUNT(good); i++) {
		CHECK_INT(num_real(good[i], 0, 1e300, &v), 0);
		if (!CHECK(v == strtod(good[i], NULL)))
			printf("  for '%s'\n", good[i]);
	}
}

static void
test_text(void)
{
	static const char *const bad[] = { "\\", "a\\", "\\q", "\\x", "\\xg",
		"\\400", "\\8", "ok\\y" };
	static const char want[] = "a\r\n\t\0\a\b\f\v\033\\\"'?\x7f\xff"
				   "A\1z";
	struct buf b = { 0 };

	CHECK_INT(
		num_text("a\\r\\n\\t\\0\\a\\b\\f\\v\\e\\\\\\\"\\'\\?\\x7f\\xFF"
			 "\\101\\x1z",
			&b),
		0);
	CHECK_INT(b.len, sizeof want - 1);
	CHECK(memcmp(buf_data(&b), want, sizeof want - 1) == 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (!CHECK_INT(num_text(bad[i], &b), -1))
			printf("  for '%s'\n", bad[i]);
		CHECK_INT(b.len, sizeof want - 1);
	}
	buf_clear(&b);
	CHECK_INT(num_text("\\0012\\x412", &b), 0);
	CHECK_STR(buf_cstr(&b) + 1, "2A2");
	buf_free(&b);
}

static void
test_show(void)
{
	static const struct {
		uint64_t v;
		const char *text;
	} sizes[] = { { 0, "0 B" }, { 4096, "4096 B" }, { 3 << 19, "1.5 MiB" },
		{ 65536, "64 KiB" }, { 1 << 20, "1 MiB" },
		{ (1 << 20) - 1, "1 MiB" }, { UINT64_MAX, "16384 PiB" } };
	static const struct {
		int64_t v;
		const char *text;
	} times[] = { { 1200 * CLOCK_US, "1.2 ms" }, { 10 * CLOCK_S, "10 s" },
		{ 0, "0 ns" }, { 999999, "1 ms" }, { 12345, "12.3 us" },
		{ 125 * CLOCK_S, "2 m 5 s" }, { 7260 * CLOCK_S, "2 h 1 m" },
		{ CLOCK_INF, "inf" }, { CLOCK_NONE, "unknown" } };
	char out[NUM_MAX];

	for (size_t i = 0; i < COUNT(sizes); i++)
		CHECK_STR(num_show_size(sizes[i].v, out), sizes[i].text);
	for (size_t i = 0; i < COUNT(times); i++)
		CHECK_STR(num_show_time(times[i].v, out), times[i].text);
	CHECK_STR(num_show_bits(9.41e9, out), "9.41 Gbit/s");
	CHECK_STR(num_show_bits(100, out), "100 bit/s");
	CHECK_STR(num_show_bits(99960000, out), "100 Mbit/s");
	CHECK(strlen(num_show_bits(1e300, out)) < NUM_MAX);
}

int
main(void)
{
	test_int();
	test_octal();
	test_size();
	test_time();
	test_rate();
	test_real();
	test_text();
	test_show();
	return check_result();
}
