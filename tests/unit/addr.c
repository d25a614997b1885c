#include "../../util/addr.h"
#include "check.h"
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/un.h>
#include <unistd.h>

static void
test_numeric(void)
{
	static const struct {
		const char *word;
		int family;
		const char *text; /* NULL: refused */
	} rows[] = {
		{ "127.0.0.1", 0, "127.0.0.1:80" },
		{ "127.0.0.1", AF_INET, "127.0.0.1:80" },
		{ "127.0.0.1", AF_INET6, NULL },
		{ "::1", 0, "[::1]:80" },
		{ "::1", AF_INET6, "[::1]:80" },
		{ "::1", AF_INET, NULL },
		{ "2001:DB8::0:1", 0, "[2001:db8::1]:80" },
		{ "::ffff:10.1.2.3", 0, "10.1.2.3:80" },
		{ "fe80::1%lo", 0, "[fe80::1%lo]:80" },
		{ "fe80::1%999999", 0, "[fe80::1%999999]:80" },
		{ "fe80::1%no-such-if", 0, NULL },
		{ "fe80::1%", 0, NULL },
		{ "fe80::1%0", 0, NULL },
		{ "127.1", 0, NULL },
		{ "127.0.0.1 ", 0, NULL },
		{ "127.0.0.256", 0, NULL },
		{ "0127.0.0.1", 0, NULL },
		{ "[::1]", 0, NULL },
		{ ":::", 0, NULL },
		{ "1:2:3:4:5:6:7:8:9", 0, NULL },
		{ "", 0, NULL },
		{ "localhost", 0, NULL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", 0,
			NULL },
	};
	char out[ADDR_TEXT_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a;
		int got = addr_numeric(&a, rows[i].word, rows[i].family, 80);
		bool good = CHECK_INT(got, rows[i].text ? 0 : -1);

		if (got == 0 && rows[i].text) {
			good &= CHECK_STR(addr_text(&a, out), rows[i].text);
			good &= CHECK_INT(addr_port(&a), 80);
		}
		if (!good)
			printf("  for '%s'\n", rows[i].word);
	}
}

static bool
is(bool (*question)(const struct addr *), const char *word)
{
	struct addr a;

	CHECK_INT(addr_numeric(&a, word, 0, 1), 0);
	return question(&a);
}

/* The last address of an interface's network: the kernel lets only who asked
 * for broadcast send there. */
static void
check_broadcast(const struct ifaddrs *i)
{
	struct sockaddr_in own, mask;
	struct addr a = { .len = sizeof(own) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), r;

	memcpy(&own, i->ifa_addr, sizeof(own));
	memcpy(&mask, i->ifa_netmask, sizeof(mask));
	own.sin_addr.s_addr |= ~mask.sin_addr.s_addr;
	own.sin_port = htons(9);
	memcpy(&a.ss, &own, sizeof(own));
	r = connect(fd, (struct sockaddr *)&a.ss, a.len);
	CHECK_INT(addr_is_broadcast(&a), r == -1 && errno == EACCES);
	close(fd);
}

static void
test_kinds(void)
{
	struct addr a, b;
	struct ifaddrs *all;
	char out[ADDR_TEXT_MAX];

	CHECK(is(addr_is_loopback, "127.255.3.4"));
	CHECK(is(addr_is_loopback, "::1"));
	CHECK(is(addr_is_loopback, "::ffff:127.0.0.1"));
	CHECK(!is(addr_is_loopback, "128.0.0.1"));
	CHECK(!is(addr_is_loopback, "::2"));
	CHECK(is(addr_is_multicast, "224.0.0.1"));
	CHECK(is(addr_is_multicast, "239.255.255.255"));
	CHECK(!is(addr_is_multicast, "240.0.0.1"));
	CHECK(is(addr_is_multicast, "ff02::1"));
	CHECK(!is(addr_is_multicast, "fe80::1"));
	CHECK(is(addr_is_broadcast, "255.255.255.255"));
	CHECK(!is(addr_is_broadcast, "127.0.0.1"));
	CHECK(!is(addr_is_broadcast, "ff02::1"));
	CHECK_INT(getifaddrs(&all), 0);
	for (struct ifaddrs *i = all; i; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			check_broadcast(i);
	freeifaddrs(all);

	addr_numeric(&a, "::ffff:1.2.3.4", 0, 5);
	addr_numeric(&b, "1.2.3.4", 0, 5);
	CHECK(addr_equal(&a, &b));
	CHECK_STR(addr_host(&a, out), "1.2.3.4");
	addr_set_port(&b, 6);
	CHECK_INT(addr_port(&b), 6);
	CHECK(!addr_equal(&a, &b));
	addr_unmap(&a);
	CHECK_INT(a.ss.ss_family, AF_INET);
	addr_numeric(&a, "fe80::1%lo", 0, 5);
	addr_numeric(&b, "fe80::1", 0, 5);
	CHECK(!addr_equal(&a, &b));
	CHECK_STR(addr_host(&a, out), "fe80::1%lo");
}

static void
test_unix(void)
{
	struct err e;
	struct addr a, b;
	char out[ADDR_TEXT_MAX], path[200];

	CHECK_INT(addr_unix(&a, "/tmp/a b\n", &e), 0);
	CHECK_STR(addr_text(&a, out), "unix:/tmp/a b\\n");
	CHECK_INT(a.len, offsetof(struct sockaddr_un, sun_path) + 10);
	CHECK_STR(addr_host(&a, out), "");
	CHECK_INT(addr_port(&a), -1);
	CHECK(addr_is_loopback(&a));
	CHECK(!addr_is_multicast(&a));
	CHECK_INT(addr_unix(&b, "@name\x1b", &e), 0);
	CHECK_STR(addr_text(&b, out), "unix:@name\\x1b");
	CHECK_INT(b.len, offsetof(struct sockaddr_un, sun_path) + 6);
	CHECK(!addr_equal(&a, &b));
	CHECK(addr_equal(&b, &b));

	memset(path, 'p', sizeof path);
	path[ADDR_UNIX_MAX] = '\0';
	CHECK_INT(addr_unix(&a, path, &e), 0);
	CHECK_INT(strlen(addr_text(&a, out)), 5 + ADDR_UNIX_MAX);
	path[ADDR_UNIX_MAX] = 'p';
	path[ADDR_UNIX_MAX + 1] = '\0';
	CHECK_INT(addr_unix(&a, path, &e), -1);
	CHECK(e.op == NULL && strstr(e.text, "108 bytes") != NULL);
	CHECK_INT(addr_unix(&a, "", &e), -1);
	CHECK_INT(addr_unix(&a, "@", &e), -1);

	/* All escapes: cut, and never within a character. */
	memset(path, 1, ADDR_UNIX_MAX);
	path[ADDR_UNIX_MAX] = '\0';
	addr_unix(&a, path, &e);
	CHECK_INT(strlen(addr_text(&a, out)), ADDR_TEXT_MAX - 1);
	path[0] = 'x';
	memcpy(path + 39, "\xc3\xa4", 2);
	addr_unix(&a, path, &e);
	CHECK_INT(strlen(addr_text(&a, out)), ADDR_TEXT_MAX - 2);
}

static void
test_sockets(void)
{
	struct addr server, local, peer, own;
	char text[ADDR_TEXT_MAX];
	int ends[2], listener = socket(AF_INET6, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0), off = 0, got;

	addr_of_local(&local, -1);
	CHECK_INT(local.len, 0);
	CHECK_STR(addr_text(&local, text), "");
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	addr_of_peer(&peer, ends[0]);
	CHECK_STR(addr_text(&peer, text), "unix:");
	close(ends[0]);
	close(ends[1]);

	/* An IPv4 client of a socket for both families. */
	addr_numeric(&server, "::", 0, 0);
	if (listener == -1 ||
		setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off,
			sizeof off) == -1 ||
		bind(listener, (struct sockaddr *)&server.ss, server.len) ==
			-1) {
		printf("no IPv6 here: mapped peers not tested\n");
		return;
	}
	CHECK_INT(listen(listener, 1), 0);
	addr_of_local(&server, listener);
	addr_numeric(&own, "127.0.0.1", 0, addr_port(&server));
	CHECK_INT(connect(client, (struct sockaddr *)&own.ss, own.len), 0);
	addr_of_local(&local, client);
	got = accept(listener, NULL, NULL);
	addr_of_peer(&peer, got);
	CHECK_INT(peer.ss.ss_family, AF_INET);
	CHECK(addr_equal(&peer, &local));
	CHECK(strncmp(addr_text(&peer, text), "127.0.0.1:", 10) == 0);
	close(got);
	close(client);
	close(listener);
}

static void
test_interface(void)
{
	struct addr_list l = { 0 };
	struct addr a;
	int n = addr_of_interface(&l, "lo", AF_INET, 7);

	addr_numeric(&a, "127.0.0.1", 0, 7);
	if (n > 0) {
		CHECK_INT(l.count, n);
		CHECK(addr_equal(&l.item[0], &a));
		CHECK(addr_of_interface(&l, "lo", 0, 7) >= n);
	}
	CHECK_INT(addr_of_interface(&l, "no-such-if", 0, 7), 0);
	addr_list_free(&l);
	CHECK(l.item == NULL && l.count == 0);
}

int
main(void)
{
	test_numeric();
	test_kinds();
	test_unix();
	test_sockets();
	test_interface();
	return check_result();
}
