#include "sockrow.h"

#include "addr.h"
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

enum {
	TCP = SOCKROW_TCP4 | SOCKROW_TCP6,
	UDP = SOCKROW_UDP4 | SOCKROW_UDP6,
	IP4 = SOCKROW_TCP4 | SOCKROW_UDP4,
	IP6 = SOCKROW_TCP6 | SOCKROW_UDP6,
	INET = TCP | UDP,
	EVERY = INET | SOCKROW_UNIX,
};

#ifdef IP_MTU_DISCOVER
static const struct sockrow_word discover_words[] = {
	{ "want", IP_PMTUDISC_WANT },
	{ "dont", IP_PMTUDISC_DONT },
	{ "do", IP_PMTUDISC_DO },
	{ "probe", IP_PMTUDISC_PROBE },
	{ NULL, 0 },
};
#endif

/* RFC 3246, 8622, 5865. */
static const struct sockrow_word dscp_words[] = {
	{ "EF", 46 },
	{ "LE", 1 },
	{ "VA", 44 },
	{ NULL, 0 },
};

#define NEW SOCKOPT_NEW
#define LISTENING SOCKOPT_LISTENING
#define CONNECTED SOCKOPT_CONNECTED
#define ROW(name, kind, on, level, number, phase, min, max) \
	{ \
		name, kind, on, level, number, phase, min, max, NULL, NULL \
	}
#define TEXT(name, kind, on, level, number, phase) \
	ROW(name, kind, on, level, number, phase, 0, 0)
#define FLAG(name, on, level, number, phase) \
	ROW(name, SOCKROW_FLAG, on, level, number, phase, 0, 1)
#define ABSENT(name) FLAG(name, 0, 0, 0, NEW)

static const struct sockopt_row rows[] = {
	{ "sndbuf", SOCKROW_SIZE, EVERY, SOL_SOCKET, SO_SNDBUF, NEW, 1, INT_MAX,
		"net.core.wmem_max", NULL },
	{ "rcvbuf", SOCKROW_SIZE, EVERY, SOL_SOCKET, SO_RCVBUF, NEW, 1, INT_MAX,
		"net.core.rmem_max", NULL },
	FLAG("nodelay", TCP, IPPROTO_TCP, TCP_NODELAY, CONNECTED),
	ROW("linger", SOCKROW_LINGER, TCP, SOL_SOCKET, SO_LINGER, CONNECTED, 0,
		65535),
	FLAG("keepalive", TCP, SOL_SOCKET, SO_KEEPALIVE, CONNECTED),
#ifdef TCP_KEEPIDLE
	ROW("keepalive-idle", SOCKROW_SECONDS, TCP, IPPROTO_TCP, TCP_KEEPIDLE,
		CONNECTED, 1, 32767),
#else
	ABSENT("keepalive-idle"),
#endif
#ifdef TCP_KEEPINTVL
	ROW("keepalive-interval", SOCKROW_SECONDS, TCP, IPPROTO_TCP,
		TCP_KEEPINTVL, CONNECTED, 1, 32767),
#else
	ABSENT("keepalive-interval"),
#endif
#ifdef TCP_KEEPCNT
	ROW("keepalive-count", SOCKROW_NUMBER, TCP, IPPROTO_TCP, TCP_KEEPCNT,
		CONNECTED, 1, 127),
#else
	ABSENT("keepalive-count"),
#endif
#ifdef TCP_CONGESTION
	TEXT("congestion", SOCKROW_NAME, TCP, IPPROTO_TCP, TCP_CONGESTION, NEW),
#else
	ABSENT("congestion"),
#endif
	FLAG("reuseaddr", INET, SOL_SOCKET, SO_REUSEADDR, NEW),
#ifdef SO_REUSEPORT
	FLAG("reuseport", INET, SOL_SOCKET, SO_REUSEPORT, NEW),
#else
	ABSENT("reuseport"),
#endif
	ROW("mss", SOCKROW_NUMBER, TCP, IPPROTO_TCP, TCP_MAXSEG, NEW, 88,
		32767),
	ROW("ttl", SOCKROW_NUMBER, IP4, IPPROTO_IP, IP_TTL, NEW, 1, 255),
	ROW("ttl", SOCKROW_NUMBER, IP6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, NEW, 1,
		255),
	ROW("tos", SOCKROW_NUMBER, IP4, IPPROTO_IP, IP_TOS, NEW, 0, 255),
#ifdef IPV6_TCLASS
	ROW("tos", SOCKROW_NUMBER, IP6, IPPROTO_IPV6, IPV6_TCLASS, NEW, 0, 255),
#endif
	{ "dscp", SOCKROW_DSCP, IP4, IPPROTO_IP, IP_TOS, NEW, 0, 63, NULL,
		dscp_words },
#ifdef IPV6_TCLASS
	{ "dscp", SOCKROW_DSCP, IP6, IPPROTO_IPV6, IPV6_TCLASS, NEW, 0, 63,
		NULL, dscp_words },
#endif
#ifdef SO_PRIORITY
	ROW("priority", SOCKROW_NUMBER, INET, SOL_SOCKET, SO_PRIORITY, NEW, 0,
		INT_MAX),
#else
	ABSENT("priority"),
#endif
#ifdef SO_MARK
	ROW("mark", SOCKROW_NUMBER, INET, SOL_SOCKET, SO_MARK, NEW, 0, INT_MAX),
#else
	ABSENT("mark"),
#endif
#ifdef TCP_USER_TIMEOUT
	ROW("user-timeout", SOCKROW_MS, TCP, IPPROTO_TCP, TCP_USER_TIMEOUT, NEW,
		1, INT_MAX),
#else
	ABSENT("user-timeout"),
#endif
#ifdef TCP_QUICKACK
	FLAG("quickack", TCP, IPPROTO_TCP, TCP_QUICKACK, CONNECTED),
#else
	ABSENT("quickack"),
#endif
#ifdef TCP_CORK
	FLAG("cork", TCP, IPPROTO_TCP, TCP_CORK, CONNECTED),
#else
	ABSENT("cork"),
#endif
#ifdef TCP_DEFER_ACCEPT
	ROW("defer-accept", SOCKROW_SECONDS, TCP, IPPROTO_TCP, TCP_DEFER_ACCEPT,
		LISTENING, 1, INT_MAX),
#else
	ABSENT("defer-accept"),
#endif
#ifdef TCP_FASTOPEN
	ROW("fastopen", SOCKROW_NUMBER, TCP, IPPROTO_TCP, TCP_FASTOPEN,
		LISTENING, 1, 65535),
#else
	ABSENT("fastopen"),
#endif
#ifdef TCP_SYNCNT
	ROW("syncnt", SOCKROW_NUMBER, TCP, IPPROTO_TCP, TCP_SYNCNT, NEW, 1,
		127),
#else
	ABSENT("syncnt"),
#endif
#ifdef TCP_WINDOW_CLAMP
	ROW("window-clamp", SOCKROW_SIZE, TCP, IPPROTO_TCP, TCP_WINDOW_CLAMP,
		NEW, 1, INT_MAX),
#else
	ABSENT("window-clamp"),
#endif
#ifdef TCP_NOTSENT_LOWAT
	ROW("notsent-lowat", SOCKROW_SIZE, TCP, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
		NEW, 1, INT_MAX),
#else
	ABSENT("notsent-lowat"),
#endif
	ROW("rcvlowat", SOCKROW_SIZE, EVERY, SOL_SOCKET, SO_RCVLOWAT, CONNECTED,
		1, INT_MAX),
	FLAG("oobinline", TCP, SOL_SOCKET, SO_OOBINLINE, NEW),
	FLAG("broadcast", UDP, SOL_SOCKET, SO_BROADCAST, NEW),
	FLAG("dontroute", INET, SOL_SOCKET, SO_DONTROUTE, NEW),
#ifdef SO_BINDTODEVICE
	TEXT("device", SOCKROW_NAME, INET, SOL_SOCKET, SO_BINDTODEVICE, NEW),
#else
	ABSENT("device"),
#endif
#ifdef IP_FREEBIND
	FLAG("freebind", IP4, IPPROTO_IP, IP_FREEBIND, NEW),
#else
	ABSENT("freebind"),
#endif
#ifdef IPV6_FREEBIND
	FLAG("freebind", IP6, IPPROTO_IPV6, IPV6_FREEBIND, NEW),
#endif
#ifdef IP_TRANSPARENT
	FLAG("transparent", IP4, IPPROTO_IP, IP_TRANSPARENT, NEW),
#else
	ABSENT("transparent"),
#endif
#ifdef IPV6_TRANSPARENT
	FLAG("transparent", IP6, IPPROTO_IPV6, IPV6_TRANSPARENT, NEW),
#endif
	FLAG("v6only", IP6, IPPROTO_IPV6, IPV6_V6ONLY, NEW),
#ifdef IP_MTU_DISCOVER
	{ "mtu-discover", SOCKROW_WORD, IP4, IPPROTO_IP, IP_MTU_DISCOVER, NEW,
		0, 0, NULL, discover_words },
#else
	ABSENT("mtu-discover"),
#endif
#if defined(IP_MTU_DISCOVER) && defined(IPV6_MTU_DISCOVER)
	{ "mtu-discover", SOCKROW_WORD, IP6, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		NEW, 0, 0, NULL, discover_words },
#endif
	ROW("mcast-ttl", SOCKROW_NUMBER, SOCKROW_UDP4, IPPROTO_IP,
		IP_MULTICAST_TTL, NEW, 0, 255),
	ROW("mcast-ttl", SOCKROW_NUMBER, SOCKROW_UDP6, IPPROTO_IPV6,
		IPV6_MULTICAST_HOPS, NEW, 0, 255),
	FLAG("mcast-loop", SOCKROW_UDP4, IPPROTO_IP, IP_MULTICAST_LOOP, NEW),
	FLAG("mcast-loop", SOCKROW_UDP6, IPPROTO_IPV6, IPV6_MULTICAST_LOOP,
		NEW),
	TEXT("mcast-if", SOCKROW_INTERFACE, SOCKROW_UDP4, IPPROTO_IP,
		IP_MULTICAST_IF, NEW),
	TEXT("mcast-if", SOCKROW_INTERFACE, SOCKROW_UDP6, IPPROTO_IPV6,
		IPV6_MULTICAST_IF, NEW),
#ifdef MCAST_JOIN_GROUP
	TEXT("join", SOCKROW_GROUP, SOCKROW_UDP4, IPPROTO_IP, MCAST_JOIN_GROUP,
		NEW),
	TEXT("join", SOCKROW_GROUP, SOCKROW_UDP6, IPPROTO_IPV6,
		MCAST_JOIN_GROUP, NEW),
#else
	ABSENT("join"),
#endif
#ifdef SO_BUSY_POLL
	ROW("busy-poll", SOCKROW_NUMBER, INET, SOL_SOCKET, SO_BUSY_POLL, NEW, 0,
		INT_MAX),
#else
	ABSENT("busy-poll"),
#endif
};

static const struct {
	int family, type;
	unsigned sort;
} sorts[] = {
	{ AF_INET, SOCK_STREAM, SOCKROW_TCP4 },
	{ AF_INET6, SOCK_STREAM, SOCKROW_TCP6 },
	{ AF_INET, SOCK_DGRAM, SOCKROW_UDP4 },
	{ AF_INET6, SOCK_DGRAM, SOCKROW_UDP6 },
	{ AF_UNIX, SOCK_STREAM, SOCKROW_UNIX },
	{ AF_UNIX, SOCK_DGRAM, SOCKROW_UNIX },
};

const struct sockopt_row *
sockrow_at(size_t index)
{
	return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}

const struct sockopt_row *
sockrow_find(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].on != 0 ? &rows[i] : NULL;
	return NULL;
}

const struct sockopt_row *
sockrow_next(const struct sockopt_row *row)
{
	const struct sockopt_row *next = sockrow_at((size_t)(row - rows) + 1);

	if (next == NULL || strcmp(next->name, row->name) != 0)
		return NULL;
	return next;
}

unsigned
sockrow_socket(int fd)
{
	struct addr a;
	socklen_t len = sizeof(int);
	int type = 0;

	addr_of_local(&a, fd);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1)
		return 0;
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (sorts[i].family == a.ss.ss_family && sorts[i].type == type)
			return sorts[i].sort;
	return 0;
}

int
sockrow_open(const struct sockopt_row *row)
{
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (row->on & sorts[i].sort)
			return socket(sorts[i].family, sorts[i].type, 0);
	return -1;
}
