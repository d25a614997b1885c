#include "activation.h"
#include "net.h"
#include "num.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int64_t
number_of(const char *name)
{
	const char *value = getenv(name);
	int64_t n = 0;

	if (value && num_int(value, 1, INT32_MAX, &n) == -1)
		return 0;
	return n;
}

int
activation_count(void)
{
	if (number_of("LISTEN_PID") != getpid())
		return 0;
	return (int)number_of("LISTEN_FDS");
}

/* A number that the socket layer keeps, -1 where fd is no socket. */
static int
socket_number(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, option, &value, &len) == -1)
		return -1;
	return value;
}

int
activation_take(int i, bool datagram, struct err *err)
{
	int fd = ACTIVATION_FIRST + i;
	int type = socket_number(fd, SO_TYPE);
	char target[32];

	snprintf(target, sizeof(target), "descriptor %d", fd);
	if (type == -1)
		return err_set(err, "listen", errno, target);
	if (type != (datagram ? SOCK_DGRAM : SOCK_STREAM))
		return err_setf(err, "listen", EPROTOTYPE, target,
			"passed by socket activation, but no %s socket",
			datagram ? "datagram" : "stream");
	if (!datagram && socket_number(fd, SO_ACCEPTCONN) != 1)
		return err_setf(err, "listen", EINVAL, target,
			"passed by socket activation, but it does not listen");
	net_cloexec(fd);
	net_nonblock(fd, true);
	return fd;
}

void
activation_forget(void)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_PIDFDID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}
