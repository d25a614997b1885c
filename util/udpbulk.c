#include "udpbulk.h"

#include "mem.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Messages a call for receiving, each with room for the largest. */
enum { MESSAGES = 32 };

/* A datagram is at most so long on its way (udp(7)). */
enum { PAYLOAD_MAX = 65000 };

enum { RECEIVE_BUFFER = 4 << 20 };

static bool
is_unix(int fd)
{
	struct addr a;

	addr_of_local(&a, fd);
	return a.ss.ss_family == AF_UNIX;
}

void
udpbulk_open(struct udpbulk *b, int fd, size_t size, bool gso)
{
	size_t fit = PAYLOAD_MAX / size;

	*b = (struct udpbulk){ .fd = fd, .size = size, .most = 1 };
	if (gso && fit > 1) {
		/* A Unix socket would send them in one. */
		b->segments = !is_unix(fd);
		b->most = fit < UDPBULK_MAX ? (int)fit : UDPBULK_MAX;
	}
}

static int
send_one(struct udpbulk *b, const void *data, const struct addr *to,
	const struct addr *local)
{
	return dgram_send(b->fd, data, b->size, to, local) == -1 ? -1 : 1;
}

#if defined(UDP_SEGMENT) && defined(_GNU_SOURCE)
/* Another control message behind those that are there. */
static void
add_segment(struct msghdr *msg, union dgram_control *c, size_t size)
{
	uint16_t segment = (uint16_t)size;
	size_t used = msg->msg_control ? msg->msg_controllen : 0;
	struct cmsghdr h = { .cmsg_len = CMSG_LEN(sizeof(segment)),
		.cmsg_level = IPPROTO_UDP,
		.cmsg_type = UDP_SEGMENT };

	memset(c->bytes + used, 0, CMSG_SPACE(sizeof(segment)));
	memcpy(c->bytes + used, &h, sizeof(h));
	memcpy(c->bytes + used + CMSG_LEN(0), &segment, sizeof(segment));
	msg->msg_control = c->bytes;
	msg->msg_controllen = (socklen_t)(used + CMSG_SPACE(sizeof(segment)));
}

void
udpbulk_fix(struct udpbulk *b)
{
	int size = (int)b->size;

	b->fixed = b->segments &&
		setsockopt(b->fd, IPPROTO_UDP, UDP_SEGMENT, &size,
			sizeof(size)) == 0;
}

static int
send_fixed(struct udpbulk *b, const void *data, int count)
{
	size_t n = (size_t)count * b->size;
	ssize_t sent;

	do
		sent = send(b->fd, data, n, MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	return sent == -1 ? -1 : count;
}

/* The path takes no segments after all. */
static void
unfix(struct udpbulk *b)
{
	int none = 0;

	if (b->fixed)
		setsockopt(
			b->fd, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none));
	b->fixed = b->segments = false;
}

static int
send_segments(struct udpbulk *b, const void *data, int count,
	const struct addr *to, const struct addr *local)
{
	struct iovec iov = { (void *)(uintptr_t)data, (size_t)count * b->size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union dgram_control control;
	ssize_t n;

	if (b->fixed)
		return send_fixed(b, data, count);
	dgram_address(&msg, &control, to, local);
	add_segment(&msg, &control, b->size);
	do
		n = sendmsg(b->fd, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : count;
}

static int
send_each(struct udpbulk *b, const void *data, int count, const struct addr *to,
	const struct addr *local)
{
	struct mmsghdr m[UDPBULK_MAX];
	struct iovec iov[UDPBULK_MAX];
	union dgram_control control;
	int n;

	memset(m, 0, (size_t)count * sizeof(m[0]));
	for (int i = 0; i < count; i++) {
		iov[i].iov_base = (uint8_t *)(uintptr_t)data +
			(size_t)i * b->size;
		iov[i].iov_len = b->size;
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		dgram_address(&m[i].msg_hdr, &control, to, local);
	}
	do
		n = sendmmsg(b->fd, m, (unsigned)count, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Where segments are not to be had: another kind of socket, a device without
 * checksums, a path that is too small for them. */
static bool
is_refusal(int number)
{
	return number == EIO || number == EINVAL || number == ENOPROTOOPT ||
		number == EMSGSIZE;
}
#else
void
udpbulk_fix(struct udpbulk *b)
{
	(void)b;
}

static void
unfix(struct udpbulk *b)
{
	b->segments = false;
}

static int
send_segments(struct udpbulk *b, const void *data, int count,
	const struct addr *to, const struct addr *local)
{
	(void)b;
	(void)data;
	(void)count;
	(void)to;
	(void)local;
	errno = ENOPROTOOPT;
	return -1;
}

static int
send_each(struct udpbulk *b, const void *data, int count, const struct addr *to,
	const struct addr *local)
{
	int i;

	for (i = 0; i < count; i++)
		if (send_one(b, (const uint8_t *)data + (size_t)i * b->size, to,
			    local) == -1)
			break;
	return i > 0 ? i : -1;
}

static bool
is_refusal(int number)
{
	return number == ENOPROTOOPT;
}
#endif

int
udpbulk_send(struct udpbulk *b, const void *data, int count,
	const struct addr *to, const struct addr *local)
{
	int n;

	if (count == 1)
		return send_one(b, data, to, local);
	if (b->segments) {
		n = send_segments(b, data, count, to, local);
		if (n != -1 || !is_refusal(errno))
			return n;
		unfix(b);
	}
	return send_each(b, data, count, to, local);
}

static void
bundle(const uint8_t *data, size_t len, size_t size,
	const struct dgram_from *from,
	void (*fn)(void *arg, const struct udpbulk_bundle *b), void *arg)
{
	struct udpbulk_bundle b = { data, len, size > 0 ? size : len, from };

	fn(arg, &b);
}

#if defined(UDP_GRO) && defined(_GNU_SOURCE)
struct udpbulk_room {
	int used; /* by the last call: to be made ready again */
	int most; /* for the next one: where datagrams come joined, one, whose
		     memory stays in the cache */
	struct mmsghdr m[MESSAGES];
	struct iovec iov[MESSAGES];
	union dgram_control control[MESSAGES];
	struct dgram_from from[MESSAGES];
	uint8_t data[MESSAGES][DGRAM_MAX];
};

static void
join_segments(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
}

static size_t
segment_size(struct msghdr *msg)
{
	int size;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h != NULL;
		h = CMSG_NXTHDR(msg, h))
		if (h->cmsg_level == IPPROTO_UDP && h->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(h), sizeof(size));
			return size > 0 ? (size_t)size : 0;
		}
	return 0;
}

static void
make_ready(struct udpbulk_room *r, int i)
{
	r->iov[i] = (struct iovec){ r->data[i], DGRAM_MAX };
	r->m[i].msg_hdr = (struct msghdr){ .msg_name = &r->from[i].peer.ss,
		.msg_namelen = sizeof(r->from[i].peer.ss),
		.msg_iov = &r->iov[i],
		.msg_iovlen = 1,
		.msg_control = r->control[i].bytes,
		.msg_controllen = sizeof(r->control[i]) };
}

struct udpbulk_room *
udpbulk_room(void)
{
	struct udpbulk_room *r = mem_alloc(sizeof(*r));

	r->used = r->most = MESSAGES;
	return r;
}

static int
receive(struct udpbulk_room *r, int fd)
{
	ssize_t n;

	if (r->most > 1)
		return recvmmsg(
			fd, r->m, (unsigned)r->most, MSG_DONTWAIT, NULL);
	n = recvmsg(fd, &r->m[0].msg_hdr, MSG_DONTWAIT);
	if (n == -1)
		return -1;
	r->m[0].msg_len = (unsigned)n;
	return 1;
}

int
udpbulk_recv(struct udpbulk_room *r, int fd,
	void (*fn)(void *arg, const struct udpbulk_bundle *b), void *arg)
{
	size_t size = 0;
	int n;

	for (int i = 0; i < r->used; i++)
		make_ready(r, i);
	do
		n = receive(r, fd);
	while (n == -1 && errno == EINTR);
	r->used = n > 0 ? n : 0;
	for (int i = 0; i < n; i++) {
		struct msghdr *msg = &r->m[i].msg_hdr;

		dgram_sender(&r->from[i], msg);
		size = segment_size(msg);
		bundle(r->data[i], r->m[i].msg_len, size, &r->from[i], fn, arg);
	}
	if (n > 0)
		r->most = size > 0 ? 1 : MESSAGES;
	return n;
}
#else
struct udpbulk_room {
	uint8_t data[DGRAM_MAX];
};

static void
join_segments(int fd)
{
	(void)fd;
}

struct udpbulk_room *
udpbulk_room(void)
{
	return mem_alloc(sizeof(struct udpbulk_room));
}

int
udpbulk_recv(struct udpbulk_room *r, int fd,
	void (*fn)(void *arg, const struct udpbulk_bundle *b), void *arg)
{
	struct dgram_from from;
	ssize_t n;
	int i;

	for (i = 0; i < MESSAGES; i++) {
		n = dgram_recv(fd, r->data, sizeof(r->data), &from);
		if (n == -1)
			break;
		bundle(r->data, (size_t)n, 0, &from, fn, arg);
	}
	return i > 0 ? i : -1;
}
#endif

void
udpbulk_room_free(struct udpbulk_room *r)
{
	free(r);
}

void
udpbulk_prepare(int fd, bool gro)
{
	int now = 0, size = RECEIVE_BUFFER;
	socklen_t len = sizeof(now);

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &now, &len);
	if (now < size)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (gro)
		join_segments(fd);
}
