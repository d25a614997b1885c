#include "../../util/udpbulk.h"
#include "../../util/net.h"
#include "check.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIZE = 100, TOTAL = 500 };

struct got {
	int datagrams, wrong;
};

static int
bound(int family, struct addr *a)
{
	int fd = socket(family, SOCK_DGRAM, 0);

	addr_numeric(a, family == AF_INET ? "127.0.0.1" : "::1", family, 0);
	if (bind(fd, (struct sockaddr *)&a->ss, a->len) == -1) {
		close(fd);
		return -1;
	}
	addr_of_local(a, fd);
	return fd;
}

/* Datagram i is SIZE bytes of i. */
static void
take(void *arg, const struct udpbulk_bundle *b)
{
	struct got *g = arg;

	for (size_t at = 0; at < b->len; at += b->size) {
		g->wrong += b->len - at < SIZE || b->size != SIZE ||
			b->data[at] != (uint8_t)g->datagrams ||
			b->data[at + SIZE - 1] != (uint8_t)g->datagrams;
		g->datagrams++;
	}
}

static void
run(int family, bool gso, bool gro)
{
	static uint8_t data[UDPBULK_MAX * SIZE];
	struct addr from, to;
	int out = bound(family, &from), in = bound(family, &to);
	struct udpbulk_room *room = udpbulk_room();
	struct udpbulk b;
	struct got g = { 0, 0 };
	struct pollfd p = { in, POLLIN, 0 };

	if (out == -1 || in == -1)
		return; /* no IPv6 here */
	net_nonblock(in, true);
	udpbulk_prepare(in, gro);
	udpbulk_open(&b, out, SIZE, gso);
	CHECK_INT(b.most, gso ? UDPBULK_MAX : 1);
	for (int sent = 0; sent < TOTAL;) {
		int n = TOTAL - sent < b.most ? TOTAL - sent : b.most;

		for (int i = 0; i < n; i++)
			memset(data + i * SIZE, sent + i, SIZE);
		n = udpbulk_send(&b, data, n, &to, NULL);
		if (!CHECK(n > 0))
			break;
		sent += n;
		while (g.datagrams < sent && poll(&p, 1, 1000) == 1)
			udpbulk_recv(room, in, take, &g);
	}
	CHECK_INT(g.datagrams, TOTAL);
	CHECK_INT(g.wrong, 0);
	CHECK(udpbulk_recv(room, in, take, &g) == -1 && errno == EAGAIN);
	udpbulk_room_free(room);
	close(in);
	close(out);
}

int
main(void)
{
	struct udpbulk b;

	for (int i = 0; i < 4; i++) {
		run(AF_INET, i & 1, i & 2);
		run(AF_INET6, i & 1, i & 2);
	}
	udpbulk_open(&b, -1, 1400, true);
	CHECK_INT(b.most, 46);
	udpbulk_open(&b, -1, 65507, true);
	CHECK_INT(b.most, 1);
	return check_result();
}
