#include "../../util/ports.h"
#include "check.h"
#include <stdlib.h>

static int
look_up(const char *name, bool datagram, struct err *err)
{
	if (strcmp(name, "ssh") == 0)
		return 22;
	if (strcmp(name, "syslog") == 0 && datagram)
		return 514;
	if (strcmp(name, "http-alt") == 0)
		return 8080;
	return err_setf(err, "resolve", 0, name, "no such service");
}

/* The items as they were read, and how many ports that is. */
static const struct {
	const char *text;
	int count;
	struct ports_item item[4];
} good[] = {
	{ "22", 1, { { 22, 22, false } } },
	{ "1", 1, { { 1, 1, false } } },
	{ "65535", 1, { { 65535, 65535, false } } },
	{ "1-1024", 1024, { { 1, 1024, true } } },
	{ "-", 65535, { { 1, 65535, true } } },
	{ "1-65535", 65535, { { 1, 65535, true } } },
	{ "22-22", 1, { { 22, 22, true } } },
	{ "443,22", 2, { { 443, 443, false }, { 22, 22, false } } },
	{ "22,22", 1, { { 22, 22, false }, { 22, 22, false } } },
	{ "22,20-25", 6, { { 22, 22, false }, { 20, 25, true } } },
	{ "22,80,8000-8100", 103,
		{ { 22, 22, false }, { 80, 80, false },
			{ 8000, 8100, true } } },
	{ "ssh", 1, { { 22, 22, false } } },
	{ "http-alt,ssh", 2, { { 8080, 8080, false }, { 22, 22, false } } },
	{ "63-65", 3, { { 63, 65, true } } },
};

static void
test_good(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct ports p;
		struct err err = { 0 };
		bool same = ports_parse(&p, good[i].text, look_up, false,
				    &err) == 0 &&
			p.count == good[i].count;

		for (int k = 0; k < p.items && same; k++)
			same = p.item[k].low == good[i].item[k].low &&
				p.item[k].high == good[i].item[k].high &&
				p.item[k].range == good[i].item[k].range;
		if (!CHECK(same))
			printf("  for '%s': %d ports, %s\n", good[i].text,
				p.count, err.text);
		free(p.item);
	}
}

/* What is told, and whether it is the look-up's error. */
static const struct {
	const char *text, *message;
	bool lookup;
} bad[] = {
	{ "", "the port is empty", false },
	{ ",", "the port is empty", false },
	{ "22,", "the port is empty", false },
	{ ",22", "the port is empty", false },
	{ "22,,80", "the port is empty", false },
	{ "0", "port '0' is out of range 1-65535", false },
	{ "65536", "port '65536' is out of range 1-65535", false },
	{ "99999999999999999999", "out of range 1-65535", false },
	{ "022", "port '022' has a leading zero", false },
	{ "20-10", "'20-10' is reversed: 10-20", false },
	{ "0-5", "'0-5' is not a range", false },
	{ "5-65536", "'5-65536' is not a range", false },
	{ "1-", "'1-' is not a range", false },
	{ "-5", "'-5' is not a range", false },
	{ "--", "'--' is not a range", false },
	{ "1-2-3", "'1-2-3' is not a range", false },
	{ "000000000000000000000001-3", "is not a range", false },
	{ "1-03", "'1-03' is not a range", false },
	{ "01-3", "'01-3' is not a range", false },
	{ "22 ", "neither a number", false },
	{ " 22", "neither a number", false },
	{ "22:80", "neither a number", false },
	{ "+22", "neither a number", false },
	{ "nosuch", "no such service", true },
	{ "22,nosuch,80", "no such service", true },
	{ "syslog", "no such service", true },
};

static void
test_bad(void)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct ports p;
		struct err err = { 0 };

		if (!CHECK_INT(
			    ports_parse(&p, bad[i].text, look_up, false, &err),
			    -1) ||
			!CHECK(strstr(err.text, bad[i].message) != NULL) ||
			!CHECK_INT(err.op != NULL, bad[i].lookup))
			printf("  for '%s': %s\n", bad[i].text, err.text);
		free(p.item);
	}
}

static void
test_names(void)
{
	struct ports p;
	struct err err = { 0 };

	CHECK_INT(ports_parse(&p, "syslog", look_up, true, &err), 0);
	CHECK_INT(ports_next(&p, 0), 514);
	free(p.item);
	CHECK_INT(ports_parse(&p, "22,ssh", NULL, false, &err), -1);
	CHECK_STR(err.text,
		"ssh is a service's name, and --numeric forbids look-ups");
	CHECK(err.op == NULL);
	free(p.item);
}

static void
test_next(void)
{
	static const int order[] = { 1, 63, 64, 65, 127, 128, 65535, 0 };
	struct ports p;
	int port = 0;

	CHECK_INT(
		ports_parse(&p, "65535,128,127,63-65,1", NULL, false, NULL), 0);
	for (size_t i = 0; i < COUNT(order); i++) {
		port = ports_next(&p, port);
		CHECK_INT(port, order[i]);
	}
	CHECK_INT(ports_next(&p, 65535), 0);
	free(p.item);
}

int
main(void)
{
	test_good();
	test_bad();
	test_names();
	test_next();
	return check_result();
}
