/* ipv6: whether this machine has IPv6, for tests that go without where not. */
#ifndef IPV6_H
#define IPV6_H

#include "../../util/addr.h"
#include <sys/socket.h>
#include <unistd.h>

static inline bool
have_ipv6(void)
{
	struct addr a;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool have;

	addr_numeric(&a, "::1", AF_INET6, 0);
	have = bind(fd, (struct sockaddr *)&a.ss, a.len) == 0;
	close(fd);
	return have;
}

#endif
