#include "dgram.h"
#include "mem.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef _GNU_SOURCE
static void
set_int(int fd, int level, int name)
{
	int one = 1;

	setsockopt(fd, level, name, &one, sizeof(one));
}

/* Appends one control message to msg. */
static void
add_control(struct msghdr *msg, union dgram_control *c, int level, int type,
	const void *data, size_t size)
{
	struct cmsghdr *h;

	memset(c, 0, sizeof(*c));
	msg->msg_control = c->bytes;
	msg->msg_controllen = (socklen_t)CMSG_SPACE(size);
	h = CMSG_FIRSTHDR(msg);
	h->cmsg_level = level;
	h->cmsg_type = type;
	h->cmsg_len = (socklen_t)CMSG_LEN(size);
	memcpy(CMSG_DATA(h), data, size);
}

/* ip(7), IP_PKTINFO: spec_dst is the address asked, or for a group or broadcast
 * our own one that an answer may leave from. */
static void
local_4(const struct cmsghdr *h, struct addr *local)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(h), sizeof(info));
	in.sin_addr = info.ipi_spec_dst;
	memcpy(&local->ss, &in, sizeof(in));
	local->len = sizeof(in);
}

static void
from_4(struct msghdr *msg, union dgram_control *c, const struct addr *local)
{
	const struct sockaddr_in *in = (const void *)&local->ss;
	struct in_pktinfo info = { .ipi_spec_dst = in->sin_addr };

	add_control(msg, c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void
local_6(const struct cmsghdr *h, struct addr *local)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(h), sizeof(info));
	if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
		return;
	in6.sin6_addr = info.ipi6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		in6.sin6_scope_id = info.ipi6_ifindex;
	memcpy(&local->ss, &in6, sizeof(in6));
	local->len = sizeof(in6);
}

static void
from_6(struct msghdr *msg, union dgram_control *c, const struct addr *local)
{
	const struct sockaddr_in6 *in6 = (const void *)&local->ss;
	struct in6_pktinfo info = { .ipi6_addr = in6->sin6_addr,
		.ipi6_ifindex = in6->sin6_scope_id };

	add_control(msg, c, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

static void
ask_local(int fd)
{
	struct addr a;

	addr_of_local(&a, fd);
	if (a.ss.ss_family == AF_INET)
		set_int(fd, IPPROTO_IP, IP_PKTINFO);
	else if (a.ss.ss_family == AF_INET6)
		set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

static void
get_local(const struct cmsghdr *h, struct addr *local)
{
	if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO)
		local_4(h, local);
	else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO)
		local_6(h, local);
}

static void
put_local(struct msghdr *msg, union dgram_control *c, const struct addr *local)
{
	if (local->ss.ss_family == AF_INET)
		from_4(msg, c, local);
	else if (local->ss.ss_family == AF_INET6)
		from_6(msg, c, local);
}
#else
/* POSIX does not tell which address was asked: the system chooses the one that
 * an answer leaves from. */
static void
ask_local(int fd)
{
	(void)fd;
}

static void
get_local(const struct cmsghdr *h, struct addr *local)
{
	(void)h;
	(void)local;
}

static void
put_local(struct msghdr *msg, union dgram_control *c, const struct addr *local)
{
	(void)msg;
	(void)c;
	(void)local;
}
#endif

void
dgram_prepare(int fd)
{
	ask_local(fd);
}

/* A peer on a Unix socket may send descriptors; nobody asked for them. */
static void
refuse_descriptors(const struct cmsghdr *h)
{
	size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
		return;
	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
		close(fd);
	}
}

void
dgram_sender(struct dgram_from *from, struct msghdr *msg)
{
	from->local.len = 0;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h;
		h = CMSG_NXTHDR(msg, h)) {
		get_local(h, &from->local);
		refuse_descriptors(h);
	}
	from->peer.len = 0;
	if (msg->msg_namelen > sizeof(sa_family_t))
		from->peer.len = msg->msg_namelen;
	if (from->peer.len > sizeof(from->peer.ss))
		from->peer.len = sizeof(from->peer.ss);
	addr_unmap(&from->peer);
	from->truncated = (msg->msg_flags & MSG_TRUNC) != 0;
}

ssize_t
dgram_recv(int fd, void *data, size_t size, struct dgram_from *from)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	union dgram_control control;
	struct msghdr msg = { .msg_name = &from->peer.ss,
		.msg_namelen = sizeof(from->peer.ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control) };
	ssize_t n;

	*from = (struct dgram_from){ 0 };
	do
		n = recvmsg(fd, &msg, 0);
	while (n == -1 && errno == EINTR);
	if (n != -1)
		dgram_sender(from, &msg);
	return n;
}

void
dgram_address(struct msghdr *msg, union dgram_control *c, const struct addr *to,
	const struct addr *local)
{
	if (to) {
		msg->msg_name = (void *)(uintptr_t)&to->ss;
		msg->msg_namelen = to->len;
	}
	if (to && local && local->len &&
		local->ss.ss_family == to->ss.ss_family)
		put_local(msg, c, local);
}

ssize_t
dgram_send(int fd, const void *data, size_t n, const struct addr *to,
	const struct addr *local)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data,
		.iov_len = n };
	union dgram_control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	dgram_address(&msg, &control, to, local);
	do
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	return sent;
}

/* FNV-1a of the address and the port. */
static unsigned
hash(const struct addr *a)
{
	const uint8_t *p = (const uint8_t *)&a->ss;
	unsigned h = 2166136261u;

	for (socklen_t i = 0; i < a->len; i++)
		h = (h ^ p[i]) * 16777619u;
	return h ^ h >> 16;
}

static struct dgram_peer **
slot_of(const struct dgram_peers *p, const struct addr *a)
{
	return &p->slot[hash(a) & (unsigned)(p->slots - 1)];
}

static void
grow(struct dgram_peers *p)
{
	struct dgram_peers more = { .slots = p->slots ? p->slots * 2 : 16 };

	more.slot = mem_zero((size_t)more.slots, sizeof(*more.slot));
	for (int i = 0; i < p->slots; i++) {
		struct dgram_peer *next;

		for (struct dgram_peer *e = p->slot[i]; e; e = next) {
			struct dgram_peer **to = slot_of(&more, &e->addr);

			next = e->next;
			e->next = *to;
			*to = e;
		}
	}
	free(p->slot);
	p->slot = more.slot;
	p->slots = more.slots;
}

/* A peer's local address has a port, a datagram's has none. */
static bool
is_peer(const struct dgram_peer *e, int fd, const struct dgram_from *from)
{
	struct addr local = from->local;

	if (e->fd != fd || !addr_equal(&e->addr, &from->peer))
		return false;
	if (!local.len)
		return true;
	addr_set_port(&local, addr_port(&e->local));
	return addr_equal(&e->local, &local);
}

struct dgram_peer *
dgram_peer(struct dgram_peers *p, int fd, const struct dgram_from *from,
	bool *new_peer)
{
	struct dgram_peer *e = p->slots ? *slot_of(p, &from->peer) : NULL;
	struct dgram_peer **slot;

	if (new_peer)
		*new_peer = false;
	while (e && !is_peer(e, fd, from))
		e = e->next;
	if (e || !new_peer || p->count >= (p->max ? p->max : DGRAM_PEERS_MAX))
		return e;
	if (p->count >= p->slots)
		grow(p);
	e = mem_zero(1, sizeof(*e));
	e->addr = from->peer;
	e->fd = fd;
	addr_of_local(&e->local, fd);
	if (from->local.len) {
		int port = addr_port(&e->local);

		e->local = from->local;
		addr_set_port(&e->local, port);
	}
	slot = slot_of(p, &e->addr);
	e->next = *slot;
	*slot = e;
	p->count++;
	*new_peer = true;
	return e;
}

void
dgram_forget(struct dgram_peers *p, struct dgram_peer *peer)
{
	struct dgram_peer **e = slot_of(p, &peer->addr);

	while (*e && *e != peer)
		e = &(*e)->next;
	if (!*e)
		return;
	*e = peer->next;
	p->count--;
	free(peer);
}

void
dgram_peers_free(struct dgram_peers *p)
{
	for (int i = 0; i < p->slots; i++) {
		struct dgram_peer *next;

		for (struct dgram_peer *e = p->slot[i]; e; e = next) {
			next = e->next;
			dgram_forget(p, e);
		}
	}
	free(p->slot);
	*p = (struct dgram_peers){ .max = p->max };
}
