/* dial: a connection to an endpoint: all its addresses, the next one after 250
 * ms (RFC 8305), local address and port, retries, a proxy. The same for every
 * mode that connects. */
#ifndef SOCKCTL_DIAL_H
#define SOCKCTL_DIAL_H

#include "conn.h"
#include "loop.h"
#include "net.h"
#include "report.h"

/* The settings of the group "Connecting"; rows dial_opts (-b, --retry,
 * --proxy). */
struct dial_retry {
	int64_t times; /* INT64_MAX: for ever */
	int64_t pause; /* ns between tries, default 1 s */
};
struct dial_options {
	const char *local_port; /* -b */
	struct dial_retry retry;
	const char *proxy; /* socks5://..., http://... */
};
#define DIAL_DEFAULT \
	{ \
		.retry = { 0, CLOCK_S } \
	}
extern const struct opt dial_opts[];
enum { DIAL_FAR = 1 }; /* rows from here on are without -b: serve --forward */

struct dial;
struct dial_result;

struct dial_setup {
	struct loop *loop;
	struct report *report; /* -v notes of each try; may be NULL */
	const struct net_options *net; /* family, numeric, -s */
	const struct dial_options *dial;
	const struct sockopts *sockopts;
	struct endpoint to;
	int64_t timeout; /* of all of it, look-up included; CLOCK_NONE */
	/* Exactly once, from the loop, never before dial_start returned. fd is
	 * the callee's: connected (through the proxy too), non-blocking,
	 * options applied, congestion control chosen; or -1 and err, whose
	 * text names each address and why. */
	void (*done)(void *arg, int fd, const struct dial_result *result,
		const struct err *err);
	void *arg;
};

struct dial_result {
	double elapsed_ms;
	char congestion[16]; /* "" where it is not TCP */
	bool chosen; /* sockctl chose it */
	struct buf *early; /* bytes that a proxy sent behind its answer, to
			      be taken first; valid until dial_cancel, NULL:
			      none */
};

/* What cannot be dialled at all: a usage error (op NULL), to be told before
 * anything is opened: a proxy for what is not TCP, a name under --numeric. */
int dial_check(const struct dial_options *o, const struct net_options *net,
	const struct endpoint *to, struct err *err);

/* Datagram endpoints are connected too, but for multicast and broadcast
 * targets (then fd is bound only, and dial_target is where to send). The dial
 * lives until dial_cancel, also after done. */
struct dial *dial_start(const struct dial_setup *s);
/* The address that is connected to (a proxy's, where there is one). */
const struct addr *dial_target(const struct dial *d);
/* Ends it: done is not called (any more); frees. Legal in done, too; NULL is
 * fine. Call it before loop_free. */
void dial_cancel(struct dial *d);
/* The connect event of c, whose connection result is about. */
void dial_connected(struct conn *c, const struct dial_result *result);
/* A Unix datagram client has an own address for answers. Where that had to be
 * a path (no abstract namespace), this removes it; call it before close(2). */
void dial_unlink(int fd);

#endif
