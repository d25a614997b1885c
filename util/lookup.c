#include "lookup.h"
#include "num.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>

static bool
is_number(const char *port)
{
	return *port && strspn(port, "0123456789") == strlen(port);
}

int
resolve_port(const char *port, bool datagram, struct err *err)
{
	struct servent *service;
	int64_t number;

	if (is_number(port)) {
		if (num_int(port, 0, 65535, &number) == -1)
			return err_setf(err, NULL, 0, NULL,
				"port %s is not from 0 to 65535", port);
		return (int)number;
	}
	service = getservbyname(port, datagram ? "udp" : "tcp");
	if (!service)
		return err_setf(err, "resolve", 0, port,
			"no such service of %s", datagram ? "udp" : "tcp");
	return ntohs((uint16_t)service->s_port);
}

static const char *
family_name(int family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

static void
add_wildcard(struct addr_list *list, int family, int port)
{
	struct addr a;

	if (family != AF_INET && addr_numeric(&a, "::", AF_INET6, port) == 0)
		addr_list_add(list, &a);
	if (family != AF_INET6 &&
		addr_numeric(&a, "0.0.0.0", AF_INET, port) == 0)
		addr_list_add(list, &a);
}

/* What needs nobody else: 1 when that was an answer, 0 when it is a name, -1
 * with err. */
static int
look_here(struct addr_list *list, const struct resolve_query *q, int port,
	struct err *err)
{
	struct addr a;

	if (!q->host) {
		add_wildcard(list, q->family, port);
		return 1;
	}
	if (addr_numeric(&a, q->host, AF_UNSPEC, port) == 0) {
		if (q->family != AF_UNSPEC && a.ss.ss_family != q->family)
			return err_setf(err, "resolve", 0, q->host,
				"not an %s address", family_name(q->family));
		addr_list_add(list, &a);
		return 1;
	}
	if (q->passive && addr_of_interface(list, q->host, q->family, port) > 0)
		return 1;
	if (q->numeric)
		return err_setf(err, NULL, 0, NULL,
			"%s is a name, and --numeric forbids look-ups",
			q->host);
	return 0;
}

static bool
has(const struct addr_list *list, const struct addr *a)
{
	for (int i = 0; i < list->count; i++)
		if (addr_equal(&list->item[i], a))
			return true;
	return false;
}

/* The next of info that is (or is not) of family and not in list. */
static const struct addrinfo *
next_of(const struct addrinfo *info, int family, bool of,
	const struct addr_list *list, struct addr *a)
{
	for (; info; info = info->ai_next) {
		if ((info->ai_family == family) != of ||
			(info->ai_family != AF_INET &&
				info->ai_family != AF_INET6))
			continue;
		*a = (struct addr){ .len = info->ai_addrlen };
		memcpy(&a->ss, info->ai_addr, info->ai_addrlen);
		if (!has(list, a))
			return info;
	}
	return NULL;
}

void
lookup_order(struct addr_list *list, const struct addrinfo *info)
{
	const struct addrinfo *next[2] = { info, info };
	int family = info->ai_family;
	struct addr a;

	for (int turn = 0; next[0] || next[1]; turn = !turn) {
		if (list->count >= LOOKUP_MAX)
			return;
		next[turn] = next_of(next[turn], family, !turn, list, &a);
		if (next[turn])
			addr_list_add(list, &a);
	}
}

static int
gai_failed(const struct resolve_query *q, int code, struct err *err)
{
	if (code == EAI_SYSTEM)
		return err_set(err, "resolve", errno, q->host);
	if (q->family != AF_UNSPEC)
		return err_setf(err, "resolve", 0, q->host,
			"%s (%s was asked for)", gai_strerror(code),
			family_name(q->family));
	return err_setf(err, "resolve", 0, q->host, "%s", gai_strerror(code));
}

int
lookup(struct addr_list *list, const struct resolve_query *q, struct err *err)
{
	struct addrinfo hints = { .ai_family = q->family,
		.ai_socktype = q->datagram ? SOCK_DGRAM : SOCK_STREAM };
	struct addrinfo *info;
	int port = resolve_port(q->port, q->datagram, err), here, code;

	if (port == -1)
		return -1;
	here = look_here(list, q, port, err);
	if (here)
		return here == -1 ? -1 : 0;
	code = getaddrinfo(q->host, NULL, &hints, &info);
	if (code)
		return gai_failed(q, code, err);
	lookup_order(list, info);
	freeaddrinfo(info);
	for (int i = 0; i < list->count; i++)
		addr_set_port(&list->item[i], port);
	if (list->count == 0)
		return err_setf(err, "resolve", 0, q->host, "no address");
	return 0;
}

bool
lookup_here(const struct resolve_query *q)
{
	struct addr_list list = { 0 };
	struct err err;
	bool here = is_number(q->port) && look_here(&list, q, 0, &err) != 0;

	addr_list_free(&list);
	return here;
}

int
resolve_now(
	struct addr_list *list, const struct resolve_query *q, struct err *err)
{
	sigset_t ending, before;
	int result;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &ending, &before);
	*list = (struct addr_list){ 0 };
	result = lookup(list, q, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}
