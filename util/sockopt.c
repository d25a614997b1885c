#include "sockopt.h"

#include "addr.h"
#include "mem.h"
#include "num.h"
#include "sockrow.h"
#include "sockvalue.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Linux takes a buffer size as payload and doubles it. socket(7). */
#ifdef __linux__
enum { BUFFER_FACTOR = 2 };
#else
enum { BUFFER_FACTOR = 1 };
#endif

/* --keepalive IDLE,INTERVAL,COUNT. */
static const char *const keepalive_parts[] = { "keepalive-idle",
	"keepalive-interval", "keepalive-count" };

enum { KEEPALIVE_PARTS = 3 };

/* Some row of the name takes it. What depends on the system (an interface) is
 * seen when it is applied. */
static int
check(const struct sockopt_row *row, const char *value, struct err *err)
{
	struct sockvalue v;
	struct err e = { 0 };

	for (; row != NULL; row = sockrow_next(row))
		if (sockvalue_encode(row, value, &v, &e) != -1 || e.op != NULL)
			return 0;
	if (err != NULL)
		*err = e;
	return -1;
}

static int
add_item(struct sockopts *o, const char *name, const char *value,
	struct err *err)
{
	const struct sockopt_row *row = sockrow_find(name);

	if (row == NULL)
		return err_setf(err, NULL, 0, NULL,
			"no such socket option here; 'sockctl help sockopts' "
			"lists them");
	if (check(row, value, err) == -1)
		return -1;
	o->item = mem_grow(o->item, (size_t)o->count + 1, sizeof(*o->item));
	o->item[o->count++] = (struct sockopt_item){ row, row->name, value };
	if (strcmp(name, "congestion") == 0)
		o->congestion = value;
	else if (strcmp(name, "linger") == 0 &&
		num_int(value, 0, INT64_MAX, &o->linger) == -1)
		o->linger = -1;
	return 0;
}

static int
add_keepalive(struct sockopts *o, const char *value, struct err *err)
{
	bool flag = value[0] == '\0' || strcmp(value, "on") == 0 ||
		strcmp(value, "off") == 0;
	const char *part = value;

	if (add_item(o, "keepalive", flag ? value : "", err) == -1)
		return -1;
	for (int i = 0; !flag; i++) {
		size_t n = strcspn(part, ",");
		char *kept;

		if (i == KEEPALIVE_PARTS)
			return err_setf(err, NULL, 0, NULL,
				"keepalive takes IDLE[,INTERVAL[,COUNT]]");
		kept = mem_copy(part, n + 1);
		kept[n] = '\0';
		if (add_item(o, keepalive_parts[i], kept, err) == -1) {
			free(kept);
			return -1;
		}
		if (part[n] == '\0')
			return 0;
		part += n + 1;
	}
	return 0;
}

static int
add(struct sockopts *o, const char *name, const char *value, struct err *err)
{
	if (strcmp(name, "keepalive") == 0)
		return add_keepalive(o, value, err);
	return add_item(o, name, value, err);
}

/* --sndbuf and the like: the row's name is the socket option's. */
static int
parse_named(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	return add(field, row->name, value == NULL ? "" : value, err);
}

/* -o NAME[=VALUE]. */
static int
parse_any(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	const char *equals = strchr(value, '=');
	size_t n = equals != NULL ? (size_t)(equals - value) : strlen(value);
	char name[32];

	(void)row;
	snprintf(name, sizeof(name), "%.*s", (int)(n < 31 ? n : 31), value);
	return add(field, name, equals != NULL ? equals + 1 : "", err);
}

#define NAMED(option, argument, says) \
	{ \
		.name = option, .type = OPT_PARSE, .word = argument, \
		.help = says, .parse = parse_named \
	}

const struct opt sockopt_opts[] = {
	NAMED("sndbuf", "SIZE", "send buffer (SO_SNDBUF)"),
	NAMED("rcvbuf", "SIZE", "receive buffer (SO_RCVBUF)"),
	NAMED("nodelay", NULL, "small segments at once (TCP_NODELAY)"),
	NAMED("linger", "SECONDS",
		"at close wait for the acknowledgement at most so long; 0: "
		"close sends RST"),
	NAMED("keepalive", "[=IDLE[,INTERVAL[,COUNT]]]",
		"probe a silent peer (SO_KEEPALIVE)"),
	{ .name = "congestion",
		.type = OPT_PARSE,
		.word = "NAME",
		.help = "congestion control (TCP_CONGESTION)",
		.parse = parse_named,
		.complete = "congestion" },
	{ .name = "no-reuseaddr",
		.type = OPT_FLAG,
		.help = "leave SO_REUSEADDR off",
		.offset = OPT_AT(struct sockopts, no_reuseaddr, bool) },
	NAMED("reuseport", NULL, "share the port (SO_REUSEPORT)"),
	{ .name = "sockopt",
		.letter = 'o',
		.type = OPT_PARSE,
		.word = "NAME[=VALUE]",
		.help = "any socket option; 'sockctl help sockopts' lists them",
		.parse = parse_any,
		.complete = "sockopt" },
	{ .name = "show-sockopts",
		.type = OPT_FLAG,
		.help = "tell what each option was, should be, and is",
		.offset = OPT_AT(struct sockopts, show, bool) },
	{ .name = "strict",
		.type = OPT_FLAG,
		.help = "an option that was clamped or not taken is an error",
		.offset = OPT_AT(struct sockopts, strict, bool) },
	{ 0 },
};

/* Less than was asked for, or something else. */
static bool
differs(const struct sockopt_row *row, const struct sockopt_seen *s)
{
	int64_t wanted, got;

	if (!s->numeric || num_int(s->requested, 0, INT64_MAX, &wanted) == -1 ||
		num_int(s->effective, 0, INT64_MAX, &got) == -1)
		return strcmp(s->requested, s->effective) != 0;
	if (row->kind == SOCKROW_FLAG)
		return got != wanted;
	return got < (row->limit != NULL ? BUFFER_FACTOR * wanted : wanted);
}

static void
hint_congestion(struct err *err)
{
	FILE *f = fopen(
		"/proc/sys/net/ipv4/tcp_available_congestion_control", "re");
	char line[256];

	if (f == NULL)
		return;
	if (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		err_hint(err, "this system has %s", line);
	}
	fclose(f);
}

static int
refused(const struct sockopt_row *row, int number, struct err *err)
{
	err_set(err, "setsockopt", number, row->name);
	if (number == EPERM)
		err_hint(err, "this option needs root or CAP_NET_ADMIN");
	else if (number == ENOENT && strcmp(row->name, "congestion") == 0)
		hint_congestion(err);
	return -1;
}

static int
apply_row(const struct sockopts *o, int fd, const struct sockopt_row *row,
	const char *value, struct err *err)
{
	struct sockopt_seen seen = { .name = row->name,
		.numeric = sockvalue_numeric(row) };
	struct sockvalue v;
	int r = sockvalue_encode(row, value, &v, err);

	if (r != 0)
		return r == 1 ? 0 : -1;
	sockvalue_read(row, fd, seen.before);
	if (setsockopt(fd, row->level, row->number, &v.raw, v.len) == -1)
		return refused(row, errno, err);
	memcpy(seen.requested, v.text, sizeof(seen.requested));
	sockvalue_read(row, fd, seen.effective);
	if (seen.effective[0] == '\0')
		memcpy(seen.effective, v.text, sizeof(seen.effective));
	bool clamped = differs(row, &seen);

	if (clamped)
		seen.limit = row->limit;
	if (o->show && o->seen != NULL)
		o->seen(o->arg, &seen);
	if (!clamped || !o->strict)
		return 0;
	return err_setf(err, "setsockopt", 0, row->name,
		"asked for %s, the system gives %s%s%s%s", seen.requested,
		seen.effective, seen.limit != NULL ? " (" : "",
		seen.limit != NULL ? seen.limit : "",
		seen.limit != NULL ? ")" : "");
}

static int
apply_item(const struct sockopts *o, int fd, unsigned sort,
	const struct sockopt_item *item, unsigned phases, struct err *err)
{
	for (const struct sockopt_row *row = item->row; row != NULL;
		row = sockrow_next(row))
		if ((row->on & sort) && (phases & 1u << row->phase) &&
			apply_row(o, fd, row, item->value, err) == -1)
			return -1;
	return 0;
}

int
sockopts_apply(const struct sockopts *o, int fd, enum sockopt_phase phase,
	bool reuseaddr, struct err *err)
{
	unsigned sort;
	int on = 1;

	if (phase == SOCKOPT_NEW && reuseaddr && !o->no_reuseaddr &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		return err_set(err, "setsockopt", errno, "reuseaddr");
	if (o->count == 0)
		return 0;
	sort = sockrow_socket(fd);
	for (int i = 0; i < o->count; i++)
		if (apply_item(o, fd, sort, &o->item[i], 1u << phase, err) ==
			-1)
			return -1;
	return 0;
}

int
sockopt_set(int fd, const char *name, const char *value, struct err *err)
{
	const struct sockopt_row *row = sockrow_find(name);
	const struct sockopts none = SOCKOPTS_DEFAULT;
	const struct sockopt_item item = { row, name, value };

	if (row == NULL)
		return err_set(err, "setsockopt", ENOPROTOOPT, name);
	return apply_item(&none, fd, sockrow_socket(fd), &item, ~0u, err);
}

#ifdef TCP_CONGESTION
static bool
is_this_host(int fd)
{
	struct addr local, peer;

	addr_of_local(&local, fd);
	addr_of_peer(&peer, fd);
	if (local.len == 0 || peer.len == 0 || addr_port(&peer) == -1)
		return false;
	addr_set_port(&local, 0);
	addr_set_port(&peer, 0);
	return addr_is_loopback(&peer) || addr_equal(&local, &peer);
}

bool
sockopt_choose_congestion(const struct sockopts *o, int fd, char *name)
{
	static const char reno[] = "reno";
	socklen_t len = 15;
	bool chosen;

	memset(name, 0, 16);
	if (!(sockrow_socket(fd) & (SOCKROW_TCP4 | SOCKROW_TCP6)))
		return false;
	chosen = (o == NULL || o->congestion == NULL) && is_this_host(fd) &&
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, reno,
			sizeof(reno) - 1) == 0;
	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len) == -1)
		name[0] = '\0';
	return chosen;
}
#else
bool
sockopt_choose_congestion(const struct sockopts *o, int fd, char *name)
{
	(void)o;
	(void)fd;
	name[0] = '\0';
	return false;
}
#endif
