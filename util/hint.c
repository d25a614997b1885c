/* net_hint: what helps against an error of a socket call. */
#include "buf.h"
#include "net.h"
#include "num.h"
#include "procnet.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void
read_number(const char *path, int64_t *out)
{
	FILE *f = fopen(path, "re");
	char line[32];

	if (!f)
		return;
	if (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		num_int(line, 0, INT64_MAX, out);
	}
	fclose(f);
}

enum { STATE_LISTEN = 0x0a, STATE_TIME_WAIT = 0x06 };

/* The form of /proc/net/tcp; "" for the wildcard. */
static void
host_words(const struct addr *a, char host[33])
{
	const struct sockaddr_in *in = (const void *)&a->ss;
	const struct sockaddr_in6 *in6 = (const void *)&a->ss;
	bool six = a->ss.ss_family == AF_INET6;
	uint32_t word[4] = { 0 };
	size_t n = six ? 4 : 1;

	if (six)
		memcpy(word, &in6->sin6_addr, sizeof(word));
	else
		memcpy(word, &in->sin_addr, sizeof(word[0]));
	for (size_t i = 0; i < n; i++)
		snprintf(host + 8 * i, 9, "%08" PRIX32, word[i]);
	if (strspn(host, "0") == strlen(host))
		host[0] = '\0';
}

static bool
stands_in_the_way(const struct procnet *h, const char *host, unsigned port)
{
	return h->local_port == port &&
		(!host[0] || strspn(h->local, "0") == strlen(h->local) ||
			strcmp(h->local, host) == 0);
}

/* Finds who has the address, a listener before others. */
static bool
find_holder(const char *path, const struct addr *a, struct procnet *best)
{
	FILE *f = fopen(path, "re");
	struct procnet h;
	char host[33];
	bool found = false;

	if (!f)
		return false;
	host_words(a, host);
	while (procnet_next(f, &h)) {
		if (!stands_in_the_way(&h, host, (unsigned)addr_port(a)) ||
			(found && h.state != STATE_LISTEN))
			continue;
		*best = h;
		found = true;
	}
	fclose(f);
	return found;
}

/* Whether one of the process's descriptors is the socket. */
static bool
has_socket(const char *pid, const char *socket)
{
	char path[320], target[64];
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.32s/fd", pid);
	d = opendir(path);
	if (!d)
		return false;
	while (!found && (e = readdir(d))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%.32s/fd/%.200s", pid,
			e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		found = strcmp(target, socket) == 0;
	}
	closedir(d);
	return found;
}

/* The process that has the socket open: its number, and its name in name. */
static bool
find_process(int64_t inode, char pid[32], char name[64])
{
	char socket[64], path[320];
	struct dirent *e;
	bool found = false;
	FILE *f;
	DIR *d = opendir("/proc");

	if (!d)
		return false;
	snprintf(socket, sizeof(socket), "socket:[%" PRId64 "]", inode);
	while (!found && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(pid, 32, "%.31s", e->d_name);
		found = has_socket(pid, socket);
	}
	closedir(d);
	snprintf(name, 64, "a process");
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = found ? fopen(path, "re") : NULL;
	if (f) {
		if (fgets(name, 64, f))
			name[strcspn(name, "\n")] = '\0';
		fclose(f);
	}
	return found;
}

static void
say_holder(struct err *e, int port, const struct procnet *h)
{
	char pid[32], name[64];

	if (h->state == STATE_TIME_WAIT || h->inode == 0)
		err_hint(e,
			"port %d is still held by a closed connection "
			"(TIME_WAIT, a minute); SO_REUSEADDR gets past it",
			port);
	else if (find_process(h->inode, pid, name))
		err_hint(e, "port %d is held by %s (process %s)", port, name,
			pid);
	else
		err_hint(e, "port %d is held by a process of user id %" PRId64,
			port, h->uid);
}

static void
hint_in_use(struct err *e, const struct addr *a, bool datagram)
{
	static const char *const table[2][2] = {
		{ "/proc/net/tcp", "/proc/net/tcp6" },
		{ "/proc/net/udp", "/proc/net/udp6" },
	};
	struct procnet h;

	if (addr_port(a) == -1)
		err_hint(e, "somebody listens on this path");
	else if (find_holder(table[datagram][0], a, &h) ||
		find_holder(table[datagram][1], a, &h))
		say_holder(e, addr_port(a), &h);
}

static void
hint_access(struct err *e, const struct addr *a)
{
	int64_t first = 1024;

	if (addr_port(a) == -1) {
		err_hint(e, "the path's permissions do not allow it");
	} else if (addr_is_broadcast(a)) {
		err_hint(e, "sending to everybody needs -o broadcast");
	} else if (strcmp(e->op, "bind") == 0) {
		read_number("/proc/sys/net/ipv4/ip_unprivileged_port_start",
			&first);
		if (addr_port(a) < first)
			err_hint(e,
				"ports below %" PRId64 " need root or "
				"CAP_NET_BIND_SERVICE",
				first);
	}
}

/* The addresses of this host that are of a's family; "" where none is. */
static void
list_local(struct buf *list, const struct addr *a)
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) == -1)
		return;
	for (i = all; i; i = i->ifa_next) {
		struct addr local = { 0 };
		char text[ADDR_TEXT_MAX];

		if (!i->ifa_addr || i->ifa_addr->sa_family != a->ss.ss_family)
			continue;
		local.len = a->ss.ss_family == AF_INET
			? sizeof(struct sockaddr_in)
			: sizeof(struct sockaddr_in6);
		memcpy(&local.ss, i->ifa_addr, local.len);
		buf_printf(list, "%s%s", list->len ? ", " : "",
			addr_host(&local, text));
	}
	freeifaddrs(all);
}

static void
hint_local(struct err *e, const struct addr *a)
{
	bool six = a->ss.ss_family == AF_INET6;
	struct buf list = { 0 };

	list_local(&list, a);
	if (!list.len && (six || a->ss.ss_family == AF_INET))
		err_hint(e, "no interface of this host has an %s address",
			six ? "IPv6" : "IPv4");
	else if (strcmp(e->op, "connect") == 0)
		err_hint(e,
			"no local port is free for this target "
			"(net.ipv4.ip_local_port_range, TIME_WAIT)");
	else if (list.len)
		err_hint(e, "local addresses are %s", buf_cstr(&list));
	buf_free(&list);
}

static void
hint_scope(struct err *e, const struct addr *a)
{
	const struct sockaddr_in6 *in6 = (const void *)&a->ss;

	if (a->ss.ss_family == AF_INET6 && in6->sin6_scope_id == 0 &&
		IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		err_hint(e,
			"a link-local address needs its interface: "
			"fe80::1%%eth0");
}

static void
hint_files(struct err *e, const struct addr *a)
{
	struct rlimit r;

	(void)a;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0)
		err_hint(e,
			"this process may have %llu descriptors open: "
			"ulimit -n, ulimit -Hn",
			(unsigned long long)r.rlim_cur);
}

/* One row an error that something can be said of; op NULL: of any call. */
static const struct row {
	const char *op;
	int number;
	const char *text; /* or */
	void (*say)(struct err *e, const struct addr *a);
} hints[] = {
	{ NULL, EACCES, NULL, hint_access },
	{ NULL, EADDRNOTAVAIL, NULL, hint_local },
	{ NULL, EINVAL, NULL, hint_scope },
	{ NULL, EMFILE, NULL, hint_files },
	{ NULL, ENFILE, "the whole system has too many files open: fs.file-max",
		NULL },
	{ NULL, EPERM, "a firewall of this host forbids it", NULL },
	{ "socket", EAFNOSUPPORT, "this system has no such address family",
		NULL },
	{ NULL, ENETUNREACH, "this host has no route to that network", NULL },
	{ NULL, EHOSTUNREACH,
		"there is a route, but the host did not answer (ARP), or a "
		"router or firewall said so",
		NULL },
	{ "connect", ETIMEDOUT,
		"no answer: the host is down, or a firewall drops packets",
		NULL },
	{ "connect", EAGAIN, "the listener's backlog is full", NULL },
};

static void
hint(struct err *e, const struct addr *a, bool datagram)
{
	if (!e || !e->op || e->hint[0])
		return;
	if (e->number == EADDRINUSE) {
		hint_in_use(e, a, datagram);
		return;
	}
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		const struct row *h = &hints[i];

		if (h->number != e->number ||
			(h->op && strcmp(h->op, e->op) != 0))
			continue;
		if (h->say)
			h->say(e, a);
		else
			err_hint(e, "%s", h->text);
		return;
	}
}

void
net_hint(struct err *e, const struct addr *a)
{
	hint(e, a, false);
}

void
net_hint_datagram(struct err *e, const struct addr *a)
{
	hint(e, a, true);
}
