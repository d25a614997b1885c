/* probe --interfaces: the addresses of this host. */
#include "../util/net.h"
#include "probe.h"
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FLAGS_MAX = 9 };

#ifdef _GNU_SOURCE
/* netdevice(7). Returns how many fields it set. */
static size_t
flags_of(const struct ifaddrs *i, struct field set[FLAGS_MAX])
{
	static const struct {
		unsigned flag;
		const char *name;
	} flags[FLAGS_MAX] = {
		{ IFF_UP, "UP" },
		{ IFF_BROADCAST, "BROADCAST" },
		{ IFF_LOOPBACK, "LOOPBACK" },
		{ IFF_POINTOPOINT, "POINTOPOINT" },
		{ IFF_RUNNING, "RUNNING" },
		{ IFF_NOARP, "NOARP" },
		{ IFF_PROMISC, "PROMISC" },
		{ IFF_ALLMULTI, "ALLMULTI" },
		{ IFF_MULTICAST, "MULTICAST" },
	};
	size_t n = 0;

	for (size_t k = 0; k < FLAGS_MAX; k++)
		if (i->ifa_flags & flags[k].flag)
			set[n++] = F_STR("", flags[k].name);
	return n;
}

static int64_t
mtu_of(int fd, const char *name)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return ioctl(fd, SIOCGIFMTU, &r) == 0 ? r.ifr_mtu : -1;
}
#else
/* POSIX knows neither, only names and addresses. */
static size_t
flags_of(const struct ifaddrs *i, struct field set[FLAGS_MAX])
{
	(void)i;
	(void)set;
	return 0;
}

static int64_t
mtu_of(int fd, const char *name)
{
	(void)fd;
	(void)name;
	return -1;
}
#endif

static void
tell(struct probe *p, const struct ifaddrs *i, int fd)
{
	int family = i->ifa_addr->sa_family;
	struct addr a = { .len = family == AF_INET
			? sizeof(struct sockaddr_in)
			: sizeof(struct sockaddr_in6) };
	char text[ADDR_TEXT_MAX];
	struct field set[FLAGS_MAX];
	size_t n = flags_of(i, set);

	memcpy(&a.ss, i->ifa_addr, a.len);
	REPORT(p->life.report, EV_INTERFACE, NULL, F_STR("name", i->ifa_name),
		F_STR("addr", addr_host(&a, text)),
		F_STR("family", family == AF_INET ? "inet" : "inet6"),
		F_ARR("flags", set, n),
		F_KNOWN("mtu", mtu_of(fd, i->ifa_name)));
}

int
probe_interfaces(struct probe *p)
{
	int family = net_family(&p->conf->net);
	struct addr any;
	struct ifaddrs *all, *i;
	struct err err = { 0 };
	int fd;

	addr_numeric(&any, "0.0.0.0", AF_INET, 0);
	fd = net_socket(&any, true, NULL, false, &err);
	if (getifaddrs(&all) == -1) {
		err_set(&err, "socket", errno, "getifaddrs");
		if (fd != -1)
			close(fd);
		return life_fail(&p->life, &err);
	}
	for (i = all; i; i = i->ifa_next) {
		int own = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;

		if ((own == AF_INET || own == AF_INET6) &&
			(family == AF_UNSPEC || family == own))
			tell(p, i, fd);
	}
	freeifaddrs(all);
	if (fd != -1)
		close(fd);
	return life_end(&p->life, EXIT_OK);
}
