#include "proxy.h"
#include "mem.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { READ_MAX = 16 * 1024 };

/* What a step found in the bytes that came. */
enum answer {
	ANSWER_MORE, /* not yet complete */
	ANSWER_NEXT, /* consumed; the next step may find its own already */
	ANSWER_OPEN, /* the way is open */
	ANSWER_FAILED, /* p->err says why */
};

struct proxy {
	struct proxy_setup s;
	struct watch watch;
	struct buf in, out;
	enum answer (*step)(struct proxy *);
	size_t scanned; /* HTTP: no end of the head before this */
	size_t heads; /* HTTP: bytes of interim answers */
	char target[ENDPOINT_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX]; /* the proxy */
	struct err err;
};

static enum answer
refused(struct proxy *p, int number, const char *why)
{
	err_setf(&p->err, "connect", number, p->target, "proxy %s: %s", p->at,
		why);
	return ANSWER_FAILED;
}

static enum answer
nonsense(struct proxy *p, const char *why)
{
	err_setf(&p->err, "protocol", 0, p->target, "proxy %s: %s", p->at, why);
	return ANSWER_FAILED;
}

/* SOCKS 5 (RFC 1928): method, then user and password where asked for (RFC
 * 1929), then the request. */

enum { SOCKS_NONE = 0, SOCKS_PASSWORD = 2, SOCKS_NO_METHOD = 0xff };

static const struct {
	const char *why;
	int number;
} socks_replies[] = {
	{ "", 0 },
	{ "general failure", ECONNREFUSED },
	{ "forbidden by its rules", EACCES },
	{ "network unreachable", ENETUNREACH },
	{ "host unreachable", EHOSTUNREACH },
	{ "connection refused", ECONNREFUSED },
	{ "TTL expired", EHOSTUNREACH },
	{ "it does not know CONNECT", EOPNOTSUPP },
	{ "it does not know this type of address", EAFNOSUPPORT },
	{ "refused for a reason that RFC 1928 does not know", ECONNREFUSED },
};
enum { SOCKS_REPLIES = sizeof(socks_replies) / sizeof(socks_replies[0]) };

static enum answer
socks_reply(struct proxy *p)
{
	const uint8_t *d = buf_data(&p->in);
	size_t n = p->in.len, len;

	if (n >= 1 && d[0] != 5)
		return nonsense(p, "its reply is not SOCKS 5");
	if (n >= 2 && d[1] != 0) {
		size_t i = d[1] < SOCKS_REPLIES ? d[1] : SOCKS_REPLIES - 1;

		return refused(
			p, socks_replies[i].number, socks_replies[i].why);
	}
	if (n < 5)
		return ANSWER_MORE;
	if (d[3] != 1 && d[3] != 3 && d[3] != 4)
		return nonsense(p, "its reply has an unknown type of address");
	len = 4 + 2 + (d[3] == 1 ? 4u : d[3] == 4 ? 16u : 1u + d[4]);
	if (n < len)
		return ANSWER_MORE;
	buf_consume(&p->in, len);
	return ANSWER_OPEN;
}

static enum answer
socks_request(struct proxy *p)
{
	struct addr a;
	const struct sockaddr_in *in = (const void *)&a.ss;
	const struct sockaddr_in6 *in6 = (const void *)&a.ss;

	buf_append(&p->out, "\5\1\0", 3);
	if (addr_numeric(&a, p->s.host, AF_UNSPEC, 0) == -1) {
		buf_byte(&p->out, 3);
		buf_byte(&p->out, (uint8_t)strlen(p->s.host));
		buf_string(&p->out, p->s.host);
	} else if (a.ss.ss_family == AF_INET) {
		buf_byte(&p->out, 1);
		buf_append(&p->out, &in->sin_addr, 4);
	} else {
		buf_byte(&p->out, 4);
		buf_append(&p->out, &in6->sin6_addr, 16);
	}
	buf_u16(&p->out, (uint16_t)p->s.port);
	p->step = socks_reply;
	return ANSWER_NEXT;
}

static enum answer
socks_password(struct proxy *p)
{
	const uint8_t *d = buf_data(&p->in);
	size_t n = p->in.len;

	if (n >= 1 && d[0] != 1)
		return nonsense(p, "its word on the password is no RFC 1929");
	if (n < 2)
		return ANSWER_MORE;
	if (d[1] != 0)
		return refused(p, EACCES, "user or password refused");
	buf_consume(&p->in, 2);
	return socks_request(p);
}

static enum answer
socks_method(struct proxy *p)
{
	const struct proxy_url *u = p->s.url;
	const uint8_t *d = buf_data(&p->in);
	size_t n = p->in.len;
	int method;

	if (n >= 1 && d[0] != 5)
		return nonsense(p, "its greeting is not SOCKS 5");
	if (n < 2)
		return ANSWER_MORE;
	method = d[1];
	buf_consume(&p->in, 2);
	if (method == SOCKS_NONE)
		return socks_request(p);
	if (method == SOCKS_NO_METHOD)
		return refused(p, EACCES,
			u->auth ? "it takes no user and password"
				: "it wants user and password");
	if (method != SOCKS_PASSWORD || !u->auth)
		return nonsense(p, "it chose a method that was not offered");
	buf_byte(&p->out, 1);
	buf_byte(&p->out, (uint8_t)strlen(u->user));
	buf_string(&p->out, u->user);
	buf_byte(&p->out, (uint8_t)strlen(u->password));
	buf_string(&p->out, u->password);
	p->step = socks_password;
	return ANSWER_NEXT;
}

static void
socks_begin(struct proxy *p)
{
	if (p->s.url->auth)
		buf_append(&p->out, "\5\2\0\2", 4);
	else
		buf_append(&p->out, "\5\1\0", 3);
	p->step = socks_method;
}

/* HTTP's CONNECT (RFC 9110): one request, one head as the answer. */

/* Length of the head with its empty line, 0 while that has not come. */
static size_t
head_length(struct proxy *p)
{
	const uint8_t *d = buf_data(&p->in);
	size_t n = p->in.len;

	for (size_t i = p->scanned; i + 1 < n; i++) {
		if (d[i] != '\n')
			continue;
		if (d[i + 1] == '\n')
			return i + 2;
		if (d[i + 1] == '\r' && i + 2 < n && d[i + 2] == '\n')
			return i + 3;
	}
	p->scanned = n > 2 ? n - 2 : 0;
	return 0;
}

/* The status of "HTTP/1.1 200 ...", as far as it has come: -1 where it cannot
 * become one, 0 where it is not complete. */
static int
http_status(const uint8_t *d, size_t n)
{
	static const char form[] = "HTTP/1.# ###";
	size_t len = sizeof(form) - 1;

	for (size_t i = 0; i < len && i < n; i++)
		if (form[i] == '#' ? d[i] < '0' || d[i] > '9'
				   : d[i] != (uint8_t)form[i])
			return -1;
	if (n <= len)
		return 0;
	if (!strchr(" \r\n", d[len]) || d[len] == '\0' || d[9] == '0')
		return -1;
	return (d[9] - '0') * 100 + (d[10] - '0') * 10 + d[11] - '0';
}

static enum answer
http_refused(struct proxy *p, int status)
{
	char *words = buf_cstr(&p->in) + strlen("HTTP/1.1 ");

	words[strcspn(words, "\r\n")] = '\0';
	err_setf(&p->err, "connect", status == 407 ? EACCES : ECONNREFUSED,
		p->target, "proxy %s: %.200s", p->at, words);
	if (status == 407)
		err_hint(&p->err,
			"give it user and password: http://USER:PASSWORD@%s, "
			"or SOCKCTL_PROXY_AUTH",
			p->at);
	return ANSWER_FAILED;
}

static enum answer
http_head(struct proxy *p)
{
	int status = http_status(buf_data(&p->in), p->in.len);
	size_t n = head_length(p);

	if (status == -1)
		return nonsense(p, "its answer is not HTTP");
	if (p->heads + (n ? n : p->in.len) > PROXY_HEAD_MAX)
		return nonsense(p, "its answer's head is longer than 64 KiB");
	if (n == 0)
		return ANSWER_MORE;
	if (status >= 300)
		return http_refused(p, status);
	buf_consume(&p->in, n);
	p->scanned = 0;
	p->heads += n;
	return status >= 200 ? ANSWER_OPEN : ANSWER_NEXT; /* 1xx: interim */
}

/* base64 of RFC 4648. */
static void
append_base64(struct buf *out, const uint8_t *d, size_t n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)d[i] << 16;

		if (i + 1 < n)
			v |= (uint32_t)d[i + 1] << 8;
		if (i + 2 < n)
			v |= d[i + 2];
		buf_byte(out, (uint8_t)letters[v >> 18]);
		buf_byte(out, (uint8_t)letters[v >> 12 & 63]);
		buf_byte(out, i + 1 < n ? (uint8_t)letters[v >> 6 & 63] : '=');
		buf_byte(out, i + 2 < n ? (uint8_t)letters[v & 63] : '=');
	}
}

static void
http_begin(struct proxy *p)
{
	const struct proxy_url *u = p->s.url;
	struct buf pair = { 0 };

	buf_printf(&p->out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", p->target,
		p->target);
	if (u->auth) {
		buf_printf(&pair, "%s:%s", u->user, u->password);
		buf_string(&p->out, "Proxy-Authorization: Basic ");
		append_base64(&p->out, buf_data(&pair), pair.len);
		buf_string(&p->out, "\r\n");
	}
	buf_string(&p->out, "\r\n");
	buf_free(&pair);
	p->step = http_head;
}

void
proxy_cancel(struct proxy *p)
{
	loop_unwatch(p->s.loop, &p->watch);
	buf_free(&p->in);
	buf_free(&p->out);
	free(p);
}

static void
finish(struct proxy *p)
{
	bool failed = p->err.op != NULL;

	loop_unwatch(p->s.loop, &p->watch);
	p->s.done(p->s.arg, failed ? NULL : &p->in, failed ? &p->err : NULL);
	proxy_cancel(p);
}

/* Returns -1: it is over, p->err is set. */
static int
broken(struct proxy *p, const char *op, int number)
{
	if (number == 0 || number == ECONNRESET || number == EPIPE)
		nonsense(p, "it hung up before its answer was complete");
	else
		err_setf(&p->err, op, number, p->target, "proxy %s: %s", p->at,
			strerror(number));
	return -1;
}

static int
send_some(struct proxy *p)
{
	ssize_t n;

	if (p->out.len == 0)
		return 0;
	n = send(p->watch.fd, buf_data(&p->out), p->out.len,
		MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
		return 0;
	if (n == -1)
		return broken(p, "send", errno);
	buf_consume(&p->out, (size_t)n);
	return 0;
}

static int
read_some(struct proxy *p)
{
	ssize_t n = recv(p->watch.fd, buf_room(&p->in, READ_MAX), READ_MAX,
		MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return broken(p, "recv", n == 0 ? 0 : errno);
	buf_added(&p->in, (size_t)n);
	return 0;
}

static void
on_ready(void *arg, unsigned ready)
{
	struct proxy *p = arg;
	enum answer answer = ANSWER_NEXT;

	if ((ready & LOOP_READ) && read_some(p) == -1)
		answer = ANSWER_FAILED;
	while (answer == ANSWER_NEXT)
		answer = p->in.len ? p->step(p) : ANSWER_MORE;
	if (answer != ANSWER_MORE || send_some(p) == -1) {
		finish(p);
		return;
	}
	loop_want(p->s.loop, &p->watch,
		LOOP_READ | (p->out.len ? LOOP_WRITE : 0));
}

/* The target as an authority: no zone, which means nothing elsewhere. */
static void
write_target(struct proxy *p)
{
	const char *host = p->s.host;

	snprintf(p->target, sizeof(p->target),
		strchr(host, ':') ? "[%.*s]:%d" : "%.*s:%d",
		(int)strcspn(host, "%"), host, p->s.port);
}

struct proxy *
proxy_start(const struct proxy_setup *s, int fd)
{
	struct proxy *p = mem_zero(1, sizeof(*p));

	p->s = *s;
	p->watch = (struct watch)WATCH_NONE;
	write_target(p);
	endpoint_text(&s->url->at, p->at);
	if (s->url->kind == PROXY_SOCKS5)
		socks_begin(p);
	else
		http_begin(p);
	/* It cannot fail: the connection was waited for on this loop. */
	(void)loop_watch(
		s->loop, &p->watch, fd, LOOP_READ | LOOP_WRITE, on_ready, p);
	return p;
}
