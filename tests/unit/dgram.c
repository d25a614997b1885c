#include "../../util/dgram.h"
#include "../../util/net.h"
#include "check.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct addr
numeric(const char *host, int port)
{
	struct addr a = { 0 };

	CHECK(addr_numeric(&a, host, AF_UNSPEC, port) == 0);
	return a;
}

/* A bound datagram socket; blocking, so that nothing has to be waited for. -1:
 * no such family here. */
static int
open_on(const char *host, struct addr *a)
{
	struct addr want = numeric(host, 0);
	int fd = net_socket(&want, true, NULL, false, NULL);

	if (fd == -1 || net_bind(fd, &want, NULL) == -1)
		return -1;
	net_nonblock(fd, false);
	addr_of_local(a, fd);
	return fd;
}

/* The answer to what was asked of host leaves from host. */
static void
test_reply(const char *wildcard, const char *host)
{
	struct addr server, client, to;
	struct dgram_from from;
	int s = open_on(wildcard, &server), c = open_on(wildcard, &client);
	char got[16], text[ADDR_TEXT_MAX];

	if (s == -1) {
		printf("skipped: no %s\n", wildcard);
		return;
	}
	dgram_prepare(s);
	to = numeric(host, addr_port(&server));
	CHECK_INT(dgram_send(c, "ask", 3, &to, NULL), 3);
	CHECK_INT(dgram_recv(s, got, sizeof(got), &from), 3);
	CHECK(!from.truncated);
#ifdef _GNU_SOURCE
	CHECK_STR(addr_host(&from.local, text), host);
#else /* the system chooses, 127.0.0.1 where 127.0.0.2 was asked */
	CHECK_INT(from.local.len, 0);
	host = strcmp(host, "127.0.0.2") == 0 ? "127.0.0.1" : host;
#endif
	CHECK_INT(addr_port(&from.peer), addr_port(&client));
	CHECK_INT(dgram_send(s, "answer", 6, &from.peer, &from.local), 6);
	CHECK_INT(dgram_recv(c, got, sizeof(got), &from), 6);
	CHECK_STR(addr_host(&from.peer, text), host);
	close(s);
	close(c);
}

static void
test_truncation(void)
{
	struct addr server;
	struct dgram_from from;
	int s = open_on("127.0.0.1", &server),
	    c = open_on("127.0.0.1", &server);
	char got[4];

	addr_of_local(&server, s);
	CHECK(connect(c, (struct sockaddr *)&server.ss, server.len) == 0);
	CHECK_INT(dgram_send(c, "12345", 5, NULL, NULL), 5);
	CHECK_INT(dgram_send(c, "", 0, NULL, NULL), 0);
	CHECK_INT(dgram_send(c, "1234", 4, NULL, NULL), 4);
	CHECK_INT(dgram_recv(s, got, sizeof(got), &from), 4);
	CHECK(from.truncated);
	CHECK_INT(dgram_recv(s, got, sizeof(got), &from), 0);
	CHECK(!from.truncated);
	CHECK_INT(dgram_recv(s, got, sizeof(got), &from), 4);
	CHECK(!from.truncated);
	net_nonblock(s, true);
	CHECK_INT(dgram_recv(s, got, sizeof(got), &from), -1);
	CHECK_INT(errno, EAGAIN);
	close(s);
	/* nobody there: said by the call after */
	CHECK_INT(dgram_send(c, "x", 1, NULL, NULL), 1);
	CHECK_INT(dgram_send(c, "x", 1, NULL, NULL), -1);
	CHECK_INT(errno, ECONNREFUSED);
	close(c);
}

/* Descriptors that a Unix peer sends along do not pile up. */
static void
test_descriptors(void)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char data = 'x';
	struct iovec iov = { &data, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	struct dgram_from from;
	int pair[2], next;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &pair[0], sizeof(int));
	next = dup(0);
	close(next);
	CHECK_INT(sendmsg(pair[0], &msg, 0), 1);
	CHECK_INT(dgram_recv(pair[1], &data, 1, &from), 1);
	CHECK_INT(from.peer.len, 0);
	CHECK_INT(dup(0), next);
	close(next);
	close(pair[0]);
	close(pair[1]);
}

static void
test_peers(void)
{
	enum { MAX = 300 };
	struct dgram_peers p = { .max = MAX };
	struct dgram_from from = { 0 };
	struct addr local;
	int fd = open_on("127.0.0.1", &local);
	struct dgram_peer *first;
	bool new_peer;

	from.local = numeric("127.0.0.1", 0);
	for (int i = 1; i <= MAX; i++) {
		from.peer = numeric("192.0.2.1", i);
		CHECK(!dgram_peer(&p, fd, &from, NULL));
		CHECK(dgram_peer(&p, fd, &from, &new_peer) && new_peer);
		CHECK(dgram_peer(&p, fd, &from, &new_peer) && !new_peer);
	}
	from.peer = numeric("192.0.2.1", MAX + 1);
	CHECK(!dgram_peer(&p, fd, &from, &new_peer) && !new_peer);
	from.peer = numeric("192.0.2.1", 1);
	first = dgram_peer(&p, fd, &from, NULL);
	CHECK(first && addr_equal(&first->local, &local));
	/* the same peer at another address of ours is another one */
	from.local = numeric("127.0.0.2", 0);
	CHECK(!dgram_peer(&p, fd, &from, NULL));
	from.local = numeric("127.0.0.1", 0);
	CHECK(!dgram_peer(&p, fd + 1, &from, NULL));
	for (int i = 2; i <= MAX; i += 2) {
		from.peer = numeric("192.0.2.1", i);
		dgram_forget(&p, dgram_peer(&p, fd, &from, NULL));
	}
	CHECK_INT(p.count, MAX / 2);
	from.peer = numeric("192.0.2.1", 1);
	CHECK(dgram_peer(&p, fd, &from, NULL) == first);
	from.peer = numeric("192.0.2.1", 2);
	CHECK(!dgram_peer(&p, fd, &from, NULL));
	dgram_peers_free(&p);
	CHECK_INT(p.count, 0);
	close(fd);
}

int
main(void)
{
	test_reply("0.0.0.0", "127.0.0.2");
	test_reply("::", "::1");
	test_truncation();
	test_descriptors();
	test_peers();
	return check_result();
}
