/* proxy: asks a proxy for a connection to a target: SOCKS 5 (RFC 1928, 1929)
 * and HTTP CONNECT (RFC 9110, 7617). The proxy gets the name and resolves it.
 */
#ifndef SOCKCTL_PROXY_H
#define SOCKCTL_PROXY_H

#include "addr.h"
#include "buf.h"
#include "loop.h"

/* What a proxy may say before it says yes. */
enum { PROXY_HEAD_MAX = 64 * 1024 };

enum proxy_kind { PROXY_SOCKS5, PROXY_HTTP };

struct proxy_url {
	enum proxy_kind kind;
	struct endpoint at;
	bool auth;
	char user[256], password[256];
};

/* socks5://[USER:PASSWORD@]HOST:PORT or http://..., IPv6 addresses in
 * brackets, %XX in user and password. Without them they come from the
 * environment's SOCKCTL_PROXY_AUTH (USER:PASSWORD). -1 with one sentence in
 * err (op NULL), which never shows the password. */
int proxy_parse(struct proxy_url *u, const char *url, struct err *err);

struct proxy;

struct proxy_setup {
	struct loop *loop;
	const struct proxy_url *url; /* borrowed until the end */
	const char *host; /* the target: a name or an address */
	int port;
	/* Once, from the loop, never before proxy_start returned: err NULL
	 * when the way is open, early then holds what came behind the answer
	 * (valid during the call, to be taken or left). Else op connect
	 * (refused), protocol (hung up, nonsense, endless), recv or send, or
	 * NULL for a target that this proxy cannot be asked for. The proxy is
	 * freed when done returns. */
	void (*done)(void *arg, struct buf *early, const struct err *err);
	void *arg;
};

/* fd is connected to the proxy and stays the caller's. */
struct proxy *proxy_start(const struct proxy_setup *s, int fd);
void proxy_cancel(struct proxy *p); /* done is not called; frees */

#endif
