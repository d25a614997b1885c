#include "addr.h"
#include "mem.h"
#include "num.h"
#include "utf8.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const struct sockaddr_in *
v4(const struct addr *a)
{
	return (const struct sockaddr_in *)&a->ss;
}

static const struct sockaddr_in6 *
v6(const struct addr *a)
{
	return (const struct sockaddr_in6 *)&a->ss;
}

static int
family_of(const struct addr *a)
{
	return a->len > 0 ? a->ss.ss_family : AF_UNSPEC;
}

static void
unix_text(const struct addr *a, char *out)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->ss;
	size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t n = a->len > head ? a->len - head : 0;
	struct buf text = { 0 };

	buf_string(&text, "unix:");
	if (n > 0 && un->sun_path[0] == '\0') {
		buf_byte(&text, '@');
		utf8_escape(&text, un->sun_path + 1, n - 1);
	} else {
		utf8_escape(&text, un->sun_path, strnlen(un->sun_path, n));
	}
	n = text.len;
	if (n >= ADDR_TEXT_MAX) {
		n = ADDR_TEXT_MAX - 1;
		while ((buf_data(&text)[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, buf_data(&text), n);
	out[n] = '\0';
	buf_free(&text);
}

char *
addr_text(const struct addr *a, char *out)
{
	char host[ADDR_TEXT_MAX];
	struct addr plain = *a;

	out[0] = '\0';
	if (family_of(a) == AF_UNSPEC)
		return out;
	if (family_of(a) == AF_UNIX) {
		unix_text(a, out);
		return out;
	}
	addr_unmap(&plain);
	addr_host(&plain, host);
	snprintf(out, ADDR_TEXT_MAX,
		family_of(&plain) == AF_INET6 ? "[%.120s]:%d" : "%.120s:%d",
		host, addr_port(&plain));
	return out;
}

static void
scope_text(unsigned scope, char *out, size_t size)
{
	char name[IF_NAMESIZE];

	if (if_indextoname(scope, name))
		snprintf(out, size, "%%%s", name);
	else
		snprintf(out, size, "%%%u", scope);
}

char *
addr_host(const struct addr *a, char *out)
{
	struct addr plain = *a;
	size_t n;

	addr_unmap(&plain);
	out[0] = '\0';
	if (family_of(&plain) == AF_INET)
		inet_ntop(AF_INET, &v4(&plain)->sin_addr, out, ADDR_TEXT_MAX);
	if (family_of(&plain) != AF_INET6)
		return out;
	inet_ntop(AF_INET6, &v6(&plain)->sin6_addr, out, ADDR_TEXT_MAX);
	n = strlen(out);
	if (v6(&plain)->sin6_scope_id)
		scope_text(
			v6(&plain)->sin6_scope_id, out + n, ADDR_TEXT_MAX - n);
	return out;
}

int
addr_port(const struct addr *a)
{
	if (family_of(a) == AF_INET)
		return ntohs(v4(a)->sin_port);
	if (family_of(a) == AF_INET6)
		return ntohs(v6(a)->sin6_port);
	return -1;
}

void
addr_set_port(struct addr *a, int port)
{
	if (family_of(a) == AF_INET)
		((struct sockaddr_in *)&a->ss)->sin_port = htons(
			(uint16_t)port);
	else if (family_of(a) == AF_INET6)
		((struct sockaddr_in6 *)&a->ss)->sin6_port = htons(
			(uint16_t)port);
}

static void
set_v4(struct addr *a, const void *bytes, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	memcpy(&in.sin_addr, bytes, 4);
	in.sin_port = htons((uint16_t)port);
	memset(&a->ss, 0, sizeof a->ss);
	memcpy(&a->ss, &in, sizeof in);
	a->len = sizeof in;
}

void
addr_unmap(struct addr *a)
{
	uint8_t bytes[16];

	if (family_of(a) != AF_INET6 ||
		!IN6_IS_ADDR_V4MAPPED(&v6(a)->sin6_addr))
		return;
	memcpy(bytes, &v6(a)->sin6_addr, sizeof bytes);
	set_v4(a, bytes + 12, addr_port(a));
}

bool
addr_equal(const struct addr *first, const struct addr *second)
{
	struct addr a = *first, b = *second;

	addr_unmap(&a);
	addr_unmap(&b);
	if (family_of(&a) != family_of(&b))
		return false;
	if (family_of(&a) == AF_INET)
		return v4(&a)->sin_addr.s_addr == v4(&b)->sin_addr.s_addr &&
			v4(&a)->sin_port == v4(&b)->sin_port;
	if (family_of(&a) == AF_INET6)
		return memcmp(&v6(&a)->sin6_addr, &v6(&b)->sin6_addr, 16) ==
			0 &&
			v6(&a)->sin6_port == v6(&b)->sin6_port &&
			v6(&a)->sin6_scope_id == v6(&b)->sin6_scope_id;
	return a.len == b.len && memcmp(&a.ss, &b.ss, a.len) == 0;
}

bool
addr_is_loopback(const struct addr *a)
{
	struct addr plain = *a;

	addr_unmap(&plain);
	if (family_of(&plain) == AF_INET)
		return ntohl(v4(&plain)->sin_addr.s_addr) >> 24 == 127;
	if (family_of(&plain) == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6(&plain)->sin6_addr);
	return family_of(&plain) == AF_UNIX;
}

bool
addr_is_multicast(const struct addr *a)
{
	struct addr plain = *a;

	addr_unmap(&plain);
	if (family_of(&plain) == AF_INET)
		return IN_MULTICAST(ntohl(v4(&plain)->sin_addr.s_addr));
	return family_of(&plain) == AF_INET6 &&
		IN6_IS_ADDR_MULTICAST(&v6(&plain)->sin6_addr);
}

/* The address of an interface's entry, or where there is none len 0. */
static void
from_sockaddr(struct addr *a, const struct sockaddr *sa)
{
	memset(a, 0, sizeof *a);
	if (!sa)
		return;
	if (sa->sa_family == AF_INET)
		a->len = sizeof(struct sockaddr_in);
	else if (sa->sa_family == AF_INET6)
		a->len = sizeof(struct sockaddr_in6);
	memcpy(&a->ss, sa, a->len);
}

/* The last address of an interface's network, where it has more than two:
 * what the system itself takes for everybody. */
static bool
is_last_of(const struct ifaddrs *i, struct in_addr in)
{
	struct addr own, mask;
	in_addr_t hosts;

	from_sockaddr(&own, i->ifa_addr);
	from_sockaddr(&mask, i->ifa_netmask);
	if (family_of(&own) != AF_INET || family_of(&mask) != AF_INET)
		return false;
	hosts = ~v4(&mask)->sin_addr.s_addr;
	return ntohl(hosts) > 1 &&
		in.s_addr == (v4(&own)->sin_addr.s_addr | hosts);
}

bool
addr_is_broadcast(const struct addr *a)
{
	struct ifaddrs *all, *i;
	struct addr plain = *a;
	bool found = false;

	addr_unmap(&plain);
	if (family_of(&plain) != AF_INET)
		return false;
	if (v4(&plain)->sin_addr.s_addr == htonl(INADDR_BROADCAST))
		return true;
	if (getifaddrs(&all) == -1)
		return false;
	for (i = all; i && !found; i = i->ifa_next)
		found = is_last_of(i, v4(&plain)->sin_addr);
	freeifaddrs(all);
	return found;
}

static int
numeric_v6(struct addr *a, const char *s, int port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6 };
	const char *percent = strchr(s, '%');
	char host[INET6_ADDRSTRLEN];
	size_t n = percent ? (size_t)(percent - s) : strlen(s);
	int64_t scope;

	if (n >= sizeof host)
		return -1;
	memcpy(host, s, n);
	host[n] = '\0';
	if (inet_pton(AF_INET6, host, &in.sin6_addr) != 1)
		return -1;
	if (percent) {
		in.sin6_scope_id = if_nametoindex(percent + 1);
		if (in.sin6_scope_id == 0) {
			if (num_int(percent + 1, 1, UINT32_MAX, &scope) == -1)
				return -1;
			in.sin6_scope_id = (uint32_t)scope;
		}
	}
	in.sin6_port = htons((uint16_t)port);
	memset(&a->ss, 0, sizeof a->ss);
	memcpy(&a->ss, &in, sizeof in);
	a->len = sizeof in;
	return 0;
}

int
addr_numeric(struct addr *a, const char *s, int family, int port)
{
	struct in_addr in;

	if (family != AF_INET6 && inet_pton(AF_INET, s, &in) == 1) {
		set_v4(a, &in, port);
		return 0;
	}
	return family != AF_INET ? numeric_v6(a, s, port) : -1;
}

int
addr_unix(struct addr *a, const char *path, struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(path), abstract = path[0] == '@';

	if (n == abstract)
		return err_setf(err, NULL, 0, NULL,
			"a Unix-domain socket needs a path or @NAME");
	if (n > ADDR_UNIX_MAX)
		return err_setf(err, NULL, 0, NULL,
			"the path has %zu bytes, a socket's has at most %d", n,
			ADDR_UNIX_MAX);
	memcpy(un.sun_path, path, n);
	if (abstract)
		un.sun_path[0] = '\0';
	memset(&a->ss, 0, sizeof a->ss);
	memcpy(&a->ss, &un, sizeof un);
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
		!abstract);
	return 0;
}

void
addr_of_local(struct addr *a, int fd)
{
	memset(a, 0, sizeof *a);
	a->len = sizeof a->ss;
	if (getsockname(fd, (struct sockaddr *)&a->ss, &a->len) == -1)
		a->len = 0;
	addr_unmap(a);
}

#ifdef SO_PEERNAME
/* Linux still knows the peer of a connection that was reset, where it is asked
 * for no more bytes than its name has: as many as the local one. */
static int
peer_name(int fd, struct sockaddr *sa, socklen_t *len)
{
	if (getpeername(fd, sa, len) == 0)
		return 0;
	if (getsockname(fd, sa, len) == -1)
		return -1;
	return getsockopt(fd, SOL_SOCKET, SO_PEERNAME, sa, len);
}
#else
static int
peer_name(int fd, struct sockaddr *sa, socklen_t *len)
{
	return getpeername(fd, sa, len);
}
#endif

void
addr_of_peer(struct addr *a, int fd)
{
	memset(a, 0, sizeof *a);
	a->len = sizeof a->ss;
	if (peer_name(fd, (struct sockaddr *)&a->ss, &a->len) == -1)
		a->len = 0;
	addr_unmap(a);
}

void
addr_list_add(struct addr_list *l, const struct addr *a)
{
	l->item = mem_grow(l->item, (size_t)l->count + 1, sizeof *l->item);
	l->item[l->count++] = *a;
}

void
addr_list_free(struct addr_list *l)
{
	free(l->item);
	*l = (struct addr_list){ 0 };
}

int
addr_of_interface(struct addr_list *l, const char *name, int family, int port)
{
	struct ifaddrs *all, *i;
	struct addr a;
	int added = 0;

	if (getifaddrs(&all) == -1)
		return 0;
	for (i = all; i; i = i->ifa_next) {
		from_sockaddr(&a, i->ifa_addr);
		if (a.len == 0 || strcmp(i->ifa_name, name) != 0 ||
			(family && family != a.ss.ss_family))
			continue;
		addr_set_port(&a, port);
		addr_list_add(l, &a);
		added++;
	}
	freeifaddrs(all);
	return added;
}
