#include "../../util/proxy.h"
#include "../../util/net.h"
#include "check.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the test's proxy does: waits for these bytes, then sends those. */
struct step {
	const char *wants;
	size_t wants_len;
	const char *says;
	size_t says_len;
};
#define B(s) s, sizeof(s) - 1

enum { STEPS = 4 };

struct row {
	const char *url, *host;
	struct step step[STEPS];
	bool hangs_up;
	const char *op; /* NULL: the way is open */
	int number;
	const char *text; /* a part of the message */
	const char *early;
};

#define GREETING B("\5\1\0")
#define OFFER B("\5\2\0\2")
#define ASK_V4 B("\5\1\0\1\x7f\0\0\1\x0f\xa0")
#define YES_V4 B("\5\0\0\1\x7f\0\0\1\x0f\xa0")
#define CONNECT_V4 \
	"CONNECT 127.0.0.1:4000 HTTP/1.1\r\n" \
	"Host: 127.0.0.1:4000\r\n"

static const struct row rows[] = {
	{ "socks5://p:1", "127.0.0.1",
		{ { GREETING, B("\5\0") }, { ASK_V4, YES_V4 } }, .early = "" },
	{ "socks5://p:1", "127.0.0.1",
		{ { GREETING, B("\5\0") },
			{ ASK_V4, B("\5\0\0\1\1\2\3\4\0\1SSH-2.0") } },
		.early = "SSH-2.0" },
	{ "socks5://p:1", "127.0.0.1", /* a name as the bound address */
		{ { GREETING, B("\5\0") },
			{ ASK_V4, B("\5\0\0\3\3abc\0\1x") } },
		.early = "x" },
	{ "socks5://p:1", "db.example",
		{ { GREETING, B("\5\0") },
			{ B("\5\1\0\3\12db.example\x0f\xa0"), YES_V4 } },
		.early = "" },
	{ "socks5://p:1", "::1",
		{ { GREETING, B("\5\0") },
			{ B("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x0f\xa0"),
				B("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
				  "\x0f\xa0") } },
		.early = "" },
	{ "socks5://me:s%3ac%40ret@p:1", "127.0.0.1",
		{ { OFFER, B("\5\2") }, { B("\1\2me\7s:c@ret"), B("\1\0") },
			{ ASK_V4, YES_V4 } },
		.early = "" },
	{ "socks5://me:pw@p:1", "127.0.0.1", /* it wants none after all */
		{ { OFFER, B("\5\0") }, { ASK_V4, YES_V4 } }, .early = "" },
	{ "socks5://me:pw@p:1", "127.0.0.1",
		{ { OFFER, B("\5\2") }, { B("\1\2me\2pw"), B("\1\1") } },
		.op = "connect", .number = EACCES,
		.text = "user or password refused" },
	{ "socks5://p:1", "127.0.0.1", { { GREETING, B("\5\xff") } },
		.op = "connect", .number = EACCES,
		.text = "wants user and password" },
	{ "socks5://p:1", "127.0.0.1",
		{ { GREETING, B("\5\0") }, { ASK_V4, B("\5\5\0\1") } },
		.op = "connect", .number = ECONNREFUSED,
		.text = "proxy p:1: connection refused" },
	{ "socks5://p:1", "127.0.0.1",
		{ { GREETING, B("\5\0") }, { ASK_V4, B("\5\4\0\1") } },
		.op = "connect", .number = EHOSTUNREACH,
		.text = "host unreachable" },
	{ "socks5://p:1", "127.0.0.1",
		{ { GREETING, B("\5\0") }, { ASK_V4, B("\5\x63\0\1") } },
		.op = "connect", .number = ECONNREFUSED, .text = "1928" },
	{ "socks5://p:1", "127.0.0.1", { { GREETING, B("\5\2") } },
		.op = "protocol", .text = "not offered" },
	{ "socks5://p:1", "127.0.0.1", { { GREETING, B("HTTP/1.0 400\r\n") } },
		.op = "protocol", .text = "not SOCKS 5" },
	{ "socks5://p:1", "127.0.0.1", { { GREETING, B("\4") } },
		.op = "protocol", .text = "not SOCKS 5" },
	{ "socks5://p:1", "127.0.0.1",
		{ { GREETING, B("\5\0") }, { ASK_V4, B("\5\0\0\2\1\1") } },
		.op = "protocol", .text = "type of address" },
	{ "socks5://me:pw@p:1", "127.0.0.1",
		{ { OFFER, B("\5\2") }, { B("\1\2me\2pw"), B("\5\0") } },
		.op = "protocol", .text = "1929" },
	{ "socks5://p:1", "127.0.0.1", { { GREETING, B("\5") } },
		.hangs_up = true, .op = "protocol", .text = "hung up" },
	{ "socks5://p:1", "127.0.0.1", .hangs_up = true, .op = "protocol",
		.text = "hung up" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"), B("HTTP/1.1 200 OK\r\n\r\n") } },
		.early = "" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"),
			B("HTTP/1.0 200 Connection established\n"
			  "Via: x\nContent-Length: 9\n\nSSH-2.0") } },
		.early = "SSH-2.0" },
	{ "http://p:1", "127.0.0.1", /* interim answers */
		{ { B(CONNECT_V4 "\r\n"),
			B("HTTP/1.1 100 Continue\r\nA: b\r\n\r\n"
			  "HTTP/1.1 200 OK\r\n\r\nx") } },
		.early = "x" },
	{ "http://me:s%3ac%40ret@p:1", "fe80::1%eth0",
		{ { B("CONNECT [fe80::1]:4000 HTTP/1.1\r\n"
		      "Host: [fe80::1]:4000\r\n"
		      "Proxy-Authorization: Basic bWU6czpjQHJldA==\r\n\r\n"),
			B("HTTP/1.1 200 \r\n\r\n") } },
		.early = "" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"),
			B("HTTP/1.1 407 Say who\r\nX: y\r\n\r\nbody") } },
		.op = "connect", .number = EACCES,
		.text = "proxy p:1: 407 Say who" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"),
			B("HTTP/1.1 403 For\033bidden\r\n\r\n") } },
		.op = "connect", .number = ECONNREFUSED,
		.text = "403 For\033bidden" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"), B("HTTP/1.1 502\r\n\r\n") } },
		.op = "connect", .number = ECONNREFUSED, .text = "502" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"), B("SSH-2.0-nonsense\r\n") } },
		.op = "protocol", .text = "not HTTP" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"), B("HTTP/1.1 2000 OK\r\n\r\n") } },
		.op = "protocol", .text = "not HTTP" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"), B("HTTP/1.1 \0") } },
		.op = "protocol", .text = "not HTTP" },
	{ "http://p:1", "127.0.0.1",
		{ { B(CONNECT_V4 "\r\n"), B("HTTP/1.1 200 OK\r\nA: b\r\n") } },
		.hangs_up = true, .op = "protocol", .text = "hung up" },
};

struct trial {
	struct loop *loop;
	const struct row *row;
	bool slowly; /* a byte at a time */
	int fd; /* the proxy's end */
	struct watch watch;
	struct timer timer;
	int step;
	size_t said;
	struct buf got;
	bool over;
};

static void
say(void *arg)
{
	struct trial *t = arg;
	const struct step *s = &t->row->step[t->step];
	size_t left = s->says_len - t->said;
	size_t n = t->slowly && left > 1 ? 1 : left;

	if (n > 0)
		CHECK_INT(send(t->fd, s->says + t->said, n, MSG_NOSIGNAL), n);
	t->said += n;
	if (t->said < s->says_len) {
		loop_timer(t->loop, &t->timer, 0, say, t);
		return;
	}
	t->step++;
	t->said = 0;
	if (t->step == STEPS || !t->row->step[t->step].says) {
		loop_unwatch(t->loop, &t->watch);
		if (t->row->hangs_up)
			shutdown(t->fd, SHUT_WR);
	}
}

static void
on_bytes(void *arg, unsigned ready)
{
	struct trial *t = arg;
	const struct step *s = &t->row->step[t->step];
	ssize_t n = recv(t->fd, buf_room(&t->got, 1024), 1024, 0);

	(void)ready;
	if (n <= 0) {
		loop_unwatch(t->loop, &t->watch);
		return;
	}
	buf_added(&t->got, (size_t)n);
	if (t->got.len < s->wants_len)
		return;
	CHECK_INT(t->got.len, s->wants_len);
	CHECK(memcmp(buf_data(&t->got), s->wants, s->wants_len) == 0);
	buf_consume(&t->got, s->wants_len);
	if (timer_set(&t->timer))
		return;
	say(t);
}

static void
on_done(void *arg, struct buf *early, const struct err *err)
{
	struct trial *t = arg;
	const struct row *row = t->row;

	t->over = true;
	if (!row->op) {
		if (!CHECK(err == NULL)) {
			printf("\t%s\n", err->text);
			return;
		}
		/* A slow proxy's rest has not come yet. */
		CHECK_INT(early->len, t->slowly ? 0 : strlen(row->early));
		CHECK(t->slowly || !early->len ||
			memcmp(buf_data(early), row->early, early->len) == 0);
		return;
	}
	if (!CHECK(err != NULL))
		return;
	CHECK_STR(err->op, row->op);
	CHECK_INT(err->number, row->number);
	if (!CHECK(strstr(err->text, row->text) != NULL))
		printf("\tgot '%s', want '%s'\n", err->text, row->text);
}

static void
try_row(struct loop *loop, const struct row *row, bool slowly)
{
	struct trial t = {
		.loop = loop, .row = row, .slowly = slowly, .watch = WATCH_NONE
	};
	int failed = checks.failed;
	struct proxy_url url;
	struct err err = { 0 };
	int pair[2];

	CHECK_INT(proxy_parse(&url, row->url, &err), 0);
	CHECK_INT(net_socketpair(pair), 0);
	t.fd = pair[1];
	if (!row->step[0].says)
		shutdown(t.fd, SHUT_WR);
	else
		loop_watch(loop, &t.watch, t.fd, LOOP_READ, on_bytes, &t);
	proxy_start(
		&(struct proxy_setup){
			.loop = loop,
			.url = &url,
			.host = row->host,
			.port = 4000,
			.done = on_done,
			.arg = &t,
		},
		pair[0]);
	CHECK(!t.over);
	for (int i = 0; i < 4000 && !t.over; i++)
		loop_turn(loop, CLOCK_S);
	CHECK(t.over);
	if (checks.failed != failed)
		printf("\trow %d%s\n", (int)(row - rows),
			slowly ? ", slowly" : "");
	loop_unwatch(loop, &t.watch);
	loop_cancel(loop, &t.timer);
	buf_free(&t.got);
	close(pair[0]);
	close(pair[1]);
}

/* Heads without an end: told after 64 KiB, not after all of it. */
static void
endless(struct loop *loop)
{
	static char megabyte[1 << 20];
	static const struct row row = { "http://p:1", "127.0.0.1",
		.op = "protocol", .text = "64 KiB" };
	struct trial t = { .loop = loop, .row = &row };
	struct proxy_url url;
	struct err err = { 0 };
	ssize_t sent = 0, n;
	int pair[2];

	memset(megabyte, 'a', sizeof(megabyte));
	memcpy(megabyte, B("HTTP/1.1 200 OK\r\nX: "));
	CHECK_INT(proxy_parse(&url, row.url, &err), 0);
	CHECK_INT(net_socketpair(pair), 0);
	proxy_start(
		&(struct proxy_setup){
			.loop = loop,
			.url = &url,
			.host = row.host,
			.port = 4000,
			.done = on_done,
			.arg = &t,
		},
		pair[0]);
	for (int i = 0; i < 4000 && !t.over; i++) {
		n = send(pair[1], megabyte + sent, sizeof(megabyte) - sent,
			MSG_NOSIGNAL);
		sent += n > 0 ? n : 0;
		loop_turn(loop, CLOCK_S);
	}
	CHECK(t.over);
	CHECK(sent < (ssize_t)sizeof(megabyte));
	close(pair[0]);
	close(pair[1]);
}

static const struct {
	const char *url, *host, *port;
	const char *user, *password; /* NULL: none; host NULL: an error */
} urls[] = {
	{ "socks5://127.0.0.1:1080", "127.0.0.1", "1080", NULL, NULL },
	{ "SOCKS5://h:socks", "h", "socks", NULL, NULL },
	{ "http://[::1]:8888/", "::1", "8888", NULL, NULL },
	{ "http://me:pw@[::1]:8888", "::1", "8888", "me", "pw" },
	{ "http://me@h:1", "h", "1", "me", "" },
	{ "socks5://a%3Ab:c%20d:e@h:1", "h", "1", "a:b", "c d:e" },
	{ "http://a%3Ab:c@h:1", NULL, NULL, NULL, NULL },
	{ "http://h", NULL, NULL, NULL, NULL },
	{ "http://h:", NULL, NULL, NULL, NULL },
	{ "http://h:0", NULL, NULL, NULL, NULL },
	{ "http://h:70000", NULL, NULL, NULL, NULL },
	{ "http://h:1/path", NULL, NULL, NULL, NULL },
	{ "http://::1:80", NULL, NULL, NULL, NULL },
	{ "http://tcp:h:80", NULL, NULL, NULL, NULL },
	{ "http://udp:h:80", NULL, NULL, NULL, NULL },
	{ "http://unix:/x", NULL, NULL, NULL, NULL },
	{ "http://@h:1", NULL, NULL, NULL, NULL },
	{ "http://:pw@h:1", NULL, NULL, NULL, NULL },
	{ "http://a:b@c@h:1", NULL, NULL, NULL, NULL },
	{ "http://a%:b@h:1", NULL, NULL, NULL, NULL },
	{ "http://a%4:b@h:1", NULL, NULL, NULL, NULL },
	{ "http://a%4g:b@h:1", NULL, NULL, NULL, NULL },
	{ "http://a%00:b@h:1", NULL, NULL, NULL, NULL },
	{ "https://h:1", NULL, NULL, NULL, NULL },
	{ "socks4://h:1", NULL, NULL, NULL, NULL },
	{ "h:1", NULL, NULL, NULL, NULL },
	{ "", NULL, NULL, NULL, NULL },
};

static void
check_urls(void)
{
	for (size_t i = 0; i < COUNT(urls); i++) {
		struct proxy_url u;
		struct err err = { 0 };
		int failed = checks.failed;

		if (!urls[i].host) {
			CHECK_INT(proxy_parse(&u, urls[i].url, &err), -1);
			CHECK(err.op == NULL && err.text[0]);
		} else if (CHECK_INT(proxy_parse(&u, urls[i].url, &err), 0)) {
			CHECK_STR(u.at.host, urls[i].host);
			CHECK_STR(u.at.port, urls[i].port);
			CHECK_INT(u.auth, urls[i].user != NULL);
			if (urls[i].user) {
				CHECK_STR(u.user, urls[i].user);
				CHECK_STR(u.password, urls[i].password);
			}
		}
		if (failed != checks.failed)
			printf("\t%s\n", urls[i].url);
	}
}

static void
check_long_words(void)
{
	char url[1024], word[300];
	struct proxy_url u;
	struct err err = { 0 };

	for (int n = 255; n <= 256; n++) {
		memset(word, 'a', sizeof(word));
		word[n] = '\0';
		snprintf(url, sizeof(url), "http://%s:%s@h:1", word, word);
		CHECK_INT(proxy_parse(&u, url, &err), n == 255 ? 0 : -1);
		snprintf(url, sizeof(url), "%s:%s", word, word);
		setenv("SOCKCTL_PROXY_AUTH", url, 1);
		CHECK_INT(
			proxy_parse(&u, "http://h:1", &err), n == 255 ? 0 : -1);
		snprintf(url, sizeof(url), "http://%s:1", word);
		unsetenv("SOCKCTL_PROXY_AUTH");
		CHECK_INT(proxy_parse(&u, url, &err), n == 255 ? 0 : -1);
	}
}

static void
check_environment(void)
{
	struct proxy_url u;
	struct err err = { 0 };

	setenv("SOCKCTL_PROXY_AUTH", "you:x%41:y", 1);
	CHECK_INT(proxy_parse(&u, "http://h:1", &err), 0);
	CHECK_STR(u.user, "you");
	CHECK_STR(u.password, "x%41:y");
	CHECK_INT(proxy_parse(&u, "http://me:pw@h:1", &err), 0);
	CHECK_STR(u.user, "me");
	setenv("SOCKCTL_PROXY_AUTH", "nocolon", 1);
	CHECK_INT(proxy_parse(&u, "http://h:1", &err), -1);
	setenv("SOCKCTL_PROXY_AUTH", ":pw", 1);
	CHECK_INT(proxy_parse(&u, "http://h:1", &err), -1);
	setenv("SOCKCTL_PROXY_AUTH", "", 1);
	CHECK_INT(proxy_parse(&u, "http://h:1", &err), 0);
	CHECK(!u.auth);
	unsetenv("SOCKCTL_PROXY_AUTH");
}

int
main(void)
{
	struct loop *loop = loop_new();

	check_urls();
	check_environment();
	check_long_words();
	for (size_t i = 0; i < COUNT(rows); i++) {
		try_row(loop, &rows[i], false);
		try_row(loop, &rows[i], true);
	}
	endless(loop);
	loop_free(loop);
	return check_result();
}
