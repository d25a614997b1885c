/* probe: sockets, and what connect(2) says of a port. */
#include "probe.h"
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { RESERVE = 32 }; /* descriptors for all but connections */

/* What errno of connect, send and recv say of a port; others are errors. */
static const struct {
	int number;
	enum port_state state;
} meanings[] = {
	{ ECONNREFUSED, PORT_CLOSED },
	{ ENOENT, PORT_CLOSED }, /* no such Unix path */
	{ ETIMEDOUT, PORT_FILTERED },
	{ EHOSTUNREACH, PORT_UNREACHABLE },
	{ ENETUNREACH, PORT_UNREACHABLE },
	{ EHOSTDOWN, PORT_UNREACHABLE },
	{ ENETDOWN, PORT_UNREACHABLE },
};

enum port_state
probe_meaning(int number)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].number == number)
			return meanings[i].state;
	return PORT_ERROR;
}

#ifdef _GNU_SOURCE
/* On the way to this very host the answer is there before connect returns: a
 * second call has it. After a refusal that it told, the socket is as new. */
int
probe_connected(int fd, const struct addr *to)
{
	int number = net_connect(fd, to);

	return number == EISCONN ? 0 : number;
}

int
probe_connect(int fd, const struct addr *to)
{
	int number = probe_connected(fd, to);

	return number == EINPROGRESS ? probe_connected(fd, to) : number;
}

bool
probe_can_reuse(int number)
{
	return number == ECONNREFUSED;
}
#else
int
probe_connected(int fd, const struct addr *to)
{
	(void)to;
	return net_error(fd);
}

int
probe_connect(int fd, const struct addr *to)
{
	return net_connect(fd, to);
}

bool
probe_can_reuse(int number)
{
	(void)number;
	return false;
}
#endif

int
probe_socket(
	struct probe *p, const struct addr *to, bool datagram, struct err *err)
{
	int fd = net_socket(to, datagram, &p->sockopts, false, err);
	struct addr local;

	if (fd == -1)
		return -1;
	p->sockopts.show = false; /* once says it all */
	if (p->local.count == 0 || to->ss.ss_family == AF_UNIX)
		return fd;
	if (!net_choose_local(&p->local, to, &local))
		return close_keep(fd,
			err_setf(err, "bind", EAFNOSUPPORT, NULL,
				"no local address of this family was given"));
	if (net_bind(fd, &local, err) == -1)
		return close_keep(fd, -1);
	return fd;
}

int
probe_allowed(const struct probe *p, int most)
{
	struct rlimit r;

	if (p->conf->jobs)
		return (int)p->conf->jobs;
	if (getrlimit(RLIMIT_NOFILE, &r) == -1 ||
		r.rlim_cur >= (rlim_t)most + RESERVE)
		return most;
	return r.rlim_cur > RESERVE ? (int)r.rlim_cur - RESERVE : 1;
}
