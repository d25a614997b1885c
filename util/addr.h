/* addr: socket addresses, and the words that users write for them. */
#ifndef SOCKCTL_ADDR_H
#define SOCKCTL_ADDR_H

#include "err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDR_TEXT_MAX = 160, ADDR_UNIX_MAX = 107 };

struct addr {
	struct sockaddr_storage ss;
	socklen_t len; /* 0: none */
};

struct addr_list {
	struct addr *item;
	int count;
};

enum transport { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_UNIX };

/* What a user named, before any look-up. unix: path in host (a leading @ is
 * the abstract namespace), port empty. */
struct endpoint {
	enum transport transport;
	bool datagram; /* UDP, or a Unix datagram socket */
	char host[256]; /* without brackets; with %scope */
	char port[64]; /* number or service name */
};

/* The form that events print: 127.0.0.1:4000, [::1]:4000, [fe80::1%eth0]:4000,
 * unix:/path, unix:@name, unix: (no name). A mapped IPv4 address is shown as
 * IPv4. Control bytes of a path are escaped. out holds ADDR_TEXT_MAX bytes
 * (512 for Unix paths that are all escapes: cut there). Returns out. */
char *addr_text(const struct addr *a, char *out);
/* Only the numeric host of an Internet address ("" for Unix). */
char *addr_host(const struct addr *a, char *out);
int addr_port(const struct addr *a); /* host order; -1 for Unix */
void addr_set_port(struct addr *a, int port);
/* ::ffff:1.2.3.4 becomes 1.2.3.4; others stay. */
void addr_unmap(struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
/* 127/8, ::1, mapped loopback, or Unix. */
bool addr_is_loopback(const struct addr *a);
bool addr_is_multicast(const struct addr *a);
bool addr_is_broadcast(const struct addr *a); /* 255.255.255.255, or a
						 broadcast address of an
						 interface here */
/* A numeric IPv4 or IPv6 address (with %scope) of family (0: any). -1 if s is
 * none. port in host order. */
int addr_numeric(struct addr *a, const char *s, int family, int port);
/* path up to 107 bytes, a leading @ is the abstract namespace. */
int addr_unix(struct addr *a, const char *path, struct err *err);
/* getsockname, getpeername; len 0 on failure. IPv4-mapped ones are unmapped. */
void addr_of_local(struct addr *a, int fd);
void addr_of_peer(struct addr *a, int fd);
void addr_list_add(struct addr_list *l, const struct addr *a);
void addr_list_free(struct addr_list *l);
/* Addresses of the interface called name (family 0: both), port set. Returns
 * how many were added. */
int addr_of_interface(
	struct addr_list *l, const char *name, int family, int port);

/* Parses one word (HOST:PORT, [::1]:4000, tcp:HOST:PORT, udp:HOST:PORT,
 * unix:/path, unix:@name; "fe80::1%eth0" alone has no port and is an error),
 * or host and port where port is not NULL ("tcp:..." then is no host). udp:
 * sets datagram. A missing or malformed part is -1 with one sentence in err
 * (op NULL: the caller makes a usage error of it). Service names are not
 * looked up here, but a number out of 1-65535 is refused. */
int endpoint_parse(struct endpoint *e, const char *word, const char *port,
	struct err *err);
/* "host:4000", "[::1]:http", "unix:/path". out: ADDR_TEXT_MAX + 256 bytes. */
enum { ENDPOINT_TEXT_MAX = 352 };
char *endpoint_text(const struct endpoint *e, char *out);

#endif
