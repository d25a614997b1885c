#include "tcpinfo.h"

#include "procnet.h"
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#ifdef _GNU_SOURCE
#define HAVE_TCP_INFO
#include <linux/sockios.h>
#include <linux/tcp.h>
#endif

/* The kernel's numbers, in TCP_INFO and in /proc/net/tcp. */
enum { LISTEN = 10 };

static const char *const states[] = { NULL, "ESTABLISHED", "SYN_SENT",
	"SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
	"CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV" };

static const char *
state_name(unsigned state)
{
	return state < sizeof(states) / sizeof(states[0]) ? states[state]
							  : NULL;
}

void
tcpinfo_unknown(struct tcpinfo *t)
{
	*t = (struct tcpinfo){ NULL, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
		-1, -1, -1, -1, -1, -1, -1, -1 };
}

int64_t
tcpinfo_unread(int fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n) == 0 ? n : -1;
}

#ifdef HAVE_TCP_INFO

/* A kernel older than the header fills less of the struct. */
#define HAS(len, member) \
	((len) >= offsetof(struct tcp_info, member) + \
			sizeof(((struct tcp_info *)0)->member))
#define GET(info, len, member) (HAS(len, member) ? (int64_t)(info)->member : -1)

static int
read_info(int fd, struct tcp_info *info, socklen_t *len)
{
	*len = sizeof(*info);
	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, len);
}

/* What was negotiated in the handshake: before it nothing is known. */
static void
get_negotiated(struct tcpinfo *t, const struct tcp_info *info)
{
	bool scale = (info->tcpi_options & TCPI_OPT_WSCALE) != 0;

	if (info->tcpi_rcv_mss == 0 || strcmp(t->state, "SYN_SENT") == 0)
		return;
	t->snd_wscale = scale ? info->tcpi_snd_wscale : -1;
	t->rcv_wscale = scale ? info->tcpi_rcv_wscale : -1;
	t->sack = (info->tcpi_options & TCPI_OPT_SACK) != 0;
	t->timestamps = (info->tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
	t->ecn = (info->tcpi_options & TCPI_OPT_ECN) != 0;
}

static void
get_counts(struct tcpinfo *t, const struct tcp_info *info, socklen_t len)
{
	t->rtt_us = info->tcpi_rtt;
	t->rttvar_us = info->tcpi_rttvar;
	t->cwnd = info->tcpi_snd_cwnd;
	t->mss = info->tcpi_snd_mss;
	t->retrans = GET(info, len, tcpi_total_retrans);
	t->acked = GET(info, len, tcpi_bytes_acked);
	t->received = GET(info, len, tcpi_bytes_received);
	t->notsent = GET(info, len, tcpi_notsent_bytes);
	t->delivery_rate = GET(info, len, tcpi_delivery_rate);
	t->busy_us = GET(info, len, tcpi_busy_time);
	t->rwnd_limited_us = GET(info, len, tcpi_rwnd_limited);
	t->sndbuf_limited_us = GET(info, len, tcpi_sndbuf_limited);
}

void
tcpinfo_get(struct tcpinfo *t, int fd)
{
	struct tcp_info info;
	socklen_t len;

	tcpinfo_unknown(t);
	t->recvq = tcpinfo_unread(fd);
	t->sendq = tcpinfo_unacked(fd);
	if (read_info(fd, &info, &len) == -1)
		return;
	t->state = state_name(info.tcpi_state);
	if (t->state == NULL)
		return;
	if (info.tcpi_state == LISTEN) {
		/* Connections that wait, and the backlog: tcp_diag.c */
		t->recvq = info.tcpi_unacked;
		t->sendq = info.tcpi_sacked;
		return;
	}
	get_counts(t, &info, len);
	get_negotiated(t, &info);
}

int64_t
tcpinfo_unacked(int fd)
{
	int n;

	return ioctl(fd, SIOCOUTQ, &n) == 0 ? n : -1;
}

#else

void
tcpinfo_get(struct tcpinfo *t, int fd)
{
	tcpinfo_unknown(t);
	t->recvq = tcpinfo_unread(fd);
}

int64_t
tcpinfo_unacked(int fd)
{
	(void)fd;
	return -1;
}

#endif

/* The words as they lie in this machine's memory. An IPv4 address in tcp6 is a
 * mapped one. */
static void
proc_form(const struct addr *a, bool six, char out[33])
{
	const struct sockaddr_in *in = (const void *)&a->ss;
	const struct sockaddr_in6 *in6 = (const void *)&a->ss;
	uint32_t word[4] = { 0, 0, htonl(0xffff), 0 };

	if (a->ss.ss_family == AF_INET6)
		memcpy(word, &in6->sin6_addr, sizeof(word));
	else
		memcpy(&word[3], &in->sin_addr, sizeof(word[3]));
	for (size_t i = six ? 0 : 3; i < 4; i++, out += 8)
		snprintf(out, 9, "%08" PRIX32, word[i]);
}

static const char *
find_state(const char *path, bool six, const struct addr *local,
	const struct addr *peer)
{
	char ours[33], theirs[33];
	const char *state = NULL;
	FILE *f = fopen(path, "re");
	struct procnet p;

	if (f == NULL)
		return NULL;
	proc_form(local, six, ours);
	proc_form(peer, six, theirs);
	while (state == NULL && procnet_next(f, &p))
		if (p.local_port == (unsigned)addr_port(local) &&
			p.peer_port == (unsigned)addr_port(peer) &&
			strcmp(p.local, ours) == 0 &&
			strcmp(p.peer, theirs) == 0)
			state = state_name(p.state);
	fclose(f);
	return state;
}

const char *
tcpinfo_state_of(const struct addr *local, const struct addr *peer)
{
	const char *state = NULL;

	if (local->len == 0 || peer->len == 0 || addr_port(peer) < 0)
		return NULL;
	if (local->ss.ss_family == AF_INET)
		state = find_state("/proc/net/tcp", false, local, peer);
	return state != NULL ? state
			     : find_state("/proc/net/tcp6", true, local, peer);
}
