#include "../../util/conn.h"
#include "../../util/postmortem.h"
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A connection's end, and what is said of it. */
static const struct {
	struct conn conn;
	enum close_reason reason;
	struct err err;
	int64_t unread, age;
	const char *why;
} ends[] = {
	{ { .client = true, .tcp = true, .rx = 5, .tx = 5, .first = SIDE_PEER },
		CLOSE_EOF, { 0 }, 0, CLOCK_MS, "the peer ended first" },
	{ { .tcp = true, .rx = 5, .tx = 5, .first = SIDE_LOCAL }, CLOSE_EOF,
		{ 0 }, 0, CLOCK_MS, "this side ended first" },
	{ { .client = true, .tcp = true, .first = SIDE_PEER }, CLOSE_EOF, { 0 },
		0, CLOCK_MS,
		"accepted and closed after 1 ms without a byte: a proxy "
		"without its backend?" },
	{ { .client = true, .tcp = true, .first = SIDE_PEER }, CLOSE_EOF, { 0 },
		0, CLOCK_S, "the peer ended first" },
	{ { .tcp = true, .first = SIDE_PEER }, CLOSE_EOF, { 0 }, 0, CLOCK_S,
		"came and left without a byte: a port check?" },
	{ { .client = true,
		  .tx = 9,
		  .heard = 1,
		  .moved = 2,
		  .fin_out = true,
		  .first = SIDE_LOCAL },
		CLOSE_EOF, { 0 }, 0, CLOCK_S,
		"the peer ended without a byte after our FIN; it may take a "
		"FIN for a hang-up (--fin, -S)" },
	{ { .client = true,
		  .tx = 9,
		  .heard = 2,
		  .moved = 2,
		  .fin_out = true,
		  .first = SIDE_LOCAL },
		CLOSE_EOF, { 0 }, 0, CLOCK_S, "this side ended first" },
	{ { .tx = 9, .rx = 1, .unsent = 70, .first = SIDE_PEER }, CLOSE_EOF,
		{ 0 }, 0, CLOCK_S,
		"the peer ended with 70 bytes of ours not sent" },
	{ { .client = true, .tcp = true, .tx = 5 }, CLOSE_RESET,
		{ .op = "recv", .number = ECONNRESET }, 0, CLOCK_S,
		"the peer closed with 5 bytes of ours unread, so its system "
		"reset" },
	{ { .client = true, .tcp = true, .tx = 500000 }, CLOSE_RESET,
		{ .op = "send", .number = EPIPE }, 0, CLOCK_S,
		"the peer closed with bytes of ours unread, so its system "
		"reset, or it aborted (linger 0)" },
	{ { .client = true, .tcp = true }, CLOSE_RESET, { 0 }, 0, 2 * CLOCK_MS,
		"accepted and reset after 2 ms without a byte: a full server, "
		"a filter, or a proxy without its backend?" },
	{ { .tcp = true }, CLOSE_RESET, { 0 }, 0, CLOCK_S,
		"came and left by a reset without a byte: a port check?" },
	{ { .tcp = true, .tx = 5, .fin_in = true }, CLOSE_RESET, { 0 }, 0,
		CLOCK_S,
		"the peer had closed both ways, so its system answered what "
		"we sent after that by a reset" },
	{ { .tcp = true, .tx = 5 }, CLOSE_TIMEOUT,
		{ .op = "recv", .number = ETIMEDOUT }, 0, CLOCK_S,
		"keepalive probes went unanswered: the peer, or the way to it, "
		"is gone" },
	{ { .tcp = true, .tx = 5 }, CLOSE_TIMEOUT,
		{ .op = "wait", .number = ETIMEDOUT }, 0, CLOCK_S,
		"time was up" },
	{ { .tcp = true }, CLOSE_IDLE, { .op = "wait", .number = ETIMEDOUT }, 0,
		CLOCK_S, "neither side sent a byte" },
	{ { .tcp = true, .rx = 5 }, CLOSE_IDLE, { 0 }, 0, CLOCK_S,
		"nothing moved any more" },
	{ { .tcp = true, .rx = 5 }, CLOSE_LIMIT, { 0 }, 0, CLOCK_S,
		"slow: it did not read what was queued for it" },
	{ { .tcp = true, .rx = 5 }, CLOSE_LOCAL, { 0 }, 7, CLOCK_S,
		"we closed with 7 bytes of the peer's unread, so our system "
		"resets" },
	{ { .tx = 5 }, CLOSE_ERROR, { .op = "recv", .number = ECONNREFUSED }, 0,
		CLOCK_S,
		"nobody listens there: an ICMP port unreachable came back" },
	{ { .tx = 5 }, CLOSE_ERROR, { .op = "recv", .number = EIO }, 0, CLOCK_S,
		"" },
};

static void
test_postmortem(void)
{
	char text[POSTMORTEM_MAX];

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct conn c = ends[i].conn;

		c.fd = -1;
		c.opened = 1;
		tcpinfo_unknown(&c.last);
		CHECK_STR(postmortem(&c, ends[i].reason, &ends[i].err,
				  ends[i].unread, ends[i].age + 1, text),
			ends[i].why);
	}
}

static void
test_lost(void)
{
	struct conn c = {
		.peer = "127.0.0.1:4000", .tx = 4096, .rx = 120, .unsent = 512
	};
	struct err e = { 0 };

	CHECK_INT(conn_lost(&c, &e, "send", EPIPE), -1);
	CHECK_STR(e.text,
		"reset by peer after 4096 sent, 120 received, 512 not sent");
	CHECK_STR(e.target, "127.0.0.1:4000");
	CHECK_INT(err_exit(&e), EXIT_LOST);
	conn_lost(&c, &e, "recv", ETIMEDOUT);
	CHECK_STR(e.text,
		"timed out, the peer does not answer after 4096 sent, 120 "
		"received, 512 not sent");
}

/* What each reason means for the exit, and that the record is kept. */
static void
test_record(void)
{
	static const int codes[] = {
		[CLOSE_EOF] = EXIT_OK,
		[CLOSE_LOCAL] = EXIT_OK,
		[CLOSE_RESET] = EXIT_LOST,
		[CLOSE_TIMEOUT] = EXIT_TIMEOUT,
		[CLOSE_IDLE] = EXIT_TIMEOUT,
		[CLOSE_ERROR] = EXIT_LOST,
		[CLOSE_LIMIT] = EXIT_OK,
	};
	const struct report_options quiet = { .quiet = true };
	struct report *r = report_open(&quiet, "serve", REPORT_CLIENT, NULL);
	const struct err denied = { .op = "open", .number = EACCES };
	struct conn c;
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < COUNT(codes); i++) {
		conn_open(&c, 1, fds[0], r, NULL, NULL, 5);
		CHECK(!c.tcp && !c.client);
		CHECK(!conn_seen(&c));
		conn_received(&c, "abc", 3, 7);
		conn_received(&c, "d", 1, 8);
		conn_sent(&c, NULL, 10, 9);
		CHECK_INT(c.rx, 4);
		CHECK_INT(c.tx, 10);
		CHECK_INT(c.first_byte, 7);
		CHECK_INT(c.heard, 8);
		CHECK_INT(c.moved, 9);
		CHECK_INT(
			conn_closed(&c, (enum close_reason)i, NULL), codes[i]);
	}
	conn_open(&c, 1, fds[0], r, NULL, NULL, 5);
	conn_fin_out(&c);
	conn_fin_in(&c);
	CHECK(c.first == SIDE_LOCAL && c.fin_in && c.fin_out);
	CHECK_INT(conn_closed(&c, CLOSE_ERROR, &denied), EXIT_LOCAL);
	CHECK(c.first == SIDE_LOCAL);
	close(fds[0]);
	close(fds[1]);
	report_close(r);
}

static const char dumped[] =
	"#1 < 0: 18 bytes\n"
	"< 00000000  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 00 ff  "
	"|ABCDEFGHIJKLMN..|\n"
	"< 00000010  1b 0a                                             "
	"|..|\n"
	"#1 > 0: 1 bytes\n"
	"> 00000000  21                                                "
	"|!|\n"
	"#1 < 18: 1 bytes\n"
	"< 00000012  7e                                                "
	"|~|\n";

/* The file without the time at the beginning of each piece. */
static void
strip_times(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0';) {
		const char *end = strchr(p, '\n') + 1;
		const char *from = *p == '<' || *p == '>' ? p : strchr(p, '#');

		memmove(to, from, (size_t)(end - from));
		to += end - from;
		p = end;
	}
	*to = '\0';
}

static void
test_hexdump(void)
{
	char path[] = "/tmp/sockctl-dump-XXXXXX", text[1024] = "";
	struct sight_options o = { .hexdump = path, .watch = CLOCK_NONE };
	const struct report_options json = { .json = true };
	struct report *r = report_open(&json, "serve", REPORT_CLIENT, NULL);
	struct err err = { 0 };
	struct sight *s;
	struct conn c;
	int fds[2], fd = mkstemp(path);

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	s = sight_open(&o, NULL, r, &err);
	conn_open(&c, 1, fds[0], r, s, NULL, 5);
	CHECK(conn_seen(&c));
	conn_received(&c, "ABCDEFGHIJKLMN\0\xff\x1b\n", 18, 6);
	conn_sent(&c, "!", 1, 7);
	conn_received(&c, "~", 1, 8);
	CHECK_INT(sight_close(s, &err), 0);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	strip_times(text);
	CHECK_STR(text, dumped);
	unlink(path);

	o.hexdump = "/nonexistent/dump";
	CHECK(sight_open(&o, NULL, r, &err) == NULL);
	CHECK_INT(err_exit(&err), EXIT_LOCAL);
	if (access("/dev/full", W_OK) == 0) {
		o.hexdump = "/dev/full";
		s = sight_open(&o, NULL, r, &err);
		conn_open(&c, 1, fds[0], r, s, NULL, 5);
		conn_sent(&c, "!", 1, 7);
		CHECK_INT(sight_close(s, &err), -1);
		CHECK_STR(err.op, "write");
		CHECK_INT(err.number, ENOSPC);
	}
	close(fd);
	close(fds[0]);
	close(fds[1]);
	report_close(r);
}

int
main(void)
{
	test_postmortem();
	test_lost();
	test_record();
	test_hexdump();
	return check_result();
}
