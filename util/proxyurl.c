/* The first half of proxy.h: --proxy's URL, and user and password. */
#include "proxy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *scheme;
	enum proxy_kind kind;
} schemes[] = {
	{ "socks5://", PROXY_SOCKS5 },
	{ "http://", PROXY_HTTP },
};

static int
wrong(struct err *err, const char *why)
{
	return err_setf(err, NULL, 0, NULL, "%s", why);
}

static const char *
skip_scheme(const char *url, enum proxy_kind *kind)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i].scheme);

		if (strncasecmp(url, schemes[i].scheme, n) != 0)
			continue;
		*kind = schemes[i].kind;
		return url + n;
	}
	return NULL;
}

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

/* n bytes with %XX resolved (RFC 3986); -1 where they are not of that form or
 * too long for RFC 1929. */
static int
decode(char out[256], const char *s, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			int high = n - i > 2 ? hex_value(s[i + 1]) : -1;
			int low = n - i > 2 ? hex_value(s[i + 2]) : -1;

			c = high == -1 || low == -1 ? 0 : high * 16 + low;
			i += 2;
		}
		if (c == 0 || len == 255)
			return -1;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return 0;
}

static int
check_auth(struct proxy_url *u, struct err *err)
{
	if (!*u->user)
		return wrong(err, "the proxy's user is empty");
	if (u->kind == PROXY_HTTP && strchr(u->user, ':'))
		return wrong(err, "a user of HTTP has no colon in it");
	u->auth = true;
	return 0;
}

static int
parse_userinfo(struct proxy_url *u, const char *s, size_t n, struct err *err)
{
	const char *colon = memchr(s, ':', n);
	size_t user = colon ? (size_t)(colon - s) : n;

	if (decode(u->user, s, user) == -1 ||
		(colon && decode(u->password, colon + 1, n - user - 1) == -1))
		return wrong(err,
			"user and password have at most 255 bytes each, "
			"special ones as %XX");
	return check_auth(u, err);
}

static int
auth_from_environment(struct proxy_url *u, struct err *err)
{
	const char *s = getenv("SOCKCTL_PROXY_AUTH");
	size_t user = s ? strcspn(s, ":") : 0;

	if (!s || !*s)
		return 0;
	if (!s[user] || user > 255 || strlen(s + user + 1) > 255)
		return wrong(err,
			"SOCKCTL_PROXY_AUTH is not USER:PASSWORD of at most "
			"255 bytes each");
	memcpy(u->user, s, user);
	memcpy(u->password, s + user + 1, strlen(s + user + 1));
	return check_auth(u, err);
}

int
proxy_parse(struct proxy_url *u, const char *url, struct err *err)
{
	char word[sizeof(u->at.host) + sizeof(u->at.port)];
	const char *rest, *at;
	size_t n;

	*u = (struct proxy_url){ 0 };
	rest = skip_scheme(url, &u->kind);
	if (!rest)
		return wrong(err,
			"not socks5://[USER:PASSWORD@]HOST:PORT or "
			"http://[USER:PASSWORD@]HOST:PORT");
	at = strchr(rest, '@');
	if (at && parse_userinfo(u, rest, (size_t)(at - rest), err) == -1)
		return -1;
	if (at)
		rest = at + 1;
	n = strlen(rest);
	if (n > 0 && rest[n - 1] == '/')
		n--; /* an empty path */
	if (n >= sizeof(word) || strncmp(rest, "tcp:", 4) == 0)
		return wrong(err, "the proxy's address is not HOST:PORT");
	snprintf(word, sizeof(word), "%.*s", (int)n, rest);
	if (endpoint_parse(&u->at, word, NULL, err) == -1)
		return -1;
	if (u->at.transport != TRANSPORT_TCP)
		return wrong(err, "the proxy's address is not HOST:PORT");
	return u->auth ? 0 : auth_from_environment(u, err);
}
