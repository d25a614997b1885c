#include "net.h"
#include "tcpinfo.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ACK_PAUSE_MOST = 50 }; /* ms between looks at SIOCOUTQ */

int
close_keep(int fd, int result)
{
	int number = errno;

	close(fd);
	errno = number;
	return result;
}

/* The standard streams' numbers are theirs, also when one was closed since. */
static int
above_standard(int fd)
{
	int high;

	if (fd == -1 || fd > STDERR_FILENO)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return close_keep(fd, high);
}

void
net_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);
	int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;

	if (flags != -1 && wanted != flags)
		fcntl(fd, F_SETFL, wanted);
}

void
net_cloexec(int fd)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

#ifdef _GNU_SOURCE
static int
new_socket(int family, int type)
{
	return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int
new_accepted(int fd, struct sockaddr *sa, socklen_t *len)
{
	return accept4(fd, sa, len, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int
new_pipe(int pair[2])
{
	return pipe2(pair, O_CLOEXEC | O_NONBLOCK);
}

static int
new_socketpair(int pair[2])
{
	return socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}
#else
static int
prepared(int fd)
{
	if (fd != -1) {
		net_cloexec(fd);
		net_nonblock(fd, true);
	}
	return fd;
}

static int
new_socket(int family, int type)
{
	return prepared(socket(family, type, 0));
}

static int
new_accepted(int fd, struct sockaddr *sa, socklen_t *len)
{
	return prepared(accept(fd, sa, len));
}

static int
new_pipe(int pair[2])
{
	if (pipe(pair) == -1)
		return -1;
	prepared(pair[0]);
	prepared(pair[1]);
	return 0;
}

static int
new_socketpair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		return -1;
	prepared(pair[0]);
	prepared(pair[1]);
	return 0;
}
#endif

/* An IPv6 socket is for IPv6 alone: a listener has one for each family. */
static void
set_only(int fd, const struct addr *a)
{
	const struct sockaddr_in6 *in6 = (const void *)&a->ss;
	int one = 1;

	if (a->ss.ss_family == AF_INET6 &&
		!IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
}

int
net_socket(const struct addr *a, bool datagram, const struct sockopts *o,
	bool reuseaddr, struct err *err)
{
	int fd = above_standard(new_socket(
		a->ss.ss_family, datagram ? SOCK_DGRAM : SOCK_STREAM));
	char text[ADDR_TEXT_MAX];

	if (fd == -1) {
		err_set(err, "socket", errno, addr_text(a, text));
		net_hint(err, a);
		return -1;
	}
	set_only(fd, a);
	if (o && sockopts_apply(o, fd, SOCKOPT_NEW, reuseaddr, err) == -1)
		return close_keep(fd, -1);
	return fd;
}

static bool
is_datagram(int fd)
{
	int type = SOCK_STREAM;
	socklen_t len = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	return type == SOCK_DGRAM;
}

int
net_bind(int fd, const struct addr *a, struct err *err)
{
	char text[ADDR_TEXT_MAX];
	int number;

	if (bind(fd, (const struct sockaddr *)&a->ss, a->len) == 0)
		return 0;
	number = errno;
	err_set(err, "bind", number, addr_text(a, text));
	if (is_datagram(fd))
		net_hint_datagram(err, a);
	else
		net_hint(err, a);
	errno = number;
	return -1;
}

static bool
is_link_local(const struct addr *a)
{
	const struct sockaddr_in6 *in6 = (const void *)&a->ss;

	return a->ss.ss_family == AF_INET6 &&
		IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
}

bool
net_choose_local(
	const struct addr_list *local, const struct addr *to, struct addr *out)
{
	int family = to->ss.ss_family;
	bool found = local->count == 0;

	addr_numeric(out, family == AF_INET6 ? "::" : "0.0.0.0", family, 0);
	for (int i = 0; i < local->count; i++) {
		const struct addr *a = &local->item[i];

		if (a->ss.ss_family != family ||
			(found && is_link_local(a) != is_link_local(to)))
			continue;
		*out = *a;
		found = true;
	}
	return found;
}

bool
net_self_connected(int fd)
{
	struct addr local, peer;

	addr_of_local(&local, fd);
	addr_of_peer(&peer, fd);
	return addr_port(&local) > 0 && addr_equal(&local, &peer);
}

int
net_accept(int fd, struct addr *peer)
{
	int new_fd;

	*peer = (struct addr){ .len = sizeof(peer->ss) };
	new_fd = new_accepted(fd, (struct sockaddr *)&peer->ss, &peer->len);
	if (new_fd == -1)
		return -1;
	if (peer->len > sizeof(peer->ss))
		peer->len = sizeof(peer->ss);
	addr_unmap(peer);
	return above_standard(new_fd);
}

int
net_connect(int fd, const struct addr *to)
{
	if (connect(fd, (const struct sockaddr *)&to->ss, to->len) == 0)
		return 0;
	return errno == EINTR ? EINPROGRESS : errno;
}

void
net_hear_out(int fd)
{
	(void)shutdown(fd, SHUT_RD);
}

static int
lift_pair(int pair[2])
{
	pair[0] = above_standard(pair[0]);
	pair[1] = above_standard(pair[1]);
	if (pair[0] != -1 && pair[1] != -1)
		return 0;
	for (int i = 0; i < 2; i++)
		if (pair[i] != -1)
			close_keep(pair[i], -1);
	return -1;
}

bool
net_blocked(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
}

int
net_pipe(int pipefd[2])
{
	return new_pipe(pipefd) == -1 ? -1 : lift_pair(pipefd);
}

int
net_socketpair(int pair[2])
{
	return new_socketpair(pair) == -1 ? -1 : lift_pair(pair);
}

void
net_hold_standard(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
			open("/dev/null", O_RDWR); /* the lowest: fd */
}

void
net_reset(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close_keep(fd, 0);
}

void
net_close(int fd, int64_t linger)
{
	struct linger off = { 0 };

	if (linger > 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	close(fd);
}

bool
net_lingers(int fd, int64_t linger, int64_t ended, int64_t now)
{
	return linger > 0 && now - ended < linger * CLOCK_S &&
		tcpinfo_unacked(fd) > 0;
}

enum net_acked
net_acked(int fd, int64_t *pause, int *number)
{
	int64_t left = tcpinfo_unacked(fd);

	*number = net_error(fd);
	if (*number)
		return NET_BROKEN;
	if (left <= 0)
		return left == 0 ? NET_ACKED : NET_UNTOLD;
	*pause = clock_sooner(
		*pause ? 2 * *pause : CLOCK_MS, ACK_PAUSE_MOST * CLOCK_MS);
	return NET_UNACKED;
}

int
net_error(int fd)
{
	int number = 0;
	socklen_t len = sizeof(number);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) == -1)
		return errno;
	return number;
}

#ifdef _GNU_SOURCE
int
net_reopen(int fd, int flags)
{
	char path[32];
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISFIFO(st.st_mode) && !isatty(fd)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return above_standard(
		open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}
#else
/* Elsewhere /dev/fd shares the description, O_NONBLOCK too. */
int
net_reopen(int fd, int flags)
{
	(void)fd;
	(void)flags;
	errno = EOPNOTSUPP;
	return -1;
}
#endif
