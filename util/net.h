/* net: sockets: made, bound, named; what POSIX and Linux do differently. */
#ifndef SOCKCTL_NET_H
#define SOCKCTL_NET_H

#include "addr.h"
#include "clock.h"
#include "opt.h"
#include "sockopt.h"

/* The settings of the group "Addresses"; rows net_opts (-4, -6, -u, -U, -s,
 * --numeric). */
struct net_options {
	bool four, six, udp, numeric;
	const char *path; /* -U */
	struct opt_list bind; /* -s */
};
extern const struct opt net_opts[];
/* nc's letters for what is the default here; no settings. */
extern const struct opt nc_opts[];

/* The settings of the group "Time limits"; rows limit_opts (-w, --idle,
 * --deadline). CLOCK_NONE where not given, unless the mode has a default. */
struct limit_options {
	int64_t timeout, idle, deadline;
};
extern const struct opt limit_opts[];
enum { LIMIT_DEADLINE = 2 }; /* the row from which only --deadline is there */
#define LIMITS_DEFAULT \
	{ \
		CLOCK_NONE, CLOCK_NONE, CLOCK_NONE \
	}

int net_family(const struct net_options *o); /* AF_UNSPEC, AF_INET, AF_INET6 */

/* What a mode that also listens says without arguments. */
#define NET_NEITHER "HOST PORT is missing, or -p PORT to listen"

/* The endpoint of a mode's arguments: HOST PORT, one word, or -U PATH. -1 with
 * one sentence in err (op NULL). */
int net_endpoint(struct endpoint *e, const struct net_options *o, int argc,
	char **argv, struct err *err);

/* What -4, -6, --numeric and the local side do not allow together, port (NULL:
 * none) being -p's or -b's: -1 with one sentence in err (op NULL). */
int net_check_local(
	const struct net_options *o, const char *port, struct err *err);
/* The same of a name under --numeric. */
int net_check_host(
	const struct net_options *o, const char *host, struct err *err);
/* The parse of an option whose field is a struct opt_list of local addresses
 * (-s): IPv6 ones may stand in brackets. */
int net_parse_bind(
	void *field, const char *value, const struct opt *row, struct err *err);

/* A new close-on-exec, non-blocking socket of a's family (SOCK_STREAM or
 * SOCK_DGRAM) with the options of the phase new. Never 0, 1 or 2. An IPv6
 * socket is for IPv6 alone. */
int net_socket(const struct addr *a, bool datagram, const struct sockopts *o,
	bool reuseaddr, struct err *err);
/* bind(2); the error names the address and, where /proc tells, who has it. */
int net_bind(int fd, const struct addr *a, struct err *err);
/* Of the local addresses the one that fits to, with port 0; the wildcard where
 * there are none; false where none is of its family. */
bool net_choose_local(
	const struct addr_list *local, const struct addr *to, struct addr *out);
/* A socket on loopback that took the port it wants to reach is connected to
 * itself (simultaneous open, RFC 9293): nobody listens there. */
bool net_self_connected(int fd);
/* accept4, non-blocking and close-on-exec; -1 with errno. peer unmapped. */
int net_accept(int fd, struct addr *peer);
/* connect(2): 0 or errno; EINPROGRESS also where a signal interrupted it, since
 * it goes on then (POSIX). */
int net_connect(int fd, const struct addr *to);
/* errno says of send or recv: not now. ENOBUFS: the system's queue is full. */
bool net_blocked(void);
int net_pipe(int pipefd[2]); /* close-on-exec, non-blocking */
int net_socketpair(int pair[2]); /* the same, SOCK_STREAM */
void net_nonblock(int fd, bool on);
void net_cloexec(int fd);
/* Makes sure that 0, 1 and 2 are open (on /dev/null where they were closed);
 * called once at start. */
void net_hold_standard(void);
/* close(2) that keeps errno. Returns -1. */
int close_keep(int fd, int result);
/* close with RST where the system can (SO_LINGER 0). */
void net_reset(int fd);
/* close(2) that never blocks: SO_LINGER with a time is switched off first.
 * linger: --linger's seconds, at most 0: none. */
void net_close(int fd, int64_t linger);
/* Whether a close should wait for acknowledgements yet: --linger is above 0,
 * its seconds since ended are not over, and bytes are unacknowledged. */
bool net_lingers(int fd, int64_t linger, int64_t ended, int64_t now);
/* After a failed send: what has come can be read, then comes the end, also
 * where the connection itself lives on (the system had no memory): a peer that
 * waits for more would never end it. */
void net_hear_out(int fd);
int net_error(int fd); /* SO_ERROR, taken and cleared */
/* One look whether the peer's system has acknowledged all that was sent, the
 * FIN included (SIOCOUTQ, tcp(7)). */
enum net_acked {
	NET_ACKED,
	NET_UNACKED, /* *pause (0 at first) was set: ns until the next look */
	NET_UNTOLD, /* the system does not tell */
	NET_BROKEN, /* the connection is; *number is SO_ERROR's */
};
enum net_acked net_acked(int fd, int64_t *pause, int *number);
/* Adds what helps to an error of bind, connect, socket or setsockopt: who
 * holds the port (/proc), the privileged range, the local addresses, ... */
void net_hint(struct err *e, const struct addr *a);
void net_hint_datagram(struct err *e, const struct addr *a); /* of UDP */
/* A private non-blocking description of a standard stream (pipe or terminal,
 * by /proc/self/fd): standard streams themselves are never set non-blocking,
 * they are shared with the shell. -1 where that cannot be had. */
int net_reopen(int fd, int flags);

#endif
