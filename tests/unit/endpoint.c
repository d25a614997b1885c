#include "../../util/addr.h"
#include "check.h"

static const struct {
	const char *word, *port;
	const char *text; /* the endpoint, or the error's sentence */
} rows[] = {
	{ "127.0.0.1:4000", NULL, "127.0.0.1:4000" },
	{ "host:http", NULL, "host:http" },
	{ "a-b_c.example.:1", NULL, "a-b_c.example.:1" },
	{ "[::1]:4000", NULL, "[::1]:4000" },
	{ "[fe80::1%eth0]:3com-tsmux", NULL, "[fe80::1%eth0]:3com-tsmux" },
	{ "tcp:h:65535", NULL, "h:65535" },
	{ "tcp:[::1]:1", NULL, "[::1]:1" },
	{ "udp:h:53", NULL, "h:53" },
	{ "unix:/run/x:1", NULL, "unix:/run/x:1" },
	{ "unix:@name", NULL, "unix:@name" },
	{ "unix:rel", NULL, "unix:rel" },
	{ "::1", "4000", "[::1]:4000" },
	{ "[::1]", "4000", "[::1]:4000" },
	{ "fe80::1%eth0", "4000", "[fe80::1%eth0]:4000" },
	{ "host", "domain", "host:domain" },
	{ "127.0.0.1", NULL, "'127.0.0.1' lacks a port" },
	{ "127.0.0.1:", NULL, "'127.0.0.1:' lacks a port" },
	{ "tcp:4000", NULL, "'tcp:4000' lacks a port" },
	{ "[::1]", NULL, "'[::1]' lacks a port" },
	{ "[::1]:", NULL, "'[::1]:' lacks a port" },
	{ "", NULL, "'' lacks a port" },
	{ ":4000", NULL, "':4000' lacks a host" },
	{ "::1", NULL, "'::1' lacks a port, or brackets: [::1]:PORT" },
	{ "fe80::1%eth0", NULL,
		"'fe80::1%eth0' lacks a port, or brackets: "
		"[fe80::1%eth0]:PORT" },
	{ "a:b:c", NULL,
		"'a:b:c' is not HOST:PORT (an IPv6 address needs brackets: "
		"[::1]:4000)" },
	{ "[::1", NULL, "'[::1' lacks a ']'" },
	{ "[::1]4000", NULL, "'[::1]4000' has '4000' where ':PORT' belongs" },
	{ "[host]:1", NULL, "'host' in brackets is no IPv6 address" },
	{ "[]:1", NULL, "the host is empty" },
	{ "a b:1", NULL, "'a b' is neither a name nor an address" },
	{ "a/b:1", NULL, "'a/b' is neither a name nor an address" },
	{ "a\x1b:1", NULL, "'a\x1b' is neither a name nor an address" },
	{ "unix:", NULL, "a Unix-domain socket needs a path or @NAME" },
	{ "h:0", NULL, "port '0' is out of range 1-65535" },
	{ "h:70000", NULL, "port '70000' is out of range 1-65535" },
	{ "h:99999999999999999999", NULL,
		"port '99999999999999999999' is out of range 1-65535" },
	{ "h:080", NULL, "port '080' has a leading zero" },
	{ "h:-1", NULL,
		"port '-1' is neither a number of 1-65535 nor a service "
		"name" },
	{ "h", "+1",
		"port '+1' is neither a number of 1-65535 nor a service "
		"name" },
	{ "h", "1.5",
		"port '1.5' is neither a number of 1-65535 nor a service "
		"name" },
	{ "h", "", "the port is empty" },
	{ "", "1", "the host is empty" },
	{ "tcp:h", "1",
		"'tcp:h' is a whole address and takes no port after "
		"it" },
	{ "unix:/x", "1",
		"'unix:/x' is a whole address and takes no port after it" },
	{ "h:1", "2", "'h:1' is neither a name nor an IPv6 address" },
	{ "[::1]:1", "2", "'[::1]:1' has more than a host, and '2' follows" },
};

static void
test_long(void)
{
	struct endpoint e;
	struct err err;
	char host[300], out[ENDPOINT_TEXT_MAX];

	memset(host, 'h', sizeof host);
	host[255] = '\0';
	CHECK_INT(endpoint_parse(&e, host, "1", &err), 0);
	CHECK_INT(strlen(endpoint_text(&e, out)), 257);
	host[255] = 'h';
	host[256] = '\0';
	CHECK_INT(endpoint_parse(&e, host, "1", &err), -1);
	host[64] = '\0';
	CHECK_INT(endpoint_parse(&e, "h", host, &err), -1);
	host[63] = '\0';
	CHECK_INT(endpoint_parse(&e, "h", host, &err), 0);
	CHECK_STR(e.port, host);
	memcpy(host, "unix:", 5);
	memset(host + 5, 'p', 108);
	host[113] = '\0';
	CHECK_INT(endpoint_parse(&e, host, NULL, &err), -1);
	host[112] = '\0';
	CHECK_INT(endpoint_parse(&e, host, NULL, &err), 0);
}

int
main(void)
{
	struct endpoint e;
	struct err err;
	char out[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (endpoint_parse(&e, rows[i].word, rows[i].port, &err) == 0) {
			CHECK_STR(endpoint_text(&e, out), rows[i].text);
			continue;
		}
		CHECK_STR(err.text, rows[i].text);
		CHECK(err.op == NULL);
	}
	endpoint_parse(&e, "udp:h:1", NULL, &err);
	CHECK(e.transport == TRANSPORT_UDP && e.datagram);
	endpoint_parse(&e, "unix:/x", NULL, &err);
	CHECK(e.transport == TRANSPORT_UNIX && !e.datagram);
	CHECK_STR(e.host, "/x");
	CHECK_STR(e.port, "");
	endpoint_parse(&e, "tcp:h:1", NULL, &err);
	CHECK(e.transport == TRANSPORT_TCP && !e.datagram);
	test_long();
	return check_result();
}
