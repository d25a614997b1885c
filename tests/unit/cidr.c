#include "../../util/cidr.h"
#include "check.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void
test_parse(void)
{
	static const char *const good[] = { "10.0.0.0/8", "0.0.0.0/0", "::/0",
		"1.2.3.4", "1.2.3.4/32", "::1", "::1/128", "fe80::/10",
		"128.0.0.0/1", "::ffff:10.0.0.0/104" };
	static const char *const bad[] = { "", "/8", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.0/-1", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.1/8",
		"10/8", "::1/129", "fe80::1/10", "fe80::1%lo", "host",
		"10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10.0.0.0/08", "*",
		"10.0.0.*" };
	struct cidr c = { .bits = -5 };

	for (size_t i = 0; i < COUNT(bad); i++)
		if (!CHECK_INT(cidr_parse(&c, bad[i]), -1))
			printf("  for '%s'\n", bad[i]);
	CHECK_INT(c.bits, -5);
	for (size_t i = 0; i < COUNT(good); i++)
		if (!CHECK_INT(cidr_parse(&c, good[i]), 0))
			printf("  for '%s'\n", good[i]);
	CHECK_INT(c.bits, 104);
}

/* Rules as letter and range; verdict NULL: comes in. */
static const struct {
	const char *rules[3];
	const char *peer, *verdict;
} rows[] = {
	{ { NULL }, "1.2.3.4", NULL },
	{ { "a10.0.0.0/8" }, "10.255.0.1", NULL },
	{ { "a10.0.0.0/8" }, "11.0.0.0", "default" },
	{ { "a10.0.0.0/8" }, "9.255.255.255", "default" },
	{ { "a10.0.0.0/8" }, "::1", "default" },
	{ { "a10.0.0.0/8" }, "::ffff:10.1.1.1", NULL },
	{ { "d10.0.0.0/8" }, "10.1.1.1", "deny 10.0.0.0/8" },
	{ { "d10.0.0.0/8" }, "11.1.1.1", NULL },
	{ { "d10.0.0.0/8" }, "::1", NULL },
	{ { "d10.1.0.0/16", "a10.0.0.0/8" }, "10.1.2.3", "deny 10.1.0.0/16" },
	{ { "a10.0.0.0/8", "d10.1.0.0/16" }, "10.1.2.3", NULL },
	{ { "d10.1.0.0/16", "a10.0.0.0/8" }, "10.2.2.3", NULL },
	{ { "d10.1.0.0/16", "a10.0.0.0/8" }, "1.2.2.3", "default" },
	{ { "d::/0" }, "1.2.3.4", NULL },
	{ { "d::/0" }, "::1", "deny ::/0" },
	{ { "a::/0" }, "1.2.3.4", "default" },
	{ { "d0.0.0.0/0" }, "::1", NULL },
	{ { "d0.0.0.0/0" }, "1.2.3.4", "deny 0.0.0.0/0" },
	{ { "afe80::/10" }, "febf::1", NULL },
	{ { "afe80::/10" }, "fec0::1", "default" },
	{ { "a192.168.1.128/25" }, "192.168.1.127", "default" },
	{ { "a192.168.1.128/25" }, "192.168.1.255", NULL },
	{ { "a1.2.3.4" }, "1.2.3.5", "default" },
};

static void
test_rules(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cidr_rules r = { 0 };
		struct addr a;
		const char *got;
		bool good;

		for (int k = 0; k < 3 && rows[i].rules[k]; k++)
			CHECK_INT(cidr_add(&r, rows[i].rules[k] + 1,
					  rows[i].rules[k][0] == 'a', NULL),
				0);
		addr_numeric(&a, rows[i].peer, 0, 1);
		got = cidr_denied(&r, &a);
		good = rows[i].verdict ? CHECK_STR(got, rows[i].verdict)
				       : CHECK(got == NULL);
		if (!good)
			printf("  for row %zu\n", i);
		free(r.rule);
	}
}

static int
add_file(struct cidr_rules *r, const char *content, struct err *err)
{
	char name[] = "/tmp/sockctl-cidr-XXXXXX", word[64];
	int fd = mkstemp(name), result;

	CHECK(write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
	snprintf(word, sizeof word, "@%s", name);
	result = cidr_add(r, word, true, err);
	unlink(name);
	return result;
}

static void
test_files(void)
{
	struct cidr_rules r = { 0 }, nobody = { 0 };
	struct addr a;
	struct err err;

	CHECK(addr_numeric(&a, "1.2.3.4", 0, 1) == 0);
	CHECK(cidr_denied(&nobody, &a) == NULL);
	CHECK_INT(add_file(&nobody, "# nobody yet\n", &err), 0);
	CHECK_INT(nobody.count, 0);
	CHECK_STR(cidr_denied(&nobody, &a), "default");

	CHECK_INT(add_file(&r,
			  "# all\n\n  10.0.0.0/8  # ten\r\n\t::1\n#\n1.2.3.4",
			  &err),
		0);
	CHECK_INT(r.count, 3);
	CHECK_STR(r.rule[0].text, "allow 10.0.0.0/8");
	addr_numeric(&a, "1.2.3.4", 0, 1);
	CHECK(cidr_denied(&r, &a) == NULL);
	addr_numeric(&a, "1.2.3.5", 0, 1);
	CHECK_STR(cidr_denied(&r, &a), "default");
	CHECK_INT(addr_unix(&a, "/x", NULL), 0);
	CHECK(cidr_denied(&r, &a) == NULL);

	CHECK_INT(add_file(&r, "::1\n# x\nnonsense\n::2\n", &err), -1);
	CHECK(err.op == NULL);
	CHECK(strncmp(err.text, "line 3 of '/tmp/", 16) == 0);
	CHECK(strstr(err.text, "'nonsense' is no address range") != NULL);
	CHECK_INT(cidr_add(&r, "@/nonexistent/file", true, &err), -1);
	CHECK_STR(err.op, "open");
	CHECK_INT(err.number, ENOENT);
	CHECK_INT(cidr_add(&r, "@/", true, &err), -1);
	CHECK_STR(err.op, "read");
	CHECK_INT(cidr_add(&r, "bad", true, &err), -1);
	CHECK(err.op == NULL);
	free(r.rule);
}

int
main(void)
{
	test_parse();
	test_rules();
	test_files();
	return check_result();
}
