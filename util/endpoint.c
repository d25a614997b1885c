/* The second half of addr.h: the words that users write for addresses. */
#include "addr.h"
#include "num.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789";
static const char letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char service[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

static const struct {
	const char *word;
	enum transport transport;
} prefixes[] = {
	{ "tcp:", TRANSPORT_TCP },
	{ "udp:", TRANSPORT_UDP },
	{ "unix:", TRANSPORT_UNIX },
};

/* The rest of word behind "tcp:", "udp:" or "unix:"; word itself without. */
static const char *
skip_prefix(const char *word, enum transport *transport)
{
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t n = strlen(prefixes[i].word);

		if (strncmp(word, prefixes[i].word, n) == 0) {
			*transport = prefixes[i].transport;
			return word + n;
		}
	}
	return word;
}

static bool
is_v6(const char *s)
{
	char host[INET6_ADDRSTRLEN];
	size_t n = strcspn(s, "%");
	struct in6_addr in;

	if (n >= sizeof host || (s[n] == '%' && !s[n + 1]))
		return false;
	memcpy(host, s, n);
	host[n] = '\0';
	return inet_pton(AF_INET6, host, &in) == 1;
}

static int
set_port(struct endpoint *e, const char *port, struct err *err)
{
	size_t n = strlen(port);
	int64_t number;

	if (n == 0)
		return err_setf(err, NULL, 0, NULL, "the port is empty");
	if (strspn(port, digits) == n) {
		if (port[0] == '0' && n > 1)
			return err_setf(err, NULL, 0, NULL,
				"port '%s' has a leading zero", port);
		if (num_int(port, 1, 65535, &number) == -1)
			return err_setf(err, NULL, 0, NULL,
				"port '%s' is out of range 1-65535", port);
	} else if (strspn(port, service) != n || !strpbrk(port, letters) ||
		n >= sizeof e->port) {
		return err_setf(err, NULL, 0, NULL,
			"port '%s' is neither a number of 1-65535 nor a "
			"service name",
			port);
	}
	memcpy(e->port, port, n + 1);
	return 0;
}

/* A name's bytes are the resolver's business, but what no name has would only
 * hide a mistake. n bytes at host. */
static int
set_host(struct endpoint *e, const char *host, size_t n, struct err *err)
{
	if (n >= sizeof e->host)
		return err_setf(err, NULL, 0, NULL,
			"the host is longer than 255 bytes");
	memcpy(e->host, host, n);
	e->host[n] = '\0';
	if (n == 0)
		return err_setf(err, NULL, 0, NULL, "the host is empty");
	if (strchr(e->host, ':') && !is_v6(e->host))
		return err_setf(err, NULL, 0, NULL,
			"'%s' is neither a name nor an IPv6 address", e->host);
	for (const char *c = e->host; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f ||
			strchr("/[]@,", *c))
			return err_setf(err, NULL, 0, NULL,
				"'%s' is neither a name nor an address",
				e->host);
	return 0;
}

/* [HOST]: the brackets are for an IPv6 address only. *rest is behind them. */
static int
set_bracketed(struct endpoint *e, const char *word, const char **rest,
	struct err *err)
{
	const char *end = strchr(word, ']');

	*rest = word;
	if (!end)
		return err_setf(err, NULL, 0, NULL, "'%s' lacks a ']'", word);
	*rest = end + 1;
	if (set_host(e, word + 1, (size_t)(end - word - 1), err) == -1)
		return -1;
	if (!is_v6(e->host))
		return err_setf(err, NULL, 0, NULL,
			"'%s' in brackets is no IPv6 address", e->host);
	return 0;
}

static int
parse_pair(
	struct endpoint *e, const char *host, const char *port, struct err *err)
{
	enum transport transport;
	const char *rest;

	if (skip_prefix(host, &transport) != host)
		return err_setf(err, NULL, 0, NULL,
			"'%s' is a whole address and takes no port after it",
			host);
	if (host[0] != '[') {
		if (set_host(e, host, strlen(host), err) == -1)
			return -1;
		return set_port(e, port, err);
	}
	if (set_bracketed(e, host, &rest, err) == -1)
		return -1;
	if (*rest)
		return err_setf(err, NULL, 0, NULL,
			"'%s' has more than a host, and '%s' follows", host,
			port);
	return set_port(e, port, err);
}

/* HOST:PORT; whole is the word as it was written. */
static int
parse_word(struct endpoint *e, const char *word, const char *whole,
	struct err *err)
{
	const char *rest = strchr(word, ':');

	if (word[0] == '[') {
		if (set_bracketed(e, word, &rest, err) == -1)
			return -1;
	} else if (is_v6(word)) {
		return err_setf(err, NULL, 0, NULL,
			"'%s' lacks a port, or brackets: [%s]:PORT", whole,
			word);
	} else if (rest && strchr(rest + 1, ':')) {
		return err_setf(err, NULL, 0, NULL,
			"'%s' is not HOST:PORT (an IPv6 address needs "
			"brackets: [::1]:4000)",
			whole);
	} else if (rest) {
		if (rest == word)
			return err_setf(
				err, NULL, 0, NULL, "'%s' lacks a host", whole);
		if (set_host(e, word, (size_t)(rest - word), err) == -1)
			return -1;
	}
	if (!rest || strcmp(rest, ":") == 0 || !*rest)
		return err_setf(err, NULL, 0, NULL, "'%s' lacks a port", whole);
	if (*rest != ':')
		return err_setf(err, NULL, 0, NULL,
			"'%s' has '%s' where ':PORT' belongs", whole, rest);
	return set_port(e, rest + 1, err);
}

int
endpoint_parse(
	struct endpoint *e, const char *word, const char *port, struct err *err)
{
	const char *rest;
	struct addr unused;

	*e = (struct endpoint){ .transport = TRANSPORT_TCP };
	if (port)
		return parse_pair(e, word, port, err);
	rest = skip_prefix(word, &e->transport);
	e->datagram = e->transport == TRANSPORT_UDP;
	if (e->transport != TRANSPORT_UNIX)
		return parse_word(e, rest, word, err);
	if (addr_unix(&unused, rest, err) == -1)
		return -1;
	memcpy(e->host, rest, strlen(rest) + 1);
	return 0;
}

char *
endpoint_text(const struct endpoint *e, char *out)
{
	enum transport unused;

	if (e->transport == TRANSPORT_UNIX) {
		snprintf(out, ENDPOINT_TEXT_MAX, "unix:%s", e->host);
		return out;
	}
	snprintf(out, ENDPOINT_TEXT_MAX,
		strchr(e->host, ':') ? "[%s]:%s" : "%s:%s", e->host, e->port);
	/* A host whose name is that of a prefix. */
	if (skip_prefix(out, &unused) != out)
		snprintf(out, ENDPOINT_TEXT_MAX, "tcp:%s:%s", e->host, e->port);
	return out;
}
