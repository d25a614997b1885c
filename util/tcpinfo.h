/* tcpinfo: what the kernel knows of a TCP connection (TCP_INFO, SIOCINQ,
 * SIOCOUTQ; tcp(7)). The only file that includes linux/tcp.h. */
#ifndef SOCKCTL_TCPINFO_H
#define SOCKCTL_TCPINFO_H

#include "addr.h"
#include <stdbool.h>
#include <stdint.h>

/* Unknown numbers are -1. */
struct tcpinfo {
	const char *state; /* netstat's word, NULL for what is not TCP */
	int64_t rtt_us, rttvar_us;
	int64_t retrans; /* total retransmitted segments */
	int64_t cwnd, mss;
	int64_t recvq, sendq; /* bytes: netstat's Recv-Q and Send-Q */
	int64_t delivery_rate; /* bytes a second */
	int64_t acked, received; /* as the kernel counts: SYN and FIN are one
				    each */
	int64_t snd_wscale, rcv_wscale;
	int sack, timestamps, ecn; /* 0, 1, -1 unknown */
	int64_t busy_us, rwnd_limited_us, sndbuf_limited_us;
	int64_t notsent; /* bytes in the send queue not yet sent */
};

/* Everything unknown. */
void tcpinfo_unknown(struct tcpinfo *t);
/* Fills t; a fd that is no TCP socket gives state NULL and queues only. */
void tcpinfo_get(struct tcpinfo *t, int fd);
/* Bytes that are not acknowledged yet, ours and, once FIN was sent, the FIN:
 * 0 when all was acknowledged, -1 where the system does not tell. */
int64_t tcpinfo_unacked(int fd);
int64_t tcpinfo_unread(int fd); /* bytes in the receive queue, -1 unknown */
/* netstat's state of a connection that has no descriptor any more, by its
 * address pair from /proc/net/tcp and tcp6; NULL where not found. */
const char *tcpinfo_state_of(const struct addr *local, const struct addr *peer);

#endif
