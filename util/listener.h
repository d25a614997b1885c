/* listener: everything between listen(2) and a client that may be served:
 * addresses, accept until EAGAIN, the reserve descriptor for EMFILE, allow and
 * deny, the client limit, port file, Unix path and its lock, activation. The
 * same for every mode that listens; for datagram sockets it opens and names
 * them, and dgram does the rest. */
#ifndef SOCKCTL_LISTENER_H
#define SOCKCTL_LISTENER_H

#include "conn.h"
#include "loop.h"
#include "net.h"
#include "report.h"

/* The settings of the group "Listening"; rows listen_opts (-p, --backlog,
 * --allow, --deny, -m, -1, --port-file, --unix-mode). */
struct listen_options {
	const char *port; /* -p */
	int64_t backlog; /* 0: SOMAXCONN */
	struct cidr_rules rules;
	int64_t max_clients; /* 0: no limit (datagram: 1024) */
	bool once;
	const char *port_file;
	uint32_t unix_mode; /* LISTEN_NO_MODE: not given */
};
#define LISTEN_NO_MODE UINT32_MAX
#define LISTEN_DEFAULT \
	{ \
		.unix_mode = LISTEN_NO_MODE \
	}
extern const struct opt listen_opts[];

/* What cannot be listened on at all: a usage error (op NULL), to be told before
 * anything is opened. */
int listener_check(const struct listen_options *o,
	const struct net_options *net, struct err *err);

struct listener;

struct listener_setup {
	struct loop *loop;
	struct report *report;
	const struct net_options *net;
	const struct listen_options *listen;
	const struct sockopts *sockopts;
	bool datagram; /* UDP or Unix datagram: on_socket instead */
	bool activation; /* LISTEN_FDS may replace all (serve) */
	bool never_accept; /* only listens (--behave never-accept) */
	int64_t pause; /* ns before the first accept, 0: none */
	/* A client that may be served; fd is the callee's, non-blocking; the
	 * phase connected of the options was applied. id counts from 1. The
	 * callee calls listener_gone when it has closed it. */
	void (*on_client)(
		void *arg, int fd, unsigned id, const struct addr *peer);
	/* datagram: a bound socket to watch, the callee's. */
	void (*on_socket)(void *arg, int fd, const struct addr *local);
	void *arg;
};

/* Opens all addresses (both families on one port unless -4, -6, -s or -U say
 * otherwise), tells a listening event each, writes the port file. NULL with
 * err. */
struct listener *listener_open(const struct listener_setup *s, struct err *err);
/* A client that on_client brought is gone: another may come in. */
void listener_gone(struct listener *l);
/* Stops accepting for good and closes the listening sockets (also removes the
 * Unix path that it made). Clients stay. */
void listener_shut(struct listener *l);
/* Accepts no more until resumed; connections wait in the backlog. */
void listener_pause(struct listener *l, bool paused);
unsigned listener_accepted(const struct listener *l); /* connections so far */
unsigned listener_denied(const struct listener *l);
/* allow and deny for a datagram's sender; tells the denied event (once an
 * address in 10 s). */
bool listener_admits(struct listener *l, const struct addr *peer);
void listener_free(struct listener *l);

#endif
