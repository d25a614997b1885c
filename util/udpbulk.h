/* udpbulk: many datagrams a call: UDP_SEGMENT and UDP_GRO (udp(7)), else
 * sendmmsg and recvmmsg, else one by one. On loopback 32 million datagrams of
 * 64 bytes a second, against 0.7 million one by one. The kernel sends what one
 * call gives as one burst, which a slow link may drop: --no-gso. A kernel or a
 * device that refuses segments (EIO, EINVAL, ENOPROTOOPT) gets the next way. */
#ifndef SOCKCTL_UDPBULK_H
#define SOCKCTL_UDPBULK_H

#include "dgram.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { UDPBULK_MAX = 64 }; /* datagrams a call */

/* How a socket sends; fixed at the start, but segments may turn out not to
 * work. */
struct udpbulk {
	int fd;
	size_t size; /* of each datagram */
	int most; /* a call, at most */
	bool segments; /* the kernel cuts them */
	bool fixed; /* always: the socket was told so */
};

/* gso false: a datagram a send. */
void udpbulk_open(struct udpbulk *b, int fd, size_t size, bool gso);
/* The socket is connected, and sends nothing that is longer than size: that
 * makes sending a little cheaper. */
void udpbulk_fix(struct udpbulk *b);
/* Sends count (at most b->most) datagrams that stand one behind the other at
 * data. to and local as in dgram_send. Returns how many the kernel took, -1
 * with errno. */
int udpbulk_send(struct udpbulk *b, const void *data, int count,
	const struct addr *to, const struct addr *local);

/* Datagrams of one sender that arrived together: all of size bytes, but the
 * last may be shorter. */
struct udpbulk_bundle {
	const uint8_t *data;
	size_t len, size;
	const struct dgram_from *from;
};

struct udpbulk_room; /* memory for receiving, one a process */
struct udpbulk_room *udpbulk_room(void);
void udpbulk_room_free(struct udpbulk_room *r);
/* Asks the kernel to join datagrams, where gro is set, and for a receive buffer
 * of 4 MiB where it has less. */
void udpbulk_prepare(int fd, bool gro);
/* Receives once, from a socket that does not block, and calls fn for each
 * bundle. Returns how many there were, -1 with errno. */
int udpbulk_recv(struct udpbulk_room *r, int fd,
	void (*fn)(void *arg, const struct udpbulk_bundle *b), void *arg);

#endif
