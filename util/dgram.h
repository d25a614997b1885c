/* dgram: datagram sockets: one datagram a call, boundaries kept, answers leave
 * from the address that was asked (IP_PKTINFO), truncation is noticed. */
#ifndef SOCKCTL_DGRAM_H
#define SOCKCTL_DGRAM_H

#include "addr.h"
#include "loop.h"
#include <stdint.h>
#include <sys/socket.h>

enum { DGRAM_MAX = 65536 };

struct dgram_from {
	struct addr peer; /* unmapped; len 0: an unnamed Unix peer */
	struct addr local; /* the address that was asked, port 0; len 0:
			      unknown */
	bool truncated; /* it was longer than the room for it */
};

/* Asks for what dgram_recv needs (pktinfo). */
void dgram_prepare(int fd);
/* One datagram; -1 with errno (EAGAIN: none). */
ssize_t dgram_recv(int fd, void *data, size_t size, struct dgram_from *from);
/* One datagram to a peer, from local where known. to NULL: a connected socket.
 * Returns n or -1 with errno. */
ssize_t dgram_send(int fd, const void *data, size_t n, const struct addr *to,
	const struct addr *local);

/* For those who call sendmsg and recvmsg themselves. The control room of a
 * message belongs to the caller; 64 bytes of it are left for other things. */
union dgram_control {
	char bytes[128];
	size_t align; /* as cmsg(3) asks */
};
/* Names the receiver and, where known, our own address. */
void dgram_address(struct msghdr *msg, union dgram_control *c,
	const struct addr *to, const struct addr *local);
/* From whom a message came, and to which address. */
void dgram_sender(struct dgram_from *from, struct msghdr *msg);

/* Peers of a datagram listener: each pair of addresses is a connection. */
struct dgram_peer {
	struct addr addr, local; /* local with its port */
	int fd;
	struct dgram_peer *next; /* private */
	int64_t heard; /* the mode's, as data */
	void *data;
};
enum { DGRAM_PEERS_MAX = 1024 };
struct dgram_peers {
	struct dgram_peer **slot;
	int count, slots, max; /* max 0: DGRAM_PEERS_MAX */
};
/* The peer of a datagram's addresses, made when new_peer is not NULL and there
 * is room (*new_peer says whether). NULL: unknown, or no room. */
struct dgram_peer *dgram_peer(struct dgram_peers *p, int fd,
	const struct dgram_from *from, bool *new_peer);
/* Frees it. */
void dgram_forget(struct dgram_peers *p, struct dgram_peer *peer);
void dgram_peers_free(struct dgram_peers *p);

#endif
